"""Tell every version of one row of a register: by whom, when and why it was written, and how two versions differ."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import shapely
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from shapely import MultiPolygon

from units.collections import CHINA_TIME, KEPT
from units.drafting import ACTIONS, called
from units.errors import NotFound
from units.models import (
    Building,
    Delivery,
    Determination,
    Document,
    LegacyLand,
    Parcel,
    RedevelopmentUnit,
    Survey,
    User,
)
from units.rights import READERS, Grant, View, may

# What is told of a row besides the columns that everybody reads through the collection: only to those who work with
# the register. A column that a collection restricts is not among them.
MORE = {
    "parcels": ("unit_code", "right_type", "registered_coverage", "right_from", "right_until"),
    "buildings": ("underground_m2", "vacant_m2", "temporary"),
    "legacy": (
        "ownership",
        "small_property_housing",
        "worth_keeping",
        "in_scope",
        "penalty_closed_on",
        "base_survey_year",
    ),
    "units": ("methods", "programmes", "requirements", "incentives", "plan_editions", "base_survey_year"),
    "determinations": ("criteria", "reason", "procedure", "decided_by", "decided_at", "document"),
}
MODELS = {
    "parcels": Parcel,
    "buildings": Building,
    "legacy": LegacyLand,
    "units": RedevelopmentUnit,
    "determinations": Determination,
}
NOT_TOLD = frozenset({"area_m2", "base_survey", "district_name", "subject", "district_id"})
OF_THE_ROW = {"reasons": "reason_codes"}  # columns that the row itself calls otherwise
AREAS = (Path(__file__).parent / "sql" / "composing" / "areas.sql").read_text(encoding="utf-8")
MORE_ACTIONS = {
    "evidence": gettext_lazy("Facts written"),
    "forms distributed": gettext_lazy("Forms distributed"),
    "form filled": gettext_lazy("Form filled in"),
    "redevelopment started": gettext_lazy("Start of redevelopment"),
}
MOST = 500  # versions of one code that are told, the latest first
DOINGS = {
    "insert": gettext_lazy("Entered"),
    "update": gettext_lazy("Changed"),
    "delete": gettext_lazy("Deleted"),
}


@dataclass(frozen=True)
class Version:
    """One version of a row, as one reader sees it; `number` is its place in the history of the register."""

    number: int
    row: int
    label: str  # insert, update, delete
    at: datetime
    by: str
    what: str
    why: str
    delivery: int | None
    counted: int | None  # the count of edits that the row itself bears
    edition: int | None
    survey: int | None
    state: str
    words: Mapping[str, object]
    shape: MultiPolygon | None
    area_m2: float | None
    changed: tuple[str, ...] = ()  # what is other than in the version before; "geom" for its shape

    @property
    def title(self) -> str:
        return str(DOINGS[self.label])


def versions(register: str, code: str, grants: Iterable[Grant], district: str = "") -> list[Version]:
    """Every version of the rows of that code, latest first, as far as these grants see it.

    A code may have been given to several rows: one in each round of the survey, one for each edition of a unit.
    Raises NotFound where there is none to be seen.
    """
    grants = tuple(grants)
    model = MODELS[register]
    rows = set(model.objects.filter(code=code).values_list("pk", flat=True))
    rows |= set(model.pgh_event_model.objects.filter(code=code).values_list("pgh_obj_id", flat=True)[:MOST])
    events = model.pgh_event_model.objects.filter(pgh_obj_id__in=rows).select_related("pgh_context")
    if district:
        events = events.filter(district_id=district)
    events = list(events.order_by("-pgh_id")[:MOST])[::-1]
    view = KEPT[register].seen_by(grants)
    seen = [one for one in events if _holds(view.rows, one)]
    if not seen:
        raise NotFound(
            _("There is nothing of “%(code)s” in the history, or nothing that you may see.") % {"code": code[:100]},
            _("Look for its code on the map."),
        )
    facts = _Facts(seen)
    told: list[Version] = []
    before: dict[int, Version] = {}
    for event in seen:
        inside = may(grants, READERS[register], event.district_id, event.street_id)
        one = _version(register, event, view, inside, facts)
        last = before.get(event.pgh_obj_id)
        changed = _changed(last, one) if last is not None else ()
        before[event.pgh_obj_id] = replace(one, changed=changed)
        told.append(before[event.pgh_obj_id])
    areas = iter(ellipsoidal([one.shape for one in told if one.shape is not None]))
    told = [one if one.shape is None else replace(one, area_m2=next(areas)) for one in told]
    return told[::-1]


def difference(earlier: Version, later: Version) -> dict:
    """{words: [{name, before, after}], shape: None or {before_m2, after_m2, gained_m2, lost_m2}} of two versions.

    Only what is another in the two; areas on the ellipsoid.
    """
    words = [
        {"name": name, "before": earlier.words.get(name), "after": later.words.get(name)}
        for name in dict.fromkeys((*earlier.words, *later.words))
        if earlier.words.get(name) != later.words.get(name)
    ]
    if earlier.shape is None or later.shape is None or _same(earlier.shape, later.shape):
        return {"words": words, "shape": None}
    gained, lost = ellipsoidal(
        [shapely.difference(later.shape, earlier.shape), shapely.difference(earlier.shape, later.shape)]
    )
    return {
        "words": words,
        "shape": {
            "before_m2": earlier.area_m2,
            "after_m2": later.area_m2,
            "gained_m2": gained,
            "lost_m2": lost,
        },
    }


def ellipsoidal(shapes: list[shapely.Geometry]) -> list[float]:
    """Square metres of each shape on the ellipsoid, as the database measures everything else."""
    if not shapes:
        return []
    with connection.cursor() as cursor:
        cursor.execute(AREAS, {"shapes": [shapely.to_wkb(one) for one in shapes]})
        return [area for (area,) in cursor.fetchall()]


def of(number: int, told: Iterable[Version]) -> Version:
    """The version of that number among those told; NotFound otherwise."""
    found = next((one for one in told if one.number == number), None)
    if found is None:
        raise NotFound(
            _("There is no version %(number)s of it that you may see.") % {"number": number},
            _("Choose two versions of the list."),
        )
    return found


def titles(register: str) -> dict[str, str]:
    """What the columns that a version tells are called."""
    fields = {field.attname: field.verbose_name for field in MODELS[register]._meta.fields}
    fields |= {field.name: field.verbose_name for field in MODELS[register]._meta.fields}
    named = {OF_THE_ROW.get(one.name, one.name): one.title for one in KEPT[register].columns}
    return {name: str(title) for name, title in (fields | named).items()}


# --- one version -------------------------------------------------------------------------------------------------


class _Facts:
    """What the versions of one answer speak of, read once: people, surveys, deliveries and what foreign keys mean."""

    def __init__(self, events):
        self.written = {one.pgh_id: one.pgh_created_at for one in events}
        self.contexts = {one.pgh_id: one.pgh_context.metadata if one.pgh_context else {} for one in events}
        told = self.contexts.values()
        people = {one["user"] for one in told if isinstance(one.get("user"), int)}
        people |= {one.decided_by_id for one in events if getattr(one, "decided_by_id", None)}
        self.people = User.objects.in_bulk(people)
        named = {one.get("delivery") or one.get("undone") for one in told}
        self.deliveries = Delivery.objects.in_bulk({number for number in named if isinstance(number, int)})
        surveys = {one.survey_id for one in events if getattr(one, "survey_id", None)}
        self.years = dict(Survey.objects.filter(pk__in=surveys).values_list("pk", "year"))
        papers = {one.document_id for one in events if getattr(one, "document_id", None)}
        self.papers = Document.objects.in_bulk(papers)


def _version(register: str, event, view: View, inside: bool, facts: _Facts) -> Version:
    context = facts.contexts[event.pgh_id]
    words: dict[str, object] = {}
    for column in KEPT[register].columns:
        name = OF_THE_ROW.get(column.name, column.name)
        if column.name not in NOT_TOLD and view.sees(column.name) and _holds(view.columns[column.name], event):
            words[name] = _plain(event, name, facts)
    if inside:
        words |= {name: _plain(event, name, facts) for name in MORE[register] if hasattr(event, name)}
    geom = getattr(event, "geom", None)
    shape = None if geom is None else shapely.from_wkb(bytes(geom.wkb))
    what, why = _reason(context, facts) if inside else ("", "")
    by = ""
    if inside:
        by = called(facts.people.get(context.get("user"))) or context.get("db_user", "")
    return Version(
        number=event.pgh_id,
        row=event.pgh_obj_id,
        label=event.pgh_label,
        at=event.pgh_created_at,
        by=by,
        what=what,
        why=why,
        delivery=context.get("delivery") if inside else None,
        counted=getattr(event, "version", None),
        edition=getattr(event, "edition", None),
        survey=facts.years.get(getattr(event, "survey_id", None)),
        state=getattr(event, "state", ""),
        words=words,
        shape=shape,
        area_m2=None,
    )


def _plain(event, name: str, facts: _Facts):
    """A value as a person reads it: what a choice or a person is called, else the value itself."""
    if name == "decided_by":
        return called(facts.people.get(event.decided_by_id))
    if name == "document":
        paper = facts.papers.get(event.document_id)
        return str(paper) if paper else ""
    value = getattr(event, name, None)
    field = next((one for one in event._meta.fields if name in (one.name, one.attname)), None)
    choices = dict(field.flatchoices) if field is not None and field.choices else {}
    return str(choices[value]) if isinstance(value, str) and value in choices else value


def _reason(context: Mapping, facts: _Facts) -> tuple[str, str]:
    """What was done when a version was written, and why, in words."""
    why = context.get("reason", "")
    number = context.get("delivery") or context.get("undone")
    if number is not None:
        delivery = facts.deliveries.get(number)
        named = {"number": number, "file": delivery.file_name if delivery else ""}
        if context.get("undone"):
            return _("Delivery %(number)s was taken back: %(file)s") % named, why
        return _("Delivery %(number)s: %(file)s") % named, why
    if "form" in context:
        return _("Survey form %(number)s") % {"number": context["form"]}, why
    if "restored" in context:
        at = facts.written.get(context["restored"])
        when = f"{at.astimezone(CHINA_TIME):%Y-%m-%d %H:%M}" if at else f"#{context['restored']}"
        return _("The version of %(when)s was brought back") % {"when": when}, why
    action = context.get("action", "")
    if action in ACTIONS:
        return str(ACTIONS[action]), why
    if action in MORE_ACTIONS:
        return str(MORE_ACTIONS[action]), why
    steps = action.split(" → ")
    if all(one in _STATES for one in steps):  # one state alone: how a record begins
        return " → ".join(str(_STATES[one]) for one in steps), why
    if action:
        return action, why
    if context.get("source") == "sql":
        return _("By SQL, outside the site"), why
    return "", why


_STATES = {
    **dict(LegacyLand.State.choices),
    **dict(RedevelopmentUnit.State.choices),
    **dict(Determination.State.choices),
}


def _changed(earlier: Version, later: Version) -> tuple[str, ...]:
    names = [name for name in later.words if name in earlier.words and earlier.words[name] != later.words[name]]
    if earlier.shape is not None and later.shape is not None and not _same(earlier.shape, later.shape):
        names.append("geom")
    return tuple(names)


def _same(one: MultiPolygon, other: MultiPolygon) -> bool:
    return shapely.to_wkb(one) == shapely.to_wkb(other)


def _holds(condition, event) -> bool:
    """Whether a condition of rights is true of one version of a row."""
    return any(
        all(getattr(event, column, None) == value for column, value in alternative)
        for alternative in condition.alternatives
    )
