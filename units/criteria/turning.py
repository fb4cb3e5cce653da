"""Find what would have to change in the facts of one subject, or in a limit, for another outcome of the same rules.

Nothing is guessed from the text of a rule: its comparisons say at which values something may happen, PostgreSQL judges
the subject again at each of these and at the next ones the measure can have, and only what it then answers is told.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from units.criteria import judging
from units.criteria.judging import OUTCOMES
from units.criteria.measures import BOOLEAN, MEASURES, NUMBER, SQL_TYPES, TEXT
from units.criteria.sets import Criteria, Rule
from units.criteria.thresholds import SIGNS, Joined, Threshold, named, names, number, thresholds, tree

WORD = re.compile(r"[a-z_][a-z0-9_]*")
PARAM = "p_"  # before the name of a parameter, as the compiler binds it
OTHER = "\N{WHITE SQUARE}"  # stands for every text that no rule names
SIGNED = frozenset({"area_difference", "contract_difference"})  # measures that may be below nought
# Shares of a whole; every share of a control layer is one too.
PARTS = frozenset(
    {
        "main_class_share",
        "construction_share",
        "covered_share",
        "mismatch",
        "far_estimated_share",
        "coverage",
        "registered_coverage",
        "vacancy",
        "unsafe_share",
        "plan_conflict",
        "developed_share",
        "agricultural_share",
        "unused_share",
        "net_developable_share",
        "approved_unsupplied_share",
        "unit_share",
        "tenant_share",
        "outside_tenant_share",
    }
)
MOST_VALUES = 400  # that are tried of one subject; a set that needs more is not told of further
MOST_WAYS = 6  # of several changes together that are told of one subject
AROUND = (-1, 0, 1, 2)  # steps about a value at which a comparison turns: the last before it and the first after it


@dataclass(frozen=True)
class Change:
    """Values of one measure, or of one parameter, all of which give the same outcome while all else stays as it is.

    Of a number `least` and `most`, both still in it; None: without end. Of a text `one_of`, or everything except
    `none_of`. `nearest` is the one that is nearest to what is now.
    """

    kind: str  # measure, parameter
    name: str
    now: object  # None: not known
    nearest: object
    least: Decimal | None = None
    most: Decimal | None = None
    one_of: tuple = ()
    none_of: tuple = ()


@dataclass(frozen=True)
class Turn:
    """Changes that, made together, give `outcome` (and `category`); `rules` say something else then than now."""

    outcome: str
    category: str
    changes: tuple[Change, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What PostgreSQL says of the subject at some values: the fold, each rule, each comparison."""

    outcome: str
    category: str
    rules: tuple[bool | None, ...]
    parts: tuple[bool | None, ...]


@dataclass
class Subject:
    """One subject of a set: `facts` are the measures as they are now, by name; a number is a Decimal."""

    criteria: Criteria
    kind: str
    facts: Mapping[str, object]
    trees: tuple[Joined | Threshold, ...] = ()
    comparisons: tuple[Threshold, ...] = ()
    place: dict[int, int] = field(default_factory=dict)  # id of a comparison → its place

    def __post_init__(self):
        self.trees = tuple(tree(rule, self.criteria.params, f"t{n}_") for n, rule in enumerate(self.criteria.rules))
        self.comparisons = tuple(one for written in self.trees for one in thresholds(written))
        self.place = {id(one): place for place, one in enumerate(self.comparisons)}

    def now(self, name: str) -> object:
        """What a measure, or a parameter by its bound name, is now."""
        if name.startswith(PARAM):
            return self.criteria.params[name.removeprefix(PARAM)].value
        return self.facts.get(name)


