"""Try other values of a set's parameters on what was measured: which subjects change, and how much land that is.

Nothing is measured and nothing is written. A rule that reads a changed parameter is asked twice, and only subjects of
which it then says something else are folded again, with the old values and with the new: the fold is a function of
the verdicts, so nobody else can change. What all are before is folded once and kept until facts or criteria change.
"""

import hashlib
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache as read_once
from pathlib import Path

from django.core.cache import cache
from django.db import connection, transaction
from django.utils.translation import gettext as _

from units.collections import COLLECTIONS
from units.criteria import judging, sets
from units.criteria.measures import MEASURES, NUMBER
from units.criteria.sets import Criteria
from units.errors import NotAllowed, Refused
from units.measuring import Base, at_ease, plain
from units.models import Category, FlagRun, Measurement, Revision, Stale
from units.rights import Grant, View, sees_figures
from units.spatial import rounded

SQL = Path(__file__).parent / "sql"
KEPT_SECONDS = 6 * 3600  # what all subjects are before anything is tried
HECTARE_DECIMALS = 4  # a hectare to the square metre
NAMED = re.compile(r"%\((\w+)\)s")
SUBJECT = ("subject", "kind", "parcel_id", "building_id", "district_id", "street_id")
CANDIDATE = "candidate"
OUTCOMES = judging.OUTCOMES
FIRST = ("flag", "exempt", "exclude", "classify")  # effects of rules that an outcome hangs on, as sliders are ordered
MOVING = frozenset(FIRST)


@dataclass(frozen=True)
class Ground:
    """What is tried on: the measured subjects of a district's survey in force, and which of them a reader sees."""

    district: str
    survey: int
    year: int
    view: View
    figures: bool  # whether the reader may know what firms there pay, use and are graded
    measurement: int  # the revision of what was measured
    revision: tuple  # another one whenever something that is counted has changed
    measured_at: datetime
    stale: dict | None  # {changes, whole}: facts that have changed since they were measured

    @classmethod
    def of(cls, district: str, grants: Iterable[Grant]) -> "Ground":
        """NotAllowed for who sees no flag there, UnknownName for no district, Refused where nothing is measured."""
        grants = tuple(grants)
        view = COLLECTIONS["candidates"].seen_by(grants)
        scopes = [dict(one) for one in view.rows.alternatives]
        scopes = [one for one in scopes if one.get("district_id", district) == district]
        if not scopes:
            raise NotAllowed(
                _("What the criteria suspect is open to the departments that decide on it."),
                _("Sign in with an account of one of them."),
            )
        base = Base.of(district)
        last = Measurement.objects.filter(survey_id=base.survey).first()
        if last is None:
            raise Refused(
                _("Nothing was measured in the district %(district)s yet.") % {"district": district},
                _("Flag it once; then other values can be tried at once."),
            )
        changed = Stale.objects.filter(district_id=district)
        wholes = [whole for survey, whole in changed.values_list("survey_id", "whole") if survey in (None, base.survey)]
        tables = Revision.objects.filter(name__in=("parcel", "building")).order_by("name")
        return cls(
            district,
            base.survey,
            base.year,
            view,
            all(sees_figures(grants, district, one.get("street_id")) for one in scopes),
            last.revision,
            (base.survey, last.revision, last.measured_at.isoformat(), *tables.values_list("number", flat=True)),
            last.measured_at,
            {"changes": len(wholes), "whole": any(wholes)} if wholes else None,
        )

    def kept(self, name: str, make: Callable, *of: Hashable):
        """What `make` gives, as long as nothing that it was made of has changed."""
        digest = hashlib.sha256(repr((name, self.district, self.revision, of)).encode()).hexdigest()
        found = cache.get(f"trying-{digest}")
        if found is None:
            found = make()
            cache.set(f"trying-{digest}", found, KEPT_SECONDS)
        return found


