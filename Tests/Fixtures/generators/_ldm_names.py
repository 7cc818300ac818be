"""The keys that the original release of Stable Diffusion gives weights, from diffusers' keys: the
inverse of diffusers' converter, written from the published layout and checked by that converter."""

resnet = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "norm2": "out_layers.0",
    "conv2": "out_layers.3", "time_emb_proj": "emb_layers.1", "conv_shortcut": "skip_connection"}
outer = {
    "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
    "class_embedding.linear_1": "label_emb.0.0", "class_embedding.linear_2": "label_emb.0.2",
    "class_embedding": "label_emb"}


def unet(config, key):
    """The name of a weight of `UNet2DConditionModel` within an LDM U-Net."""
    path = key.split(".")
    layer = ".".join(path[:-1])
    if layer in outer:
        return f"{outer[layer]}.{path[-1]}"
    way, rest = path[0], path[1:]
    if way == "mid_block":
        kind, place, tail = rest[0], int(rest[1]), rest[2:]
        number = f"middle_block.{1 if kind == 'attentions' else 2 * place}"
        return ".".join([number] + (within(tail) if kind == "resnets" else tail))
    level, kind, place, tail = int(rest[0]), rest[1], int(rest[2]), rest[3:]
    layers = config["layers_per_block"] + 1
    if way == "down_blocks":
        number = f"input_blocks.{1 + level * layers + (layers - 1 if kind == 'downsamplers' else place)}"
        if kind == "downsamplers":
            return ".".join([number, "0", "op", tail[-1]])
    else:
        number = f"output_blocks.{level * layers + (layers - 1 if kind == 'upsamplers' else place)}"
        if kind == "upsamplers":
            after = 2 if "CrossAttn" in config["up_block_types"][level] else 1
            return ".".join([number, str(after), "conv", tail[-1]])
    return ".".join([number, "0"] + within(tail) if kind == "resnets" else [number, "1"] + tail)


def within(tail):
    return [resnet[tail[0]]] + tail[1:]


def autoencoder(config, key):
    """The name of a weight of `AutoencoderKL` within an LDM autoencoder, and whether it is a 1×1
    convolution there."""
    path = key.split(".")
    if path[0] in ("quant_conv", "post_quant_conv"):
        return key, False
    side, rest = path[0], path[1:]
    levels = len(config["block_out_channels"])
    if rest[0] == "conv_norm_out":
        return f"{side}.norm_out.{rest[1]}", False
    if rest[0] == "mid_block":
        kind, place, tail = rest[1], int(rest[2]), rest[3:]
        if kind == "resnets":
            return ".".join([side, "mid", f"block_{place + 1}"] + shortcut(tail)), False
        names = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out": "proj_out"}
        is_conv = tail[0] != "group_norm" and tail[-1] == "weight"
        return ".".join([side, "mid", "attn_1", names[tail[0]], tail[-1]]), is_conv
    if rest[0] not in ("down_blocks", "up_blocks"):
        return key, False
    level, kind, place, tail = int(rest[1]), rest[2], rest[3], rest[4:]
    way = "down" if rest[0] == "down_blocks" else "up"
    number = level if way == "down" else levels - 1 - level
    if kind == "resnets":
        return ".".join([side, way, str(number), "block", place] + shortcut(tail)), False
    return ".".join([side, way, str(number), f"{way}sample", "conv", tail[-1]]), False


def shortcut(tail):
    return ["nin_shortcut" if tail[0] == "conv_shortcut" else tail[0]] + tail[1:]


def open_clip(state):
    """The tensors of a `CLIPTextModel…` (keys with `text_model.`) under the names of OpenCLIP, and
    for each name the keys that it holds."""
    import torch
    tensors, sources = {}, {}

    def put(name, tensor, *keys):
        tensors[name], sources[name] = tensor.contiguous(), keys

    names = {
        "layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
        "self_attn.out_proj": "attn.out_proj"}
    outer = {
        "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
        "text_model.embeddings.position_embedding.weight": "positional_embedding",
        "text_model.final_layer_norm.weight": "ln_final.weight",
        "text_model.final_layer_norm.bias": "ln_final.bias"}
    for key, tensor in state.items():
        if key in outer:
            put(outer[key], tensor, key)
        elif key == "text_projection.weight":
            put("text_projection", tensor.T, key)
        else:
            _, _, _, place, *path = key.split(".")
            layer, kind = ".".join(path[:-1]), path[-1]
            block = f"transformer.resblocks.{place}"
            if layer in names:
                put(f"{block}.{names[layer]}.{kind}", tensor, key)
            elif layer == "self_attn.q_proj":
                keys = [key.replace("q_proj", f"{p}_proj") for p in "qkv"]
                put(f"{block}.attn.in_proj_{kind}", torch.cat([state[k] for k in keys]), *keys)
    return tensors, sources
