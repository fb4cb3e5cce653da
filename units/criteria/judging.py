"""Write the one SQL question that judges subjects by a set: verdicts, category, outcome and evidence."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from units.criteria.compiler import bindings, compile_text
from units.criteria.measures import BOTH, MEASURES, NUMBER, SQL_TYPES
from units.criteria.sets import Criteria, Rule
from units.errors import CriteriaError

OUTCOMES = ("candidate", "excluded", "exempted", "undecided", "not_low")

# The fold (DESIGN part 6). excluded, flagged and exempted are the three-valued ORs of the rules of the subject's
# category; `categorised` is null while the category is unknown. A rule for every category excludes even then.
FOLD = """CASE
    WHEN excluded THEN 'excluded'
    WHEN categorised IS NULL THEN 'undecided'
    WHEN NOT flagged THEN 'not_low'
    WHEN flagged IS NULL OR excluded IS NULL THEN 'undecided'
    WHEN exempted THEN 'exempted'
    ELSE 'candidate'
END"""
FOLDED = {"excluded": "exclude", "flagged": "flag", "exempted": "exempt"}


@dataclass(frozen=True)
class Question:
    """SQL over the relation `measured`, and the values it binds."""

    sql: str
    values: dict[str, object]


def judgement(criteria: Criteria, in_english: bool = False, bare: bool = False) -> Question:
    """One row a subject: category, outcome, fired, missing, evidence and the verdicts as JSON.

    The evidence is in Chinese, whoever asks. With `in_english` there is also `messages`: rule → the message in English
    of each rule that is met and has one. `bare` leaves out missing, evidence and verdicts: what a what-if compares.

    A rule of another category does not run (NK020): it is no part of the evidence. Its verdict counts as unknown while
    the category is unknown, unless it is false anyway. OFFSET 0 keeps each step apart without storing its rows.
    """
    rules = criteria.rules
    values: dict[str, object] = dict(bindings(criteria.params)) | {"digest": criteria.digest}
    values["people"] = list(criteria.people)
    read = {name for rule in rules for name in read_by(rule)}
    values["unread"] = [] if bare else [name for name in MEASURES if name not in read]
    for place, rule in enumerate(rules):
        values |= rule.condition.literals | rule.shown.literals
        if in_english and rule.shown_en:
            values |= rule.shown_en.literals
        values |= {f"r{place}_id": rule.id, f"r{place}_effect": rule.effect}
        if rule.categories:
            values[f"r{place}_categories"] = list(rule.categories)
        if set(rule.subjects) != set(BOTH):
            values[f"r{place}_subject"] = rule.subjects[0]
    places = range(len(rules))
    classifying = [place for place in places if rules[place].effect == "classify"]
    columns = ["m.*", *(f"{_verdict_of(place, rule)} AS v{place}" for place, rule in enumerate(rules))]
    asked = [f"{_missing(place, rules[place])} AS g{place}" for place in places if not bare]
    category = "".join(f" WHEN v{place} THEN (%(r{place}_categories)s::text[])[1]" for place in classifying)
    categorised = " OR ".join(f"v{place}" for place in classifying) or "FALSE"
    sql = f"""
WITH verdict AS (
    SELECT {", ".join(columns)} FROM measured m OFFSET 0
), classed AS (
    SELECT verdict.*, {f"CASE{category} ELSE '' END" if category else "''::text"} AS category,
           -- false: known to be outside every category
           ({categorised}) AS categorised
    FROM verdict OFFSET 0
), applied AS (
    SELECT classed.*, {", ".join(_applies(place, rules[place]) for place in places) or "NULL AS nothing"}
    FROM classed OFFSET 0
), joined AS (
    SELECT applied.*, {", ".join(f"{_any(rules, effect)} AS {name}" for name, effect in FOLDED.items())},
           {_by_people(rules)} AS by_people,
           {", ".join(asked) or "NULL AS nothing"}
    FROM applied OFFSET 0
), folded AS (
    SELECT joined.*, {FOLD} AS outcome FROM joined OFFSET 0
)
SELECT m.subject, m.parcel_id, m.building_id, m.district_id, m.street_id, m.category, m.outcome,
       {_fired(rules)} AS fired{"" if bare else _told(rules, in_english)}
