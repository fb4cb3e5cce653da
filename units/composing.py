"""Compose a redevelopment unit out of parcels or a drawn shape, and tell what it holds and what stands against it.

Nothing is stored here. Parcels are united by code from the stored shapes, so that edges are inherited and neither
overlaps nor slivers can arise; a drawn shape is validated as it is, and vertices move only when snapping is asked for.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import shapely
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from units import budgeting, geometry, planned, snapping
from units.collections import COLLECTIONS
from units.errors import NotAllowed, NotFound, UsageError
from units.models import ControlArea, District, LegacyLand, RedevelopmentUnit, Survey
from units.rights import Grant, Role
from units.spatial import (
    ADJACENT_EDGE,
    OVERLAP_AREA,
    OVERLAP_WIDTH,
    SQUARE_METRES_PER_HECTARE,
    in_mu,
    rounded,
)

SQL = Path(__file__).parent / "sql" / "composing"
DRAWERS = frozenset({Role.ANALYST, Role.STREET, Role.OFFICE})  # workflow 4.1: R1, R2 in its own street, R5
MOST_PARCELS = 5_000
MOST_VERTICES = 20_000  # of a drawn shape; above MANY_VERTICES it is told to be unwieldy
MANY_VERTICES = 2_000
HALF = 0.5  # G-14: the share from which on a parcel with its centroid inside is in
SHARE_DECIMALS = 6
TOUCH = 0.01  # square metres; less is the noise of the last digits of a coordinate
CODE = re.compile(r"[0-9A-Z]{1,19}")
NAMED = 8  # codes that a sentence spells out; all of them are in the answer

# The kinds of control areas under which a unit may not simply be drawn (G-10, G-12). Plans and parks say what is
# meant for the land, not that it is closed: they are overlaid in other questions.
AGAINST = (
    ControlArea.Kind.RED_LINE,
    ControlArea.Kind.FARMLAND,
    ControlArea.Kind.RESERVATION,
    ControlArea.Kind.HERITAGE,
    ControlArea.Kind.RELICS,
    ControlArea.Kind.HAZARD,
    ControlArea.Kind.INDUSTRIAL_LINE,
)
INSIDE = ControlArea.Kind.BOUNDARY  # the one that counts where the unit lies outside it
LAYERS = ("units", "legacy", "control-areas")  # in the order they are told
CONFIRMABLE = frozenset({"parts", "holes", "narrow"})


@dataclass(frozen=True)
class Problem:
    """Something that stands against the shape: a sentence, what to do, and whether it may be saved all the same."""

    code: str
    sentence: str
    fix: str
    blocks: bool = False
    parcels: tuple[str, ...] = ()
    at: tuple[float, float] | None = None

    def told(self) -> dict:
        return {
            "code": self.code,
            "sentence": self.sentence,
            "fix": self.fix,
            "blocks": self.blocks,
            "confirm": self.code in CONFIRMABLE,
            "parcels": list(self.parcels),
            "at": list(self.at) if self.at else None,
        }


@dataclass(frozen=True)
class Member:
    """A parcel that the shape covers: wholly or mostly (`in`), cut by its edge (`split`) or below tolerance (G-14)."""

    id: int
    code: str
    address: str
    street: str | None
    share: float  # of the parcel, SHARE_DECIMALS decimals
    inside_m2: float
    parcel_m2: float
    state: str  # in, split, touched
    cut: bool = False  # the edge of the shape runs through it: what it leaves outside counts

    def told(self) -> dict:
        return {
            "code": self.code,
            "address": self.address,
            "share": self.share,
            "area_m2": _metres(self.inside_m2),
            "left_m2": _metres(max(0.0, self.parcel_m2 - self.inside_m2)),
            "state": self.state,
            "cut": self.cut,
        }


@dataclass(frozen=True)
class Overlap:
    """Another row under the shape. Of one that the reader may not open, the fact alone is told."""

    layer: str
    kind: str | None
    code: str | None
    name: str | None
    area_m2: float | None
    share: float | None
    geometry: dict | None
    sentence: str
    hidden: bool

    def told(self) -> dict:
        return self.__dict__ | {"area_m2": _metres(self.area_m2)}


@dataclass
class Composition:
    """What was composed and all that is to be said of it."""

    district: District
    survey: Survey
    how: str  # parcels, drawn
    shape: shapely.MultiPolygon | None = None
    area_m2: float = 0.0
    perimeter_m: float = 0.0
    net_m2: float | None = None  # without what is reserved for roads, water, green and utilities (G-12)
    street: str | None = None
    members: list[Member] = field(default_factory=list)
    hidden: list[Member] = field(default_factory=list)  # those the reader may not see
    overlaps: list[Overlap] = field(default_factory=list)
    land_use: list[dict] = field(default_factory=list)
    planned: list[dict] = field(default_factory=list)  # one entry a level of detailed plan (G-11)
    reservations: list[dict] = field(default_factory=list)  # one entry a kind (G-12)
    budget: dict = field(default_factory=dict)
    unchecked: list[ControlArea.Kind] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    outside: bool = False  # some of it lies outside the places for which these grants draw
    problems: list[Problem] = field(default_factory=list)
    snaps: list[dict] = field(default_factory=list)

    @property
    def blocking(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.blocks]

    @property
    def held(self) -> list[Member]:
        """Every parcel that counts as a member, also those that the reader may not see."""
        return [member for member in self.members + self.hidden if member.state != "touched"]

    def told(self) -> dict:
        """The answer for the map; coordinates in full precision."""
        shape = self.shape
        return {
            "how": self.how,
            "geometry": geojson(shape) if shape is not None else None,
            "area_m2": _metres(self.area_m2),
            "area_mu": float(in_mu(self.area_m2)),
            "area_ha": float(rounded(self.area_m2 / float(SQUARE_METRES_PER_HECTARE), 4)),
            "net_m2": _metres(self.net_m2),
            "perimeter_m": _metres(self.perimeter_m),
            "vertices": int(shapely.get_num_coordinates(shape)) - _ring_count(shape) if shape is not None else 0,
            "parts": len(shape.geoms) if shape is not None else 0,
            "holes": sum(len(part.interiors) for part in shape.geoms) if shape is not None else 0,
            "street": self.street,
            "base_survey": self.survey.year,
            "members": [member.told() for member in self.members],
            "hidden": sum(member.state != "touched" for member in self.hidden),
            "overlaps": [overlap.told() for overlap in self.overlaps],
            "unchecked": [{"kind": kind.value, "title": str(kind.label)} for kind in self.unchecked],
            "land_use": self.land_use,
            "planned": self.planned,
            "reservations": self.reservations,
            "budget": self.budget,
            "unknown": self.unknown,
            "problems": [problem.told() for problem in self.problems],
            "snapped": self.snaps,
        }


def geojson(shape: shapely.MultiPolygon) -> dict:
    """A MultiPolygon as GeoJSON with the very numbers that are stored."""
    return {
        "type": "MultiPolygon",
        "coordinates": [
            [shapely.get_coordinates(ring).tolist() for ring in (part.exterior, *part.interiors)]
            for part in shape.geoms
        ],
    }


def drawing_districts(grants: Iterable[Grant]) -> list[str]:
    """The districts in which someone with these grants may draw units, by code."""
    own = {grant.district or (grant.street or "")[:6] for grant in grants if grant.role in DRAWERS}
    if not own:
        return []
    districts = District.objects.order_by("code").values_list("code", flat=True)
    return list(districts if "" in own else districts.filter(code__in=own))


def may_draw(grants: Iterable[Grant], district: str, street: str | None) -> bool:
    """Whether a unit of this district and street (None: of more than one) may be drawn with these grants."""
    return any(
        grant.role in DRAWERS and grant.district in (None, district) and grant.street in (None, street)
        for grant in grants
    )


def required_district(grants: Iterable[Grant], code: str) -> District:
    """The district, when somewhere in it these grants may draw; NotAllowed otherwise."""
    if code not in drawing_districts(grants):
        raise NotAllowed(
            _("Redevelopment units are drawn by the GIS analysts, the street offices and the task-force office."),
            _("Ask the task-force office of the district for the role."),
        )
    return District.objects.get(code=code)


def compose(
    grants: tuple[Grant, ...],
    district: str,
    *,
    parcels: list[str] | None = None,
    drawn: dict | None = None,
    snap: bool = False,
    unit: str = "",
    confirmed: Iterable[str] = (),
) -> Composition:
    """Unite `parcels` (codes) or take the `drawn` GeoJSON shape, and say what is to be said of it.

    `snap` moves drawn vertices within `snapping.SNAP` of a parcel's vertex, else of its edge, onto it. `unit` is the
    code of the unit that is being edited, which is no conflict of its own. `confirmed` names problems meant so. Raises
    NotAllowed, and UsageError for input that is no shape at all; a shape that cannot stand is told as a problem.
    """
    place = required_district(grants, district)
    survey = Survey.objects.filter(district=place, state=Survey.State.IN_FORCE).first()
    if survey is None:
        raise NotFound(
            _("No survey is in force in %(district)s.") % {"district": place.name},
            _("A GIS analyst loads one and puts it in force."),
        )
    made = Composition(place, survey, "drawn" if parcels is None else "parcels")
    if parcels is not None:
        _unite(made, grants, parcels)
    else:
        _draw(made, grants, drawn, snap)
    if made.shape is not None:
        _look(made, grants, unit, _record_of(made, grants, unit) if unit else None)
        _judge(made, grants)
    meant = CONFIRMABLE.intersection(confirmed)
    made.problems = [Problem(**one.__dict__ | {"blocks": False}) if one.code in meant else one for one in made.problems]
    made.problems.sort(key=lambda one: not one.blocks)
    return made


def looked_at(grants: tuple[Grant, ...], unit: RedevelopmentUnit) -> Composition | None:
    """What lies under a unit as it is stored, for whoever may see it; None where no survey is in force.

    That it overlaps a row which is closed to the reader is told only to those who draw.
    """
    survey = Survey.objects.filter(district=unit.district, state=Survey.State.IN_FORCE).first()
    if survey is None:
        return None
    made = Composition(unit.district, survey, "drawn", shape=shapely.from_wkb(bytes(unit.geom.wkb)))
    _look(made, grants, unit.code, unit)
    if not may_draw(grants, unit.district_id, unit.street_id):
        made.overlaps = [overlap for overlap in made.overlaps if not overlap.hidden]
    return made


def blocking_now(unit: RedevelopmentUnit) -> list[Problem]:
    """What stands against a unit as it is stored: it may not be called checked while there is anything (4.4).

    That it is in several parts, has a hole or a neck was confirmed when it was saved. Who asks does not matter.
    """
    survey = Survey.objects.filter(district=unit.district, state=Survey.State.IN_FORCE).first()
    if survey is None:
        return [
            Problem(
                "no-survey",
                _("No survey is in force in %(district)s.") % {"district": unit.district.name},
                _("A GIS analyst loads one and puts it in force."),
                blocks=True,
            )
        ]
    office = (Grant(Role.OFFICE, unit.district_id),)
    made = Composition(unit.district, survey, "drawn", shape=shapely.from_wkb(bytes(unit.geom.wkb)))
    _look(made, office, unit.code, unit)
    _judge(made, office)
    found = [one for one in made.problems if one.blocks or one.code == "overlap-approved"]
    if survey.year != unit.base_survey_year:
        found.append(
            Problem(
                "other-survey",
                _("It was drawn on the survey of %(year)s, and that of %(now)s is in force.")
                % {"year": unit.base_survey_year, "now": survey.year},
                _("Look at its edges on the new parcels and save it again."),
                blocks=True,
            )
        )
    return found


# --- from parcels ------------------------------------------------------------------------------------------------


def _unite(made: Composition, grants, codes: list[str]) -> None:
    if len(codes) > MOST_PARCELS:
        raise UsageError(
            _("A unit may hold %(most)d parcels at most, and these are %(count)d.")
            % {"most": MOST_PARCELS, "count": len(codes)},
            _("Make several units of them."),
        )
    if not all(isinstance(code, str) and CODE.fullmatch(code) for code in codes):
        raise UsageError(_("A parcel's code has up to 19 digits and capital letters."))
    wanted = list(dict.fromkeys(codes))
    rows = _parcels(made, grants, "p.code = ANY (%(codes)s)", {"codes": wanted})
    found = {row["code"] for row in rows}
    made.unknown = [code for code in wanted if code not in found]
    if made.unknown:
        made.problems.append(
            Problem(
                "unknown-parcels",
                _("The survey in force has no parcel %(codes)s that you may see.") % {"codes": _named(made.unknown)},
                _("Take them off the list, or correct their codes."),
                blocks=True,
                parcels=tuple(made.unknown),
            )
        )
    if not rows:
        if not made.unknown:
            made.problems.append(
                Problem("no-parcels", _("No parcel is chosen yet."), _("Choose parcels on the map."), blocks=True)
            )
        return
    shapes = shapely.from_wkb([bytes(row["wkb"]) for row in rows])
    joined = geometry.united(shapes, made.district.srid)
    made.shape = joined.shape
    _tell_union(made, joined, shapes, [row["code"] for row in rows])


def _tell_union(made: Composition, joined: geometry.United, shapes, names: list[str]) -> None:
    if joined.overlapping:
        pairs = [f"{names[a]}–{names[b]}" for a, b in joined.overlapping]
        involved = sorted({names[one] for pair in joined.overlapping for one in pair})
        made.problems.append(
            Problem(
                "parcels-overlap",
                _("Parcels of the survey overlap each other: %(pairs)s. The unit covers their ground once.")
                % {"pairs": _named(pairs)},
                _("Have the parcels corrected; the unit can be saved meanwhile."),
                parcels=tuple(involved),
            )
        )
    if joined.gaps:
        made.problems.append(
            Problem(
                "gaps",
                ngettext(
                    "%(count)d gap narrower than %(width)d cm between the parcels (%(area)s m²) is part of the unit.",
                    "%(count)d gaps narrower than %(width)d cm between the parcels (%(area)s m²) are part of the unit.",
                    len(joined.gaps),
                )
                % {
                    "count": len(joined.gaps),
                    "width": round(OVERLAP_WIDTH * 100),
                    "area": rounded(sum(joined.gaps), 2),
                },
                _("Nothing, if the parcels are meant to adjoin; else have their boundaries corrected."),
            )
        )
    lies_in = _parts_of(joined, shapes)
    if len(joined.shape.geoms) > 1:
        apart = [number for number, parts in enumerate(lies_in) if parts != {0}]
        itself = all(0 in lies_in[number] for number in apart)  # each of them is a part of the largest, too
        codes = [names[number] for number in apart]
        told = {"count": len(joined.shape.geoms), "codes": _named(codes)}
        made.problems.append(
            Problem(
                "parts",
                _("The ground of these parcels is itself in %(count)d separate parts: %(codes)s.") % told
                if itself
                else _("The parcels lie in %(count)d separate parts. Apart from the largest lie: %(codes)s.") % told,
                _("Add the parcels between them, take these off, or confirm that the unit has several parts."),
                blocks=True,
                parcels=tuple(codes),
            )
        )
    hanging = [names[number] for number in _hanging(joined, lies_in)]
    if hanging:
        made.problems.append(
            Problem(
                "narrow",
                _("Some parcels hang on by less than %(length)d m of common edge: %(codes)s.")
                % {"length": ADJACENT_EDGE, "codes": _named(hanging)},
                _("Add the parcels beside them, take these off, or confirm that the neck is meant."),
                blocks=True,
                parcels=tuple(hanging),
            )
        )


def _parts_of(joined: geometry.United, shapes) -> list[set[int]]:
    """Of each parcel the parts of the union in which it has ground; the largest part is number 0."""
    parts = sorted(joined.shape.geoms, key=lambda part: -part.area)
    if len(parts) == 1:
        return [{0} for _shape in shapes]
    pieces, parcel_of_piece = shapely.get_parts(np.asarray(shapes, dtype=object), return_index=True)
    piece, part = shapely.STRtree(parts).query(shapely.point_on_surface(pieces), predicate="within")
    found: list[set[int]] = [set() for _shape in shapes]
    for one, number in zip(parcel_of_piece[piece].tolist(), part.tolist(), strict=True):
        found[one].add(number)
    return found


def _hanging(joined: geometry.United, lies_in: list[set[int]]) -> list[int]:
    """The parcels that hang on the rest of their part by a neck: outside the group with the most in that part."""
    found = set()
    for part in set().union(*lies_in):
        groups = [[one for one in group if part in lies_in[one]] for group in joined.groups]
        groups = sorted((group for group in groups if group), key=lambda group: (-len(group), group))
        found.update(one for group in groups[1:] for one in group)
    return sorted(found)


# --- drawn -------------------------------------------------------------------------------------------------------


def _draw(made: Composition, grants, drawn, snap: bool) -> None:
    try:
        parts = geometry.rings_of(drawn, MOST_VERTICES)
    except geometry.Malformed as error:
        raise UsageError(_malformed(error.reason), code="geometry") from None
    if snap:
        parts = _snap(made, grants, parts)
    made.shape, faults = geometry.polygons(parts)
    made.problems += [_faulty(fault) for fault in faults]


def _snap(made: Composition, grants, parts):
    moved, snaps, codes = snapping.snapped_rings(grants, made.district, parts)
    made.snaps = [
        {
            "index": one.index,
            "path": list(one.path),
            "from": list(one.start),
            "to": list(one.end),
            "distance_m": float(rounded(one.distance, 3)),
            "code": codes[one.source],
            "kind": one.kind,
        }
        for one in snaps
    ]
    return moved


def _malformed(reason: str) -> str:
    return {
        "type": _("A unit's shape is a GeoJSON Polygon or MultiPolygon."),
        "empty": _("The shape has no rings."),
        "position": _("Each corner of the shape is a list of two numbers: longitude and latitude."),
        "dimension": _("Corners have two numbers, longitude and latitude; heights are not kept here."),
        "number": _("Each corner of the shape is a pair of finite numbers: longitude and latitude in degrees."),
        "vertices": _("The shape has more than %(most)d corners.") % {"most": MOST_VERTICES},
    }[reason]


def _faulty(fault: geometry.Fault) -> Problem:
    sentence, fix = {
        "not-closed": (_("The outline is not closed."), _("End it where it began.")),
        "too-few-corners": (_("An outline needs at least three corners."), _("Draw on.")),
        "self-crossing": (
            _("The outline crosses or touches itself."),
            _("Move the corners beside the marked place until it does not."),
        ),
        "hole-outside": (
            _("A hole lies outside the outline or in another hole."),
            _("Draw it inside, or as a part of its own."),
        ),
        "no-area": (_("The outline covers no ground."), _("Draw it around the land that is meant.")),
        "outside-china": (
            _("A corner lies outside China; longitude comes first, then latitude, both in degrees."),
            _("Look whether the two are swapped, or given in metres."),
        ),
    }[fault.code]
    return Problem(fault.code, sentence, fix, blocks=True, at=fault.at)


# --- what lies under it ------------------------------------------------------------------------------------------


def _record_of(made: Composition, grants, code: str) -> RedevelopmentUnit | None:
    """The latest edition of the unit that is edited, if the reader may see it: its record is part of the answer."""
    units = RedevelopmentUnit.objects.filter(COLLECTIONS["units"].seen_by(grants).rows.q(), district=made.district)
    return units.filter(code=code).exclude(state__in=("amended", "deleted")).order_by("-edition").defer("geom").first()


def _look(made: Composition, grants, unit: str, record: RedevelopmentUnit | None = None) -> None:
    """Facts, members, overlaps and uses: what the database knows near the shape, cut by it in memory."""
    values = {
        "shape": shapely.to_wkb(made.shape),
        "boxes": shapely.to_wkb(geometry.boxes(made.shape)),
        "district": made.district.code,
        "srid": made.district.srid,
        "overlap_area": OVERLAP_AREA,
        "overlap_width": OVERLAP_WIDTH,
    }
    (facts,) = _asked("facts", values)
    made.area_m2, made.perimeter_m = facts["area_m2"], facts["perimeter_m"]
    if not made.area_m2:
        return  # less than the last digits of a coordinate; `_judge` says that it has no size
    members, ground = _members(made, grants, values)
    made.members = [member for member, seen in members if seen]
    made.hidden = [member for member, seen in members if not seen]
    streets = {member.street for member in made.held}
    made.street = (streets.pop() if len(streets) == 1 else None) if streets else facts["street"]
    made.unchecked = [kind for kind in (*AGAINST, INSIDE) if kind.value not in facts["delivered"]]
    own = _own_ground(made, grants, ground)
    made.outside = own is not None and not _holds(own, made)
    if own is not None and not made.outside and not made.held and made.street is None:
        made.street = _own_street(made, grants)  # within tolerance of its boundary
    made.land_use, patches = _land_use(made, grants, values)
    made.overlaps, plans, reserved = _overlaps(made, grants, values | {"unit": unit}, own)
    _plan(made, record, plans, reserved, patches, facts["delivered"])
    _budget(made, grants, values, record, plans, reserved)
    if facts["outside_m2"]:
        inherited = made.how == "parcels"
        made.problems.append(
            Problem(
                "outside-district",
                _("%(area)s m² lie outside %(district)s.")
                % {"area": f"{rounded(facts['outside_m2'], 1):,}", "district": made.district.name},
                _("Have the parcels or the district's boundary checked.")
                if inherited
                else _("Draw inside the district; land beyond it belongs to a unit of its own."),
                blocks=not inherited,
            )
        )


def _own_ground(made: Composition, grants, ground: dict) -> shapely.Geometry | None:
    """The ground near the shape for which these grants draw; None where they draw in the whole district.

    That of a street is its boundary, and its parcels under the shape (`ground`) where they reach over it.
    """
    streets = _own_streets(made, grants)
    if not streets or None in streets:
        return None  # who does not draw at all is told nothing that is hidden
    rows = _asked("streets", {"streets": sorted(streets), "boxes": shapely.to_wkb(geometry.boxes(made.shape))})
    shapes, _mended = geometry.valid(shapely.from_wkb([bytes(row["wkb"]) for row in rows]))
    return shapely.union_all([*shapes, *(piece for street in streets for piece in ground.get(street, ()))])


def _own_streets(made: Composition, grants) -> set[str | None]:
    """The streets for which these grants draw; with None among them all of the district."""
    return {one.street for one in grants if one.role in DRAWERS and one.district in (None, made.district.code)}


def _own_street(made: Composition, grants) -> str | None:
    streets = _own_streets(made, grants)
    return streets.pop() if len(streets) == 1 else None


def _holds(own: shapely.Geometry, made: Composition) -> bool:
    """Whether all of the shape that counts lies in `own`."""
    beyond = geometry.areal(np.array([shapely.difference(made.shape, own)], dtype=object))
    return not geometry.counts(beyond, made.district.srid)[0]


def _members(made: Composition, grants, values: dict) -> tuple[list[tuple[Member, bool]], dict]:
    """(member, whether the reader may see it) of each parcel under the shape, and their ground by street."""
    seen, rights = _seen(grants, "parcels", "p")
    rows = _asked("members", values | rights, seen=seen)
    shapes, pieces, rows = _inside(made.shape, rows)
    if not rows:
        return [], {}
    srid = made.district.srid
    whole = np.array([row["whole"] for row in rows])
    counts = whole.copy()
    counts[~whole] = geometry.counts(pieces[~whole], srid)
    shares = np.minimum(1.0, shapely.area(pieces) / shapely.area(shapes))
    # G-14: a parcel that the edge cuts is told, in or split, never silently taken.
    mostly = shapely.intersects(made.shape, shapely.centroid(shapes)) & (shares >= HALF)
    cut = counts & ~whole
    cut[cut] = geometry.counts(geometry.areal(shapely.difference(shapes[cut], made.shape)), srid)
    found, ground = [], defaultdict(list)
    for number, row in enumerate(rows):
        if not counts[number] and row["inside_m2"] < TOUCH:
            continue
        state = "touched" if not counts[number] else "in" if mostly[number] else "split"
        member = Member(
            row["id"],
            row["code"],
            row["address"],
            row["street_id"],
            float(rounded(f"{shares[number]:.9f}", SHARE_DECIMALS)),
            row["inside_m2"],
            row["area_m2"],
            state,
            bool(cut[number]),
        )
        found.append((member, bool(row["seen"])))
        ground[row["street_id"]].append(pieces[number])
    return found, ground


def _land_use(made: Composition, grants, values: dict) -> tuple[list[dict], tuple | None]:
    """The land classes under the shape, the largest first: dlbm, dlmc, area_m2 and share of the shape.

    And (shapes, dlbm) of the patches under it; None where there are none.
    """
    seen, rights = _seen(grants, "patches", "p")
    _shapes, pieces, rows = _inside(made.shape, _asked("land_use", values | rights, seen=seen))
    classes: dict[str, dict] = {}
    for row in rows:
        one = classes.setdefault(row["dlbm"], {"dlbm": row["dlbm"], "dlmc": row["dlmc"], "area_m2": 0.0})
        one["area_m2"] += row["inside_m2"]
    found = sorted(classes.values(), key=lambda one: (-one["area_m2"], one["dlbm"]))
    told = [
        one
        | {
            "area_m2": _metres(one["area_m2"]),
            "share": float(rounded(one["area_m2"] / made.area_m2, SHARE_DECIMALS)),
        }
        for one in found
        if one["area_m2"] > OVERLAP_AREA
    ]
    return told, (pieces, [row["dlbm"] for row in rows]) if rows else None


def _plan(made: Composition, record, plans: list, reserved: list, patches, delivered: list[str]) -> None:
    """What the detailed plans mean for the ground (G-11) and what is reserved of it (G-12)."""
    plots = (record.requirements or {}).get("plots") if record else None
    proposed = frozenset(plot["use"] for plot in plots or () if plot.get("use"))
    told = {one["level"]: one for one in planned.uses(plans, made.area_m2, _areas, proposed, patches)}
    made.planned = [
        told.get(level, {"level": level.value, "title": str(level.label), "editions": [], "uses": []})
        | {"delivered": level in delivered}
        for level in planned.LEVELS
    ]
    kinds = defaultdict(list)
    for row, piece in reserved:
        if row["seen"]:
            kinds[row["control_type"] or row["use_name"] or str(ControlArea.Kind.RESERVATION.label)].append(piece)
    names = sorted(kinds)
    unions = [shapely.union_all(kinds[name]) for name in names]
    found = []
    for name, shape, area in zip(names, unions, _areas(np.array(unions, dtype=object)), strict=True):
        if area <= OVERLAP_AREA:
            continue
        share = float(rounded(f"{area / made.area_m2:.9f}", SHARE_DECIMALS))
        told = {"area": f"{rounded(area, 1):,}", "kind": name, "share": rounded(f"{share * 100:.6f}", 1)}
        found.append(
            {
                "kind": name,
                "area_m2": _metres(area),
                "share": share,
                "sentence": _("%(area)s m² (%(share)s%%) are reserved: %(kind)s.") % told,
                "geometry": shapely.geometry.mapping(shape),
            }
        )
    made.reservations = sorted(found, key=lambda one: -one["area_m2"])


def _budget(made: Composition, grants, values: dict, record, plans: list, reserved: list) -> None:
    """Floor area now, what the plan's FAR limits allow on the net ground, and what the record of the unit wants."""
    seen, rights = _seen(grants, "buildings", "b")
    (row,) = _asked("buildings", values | rights, seen=seen)
    now = budgeting.floor_now(row)
    limits = None
    for level in reversed(planned.LEVELS):  # the plot's limit before the block's
        pieces = [piece for piece in plans if piece.level == level]
        if limits is None:
            ground = shapely.union_all([piece for _row, piece in reserved]) if reserved else None
            limits = budgeting.allowed(pieces, ground, planned.local_areas)
            if limits is not None:
                limits["level"] = level.value
    wanted = budgeting.of_record(record.requirements or {}, record.incentives or []) if record else None
    made.budget = {
        "net_m2": _metres(made.net_m2),
        "now": now | {"far": None if now["floor_m2"] is None else float(rounded(now["floor_m2"] / made.area_m2, 2))},
        "allowed": limits,
        "record": wanted,
        "beyond_m2": budgeting.beyond(limits, wanted),
        "change": budgeting.change(now, wanted, made.area_m2) if wanted else None,
    }


