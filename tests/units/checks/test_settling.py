"""What a run says of what was known: new, still open, resolved, waived; by whom a waiver is given and when it wakes."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone, translation

from tests.town import scoped_user
from tests.units.checks.drawn import Ground, box, open_findings, placed
from units.checks.identity import fingerprint, row_identity, same_shape
from units.checks.registry import CHECKS
from units.checks.validating import LOOK, validate
from units.checks.waiving import lift, may_waive, waive
from units.errors import NotAllowed, Refused, UsageError
from units.models import (
    CheckRun,
    Finding,
    LandUsePatch,
    LegacyLand,
    Move,
    Parcel,
    Street,
    Survey,
    UnitParcel,
    User,
    Waiver,
)
from units.rights import Role

DISTRICT = "120104"
COUNTED = ("new", "open", "resolved", "waived", "errors")


def counts(*codes, **how):
    result = validate(DISTRICT, codes, **how)
    return tuple(result[name] for name in COUNTED)


@pytest.fixture
def pair(bare_ground):
    """Two parcels that overlap by 2 m, and one far away."""
    bare_ground.parcel(box(500, 500, 600, 600))
    return bare_ground.parcel(box(0, 0, 100, 100)), bare_ground.parcel(box(98, 0, 200, 100))


@pytest.fixture
def office(bare_ground):
    return scoped_user(Role.OFFICE, DISTRICT)


def moved(code, shape):
    Parcel.objects.filter(code=code).update(geom=placed(shape))


def test_a_fault_is_new_then_still_open_then_resolved_and_new_again_when_it_comes_back(pair):
    assert counts() == (1, 0, 0, 0, 1)
    assert counts() == (0, 1, 0, 0, 1)
    moved(pair[1], box(100, 0, 200, 100))
    assert counts() == (0, 0, 1, 0, 0)
    assert Finding.objects.get().resolved_at is not None
    assert counts() == (0, 0, 0, 0, 0)
    moved(pair[1], box(98, 0, 200, 100))
    assert counts() == (1, 0, 0, 0, 1)
    found = Finding.objects.get()
    assert (found.state, found.resolved_at) == ("new", None)
    assert CheckRun.objects.count() == 5
    assert CheckRun.objects.first().counts["new"] == 1


def test_an_edit_beside_the_fault_does_not_make_it_another(pair):
    validate(DISTRICT)
    before = Finding.objects.get().identity
    moved(pair[0], box(0, 0, 100, 100).union(box(-50, 20, 0, 40)))
    Parcel.objects.filter(code=pair[1]).update(address="elsewhere")
    assert counts() == (0, 1, 0, 0, 1)
    assert Finding.objects.get().identity == before


@pytest.mark.parametrize("noise", [1e-9, 1e-7, 0.004, 0.006])
def test_noise_of_the_coordinates_does_not_make_it_another(pair, noise):
    validate(DISTRICT)
    before = Finding.objects.get().identity
    moved(pair[1], box(98 + noise, 0, 200, 100))
    assert counts() == (0, 1, 0, 0, 1)
    assert Finding.objects.get().identity == before


def test_the_digest_of_a_shape_knows_neither_the_begin_nor_the_way_of_its_rings():
    ring = list(box(0, 0, 10, 10).exterior.coords)
    one, other = box(0, 0, 10, 10), type(box(0, 0, 1, 1))(ring[2:-1] + ring[:3])
    assert fingerprint(one) == fingerprint(other) == fingerprint(other.reverse())
    assert fingerprint(one) != fingerprint(box(0, 0, 10, 10.02))
    assert same_shape(one, box(0.006, 0, 10, 10))
    assert not same_shape(one, box(0.02, 0, 10, 10))


def test_one_check_resolves_nothing_of_another(pair, bare_ground):
    bare_ground.patch(box(0, 0, 100, 100), dlmc="盐田")
    assert counts() == (2, 0, 0, 0, 1)
    moved(pair[1], box(100, 0, 200, 100))
    assert counts("3-name-differs") == (0, 1, 0, 0, 0)
    assert {one[0] for one in open_findings()} == {"4-overlap", "3-name-differs"}
    assert counts("4-overlap", layers=["patches"]) == (0, 0, 0, 0, 0)
    assert counts("4-overlap", layers=["parcels"]) == (0, 0, 1, 0, 0)


def test_changed_asks_again_only_what_changed_and_finds_the_same(pair, bare_ground):
    bare_ground.building(box(0, 0, 10, 10))
    validate(DISTRICT)
    nothing = validate(DISTRICT, changed=True)
    assert tuple(nothing[name] for name in COUNTED) == (0, 1, 0, 0, 1)
    assert nothing["checked"] == 0
    assert set(nothing["carried"]) > {"4-overlap parcels", "4-overlap buildings"}
    bare_ground.building(box(5, 0, 15, 10))
    moved(pair[1], box(97, 0, 200, 100))
    some = validate(DISTRICT, changed=True)
    assert tuple(some[name] for name in COUNTED) == (2, 0, 1, 0, 1)
    assert "4-overlap legacy" in some["carried"]
    assert not {"4-overlap parcels", "4-overlap buildings"} & set(some["carried"])
    seen = set(Finding.objects.unresolved().values_list("identity", flat=True))
    assert counts() == (0, 2, 0, 0, 1)
    assert set(Finding.objects.unresolved().values_list("identity", flat=True)) == seen


def test_a_waiver_keeps_a_finding_from_counting_until_its_day_is_over(pair, office):
    validate(DISTRICT)
    finding = Finding.objects.get()
    today = timezone.localdate()
    waive(finding, office, office.grants(), "under dispute, see file 7", today)
    assert counts() == (0, 0, 0, 1, 0)
    Waiver.objects.update(until=today - timedelta(days=1))
    assert counts() == (0, 1, 0, 0, 1)


def test_a_waiver_survives_other_edits_and_wakes_when_the_shape_changes(pair, office):
    validate(DISTRICT)
    waive(Finding.objects.get(), office, office.grants(), "agreed", timezone.localdate() + timedelta(days=30))
    moved(pair[0], box(0, 0, 100, 100).union(box(-50, 20, 0, 40)))
    assert counts() == (0, 0, 0, 1, 0)
    moved(pair[1], box(97.5, 0, 200, 100))
    assert counts() == (1, 0, 1, 0, 1)
    moved(pair[1], box(98, 0, 200, 100))
    assert counts() == (0, 0, 1, 1, 0)


@pytest.mark.parametrize(("side", "limit"), [(20, 20.0), (100, 200.0)])  # 20 m², or 2 % of 10,000 m²
def test_an_area_is_an_error_above_twenty_square_metres_and_two_in_a_hundred(bare_ground, side, limit):
    code = bare_ground.parcel(box(0, 0, side, side))
    measured = Parcel.objects.get(code=code).area_m2
    limit = max(limit, 0.02 * measured)
    told = []
    for apart in (limit - 0.1, limit + 0.1):
        for sign in (-1, 1):
            Parcel.objects.update(documented_m2=round(measured + sign * apart, 2))
            validate(DISTRICT, ["3-area-differs"])
            told.append(Finding.objects.get().severity)
    assert told == ["warning", "warning", "error", "error"]


def test_a_waiver_of_a_wrong_area_wakes_when_the_shape_changes(bare_ground, office):
    code = bare_ground.parcel(box(0, 0, 100, 100), documented_m2=5)
    assert counts("3-area-differs") == (1, 0, 0, 0, 1)
    waive(Finding.objects.get(), office, office.grants(), "agreed", timezone.localdate())
    Parcel.objects.update(address="elsewhere")
    assert counts("3-area-differs") == (0, 0, 0, 1, 0)
    moved(code, box(0, 0, 100, 90))
    assert counts("3-area-differs") == (0, 1, 0, 0, 1)


def test_lifting_a_waiver_lets_the_finding_count_again_and_history_keeps_both(pair, office):
    validate(DISTRICT)
    finding = Finding.objects.get()
    waive(finding, office, office.grants(), "agreed", timezone.localdate())
    waive(finding, office, office.grants(), "agreed for longer", timezone.localdate() + timedelta(days=9))
    assert Waiver.objects.holding(timezone.localdate()).count() == 1
    assert lift(finding, office, office.grants()) == 1
    assert counts() == (0, 1, 0, 0, 1)
    assert Waiver.objects.count() == 2


def test_who_waives_is_the_office_of_the_district_with_a_reason_and_an_end_within_a_year(pair, office):
    validate(DISTRICT)
    finding, today = Finding.objects.get(), timezone.localdate()
    for role in Role:
        user = scoped_user(role, DISTRICT)
        assert may_waive(user.grants(), finding) == (role is Role.OFFICE)
    Street.objects.create(code="120104002", district=finding.district, name="二街")
    other = scoped_user(Role.OFFICE, None, "120104002")
    for user in (scoped_user(Role.ANALYST, DISTRICT), other):
        with pytest.raises(NotAllowed):
            waive(finding, user, user.grants(), "because", today)
        with pytest.raises(NotAllowed):
            lift(finding, user, user.grants())
    for reason, until in (("  ", today), ("x", today - timedelta(days=1)), ("x", today + timedelta(days=367))):
        with pytest.raises(UsageError):
            waive(finding, office, office.grants(), reason, until)
    moved(pair[1], box(100, 0, 200, 100))
    validate(DISTRICT)
    with pytest.raises(Refused):
        waive(finding, office, office.grants(), "because", today)


def told_by_import(ground, code, field, subject, **values):
    return Finding.objects.create(
        district=ground.district,
        survey=ground.survey,
        delivery=ground.delivery,
        identity=row_identity(ground.survey.pk, "dltb", code, field, subject, None),
        code=code,
        layer="patches",
        severity="warning",
        subjects=[subject],
        row_number=7,
        sentence="…",
        fix="…",
        details={"field": "地类名称", "name": field},
        **values,
    )


def test_what_an_import_told_is_taken_over_and_not_told_twice(bare_ground, office):
    code = bare_ground.patch(box(0, 0, 100, 100), dlmc="盐田")
    told_by_import(bare_ground, "3-name-differs", "DLMC", code)
    waive(Finding.objects.get(), office, office.grants(), "agreed", timezone.localdate())
    assert counts() == (0, 0, 0, 1, 0)
    found = Finding.objects.get()
    assert (found.delivery_id, found.row_number, found.state) == (bare_ground.delivery.pk, 7, "open")
    assert found.run_id == CheckRun.objects.get().pk


def test_what_an_import_told_of_a_stored_row_is_resolved_when_it_is_well_and_of_a_refused_row_stays(bare_ground):
    code = bare_ground.patch(box(0, 0, 100, 100))
    told_by_import(bare_ground, "3-name-differs", "DLMC", code)
    refused = told_by_import(bare_ground, "3-name-differs", "DLMC", "120104210999999999")
    other = told_by_import(bare_ground, "3-constant", "YSDM", code)
    assert counts() == (0, 0, 1, 0, 0)
    assert set(Finding.objects.unresolved()) == {refused, other}


def test_findings_are_read_in_the_language_of_the_reader(pair):
    with translation.override("en"):
        validate(DISTRICT)
    found = Finding.objects.get()
    with translation.override("en"):
        assert "overlap by 2" in found.in_words()[0]
    with translation.override("zh-hans"):
        assert found.in_words() == (found.sentence, found.fix)


def test_every_check_is_asked_by_somebody_and_says_what_it_fills():
    assert set(LOOK) == set(CHECKS)
    for check in CHECKS.values():
        assert check.title
        assert check.fix
        assert check.clause
        assert check.example
        assert set(check.mild) <= {"buildings", "control-areas"}


@pytest.mark.rows("NK016")
def test_stored_codes_names_and_numbers_are_checked_as_imports_check_them(bare_ground):
    names = bare_ground.patch(box(0, 0, 100, 100), dlmc="盐田", tbbh="7", qsxz="99", tbmj=9_900)
    twin = bare_ground.patch(box(100, 0, 200, 100), tbbh="7", dlbm="9901")
    bare_ground.patch(box(200, 0, 300, 100), tbbh="7", zldwdm="1201040010020000000")
    bare_ground.patch(box(300, 0, 400, 100), tbbh="", qsxz="10")
    bare_ground.patch(box(400, 0, 500, 100), tbbh="")
    parcel = bare_ground.parcel(box(0, 0, 100, 100), right_type="77", right_nature="102")
    land = bare_ground.legacy(box(0, 600, 100, 700), ownership="77")
    area = bare_ground.control(box(0, 600, 100, 700), use="9999", use_scheme="ydyh2023")
    validate(DISTRICT)
    assert open_findings() == {
        ("3-name-differs", "patches", (names,)),
        ("3-code-unknown", "patches", (names,)),
        ("3-area-differs", "patches", (names,)),
        ("3-number-duplicate", "patches", (names, twin)),
        ("3-code-unknown", "patches", (twin,)),
        ("3-code-unknown", "parcels", (parcel,)),
        ("3-code-unknown", "legacy", (land,)),
        ("3-code-unknown", "control-areas", (area,)),
    }
    assert set(Finding.objects.filter(severity="error").values_list("subjects", flat=True).distinct()[0]) == {twin}


@pytest.mark.rows("G-21")
def test_legacy_land_over_a_parcel_is_told_with_both_codes_and_the_piece(bare_ground):
    parcel = bare_ground.parcel(box(0, 0, 100, 100))
    land = bare_ground.legacy(box(90, 0, 190, 100))
    bare_ground.legacy(box(100, 200, 200, 300))
    validate(DISTRICT)
    found = Finding.objects.get()
    assert (found.code, found.layer, set(found.subjects)) == ("5-legacy-parcel", "legacy", {parcel, land})
    assert found.measure == pytest.approx(1000, rel=1e-3)


@pytest.mark.rows("G-14")
def test_members_of_a_unit_that_are_not_what_its_shape_says_are_told(bare_ground):
    whole, half, out, gone = (
        bare_ground.parcel(box(0, 0, 100, 100)),
        bare_ground.parcel(box(100, 0, 200, 100)),
        bare_ground.parcel(box(0, 100, 100, 200)),
        bare_ground.parcel(box(500, 500, 600, 600)),
    )
    unit = bare_ground.unit(box(0, 0, 150, 100))
    parcels = {one.code: one for one in Parcel.objects.all()}

    def hold(code, share):
        UnitParcel.objects.update_or_create(unit=unit, parcel=parcels[code], defaults={"share": share})

    hold(whole, 1)
    hold(half, "0.5")
    validate(DISTRICT)
    assert open_findings() == set()
    hold(half, "0.9")
    hold(gone, 1)
    UnitParcel.objects.filter(parcel=parcels[whole]).delete()
    validate(DISTRICT, changed=True)
    assert open_findings() == {
        ("8-unit-members", "units", tuple(sorted((unit.code, one)))) for one in (whole, half, gone)
    }
    assert out not in {one for row in open_findings() for one in row[2]}


@pytest.mark.rows("S02")
def test_a_stored_area_that_drifts_from_its_shape_is_told(bare_ground):
    bare_ground.patch(box(0, 0, 100, 100))
    code = bare_ground.patch(box(100, 0, 200, 100), area_m2=9990.0)
    assert LandUsePatch.objects.count() == 2
    validate(DISTRICT)
    assert open_findings() == {("7-area-drift", "patches", (code,))}


@pytest.mark.rows("NK055", "H03")
def test_a_frozen_register_that_was_altered_behind_its_guards_is_told(own_database, superuser):
    ground = Ground()
    ground.legacy(box(0, 0, 100, 100))
    bureau = User.objects.create_user("bureau")
    Move.objects.create(
        register="legacy_register",
        subject=DISTRICT,
        district_id=DISTRICT,
        from_state="submitted",
        to_state="accepted",
        by=bureau,
        role="R7",
    )
    assert counts() == (0, 0, 0, 0, 0)
    superuser.execute("ALTER TABLE units_legacyland DISABLE TRIGGER ALL")
    superuser.execute("UPDATE units_legacyland SET address = 'elsewhere'")
    assert counts() == (1, 0, 0, 0, 1)
    assert open_findings() == {("8-freeze", "legacy", (DISTRICT,))}
    superuser.execute("UPDATE units_legacyland SET address = ''")
    assert counts(changed=True) == (0, 0, 1, 0, 0)
    assert LegacyLand.objects.get().address == ""


def test_a_run_that_fails_leaves_everything_as_it_was(pair, monkeypatch):
    validate(DISTRICT)
    moved(pair[1], box(100, 0, 200, 100))

    def broken(sight, layer):
        raise RuntimeError("the disk is on fire")

    monkeypatch.setitem(LOOK, "8-freeze", broken)
    with pytest.raises(RuntimeError):
        validate(DISTRICT)
    monkeypatch.undo()
    assert Finding.objects.get().state == "new"
    assert CheckRun.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pg_temp.told')")
        assert cursor.fetchone() == (None,)


def test_a_round_is_checked_before_it_is_in_force_and_findings_of_the_replaced_one_are_closed(pair, bare_ground):
    validate(DISTRICT)
    following = Survey.objects.create(district=bare_ground.district, year=2023)
    bare_ground.survey, before = following, bare_ground.survey
    bare_ground.parcel(box(0, 0, 100, 100))
    bare_ground.parcel(box(0, 0, 100, 100))
    assert counts(survey=2023) == (1, 0, 0, 0, 1)
    assert {one[0] for one in open_findings()} == {"4-overlap", "4-equal"}
    before.state = "retired"
    before.save()
    following.state, following.activated_at = "in_force", timezone.now()
    following.save()
    assert counts() == (0, 1, 1, 0, 1)
    assert {one[0] for one in open_findings()} == {"4-equal"}


def not_yet_in_force(ground):
    """Patches of a survey that was put in force stay as they are: for a test that changes one."""
    Survey.objects.filter(pk=ground.survey.pk).update(state="loaded", activated_at=None)


def another_round(ground, year=2023):
    """A later survey of the district that is in force in place of the one before; it is drawn on from here."""
    before = ground.survey
    before.state = "retired"
    before.save()
    ground.survey = Survey.objects.create(
        district=ground.district, year=year, state="in_force", activated_at=timezone.now()
    )
    ground.numbers = {}
    return before


def test_the_same_fault_in_the_next_round_is_that_rounds_own_and_not_the_replaced_ones(pair, bare_ground):
    assert counts() == (1, 0, 0, 0, 1)
    before = another_round(bare_ground)
    bare_ground.parcel(box(500, 500, 600, 600))
    assert (bare_ground.parcel(box(0, 0, 100, 100)), bare_ground.parcel(box(98, 0, 200, 100))) == pair
    assert counts() == (1, 0, 1, 0, 1)
    assert dict(Finding.objects.values_list("survey", "state")) == {before.pk: "resolved", bare_ground.survey.pk: "new"}
    assert counts() == (0, 1, 0, 0, 1)


def test_a_fault_of_a_register_is_the_same_in_every_round(bare_ground, office):
    bare_ground.legacy(box(0, 600, 100, 700), ownership="77")
    bare_ground.control(box(0, 600, 100, 700), use="9999", use_scheme="ydyh2023")
    bare_ground.legacy(box(50, 600, 200, 700))
    assert counts() == (3, 0, 0, 0, 1)
    waive(Finding.objects.get(layer="control-areas"), office, office.grants(), "agreed", timezone.localdate())
    another_round(bare_ground)
    assert counts() == (0, 2, 0, 1, 1)
    assert set(Finding.objects.values_list("survey", flat=True)) == {None}
    for profile, same in (("legacy", True), ("control", True), ("dltb", False)):
        one, other = (row_identity(survey, profile, "3-code-unknown", "QSXZ", "A", None) for survey in (1, 2))
        assert (one == other) is same


def test_what_an_import_told_of_a_register_under_its_round_is_taken_over_in_the_next(bare_ground):
    land = bare_ground.legacy(box(0, 600, 100, 700), ownership="77")
    told = told_by_import(bare_ground, "3-code-unknown", "QSXZ", land)
    told.layer, told.identity = "legacy", row_identity(1, "legacy", "3-code-unknown", "QSXZ", land, None)
    told.save()
    another_round(bare_ground)
    assert counts() == (0, 1, 0, 0, 0)
    LegacyLand.objects.update(ownership="10")
    assert counts() == (0, 0, 1, 0, 0)


def test_what_imports_alone_told_of_a_replaced_round_is_closed_and_of_a_register_stays(bare_ground):
    refused = told_by_import(bare_ground, "3-name-differs", "DLMC", "120104210999999999")
    never = told_by_import(bare_ground, "3-constant", "YSDM", "120104210999999998")
    register = told_by_import(bare_ground, "3-constant", "YSDM", "LS9999")
    Finding.objects.filter(pk=register.pk).update(layer="legacy")
    assert validate(DISTRICT)["deliveries"]["open"] == 3
    another_round(bare_ground)
    assert validate(DISTRICT)["deliveries"]["open"] == 1
    closed = Finding.objects.filter(state="resolved")
    assert set(closed) == {refused, never}
    assert set(closed.values_list("run", flat=True)) == {None}
    assert all(one.resolved_at for one in closed)
    # In force again, or delivered again: an import tells them anew, and they are its own as they were.
    assert validate(DISTRICT)["resolved"] == 0


@pytest.mark.parametrize(("missing", "code"), [((5, 5), "4-gap"), ((0, 5), "5-uncovered")])
def test_a_waiver_of_a_bare_place_holds_when_a_patch_beside_it_is_numbered_anew(ground, missing, code):
    officer = scoped_user(Role.OFFICE, DISTRICT)
    not_yet_in_force(ground)
    cover = ground.cover(10, 10, without={missing})
    assert counts(code) == (1, 0, 0, 0, 1)
    found = Finding.objects.get()
    waive(found, officer, officer.grants(), "a pond", timezone.localdate())
    beside = cover[missing[0] + 1, missing[1]]
    assert beside in found.subjects
    with connection.cursor() as cursor:
        cursor.execute("UPDATE units_landusepatch SET bsm = '120104210999999999' WHERE bsm = %s", [beside])
    assert counts(code) == (0, 0, 0, 1, 0)
    again = Finding.objects.get()
    assert set(again.subjects) == set(found.subjects) - {beside} | {"120104210999999999"}
    LandUsePatch.objects.filter(bsm="120104210999999999").delete()
    assert counts(code) == (1, 0, 1, 0, 1)


def test_a_waiver_wakes_when_a_shape_creeps_away_by_less_than_noise_a_night(pair, office):
    validate(DISTRICT)
    first = Finding.objects.get()
    waive(first, office, office.grants(), "agreed", timezone.localdate())
    seen = []
    for night in range(1, 13):
        moved(pair[1], box(98 - 0.008 * night, 0, 200, 100))
        seen.append(counts())
    assert seen[0] == (0, 0, 0, 1, 0)
    assert seen[1] == (1, 0, 1, 0, 1)
    assert all(waived == 0 and errors == 1 for _new, _open, _resolved, waived, errors in seen[1:])
    moved(pair[1], box(98, 0, 200, 100))
    assert counts() == (0, 0, 1, 1, 0)
    assert Finding.objects.get(pk=first.pk).geom.equals_exact(first.geom)


def test_the_place_of_a_wrong_value_follows_its_row(bare_ground):
    not_yet_in_force(bare_ground)
    code = bare_ground.patch(box(0, 0, 100, 100), dlmc="盐田")
    validate(DISTRICT, ["3-name-differs"])
    before = Finding.objects.get().geom
    LandUsePatch.objects.filter(bsm=code).update(geom=placed(box(500, 0, 600, 100)))
    assert counts("3-name-differs") == (0, 1, 0, 0, 0)
    assert Finding.objects.get().geom.distance(before) > 0.001


def test_records_are_counted_that_a_check_looks_at_without_their_shapes(bare_ground):
    for place in range(3):
        bare_ground.parcel(box(200 * place, 0, 200 * place + 100, 100))
    bare_ground.patch(box(0, 0, 100, 100))
    bare_ground.unit(box(0, 600, 100, 700))
    assert validate(DISTRICT, ["3-area-differs"])["layers"] == {"parcels": 3, "patches": 1}
    assert validate(DISTRICT, ["3-area-differs"])["checked"] == 4
    assert validate(DISTRICT, ["8-freeze"])["checked"] == 0
    assert validate(DISTRICT)["checked"] == CheckRun.objects.first().checked == 5


def test_a_waiver_of_what_an_import_told_holds_for_what_the_check_sees(bare_ground, office):
    not_yet_in_force(bare_ground)
    code = bare_ground.patch(box(0, 0, 100, 100), dlmc="盐田")
    told_by_import(bare_ground, "3-name-differs", "DLMC", code, fingerprint="f" * 64)
    waive(Finding.objects.get(), office, office.grants(), "agreed", timezone.localdate())
    assert counts() == (0, 0, 0, 1, 0)
    assert counts() == (0, 0, 0, 1, 0)
    LandUsePatch.objects.update(dlmc="果园")
    assert counts() == (0, 1, 0, 0, 0)
