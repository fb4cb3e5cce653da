"""Decide in which encoding a DBF was written: by its bytes, strictly, and not by what is declared about it."""

import dataclasses
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _

from importers.garbled import is_lost, plainness, shown, unwound, wide
from importers.reading_dbf import Column, Table, trimmed
from units import codes
from units.errors import UsageError

SURE, LIKELY, ASK, GIVEN, REFUSED = "sure", "likely", "ask", "given", "refused"
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
# How a value votes, by the share of ordinary characters (the first levels of GB 2312 and Big5) in each reading of it.
APART = 0.45  # by which one reading must be plainer than the others
PLAIN = 0.5  # what it must reach at least
VOTERS = 4_000  # distinct values that are read in every encoding; the others are only held to the one that is found
ENOUGH = 3  # distinct values; with fewer, bytes may fit an encoding by chance
LONG_ENOUGH = 8  # bytes of a value, from which two encodings of two bytes are told apart by little
THREES = 9  # bytes; three characters of UTF-8 in a row are hardly chance
CLEAR = 0.8  # of the characters of ordinary text in its own encoding are ordinary
FOUR_BYTES = re.compile(rb"[\x81-\xfe][0-9][\x81-\xfe][0-9]")  # a character of GB18030 that no other encoding has
FEW = 20  # one field in so many may fail and be told by itself
REPLACEMENT = "\ufffd".encode()  # is GBK as well (锟斤拷), so it says nothing


@dataclass
class Encoding:
    """A verdict: name, how sure, the sentences it rests on, and the first values as they read in it.

    `columns` says of each column by itself in what it is written, where they disagree; `warnings` are (code, value,
    more) of problems with the text of the whole layer.
    """

    name: str
    verdict: str
    evidence: list[str] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    bad_fields: int = 0
    laid_in: str = ""  # where the reader has turned the text into another encoding already
    columns: list[dict] = field(default_factory=list)
    samples_by: dict[str, list[str]] = field(default_factory=dict)  # the same values as each encoding reads them
    warnings: list[tuple[str, str, str]] = field(default_factory=list)

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
            "columns": self.columns,
            "samples_by": self.samples_by,
        }


@dataclass
class _Seen:
    """The distinct values that are not ASCII, by column, each with how often it stands; and which fill their field."""

    columns: dict[str, Counter[bytes]]
    full: set[bytes]
    counts: Counter[bytes] = field(default_factory=Counter)

    def __post_init__(self):
        for counts in self.columns.values():
            self.counts.update(counts)

    def bad(self, encoding: str) -> list[bytes]:
        return [raw for raw in self.counts if not _decodes(raw, encoding)]

    def fields(self, values) -> int:
        """In how many fields these values stand."""
        return sum(self.counts[value] for value in values)


def encoding_of(table: Table, cpg: str | None, given: str | None = None) -> Encoding:
    """The encoding of the text columns, with the evidence; `given` is the user's word, held against the bytes."""
    seen = _not_ascii(table)
    declared, told = _declared(table, cpg)
    of_names = _of_names(table)
    if not seen.counts:
        found = Encoding(UTF8, SURE, [_("All text is plain ASCII; every encoding reads it alike."), *told])
        if any(not one.raw_name.isascii() for one in table.columns):
            found.name = of_names or declared or GB
            found.evidence.insert(1, _("The names of the fields read in %(name)s.") % {"name": found.name})
    else:
        found = _by_bytes(seen, declared, of_names)
        found.evidence.extend(told)
        if found.verdict == ASK:
            found.evidence.append(
                _("Export the layer again in one encoding.")
                if found.columns
                else _("Look at the samples and say it with --encoding.")
            )
    if given:
        found = _as_given(given, seen, found)
    found.samples = _samples(seen, found.python)
    found.samples_by = {name: _samples(seen, PYTHON[name]) for name in (UTF8, GB, BIG5)}
    if found.verdict not in (ASK, REFUSED):
        _look_for_garbled(found, seen)
    return found


