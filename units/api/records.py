"""Records of low-efficiency land for programs: listed, raised, and moved."""

from datetime import date

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from units.api import shapes
from units.api.answering import IF_MATCH, PAGING, Face, held, known, on_condition, paged, parameter, tagged
from units.errors import NotAllowed, UnknownName, UsageError
from units.models import Category, Determination
from units.moving import (
    allowed,
    determination_of,
    flag_of,
    form_of,
    move,
    move_all,
    moves_of,
    subject_code,
    visible,
)
from units.rights import sees_figures, view
from units.staleness import changed_by_the_last_run, changed_since, opened
from units.suspecting import by_hand, suspects
from units.views.body import texts
from units.views.body import told as body
from units.workflow import NUMBERS, RESULTS, STATES, STEPS

FILTERS = {
    "state": STATES,
    "category": Category.values,
    "result": (*RESULTS, "none"),
}
STEP = {
    "to": str,
    "reason": str,
    "comment": str,
    "result": str,
    "subtype": str,
    "document": (dict, int),
    "warned": list,
    "form": dict,
}
PAPER = ("title", "number", "issuer", "dated")


class Determinations(Face):
    @extend_schema(
        operation_id="determinations",
        summary="Records of low-efficiency land",
        description="In the order of their numbers, those of the caller's places, a page at a time.",
        parameters=[
            parameter("state", "Only records in this state.", enum=STATES),
            parameter("category", "Only of these categories, separated by commas."),
            parameter("result", "Only so determined; none: not determined yet.", enum=FILTERS["result"]),
            parameter("district", "Only of this district."),
            parameter("street", "Only of this street."),
            *PAGING,
        ],
        responses=shapes.page("DeterminationPage", shapes.Record),
    )
    def get(self, request):
        given = known(request, *FILTERS, "district", "street", "limit", "after")
        grants = readers(request)
        rows = visible(grants).select_related("parcel", "building", "document", "decided_by")
        for name in FILTERS:
            words = [one for one in given.get(name, "").split(",") if one]
            for word in words:
                if word not in FILTERS[name]:
                    raise UnknownName(word[:100], FILTERS[name], name)
            if words:
                rows = rows.filter(**{f"{name}__in": ["" if word == "none" else word for word in words]})
        for name in ("district", "street"):
            if given.get(name):
                rows = rows.filter(**{f"{name}_id": printable(given[name])})
        return Response(paged(request, rows, shown))

    @extend_schema(
        operation_id="raiseByHand",
        summary="Raise land that no rule flags",
        description="A street office (R2), with a written reason; another person, of the office, approves it (NJ009).",
        request=shapes.ByHand,
        responses={201: shapes.Record},
    )
    def post(self, request):
        known(request)
        given = body(request._request, subject=str, category=str, reason=str, subtype=str)
        record = by_hand(
            printable(given.get("subject", "")),
            request.user,
            given.get("category", ""),
            given.get("reason", ""),
            given.get("subtype", ""),
        )
        return tagged(whole(record, held(request)), record.version, 201)


class Suspects(Face):
    @extend_schema(
        operation_id="raiseSuspects",
        summary="Raise every candidate that has no record yet",
        description="By the analyst (R1) or the office (R5) of the district. What was dropped is not raised again.",
        request=shapes.Raised,
        responses=shapes.Suspects,
    )
    def post(self, request):
        known(request)
        readers(request)
        given = body(request._request, district=str, criteria=str)
        return Response(
            suspects(printable(given.get("district", "")), printable(given.get("criteria", "")) or None, request.user)
        )


class Moves(Face):
    @extend_schema(
        operation_id="moveMany",
        summary="Move many records by the same step",
        description="Each for itself: those that are refused are named with the reason, the others are moved.",
        request=shapes.Steps,
        responses=shapes.Moved,
    )
    def post(self, request):
        known(request)
        readers(request)
        given = body(request._request, codes=list, **STEP)
        codes = texts(given, "codes", 500) or []
        return Response(move_all([printable(one) for one in codes], by=request.user, **asked(given)))


class OneDetermination(Face):
    @extend_schema(
        operation_id="determination",
        summary="One record",
        description="By its own code, or by that of its parcel or building: the decision beside the computed result, "
        "what has changed since, what happened to it, and what the caller may do now.",
        responses=shapes.WholeRecord,
    )
    def get(self, request, code):
        known(request)
        grants = readers(request)
        record = determination_of(printable(code), grants)
        return tagged(whole(record, grants), record.version)


class OneMove(Face):
    @extend_schema(
        operation_id="move",
        summary="Move a record",
        description="One step of workflow 4.2, when the caller's role and the gates allow it. A refusal (409) names "
        'the gate in `error`. To list idle land all the same, send `warned: ["idle"]`.',
        parameters=[IF_MATCH],
        request=shapes.Step,
        responses=shapes.WholeRecord,
    )
    def post(self, request, code):
        known(request)
        grants = readers(request)
        given = body(request._request, version=int, **STEP)
        record = determination_of(printable(code), grants)
        told = asked(given)
        on_condition(
            request, lambda version: move(record, by=request.user, version=version, **told), given.get("version")
        )
        record = determination_of(record.code, grants)
        return tagged(whole(record, grants), record.version)