@dataclass(frozen=True)
class Change:
    """One subject that a trial changes: its outcome, its category or the rules that it meets."""

    subject: int  # the id of a parcel; that of a building is below nought
    code: str
    street: str
    area_m2: float
    flag: int | None  # the id of its stored flag, by which the map's tiles know it
    before: str
    after: str
    category_before: str
    category: str
    fired_before: tuple[str, ...]
    fired: tuple[str, ...]

    @property
    def kind(self) -> str:
        return "parcel" if self.subject > 0 else "building"


@dataclass(frozen=True)
class Shared:
    """Land that lies under two subjects or more: it is counted once wherever both are counted.

    `pairs` have the square metres that both cover. In a `tangle` three cover the same, so pairs do not tell; its land
    is united when it is asked for.
    """

    pairs: tuple[tuple[int, int, float], ...]
    tangles: tuple[frozenset[int], ...]

    @property
    def subjects(self) -> frozenset[int]:
        return frozenset(one for a, b, _area in self.pairs for one in (a, b)).union(*self.tangles)

    def counted_twice(self, group: Callable[[int], Hashable | None]) -> Counter:
        """Group → the square metres to be taken from the sum of its subjects' areas; None is no group."""
        found = Counter()
        for one, other, area in self.pairs:
            name = group(one)
            if name is not None and name == group(other):
                found[name] += area
        for tangle in self.tangles:
            members = defaultdict(list)
            for one in tangle:
                members[group(one)].append(one)
            for name, those in members.items():
                if name is not None and len(those) > 1:
                    found[name] += _covered_twice(tuple(sorted(those)))
        return found


@dataclass(frozen=True)
class Before:
    """What all subjects are before: {(outcome, category, street, kind): (number, m²)}, and those that share land."""

    groups: dict[tuple[str, str, str, str], tuple[int, float]]
    sharing: dict[int, tuple[str, str, str]]  # subject → outcome, category, street
    shared: Shared


def _place(item: tuple[str, dict]) -> int:
    """Where a category stands in every list: as people count them, what is of none last."""
    return Category.values.index(item[0]) if item[0] in Category.values else len(Category.values)


@dataclass(frozen=True)
class Trial:
    """The answer: what all were before and who changes, by two sets or by one with two values."""

    ground: Ground
    before: Before
    changes: tuple[Change, ...]

    def tallies(self) -> dict:
        """Counts and hectares before and after, in and out, by outcome, category and street, and each change.

        Hectares are of land: what lies under several subjects of a group is counted once.
        """
        by_outcome = self._tally(lambda outcome, category, street: outcome)
        by_category = self._tally(lambda outcome, category, street: category if outcome == CANDIDATE else None)
        by_street = self._tally(lambda outcome, category, street: street if outcome == CANDIDATE else None)
        sides = ("before", "after", "in", "out")
        return {
            "counts": {side: {name: by_outcome[name]["subjects"][side] for name in OUTCOMES} for side in sides},
            "hectares": {side: {name: by_outcome[name]["hectares"][side] for name in OUTCOMES} for side in sides},
            "by_category": [
                {"category": name, **row} for name, row in sorted(by_category.items(), key=_place) if _any(row)
            ],
            "by_street": [{"street": name, **row} for name, row in sorted(by_street.items()) if _any(row)],
            "changes": self._moves(),
            "other_rules": sum(one.before == one.after for one in self.changes),
        }

    def _tally(self, group: Callable[[str, str, str], Hashable | None]) -> dict:
        """Group → {subjects, hectares: {before, after, in, out}}; in are those that were in no or another group."""
        subjects, areas = defaultdict(Counter), defaultdict(Counter)
        for (outcome, category, street, _kind), (number, area) in self.before.groups.items():
            name = group(outcome, category, street)
            if name is not None:
                subjects[name]["before"] += number
                areas[name]["before"] += area
        now = dict(self.before.sharing)
        entered, left = {}, {}
        for one in self.changes:
            old = group(one.before, one.category_before, one.street)
            new = group(one.after, one.category, one.street)
            if one.subject in now:
                now[one.subject] = (one.after, one.category, one.street)
            if old == new:
                continue
            for name, way, places in ((old, "out", left), (new, "in", entered)):
                if name is not None:
                    subjects[name][way] += 1
                    areas[name][way] += one.area_m2
                    places[one.subject] = name
        then, shared = self.before.sharing, self.before.shared
        twice = {
            "before": shared.counted_twice(lambda one: group(*then[one]) if one in then else None),
            "after": shared.counted_twice(lambda one: group(*now[one]) if one in now else None),
            "in": shared.counted_twice(entered.get),
            "out": shared.counted_twice(left.get),
        }
        told = {}
        for name in {*subjects, *(OUTCOMES if group("", "", "") is not None else ())}:
            count, area = subjects[name], areas[name]
            count["after"] = count["before"] + count["in"] - count["out"]
            area["after"] = area["before"] + area["in"] - area["out"]
            told[name] = {
                "subjects": {side: count[side] for side in twice},
                "hectares": {side: hectares(area[side] - twice[side][name]) for side in twice},
            }
        return told

    def _moves(self) -> list[dict]:
        """Each change of outcome with its subjects and hectares, the most subjects first."""
        moved = [one for one in self.changes if one.before != one.after]
        ways = {one.subject: (one.before, one.after) for one in moved}
        twice = self.before.shared.counted_twice(ways.get)
        kinds, areas = defaultdict(Counter), Counter()
        for one in moved:
            kinds[one.before, one.after][one.kind] += 1
            areas[one.before, one.after] += one.area_m2
        rows = [
            {
                "from": way[0],
                "to": way[1],
                "subjects": count.total(),
                "parcels": count["parcel"],
                "buildings": count["building"],
                "hectares": hectares(areas[way] - twice[way]),
            }
            for way, count in kinds.items()
        ]
        return sorted(rows, key=lambda row: (-row["subjects"], row["from"], row["to"]))