def turns(cursor, criteria: Criteria, kind: str, facts: Mapping[str, object]) -> tuple[Answer, list[Turn], Subject]:
    """What is now, and every change of one number, text or limit that turns the outcome; where no single change leads
    to an outcome, several together that were found and judged to lead there.

    Single changes come first, each with the values nearest to what is now; `facts` of PostgreSQL, rounded as they are
    judged. Nothing is told that the database did not answer.
    """
    subject = Subject(criteria, kind, facts)
    tried = list(_values(subject))[:MOST_VALUES]
    now, *answers = answered(cursor, subject, [{}, *({name: value} for name, value in tried)])
    found = [*_singles(subject, now, tried, answers)]
    reached = {turn.outcome for turn in found if turn.category == now.category and turn.changes[0].kind == "measure"}
    # Of what was not suspected nobody asks how it would be exempted or excluded by several changes at once.
    asked = {"candidate", "not_low"} | ({"exempted"} if now.outcome == "candidate" else set())
    wanted = [one for one in OUTCOMES if one in asked - {now.outcome} - reached]
    plans = [plan for outcome in wanted for plan in _plans(subject, now, outcome, tried, answers)]
    found += _proved(cursor, subject, now, plans, wanted)
    found.sort(key=lambda turn: (turn.category != now.category, len(turn.changes), turn.changes[0].kind == "parameter"))
    return now, found, subject


def comparisons_of(subject: Subject, place: int) -> list[Threshold]:
    """The comparisons of the rule at this place of its set."""
    return list(thresholds(subject.trees[place]))


def valued(subject: Subject, node) -> object:
    """What a side of a comparison is now: a fact, or the number that a calculation gives; None where it is unknown."""
    name = named(node)
    if name in MEASURES:
        return subject.facts.get(name)
    found = _fraction(subject, "", node)
    if found is None or not found[1][0]:
        return None
    value = found[0][0] / found[1][0]
    return Decimal(value.numerator) / value.denominator


def written(node) -> str:
    """A side as it is written, with the titles of measures in the place of their names."""
    if isinstance(node, dict) and "op" in node:
        return f" {SIGNS[node['op']]} ".join(written(side) for side in node["args"])
    name = named(node)
    if name is not None:
        return str(MEASURES[name].title) if name in MEASURES else name
    return f"{number(node).normalize():f}" if isinstance(node, int | float) else str(node)


# --- asking PostgreSQL -------------------------------------------------------------------------------------------


def answered(cursor, subject: Subject, changes: list[dict[str, object]]) -> list[Answer]:
    """The answer for each of the changes, which name measures, or parameters by the name they are bound by."""
    criteria = subject.criteria
    folded = judging.judgement(criteria, bare=True)
    numbers = _movable(criteria)
    columns = [f"{one.name} {SQL_TYPES[one.type]}" for one in MEASURES.values()]
    columns += [f"{PARAM}{name} numeric" for name in numbers]
    values: dict[str, object] = dict(folded.values)
    for one in subject.comparisons:
        values |= one.compiled.literals
    rules = ", ".join(rule.condition.sql for rule in criteria.rules)
    parts = ", ".join(one.compiled.sql for one in subject.comparisons)
    base = {name: value for name, value in subject.facts.items() if name in MEASURES}
    base |= {f"{PARAM}{name}": criteria.params[name].value for name in numbers}
    values |= {"turn_base": _json(base), "turn_kind": subject.kind, "turn_changes": [_json(one) for one in changes]}
    sql = f"""WITH measured AS MATERIALIZED (
    SELECT one.place AS subject, %(turn_kind)s::text AS kind, NULL::bigint AS parcel_id, NULL::bigint AS building_id,
           NULL::text AS district_id, NULL::text AS street_id, facts.*
    FROM unnest(%(turn_changes)s::jsonb[]) WITH ORDINALITY AS one (changed, place)
    CROSS JOIN LATERAL jsonb_to_record(%(turn_base)s::jsonb || one.changed) AS facts ({", ".join(columns)})
)
SELECT folded.outcome, folded.category, said.rules, said.parts
FROM ({folded.sql}) AS folded
JOIN (SELECT m.subject, ARRAY[{rules}]::boolean[] AS rules, ARRAY[{parts}]::boolean[] AS parts FROM measured m) AS said
  ON said.subject = folded.subject
ORDER BY folded.subject"""
    for name in numbers:  # the limits are columns here: they may change too
        sql = sql.replace(f"%({PARAM}{name})s", f"m.{PARAM}{name}")
    cursor.execute(sql, values)
    return [
        Answer(outcome, category, tuple(rules), tuple(parts)) for outcome, category, rules, parts in cursor.fetchall()
    ]