def _by_bytes(seen: _Seen, declared: str | None, of_names: str) -> Encoding:
    """What the bytes say: each distinct value votes for the encoding in which it reads as ordinary text."""
    bad = {name: seen.bad(PYTHON[name]) for name in (UTF8, GB, BIG5)}
    evidence = [
        _("%(fields)d fields hold other than ASCII, %(distinct)d different values, in %(columns)s.")
        % {
            "fields": seen.counts.total(),
            "distinct": len(seen.counts),
            "columns": ", ".join(sorted(seen.columns)),
        }
    ]
    votes = {raw: vote for raw in _voters(seen, bad[UTF8]) if (vote := _vote(raw, seen))}
    tally = Counter(votes.values()) or _together(seen, bad)
    double_byte = GB if tally[GB] >= tally[BIG5] else BIG5
    # Two bytes are UTF-8 by chance now and then (é is 茅); what is no UTF-8 at all is the other for certain.
    failing = {raw for raw in bad[UTF8] if not _cut(raw, "utf-8", seen)}
    hard = sum(vote == double_byte and raw in failing for raw, vote in votes.items())
    if tally[UTF8] and hard * FEW > tally[UTF8]:
        return _mixed(seen, votes, double_byte, evidence)
    if not tally:
        found = _undecided(seen, bad, declared, of_names, evidence)
    elif tally[UTF8]:
        found = _weighed(UTF8, seen, bad, tally, evidence)
    else:
        found = _weighed(double_byte, seen, bad, tally, evidence)
        _tell_chinese_apart(found, seen, tally, bad, declared)
    if known := _known(seen, found.python):
        evidence.append(_("It reads known names: %(names)s.") % {"names": ", ".join(known[:SAMPLES])})
    if declared not in (None, found.name) and tally:
        evidence.append(
            _("Declared is %(declared)s, and the bytes are not that; the bytes decide.") % {"declared": declared}
        )
    return found


