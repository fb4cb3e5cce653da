"""Take the rows of a table without shapes: firms, their years and places, contracts, and what they are held against."""

import datetime
import json
import re
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
from django.db import connection

from importers.arrays import strings
from importers.batching import Done, absolute, check_keys, row_digests
from importers.checking import EPOCH, Batch, Layerwide, key_text
from importers.merging import TARGETS, merge, stage
from importers.problems import REFUSE, WARN
from importers.profiles import Field
from importers.telling import Telling
from units import codes
from units.models import Building, Department, DepartmentAlias, Enterprise, Parcel
from units.models.parcel import Scheme

OF_THE_DISTRICT = ("enterprise", "benchmark", "sector_list")
SPANS = {"occupancy": ("起始日期", "终止日期"), "violation": ("处罚日期", "整改日期")}
MEASURES = {"招商引资": "investment_promotion", "租金补贴": "rent_subsidy", "提升改造": "upgrading"}
UNMATCHED = {"enterprise": "3-no-enterprise", "parcel": "3-no-parcel", "building": "3-no-building"}


def take_sheet(telling: Telling, wide: Layerwide, about: dict, progress=None):
    """Check all rows, look up whom and what they name, and bring them into their table as a delta."""
    seen, found = telling.seen, telling.match
    profile, encoding = found.profile, seen.encoding.python
    every = slice(0, seen.table.rows)
    batch = Batch(seen.table, found, encoding, every, wide)
    digests = row_digests(seen.table, seen.shapes, 0, batch.n)
    check_keys(batch, 0, digests)
    columns = {
        "delivery_id": [about["delivery"]] * batch.n,
        "row_number": [row + 1 + seen.table.before for row in range(batch.n)],
        "row_digest": digests,
    }
    if profile.table in OF_THE_DISTRICT:
        columns["district_id"] = [about["district"]] * batch.n
    if profile.table == "use_state":
        columns["survey_id"] = [about["survey"]] * batch.n
    if profile.table in ("violation", "use_state"):  # people edit them here too
        columns["version"] = [1] * batch.n
    spans: dict[str, list] = {}
    for one in profile.fields:
        if one.kind == "date":
            spans[one.name] = batch.check_date(one)
        elif one.of in UNMATCHED:
            columns[f"{one.of}_id"] = _looked_up(batch, one, about)
        elif one.of == "department":
            columns["owner_department_id"] = _departments(batch, one, about)
        elif one.of == "measures":
            columns["measures"] = _measures(batch, one)
        elif one.column:
            columns[one.column] = _values(batch, one)
    if profile.table in SPANS:
        batch.check_span(*(profile.field(name) for name in SPANS[profile.table]), spans)
    for one in profile.fields:
        if one.kind == "date" and one.column:
            columns[one.column] = [None if day is None else EPOCH + datetime.timedelta(day) for day in spans[one.name]]
    if profile.table in SETTLED:
        SETTLED[profile.table](batch, columns)
    if profile.table == "contract":
        columns["use_scheme"] = _schemes(batch)
    if profile.table == "enterprise":
        _sectors(batch, columns)
    columns["extra"] = [said if said is not None else "{}" for said in batch.further().to_pylist()]
    keep = batch.live & ~batch.refused
    keys = key_text(seen.table, found, encoding, every)
    telling.note(
        Done(
            batch.n,
            memoryview(b""),
            int(keep.sum()),
            int((~batch.live).sum()),
            [absolute(problem, keys, 0) for problem in batch.problems],
            [(int(row), None) for row in np.flatnonzero(batch.refused & batch.live)],
        )
    )
    shown = [_shown(batch, profile.field(name), columns) for name in profile.key_shown]
    spoken = [tuple(values[row] for values in shown) for row in np.flatnonzero(batch.refused & batch.live)]
    _write(telling, columns, np.flatnonzero(keep), about, spoken)
    if progress:
        progress(batch.n, batch.n)


