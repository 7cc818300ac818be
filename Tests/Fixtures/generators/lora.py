"""LoRA files under every family of key names on the networks of group `single_file`, what diffusers and
peft make of them, and ten training steps."""

import json

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import CLIPTokenizer

import transformers.integrations.peft as integration

from . import _ldm_names
from ._autoencoder_training import batches, pictures, rate
from ._networks import drawn, save
from .latent_diffusion_training import captions
from .single_file import conditions, parts, renamed

# transformers asks for a newer peft than diffusers; the layers of both are the same.
integration.check_peft_version = lambda **_: None

rank = 2
attention = [
    "down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q",
    "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k",
    "mid_block.attentions.0.transformer_blocks.0.attn2.to_v",
    "up_blocks.1.attentions.2.transformer_blocks.0.attn1.to_out.0",
    "up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_q"]
others = [
    "down_blocks.1.attentions.1.proj_in", "down_blocks.1.attentions.0.transformer_blocks.0.ff.net.0.proj",
    "up_blocks.1.attentions.1.transformer_blocks.0.ff.net.2", "down_blocks.0.resnets.1.conv1",
    "up_blocks.0.resnets.0.conv_shortcut", "mid_block.resnets.1.conv2",
    "down_blocks.1.resnets.0.time_emb_proj", "down_blocks.0.downsamplers.0.conv",
    "up_blocks.0.upsamplers.0.conv", "time_embedding.linear_1", "conv_in", "conv_out"]
texts = [
    "text_model.encoder.layers.0.self_attn.q_proj", "text_model.encoder.layers.1.self_attn.out_proj",
    "text_model.encoder.layers.1.mlp.fc1"]


def pipeline(name):
    networks, scheduler = parts(name)
    for place, part in enumerate(sorted(networks)):
        drawn(networks[part], 30 + place, renamed)
    tokenizer = CLIPTokenizer({"<|startoftext|>": 0, "<|endoftext|>": 1}, [], model_max_length=77)
    if name == "xl":
        return StableDiffusionXLPipeline(
            **networks, scheduler=scheduler, tokenizer=tokenizer, tokenizer_2=tokenizer)
    return StableDiffusionPipeline(
        **networks, scheduler=scheduler, tokenizer=tokenizer, safety_checker=None,
        feature_extractor=None, requires_safety_checker=False)


def factors(network, layers, random, r=rank):
    """A and B for layers, of the size of their weights."""
    state = {renamed(key): tensor for key, tensor in network.state_dict().items()}
    for layer in layers:
        shape = state[f"{layer}.weight"].shape
        down = torch.randn(r, *shape[1:], generator=random) / shape[1:].numel() ** 0.5
        up = torch.randn(shape[0], r, *[1] * (len(shape) - 2), generator=random)
        yield layer, down, up


def by_names(networks, random, name, common=None):
    """A file whose keys `name(part, layer)` gives, of both factors and of α.

    Attentions and text encoders have `common` α of their network, the most frequent one: diffusers 0.42 takes that one
    for them whatever their own are ("alpha_pattern keys did not match … and were ignored")."""
    tensors = {}
    for part, network, layers in networks:
        for place, (layer, down, up) in enumerate(factors(network, layers, random)):
            key_down, key_up, key_alpha = name(part, layer)
            tensors |= {key_down: down, key_up: up}
            if key_alpha:
                is_projection = ".attn" in layer or part != "unet"
                tensors[key_alpha] = torch.tensor(common[part] if is_projection else 1.0 + place % 3)
    return tensors


def kohya(part, layer, release=False):
    prefix = {"unet": "lora_unet_", "text_encoder": "lora_te1_" if release else "lora_te_",
              "text_encoder_2": "lora_te2_"}[part]
    if release and part == "unet":
        layer = _ldm_names.unet(release, f"{layer}.weight").removesuffix(".weight")
    base = prefix + layer.replace(".", "_")
    return f"{base}.lora_down.weight", f"{base}.lora_up.weight", f"{base}.alpha"


def old(part, layer):
    """diffusers before peft."""
    if part == "unet":
        base = layer.removesuffix(".0").replace("attn1.", "attn1.processor.").replace(
            "attn2.", "attn2.processor.")
        return f"unet.{base}_lora.down.weight", f"unet.{base}_lora.up.weight", None
    base = f"{part}.{layer}.lora_linear_layer"
    return f"{base}.down.weight", f"{base}.up.weight", None


def results(pipe, given):
    added = {"text_embeds": given["pooled"], "time_ids": given["sizes"]} if "pooled" in given else None
    with torch.no_grad():
        out = {"unet": pipe.unet(given["x"], torch.tensor(500), given["prompt"],
                                 added_cond_kwargs=added).sample,
               "text_encoder": pipe.text_encoder(given["ids"]).last_hidden_state}
        if "pooled" in given:
            out["text_encoder_2"] = pipe.text_encoder_2(given["ids"]).text_embeds
    return out


