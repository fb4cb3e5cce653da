"""Send the faults of a delivery back: every problem in a workbook, and the refused rows as they came, to be mended."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyproj
import xlsxwriter
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from importers.delivered import reopened
from importers.handing_back import XLSX, ZIP, refused_shapes, refused_sheet
from importers.profiles import profile
from units.checks.reporting import MOST_ROWS, write
from units.models import Delivery, Finding, Refusal
from units.models.judgement import advised, said
from units.spatial import STORAGE_SRID

PROBLEMS_SQL = (Path(__file__).parent / "sql" / "delivery_problems.sql").read_text(encoding="utf-8")
WIDTHS = {"sentence": 60, "fix": 50, "key": 24, "value": 30, "code": 20}


class Returned(NamedTuple):
    """A file for the analyst; `notes` say, in the reader's language, in what it is not as it was delivered."""

    name: str
    media_type: str
    body: bytes
    notes: list[str]


def headings() -> dict[str, str]:
    """The columns of the list of problems and what each is called, in the reader's language."""
    return {
        "row_number": _("Row of the file"),
        "key": _("Identifier"),
        "code": _("Code"),
        "severity": _("Severity"),
        "field": _("Field"),
        "value": _("Value"),
        "sentence": _("What is wrong"),
        "fix": _("What to do"),
        "lon": _("Longitude"),
        "lat": _("Latitude"),
        "x": _("X in the layer's system"),
        "y": _("Y in the layer's system"),
    }


def problems(delivery: Delivery, *, figures: bool = False) -> list[dict]:
    """Every problem of every row of a delivery, in the reader's language, by row; none is left out.

    What a restricted field holds is told only where `figures` says that the reader may know it.
    """
    closed = _closed(delivery)
    raw = _refused_values(delivery)
    found, seen = [], set()
    for number, code, severity, subjects, sentence, fix, details, lon, lat in _findings(delivery):
        told = details.get("told")
        field = details.get("field", "")
        seen.add((number, code, field))
        shut = not figures and (field in closed or details.get("name") in closed)
        value = details.get("value", raw.get((number, code, field), ""))
        x, y = _in_layer(delivery, lon, lat)
        found.append(
            {
                "row_number": number,
                "key": "" if subjects[:1] == [f"#{number}"] else "、".join(subjects),
                "code": code,
                "severity": str(Finding.Severity(severity).label),
                "field": field,
                "value": "" if shut else value,
                "sentence": said(told) if told else sentence,
                "fix": advised(told) if told else fix,
                "lon": lon,
                "lat": lat,
                "x": x,
                "y": y,
            }
        )
    # Every reason of a refused row is a finding too; what is none, for whatever cause, is told all the same.
    for refusal in Refusal.objects.filter(delivery=delivery):
        for reason in refusal.reasons:
            if (refusal.row_number, reason["code"], reason["field"]) in seen:
                continue
            shut = not figures and reason["field"] in closed
            error = reason.get("severity", "refuse") == "refuse"
            found.append(
                dict.fromkeys(headings())
                | {
                    "row_number": refusal.row_number,
                    "key": refusal.identifier,
                    "code": reason["code"],
                    "severity": str(Finding.Severity("error" if error else "warning").label),
                    "field": reason["field"],
                    "value": "" if shut else reason["value"],
                    "sentence": reason["message"],
                    "fix": reason["fix"],
                }
            )
    return sorted(found, key=lambda one: (one["row_number"] or 0, one["code"]))


