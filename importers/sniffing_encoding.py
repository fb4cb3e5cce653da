"""Decide in which encoding a DBF was written: by its bytes, strictly, and not by what is declared about it."""

import re
from dataclasses import dataclass, field

import numpy as np
from django.utils.translation import gettext as _

from importers.reading_dbf import Table, trimmed
from units import codes
from units.errors import UsageError

SURE, LIKELY, ASK, GIVEN = "sure", "likely", "ask", "given"
UTF8, GB, BIG5 = "UTF-8", "GB18030", "Big5"
PYTHON = {UTF8: "utf-8", GB: "gb18030", BIG5: "big5hkscs", "ASCII": "ascii"}

# What is written in a .cpg → what it means. All GB* are read as GB18030: GB2312 would lose rare characters.
CPG = {
    **dict.fromkeys(("UTF8", "65001", "CP65001"), UTF8),
    **dict.fromkeys(
        ("GBK", "GB2312", "GB18030", "936", "CP936", "ANSI936", "MS936", "WINDOWS936", "EUCCN", "54936"), GB
    ),
    **dict.fromkeys(("BIG5", "950", "CP950", "ANSI950", "BIG5HKSCS"), BIG5),
}
LDID = {0x4D: GB, 0x7A: GB, 0x4F: BIG5, 0x78: BIG5}  # 0x00 says nothing, 0x57 is what ArcGIS writes for anything
SAMPLES = 4
ROWS_AT_ONCE = 50_000
PLAIN_SHARE = 0.85  # of the Chinese characters of ordinary GBK text are in GB 2312; Big5 read as GBK has far fewer
ENOUGH = 3  # distinct values; with fewer, bytes may fit UTF-8 or GBK by chance


@dataclass
class Encoding:
    """A verdict: name, how sure, the sentences it rests on, and the first values as they read in it."""

    name: str
    verdict: str
    evidence: list[str] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    bad_fields: int = 0
    laid_in: str = ""  # where the reader has turned the text into another encoding already

    @property
    def python(self) -> str:
        return self.laid_in or PYTHON.get(self.name, self.name)

    def told(self) -> dict:
        return {
            "name": self.name,
            "verdict": self.verdict,
            "evidence": self.evidence,
            "samples": self.samples,
            "bad_fields": self.bad_fields,
        }


@dataclass
class _Seen:
    """The distinct values that are not ASCII, each with how often it stands and whether it fills its field."""

    counts: dict[bytes, int]
    full: set[bytes]
    fields: set[str]

    def bad(self, encoding: str) -> list[bytes]:
        return [raw for raw in self.counts if not _decodes(raw, encoding)]


def encoding_of(table: Table, cpg: str | None, given: str | None = None) -> Encoding:
    """The encoding of the text columns, with the evidence; `given` is the user's word and is only checked."""
    seen = _not_ascii(table)
    declared, told = _declared(table, cpg)
    if given:
        return _as_given(given, seen)
    if not seen.counts:
        return Encoding(UTF8, SURE, [_("All text is plain ASCII; every encoding reads it alike."), *told])
    fields = sum(seen.counts.values())
    bad_utf8, bad_gb = seen.bad("utf-8"), seen.bad("gb18030")
    counted = lambda values: sum(seen.counts[value] for value in values)  # noqa: E731
    evidence = [
        _("%(fields)d fields hold other than ASCII, %(distinct)d different values, in %(columns)s.")
        % {"fields": fields, "distinct": len(seen.counts), "columns": ", ".join(sorted(seen.fields))}
    ]
    if not bad_utf8:
        found = Encoding(UTF8, SURE, evidence)
        evidence.append(_("All of them are strict UTF-8."))
        if len(seen.counts) < ENOUGH and declared != UTF8 and not _known(seen, "utf-8"):
            found.verdict = LIKELY
            evidence.append(_("They are so few that this may be chance."))
    elif len(bad_utf8) <= len(bad_gb) and all(_cut(raw, "utf-8", seen) for raw in bad_utf8):
        found = Encoding(UTF8, LIKELY, evidence, bad_fields=counted(bad_utf8))
        evidence.append(
            _("As UTF-8, only values cut at the end of their field fail: %(bad)d.") % {"bad": counted(bad_utf8)}
        )
    else:
        found = _chinese(seen, evidence, bad_gb, counted)
        evidence.insert(1, _("As UTF-8 %(bad)d of them fail.") % {"bad": counted(bad_utf8)})
    if known := _known(seen, found.python):
        evidence.append(_("It reads known names: %(names)s.") % {"names": ", ".join(known[:SAMPLES])})
    _weigh(found, declared)
    evidence.extend(told)
    found.samples = _samples(seen, found.python)
    if found.verdict == ASK:
        evidence.append(_("Look at the samples and say it with --encoding."))
    return found


