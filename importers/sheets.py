"""Take the rows of a table without shapes: firms, their yearly figures, where they are, and supply contracts."""

import datetime
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
from django.db import connection

from importers.batching import Done, absolute, check_keys, row_digests
from importers.checking import EPOCH, Batch, Layerwide, key_text
from importers.merging import TARGETS, merge, stage
from importers.problems import REFUSE, WARN
from importers.profiles import Field
from importers.telling import Telling
from units import codes
from units.models import Building, Enterprise, Parcel
from units.models.parcel import Scheme

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
    if profile.table == "enterprise":
        columns["district_id"] = [about["district"]] * batch.n
    spans: dict[str, list] = {}
    for one in profile.fields:
        if one.kind == "date":
            spans[one.name] = batch.check_date(one)
        elif one.of in UNMATCHED:
            columns[f"{one.of}_id"] = _looked_up(batch, one, about)
        elif one.column:
            columns[one.column] = _values(batch, one)
    if profile.table == "occupancy":
        batch.check_span(profile.field("起始日期"), profile.field("终止日期"), spans)
    for one in profile.fields:
        if one.kind == "date" and one.column:
            columns[one.column] = [None if day is None else EPOCH + datetime.timedelta(day) for day in spans[one.name]]
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
        if one.kind == "integer":
            if one.required:
                batch.refused |= ~np.isfinite(values) & batch.live
            return [int(value) if np.isfinite(value) else None for value in values]
        return [_rounded(float(value), one.decimals) if np.isfinite(value) else None for value in values]
    if one.kind == "truth":
        yes, present = batch.check_truth(one)
        return [bool(said) if known else None for said, known in zip(yes, present, strict=True)]
    return batch.check(one).to_pylist()


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
