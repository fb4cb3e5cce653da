"""What the detailed plans in force mean for the ground under a shape, and where it is used otherwise (G-11)."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import shapely
from django.utils.translation import gettext as _
from shapely.geometry import mapping

from units import geometry
from units.codes import land_use
from units.criteria.landuse import classes_of
from units.models import ControlArea
from units.spatial import CGCS2000_A, CGCS2000_INVERSE_FLATTENING, OVERLAP_AREA, rounded

LEVELS = (ControlArea.Kind.BLOCK_PLAN, ControlArea.Kind.PLOT_PLAN)  # NK022: the two levels of detailed plan


@dataclass(frozen=True)
class Piece:
    """What of one area of a plan lies under the shape."""

    level: str
    edition: str
    code: str
    use: str
    scheme: str
    title: str  # of the use
    far: float | None  # the highest that the plan allows; None where it was not delivered
    area_m2: float
    shape: shapely.Geometry


def piece(row: dict, shape: shapely.Geometry) -> Piece:
    """A row of a plan's layer and what of it lies under the shape."""
    return Piece(
        row["kind"],
        row["edition"],
        row["code"],
        row["use"],
        row["use_scheme"],
        _title(row["use"], row["use_scheme"], row["use_name"]),
        _number(row["far"]),
        row["inside_m2"],
        shape,
    )


def uses(pieces: Iterable[Piece], area_m2: float, areas: Callable, proposed: frozenset[str], patches) -> list[dict]:
    """One entry a level of which something lies under the shape: its editions and the shares by planned use.

    The most detailed of them also says where the ground is used otherwise: `patches` is (shapes, dlbm) of what the
    survey has under the shape, `differs_m2` is ground whose class the planned use does not allow, `conflict_m2` that of
    it which no proposed use of the record meets either. Without a proposal nobody can say, and it is None. `areas`
    gives square metres of shapes on the ellipsoid.
    """
    by_level: dict[str, list[Piece]] = defaultdict(list)
    for one in pieces:
        by_level[one.level].append(one)
    levels = [level for level in LEVELS if by_level[level]]
    told = [_level(level, by_level[level], area_m2) for level in levels]
    if levels and patches is not None:
        told[-1] |= _otherwise(told[-1], by_level[levels[-1]], area_m2, areas, proposed, patches)
    return told


def _level(level: str, pieces: list[Piece], area_m2: float) -> dict:
    total = sum(one.area_m2 for one in pieces)
    shapes = np.array([one.shape for one in pieces], dtype=object)
    twice = 0.0
    if not shapely.coverage_is_valid(shapes):  # areas of one plan that lie over each other would count twice
        twice = max(0.0, total - float(local_areas(shapely.union_all(shapes))))
    told: dict[tuple, dict] = {}
    for one in pieces:
        entry = told.setdefault(
            (one.use, one.scheme),
            {"use": one.use, "scheme": one.scheme, "title": one.title, "area_m2": 0.0, "far": set(), "areas": 0},
        )
        entry["area_m2"] += one.area_m2
        entry["areas"] += 1
        entry["far"].add(one.far)
    rows = sorted(told.values(), key=lambda entry: (-entry["area_m2"], entry["use"]))
    return {
        "level": level,
        "title": str(ControlArea.Kind(level).label),
        "editions": sorted({one.edition for one in pieces}),
        "covered_m2": _metres(total - twice),
        "covered_share": _share(total - twice, area_m2),
        "twice_m2": _metres(twice) if twice > OVERLAP_AREA else 0.0,
        "uses": [
            entry
            | {
                "area_m2": _metres(entry["area_m2"]),
                "share": _share(entry["area_m2"], area_m2),
                "far": sorted(far for far in entry["far"] if far is not None),
            }
            for entry in rows
            if entry["area_m2"] > OVERLAP_AREA
        ],
    }