def hectares(square_metres: float) -> float:
    return float(rounded(max(square_metres, 0) / 10_000, HECTARE_DECIMALS))


def _any(row: dict) -> bool:
    return any(row["subjects"].values())


def try_values(district: str, criteria_id: str, values: dict[str, str], *, grants: Iterable[Grant]) -> dict:
    """What other values of parameters (as text, as for `flag --set`) would change, for who holds these grants.

    {district, survey, criteria, title, official, digest, against, stale, params, counts, hectares, by_category,
    by_street, changes, other_rules, trial, seconds}; `trial` holds every `Change`. Counts are of the subjects that
    the reader sees. Raises NotAllowed for a value that is closed to him (see `closed`), UnknownName, UsageError.
    """
    began = time.monotonic()
    grants = tuple(grants)
    ground = Ground.of(district, grants)
    criteria = readable(criteria_id, ground)
    tried = criteria.with_values(values)
    changed = moved(criteria, tried)
    refuse_closed(criteria, changed, ground)
    trial = between(ground, criteria, tried)
    return {
        **headed(ground, criteria),
        "against": against(ground, criteria),
        "params": [
            {
                "name": name,
                "uom": criteria.params[name].uom,
                "from": plain(criteria.params[name].value),
                "to": plain(tried.params[name].value),
                "given": name in values,
            }
            for name in criteria.params
            if name in changed
        ],
        **trial.tallies(),
        "trial": trial,
        "titles": titles(criteria),
        "seconds": round(time.monotonic() - began, 3),
    }


def titles(*read: Criteria) -> dict[str, str]:
    """Rule → title in the language now spoken, of all parts of these sets."""
    return {
        rule.id: sets.in_words(rule.title, rule.title_en)
        for criteria in read
        for _where, part in parted(criteria)
        for rule in part.rules
    }