def _inside(shape: shapely.MultiPolygon, rows: list[dict]):
    """(shapes, pieces, rows) of the rows that the shape covers some of; each row with `whole` and `inside_m2`."""
    if not rows:
        return np.empty(0, dtype=object), np.empty(0, dtype=object), []
    shapes, mended = geometry.valid(shapely.from_wkb([bytes(row.pop("wkb")) for row in rows]))
    pieces, whole = geometry.inside(shapes, shape)
    some = shapely.area(pieces) > 0
    rows = [row | {"whole": bool(all_of_it)} for row, all_of_it, holds in zip(rows, whole, some, strict=True) if holds]
    known = (whole & ~mended)[some]  # what the row's own column says of its area
    shapes, pieces = shapes[some], pieces[some]
    measured = iter(_areas(pieces[~known]))
    for row, stored in zip(rows, known, strict=True):
        row["inside_m2"] = row["area_m2"] if stored else next(measured)
    return shapes, pieces, rows


def _areal(pieces: list[shapely.Geometry]) -> np.ndarray:
    """The pieces as polygons alone."""
    found = np.empty(len(pieces), dtype=object)
    found[:] = pieces
    return geometry.areal(found)


def _areas(shapes) -> list[float]:
    """The areas on the ellipsoid as the database's own columns have them."""
    if not len(shapes):
        return []
    return [row["area_m2"] for row in _asked("areas", {"shapes": list(shapely.to_wkb(shapes))})]


