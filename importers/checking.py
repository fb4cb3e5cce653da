"""Check the rows of a layer against its profile, batch by batch, as columns: tells what is wrong and mends nothing."""

import datetime
import json
import re
import unicodedata
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from importers.arrays import EMPTY, NOTHING, fixed, flags, floats, strings, truths, whole
from importers.problems import REFUSE, WARN, limits
from importers.profiles import Field, Match, Side
from importers.reading_dbf import Table, decoded, trimmed
from units import codes
from units.codes import SANDIAO, UNKNOWN
from units.spatial import SQUARE_METRES_PER_HECTARE, SQUARE_METRES_PER_MU

YES, NO = ("1", "是", "T", "Y", "t", "y"), ("0", "2", "否", "F", "N", "f", "n", "?")
NULLS = ("<Null>", "<空>", "NULL", "None")
# Square metres and share by which an area field may differ from the measured area.
AREA_DIFFERS, AREA_DIFFERS_SHARE = limits("S02")["m2"], limits("S02")["share"]
AREA_UNITS = {
    "": 1.0,
    "1": 1.0,
    "平方米": 1.0,
    "2": float(SQUARE_METRES_PER_MU),
    "亩": float(SQUARE_METRES_PER_MU),
    "3": float(SQUARE_METRES_PER_HECTARE),
    "公顷": float(SQUARE_METRES_PER_HECTARE),
}
EPOCH = datetime.date(2000, 1, 1)
ORIGINAL = "%s（原值）"  # under which a value that a mapping changed is kept as it was delivered
# How the unit of a column is written too, in small letters and half width.
SAME_UNIT = {
    "平方米": ("平方米", "平米", "m2"),
    "立方米": ("立方米", "m3"),
    "千瓦时": ("千瓦时", "kwh", "度"),
    "吨标准煤": ("吨标准煤", "吨标煤", "tce"),
}
GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
PLAIN = re.compile(r"[+-]?\d+(?:\.\d*)?")
IN_BRACKETS = re.compile(r"（(.+)）$")
SEPARATORS = re.compile(r"[,，、/;；\s]+")


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one row; `row` counts from 0 in the batch."""

    row: int
    code: str
    severity: str
    field: str = ""
    value: str = ""
    more: str = ""
    place: tuple[float, float] | None = None


@dataclass(frozen=True)
class Layerwide:
    """What is decided once for the whole layer, before its rows are read."""

    district: str
    streets: frozenset[str]
    first_row_of_key: dict[str, int] = field(default_factory=dict)
    per_cent: frozenset[str] = frozenset()
    # Of a supplement: keys of which the delivery that it completes held a second row, which was refused; the digest of
    # the row that was taken, and the number of its row there.
    taken_before: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    box: tuple[float, float, float, float] | None = None  # of the district in degrees, where its boundary is known


def field_text(table: Table, match: Match, name: str, encoding: str, rows: slice) -> tuple[pa.Array, np.ndarray]:
    """One profile field of a run of rows as text, "" where empty, and which values did not decode."""
    column = match.columns.get(name)
    n = len(range(*rows.indices(table.rows)))
    mapping = match.mapping
    if mapping is not None and name in mapping.constants:
        return repeated(mapping.constants[name], n), np.zeros(n, bool)
    if column is None:
        return fixed(np.empty((n, 0), np.uint8)).view(pa.string()), np.zeros(n, bool)
    values, bad = column_text(table, column, encoding, rows)
    if mapping is not None and name in mapping.values:
        values = translated(values, mapping.values[name])
    return values, bad


def repeated(value: str, n: int) -> pa.Array:
    """One text in every row."""
    return strings([value]).take(whole(np.zeros(n, np.int64)))


def translated(values: pa.Array, means: dict[str, str]) -> pa.Array:
    """Foreign values as what they mean; those that are not among them as they are."""
    unique = values.dictionary_encode()
    return strings(means.get(said, said) for said in unique.dictionary.to_pylist()).take(unique.indices)


def key_text(table: Table, match: Match, encoding: str, rows: slice, *, shown: bool = True) -> pa.Array:
    """What identifies each row: its key, or the parts of a key of several fields, in one text."""
    profile = match.profile
    names = profile.key_shown if shown else profile.key_parts
    parts = [field_text(table, match, name, encoding, rows)[0] for name in names]
    return parts[0] if len(parts) == 1 else pc.utf8_trim_whitespace(pc.binary_join_element_wise(*parts, " "))


def column_text(table: Table, column: str, encoding: str, rows: slice) -> tuple[pa.Array, np.ndarray]:
    """One column of the DBF as text, the ways of writing "nothing" taken as ""."""
    values, bad = decoded(trimmed(table.raw(table.column(column), rows)), encoding)
    nothing = pc.is_in(values, strings(NULLS))
    if pc.any(nothing).as_py():
        values = pc.if_else(nothing, "", values)
    return values, bad


class Batch:
    """A run of rows of a layer under check. Ask for columns; problems gather as they are asked for."""

    def __init__(self, table: Table, match: Match, encoding: str, rows: slice, layerwide: Layerwide):
        self.table, self.match, self.encoding, self.rows, self.layerwide = table, match, encoding, rows, layerwide
        self.n = len(range(*rows.indices(table.rows)))
        self.live = ~table.deleted[rows]
        self.refused = np.zeros(self.n, bool)
        self.problems: list[Problem] = []
        self._texts: dict[str, tuple[pa.Array, np.ndarray]] = {}
        self._uniques: dict[str, tuple[list[str], np.ndarray]] = {}
        self._numbers: dict[str, np.ndarray] = {}
        self.kept: dict[int, dict[str, str]] = {}
        self.without_street = 0
        first = rows.indices(table.rows)[0]
        for row, (code, severity, value, more) in getattr(table, "told", {}).items():
            if first <= row < first + self.n:
                one = np.zeros(self.n, bool)
                one[row - first] = True
                self.tell(one, code, severity, values=[value] * self.n, more=[more] * self.n)

    def text(self, name: str) -> pa.Array:
        return self._text(name)[0]

    def _text(self, name: str) -> tuple[pa.Array, np.ndarray]:
        if name not in self._texts:
            self._texts[name] = field_text(self.table, self.match, name, self.encoding, self.rows)
        return self._texts[name]

    def unique(self, name: str) -> tuple[list[str], np.ndarray]:
        """The different values of a field, and which of them each row has: codes are few where rows are many."""
        if name not in self._uniques:
            encoded = self.text(name).dictionary_encode()
            self._uniques[name] = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
        return self._uniques[name]

    def where(self, side: Side) -> np.ndarray:
        """The rows in which one side of a rule holds."""
        values, which = self.unique(side.field)
        held = np.array([side.holds(value) for value in values], bool)
        return held[which] if held.any() else np.zeros(self.n, bool)

    def numbers(self, name: str) -> np.ndarray:
        """A number field after its checks, in its own unit."""
        if name not in self._numbers:
            self.check_number(self.match.profile.field(name))
        return self._numbers[name]

    def tell(self, mask, code: str, severity: str, name: str = "", values=None, more="", place=None):
        """Note a problem for each live row of the mask; `values` and `more` may be arrays over the batch."""
        mask = np.asarray(mask) & self.live
        where = np.flatnonzero(mask)
        if not len(where):
            return
        if severity == REFUSE:
            self.refused |= mask
        said = values.take(whole(where)).to_pylist() if isinstance(values, pa.Array | pa.ChunkedArray) else None
        for at, row in enumerate(where):
            value = said[at] if said is not None else (values[row] if values is not None else "")
            told = more[row] if isinstance(more, list | np.ndarray) else more
            self.problems.append(
                Problem(int(row), code, severity, name, str(value)[:200], str(told), place(row) if place else None)
            )

    def keep(self, mask, one: Field):
        """Keep the text of a field whose column cannot hold it with the further columns, so that nothing is lost."""
        if not (one.column or one.wish or one.of):  # those stand there already
            return
        texts = self.text(one.name)
        for row in np.flatnonzero(mask & self.live):
            if said := texts[int(row)].as_py():
                self.kept.setdefault(int(row), {})[one.name] = said.replace("\x00", "")

    def check(self, one: Field) -> pa.Array:
        """A text field after its checks: what may be stored of it."""
        values, bad = self._text(one.name)
        if not self.match.has(one.name):  # that is told once of the layer
            return values
        name = self.match.columns.get(one.name, one.name)
        blank = _mask(pc.equal(values, ""))
        if bad.any():
            self.tell(bad, "3-undecodable", one.undecodable, name, values)
        if one.required:
            key = one.name in self.match.profile.key_parts
            self.tell(blank, "3-key-missing" if key else "3-required", one.required, name)
        present = ~blank & ~bad
        if not present.any() and not bad.any():
            return values
        if one.constant and self.match.has(one.name):
            wrong = present & _mask(pc.not_equal(values, one.constant))
            self.tell(wrong, "3-constant", WARN, name, values, one.constant)
        if one.pattern:
            wrong = present & ~_mask(pc.match_substring_regex(values, f"^(?:{one.pattern})$"))
            self.tell(wrong, one.pattern_code, one.pattern_severity, name, values)
            if one.pattern_blanks:
                self.keep(wrong, one)
                values = pc.if_else(flags(wrong), "", values)
        if one.in_district:
            self._check_district(one, name, values, present)
        if one.scheme:
            known = strings(list(codes.land_use(one.scheme) if one.headings else codes.usable(one.scheme)))
            wrong = present & ~_mask(pc.is_in(values, known))
            self.tell(wrong, one.scheme_code, one.scheme_severity, name, values, one.scheme)
        if one.domain:
            self._check_domain(one, name, values, present)
        if one.only:
            wrong = present & ~_mask(pc.is_in(values, strings(list(one.only))))
            self.tell(wrong, "3-not-current", REFUSE, name, values)
        if one.name_of:
            self._check_name(one, name, values, present)
        if one.width and self._may_be_longer(one):
            values = self._cut(one, name, values)
        return values

    def _check_district(self, one: Field, name: str, values, present):
        foreign = present & ~_mask(pc.starts_with(values, self.layerwide.district))
        if self.match.profile.table == "district":
            self.tell(foreign, "3-other-district", REFUSE, name, values, self.layerwide.district)
        else:
            self.tell(foreign, "3-key-district", WARN, name, values, self.layerwide.district)

    def _check_domain(self, one: Field, name: str, values, present):
        table = codes.domain(one.domain)
        known = list(table)
        if one.domain == "MJDW":
            known += list(AREA_UNITS)
        # Registers write 3 and 03 alike.
        known += [f"0{code}" for code in table if len(code) == 1]
        wrong = present & ~_mask(pc.is_in(values, strings(known)))
        self.tell(wrong, "3-code-unknown", WARN, name, values, one.domain)

    def _check_name(self, one: Field, name: str, values, present):
        coded = self.match.profile.field(one.name_of)
        table = codes.domain(coded.domain) if coded.domain else codes.usable(self.match.profile.default_scheme)
        code = self.text(one.name_of)
        names = table.values()
        if isinstance(self.table, Table):  # a name longer than the column is cut off there, and not wrong
            width = self.table.column(self.match.columns[one.name]).width if one.name in self.match.columns else 254
            names = [name.encode(self.encoding, "replace")[:width].decode(self.encoding, "ignore") for name in names]
        wanted = strings(list(names)).take(pc.index_in(code, strings(list(table))))
        differs = present & _mask(pc.fill_null(pc.not_equal(values, wanted), False))
        if differs.any():
            self.tell(differs, "3-name-differs", WARN, name, values, np.array(wanted.to_pylist(), object))

    def _may_be_longer(self, one: Field) -> bool:
        """Whether the column has room for more characters than the field; a mapping may give more in any case."""
        if self.match.mapping is not None or not isinstance(self.table, Table):
            return True
        return self.table.column(self.match.columns[one.name]).width > one.width

    def _cut(self, one: Field, name: str, values: pa.Array) -> pa.Array:
        long = _mask(pc.greater(pc.utf8_length(values), one.width))
        if not long.any():
            return values
        self.tell(long, "3-too-long", WARN, name, values, str(one.width))
        self.keep(long, one)
        return pc.utf8_slice_codeunits(values, 0, one.width)

    def check_number(self, one: Field) -> np.ndarray:
        """A number field as floats, NaN where empty or not usable."""
        values, bad = self._text(one.name)
        name = self.match.columns.get(one.name, one.name)
        if not self.match.has(one.name):
            self._numbers[one.name] = np.full(self.n, np.nan)
            return self._numbers[one.name]
        found, wrong = as_numbers(values)
        for row in np.flatnonzero(wrong):
            found[row] = as_written(values[int(row)].as_py(), unit_of(one.name))
        wrong &= np.isnan(found)
        if one.kind == "integer":
            wrong |= found != np.where(np.isnan(found), found, np.floor(found))
            wrong &= ~_mask(pc.equal(values, ""))
            found[wrong] = np.nan
        severity = one.required or WARN
        self.keep(wrong, one)
        self.tell(wrong | bad, "3-not-a-number", severity, name, values)
        if one.required:
            self.tell(_mask(pc.equal(values, "")), "3-required", one.required, name)
        if one.share and one.name in self.layerwide.per_cent:
            found = found / 100
        if one.factor != 1.0:
            found = found * one.factor
        if one.unit_field:
            units = self.text(one.unit_field).to_pylist()
            factor = np.array([AREA_UNITS.get(unit.lstrip("0") if unit.isdigit() else unit, 1.0) for unit in units])
            found = found * factor
        most = 1.0 if one.share else one.most
        with np.errstate(invalid="ignore"):
            low = found < one.least if one.least is not None else np.zeros(self.n, bool)
            high = found > most if most is not None else np.zeros(self.n, bool)
            high |= np.abs(found) >= (10 ** (13 if one.decimals < 4 else 11) if one.kind == "number" else 2**31)
        if (low | high).any():
            span = f"{one.least if one.least is not None else '−∞'} … {most if most is not None else '∞'}"
            self.tell(low | high, "3-out-of-range", severity, name, values, span)
            self.keep(low | high, one)
            found = np.where(low | high, np.nan, found)
        self._numbers[one.name] = found
        return found

    def check_flag(self, name: str) -> np.ndarray:
        """A yes-or-no field; what is empty or not known is no, and what is not known is told."""
        values = self.text(name)
        known = pc.is_in(values, strings(("", *YES, *NO)))
        self.tell(~_mask(known), "3-malformed", WARN, self.match.columns.get(name, name), values)
        return _mask(pc.is_in(values, strings(YES)))

    def check_date(self, one: Field) -> list[int | None]:
        """A date field as days since 2000-01-01."""
        values, _bad = self._text(one.name)
        name = self.match.columns.get(one.name, one.name)
        found: list[int | None] = [None] * self.n
        if not self.match.has(one.name):
            return found
        wrong = np.zeros(self.n, bool)
        for row, said in enumerate(values.to_pylist()):
            if said and said != "00000000":
                found[row] = as_days(said)
                wrong[row] = found[row] is None
        self.tell(wrong, "3-not-a-date", WARN, name, values)
        self.keep(wrong, one)
        return found

    def check_truth(self, one: Field) -> tuple[np.ndarray, np.ndarray]:
        """A yes-or-no field of three values: what it says, and where it says anything. Empty is not no."""
        values = self.text(one.name)
        yes, no = _mask(pc.is_in(values, strings(YES))), _mask(pc.is_in(values, strings(NO)))
        known = yes | no | _mask(pc.equal(values, ""))
        self.tell(~known, "3-malformed", WARN, self.match.columns.get(one.name, one.name), values)
        self.keep(~known, one)
        return yes, yes | no

    def check_floors(self, one: Field) -> pa.Array:
        """Areas by floor, written 3:120.50;4:300, as JSON; null where nothing is said or it cannot be read."""
        values = self.text(one.name)
        found, wrong = [], np.zeros(self.n, bool)
        for row, said in enumerate(values.to_pylist()):
            floors = _floors(said) if said else None
            wrong[row] = bool(said) and floors is None
            found.append(json.dumps(floors) if floors else None)
        self.tell(wrong, "3-malformed", WARN, self.match.columns.get(one.name, one.name), values)
        self.keep(wrong, one)
        return strings(found)

    def check_span(self, begin: Field, end: Field, spans: dict[str, list[int | None]]):
        """Take off an end before its beginning, and tell it; `spans` holds the days of each field."""
        reversed_ = np.array(
            [
                low is not None and high is not None and high < low
                for low, high in zip(spans[begin.name], spans[end.name], strict=True)
            ],
            bool,
        )
        if reversed_.any():
            self.tell(
                reversed_, "3-dates-reversed", WARN, self.match.columns.get(end.name, end.name), self.text(end.name)
            )
            self.keep(reversed_, end)
            for row in np.flatnonzero(reversed_):
                spans[end.name][row] = None

    def meanings(self, one: Field, values: pa.Array) -> list[str]:
        """A text field by what its words mean, where the profile gives meanings; else as it is."""
        said = values.to_pylist()
        if not one.means:
            return said
        meant = dict(pair.split("=") for pair in one.means)
        wrong = np.array([bool(word) and word not in meant for word in said], bool)
        self.tell(wrong, "3-malformed", WARN, self.match.columns.get(one.name, one.name), values)
        self.keep(wrong, one)
        return [meant.get(word, "") for word in said]

    def dates_said(self, days: list[int | None]) -> list[str]:
        """Days since 2000-01-01 as ISO dates."""
        return ["" if day is None else (EPOCH + datetime.timedelta(days=day)).isoformat() for day in days]

    def check_areas(self, one: Field, declared: np.ndarray, measured: np.ndarray):
        """Hold an area field, in m², against the measured area."""
        with np.errstate(invalid="ignore"):
            apart = np.round(np.abs(declared - measured), 4)  # surveys keep two decimals
            differs = apart > np.maximum(AREA_DIFFERS, AREA_DIFFERS_SHARE * measured)
        name = self.match.columns.get(one.name, one.name)
        if differs.any():
            said = [f"{value:.2f}" for value in declared]
            self.tell(differs, "3-area-differs", WARN, name, said, [f"{value:.2f}" for value in measured])

    def uses(self, name: str) -> tuple[pa.Array, set[str]]:
        """The code scheme of each row's registered use, and the codes that two schemes know."""
        values = self.text(name).dictionary_encode()
        schemes, ambiguous = [], set()
        for said in values.dictionary.to_pylist():
            scheme, both = use_scheme(said, self.match.profile.default_scheme)
            schemes.append(scheme)
            if both and said:
                ambiguous.add(said)
        return strings(schemes).take(values.indices), ambiguous

    def further(self) -> pa.Array:
        """The columns that have none of their own, as JSON objects; null where a row has nothing further."""
        pieces, match = [], self.match
        serving: dict[str, list[Field]] = {}
        for one in match.profile.fields:
            if one.name in match.columns:
                serving.setdefault(match.columns[one.name], []).append(one)
        for column in self.table.columns:
            of = serving.get(column.name)
            if of is None and column.name.upper() in match.profile.ignore:
                continue
            for name in [column.name] if of is None else [one.name for one in of if not _stored(one)]:
                values, _bad = (
                    self._text(name) if of else column_text(self.table, column.name, self.encoding, self.rows)
                )
                if _mask(pc.not_equal(values, "")).any():
                    unique = values.dictionary_encode()
                    texts = unique.dictionary.to_pylist()
                    said = ["," + _pair(name, value, column.kind) if value else "" for value in texts]
                    pieces.append(strings(said).take(unique.indices))
        if self.kept:
            rows = [self.kept.get(row) for row in range(self.n)]
            pieces.append(strings("," + json.dumps(row, ensure_ascii=False)[1:-1] if row else "" for row in rows))
        if match.mapping is not None:
            pieces += self._mapped()
        if not pieces:
            return pa.nulls(self.n, pa.string())
        # Each piece begins with its comma: joined with null_handling="skip", Arrow loses rows that are null throughout.
        joined = pc.binary_join_element_wise(*pieces, "")
        braced = pc.binary_join_element_wise("{", pc.utf8_slice_codeunits(joined, 1), "}", "")
        return pc.if_else(pc.equal(joined, ""), None, braced)

    def _mapped(self) -> list[pa.Array]:
        """What a mapping changed, as it was delivered, and what it gave to fields that have no column of their own."""
        match, pieces = self.match, []
        for name, value in match.mapping.constants.items():
            if not _stored(match.profile.field(name)):
                pieces.append(repeated("," + _pair(name, value, "C"), self.n))
        foreign: dict[str, set[str]] = {}
        for name, means in match.mapping.values.items():
            foreign.setdefault(match.columns[name], set()).update(means)
        for column, means in foreign.items():
            values, _bad = column_text(self.table, column, self.encoding, self.rows)
            unique = values.dictionary_encode()
            texts = unique.dictionary.to_pylist()
            said = ["," + _pair(ORIGINAL % column, value, "C") if value and value in means else "" for value in texts]
            pieces.append(strings(said).take(unique.indices))
        return pieces


