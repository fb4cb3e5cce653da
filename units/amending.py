"""Editions of a unit: the approved one stays as it is and can be cited, a change begins as a new draft (NK027)."""

import hashlib
import json

import pghistory
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg import errors

from units.collections import COLLECTIONS
from units.composing import blocking_now, may_draw
from units.drafting import check_drawer, found
from units.errors import NotFound, Refused, Stale, UsageError
from units.models import RedevelopmentUnit, UnitParcel, User
from units.recording import FIELDS, Problem
from units.rights import Grant

State = RedevelopmentUnit.State
LOOKED_AT = (State.CHECKED, State.CONSULTED, State.APPROVED)


def content(unit: RedevelopmentUnit) -> bytes:
    """All that an edition says, in one order of bytes: keys sorted, the shape by its stored numbers."""
    members = unit.members.select_related("parcel").order_by("parcel__code")
    told = {
        "district": unit.district_id,
        "street": unit.street_id,
        "code": unit.code,
        "edition": unit.edition,
        "name": unit.name,
        **{name: getattr(unit, name) for name in FIELDS},
        "plan_editions": unit.plan_editions,
        "base_survey": unit.base_survey_year,
        "parcels": [[one.parcel.code, str(one.share)] for one in members],
        "geometry": bytes(unit.geom.wkb).hex(),
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(unit: RedevelopmentUnit) -> str:
    """SHA-256 of the content: whoever has an edition before him can tell whether it is the one that was approved."""
    return hashlib.sha256(content(unit)).hexdigest()


def amend(by: User, code: str, version: int | None, district: str = "") -> RedevelopmentUnit:
    """A new draft edition of an approved unit, with its shape and record; the approved one stays in force.

    Raises Stale where `version` is not the one that stands, Refused where it is not approved or a draft is there.
    """
    grants = by.grants()
    with transaction.atomic():
        latest = found(grants, code, district)
        check_drawer(grants, latest)
        rows = list(
            RedevelopmentUnit.objects.select_for_update(of=("self",))
            .filter(district=latest.district_id, code=code)
            .order_by("edition")
        )
        approved = next((unit for unit in rows if unit.state == State.APPROVED), None)
        begun = next((unit for unit in rows if unit.state in (State.DRAFT, State.CHECKED, State.CONSULTED)), None)
        if approved is None:
            raise Refused(
                _("The unit %(code)s has no approved version to amend.") % {"code": code},
                _("A draft is edited as it is."),
                code="not-approved",
            )
        if begun is not None:
            raise Refused(
                _("Version %(edition)s of the unit %(code)s is being worked on already (%(state)s).")
                % {"edition": begun.edition, "code": code, "state": begun.get_state_display()},
                _("Go on with that version."),
                code="draft-exists",
            )
        if version is None:
            raise UsageError(
                _("Say which version of the unit you have before you: “version”, or the header If-Match."),
                _("GET the unit; its answer has both."),
                code="version",
            )
        if version != approved.version:
            raise Stale(
                _("The unit was changed meanwhile."),
                _("Look at it again."),
                theirs={"version": approved.version, "edition": approved.edition, "state": approved.state},
            )
        draft = RedevelopmentUnit(
            district_id=approved.district_id,
            street_id=approved.street_id,
            code=code,
            edition=rows[-1].edition + 1,
            name=approved.name,
            state=State.DRAFT,
            created_by=by,
            base_survey_year=approved.base_survey_year,
            plan_editions=approved.plan_editions,
            geom=approved.geom,
            **{name: getattr(approved, name) for name in FIELDS},
        )
        with pghistory.context(user=by.pk, unit=code, action="amended"):
            draft.save()
            UnitParcel.objects.bulk_create(
                UnitParcel(unit=draft, parcel_id=one.parcel_id, share=one.share) for one in approved.members.all()
            )
    draft.refresh_from_db()
    return draft


def standing_against(unit: RedevelopmentUnit) -> list[Problem]:
    """What keeps an edition from being approved: what lies under it now, and transfers whose other side is a draft."""
    problems = [Problem(one.code, one.sentence, one.fix) for one in blocking_now(unit)]
    former = RedevelopmentUnit.objects.filter(district=unit.district_id, code=unit.code, state=State.APPROVED).first()
    rows = [*(unit.incentives or []), *((former.incentives or []) if former else [])]
    for code in sorted({one["other_unit"] for one in rows if one["type"] == "transfer"}):
        other = RedevelopmentUnit.objects.filter(code=code).exclude(state=State.DELETED).order_by("-edition").first()
        if other is None or other.state not in LOOKED_AT:
            problems.append(
                Problem(
                    "transfer",
                    _("The unit %(code)s, with which it exchanges floor area, is not checked yet.") % {"code": code},
                    _("Have both checked, then approve one after the other."),
                )
            )
    return problems


def approve(unit: RedevelopmentUnit) -> None:
    """The edition as approved, with its digest, and the one in force before as amended (NK024, NK027).

    For the move to `approved` alone: inside its transaction, with the row locked and its gates passed. Raises Refused
    where the unit would cover ground of another approved one; the database itself refuses that, whoever asks.
    """
    if problems := standing_against(unit):
        raise Refused(problems[0].sentence, problems[0].fix, code=problems[0].field)
    former = (
        RedevelopmentUnit.objects.select_for_update(of=("self",))
        .filter(district=unit.district_id, code=unit.code, state=State.APPROVED)
        .exclude(pk=unit.pk)
        .first()
    )
    try:
        with transaction.atomic():
            if former is not None:
                former.state, former.version = State.AMENDED, former.version + 1
                former.save(update_fields=["state", "version"])
            unit.state, unit.version = State.APPROVED, unit.version + 1
            unit.approved_at, unit.digest = timezone.now(), digest(unit)
            unit.save(update_fields=["state", "version", "approved_at", "digest"])
    except IntegrityError as error:
        if not isinstance(error.__cause__, errors.ExclusionViolation):
            raise
        raise Refused(
            _("The unit %(code)s overlaps an approved unit and cannot be approved.") % {"code": unit.code},
            _("Change its shape, or amend the other one first."),
            code="overlap",
        ) from error


def editions(grants: tuple[Grant, ...], code: str, district: str) -> list[RedevelopmentUnit]:
    """The editions of a unit that these grants may see, latest first."""
    rows = (
        RedevelopmentUnit.objects.filter(COLLECTIONS["units"].seen_by(grants).rows.q(), district=district, code=code)
        .select_related("district", "street", "created_by")
        .order_by("-edition")
    )
    return [unit for unit in rows if unit.state != State.DELETED or may_draw(grants, unit.district_id, unit.street_id)]


def edition(grants: tuple[Grant, ...], code: str, number: int, district: str = "") -> RedevelopmentUnit:
    """One edition of a unit, approved or not, where these grants may see it."""
    district = district or found(grants, code).district_id
    for unit in editions(grants, code, district):
        if unit.edition == number:
            return unit
    raise NotFound(
        _("There is no version %(edition)s of the unit %(code)s, or none that you may see.")
        % {"edition": number, "code": code},
        _("The page of the unit lists its versions."),
    )
