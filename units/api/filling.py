"""Survey campaigns and their forms, for programs: read, filled field by field, submitted, confirmed, sent back."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.response import Response

from units import campaigning
from units.api import shapes
from units.api.answering import IF_MATCH, PAGING, Face, held, known, on_condition, paged, parameter, tagged
from units.api.judging import plain
from units.api.records import day, printable, readers
from units.errors import UnknownName
from units.forms import GROUPS
from units.models import Campaign, Category, FactSheet
from units.views.body import told as body

ACTIONS = ("submit", "confirm", "return")


class Campaigns(Face):
    @extend_schema(
        operation_id="campaigns",
        summary="Survey campaigns",
        parameters=[*PAGING],
        responses=shapes.page("CampaignPage", shapes.Campaign),
    )
    def get(self, request):
        known(request, "limit", "after")
        readers(request)
        return Response(
            paged(request, campaigning.campaigns(held(request)), lambda found: [brief(one) for one in found])
        )

    @extend_schema(
        operation_id="openCampaign",
        summary="Open a survey campaign",
        description="By the task-force office (R5): every suspect that rules raised gets its form and is assigned.",
        request=shapes.NewCampaign,
        responses={201: shapes.Campaign},
    )
    def post(self, request):
        known(request)
        readers(request)
        given = body(request._request, district=str, year=int, title=str, due_on=str)
        made = campaigning.open_campaign(
            printable(given.get("district", "")),
            request.user,
            year=given.get("year"),
            title=given.get("title", ""),
            due_on=day(given["due_on"]) if given.get("due_on") else None,
        )
        return Response(brief(made), status=201)


class OneCampaign(Face):
    @extend_schema(
        operation_id="campaign",
        summary="One campaign with its progress",
        description="Forms, done and overdue by department, street and category, as far as the caller sees the forms.",
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request, number):
        known(request)
        readers(request)
        found = campaigning.campaign_of(number, held(request))
        return Response(brief(found) | {"progress": plain(campaigning.progress(found, held(request)))})


class Forms(Face):
    @extend_schema(
        operation_id="forms",
        summary="Survey forms",
        parameters=[
            parameter("campaign", "Only of this campaign, by its number."),
            parameter("state", "Only forms in this state.", enum=FactSheet.State.values),
            parameter("category", "Only of this category.", enum=Category.values),
            *PAGING,
        ],
        responses=shapes.page("FormPage", shapes.Form),
    )
    def get(self, request):
        given = known(request, "campaign", "state", "category", "limit", "after")
        readers(request)
        rows = campaigning.visible(held(request)).select_related("determination", "parcel", "building", "lead")
        for name, words in (("state", FactSheet.State.values), ("category", Category.values)):
            if given.get(name):
                if given[name] not in words:
                    raise UnknownName(given[name][:100], words, name)
                rows = rows.filter(**{name: given[name]})
        if given.get("campaign"):
            number = given["campaign"]
            rows = rows.filter(
                campaign=campaigning.campaign_of(int(number) if number.isdecimal() else 0, held(request))
            )
        return Response(paged(request, rows, lambda found: [heading(one) for one in found]))


class OneForm(Face):
    @extend_schema(
        operation_id="form",
        summary="One form, cell by cell",
        description="Each cell with its title, unit, owner, value or the reason why none can be had, what the register "
        "says, and whether the caller may write it. A figure that is closed to him is `hidden` and has no value.",
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request, number):
        known(request)
        readers(request)
        sheet = campaigning.sheet_of(number, held(request))
        return tagged(plain(campaigning.reading(sheet, held(request))), sheet.version)

    @extend_schema(
        operation_id="fillForm",
        summary="Fill cells of a form",
        description="`cells` is {cell: {value: …} | {unknown_reason: …} | null}. A cell is written by the department "
        "that owns it, else 403. Values that do not fit are all told at once (422, `problems`), and nothing is saved. "
        "The version is If-Match or the body's; only a cell that was itself written since is a conflict (412, 409).",
        parameters=[IF_MATCH],
        request=shapes.Cells,
        responses=OpenApiTypes.OBJECT,
    )
    def patch(self, request, number):
        known(request)
        readers(request)
        given = body(request._request, cells=dict, version=int)
        sheet = campaigning.sheet_of(number, held(request))
        changed = on_condition(
            request,
            lambda version: campaigning.fill(sheet, given.get("cells", {}), request.user, version),
            given.get("version"),
        )
        sheet = campaigning.sheet_of(number, held(request))
        told = plain(campaigning.reading(sheet, held(request))) | {"changed": changed}
        return tagged(told, sheet.version)


class OneFormStep(Face):
    @extend_schema(
        operation_id="formStep",
        summary="Submit a form, confirm a group of it, or send it back",
        description="By If-Match or `version`: who says yes or no says to which version.",
        parameters=[IF_MATCH],
        request=shapes.FormStep,
        responses=OpenApiTypes.OBJECT,
    )
    def post(self, request, number, action):
        known(request)
        readers(request)
        if action not in ACTIONS:
            raise UnknownName(printable(action)[:40], ACTIONS, _("action"))
        given = body(request._request, group=str, comment=str, version=int)
        sheet, comment = campaigning.sheet_of(number, held(request)), given.get("comment", "")
        group = given.get("group", "")
        if action != "submit" and group not in GROUPS:
            raise UnknownName(printable(group)[:40], GROUPS, _("group of facts"))

        def write(version: int) -> None:
            if action == "submit":
                campaigning.submit(sheet, request.user, comment, version)
            else:
                verb = campaigning.confirm if action == "confirm" else campaigning.send_back
                verb(sheet, group, request.user, comment, version)

        on_condition(request, write, given.get("version"))
        sheet = campaigning.sheet_of(number, held(request))
        return tagged(plain(campaigning.reading(sheet, held(request))), sheet.version)


def brief(one: Campaign) -> dict:
    return {
        "id": one.pk,
        "district": one.district_id,
        "survey": one.survey.year,
        "year": one.year,
        "title": one.title,
        "due_on": one.due_on.isoformat(),
        "state": one.state,
        "opened_at": one.opened_at.isoformat(),
    }


def heading(one: FactSheet) -> dict:
    return {
        "id": one.pk,
        "campaign": one.campaign_id,
        "determination": one.determination.code,
        "subject": one.subject.code,
        "category": one.category,
        "state": one.state,
        "lead": one.lead.code if one.lead_id else None,
        "due_on": one.due_on and one.due_on.isoformat(),
        "version": one.version,
    }
