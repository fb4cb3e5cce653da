"""What the rules say, for programs: measures and facts, criteria, cards of subjects, what-if and runs."""

from decimal import Decimal

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.response import Response

from units.api import shapes
from units.api.answering import PAGING, Face, held, known, paged, parameter
from units.api.records import called, printable, readers
from units.criteria.measures import FACTS, MEASURES
from units.errors import UsageError
from units.explaining import explain
from units.models import FlagRun
from units.records import visible
from units.rights import view
from units.trying import compare_sets, try_values
from units.views.runs import named_set

CRITERIA = parameter("criteria", "The criteria set; without it, the one that judged the district last.")


class Measures(Face):
    @extend_schema(
        operation_id="measures",
        summary="What rules may speak of",
        description="Each measure with its definition, unit, decimals, source and the department that owns it.",
        responses=shapes.Measure(many=True),
    )
    def get(self, request):
        known(request)
        return Response(
            [
                {
                    "name": one.name,
                    "title": str(one.title),
                    "definition": str(one.definition),
                    "uom": one.uom,
                    "type": one.type,
                    "decimals": one.decimals,
                    "family": one.family,
                    "source": one.source,
                    "owner": one.owner,
                    "subjects": list(one.subjects),
                    "layer": one.layer,
                    "restricted": one.restricted,
                }
                for one in MEASURES.values()
            ]
        )


class Facts(Face):
    @extend_schema(
        operation_id="facts",
        summary="What may be missing, and whom to ask for it",
        responses=shapes.Fact(many=True),
    )
    def get(self, request):
        known(request)
        return Response([{"name": one.name, "title": str(one.title), "owner": one.owner} for one in FACTS.values()])


class Subject(Face):
    @extend_schema(
        operation_id="subject",
        summary="The card of a parcel or building",
        description="Every rule with its clause, what it read, from where and of when, its thresholds and its verdict "
        "(true, false, null: nobody can say), what is missing and whose it is, and what would change the outcome.",
        parameters=[CRITERIA],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request, code):
        given = known(request, "criteria")
        grants = held(request)
        readers(request)
        told = explain(printable(code), named_set(given), grants=grants)
        column = "building" if told["kind"] == "building" else "parcel"
        record = visible(grants).filter(**{f"{column}__code": told["subject"]}).order_by("-pk").first()
        told["determination"] = record and {
            "code": record.code,
            "state": record.state,
            "result": record.result or None,
            "version": record.version,
        }
        return Response(plain(told))


class WhatIf(Face):
    @extend_schema(
        operation_id="whatIf",
        summary="What other values of parameters would change",
        description="Counts and hectares before and after, by category and street, and every subject whose outcome or "
        "rules change. Nothing is stored. Every further parameter of the address is one of the set: `far_min=0.8`.",
        parameters=[
            parameter("district", "The district.", required=True),
            parameter("criteria", "The criteria set.", required=True),
        ],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request):
        readers(request)
        district, criteria = once(request, "district", required=True), once(request, "criteria", required=True)
        values = {name: once(request, name) for name in request.GET if name not in ("district", "criteria")}
        told = try_values(printable(district), printable(criteria), values, grants=held(request))
        return Response(plain(with_changes(told)))


class Compare(Face):
    @extend_schema(
        operation_id="compare",
        summary="Two criteria sets, or two runs, side by side",
        parameters=[
            parameter("district", "The district.", required=True),
            parameter("a", "A criteria set by its name, or a run by its number.", required=True),
            parameter("b", "The other one.", required=True),
        ],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request):
        known(request, "district", "a", "b")
        readers(request)
        district, a, b = (printable(once(request, name, required=True)) for name in ("district", "a", "b"))
        return Response(plain(with_changes(compare_sets(district, a, b, grants=held(request)))))


class Runs(Face):
    @extend_schema(
        operation_id="runs",
        summary="Runs of the criteria",
        parameters=[
            parameter("district", "Only of this district."),
            parameter("criteria", "Only of this set."),
            *PAGING,
        ],
        responses=shapes.page("RunPage", shapes.Run),
    )
    def get(self, request):
        given = known(request, "district", "criteria", "limit", "after")
        readers(request)
        seen = view(held(request), "candidates", ()).rows
        runs = FlagRun.objects.select_related("edition", "survey", "ran_by")
        if not seen.always:
            runs = runs.filter(district__in={dict(scope)["district_id"] for scope in seen.alternatives})
        if given.get("district"):
            runs = runs.filter(district_id=printable(given["district"]))
        if given.get("criteria"):
            runs = runs.filter(edition__name=named_set(given))
        return Response(paged(request, runs, lambda found: [run_of(one) for one in found]))


def run_of(one: FlagRun) -> dict:
    return {
        "run": one.pk,
        "district": one.district_id,
        "survey": one.survey.year,
        "criteria": one.edition.name,
        "digest": one.edition_id,
        "official": one.edition.official,
        "kind": one.kind,
        "ran_at": one.ran_at.isoformat(),
        "ran_by": called(one.ran_by),
        "subjects": one.subjects,
        "counts": one.counts,
        "params": one.params.get("values", {}),
        "seconds": one.seconds,
    }


def with_changes(told: dict) -> dict:
    """A trial with every subject that changes, in the place of the trial itself."""
    trial = told.pop("trial")
    return told | {
        "codes": [
            {
                "code": one.code,
                "kind": one.kind,
                "street": one.street,
                "category": one.category,
                "from": one.before,
                "to": one.after,
                "fired_before": list(one.fired_before),
                "fired_after": list(one.fired),
                "area_m2": one.area_m2,
            }
            for one in trial.changes
        ]
    }


def once(request, name: str, required: bool = False) -> str:
    """A parameter that is given once."""
    values = request.GET.getlist(name)
    if len(values) > 1:
        raise UsageError(_("The parameter “%(name)s” is given more than once.") % {"name": name})
    if required and not (values and values[0]):
        raise UsageError(_("The parameter “%(name)s” is missing.") % {"name": name})
    return values[0] if values else ""


def plain(told):
    """Numbers of the database as JSON has them; everything else as it is."""
    match told:
        case dict():
            return {str(name): plain(value) for name, value in told.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(value) for value in told]
        case Decimal():
            return int(told) if told == told.to_integral_value() else float(told)
    return told
