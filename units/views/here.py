"""Say what lies at a place of the map: the shapes that were clicked, in words, as the reader may see them."""

from django.http import JsonResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units import codes
from units.checks.registry import CHECKS
from units.collections import COLLECTIONS, Column
from units.errors import UsageError
from units.models import ControlArea, Finding, LegacyLand, RedevelopmentUnit
from units.spatial import in_mu, rounded
from units.views.asking import BOX, asked, box, grants, only, visible
from units.views.land_classes import land_group

MOST = 30  # shapes of one layer that are told of a place
# Of which layers, from the top of the map: the columns that head the note, then those that are told as pairs.
TOLD = {
    "findings": ("code", ("subjects", "measure", "uom")),
    "units": ("name", ("code", "state", "edition", "mode", "area_m2")),
    "legacy": ("code", ("address", "state", "used_since", "route", "user_name", "penalty_number", "area_m2")),
    "control-areas": ("name", ("kind", "code", "edition", "use", "area_m2")),
    "buildings": (
        "name",
        ("code", "use", "floors", "height_m", "floor_area_m2", "built_year", "safety_grade", "area_m2"),
    ),
    "patches": ("dlmc", ("dlbm", "bsm", "tbbh", "qsxz", "zldwmc", "tbmj", "area_m2")),
}
CHOICES = {
    ("units", "state"): RedevelopmentUnit.State,
    ("legacy", "state"): LegacyLand.State,
    ("legacy", "route"): LegacyLand.Route,
    ("control-areas", "kind"): ControlArea.Kind,
    ("findings", "severity"): Finding.Severity,
    ("findings", "state"): Finding.State,
}
DOMAINS = {("patches", "qsxz"): "QSXZ", ("buildings", "use"): "FWYT"}


@require_safe
@cache_control(private=True, no_cache=True)
def here(request):
    """{items}: `<layer>=<number>,…` names shapes by their numbers in tiles, `<layer>.code=<code>` one by its code.

    What the reader may not see is left out, as is what is not there.
    """
    only(request, *TOLD, *(f"{layer}.code" for layer in TOLD))
    held = grants(request)
    items = []
    for layer in TOLD:
        view = COLLECTIONS[layer].seen_by(held)
        if view.rows.never:
            continue
        wanted, values = [], {}
        if written := request.GET.get(layer):
            wanted.append("fid = ANY(%(numbers)s)")
            values["numbers"] = _numbers(written)
        if code := request.GET.get(f"{layer}.code"):
            wanted.append(f"{COLLECTIONS[layer].code} = %(code)s")
            values["code"] = code
        if wanted:
            source, params = visible(COLLECTIONS[layer], view)
            names = ", ".join(COLLECTIONS[layer].names)
            rows = asked(
                f"SELECT fid, {names}, {BOX} FROM {source} AS seen WHERE {' OR '.join(wanted)}"
                f" ORDER BY fid LIMIT {MOST}",
                params | values,
            )
            if layer == "findings":
                _say_again(rows)
            items += [note(layer, row) for row in rows]
    return JsonResponse({"items": items})


def note(layer: str, row: dict) -> dict:
    """One shape in words: {layer, fid, code, title, swatch, kind, pairs, sentence, fix, link, box}."""
    collection = COLLECTIONS[layer]
    head, pairs = TOLD[layer]
    columns = {column.name: column for column in collection.columns}
    told = {
        "layer": layer,
        "layer_title": str(collection.title),
        "fid": row["fid"],
        "code": row[collection.code],
        "title": row[head] or row[collection.code] or str(collection.title),
        "swatch": _swatch(layer, row),
        "pairs": [
            [str(columns[name].title), _written(layer, columns[name], row[name])]
            for name in pairs
            if row[name] not in (None, "", [])
        ],
        "link": _link(layer, row),
        "box": box(row),
    }
    if layer == "findings":
        told |= {"sentence": row["sentence"], "fix": row["fix"]}
        check = CHECKS.get(row["code"])
        told["title"] = str(check.title) if check else row["code"]
        parts = [row["code"]] if check else []
        parts += [Finding.Severity(row["severity"]).label, Finding.State(row["state"]).label]
        if row.get("waived"):
            parts.append(_("waived until %(day)s") % {"day": row["waived_until"]})
        told["part"] = " · ".join(map(str, parts))
    if layer == "patches":
        told["title"] = f"{row['dlmc'] or ''} {row['dlbm']}".strip()
    if layer == "control-areas" and not row["name"]:
        told["title"] = str(ControlArea.Kind(row["kind"]).label)
    return told


def _say_again(rows: list[dict]) -> None:
    """Findings in the language of who reads now; they are stored in the language of the night."""
    found = Finding.objects.in_bulk([row["fid"] for row in rows])
    for row in rows:
        if finding := found.get(row["fid"]):
            row["sentence"], row["fix"] = finding.in_words()


def _written(layer: str, column: Column, value) -> str:
    choices = CHOICES.get((layer, column.name))
    if choices is not None:
        return str(choices(value).label)
    if domain := DOMAINS.get((layer, column.name)):
        name = codes.domain(domain).get(value, "")
        return f"{name} {value}".strip()
    if column.uom == "m2":
        return f"{rounded(value, 1):,} m² · {rounded(in_mu(value), 2):,} {_('mu')}"
    if column.name == "measure":
        return f"{value:,.2f}"
    if isinstance(value, list):
        return "、".join(map(str, value))
    return f"{value.normalize():f}" if hasattr(value, "normalize") else str(value)


def _swatch(layer: str, row: dict) -> str:
    return {
        "findings": f"finding-{row.get('severity')}",
        "units": f"unit-{row.get('state')}",
        "legacy": f"legacy-{row.get('state')}",
        "control-areas": f"control-{row.get('kind')}",
        "buildings": "swatch-building",
        "patches": f"land-{land_group(row['dlbm'])}" if layer == "patches" else "",
    }[layer]


def _link(layer: str, row: dict) -> str | None:
    """The page of its own that the shape has, where it has one."""
    name = {"units": "unit", "buildings": "building"}.get(layer)
    if name is None:
        return None
    try:
        return reverse(name, kwargs={"code": row["code"]})
    except NoReverseMatch:
        return None


def _numbers(written: str) -> list[int]:
    parts = written.split(",")[:MOST]
    if not all(part.isdecimal() and len(part) <= 18 for part in parts):
        raise UsageError(_("Shapes are named by their numbers, with commas between them."))
    return [int(part) for part in parts]
