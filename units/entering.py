"""Let the facts of a checked survey form flow into the registers, each as an edit of whoever gave it."""

import datetime
import json
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.db import connection, transaction
from django.utils import timezone

from units import forms
from units.forms import Cell
from units.history import authored
from units.models import (
    Building,
    Department,
    Determination,
    Enterprise,
    EnterpriseYear,
    FactSheet,
    Parcel,
    User,
    UseState,
    Violation,
)

VACANT_SINCE = "KZQSSJ"  # the further column of a building's delivery that says since when it stands empty


def register_values(sheets: Iterable[FactSheet]) -> dict[int, dict[str, object]]:
    """What the registers say now of each cell that flows into one: {sheet: {cell: value}}, as forms write values."""
    sheets = list(sheets)
    known = _Known(sheets)
    return {sheet.pk: {cell.key: known.of(sheet, cell) for cell in forms.cells(sheet)} for sheet in sheets}


class _Known:
    """The rows of the registers that some forms ask about, read at once."""

    def __init__(self, sheets: list[FactSheet]):
        parts = {name: {part["id"] for sheet in sheets for part in sheet.parts.get(name, ())} for name in forms.PARTS}
        firms = {"enterprise__in": parts["firm"]}
        self.firms = set(Enterprise.objects.filter(pk__in=parts["firm"]).values_list("pk", flat=True))
        self.building = Building.objects.defer("geom").in_bulk(parts["building"])
        self.years = {(one.enterprise_id, one.year): one for one in EnterpriseYear.objects.filter(**firms)}
        self.violations = {one.enterprise_id: one for one in Violation.objects.filter(**firms).order_by("happened_on")}
        self.parcel = Parcel.objects.defer("geom").in_bulk({one.parcel_id for one in sheets if one.parcel_id})
        uses = UseState.objects.select_related("owner_department")
        self.parcel_use = {
            one.parcel_id: one for one in uses.filter(building=None, parcel__in=[one.parcel_id for one in sheets])
        }
        self.building_use = {
            one.building_id: one for one in uses.filter(building__in=[one.building_id for one in sheets])
        }
        self.determination = Determination.objects.in_bulk({one.determination_id for one in sheets})

    def holds(self, cell: Cell) -> bool:
        """Whether the building or firm of a cell is still in its register."""
        return cell.part is None or cell.part["id"] in (self.building if cell.field.each == "building" else self.firms)

    def of(self, sheet: FactSheet, cell: Cell):
        place, _dot, name = cell.field.writes.partition(".")
        part = cell.part["id"] if cell.part else None
        row, value = None, None
        if place == "building":
            row = self.building.get(part)
            if row is not None and name == "vacant_since":
                return _day(row.extra.get(VACANT_SINCE))
        elif place == "parcel" and sheet.parcel_id in self.parcel:
            return self.parcel[sheet.parcel_id].owner_wish.get(name.partition(".")[2]) or None
        elif place == "year":
            row = self.years.get((part, year_of(sheet)))
        elif place == "use":
            uses = self.building_use if sheet.building_id else self.parcel_use
            row = uses.get(sheet.building_id or sheet.parcel_id)
            if row is not None and name == "owner_department":
                return row.owner_department.code if row.owner_department_id else None
        elif place == "determination":
            row = self.determination.get(sheet.determination_id)
        elif place == "violation":
            row = self.violations.get(part)
            if row is not None and name == "state":
                return "rectified" if row.rectified else "open"
        value = getattr(row, name, None)
        if isinstance(value, Decimal):
            return format((value / cell.field.scale).normalize(), "f")
        if isinstance(value, datetime.date):
            return value.isoformat()
        if isinstance(value, int):
            return str(value)
        return value or None


def year_of(sheet: FactSheet) -> int:
    """The year that a form's yearly figures are of: that of its survey."""
    return sheet.campaign.survey.year if sheet.campaign_id else sheet.subject.survey.year


@transaction.atomic
def enter(sheet: FactSheet, by: User) -> dict[str, int]:
    """Write what the form says and the registers do not; how many facts went into each register.

    Each fact is an edit of the person who gave it (`by` where the account is gone), so the history names him. What is
    marked 无法取得 changes nothing. Rules judge by it at the next run of `flag`.
    """
    sheet = FactSheet.objects.select_related("campaign__survey", "parcel__survey", "building__survey").get(pk=sheet.pk)
    known = _Known([sheet])
    facts: dict[tuple[int, str, int | None], dict[str, object]] = defaultdict(dict)
    for cell in forms.cells(sheet):
        given = forms.answer(sheet, cell)
        value = given.get("value")
        if not cell.field.writes or value is None or not forms.asked(sheet, cell) or known.of(sheet, cell) == value:
            continue
        if not known.holds(cell):  # a later delivery took the building or firm out; what was said of it stays here
            continue
        place, _dot, name = cell.field.writes.partition(".")
        scaled = Decimal(value) * cell.field.scale if cell.field.type in ("number", "integer") else value
        facts[given.get("by") or by.pk, place, cell.part["id"] if cell.part else None][name] = scaled
    authors = User.objects.in_bulk({author for author, _place, _part in facts})
    counts: dict[str, int] = defaultdict(int)
    # Past Django's cursor: what it says of the request would make everything the edit of whoever checks the form.
    with connection.connection.cursor() as cursor:
        # Of the state of use first: no register says since when land is idle that it says is in use.
        for (author, place, part), told in sorted(facts.items(), key=lambda one: "state" not in one[1]):
            authored(cursor, authors.get(author, by), form=sheet.pk, checked_by=by.pk)
            if written := WRITERS[place](cursor, sheet, part, told):
                counts[place] += written
    FactSheet.objects.filter(pk=sheet.pk).update(entered_at=timezone.now())
    return dict(counts)


