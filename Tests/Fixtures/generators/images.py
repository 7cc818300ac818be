"""Pictures in every kind that is read, with Pillow's pixels for them, and Pillow's resizes.

Files lie beside `expected.json`, whose entries name pieces of `expected.bin` (raw samples, rows
from top to bottom, interleaved). PNG kinds that Pillow does not write are written here.
"""

import io
import json
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

WIDTH, HEIGHT = 21, 13
SIGNATURE = b"\x89PNG\r\n\x1a\n"
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
FILTERS = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]


class Expected:
    def __init__(self):
        self.entries, self.bytes = [], bytearray()

    def add(self, name, picture, **more):
        array = np.asarray(picture, dtype=np.uint8)
        height, width = array.shape[:2]
        channels = 1 if array.ndim == 2 else array.shape[2]
        self.entries.append(
            dict(name=name, width=width, height=height, channels=channels, offset=len(self.bytes), **more)
        )
        self.bytes += array.tobytes()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(width, height, depth, colour, interlaced):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))


def rows(samples, depth):
    """PNG scanlines (filter 0) of [H, W, C] samples."""
    out = b""
    for row in samples:
        flat = row.reshape(-1)
        if depth == 16:
            out += b"\0" + flat.astype(">u2").tobytes()
        elif depth == 8:
            out += b"\0" + flat.astype(np.uint8).tobytes()
        else:
            bits = ((flat[:, None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8)
            out += b"\0" + np.packbits(bits.reshape(-1)).tobytes()
    return out


def png(samples, depth, colour, interlaced=False, before=b"", after=b""):
    height, width = samples.shape[:2]
    if interlaced:
        parts = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7]
        data = b"".join(rows(part, depth) for part in parts if part.size)
    else:
        data = rows(samples, depth)
    return (
        SIGNATURE + header(width, height, depth, colour, interlaced) + before
        + chunk(b"IDAT", zlib.compress(data, 9)) + after + chunk(b"IEND", b"")
    )


def pattern(width, height, channels):
    """Samples that the tests compute too."""
    i = np.arange(width * height * channels, dtype=np.int64)
    return ((i * i * 31 + i * 7 + (i >> 5)) & 255).astype(np.uint8).reshape(height, width, channels)


def photo(width, height):
    """A smooth picture with an edge, kind to lossy formats."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    red = 128 + 120 * np.sin(x / 6)
    green = 255 * y / height
    blue = np.where(x + y > width / 1.5, 220, 40)
    return Image.fromarray(np.stack([red, green, blue], -1).astype(np.uint8))


def exif(orientation, prefix=b""):
    return prefix + b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0) + b"\0\0\0\0"


def pngs(random):
    palette = random.integers(0, 256, 768, dtype=np.uint8).tobytes()
    alphas = bytes([0, 90, 255, 180])
    kinds = [(f"grey{d}", d, 0, 1, b"") for d in (1, 2, 4, 8, 16)]
    kinds += [(f"palette{d}", d, 3, 1, chunk(b"PLTE", palette[: 3 << d])) for d in (1, 2, 4, 8)]
    kinds += [
        ("palette2-trns", 2, 3, 1, chunk(b"PLTE", palette[:12]) + chunk(b"tRNS", alphas)),
        ("palette8-trns", 8, 3, 1, chunk(b"PLTE", palette) + chunk(b"tRNS", alphas)),
        ("grey8-trns", 8, 0, 1, chunk(b"tRNS", struct.pack(">H", 7))),
        ("rgb8-trns", 8, 2, 3, chunk(b"tRNS", struct.pack(">HHH", 7, 7, 7))),
        ("greyalpha8", 8, 4, 2, b""), ("greyalpha16", 16, 4, 2, b""),
        ("rgb8", 8, 2, 3, b""), ("rgb16", 16, 2, 3, b""),
        ("rgba8", 8, 6, 4, b""), ("rgba16", 16, 6, 4, b""),
        ("gamma", 8, 2, 3, chunk(b"gAMA", struct.pack(">I", 100000))),
    ]
    for name, depth, colour, channels, before in kinds:
        samples = random.integers(0, 1 << depth, (HEIGHT, WIDTH, channels))
        if "8-trns" in name:
            samples[::2, ::3] = 7
        for interlaced in (False, True):
            yield name + ("-interlaced" if interlaced else ""), png(samples, depth, colour, interlaced, before)


def opened(data, path):
    """Pillow's picture as grey, RGB or RGBA."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode == "I;16":
        return np.asarray(image) >> 8
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def jpeg(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **{"quality": 90, **options})
    return out.getvalue()


def webp(image, **options):
    out = io.BytesIO()
    image.save(out, "WEBP", **options)
    return out.getvalue()


def files(random):
    for name, data in pngs(random):
        yield f"{name}.png", data
    upright = np.asarray(photo(10, 6))
    yield "orientation6.png", png(upright, 8, 2, before=chunk(b"eXIf", exif(6)))
    yield "orientation3-late.png", png(upright, 8, 2, after=chunk(b"eXIf", exif(3)))

    picture = photo(37, 29)
    yield "grey.jpg", jpeg(picture.convert("L"))
    for name, sampling in (("444", 0), ("422", 1), ("420", 2)):
        yield f"{name}.jpg", jpeg(picture, subsampling=sampling)
    yield "progressive.jpg", jpeg(picture, progressive=True)
    yield "restarts.jpg", jpeg(picture, restart_marker_blocks=2)
    yield "cmyk.jpg", jpeg(picture.convert("CMYK"))
    yield "rgb.jpg", jpeg(picture, keep_rgb=True)
    for value in range(1, 9):
        yield f"orientation{value}.jpg", jpeg(photo(24, 16), exif=exif(value, b"Exif\0\0"))

    clear = picture.convert("RGBA")
    clear.putalpha(Image.fromarray(pattern(37, 29, 1)[:, :, 0]))
    yield "lossy.webp", webp(picture, quality=80)
    yield "lossless.webp", webp(picture, lossless=True)
    yield "lossy-alpha.webp", webp(clear, quality=80)
    yield "lossless-alpha.webp", webp(clear, lossless=True, exact=True)
    yield "orientation8.webp", webp(picture, lossless=True, exif=exif(8))


def refused():
    """Small files that promise far too much, and other things that are not still pictures."""
    tiny = chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    yield "huge.png", SIGNATURE + header(100_000, 100_000, 8, 2, 0) + tiny
    yield "claims.png", SIGNATURE + header(11_000, 11_000, 8, 6, 1) + tiny
    data = bytearray(jpeg(photo(16, 16)))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 65_500, 65_500)
    yield "huge.jpg", bytes(data)
    data = bytearray(webp(photo(16, 16), lossless=True))
    data[21:25] = struct.pack("<I", 0x3FFF | 0x3FFF << 14)
    yield "huge.webp", bytes(data)
    frames = [photo(16, 16), photo(16, 16).rotate(90)]
    yield "animated.webp", webp(frames[0], save_all=True, append_images=frames[1:])


