"""Say how ordinary a text is as Chinese, and what a text was before it was read in a wrong encoding and stored so."""

from functools import cache

REPLACED = "锟斤拷"  # U+FFFD written as UTF-8 and read as GBK, twice
LOST = "\ufffd"
SYMBOLS = "°²³±×÷·—…“”‘’㎡㎥№→≤≥≈αβ①②③④⑤⑥⑦⑧⑨⑩ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ○〇"
READABLE = 0.75  # of the characters of a text that was put right must be ordinary, or it was not garbled so
LATIN = 0x100  # characters below this, and those of Windows in their place, are what Latin-1 makes of any bytes


@cache
def ordinary() -> frozenset[str]:
    """The characters of ordinary text: the first levels of GB 2312 and Big5, punctuation, full-width letters."""
    first = bytes(range(0xA1, 0xFF))
    simplified = {bytes((high, low)) for high in range(0xB0, 0xD8) for low in first}
    second = [*range(0x40, 0x7F), *range(0xA1, 0xFF)]
    traditional = {bytes((high, low)) for high in range(0xA4, 0xC7) for low in second}
    found = {raw.decode("gb2312", "ignore") for raw in simplified} | {
        raw.decode("big5", "ignore") for raw in traditional
    }
    found |= set(SYMBOLS) | {chr(code) for code in (*range(0x3000, 0x3018), *range(0xFF01, 0xFF5F))}
    return frozenset(found) - {""}


def shown(text: str) -> str:
    """A text as it can be stored and shown: PostgreSQL keeps no NUL, and nobody sees a control character."""
    return "".join(one if one.isprintable() else LOST for one in text)


def wide(text: str) -> list[str]:
    """The characters of a text that are not ASCII."""
    return [character for character in text if character > "\x7f"]


def plainness(text: str) -> float:
    """The share of the characters beyond ASCII that are ordinary; 1 where there are none."""
    beyond = wide(text)
    return sum(map(ordinary().__contains__, beyond)) / len(beyond) if beyond else 1.0


def unwound(text: str) -> str | None:
    """What a garbled text was, where it can be told: “ÄÏ¿ª” was 南开, “瀛﹀簻” was 学府. Else None."""
    beyond = wide(text)
    if len(beyond) < 2:
        return None
    if all(map(_latin, beyond)):
        raw, ways = b"".join(map(_byte, text)), ("utf-8", "gb18030")
    elif plainness(text) < READABLE:
        raw, ways = text.encode("gb18030", "replace"), ("utf-8",)
    else:
        return None
    for way in ways:
        found = _decoded(raw, way)
        if not found or not (before := wide(found)):
            continue
        if all(map(_latin, before)):  # twice over
            return unwound(found) if way == "utf-8" else None
        if not any(map(_latin, before)) and plainness(found) >= READABLE:
            return found
    return None


def is_lost(text: str) -> bool:
    """Whether characters were replaced for good: by U+FFFD, or by what becomes of it."""
    return LOST in text or REPLACED in text


def _decoded(raw: bytes, encoding: str) -> str | None:
    # What was cut, or could not be shown, stands as “?” at the end and takes the rest of its character with it.
    raw = raw.rstrip(b"?")
    for less in range(4 if encoding == "utf-8" else 1):
        try:
            return raw[: len(raw) - less].decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _latin(character: str) -> bool:
    return ord(character) < LATIN or len(character.encode("cp1252", "ignore")) == 1


def _byte(character: str) -> bytes:
    """The byte that Windows or Latin-1 shows as this character."""
    return character.encode("cp1252", "ignore") or character.encode("latin-1")