def _overlaps(made: Composition, grants, values: dict, own: shapely.Geometry | None):
    """(overlaps, pieces of the detailed plans, what is reserved): what else lies under the shape.

    Of rows that are closed to the reader only what lies in `own` is asked, and of a plan nothing is told.
    """
    conditions = {}
    for name, alias in (("units", "u"), ("legacy", "l"), ("control-areas", "c")):
        key = name.replace("-", "_")
        conditions[key], rights = _seen(grants, name, alias)
        values = values | rights
    values |= {"kinds": [kind.value for kind in (*AGAINST, INSIDE, *planned.LEVELS)]}
    rows = _asked("overlaps", values, **conditions)
    within = [row for row in rows if row["kind"] == INSIDE]
    _shapes, pieces, rows = _inside(made.shape, [row for row in rows if row["kind"] != INSIDE])
    rows = list(zip(rows, pieces, strict=True))
    reserved = [one for one in rows if one[0]["kind"] == ControlArea.Kind.RESERVATION]
    if ControlArea.Kind.RESERVATION not in made.unchecked:  # else nobody can say what is left
        ground = shapely.union_all([piece for _row, piece in reserved])
        made.net_m2 = made.area_m2 - sum(_areas(np.array([ground], dtype=object)))
    plans = [planned.piece(row, piece) for row, piece in rows if row["kind"] in planned.LEVELS and row["seen"]]
    rows = [one for one in rows if one[0]["kind"] not in planned.LEVELS]
    if INSIDE not in made.unchecked:
        rows += _beyond(made.shape, within)
    if own is None and made.district.geom and not all(row["seen"] for row, _piece in rows):
        own = shapely.from_wkb(bytes(made.district.geom.wkb))
    if own is not None:  # else whoever draws in one place could feel for what lies in the next
        rows = [(row, piece if row["seen"] else shapely.intersection(piece, own)) for row, piece in rows]
        rows = list(zip([row for row, _piece in rows], _areal([piece for _row, piece in rows]), strict=True))
    that_count = geometry.counts(np.array([piece for _row, piece in rows], dtype=object), made.district.srid)
    rows = [one for one, is_one in zip(rows, that_count, strict=True) if is_one]
    rows.sort(key=lambda one: (LAYERS.index(one[0]["layer"]), -one[0]["inside_m2"], one[0]["code"]))
    found = []
    hidden = set()
    for row, piece in rows:
        if row["seen"]:
            row["share"] = row["inside_m2"] / made.area_m2
            found.append(
                Overlap(
                    row["layer"],
                    row["kind"],
                    row["code"],
                    row["name"],
                    row["inside_m2"],
                    float(rounded(f"{row['share']:.9f}", SHARE_DECIMALS)),
                    shapely.geometry.mapping(piece),
                    _overlap_sentence(row),
                    hidden=False,
                )
            )
        elif row["layer"] not in hidden:
            hidden.add(row["layer"])
            found.append(
                Overlap(row["layer"], None, None, None, None, None, None, _hidden_sentence(row["layer"]), hidden=True)
            )
    return found, plans, reserved


