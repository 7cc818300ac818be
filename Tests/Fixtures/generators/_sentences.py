"""Texts that a tokenizer can stumble over."""

import random

english = """a photo of a cat
A Photo Of A CAT!
an astronaut riding a horse on mars, highly detailed, 8k
portrait of a woman by Greg Rutkowski, trending on artstation
masterpiece, best quality, ultra-detailed, (1girl:1.3), [blurry]
The quick brown fox jumps over the lazy dog.
don't stop, I'm here; they'll go, we've been, you're it, he'd say, it's cat's
DON'T STOP, I'M HERE; THEY'LL GO, WE'VE BEEN, YOU'RE IT
'sun 'tis 'round 'll 're' 'd' ''s '' ' 'sss 'veee 'rest 'l 'r 'v
rock'n'roll o'clock d'Artagnan’s “curly” ‘quotes’ don’t
supercalifragilisticexpialidocious antidisestablishmentarianism
hello_world snake_case camelCase kebab-case path/to/file.png C:\\Windows\\x
a.b.c...d....e!?!?;;::--==++
$100 50% #hashtag @user a&b a*b ~tilde `tick` ^caret |pipe| {brace} <tag> [x]
0 1 12 123 1234 3.14159 1,000,000 1e-5 0x1F 2024-01-31 12:34:56
½ ¼ ² ³ ① ⑳ Ⅳ ⅻ ٣٤٥ १२३ 一二三 ೧೨ 𝟘𝟙𝟚
x1 1x v2.0 sd1.5 3d 4k 16:9 1024x768
  leading and trailing spaces   
tabs\tand\nnewlines\r\nand\x0bvertical\x0cfeeds
many     spaces          between
no\u00a0break\u2003em\u2009thin\u3000wide\u202fnarrow\u205fmath\u1680ogham
line\u2028separator\u2029paragraph\u0085next
zero\u200bwidth\u200cnon\u200djoiner\ufeffbom\u2060word
soft\u00adhyphen left\u200eright\u200fmarks \u202aembed\u202c""".split("\n", 17)