def compare_sets(district: str, a: str, b: str, *, grants: Iterable[Grant]) -> dict:
    """Two sets, or two runs by their numbers, on the facts as they were measured last; the shape of `try_values`.

    A run is told by the text that ran, which is kept; its facts of then are not, so both judge the facts of now.
    `a` and `b` in the answer say what was compared, with the counts that a run kept.
    """
    began = time.monotonic()
    ground = Ground.of(district, grants)
    sides = [side(name, ground) for name in (a, b)]
    read = [one.pop("set") for one in sides]
    shown = shown_set(ground.district, [one.id for one in read])
    trial = between(ground, *read, shown)
    return {
        "district": ground.district,
        "survey": ground.year,
        "a": sides[0],
        "b": sides[1],
        "measured_at": ground.measured_at.isoformat(),
        "stale": ground.stale,
        **trial.tallies(),
        "shown": shown,
        "trial": trial,
        "titles": titles(*reversed(read)),
        "seconds": round(time.monotonic() - began, 3),
    }


def shown_set(district: str, names: list[str]) -> str:
    """The first of these sets of which flags are stored, else the one flagged last: the map's shapes are its flags."""
    runs = FlagRun.objects.filter(district_id=district).order_by("-pk").values_list("edition__name", flat=True)
    ran = list(dict.fromkeys(runs))
    return next((name for name in names if name in ran), ran[0] if ran else "")


def side(name: str, ground: Ground) -> dict:
    """A set by its name, or the set that ran by the number of the run."""
    run = None
    if name.isdecimal():
        run = FlagRun.objects.filter(pk=int(name[:18]), district_id=ground.district).select_related("edition").first()
        if run is None:
            raise Refused(
                _("There is no run %(run)s of the district %(district)s.") % {"run": name, "district": ground.district},
                _("The numbers of its runs stand in the list of /compare/."),
            )
    criteria = sets.restore(run.edition.text) if run else readable(name, ground)
    return {
        "set": criteria,
        "name": name,
        **{key: value for key, value in headed(ground, criteria).items() if key not in ("district", "survey")},
        "run": {"run": run.pk, "ran_at": run.ran_at.isoformat(), "counts": run.counts} if run else None,
    }


def headed(ground: Ground, criteria: Criteria) -> dict:
    return {
        "district": ground.district,
        "survey": ground.year,
        "criteria": criteria.id,
        "title": sets.in_words(criteria.title, criteria.title_en),
        "status": criteria.status,
        "official": criteria.official,
        "digest": criteria.digest,
        "measured_at": ground.measured_at.isoformat(),
        "stale": ground.stale,
    }


def readable(name: str, ground: Ground) -> Criteria:
    """The set of that name; NotAllowed for a draft to who may not read figures.

    Who drafts chooses the thresholds: with drafts enough he would find out between which two a firm's figure lies.
    """
    criteria = sets.load(name)
    refuse_shut(criteria, ground.district, ground.figures)
    return criteria


def refuse_shut(criteria: Criteria, district: str, figures: bool) -> None:
    """Refuse the set of another district, and a draft that judges by figures to who may not read these."""
    if criteria.district not in ("", district):
        raise Refused(
            _("The criteria set “%(name)s” is of another district (%(district)s).")
            % {"name": criteria.id, "district": criteria.district},
            _("Name a set of this district."),
        )
    if criteria.status == "draft" and not figures and betraying(criteria):
        raise NotAllowed(
            _("The draft “%(name)s” judges by figures of firms, which are not open to you.") % {"name": criteria.id},
            _("Approved sets are open: whoever sees the flags sees their verdicts."),
        )


def betraying(criteria: Criteria) -> frozenset[str]:
    """The parameters of the rules that read a firm's tax, energy or grade.

    Whoever moves one and watches whether a parcel changes finds the figure itself, to any digit, by halving: the
    verdict at one fixed threshold does not tell that, and is open. All parameters of such a rule are meant: one that
    widens its divisions lays the verdict on tax open for parcels of which nobody is to know it. Counts alone would
    not help: a street, a category or another slider can be narrowed until one parcel is left.
    """
    return frozenset(
        name
        for _where, part in parted(criteria)
        for rule in part.rules
        if any(MEASURES[one].restricted for one in rule.condition.measures)
        for name in rule.condition.params
    )


def closed(criteria: Criteria, ground: Ground) -> frozenset[str]:
    """The parameters that this reader may not move."""
    return frozenset() if ground.figures else betraying(criteria)


