"""The legacy register freezes on the municipal bureau's acceptance, for everybody and every way of writing."""

import psycopg
import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import IntegrityError, connection

from units.models import Disposal, District, Freeze, LegacyLand, LegacyNote, Move, User

pytestmark = pytest.mark.rows("NK055", "NK054")

COLUMNS = "district_id, code, address, state, route, ownership, user_name, penalty_number, worksheet, extra, geom"


def square(west: float, south: float, side: float = 0.001) -> MultiPolygon:
    return MultiPolygon(Polygon.from_bbox((west, south, west + side, south + side)), srid=4490)


def row(district: str, code: str, state: str = "draft") -> tuple:
    return (district, code, "", state, "", "", "", "", "{}", "{}", square(117.2, 39.1).ewkt)


@pytest.fixture
def registers(own_database):
    """Two districts with two legacy polygons each; the first one's register is accepted."""
    bureau = User.objects.create_user("bureau")
    for code in ("120104", "120103"):
        district = District.objects.create(code=code, name=code, srid=4548)
        for number in (1, 2):
            LegacyLand.objects.create(
                district=district, code=f"{code}-{number}", state="accepted", geom=square(117.1 + number / 100, 39.1)
            )
    Move.objects.create(
        register="legacy_register",
        subject="120104",
        district_id="120104",
        from_state="submitted",
        to_state="accepted",
        by=bureau,
        role="R7",
    )
    return bureau


def writes(placeholder_district: str) -> dict[str, tuple[str, list]]:
    values = ", ".join(["%s"] * len(row(placeholder_district, "x")))
    return {
        "INSERT": (
            f"INSERT INTO units_legacyland ({COLUMNS}, small_property_housing) VALUES ({values}, NULL)",
            list(row(placeholder_district, f"{placeholder_district}-9")),
        ),
        "UPDATE": ("UPDATE units_legacyland SET address = 'x' WHERE district_id = %s", [placeholder_district]),
        "DELETE": ("DELETE FROM units_legacyland WHERE district_id = %s", [placeholder_district]),
        "MOVE OUT": (
            "UPDATE units_legacyland SET district_id = '120103', code = 'moved'"
            " WHERE district_id = %s AND code LIKE '%%1'",
            [placeholder_district],
        ),
    }


def write(raw, what: str):
    """One attempt to write into the frozen register of district 120104."""
    if what == "COPY":
        with raw.cursor() as cursor, cursor.copy(f"COPY units_legacyland ({COLUMNS}) FROM STDIN") as copy:
            copy.write_row(row("120104", "120104-copied"))
    elif what == "TRUNCATE":
        raw.execute("TRUNCATE units_legacyland CASCADE")
    else:
        raw.execute(*writes("120104")[what])


@pytest.fixture
def connections_by_role(owner, superuser):
    """Each way in: the role of the site, the owner of the tables, the superuser with triggers switched off."""
    connection.ensure_connection()
    replica = superuser
    replica.execute("SET session_replication_role = replica")
    app = connection.connection
    return {"app": app, "owner": owner, "superuser as replica": replica}


@pytest.mark.parametrize("who", ["app", "owner", "superuser as replica"])
@pytest.mark.parametrize("what", ["INSERT", "UPDATE", "DELETE", "MOVE OUT", "COPY", "TRUNCATE"])
def test_after_the_acceptance_every_write_is_refused_with_a_sentence(registers, connections_by_role, who, what):
    raw = connections_by_role[who]
    before = list(LegacyLand.objects.order_by("code").values_list("code", "address"))

    with pytest.raises(psycopg.Error) as refusal:
        write(raw, what)

    if what == "TRUNCATE" and who == "app":
        assert "permission denied" in str(refusal.value)  # the role of the site may empty no table at all
    else:
        assert "frozen" in str(refusal.value)
        assert "is refused" in str(refusal.value)
    assert list(LegacyLand.objects.order_by("code").values_list("code", "address")) == before


def test_the_orm_is_refused_too_and_another_district_is_not(registers):
    frozen = LegacyLand.objects.get(code="120104-1")
    with pytest.raises(IntegrityError, match="frozen"):
        frozen.save()
    with pytest.raises(IntegrityError, match="frozen"):
        LegacyLand.objects.create(district_id="120104", code="late", geom=square(117.3, 39.1))

    open_still = LegacyLand.objects.get(code="120103-1")
    open_still.address = "改"
    open_still.save()
    LegacyLand.objects.create(district_id="120103", code="in time", geom=square(117.3, 39.1))
    assert LegacyLand.objects.filter(district_id="120103").count() == 3


