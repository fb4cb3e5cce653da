"""The records of low-efficiency land for people: listed, told on a page, moved one by one or together."""

import re
from collections import Counter
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from units import listing
from units.campaigning import visible as forms_seen
from units.criteria import sets
from units.criteria.measures import MEASURES
from units.errors import GeoinvError, NotAllowed, NotFound, UnknownName, UsageError
from units.explaining import IDLE
from units.gates.record import AFTER
from units.models import Building, Category, Determination, Flag, Parcel, Street
from units.moving import allowed, move
from units.records import determination_of, flag_of, form_of, moves_of, parts_of, visible
from units.rights import Grant, Role, may, sees_figures, view
from units.sealing import visible as visible_sets
from units.second_factor import asks
from units.staleness import changed_by_the_last_run, changed_since, opened
from units.suspecting import by_hand, may_raise, may_raise_all, suspects
from units.views.asking import grants, only
from units.views.candidates import rule_titles
from units.views.conditions import refused_status, required_version
from units.views.moves import again, answered_for, together
from units.views.places import with_surveys
from units.views.steps import action, asked, path, said, told, whose_turn
from units.wording import written
from units.workflow import DROPPED, NUMBERS, RECORD, STATES, Step, steps_of

PAGE = 50  # records
FILTERS = {
    "state": gettext_lazy("State"),
    "category": gettext_lazy("Category"),
    "result": gettext_lazy("Result"),
    "street": gettext_lazy("Street"),
    "code": gettext_lazy("Code contains"),
}
COUNTED = ("state", "category", "result", "street")
NONE = "none"  # the filter value of what is empty


@require_safe
@cache_control(private=True, no_cache=True)
def determinations(request):
    """The list of the reader's places, filtered, a page at a time; the counts are of all."""
    only(request, *FILTERS, "page")
    return _list(request)


@require_safe
@cache_control(private=True, no_cache=True)
def determination(request, code: str):
    """The page of one record; the code of its parcel or building leads to it."""
    only(request)
    held = _readers(request)
    record = determination_of(_printable(code), held)
    if record.code != code:
        return HttpResponseRedirect(_address(record))
    return _page(request, record, held)


@require_POST
def determination_move(request, code: str):
    """One step of one record, then its page again; what is refused is told beside the form."""
    held = _readers(request)
    record = determination_of(_printable(code), held)
    try:
        given = said(request.POST) | {"version": required_version(request, request.POST.get("version"))}
        answered_for(request, RECORD, record, given["to"])
        move(record, by=request.user, **given)
    except (NotAllowed, NotFound):
        raise
    except GeoinvError as error:
        return _page(request, determination_of(record.code, held), held, error)
    return HttpResponseRedirect(f"{_address(record)}#moves")


@require_POST
def determination_start(request, code: str):
    """Record that redevelopment of a listed record has started: its clock stops (NJ101)."""
    held = _readers(request)
    record = determination_of(_printable(code), held)
    try:
        given = said(request.POST)
        version = required_version(request, request.POST.get("version"))
        listing.start(request.user, record.code, version, given.get("on"), given["document"])
    except (NotAllowed, NotFound):
        raise
    except GeoinvError as error:
        return _page(request, determination_of(record.code, held), held, error)
    return HttpResponseRedirect(f"{_address(record)}#listing")


@require_POST
def determination_moves(request):
    """Many records by one step, all or none: the question first, then what was moved or what stood in the way."""
    _readers(request)
    query = again(request.POST.get("query", ""), (*FILTERS, "page"))
    return together(request, RECORD, f"{reverse('determinations')}?{query}", query)


@require_POST
def determination_suspects(request):
    """A record for every candidate of a district that has none yet."""
    _readers(request)
    made = suspects(_printable(request.POST.get("district", "")), by=request.user)
    messages.success(
        request,
        _("%(made)d records were raised; %(known)d candidates had one already.")
        % {"made": made["made"], "known": made["known"]},
    )
    return HttpResponseRedirect(f"{reverse('determinations')}?state=suspect")


