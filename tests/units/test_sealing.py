"""Sets that the district consents to are sealed byte for byte, go up whole, and come back with comments per record."""

import hashlib
import io
import json
import threading
import zipfile
from contextlib import suppress

import pytest
from django.db import DatabaseError, connection, connections, transaction

from tests import records
from tests.records import PAPER, person, said
from units import sealing
from units.errors import Refused
from units.models import Determination, Move, Parcel, Problem, Snapshot
from units.moving import move, move_all
from units.rights import Role

pytestmark = pytest.mark.rows("NK053")


@pytest.fixture
def three(db):
    """Three records that are mapped, in the order of their codes."""
    made = [records.record_of(parcel) for parcel in records.build(3)]
    for one in made:
        records.put(one, "mapped")
    return made


@pytest.fixture
def codes(three):
    return [one.code for one in three]


def consented(codes) -> Snapshot:
    told = move_all(codes, "district_ok", person(Role.DISTRICT), document=PAPER)
    assert told["refused"] == []
    return Snapshot.objects.order_by("-pk").first()


def test_what_is_consented_to_at_once_is_one_set_with_the_checksum_of_its_bytes(codes):
    made = consented(codes)
    content = bytes(made.content)
    assert made.sha256 == hashlib.sha256(content).hexdigest()
    head, *lines = [json.loads(line) for line in content.splitlines()]
    assert (head["district"], head["number"], head["rows"], head["consent"]["number"]) == (
        "120104",
        1,
        3,
        PAPER["number"],
    )
    assert [one["code"] for one in lines] == codes
    assert lines[0]["land_code"] == "120104001001GB00000"
    assert bytes.fromhex(lines[0]["geometry"]) == bytes(Parcel.objects.get(code=lines[0]["land_code"]).geom.ewkb)
    assert set(Move.objects.values_list("details__snapshot", "details__sha256")) == {(1, made.sha256)}
    assert set(Determination.objects.values_list("sealed", flat=True)) == {made.pk}


def test_created_anew_from_the_history_the_set_is_byte_identical(codes):
    made = consented(codes)
    assert sealing.again(made) == bytes(made.content)
    assert sealing.package(made) == sealing.package(Snapshot.objects.get(pk=made.pk))


def test_the_package_holds_the_set_the_legacy_register_beside_it_and_their_checksums(codes):
    records.legacy_in("confirmed")
    told = move_all(["L1"], "district_ok", person(Role.DISTRICT), register="legacy", document=PAPER)
    assert told["moved"] == ["L1"]
    made = consented(codes)
    with zipfile.ZipFile(io.BytesIO(sealing.package(made))) as archive:
        assert archive.namelist() == ["SHA256SUMS", "legacy-1.jsonl", "record-1.jsonl"]
        sums = dict(reversed(line.split()) for line in archive.read("SHA256SUMS").decode().splitlines())
        for name in ("legacy-1.jsonl", "record-1.jsonl"):
            assert hashlib.sha256(archive.read(name)).hexdigest() == sums[name]
    assert made.beside == Snapshot.objects.get(register="legacy")


def test_a_problem_that_hangs_on_the_land_goes_up_with_it(three, codes):
    problem = Problem.objects.create(
        district_id="120104",
        number="P1",
        kind="ownership",
        description="权属不清",
        raised_by=person(Role.OFFICE),
        raised_on="2024-03-01",
    )
    problem.parcels.add(three[0].parcel)
    lines = sealing.read(consented(codes))
    assert [(one["number"], one["description"]) for one in lines if one["kind"] == "problem"] == [("P1", "权属不清")]


def test_what_a_firm_pays_is_in_no_sealed_set(three, codes):
    """A set is read by roles that may not read tax, energy and grades: of the form there is a digest alone."""
    line = sealing.read(consented(codes))[1]
    assert len(line["form_digest"]) == 64
    assert not {"economy", "evidence", "tax_cny"} & set(line)


def test_a_set_goes_up_whole(codes):
    consented(codes)
    office = person(Role.OFFICE)
    told = move_all(codes[:2], "submitted", office)
    assert (told["moved"], {one["error"] for one in told["refused"]}) == ([], {"package"})
    assert codes[2] in told["refused"][0]["message"]
    assert move_all(codes, "submitted", office)["moved"] == codes


