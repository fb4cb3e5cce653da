"""The list of findings: what is wrong with the data, where, what to do, and what somebody has accepted for a time."""

import re
from collections import Counter
from urllib.parse import parse_qsl, urlencode

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from units.checks import reporting
from units.checks.registry import CHECKS, LAYERS
from units.checks.waiving import LONGEST, lift, may_waive, versions_of, waive
from units.collections import COLLECTIONS
from units.errors import GeoinvError, NotAllowed, NotFound, UnknownName, UsageError
from units.models import CheckRun, Finding, Street
from units.rights import Grant
from units.views.asking import asked, grants, only, visible
from units.views.conditions import refused_status, required_version

PAGE = 50  # findings
WAIVED = ("no", "yes")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILTERS = {
    "severity": gettext_lazy("Severity"),
    "state": gettext_lazy("State"),
    "code": gettext_lazy("Check"),
    "layer": gettext_lazy("Layer"),
    "street": gettext_lazy("Street"),
    "waived": gettext_lazy("Waived"),
    "subject": gettext_lazy("Code contains"),
}
COLUMNS = {"street": "COALESCE(street_id, '')", "waived": "CASE WHEN waived THEN 'yes' ELSE 'no' END"}
COUNTED = tuple(name for name in FILTERS if name != "subject")  # filters whose values are few enough to be listed


@require_safe
@cache_control(private=True, no_cache=True)
def findings(request):
    """The page: who may see findings gets those of his places, filtered, a page at a time; the counts are of all."""
    only(request, *FILTERS, "page")
    return shown(request)


@require_safe
@cache_control(private=True, no_cache=True)
def findings_workbook(request):
    """Every finding that the filters of the page let through, as .xlsx."""
    only(request, *FILTERS, "page")
    held = grants(request)
    chosen = Chosen(request.GET)
    ids = [row["fid"] for row in asked(*chosen.question(held, "fid"))]
    found = Finding.objects.filter(pk__in=ids).order_by("severity", "code", "pk")
    head = [(_("As of"), timezone.localtime().strftime("%Y-%m-%d %H:%M")), (_("Findings"), str(len(ids)))]
    facets = facets_of(chosen, held)[1]
    for name, value in chosen.values.items():
        shown_as = {one["value"]: one["title"] for one in facets.get(name, ())}
        if value:
            head.append((str(FILTERS[name]), str(shown_as.get(value, value))))
    body = reporting.workbook(head, reporting.rows(found, timezone.localdate()))
    response = HttpResponse(body, content_type=XLSX)
    response["Content-Disposition"] = f'attachment; filename="findings-{timezone.localdate():%Y%m%d}.xlsx"'
    return response


@require_POST
def waiver(request, identity: str):
    """Accept one finding until a day with a reason, or with `lift` take such a waiver back; then the list again."""
    held = grants(request)
    finding = visible_finding(identity, held)
    version = required_version(request, request.POST.get("version"))
    try:
        if "lift" in request.POST:
            lift(finding, request.user, held, version)
        else:
            until = parse_day(request.POST.get("until", ""))
            waive(finding, request.user, held, request.POST.get("reason", ""), until, version)
    except NotAllowed:
        raise
    except GeoinvError as error:
        status = refused_status(request, error)
        return shown(request, request.POST.get("query", ""), (identity, error), status)
    return HttpResponseRedirect(f"{reverse('findings')}?{again(request.POST.get('query', ''))}#{identity}")


def parse_day(text: str):
    """A day as YYYY-MM-DD; UsageError otherwise."""
    try:
        day = parse_date(text.strip())
    except ValueError:
        day = None
    if day is None:
        raise UsageError(_("“%(text)s” is no day.") % {"text": text[:20]}, _("Write it as 2027-01-31."))
    return day


def visible_finding(identity: str, held: tuple[Grant, ...]) -> Finding:
    """The finding, when these grants may see it; NotFound is also what a stranger gets."""
    collection = COLLECTIONS["findings"]
    view = collection.seen_by(held)
    if view.rows.never:
        raise NotAllowed(_("Findings are open to those who keep the registers."), _("Sign in with such an account."))
    source, params = visible(collection, view)
    rows = asked(f"SELECT fid FROM {source} AS seen WHERE identity = %(wanted)s", params | {"wanted": identity})
    if not rows:
        raise NotFound(_("There is no such finding, or none that you may see."), _("It may have been resolved."))
    return Finding.objects.get(pk=rows[0]["fid"])


class Chosen:
    """The filters of a request, checked: an unknown word is an error, never an empty list."""

    def __init__(self, given):
        self.values = {name: given.get(name, "").strip() for name in FILTERS}
        if "waived" not in given:
            self.values["waived"] = "no"
        known = {
            "severity": Finding.Severity.values,
            "state": [Finding.State.NEW, Finding.State.OPEN],
            "waived": list(WAIVED),
            "layer": list(LAYERS),
        }
        for name, words in known.items():
            if self.values[name] and self.values[name] not in words:
                raise UnknownName(self.values[name], words, FILTERS[name])
        if self.values["street"] and not Street.objects.filter(code=self.values["street"]).exists():
            raise UnknownName(self.values["street"], [], FILTERS["street"])
        number = given.get("page", "1")
        if not re.fullmatch(r"[1-9][0-9]{0,6}", number):
            raise UsageError(_("“%(page)s” is no page of the list.") % {"page": number[:20]})
        self.page = int(number)

    def question(self, held: tuple[Grant, ...], columns: str, narrowed: bool = True) -> tuple[str, dict]:
        """SELECT `columns` of what is visible and contains the subject; and of what is chosen, where `narrowed`."""
        collection = COLLECTIONS["findings"]
        view = collection.seen_by(held)
        if view.rows.never:
            raise NotAllowed(
                _("Findings are open to those who keep the registers."), _("Sign in with such an account.")
            )
        source, params = visible(collection, view)
        wanted = ["TRUE"]
        if subject := self.values["subject"]:
            wanted.append(
                "EXISTS (SELECT FROM unnest(subjects) AS one WHERE strpos(upper(one), upper(%(f_subject)s)) > 0)"
            )
            params["f_subject"] = subject
        for name in COUNTED if narrowed else ():
            if self.values[name]:
                wanted.append(f"{COLUMNS.get(name, name)} = %(f_{name})s")
                params[f"f_{name}"] = self.values[name]
        return f"SELECT {columns} FROM {source} AS seen WHERE {' AND '.join(wanted)}", params

    def query(self, **other) -> str:
        """The address that chooses the same, with some of it changed; an empty `waived` means both."""
        values = self.values | other
        return urlencode({name: value for name, value in values.items() if value or name == "waived"})


