"""Say for one parcel or building what every rule finds, on which numbers, and whom to ask for what is missing."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from units.collections import collection
from units.criteria import judging, measures, sets
from units.criteria.measures import MEASURES
from units.criteria.sets import Criteria, Rule
from units.errors import NotFound, UsageError
from units.flagging import Base, at_ease, evidence_of, plain
from units.flagging import evidence as whole_evidence
from units.models import Building, Department, Flag, FlagRun, Parcel, Survey
from units.rights import Grant, sees_figures

IDLE = "IDLE-"  # how the rules begin that find idle land (闲置土地): it has a procedure of its own
# How units of measure are written behind a number; shares, counts, years and codes stand alone.
UOM_TITLES = {
    "m2": "m²",
    "a": gettext_lazy("years"),
    "month": gettext_lazy("months"),
    "10k CNY/mu": gettext_lazy("× 10,000 CNY/mu"),
    "CNY/m2": gettext_lazy("CNY/m²"),
}
REMARKS = ("warn", "require")  # effects that are no part of the fold


@dataclass(frozen=True)
class Subject:
    """What is explained: a parcel, or a building of one, of a survey in force."""

    kind: str  # parcel, building
    row: Parcel | Building


def explain(subject_code: str, criteria_id: str | None = None, *, grants: Iterable[Grant]) -> dict:
    """Judge one parcel or building of a survey in force again, and compare with the flag that is stored.

    Titles, messages and notes are in the language now spoken, Chinese where the set has no English; the clause is
    quoted as it was written. Without a set, the one by which the district was flagged last. What a rule read of a
    firm's tax, energy or grade is told only to who may know it (rights.sees_figures).
    Raises NotFound when there is no such subject or these grants do not see it, UnknownName for a set that is not
    there, UsageError for a building that the set does not judge.
    """
    grants = tuple(grants)
    subject = seen(subject_code, grants)
    land = subject.row
    criteria = sets.load(criteria_id or last_used(land.district_id))
    base = Base.of(land.district_id)
    row = judged(criteria, base, subject)
    evidence = whole_evidence(base.constants(criteria), json.loads(row.pop("evidence")))
    messages = json.loads(row.pop("messages", None) or "{}")
    figures = sees_figures(grants, land.district_id, land.street_id)
    verdicts = [one for one in evidence["rules"] if figures or not betrays(criteria.rule(one["id"]))]
    applied = {one["id"] for one in evidence["rules"]}
    return {
        "subject": land.code,
        "kind": subject.kind,
        "address": getattr(land, "address", "") or getattr(land, "name", ""),
        "district": land.district_id,
        "street": land.street_id,
        "survey": base.year,
        "criteria": criteria.id,
        "title": sets.in_words(criteria.title, criteria.title_en),
        "official": criteria.official,
        "digest": criteria.digest,
        **row,
        "missing": asked(row["missing"], land.district_id),
        "exemption_pending": evidence["exemption_pending"],
        "idle": any(name.startswith(IDLE) for name in row["fired"]),
        "figures": figures,
        "classes": evidence["classes"],
        "overlay": evidence["overlay"],
        "sources": evidence["sources"],
        "measures": shown(evidence["inputs"], figures),
        "params": parameters(criteria),
        "rules": [
            told(criteria.rule(one["id"]), one, evidence, messages, land.district_id, figures) for one in verdicts
        ],
        "not_applicable": [
            {"id": rule.id, "title": sets.in_words(rule.title, rule.title_en), "category": list(rule.categories)}
            for rule in criteria.rules
            if rule.id not in applied
        ],
        "disabled": [{"id": name, "reason": reason} for name, reason in criteria.disabled.items()],
        "stored": stored(subject, criteria, row, evidence),
    }


def seen(code: str, grants: tuple[Grant, ...]) -> Subject:
    """The parcel of this code, else the building, in a survey in force and within these grants."""
    for kind, model in (("parcel", Parcel), ("building", Building)):
        rows = collection(f"{kind}s").seen_by(grants).rows
        if not rows.never:
            found = model.objects.filter(rows.q(), code=code, survey__state=Survey.State.IN_FORCE)
            row = found.select_related("survey", "street").order_by("pk").first()
            if row is not None:
                return Subject(kind, row)
    raise NotFound(
        _("There is no parcel or building “%(code)s” in a survey in force.") % {"code": code},
        _("The code of a parcel is the 19 characters of ZDDM; that of a building is in JZWBH."),
    )


def betrays(rule: Rule) -> bool:
    """Whether the bare verdict of the rule would tell a figure that the reader may not know.

    Why land is flagged, excluded or exempted is told to everybody who sees the flag; a remark beside it is not.
    """
    return rule.effect in REMARKS and any(MEASURES[name].restricted for name in rule.condition.measures)


def last_used(district_code: str) -> str:
    """The set that judged the district last; else the one approved set that no other refines.

    A run of a set that flags nothing, as earlier versions stored it, judged nothing.
    """
    runs = FlagRun.objects.filter(district_id=district_code).values("edition__name")
    runs = runs.annotate(last=Max("ran_at"), latest=Max("pk")).order_by("-last", "-latest")
    names = [run["edition__name"] for run in runs]
    for name in names:
        if len(names) == 1 or name in sets.available() and sets.load(name).flags:
            return name
    known = [sets.load(name) for name in sets.available()]
    parents = {one.parent for one in known}
    leaves = [one.id for one in known if one.id not in parents and one.status == "approved"]
    if len(leaves) != 1:
        raise UsageError(
            _("The district was never flagged: name a criteria set."),
            _("Known are: %(known)s.") % {"known": ", ".join(sets.available())},
        )
    return leaves[0]


def judged(criteria: Criteria, base: Base, subject: Subject) -> dict:
    """Category, outcome, fired, missing and evidence of one subject: the questions of a run, asked of one row."""
    in_english = not sets.speaks_chinese()
    asked = judging.judgement(criteria, in_english)
    relations = [(name, measures.question(name)) for name in measures.RELATIONS]
    relations.append(("measured", measures.measured()))
    sql = "WITH " + ", ".join(f"{name} AS MATERIALIZED (\n{text}\n)" for name, text in relations)
    sql += f"\nSELECT category, outcome, fired, missing, evidence::text{', messages::text' if in_english else ''}"
    sql += f" FROM ({asked.sql}) AS one"
    with transaction.atomic(), connection.cursor() as cursor:
        at_ease(cursor)
        judging.prove(cursor, criteria)
        cursor.execute(sql, base.values(criteria, **{subject.kind: subject.row.pk}) | asked.values)
        names = [column.name for column in cursor.description]
        row = cursor.fetchone()
    if row is None:
        raise UsageError(
            _("“%(code)s” is nothing that “%(criteria)s” judges.")
            % {"code": subject.row.code, "criteria": criteria.id},
            _("Ask for the parcel it stands on."),
        )
    return dict(zip(names, row, strict=True))


def shown(inputs: dict, figures: bool) -> dict:
    """Each input with its title and definition, for a card; without `figures`, restricted ones have no value."""
    return {
        name: {
            **opened(name, one, figures),
            "title": str(MEASURES[name].title),
            "definition": str(MEASURES[name].definition),
            "decimals": MEASURES[name].decimals,
        }
        for name, one in inputs.items()
    }


def opened(name: str, told: dict, figures: bool) -> dict:
    """An input as this reader may know it: `hidden` instead of its value where it is a figure closed to them."""
    hidden = MEASURES[name].restricted and not figures
    return {**told, "value": None, "hidden": True} if hidden else told


def parameters(criteria: Criteria) -> dict:
    """Each parameter with unit and note, and what the parent set had (NK050)."""
    return {
        name: {
            "value": plain(one.value),
            "uom": one.uom,
            "note": sets.in_words(one.note, one.note_en),
            "set": one.origin,
            "parent_value": plain(one.parent.value) if one.parent else None,
            "parent_set": one.parent.origin if one.parent else None,
        }
        for name, one in criteria.params.items()
    }


def told(rule: Rule, verdict: dict, evidence: dict, messages: dict, district_code: str, figures: bool) -> dict:
    """One rule as a card shows it: clause, what it read, against which values, what it says, what is missing."""
    params = {name: evidence["params"][name] for name in verdict["params"]}
    spoken = (*rule.condition.measures, *rule.shown.measures)
    hidden = not figures and any(MEASURES[name].restricted for name in spoken)
    return {
        "id": rule.id,
        "effect": rule.effect,
        "verdict": verdict["verdict"],
        "title": sets.in_words(rule.title, rule.title_en),
        "basis": rule.basis,
        "confidence": rule.confidence,
        "set": rule.origin,
        "when": rule.when,
        "category": list(rule.categories),
        "inputs": {name: opened(name, evidence["inputs"][name], figures) for name in verdict["inputs"]},
        "params": params,
        "missing": asked(verdict["missing"], district_code),
        "message": None if hidden else messages.get(rule.id, verdict["message"]),
        "hidden": hidden,
    }


def asked(facts: Iterable[str], district_code: str) -> list[dict]:
    """Missing facts with their titles and the departments that own them."""
    names = dict(Department.objects.filter(district_id=district_code).values_list("code", "name")) if facts else {}
    found = []
    for name in facts:
        fact = measures.FACTS.get(name)
        owner = fact.owner if fact else measures.PLANNING
        found.append(
            {
                "field": name,
                "title": str(fact.title) if fact else name,
                "owner": owner,
                "owner_name": names.get(owner, owner),
            }
        )
    return found


def stored(subject: Subject, criteria: Criteria, row: dict, evidence: dict) -> dict | None:
    """The flag of the last run, and whether facts or rules have changed since."""
    flag = Flag.objects.filter(**{subject.kind: subject.row}, criteria=criteria.id).select_related("run").first()
    if flag is None:
        return None
    watched = ("digest", "measures", "params", "inputs", "rules", "category")
    before = evidence_of(flag)
    changed = [name for name in watched if by_id(before.get(name)) != by_id(evidence.get(name))]
    return {
        "run": flag.run_id,
        "ran_at": flag.run.ran_at.isoformat(),
        "outcome": flag.outcome,
        "current": not changed and flag.outcome == row["outcome"],
        "changed": changed,
    }


def by_id(told):
    """Rules without their order, which the database does not keep; anything else as it is."""
    return {one["id"]: one for one in told} if isinstance(told, list) else told
