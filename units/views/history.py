"""The past for people: what changed between two days or two rounds, and every version of one row."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import quote, urlencode

import shapely
from django.contrib import messages
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.http import HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from units import differing, restoring
from units.asof import read_day, today
from units.collections import CHINA_TIME, KEPT
from units.composing import may_draw
from units.drafting import found
from units.errors import NotAllowed, NotFound, UnknownName, UsageError
from units.geometry import flat
from units.lineage import origins, resolve
from units.models import Delivery, District, Move, Parcel, RedevelopmentUnit, Survey
from units.rights import READERS, may, may_import
from units.versions import MODELS, Version, difference, of, titles, versions
from units.views.asking import asked, grants, only
from units.views.candidates import line
from units.views.conditions import required_version
from units.views.places import districts_of

PAGE = 50  # features
TABLE_PAGE = 2_000  # features that are read at a time for the table
MONTH = timedelta(days=30)  # between the days that are compared where none is chosen
KIND_TITLES = {
    "added": gettext_lazy("New"),
    "removed": gettext_lazy("Gone"),
    "moved": gettext_lazy("Another shape"),
    "reworded": gettext_lazy("Other entries"),
}
PARAMETERS = ("district", "by", "from", "to", "register", "kind")
DAYS, ROUNDS = "days", "rounds"
PAGES = {
    "parcels": ("parcel", "parcel-history"),
    "buildings": ("building", "building-history"),
    "legacy": ("legacy-land", "legacy-history"),
    "units": ("unit", "unit-history"),
    "determinations": ("determination", "determination-history"),
}
MARGIN = 0.04  # of the longer side, around a sketch
EDITS = """
SELECT (e.pgh_created_at AT TIME ZONE 'Asia/Shanghai')::date AS day, e.district_id, e.street_id, count(*) AS count
FROM units_redevelopmentunitevent e WHERE e.district_id = ANY(%(districts)s) GROUP BY 1, 2, 3
"""


@require_safe
@cache_control(private=True, no_cache=True)
def history(request):
    """What changed in the registers of a district between two days, or in the layers between two rounds."""
    only(request, *PARAMETERS, "after")
    held = _readers(request)
    asked_for = _Asked(request.GET, held)
    rows, following = [], None
    if not asked_for.lone:
        chosen = asked_for.comparison(asked_for.register)
        rows, following = chosen.rows(asked_for.kinds, request.GET.get("after", ""), PAGE)
        rows = _told(chosen, rows)
    context = {
        "asked": asked_for,
        "districts": districts_of(held),
        "today": today(),
        "years": asked_for.years,
        "registers": [] if asked_for.lone else [_summed(name, asked_for) for name in asked_for.registers],
        "kinds": [{"id": name, "title": title} for name, title in KIND_TITLES.items()],
        "rows": rows,
        "title": KEPT[asked_for.register].title,
        "next": asked_for.address(after=following) if following else "",
        "table": f"{reverse('history-table')}?{asked_for.query()}",
    }
    return render(request, "units/history.html", context)


@require_safe
@cache_control(private=True, no_cache=True)
def history_changes(request):
    """The same for programs: {totals: {kind}, items, next} of one register."""
    only(request, *PARAMETERS, "after")
    asked_for = _Asked(request.GET, _readers(request))
    chosen = asked_for.comparison(asked_for.register)
    rows, following = chosen.rows(asked_for.kinds, request.GET.get("after", ""), PAGE)
    for row in rows:
        row["box"] = _box(row)
    told = {"register": asked_for.register, "district": asked_for.district, "by": asked_for.by}
    told |= {"from": asked_for.start, "to": asked_for.end, "totals": chosen.totals(), "items": rows, "next": following}
    return JsonResponse(told)


@require_safe
@cache_control(private=True, no_cache=True)
def history_table(request):
    """Every feature of one register that differs, as CSV, with no cell that a spreadsheet would run as a formula."""
    only(request, *PARAMETERS)
    asked_for = _Asked(request.GET, _readers(request))
    chosen = asked_for.comparison(asked_for.register)
    answer = StreamingHttpResponse(_lines(chosen, asked_for.kinds), content_type="text/csv; charset=utf-8")
    name = f"history-{asked_for.register}-{asked_for.district}-{asked_for.start}-{asked_for.end}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@require_safe
@cache_control(private=True, no_cache=True)
def map_dates(request):
    """{first, today, days: [{day, told}]}: the days on which something was delivered, put in force, moved or drawn."""
    only(request, "district")
    held = _readers(request)
    codes = [one.code for one in districts_of(held)]
    if wanted := request.GET.get("district"):
        codes = [code for code in codes if code == wanted]
    counts: dict[date, Counter] = defaultdict(Counter)
    deliveries = Delivery.objects.filter(district__in=codes, state=Delivery.State.LOADED)
    for at in deliveries.values_list("imported_at", flat=True):
        counts[_day(at)]["delivered"] += 1
    activated = Survey.pgh_event_model.objects.filter(district__in=codes, state=Survey.State.IN_FORCE)
    years = defaultdict(set)
    for at, year in activated.values_list("pgh_created_at", "year"):
        years[_day(at)].add(year)
        counts[_day(at)]["put in force"] += 1
    moves = Move.objects.filter(district__in=codes)
    moves = moves.values_list(TruncDate("at", tzinfo=CHINA_TIME), "district", "street")
    for day, district, street, number in moves.annotate(Count("pk")).order_by():
        if may(held, READERS["determinations"], district, street):
            counts[day]["moved"] += number
    for row in asked(EDITS, {"districts": codes}):
        if may(held, READERS["units"], row["district_id"], row["street_id"]):
            counts[row["day"]]["drawn"] += row["count"]
    days = [{"day": day.isoformat(), "told": _sentence(counts[day], years[day])} for day in sorted(counts)]
    now = today().isoformat()
    return JsonResponse({"first": days[0]["day"] if days else now, "today": now, "days": days})


@require_safe
@cache_control(private=True, no_cache=True)
def row_history(request, register: str, code: str):
    """Every version of one row, and what is another in two of them: `one` and `other` are their numbers."""
    only(request, "district", "one", "other")
    return _row_page(request, register, code)


@require_POST
def unit_restore(request, code: str):
    """An earlier version of a unit as a draft of today; what is refused is told on the page."""
    held = _readers(request)
    district = request.POST.get("district", "")
    number = request.POST.get("number", "")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise UsageError(_("Say which version is to be brought back."), _("Choose one of the list."))
    unit = found(held, _printable(code), _printable(district))
    version = required_version(request, request.POST.get("version"), edition=unit.edition)
    unit = restoring.restore(request.user, unit.code, int(number), version, unit.district_id)
    messages.success(
        request,
        _("The unit %(code)s has the shape and record of that version again, as a draft (version %(edition)s).")
        % {"code": unit.code, "edition": unit.edition},
    )
    return HttpResponseRedirect(f"{reverse('unit-history', args=[unit.code])}?district={unit.district_id}")


# --- what is asked -----------------------------------------------------------------------------------------------


class _Asked:
    """What the address of a comparison says, or what it means where it says nothing."""

    def __init__(self, given, held):
        places = {one.code: one for one in districts_of(held)}
        self.held = held
        self.district = given.get("district", "") or next(iter(places), "")
        if self.district not in places:
            raise NotFound(
                _("There is no district %(code)s that you may see.") % {"code": self.district[:20]},
                _("Choose one of the list."),
            )
        self.place: District = places[self.district]
        self.by = given.get("by", "") or DAYS
        if self.by not in (DAYS, ROUNDS):
            raise UnknownName(self.by[:20], (DAYS, ROUNDS), _("comparison"))
        self.years = sorted(Survey.objects.filter(district=self.district).values_list("year", flat=True))
        if self.by == DAYS:
            last = read_day(given.get("to", "")) or today()
            first = read_day(given.get("from", "")) or last - MONTH
            self.ends: tuple = (first, last)
        else:
            self.ends = (_year(given.get("from", "")), _year(given.get("to", "")))
            if None in self.ends:
                known = (self.years or [today().year])[-2:]
                self.ends = (self.ends[0] or known[0], self.ends[1] or known[-1])
        open_to = differing.registers(held)
        self.registers = [name for name in open_to if self.by == DAYS or name in differing.ROUNDS]
        self.register = given.get("register", "") or (self.registers[0] if self.registers else "parcels")
        kind = given.get("kind", "")
        if kind and kind not in KIND_TITLES:
            raise UnknownName(kind[:20], KIND_TITLES, _("kind of change"))
        self.kind = kind
        self.kinds = (kind,) if kind else tuple(KIND_TITLES)

    @property
    def start(self) -> str:
        return str(self.ends[0])

    @property
    def end(self) -> str:
        return str(self.ends[1])

    @property
    def lone(self) -> bool:
        """Whether two rounds are to be compared where there is only one."""
        return self.by == ROUNDS and len(self.years) < 2

    def comparison(self, register: str) -> differing.Comparison:
        between = differing.between_days if self.by == DAYS else differing.between_rounds
        return between(register, self.district, *self.ends, self.held)

    def query(self, **changed) -> str:
        told = {"district": self.district, "by": self.by, "from": self.start, "to": self.end}
        told |= {"register": self.register, "kind": self.kind} | changed
        return urlencode({name: value for name, value in told.items() if value})

    def address(self, **changed) -> str:
        return f"{reverse('history')}?{self.query(**changed)}"


def _summed(name: str, asked_for: _Asked) -> dict:
    """One line of the summary: a register with how much of it came, went and changed."""
    totals = asked_for.comparison(name).totals()
    return {
        "id": name,
        "title": KEPT[name].title,
        "here": name == asked_for.register,
        "address": asked_for.address(register=name, kind=""),
        "totals": [
            totals[kind] | {"kind": kind, "address": asked_for.address(register=name, kind=kind)}
            for kind in KIND_TITLES
        ],
        "same": totals["same"],
    }


def _told(chosen: differing.Comparison, rows: list[dict]) -> list[dict]:
    """The rows of a page with their addresses and the words of their columns."""
    named = {one.name: str(one.title) for one in KEPT[chosen.register].columns}
    page, history_page = PAGES.get(chosen.register, (None, None))
    found = []
    for row in rows:
        code = row["key"].rsplit("/", 1)[0] if chosen.register == "units" else row["key"]
        row |= {
            "title": KIND_TITLES[row["kind"]],
            "words": [named.get(word, word) for word in row["words"]],
            "code": code,
            "box": _box(row),
        }
        if history_page:
            row["history"] = f"{reverse(history_page, args=[code])}?{urlencode({'district': chosen.district})}"
        found.append(row)
    return found


def _lines(chosen: differing.Comparison, kinds) -> Iterator[str]:
    named = {one.name: str(one.title) for one in KEPT[chosen.register].columns}
    head = [_("Code"), _("Change"), _("Entries that changed"), _("Earlier area (m²)"), _("Later area (m²)")]
    yield "\ufeff" + line([*head, _("Land gained (m²)"), _("Land lost (m²)")])
    after: str | None = ""
    while after is not None:
        rows, after = chosen.rows(kinds, after, TABLE_PAGE)
        for row in rows:
            areas = (row[name] for name in ("area_before", "area_after", "gained_m2", "lost_m2"))
            yield line(
                [
                    row["key"],
                    KIND_TITLES[row["kind"]],
                    "；".join(named.get(word, word) for word in row["words"]),
                    *("" if area is None else f"{area:.2f}" for area in areas),
                ]
            )


def _box(row: dict) -> list[float] | None:
    sides = [row.pop(name) for name in ("west", "south", "east", "north")]
    return None if None in sides else [round(side, 7) for side in sides]


def _sentence(counts: Counter, years: set[int]) -> str:
    """What happened on a day, in a line."""
    parts = []
    if years:
        parts.append(_("survey %(years)s put in force") % {"years": ", ".join(map(str, sorted(years)))})
    if count := counts["delivered"]:
        parts.append(ngettext("%(count)d delivery", "%(count)d deliveries", count) % {"count": count})
    if count := counts["moved"]:
        parts.append(ngettext("%(count)d step of records", "%(count)d steps of records", count) % {"count": count})
    if count := counts["drawn"]:
        parts.append(ngettext("%(count)d edit of units", "%(count)d edits of units", count) % {"count": count})
    return _("; ").join(parts)


# --- one row -----------------------------------------------------------------------------------------------------


def _row_page(request, register: str, code: str):
    held = grants(request)
    district = _printable(request.GET.get("district", ""))
    told = versions(register, _printable(code), held, district)
    latest = told[0]
    inside = any(one.by for one in told)
    one, other = _two(request.GET, told)
    names = titles(register)
    context = {
        "register": register,
        "register_title": KEPT[register].title,
        "code": code,
        "district": district,
        "inside": inside,
        "rows": [_line(version, names, register) for version in told],
        "latest": latest,
        "page": _page_of(register, code),
        "imports": may_import(held),
    }
    if register == "parcels":
        context["lineage"] = _lineage(code, held)
    if one is not None and other is not None:
        context["difference"] = _difference(one, other, names, register)
    if register == "units" and request.user.is_authenticated:
        context |= _restoring(held, code, district)
    return render(request, "units/row_history.html", context)


def _lineage(code: str, held) -> list[dict]:
    """Which codes the ground of a parcel came from and went to, as far as they may be seen: [{sentence, codes}]."""
    seen = KEPT["parcels"].seen_by(held).rows.q()

    def visible(codes: list[str]) -> list[str]:
        known = set(Parcel.objects.filter(seen, code__in=codes).values_list("code", flat=True))
        return [one for one in codes if one != code and one in known]

    district = code[:6]
    told = [
        (_("Its ground is now that of:"), visible(resolve("parcel", district, code))),
        (_("Its ground came from:"), visible(origins("parcel", district, code))),
    ]
    return [{"sentence": sentence, "codes": codes} for sentence, codes in told if codes]


def _page_of(register: str, code: str) -> str:
    """Where the row itself is told: its page, or its place on the map where it has none."""
    try:
        return reverse(PAGES[register][0], args=[code])
    except NoReverseMatch:
        return f"{reverse('map')}#&{register}={quote(code)}"


def _restoring(held, code: str, district: str) -> dict:
    """Whether, and onto which version, an earlier version may be brought back."""
    try:
        unit = found(held, code, district)
    except NotFound:
        return {}
    state = RedevelopmentUnit.State
    movable = unit.state in (state.DRAFT, state.APPROVED, state.DELETED)
    return {"unit": unit, "may_restore": movable and may_draw(held, unit.district_id, unit.street_id)}


def _two(query, told: list[Version]) -> tuple[Version | None, Version | None]:
    """The two versions that are compared, the earlier first: those named, else the last two of the latest row."""
    if query.get("one") and query.get("other"):
        numbers = [query["one"], query["other"]]
        if not all(number.isascii() and number.isdigit() and len(number) < 11 for number in numbers):
            raise UsageError(_("A version is named by its number."), _("Choose two versions of the list."))
        one, other = sorted((of(int(number), told) for number in numbers), key=lambda version: version.number)
        return one, other
    return (told[1], told[0]) if len(told) > 1 else (None, None)


def _line(version: Version, names: dict[str, str], register: str) -> dict:
    return {
        "version": version,
        "at": localtime(version.at, CHINA_TIME),
        "state": _state(register, version.state),
        "changed": [_("Shape") if name == "geom" else names.get(name, name) for name in version.changed],
    }


def _state(register: str, state: str) -> str:
    """What the state of a version is called; empty for a register without states."""
    if not state:
        return ""
    return str(dict(MODELS[register]._meta.get_field("state").flatchoices).get(state, state))


def _difference(one: Version, other: Version, names: dict[str, str], register: str) -> dict:
    told = difference(one, other)
    found = {
        "one": one,
        "other": other,
        "one_at": localtime(one.at, CHINA_TIME),
        "other_at": localtime(other.at, CHINA_TIME),
        "words": [
            {
                "title": names.get(row["name"], row["name"]),
                "before": _written(row["before"]),
                "after": _written(row["after"]),
            }
            for row in told["words"]
        ],
        "shape": told["shape"],
    }
    if told["shape"]:
        found["sketch"] = _sketch([one.shape, other.shape])
    return found


def _sketch(shapes: list) -> dict:
    """{box, paths}: outlines in metres beside each other, north up, in a plane that is true at their middle."""
    middle = shapely.union_all([shapely.box(*shape.bounds) for shape in shapes]).centroid
    zone = 4534 + round((middle.x - 75) / 3)  # the three-degree zone of CGCS2000 around it, by central meridian
    west, south, east, north = shapely.total_bounds(
        [shapely.transform(shape, lambda points: flat(points, zone)) for shape in shapes]
    ).tolist()
    margin = max(east - west, north - south) * MARGIN

    def path(shape) -> str:
        told = []
        for ring in shapely.get_rings(shapely.get_parts(shape)):
            points = flat(shapely.get_coordinates(ring)[:-1], zone)
            told.append("M" + "L".join(f"{x - west:.1f} {north - y:.1f}" for x, y in points.tolist()) + "Z")
        return "".join(told)

    sides = (-margin, -margin, east - west + 2 * margin, north - south + 2 * margin)
    return {"box": " ".join(f"{side:.1f}" for side in sides), "paths": [path(shape) for shape in shapes]}


def _written(value) -> str:
    """A value of a version as text for people; a dash where it says nothing."""
    match value:
        case None | "" | [] | {}:
            return "–"
        case bool():
            return _("yes") if value else _("no")
        case Decimal() | float():
            return f"{value:,.4f}".rstrip("0").rstrip(".")
        case list():
            return "；".join(_written(one) for one in value)
        case dict():
            return "；".join(f"{name}: {_written(one)}" for name, one in value.items())
    return str(value)


# --- who and what ------------------------------------------------------------------------------------------------


def _readers(request):
    held = grants(request)
    if not differing.registers(held):
        raise NotAllowed(
            _("The history is open to those who work on the land."), _("Sign in with an account of one of them.")
        )
    return held


def _printable(text: str) -> str:
    if "\0" in text:
        raise UsageError(_("The request cannot be understood."))
    return text


def _year(text: str) -> int | None:
    if not text.strip():
        return None
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        raise UsageError(_("“%(text)s” is no year.") % {"text": text[:20]}, _("Choose two rounds of the survey."))
    return int(text)


def _day(at) -> date:
    return at.astimezone(CHINA_TIME).date()
