#!/usr/bin/env python3
"""Draws the captioned emoji set on which the built-in model was trained.

usage: python3 Scripts/emoji.py FOLDER [--size 64]

Every emoji of Unicode's emoji-test.txt without a skin tone becomes a PNG on white, drawn with Noto
Color Emoji, with captions in English and Korean made of its name and its keywords (CLDR). FOLDER
gets `train` and `test`, the latter with one emoji in twenty, each with a `metadata.jsonl`: `text`
is the English name, `texts` lists every caption.

Needs the Debian packages fonts-noto-color-emoji, unicode-data and unicode-cldr-core, and Pillow
with Raqm (its wheels have it), which joins emoji of several characters. The same versions give the
same files.
"""

import argparse
import hashlib
import json
import pathlib
import random
import re
import sys
import xml.etree.ElementTree as ElementTree

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
EMOJI = "/usr/share/unicode/emoji/emoji-test.txt"
CLDR = "/usr/share/unicode/cldr/common"
# The one size that the font's pictures have.
FONT_SIZE = 109
VARIATION = "\ufe0f"


def emoji():
    """The fully-qualified emoji without skin tones: text, English name, group and subgroup."""
    group = subgroup = ""
    for line in pathlib.Path(EMOJI).read_text(encoding="utf-8").splitlines():
        if line.startswith("# group:"):
            group = line.split(":", 1)[1].strip()
        elif line.startswith("# subgroup:"):
            subgroup = line.split(":", 1)[1].strip()
        match = re.match(r"([0-9A-F ]+?)\s*; fully-qualified\s*# \S+ E[0-9.]+ (.+)$", line)
        if match and "skin tone" not in match[2]:
            text = "".join(chr(int(code, 16)) for code in match[1].split())
            yield text, match[2], group, subgroup


def annotations(language):
    """Of every emoji its name and its keywords in a language, by its characters without U+FE0F."""
    names, keywords = {}, {}
    for part in ("annotations", "annotationsDerived"):
        root = ElementTree.parse(f"{CLDR}/{part}/{language}.xml").getroot()
        for entry in root.iter("annotation"):
            key = entry.get("cp").replace(VARIATION, "")
            if entry.get("type") == "tts":
                names[key] = entry.text.strip()
            else:
                keywords[key] = [word.strip() for word in entry.text.split("|")]
    return names, keywords


def captions(text, name, subgroup, languages):
    """Captions as people may write them: names, names with an article, keywords in any order."""
    key = text.replace(VARIATION, "")
    chance = random.Random(key)
    found = []

    def some(words, low, high):
        return chance.sample(words, min(len(words), chance.randint(low, high)))

    for language, (names, keywords) in languages.items():
        own = names.get(key, name if language == "en" else None)
        if own is None:
            continue
        plain = own.replace(": ", " ").replace(":", " ")
        words = [word for word in keywords.get(key, []) if word != own] or [plain]
        if language == "en":
            article = "an" if plain[0].lower() in "aeiou" else "a"
            kind = subgroup.replace("-", " ")
            found += [plain] * 6 + [f"{article} {plain}"] * 2 + [f"emoji of {article} {plain}"]
            found += [f"{plain}, {kind}"]
        else:
            found += [plain] * 6 + [f"{plain} 그림", f"{plain} 이모지"]
        for _ in range(6):
            found.append(" ".join(some(words, 2, 4)))
        for _ in range(2):
            found.append(f"{plain}, {', '.join(some(words, 1, 3))}")
        # A name whose words are not all there, or stand in another order, means the same.
        parts = plain.split()
        for _ in range(3 if len(parts) > 2 else 0):
            found.append(" ".join(some(parts + some(words, 0, 1), max(2, len(parts) - 1), len(parts))))
    found.append(text)
    return found


def picture(text, font, size):
    """The emoji on white, `size` pixels along each side; None where the font has no one picture."""
    from PIL import Image, ImageDraw

    left, top, right, bottom = font.getbbox(text)
    if not 0 < right - left <= 140 or bottom <= top:
        return None
    side = 136
    canvas = Image.new("RGBA", (side, side), "white")
    draw = ImageDraw.Draw(canvas)
    place = ((side - (right - left)) / 2 - left, (side - (bottom - top)) / 2 - top)
    draw.text(place, text, font=font, embedded_color=True)
    return canvas.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--size", type=int, default=64)
    options = parser.parse_args()
    try:
        from PIL import ImageFont, features
    except ImportError:
        sys.exit("error: Pillow is missing; pip install pillow")
    if not features.check("raqm"):
        sys.exit("error: this Pillow has no Raqm, which joins emoji; take its wheel from PyPI")
    for path, package in (
        (FONT, "fonts-noto-color-emoji"), (EMOJI, "unicode-data"), (CLDR, "unicode-cldr-core"),
    ):
        if not pathlib.Path(path).exists():
            sys.exit(f"error: {path} is missing; install the package {package}")
    font = ImageFont.truetype(FONT, FONT_SIZE, layout_engine=ImageFont.Layout.RAQM)
    languages = {language: annotations(language) for language in ("en", "ko")}
    lines = {"train": [], "test": []}
    skipped = 0
    for text, name, group, subgroup in emoji():
        drawn = picture(text, font, options.size)
        if drawn is None:
            skipped += 1
            continue
        code = "-".join(f"{ord(character):x}" for character in text)
        digest = hashlib.sha256(code.encode()).digest()
        part = "test" if int.from_bytes(digest[:4], "big") % 20 == 0 else "train"
        folder = options.folder / part
        folder.mkdir(parents=True, exist_ok=True)
        drawn.save(folder / f"{code}.png", optimize=True)
        record = {
            "file_name": f"{code}.png", "text": name, "group": group, "subgroup": subgroup,
            "texts": captions(text, name, subgroup, languages),
        }
        lines[part].append(json.dumps(record, ensure_ascii=False))
    for part, records in lines.items():
        (options.folder / part / "metadata.jsonl").write_text(
            "\n".join(records) + "\n", encoding="utf-8")
    print(f"{len(lines['train'])} emoji to learn, {len(lines['test'])} held out, "
          f"{skipped} that the font cannot draw")


if __name__ == "__main__":
    main()