FROM folded m"""
    return Question(sql, values)


def verdict(criteria: Criteria, place: int) -> Question:
    """What the rule at this place of the set says of a row `m` of `measured`, as a run asks it."""
    rule = criteria.rules[place]
    values = bindings(criteria.params) | rule.condition.literals | {f"r{place}_subject": rule.subjects[0]}
    return Question(_verdict_of(place, rule), values)


def _told(rules: tuple[Rule, ...], in_english: bool) -> str:
    """The columns that a card is made of."""
    messages = f", {_in_english(rules)} AS messages" if in_english else ""
    return f", {_asked(rules)} AS missing, {_evidence(rules)} AS evidence{messages}"


def _verdict_of(place: int, rule: Rule) -> str:
    """What the rule says; of a subject of another kind nothing: false, so that it is never asked for facts."""
    if set(rule.subjects) == set(BOTH):
        return rule.condition.sql
    return f"(m.kind = %(r{place}_subject)s AND {rule.condition.sql})"


def _applies(place: int, rule: Rule) -> str:
    """Whether the rule is one of the subject's kind and category (a<n>), and its verdict where it is (w<n>)."""
    of_kind = "TRUE" if set(rule.subjects) == set(BOTH) else f"(kind = %(r{place}_subject)s)"
    if rule.effect == "classify" or not rule.categories:
        return f"{of_kind} AS a{place}, v{place} AS w{place}"
    applies = (
        f"({of_kind} AND CASE WHEN categorised THEN category = ANY(%(r{place}_categories)s::text[]) "
        "WHEN NOT categorised THEN FALSE END)"
    )
    return f"{applies} AS a{place}, ({applies} AND v{place}) AS w{place}"


def _any(rules: tuple[Rule, ...], effect: str) -> str:
    verdicts = [f"w{place}" for place, rule in enumerate(rules) if rule.effect == effect]
    if effect == "flag":
        verdicts.append(f"CASE WHEN {_by_people(rules)} THEN NULL ELSE FALSE END")
    return f"({' OR '.join(verdicts) or 'FALSE'})"


def _by_people(rules: tuple[Rule, ...]) -> str:
    """Whether no rule flags subjects of this kind and category, or people judge beside the rules.

    Nothing is not low there because no rule was met: the OR of no rules is unknown.
    """
    flagging = " OR ".join(f"a{place}" for place, rule in enumerate(rules) if rule.effect == "flag") or "FALSE"
    return f"(categorised AND (NOT ({flagging}) OR category = ANY(%(people)s::text[])))"


def _missing(place: int, rule: Rule) -> str:
    """The facts to ask for where the rule applies, or may, and nobody can say."""
    asked = ", ".join(
        f"CASE WHEN applied.{name} IS NULL THEN COALESCE(applied.gaps ->> '{name}', '{name}') END"
        for name in rule.condition.measures
    )
    if not asked:
        return "ARRAY[]::text[]"
    distinct = (
        f"ARRAY(SELECT DISTINCT fact FROM unnest(ARRAY[{asked}]::text[]) AS fact WHERE fact IS NOT NULL ORDER BY 1)"
    )
    return f"CASE WHEN v{place} IS NULL AND a{place} IS NOT FALSE THEN {distinct} ELSE ARRAY[]::text[] END"


def _fired(rules: tuple[Rule, ...]) -> str:
    ids = [
        f"CASE WHEN w{place} THEN %(r{place}_id)s END"
        for place, rule in enumerate(rules)
        if rule.effect in FOLDED.values()
    ]
    return f"array_remove(ARRAY[{', '.join(ids)}]::text[], NULL)"


def _asked(rules: tuple[Rule, ...]) -> str:
    """What to ask for: for an undecided subject what keeps it so, for a candidate what could still exempt it."""

    def facts(*effects: str) -> str:
        return " || ".join(
            ["ARRAY[]::text[]", *(f"g{place}" for place, rule in enumerate(rules) if rule.effect in effects)]
        )

    wanted = f"""CASE WHEN outcome = 'undecided' AND categorised IS NULL THEN {facts("classify", "exclude")}
        WHEN outcome = 'undecided' THEN {facts("exclude", "flag")}
             || CASE WHEN by_people THEN ARRAY['people'] ELSE ARRAY[]::text[] END
        WHEN outcome = 'candidate' THEN {facts("exempt")}
        ELSE ARRAY[]::text[] END"""
    return f"ARRAY(SELECT DISTINCT fact FROM unnest({wanted}) AS fact ORDER BY 1)"


