"""Whatever is composed, split, cut out, merged, moved and taken back over the demo district, the units stay sound."""

import os
import random
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest
import shapely
from django.db import transaction

from fixtures.names import DISTRICT
from units import lineage, reshaping
from units.drafting import Drawing, save
from units.errors import Refused
from units.geometry import united
from units.models import District, Parcel, RedevelopmentUnit, User
from units.reshaping import Named

pytestmark = pytest.mark.rows("NK024", "NK027")
STEPS = int(os.environ.get("GEOINV_RANDOM_STEPS", "500"))
SEED = int(os.environ.get("GEOINV_RANDOM_SEED", "7"))
TOLERANCE = 0.01  # square metres
MEANT = ["parts", "holes", "narrow"]
DEGREE = 1e-5  # about a metre
COLUMNS = ("code", "version", "area_m2", "state")


@pytest.fixture(scope="module")
def demo(django_db_setup, django_db_blocker, databases, demo_database):
    """Django's connection on a copy of the demo district."""
    name = databases.clone(demo_database)
    with django_db_blocker.unblock():
        databases.use(name)
        yield
        databases.use(databases.process_database)
    databases.drop(name)


@dataclass
class Desk:
    """A planner who does something at random, and what a plain model of his own expects of the district."""

    by: User
    chance: random.Random
    srid: int
    parcels: dict[str, shapely.Geometry]
    beside: list[list[str]]  # codes of parcels that hang together and overlap nothing
    came: list[dict[str, frozenset[str]]]  # what came of each code, at the start and after each step in effect
    now: dict[str, tuple]  # what stands, as `standing` says
    done: list[int] = field(default_factory=list)  # operations in effect, in order
    told: Counter = field(default_factory=Counter)

    def step(self) -> None:
        kind = self.chance.choices(
            ("compose", "split", "cut_out", "merge", "move_edge", "undo", "redo"), (24, 18, 6, 14, 20, 12, 4)
        )[0]
        before = self.now
        try:
            with transaction.atomic():
                worked = getattr(self, kind)(before)
        except Refused as error:
            # A refusal is an answer too, provided that nothing has changed.
            self.told[f"{kind} refused: {error.code}"] += 1
            assert standing(before) == before
            return
        self.told[kind if worked else f"{kind} has nothing to work on"] += 1
        if worked:
            self.now = standing(before)
            self.check(kind, before, self.now)

    def check(self, kind: str, before: dict, after: dict) -> None:
        shapes = [shape for _version, shape, _area, _state in after.values()]
        assert shapely.coverage_is_valid(np.array(shapes, dtype=object)), kind
        change = sum(one[2] for one in after.values()) - sum(one[2] for one in before.values())
        if kind in ("split", "merge", "move_edge"):
            assert abs(change) <= TOLERANCE, (kind, change)
        elif kind in ("compose", "cut_out"):
            assert abs(change - self.expected) <= TOLERANCE, (kind, change, self.expected)
        # What was not part of the step has not moved: its ground is the same, whatever vertices its edges got.
        for code, (version, shape, area, _state) in before.items():
            if kind in ("undo", "redo") or code in self.involved:
                continue
            if after[code][0] == version:
                assert after[code][1] is shape
            else:
                assert abs(after[code][2] - area) <= TOLERANCE, (kind, code)
                assert set(map(tuple, shapely.get_coordinates(shape))) <= set(
                    map(tuple, shapely.get_coordinates(after[code][1]))
                ), (kind, code)
        expected = self.came[-1]
        code = self.chance.choice(sorted(expected))
        assert set(lineage.resolve("unit", DISTRICT, code)) == expected[code], (kind, code)

    # --- each returns whether there was something to do ---

    def compose(self, before: dict) -> bool:
        ground = shapely.union_all([shape for _version, shape, _area, _state in before.values()])
        group = self.chance.choice(self.beside)
        free = [code for code in group if shapely.intersection(self.parcels[code], ground).area < 1e-16]
        if not free:
            return False
        codes = free[: self.chance.randint(1, len(free))]
        made = save(self.by, DISTRICT, f"u{len(self.done)}", Drawing(parcels=codes, confirmed=MEANT))
        self.expected = sum(Parcel.objects.get(code=code, survey__state="in_force").area_m2 for code in codes)
        self.involved = {made.code}
        self.note(latest_operation(), self.came[-1] | {made.code: frozenset([made.code])})
        return True

    def split(self, before: dict) -> bool:
        code, version, shape = self.any_draft(before)
        if not code:
            return False
        west, south, east, north = shape.bounds
        a, b = self.chance.random(), self.chance.random()
        middle = (west + self.chance.random() * (east - west), south + self.chance.random() * (north - south))
        if self.chance.random() < 0.5:
            line = [(west - DEGREE, south + a * (north - south)), middle, (east + DEGREE, south + b * (north - south))]
        else:
            line = [(west + a * (east - west), south - DEGREE), middle, (west + b * (east - west), north + DEGREE)]
        made = reshaping.cut(self.by, code, version, line, snap=self.chance.random() < 0.5)
        self.involved = {unit.code for unit in made.units}
        self.note(made.operation.pk, self.divided(code, [unit.code for unit in made.units]))
        return True

    def cut_out(self, before: dict) -> bool:
        code, version, shape = self.any_draft(before)
        if not code:
            return False
        x, y = shapely.get_coordinates(shape.representative_point())[0]
        side = self.chance.uniform(2, 30) * DEGREE
        ring = [(x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y)]
        name = self.chance.choice(["", "cut"])
        made = reshaping.cut_out(self.by, code, version, ring, name=name)
        self.involved = {unit.code for unit in made.units}
        now = standing(before)
        self.expected = sum(now[unit.code][2] for unit in made.units) - before[code][2]
        assert (abs(self.expected) <= TOLERANCE) == bool(name)
        self.note(made.operation.pk, self.divided(code, [unit.code for unit in made.units]))
        return True

    def merge(self, before: dict) -> bool:
        pair = self.any_pair(before)
        if not pair:
            return False
        first, other = pair
        made = reshaping.merge(self.by, [Named(code, before[code][0]) for code in pair])
        self.involved = {first, other}
        came = {
            start: frozenset(first if one == other else one for one in codes) for start, codes in self.came[-1].items()
        }
        assert made.gone == [other]
        self.note(made.operation.pk, came)
        return True

    def move_edge(self, before: dict) -> bool:
        pair = self.any_pair(before)
        if not pair:
            return False
        first, other = (before[code][1] for code in pair)
        common = set(map(tuple, shapely.get_coordinates(first))) & set(map(tuple, shapely.get_coordinates(other)))
        edge = self.chance.sample(sorted(common), self.chance.randint(1, len(common)))
        east, north = (self.chance.uniform(-6, 6) * DEGREE for _axis in "xy")
        to = [(x + east, y + north) for x, y in edge]
        reshaping.move_edge(self.by, [Named(code, before[code][0]) for code in pair], edge, to)
        self.involved = set(pair)
        self.note(latest_operation(), self.came[-1])
        return True

    def undo(self, before: dict) -> bool:
        if not self.done:
            return False
        reshaping.undo(self.by, self.done.pop())
        self.came.pop()
        return True

    def redo(self, before: dict) -> bool:
        """Take the last step back, and take the taking back back."""
        if not self.done:
            return False
        undoing = reshaping.undo(self.by, self.done.pop()).operation
        again = reshaping.undo(self.by, undoing.pk).operation
        self.done.append(again.pk)
        after = standing(before)
        assert {code: shapely.to_wkb(one[1]) for code, one in after.items()} == {
            code: shapely.to_wkb(one[1]) for code, one in before.items()
        }
        return True

    def note(self, operation: int, came: dict[str, frozenset[str]]) -> None:
        self.done.append(operation)
        self.came.append(came)

    def divided(self, code: str, into: list[str]) -> dict[str, frozenset[str]]:
        came = {start: codes | frozenset(into) if code in codes else codes for start, codes in self.came[-1].items()}
        return came | {one: frozenset([one]) for one in into if one not in came}

    def any_draft(self, before: dict):
        drafts = sorted(code for code, one in before.items() if one[3] == "draft")
        if not drafts:
            return "", 0, None
        code = self.chance.choice(drafts)
        return code, *before[code][:2]

    def any_pair(self, before: dict) -> tuple[str, str] | None:
        """Two drafts with a common edge."""
        drafts = sorted(code for code, one in before.items() if one[3] == "draft")
        shapes = [before[code][1] for code in drafts]
        one, other = shapely.STRtree(shapes).query(shapes, predicate="touches")
        pairs = [
            (drafts[a], drafts[b])
            for a, b in zip(one.tolist(), other.tolist(), strict=True)
            if shapely.intersection(shapes[a], shapes[b]).length > DEGREE
        ]
        return self.chance.choice(pairs) if pairs else None


