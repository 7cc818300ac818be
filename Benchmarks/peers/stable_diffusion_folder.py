"""A folder of Stable Diffusion 1.5's shape with random weights in half precision, as diffusers lays it out: 2.1 GB.
For the time to open it and the memory of a picture; what it draws is noise.
usage: python stable_diffusion_folder.py FOLDER [float16|bfloat16|float32]   (needs torch, diffusers, transformers)"""
import json, math, pathlib, random, sys, torch
from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

folder, dtype = pathlib.Path(sys.argv[1]), getattr(torch, sys.argv[2] if len(sys.argv) > 2 else "float16")
draws = torch.Generator().manual_seed(0)

def weights(module):
    """Normal, and small enough that activations stay finite; norms as they begin."""
    for key, value in module.state_dict().items():
        if not value.is_floating_point():
            continue
        if value.ndim > 1:
            deviation = 1 / math.sqrt(math.prod(value.shape[1:]))
            yield key, (torch.randn(value.shape, generator=draws) * deviation).to(dtype)
        else:
            yield key, torch.full(value.shape, float(key.endswith("weight"))).to(dtype)

def write(name, module, file):
    (folder / name).mkdir(parents=True, exist_ok=True)
    if name == "text_encoder":
        module.config.save_pretrained(folder / name)
    else:
        module.save_config(folder / name)
    save_file(dict(weights(module)), folder / name / file, metadata={"format": "pt"})
    print(name, sum(v.numel() for v in module.parameters()), "weights", flush=True)

with torch.device("meta"):
    unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768)
    vae = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512), down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4, layers_per_block=2, latent_channels=4, sample_size=512)
    text = CLIPTextModel(CLIPTextConfig(
        vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
        bos_token_id=49406, eos_token_id=49407, pad_token_id=1))
write("unet", unet, "diffusion_pytorch_model.safetensors")
write("vae", vae, "diffusion_pytorch_model.safetensors")
write("text_encoder", text, "model.safetensors")
PNDMScheduler(
    beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1,
    set_alpha_to_one=False).save_pretrained(folder / "scheduler")

# A vocabulary of CLIP's size over bytes as visible characters, with merges that were drawn.
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
letters = [chr(b) for b in printable] + [chr(256 + n) for n in range(256 - len(printable))]
tokens, merges, dice = letters + [c + "</w>" for c in letters], [], random.Random(0)
known = set(tokens)
while len(tokens) < 49406:
    left, right = dice.choice(tokens), dice.choice(tokens)
    if not left.endswith("</w>") and len(left + right) < 24 and left + right not in known:
        known.add(left + right)
        tokens.append(left + right)
        merges.append(f"{left} {right}")
(folder / "tokenizer").mkdir(exist_ok=True)
ids = {t: i for i, t in enumerate(tokens + ["<|startoftext|>", "<|endoftext|>"])}
(folder / "tokenizer/vocab.json").write_text(json.dumps(ids, ensure_ascii=False))
(folder / "tokenizer/merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
(folder / "tokenizer/tokenizer_config.json").write_text(json.dumps({
    "tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "bos_token": "<|startoftext|>",
    "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}))
(folder / "model_index.json").write_text(json.dumps({
    "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.42.1",
    "feature_extractor": [None, None], "requires_safety_checker": False, "safety_checker": [None, None],
    "scheduler": ["diffusers", "PNDMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"]}, indent=2))