def _voters(seen: _Seen, not_utf8: list[bytes]) -> list[bytes]:
    """The values that vote: all that are UTF-8 where not all are, and else a sample spread over the columns."""
    failing = set(not_utf8)
    valid = [raw for raw in seen.counts if raw not in failing]
    chosen = valid if len(valid) * FEW < len(seen.counts) else valid[:: len(valid) // VOTERS + 1]
    return chosen + not_utf8[:: len(not_utf8) // VOTERS + 1]


def _vote(raw: bytes, seen: _Seen) -> str:
    """The encoding in which a value reads as ordinary text and in no other so well; nothing where none does."""
    if raw in _named_in():
        return _named_in()[raw]
    plain = raw.replace(REPLACEMENT, b"")
    shares = {}
    for name in (UTF8, GB, BIG5):
        text = _read(plain, PYTHON[name], cut=raw in seen.full)
        if text is not None and wide(text):
            shares[name] = _plainness(text, name)
    if not shares:
        return ""
    (best, share), *others = sorted(shares.items(), key=lambda one: -one[1])
    if best == UTF8 and share >= CLEAR and len(plain) >= THREES:
        return UTF8
    if share >= PLAIN and (not others or share - others[0][1] >= APART):
        return best
    if not others and share >= PLAIN / 2:  # rare characters, and bytes that are nothing else
        return best
    return _long_vote(shares, plain)


def _long_vote(shares: dict[str, float], raw: bytes) -> str:
    """GB18030 against Big5 over a longer text: hardly a sentence of the one is all ordinary in the other too."""
    if UTF8 in shares or len(raw) < LONG_ENOUGH:
        return ""
    for name, other in ((GB, BIG5), (BIG5, GB)):
        if shares.get(name, 0) >= 0.9 and shares.get(other, 0) < shares[name] - 0.15:
            return name
    return ""


def _together(seen: _Seen, bad: dict) -> Counter:
    """One vote of all values together, where none of them says anything by itself and they are no UTF-8."""
    joined = b"".join(list(seen.counts)[:VOTERS])
    if not bad[UTF8] or len(joined) < 2 * LONG_ENOUGH:
        return Counter()
    shares = {name: _plain_share(seen, PYTHON[name]) for name in (GB, BIG5) if not bad[name]}
    vote = _long_vote(shares, joined)
    return Counter([vote] if vote else ())


def _plainness(text: str, name: str) -> float:
    share = plainness(text)
    # Text that was garbled before it was stored is no ordinary text, but it is what was stored.
    return 1.0 if name == UTF8 and share < 1 and unwound(text) else share


def _read(raw: bytes, encoding: str, *, cut: bool) -> str | None:
    """A value as text, the last character left away where the field cut it; None where it is not that encoding."""
    for less in range(4 if cut else 1):
        try:
            return raw[: len(raw) - less].decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _weighed(name: str, seen: _Seen, bad: dict, tally: Counter, evidence: list[str]) -> Encoding:
    """The verdict where the values that speak speak for one encoding, by how many they are and how many fail in it."""
    evidence.extend(_failing(seen, {other: bad[other] for other in (UTF8, GB) if other != name and bad[other]}))
    failing, python = bad[name], PYTHON[name]
    found = Encoding(name, SURE, evidence, bad_fields=seen.fields(failing))
    if not failing:
        evidence.append(_("All of them are strict %(name)s.") % {"name": name})
    elif all(_cut(raw, python, seen) for raw in failing):
        evidence.append(
            _("As %(name)s, only values cut at the end of their field fail: %(bad)d.")
            % {"name": name, "bad": found.bad_fields}
        )
        found.verdict = LIKELY
    elif found.bad_fields * FEW <= seen.counts.total() or (
        found.bad_fields * 2 < seen.counts.total() and _known(seen, python) and not _lost_column(seen, failing)
    ):
        evidence.append(
            _("As %(name)s %(bad)d fail: they are told one by one.") % {"name": name, "bad": found.bad_fields}
        )
        found.verdict = LIKELY
    else:
        evidence.append(
            _("As %(name)s %(bad)d fail too: it is not that for certain.") % {"name": name, "bad": found.bad_fields}
        )
        found.verdict = ASK
    if found.verdict == SURE and tally[name] < ENOUGH and not (len(seen.counts) > 1 and _known(seen, python)):
        found.verdict = LIKELY
        evidence.append(_("They are so few that this may be chance."))
    return found


def _tell_chinese_apart(found: Encoding, seen: _Seen, tally: Counter, bad: dict, declared: str | None):
    """Whether two-byte text is simplified GB18030 or Big5: what is Big5 is taken only where it is declared so."""
    share, other = _plain_share(seen, "gb18030"), _plain_share(seen, "big5hkscs")
    if share < CLEAR:
        found.evidence.append(
            _("Read as GB18030, only %(share)d %% of the characters are those of ordinary text.")
            % {"share": share * 100}
        )
    if found.name == GB and not tally[BIG5]:
        if share < PLAIN and not any(FOUR_BYTES.search(raw) for raw in seen.counts):
            found.verdict = ASK
        return
    if found.name == GB and share >= CLEAR and share - other >= 1 - CLEAR:
        return
    sample = " · ".join(_samples(seen, "big5hkscs")[:2])
    found.evidence.append(_("Read as Big5, they are: %(sample)s.") % {"sample": sample})
    clear = found.name == BIG5 and not bad[BIG5] and not tally[GB] and tally[BIG5] >= ENOUGH
    found.verdict = LIKELY if clear and declared == BIG5 else ASK


def _undecided(seen: _Seen, bad: dict, declared: str | None, of_names: str, evidence: list[str]) -> Encoding:
    """No value says by itself what it is: field names or what is declared decide, where they read all; or nobody."""
    possible = [name for name in (UTF8, GB, BIG5) if all(_cut(raw, PYTHON[name], seen) for raw in bad[name])]
    evidence.extend(
        _("They may be %(name)s: %(samples)s.")
        % {"name": name, "samples": " · ".join(_samples(seen, PYTHON[name])[:2])}
        for name in possible
    )
    if of_names in possible:
        evidence.append(_("The names of the fields read in %(name)s.") % {"name": of_names})
        return Encoding(of_names, LIKELY, evidence, bad_fields=seen.fields(bad[of_names]))
    if declared in possible:
        evidence.append(_("It is declared so, and nothing speaks against it."))
        return Encoding(declared, LIKELY, evidence, bad_fields=seen.fields(bad[declared]))
    name = possible[0] if possible else GB
    if not possible:
        evidence.extend(_failing(seen, {UTF8: bad[UTF8], GB: bad[GB]}))
    return Encoding(name, ASK, evidence, bad_fields=seen.fields(bad[name]))


def _failing(seen: _Seen, bad: dict[str, list[bytes]]) -> list[str]:
    return [
        _("As %(name)s %(bad)d of them fail.") % {"name": name, "bad": seen.fields(values)}
        for name, values in bad.items()
    ]


def _mixed(seen: _Seen, votes: dict[bytes, str], double_byte: str, evidence: list[str]) -> Encoding:
    """Text of two encodings in one table: whichever is taken, a part of it would be wrong."""
    columns = []
    for column, counts in seen.columns.items():
        said = Counter(votes[raw] for raw in counts if raw in votes)
        columns.append(
            {
                "name": column,
                "encodings": {name: said[name] for name in (UTF8, double_byte) if said[name]},
                "samples": [shown(_read(raw, PYTHON[votes[raw]], cut=True)) for raw in counts if raw in votes][
                    :SAMPLES
                ],
            }
        )
    evidence.append(_("The text is of two encodings; read in either, a part of it would be wrong."))
    evidence.extend(_columns_told(columns))
    name = max((UTF8, double_byte), key=lambda name: sum(vote == name for vote in votes.values()))
    return Encoding(name, ASK, evidence, bad_fields=seen.fields(seen.bad(PYTHON[name])), columns=columns)


def _columns_told(columns: list[dict]) -> list[str]:
    return [f"{one['name']}: {' + '.join(one['encodings']) or '?'} ({' · '.join(one['samples'])})" for one in columns]


def _as_given(given: str, seen: _Seen, own: Encoding) -> Encoding:
    """The user's word. It is taken against the evidence, with a warning, but not where most text cannot be read."""
    name = CPG.get(_plain(given))
    if name is None and _plain(given) in ("ASCII", "USASCII"):
        name = "ASCII"
    if name is None:
        raise UsageError(
            _("No encoding is called %(name)s.") % {"name": given}, _("For example: gb18030, utf-8, big5.")
        )
    bad = seen.bad(PYTHON[name])
    count, total = seen.fields(bad), seen.counts.total()
    found = Encoding(
        name,
        GIVEN,
        [
            _("Given by the user."),
            _("%(bad)d of %(all)d fields that are not ASCII fail in it.") % {"bad": count, "all": total},
        ],
        bad_fields=count,
    )
    if own.columns:
        found.warnings.append(("1-encoding-mixed", name, "; ".join(_columns_told(own.columns))))
    if own.name == name or not total:
        return found
    found.evidence.append(
        _("The bytes say %(name)s (%(samples)s).")
        % {"name": own.name, "samples": " · ".join(_samples(seen, own.python))}
    )
    # UTF-8 is not so by chance: what reads well in it is garbled text in any other.
    others = [raw for raw in seen.counts if name != UTF8 and _vote(raw, seen) == UTF8] if own.name == UTF8 else []
    if seen.fields(bad) * 2 > total or seen.fields(others) * 2 > total:
        found.verdict = REFUSED
        found.evidence.append(_("Most of the text would be wrong in %(name)s, so it is not taken.") % {"name": name})
    elif own.verdict in (SURE, LIKELY):
        found.warnings.append(("1-encoding-overridden", name, own.name))
    return found


def _look_for_garbled(found: Encoding, seen: _Seen):
    """Tell text that was stored garbled: it is kept as it is, for what it was can only be guessed."""
    fields, samples = 0, []
    for raw, count in seen.counts.items():
        text = raw.decode(found.python, "replace").replace("\x00", "\ufffd")
        if is_lost(text):
            before = "?" if _decodes(raw, found.python) else None
        else:  # ordinary text, which is nearly all, is passed by quickly
            before = unwound(text) if plainness(text) < CLEAR else None
        if before is None:
            continue
        fields += count
        if len(samples) < SAMPLES:
            samples.append(f"{shown(text)} ← {shown(before)}")
    if fields:
        found.warnings.append(("1-mojibake", str(fields), " · ".join(samples)))


def named(columns: list[Column], encoding: str) -> list[Column]:
    """The columns with the names that are not ASCII read in the encoding of the layer, a character that was cut away.

    A name that is not of that encoding stays as the reader has it.
    """
    found, taken = [], {one.name.upper() for one in columns if one.raw_name.isascii()}
    for one in columns:
        if not one.raw_name.isascii():
            name = _read(one.raw_name, encoding, cut=True) or one.name
            while name.upper() in taken:
                name += "_"
            taken.add(name.upper())
            one = dataclasses.replace(one, name=name)
        found.append(one)
    return found


def _of_names(table: Table) -> str:
    """The encoding in which the field names are ordinary text; nothing where they are ASCII or say nothing."""
    names = {one.raw_name for one in table.columns if not one.raw_name.isascii()}
    seen = _Seen({"": Counter(names)}, names)
    votes = Counter(vote for raw in names if (vote := _vote(raw, seen)))
    return votes.most_common(1)[0][0] if votes else ""


def _not_ascii(table: Table) -> _Seen:
    columns: dict[str, Counter[bytes]] = {}
    full: set[bytes] = set()
    live, alive = ~table.deleted, not table.deleted.any()
    for start in range(0, table.rows, ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        block = table.records[rows]
        anywhere = np.bitwise_or.reduce(block, axis=0) >= 128  # one quick pass: most columns are ASCII in every row
        for column in table.columns:
            if column.kind != "C" or not anywhere[column.start : column.start + column.width].any():
                continue
            raw = block[:, column.start : column.start + column.width]
            unique = trimmed(np.ascontiguousarray(raw if alive else raw[live[rows]])).value_counts()
            beyond = pc.invert(pc.string_is_ascii(unique.field("values").view(pa.string())))
            unique = unique.filter(beyond)
            if not len(unique):
                continue
            counts = columns.setdefault(column.name, Counter())
            for value, count in zip(
                unique.field("values").to_pylist(), unique.field("counts").to_pylist(), strict=True
            ):
                counts[value] += count
                if len(value) >= column.width - 1:
                    full.add(value)
    return _Seen(columns, full)


def _declared(table: Table, cpg: str | None) -> tuple[str | None, list[str]]:
    """What the .cpg, or else the language byte of the DBF, declares; and how both are told."""
    if table.ldid is None:  # no DBF: it declares nothing
        return None, []
    by_byte = LDID.get(table.ldid)
    told = [
        _("The DBF's language byte is 0x%(byte)02X: %(means)s.")
        % {"byte": table.ldid, "means": by_byte or _("nothing said")}
    ]
    if cpg is None:
        told.append(_("There is no .cpg."))
        return by_byte, told
    means = CPG.get(_plain(cpg))
    told.append(
        _("The .cpg says “%(text)s”: %(means)s.") % {"text": shown(cpg[:40]), "means": means or _("nothing known")}
    )
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
    return raw in seen.full and _read(raw, encoding, cut=True) is not None


def _lost_column(seen: _Seen, failing: list[bytes]) -> bool:
    """Whether most of what some column says fails: that is no slip in a few rows, however well the others read."""
    for counts in seen.columns.values():
        bad = sum(counts[raw] for raw in failing)
        if bad >= ENOUGH and bad * 2 > counts.total():
            return True
    return False


def _known(seen: _Seen, encoding: str) -> list[str]:
    raw = {name.encode(encoding, "ignore"): name for name in _names()}
    return sorted(raw[value] for value in seen.counts.keys() & raw.keys())


@cache
def _names() -> frozenset[str]:
    """The names of land classes, districts and streets."""
    names = {use.name for scheme in (codes.SANDIAO, codes.YDYH) for use in codes.land_use(scheme).values()}
    names |= {row["name"] for name in ("districts", "streets") for row in codes.rows(name)}
    return frozenset(name for name in names if len(name) > 1 and not name.isascii())


@cache
def _named_in() -> dict[bytes, str]:
    """The bytes of those names in each encoding: whatever else such bytes might be, they are the name."""
    return {name.encode(PYTHON[encoding], "ignore"): encoding for encoding in (BIG5, GB, UTF8) for name in _names()}


def _plain_share(seen: _Seen, encoding: str) -> float:
    """Of the characters beyond ASCII, the share of ordinary ones, as the encoding reads them."""
    return plainness("".join(raw.decode(encoding, "ignore") for raw in list(seen.counts)[:VOTERS]))


def _samples(seen: _Seen, encoding: str) -> list[str]:
    return [shown(raw.decode(encoding, "replace")) for raw in list(seen.counts)[:SAMPLES]]