def refuse_closed(criteria: Criteria, names: set[str], ground: Ground) -> None:
    if shut := sorted(names & closed(criteria, ground)):
        raise NotAllowed(
            _("“%(name)s” cannot be tried by you: its rule reads figures of firms that are not open to you.")
            % {"name": shut[0]},
            _("By moving it back and forth one would find out what a firm pays. Ask a department that may know it."),
        )


def adjustable(criteria: Criteria, ground: Ground) -> list[dict]:
    """The parameters that can move an outcome, each with how far and how finely a slider goes; those that flag first.

    {name, title, note, uom, type, many, text, decimals, low, high, step, rules, follows, closed}. Those that
    only remarks read move nothing and are not among them; `follows` is the formula of one that follows from others.
    """
    shut = closed(criteria, ground)
    readers = defaultdict(list)
    for rule in criteria.rules:
        if rule.effect in MOVING:
            for name in rule.condition.params:
                readers[name].append(rule)
    return [
        {
            "name": name,
            "title": _short(sets.in_words(param.note, param.note_en)),
            "note": sets.in_words(param.note, param.note_en),
            "uom": param.uom,
            "type": param.type,
            "many": param.many,
            "text": as_text(param.value),
            **(_span(param, readers[name]) if param.type == NUMBER and not param.many else {}),
            "rules": [
                {
                    "id": rule.id,
                    "title": sets.in_words(rule.title, rule.title_en),
                    "effect": rule.effect,
                    "categories": list(rule.categories),
                }
                for rule in readers[name]
            ],
            "follows": getattr(param, "formula", ""),
            "closed": name in shut,
        }
        for name, param in sorted(
            ((name, criteria.params[name]) for name in criteria.params if name in readers),
            key=lambda one: min(FIRST.index(rule.effect) for rule in readers[one[0]]),
        )
    ]