class Workflow(Face):
    @extend_schema(
        operation_id="workflow",
        summary="The states, and who moves a record from which to which",
        responses=shapes.Workflow,
    )
    def get(self, request):
        known(request)
        titles = dict(Determination.State.choices)
        return Response(
            {
                "states": [{"number": NUMBERS[one], "name": one, "title": str(titles[one])} for one in STATES],
                "steps": [
                    {
                        "from": one.start,
                        "to": one.to,
                        "roles": sorted(one.roles),
                        "gates": list(one.needs),
                        "back": one.back,
                        "later": one.later,
                    }
                    for one in STEPS
                ],
            }
        )


def readers(request):
    """The grants of the caller, when they see any record at all."""
    grants = held(request)
    if view(grants, "determinations", ()).rows.never:
        raise NotAllowed(
            _("Records of low-efficiency land are open to the departments that work on them."),
            _("Sign in with an account of one of them."),
        )
    return grants


def shown(records: list[Determination]) -> list[dict]:
    """Records as a list tells them."""
    changed = changed_by_the_last_run(records)
    return [brief(one) | {"changed_since": bool(changed.get(one.pk))} for one in records]


def brief(record: Determination) -> dict:
    return {
        "code": record.code,
        "subject": subject_code(record),
        "kind": "building" if record.building_id else "parcel",
        "district": record.district_id,
        "street": record.street_id,
        "category": record.category,
        "subtype": record.subtype,
        "state": record.state,
        "state_title": str(record.get_state_display()),
        "result": record.result or None,
        "procedure": record.procedure or None,
        "reason_codes": record.reason_codes,
        "reason": record.reason,
        "document": paper(record.document),
        "decided_by": called(record.decided_by),
        "decided_at": record.decided_at and record.decided_at.isoformat(),
        "base_survey_year": record.base_survey_year,
        "criteria": record.criteria,
        "version": record.version,
    }


def whole(record: Determination, grants) -> dict:
    """A record with both results, what has changed, what happened and what may be done."""
    figures = sees_figures(grants, record.district_id, record.street_id)
    flag, sheet = flag_of(record), form_of(record)
    changes = opened(changed_since(record), figures)
    then = record.evidence if record.result else {}
    return brief(record) | {
        "changed_since": bool(changes),
        "changes": changes,
        "computed_then": {
            name: then.get(name)
            for name in ("run", "ran_at", "criteria", "digest", "official", "outcome", "fired", "missing")
        }
        if then
        else None,
        "computed_now": {
            "run": flag.run_id,
            "criteria": flag.criteria,
            "digest": flag.run.edition_id,
            "outcome": flag.outcome,
            "fired": flag.fired,
        }
        if flag
        else None,
        "raised_by": called(record.raised_by),
        "raised_reason": record.raised_reason,
        "approved_by": called(record.approved_by),
        "form": sheet and sheet.pk,
        "steps": [{"to": one.to, "gates": list(one.needs), "back": one.back} for one in allowed(record, grants)],
        "moves": [
            {
                "at": one.at.isoformat(),
                "from": one.from_state,
                "to": one.to_state,
                "by": called(one.by),
                "role": one.role,
                "comment": one.comment,
                "document": paper(one.document),
                "details": one.details,
            }
            for one in moves_of(record)
        ],
    }


def asked(given: dict) -> dict:
    """What a body says to a step, as `move` takes it."""
    told = {name: given.get(name, "") for name in ("to", "reason", "comment", "result", "subtype")}
    told["warned"] = tuple(texts(given, "warned", 10) or ())
    document, form = given.get("document"), given.get("form")
    if isinstance(document, dict):
        members(document, PAPER, "document")
        document = document | {"dated": day(document["dated"]) if document.get("dated") else None}
    told["document"] = document
    if form is not None:
        members(form, ("lead", "due_on"), "form")
        told["form"] = {"lead": form.get("lead"), "due_on": day(form.get("due_on") or "")}
    return told


def members(given: dict, names: tuple[str, ...], what: str) -> None:
    """Refuse members of an object that mean nothing, and any that is no text."""
    for name, value in given.items():
        if name not in names:
            raise UnknownName(str(name)[:40], names, what)
        if not isinstance(value, str | None):
            raise UsageError(_("“%(name)s” is not what it should be.") % {"name": name})


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(_("“%(text)s” is no day.") % {"text": text[:20]}, _("Write it as 2027-01-31.")) from None


def called(user) -> str | None:
    return (user.get_full_name() or user.get_username()) if user else None


def paper(document) -> dict | None:
    if document is None:
        return None
    return {
        "id": document.pk,
        "title": document.title,
        "number": document.number,
        "issuer": document.issuer,
        "dated": document.dated and document.dated.isoformat(),
    }


def printable(code: str) -> str:
    """A code as the database can be asked for it."""
    return code if code.isprintable() else "?"
