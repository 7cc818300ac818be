"""Tiny Stable Diffusion folders of random weights, and the latents and pictures that diffusers' pipelines
draw from them. `cases.json` lists what was asked for, a line a case."""

import copy
import functools
import json
import pathlib
import tempfile
import types

import diffusers
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from ._networks import moved
from .tokenizers import begin, end, flags, roles, typed, vocabulary, write_model

merges = [("c", "a"), ("ca", "t</w>"), ("a", "t</w>"), ("t", "h"), ("th", "e</w>"), ("r", "e"), ("re", "d</w>"),
          ("i", "n</w>"), ("d", "o"), ("do", "g</w>"), ("s", "n"), ("sn", "o"), ("sno", "w</w>")]
size = len(vocabulary(merges))
unet = dict(
    sample_size=8, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(4, 8),
    norm_num_groups=2, attention_head_dim=2, cross_attention_dim=16,
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"))
xl = dict(
    cross_attention_dim=36, addition_embed_type="text_time", addition_time_embed_dim=4,
    projection_class_embeddings_input_dim=6 * 4 + 12, use_linear_projection=True,
    transformer_layers_per_block=(1, 2), down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
    up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"))
text = dict(
    vocab_size=size, hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2,
    max_position_embeddings=20, projection_dim=12, bos_token_id=size - 2, eos_token_id=size - 1)
betas = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)

# Pipeline, what differs in the U-Net, and the scheduler.
folders = {
    "sd1": ("StableDiffusionPipeline", dict(), diffusers.PNDMScheduler(
        **betas, skip_prk_steps=True, steps_offset=1, set_alpha_to_one=False)),
    "sd2": ("StableDiffusionPipeline", dict(use_linear_projection=True), diffusers.DDIMScheduler(
        **betas, prediction_type="v_prediction", steps_offset=1, set_alpha_to_one=False, clip_sample=False)),
    "xl": ("StableDiffusionXLPipeline", xl, diffusers.EulerDiscreteScheduler(
        **betas, timestep_spacing="leading", steps_offset=1)),
    "inpainting": ("StableDiffusionInpaintPipeline", dict(in_channels=9), diffusers.PNDMScheduler(
        **betas, skip_prk_steps=True, steps_offset=1, set_alpha_to_one=False)),
    "lcm": ("StableDiffusionPipeline", dict(time_cond_proj_dim=6), diffusers.LCMScheduler(**betas)),
}
# Settings of old files, which the pipelines of Stable Diffusion 1 and 2 correct.
outdated = {"lcm": dict(clip_sample=True, steps_offset=0), "inpainting": dict(skip_prk_steps=False, steps_offset=0)}

samplers = {
    "ddpm": "DDPM", "ddim": "DDIM", "pndm": "PNDM", "euler": "EulerDiscrete",
    "euler-a": "EulerAncestralDiscrete", "heun": "HeunDiscrete", "lms": "LMSDiscrete",
    "dpm2": "KDPM2Discrete", "dpm2-a": "KDPM2AncestralDiscrete", "dpmpp-2m": "DPMSolverMultistep",
    "dpmpp-2m-sde": "DPMSolverMultistep", "dpmpp-2s": "DPMSolverSinglestep",
    "unipc": "UniPCMultistep", "deis": "DEISMultistep", "sa-solver": "SASolver", "lcm": "LCM",
    "tcd": "TCD"}
equations = {"dpmpp-2m": "dpmsolver++", "dpmpp-2m-sde": "sde-dpmsolver++"}


def tokenizer(folder, pad):
    write_model(folder, merges)
    (folder / "tokenizer_config.json").write_text(json.dumps(roles(pad, typed) | dict(model_max_length=20)))
    (folder / "special_tokens_map.json").write_text(json.dumps(roles(pad, flags)))
    return CLIPTokenizer.from_pretrained(folder)


def encoder(random, kind=CLIPTextModel, **settings):
    model = kind(CLIPTextConfig(**(text | settings))).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn(p.shape, generator=random) * 0.2)
    return model