@require_POST
def determination_by_hand(request):
    """A record of land that no rule raised, with the reason that was written."""
    _readers(request)
    given = {name: request.POST.get(name, "") for name in ("subject", "category", "reason", "subtype")}
    record = by_hand(_printable(given["subject"]), request.user, given["category"], given["reason"], given["subtype"])
    return HttpResponseRedirect(_address(record))


def determination_block(row: Parcel | Building, held: tuple[Grant, ...]) -> dict:
    """What a card says of the record of its land: {determination: {...} or None, raise_by_hand: {...} or None}."""
    column = "building" if isinstance(row, Building) else "parcel"
    record = visible(held).filter(**{column: row}).select_related("decided_by").order_by("-pk").first()
    if record is None:
        may = may_raise(held, row.district_id, row.street_id)
        return {"determination": None, "raise_by_hand": _by_hand_form(row.code) if may else None}
    changed = changed_by_the_last_run([record]).get(record.pk, [])
    told = {
        "record": record,
        "address": _address(record),
        "changed": bool(changed),
        "steps": [action(one) for one in allowed(record, held)],
    }
    return {"determination": told, "raise_by_hand": None}


# --- the page of one record --------------------------------------------------------------------------------------


def _page(request, record: Determination, held: tuple[Grant, ...], refused: GeoinvError | None = None):
    flag = flag_of(record)
    figures = sees_figures(held, record.district_id, record.street_id)
    sheet = form_of(record)
    then = record.evidence if record.result else {}
    row = record.parcel or record.building
    context = {
        "record": record,
        "subject": row,
        "subject_address": reverse("building" if record.building_id else "parcel", args=[row.code]),
        "path": path(record, RECORD, NUMBERS),
        "flag": flag,
        "flag_rules": _rules_met(flag) if flag else [],
        "flag_set": _set_title(flag.run.edition.name, flag.run.edition.title) if flag else "",
        "unofficial": flag is not None and not flag.run.edition.official,
        "idle": [name for name in flag.fired if name.startswith(IDLE)] if flag else [],
        "then": then,
        "then_title": _outcome(then.get("outcome")) if then else "",
        "then_set": _set_title(then["criteria"], then["title"]) if then else "",
        "overrides": _overrides(record),
        "changes": [_in_words(one) for one in opened(changed_since(record), figures)],
        "actions": [action(one) | asked(record, one) for one in _forward_first(record, held)],
        "nobody": whose_turn(record, RECORD),
        "asks_code": asks(request),
        "clock": listing.clock(record, timezone.localdate()),
        "listed_in": record.listed_in,
        "sealed": record.sealed,
        "reads_sets": record.sealed_id and visible_sets(held).filter(pk=record.sealed_id).exists(),
        "after": [(AFTER[name], value) for name, value in record.after.items() if name in AFTER],
        "starts": _may_start(record, held),
        "sheet": sheet,
        "sheet_address": reverse("form", args=[sheet.pk]) if sheet and forms_seen(held).filter(pk=sheet.pk) else "",
        "moves": [told(one) for one in moves_of(record)],
        "refused": refused,
        "given": request.POST,
    }
    status = refused_status(request, refused) if refused else 200
    return render(request, "units/determination.html", context, status=status)


def _overrides(record: Determination) -> bool:
    """Whether people decided otherwise than the rules (NJ024): both stand on the page."""
    says = {"candidate": "low", "not_low": "not_low", "excluded": "not_low", "exempted": "exempt"}
    outcome = record.evidence.get("outcome") if record.result else None
    return bool(outcome) and says.get(outcome, "undecided") != record.result


def _forward_first(record: Determination, held: tuple[Grant, ...]) -> list[Step]:
    return sorted(allowed(record, held), key=lambda one: (one.back, STATES.index(one.to)))


def _rules_met(flag: Flag) -> list[str]:
    """The rules of a flag by their titles; by their names where the set is there no more or has them no more."""
    titles = rule_titles(flag.run.edition.name)
    return [f"{titles[name]} ({name})" if name in titles else name for name in flag.fired]