def metadata(network):
    """The adapter's configuration as diffusers' scripts save it, sets in a fixed order."""
    values = network.peft_config["default"].to_dict()
    return {k: sorted(v) if isinstance(v, set) else v for k, v in values.items()}


def files(folder, random):
    """The files by name, each with the pipeline that it is for."""
    sd1, xl = pipeline("sd1"), pipeline("xl")
    one = [("unet", sd1.unet, attention + others), ("text_encoder", sd1.text_encoder, texts)]
    made = {"kohya": ("sd1", by_names(
        one, random, kohya, dict(unet=1.0, text_encoder=1.0)))}
    made["old"] = ("sd1", by_names(
        [("unet", sd1.unet, attention), ("text_encoder", sd1.text_encoder, texts)], random, old))
    levels = [layer for layer in attention if not layer.startswith("down_blocks.0")]
    levels += [layer for layer in others if "add_emb" not in layer] + ["add_embedding.linear_2"]
    encoders = [(part, getattr(xl, part), texts) for part in ("text_encoder", "text_encoder_2")]
    made["release"] = ("xl", by_names(
        [("unet", xl.unet, levels)] + encoders, random,
        lambda part, layer: kohya(part, layer, xl.unet.config),
        dict(unet=2.0, text_encoder=1.0, text_encoder_2=1.0)))
    for name, (_, tensors) in made.items():
        save_file(tensors, folder / f"{name}.safetensors")

    # What diffusers itself writes, with α in the file's header.
    config = dict(r=3, lora_alpha=5, init_lora_weights=False)
    torch.manual_seed(81)
    sd1.unet.add_adapter(LoraConfig(target_modules=attention + others[:4], **config))
    strip = [layer.removeprefix("text_model.") for layer in texts]
    sd1.text_encoder.add_adapter(LoraConfig(target_modules=strip, **config))
    StableDiffusionPipeline.save_lora_weights(
        folder, convert_state_dict_to_diffusers(get_peft_model_state_dict(sd1.unet)),
        convert_state_dict_to_diffusers(get_peft_model_state_dict(sd1.text_encoder)),
        weight_name="peft.safetensors", unet_lora_adapter_metadata=metadata(sd1.unet),
        text_encoder_lora_adapter_metadata=metadata(sd1.text_encoder))
    return {name: kind for name, (kind, _) in made.items()} | {"peft": "sd1"}