def workbook(delivery: Delivery, *, figures: bool = False) -> bytes:
    """The problems of a delivery as .xlsx: one sheet that says of what, and one row a problem.

    Whatever a value begins with, it is text: no formula and no link comes out of a delivered file.
    """
    told = problems(delivery, figures=figures)
    buffer = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        exact = book.add_format({"valign": "top", "num_format": "0.000####"})
        summary = book.add_worksheet(_("Summary"))
        summary.set_column(0, 0, 24)
        summary.set_column(1, 1, 60)
        for line, (title, value) in enumerate(_facts(delivery, told)):
            summary.write_string(line, 0, str(title), bold)
            summary.write_string(line, 1, str(value))
        for number in range(max(1, -(-len(told) // MOST_ROWS))):
            sheet = book.add_worksheet(_("Problems") + (f" {number + 1}" if number else ""))
            _sheet(sheet, told[number * MOST_ROWS : (number + 1) * MOST_ROWS], bold, wrapped, exact)
    return buffer.getvalue()


def refused(delivery: Delivery, *, figures: bool = False) -> Returned:
    """The rows of a delivery that were not taken, as they came: a zipped shapefile, or of a table a workbook.

    Read from the kept file; raises NotKept where it is gone. What a restricted field holds is left empty unless
    `figures` says that the reader may know it.
    """
    numbers = list(
        Refusal.objects.filter(delivery=delivery).order_by("row_number").values_list("row_number", flat=True)
    )
    with reopened(delivery) as (_container, seen, found):
        if seen.shapes is None:
            names = {one.name for one in found.profile.fields if one.restricted}
            hidden = set() if figures else {found.columns[name] for name in names & found.columns.keys()}
            body, notes = refused_sheet(seen, numbers, hidden)
            return Returned(f"{_stem(delivery)}_refused.xlsx", XLSX, body, notes)
        body, notes = refused_shapes(seen, numbers, delivery.district.srid)
        return Returned(f"{_stem(delivery)}_refused.zip", ZIP, body, notes)


def refused_zip(delivery: Delivery, *, figures: bool = False) -> bytes:
    """The bytes of `refused`."""
    return refused(delivery, figures=figures).body


def _stem(delivery: Delivery) -> str:
    layer = delivery.settings["layer"]
    plain = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in layer)
    return f"{plain}_{delivery.pk}"


def _sheet(sheet, told: list[dict], bold, wrapped, exact):
    titles = headings()
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(told), 1), len(titles) - 1)
    for column, (name, title) in enumerate(titles.items()):
        sheet.set_column(column, column, WIDTHS.get(name, 14))
        sheet.write_string(0, column, title, bold)
    for line, one in enumerate(told, 1):
        for column, name in enumerate(titles):
            write(sheet, line, column, one[name], exact if name in ("lon", "lat", "x", "y") else wrapped)


def _facts(delivery: Delivery, told: list[dict]) -> Iterator[tuple[str, str]]:
    yield _("Delivery"), f"{delivery.pk} · {delivery.file_name} · {delivery.layer}"
    yield _("District"), f"{delivery.district.name} {delivery.district_id}"
    yield _("Survey"), str(delivery.survey.year)
    yield _("Imported at"), timezone.localtime(delivery.imported_at).strftime("%Y-%m-%d %H:%M")
    yield _("Digest of the file"), delivery.sha256
    yield _("Rows"), str(delivery.rows)
    yield _("Taken"), str(delivery.taken + delivery.changed + delivery.unchanged)
    yield _("Not taken"), str(delivery.refused)
    yield _("Marked deleted"), str(delivery.deleted)
    yield _("Problems"), str(len(told))
    for warning in delivery.warnings:
        if "field" not in warning:  # of the layer as a whole; the others are rows of the list
            yield _("Of the layer"), f"{warning['message']} {warning['fix']}"


def _findings(delivery: Delivery) -> list[tuple]:
    later = Delivery.objects.filter(
        district=delivery.district_id, profile=delivery.profile, pk__gt=delivery.pk
    ).values_list("pk", flat=True)
    with connection.cursor() as cursor:
        cursor.execute(PROBLEMS_SQL, {"delivery": delivery.pk, "later": list(later)})
        return [(*row[:6], json.loads(row[6]), *row[7:]) for row in cursor.fetchall()]


def _closed(delivery: Delivery) -> set[str]:
    """The restricted fields of a delivery, by the profile's names and by the file's."""
    names = {one.name for one in profile(delivery.profile).fields if one.restricted}
    columns = delivery.settings.get("columns", {})
    return names | {columns[name] for name in names & columns.keys()}


def _refused_values(delivery: Delivery) -> dict[tuple, str]:
    """What stood in the fields of refused rows; findings do not quote restricted ones."""
    return {
        (number, reason["code"], reason["field"]): reason["value"]
        for number, reasons in Refusal.objects.filter(delivery=delivery).values_list("row_number", "reasons")
        for reason in reasons
    }


def _in_layer(delivery: Delivery, lon: float | None, lat: float | None) -> tuple[float | None, float | None]:
    """A place in the layer's own system; nothing where that has no code."""
    epsg = delivery.crs["epsg"]
    if lon is None or epsg is None:
        return None, None
    x, y = pyproj.Transformer.from_crs(STORAGE_SRID, epsg, always_xy=True).transform(lon, lat)
    return round(x, 7), round(y, 7)