def test_what_has_changed_since_it_was_sealed_does_not_go_up(own_database):
    """In transactions of its own: the history tells one moment from the next by them."""
    parcels = records.build(2)
    made = [records.record_of(parcel) for parcel in parcels]
    for one in made:
        records.put(one, "mapped")
    codes = [one.code for one in made]
    sealed = consented(codes)
    Parcel.objects.filter(pk=parcels[1].pk).update(geom=records.square(7))
    told = move_all(codes, "submitted", person(Role.OFFICE))
    assert [(one["code"], one["error"]) for one in told["refused"]] == [(codes[1], "sealed")]
    assert sealing.again(sealed) == bytes(sealed.content)  # the past is what it was
    # The district returns it: the rest of the set is sealed anew, and goes up.
    move(codes[1], "determined", person(Role.DISTRICT), comment="图形已变更，请重新上图")
    rest = Snapshot.objects.get(number=2)
    assert (rest.replaces, sealing.codes_of(rest)) == (sealed, [codes[0]])
    assert move_all([codes[0]], "submitted", person(Role.OFFICE))["moved"] == [codes[0]]
    assert Move.objects.filter(subject=codes[0]).latest("pk").details["snapshot"] == 2
    assert Determination.objects.get(code=codes[1]).sealed is None


def test_an_import_that_began_before_the_sealing_and_writes_after_it_changes_no_byte_of_what_was_sealed(owner):
    record = records.record_of(records.build()[0])
    records.put(record, "mapped")
    # The history dates what a transaction writes by its beginning.
    owner.autocommit = False
    owner.execute("SELECT now()")
    sealed = consented([record.code])
    owner.execute("UPDATE units_parcel SET right_holder = 'x'")
    owner.commit()
    assert sealing.again(sealed) == bytes(sealed.content)
    assert sealing.changed_since(sealed, [record.code]) == [record.code]


def test_two_returns_from_one_set_at_once_both_succeed_and_the_rest_is_sealed_after_them(own_database, monkeypatch):
    made = [records.record_of(parcel) for parcel in records.build(3)]
    for one in made:
        records.put(one, "mapped")
    codes = [one.code for one in made]
    consented(codes)
    by, together, heard, seal = person(Role.DISTRICT), threading.Barrier(2), [], sealing.seal

    def sealed_by_both_at_once(*args, **more):
        with suppress(threading.BrokenBarrierError):  # one of them waits elsewhere, as it should
            together.wait(timeout=1)
        return seal(*args, **more)

    monkeypatch.setattr(sealing, "seal", sealed_by_both_at_once)

    def back(code):
        try:
            move(code, "determined", by, comment="请补充")
            heard.append(code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=back, args=(code,)) for code in codes[:2]]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(heard) == codes[:2]
    last = Snapshot.objects.get(number=3)
    assert (last.replaces.number, sealing.codes_of(last)) == (2, codes[2:])
    assert Determination.objects.get(code=codes[2]).sealed == last


@pytest.mark.rows("NK024")
def test_of_two_who_map_the_same_ground_at_once_the_second_is_refused(own_database):
    first, second = [records.record_of(parcel) for parcel in records.build(2)]
    for one in (first, second):
        records.put(one, "determined", "mapped")
    Parcel.objects.filter(pk=second.parcel_id).update(geom=first.parcel.geom)
    by, heard = person(Role.ANALYST), []

    def other():
        try:
            move(second.code, "mapped", by)
            heard.append("moved")
        except Refused as error:
            heard.append(error.code)
        finally:
            connections.close_all()

    with transaction.atomic():
        move(first.code, "mapped", by)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(timeout=2)  # it waits for what is not yet committed
        assert heard == []
    thread.join()
    assert heard == ["apart"]