other = [
    # Korean
    "고양이 사진", "우주복을 입은 고양이가 달 위를 걷는다", "안녕하세요! 반갑습니다.", "한국어와 English 섞어 쓰기 123",
    "ㅋㅋㅋㅋ ㅠㅠ ㄱㄴㄷ ㅏㅑㅓ", "뷁 똠방각하 펲시", "서울특별시 강남구 테헤란로 123-4", "“따옴표”와 ‘작은따옴표’, 『책』 〈영화〉",
    "\u1112\u1161\u11ab\u1100\u1173\u11af", "\u1100\u1161 \u1100\u1161\u11a8 \uac00\u11a8 \uac01\u11a8",
    "\u1100\u1100\u1161\u11a8\u11a8", "이\u0301", "\uf900\uf901 金", "＄１００ ＡＢＣ ａｂｃ ｶﾞ", "㈜한국 ㎏ ㎡ ℃",
    "옛한글 \u1112\u119e\u11ab", "높은 품질, 디테일, 걸작, 시네마틱 조명, 4K",
    # Emoji
    "😀", "I ❤️ you", "❤", "👍🏽👍🏿👍", "👩‍🚀🧑‍🌾👨‍👩‍👧‍👦", "🏳️‍🌈🏴‍☠️", "🇰🇷🇺🇸🇯🇵", "🇰", "1️⃣2️⃣#️⃣*️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "a😀b😀c", "😀😀😀😀😀😀😀😀",
    "cat🐱dog🐶", "☺☻♥♦♣♠•◘○", "™©®℗", "🫠🫡🫥🪿", "¯\\_(ツ)_/¯", "(╯°□°)╯︵ ┻━┻",
    # Accents
    "café naïve résumé", "cafe\u0301 nai\u0308ve", "CAFE\u0301", "Ångström A\u030angstro\u0308m \u212b", "e\u0323\u0302 e\u0302\u0323 \u1ec7",
    "q\u0307\u0323 q\u0323\u0307", "Z̸̢̛̤a̷̧l̴g̵o̶ t̸e̷x̴t̵", "\u0301 \u0301a a\u0301\u0301\u0301", "İstanbul ISTANBUL ıstanbul İİ", "ΑΣΑΣ Σ ΟΔΥΣΣΕΥΣ ς",
    "Straße STRASSE ẞ ß", "ﬁ ﬂ ﬀ ſt", "Dž dž Ǆ ǅ Ⅷ ⓐ Ⓐ", "Ω \u2126 K \u212a", "\u0344 \u0340 \u0341 \u0343 \u0374 \u037e \u0387",
    "ấ ầ ẩ ẫ ậ tiếng Việt Đà Nẵng", "\u0958 \u0915\u093c", "\u2adc \u2add\u0338", "ﬡ \ufb1d \ufb2a", "a\u0328\u0301 a\u0301\u0328 ą́",
    "\u09c7\u09be \u0b47\u0b56 \u0dd9\u0dcf", "\u3046\u3099 \u30ab\u3099 ゔガ",
    # Right to left, South Asian, Chinese, Japanese and more
    "صورة قطة جميلة", "مَرْحَبًا بِكُمْ", "שלום עולם", "שָׁלוֹם", "قطة cat חתול", "یک گربه زیبا", "नमस्ते दुनिया", "हिन्दी में लिखा",
    "தமிழ் மொழி", "ภาษาไทย สวัสดี", "မြန်မာ", "ខ្មែរ", "བོད་ཡིག", "ქართული Ⴀ", "Հայերեն", "አማርኛ", "ᏣᎳᎩ ꭰ", "一只猫的照片", "美しい風景、富士山",
    "ひらがな カタカナ ﾊﾝｶｸ", "𠮷野家 𩸽", "中文，标点。「引号」", "Привет, мир! ПРИВЕТ", "Ёлка Й и\u0306", "Γειά σου Κόσμε", "ά \u03b1\u0301 ᾳ ᾼ ᾯ",
    "𝕳𝖊𝖑𝖑𝖔 𝓌ℴ𝓇𝓁𝒹", "𐐀𐐨 𞤀𞤢", "ʰʲ ˈfoʊ ŋ ʃ", "ªº ¹ µ ¼", "ǅungla ǈ", "\u1e9b\u0323",
    # Control characters and private ones
    "\x00", "a\x00b", "\x01\x02\x1b[31mred\x1b[0m", "\x1c\x1d\x1e\x1f", "\x7f\x80\x9f", "\ufffd\ufffe\uffff", "\ue000 \U000f0000", "\u0378 \U000e0001",
    # Special tokens inside
    "<|endoftext|>", "a<|endoftext|>b", "a <|endoftext|> b", "<|startoftext|>a photo<|endoftext|>", "<|ENDOFTEXT|>", "x<|EndOfText|>!!",
    "!<|startoftext|>", "<|endoftext|><|endoftext|>", "<|endoftext|", "|endoftext|>", "<|endoftext |>", "<|startoftext|>!!<|STARTOFTEXT|>!!",
    "<|endo\u0301ftext|>", "<pad> <unk> </w> a</w>", "</w>", "cat! dog!", "!", "!!", "!!!", "wow!!! 1! '!s", "¡hola!",
    # Nothing, long things, repetition
    "", " ", "\n\n\n", "\u3000", "a", "A", "é", "가", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "abababababababababababababababab", "the the the the the", "zzz" * 60, "가나다" * 40, "=" * 100, ". " * 100, "1" * 90, "\u0301" * 50, "x" + "\u0323\u0301" * 30,
    "inininininin thththth ananan", "thethethetheinging",
]


def sentences():
    words = ("a the cat dog astronaut oil painting beautiful landscape light mountain river portrait in of with on "
             "고양이 강아지 산 바다 그림 사진 하늘 밤 calm storm neon city watercolor sketch dragon").split()
    dice = random.Random(3)
    texts = list(english) + other
    texts.append(" ".join(dice.choice(words) for _ in range(300)))
    texts.append(", ".join(dice.choice(words).title() for _ in range(80)))
    pools = [(0x20, 0x7e), (0xa0, 0x24f), (0x300, 0x36f), (0xac00, 0xd7a3), (0x1100, 0x11ff), (0x1f300, 0x1faff), (0x2000, 0x206f)]
    for _ in range(40):
        texts.append("".join(chr(dice.randint(*dice.choice(pools))) for _ in range(dice.randint(1, 30))))
    for _ in range(30):
        scalars = (dice.choice((dice.randint(0, 0xd7ff), dice.randint(0xe000, 0x10ffff))) for _ in range(20))
        texts.append("".join(map(chr, scalars)))
    assert len(texts) == len(set(texts))
    return texts
