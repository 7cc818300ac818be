"""Single files with the original release's keys: which key holds what of a diffusers folder, and what
diffusers' networks give when they are read from such a file.

Structures are those of Stable Diffusion 1.5, 2.1 and XL, so that the keys are the real ones; channels
are few. Weights are drawn by one rule on both sides, so that no file holds them. Before
anything is written, diffusers' own `from_single_file` has to read the weights back, bit for bit.
"""

import json
import pathlib
import tempfile

import torch
from diffusers import (
    AutoencoderKL, DDIMScheduler, EulerDiscreteScheduler, PNDMScheduler, StableDiffusionPipeline,
    StableDiffusionXLPipeline, UNet2DConditionModel)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from . import _ldm_names
from ._networks import drawn, save

four = dict(
    sample_size=64, layers_per_block=2,
    down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3)
unets = {
    "sd1": four | dict(
        block_out_channels=(32, 32, 64, 64), cross_attention_dim=64, attention_head_dim=8),
    "sd2": four | dict(
        sample_size=96, block_out_channels=(64, 64, 64, 128), cross_attention_dim=64,
        attention_head_dim=(1, 1, 1, 2), use_linear_projection=True),
    "xl": dict(
        sample_size=128, layers_per_block=2, block_out_channels=(64, 64, 128),
        cross_attention_dim=192, attention_head_dim=(1, 1, 2), use_linear_projection=True,
        transformer_layers_per_block=(1, 2, 3), addition_embed_type="text_time",
        addition_time_embed_dim=8, projection_class_embeddings_input_dim=6 * 8 + 128,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D")),
}
unets["inpainting"] = unets["sd1"] | dict(in_channels=9)
autoencoder = dict(
    block_out_channels=(32, 32, 64, 64), layers_per_block=2, latent_channels=4, norm_num_groups=32,
    down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)
autoencoders = {
    "sd1": autoencoder | dict(sample_size=512), "sd2": autoencoder | dict(sample_size=768),
    "xl": autoencoder | dict(sample_size=1024, scaling_factor=0.13025)}
autoencoders["inpainting"] = autoencoders["sd1"]
text = dict(
    vocab_size=1000, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
    num_attention_heads=1, max_position_embeddings=77, eos_token_id=2, bos_token_id=0)
texts = {
    "sd1": [(CLIPTextModel, text)],
    # The release's file holds one layer more than the network uses.
    "sd2": [(CLIPTextModel, text | dict(hidden_act="gelu", num_hidden_layers=23))],
    "xl": [(CLIPTextModel, text), (CLIPTextModelWithProjection, text | dict(
        hidden_act="gelu", hidden_size=128, num_attention_heads=2, projection_dim=128))]}
texts["inpainting"] = texts["sd1"]
process = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1)
schedulers = {
    "sd1": lambda: PNDMScheduler(**process, set_alpha_to_one=False, skip_prk_steps=True),
    "sd2": lambda: DDIMScheduler(
        **process, set_alpha_to_one=False, clip_sample=False, prediction_type="v_prediction"),
    "xl": lambda: EulerDiscreteScheduler(**process, timestep_spacing="leading")}
schedulers["inpainting"] = schedulers["sd1"]


def renamed(key):
    """Text encoders without `text_model.` in front, as newer versions of transformers have them."""
    is_text = key.startswith(("embeddings.", "encoder.layers.", "final_layer_norm."))
    return f"text_model.{key}" if is_text else key


def named(model):
    return {renamed(key): tensor for key, tensor in model.state_dict().items()}


def parts(name):
    """The networks by their folder in a pipeline, and the scheduler."""
    torch.manual_seed(0)
    networks = {
        "unet": UNet2DConditionModel(**unets[name]), "vae": AutoencoderKL(**autoencoders[name])}
    for number, (kind, settings) in enumerate(texts[name]):
        networks[("text_encoder", "text_encoder_2")[number]] = kind(CLIPTextConfig(**settings))
    return {key: model.eval() for key, model in networks.items()}, schedulers[name]()


def single(name, networks, states):
    """The tensors of the single file, and what each holds: `folder/key`, for several one after the
    other; a kernel `[C, C, 1, 1]` or a transposed matrix in place of a matrix are named so."""
    tensors, table = {}, {}

    def put(key, tensor, part, *sources, change=""):
        tensors[key] = tensor.contiguous()
        table[key] = change + " ".join(f"{part}/{source}" for source in sources)

    config = networks["unet"].config
    for key, tensor in states["unet"].items():
        put("model.diffusion_model." + _ldm_names.unet(config, key), tensor, "unet", key)
    for key, tensor in states["vae"].items():
        other, is_conv = _ldm_names.autoencoder(networks["vae"].config, key)
        put("first_stage_model." + other, tensor[:, :, None, None] if is_conv else tensor, "vae", key,
            change="kernel " if is_conv else "")
    prefixes = {
        "sd2": ["cond_stage_model.model."],
        "xl": ["conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."]}
    encoders = [k for k in networks if k.startswith("text_encoder")]
    for part, prefix in zip(encoders, prefixes.get(name, ["cond_stage_model.transformer."])):
        if prefix.endswith("transformer."):
            for key, tensor in states[part].items():
                put(prefix + key, tensor, part, key)
        else:
            found, sources = _ldm_names.open_clip(states[part])
            for key, tensor in found.items():
                change = "transposed " if key == "text_projection" else ""
                put(prefix + key, tensor, part, *sources[key], change=change)
    return tensors, table


