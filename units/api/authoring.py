"""Criteria sets for programs: read, checked, drafted, saved, approved, retired and compared."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.response import Response

from units.api import shapes
from units.api.answering import IF_MATCH, Face, held, known, on_condition, parameter, tagged
from units.api.judging import once, plain
from units.api.records import PAPER, day, members, printable, readers
from units.criteria import sets, shelf
from units.criteria.sets import Criteria
from units.errors import CriteriaError, NotAllowed, Refused, UnknownName, UsageError
from units.explaining import parameters
from units.models import CriteriaText
from units.rights import may
from units.second_factor import confirm
from units.views.body import told as body

DRAFT = {
    "name": str,
    "district": str,
    "reason": str,
    "parent": str,
    "copy_of": str,
    "title": str,
    "values": dict,
}
ACTIONS = ("approve", "retire")


class CriteriaSets(Face):
    @extend_schema(
        operation_id="criteriaSets",
        summary="Criteria sets: files for all, and the texts of districts",
        parameters=[parameter("district", "Of the texts only those of this district.")],
        responses=shapes.CriteriaSet(many=True),
    )
    def get(self, request):
        given = known(request, "district")
        readers(request)
        return Response(plain(shelf.listed(held(request), printable(given.get("district", "")) or None)))

    @extend_schema(
        operation_id="draftCriteria",
        summary="Begin a draft",
        description="By the task-force office (R5) of the district: over a `parent`, from which only `values` differ, "
        "or as a copy (`copy_of`) under another name.",
        request=shapes.NewDraft,
        responses={201: OpenApiTypes.OBJECT},
    )
    def post(self, request):
        known(request)
        readers(request)
        given = body(request._request, **DRAFT)
        values = given.pop("values", {})
        if not all(isinstance(value, str) for value in values.values()):
            raise UsageError(_("Values of parameters are texts, as for --set."))
        told = {name: printable(given.get(name, "")) for name in DRAFT if name not in ("values", "name", "reason")}
        row = shelf.draft(
            printable(given.get("name", "")), by=request.user, reason=given.get("reason", ""), values=values, **told
        )
        return tagged(plain(one_set(row.name, row)), row.version, 201)


class CriteriaCheck(Face):
    @extend_schema(
        operation_id="checkCriteria",
        summary="Check a text",
        description="Every fault with file, line and column, what is wrong, what to do and what was meant. Nothing is "
        "run but the text's own cases, and nothing is written. For those who draft (R5) or approve (R6, R7) there.",
        request=shapes.CheckedText,
        responses=shapes.Checked,
    )
    def post(self, request):
        known(request)
        readers(request)
        given = body(request._request, text=str, name=str, district=str)
        if not may(held(request), (*shelf.DRAFTERS, *shelf.APPROVERS), given.get("district") or None):
            raise NotAllowed(
                _("Criteria are drafted by the task-force office, and approved by the district or the bureau."),
                _("Name the district for which you do."),
            )
        told = shelf.check(
            given.get("text", ""),
            name=printable(given.get("name", "")),
            district=printable(given.get("district", "")),
        )
        return Response({name: told[name] for name in ("faults", "digest", "milliseconds")})


class OneCriteriaSet(Face):
    @extend_schema(
        operation_id="criteriaSet",
        summary="One set: parameters, rules with clause and cases, and what it changes of its parents",
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request, name):
        known(request)
        readers(request)
        row = shelf.seen(printable(name), held(request))
        told = plain(one_set(name, row))
        return tagged(told, row.version) if row is not None else Response(told)

    @extend_schema(
        operation_id="discardCriteria",
        summary="Discard a draft",
        parameters=[IF_MATCH],
        request=None,
        responses={204: None},
    )
    def delete(self, request, name):
        known(request)
        readers(request)
        shelf.seen(printable(name), held(request))
        on_condition(request, lambda version: shelf.discard(name, by=request.user, version=version))
        return Response(status=204)


class CriteriaSetText(Face):
    @extend_schema(
        operation_id="criteriaText",
        summary="What a set itself says, without its parents (TOML)",
        responses=shapes.CriteriaSetText,
    )
    def get(self, request, name):
        known(request)
        readers(request)
        row = shelf.seen(printable(name), held(request))
        told = {"name": name, "text": shelf.text_of(name), "version": row.version if row else None}
        return tagged(told, row.version) if row is not None else Response(told)

    @extend_schema(
        operation_id="saveCriteria",
        summary="Save a draft",
        description="It is kept with its faults; they have to be gone before it is approved.",
        parameters=[IF_MATCH],
        request=shapes.SavedText,
        responses=OpenApiTypes.OBJECT,
    )
    def put(self, request, name):
        known(request)
        readers(request)
        given = body(request._request, text=str, version=int)
        shelf.seen(printable(name), held(request))
        if "text" not in given:
            raise UsageError(_("The text is missing."))
        row = on_condition(
            request,
            lambda version: shelf.save(name, given["text"], by=request.user, version=version),
            given.get("version"),
        )
        return tagged({"name": row.name, "version": row.version, "faults": row.faults}, row.version)


class CriteriaStep(Face):
    @extend_schema(
        operation_id="criteriaStep",
        summary="Approve a draft, or retire an approved set",
        description="By the district government (R6) or the municipal bureau (R7), with a document and a reason; who "
        "wrote a draft does not approve it. An approved text never changes.",
        parameters=[IF_MATCH],
        request=shapes.CriteriaDecision,
        responses=OpenApiTypes.OBJECT,
    )
    def post(self, request, name, action):
        known(request)
        readers(request)
        if action not in ACTIONS:
            raise UnknownName(printable(action)[:40], ACTIONS, _("action"))
        given = body(request._request, reason=str, document=dict, version=int)
        shelf.seen(printable(name), held(request))
        reason, document = given.get("reason", ""), given.get("document")
        if document is not None:
            members(document, PAPER, "document")
            document = document | {"dated": day(document["dated"]) if document.get("dated") else None}
        if action == "approve":
            confirm(request._request)
            row = on_condition(
                request,
                lambda version: shelf.approve(
                    name, by=request.user, document=document or {}, reason=reason, version=version
                ),
                given.get("version"),
            )
        else:
            row = on_condition(
                request,
                lambda version: shelf.retire(name, by=request.user, reason=reason, document=document, version=version),
                given.get("version"),
            )
        return tagged(plain(one_set(row.name, row)), row.version)


class CriteriaDiff(Face):
    @extend_schema(
        operation_id="criteriaDiff",
        summary="What differs between two sets",
        parameters=[parameter("with", "The other set.", required=True)],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request, name):
        known(request, "with")
        readers(request)
        other = printable(once(request, "with", required=True))
        for one in (printable(name), other):
            shelf.seen(one, held(request))
        try:
            return Response(plain(shelf.diff(name, other)))
        except CriteriaError as error:
            raise Refused(error.message, error.hint, code="faults") from error


def one_set(name: str, row: CriteriaText | None) -> dict:
    """A set as a document; of a draft with faults what is wrong with it, for nothing else can be said."""
    try:
        criteria = sets.load(name)
    except CriteriaError as error:
        told = {"name": name, "title": row.title if row else name, "status": row.status if row else "draft"}
        return told | {"faults": error.details.get("faults", [{"message": str(error.message)}])}
    return {
        "name": criteria.id,
        "title": sets.in_words(criteria.title, criteria.title_en),
        "status": criteria.status,
        "official": criteria.official,
        "example": criteria.example,
        "district": criteria.district,
        "parent": criteria.parent,
        "digest": criteria.digest,
        "valid_from": criteria.valid_from,
        "version": row.version if row else None,
        "faults": [],
        "params": parameters(criteria),
        "rules": rules(criteria),
        "disabled": [{"id": rule, "reason": reason} for rule, reason in criteria.disabled.items()],
        "areas": [{"id": area.id, "title": area.title, "streets": list(area.streets)} for area in criteria.areas],
        "changes": sets.changes(criteria),
    }


def rules(criteria: Criteria) -> list[dict]:
    return [
        {
            "id": rule.id,
            "effect": rule.effect,
            "category": list(rule.categories),
            "subject": list(rule.subjects),
            "title": sets.in_words(rule.title, rule.title_en),
            "basis": rule.basis,
            "confidence": rule.confidence,
            "when": rule.when,
            "message": sets.in_words(rule.message, rule.message_en),
            "set": rule.origin,
            "replaces": rule.replaces,
            "cases": [{"name": case.name, "given": case.given, "expect": case.expect} for case in rule.cases],
        }
        for rule in criteria.rules
    ]