def _write(telling: Telling, columns: dict[str, list], rows: np.ndarray, about: dict, spoken: list[tuple]):
    """Bring the rows in; `spoken` are the identifiers of those that were refused, who leave nothing gone."""
    target = TARGETS[telling.match.profile.table]
    names = list(columns)
    with connection.connection.cursor() as cursor:
        stage(cursor, target)
        with cursor.copy(f"COPY staged ({', '.join(names)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([columns[name][row] for name in names])
        if target.leaves:
            spoken += [key for one in about["beside"] for key in one.identifiers()]
        telling.delta = merge(cursor, target, about, names, telling.counts, spoken=spoken)
        cursor.execute("SELECT geoinv_analyze(%s)", [target.table])


def _shown(batch: Batch, one: Field, columns: dict[str, list]) -> list[str]:
    """A part of the identifiers as they are shown; "" for a code that names nobody: a slip of any other."""
    texts = batch.text(one.name).to_pylist()
    if one.of not in UNMATCHED:
        return texts
    return [text if pk is not None else "" for text, pk in zip(texts, columns[f"{one.of}_id"], strict=True)]


def _values(batch: Batch, one: Field) -> list:
    if one.kind in ("number", "integer"):
        values = batch.check_number(one)
        if one.required:
            batch.refused |= ~np.isfinite(values) & batch.live
        if one.kind == "integer":
            return [int(value) if np.isfinite(value) else None for value in values]
        return [_rounded(float(value), one.decimals) if np.isfinite(value) else None for value in values]
    if one.kind == "truth":
        yes, present = batch.check_truth(one)
        return [bool(said) if known else None for said, known in zip(yes, present, strict=True)]
    values = batch.check(one)
    return _meant(batch, one, values.to_pylist()) if one.means else values.to_pylist()


def _meant(batch: Batch, one: Field, said: list[str]) -> list[str]:
    """What the words of a field mean; where it is required a word that means nothing keeps the row out."""
    meant = dict(pair.split("=") for pair in one.means)
    wrong = np.array([bool(word) and word not in meant for word in said], bool)
    batch.tell(wrong, "3-malformed", one.required or WARN, batch.match.columns.get(one.name, one.name), strings(said))
    batch.keep(wrong, one)
    return [meant.get(word, "") for word in said]


def _rounded(value: float, decimals: int) -> Decimal:
    """Rounded half away from zero, as money and areas are."""
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _looked_up(batch: Batch, one: Field, about: dict) -> list[int | None]:
    """The rows that codes name. What is named and not there is no row to take."""
    values = batch.check(one)
    if one.of == "enterprise":
        there = Enterprise.objects.filter(district_id=about["district"]).exclude(credit_code="")
        known = dict(there.values_list("credit_code", "pk"))
    else:
        model = Parcel if one.of == "parcel" else Building
        known = dict(model.objects.filter(survey_id=about["survey"]).values_list("code", "pk"))
    said = values.to_pylist()
    absent = np.array([bool(code) and code not in known for code in said], bool) & ~batch.refused
    batch.tell(absent, UNMATCHED[one.of], REFUSE, batch.match.columns.get(one.name, one.name), values)
    return [known.get(code) for code in said]


def _schemes(batch: Batch) -> list[str]:
    """The code scheme of each agreed use: as the sheet says it, else by its digits."""
    by_digits, said = batch.uses("约定用途")[0].to_pylist(), batch.text("用途分类").to_pylist()
    found = [given if given in Scheme.values else told for given, told in zip(said, by_digits, strict=True)]
    uses = batch.text("约定用途").to_pylist()
    unknown = [
        bool(use) and scheme in (codes.SANDIAO, codes.YDYH) and use not in codes.land_use(scheme)
        for use, scheme in zip(uses, found, strict=True)
    ]
    name = batch.match.columns.get("约定用途", "约定用途")
    batch.tell(np.array(unknown, bool), "3-code-unknown", WARN, name, batch.text("约定用途"), found)
    return found


def _sectors(batch: Batch, columns: dict[str, list]):
    """A sector code without its edition says nothing: it is kept with the further columns and told."""
    pairs = zip(columns["sector"], columns["sector_edition"], strict=True)
    lost = np.array([bool(code) and not edition for code, edition in pairs], bool)
    batch.tell(lost, "3-required", WARN, batch.match.columns.get("行业分类版本", "行业分类版本"))
    for row in np.flatnonzero(lost):
        batch.kept.setdefault(int(row), {})["行业代码"] = columns["sector"][row]
        columns["sector"][row] = ""


def _departments(batch: Batch, one: Field, about: dict) -> list[int | None]:
    """The departments by name, alias or code; a name that nobody has is told, and kept with the further columns."""
    values = batch.check(one)
    names = DepartmentAlias.objects.filter(district_id=about["district"]).values_list("name", "department_id")
    there = Department.objects.filter(district_id=about["district"]).values_list("name", "code", "pk")
    known = dict(names) | {word: pk for name, code, pk in there for word in (name, code)}
    said = values.to_pylist()
    absent = np.array([bool(name) and name not in known for name in said], bool)
    batch.tell(absent, "3-no-department", WARN, batch.match.columns.get(one.name, one.name), values)
    for row in np.flatnonzero(absent):
        batch.kept.setdefault(int(row), {})[one.name] = said[row]
    return [known.get(name) for name in said]


def _measures(batch: Batch, one: Field) -> list[str | None]:
    """The codes of the measures that were taken, as JSON; null where nothing is said, empty where it says 无."""
    values = batch.check(one)
    found, wrong = [], np.zeros(batch.n, bool)
    for row, said in enumerate(values.to_pylist()):
        words = [word for word in re.split(r"[,，、;；\s]+", said or "") if word]
        wrong[row] = any(word not in MEASURES and word != "无" for word in words)
        codes_said = sorted({MEASURES[word] for word in words if word in MEASURES})
        found.append(None if not words or wrong[row] else json.dumps(codes_said))
    batch.tell(wrong, "3-malformed", WARN, batch.match.columns.get(one.name, one.name), values)
    batch.keep(wrong, one)
    return found


def _benchmarks(batch: Batch, columns: dict[str, list]):
    """Refuse a value whose unit is not that of its figure, or that is of a sector without an edition."""
    units = {"far": "1", "coverage": "1"}
    wrong = [
        bool(figure) and bool(uom) and uom != units.get(figure, "10k CNY/mu")
        for figure, uom in zip(columns["figure"], columns["uom"], strict=True)
    ]
    batch.tell(np.array(wrong, bool), "3-malformed", REFUSE, "计量单位", batch.text("计量单位"))
    pairs = zip(columns["sector"], columns["sector_edition"], strict=True)
    lost = [bool(code) and not edition for code, edition in pairs]
    batch.tell(np.array(lost, bool), "3-required", REFUSE, "行业分类版本")


def _violations(batch: Batch, columns: dict[str, list]):
    """A decision needs its day; who named the day on which it was put right has said that it was."""
    batch.tell(np.array([day is None for day in columns["happened_on"]], bool), "3-required", REFUSE, "处罚日期")
    for row, day in enumerate(columns["rectified_on"]):
        if day is not None and columns["rectified"][row] is None:
            columns["rectified"][row] = True
        elif day is not None and columns["rectified"][row] is False:
            columns["rectified_on"][row] = None
            batch.kept.setdefault(row, {})["整改日期"] = day.isoformat()


def _uses(batch: Batch, columns: dict[str, list]):
    """A row is of a parcel or of a building; what is in use is not idle since a day."""
    nobody = [
        parcel is None and building is None
        for parcel, building in zip(columns["parcel_id"], columns["building_id"], strict=True)
    ]
    batch.tell(np.array(nobody, bool) & ~batch.refused, "3-required", REFUSE, "宗地代码")
    for row, day in enumerate(columns["idle_since"]):
        if day is not None and columns["state"][row] == "in_use":
            columns["idle_since"][row] = None
            batch.kept.setdefault(row, {})["空闲起始日期"] = day.isoformat()


SETTLED = {"benchmark": _benchmarks, "violation": _violations, "use_state": _uses}