def _set_title(name: str, title: str) -> str:
    """What a set is called in the language now spoken; the title it ran under where it is there no more."""
    try:
        criteria = sets.load(name)
    except UsageError:
        return title
    return sets.in_words(criteria.title, criteria.title_en)


def _may_start(record: Determination, held: tuple[Grant, ...]) -> bool:
    """Whether the reader may record that redevelopment has started."""
    listed = record.listed_since and not record.listed_until and not record.started_on
    return bool(listed) and may(held, {Role.OFFICE}, record.district_id, record.street_id)


# --- the list ----------------------------------------------------------------------------------------------------


class Chosen:
    """The filters of a request, checked: an unknown word is an error, never an empty list."""

    def __init__(self, given):
        self.values = {name: given.get(name, "").strip() for name in FILTERS}
        if not all(value.isprintable() for value in self.values.values()):
            raise UsageError(_("The request cannot be understood."))
        known = {
            "state": STATES,
            "category": Category.values,
            "result": [*Determination.Result.values, NONE],
        }
        for name, words in known.items():
            if self.values[name] and self.values[name] not in words:
                raise UnknownName(self.values[name][:100], words, FILTERS[name])
        street = self.values["street"]
        if street and street != NONE and not Street.objects.filter(code=street).exists():
            raise UnknownName(street[:100], [], FILTERS["street"])
        number = given.get("page", "1")
        if not re.fullmatch(r"[1-9][0-9]{0,6}", number):
            raise UsageError(_("“%(page)s” is no page of the list.") % {"page": number[:20]})
        self.page = int(number)

    def narrowed(self, records):
        """The records whose code, or whose land's code, contains what was asked."""
        text = self.values["code"]
        if not text:
            return records
        return records.filter(
            Q(code__icontains=text) | Q(parcel__code__icontains=text) | Q(building__code__icontains=text)
        )

    def of(self, records):
        """Those that every filter lets through."""
        records = self.narrowed(records)
        for name in COUNTED:
            value = self.values[name]
            if value == NONE:
                records = records.filter(street=None) if name == "street" else records.filter(**{name: ""})
            elif value:
                records = records.filter(**{name: value})
        return records

    def query(self, **other) -> str:
        return urlencode({name: value for name, value in (self.values | other).items() if value})