def _building(cursor, sheet: FactSheet, part: int, told: dict) -> int:
    extra = {VACANT_SINCE: told.pop("vacant_since").replace("-", "")} if "vacant_since" in told else {}
    written = {"floor_area_m2", "vacant_m2", "built_year", "safety_grade"} & set(told)
    cursor.execute(
        f"UPDATE units_building SET {''.join(f'{name} = %({name})s, ' for name in sorted(written))}"
        "extra = extra || %(extra)s::jsonb, version = version + 1 WHERE id = %(id)s",
        {name: told[name] for name in written} | {"extra": json.dumps(extra), "id": part},
    )
    return len(written) + len(extra)


def _parcel(cursor, sheet: FactSheet, part: None, told: dict) -> int:
    if sheet.parcel_id is None:
        return 0  # a building has no parcel of its own whose owner could have said anything
    wish = {name.partition(".")[2]: value for name, value in told.items()}
    cursor.execute(
        "UPDATE units_parcel SET owner_wish = owner_wish || %(wish)s::jsonb, version = version + 1 WHERE id = %(id)s",
        {"wish": json.dumps(wish, ensure_ascii=False), "id": sheet.parcel_id},
    )
    return len(wish)


def _year(cursor, sheet: FactSheet, part: int, told: dict) -> int:
    names = sorted({"tax_cny", "output_cny", "sales_cny", "energy_tce", "employees"} & set(told))
    cursor.execute(
        f"INSERT INTO units_enterpriseyear (enterprise_id, year, grade, extra, {', '.join(names)})"
        f" VALUES (%(firm)s, %(year)s, '', '{{}}', {', '.join(f'%({name})s' for name in names)})"
        f" ON CONFLICT (enterprise_id, year) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in names)}",
        {name: told[name] for name in names} | {"firm": part, "year": year_of(sheet)},
    )
    return len(names)


def _use(cursor, sheet: FactSheet, part: None, told: dict) -> int:
    if told.get("state") == UseState.State.IN_USE:
        told |= {"idle_since": None, "idle_m2": None}
    if "owner_department" in told:
        district = sheet.subject.district_id
        found = Department.objects.filter(district=district, code=told.pop("owner_department")).first()
        told["owner_department_id"] = found and found.pk
    if "measures" in told:
        told["measures"] = json.dumps([one for one in told["measures"] if one != "none"])
    names = sorted({"state", "idle_since", "idle_m2", "measures", "owner_department_id"} & set(told))
    fixed = {"state": "", **told}
    also = [name for name in names if name != "state"]
    cursor.execute(
        "INSERT INTO units_usestate (survey_id, parcel_id, building_id, state, document, told_on, version, extra"
        f"{''.join(f', {name}' for name in also)})"
        " VALUES (%(survey)s, %(parcel)s, %(building)s, %(state)s, '', %(today)s, 1, '{}'"
        f"{''.join(f', %({name})s' for name in also)})"
        " ON CONFLICT ON CONSTRAINT use_state_once_a_subject DO UPDATE SET told_on = excluded.told_on,"
        f" version = units_usestate.version + 1{''.join(f', {name} = excluded.{name}' for name in names)}",
        fixed
        | {
            "survey": sheet.subject.survey_id,
            "parcel": sheet.parcel_id,
            "building": sheet.building_id,
            "today": timezone.localdate(),
        },
    )
    return len(names)


def _violation(cursor, sheet: FactSheet, part: int, told: dict) -> int:
    # Its cells belong together: where one of them changed, the paper is told with all that the form says of it.
    said = {
        cell.field.writes.partition(".")[2]: forms.answer(sheet, cell).get("value")
        for cell in forms.cells(sheet)
        if cell.field.writes.startswith("violation.") and cell.part["id"] == part
    }
    if said.get("state") not in ("open", "rectified") or not said.get("document") or not said.get("happened_on"):
        return 0
    authority = Department.objects.filter(district=sheet.subject.district_id, code="ecology").first()
    cursor.execute(
        "INSERT INTO units_violation (enterprise_id, field, authority, document, happened_on, rectified, version,"
        " extra) VALUES (%(firm)s, 'environment', %(authority)s, %(document)s, %(day)s, %(rectified)s, 1, '{}')"
        " ON CONFLICT (enterprise_id, document) DO UPDATE SET rectified = excluded.rectified,"
        " happened_on = excluded.happened_on, version = units_violation.version + 1",
        {
            "firm": part,
            "authority": authority.name if authority else "",
            "document": said["document"],
            "day": said["happened_on"],
            "rectified": said["state"] == "rectified",
        },
    )
    return len(told)


def _determination(cursor, sheet: FactSheet, part: None, told: dict) -> int:
    cursor.execute(
        "UPDATE units_determination SET subtype = %(subtype)s WHERE id = %(id)s",
        {"subtype": told["subtype"], "id": sheet.determination_id},
    )
    return cursor.rowcount


def _day(delivered) -> str | None:
    text = str(delivered or "")
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else text or None


WRITERS = {
    "building": _building,
    "parcel": _parcel,
    "year": _year,
    "use": _use,
    "violation": _violation,
    "determination": _determination,
}
