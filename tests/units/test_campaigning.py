"""A survey campaign: who is asked what, who writes which fact, that nothing is lost, and what the registers hear."""

import io
from datetime import date, timedelta

import openpyxl
import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests import records
from units import attaching, bulk_forms, campaigning, distributing, entering, forms, moving
from units.errors import InputUnreadable, NotAllowed, NotFound, Refused, Stale, Unfit, UnknownName, UsageError
from units.models import (
    Building,
    Campaign,
    Department,
    Determination,
    Enterprise,
    EnterpriseYear,
    FactSheet,
    FormTask,
    Occupancy,
    Parcel,
    Scope,
    User,
    UseState,
)
from units.rights import Role

NANKAI, HERE, ELSEWHERE = records.NANKAI, records.HERE, records.ELSEWHERE
PDF = b"%PDF-1.4 a paper"


def person(role: Role, department: str = "", street: str | None = None, name: str = "") -> User:
    """Somebody of that role, made once."""
    name = name or f"{role.value}.{department or street or ''}"
    user, new = User.objects.get_or_create(username=name)
    if new:
        found = Department.objects.filter(district=NANKAI, code=department).first()
        Scope.objects.create(
            user=user,
            group=Group.objects.get_or_create(name=role.value)[0],
            district_id=NANKAI,
            street_id=street,
            department=found,
        )
    return user


@pytest.fixture
def place(db):
    """Two industrial candidates in one street, each with a building and the first with two firms; all departments."""
    parcels = records.build(2)
    for code in (*campaign_departments(), "education", "health"):
        Department.objects.get_or_create(district_id=NANKAI, code=code, defaults={"name": code})
    Department.objects.get_or_create(
        district_id=NANKAI, code=f"street-{HERE}", defaults={"name": "长虹街道办事处", "street_id": HERE}
    )
    for number, parcel in enumerate(parcels):
        Building.objects.create(
            survey=parcel.survey, district_id=NANKAI, street_id=HERE, code=f"B{number}", geom=parcel.geom
        )
    for number in range(2):
        firm = Enterprise.objects.create(district_id=NANKAI, name=f"Firm {number}")
        Occupancy.objects.create(enterprise=firm, parcel=parcels[0])
    for parcel in parcels:
        Determination.objects.get_or_create(
            parcel=parcel,
            defaults={
                "district_id": NANKAI,
                "street_id": HERE,
                "code": f"D{parcel.code}",
                "category": "industrial",
                "base_survey_year": 2022,
                "criteria": "town",
            },
        )
    return parcels


def campaign_departments() -> set[str]:
    found = {code for form in forms.forms().values() for code in (*form.lead, *form.co)}
    return found - {forms.STREETS, forms.KIND}


@pytest.fixture
def office(place):
    return person(Role.OFFICE, "planning")


@pytest.fixture
def campaign(office) -> Campaign:
    return campaigning.open_campaign(NANKAI, office)


@pytest.fixture
def sheet(campaign) -> FactSheet:
    """The form of the parcel with two firms."""
    return campaign.sheets.get(parcel__code__endswith="0")


@pytest.fixture
def lead(campaign):
    return person(Role.LEAD, "commerce")


@pytest.fixture
def tax(campaign):
    return person(Role.CO, "tax")


def give(sheet: FactSheet, by: User, **more) -> None:
    """Answer all that is wanted of this person with plausible values."""
    for _turn in range(2):
        hand = campaigning.Hand.of(sheet, by.grants())
        values = {}
        for cell in forms.cells(sheet):
            if hand.writes(cell) and forms.wanted(sheet, cell) and not forms.known(forms.answer(sheet, cell)):
                plausible = {
                    "choice": lambda cell: cell.field.choices[0].value,
                    "choices": lambda cell: [cell.field.choices[0].value],
                    "date": lambda cell: "2023-05-01",
                    "number": lambda cell: "7",
                    "integer": lambda cell: "7",
                }.get(cell.field.type, lambda cell: "said")
                values[cell.key] = {"value": more.get(cell.field.name, plausible(cell))}
        campaigning.fill(sheet, values, by)


def complete(sheet: FactSheet, lead: User, tax: User, **more) -> None:
    for who in (lead, tax, person(Role.CO, "finance"), person(Role.CO, "ecology")):
        give(sheet, who, **more)