def _list(request):
    held = _readers(request)
    chosen = Chosen(request.GET)
    seen = visible(held)
    total, facets, states = _facets(chosen, chosen.narrowed(seen))
    found = chosen.of(seen).select_related("parcel", "building", "street").order_by("code")
    start = (chosen.page - 1) * PAGE
    records = list(found[start : start + PAGE])
    pages = max(1, -(-total // PAGE))
    here = reverse("determinations")
    context = {
        "rows": _rows(records, held),
        "total": total,
        "first": start + 1,
        "last": start + len(records),
        "chosen": chosen.values,
        "query": chosen.query(page=chosen.page),
        "facets": facets,
        "states": states,
        "before": f"{here}?{chosen.query(page=chosen.page - 1)}" if 1 < chosen.page <= pages else None,
        "after": f"{here}?{chosen.query(page=chosen.page + 1)}" if chosen.page < pages else None,
        "actions": _offered(records, held),
        "districts": [one for one in with_surveys(held) if may_raise_all(held, one["code"])],
    }
    return render(request, "units/determinations.html", context)


def _facets(chosen: Chosen, records) -> tuple[int, dict[str, list[dict]], list[dict]]:
    """How many are chosen; the values of each filter, each with how many it leaves; and the states in a row."""
    combinations = records.order_by().values(*COUNTED).annotate(count=Count("pk"))
    counted = {name: Counter() for name in COUNTED}
    total = 0
    for one in combinations:
        values = {name: one[name] or NONE for name in COUNTED}
        off = [name for name in COUNTED if chosen.values[name] and values[name] != chosen.values[name]]
        total += 0 if off else one["count"]
        for name in COUNTED:
            if not off or off == [name]:
                counted[name][values[name]] += one["count"]
    titles = {
        "state": dict(Determination.State.choices),
        "category": dict(Category.choices),
        "result": dict(Determination.Result.choices) | {NONE: _("not decided")},
        "street": dict(Street.objects.filter(code__in=counted["street"]).values_list("code", "name"))
        | {NONE: _("no one street")},
    }
    order = {"state": list(STATES), "category": Category.values, "result": [*Determination.Result.values, NONE]}
    facets = {
        name: [
            {"value": value, "title": titles[name].get(value, value), "count": counted[name][value]}
            for value in sorted(
                {*counted[name], chosen.values[name]} - {""},
                key=lambda one, name=name: (order[name].index(one),) if name in order else (one == NONE, one),
            )
        ]
        for name in COUNTED
    }
    here = reverse("determinations")
    states = [
        {
            "number": NUMBERS[name],
            "title": titles["state"][name],
            "count": counted["state"][name],
            "here": chosen.values["state"] == name,
            "address": f"{here}?{chosen.query(state='' if chosen.values['state'] == name else name)}",
        }
        for name in STATES
        if name != DROPPED or counted["state"][name]
    ]
    return total, facets, states


def _rows(records: list[Determination], held: tuple[Grant, ...]) -> list[dict]:
    """The records of a page, each with what the rules say of it now and whether that has changed since."""
    changed, parts = changed_by_the_last_run(records), parts_of(records)
    outcomes = {}
    for column in ("parcel_id", "building_id"):
        ids = [getattr(one, column) for one in records if getattr(one, column)]
        flags = Flag.objects.filter(**{f"{column}__in": ids}).values_list(column, "criteria", "outcome") if ids else ()
        outcomes |= {(column, number, name): outcome for number, name, outcome in flags}
    rows = []
    for one in records:
        column = "parcel_id" if one.parcel_id else "building_id"
        outcome = outcomes.get((column, getattr(one, column), one.criteria or one.evidence.get("criteria")))
        row = one.parcel or one.building
        rows.append(
            {
                "record": one,
                "subject": row,
                "subject_kind": "building" if one.building_id else "parcel",
                "place": getattr(row, "address", "") or getattr(row, "name", ""),
                "outcome": outcome,
                "outcome_title": _outcome(outcome),
                "changed": len(changed.get(one.pk, ())),
                "movable": bool(allowed(one, held, parts)),
            }
        )
    return rows


def _offered(records: list[Determination], held: tuple[Grant, ...]) -> list[dict]:
    """The steps that the records of a page may be asked to go together, by whoever holds these grants."""
    roles = {one.role for one in held}
    states = {one.state for one in records}
    found = {one.to: action(one) for one in steps_of(RECORD) if one.start in states and roles & one.roles}
    return [found[name] for name in STATES if name in found]


# --- inside ------------------------------------------------------------------------------------------------------


def _readers(request) -> tuple[Grant, ...]:
    """The grants of the caller, when they see any record at all."""
    held = grants(request)
    if view(held, "determinations", ()).rows.never:
        raise NotAllowed(
            _("Records of low-efficiency land are open to the departments that work on them."),
            _("Sign in with an account of one of them."),
        )
    return held


def _outcome(outcome: str | None) -> str:
    return str(Flag.Outcome(outcome).label) if outcome in Flag.Outcome else ""


def _in_words(change: dict) -> dict:
    """A change since the decision with its two values as people read them."""
    measure = MEASURES.get(change["name"]) if change["what"] == "facts" else None
    if measure:
        told = {side: written(change[side], measure.uom, measure.decimals, measure.name) for side in ("before", "now")}
    elif change["what"] == "outcome":
        told = {side: _outcome(change[side]) or change[side] for side in ("before", "now")}
    else:
        return change
    return change | told


def _by_hand_form(code: str) -> dict:
    return {"subject": code, "categories": Category.choices}


def _address(record: Determination) -> str:
    return reverse("determination", args=[record.code])


def _printable(code: str) -> str:
    """A code as the database can be asked for it."""
    return code if code.isprintable() else "?"