def as_text(value) -> str:
    """A value as `with_values` takes it."""
    if isinstance(value, tuple):
        return ",".join(as_text(one) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def _short(note: str) -> str:
    """A note without what all notes begin with, as long as something is left."""
    return re.split(r"：|: ", note, maxsplit=1)[-1].strip() or note


def _span(param, rules: list) -> dict:
    """From 0 to twice the value, or forty years about a year, in steps that are no finer than what they are held to.

    A number beyond it is typed.
    """
    value = param.value
    held = [MEASURES[name] for rule in rules for name in rule.condition.measures if MEASURES[name].uom == param.uom]
    decimals = max([0, *(one.decimals for one in held), -value.normalize().as_tuple().exponent])
    if param.uom == "year":
        low, high = value - 40, value + 40
    else:
        reach = abs(value) * 2 or Decimal(1)
        low, high = (Decimal(0), reach) if value >= 0 else (-reach, Decimal(0))
    step = max(Decimal(1).scaleb(((high - low) / 40).adjusted()), Decimal(1).scaleb(-decimals))
    return {
        "decimals": decimals,
        "low": as_text(low),
        "high": as_text(high),
        "step": as_text(min(step, Decimal(1)) if param.uom == "year" else step),
    }


def moved(old: Criteria, new: Criteria) -> set[str]:
    """The parameters whose value differs, in the set or in a part of it; those that follow from another too."""
    found = set()
    for (_sql, was), (_same, is_now) in zip(parted(old), parted(new), strict=True):
        found |= {name for name, one in was.params.items() if one.value != is_now.params[name].value}
    return found


def against(ground: Ground, criteria: Criteria) -> dict | None:
    """The run whose flags the map shows of this set, and whether it is of this very text and these facts."""
    run = (
        FlagRun.objects.filter(district_id=ground.district, edition__name=criteria.id)
        .order_by("-ran_at", "-pk")
        .first()
    )
    if run is None:
        return None
    return {
        "run": run.pk,
        "ran_at": run.ran_at.isoformat(),
        "same_text": run.edition_id == criteria.digest,
        "same_facts": run.survey_id == ground.survey and run.revision == ground.measurement,
    }


# --- the questions


def parted(criteria: Criteria) -> list[tuple[tuple[str, dict], Criteria]]:
    """The set as it judges each sub-area: ((condition over the alias m, its values), the set that holds there)."""
    return [((part.sql, part.values), part.criteria) for part in sets.parts(criteria)]


def between(ground: Ground, old: Criteria, new: Criteria, shown: str = "") -> Trial:
    """Who changes from one set to the other; the flags of `shown`, else of the old one, are what the map knows."""
    with transaction.atomic(), connection.cursor() as cursor:
        at_ease(cursor)
        before = ground.kept("before", lambda: _before(cursor, ground, old), old.digest, _valued(old), ground.view.rows)
        return Trial(ground, before, tuple(_changes(cursor, ground, old, new, shown or old.id)))


def _valued(criteria: Criteria) -> str:
    return repr(sorted((name, one.value) for name, one in criteria.params.items()))


def _before(cursor, ground: Ground, criteria: Criteria) -> Before:
    shared = ground.kept("shared", lambda: _shared(cursor, ground))
    folded = Fold(criteria, "b")
    seen, values = _seen(ground, {*folded.reads})
    cursor.execute(
        f"WITH seen AS ({seen}), folded AS ({folded.sql}) "
        "SELECT outcome, category, COALESCE(f.street_id, ''), CASE WHEN subject > 0 THEN 'parcel' ELSE 'building' END, "
        "count(*), COALESCE(sum(COALESCE(p.area_m2, b.area_m2)), 0) "
        "FROM folded f LEFT JOIN units_parcel p ON p.id = f.parcel_id "
        "LEFT JOIN units_building b ON b.id = f.building_id "
        "GROUP BY 1, 2, 3, 4",
        values | folded.values,
    )
    groups = {tuple(key): (number, area) for *key, number, area in cursor.fetchall()}
    sharing = {}
    if those := list(shared.subjects):
        cursor.execute(
            f"WITH seen AS ({seen} AND m.subject = ANY(%(those)s)), folded AS ({folded.sql}) "
            "SELECT subject, outcome, category, COALESCE(street_id, '') FROM folded",
            values | folded.values | {"those": those},
        )
        sharing = {subject: tuple(told) for subject, *told in cursor.fetchall()}
    return Before(groups, sharing, shared)


def _shared(cursor, ground: Ground) -> Shared:
    cursor.execute(_read("land_under_two_subjects"), {"survey": ground.survey})
    pairs = cursor.fetchall()
    beside = defaultdict(set)
    for one, other, _area in pairs:
        beside[one].add(other)
        beside[other].add(one)
    tangled, tangles = set(), []
    for one, other, _area in pairs:
        if one not in tangled and beside[one] & beside[other]:
            found = _joined(one, beside)
            tangled |= found
            tangles.append(frozenset(found))
    return Shared(tuple(pair for pair in pairs if pair[0] not in tangled), tuple(tangles))


def _joined(one: int, beside: dict[int, set[int]]) -> set[int]:
    """All that hang together with this subject, by land that two of them share."""
    found, waiting = {one}, [one]
    while waiting:
        for other in beside[waiting.pop()] - found:
            found.add(other)
            waiting.append(other)
    return found


def _covered_twice(subjects: tuple[int, ...]) -> float:
    with connection.cursor() as cursor:
        cursor.execute(_read("land_of_subjects"), {"subjects": list(subjects)})
        each, together = cursor.fetchone()
    return each - together


def _changes(cursor, ground: Ground, old: Criteria, new: Criteria, shown: str) -> Iterator[Change]:
    before, after = Fold(old, "b"), Fold(new, "a")
    told_apart, values = "TRUE", {}
    if old.digest == new.digest:
        told_apart, values = _told_apart(old, new)
        if not told_apart:
            return
    seen, scope = _seen(ground, {*before.reads, *after.reads})
    cursor.execute(
        f"""
        WITH seen AS MATERIALIZED ({seen} AND ({told_apart})), before AS ({before.sql}), after AS ({after.sql}),
        changed AS MATERIALIZED (
            SELECT b.subject, b.parcel_id, b.building_id, COALESCE(b.street_id, '') AS street, b.outcome AS before,
                   a.outcome AS after, b.category AS category_before, a.category, b.fired AS fired_before, a.fired
            FROM before b JOIN after a USING (subject)
            WHERE b.outcome <> a.outcome OR b.category <> a.category
               OR NOT (b.fired @> a.fired AND b.fired <@ a.fired)
        )
        SELECT c.subject, COALESCE(p.code, h.code), c.street, COALESCE(p.area_m2, h.area_m2),
               (SELECT f.id FROM units_flag f WHERE f.parcel_id = c.parcel_id AND f.criteria = %(shown)s
                UNION ALL
                SELECT f.id FROM units_flag f WHERE f.building_id = c.building_id AND f.criteria = %(shown)s),
               c.before, c.after, c.category_before, c.category, c.fired_before, c.fired
        FROM changed c
        LEFT JOIN units_parcel p ON p.id = c.parcel_id
        LEFT JOIN units_building h ON h.id = c.building_id
        """,
        scope | values | before.values | after.values | {"shown": shown},
    )
    for row in cursor.fetchall():
        yield Change(*row[:9], tuple(row[9]), tuple(row[10]))


def _seen(ground: Ground, measures: set[str]) -> tuple[str, dict]:
    """The measured subjects that the reader sees, with these measures."""
    rights, values = ground.view.rows.sql("m")
    columns = ", ".join(f"m.{name}" for name in (*SUBJECT, *sorted(measures - set(SUBJECT))))
    sql = f"SELECT {columns} FROM units_measured m WHERE m.survey_id = %(survey)s AND {rights}"
    return sql, values | {"survey": ground.survey}


def _told_apart(old: Criteria, new: Criteria) -> tuple[str, dict]:
    """The condition under which a rule says something else with the new values; "" where no rule can."""
    conditions, values = [], {}
    for place, (((where, bound), was), (_same, is_now)) in enumerate(zip(parted(old), parted(new), strict=True)):
        changed = {name for name, one in was.params.items() if one.value != is_now.params[name].value}
        differing = []
        for number, rule in enumerate(was.rules):
            if rule.effect in MOVING and changed & set(rule.condition.params):
                sides = [judging.verdict(one, number) for one in (was, is_now)]
                written = [_named(side, f"t{place}{tag}_") for side, tag in zip(sides, "ba", strict=True)]
                differing.append(f"({written[0][0]}) IS DISTINCT FROM ({written[1][0]})")
                values |= written[0][1] | written[1][1]
        if differing:
            sql, more = _named(judging.Question(where, bound), f"t{place}_")
            conditions.append(f"{sql} AND ({' OR '.join(differing)})")
            values |= more
    return " OR ".join(f"({one})" for one in conditions), values


class Fold:
    """SQL over the relation `seen`: what a set says of each subject, by the part of the set that holds there."""

    def __init__(self, criteria: Criteria, tag: str):
        self.values: dict[str, object] = {}
        self.reads: set[str] = set()
        asked = []
        for place, ((where, bound), part) in enumerate(parted(criteria)):
            judged, judged_values = _named(judging.judgement(part, bare=True), f"{tag}{place}_")
            here, here_values = _named(judging.Question(where, bound), f"{tag}{place}_")
            self.values |= judged_values | here_values
            self.reads |= {name for rule in part.rules for name in rule.condition.measures}
            relation = f"WITH measured AS (SELECT * FROM seen m WHERE {here})"
            asked.append(f"SELECT * FROM ({relation} SELECT * FROM ({judged}) AS j) AS p{place}")
        self.sql = " UNION ALL ".join(asked)


def _named(question: judging.Question, prefix: str) -> tuple[str, dict]:
    """The question with names of its own for its values, so that two stand in one statement."""
    values = {f"{prefix}{name}": value for name, value in question.values.items()}
    return NAMED.sub(lambda found: f"%({prefix}{found[1]})s", question.sql), values


@read_once
def _read(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")