def firm_cell(sheet: FactSheet, name: str, which: int = 0) -> str:
    return f"{name}@{sheet.parts['firm'][which]['id']}"


@pytest.mark.rows("NK081", "NK082", "NK083", "NK084", "NK085", "NK020")
def test_the_forms_have_the_departments_and_the_day_of_annex_2():
    expected = {
        "industrial": (["commerce", "state-assets", "investment", "streets"], ["finance", "ecology", "tax"]),
        "office": (["commerce", "state-assets", "investment", "streets"], ["finance", "tax"]),
        "residential": (["housing", "streets"], []),
        "facility": (["commerce", "state-assets", "streets"], ["kind"]),
    }
    told = {name: (list(form.lead), list(form.co)) for name, form in forms.forms().items()}
    assert told == expected
    assert {form.due for form in forms.forms().values()} == {date(2024, 2, 29)}
    assert {name for name, _uses in forms.of("facility").kinds} == {
        *("education", "science", "civil-affairs", "ecology", "urban-management"),
        *("culture-tourism", "health", "sports", "investment"),
    }
    for form in forms.forms().values():
        assert {one.group for one in form.fields} == {"land", "construction", "economy"}, form.category
        for code in set(form.co) - {"kind"}:
            assert form.asked_of(code), f"{code} has nothing to say in {form.category}"


@pytest.mark.rows("NK081", "NK012")
def test_opening_a_campaign_gives_each_suspect_one_form_and_each_lead_unit_its_part(campaign, sheet):
    assert campaign.sheets.count() == 2
    parts = {(one.department.code, one.part) for one in sheet.tasks.all()}
    leads = {(code, "lead") for code in ("commerce", "state-assets", "investment", f"street-{HERE}")}
    assert parts == leads | {(code, "co") for code in ("finance", "ecology", "tax")}
    assert sheet.state == sheet.determination.state == "assigned"
    assert sheet.due_on == date(2024, 2, 29)
    assert [one["name"] for one in sheet.parts["firm"]] == ["Firm 0", "Firm 1"]
    assert {one.group for one in forms.missing(sheet)} == {"land", "construction", "economy"}
    other = campaign.sheets.get(parcel__code__endswith="1")
    assert "no_firms" in {one.cell for one in forms.missing(other)}, "where no firm is known the form asks why"


def test_one_campaign_at_a_time_and_only_the_office_opens_it(campaign, office, lead):
    with pytest.raises(Refused):
        campaigning.open_campaign(NANKAI, office)
    with pytest.raises(NotAllowed):
        campaigning.distribute(campaign, lead)
    campaigning.close(campaign, office)
    with pytest.raises(Refused):
        campaigning.fill(campaign.sheets.first(), {"use_state": {"value": "idle"}}, lead)
    with pytest.raises(NotAllowed):
        campaigning.open_campaign(NANKAI, lead)


@pytest.mark.rows("NK082")
def test_each_department_writes_its_own_fields_and_no_other(sheet, lead, tax):
    figure = firm_cell(sheet, "tax_cny")
    with pytest.raises(NotAllowed, match="tax"):
        campaigning.fill(sheet, {figure: {"value": "12.5"}}, lead)
    with pytest.raises(NotAllowed):
        campaigning.fill(sheet, {"use_state": {"value": "idle"}}, tax)
    with pytest.raises(NotAllowed):  # one field of another's among one's own: nothing is saved
        campaigning.fill(sheet, {figure: {"value": "12.5"}, "use_state": {"value": "idle"}}, tax)
    for who in (person(Role.OFFICE, "planning"), person(Role.ANALYST), person(Role.BUREAU)):
        with pytest.raises(NotAllowed):
            campaigning.fill(sheet, {"use_state": {"value": "idle"}}, who)
    sheet.refresh_from_db()
    assert sheet.economy == sheet.land == {}
    assert campaigning.fill(sheet, {figure: {"value": "12.5"}}, tax) == [figure]
    assert campaigning.fill(sheet, {"use_state": {"value": "idle"}}, lead) == ["use_state"]