def standing(before: dict[str, tuple] | None = None) -> dict[str, tuple]:
    """{code: (version, shape, area_m2, state)} of the units that stand; whose version is that of `before`, from there.

    A shape that changes without its version would escape: the last comparison, of everything, would find it.
    """
    units = RedevelopmentUnit.objects.filter(district=DISTRICT).exclude(state__in=("deleted", "amended"))
    rows = {code: (version, area, state) for code, version, area, state in units.values_list(*COLUMNS)}
    held = {code: one for code, one in (before or {}).items() if code in rows and one[0] == rows[code][0]}
    fresh = dict(units.filter(code__in=rows.keys() - held.keys()).values_list("code", "geom"))
    return {
        code: held[code] if code in held else (version, shapely.from_wkb(bytes(fresh[code].wkb)), area, state)
        for code, (version, area, state) in sorted(rows.items())
    }


def everything() -> list[tuple]:
    """All that a unit is, to the last byte, of those that stand."""
    units = RedevelopmentUnit.objects.filter(district=DISTRICT).exclude(state__in=("deleted", "amended"))
    return [
        (
            unit.code,
            unit.edition,
            unit.name,
            unit.state,
            unit.street_id,
            unit.base_survey_year,
            bytes(unit.geom.wkb),
            sorted(unit.members.values_list("parcel__code", "share")),
        )
        for unit in units.order_by("code")
    ]