def test_the_bureau_returns_with_a_comment_for_each_record_and_accepts_the_others(codes):
    made = consented(codes)
    move_all(codes, "submitted", person(Role.OFFICE))
    bureau = person(Role.BUREAU, district=None)
    wanting = move_all(codes[:2], "determined", bureau, comments={codes[0]: "界线与权属图不符"})
    assert [(one["code"], one["error"]) for one in wanting["refused"]] == [(codes[1], "comment")]
    told = move_all(codes[:2], "determined", bureau, comments={codes[0]: "界线与权属图不符", codes[1]: "缺少依据"})
    assert told["moved"] == codes[:2]
    comments = dict(Move.objects.filter(to_state="determined").values_list("subject", "comment"))
    assert comments == {codes[0]: "界线与权属图不符", codes[1]: "缺少依据"}
    move(codes[2], "in_force", bureau, document=PAPER)
    accepted = Determination.objects.get(code=codes[2])
    assert (accepted.listed_in, accepted.state) == (made, "in_force")
    # What was returned is looked at again: mapped as it is, or opened from the form on.
    assert move(codes[0], "filling", person(Role.OFFICE), comment="按市局意见修改").to_state == "filling"


def test_a_sealed_set_is_neither_changed_nor_deleted_and_its_checksum_is_true(codes):
    made = consented(codes)
    for statement in ("UPDATE units_snapshot SET rows = 0", "DELETE FROM units_snapshot", "TRUNCATE units_snapshot"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with pytest.raises(DatabaseError, match="snapshot_checksum"), transaction.atomic():
        Snapshot.objects.create(
            district_id="120104",
            register="record",
            number=9,
            at=made.at,
            by=made.by,
            document=made.document,
            rows=0,
            content=b"x",
            sha256="0" * 64,
        )


@pytest.mark.rows("NK024")
def test_land_that_another_record_of_the_set_holds_is_not_mapped_again(three):
    records.put(three[1], "determined", "mapped")
    Parcel.objects.filter(pk=three[1].parcel_id).update(geom=three[0].parcel.geom)
    with pytest.raises(Refused) as refused:
        move(three[1].code, "mapped", person(Role.ANALYST))
    assert (refused.value.code, three[0].code in refused.value.message) == ("apart", True)


def test_only_low_efficiency_land_with_all_its_attributes_is_mapped(three):
    one, analyst = three[0], person(Role.ANALYST)

    def gate() -> str:
        with pytest.raises(Refused) as refused:
            move(one.code, "mapped", analyst)
        return refused.value.code

    records.put(one, "determined", "mapped")
    Determination.objects.filter(pk=one.pk).update(reason_codes=[])
    assert gate() == "attributes"
    records.put(one, "determined")  # undecided
    assert gate() == "low"
    records.put(one, "determined", "mapped")
    one.parcel.survey.state = "retired"
    one.parcel.survey.save()
    assert gate() == "base"


@pytest.mark.rows("NK054")
def test_an_update_goes_from_the_check_on_again_and_the_version_in_force_stays_listed(three, codes):
    office, analyst, district = person(Role.OFFICE), person(Role.ANALYST), person(Role.DISTRICT)
    bureau = person(Role.BUREAU, district=None)
    first = consented(codes[:1])
    move(codes[0], "submitted", office)
    move(codes[0], "in_force", bureau, document=PAPER)
    Determination.objects.filter(code=codes[0]).update(listed_since="2019-06-01")
    for wanting in ({"reason": "新增建筑"}, {"change": "add"}):
        with pytest.raises(Refused):
            move(codes[0], "updating", office, **wanting)
    made = move(codes[0], "updating", office, change="add", reason="新增建筑")
    assert made.details["change"] == "add"
    now = Determination.objects.get(code=codes[0])
    assert (now.listed_in, f"{now.listed_since}", now.change) == (first, "2019-06-01", "add")
    move(codes[0], "checked", analyst)
    move(codes[0], "determined", office, **said("determined"))
    move(codes[0], "mapped", analyst)
    move(codes[0], "district_ok", district, document=PAPER)
    move(codes[0], "submitted", office)
    assert Determination.objects.get(code=codes[0]).listed_in == first  # until the bureau accepts the new version
    move(codes[0], "in_force", bureau, document=PAPER)
    now = Determination.objects.get(code=codes[0])
    assert (now.listed_in.number, f"{now.listed_since}", now.change) == (2, "2019-06-01", "")
