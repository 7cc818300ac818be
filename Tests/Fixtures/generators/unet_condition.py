"""Golden files of the conditional U-Net: whole diffusers folders at tiny size in the shapes of Stable
Diffusion 1.x, 2.x and XL and their relatives, outputs, gradients, first weights."""

import torch
from diffusers import UNet2DConditionModel

from ._networks import built, gradients, moved, save, save_shapes

small = dict(
    sample_size=8, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(4, 8),
    norm_num_groups=2, attention_head_dim=2, cross_attention_dim=6,
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"))
cross = dict(
    down_block_types=("CrossAttnDownBlock2D",) * 2, up_block_types=("CrossAttnUpBlock2D",) * 2)

# What differs from `small`.
networks = {
    "sd1": dict(),
    "sd2": dict(
        cross, use_linear_projection=True, attention_head_dim=(2, 4), upcast_attention=True),
    "sdxl": dict(
        block_out_channels=(4, 4, 8), use_linear_projection=True, attention_head_dim=(1, 2, 4),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2, 3), addition_embed_type="text_time",
        addition_time_embed_dim=4, projection_class_embeddings_input_dim=6 * 4 + 5,
        upcast_attention=None),
    "inpainting": dict(in_channels=9, conv_in_kernel=5, conv_out_kernel=1, center_input_sample=True),
    "lcm": dict(time_cond_proj_dim=6, act_fn="gelu", time_embedding_dim=12),
    "upscaler": dict(
        cross, in_channels=7, only_cross_attention=(True, False), num_class_embeds=10,
        mid_block_scale_factor=1.41421356, norm_eps=1e-6),
    "nested": dict(
        cross, layers_per_block=(2, 1), transformer_layers_per_block=((1, 2), (2,)),
        reverse_transformer_layers_per_block=((1, 0), (2, 1, 1)), mid_block_type=None,
        cross_attention_dim=(6, 6)),
    "half_tiny": dict(mid_block_type="UNetMidBlock2D", resnet_time_scale_shift="scale_shift"),
    "class_number": dict(class_embed_type="timestep", flip_sin_to_cos=False, act_fn="mish"),
    "class_vector": dict(class_embed_type="identity", freq_shift=1, only_cross_attention=True),
    "class_projection": dict(
        class_embed_type="projection", projection_class_embeddings_input_dim=5, act_fn="relu"),
    "class_simple": dict(
        class_embed_type="simple_projection", projection_class_embeddings_input_dim=5,
        downsample_padding=0),
}
labels = {
    "upscaler": torch.tensor([4, 0]), "class_number": torch.tensor([9, 250]),
    "class_vector": torch.linspace(-1, 1, 32).reshape(2, 16),
    "class_projection": torch.linspace(-2, 1, 10).reshape(2, 5),
    "class_simple": torch.linspace(-1, 2, 10).reshape(2, 5)}
graded = ("sdxl", "sd1")

stable_diffusion = {
    "_class_name": "UNet2DConditionModel", "act_fn": "silu", "attention_head_dim": 8,
    "block_out_channels": [320, 640, 1280, 1280], "center_input_sample": False,
    "cross_attention_dim": 768, "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    "downsample_padding": 1, "flip_sin_to_cos": True, "freq_shift": 0, "in_channels": 4,
    "layers_per_block": 2, "mid_block_scale_factor": 1, "norm_eps": 1e-05, "norm_num_groups": 32,
    "out_channels": 4, "sample_size": 64,
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3}
stable_diffusion_xl = {
    "_class_name": "UNet2DConditionModel", "act_fn": "silu", "addition_embed_type": "text_time",
    "addition_embed_type_num_heads": 64, "addition_time_embed_dim": 256,
    "attention_head_dim": [5, 10, 20], "block_out_channels": [320, 640, 1280],
    "center_input_sample": False, "class_embed_type": None, "class_embeddings_concat": False,
    "conv_in_kernel": 3, "conv_out_kernel": 3, "cross_attention_dim": 2048,
    "cross_attention_norm": None,
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "downsample_padding": 1, "dual_cross_attention": False, "encoder_hid_dim": None,
    "encoder_hid_dim_type": None, "flip_sin_to_cos": True, "freq_shift": 0, "in_channels": 4,
    "layers_per_block": 2, "mid_block_only_cross_attention": None, "mid_block_scale_factor": 1,
    "mid_block_type": "UNetMidBlock2DCrossAttn", "norm_eps": 1e-05, "norm_num_groups": 32,
    "num_attention_heads": None, "num_class_embeds": None, "only_cross_attention": False,
    "out_channels": 4, "projection_class_embeddings_input_dim": 2816,
    "resnet_out_scale_factor": 1.0, "resnet_skip_time_act": False,
    "resnet_time_scale_shift": "default", "sample_size": 128, "time_cond_proj_dim": None,
    "time_embedding_act_fn": None, "time_embedding_dim": None, "time_embedding_type": "positional",
    "timestep_post_act": None, "transformer_layers_per_block": [1, 2, 10],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "upcast_attention": None, "use_linear_projection": True}


def generate(folder):
    random = torch.Generator().manual_seed(720)
    starts = {}
    for name, settings in networks.items():
        model, starts[name] = built(UNet2DConditionModel, small | settings)
        moved(model, random).save_pretrained(folder / name)

        def normal(*shape):
            return torch.randn(*shape, generator=random)

        channels = model.config.in_channels
        tensors = {
            "x": normal(2, channels, 8, 8), "x.odd": normal(2, channels, 7, 9),
            "timesteps": torch.tensor([3, 981]), "prompt": normal(2, 5, 6),
            "mask": torch.tensor([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1]])}
        more = {}
        if name in labels:
            tensors["labels"] = more["class_labels"] = labels[name]
        if name == "lcm":
            tensors["condition"] = more["timestep_cond"] = normal(2, 6)
        if name == "sdxl":
            tensors["pooled"] = normal(2, 5)
            tensors["sizes"] = torch.tensor([[64.0, 48, 0, 8, 64, 64], [32, 64, 1, 0, 64, 32]])
            more["added_cond_kwargs"] = {
                "text_embeds": tensors["pooled"], "time_ids": tensors["sizes"]}

        def out(x, **masks):
            return model(
                x, tensors["timesteps"], tensors["prompt"], **more, **masks).sample

        tensors["out"] = out(tensors["x"])
        tensors["out.odd"] = out(tensors["x.odd"])
        tensors["out.masked"] = out(tensors["x"], encoder_attention_mask=tensors["mask"])
        if name in graded:
            tensors |= gradients(model, tensors["out.odd"])
        save(folder / f"{name}.safetensors", tensors)
    save(folder / "starts.safetensors", starts)
    save_shapes(folder / "stable_diffusion.json", UNet2DConditionModel, stable_diffusion)
    save_shapes(folder / "stable_diffusion_xl.json", UNet2DConditionModel, stable_diffusion_xl)