def test_a_tax_figure_is_read_by_r3_to_r5_and_r7_alone(sheet, tax, lead, office):
    figure = firm_cell(sheet, "tax_cny")
    campaigning.fill(sheet, {figure: {"value": "4321.98"}}, tax)
    readers = {lead: True, tax: True, office: True, person(Role.BUREAU): True}
    closed = {person(Role.STREET, street=HERE): True, person(Role.ANALYST): True, person(Role.DISTRICT): True}
    for who in (*readers, *closed):
        told = campaigning.reading(campaigning.sheet_of(sheet.pk, who.grants()), who.grants())
        cell = next(one for group in told["groups"] for one in group["cells"] if one["cell"] == figure)
        assert ("4321.98" in str(told)) == (who in readers), who
        assert cell["hidden"] == (who in closed)
    street = person(Role.STREET, street=HERE)
    with pytest.raises(NotAllowed):
        campaigning.fill(sheet, {firm_cell(sheet, "output_cny"): {"value": "1"}}, street)
    assert campaigning.fill(sheet, {"use_state": {"value": "in_use"}}, street) == ["use_state"]


@pytest.mark.rows("NK085")
def test_the_education_bureau_sees_the_facilities_of_its_kind_alone(campaign, place, office, lead):
    education, health = person(Role.CO, "education"), person(Role.CO, "health")
    parcel = place[1]
    Determination.objects.filter(parcel=parcel).update(category="facility")
    FactSheet.objects.filter(parcel=parcel).delete()
    record = Determination.objects.get(parcel=parcel)
    facility = distributing.formed(record, by=office, campaign=campaign)
    assert not campaigning.visible(education.grants()).exists()
    campaigning.fill(facility, {"facility_kind": {"value": "education"}}, lead)
    assert list(campaigning.visible(education.grants())) == [facility]
    assert not campaigning.visible(health.grants()).exists()
    campaigning.fill(facility, {"service_gap": {"value": "小学学位不足"}}, education)
    campaigning.fill(facility, {"facility_kind": {"value": "health"}}, lead)
    assert not campaigning.visible(education.grants()).exists()
    assert list(campaigning.visible(health.grants())) == [facility]


def test_a_street_sees_its_own_forms_and_no_others(sheet):
    assert campaigning.visible(person(Role.STREET, street=HERE).grants()).count() == 2
    assert not campaigning.visible(person(Role.STREET, street=ELSEWHERE).grants()).exists()
    with pytest.raises(NotFound):
        campaigning.sheet_of(sheet.pk, person(Role.STREET, street=ELSEWHERE).grants())
    assert not campaigning.visible(person(Role.DEVELOPER).grants()).exists()
    assert not campaigning.visible(()).exists()


def test_what_another_department_filled_at_the_same_time_is_not_lost(sheet, lead, tax):
    seen = sheet.version
    figure = firm_cell(sheet, "tax_cny")
    campaigning.fill(sheet, {figure: {"value": "12.5"}}, tax, seen)
    campaigning.fill(sheet, {"use_state": {"value": "idle"}, "actual_use": {"value": "厂房"}}, lead, seen)
    sheet.refresh_from_db()
    assert sheet.economy[figure]["value"] == "12.5"
    assert sheet.land["use_state"]["value"] == "idle"
    assert sheet.land["use_state"]["department"] == "commerce"
    assert sheet.state == "filling"


def test_the_same_field_written_twice_is_told_and_not_overwritten(sheet, lead):
    seen = sheet.version
    colleague = person(Role.LEAD, "investment")
    campaigning.fill(sheet, {"use_state": {"value": "idle"}}, colleague, seen)
    with pytest.raises(Stale) as told:
        campaigning.fill(sheet, {"use_state": {"value": "in_use"}, "actual_use": {"value": "厂房"}}, lead, seen)
    assert told.value.details["theirs"]["cells"]["use_state"]["value"] == "idle"
    sheet.refresh_from_db()
    assert "actual_use" not in sheet.land
    campaigning.fill(sheet, {"use_state": {"value": "in_use"}}, lead, told.value.details["theirs"]["version"])
    sheet.refresh_from_db()
    assert sheet.land["use_state"]["value"] == "in_use"
    kept = sheet.events.values_list("land", flat=True)
    assert "idle" in {one.get("use_state", {}).get("value") for one in kept}, "the history keeps what was replaced"


