"""Keep what an operation changed of units, so that it can be told and taken back."""

import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal

from django.contrib.gis.geos import GEOSGeometry
from django.db import connection

from units.models import District, RedevelopmentUnit, Reshaping, UnitParcel, User


def one_at_a_time(district: str) -> None:
    """Let nobody else change shapes of units in the district until this transaction ends.

    So two who save at once get two numbers, and each sees the vertices that the other put into a common edge.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"units of {district}"])


def content(unit: RedevelopmentUnit, *, noded: bool = False) -> dict:
    """What an undoing must bring back of a unit, as an entry of `Reshaping.before` and `after`."""
    members = sorted((one, str(share)) for one, share in unit.members.values_list("parcel_id", "share"))
    shape = hashlib.sha256(bytes(unit.geom.wkb)).hexdigest()
    told = {
        "code": unit.code,
        "edition": unit.edition,
        "version": unit.version,
        "name": unit.name,
        "state": unit.state,
        "street": unit.street_id,
        "base_survey_year": unit.base_survey_year,
        "members": [list(one) for one in members],
        "shape": shape,
        "noded": noded,
    }
    return told | {"digest": digest(told)}


def digest(entry: dict) -> str:
    """The digest of what must be the same again: all but the numbers of versions and what was looked at."""
    kept = [entry[name] for name in ("code", "edition", "name", "state", "street", "members", "shape")]
    return hashlib.sha256(json.dumps(kept, ensure_ascii=False).encode()).hexdigest()


def keep(
    kind: str, district: str, by: User, before: Iterable[dict], after: Iterable[dict], undoes: Reshaping | None = None
) -> Reshaping:
    """Write the operation down."""
    return Reshaping.objects.create(
        kind=kind, district_id=district, by=by, before=list(before), after=list(after), undoes=undoes
    )


def shape_of(entry: dict, district: District) -> GEOSGeometry:
    """The shape that an entry speaks of, out of the history that the database keeps."""
    events = RedevelopmentUnit.pgh_event_model.objects.filter(
        district=district, code=entry["code"], edition=entry["edition"], version=entry["version"]
    )
    for event in events.order_by("-pgh_id"):
        if hashlib.sha256(bytes(event.geom.wkb)).hexdigest() == entry["shape"]:
            return event.geom
    raise LookupError(f"The history has no shape of {entry['code']} in version {entry['version']}.")


def put_members(unit: RedevelopmentUnit, held: dict[int, Decimal]) -> None:
    """Make these parcels (rows) and shares the members; what is so already is not written again."""
    known = {member.parcel_id: member for member in unit.members.all()}
    if gone := known.keys() - held.keys():
        unit.members.filter(parcel__in=gone).delete()
    if fresh := held.keys() - known.keys():
        UnitParcel.objects.bulk_create(
            UnitParcel(unit=unit, parcel_id=parcel, share=held[parcel]) for parcel in held if parcel in fresh
        )
    moved = []
    for parcel, share in held.items():
        if parcel in known and known[parcel].share != share:
            known[parcel].share = share
            moved.append(known[parcel])
    UnitParcel.objects.bulk_update(moved, ["share"])