def _movable(criteria: Criteria) -> list[str]:
    """The limits that may change by themselves: numbers that follow from no other, and that no other follows."""
    formulas = [getattr(one, "formula", "") for one in criteria.params.values()]
    bound = {word for text in formulas for word in WORD.findall(text)}
    return [
        name
        for name, one in criteria.params.items()
        if one.type == NUMBER and not one.many and name not in bound and not getattr(one, "formula", "")
    ]


def _json(values: Mapping[str, object]) -> str:
    # A number as text keeps all its digits; PostgreSQL reads it by the type of its column.
    return json.dumps({name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in values.items()})


# --- the values to try -------------------------------------------------------------------------------------------


def _values(subject: Subject) -> Iterator[tuple[str, object]]:
    """Each measure and limit with the values about which a comparison may turn, in their order."""
    running = [one for rule, one in zip(subject.criteria.rules, subject.trees, strict=True) if _folded(subject, rule)]
    comparisons = [one for written in running for one in thresholds(written)]
    read = dict.fromkeys(name for one in comparisons for name in sorted(names([one.left, *one.limits])))
    movable = set(_movable(subject.criteria))
    for name in read:
        if name in MEASURES:
            if subject.kind in MEASURES[name].subjects:
                yield from ((name, value) for value in _of_measure(subject, name, comparisons))
        elif name in movable:
            yield from ((f"{PARAM}{name}", value) for value in _of_limit(subject, name, comparisons))


def _folded(subject: Subject, rule: Rule) -> bool:
    """Whether the rule is part of the fold for subjects of this kind; warnings turn nothing."""
    return subject.kind in rule.subjects and (rule.effect in judging.FOLDED.values() or rule.effect == "classify")


def _of_measure(subject: Subject, name: str, comparisons: Iterable[Threshold]) -> list:
    measure = MEASURES[name]
    reading = [one for one in comparisons if name in names([one.left, *one.limits])]
    if measure.type == BOOLEAN:
        return [value for value in (True, False) if value is not subject.facts.get(name)]
    if measure.type == TEXT:
        if any(one.op in ("like", "not like") for one in reading):
            return []  # which texts are like a pattern cannot be listed
        told = dict.fromkeys(value for one in reading for value in _texts(subject, one))
        return [value for value in (*told, OTHER) if value != subject.facts.get(name)]
    step = Fraction(1, 10**measure.decimals)
    most = Fraction(1) if _is_part(name) else None
    least = None if name in SIGNED else Fraction(0)
    return _grid(subject, name, reading, step, least, most)


def _of_limit(subject: Subject, name: str, comparisons: Iterable[Threshold]) -> list:
    reading = [one for one in comparisons if name in names([one.left, *one.limits])]
    beside = set().union(*(names(one.left) & set(MEASURES) for one in reading))
    decimals = [max(0, -subject.criteria.params[name].value.as_tuple().exponent)]
    decimals += [MEASURES[other].decimals for other in beside]
    most = Fraction(1) if beside and all(map(_is_part, beside)) else None
    return _grid(subject, name, reading, Fraction(1, 10 ** max(decimals)), Fraction(0), most)


def _is_part(name: str) -> bool:
    """Whether the measure is a share of a whole, so that it is never above one."""
    return name in PARTS or name.endswith("_share") and MEASURES[name].source == "control"


def _texts(subject: Subject, one: Threshold) -> Iterator[str]:
    for limit in one.limits:
        name = named(limit)
        if isinstance(limit, str):
            yield limit
        elif name in subject.criteria.params:
            value = subject.criteria.params[name].value
            yield from value if isinstance(value, tuple) else (value,)


def _grid(subject: Subject, name: str, reading, step: Fraction, least: Fraction | None, most: Fraction | None) -> list:
    """The values about each turning point that the number can have, in their order."""
    places: set[Fraction] = set()
    for one in reading:
        for limit in _limits(subject, one):
            for root in _roots(subject, name, one.left, limit):
                places |= {(root / step).__floor__() + away for away in AROUND}
    kept = sorted(place for place in places if least is None or place * step >= least)
    if most is not None:
        kept = [place for place in kept if place * step <= most]
    return [_decimal(place * step, step) for place in kept]


def _decimal(value: Fraction, step: Fraction) -> Decimal:
    return (Decimal(value.numerator) / value.denominator).quantize(Decimal(1) / step.denominator)


