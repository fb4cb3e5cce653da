"""Survey campaigns: the list, one with its progress and forms, and the workbooks by which many are filled."""

import base64
import re

from django.core.exceptions import RequestDataTooBig
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from units import bulk_forms, campaigning, forms
from units.errors import GeoinvError, NotAllowed, Stale, UnknownName, UsageError
from units.models import Campaign, Category, Department, Determination, District, FactSheet, FormTask, Street
from units.rights import Role, may
from units.views.asking import grants, only
from units.views.conditions import refused_status, required_version
from units.views.findings import XLSX, parse_day
from units.workflow import SUSPECT

PAGE = 50  # forms
TOLD = 100  # problems of a workbook that the page lists; the workbook of problems has all
FILTERS = ("category", "street", "state", "department", "mine")


def readers(request):
    """The grants of whoever may see campaigns at all; NotAllowed otherwise."""
    held = grants(request)
    if not campaigning.may_read(held):
        raise NotAllowed(
            _("Survey forms are open to the departments that fill them."), _("Sign in with an account of one of them.")
        )
    return held


@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(private=True, no_cache=True)
def campaigns(request):
    """The campaigns one sees; a POST by the task-force office opens one."""
    held = readers(request)
    only(request)
    refused = None
    if request.method == "POST":
        try:
            due = request.POST.get("due_on", "").strip()
            made = campaigning.open_campaign(
                request.POST.get("district", ""),
                request.user,
                title=request.POST.get("title", ""),
                due_on=parse_day(due) if due else None,
            )
            return HttpResponseRedirect(reverse("campaign", args=[made.pk]))
        except NotAllowed:
            raise
        except GeoinvError as error:
            refused = error
    found = campaigning.campaigns(held).select_related("district", "survey", "opened_by")
    rows = [{"campaign": one, "progress": campaigning.progress(one, held)} for one in found]
    busy = {one.district_id for one in found if one.state == Campaign.State.OPEN}
    districts = [one for one in District.objects.all() if may(held, {Role.OFFICE}, one.pk) and one.pk not in busy]
    context = {
        "rows": rows,
        "districts": districts,
        "due": max(form.due for form in forms.forms().values()),
        "refused": refused,
        "given": request.POST,
    }
    return render(request, "units/campaigns.html", context, status=422 if refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(private=True, no_cache=True)
def campaign(request, number: int):
    """One campaign; a POST distributes the forms of further suspects, or with `close` ends it."""
    held = readers(request)
    found = campaigning.campaign_of(number, held)
    if request.method == "POST":
        version = required_version(request, request.POST.get("version"))
        try:
            if "close" in request.POST:
                campaigning.close(found, request.user, version)
            else:
                campaigning.distribute(found, request.user, version=version)
        except Stale as error:
            there = campaigning.campaign_of(number, held)
            return _page(request, there, held, refused=error, status=refused_status(request, error))
        return HttpResponseRedirect(reverse("campaign", args=[found.pk]))
    only(request, *FILTERS, "page")
    return _page(request, found, held)


def _page(request, found: Campaign, held, taken=None, refused=None, status=200):
    chosen = {name: request.GET.get(name, "").strip() for name in FILTERS}
    for name, words in (("category", Category.values), ("state", FactSheet.State.values), ("mine", ["yes"])):
        if chosen[name] and chosen[name] not in words:
            raise UnknownName(chosen[name][:40], words, _("filter"))
    rows = campaigning.visible(held).filter(campaign=found)
    for name, column in (("category", "category"), ("state", "state"), ("street", "street")):
        if chosen[name]:
            rows = rows.filter(**{column: chosen[name]})
    if chosen["department"]:
        rows = rows.filter(tasks__department__code=chosen["department"])
    mine = bulk_forms.departments(found, request.user)
    if chosen["mine"]:
        rows = rows.filter(pk__in=_waiting(found, mine))
    rows = (
        rows.select_related("parcel", "building", "street", "lead", "determination")
        .prefetch_related("tasks__department")
        .defer("parcel__geom", "building__geom")
        .order_by("due_on", "category", "pk")
    )
    page_number = request.GET.get("page", "1")
    if not re.fullmatch(r"[1-9][0-9]{0,6}", page_number):
        raise UsageError(_("“%(page)s” is no page of the list.") % {"page": page_number[:20]})
    pages = Paginator(rows, PAGE)
    page = pages.get_page(int(page_number))
    today = timezone.localdate()
    listed = []
    for one in page:
        absent = forms.missing(one)
        whose: dict[str, int] = {}
        for gap in absent:
            whose[gap.owner_name] = whose.get(gap.owner_name, 0) + 1
        waiting = [
            task.department.name
            for task in one.tasks.all()
            if task.part != FormTask.Part.LEAD and forms.unconfirmed(task)
        ]
        listed.append(
            {
                "sheet": one,
                "missing": len(absent),
                "whose": whose,
                "waiting": waiting if one.state == "co_check" else [],
                "overdue": one.due_on and one.due_on < today and one.state in campaigning.OPEN,
            }
        )
    office = may(held, {Role.OFFICE}, found.district_id)
    suspects = Determination.objects.filter(district=found.district_id, state=SUSPECT, category__in=forms.forms())
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "campaign": found,
        "version": campaigning.version_of(found),
        "is_open": found.state == Campaign.State.OPEN,
        "progress": campaigning.progress(found, held),
        "states": [(one, str(FactSheet.State(one).label)) for one in FactSheet.State.values],
        "categories": Category.choices,
        "streets": Street.objects.filter(district=found.district_id),
        "departments": Department.objects.filter(
            district=found.district_id, form_tasks__sheet__campaign=found
        ).distinct(),
        "chosen": chosen,
        "listed": listed,
        "page": page,
        "query": query.urlencode(),
        "mine": mine,
        "office": office,
        "waiting": suspects.filter(raised_by=None).count() if office else 0,
        "by_hand": suspects.exclude(raised_by=None).count() if office else 0,
        "taken": taken,
        "problems": taken.problems[:TOLD] if taken else [],
        "errors": base64.b64encode(taken.workbook()).decode() if taken and taken.problems else "",
        "refused": refused,
        "today": today,
    }
    return render(request, "units/campaign.html", context, status=status)