def _chinese(seen: _Seen, evidence: list[str], bad_gb: list[bytes], counted) -> Encoding:
    found = Encoding(GB, SURE, evidence, bad_fields=counted(bad_gb))
    if not bad_gb:
        evidence.append(_("All of them are strict GB18030."))
    elif all(_cut(raw, "gb18030", seen) for raw in bad_gb):
        evidence.append(
            _("As GB18030, only values cut at the end of their field fail: %(bad)d.") % {"bad": counted(bad_gb)}
        )
        found.verdict = LIKELY
    elif counted(bad_gb) * 20 <= sum(seen.counts.values()) or (
        counted(bad_gb) * 2 < sum(seen.counts.values()) and _known(seen, "gb18030")
    ):
        evidence.append(_("As GB18030 %(bad)d fail: those rows are told one by one.") % {"bad": counted(bad_gb)})
        found.verdict = LIKELY
    else:
        evidence.append(_("As GB18030 %(bad)d fail too: neither is it.") % {"bad": counted(bad_gb)})
        found.verdict = ASK
    share = _plain_share(seen)
    if share is not None and share < PLAIN_SHARE:
        evidence.append(
            _("Read as GB18030, only %(share)d %% of the characters are those of ordinary text (GB 2312).")
            % {"share": share * 100}
        )
        if not seen.bad("big5hkscs"):
            evidence.append(
                _("All of them are valid Big5 as well: %(sample)s.") % {"sample": _samples(seen, "big5")[0]}
            )
            found.verdict = ASK
        elif share < 0.5:
            found.verdict = ASK
        elif found.verdict == SURE:
            found.verdict = LIKELY
    return found


def _weigh(found: Encoding, declared: str | None):
    """What is declared never outweighs the bytes; where it contradicts them, that is said."""
    if declared is None or declared == found.name:
        return
    if declared == BIG5 and found.name == GB:
        found.verdict = ASK
        found.evidence.append(_("Bytes alone cannot tell Big5 from GB18030 for certain."))
    else:
        found.evidence.append(
            _("Declared is %(declared)s, and the bytes are not that; the bytes decide.") % {"declared": declared}
        )


def _as_given(given: str, seen: _Seen) -> Encoding:
    name = CPG.get(_plain(given), given)
    try:
        bad = seen.bad(PYTHON.get(name, name))
    except LookupError as error:
        raise UsageError(
            _("No encoding is called %(name)s.") % {"name": given}, _("For example: gb18030, utf-8, big5.")
        ) from error
    count = sum(seen.counts[raw] for raw in bad)
    return Encoding(
        name,
        GIVEN,
        [
            _("Given by the user."),
            _("%(bad)d of %(all)d fields that are not ASCII fail in it.")
            % {"bad": count, "all": sum(seen.counts.values())},
        ],
        _samples(seen, PYTHON.get(name, name)),
        count,
    )


def _not_ascii(table: Table) -> _Seen:
    seen = _Seen({}, set(), set())
    live = ~table.deleted
    for start in range(0, table.rows, ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        block = table.records[rows]
        anywhere = np.bitwise_or.reduce(block, axis=0) >= 128  # one quick pass: most columns are ASCII in every row
        for column in table.columns:
            if column.kind != "C" or not anywhere[column.start : column.start + column.width].any():
                continue
            raw = block[:, column.start : column.start + column.width]
            high = (raw >= 128).any(axis=1) & live[rows]
            if not high.any():
                continue
            seen.fields.add(column.name)
            raw = np.ascontiguousarray(raw[high])
            unique = trimmed(raw).value_counts()
            for value, count in zip(unique.field("values"), unique.field("counts"), strict=True):
                value = value.as_py()
                seen.counts[value] = seen.counts.get(value, 0) + count.as_py()
                if len(value) >= column.width - 1:
                    seen.full.add(value)
    return seen


def _declared(table: Table, cpg: str | None) -> tuple[str | None, list[str]]:
    """What the .cpg, or else the language byte of the DBF, declares; and how both are told."""
    by_byte = LDID.get(table.ldid)
    told = [
        _("The DBF's language byte is 0x%(byte)02X: %(means)s.")
        % {"byte": table.ldid, "means": by_byte or _("nothing said")}
    ]
    if cpg is None:
        told.append(_("There is no .cpg."))
        return by_byte, told
    means = CPG.get(_plain(cpg))
    told.append(_("The .cpg says “%(text)s”: %(means)s.") % {"text": cpg[:40], "means": means or _("nothing known")})
    return means or by_byte, told


def _plain(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper())


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _cut(raw: bytes, encoding: str, seen: _Seen) -> bool:
    """Whether a value fails only because its last character was cut off by the width of the field."""
    return raw in seen.full and any(_decodes(raw[:-less], encoding) for less in (1, 2, 3))


def _known(seen: _Seen, encoding: str) -> list[str]:
    names = {use.name for scheme in (codes.SANDIAO, codes.YDYH) for use in codes.land_use(scheme).values()}
    names |= {row["name"] for name in ("districts", "streets") for row in codes.rows(name)}
    return [text for raw in seen.counts if _decodes(raw, encoding) and (text := raw.decode(encoding)) in names]


def _plain_share(seen: _Seen) -> float | None:
    """Of the Chinese characters as GB18030 reads them, the share in GB 2312; None with too few to say."""
    text = "".join(raw.decode("gb18030", "ignore") for raw in list(seen.counts)[:5_000])
    wide = [character for character in text if ord(character) >= 128]
    if len(wide) < 4:
        return None
    plain = sum(_encodes(character) for character in wide)
    return plain / len(wide)


def _encodes(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _samples(seen: _Seen, encoding: str) -> list[str]:
    return [raw.decode(encoding, "replace") for raw in list(seen.counts)[:SAMPLES]]
