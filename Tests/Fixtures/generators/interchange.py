"""Files that the Interchange tests read, written by the libraries that own the formats."""

import json
import random
import struct

import torch
from PIL import Image, PngImagePlugin
from safetensors.torch import save_file
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

DTYPES = {
    "BOOL": torch.bool, "U8": torch.uint8, "I8": torch.int8, "I16": torch.int16,
    "U16": torch.uint16, "F16": torch.float16, "BF16": torch.bfloat16, "I32": torch.int32,
    "U32": torch.uint32, "F32": torch.float32, "F64": torch.float64, "I64": torch.int64,
    "U64": torch.uint64, "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
}


def raw(tensor):
    return bytes(tensor.contiguous().reshape(-1).view(torch.uint8).tolist()) if tensor.numel() else b""


def tensor(dtype, shape, source):
    if dtype == torch.bool:
        return torch.tensor([source.randrange(2) for _ in range(6)]).bool().reshape(shape)
    size = torch.empty(0, dtype=dtype).element_size()
    data = bytearray(source.randrange(256) for _ in range(6 * size))
    return torch.frombuffer(data, dtype=dtype).reshape(shape).clone()


def safetensors(folder):
    source = random.Random(1)
    tensors = {f"values.{name}": tensor(t, (2, 3), source) for name, t in DTYPES.items()}
    tensors["scalar"] = torch.tensor(0.5)
    tensors["empty"] = torch.zeros(0, 4)
    tensors["이름 \"quoted\" \\ 🐈\n"] = torch.arange(4, dtype=torch.float32)
    save_file(tensors, folder / "all_types.safetensors", metadata={"note": "한국어 \u0001 \"x\" 🎨"})
    names = {v: k for k, v in DTYPES.items()}
    expected = {
        k: {"dtype": names[t.dtype], "shape": list(t.shape), "hex": raw(t).hex()}
        for k, t in tensors.items()
    }
    (folder / "all_types.json").write_text(json.dumps(expected, indent=1))

    shards = {
        "model-00001-of-00002.safetensors": {"a.weight": torch.arange(6.0).reshape(2, 3)},
        "model-00002-of-00002.safetensors": {
            "b.weight": torch.arange(4, dtype=torch.int64), "c.bias": torch.full((1,), 2.5)},
    }
    for file, content in shards.items():
        save_file(content, folder / file, metadata={"format": "pt"})
    index = {
        "metadata": {"total_size": 60},
        "weight_map": {name: file for file, content in shards.items() for name in content},
    }
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))


def numbers(folder):
    """Doubles as text and as bits: a reader must be exact, a writer must read back."""
    source = random.Random(2)
    values = [0.1, 1 / 3, 1e-5, 2e-4, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
              123456789012345680.0, 1e21, 1e22, 1e23, -0.5, 100.0]
    values += [struct.unpack("<d", struct.pack("<Q", (source.getrandbits(64) & ~(0x7FF << 52)) | source.randrange(1, 2047) << 52))[0]
               for _ in range(200)]
    bits = [f"{struct.unpack('<Q', struct.pack('<d', v))[0]:016x}" for v in values]
    (folder / "doubles.json").write_text(json.dumps({"values": values, "bits": bits}))


def events(folder):
    """Messages of TensorBoard's own protobuf classes, framed by its own record writer."""
    path = folder / "events.out.tfevents.fixture"
    with open(path, "wb") as file:
        writer = RecordWriter(file)

        def add(**fields):
            writer.write(event_pb2.Event(wall_time=1700000000.25, **fields).SerializeToString())

        def summary(tag, **value):
            return summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, **value)])

        add(file_version="brain.Event:2")
        add(step=0, summary=summary("loss/train", simple_value=0.0))
        add(step=300, summary=summary("손실", simple_value=-1.5))
        add(step=7, summary=summary("samples", image=summary_pb2.Summary.Image(
            height=2, width=3, colorspace=3, encoded_image_string=b"not really a png")))
        add(step=9, summary=summary("weights", histo=summary_pb2.HistogramProto(
            min=-1, max=3, num=5, sum=4, sum_squares=20, bucket_limit=[1, 3], bucket=[3, 2])))
        writer.close()


def png(folder):
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a red circle\nSteps: 20, café")
    info.add_itxt("prompt", "빨간 고양이 🐈", lang="ko", tkey="프롬프트")
    info.add_itxt("packed", "compressed", zip=True)
    info.add_text("old packed", "compressed", zip=True)
    Image.new("RGB", (3, 2), (200, 10, 10)).save(folder / "text.png", pnginfo=info)


def generate(folder):
    safetensors(folder)
    numbers(folder)
    events(folder)
    png(folder)
