"""Seal a set of records as the district consents to it, and give its bytes again: NK053.

The content of a set is text in UTF-8, one JSON object a line with its names in order: a head, the records in the order
of their codes with their shapes as hexadecimal EWKB, and the problems that hang on them (问题清单). The same set gives
the same bytes, and so does the history up to its highest numbers at the sealing.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from units.errors import NotFound
from units.models import Determination, Document, LegacyLand, Snapshot, User
from units.rights import Grant, Role

SQL = Path(__file__).parent / "sql" / "sealing"
ROWS = {one: (SQL / f"{one}.sql").read_text(encoding="utf-8") for one in Snapshot.Register.values}
PROBLEMS = (SQL / "problems.sql").read_text(encoding="utf-8")
# Who reads sealed sets: those who keep, consent to and review them, for the whole of a district. A set holds penalties
# and who uses the land, which the city government does not see (rights.RESTRICTED): it reads what was sealed, not it.
READERS = frozenset({Role.ANALYST, Role.OFFICE, Role.DISTRICT, Role.BUREAU, Role.CITY})
DOWNLOADERS = READERS - {Role.CITY}
HISTORIES = ("determination", "parcel", "building", "factsheet", "legacyland")  # that a sealed set is read from
_WHERE = "d.district_id = %(district)s AND d.code = ANY (%(codes)s)"
# What a set is read from, held still while it is sealed. With the marks this makes the same bytes again, also where an
# import began before and goes on afterwards: what it writes later has a higher number in the history.
HELD = {
    "record": (
        f"SELECT FROM units_determination d WHERE {_WHERE} ORDER BY d.id FOR SHARE",
        *(
            f"SELECT FROM units_{land} l JOIN units_determination d ON d.{land}_id = l.id WHERE {_WHERE}"
            " ORDER BY l.id FOR SHARE OF l"
            for land in ("parcel", "building")
        ),
        "SELECT FROM units_factsheet f JOIN units_determination d ON f.determination_id = d.id"
        f" WHERE {_WHERE} ORDER BY f.id FOR SHARE OF f",
    ),
    "legacy": (f"SELECT FROM units_legacyland d WHERE {_WHERE} ORDER BY d.id FOR SHARE",),
}
JSONB = 3802  # the number of the type in PostgreSQL
# Of a file in a package: always the same moment, so that the package is the same bytes whenever it is built.
STAMP = (1980, 1, 1, 0, 0, 0)


def seal(
    register: str,
    district: str,
    codes: Iterable[str],
    by: User,
    document: Document,
    replaces: Snapshot | None = None,
) -> Snapshot:
    """Seal these records of a district under the paper of its consent. To be called inside the moving transaction."""
    codes = sorted(codes)
    one_at_a_time(register, district)
    with connection.cursor() as cursor:
        for statement in HELD[register]:
            cursor.execute(statement, {"district": district, "codes": codes})
    moment, marks = _now()
    known = Snapshot.objects.filter(district=district)
    last = known.filter(register=register).order_by("-number").first()
    number = last.number + 1 if last else 1
    beside = known.filter(register="legacy").order_by("-number").first() if register == "record" else None
    head = {
        "kind": "head",
        "district": district,
        "register": register,
        "number": number,
        "sealed_at": moment,
        "marks": marks,
        "consent": {"title": document.title, "number": document.number, "dated": document.dated},
        "beside": {"number": beside.number, "sha256": beside.sha256} if beside else None,
        "replaces": replaces.number if replaces else None,
        "rows": len(codes),
    }
    content = b"".join([_line(head), *_lines(register, district, codes, marks), *_problems(register, district, codes)])
    return Snapshot.objects.create(
        district_id=district,
        register=register,
        number=number,
        at=moment,
        by=by,
        document=document,
        rows=len(codes),
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        replaces=replaces,
        beside=beside,
    )


def one_at_a_time(register: str, district: str) -> None:
    """Let nobody else seal, return or hand up records of the register there until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"snapshots of {district} {register}"])


def again(snapshot: Snapshot) -> bytes:
    """The content created anew from the history, up to the numbers it had reached when the set was sealed.

    Links between problems and land have no history: their lines are those that were sealed.
    """
    sealed = bytes(snapshot.content).splitlines(keepends=True)
    others = [line for line in sealed if json.loads(line)["kind"] == "problem"]
    marks = json.loads(sealed[0])["marks"]
    rows = _lines(snapshot.register, snapshot.district_id, codes_of(snapshot), marks)
    return b"".join([sealed[0], *rows, *others])


