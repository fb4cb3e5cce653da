"""What a dry run found, row by row: as lists, as a map, and as a table to take away."""

import io

import xlsxwriter
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from importers import previewing
from importers.faults import headings
from importers.handing_back import XLSX
from importers.models import IntakeLayer, PreviewProblem
from importers.views import seeing
from importers.views.deliveries import attached, natural, plain
from units.checks.reporting import MOST_ROWS, write
from units.errors import Refused
from units.models import Finding
from units.views.asking import only

MVT = "application/vnd.mapbox-vector-tile"


@require_safe
@cache_control(private=True, no_store=True)
def rows_json(request, number, which):
    """A page of the rows, filtered, and how many there are of each kind."""
    only(request, "kind", "code", "severity", "q", "row", "page_of", "page")
    preview = _previewed(request, number, which).preview
    return JsonResponse(
        previewing.rows(
            preview,
            kind=plain(request.GET.get("kind", "")),
            code=plain(request.GET.get("code", "")),
            severity=plain(request.GET.get("severity", "")),
            q=plain(request.GET.get("q", "").strip())[:80],
            row=_natural(request, "row"),
            page_of=_natural(request, "page_of"),
            page=_natural(request, "page") or 1,
        )
    )


@require_safe
@cache_control(private=True, no_store=True)
def problems_json(request, number, which):
    """A page of the problems, filtered, and how many there are of each code."""
    only(request, "code", "severity", "row", "page")
    return JsonResponse(
        previewing.problems(
            _previewed(request, number, which).preview,
            code=plain(request.GET.get("code", "")),
            severity=plain(request.GET.get("severity", "")),
            row=_natural(request, "row"),
            page=_natural(request, "page") or 1,
        )
    )


@require_safe
@cache_control(private=True, max_age=600)  # the address names a preview, which never changes
def rows_tile(request, number, which, z, x, y):
    """A tile of the map: the rows as they would be, as they were, and the places of the problems."""
    only(request, "preview")
    tile = previewing.tile(_previewed(request, number, which).preview, z, x, y)
    return HttpResponse(tile, content_type=MVT) if tile else HttpResponse(status=204)


@require_safe
@cache_control(private=True, no_store=True)
def problems_workbook(request, number, which):
    """Every problem of a preview, as .xlsx, before anything is written."""
    only(request)
    layer = _previewed(request, number, which)
    return attached(_workbook(layer.preview), XLSX, f"{layer.name}_{timezone.localdate():%Y%m%d}.xlsx")


def _workbook(preview) -> bytes:
    """One row a problem. Whatever a value begins with, it is text."""
    titles = {name: title for name, title in headings().items() if name not in ("x", "y")}
    severities = dict(Finding.Severity.choices)
    buffer = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        sheet = None
        problems = PreviewProblem.objects.filter(preview=preview).order_by("row_number", "pk")
        for number, one in enumerate(problems.iterator()):
            line = number % MOST_ROWS + 1
            if line == 1:
                sheet = _sheet(book, titles, number // MOST_ROWS, bold)
            told = {name: getattr(one, name, None) for name in titles} | {"severity": str(severities[one.severity])}
            if one.geom:
                told |= {"lon": one.geom.x, "lat": one.geom.y}
            for column, name in enumerate(titles):
                write(sheet, line, column, told[name], wrapped)
        if sheet is None:
            _sheet(book, titles, 0, bold)
    return buffer.getvalue()


def _sheet(book, titles: dict[str, str], number: int, bold):
    sheet = book.add_worksheet(_("Problems") + (f" {number + 1}" if number else ""))
    sheet.freeze_panes(1, 0)
    for column, title in enumerate(titles.values()):
        sheet.set_column(column, column, 50 if column in (6, 7) else 16)
        sheet.write_string(0, column, title, bold)
    return sheet


def _previewed(request, number, which) -> IntakeLayer:
    layer = seeing.layer(request, number, which)
    if layer.asked:
        seeing.allowed(seeing.importer(request), layer.intake.district_id, layer.asked["profile"])
    if layer.preview is None or layer.result is None:
        raise Refused(_("This layer was not previewed."), _("Preview it first."), code="not-previewed")
    return layer


def _natural(request, name: str) -> int | None:
    text = request.GET.get(name, "")
    return natural(name, text) if text else None