def _beyond(shape: shapely.MultiPolygon, within: list[dict]) -> list[tuple[dict, shapely.Geometry]]:
    """What of the shape lies outside the areas that it should lie in, as a row and its piece; of none, all of it."""
    outside = shape
    if within:
        allowed, _mended = geometry.valid(shapely.from_wkb([bytes(row["wkb"]) for row in within]))
        (outside,) = geometry.areal(np.array([shapely.difference(shape, shapely.union_all(allowed))], dtype=object))
    if not outside.area:
        return []
    told = {"layer": "control-areas", "kind": INSIDE.value, "code": "", "name": ""}
    seen = all(row["seen"] for row in within)
    return [(told | {"seen": seen, "inside_m2": _areas(np.array([outside], dtype=object))[0]}, outside)]


def _overlap_sentence(row: dict) -> str:
    told = {
        "area": f"{rounded(row['inside_m2'], 1):,}",
        "code": row["code"],
        "name": row["name"],
        "share": rounded(f"{row['share'] * 100:.6f}", 1),
    }
    if row["layer"] == "units":
        told["state"] = RedevelopmentUnit.State(row["kind"]).label
        return _("%(area)s m² (%(share)s%%) lie in the unit %(name)s (%(code)s, %(state)s).") % told
    if row["layer"] == "legacy":
        told["state"] = LegacyLand.State(row["kind"]).label
        return _("%(area)s m² (%(share)s%%) are legacy land %(code)s (%(state)s).") % told
    kind = ControlArea.Kind(row["kind"])
    told["kind"] = kind.label
    if kind == INSIDE:
        return _("%(area)s m² (%(share)s%%) lie outside the urban development boundary.") % told
    told["name"] = row["name"] if row["name"] not in ("", str(kind.label)) else row["code"]
    return _("%(area)s m² (%(share)s%%) lie in: %(kind)s %(name)s.") % told