def _limits(subject: Subject, one: Threshold) -> Iterator:
    """What the left side is held against: each by itself, a list parameter item by item."""
    for limit in one.limits:
        param = subject.criteria.params.get(named(limit) or "")
        if param is not None and param.many:
            yield from param.value
        else:
            yield limit


# --- where a comparison turns ------------------------------------------------------------------------------------
# A side is a fraction of two polynomials in the name that changes, each a list of coefficients from the constant on.


def _roots(subject: Subject, name: str, left, right) -> list[Fraction]:
    """The values of `name` at which the two sides are equal, or at which one of them has no value."""
    one, other = _fraction(subject, name, left), _fraction(subject, name, right)
    if one is None or other is None:
        return []  # another fact that it reads is not known, or it is no number
    (top, bottom), (other_top, other_bottom) = one, other
    between = _plus(_times(top, other_bottom), [-part for part in _times(other_top, bottom)])
    return [root for polynomial in (between, bottom, other_bottom) for root in _zeros(polynomial)]


def _fraction(subject: Subject, name: str, node) -> tuple[list[Fraction], list[Fraction]] | None:
    if isinstance(node, dict) and "op" in node:
        sides = [_fraction(subject, name, side) for side in node["args"]]
        if None in sides or node["op"] not in ("+", "-", "*", "/"):
            return None
        (top, bottom), (other_top, other_bottom) = sides
        if node["op"] == "*":
            return _times(top, other_top), _times(bottom, other_bottom)
        if node["op"] == "/":
            return _times(top, other_bottom), _times(bottom, other_top)
        sign = 1 if node["op"] == "+" else -1
        added = _plus(_times(top, other_bottom), [sign * part for part in _times(other_top, bottom)])
        return added, _times(bottom, other_bottom)
    asked = named(node)
    if asked == name:
        return [Fraction(0), Fraction(1)], [Fraction(1)]
    if asked is not None:
        node = subject.now(asked if asked in MEASURES else f"{PARAM}{asked}")
    elif isinstance(node, int | float) and not isinstance(node, bool):
        node = number(node)
    if not isinstance(node, Decimal):
        return None
    return [Fraction(node)], [Fraction(1)]


def _plus(one: list[Fraction], other: list[Fraction]) -> list[Fraction]:
    length = max(len(one), len(other))
    one, other = (side + [Fraction(0)] * (length - len(side)) for side in (one, other))
    return [a + b for a, b in zip(one, other, strict=True)]


def _times(one: list[Fraction], other: list[Fraction]) -> list[Fraction]:
    product = [Fraction(0)] * (len(one) + len(other) - 1)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            product[i + j] += a * b
    return product


def _zeros(polynomial: list[Fraction]) -> list[Fraction]:
    """Where it is nought; of a degree above two nothing is told."""
    while polynomial and polynomial[-1] == 0:
        polynomial = polynomial[:-1]
    if len(polynomial) == 2:
        return [-polynomial[0] / polynomial[1]]
    if len(polynomial) == 3:
        c, b, a = polynomial
        under = b * b - 4 * a * c
        if under >= 0:
            root = Fraction((Decimal(under.numerator) / under.denominator).sqrt())
            return [(-b - root) / (2 * a), (-b + root) / (2 * a)]
    return []


# --- one change --------------------------------------------------------------------------------------------------


def _singles(subject: Subject, now: Answer, tried: list, answers: list[Answer]) -> Iterator[Turn]:
    """The nearest values of each name that give another outcome."""
    for name in dict.fromkeys(name for name, _value in tried):
        values = [(value, answer) for (one, value), answer in zip(tried, answers, strict=True) if one == name]
        is_number = isinstance(values[0][0], Decimal)
        for group in _runs(subject, name, now, values) if is_number else _groups(subject, name, values):
            (change, answer) = group
            if (answer.outcome, answer.category) != (now.outcome, now.category) and answer.outcome != now.outcome:
                yield Turn(answer.outcome, answer.category, (change,), _turned(subject, now, answer))


