"""Split, cut out, merge and divide anew the units of a district, several in one transaction, and take a step back.

What is done here adds no ground and loses none but what is cut out. The unit that goes on keeps its code, edition and
record: the one with the largest piece of a split, the one named first in a merge.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pghistory
import shapely
from django.db import transaction
from django.utils.translation import gettext as _

from units import cutting, geometry, lineage
from units.adjoining import shape_of, stored
from units.composing import CONFIRMABLE, Problem, compose, geojson
from units.cutting import Uncut, ground
from units.drafting import (
    LONGEST_NAME,
    adjoin,
    called,
    check_draft,
    check_version,
    clean_name,
    found,
    lock,
    may_draw,
    next_code,
    put_nodes,
    store,
)
from units.errors import Impossible, NotAllowed, NotFound, Refused, Unfit, UsageError
from units.geometry import Position
from units.models import District, Lineage, RedevelopmentUnit, Reshaping, User
from units.operations import content, keep, one_at_a_time, put_members
from units.operations import shape_of as kept_shape
from units.rights import Grant
from units.snapping import snapped
from units.spatial import rounded
from units.transferring import check_alone

State = RedevelopmentUnit.State
Kind = Reshaping.Kind
MOST_UNITS = 100  # that one step changes
MOST_MOVED = 1_000  # vertices of a common edge
INHERITED = frozenset({"outside-district"})  # what the units had before, and no step of these can bring about
SHARE_DECIMALS = 6


@dataclass(frozen=True)
class Named:
    """A unit as the caller has it before him."""

    code: str
    version: int | None
    edition: int | None = None


@dataclass
class Reshaped:
    """What a step made: the units as they are now, those that are gone, and neighbours that only got a vertex."""

    operation: Reshaping
    units: list[RedevelopmentUnit]
    noded: list[RedevelopmentUnit] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)  # none of them blocks


@dataclass
class _Piece:
    """A shape that comes of a step: of the unit that it stays, or of a new one with a name."""

    shape: shapely.MultiPolygon
    unit: RedevelopmentUnit | None = None
    name: str = ""


# --- in memory ---------------------------------------------------------------------------------------------------


def pieces_of_split(shape, line: Sequence[Position], srid: int) -> list[shapely.MultiPolygon]:
    """The pieces, the largest first. Raises Refused with the reason where the line does not cut the shape."""
    return _done(cutting.split, shape, line, srid)


def pieces_of_cut(shape, ring: Sequence[Position], srid: int) -> list[shapely.MultiPolygon]:
    """[what stays, what is cut out]."""
    return list(_done(cutting.cut_out, shape, ring, srid))


def pieces_moved(shapes, edge: Sequence[Position], to: Sequence[Position], srid: int) -> list[shapely.MultiPolygon]:
    """The shapes with their common edge moved, in the same order."""
    if not edge or len(edge) != len(to):
        raise UsageError(_("Say of each vertex of the edge where it goes: “edge” and “to” are of the same length."))
    if len(edge) > MOST_MOVED:
        raise UsageError(_("At most %(most)d vertices are moved at once.") % {"most": MOST_MOVED})
    return _done(cutting.moved, cutting.noded_alike(shapes, srid), edge, to, srid)


def united(shapes, srid: int) -> tuple[shapely.MultiPolygon, list[Problem]]:
    """The union, and what is to be said of it: parts that lie apart, and gaps that it closed."""
    joined = geometry.united(cutting.noded_alike(shapes, srid), srid)
    problems = []
    if len(joined.shape.geoms) > max(len(shape.geoms) for shape in shapes):
        problems.append(
            Problem(
                "parts",
                _("The units do not all adjoin: together they are in %(count)d separate parts.")
                % {"count": len(joined.shape.geoms)},
                _("Leave out those that lie apart, or confirm that the unit has several parts."),
                blocks=True,
            )
        )
    if joined.gaps:
        problems.append(
            Problem(
                "gaps",
                _("%(count)d gaps of %(area)s m² between the units are part of the merged one.")
                % {"count": len(joined.gaps), "area": rounded(sum(joined.gaps), 2)},
                _("Nothing, if the units are meant to adjoin."),
            )
        )
    if joined.overlapping:
        problems.append(
            Problem(
                "units-overlap",
                _("The units overlap each other; the merged one covers that ground once."),
                _("Look whether that is meant."),
            )
        )
    return joined.shape, problems


def _done(operation, *values):
    try:
        return operation(*values)
    except Uncut as error:
        sentence, hint = _why(error.reason)
        raise Impossible(sentence, hint, at=error.at) from None


def _why(reason: str) -> tuple[str, str]:
    return {
        "line-too-short": (_("A line needs two corners, a ring three."), _("Draw on.")),
        "line-crosses-itself": (
            _("The line crosses or touches itself."),
            _("Move its corners until it does not, or cut in two steps."),
        ),
        "line-does-not-cross": (
            _("The line does not cut the unit in two."),
            _("Begin it outside the unit or on its edge, and end it there too."),
        ),
        "ring-outside": (_("The ring lies outside the unit."), _("Draw it over the unit.")),
        "ring-holds-all": (
            _("Nothing of the unit would be left outside the ring."),
            _("Draw it smaller, or delete the unit."),
        ),
        "edge-not-common": (
            _("A corner that is to be moved is on no edge which two of these units share."),
            _("Name all units at the edge, and take corners of the edge between them."),
        ),
        "edge-held-twice": (
            _("The units overlap each other, so that they have no common edge."),
            _("Put the overlap right first: draw one of the two anew."),
        ),
        "edge-crosses": (
            _("The moved edge would cross the outline of the units, or another edge between them."),
            _("Move it less far, or in several steps."),
        ),
        "edge-turns-over": (
            _("The moved edge would turn the units over: what lies left of it would lie right."),
            _("Move it less far, or in several steps."),
        ),
        "edge-leaves-nothing": (
            _("Nothing would be left of one of the units."),
            _("Move the edge less far, or merge the units."),
        ),
    }[reason]


def snapped_line(grants: tuple[Grant, ...], district: District, line: Sequence[Position]) -> list[Position]:
    """The line with each corner on the parcel's corner or edge that is in reach, as a unit's is on saving."""
    return [one.at for one in snapped(grants, district, line)]


# --- steps -------------------------------------------------------------------------------------------------------


def cut(
    by: User,
    code: str,
    version: int | None,
    line: Sequence[Position],
    *,
    district: str = "",
    names: Sequence[str] = (),
    snap: bool = False,
    confirmed: Iterable[str] = (),
    edition: int | None = None,
) -> Reshaped:
    """The unit cut in two or more by a line. `names` are those of the new units, the largest first.

    Raises NotAllowed, Stale, Refused where the line does not cut it, Unfit where a piece cannot be a unit.
    """
    with transaction.atomic():
        grants, place, (unit,) = _begun(by, [Named(code, version, edition)], district)
        line = snapped_line(grants, place, line) if snap else line
        largest, *others = pieces_of_split(shape_of(unit), line, place.srid)
        if len(names) > len(others):
            raise UsageError(
                _("The line cuts off %(count)d new units, and %(names)d names were given.")
                % {"count": len(others), "names": len(names)}
            )
        called = [clean_name(name) for name in names]
        called += [_numbered(unit.name, number + 2) for number in range(len(called), len(others))]
        pieces = [_Piece(largest, unit), *(_Piece(one, None, name) for one, name in zip(others, called, strict=True))]
        return _made(by, grants, place, Kind.SPLIT, [unit], pieces, confirmed)


def cut_out(
    by: User,
    code: str,
    version: int | None,
    ring: Sequence[Position],
    *,
    district: str = "",
    name: str = "",
    snap: bool = False,
    confirmed: Iterable[str] = (),
    edition: int | None = None,
) -> Reshaped:
    """The unit without what lies in the ring; with a `name`, that becomes a unit of its own, else it is of none."""
    with transaction.atomic():
        grants, place, (unit,) = _begun(by, [Named(code, version, edition)], district)
        ring = snapped_line(grants, place, ring) if snap else ring
        stays, leaves = pieces_of_cut(shape_of(unit), ring, place.srid)
        pieces = [_Piece(stays, unit)]
        if name:
            pieces.append(_Piece(leaves, None, clean_name(name)))
        return _made(by, grants, place, Kind.CUT_OUT, [unit], pieces, confirmed)


def merge(
    by: User, named: Sequence[Named], name: str = "", *, district: str = "", confirmed: Iterable[str] = ()
) -> Reshaped:
    """The units as one, which is the first of them, under `name` or its own; the others are deleted, and kept.

    Raises Refused where another than the first has an approved edition: its code cannot end.
    """
    if len(named) < 2:
        raise UsageError(_("Merging takes two units or more."))
    with transaction.atomic():
        grants, place, units = _begun(by, named, district)
        first, *others = units
        approved = RedevelopmentUnit.objects.filter(
            district=place, state=State.APPROVED, code__in=[unit.code for unit in others]
        ).values_list("code", flat=True)
        if approved:
            raise Refused(
                _("%(codes)s has an approved edition, and its code cannot end in another.")
                % {"codes": _(", ").join(sorted(approved))},
                _("Name that unit first, so that it goes on."),
                code="approved",
            )
        shape, problems = united([shape_of(unit) for unit in units], place.srid)
        meant = CONFIRMABLE.intersection(confirmed)
        if blocking := [one for one in problems if one.blocks and one.code not in meant]:
            raise Unfit(blocking[0].sentence, blocking[0].fix, problems=[one.told() for one in problems])
        for unit in others:
            check_alone(unit)
        if name:
            first.name = clean_name(name)
        made = _made(by, grants, place, Kind.MERGED, units, [_Piece(shape, first)], confirmed, gone=others)
        made.problems[:0] = problems
        return made


def move_edge(
    by: User,
    named: Sequence[Named],
    edge: Sequence[Position],
    to: Sequence[Position],
    *,
    district: str = "",
    confirmed: Iterable[str] = (),
) -> Reshaped:
    """The units with vertices of their common edges moved for all of them at once; their ground together stays."""
    if len(named) < 2:
        raise UsageError(_("A common edge is moved for two units or more."))
    with transaction.atomic():
        grants, place, units = _begun(by, named, district)
        before = [shape_of(unit) for unit in units]
        after = pieces_moved(before, edge, to, place.srid)
        pieces = [
            _Piece(shape, unit)
            for unit, shape, old in zip(units, after, before, strict=True)
            if not shapely.equals_exact(shape, old)
        ]
        if not pieces:
            raise Impossible(
                _("The edge would stay where it is."),
                _("A corner on the outer edge of the units only slides along it."),
            )
        return _made(by, grants, place, Kind.EDGE_MOVED, units, pieces, confirmed)


def undo(by: User, operation: int, *, district: str = "") -> Reshaped:
    """What the operation changed as it was before, with a new version of each unit; an undoing is undone likewise.

    Raises Refused where one of its units is no longer as the operation left it. A neighbour that only got a vertex
    loses it where nothing else changed it since, else it keeps it: on a straight edge it does no harm.
    """
    grants = by.grants()
    with transaction.atomic():
        step = Reshaping.objects.filter(pk=operation).select_related("district").first()
        if step is None or (district and step.district_id != district):
            raise NotFound(_("There is no operation %(number)s.") % {"number": operation})
        place = step.district
        one_at_a_time(place.code)
        if Reshaping.objects.filter(undoes=step).exists():
            raise Refused(_("The operation was undone already."), _("Look at the unit's history."), code="undone")
        rows = _latest(place.code, [entry["code"] for entry in step.after])
        for entry in step.after:
            unit = rows.get(entry["code"])
            if not entry["noded"] and not (unit and may_draw(grants, unit.district_id, unit.street_id)):
                raise NotAllowed(
                    _("You may not change all the units of this operation."),
                    _("Ask the task-force office of the district."),
                )
        before = {entry["code"]: entry for entry in step.before}
        taken, back = [], []
        for entry in step.after:
            unit = rows.get(entry["code"])
            now = content(unit, noded=entry["noded"]) if unit else None
            if entry["noded"]:
                if now is None or unit.state != State.DRAFT or now["shape"] != entry["shape"]:
                    continue
            elif now["digest"] != entry["digest"]:
                raise Refused(
                    _("The unit %(code)s was changed after this operation.") % {"code": entry["code"]},
                    _("Undo the later changes first."),
                    code="changed-since",
                )
            taken.append(now)
            back.append((unit, before.get(entry["code"])))
        others = _put_back(by, back, place)
        changed = [unit for unit, _old in back]
        after = [content(unit, noded=bool(old and old["noded"])) for unit, old in back]
        undoing = keep(Kind.UNDONE, place.code, by, [*taken, *others[0]], [*after, *others[1]], undoes=step)
    nodes = {entry["code"] for entry in after if entry["noded"]}
    return Reshaped(
        undoing,
        [unit for unit in changed if unit.code not in nodes and unit.state != State.DELETED],
        [unit for unit in changed if unit.code in nodes],
        [unit.code for unit in changed if unit.state == State.DELETED],
    )


def _put_back(by: User, back: list[tuple[RedevelopmentUnit, dict | None]], place: District) -> tuple[list, list]:
    """Store each unit as its entry says, deleted where there is none; what neighbours were before and are after.

    Who was drawn beside since may have vertices in the edges that come back: they are put in.
    """
    shapes = {unit.code: shapely.from_wkb(bytes(kept_shape(old, place).wkb)) for unit, old in back if old}
    noded: list = []
    if shapes:
        codes = [unit.code for unit, _old in back]
        standing = [unit.code for unit, old in back if old and old["state"] != State.DELETED]
        fresh, noded = adjoin(place.code, [shapes[code] for code in standing], codes) if standing else ([], [])
        shapes |= dict(zip(standing, fresh, strict=True))
    for unit, old in back:
        if old is None or old["state"] == State.DELETED:
            check_alone(unit)
        unit.version += 1
        fields = ["version"]
        if old is None:  # it came into being with the operation
            unit.state = State.DELETED
            fields.append("state")
        else:
            unit.geom = stored(shapes[unit.code])
            fields.append("geom")
        if old and not old["noded"]:
            unit.name, unit.state = old["name"], old["state"]
            unit.street_id, unit.base_survey_year = old["street"], old["base_survey_year"]
            fields += ["name", "state", "street", "base_survey_year"]
        with pghistory.context(user=by.pk, unit=unit.code, action="undone"):
            unit.save(update_fields=fields)
            if old and not old["noded"]:
                put_members(unit, {parcel: rounded(share, SHARE_DECIMALS) for parcel, share in old["members"]})
        unit.refresh_from_db()
    return put_nodes(by, noded)


def latest(grants: tuple[Grant, ...], district: str, most: int) -> list[dict]:
    """The last operations of a district of which these grants may change every unit, the latest first."""
    steps = list(Reshaping.objects.filter(district=district).select_related("by").order_by("-id")[: 4 * most])
    undone = set(Reshaping.objects.filter(undoes__in=steps).values_list("undoes", flat=True))
    rows = _latest(district, {entry["code"] for step in steps for entry in step.after}, lock=False)
    told = []
    for step in steps:
        main = [entry for entry in step.after if not entry["noded"]]
        units = [rows.get(entry["code"]) for entry in main]
        if not all(unit and may_draw(grants, unit.district_id, unit.street_id) for unit in units):
            continue
        stands = step.pk not in undone and all(
            content(unit)["digest"] == entry["digest"] for unit, entry in zip(units, main, strict=True)
        )
        told.append(
            {
                "operation": step.pk,
                "kind": step.kind,
                "kind_title": str(step.get_kind_display()),
                "at": step.at.isoformat(),
                "by": called(step.by),
                "units": [entry["code"] for entry in main],
                "undoes": step.undoes_id,
                "undone": step.pk in undone,
                "undoable": stands,
            }
        )
        if len(told) == most:
            break
    return told


# --- how a step is made ------------------------------------------------------------------------------------------


def _begun(by: User, named: Sequence[Named], district: str):
    """(grants, district, units in the order named), locked, drafts, and as the caller has them before him."""
    if len(named) > MOST_UNITS:
        raise UsageError(_("At most %(most)d units are changed at once.") % {"most": MOST_UNITS})
    if len({one.code for one in named}) < len(named):
        raise UsageError(_("A unit is named twice."))
    grants = by.grants()
    seen = [found(grants, one.code, district) for one in named]
    if len({unit.district_id for unit in seen}) > 1:
        raise UsageError(_("The units lie in different districts."), _("A unit never crosses a district's boundary."))
    one_at_a_time(seen[0].district_id)
    rows = {}
    for unit in sorted(seen, key=lambda unit: unit.pk):
        rows[unit.code] = lock(grants, unit)
    for one in named:
        unit = rows[one.code]
        check_version(unit, 0 if one.edition not in (None, unit.edition) else one.version)
        check_draft(unit)
    return grants, District.objects.get(pk=seen[0].district_id), [rows[one.code] for one in named]


def _made(
    by: User,
    grants: tuple[Grant, ...],
    place: District,
    kind: Kind,
    units: list[RedevelopmentUnit],
    pieces: list[_Piece],
    confirmed: Iterable[str],
    gone: Sequence[RedevelopmentUnit] = (),
) -> Reshaped:
    """Store the pieces, judged as everything that is saved, with their lineage; all of it or nothing."""
    codes = [unit.code for unit in units]
    kept = {unit.code: unit for unit in RedevelopmentUnit.objects.filter(pk__in=[unit.pk for unit in units])}
    touched = [unit for unit in units if unit in gone or any(piece.unit is unit for piece in pieces)]
    before = [content(kept[unit.code]) for unit in touched]
    grounds = {unit.code: ground(shape_of(kept[unit.code])) for unit in units}
    shapes, noded = adjoin(place.code, [piece.shape for piece in pieces], codes)
    problems, made = [], []
    for piece, shape in zip(pieces, shapes, strict=True):
        unit = piece.unit or RedevelopmentUnit(
            district=place, code=next_code(place.code), name=piece.name, state=State.DRAFT, created_by=by, version=0
        )
        composition = compose(grants, place.code, drawn=geojson(shape), unit=codes[0], confirmed=confirmed)
        if blocking := [one for one in composition.blocking if one.code not in INHERITED]:
            raise Unfit(blocking[0].sentence, blocking[0].fix, problems=[one.told() for one in composition.problems])
        problems += [one for one in composition.problems if not one.blocks]
        unit.version += 1
        with pghistory.context(user=by.pk, unit=unit.code, action=kind.value):
            store(unit, composition)
        made.append(unit)
    for unit in gone:
        unit.state, unit.version = State.DELETED, unit.version + 1
        with pghistory.context(user=by.pk, unit=unit.code, action=kind.value, into=units[0].code):
            unit.save(update_fields=["state", "version"])
    others, after = put_nodes(by, noded)
    step = keep(kind, place.code, by, [*before, *others], [*(content(unit) for unit in (*made, *gone)), *after])
    rows = _descent(kind, units, made, grounds)
    lineage.note(Lineage.Register.UNIT, place.code, rows, by=by, reshaping=step)
    return Reshaped(step, made, [unit for unit, _shape in noded], [unit.code for unit in gone], problems)


def _descent(kind: Kind, units, made, grounds: dict[str, float]) -> list[lineage.Row]:
    if kind in (Kind.SPLIT, Kind.CUT_OUT):
        (unit,) = units
        whole = grounds[unit.code]
        return [
            (unit.code, one.code, Lineage.Kind.SPLIT, rounded(min(1, ground(shape_of(one)) / whole), SHARE_DECIMALS))
            for one in made
        ]
    if kind == Kind.MERGED:
        return [(unit.code, units[0].code, Lineage.Kind.MERGE, 1) for unit in units]
    return []


def _latest(district: str, codes: Iterable[str], *, lock: bool = True) -> dict[str, RedevelopmentUnit]:
    """The latest edition of each, by code; locked in the order of their numbers."""
    found = RedevelopmentUnit.objects.filter(district=district, code__in=set(codes)).exclude(state=State.AMENDED)
    if lock:
        found = found.select_for_update(of=("self",))
    rows: dict[str, RedevelopmentUnit] = {}
    for unit in found.order_by("id"):
        if unit.code not in rows or rows[unit.code].edition < unit.edition:
            rows[unit.code] = unit
    return rows


def _numbered(name: str, number: int) -> str:
    tail = f"-{number}"
    return name[: LONGEST_NAME - len(tail)] + tail
