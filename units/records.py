"""Read the records of low-efficiency land: which someone sees, their forms, what the rules say, what happened."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from units.errors import NotFound, Refused
from units.explaining import last_used
from units.flagging import evidence_of
from units.models import CriteriaEdition, Determination, FactSheet, Flag, FlagRun, FormTask, Move
from units.rights import Grant, view
from units.workflow import BY_HAND


def visible(grants: Iterable[Grant]):
    """The determinations that these grants see, as a queryset."""
    return Determination.objects.filter(view(grants, "determinations", ()).rows.q())


def determination_of(code: str, grants: Iterable[Grant]) -> Determination:
    """The determination of this code, else the latest of the parcel or building of this code; NotFound otherwise."""
    seen = visible(grants).select_related("parcel", "building", "street", "district")
    found = (
        seen.filter(code=code).first()
        or seen.filter(parcel__code=code).order_by("-base_survey_year", "-pk").first()
        or seen.filter(building__code=code).order_by("-base_survey_year", "-pk").first()
    )
    if found is None:
        raise nothing_here(code)
    return found


def subject_code(record: Determination) -> str:
    """The code of the parcel or building that the record is about."""
    return record.parcel.code if record.parcel_id else record.building.code


def form_of(record: Determination) -> FactSheet | None:
    """The latest survey form of the record."""
    return FactSheet.objects.filter(determination=record).order_by("-pk").first()


def flag_of(record: Determination) -> Flag | None:
    """What the rules say now of the record's land, by the set that raised it, else by the one of the district."""
    flags = Flag.objects.filter(parcel_id=record.parcel_id, building_id=record.building_id, criteria=_criteria(record))
    return flags.select_related("run").first()


def computed(record: Determination) -> dict:
    """The computed result as it is kept beside a decision: run, set and digest, outcome and the whole evidence.

    Land that the set does not judge has no outcome; Refused where the set was never run.
    """
    flag = flag_of(record)
    runs = FlagRun.objects.filter(district_id=record.district_id, edition__name=_criteria(record))
    run = flag.run if flag else runs.order_by("-pk").first()
    if run is None:
        raise Refused(
            _("The rules have not judged district %(district)s yet.") % {"district": record.district_id},
            _("Run “flag” for the district: a determination keeps what the rules say beside it."),
            code="run",
        )
    edition = CriteriaEdition.objects.get(pk=run.edition_id)
    return {
        "run": run.pk,
        "ran_at": run.ran_at.isoformat(),
        "criteria": edition.name,
        "digest": edition.digest,
        "title": edition.title,
        "official": edition.official,
        "outcome": flag.outcome if flag else None,
        "category": flag.category if flag else "",
        "fired": flag.fired if flag else [],
        "missing": flag.missing if flag else [],
        "evidence": evidence_of(flag) if flag else {},
    }


def reason_codes(record: Determination, told: dict) -> list[str]:
    """Why the land is in the list (NJ003): the rules met that flag it, and the code of what was raised by hand."""
    rules = told["evidence"].get("rules", ())
    flagging = [one["id"] for one in rules if one["effect"] == "flag" and one["verdict"] is True]
    return flagging + ([BY_HAND] if record.raised_by_id else [])


def parts_of(records: Iterable[Determination]) -> dict[int, set[tuple[str, str]]]:
    """Which department has which part in the latest form of each record: {record: {(lead|co|added, department)}}."""
    sheets = (
        FactSheet.objects.filter(determination__in=[one.pk for one in records])
        .order_by("determination_id", "-pk")
        .distinct("determination_id")
    )
    of = {}
    found: dict[int, set[tuple[str, str]]] = {}
    for sheet, record, lead in sheets.values_list("pk", "determination_id", "lead__code"):
        of[sheet] = record
        found[record] = {("lead", lead)} if lead else set()
    for sheet, part, department in FormTask.objects.filter(sheet__in=list(of)).values_list(
        "sheet_id", "part", "department__code"
    ):
        found[of[sheet]].add((part, department))
    return found


def moves_of(record: Determination):
    """What happened to the record, the latest last."""
    kept = Move.objects.filter(register=Move.Register.RECORD, subject=record.code, district_id=record.district_id)
    return kept.select_related("by", "document")


def _criteria(record: Determination) -> str:
    return record.criteria or last_used(record.district_id)


def nothing_here(code: str) -> NotFound:
    return NotFound(
        _("There is no record “%(code)s”, or none that you may see.") % {"code": code[:100]},
        _("Records are listed under determinations."),
    )
