"""Found a district: its row, its street offices' areas and the register of its departments, from data files."""

import csv
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from units.errors import UnknownName
from units.models import Department, DepartmentAlias, District, Street

DATA = Path(__file__).parent / "data"


@transaction.atomic
def found(district_code: str) -> dict:
    """Make what is missing of a district and leave what is there; counts of what was made.

    The names are facts (`units/data/*.csv`, sources marked); boundaries come with a delivery. The departments are
    those of 南开政办发〔2024〕1号 with the aliases the text itself uses (NK018), made for any district alike.
    """
    districts = {row["code"]: row for row in rows("districts")}
    if district_code not in districts:
        raise UnknownName(district_code, districts, _("district"))
    row = districts[district_code]
    district, new = District.objects.get_or_create(
        code=district_code, defaults={"name": row["name"], "srid": int(row["srid"])}
    )
    made = {"district": district_code, "new": new, "streets": 0, "departments": 0, "aliases": 0}
    for row in rows("departments"):
        department, new = Department.objects.get_or_create(
            district=district, code=row["code"], defaults={"name": row["name"]}
        )
        made["departments"] += new
        for name in filter(None, row["aliases"].split(";")):
            made["aliases"] += alias(department, name)
    for row in rows("streets"):
        if row["district"] != district_code:
            continue
        street, new = Street.objects.get_or_create(
            code=row["code"], defaults={"district": district, "name": row["name"]}
        )
        made["streets"] += new
        office, new = Department.objects.get_or_create(
            district=district,
            code=f"street-{street.code}",
            defaults={"name": f"{street.name}办事处", "street": street},
        )
        made["departments"] += new
        made["aliases"] += alias(office, street.name)
    return made


def alias(department: Department, name: str) -> bool:
    """Let a department be known by another name; whether that is new."""
    return DepartmentAlias.objects.get_or_create(
        district=department.district, name=name, defaults={"department": department}
    )[1]


def rows(name: str) -> list[dict]:
    """One data file of this folder."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))
