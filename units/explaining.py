"""Say for one parcel what every rule finds, on which numbers, and whom to ask for what is missing."""

import json
from collections.abc import Iterable

from django.db import connection, transaction
from django.utils.translation import gettext as _

from units.collections import collection
from units.criteria import judging, measures, sets
from units.criteria.sets import Criteria, Rule
from units.errors import NotFound, UsageError
from units.flagging import Base, plain
from units.models import Department, Flag, FlagRun, Parcel, Survey
from units.rights import Grant


def explain(subject_code: str, criteria_id: str | None = None, *, grants: Iterable[Grant]) -> dict:
    """Judge one parcel of a survey in force again, and compare with the flag that is stored.

    Titles, messages and notes are in the language now spoken, Chinese where the set has no English; the clause is
    quoted as it was written. Without a set, the one by which the district was flagged last. Raises NotFound when there
    is no such parcel or these grants do not see it, UnknownName for a set that is not there.
    """
    seen = collection("parcels").seen_by(tuple(grants)).rows
    parcels = Parcel.objects.filter(seen.q(), code=subject_code, survey__state=Survey.State.IN_FORCE)
    parcel = None if seen.never else parcels.select_related("survey", "street").order_by("pk").first()
    if parcel is None:
        raise NotFound(
            _("There is no parcel “%(code)s” in a survey in force.") % {"code": subject_code},
            _("The code is the 19 characters of ZDDM."),
        )
    criteria = sets.load(criteria_id or last_used(parcel.district_id))
    base = Base.of(parcel.district_id)
    row = judged(criteria, base, parcel.pk)
    evidence = json.loads(row.pop("evidence"))
    messages = json.loads(row.pop("messages", "{}"))
    return {
        "subject": parcel.code,
        "kind": "parcel",
        "address": parcel.address,
        "district": parcel.district_id,
        "street": parcel.street_id,
        "survey": base.year,
        "criteria": criteria.id,
        "title": sets.in_words(criteria.title, criteria.title_en),
        "official": criteria.official,
        "digest": criteria.digest,
        **row,
        "missing": asked(row["missing"], parcel.district_id),
        "exemption_pending": evidence["exemption_pending"],
        "classes": evidence["classes"],
        "overlay": evidence["overlay"],
        "sources": evidence["sources"],
        "measures": shown(evidence["inputs"]),
        "params": parameters(criteria),
        "rules": [
            told(criteria.rule(one["id"]), one, evidence, messages, parcel.district_id) for one in evidence["rules"]
        ],
        "not_applicable": [
            {"id": rule.id, "title": sets.in_words(rule.title, rule.title_en), "category": list(rule.categories)}
            for rule in criteria.rules
            if rule.id not in {one["id"] for one in evidence["rules"]}
        ],
        "disabled": [{"id": name, "reason": reason} for name, reason in criteria.disabled.items()],
        "stored": stored(parcel, criteria, row, evidence),
    }


def last_used(district_code: str) -> str:
    """The set by which the district was flagged last; else the one approved set that no other refines."""
    run = FlagRun.objects.filter(district_id=district_code).order_by("-ran_at", "-pk").first()
    if run is not None:
        return run.edition.name
    known = [sets.load(name) for name in sets.available()]
    parents = {one.parent for one in known}
    leaves = [one.id for one in known if one.id not in parents and one.status == "approved"]
    if len(leaves) != 1:
        raise UsageError(
            _("The district was never flagged: name a criteria set."),
            _("Known are: %(known)s.") % {"known": ", ".join(sets.available())},
        )
    return leaves[0]


def judged(criteria: Criteria, base: Base, parcel: int) -> dict:
    """Category, outcome, fired, missing and evidence of one parcel: the questions of a run, asked of one row."""
    in_english = not sets.speaks_chinese()
    asked = judging.judgement(criteria, in_english)
    relations = [(name, measures.question(name)) for name in measures.RELATIONS]
    relations.append(("measured", measures.measured()))
    sql = "WITH " + ", ".join(f"{name} AS MATERIALIZED (\n{text}\n)" for name, text in relations)
    sql += f"\nSELECT category, outcome, fired, missing, evidence::text{', messages::text' if in_english else ''}"
    sql += f" FROM ({asked.sql}) AS one"
    with transaction.atomic(), connection.cursor() as cursor:
        judging.prove(cursor, criteria)
        cursor.execute(sql, base.values(parcel) | asked.values | base.constants(criteria))
        names = [column.name for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))


def shown(inputs: dict) -> dict:
    """Each input with its title and definition, for a card."""
    return {
        name: {
            **one,
            "title": str(measures.MEASURES[name].title),
            "definition": str(measures.MEASURES[name].definition),
            "decimals": measures.MEASURES[name].decimals,
        }
        for name, one in inputs.items()
    }


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


def told(rule: Rule, verdict: dict, evidence: dict, messages: dict, district_code: str) -> dict:
    """One rule as a card shows it: clause, what it read, against which values, what it says, what is missing."""
    params = {name: evidence["params"][name] for name in verdict["params"]}
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
        "inputs": {name: evidence["inputs"][name] for name in verdict["inputs"]},
        "params": params,
        "missing": asked(verdict["missing"], district_code),
        "message": messages.get(rule.id, verdict["message"]),
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


def stored(parcel: Parcel, criteria: Criteria, row: dict, evidence: dict) -> dict | None:
    """The flag of the last run, and whether facts or rules have changed since."""
    flag = Flag.objects.filter(parcel=parcel, criteria=criteria.id).select_related("run").first()
    if flag is None:
        return None
    watched = ("digest", "measures", "params", "inputs", "rules", "category")
    changed = [name for name in watched if flag.evidence.get(name) != evidence.get(name)]
    return {
        "run": flag.run_id,
        "ran_at": flag.run.ran_at.isoformat(),
        "outcome": flag.outcome,
        "current": not changed and flag.outcome == row["outcome"],
        "changed": changed,
    }