def test_every_wrong_answer_is_told_at_once_and_nothing_is_saved(sheet, lead):
    building = sheet.parts["building"][0]["id"]
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
    wrong = {
        "use_state": {"value": "sleeping"},
        "owner_told_on": {"value": tomorrow},
        "problems": {"value": ["none", "plan"]},
        "actual_use": {"unknown_reason": "  "},
        f"floor_area_m2@{building}": {"value": "10"},
        f"vacant_m2@{building}": {"value": "10.01"},
        firm_cell(sheet, "employees"): {"value": "2.5"},
    }
    with pytest.raises(Unfit) as told:
        campaigning.fill(sheet, wrong, lead)
    assert {one["cell"] for one in told.value.details["problems"]} == set(wrong) - {f"floor_area_m2@{building}"}
    assert all(one["message"] and one["hint"] for one in told.value.details["problems"])
    sheet.refresh_from_db()
    assert sheet.land == {}
    with pytest.raises(UnknownName):
        campaigning.fill(sheet, {"colour": {"value": "red"}}, lead)


@pytest.mark.parametrize(
    ("given", "stored"),
    [("1,234.50", "1234.5"), ("１２", "12"), (0.1 + 0.2, "0.3"), ("0", "0"), (" 7 ", "7"), ("", None)],
)
def test_numbers_are_kept_exactly_as_people_write_them(given, stored):
    assert forms.parsed(forms.of("industrial").field("vacant_m2"), given) == stored


@pytest.mark.parametrize(
    "given", ["NaN", "1e40", "-1", "1.005", "twelve", True, "1\0", "1,5", "12,34", "1 5", "1,2345", "1000000000000"]
)
def test_what_is_no_number_of_the_field_is_refused(given):
    with pytest.raises(forms.Wrong):
        forms.parsed(forms.of("industrial").field("vacant_m2"), given)


@pytest.mark.parametrize(
    ("form", "field", "given"),
    [
        ("industrial", "employees", 10_000_001),
        ("industrial", "violation_paper", "号" * 121),
        ("industrial", "energy_tce", "1000000000000"),
        ("industrial", "actual_use", ["a", "list"]),
        ("industrial", "actual_use", True),
    ],
)
def test_what_the_register_could_not_hold_is_refused_by_the_form(form, field, given):
    with pytest.raises(forms.Wrong):
        forms.parsed(forms.of(form).field(field), given)


@pytest.mark.parametrize("given", ["2024-02-29", "2024/2/29", "2024年2月29日", "20240229"])
def test_days_are_read_as_people_write_them(given):
    assert forms.parsed(forms.of("industrial").field("owner_told_on"), given) == "2024-02-29"


def test_a_form_is_submitted_when_every_required_fact_is_known_or_cannot_be_had(sheet, lead, tax):
    give(sheet, lead)
    with pytest.raises(Refused):
        campaigning.submit(sheet, lead)
    assert {one.owner for one in forms.missing(sheet)} == {"tax", "finance", "ecology"}
    campaigning.fill(sheet, {firm_cell(sheet, "tax_cny"): {"unknown_reason": "企业已注销"}}, tax)
    complete(sheet, lead, tax)
    assert forms.missing(sheet) == []
    with pytest.raises(NotAllowed):
        campaigning.submit(sheet, tax)
    campaigning.submit(sheet, lead)
    assert sheet.state == sheet.determination.state == "co_check"
    with pytest.raises(Refused):  # the lead's fields are closed now
        campaigning.fill(sheet, {"use_state": {"value": "idle"}}, lead)


