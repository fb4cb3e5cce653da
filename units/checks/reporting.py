"""Write what the checks found as a page to read and as a workbook to work through, whole and without a cut."""

import io
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import xlsxwriter
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from units.checks.registry import LAYERS
from units.models import CheckRun, Finding

# Longer texts are refused by the format itself; none of ours is, but a value of a delivered file may be quoted.
MOST_CHARACTERS = 32_000
MOST_ROWS = 1_000_000  # of one sheet; what is more goes on in the next sheet
BATCH = 2000
WIDTHS = {"sentence": 60, "fix": 60, "subjects": 30, "waiver": 30, "where": 26, "file": 24}


def headings() -> dict[str, str]:
    """The columns of the list of findings and what each is called, in the reader's language."""
    return {
        "severity": _("Severity"),
        "state": _("State"),
        "code": _("Check"),
        "layer": _("Layer"),
        "subjects": _("Subjects"),
        "sentence": _("What is wrong"),
        "fix": _("What to do"),
        "measure": _("Size"),
        "uom": _("Unit of measure"),
        "where": _("Place (longitude, latitude)"),
        "street": _("Street"),
        "file": _("File"),
        "row": _("Row of the file"),
        "first_seen": _("First seen"),
        "waiver": _("Waived until"),
        "identity": _("Identity"),
    }


def layer_title(layer: str) -> str:
    """What a layer of the checks is called."""
    return str(LAYERS.get(layer, layer))


def rows(findings, today: date) -> Iterator[dict]:
    """One plain row a finding, in the reader's language; a queryset of `Finding` is read in batches."""
    found = findings.select_related("street", "delivery").prefetch_related("waivers")
    for one in found.iterator(chunk_size=BATCH):
        yield row(one, today)


def row(one: Finding, today: date) -> dict:
    """What the lists say of one finding."""
    sentence, fix = one.in_words()
    centre = one.geom.point_on_surface if one.geom and not one.geom.empty and one.geom.dims == 2 else None
    if one.geom and not one.geom.empty and centre is None:
        centre = one.geom.centroid
    holding = [
        waiver
        for waiver in one.waivers.all()
        if waiver.lifted_at is None and waiver.until >= today and waiver.fingerprint == one.fingerprint
    ]
    return {
        "id": one.pk,
        "identity": one.identity,
        "code": one.code,
        "severity": one.get_severity_display(),
        "is_error": one.severity == Finding.Severity.ERROR,
        "state": one.get_state_display(),
        "is_new": one.state == Finding.State.NEW,
        "layer": layer_title(one.layer),
        "subjects": "、".join(one.subjects),
        "sentence": sentence,
        "fix": fix,
        "measure": one.measure,
        "uom": one.uom,
        "where": f"{centre.x:.6f}, {centre.y:.6f}" if centre else "",
        "street": one.street.name if one.street else "",
        "file": one.delivery.file_name if one.delivery else "",
        "row": one.row_number,
        "first_seen": timezone.localtime(one.first_seen),
        "run": one.run_id,
        "is_resolved": one.state == Finding.State.RESOLVED,
        "group": f"{one.severity}-{one.code}",
        "waiver": max(holding, key=lambda waiver: waiver.until) if holding else None,
    }


def report(run: CheckRun, folder: Path) -> list[Path]:
    """Write FOLDER/report.html and FOLDER/report.xlsx of one run: every open finding, and those that it resolved.

    The folder is made where it does not exist; files of an earlier run are replaced. Returns their paths.
    """
    folder.mkdir(parents=True, exist_ok=True)
    today = timezone.localdate()
    mine = Finding.objects.filter(district=run.district)
    findings = (mine.unresolved() | mine.filter(run=run, state=Finding.State.RESOLVED)).order_by(
        "severity", "code", "pk"
    )
    html, xlsx = folder / "report.html", folder / "report.xlsx"
    told = list(rows(findings, today))
    for one in told:
        one["is_new"] = one["is_new"] and one["run"] == run.pk  # an import says “new” until a check has looked
    head = facts(run) + [(_("Told by imports only"), str(sum(one["run"] is None for one in told)))]
    open_ones = [one for one in told if not one["is_resolved"]]
    resolved = [one for one in told if one["is_resolved"]]
    context = {"run": run, "facts": head, "codes": by_code(open_ones), "rows": open_ones, "resolved": resolved}
    text = render_to_string("units/report.html", context)
    html.write_text(text, encoding="utf-8")
    xlsx.write_bytes(workbook(head, told))
    return [html, xlsx]


def facts(run: CheckRun) -> list[tuple[str, str]]:
    """What the head of a report says of its run: title and value."""
    counts = run.counts
    return [
        (_("District"), f"{run.district.name} {run.district_id}"),
        (_("Survey"), str(run.survey.year) if run.survey else _("no survey in force")),
        (_("Ran at"), timezone.localtime(run.ran_at).strftime("%Y-%m-%d %H:%M")),
        (_("Records looked at"), str(run.checked)),
        (_("New"), str(counts.get("new", 0))),
        (_("Still open"), str(counts.get("open", 0))),
        (_("Resolved"), str(counts.get("resolved", 0))),
        (_("Waived"), str(counts.get("waived", 0))),
        *((_("Could not look: {code}").format(code=code), str(why)) for code, why in run.skipped.items()),
    ]


def by_code(told: Iterable[dict]) -> list[dict]:
    """How many findings each check has, errors and warnings apart, in the order of the list."""
    found: dict[str, dict] = {}
    for one in told:
        head = {name: one[name] for name in ("group", "code", "severity", "is_error")}
        line = found.setdefault(one["group"], head | {"all": 0, "new": 0, "waived": 0})
        line["all"] += 1
        line["new"] += one["is_new"]
        line["waived"] += one["waiver"] is not None
    return list(found.values())


def workbook(head: list[tuple[str, str]], told: Iterable[dict]) -> bytes:
    """The findings as .xlsx: one sheet that says what was run, and one row a finding.

    Texts of delivered files are written as texts: a value that begins with “=” is no formula and no link.
    """
    buffer = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        summary = book.add_worksheet(_("Summary"))
        summary.set_column(0, 0, 24)
        summary.set_column(1, 1, 60)
        for number, (title, value) in enumerate(head):
            summary.write_string(number, 0, str(title), bold)
            summary.write_string(number, 1, str(value))
        titles = headings()
        for number, one in enumerate(told):
            if number % MOST_ROWS == 0:
                further = f" {number // MOST_ROWS + 1}" if number else ""
                sheet = book.add_worksheet(_("Findings") + further)
                sheet.freeze_panes(1, 0)
                sheet.autofilter(0, 0, MOST_ROWS, len(titles) - 1)
                for column, (name, title) in enumerate(titles.items()):
                    sheet.set_column(column, column, WIDTHS.get(name, 14))
                    sheet.write_string(0, column, title, bold)
            for column, name in enumerate(titles):
                write(sheet, number % MOST_ROWS + 1, column, one[name], wrapped)
    return buffer.getvalue()


def write(sheet, line: int, column: int, value, form) -> None:
    """One cell; a number stays a number, everything else is text."""
    if value is None or value == "":
        return
    if isinstance(value, int | float):
        sheet.write_number(line, column, value, form)
    elif hasattr(value, "until"):
        sheet.write_string(line, column, f"{value.until:%Y-%m-%d} {value.reason}"[:MOST_CHARACTERS], form)
    elif hasattr(value, "strftime"):
        sheet.write_string(line, column, value.strftime("%Y-%m-%d %H:%M"), form)
    else:
        sheet.write_string(line, column, str(value)[:MOST_CHARACTERS], form)
