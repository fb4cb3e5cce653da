"""How much floor there is, how much the plan allows and how much the record of a unit wants, in square metres."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import shapely
from django.utils.translation import gettext as _

from units.planned import Piece
from units.spatial import OVERLAP_AREA, rounded

ROUNDING = 1.0  # square metres of floor that the parts may exceed the whole by: each is rounded to one


def floor_now(row: dict) -> dict:
    """The floor area that stands on the shape: of buildings whose centre lies in it, and which may be seen.

    A building without recorded floor area counts as footprint × floors, and is told as estimated; one without floors
    too is told as unknown. None where no building layer was delivered.
    """
    if not row["delivered"]:
        return dict.fromkeys(("floor_m2", "estimated_m2", "buildings", "unknown", "footprint_m2"))
    return {
        "floor_m2": _metres(row["recorded_m2"] + row["estimated_m2"]),
        "estimated_m2": _metres(row["estimated_m2"]),
        "buildings": row["buildings"],
        "unknown": row["unknown"],
        "footprint_m2": _metres(row["footprint_m2"]),
    }


def allowed(pieces: Iterable[Piece], reserved: shapely.Geometry | None, areas: Callable) -> dict | None:
    """{floor_m2, ground_m2, unlimited_m2}: what the plan's FAR limits allow on the net ground of the shape.

    Net is without what is `reserved` for roads, water, green and utilities (G-12). `unlimited_m2` is ground of the plan
    for which no limit was delivered. None where no limit was delivered at all. Ground on which areas of the plan lie
    over each other counts once, with the lowest of their limits.
    """
    pieces = _once(list(pieces), areas)
    if not any(one.far is not None for one in pieces):
        return None
    net = np.array([one.area_m2 for one in pieces])
    if reserved is not None and not reserved.is_empty:
        shapes = np.array([one.shape for one in pieces], dtype=object)
        shapely.prepare(reserved)
        cut = np.flatnonzero(shapely.intersects(reserved, shapes))
        net[cut] -= areas(shapely.intersection(shapes[cut], reserved))
    far = np.array([np.nan if one.far is None else one.far for one in pieces])
    limited = ~np.isnan(far)
    return {
        "floor_m2": _metres(float((net[limited] * far[limited]).sum())),
        "ground_m2": _metres(float(net[limited].sum())),
        "unlimited_m2": _metres(float(net[~limited].sum())),
    }


def _once(pieces: list[Piece], areas: Callable) -> list[Piece]:
    """The pieces, each without what it shares with one of a lower limit."""
    shapes = np.array([one.shape for one in pieces], dtype=object)
    if len(pieces) < 2 or shapely.coverage_is_valid(shapes):
        return pieces
    rank = {which: place for place, which in enumerate(sorted(range(len(pieces)), key=lambda at: _limit(pieces[at])))}
    lower: dict[int, list[int]] = defaultdict(list)
    for one, other in shapely.STRtree(shapes).query(shapes, predicate="intersects").T.tolist():
        if rank[other] < rank[one]:
            lower[one].append(other)
    found = list(pieces)
    for one, others in lower.items():
        left = shapely.difference(shapes[one], shapely.union_all(shapes[others]))
        found[one] = replace(pieces[one], shape=left, area_m2=float(areas(np.array([left], dtype=object))[0]))
    return found


def _limit(one: Piece) -> float:
    return float("inf") if one.far is None else one.far


def of_record(requirements: dict, incentives: list[dict]) -> dict:
    """The sums of a record: its plots, the cap with what incentives add and take, what is left, floor by facility.

    `cap_m2` is None while the record names no total floor area. A FAR bonus in points of FAR counts on the ground of
    the plots; a transfer adds what is taken over and takes off what is given away.
    """
    plots = requirements.get("plots") or []
    ground = sum(one.get("m2") or 0 for one in plots)
    bonus = sum(
        one["quantity"] * (ground if one["uom"] == "far" else 1) for one in incentives if one["type"] == "far_bonus"
    )
    transfers = sum(one["quantity"] for one in incentives if one["type"] == "transfer")
    total = requirements.get("total_floor_m2")
    floor = sum(floor_of(one) or 0 for one in plots)
    cap = None if total is None else total + bonus + transfers
    facilities: dict[str, float] = defaultdict(float)
    for one in requirements.get("facilities") or []:
        facilities[one["kind"]] += one.get("m2") or 0
    uses: dict[str, dict] = {}
    for one in plots:
        entry = uses.setdefault(one.get("use") or "", {"use": one.get("use") or "", "m2": 0.0, "floor_m2": 0.0})
        entry["m2"] += one.get("m2") or 0
        entry["floor_m2"] += floor_of(one) or 0
    return {
        "plots": len(plots),
        "plots_m2": _metres(ground),
        "floor_m2": _metres(floor),
        "total_floor_m2": total,
        "bonus_m2": _metres(bonus),
        "transfers_m2": _metres(transfers),
        "cap_m2": None if cap is None else _metres(cap),
        "left_m2": None if cap is None else _metres(cap - floor),
        "uses": sorted(uses.values(), key=lambda entry: (-entry["m2"], entry["use"])),
        "facilities": [{"kind": kind, "m2": _metres(area)} for kind, area in sorted(facilities.items())],
        "facilities_m2": _metres(sum(facilities.values())),
    }


def floor_of(plot: dict) -> float | None:
    """The floor area of a plot: as it is given, else its ground × FAR, else unknown."""
    if plot.get("floor_m2") is not None:
        return plot["floor_m2"]
    if plot.get("m2") is not None and plot.get("far") is not None:
        return plot["m2"] * plot["far"]
    return None


def excesses(requirements: dict, incentives: list[dict], area_m2: float) -> list[tuple[str, str]]:
    """(field, sentence) of each sum of the record that exceeds what it may not, with the excess in square metres."""
    sums = of_record(requirements, incentives)
    found = []
    if sums["cap_m2"] is not None and sums["floor_m2"] > sums["cap_m2"] + ROUNDING:
        found.append(
            (
                "total_floor_m2",
                _("The plots have %(floor)s m² of floor area, %(excess)s m² more than the %(cap)s m² of the unit.")
                % _told(floor=sums["floor_m2"], cap=sums["cap_m2"], excess=sums["floor_m2"] - sums["cap_m2"]),
            )
        )
    if sums["plots_m2"] > area_m2 + OVERLAP_AREA:
        found.append(
            (
                "plots",
                _("The plots have %(ground)s m² of ground, %(excess)s m² more than the %(area)s m² of the unit.")
                % _told(ground=sums["plots_m2"], area=area_m2, excess=sums["plots_m2"] - area_m2),
            )
        )
    if sums["cap_m2"] is not None and sums["cap_m2"] < 0:
        found.append(
            (
                "incentives",
                _("More floor area is given away than the unit has: %(excess)s m² are missing.")
                % _told(excess=-sums["cap_m2"]),
            )
        )
    return found


def beyond(limits: dict | None, record: dict | None) -> float | None:
    """How much more floor a record wants, without its incentives, than the plan's limits allow; None where it does not.

    Nobody can say it where ground of the plan has no limit, or the record no total.
    """
    if not limits or not record or record["total_floor_m2"] is None or limits["unlimited_m2"] > OVERLAP_AREA:
        return None
    excess = record["total_floor_m2"] - limits["floor_m2"]
    return _metres(excess) if excess > ROUNDING else None


def change(now: dict, record: dict, area_m2: float) -> dict:
    """Before and after (NK033): floor area and FAR, and the difference; None where one of the two is not known."""
    before, after = now["floor_m2"], record["floor_m2"] if record["plots"] else None
    return {
        "before_m2": before,
        "after_m2": after,
        "difference_m2": None if before is None or after is None else _metres(after - before),
        "before_far": None if before is None else float(rounded(before / area_m2, 2)),
        "after_far": None if after is None else float(rounded(after / area_m2, 2)),
    }


def _told(**values: float) -> dict[str, str]:
    return {name: f"{rounded(value, 1):,}" for name, value in values.items()}


def _metres(value: float) -> float:
    return float(rounded(value, 3))