def _waiting(found: Campaign, mine: list[Department]) -> list[int]:
    """The forms that wait for one of these departments."""
    tasks = FormTask.objects.filter(sheet__campaign=found, department__in=mine).select_related("sheet")
    return [
        task.sheet_id
        for task in tasks
        if task.sheet.state in campaigning.OPEN
        or (task.sheet.state == "co_check" and task.part != FormTask.Part.LEAD and forms.unconfirmed(task))
    ]


@require_safe
@cache_control(private=True, no_store=True)
def campaign_workbook(request, number: int):
    """The workbook of one department: its forms of every category, ready to be filled."""
    held = readers(request)
    only(request, "department")
    found = campaigning.campaign_of(number, held)
    department = bulk_forms.department_of(found, request.GET.get("department", ""), request.user)
    response = HttpResponse(bulk_forms.bulk_workbook(found, department, request.user), content_type=XLSX)
    name = f"forms-{found.pk}-{department.code}-{timezone.localdate():%Y%m%d}.xlsx"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_POST
@cache_control(private=True, no_store=True)
def campaign_upload(request, number: int):
    """A filled workbook comes back: what was taken, and what was not and why."""
    held = readers(request)
    found = campaigning.campaign_of(number, held)
    if int(request.META.get("CONTENT_LENGTH") or 0) > bulk_forms.LARGEST + 100_000:
        raise RequestDataTooBig
    try:
        department = bulk_forms.department_of(found, request.POST.get("department", ""), request.user)
        sent = request.FILES.get("workbook")
        if sent is None:
            raise UsageError(_("No file was sent."), _("Choose the workbook that you filled in."))
        every = request.POST.get("all") == "yes"
        taken = bulk_forms.take_workbook(found, department, sent.read(), request.user, all_or_nothing=every)
    except NotAllowed:
        raise
    except GeoinvError as error:
        return _page(request, found, held, refused=error, status=422)
    return _page(request, found, held, taken=taken, status=422 if taken.problems else 200)