def test_co_departments_confirm_or_return_their_group_and_a_change_asks_again(sheet, lead, tax):
    finance, ecology = person(Role.CO, "finance"), person(Role.CO, "ecology")
    complete(sheet, lead, tax)
    with pytest.raises(Refused):
        campaigning.confirm(sheet, "economy", tax)
    campaigning.submit(sheet, lead)
    with pytest.raises(NotAllowed):
        campaigning.confirm(sheet, "land", tax)
    with pytest.raises(NotAllowed):
        campaigning.confirm(sheet, "economy", lead)
    for who in (tax, finance):
        campaigning.confirm(sheet, "economy", who, "一致")
    assert [one.department.code for one in forms.awaited(sheet)] == ["ecology"]
    with pytest.raises(Refused):
        campaigning.send_back(sheet, "economy", ecology, " ")
    campaigning.send_back(sheet, "economy", ecology, "处罚文号有误")
    sheet.refresh_from_db()
    assert sheet.state == "filling"
    campaigning.fill(sheet, {firm_cell(sheet, "employees"): {"value": "99"}}, lead)
    assert {one.department.code for one in forms.awaited(sheet)} == {"tax", "finance", "ecology"}


@pytest.mark.rows("NK014", "NK035", "NK037")
def test_the_facts_of_a_checked_form_are_edits_of_whoever_gave_them(sheet, lead, tax, place):
    complete(sheet, lead, tax, vacant_m2="3000", floor_area_m2="10000", tax_cny="12.5", owner_willing="conditional")
    campaigning.submit(sheet, lead)
    for who in (tax, person(Role.CO, "finance"), person(Role.CO, "ecology")):
        campaigning.confirm(sheet, "economy", who)
    moving.move(sheet.determination, "checked", person(Role.ANALYST))
    building = Building.objects.get(pk=sheet.parts["building"][0]["id"])
    assert (building.floor_area_m2, building.vacant_m2) == (10000, 3000)
    years = EnterpriseYear.objects.filter(year=2022, enterprise__in=[one["id"] for one in sheet.parts["firm"]])
    assert [one.tax_cny for one in years] == [125000, 125000]
    assert Parcel.objects.get(pk=sheet.parcel_id).owner_wish["willing"] == "conditional"
    event = building.events.order_by("-pgh_id").first()
    assert event.pgh_context.metadata["user"] == lead.pk
    sheet.refresh_from_db()
    assert sheet.entered_at
    assert entering.enter(sheet, lead) == {}, "what the registers say already is not written again"


def test_what_several_people_say_of_idle_land_goes_into_the_register_whoever_said_what(place, office):
    Determination.objects.update(category="facility")
    sheet = campaigning.open_campaign(NANKAI, office).sheets.first()
    UseState.objects.create(survey=sheet.parcel.survey, parcel=sheet.parcel, state="in_use")
    said = {"facility_kind": {"value": "education"}, "idle_since": {"value": "2020-01-31"}}
    campaigning.fill(sheet, said, person(Role.LEAD, "commerce"))
    campaigning.fill(sheet, {"use_state": {"value": "idle"}}, person(Role.LEAD, "state-assets"))
    assert entering.enter(sheet, office) == {"use": 3}
    use = UseState.objects.get()
    assert (use.state, use.idle_since, use.owner_department.code) == ("idle", date(2020, 1, 31), "education")


def test_what_was_said_of_a_firm_that_a_later_delivery_took_out_stays_in_the_form_alone(sheet, lead, tax):
    complete(sheet, lead, tax)
    firm = sheet.parts["firm"][0]["id"]
    Enterprise.objects.filter(pk=firm).delete()
    entering.enter(sheet, lead)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert set(EnterpriseYear.objects.values_list("enterprise", flat=True)) == {sheet.parts["firm"][1]["id"]}
    sheet.refresh_from_db()
    assert sheet.economy[f"tax_cny@{firm}"]["value"] == "7"


@pytest.mark.rows("NK086")
def test_the_office_asks_another_department_for_a_group_and_the_history_says_why(sheet, office, lead):
    other = person(Role.LEAD, "education")
    with pytest.raises(NotAllowed):
        campaigning.assign(sheet, "education", ["land"], lead, reason="校办工厂")
    with pytest.raises(Refused):
        campaigning.assign(sheet, "education", ["land"], office, reason="")
    with pytest.raises(NotFound):
        campaigning.sheet_of(sheet.pk, other.grants())
    task = campaigning.assign(sheet, "education", ["land"], office, reason="校办工厂")
    assert (task.part, task.assigned_by, task.events.get().reason) == (FormTask.Part.ADDED, office, "校办工厂")
    told = {one["department"]: one["asked_by"] for one in campaigning.reading(sheet, lead.grants())["tasks"]}
    assert (told["education"], told["commerce"]) == (office.username, "")
    campaigning.fill(sheet, {"actual_use": {"value": "校办工厂"}}, other)
    with pytest.raises(NotAllowed):
        campaigning.fill(sheet, {firm_cell(sheet, "employees"): {"value": "3"}}, other)
    with pytest.raises(Refused):
        campaigning.assign(sheet, "education", ["land"], office, reason="again")