def _otherwise(level: dict, pieces: list[Piece], area_m2: float, areas, proposed, patches) -> dict:
    """Where the ground of a level is used otherwise than planned, and what of that is not proposed either."""
    by_use, found = _elsewhere(pieces, patches)
    against = [use for use in sorted(by_use) if not _meets(use, proposed)] if proposed else []
    shapes = np.array([shapely.union_all(by_use[use]) for use in against], dtype=object)
    conflicts = []
    for use, shape, area in zip(against, shapes, areas(shapes), strict=True):
        if area <= OVERLAP_AREA:
            continue
        title = next(one.title for one in pieces if one.use == use)
        conflicts.append(
            {
                "use": use,
                "title": title,
                "area_m2": _metres(area),
                "geometry": mapping(shape),
                "sentence": _("%(level)s: %(area)s m² are planned as %(use)s and neither used so nor proposed so.")
                % {"area": f"{rounded(area, 1):,}", "use": title, "level": level["title"]},
            }
        )
    return {
        "differs_m2": _metres(found),
        "differs_share": _share(found, area_m2),
        "conflicts": conflicts if proposed else None,
        "conflict_m2": _metres(sum(one["area_m2"] for one in conflicts)) if proposed else None,
        "uses": [one | {"proposed": _meets(one["use"], proposed) if proposed else None} for one in level["uses"]],
    }


def _elsewhere(pieces: list[Piece], patches) -> tuple[dict[str, np.ndarray], float]:
    """Of each planned use the pieces of ground whose class it does not allow, and the square metres of all."""
    ground, classes = patches
    shapes = np.array([one.shape for one in pieces], dtype=object)
    near, patch = shapely.STRtree(ground).query(shapes)
    # A planned use that no table knows allows nobody knows what: nothing is said of it.
    allowed = {(one.scheme, one.use): tuple(classes_of(one.scheme, one.use)) for one in pieces}
    of_piece = [allowed[one.scheme, one.use] for one in pieces]
    differs = np.array(
        [bool(of_piece[a]) and not classes[b].startswith(of_piece[a]) for a, b in zip(near, patch, strict=True)],
        dtype=bool,
    )
    near, patch = near[differs], patch[differs]
    shapely.prepare(shapes)
    meets = shapely.intersects(shapes[near], ground[patch])
    near, patch = near[meets], patch[meets]
    common = ground[patch]
    cut = ~shapely.covers(shapes[near], common)  # plots mostly hold whole patches: only the others are cut
    common[cut] = geometry.areal(shapely.intersection(shapes[near[cut]], common[cut]))
    some = shapely.area(common) > 0
    near, common = near[some], common[some]
    names = np.array([pieces[one].use for one in near.tolist()], dtype=object)
    return {use: common[names == use] for use in set(names.tolist())}, float(local_areas(common).sum())


def local_areas(shapes) -> np.ndarray:
    """Square metres of small shapes by the ellipsoid's own metric at their middle: within 0.001 % of the geodesic area.

    For sums over hundreds of pieces, which would cost the database as much as all the rest of an answer.
    """
    middle = np.radians(shapely.get_y(shapely.centroid(shapes)))
    flattening = 1 / CGCS2000_INVERSE_FLATTENING
    eccentric = flattening * (2 - flattening)
    bent = 1 - eccentric * np.sin(middle) ** 2
    metric = CGCS2000_A**2 * (1 - eccentric) / bent**2 * np.cos(middle)  # of a radian north times one east
    return np.nan_to_num(shapely.area(shapes) * metric * math.radians(1) ** 2)


def _meets(use: str, proposed: frozenset[str]) -> bool:
    """Whether one of the proposed uses is the planned one, or a class above or below it."""
    return any(use.startswith(one) or one.startswith(use) for one in proposed) if use else False


def _title(use: str, scheme: str, delivered) -> str:
    known = land_use(scheme).get(use)
    return known.name if known else str(delivered or "") or use or _("no use named")


def _number(value) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 < number < 100 else None


def _share(part: float, whole: float) -> float:
    return float(rounded(f"{min(1.0, part / whole):.9f}", 6)) if whole else 0.0


def _metres(value: float) -> float:
    return float(rounded(value, 3))


def editions_in_force(district: str) -> dict[str, str]:
    """Which edition of each control layer is in force in a district, by kind (NK022)."""
    rows = ControlArea.objects.filter(district=district, in_force=True).values_list("kind", "edition").distinct()
    return dict(sorted(rows))