def _hidden_sentence(layer: str) -> str:
    return {
        "units": _("It overlaps a unit that your role does not open. The task-force office can say which."),
        "legacy": _("It overlaps legacy land that your role does not open. The task-force office can say which."),
        "control-areas": _("It overlaps a control area that your role does not open."),
    }[layer]


def _judge(made: Composition, grants) -> None:
    """What stands against the shape, of all that was found under it."""
    if _without_size(made):
        made.problems.append(
            Problem(
                "too-small",
                _("The shape, or a part of it, is smaller than %(area)d m² or narrower than %(width)d cm.")
                % {"area": OVERLAP_AREA, "width": round(OVERLAP_WIDTH * 100)},
                _("Draw it around the land that is meant."),
                blocks=True,
            )
        )
        if not made.area_m2:
            return
    if made.outside or not may_draw(grants, made.district.code, made.street):
        made.problems.append(
            Problem(
                "outside-street",
                _("The unit lies outside the street you draw for, or in more than one street."),
                _("Keep to the parcels of your street, or ask the task-force office to draw it."),
                blocks=True,
            )
        )
    split = [member.code for member in made.members if member.cut]
    if split:
        made.problems.append(
            Problem(
                "split",
                ngettext(
                    "The edge cuts %(count)d parcel: %(codes)s.",
                    "The edge cuts %(count)d parcels: %(codes)s.",
                    len(split),
                )
                % {"count": len(split), "codes": _named(split)},
                _("Move the edge onto the parcel's boundary, unless the parcel is to be divided."),
                parcels=tuple(split),
            )
        )
    if made.how == "parcels":
        _judge_holes(made, grants)
    corners = shapely.get_num_coordinates(made.shape)
    if made.how == "drawn" and corners > MANY_VERTICES:
        made.problems.append(
            Problem(
                "many-vertices",
                _("The shape has %(count)d corners.") % {"count": corners},
                _("Unite parcels instead of drawing along them: their edges are then inherited."),
            )
        )
    for overlap in made.overlaps:
        if overlap.layer == "units" and overlap.kind == RedevelopmentUnit.State.APPROVED:
            made.problems.append(
                Problem(
                    "overlap-approved",
                    overlap.sentence,
                    _("It can be saved as a draft, and not be approved while the two overlap."),
                )
            )


