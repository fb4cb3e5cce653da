"""Say for one parcel or building what every rule finds, on which numbers, and whom to ask for what is missing."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from units.collections import collection
from units.criteria import judging, measures, sets, turning
from units.criteria.measures import MEASURES
from units.criteria.sets import Criteria, Rule
from units.criteria.thresholds import Threshold, named, names
from units.errors import NotFound, UsageError
from units.flagging import evidence as whole_evidence
from units.flagging import evidence_of
from units.measuring import Base, at_ease, plain
from units.models import Building, Department, Flag, FlagRun, Measurement, Parcel, Stale, Survey
from units.remeasuring import patches_of, standing
from units.rights import Grant, sees_figures
from units.trying import refuse_shut

IDLE = "IDLE-"  # how the rules begin that find idle land (闲置土地): it has a procedure of its own
# How units of measure are written behind a number; shares, counts, years and codes stand alone.
UOM_TITLES = {
    "m2": "m²",
    "a": gettext_lazy("years"),
    "month": gettext_lazy("months"),
    "10k CNY/mu": gettext_lazy("× 10,000 CNY/mu"),
    "CNY/m2": gettext_lazy("CNY/m²"),
}
PROVED: set[str] = set()  # digests of sets whose cases this process has seen proved: a text proves the same again
UNITS = "membership"  # the family of measures that reads redevelopment units
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
    figures = sees_figures(grants, land.district_id, land.street_id)
    refuse_shut(criteria, land.district_id, figures)
    criteria = part_for(criteria, land.street_id)
    base = Base.of(land.district_id)
    row = judged(criteria, base, subject)
    evidence = whole_evidence(base.constants(criteria), json.loads(row.pop("evidence")))
    messages = json.loads(row.pop("messages", None) or "{}")
    facts = json.loads(row.pop("facts"), parse_float=Decimal, parse_int=Decimal)
    now, turns, thought = turned(criteria, subject.kind, {name: facts.get(name) for name in MEASURES})
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
        "area": criteria.area,
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
            told(criteria.rule(one["id"]), one, evidence, messages, land.district_id, figures)
            | {"thresholds": held(thought, now, one["id"], base, figures)}
            for one in verdicts
        ],
        "would_change": [
            changing(criteria, turn, now) for turn in turns if figures or not reads_figures(criteria, turn)
        ],
        "withheld": not figures and any(reads_figures(criteria, turn) for turn in turns),
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


def betrays(rule: Rule, always: bool = False) -> bool:
    """Whether the bare verdict of the rule would tell a figure that the reader may not know.

    Why land is flagged, excluded or exempted is told to everybody who sees the flag; a remark beside it is not. With
    `always` no verdict on figures is: that of a draft.
    """
    return (always or rule.effect in REMARKS) and any(MEASURES[name].restricted for name in rule.condition.measures)


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
    known = [one for one in sets.headings() if one.status == "approved" and not one.example]
    known = [one for one in known if one.district in ("", district_code)]
    parents = {one.parent for one in known}
    leaves = [one.name for one in known if one.name not in parents]
    if len(leaves) != 1:
        raise UsageError(
            _("The district was never flagged: name a criteria set."),
            _("Known are: %(known)s.") % {"known": ", ".join(sets.available())},
        )
    return leaves[0]


def part_for(criteria: Criteria, street: str | None) -> Criteria:
    """The set as it holds in a street: that of its sub-area, else that of all others."""
    of = next((area.id for area in criteria.areas if street in area.streets), "")
    return next(part.criteria for part in sets.parts(criteria) if part.criteria.area == of)


def judged(criteria: Criteria, base: Base, subject: Subject) -> dict:
    """Category, outcome, fired, missing, evidence and all facts of one subject: what a run asks, asked of one row.

    What was measured last is read where nothing has changed since; else the subject is measured again.
    """
    in_english = not sets.speaks_chinese()
    asked = judging.judgement(criteria, in_english)
    wanted = "SELECT category, outcome, fired, missing, evidence::text, "
    wanted += f"{'messages::text, ' if in_english else ''}(SELECT to_jsonb(measured)::text FROM measured) AS facts"
    with transaction.atomic(), connection.cursor() as cursor:
        at_ease(cursor)
        if criteria.digest not in PROVED:
            judging.prove(cursor, criteria)
            PROVED.add(criteria.digest)
        if current(cursor, base, criteria):
            key = subject.row.pk if subject.kind == "parcel" else -subject.row.pk
            relations = [("measured", "SELECT * FROM units_measured WHERE subject = %(explained)s")]
            values = {"explained": key}
        else:
            relations = [(name, measures.question(name)) for name in measures.RELATIONS]
            relations.append(("measured", measures.measured()))
            values = base.values(**{subject.kind: subject.row.pk})
        sql = "WITH " + ", ".join(f"{name} AS MATERIALIZED (\n{text}\n)" for name, text in relations)
        cursor.execute(f"{sql}\n{wanted} FROM ({asked.sql}) AS one", values | asked.values)
        names = [column.name for column in cursor.description]
        row = cursor.fetchone()
    if row is None:
        raise UsageError(
            _("“%(code)s” is nothing that “%(criteria)s” judges.")
            % {"code": subject.row.code, "criteria": criteria.id},
            _("Ask for the parcel it stands on."),
        )
    return dict(zip(names, row, strict=True))


def current(cursor, base: Base, criteria: Criteria) -> bool:
    """Whether what is stored of the survey is what measuring it now would find, as far as the set reads it."""
    last = Measurement.objects.filter(survey_id=base.survey).first()
    if last is None or last.edition != measures.edition():
        return False
    told = Stale.objects.filter(district_id=base.district).filter(Q(survey_id=None) | Q(survey_id=base.survey))
    if not any(MEASURES[name].family == UNITS for rule in criteria.rules for name in judging.read_by(rule)):
        told = told.exclude(source="unit")  # units are drawn every day, and few sets read them
    if told.exists() or list(last.patches) != patches_of(cursor, base):
        return False
    return last.standing == standing(cursor, base)


def turned(
    criteria: Criteria, kind: str, facts: dict[str, object]
) -> tuple[turning.Answer, list[turning.Turn], turning.Subject]:
    """What would have to change for another outcome, asked of the database on the facts as they are now."""
    with transaction.atomic(), connection.cursor() as cursor:
        at_ease(cursor)
        return turning.turns(cursor, criteria, kind, facts)


def reads_figures(criteria: Criteria, turn: turning.Turn) -> bool:
    """Whether a change acts through a rule that reads figures of firms: its values would tell what they are."""
    through = {name for rule in turn.rules for name in criteria.rule(rule).condition.measures}
    through |= {one.name for one in turn.changes if one.kind == "measure"}
    return any(MEASURES[name].restricted for name in through)


def changing(criteria: Criteria, turn: turning.Turn, now: turning.Answer) -> dict:
    """One way to another outcome: each change with its title, unit, what is now and the values that would do."""
    return {
        "outcome": turn.outcome,
        "category": turn.category,
        "same_category": turn.category == now.category,
        "rules": list(turn.rules),
        "changes": [
            {
                "kind": one.kind,
                "name": one.name,
                "title": str(MEASURES[one.name].title) if one.kind == "measure" else one.name,
                "uom": (MEASURES if one.kind == "measure" else criteria.params)[one.name].uom,
                "decimals": MEASURES[one.name].decimals if one.kind == "measure" else decimals_of(one.nearest),
                "now": plain(one.now),
                "nearest": None if one.nearest == turning.OTHER else plain(one.nearest),
                "least": plain(one.least),
                "most": plain(one.most),
                "one_of": list(one.one_of),
                "none_of": list(one.none_of),
            }
            for one in turn.changes
        ],
    }


def decimals_of(value: Decimal) -> int:
    """How many decimals a limit must have to say what would turn something."""
    return max(0, -value.as_tuple().exponent)


def held(thought: turning.Subject, now: turning.Answer, rule: str, base: Base, figures: bool) -> list[dict]:
    """The comparisons of a rule: what was read, from where and of when, against which limit, and what that says."""
    place = [one.id for one in thought.criteria.rules].index(rule)
    found = []
    for one in turning.comparisons_of(thought, place):
        read = [MEASURES[name] for name in sorted(names(one.left) & set(MEASURES))]
        closed = not figures and any(MEASURES[name].restricted for name in one.compiled.measures)
        measure = MEASURES[one.measure] if one.measure else None
        found.append(
            {
                "measure": one.measure,
                "title": str(measure.title) if measure else turning.written(one.left),
                "of": [{"measure": each.name, "title": str(each.title)} for each in read],
                "value": None if closed else plain(turning.valued(thought, one.left)),
                "uom": measure.uom if measure else "",
                "decimals": max((each.decimals for each in read), default=0),
                "source": measure.source if measure else (read[0].source if read else ""),
                "as_of": base.as_of(read[0].source, read[0].layer) if read else "",
                "op": one.op,
                "limit": limit(thought, one),
                "param": one.param,
                "text": one.text,
                "verdict": None if closed else now.parts[thought.place[id(one)]],
                "hidden": closed,
            }
        )
    return found


def limit(thought: turning.Subject, one: Threshold):
    """What a side is held against: a number or text, or a list of them where it is one of several."""
    values = []
    for side in one.limits:
        name = named(side)
        value = thought.criteria.params[name].value if name in thought.criteria.params else None
        if isinstance(value, tuple):
            values += [plain(each) for each in value]
        elif isinstance(side, str | bool):
            values.append(side)
        else:
            values.append(plain(turning.valued(thought, side)))
    several = one.op in ("in", "not in", "between", "not between")
    return values if several else values[0] if values else None


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
