"""Tell who uses a parcel or building, what those firms pay, and what was agreed when the land was supplied."""

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from units.models import EnterpriseYear, Occupancy, SupplyContract

TEN_THOUSAND = 10_000  # money is shown in 万元, as every table of the departments has it


def firms(used: QuerySet[Occupancy], figures: bool) -> list[dict]:
    """Each firm among these occupancies, the one with most floor area first.

    `figures`: whether the reader may know tax, energy and grade (rights.sees_figures); without it none is read.
    """
    years = EnterpriseYear.objects.order_by("-year") if figures else EnterpriseYear.objects.none()
    rows = used.select_related("enterprise", "building").prefetch_related(Prefetch("enterprise__years", years))
    found: dict[int, dict] = {}
    for row in rows:
        firm = found.setdefault(row.enterprise_id, _firm(row.enterprise))
        firm["places"].append(
            {
                "building": str(row.building) if row.building else "",
                "floor_area_m2": row.floor_area_m2,
                "land_area_m2": row.land_area_m2,
                "rents": row.is_tenant,
                "since": row.since,
                "until": row.until,
            }
        )
        firm["rents"] = firm["rents"] or bool(row.is_tenant)
        firm["floor_area_m2"] += row.floor_area_m2 or 0
    return sorted(found.values(), key=lambda firm: (-firm["floor_area_m2"], firm["name"]))


def _firm(enterprise) -> dict:
    penalty = {name: enterprise.extra.get(name) for name in ("处罚机关", "处罚文号", "处罚日期", "是否整改")}
    return {
        "name": enterprise.name,
        "sector": enterprise.sector,
        "sector_edition": enterprise.sector_edition,
        "above_scale": enterprise.above_scale,
        "strategic": enterprise.strategic,
        "started_on": enterprise.started_on,
        "penalty": _penalty(penalty) if penalty["处罚文号"] else "",
        "penalty_open": bool(penalty["处罚文号"]) and penalty["是否整改"] != "是",
        "rents": False,
        "floor_area_m2": 0,
        "places": [],
        "years": [_year(row) for row in enterprise.years.all()],
    }


def _penalty(told: dict) -> str:
    day = str(told["处罚日期"] or "")[:10]
    return _("Penalty %(number)s of %(day)s by %(authority)s") % {
        "number": told["处罚文号"],
        "day": day or _("unknown date"),
        "authority": told["处罚机关"] or _("unknown authority"),
    }


def _year(row: EnterpriseYear) -> dict:
    return {
        "year": row.year,
        "tax": _ten_thousands(row.tax_cny),
        "output": _ten_thousands(row.output_cny),
        "energy": row.energy_tce,
        "grade": row.get_grade_display() if row.grade else None,
    }


def _ten_thousands(value):
    return None if value is None else value / TEN_THOUSAND


def contracts(parcel: int) -> list[dict]:
    """The supply contracts of a parcel, the latest first, with the share of the agreed investment that was made."""
    rows = SupplyContract.objects.filter(parcel=parcel).order_by("-signed_on", "pk")
    return [
        {
            "number": row.number,
            "signed_on": row.signed_on,
            "supplemented_on": row.supplemented_on,
            "start_agreed": row.start_agreed,
            "start_actual": row.start_actual,
            "stopped_on": row.stopped_on,
            "completion_agreed": row.completion_agreed,
            "completion_actual": row.completion_actual,
            "investment_agreed": _ten_thousands(row.investment_agreed_cny),
            "investment_actual": _ten_thousands(row.investment_actual_cny),
            "invested": row.investment_actual_cny / row.investment_agreed_cny
            if row.investment_actual_cny is not None and row.investment_agreed_cny
            else None,
        }
        for row in rows
    ]
