"""Keep what somebody saw on the spot of a parcel or building: a verdict, a note, photos and where he stood."""

import hashlib
import math
from collections.abc import Iterable
from uuid import UUID

from django.contrib.gis.geos import Point
from django.core.files.base import ContentFile
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from units import photos
from units.attaching import LARGEST, kind_of, plain, too_large
from units.errors import InputUnreadable, NotAllowed, NotFound, Refused, UnknownName, UsageError
from units.explaining import seen
from units.models import Building, Document, FieldCheck, FieldPhoto, Parcel, User
from units.rights import INSIDE, Grant, Role, may
from units.spatial import CHINA, STORAGE_SRID
from units.workflow import ASSIGNED, CO_CHECK, FILLING, SUSPECT

LOOKERS = frozenset({Role.ANALYST, Role.STREET, Role.OFFICE})  # workflow 4.1: R2 attaches photos; R1 and R5 check
MOST_PHOTOS = 20  # of one check
LONGEST_NOTE = 2000
UNDER_SURVEY = (SUSPECT, ASSIGNED, FILLING, CO_CHECK)
TABLES = {Parcel: "units_parcel", Building: "units_building"}


def look(
    code: str,
    by: User,
    token: UUID,
    *,
    verdict: str,
    note: str = "",
    position: tuple[float, float] | None = None,
    accuracy_m: float | None = None,
    files: Iterable[tuple[str, bytes]] = (),
) -> FieldCheck:
    """Keep one field check; the same `token` again gives the check that is kept already.

    `position` is (lng, lat) in degrees of WGS 84, `files` are (name, content) of photos. Raises NotFound where `by`
    sees no such subject, NotAllowed, UnknownName, UsageError, Refused (no note), InputUnreadable (no photo).
    """
    grants = by.grants()
    row = seen(code, grants).row
    if not may_look(grants, row.district_id, row.street_id):
        raise NotAllowed(
            _("Field checks are written by the street office, the GIS analysts and the task-force office."),
            _("Ask one of them to look."),
        )
    known = FieldCheck.objects.filter(token=token, by=by).first()
    if known is not None:
        return known
    if verdict not in FieldCheck.Verdict:
        raise UnknownName(verdict[:100], FieldCheck.Verdict.values, _("verdict"))
    note = _note(note, verdict)
    point = placed(position)
    taken = [_photo(name, body) for name, body in files]
    if len(taken) > MOST_PHOTOS:
        raise UsageError(
            _("A check has at most %(most)d photos.") % {"most": MOST_PHOTOS}, _("Write another check for the others.")
        )
    try:
        with transaction.atomic():
            made = FieldCheck.objects.create(
                district_id=row.district_id,
                street_id=row.street_id,
                **{"building" if isinstance(row, Building) else "parcel": row},
                verdict=verdict,
                note=note,
                position=point,
                accuracy_m=_accuracy(accuracy_m) if point else None,
                distance_m=_distance(row, point) if point else None,
                token=token,
                by=by,
            )
            for document, body, ending in taken:
                document.district_id, document.added_by = row.district_id, by
                document.file.save(f"{document.sha256}.{ending}", ContentFile(body), save=True)
                facts = photos.taken(body)
                FieldPhoto.objects.create(
                    looked=made, document=document, taken_at=facts.at, position=_camera(facts.position)
                )
    except IntegrityError:
        known = FieldCheck.objects.filter(token=token, by=by).first()  # sent twice at the same moment
        if known is None:
            raise
        return known
    return made


def may_look(grants: Iterable[Grant], district: str, street: str | None) -> bool:
    """Whether someone with these grants writes field checks there."""
    return may(grants, LOOKERS, district, street)


def checks(row: Parcel | Building) -> QuerySet[FieldCheck]:
    """The checks of one subject, latest first, with their photos."""
    column = "building" if isinstance(row, Building) else "parcel"
    found = FieldCheck.objects.filter(**{column: row})
    return found.select_related("by").prefetch_related("photos__document").order_by("-pk")


def photo(number: int, grants: tuple[Grant, ...]) -> FieldPhoto:
    """One photo that these grants may see: that of a subject in their place; NotFound otherwise."""
    found = FieldPhoto.objects.select_related("document", "looked").filter(pk=number).first()
    if found is None or not may(grants, INSIDE, found.looked.district_id, found.looked.street_id):
        raise NotFound(_("There is no such photo, or none that you may see."), _("Open it from the card of its land."))
    return found


def to_look_at(records: QuerySet) -> QuerySet:
    """Of these determinations those that are still under survey: what is decided needs no look any more."""
    return records.filter(state__in=UNDER_SURVEY)


def _note(note: str, verdict: str) -> str:
    note = note.strip()
    if "\0" in note or len(note) > LONGEST_NOTE:
        raise UsageError(
            _("“%(name)s” is longer than %(most)d letters.") % {"name": _("note"), "most": LONGEST_NOTE},
            _("Shorten it."),
        )
    if not note and verdict != FieldCheck.Verdict.AS_RECORDED:
        raise Refused(_("Say what differs, or why it could not be looked at."), _("Write a note."), code="note")
    return note


def placed(position: tuple[float, float] | None) -> Point | None:
    """(lng, lat) in degrees of WGS 84 as a point in EPSG:4490; UsageError where it cannot lie in China."""
    if position is None:
        return None
    lng, lat = position
    west, south, east, north = CHINA
    if not (west <= lng <= east and south <= lat <= north):  # NaN too
        raise UsageError(
            _("The position lies outside China, or longitude and latitude are swapped."),
            _("Send it in degrees of WGS 84, or without a position."),
        )
    return Point(lng, lat, srid=STORAGE_SRID)


def _camera(position: tuple[float, float] | None) -> Point | None:
    """What a camera says is kept where it can be; a wrong clock or a fix of last week's holiday stops no check."""
    try:
        return placed(position)
    except UsageError:
        return None


def _accuracy(metres: float | None) -> float | None:
    return metres if metres is not None and math.isfinite(metres) and metres >= 0 else None


def _distance(row: Parcel | Building, point: Point) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT ST_Distance(geom::geography, %(point)s::geometry::geography) FROM {TABLES[type(row)]}"
            " WHERE id = %(row)s",
            {"point": point.hexewkb.decode(), "row": row.pk},
        )
        return cursor.fetchone()[0]


def _photo(name: str, body: bytes) -> tuple[Document, bytes, str]:
    if len(body) > LARGEST:
        raise too_large()
    media, ending = kind_of(body)
    if not media.startswith("image/"):
        raise InputUnreadable(
            _("“%(name)s” is no photo (JPEG, PNG, WebP).") % {"name": plain(name)},
            _("Papers are put to the survey form."),
            code="kind",
        )
    digest = hashlib.sha256(body).hexdigest()
    document = Document(title=plain(name) or digest[:12], media_type=media, size=len(body), sha256=digest)
    return document, body, ending
