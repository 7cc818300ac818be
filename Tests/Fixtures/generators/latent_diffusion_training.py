"""Ten training steps of a latent diffusion model in PyTorch, with the networks of diffusers and
transformers: first weights, batches, captions, posteriors, levels, noise, rates."""

import json

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from diffusers.training_utils import compute_snr
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

from ._autoencoder_training import batches, pictures, rate, some

steps = 10

# The keys of LatentDiffusionRecipe; what a run does not name stays at the recipe's own default.
recipe = {
    "block_out_channels": [8, 16], "layers_per_block": 1, "attention_levels": [1],
    "attention_head_dim": 8, "norm_num_groups": 4, "vocabulary_size": 514, "window_length": 16,
    "text_width": 16, "text_layers": 2, "text_heads": 2, "num_train_timesteps": 1000,
    "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
    "rescale_betas_zero_snr": True, "prediction_type": "v_prediction", "loss": "mse",
    "min_snr_gamma": 5.0, "offset_noise": 0.0, "caption_dropout": 0.3, "optimizer": "adamw",
    "learning_rate": 1e-3, "weight_decay": 0.01, "lr_schedule": "cosine", "lr_warmup_steps": 2,
    "gradient_clip": 1.0, "ema_decay": 0.999, "batch_size": 16,
}
run = {"size": 16, "channels": 3, "count": 40, "seed": 3}
runs = {
    "velocity": run | {"recipe": recipe},
    "epsilon": run | {"recipe": recipe | {
        "prediction_type": "epsilon", "rescale_betas_zero_snr": False, "min_snr_gamma": 0.0,
        "loss": "l1", "offset_noise": 0.1, "caption_dropout": 0.0}},
}
begin, end = 512, 513


def captions(i):
    """Every caption of picture i: `captions(of:)` in LatentDiffusionTenStepTests."""
    return [f"disc {i}", f"a disc, number {i % 7}", "원판", f"{'bright ' * (i % 4)}spot"]


