"""Records of low-efficiency land for programs: listed, raised, and moved."""

from datetime import date

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from units import listing, sealing, waiting
from units.api import shapes
from units.api.answering import IF_MATCH, PAGING, Face, held, known, on_condition, paged, parameter, tagged
from units.errors import NotAllowed, UnknownName, UsageError
from units.models import Category, Determination
from units.moving import KINDS, MOST, allowed, move, move_all
from units.records import determination_of, flag_of, form_of, moves_of, subject_code, visible
from units.rights import sees_figures, view
from units.second_factor import confirm
from units.staleness import changed_by_the_last_run, changed_since, opened
from units.suspecting import by_hand, suspects
from units.views.body import texts
from units.views.body import told as body
from units.workflow import NUMBERS, RECORD, REGISTERS, RESULTS, STATES, STEPS, states_of, steps_of

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
    "change": str,
    "plan": str,
    "after": dict,
    "on": str,
    "opinion": (dict, int),
}
MANY = STEP | {"comments": dict, "versions": dict}
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
        description="All or none, in one transaction: where some are refused, none is moved and each of these is named "
        "with the reason. What is consented to at once is sealed as one set. `comments` are of single records.",
        request=shapes.Steps,
        responses=shapes.Moved,
    )
    def post(self, request):
        known(request)
        readers(request)
        given = body(request._request, codes=list, **MANY)
        return Response(moved(request, RECORD, given))


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
        if any(one.approves and one.to == told["to"] for one in KINDS[RECORD].ways(record)):
            confirm(request._request)
        on_condition(
            request, lambda version: move(record, by=request.user, version=version, **told), given.get("version")
        )
        record = determination_of(record.code, grants)
        return tagged(whole(record, grants), record.version)


class AnyMoves(Face):
    @extend_schema(
        operation_id="moveAny",
        summary="Move rows of any register by the same step",
        description="Low-efficiency records, legacy polygons (4.3), their disposals, and redevelopment units (4.4), by "
        "the same verb and rules as records: all or none.",
        request=shapes.AnySteps,
        responses=shapes.Moved,
    )
    def post(self, request):
        known(request)
        if not held(request):
            raise NotAllowed(_("Rows are moved by those who keep the inventory."), _("Ask one of them."))
        given = body(request._request, register=str, codes=list, district=str, **MANY)
        register = given.get("register", "")
        if register not in REGISTERS:
            raise UnknownName(register[:40], REGISTERS, _("register"))
        return Response(moved(request, register, given, printable(given.get("district", ""))))


class Work(Face):
    @extend_schema(
        operation_id="work",
        summary="What waits for the caller",
        description="Each step that the caller may go next, in every register, with the first rows that wait for it: "
        "since when, and by when where a day is set.",
        responses=shapes.Work,
    )
    def get(self, request):
        known(request)
        held(request)
        turns = waiting.for_user(request.user)
        return Response(
            {
                "count": waiting.count(request.user),
                "turns": [
                    {
                        "register": one.register,
                        "district": one.district,
                        "to": one.to,
                        "count": one.count,
                        "rows": [
                            {
                                "code": entry.code,
                                "title": entry.title,
                                "state": entry.state,
                                "version": entry.version,
                                "since": entry.since and entry.since.isoformat(),
                                "due_on": entry.due_on and entry.due_on.isoformat(),
                                "district": entry.district,
                                "address": entry.address,
                            }
                            for entry in one.entries
                        ],
                    }
                    for one in turns
                ],
            }
        )


class Snapshots(Face):
    @extend_schema(
        operation_id="snapshots",
        summary="Sealed sets",
        description="What the district government consented to, in the order of sealing, each with its checksum.",
        parameters=[*PAGING],
        responses=shapes.page("SnapshotPage", shapes.SealedSet),
    )
    def get(self, request):
        known(request, "limit", "after")
        grants = held(request)
        if not any(one.role in sealing.READERS and one.street is None for one in grants):
            raise NotAllowed(
                _("Sealed sets are open to those who make, consent to and review them."),
                _("Sign in with an account of one of them."),
            )
        rows = sealing.visible(grants).select_related("by", "document", "beside", "replaces")
        return Response(paged(request, rows, lambda found: [sealed(one) for one in found]))


