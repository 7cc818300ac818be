"""Golden files of the tokenizers: a part of CLIP's vocabulary, ids by transformers, trained merges.

The merges are those of open_clip's bpe_simple_vocab_16e6.txt.gz; CLIP_BPE names the file (`pip
download --no-deps open_clip_torch`, then unzip). The canonical decompositions under Sources are
written here too, from what the tokenizers library does.
"""

import collections
import gzip
import json
import os
import pathlib
import shutil
import tempfile
import unicodedata

import regex
from tokenizers import normalizers
from transformers import CLIPTokenizer

from ._sentences import sentences

begin, end = "<|startoftext|>", "<|endoftext|>"


def byte_characters():
    """Every byte's character, printable bytes first."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    return {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(others)}


def vocabulary(merges):
    bytes_ = list(byte_characters().values())
    tokens = bytes_ + [b + "</w>" for b in bytes_]
    tokens += [t for t in dict.fromkeys(a + b for a, b in merges) if t not in tokens]
    return {token: i for i, token in enumerate(tokens + [begin, end])}


def write_model(folder, merges):
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(vocabulary(merges), ensure_ascii=False, separators=(",", ":"))
    (folder / "vocab.json").write_text(text)
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))


def flags(content, **others):
    return dict(content=content, lstrip=False, normalized=True, rstrip=False, single_word=False) | others


def typed(content):
    return {"__type": "AddedToken"} | flags(content)


def roles(pad, token):
    return dict(bos_token=token(begin), eos_token=token(end), pad_token=pad, unk_token=token(end))


# The small files of a folder: those of Stable Diffusion 1, 2 and XL as published, and bare ones.
listed = {
    "0": flags("!", normalized=False, special=True), "{begin}": flags(begin, normalized=True, special=True),
    "{end}": flags(end, normalized=True, special=True)}
folders = {
    "sd1": {
        "tokenizer_config.json": roles(end, typed) | dict(model_max_length=77, do_lower_case=True),
        "special_tokens_map.json": roles(end, flags)},
    "sd2": {
        "tokenizer_config.json": roles(end, typed) | dict(model_max_length=77),
        "special_tokens_map.json": roles("!", flags)},
    "xl2": {
        "tokenizer_config.json": roles("!", str) | dict(model_max_length=77, added_tokens_decoder=listed),
        "special_tokens_map.json": roles("!", flags)},
    "bare": {},
    "added": {
        "tokenizer_config.json": dict(model_max_length=77),
        "added_tokens.json": {"<cat-toy>": 0, "Two Words": 0}},
}


def clip_merges():
    lines = gzip.open(os.environ["CLIP_BPE"], "rt", encoding="utf-8").read().split("\n")
    return [tuple(line.split()) for line in lines[1:49152 - 256 - 2 + 1]]


def write_folders(folder, merges):
    size = len(vocabulary(merges))
    ids = {"{begin}": str(size - 2), "{end}": str(size - 1), "0": "0"}
    for name, files in folders.items():
        (folder / name).mkdir(exist_ok=True)
        for file, content in files.items():
            content = dict(content)
            if "added_tokens_decoder" in content:
                content["added_tokens_decoder"] = {ids[k]: v for k, v in listed.items()}
            if file == "added_tokens.json":
                content = {k: size + i for i, k in enumerate(content)}  # behind the vocabulary
            (folder / name / file).write_text(json.dumps(content, indent=1) + "\n")


def opened(folder, name, model):
    """transformers' tokenizer of a folder's small files beside the vocabulary in `model`."""
    with tempfile.TemporaryDirectory() as scratch:
        for source in (model, folder / name):
            shutil.copytree(source, scratch, dirs_exist_ok=True)
        return CLIPTokenizer.from_pretrained(scratch)


def generate(folder):
    write_decompositions(folder.parents[2] / "Sources/Tokenizers/CanonicalDecompositions.swift")
    merges = clip_merges()
    write_model(folder / "model", merges[:6000])
    write_folders(folder, merges[:6000])
    (folder / "cases.json").write_text(cases(folder, folder / "model"))
    # As transformers 5 saves a folder: `tokenizer.json`, and roles in `tokenizer_config.json`.
    write_model(folder / "tiny", merges[:100])
    whole = opened(folder, "sd2", folder / "tiny")
    whole.save_pretrained(folder / "whole")
    shutil.rmtree(folder / "tiny")
    texts = ["the cat! in", end + "!", "가 <|ENDOFTEXT|>"]
    save(folder / "whole.json", [dict(text=t, ids=whole(t).input_ids) for t in texts])
    train(folder)


def save(path, content):
    path.write_text(json.dumps(content, ensure_ascii=False, indent=0) + "\n")


def cases(folder, model):
    found = {name: opened(folder, name, model) for name in folders}
    result = []
    for text in sentences() + ["a <cat-toy> in two words, Two Words, <CAT-TOY>two words<cat-toy>"]:
        ids = {}
        for name, tokenizer in found.items():
            plain = tokenizer(text, add_special_tokens=False).input_ids
            window = tokenizer(text, padding="max_length", max_length=77, truncation=True).input_ids
            rest = [tokenizer.eos_token_id] + [tokenizer.pad_token_id] * 77
            assert window == ([tokenizer.bos_token_id] + plain[:75] + rest)[:77]
            ids[name] = plain
        result.append(dict(text=text, ids=ids))
    return json.dumps(result, ensure_ascii=True, separators=(",", ":")).replace("},{\"text", "},\n{\"text") + "\n"


# MARK: training

words = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+")


def train(folder, size=600):
    """Byte-pair encoding as plainly as possible: all pairs are counted again for every merge."""
    subjects = "cat dog bird dragon river mountain castle robot 고양이 강아지 용 산 바다 로봇".split()
    styles = ["a photo of a {}", "an oil painting of a {}, it's calm", "a {} at night, 8k", "{} 사진", "밤하늘 아래의 {} 그림", "귀여운 {}😀"]
    captions = [style.format(subject) for style in styles for subject in subjects]
    counts = collections.Counter(w for c in captions for w in words.findall(unicodedata.normalize("NFC", c).lower()))
    characters = byte_characters()
    order = {c: i for i, c in enumerate(characters.values())} | {c + "</w>": 256 + i for i, c in enumerate(characters.values())}
    split = {}
    for word in counts:
        symbols = [characters[b] for b in word.encode()]
        split[word] = symbols[:-1] + [symbols[-1] + "</w>"]
    merges = []
    while len(merges) < size - 514:
        pairs = collections.Counter()
        for word, symbols in split.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += counts[word]
        best = min(pairs, key=lambda p: (-pairs[p], order[p[0]], order[p[1]]), default=None)
        if best is None or pairs[best] < 2:
            break
        merges.append(best)
        order.setdefault("".join(best), len(order))
        for word, symbols in split.items():
            joined = []
            for symbol in symbols:
                if joined and (joined[-1], symbol) == best:
                    joined[-1] += symbol
                else:
                    joined.append(symbol)
            split[word] = joined
    write_model(folder / "trained", merges)
    tokenizer = CLIPTokenizer.from_pretrained(folder / "trained")
    texts = captions[:3] + captions[-3:] + sentences()[:60]
    ids = [dict(text=t, ids=tokenizer(t, add_special_tokens=False).input_ids) for t in texts]
    save(folder / "trained.json", dict(captions=captions, cases=ids))


# MARK: the table of canonical decompositions


def write_decompositions(path):
    apart, together = normalizers.NFD(), normalizers.NFC()
    items = []
    for value in range(0xC0, 0x30000):
        character = chr(value)
        if 0xD800 <= value < 0xE000 or 0xAC00 <= value < 0xD7A4 or apart.normalize_str(character) == character:
            continue
        parts = [int(x, 16) for x in unicodedata.decomposition(character).split()]
        composes = len(parts) == 2 and together.normalize_str(character) == character
        items.append(f"{value:x}{'=' if composes else ':'}" + "+".join(f"{x:x}" for x in parts))
    lines = [""]
    for item in items:
        if len(lines[-1]) + 1 + len(item) > 95:
            lines.append("")
        lines[-1] += f" {item}" if lines[-1] else item
    text = path.read_text()
    head = text[:text.index('"""\n') + 4]
    path.write_text(head + " \\\n".join(f"  {line}" for line in lines) + '\n  """\n')