def window(text, length):
    """The ids of a tokenizer without merges: bytes, in the order of CLIP's alphabet."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    order = shown + [byte for byte in range(256) if byte not in shown]
    place = {byte: index for index, byte in enumerate(order)}
    ids = []
    for word in text.replace(",", " , ").split():
        # A word is letters, or one digit.
        for part in list(word) if word.isdigit() else [word]:
            data = part.encode()
            ids += [place[b] for b in data[:-1]] + [place[data[-1]] + 256]
    ids = [begin] + ids[:length - 2] + [end]
    return ids + [end] * (length - len(ids))


def text_encoder(p):
    """A text encoder with first weights in the order in which CLIPTextModel of Models draws them."""
    model = CLIPTextModel(CLIPTextConfig(
        vocab_size=514, hidden_size=p["text_width"], intermediate_size=4 * p["text_width"],
        num_hidden_layers=p["text_layers"], num_attention_heads=p["text_heads"],
        max_position_embeddings=p["window_length"], hidden_act="gelu", bos_token_id=begin,
        eos_token_id=end, pad_token_id=end))
    return model


def draw(model, p):
    text = getattr(model, "text_model", model)
    width, layers = p["text_width"], p["text_layers"]
    outer = width ** -0.5
    inner = outer / (2 * layers) ** 0.5
    with torch.no_grad():
        text.embeddings.token_embedding.weight.normal_(0, 0.02)
        text.embeddings.position_embedding.weight.normal_(0, 0.02)
        for layer in text.encoder.layers:
            a, m = layer.self_attn, layer.mlp
            for linear, deviation in (
                (a.q_proj, inner), (a.k_proj, inner), (a.v_proj, inner), (a.out_proj, outer),
                (m.fc1, outer / 2 ** 0.5), (m.fc2, inner),
            ):
                linear.weight.normal_(0, deviation)
                linear.bias.zero_()
        for name, parameter in text.named_parameters():
            if "norm" in name:
                parameter.fill_(1 if name.endswith("weight") else 0)


def unet(p, latents):
    levels = range(len(p["block_out_channels"]))
    cross = [i in p["attention_levels"] for i in levels]
    return UNet2DConditionModel(
        sample_size=latents, in_channels=4, out_channels=4,
        down_block_types=["CrossAttnDownBlock2D" if c else "DownBlock2D" for c in cross],
        up_block_types=["CrossAttnUpBlock2D" if c else "UpBlock2D" for c in reversed(cross)],
        block_out_channels=p["block_out_channels"], layers_per_block=p["layers_per_block"],
        cross_attention_dim=p["text_width"], use_linear_projection=True,
        attention_head_dim=[max(w // p["attention_head_dim"], 1) for w in p["block_out_channels"]],
        norm_num_groups=p["norm_num_groups"])


def autoencoder():
    torch.manual_seed(0)
    return AutoencoderKL(
        block_out_channels=[4, 8], down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2, norm_num_groups=2, sample_size=16,
        scaling_factor=0.7).eval()


def train(r, vae):
    p = r["recipe"]
    text = text_encoder(p)
    torch.manual_seed(r["seed"])
    model = unet(p, r["size"] // 2)
    draw(text, p)
    generator = torch.Generator().manual_seed(r["seed"] + 1)
    data = pictures(r["count"], r["channels"], r["size"])
    data_batches = batches(data, r["seed"], p["batch_size"], False)
    numbers = torch.arange(r["count"]).reshape(-1, 1, 1, 1) * 255
    number_batches = batches(numbers, r["seed"], p["batch_size"], False)
    names = [("unet." + k, v) for k, v in model.named_parameters()]
    for k, v in text.named_parameters():
        names.append(("text_encoder." + (k if k.startswith("text_model.") else f"text_model.{k}"), v))
    parameters = dict(names)
    rule = torch.optim.AdamW(
        parameters.values(), weight_decay=p["weight_decay"], foreach=False)
    averages = {k: v.detach().clone() for k, v in parameters.items()}
    process = DDPMScheduler(**{k: p[k] for k in (
        "num_train_timesteps", "beta_schedule", "beta_start", "beta_end",
        "rescale_betas_zero_snr", "prediction_type")})
    losses = []
    for step in range(steps):
        rule.param_groups[0]["lr"] = rate(p, step)
        rule.zero_grad()
        x = 2 * next(data_batches) - 1
        chosen = next(number_batches).flatten().long().tolist()
        n = len(chosen)
        choice, hiding = torch.rand(2, n, generator=generator)
        ids = []
        for place, i in enumerate(chosen):
            own = captions(i)
            # The first caption stands for all and is listed once more.
            own = [own[0]] + own
            caption = own[min(int(choice[place].item() * len(own)), len(own) - 1)]
            hidden = hiding[place].item() < p["caption_dropout"]
            ids.append(window("" if hidden else caption, p["window_length"]))
        spread = torch.randn(n, 4, r["size"] // 2, r["size"] // 2, generator=generator)
        with torch.no_grad():
            posterior = vae.encode(x).latent_dist
            z = (posterior.mean + posterior.std * spread) * vae.config.scaling_factor
        t = torch.randint(0, p["num_train_timesteps"], (n,), generator=generator)
        noise = torch.randn(z.shape, generator=generator)
        if p["offset_noise"]:
            noise = noise + p["offset_noise"] * torch.randn(n, 4, 1, 1, generator=generator)
        noisy = process.add_noise(z, noise, t)
        weights = torch.ones(n)
        target = noise
        if p["prediction_type"] == "v_prediction":
            target = process.get_velocity(z, noise, t)
            snr = compute_snr(process, t)
            weights = torch.minimum(snr, torch.full_like(snr, p["min_snr_gamma"])) / (snr + 1)
        states = text(torch.tensor(ids)).last_hidden_state
        output = model(noisy, t, states).sample
        measure = {"mse": F.mse_loss, "l1": F.l1_loss}[p["loss"]]
        loss = (measure(output, target, reduction="none").mean((1, 2, 3)) * weights).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters.values(), p["gradient_clip"])
        rule.step()
        decay = 0 if step == 0 else min(p["ema_decay"], 1 - (1 + step) ** (-2 / 3))
        for k, average in averages.items():
            average.lerp_(parameters[k].detach(), 1 - decay)
        losses.append(loss.item())
    result = {"losses": torch.tensor(losses, dtype=torch.float64)}
    for k, v in parameters.items():
        result |= {f"final/{k}": some(v)[:64], f"average/{k}": some(averages[k])[:16]}
    return {k: v.clone().contiguous() for k, v in result.items()}


def generate(folder):
    (folder / "cases.json").write_text(json.dumps(runs, indent=1) + "\n")
    vae = autoencoder()
    vae.save_pretrained(folder / "vae")
    for name, r in runs.items():
        save_file(train(r, vae), folder / f"ten_steps_{name}.safetensors")