def changed_since(snapshot: Snapshot, codes: Iterable[str]) -> list[str]:
    """Those of these records that the register tells otherwise now than they were sealed."""
    sealed = {one["code"]: one for one in read(snapshot) if one["kind"] == snapshot.register}
    codes = sorted(codes)
    now = [json.loads(line) for line in _lines(snapshot.register, snapshot.district_id, codes, _now()[1])]
    same = {one["code"] for one in now if sealed.get(one["code"]) == one}
    return [code for code in codes if code not in same]


def read(snapshot: Snapshot) -> list[dict]:
    """The lines of a sealed set."""
    return [json.loads(line) for line in bytes(snapshot.content).splitlines()]


def codes_of(snapshot: Snapshot) -> list[str]:
    """The codes of the records in a sealed set."""
    return [one["code"] for one in read(snapshot) if one["kind"] == snapshot.register]


def package(snapshot: Snapshot) -> bytes:
    """What is handed up (NK053), as a ZIP: the set, the legacy register beside it, and their checksums.

    Built from what is sealed alone, stored without compression and with one fixed date: the same bytes each time.
    """
    parts = [snapshot, *([snapshot.beside] if snapshot.beside else [])]
    files = {f"{one.register}-{one.number}.jsonl": bytes(one.content) for one in parts}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    files["SHA256SUMS"] = sums.encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, STAMP)
            entry.create_system = 3
            archive.writestr(entry, content)
    return made.getvalue()


def visible(grants: Iterable[Grant], roles: frozenset[Role] = READERS):
    """The sealed sets that these grants see, as a queryset without their content."""
    where = Q(pk__in=[])
    for one in grants:
        if one.role in roles and one.street is None:
            where |= Q(district=one.district) if one.district else Q()
            if one.district is None:
                return Snapshot.objects.defer("content")
    return Snapshot.objects.filter(where).defer("content")


def snapshot_of(grants: Iterable[Grant], district: str, register: str, number: int) -> Snapshot:
    """One sealed set; NotFound where there is none that these grants see."""
    seen = visible(grants).select_related("district", "document", "by", "replaces", "beside")
    found = seen.filter(district=district, register=register, number=number).first()
    if found is None:
        raise NotFound(
            _("There is no sealed set %(number)s of district %(district)s, or none that you may see.")
            % {"number": number, "district": district[:20]},
            _("The sets that were consented to are listed under sealed sets."),
        )
    return found


def rest_of(snapshot: Snapshot) -> list[str]:
    """The codes of its records that wait to be handed up still."""
    model = LegacyLand if snapshot.register == "legacy" else Determination
    return list(
        model.objects.filter(sealed=snapshot, state="district_ok").order_by("code").values_list("code", flat=True)
    )


def _now() -> tuple[datetime, dict[str, int]]:
    """The moment of the running transaction, and the highest number in the history of each table that is read."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now(), " + ", ".join(f"(SELECT max(pgh_id) FROM units_{one}event)" for one in HISTORIES))
        moment, *numbers = cursor.fetchone()
    return moment, {name: number or 0 for name, number in zip(HISTORIES, numbers, strict=True)}


def _lines(register: str, district: str, codes: list[str], marks: dict[str, int]) -> list[bytes]:
    with connection.cursor() as cursor:
        cursor.execute(ROWS[register], {"district": district, "codes": codes} | marks)
        return [_line({"kind": register} | row) for row in _rows(cursor)]


def _problems(register: str, district: str, codes: list[str]) -> list[bytes]:
    with connection.cursor() as cursor:
        cursor.execute(PROBLEMS, {"register": register, "district": district, "codes": codes})
        return [_line({"kind": "problem"} | row) for row in _rows(cursor)]


def _rows(cursor) -> Iterator[dict]:
    """The rows by their names; the connection hands JSON over as text."""
    told = [(column.name, column.type_code == JSONB) for column in cursor.description]
    for row in cursor.fetchall():
        yield {
            name: json.loads(value) if is_json and isinstance(value, str) else value
            for (name, is_json), value in zip(told, row, strict=True)
        }


def _line(value: dict) -> bytes:
    told = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_told)
    return told.encode() + b"\n"


def _told(value) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value)} does not stand in a sealed set")
