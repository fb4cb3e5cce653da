"""Save, edit, delete and bring back drafts of redevelopment units, each step with its author.

Only drafts are written here. An approved version is immutable; the moves of `workflow.md` 4.4 come with their own verb.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

import numpy as np
import pghistory
import shapely
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from psycopg import errors

from units.adjoining import adjoined, neighbours, shape_of, stored
from units.collections import COLLECTIONS
from units.composing import SHARE_DECIMALS, Composition, compose, may_draw, required_district
from units.errors import NotAllowed, NotFound, Refused, Stale, Unfit, UsageError
from units.geometry import areal, counts
from units.models import District, Parcel, RedevelopmentUnit, Reshaping, UnitParcel, User
from units.operations import content, keep, one_at_a_time, put_members
from units.planned import editions_in_force
from units.rights import READERS, Grant, may
from units.spatial import rounded
from units.transferring import check_alone

# A unit's code, our own convention: the district's six digits, DY (单元) and a serial number of four digits or more.
LETTERS = "DY"
SERIAL_DIGITS = 4
HIGHEST_SERIAL = 999_999  # a higher one was not given here, and the next is not counted from it
OWN_CODE = re.compile(r"[0-9A-Za-z_-]{7,40}")
LONGEST_NAME = 120
LONGEST_REASON = 500
SMALLEST_SHARE = 10**-SHARE_DECIMALS
MOSTLY = 0.9  # of a parcel; less is no mis-snapped edge
State = RedevelopmentUnit.State
ACTIONS = {
    "drawn": gettext_lazy("Drawn"),
    "edited": gettext_lazy("Edited"),
    "deleted": gettext_lazy("Deleted"),
    "restored": gettext_lazy("Brought back"),
    "approved": gettext_lazy("Approved"),
    "recorded": gettext_lazy("Record written"),
    "amended": gettext_lazy("Amendment begun"),
    "split": gettext_lazy("Split by a line"),
    "cut_out": gettext_lazy("Cut out"),
    "merged": gettext_lazy("Merged"),
    "edge_moved": gettext_lazy("Common edge moved"),
    "noded": gettext_lazy("A corner put into a common edge"),
    "undone": gettext_lazy("Undone"),
}


@dataclass(frozen=True)
class Drawing:
    """What a unit is drawn from: codes of parcels, or a GeoJSON shape; and which problems are meant so."""

    parcels: list[str] | None = None
    drawn: dict | None = None
    snap: bool = False
    confirmed: list[str] = field(default_factory=list)

    @property
    def given(self) -> bool:
        return self.parcels is not None or self.drawn is not None


def save(by: User, district: str, name: str, drawing: Drawing, code: str = "") -> RedevelopmentUnit:
    """A new draft. Raises NotAllowed, Unfit with the problems that block it, Refused where the code is taken."""
    grants = by.grants()
    place = required_district(grants, district)
    name = clean_name(name)
    if code and not (OWN_CODE.fullmatch(code) and code.startswith(district)):
        raise UsageError(
            _("A unit's code begins with the six digits of its district and has up to 40 letters and digits."),
            _("Leave it out, and it is given one."),
        )
    if code and code.upper().startswith(f"{district}{LETTERS}"):
        raise UsageError(
            _("Codes that begin with %(begins)s are given here, in order.") % {"begins": f"{district}{LETTERS}"},
            _("Leave it out, and it is given one."),
        )
    if code and not may_draw(grants, district, None):
        raise NotAllowed(
            _("A street office's units are given their codes here."), _("Leave it out, and it is given one.")
        )
    made = composed(grants, district, drawing, "")
    with transaction.atomic():
        one_at_a_time(district)
        if code and RedevelopmentUnit.objects.filter(district=place, code=code).exists():
            raise _taken(code)
        unit = RedevelopmentUnit(
            district=place, code=code or next_code(district), name=name, state=State.DRAFT, created_by=by
        )
        (made.shape,), noded = adjoin(district, [made.shape], [unit.code])
        with pghistory.context(user=by.pk, unit=unit.code, action="drawn"):
            store(unit, made)
        before, after = put_nodes(by, noded)
        keep(Reshaping.Kind.DRAWN, district, by, before, [content(unit), *after])
    return unit


def edit(
    by: User, code: str, version: int | None, name: str | None, drawing: Drawing, district: str = ""
) -> RedevelopmentUnit:
    """The draft with another name, another shape or both; where neither is another, the version that stands.

    Raises Stale where `version` is not the one that stands.
    """
    grants = by.grants()
    with transaction.atomic():
        one_at_a_time(found(grants, code, district).district_id)
        unit = locked(grants, code, district)
        check_version(unit, version)
        check_draft(unit)
        made = composed(grants, unit.district_id, drawing, unit.code) if drawing.given else None
        name = unit.name if name is None else clean_name(name)
        noded = []
        if made is not None:
            (made.shape,), noded = adjoin(unit.district_id, [made.shape], [unit.code])
        if name == unit.name and (made is None or _stands(unit, made)):
            return unit
        before = content(unit)
        unit.name, unit.version = name, unit.version + 1
        with pghistory.context(user=by.pk, unit=unit.code, action="edited"):
            if made is not None:
                store(unit, made)
            else:
                unit.save(update_fields=["name", "version"])
        others, after = put_nodes(by, noded)
        keep(Reshaping.Kind.EDITED, unit.district_id, by, [before, *others], [content(unit), *after])
    return unit


def delete(by: User, code: str, version: int | None, reason: str, district: str = "") -> RedevelopmentUnit:
    """The draft as deleted: a state with a reason, from which `restore` brings it back. Nothing is lost."""
    reason = _reason(reason)
    with transaction.atomic():
        unit = locked(by.grants(), code, district)
        check_version(unit, version)
        check_draft(unit)
        check_alone(unit)
        if not reason:
            raise Unfit(_("Say why the unit is deleted."), _("The reason is kept in its history."), code="reason")
        unit.state, unit.version = State.DELETED, unit.version + 1
        with pghistory.context(user=by.pk, unit=unit.code, action="deleted", reason=reason):
            unit.save(update_fields=["state", "version"])
    return unit


def restore(by: User, code: str, version: int | None, district: str = "") -> RedevelopmentUnit:
    """A deleted draft as a draft again, with the vertices that its neighbours have by now."""
    grants = by.grants()
    with transaction.atomic():
        one_at_a_time(found(grants, code, district).district_id)
        unit = locked(grants, code, district)
        check_version(unit, version)
        if unit.state != State.DELETED:
            raise Refused(_("The unit %(code)s is not deleted.") % {"code": unit.code})
        (shape,), noded = adjoin(unit.district_id, [shape_of(unit)], [unit.code])
        unit.state, unit.version, unit.geom = State.DRAFT, unit.version + 1, stored(shape)
        with pghistory.context(user=by.pk, unit=unit.code, action="restored"):
            unit.save(update_fields=["state", "version", "geom"])
        put_nodes(by, noded)
    return unit


# --- reading -----------------------------------------------------------------------------------------------------


def found(grants: tuple[Grant, ...], code: str, district: str = "") -> RedevelopmentUnit:
    """The latest version of a unit that these grants may see; a deleted one is seen by those who may bring it back."""
    units = RedevelopmentUnit.objects.filter(code=code).select_related("district", "street", "created_by")
    if district:
        units = units.filter(district=district)
    seen = COLLECTIONS["units"].seen_by(grants).rows.q()
    rows = [
        unit
        for unit in units.filter(seen).exclude(state=State.AMENDED).order_by("district_id", "-edition")
        if unit.state != State.DELETED or may_draw(grants, unit.district_id, unit.street_id)
    ]
    if not rows:
        raise NotFound(
            _("There is no redevelopment unit %(code)s, or none that you may see.") % {"code": code},
            _("Find it on the map."),
        )
    districts = {unit.district_id for unit in rows}
    if len(districts) > 1:
        raise UsageError(
            _("There is a unit %(code)s in more than one district: %(districts)s.")
            % {"code": code, "districts": ", ".join(sorted(districts))},
            _("Say which by ?district=…"),
        )
    # A deleted draft does not hide the version that is approved.
    return min(rows, key=lambda unit: unit.state == State.DELETED)


def is_inside(grants: tuple[Grant, ...], unit: RedevelopmentUnit) -> bool:
    """Whether these grants see more of the unit than the public does."""
    return may(grants, READERS["units"], unit.district_id, unit.street_id)


def may_change(grants: tuple[Grant, ...], unit: RedevelopmentUnit) -> dict[str, bool]:
    """What may be done with it, by whoever holds these grants."""
    drawer = may_draw(grants, unit.district_id, unit.street_id)
    return {
        "edit": drawer and unit.state == State.DRAFT,
        "delete": drawer and unit.state == State.DRAFT,
        "restore": drawer and unit.state == State.DELETED,
    }


def versions(unit: RedevelopmentUnit) -> list[dict]:
    """What was done with a unit, by whom, when and why, latest first; all its editions."""
    events = (
        RedevelopmentUnit.pgh_event_model.objects.filter(district_id=unit.district_id, code=unit.code)
        .select_related("pgh_context")
        .defer("geom")
        .order_by("-pgh_id")
    )
    events = list(events)
    told = [event.pgh_context.metadata if event.pgh_context else {} for event in events]
    people = User.objects.in_bulk({one["user"] for one in told if isinstance(one.get("user"), int)})
    return [
        {
            "edition": event.edition,
            "version": event.version,
            "state": event.state,
            "state_title": str(State(event.state).label),
            "name": event.name,
            "at": event.pgh_created_at,
            "by": called(people.get(one.get("user"))) or one.get("db_user", ""),
            "action": one.get("action", ""),
            "action_title": str(ACTIONS.get(one.get("action"), "")),
            "reason": one.get("reason", ""),
        }
        for event, one in zip(events, told, strict=True)
    ]


def called(user: User | None) -> str:
    """What a person is called here."""
    return (user.get_full_name() or user.get_username()) if user else ""


# --- writing -----------------------------------------------------------------------------------------------------


def composed(grants, district: str, drawing: Drawing, unit: str) -> Composition:
    if (drawing.parcels is None) == (drawing.drawn is None):
        raise UsageError(_("A unit is drawn either from parcels or as a shape."), _("Send one of the two."))
    made = compose(
        grants,
        district,
        parcels=drawing.parcels,
        drawn=drawing.drawn,
        snap=drawing.snap,
        unit=unit,
        confirmed=drawing.confirmed,
    )
    if made.blocking:
        first = made.blocking[0]
        raise Unfit(first.sentence, first.fix, problems=[problem.told() for problem in made.problems])
    return made


def _shares(made: Composition) -> dict[int, Decimal]:
    """The share of each member, by the row of its parcel."""
    return {member.id: rounded(max(SMALLEST_SHARE, member.share), SHARE_DECIMALS) for member in made.held}


def _stands(unit: RedevelopmentUnit, made: Composition) -> bool:
    """Whether all that would be stored of the composition is what is stored."""
    return (
        unit.geom.equals_exact(stored(made.shape))
        and (unit.street_id, unit.base_survey_year) == (made.street, made.survey.year)
        and unit.plan_editions == editions_in_force(unit.district_id)
        and dict(unit.members.values_list("parcel_id", "share")) == _shares(made)
    )


def store(unit: RedevelopmentUnit, made: Composition) -> None:
    unit.geom = stored(made.shape)
    unit.street_id = made.street
    unit.base_survey_year = made.survey.year
    unit.plan_editions = editions_in_force(unit.district_id)
    try:
        with transaction.atomic():
            unit.save()
    except IntegrityError as error:
        match error.__cause__:
            case errors.UniqueViolation():
                raise _taken(unit.code) from error
            case errors.CheckViolation() as cause:
                # The database judges validity with another release of the same library; both must agree.
                raise Unfit(
                    _("The database refuses the shape."),
                    _("It does not pass the test %(name)s.") % {"name": cause.diag.constraint_name},
                    problems=[],
                ) from error
        raise
    put_members(unit, _shares(made))
    unit.refresh_from_db()


def adjoin(district: str, shapes: list[shapely.MultiPolygon], codes: list[str]):
    """(shapes, changed): noded alike with the units beside them, other than those with these codes; all are locked."""
    place = District.objects.get(code=district)
    return adjoined(shapes, neighbours(district, shapes, codes), place.srid)


def put_nodes(by: User, changed: list[tuple[RedevelopmentUnit, shapely.MultiPolygon]]) -> tuple[list, list]:
    """Store the neighbours whose edges got a vertex; what each was before and is after."""
    before, after = [], []
    for unit, shape in changed:
        before.append(content(unit, noded=True))
        unit.geom, unit.version = stored(shape), unit.version + 1
        with pghistory.context(user=by.pk, unit=unit.code, action="noded"):
            unit.save(update_fields=["geom", "version"])
        after.append(content(unit, noded=True))
    return before, after


def next_code(district: str) -> str:
    begins = f"{district}{LETTERS}"
    codes = RedevelopmentUnit.objects.filter(district=district, code__regex=rf"^{begins}[0-9]+$")
    taken = {int(code.removeprefix(begins)) for code in codes.values_list("code", flat=True)}
    last = max((number for number in taken if number <= HIGHEST_SERIAL), default=0)
    number = next(number for number in count(last + 1) if number not in taken)
    return f"{begins}{number:0{SERIAL_DIGITS}d}"


def _taken(code: str) -> Refused:
    return Refused(
        _("There is a unit %(code)s already.") % {"code": code},
        _("Choose another code, or leave it out."),
        code="taken",
    )


def locked(grants, code: str, district: str) -> RedevelopmentUnit:
    return lock(grants, found(grants, code, district))


def lock(grants, unit: RedevelopmentUnit) -> RedevelopmentUnit:
    """The unit as it stands now, locked until the transaction ends; NotAllowed where these grants do not change it."""
    check_drawer(grants, unit)
    return RedevelopmentUnit.objects.select_for_update(of=("self",)).get(pk=unit.pk)


def check_drawer(grants, unit: RedevelopmentUnit) -> None:
    """NotAllowed to all but those who draw units where this one lies."""
    if not may_draw(grants, unit.district_id, unit.street_id):
        raise NotAllowed(
            _("You may look at the unit %(code)s, not change it.") % {"code": unit.code},
            _("The GIS analysts, the street office and the task-force office of the district draw units."),
        )


def check_version(unit: RedevelopmentUnit, version: int | None) -> None:
    if version is None:
        raise UsageError(
            _("Say which version of the unit you have before you: “version”, or the header If-Match."),
            _("GET the unit; its answer has both."),
            code="version",
        )
    if version != unit.version:
        last = versions(unit)[0]
        raise Stale(
            _("%(name)s has changed the unit meanwhile.") % {"name": last["by"]},
            _("Look at both versions; save yours over it, or take theirs."),
            theirs={
                "code": unit.code,
                "edition": unit.edition,
                "version": unit.version,
                "name": unit.name,
                "state": unit.state,
                "changed_by": last["by"],
                "changed_at": last["at"].isoformat(),
            },
        )


def check_draft(unit: RedevelopmentUnit) -> None:
    if unit.state == State.DRAFT:
        return
    raise Refused(
        _("The unit %(code)s is not a draft (%(state)s), and only drafts are edited.")
        % {"code": unit.code, "state": unit.get_state_display()},
        _("Bring it back first.")
        if unit.state == State.DELETED
        else _("An approved version stays as it is; a change is drawn as a new version."),
        code="not-a-draft",
    )


def clean_name(name) -> str:
    name = unicodedata.normalize("NFC", name).strip() if isinstance(name, str) else ""
    if not 0 < len(name) <= LONGEST_NAME or not _printable(name):
        raise UsageError(_("A unit needs a name of at most %(most)d letters.") % {"most": LONGEST_NAME}, code="name")
    return name


def _reason(reason) -> str:
    reason = reason.strip() if isinstance(reason, str) else ""
    if len(reason) > LONGEST_REASON or not _printable(reason.replace("\n", " ")):
        raise UsageError(_("A reason has at most %(most)d letters.") % {"most": LONGEST_REASON})
    return reason


def _printable(text: str) -> bool:
    """No control characters, and no half of a character, which no database stores."""
    return not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text)


def whole(unit: RedevelopmentUnit) -> list[str]:
    """Codes of its parcels if the unit is just these, whole; else none: then it was drawn."""
    members = list(unit.members.select_related("parcel").order_by("parcel__code"))
    if not members or any(member.share < MOSTLY for member in members):
        return []
    shape = shape_of(unit)
    parcels = shapely.from_wkb([bytes(member.parcel.geom.wkb) for member in members])
    # Edges that were mis-snapped by centimetres are closed when parcels are united; such a rim is no other shape.
    left = shapely.difference(parcels, shape)
    more = shapely.get_parts(shapely.difference(shape, shapely.union_all(parcels)))
    apart = areal(np.concatenate([left, more]))
    return [] if counts(apart, unit.district.srid).any() else [member.parcel.code for member in members]


def parcels_of(unit: RedevelopmentUnit, grants: tuple[Grant, ...]) -> list[UnitParcel]:
    """The members whose parcels these grants may see."""
    seen = Parcel.objects.filter(COLLECTIONS["parcels"].seen_by(grants).rows.q())
    return list(unit.members.filter(parcel__in=seen).select_related("parcel").order_by("parcel__code"))
