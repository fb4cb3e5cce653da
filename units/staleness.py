"""What has changed since somebody determined a record: its criteria, the facts they read, or the survey."""

import json
from collections.abc import Iterable

from django.utils.translation import gettext as _

from units.criteria import sets
from units.criteria.measures import MEASURES
from units.errors import UsageError
from units.explaining import Subject, judged
from units.flagging import evidence, evidence_of
from units.measuring import Base
from units.models import Determination, Flag, Survey

LIMITS = ("value", "uom")  # of a parameter, what a rule reads


def changed_since(record: Determination) -> list[dict]:
    """What is not as it was when the record was determined: [{what, name, title, before, now}], empty while it stands.

    `what` is criteria, parameter, facts, outcome or survey. The land is judged again, as it is now; a record that
    nobody determined yet has nothing to compare with.
    """
    then = record.evidence
    if not record.result or not then.get("evidence"):
        return []
    row = record.parcel or record.building
    if row.survey.state != Survey.State.IN_FORCE:
        return [_one("survey", "survey", _("Base survey"), record.base_survey_year, _in_force(record))]
    try:
        criteria = sets.load(then["criteria"])
        digest = criteria.digest
        criteria = next((area.criteria for area in criteria.areas if row.street_id in area.streets), criteria)
        base = Base.of(record.district_id)
        now = judged(criteria, base, Subject("parcel" if record.parcel_id else "building", row))
    except UsageError as error:  # the set is there no more, or judges this land no more
        return [_one("criteria", then["criteria"], then["title"], then["digest"][:12], str(error.message))]
    whole = evidence(base.constants(criteria), json.loads(now["evidence"]))
    return _differences(then, whole | {"digest": digest, "outcome": now["outcome"]})


def changed_by_the_last_run(records: Iterable[Determination]) -> dict[int, list[dict]]:
    """The same for many records at once, by what the last run stored of them: {determination: changes}."""
    records = [one for one in records if one.result and one.evidence.get("evidence")]
    flags = Flag.objects.select_related("run__edition").filter(
        criteria__in={one.evidence["criteria"] for one in records}
    )
    held = {}
    for column in ("parcel_id", "building_id"):
        ids = [getattr(one, column) for one in records if getattr(one, column)]
        for flag in flags.filter(**{f"{column}__in": ids}) if ids else ():
            held[column, getattr(flag, column), flag.criteria] = flag
    found = {}
    for one in records:
        column = "parcel_id" if one.parcel_id else "building_id"
        flag = held.get((column, getattr(one, column), one.evidence["criteria"]))
        if flag is not None:
            now = evidence_of(flag) | {"digest": flag.run.edition_id, "outcome": flag.outcome}
            found[one.pk] = _differences(one.evidence, now)
    return found


def _differences(then: dict, now: dict) -> list[dict]:
    before = then["evidence"]
    changes = []
    if then["digest"] != now["digest"]:
        changes.append(_one("criteria", then["criteria"], then["title"], then["digest"][:12], now["digest"][:12]))
    for name in sorted({*before["params"], *now["params"]}):
        old, new = (_limit(one["params"].get(name)) for one in (before, now))
        if old != new:
            changes.append(_one("parameter", name, name, *(one and one["value"] for one in (old, new))))
    for name in sorted({*before["inputs"]} & {*now["inputs"]}):  # another set may read other facts
        old, new = (one["inputs"][name]["value"] for one in (before, now))
        if old != new:
            measure = MEASURES.get(name)
            told = _one("facts", name, str(measure.title) if measure else name, old, new)
            changes.append(told | {"restricted": bool(measure and measure.restricted)})
    if then["outcome"] != now["outcome"]:
        changes.append(_one("outcome", "outcome", _("Computed result"), then["outcome"], now["outcome"]))
    return changes


def opened(changes: list[dict], figures: bool) -> list[dict]:
    """The changes as a reader may know them: a firm's figures without their values where they are closed to him."""
    return [
        one | {"before": None, "now": None, "hidden": True} if one.get("restricted") and not figures else one
        for one in changes
    ]


def _limit(param: dict | None) -> dict | None:
    return {name: param.get(name) for name in LIMITS} if param else None


def _in_force(record: Determination) -> int | None:
    found = Survey.objects.filter(district_id=record.district_id, state=Survey.State.IN_FORCE).first()
    return found.year if found else None


def _one(what: str, name: str, title: str, before, now) -> dict:
    return {"what": what, "name": name, "title": str(title), "before": before, "now": now}