def test_a_row_cannot_be_moved_into_a_frozen_register(registers):
    with pytest.raises(IntegrityError, match="frozen"):
        LegacyLand.objects.filter(code="120103-1").update(district_id="120104")


def test_disposals_and_notes_go_on_beside_the_frozen_register(registers):
    frozen = LegacyLand.objects.get(code="120104-1")
    Disposal.objects.create(legacy=frozen, stage="opened", on="2024-05-01", by=registers)
    LegacyNote.objects.create(legacy=frozen, text="界线有误", by=registers)
    assert frozen.disposals.count() == frozen.notes.count() == 1


def test_the_freeze_keeps_the_digest_of_what_was_accepted(registers, superuser):
    freeze = Freeze.objects.get(district_id="120104")
    assert freeze.rows == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT geoinv_legacy_digest('120104'), geoinv_legacy_digest('120103')")
        kept, other = cursor.fetchone()
    assert kept == freeze.digest != other

    # Only someone who takes the trigger away can change the register; then the digest tells.
    superuser.execute("ALTER TABLE units_legacyland DISABLE TRIGGER legacy_frozen")
    superuser.execute("UPDATE units_legacyland SET address = 'x' WHERE code = '120104-1'")
    assert superuser.execute("SELECT geoinv_legacy_digest('120104')").fetchone()[0] != freeze.digest


@pytest.mark.parametrize("who", ["app", "owner", "superuser as replica"])
@pytest.mark.parametrize(
    "statement", ["UPDATE units_freeze SET rows = 0", "DELETE FROM units_freeze", "TRUNCATE units_freeze CASCADE"]
)
def test_the_freeze_itself_cannot_be_taken_back(registers, connections_by_role, who, statement):
    with pytest.raises(psycopg.Error):
        connections_by_role[who].execute(statement)
    assert Freeze.objects.count() == 1


@pytest.mark.parametrize("who", ["app", "owner", "superuser as replica"])
@pytest.mark.parametrize(
    "statement", ["UPDATE units_move SET comment = 'x'", "DELETE FROM units_move", "TRUNCATE units_move CASCADE"]
)
def test_a_move_is_kept_for_ever(registers, connections_by_role, who, statement):
    with pytest.raises(psycopg.Error) as refusal:
        connections_by_role[who].execute(statement)
    assert "permission denied" in str(refusal.value) if who == "app" else "is refused" in str(refusal.value)
    assert Move.objects.get().comment == ""


def test_a_register_is_accepted_once(registers):
    with pytest.raises(IntegrityError, match="accepted before"):
        Move.objects.create(
            register="legacy_register",
            subject="120104",
            district_id="120104",
            from_state="submitted",
            to_state="accepted",
            by=registers,
            role="R7",
        )


def test_a_row_written_while_the_bureau_accepts_is_either_in_the_digest_or_refused(own_database, databases):
    """The writer holds its district; the acceptance waits for it, and what it wrote is in what was accepted."""
    bureau = User.objects.create_user("bureau")
    District.objects.create(code="120104", name="南开区", srid=4548)
    url = connection.settings_dict | {}
    with (
        psycopg.connect(dbname=url["NAME"], user=url["USER"], host=url["HOST"]) as writer,
        psycopg.connect(dbname=url["NAME"], user=url["USER"], host=url["HOST"]) as acceptor,
    ):
        writer.execute(*writes("120104")["INSERT"])
        acceptor.execute("SET lock_timeout = '300ms'")
        accept = (
            "INSERT INTO units_move"
            " (register, subject, district_id, from_state, to_state, by_id, role, at, comment, details)"
            " VALUES ('legacy_register', '120104', '120104', 'submitted', 'accepted', %s, 'R7', now(), '', '{}')"
        )
        with pytest.raises(psycopg.errors.LockNotAvailable):
            acceptor.execute(accept, [bureau.pk])
        acceptor.rollback()
        writer.commit()
        acceptor.execute(accept, [bureau.pk])
        acceptor.commit()
    assert Freeze.objects.get().rows == 1


@pytest.mark.parametrize(
    "wrong", [{"role": "R5"}, {"from_state": "draft"}, {"subject": "999999"}], ids=["role", "state", "subject"]
)
def test_only_the_bureau_accepts_and_only_what_was_submitted(own_database, wrong):
    user = User.objects.create_user("bureau")
    District.objects.create(code="120104", name="南开区", srid=4548)
    facts = {"subject": "120104", "from_state": "submitted", "role": "R7"} | wrong
    with pytest.raises(IntegrityError, match="Only the municipal bureau"):
        Move.objects.create(register="legacy_register", district_id="120104", to_state="accepted", by=user, **facts)
    assert not Freeze.objects.exists()