def _runs(subject: Subject, name: str, now: Answer, values: list) -> list[tuple[Change, Answer]]:
    """Neighbouring numbers with the same outcome as one range; of those on each side of what is now, the nearest."""
    present = subject.now(name)
    known = isinstance(present, Decimal)
    line = [*values, (present, now)] if known and present not in [value for value, _answer in values] else values
    line = sorted(line, key=lambda one: one[0])
    runs: list[list] = [[line[0]]]
    for (_before, last), one in pairwise(line):
        if (one[1].outcome, one[1].category) == (last.outcome, last.category):
            runs[-1].append(one)
        else:
            runs.append([one])
    told: dict[tuple, tuple[Change, Answer]] = {}
    for place, run in enumerate(runs):
        low, high = run[0][0], run[-1][0]
        if known and low <= present <= high:
            continue
        answer = run[0][1]
        nearest = low if not known or low > present else high
        change = Change(
            _kind(name),
            name.removeprefix(PARAM) if _kind(name) == "parameter" else name,
            present,
            nearest,
            None if place == 0 else low,
            None if place == len(runs) - 1 else high,
        )
        side = (answer.outcome, answer.category, known and low > present, None if known else place)
        before = told.get(side)
        if before is None or known and abs(nearest - present) < abs(before[0].nearest - present):
            told[side] = (change, answer)
    return list(told.values())


def _groups(subject: Subject, name: str, values: list) -> list[tuple[Change, Answer]]:
    """The texts, or truth values, that give the same outcome; everything that no rule names is one of them."""
    groups: dict[tuple, list] = {}
    for value, answer in values:
        groups.setdefault((answer.outcome, answer.category), []).append((value, answer))
    told = []
    named_texts = tuple(value for value, _answer in values if value != OTHER)
    for group in groups.values():
        texts = tuple(value for value, _answer in group)
        others = OTHER in texts
        apart = tuple(value for value in named_texts if value not in texts) if others else ()
        present = subject.facts.get(name)
        if others and present in _all_texts(subject, name):
            apart += (present,)
        kept = () if others else texts
        told.append((Change("measure", name, present, texts[0], one_of=kept, none_of=apart), group[0][1]))
    return told


def _all_texts(subject: Subject, name: str) -> set[str]:
    reading = (one for one in subject.comparisons if name in names([one.left, *one.limits]))
    return {value for one in reading for value in _texts(subject, one)}


def _kind(name: str) -> str:
    return "parameter" if name.startswith(PARAM) and name not in MEASURES else "measure"


def _turned(subject: Subject, now: Answer, then: Answer) -> tuple[str, ...]:
    """The rules of its kind and category, before or after, that say something else."""
    pairs = zip(subject.criteria.rules, now.rules, then.rules, strict=True)
    return tuple(
        rule.id
        for rule, before, after in pairs
        if before is not after
        and _folded(subject, rule)
        and (rule.effect == "classify" or not rule.categories or {now.category, then.category} & set(rule.categories))
    )


# --- several changes together ------------------------------------------------------------------------------------


def _plans(subject: Subject, now: Answer, outcome: str, tried: list, answers: list[Answer]) -> Iterator[dict]:
    """Values for several measures that may lead to an outcome, by what each rule would have to say."""
    singles = [(name, value, answer) for (name, value), answer in zip(tried, answers, strict=True) if name in MEASURES]
    rules = list(zip(subject.criteria.rules, subject.trees, now.rules, strict=True))
    running = [
        (rule, written, verdict)
        for rule, written, verdict in rules
        if subject.kind in rule.subjects and (not rule.categories or now.category in rule.categories)
    ]

    def made(effects: dict[str, bool]) -> dict | None:
        plan: dict[str, object] = {}
        for rule, written, verdict in running:
            if rule.effect in effects and verdict is not effects[rule.effect]:
                step = _towards(subject, now, written, effects[rule.effect], singles)
                if step is None:
                    return None
                for name, value in step.items():
                    plan[name] = _agreed(subject, name, plan.get(name), value)
        return plan

    def one_of(effect: str, beside: dict[str, bool]) -> Iterator[dict]:
        base = made(beside)
        if base is None:
            return
        for rule, written, verdict in running:
            if rule.effect == effect:
                step = {} if verdict is True else _towards(subject, now, written, True, singles)
                if step is not None:
                    yield base | step

    if outcome == "not_low":
        plan = made({"exclude": False, "flag": False})
        if plan:
            yield plan
    elif outcome == "candidate":
        yield from (plan for plan in one_of("flag", {"exclude": False, "exempt": False}) if plan)
    elif outcome == "exempted":
        met = any(verdict for rule, _written, verdict in running if rule.effect == "flag")
        for plan in one_of("exempt", {"exclude": False}):
            if met:
                yield plan
            else:
                yield from (plan | other for other in one_of("flag", {"exclude": False}))
    elif outcome == "excluded":
        yield from (plan for plan in one_of("exclude", {}) if plan)