def write(folder, scratch, name, random):
    pipeline, settings, scheduler = folders[name]
    torch.manual_seed(81)
    parts = dict(
        unet=moved(UNet2DConditionModel(**(unet | settings)), random),
        vae=moved(AutoencoderKL(
            block_out_channels=(4,) * 4, down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4, norm_num_groups=2, latent_channels=4,
            sample_size=64, scaling_factor=0.3), random),
        tokenizer=tokenizer(scratch / "first", end), text_encoder=encoder(random), scheduler=scheduler)
    if name == "xl":
        parts |= dict(
            tokenizer_2=tokenizer(scratch / "second", "!"), text_encoder_2=encoder(
                random, CLIPTextModelWithProjection, hidden_size=20, num_attention_heads=5, hidden_act="gelu"))
    else:
        parts |= dict(safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    getattr(diffusers, pipeline)(**parts).save_pretrained(folder / name)
    if name in outdated:
        path = folder / name / "scheduler/scheduler_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | outdated[name], indent=2) + "\n")


def requests():
    """Everything that is asked for, with keys of Swift's `Request`."""
    for folder in ("sd1", "sd2", "xl"):
        yield dict(folder=folder)
        for sampler in samplers:
            yield dict(folder=folder, sampler=sampler)
        yield dict(folder=folder, negative="the red dog, snow", pictures=True)
        yield dict(folder=folder, width=56, height=72, pictures=True)
        yield dict(folder=folder, guidance=1, prompt="")
        yield dict(folder=folder, guidance=0)
        yield dict(folder=folder, rescale=0.7, sampler="euler")
        yield dict(folder=folder, count=2, sampler="euler-a")
        yield dict(folder=folder, clip_skip=1, negative="snow")
        yield dict(folder=folder, sampler="ddim", eta=0.7)
        yield dict(folder=folder, sampler="tcd", eta=0.3)
        yield dict(folder=folder, sampler="dpmpp-2m", spacing="karras", steps=10)
        yield dict(folder=folder, prompt="a (red:1.3) cat in [the] snow", segments=[
            ("a ", 1), ("red", 1.3), (" cat in ", 1), ("the", 1 / 1.1), (" snow", 1)])
        yield dict(folder=folder, prompt="the cat in the snow " * 40, negative="고양이 😀" * 30)
        for sampler in (None, "euler-a", "heun", "dpmpp-2m", "dpmpp-2m-sde", "dpmpp-2s", "unipc", "ddpm", "dpm2-a",
                        "lms", "deis", "lcm"):
            yield dict(folder=folder, sampler=sampler, strength=0.6, steps=8)
        yield dict(folder=folder, strength=1.0, sampler="euler")
        yield dict(folder=folder, strength=0.3, count=2, sampler="dpmpp-2m", steps=10, pictures=folder == "sd1")
    for folder in ("sd1", "sd2", "xl", "inpainting"):
        for sampler in (None, "ddim", "euler-a", "heun", "dpmpp-2m", "unipc", "dpm2", "dpm2-a"):
            yield dict(folder=folder, sampler=sampler, strength=0.6, steps=8, mask=True)
        yield dict(folder=folder, strength=1.0, sampler="euler-a", mask=True, pictures=folder == "inpainting")
        yield dict(folder=folder, strength=1.0, mask=True, guidance=1)
    yield dict(folder="lcm")
    yield dict(folder="lcm", guidance=3)
    yield dict(folder="lcm", sampler="ddim", strength=0.7)


@functools.cache
def opened(path, kind):
    pipeline = getattr(diffusers, kind).from_pretrained(path)
    pipeline.set_progress_bar_config(disable=True)
    # transformers 5 has the normalisation one level higher than diffusers looks for it.
    encoder = pipeline.text_encoder
    if not hasattr(encoder, "text_model"):
        encoder.text_model = types.SimpleNamespace(final_layer_norm=encoder.final_layer_norm)
    return pipeline, pipeline.scheduler


def pipeline_of(folder, request):
    kind = "StableDiffusionXL" if request["folder"] == "xl" else "StableDiffusion"
    task = "Inpaint" if "mask" in request else "Img2Img" if "strength" in request else ""
    pipeline, scheduler = opened(folder / request["folder"], f"{kind}{task}Pipeline")
    pipeline.scheduler = copy.deepcopy(scheduler)
    if (name := request.get("sampler")) is not None:
        more = {"algorithm_type": equations[name]} if name in equations else {}
        if request.get("spacing") == "karras":
            more["use_karras_sigmas"] = True
        pipeline.scheduler = getattr(diffusers, f"{samplers[name]}Scheduler").from_config(
            pipeline.scheduler.config, **more)
    return pipeline


def weighted(pipeline, segments):
    """The states of weighted segments, their mean restored, and XL's pooled state."""
    pairs = [(pipeline.tokenizer, pipeline.text_encoder)]
    if is_xl := hasattr(pipeline, "text_encoder_2"):
        pairs.append((pipeline.tokenizer_2, pipeline.text_encoder_2))
    states = []
    for tokenizer, encoder in pairs:
        ids = [tokenizer(text, add_special_tokens=False).input_ids for text, _ in segments]
        weights = [1] + [w for (_, w), found in zip(segments, ids) for _ in found] + [1] * 20
        ids = [tokenizer.bos_token_id] + sum(ids, []) + [tokenizer.eos_token_id] + [tokenizer.pad_token_id] * 20
        out = encoder(torch.tensor([ids[:20]]), output_hidden_states=True)
        plain = out.hidden_states[-2] if is_xl else out.last_hidden_state
        made = plain * torch.tensor(weights[:20])[None, :, None]
        states.append(made * (plain.mean() / made.mean()))
    result = dict(prompt_embeds=torch.cat(states, -1), prompt=None)
    return result | dict(pooled_prompt_embeds=out.text_embeds) if is_xl else result


def draw(folder, request, tensors):
    pipeline = pipeline_of(folder, request)
    count, seed = request.get("count", 1), request["seed"]
    generators = [torch.Generator().manual_seed(seed + i) for i in range(count)]
    arguments = dict(
        prompt=request["prompt"], negative_prompt=request.get("negative"),
        num_inference_steps=request["steps"], guidance_scale=request["guidance"], num_images_per_prompt=count,
        generator=generators if count > 1 else generators[0], eta=request.get("eta", 0.0),
        output_type="latent", clip_skip=request.get("clip_skip"))
    if "rescale" in request:
        arguments["guidance_rescale"] = request["rescale"]
    if "strength" in request:
        arguments |= dict(image=tensors["picture"], strength=request["strength"])
    else:
        arguments |= dict(width=request.get("width", 64), height=request.get("height", 64))
    if "mask" in request:
        arguments |= dict(mask_image=tensors["mask"], width=64, height=64)
    with torch.no_grad():
        if segments := request.pop("segments", None):
            arguments |= weighted(pipeline, segments)
            if "pooled_prompt_embeds" not in arguments:
                arguments["negative_prompt"] = ""
            else:  # as the pipeline does for no negative prompt
                for name in ("prompt_embeds", "pooled_prompt_embeds"):
                    arguments[f"negative_{name}"] = torch.zeros_like(arguments[name])
        latents = pipeline(**arguments).images
        tensors[f"{request['name']}.latents"] = latents
        if request.get("pictures"):
            pictures = pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample
            tensors[f"{request['name']}.images"] = (pictures / 2 + 0.5).clamp(0, 1).half()


def generate(folder):
    random = torch.Generator().manual_seed(800)
    with tempfile.TemporaryDirectory() as scratch:
        for name in folders:
            write(folder, pathlib.Path(scratch), name, random)
    rows = torch.linspace(0, 1, 64)
    wave = torch.stack([torch.sin(6 * rows[:, None] + 9 * rows[None] + i) for i in range(3)])
    mask = torch.zeros(1, 1, 64, 64)
    mask[:, :, 12:50, 20:] = torch.linspace(0.3, 1, 44)
    tensors = {"picture": (wave / 2 + 0.5)[None], "mask": mask}
    listed = []
    for request in requests():
        request = {k: v for k, v in request.items() if v is not None}
        name = " ".join(f"{k} {str(v)[:20]}" if k != "folder" else v for k, v in request.items() if k not in ("pictures", "segments"))
        request = dict(name=name, prompt="a red cat in the snow", steps=6, guidance=7.5, seed=len(listed)) | request
        draw(folder, request, tensors)
        request.pop("pictures", None)
        listed.append(request)
    save_file({k: t.contiguous() for k, t in tensors.items()}, folder / "drawn.safetensors")
    lines = ",\n".join(json.dumps(r, ensure_ascii=False) for r in listed)
    (folder / "cases.json").write_text(f"[\n{lines}\n]\n")