def test_progress_equals_a_count(campaign, sheet, lead, tax, office):
    complete(sheet, lead, tax)
    campaigning.submit(sheet, lead)
    campaigning.confirm(sheet, "economy", tax)
    told = campaigning.progress(campaign, office.grants())
    assert told["total"] == FactSheet.objects.filter(campaign=campaign).count() == 2
    assert told["state"] == {"assigned": 1, "co_check": 1}
    done = {(one["code"], one["part"]): (one["forms"], one["done"], one["overdue"]) for one in told["department"]}
    assert done["commerce", "lead"] == (2, 1, 1)
    assert done["tax", "co"] == (2, 1, 1)
    assert done["finance", "co"] == (2, 0, 2)
    assert [(one["forms"], one["done"]) for one in told["street"]] == [(2, 1)]
    assert sum(one["forms"] for one in told["category"]) == 2
    assert campaigning.progress(campaign, ())["total"] == 0


def filled(body: bytes, changes: dict) -> bytes:
    """The workbook with some cells written: {(sheet, field, line): value}."""
    book = openpyxl.load_workbook(io.BytesIO(body))
    for (sheet, name, line), value in changes.items():
        keys = [cell.value for cell in book[sheet][1]]
        book[sheet].cell(line, keys.index(name) + 1).value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_holds_the_departments_own_fields_and_gives_them_back(campaign, sheet, tax):
    department = Department.objects.get(code="tax")
    Enterprise.objects.filter(pk=sheet.parts["firm"][0]["id"]).update(name="=HYPERLINK(1)")
    sheet.parts["firm"][0]["name"] = "=HYPERLINK(1)"
    sheet.save()
    body = bulk_forms.bulk_workbook(campaign, department, tax)
    book = openpyxl.load_workbook(io.BytesIO(body))
    assert [one for one in book.sheetnames if "." in one] == ["industrial.firm"]
    rows = book["industrial.firm"]
    assert [cell.value for cell in rows[1]][-2:] == ["tax_cny", "register:tax_cny"]
    assert rows["E3"].data_type == "s", "a name that looks like a formula stays a text"
    assert rows.protection.sheet
    assert not rows["H3"].protection.locked
    assert rows["D3"].protection.locked
    taken = bulk_forms.take_workbook(campaign, department, body, tax)
    assert (taken.rows, taken.problems) == (0, [])
    changes = {("industrial.firm", "tax_cny", 3): 12.5, ("industrial.firm", "tax_cny", 4): "无法取得：企业已注销"}
    taken = bulk_forms.take_workbook(campaign, department, filled(body, changes), tax)
    assert (taken.rows, taken.taken, taken.refused) == (2, 2, 0)
    sheet.refresh_from_db()
    assert sheet.economy[firm_cell(sheet, "tax_cny", 0)]["value"] == "12.5"
    assert sheet.economy[firm_cell(sheet, "tax_cny", 1)]["unknown_reason"] == "企业已注销"


def test_a_row_with_an_error_is_told_by_its_cell_and_the_others_are_taken_or_none(campaign, sheet, tax):
    department = Department.objects.get(code="tax")
    body = bulk_forms.bulk_workbook(campaign, department, tax)
    changes = {("industrial.firm", "tax_cny", 3): "abc", ("industrial.firm", "tax_cny", 4): 3}
    none = bulk_forms.take_workbook(campaign, department, filled(body, changes), tax, all_or_nothing=True)
    sheet.refresh_from_db()
    assert (none.taken, none.refused, sheet.economy) == (0, 2, {})
    some = bulk_forms.take_workbook(campaign, department, filled(body, changes), tax)
    assert (some.taken, some.refused) == (1, 1)
    assert [(one["sheet"], one["place"]) for one in some.problems] == [("industrial.firm", "H3")]
    told = openpyxl.load_workbook(io.BytesIO(some.workbook())).active
    assert [cell.value for cell in told[2]][:3] == ["industrial.firm", 3, "H3"]
    for text in ("=1+1", "#N/A"):
        formula = filled(body, {("industrial.firm", "tax_cny", 3): text})
        taken = bulk_forms.take_workbook(campaign, department, formula, tax)
        assert (taken.taken, len(taken.problems)) == (0, 1)
    sheet.refresh_from_db()
    assert firm_cell(sheet, "tax_cny", 0) not in sheet.economy