def _towards(subject: Subject, now: Answer, written: Joined | Threshold, wanted: bool, singles: list) -> dict | None:
    """Values that would make a condition say what is wanted, the fewest; None where none were found."""
    if isinstance(written, Threshold):
        place = subject.place[id(written)]
        if now.parts[place] is wanted:
            return {}
        fits = [(name, value) for name, value, answer in singles if answer.parts[place] is wanted]
        if not fits:
            return None
        # A count only says whether a rule has anything to look at: it is what would change last.
        name, value = min(fits, key=lambda one: (_is_count(one[0]), _distance(subject, *one)))
        return {name: value}
    ways = [_towards(subject, now, part, wanted, singles) for part in written.parts]
    if (written.op == "and") is wanted:  # all of them
        if None in ways:
            return None
        plan: dict[str, object] = {}
        for way in ways:
            for name, value in way.items():
                plan[name] = _agreed(subject, name, plan.get(name), value)
        return plan
    found = [way for way in ways if way is not None]
    return min(found, key=len) if found else None


def _is_count(name: str) -> bool:
    return MEASURES[name].type == NUMBER and MEASURES[name].uom == "1" and MEASURES[name].decimals == 0


def _agreed(subject: Subject, name: str, one: object, other: object) -> object:
    """Of two values for the same measure the one that goes further from what is now: it does for both."""
    if one is None or not isinstance(one, Decimal):
        return other
    return max((one, other), key=lambda value: _distance(subject, name, value))


def _distance(subject: Subject, name: str, value: object) -> Decimal:
    now = subject.now(name)
    if isinstance(value, Decimal):
        return abs(value - now) if isinstance(now, Decimal) else abs(value)
    return Decimal(1)


def _proved(cursor, subject: Subject, now: Answer, plans: list[dict], wanted: list[str]) -> list[Turn]:
    """The plans that lead to what is wanted when the subject is judged at their values, without what is not needed."""
    plans = [plan for number, plan in enumerate(plans) if plan and plan not in plans[:number]]
    kept: list[tuple[dict, Answer]] = []
    while plans:
        answers = answered(cursor, subject, plans)
        shorter: list[dict] = []
        for plan, answer in zip(plans, answers, strict=True):
            if answer.outcome not in wanted:
                continue
            kept.append((plan, answer))
            shorter += [{key: value for key, value in plan.items() if key != name} for name in plan if len(plan) > 1]
        plans = [plan for number, plan in enumerate(shorter) if plan not in shorter[:number]][:MOST_VALUES]
    needed = [
        (plan, answer)
        for plan, answer in kept
        if not any(other.items() < plan.items() and seen.outcome == answer.outcome for other, seen in kept)
    ]
    fewest: dict[str, int] = {}
    for plan, answer in needed:
        fewest[answer.outcome] = min(len(plan), fewest.get(answer.outcome, len(plan)))
    told = []
    for plan, answer in needed:
        if len(plan) == fewest[answer.outcome] and plan not in [one for one, _answer in told]:
            told.append((plan, answer))
    return [
        Turn(
            answer.outcome,
            answer.category,
            tuple(_exactly(subject, name, value) for name, value in plan.items()),
            _turned(subject, now, answer),
        )
        for plan, answer in told[:MOST_WAYS]
    ]


def _exactly(subject: Subject, name: str, value: object) -> Change:
    """One of several changes: that value is told, which was judged together with the others, and no range."""
    present = subject.now(name)
    if isinstance(value, Decimal):
        return Change("measure", name, present, value, value, value)
    if value == OTHER:
        return Change("measure", name, present, value, none_of=tuple(sorted(_all_texts(subject, name))))
    return Change("measure", name, present, value, one_of=(value,))