def again(query: str) -> str:
    """The filters of an address, written anew: nothing else of it is taken."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    return urlencode({name: given[name] for name in (*FILTERS, "page") if name in given})


def shown(request, query: str | None = None, refused=None, status: int = 200):
    """The page with the filters of the address, or of `query` where a form was refused."""
    held = grants(request)
    given = request.GET if query is None else dict(parse_qsl(query, keep_blank_values=True))
    chosen = Chosen(given)
    total, facets = facets_of(chosen, held)
    sql, params = chosen.question(held, "fid")
    order = " ORDER BY severity, code, fid LIMIT %(limit)s OFFSET %(offset)s"
    ids = [row["fid"] for row in asked(sql + order, params | {"limit": PAGE, "offset": (chosen.page - 1) * PAGE})]
    found = Finding.objects.filter(pk__in=ids).order_by("severity", "code", "pk")
    rows = list(reporting.rows(found, timezone.localdate()))
    allowed = {one.pk: may_waive(held, one) for one in found}
    versions = versions_of(found)
    for row in rows:
        row["may"] = allowed[row["id"]]
        row["version"] = versions[row["id"]]
        row["check"] = CHECKS.get(row["code"])
        if refused and refused[0] == row["identity"]:
            row |= {"refused": refused[1], "reason": request.POST.get("reason", "")}
            row["until"] = request.POST.get("until", "")
    # What somebody else has waived meanwhile is not on the list of what is open: then the page itself says so.
    elsewhere = refused and refused[0] not in {row["identity"] for row in rows}
    pages = max(1, -(-total // PAGE))
    here = reverse("findings")
    context = {
        "rows": rows,
        "refused": refused[1] if elsewhere else None,
        "typed": request.POST.get("reason", "") if elsewhere else "",
        "total": total,
        "first": (chosen.page - 1) * PAGE + 1,
        "last": (chosen.page - 1) * PAGE + len(rows),
        "chosen": chosen.values,
        "query": chosen.query(page=chosen.page),
        "workbook": f"{reverse('findings-workbook')}?{chosen.query()}",
        "before": f"{here}?{chosen.query(page=chosen.page - 1)}" if 1 < chosen.page <= pages else None,
        "after": f"{here}?{chosen.query(page=chosen.page + 1)}" if chosen.page < pages else None,
        "facets": facets,
        "runs": latest_runs(held),
        "today": timezone.localdate(),
        "latest": timezone.localdate() + LONGEST,
    }
    return render(request, "units/findings.html", context, status=status)


def facets_of(chosen: Chosen, held: tuple[Grant, ...]) -> tuple[int, dict[str, list[dict]]]:
    """How many findings are chosen; and for each filter its values with how many each would leave beside the others.

    The findings are counted once, by every combination there is; these are few.
    """
    columns = ", ".join(f"{COLUMNS.get(name, name)} AS {name}" for name in COUNTED)
    sql, params = chosen.question(held, f"{columns}, count(*) AS count", narrowed=False)
    combinations = asked(f"{sql} GROUP BY {', '.join(map(str, range(1, len(COUNTED) + 1)))}", params)
    counted = {name: Counter() for name in COUNTED}
    total = 0
    for one in combinations:
        off = [name for name in COUNTED if chosen.values[name] and one[name] != chosen.values[name]]
        if not off:
            total += one["count"]
        for name in COUNTED:
            if not off or off == [name]:
                counted[name][one[name]] += one["count"]
    code = chosen.values["code"]
    if code and code not in CHECKS and code not in counted["code"]:
        raise UnknownName(code, {*CHECKS, *counted["code"]}, FILTERS["code"])
    streets = Street.objects.filter(code__in=[*counted["street"], chosen.values["street"]])
    titles = {
        "severity": dict(Finding.Severity.choices),
        "state": dict(Finding.State.choices),
        "code": {name: f"{name} {check.title}" for name, check in CHECKS.items()},
        "layer": LAYERS,
        "street": dict(streets.values_list("code", "name")),
        "waived": {"no": _("not waived"), "yes": _("waived")},
    }
    return total, {
        name: [
            {"value": value, "title": titles[name].get(value, value), "count": counted[name][value]}
            for value in sorted({*counted[name], chosen.values[name]} - {""})
        ]
        for name in COUNTED
    }


def latest_runs(held: tuple[Grant, ...]) -> list[CheckRun]:
    """The latest run of the checks in each district that this reader may see."""
    view = COLLECTIONS["findings"].seen_by(held)
    runs = CheckRun.objects.select_related("district", "survey").order_by("district_id", "-pk").distinct("district_id")
    if not view.rows.always:
        runs = runs.filter(district__in={dict(scope)["district_id"] for scope in view.rows.alternatives})
    return list(runs)