def _without_size(made: Composition) -> bool:
    """Whether the shape or a part of it has no more size than what counts as no overlap."""
    if made.area_m2 <= OVERLAP_AREA or 2 * made.area_m2 <= OVERLAP_WIDTH * made.perimeter_m:
        return True  # as the database has it, on the ellipsoid
    return not geometry.counts(np.array(made.shape.geoms, dtype=object), made.district.srid).all()


def _judge_holes(made: Composition, grants) -> None:
    holes = [shapely.Polygon(ring) for part in made.shape.geoms for ring in part.interiors]
    if not holes:
        return
    rows = _parcels(
        made,
        grants,
        "p.geom && ST_SetSRID(ST_GeomFromWKB(%(holes)s), 4490)"
        " AND ST_Intersects(ST_PointOnSurface(p.geom), ST_SetSRID(ST_GeomFromWKB(%(holes)s), 4490))",
        {"holes": shapely.to_wkb(shapely.union_all(holes))},
    )
    within = [row["code"] for row in rows]
    told = {"count": len(holes), "codes": _named(within)}
    made.problems.append(
        Problem(
            "holes",
            ngettext(
                "The parcels enclose %(count)d hole, in which these parcels lie: %(codes)s.",
                "The parcels enclose %(count)d holes, in which these parcels lie: %(codes)s.",
                len(holes),
            )
            % told
            if within
            else ngettext(
                "The parcels enclose %(count)d hole without any parcel.",
                "The parcels enclose %(count)d holes without any parcel.",
                len(holes),
            )
            % told,
            _("Add what lies inside, or confirm that the hole is meant."),
            blocks=True,
            parcels=tuple(within),
            at=tuple(shapely.get_coordinates(holes[0].representative_point())[0].tolist()),
        )
    )