class Progress(Face):
    @extend_schema(
        operation_id="progress",
        summary="How much of what was surveyed is mapped and entered (NK052)",
        parameters=[parameter("district", "Of this district.", required=True)],
        responses=shapes.Progress,
    )
    def get(self, request):
        district = printable(known(request, "district").get("district", ""))
        grants = readers(request)
        if not any(one.district in (None, district) and one.street is None for one in grants):
            raise NotAllowed(_("The progress of a district is told to who may see all of it."), _("Ask its office."))
        return Response(listing.progress(district))


class Workflow(Face):
    @extend_schema(
        operation_id="workflow",
        summary="The states, and who moves a record from which to which",
        responses=shapes.Workflow,
    )
    def get(self, request):
        known(request)
        return Response(
            {
                "states": [
                    {
                        "register": register,
                        "number": NUMBERS[one] if register == RECORD else "",
                        "name": one,
                        "title": KINDS[register].title_of(one),
                    }
                    for register in REGISTERS
                    for one in states_of(register)
                ],
                "steps": [
                    {
                        "register": one.register,
                        "from": one.start,
                        "to": one.to,
                        "roles": sorted(one.roles),
                        "gates": list(one.needs),
                        "back": one.back,
                        "approves": one.approves,
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
        "listed_since": record.listed_since and record.listed_since.isoformat(),
        "listed_until": record.listed_until and record.listed_until.isoformat(),
        "started_on": record.started_on and record.started_on.isoformat(),
        "plan_item": record.plan_item or None,
        "change": record.change or None,
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


def moved(request, register: str, given: dict, district: str = "") -> dict:
    """The rows of a body moved together, or none of them."""
    codes = [printable(one) for one in texts(given, "codes", MOST) or []]
    comments = given.get("comments") or {}
    versions = given.get("versions") or {}
    members(comments, tuple(codes), "comments")
    for code, version in versions.items():
        if code not in codes or not isinstance(version, int) or isinstance(version, bool):
            raise UsageError(_("“%(name)s” is not what it should be.") % {"name": "versions"})
    if set(codes) - set(versions):
        raise UsageError(
            _("Say which version of each record you have before you."),
            _("“versions” is {code: version}; read the records, each answer has its own."),
            code="version",
        )
    told = asked(given)
    if any(one.approves and one.to == told["to"] for one in steps_of(register)):
        confirm(request._request)
    return move_all(
        codes, by=request.user, register=register, district=district, comments=comments, versions=versions, **told
    )


def sealed(one) -> dict:
    return {
        "district": one.district_id,
        "register": one.register,
        "number": one.number,
        "at": one.at.isoformat(),
        "by": called(one.by),
        "document": paper(one.document),
        "rows": one.rows,
        "sha256": one.sha256,
        "beside": one.beside and one.beside.number,
        "replaces": one.replaces and one.replaces.number,
        "package": reverse("snapshot-package", args=[one.district_id, one.register, one.number]),
    }


def asked(given: dict) -> dict:
    """What a body says to a step, as `move` takes it."""
    told = {name: given.get(name, "") for name in ("to", "reason", "comment", "result", "subtype", "change", "plan")}
    told["warned"] = tuple(texts(given, "warned", 10) or ())
    form = given.get("form")
    for name in ("document", "opinion"):
        document = given.get(name)
        if isinstance(document, dict):
            members(document, PAPER, name)
            document = document | {"dated": day(document["dated"]) if document.get("dated") else None}
        told[name] = document
    if given.get("after") is not None:
        told["after"] = given["after"]
    if given.get("on"):
        told["on"] = day(given["on"])
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