def test_a_stale_workbook_overwrites_nothing(campaign, sheet, tax):
    department = Department.objects.get(code="tax")
    body = bulk_forms.bulk_workbook(campaign, department, tax)
    campaigning.fill(sheet, {firm_cell(sheet, "tax_cny"): {"value": "8"}}, person(Role.CO, "tax", name="colleague"))
    taken = bulk_forms.take_workbook(campaign, department, filled(body, {("industrial.firm", "tax_cny", 3): 9}), tax)
    assert (taken.taken, taken.refused) == (0, 1)
    sheet.refresh_from_db()
    assert sheet.economy[firm_cell(sheet, "tax_cny")]["value"] == "8"


def test_only_the_campaigns_own_workbook_is_read(campaign, sheet, tax, lead):
    department, other = Department.objects.get(code="tax"), Department.objects.get(code="commerce")
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    theirs = bulk_forms.bulk_workbook(campaign, other, lead)
    charts = io.BytesIO()  # a workbook whose sheets are charts has no rows
    book = openpyxl.Workbook()
    book.create_chartsheet(bulk_forms.ABOUT)
    book.save(charts)
    for body in (b"", b"PK\x03\x04 broken", out.getvalue(), theirs, charts.getvalue()):
        with pytest.raises(InputUnreadable):
            bulk_forms.take_workbook(campaign, department, body, tax)
    with pytest.raises(UsageError):
        bulk_forms.take_workbook(campaign, department, bytes(bulk_forms.LARGEST + 1), tax)
    with pytest.raises(NotAllowed):
        bulk_forms.department_of(campaign, "commerce", tax)