# --- asking ------------------------------------------------------------------------------------------------------


def _parcels(made: Composition, grants, wanted: str, values: dict) -> list[dict]:
    seen, rights = _seen(grants, "parcels", "p")
    return _asked("parcels", {"district": made.district.code} | values | rights, seen=seen, wanted=wanted)


def _seen(grants, name: str, alias: str) -> tuple[str, dict]:
    """The condition under which the reader may see a row of a collection's table, and its values."""
    return COLLECTIONS[name].seen_by(grants).rows.sql(alias, name.replace("-", "_"))


def _asked(question: str, values: dict, **conditions: str) -> list[dict]:
    with connection.cursor() as cursor:
        cursor.execute(_read(question).format(**conditions), values)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@cache
def _read(question: str) -> str:
    return (SQL / f"{question}.sql").read_text(encoding="utf-8")


def _named(codes: list[str]) -> str:
    """The codes as a sentence has room for them."""
    shown = _(", ").join(codes[:NAMED])
    return _("%(shown)s and %(more)d more") % {"shown": shown, "more": len(codes) - NAMED} if codes[NAMED:] else shown


def _metres(value: float | None) -> float | None:
    """Square metres or metres as they are shown: to the millimetre of a square metre."""
    return None if value is None else float(rounded(value, 3))


def _ring_count(shape: shapely.MultiPolygon) -> int:
    return sum(1 + len(part.interiors) for part in shape.geoms)