def _stored(one: Field) -> bool:
    """Whether what a field says stands elsewhere than among the further columns."""
    return bool(one.column or one.constant or one.wish or one.of)


def as_numbers(values: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Text as floats, NaN where empty, and which texts are no finite number."""
    blank = pc.equal(values, EMPTY)
    try:
        found = floats(pc.cast(pc.if_else(blank, NOTHING, values), pa.float64()))
    except pa.ArrowInvalid:
        found = np.array([_number(said) for said in values.to_pylist()])
    wrong = ~np.isfinite(found) & ~truths(blank)
    return np.where(wrong, np.nan, found), wrong


def _number(said: str) -> float:
    try:
        return np.nan if "_" in said else float(said)  # Python's own 1_000 is nobody's number
    except ValueError:
        return np.nan


def as_written(said: str, unit: str = "") -> float:
    """A number as people type it: full-width digits, thousands in groups, behind it the unit of its own column.

    Another unit than the column's contradicts one of the two, and a comma elsewhere may be a decimal one: NaN.
    """
    plain = unicodedata.normalize("NFKC", said).replace("−", "-").casefold().strip()
    for written in SAME_UNIT.get(unit, (unit,)):
        if written and plain.endswith(written):
            plain = plain.removesuffix(written).rstrip()
            break
    found = GROUPED.fullmatch(plain) or PLAIN.fullmatch(plain)
    return float(found[0].replace(",", "")) if found else np.nan


def unit_of(name: str) -> str:
    """The unit that a field's name gives in its brackets, or nothing."""
    found = IN_BRACKETS.search(name)
    return found[1] if found else ""


def as_days(said: str) -> int | None:
    """A date written 20240131, 2024-1-31, 2024/01/31 or 2024年1月31日, as days since 2000-01-01."""
    parts = re.fullmatch(r"(\d{4})(\d\d)(\d\d)", said) or re.match(
        r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:\s|$)", said
    )
    if not parts:
        return None
    try:
        return (datetime.date(*map(int, parts.groups())) - EPOCH).days
    except ValueError:
        return None