def more(name, tensors):
    """What such files hold besides, of no use here."""
    extra = {"alphas_cumprod": torch.ones(1000), "model_ema.decay": torch.tensor(0.9999)}
    if name == "sd2":
        prefix = "cond_stage_model.model."
        block = f"{prefix}transformer.resblocks."
        extra |= {k.replace(".22.", ".23."): t + 1 for k, t in tensors.items()
                  if k.startswith(f"{block}22.")}
        extra |= {prefix + "text_projection": torch.ones(64, 64), prefix + "logit_scale": torch.ones(())}
    elif name == "xl":
        extra["conditioner.embedders.1.model.logit_scale"] = torch.ones(())
    else:
        extra["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    return extra


def conditions(name, random):
    given = {
        "x": torch.randn(1, unets[name].get("in_channels", 4), 8, 8, generator=random),
        "prompt": torch.randn(1, 5, unets[name]["cross_attention_dim"], generator=random),
        "ids": torch.tensor([[998] + [7, 320, 12, 5] + [999] * 6]),
        "z": torch.randn(1, 4, 2, 2, generator=random)}
    if name == "xl":
        given |= {"pooled": torch.randn(1, 128, generator=random),
                  "sizes": torch.tensor([[64.0, 64, 0, 0, 64, 64]])}
    return given


def outputs(pipeline, given):
    added = {"text_embeds": given["pooled"], "time_ids": given["sizes"]} if "pooled" in given else None
    with torch.no_grad():
        result = {
            "unet": pipeline.unet(
                given["x"], torch.tensor(500), given["prompt"], added_cond_kwargs=added).sample,
            "vae": pipeline.vae.decode(given["z"]).sample,
            "text_encoder": pipeline.text_encoder(given["ids"]).last_hidden_state}
        if "pooled" in given:
            result["text_encoder_2"] = pipeline.text_encoder_2(given["ids"]).text_embeds
    return {f"out.{key}": tensor for key, tensor in result.items()}


def generate(folder):
    random = torch.Generator().manual_seed(809)
    for name in unets:
        networks, scheduler = parts(name)
        states = {
            part: drawn(networks[part], 30 + i, renamed) for i, part in enumerate(sorted(networks))}
        tensors, table = single(name, networks, states)
        extra = more(name, tensors)
        with tempfile.TemporaryDirectory() as place:
            pipeline = read_back(name, networks, scheduler, tensors | extra, place)
        for part, state in states.items():
            found = named(getattr(pipeline, part))
            assert found.keys() == state.keys(), (name, part, found.keys() ^ state.keys())
            for key, tensor in state.items():
                assert torch.equal(found[key], tensor), (name, part, key)
        given = conditions(name, random)
        save(folder / f"{name}.safetensors", given | outputs(pipeline, given))
        kept = {
            "config": {part: json.loads(getattr(pipeline, part).config.to_json_string())
                       if part.startswith("text") else {k: v for k, v in dict(getattr(
                           pipeline, part).config).items() if not k.startswith("_")}
                       for part in networks},
            "extra": {key: list(t.shape) for key, t in extra.items()}}
        if name != "inpainting":  # its keys are those of "sd1"
            kept["table"] = table
        (folder / f"{name}.json").write_text(json.dumps(kept, indent=0, default=list) + "\n")


def read_back(name, networks, scheduler, tensors, place):
    """The pipeline that diffusers makes of the single file; the folder gives configurations alone."""
    kind = StableDiffusionXLPipeline if name == "xl" else StableDiffusionPipeline
    vocabulary = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    tokenizer = CLIPTokenizer(vocabulary, [], model_max_length=77)
    more = dict(tokenizer=tokenizer) | (dict(tokenizer_2=tokenizer) if name == "xl" else dict(
        safety_checker=None, feature_extractor=None, requires_safety_checker=False))
    kind(**networks, scheduler=scheduler, **more).save_pretrained(f"{place}/folder")
    for weights in pathlib.Path(place).glob("folder/*/*.safetensors"):
        weights.unlink()
    save_file(tensors, f"{place}/single.safetensors")
    return kind.from_single_file(
        f"{place}/single.safetensors", config=f"{place}/folder", local_files_only=True)