def test_papers_are_photos_and_pdfs_by_their_content_and_come_back_inert(sheet, lead, tax, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    for body in (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>", b"<!doctype html><script>", b"MZ", b""):
        with pytest.raises(InputUnreadable):
            attaching.attach(sheet, "photo.jpg", body, lead)
    with pytest.raises(UsageError):
        attaching.attach(sheet, "a.pdf", PDF + bytes(attaching.LARGEST), lead)
    kept = attaching.attach(sheet, "../意愿 书\n.pdf", PDF, lead)
    assert attaching.attach(sheet, "again.pdf", PDF, lead) == kept
    assert "/" not in kept.document.title
    secret = attaching.attach(sheet, "tax.pdf", PDF + b"2", tax, cell=firm_cell(sheet, "tax_cny"))
    street = person(Role.STREET, street=HERE)
    assert attaching.papers(sheet, street.grants()) == [kept]
    assert attaching.papers(sheet, lead.grants()) == [kept, secret]
    browser = Client(headers={"Accept": "text/html"})
    browser.force_login(street)
    answer = browser.get(f"/forms/{sheet.pk}/papers/{kept.pk}/")
    assert b"".join(answer.streaming_content) == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert browser.get(f"/forms/{sheet.pk}/papers/{secret.pk}/").status_code == 404
    with pytest.raises(NotAllowed):
        attaching.take_away(sheet, kept.pk, tax)
    attaching.take_away(sheet, kept.pk, lead)
    assert attaching.papers(sheet, lead.grants()) == [secret]
    with pytest.raises(NotAllowed):
        attaching.attach(sheet, "a.pdf", PDF, person(Role.ANALYST))


def test_the_pages_answer_each_role_as_they_should(sheet, campaign, lead, office):
    def browser(user):
        client = Client(headers={"Accept": "text/html"})
        client.force_login(user)
        return client

    for who in (lead, office, person(Role.STREET, street=HERE), person(Role.ANALYST), person(Role.CO, "tax")):
        for address in ("/campaigns/", f"/campaigns/{campaign.pk}/", f"/forms/{sheet.pk}/"):
            assert browser(who).get(address).status_code == 200, (who, address)
    assert browser(person(Role.DEVELOPER)).get("/campaigns/").status_code == 403
    assert browser(person(Role.STREET, street=ELSEWHERE)).get(f"/forms/{sheet.pk}/").status_code == 404
    assert browser(person(Role.CO, "education")).get(f"/forms/{sheet.pk}/").status_code == 404
    assert Client(headers={"Accept": "text/html"}).get(f"/forms/{sheet.pk}/").status_code == 302
    page = browser(lead)
    body = {"version": sheet.version, "values": {firm_cell(sheet, "tax_cny"): {"value": "1"}}}
    assert page.post(f"/forms/{sheet.pk}/", body, content_type="application/json").status_code == 403
    body["values"] = {"use_state": {"value": "nonsense"}}
    told = page.post(f"/forms/{sheet.pk}/", body, content_type="application/json")
    assert (told.status_code, told.json()["problems"][0]["cell"]) == (422, "use_state")
    assert page.post(f"/forms/{sheet.pk}/step/", {"step": "submit", "version": sheet.version}).status_code == 422
    assert page.get(f"/campaigns/{campaign.pk}/workbook.xlsx").status_code == 200
    assert browser(office).get(f"/campaigns/{campaign.pk}/workbook.xlsx?department=tax").status_code == 403


def test_a_closed_campaign_takes_nothing_and_the_next_one_goes_on_with_what_is_unfinished(
    campaign, sheet, office, lead, tax, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    complete(sheet, lead, tax)
    campaigning.close(campaign, office)
    sheet = campaigning.sheet_of(sheet.pk, lead.grants())
    for write in (
        lambda: campaigning.fill(sheet, {"use_state": {"value": "idle"}}, lead),
        lambda: campaigning.submit(sheet, lead),
        lambda: campaigning.confirm(sheet, "economy", tax),
        lambda: campaigning.assign(sheet, "education", ["land"], office, reason="x"),
        lambda: attaching.attach(sheet, "a.pdf", PDF, lead),
    ):
        with pytest.raises(Refused) as refused:
            write()
        assert refused.value.code == "closed"
    assert not any(campaigning.reading(sheet, lead.grants())["may"].values())
    again = campaigning.open_campaign(NANKAI, office, due_on=date(2025, 6, 30))
    sheet = campaigning.sheet_of(sheet.pk, lead.grants())
    assert (sheet.campaign, sheet.due_on, sheet.state) == (again, date(2025, 6, 30), "filling")
    assert again.sheets.count() == 2
    assert set(FormTask.objects.values_list("due_on", flat=True)) == {date(2025, 6, 30)}
    campaigning.submit(sheet, lead)
    assert sheet.state == "co_check"


@pytest.mark.parametrize("year", [1999, 99999])
def test_a_campaign_of_a_year_that_is_none_is_refused(office, year):
    with pytest.raises(UsageError):
        campaigning.open_campaign(NANKAI, office, year=year)


def test_no_more_of_a_building_is_vacant_than_there_is_whichever_is_written_last(sheet, lead):
    number = sheet.parts["building"][0]["id"]
    area, vacant = f"floor_area_m2@{number}", f"vacant_m2@{number}"
    campaigning.fill(sheet, {area: {"value": "100"}, vacant: {"value": "100"}}, lead)
    for wrong in ({vacant: {"value": "100.01"}}, {area: {"value": "99.99"}}):
        with pytest.raises(Unfit):
            campaigning.fill(sheet, wrong, lead)
    campaigning.fill(sheet, {area: {"value": "50"}, vacant: {"value": "50"}}, lead)


def test_a_nul_in_what_is_asked_or_sent_is_a_bad_request(campaign, office):
    browser = Client(headers={"Accept": "application/json"})
    browser.force_login(office)
    for address in (f"/campaigns/{campaign.pk}/?street=%00", f"/campaigns/{campaign.pk}/?department=%00"):
        assert browser.get(address).status_code == 400
    assert browser.post("/determinations/moves/", {"to": "dropped", "code": "\0"}).status_code == 400
    assert browser.post("/campaigns/", {"district": "\0"}).status_code == 400