def use_scheme(said: str, default: str) -> tuple[str, bool]:
    """The scheme of a registered use, which may hold several codes; and whether `default` had to decide."""
    found, both = set(), False
    for code in SEPARATORS.split(said.strip()):
        if not code:
            continue
        found.add(codes.scheme_of(code, default))
        both |= code in codes.land_use(SANDIAO) and code in codes.land_use(codes.YDYH)
    if not found:
        return UNKNOWN, False
    return (found.pop() if len(found) == 1 else UNKNOWN), both


def _floors(said: str) -> dict[str, float] | None:
    found = {}
    for part in filter(None, re.split(r"[;；]", said)):
        match = re.fullmatch(r"\s*(-?\d{1,3}(?:-\d{1,3})?)\s*[:：]\s*(\d+(?:\.\d+)?)\s*", part)
        if not match or match[1] in found:
            return None
        found[match[1]] = float(match[2])
    return found


def _pair(name: str, value: str, kind: str) -> str:
    if kind in "NF" and len(value) <= 25:
        number = _number(value)
        if np.isfinite(number) and abs(number) < 2**53:
            whole = int(number) if number == int(number) else number
            return f"{json.dumps(name, ensure_ascii=False)}:{json.dumps(whole)}"
    # NUL cannot be stored in jsonb.
    return json.dumps({name: value.replace("\x00", "")}, ensure_ascii=False)[1:-1]


def _mask(values) -> np.ndarray:
    return values.to_numpy(zero_copy_only=False).astype(bool)