def generate(folder):
    random = np.random.default_rng(5)
    expected = Expected()
    for name, data in files(random):
        (folder / name).write_bytes(data)
        expected.add(name, opened(data, name), kind="decode")
    (folder / "refused").mkdir(exist_ok=True)
    for name, data in refused():
        (folder / "refused" / name).write_bytes(data)

    def resize(width, height, channels, size, name):
        array = pattern(width, height, channels)
        image = Image.fromarray(array[:, :, 0] if channels == 1 else array)
        out = image.resize(size, Image.Resampling[name.upper()])
        expected.add(f"{width} {height} {channels}", out, kind="resize", filter=name)

    for channels in (1, 3, 4):
        for size in [(10, 7), (3, 5), (41, 27), (20, 5), (33, 14), (1, 1)]:
            for name in FILTERS:
                resize(20, 14, channels, size, name)
    for name in ("bilinear", "bicubic", "lanczos"):
        for channels in (1, 3):
            resize(500, 333, channels, (40, 47), name)

    for width, height, side in [(50, 31, 16), (31, 50, 16), (33, 33, 40), (47, 20, 15)]:
        image = Image.fromarray(pattern(width, height, 3))
        # torchvision's Resize(side) and CenterCrop(side)
        long = int(side * max(width, height) / min(width, height))
        image = image.resize((side, long) if width <= height else (long, side), Image.Resampling.BICUBIC)
        left, top = int(round((image.width - side) / 2.0)), int(round((image.height - side) / 2.0))
        expected.add(f"{width} {height} 3", image.crop((left, top, left + side, top + side)), kind="square")

    colour = Image.fromarray(pattern(40, 30, 3))
    expected.add("40 30 3", colour.convert("L"), kind="convert")
    clear = Image.fromarray(pattern(40, 30, 4))
    white = Image.new("RGB", clear.size, "white")
    white.paste(clear, mask=clear.getchannel("A"))
    expected.add("40 30 4", white, kind="convert")

    (folder / "expected.json").write_text(json.dumps(expected.entries, indent=0) + "\n")
    (folder / "expected.bin").write_bytes(expected.bytes)
