"""Golden files of the U-Net: whole diffusers folders at tiny size, outputs, gradients, first weights."""

import torch
from diffusers import UNet2DModel

from ._networks import built, gradients, moved, save

small = dict(
    sample_size=8, in_channels=3, out_channels=3, layers_per_block=1, block_out_channels=(4, 8),
    norm_num_groups=2, attention_head_dim=4, down_block_types=("DownBlock2D", "AttnDownBlock2D"),
    up_block_types=("AttnUpBlock2D", "UpBlock2D"))
resnet_blocks = dict(
    down_block_types=("ResnetDownsampleBlock2D", "AttnDownBlock2D"),
    up_block_types=("AttnUpBlock2D", "ResnetUpsampleBlock2D"))
three = dict(
    block_out_channels=(4, 8, 8), down_block_types=("DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "AttnUpBlock2D", "UpBlock2D"))

# What differs from `small`, and the class labels if any ("index", "number", "vector").
networks = {
    "plain": (dict(
        down_block_types=("DownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "UpBlock2D"),
        add_attention=False), None),
    "attention": (dict(
        block_out_channels=(8, 16), norm_num_groups=4, sample_size=None, attention_head_dim=8,
        time_embedding_dim=16), None),
    "resnet_resampling": (dict(
        down_block_types=("AttnDownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "AttnUpBlock2D"), downsample_type="resnet",
        upsample_type="resnet", attention_head_dim=2), None),
    "resnet_blocks": (dict(resnet_blocks, act_fn="mish", norm_eps=1e-6), None),
    "scale_shift": (dict(resnet_time_scale_shift="scale_shift", act_fn="gelu"), None),
    "scale_shift_norm": (dict(
        resnet_blocks, resnet_time_scale_shift="scale_shift", attn_norm_num_groups=4), None),
    "fourier": (dict(
        time_embedding_type="fourier", mid_block_scale_factor=1.41421356, in_channels=1,
        out_channels=2), None),
    "learned_time": (dict(
        time_embedding_type="learned", num_train_timesteps=20, center_input_sample=True), None),
    "frequencies": (dict(
        freq_shift=1, flip_sin_to_cos=False, time_embedding_dim=12, downsample_padding=0, layers_per_block=2), None),
    "class_table": (dict(num_class_embeds=5), "index"),
    "class_number": (dict(class_embed_type="timestep"), "number"),
    "class_vector": (dict(class_embed_type="identity", act_fn="relu"), "vector"),
    "one_head": (dict(attention_head_dim=None, norm_num_groups=4, act_fn="swish"), None),
    "no_mid": (dict(mid_block_type=None), None),
    "three_levels": (dict(three, sample_size=(8, 12), layers_per_block=2, attention_head_dim=2), None),
}
graded = ("attention", "scale_shift_norm")


def generate(folder):
    random = torch.Generator().manual_seed(700)
    starts = {}
    for name, (settings, labels) in networks.items():
        model, starts[name] = built(UNet2DModel, small | settings)
        moved(model, random).save_pretrained(folder / name)
        height, width = (8, 12) if name == "three_levels" else (8, 8)
        x = torch.randn(2, model.config.in_channels, height, width, generator=random)
        tensors = {"x": x, "timesteps": torch.tensor([3, 17])}
        classes = {
            "index": torch.tensor([4, 0]), "number": torch.tensor([9, 250]),
            "vector": torch.randn(2, 16, generator=random)}
        if labels:
            tensors["labels"] = classes[labels]
        out = model(x, tensors["timesteps"], tensors.get("labels")).sample
        tensors["out"] = out
        if name != "fourier":
            tensors["out.first"] = model(x, 3, tensors.get("labels")).sample
        if name in graded:
            tensors |= gradients(model, out)
        save(folder / f"{name}.safetensors", tensors)
    save(folder / "starts.safetensors", starts)