def steps(folder):
    """Ten steps of AdamW on A and B of a U-Net's attention projections, as peft computes them."""
    torch.manual_seed(7)
    model = UNet2DConditionModel.from_pretrained(folder.parent / "unet_condition/sd1").eval()
    model.requires_grad_(False)
    model.add_adapter(LoraConfig(
        r=3, lora_alpha=6, init_lora_weights="gaussian",
        target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
    trained = {k: p for k, p in model.named_parameters() if p.requires_grad}
    name = lambda key: "unet." + key.replace(".default.", ".")
    result = {f"start/{name(k)}": p.detach().clone() for k, p in trained.items()}
    random = torch.Generator().manual_seed(83)
    latents = torch.randn(4, 4, 8, 8, generator=random)
    prompt = torch.randn(4, 5, 6, generator=random)
    result |= {"latents": latents, "prompt": prompt}
    process = DDPMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
    rule = torch.optim.AdamW(trained.values(), lr=1e-2, weight_decay=0.01, foreach=False)
    generator, losses = torch.Generator().manual_seed(84), []
    for _ in range(10):
        t = torch.randint(0, 1000, (4,), generator=generator)
        noise = torch.randn(latents.shape, generator=generator)
        rule.zero_grad()
        output = model(process.add_noise(latents, noise, t), t, prompt).sample
        loss = F.mse_loss(output, noise)
        loss.backward()
        rule.step()
        losses.append(loss.item())
    result["losses"] = torch.tensor(losses, dtype=torch.float64)
    result |= {f"final/{name(k)}": p for k, p in trained.items()}
    save(folder / "ten_steps.safetensors", result)


# The keys of LoRARecipe.
recipe = {
    "rank": 3, "alpha": 6.0, "loss": "mse", "min_snr_gamma": 0.0, "offset_noise": 0.0,
    "caption_dropout": 0.3, "optimizer": "adamw", "learning_rate": 1e-2, "weight_decay": 0.01,
    "lr_schedule": "cosine", "lr_warmup_steps": 0, "gradient_clip": 1.0, "ema_decay": 0.0,
    "batch_size": 4}
runs = {
    "sd1": {"size": 32, "channels": 3, "count": 10, "seed": 5, "recipe": recipe},
    "xl": {"size": 32, "channels": 3, "count": 10, "seed": 6, "recipe": recipe | {
        "caption_dropout": 0.0, "offset_noise": 0.1}}}


def train(model, r):
    """Ten steps of a whole training on a folder of group `text_to_image`."""
    p = r["recipe"]
    is_xl = hasattr(model, "text_encoder_2")
    unet = model.unet.eval().requires_grad_(False)
    unet.add_adapter(LoraConfig(
        r=p["rank"], lora_alpha=p["alpha"], target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
    start = torch.Generator().manual_seed(r["seed"])
    trained = {k: v for k, v in unet.named_parameters() if v.requires_grad}
    for key, factor in trained.items():
        if "lora_A" in key:
            torch.nn.init.kaiming_uniform_(factor, a=5 ** 0.5, generator=start)
        else:
            torch.nn.init.zeros_(factor)
    generator = torch.Generator().manual_seed(r["seed"] + 1)
    data_batches = batches(pictures(r["count"], r["channels"], r["size"]), r["seed"], p["batch_size"], False)
    numbers = torch.arange(r["count"]).reshape(-1, 1, 1, 1) * 255
    number_batches = batches(numbers, r["seed"], p["batch_size"], False)
    rule = torch.optim.AdamW(trained.values(), weight_decay=p["weight_decay"], foreach=False)
    process = DDPMScheduler.from_config(model.scheduler.config)
    losses = []
    for step in range(10):
        rule.param_groups[0]["lr"] = rate(p, step)
        rule.zero_grad()
        x = 2 * next(data_batches) - 1
        chosen = next(number_batches).flatten().long().tolist()
        choice, hiding = torch.rand(2, len(chosen), generator=generator)
        texts = []
        for place, i in enumerate(chosen):
            own = [captions(i)[0]] + captions(i)
            text = own[min(int(choice[place].item() * len(own)), len(own) - 1)]
            texts.append("" if hiding[place].item() < p["caption_dropout"] else text)
        with torch.no_grad():
            posterior = model.vae.encode(x).latent_dist
            spread = torch.randn(posterior.mean.shape, generator=generator)
            z = (posterior.mean + posterior.std * spread) * model.vae.config.scaling_factor
            encoders = [(model.tokenizer, model.text_encoder)]
            if is_xl:
                encoders.append((model.tokenizer_2, model.text_encoder_2))
            states, added = [], None
            for tokenizer, encoder in encoders:
                ids = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids
                out = encoder(ids, output_hidden_states=True)
                states.append(out.hidden_states[-2] if is_xl else out.last_hidden_state)
            if is_xl:
                sizes = torch.tensor([[r["size"], r["size"], 0, 0, r["size"], r["size"]]] * len(texts))
                added = {"text_embeds": out.text_embeds, "time_ids": sizes}
        t = torch.randint(0, process.config.num_train_timesteps, (len(texts),), generator=generator)
        noise = torch.randn(z.shape, generator=generator)
        if p["offset_noise"]:
            noise = noise + p["offset_noise"] * torch.randn(len(texts), 4, 1, 1, generator=generator)
        output = unet(process.add_noise(z, noise, t), t, torch.cat(states, -1), added_cond_kwargs=added).sample
        loss = F.mse_loss(output, noise)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained.values(), p["gradient_clip"])
        rule.step()
        losses.append(loss.item())
    result = {"losses": torch.tensor(losses, dtype=torch.float64)}
    return result | {"final/unet." + k.replace(".default.", "."): v for k, v in trained.items()}


def generate(folder):
    random = torch.Generator().manual_seed(810)
    made = files(folder, random)
    given = {name: conditions(name, random) for name in ("sd1", "xl")}
    tensors = {f"{kind}.{k}": t for kind, g in given.items() for k, t in g.items() if k != "z"}
    for name, kind in made.items():
        pipe = pipeline(kind)
        plain = results(pipe, given[kind])
        pipe.load_lora_weights(folder, weight_name=f"{name}.safetensors", adapter_name=name)
        pipe.set_adapters(name, 0.7)
        beside = results(pipe, given[kind])
        for part, out in beside.items():
            assert (out - plain[part]).abs().max() > 0.05 * plain[part].abs().max(), (name, part)
            tensors[f"{name}.{part}"] = out
        pipe.fuse_lora(adapter_names=[name], lora_scale=1.0)
        pipe.unload_lora_weights()
        for part, out in results(pipe, given[kind]).items():
            tensors[f"{name}.merged.{part}"] = out
    pipe = pipeline("sd1")
    for name in ("peft", "kohya"):
        pipe.load_lora_weights(folder, weight_name=f"{name}.safetensors", adapter_name=name)
    pipe.set_adapters(["peft", "kohya"], [0.7, -0.5])
    for part, out in results(pipe, given["sd1"]).items():
        tensors[f"both.{part}"] = out
    save(folder / "results.safetensors", tensors)
    steps(folder)
    (folder / "runs.json").write_text(json.dumps(runs, indent=1) + "\n")
    for name, kind in (("sd1", StableDiffusionPipeline), ("xl", StableDiffusionXLPipeline)):
        model = kind.from_pretrained(folder.parent / "text_to_image" / name)
        save(folder / f"run_{name}.safetensors", train(model, runs[name]))