def latest_operation() -> int:
    return reshaping.Reshaping.objects.order_by("-pk").values_list("pk", flat=True)[0]


def sound_groups(srid: int) -> tuple[dict[str, shapely.Geometry], list[list[str]]]:
    """The parcels by code, and groups of those that adjoin and overlap nothing."""
    rows = (
        Parcel.objects.filter(survey__state="in_force", district=DISTRICT).order_by("code").values_list("code", "geom")
    )
    codes = [code for code, _geom in rows]
    shapes = np.array([shapely.from_wkb(bytes(geom.wkb)) for _code, geom in rows], dtype=object)
    joined = united(shapes, srid)
    doubtful = {one for pair in joined.overlapping for one in pair}
    invalid = {number for number, edges in enumerate(shapely.coverage_invalid_edges(shapes)) if not edges.is_empty}
    groups = [[codes[one] for one in group] for group in joined.groups if not (doubtful | invalid) & set(group)]
    return dict(zip(codes, shapes, strict=True)), sorted(groups, key=lambda group: (-len(group), group))[:40]


def test_five_hundred_steps_keep_a_valid_coverage_and_undoing_all_of_them_gives_the_start_byte_for_byte(demo):
    srid = District.objects.get(code=DISTRICT).srid
    parcels, groups = sound_groups(srid)
    start, ground = everything(), sum(one[2] for one in standing().values())
    came = [{code: frozenset([code]) for code in standing()}]
    desk = Desk(User.objects.get(username="office"), random.Random(SEED), srid, parcels, groups, came, standing())
    assert shapely.coverage_is_valid(np.array([one[1] for one in standing().values()], dtype=object))
    for _time in range(STEPS):
        desk.step()
    for kind in ("compose", "split", "cut_out", "merge", "move_edge", "undo", "redo"):
        assert desk.told[kind] >= STEPS / 50, desk.told
    for code, codes in desk.came[-1].items():
        assert set(lineage.resolve("unit", DISTRICT, code)) == codes
    while desk.done:
        reshaping.undo(desk.by, desk.done.pop())
    assert everything() == start
    assert sum(one[2] for one in standing().values()) == pytest.approx(ground, abs=TOLERANCE)
    print(dict(desk.told))