def _evidence(rules: tuple[Rule, ...]) -> str:
    """What is of this subject alone: the inputs of the rules that run, their verdicts, and the words of those met.

    Which rules run is settled by the subject's kind and category, so each of these has an expression of its own.
    What is alike for all (units, sources, dates, parameters, clauses) a run keeps once: `flagging.evidence` joins them.
    """
    known = dict.fromkeys(category for rule in rules if rule.effect == "classify" for category in rule.categories)
    inputs, verdicts, messages = [], [], []
    for kind in BOTH:
        for category in (*known, "", None):
            when = f"WHEN m.kind = '{kind}' AND " + (
                "m.categorised IS NULL"
                if category is None
                else f"m.category = '{category}' AND m.categorised IS NOT NULL"
            )
            running = [(place, rule) for place, rule in enumerate(rules) if _runs(rule, kind, category)]
            names = dict.fromkeys(name for _place, rule in running for name in read_by(rule))
            read = [f"'{name}', m.{name}" for name in names]
            judged = [f"%(r{place}_id)s::text, v{place}" for place, _rule in running]
            said = [f"%(r{place}_id)s::text, CASE WHEN v{place} THEN {rule.shown.sql} END" for place, rule in running]
            inputs.append(f"{when} THEN {_objects(read)}")
            verdicts.append(f"{when} THEN {_objects(judged)}")
            messages.append(f"{when} THEN jsonb_strip_nulls({_objects(said)})")
    return f"""jsonb_build_object(
           'digest', %(digest)s::text,
           'category', m.category,
           'categorised', m.categorised,
           'exemption_pending', m.outcome = 'candidate' AND m.exempted IS NULL,
           'classes', COALESCE(m.class_mix, '{{}}'),
           'overlay', COALESCE(m.overlay, '{{}}'),
           'gaps', m.gaps - %(unread)s::text[],
           'inputs', CASE {" ".join(inputs)} END,
           'verdicts', CASE {" ".join(verdicts)} END,
           'messages', CASE {" ".join(messages)} END)"""


def _runs(rule: Rule, kind: str, category: str | None) -> bool:
    """Whether the rule runs on subjects of this kind and category; None while that is unknown, when any may."""
    of_category = rule.effect == "classify" or not rule.categories or category is None or category in rule.categories
    return kind in rule.subjects and of_category


def reading(criteria: Criteria) -> set[str]:
    """Which measures stand in the evidence of a subject, as kind/category/measure; of no category known, of any."""
    categories = {category for rule in criteria.rules for category in rule.categories}
    return {
        f"{kind}/{category}/{name}"
        for kind in BOTH
        for category in (*categories, "")
        for rule in criteria.rules
        if _runs(rule, kind, category or None)
        for name in read_by(rule)
    }


def read_by(rule: Rule) -> tuple[str, ...]:
    """The measures that a rule judges and speaks of."""
    return tuple(dict.fromkeys((*rule.condition.measures, *rule.shown.measures)))


def _objects(pairs: list[str], most: int = 50) -> str:
    """One JSON object of all pairs; a function of PostgreSQL takes 100 arguments at most."""
    parts = [pairs[start : start + most] for start in range(0, len(pairs), most)] or [[]]
    return "(" + " || ".join(f"jsonb_build_object({', '.join(part)})" for part in parts) + ")"


def _in_english(rules: tuple[Rule, ...]) -> str:
    messages = ", ".join(
        f"%(r{place}_id)s::text, CASE WHEN v{place} THEN {rule.shown_en.sql} END"
        for place, rule in enumerate(rules)
        if rule.shown_en
    )
    return f"jsonb_strip_nulls(jsonb_build_object({messages}))"


def failing_cases(cursor, criteria: Criteria) -> list[tuple[Rule, str, bool | None, bool | None]]:
    """The cases that the compiled rules do not answer as expected: rule, case, expected, answered.

    Run by PostgreSQL on rounded values, so that what a case proves is what a run does.
    """
    questions, values, asked = [], {}, []
    for number, rule in enumerate(criteria.written):
        # With the values that held where the rule was written; each rule's under names of its own.
        written = compile_text(rule.when, rule.params, f"c{number}_", rule.id)
        sql = written.sql.replace("%(p_", f"%(c{number}_p_")
        values |= written.literals | {f"c{number}_{key}": value for key, value in bindings(rule.params).items()}
        for case in rule.cases:
            columns = []
            for name in rule.condition.measures or ("far",):
                measure = MEASURES[name]
                key = f"k{len(asked)}_{name}"
                values[key] = case.given.get(name)
                given = f"%({key})s::{SQL_TYPES[measure.type]}"
                columns.append(
                    f"{f'round({given}, {measure.decimals})' if measure.type == NUMBER else given} AS {name}"
                )
            questions.append(f"SELECT {len(asked)} AS place, {sql} AS answer FROM (SELECT {', '.join(columns)}) AS m")
            asked.append((rule, case))
    if not questions:
        return []
    cursor.execute(" UNION ALL ".join(questions), values)
    answers = dict(cursor.fetchall())
    return [
        (rule, case.name, case.expect, answers[place])
        for place, (rule, case) in enumerate(asked)
        if answers[place] is not case.expect
    ]


def prove(cursor, criteria: Criteria) -> None:
    """Refuse a set whose rules do not do what their cases say; nothing is judged by it."""
    words = {True: "yes", False: "no", None: "unknown"}
    for rule, case, expected, answered in failing_cases(cursor, criteria):
        raise CriteriaError(
            f"{rule.origin}.toml, rule {rule.id}, case “{case}”: "
            + _("expected is %(expected)s, the rule says %(answered)s.")
            % {"expected": words[expected], "answered": words[answered]},
            where=rule.origin,
            rule=rule.id,
        )
