"""Golden files of CLIP's text encoders: transformers folders at tiny size, every output, gradients."""

import json

import torch
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from ._golden import weights

small = dict(
    vocab_size=50, hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2,
    max_position_embeddings=11, projection_dim=12, bos_token_id=48, eos_token_id=40)

# The encoders of Stable Diffusion 1, 2 and XL. In those of 1 and XL's first the old end token 2 means
# the largest id, 49; that of the others is 40, which larger ids come before and after.
encoders = {
    "sd1": (CLIPTextModel, dict(eos_token_id=2, bos_token_id=0)),
    "sd2": (CLIPTextModel, dict(
        hidden_act="gelu", hidden_size=24, num_attention_heads=3, num_hidden_layers=2)),
    "xl1": (CLIPTextModel, dict(eos_token_id=2, bos_token_id=0, num_hidden_layers=4)),
    "xl2": (CLIPTextModelWithProjection, dict(
        hidden_act="gelu", hidden_size=20, num_attention_heads=5, layer_norm_eps=1e-4)),
}


def windows(end, pad):
    """A long text, a short one, an empty one, one with an end inside and one without, eleven ids each."""
    texts = [[3, 7, 1, 30, 41, 22, 9, 9, 17], [5, 47], [], [8, end, 12, 46], [4, 45, 6, 1, 2, 3, 33, 44, 9, 8]]
    return torch.tensor([([48] + t + [end] + [pad] * 9)[:11] for t in texts])


def save(path, tensors):
    save_file({k: t.detach().clone().contiguous() for k, t in tensors.items()}, path)


def generate(folder):
    random = torch.Generator().manual_seed(900)
    for name, (kind, settings) in encoders.items():
        torch.manual_seed(9)
        model = kind(CLIPTextConfig(**(small | settings))).eval()
        with torch.no_grad():  # first weights are so small that attention would be even
            for p in model.parameters():
                p.add_(torch.randn(p.shape, generator=random) * 0.2)
        sharded = dict(max_shard_size="8KB") if name == "sd2" else {}
        model.save_pretrained(folder / name, **sharded)
        norm = getattr(model, "text_model", model).final_layer_norm
        tensors = {"ids": windows(49, 49) if settings.get("eos_token_id") == 2 else windows(40, 0)}
        tensors["mask"] = (torch.arange(11) < torch.tensor([[11], [4], [2], [6], [11]])).long()
        for case, mask in (("plain", None), ("masked", tensors["mask"])):
            out = model(tensors["ids"], attention_mask=mask, output_hidden_states=True)
            for i, state in enumerate(out.hidden_states):
                tensors[f"{case}.state{i}"] = state
            tensors[f"{case}.last"] = out.last_hidden_state
            if kind is CLIPTextModel:
                tensors[f"{case}.pooled"] = out.pooler_output
            else:
                tensors[f"{case}.projected"] = out.text_embeds
            if mask is None:  # as encode_prompt of diffusers takes them for clip_skip = 1
                tensors["normalized1"] = norm(out.hidden_states[-(1 + 1)])
                tensors["penultimate1"] = out.hidden_states[-(1 + 2)]
        if name == "xl2":
            out = model(tensors["ids"], output_hidden_states=True)
            outputs = (out.text_embeds, out.hidden_states[-2], out.last_hidden_state)
            loss = sum((o * weights(o)).sum() for o in outputs)
            found = torch.autograd.grad(loss, list(model.parameters()))
            for (key, _), gradient in zip(model.named_parameters(), found):
                tensors[f"gradients/{key}"] = gradient
        save(folder / f"{name}.safetensors", tensors)
    with torch.device("meta"):
        large = CLIPTextModel(CLIPTextConfig(
            hidden_size=768, intermediate_size=3072, num_attention_heads=12, projection_dim=768))
    shapes = {key: list(p.shape) for key, p in large.state_dict().items()}
    (folder / "vit_l_14.json").write_text(json.dumps(shapes, indent=0, sort_keys=True) + "\n")
