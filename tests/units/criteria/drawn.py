"""Draw a small district on a metre grid: parcels, patches and buildings with areas that can be computed by hand."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import shapely
from django.db import connection, transaction
from pyproj import Transformer
from shapely.geometry import MultiPolygon, Polygon, box

from units.criteria.measures import CONTROL_LAYERS, MEASURES, PLACE_LAYERS
from units.measuring import Base, forget, measure
from units.models import (
    Building,
    ControlArea,
    Delivery,
    District,
    Enterprise,
    EnterpriseYear,
    LandUsePatch,
    Occupancy,
    Parcel,
    SupplyContract,
    Survey,
)

SRID = 4527  # zone 39 of CGCS2000, eastings with the zone number
BASE = ("dltb", "building")
SHEETS = ("enterprise", "enterprise_year", "occupancy", "contract")
LAYERS = tuple(dict.fromkeys([*CONTROL_LAYERS, *PLACE_LAYERS]))
ALL = (*BASE, *SHEETS, *LAYERS)  # a delivery of each, so that nothing is missing for want of a layer
EAST, NORTH = 39_514_000.0, 4_329_000.0  # the corner of the drawing, in Nankai
_to_degrees = Transformer.from_crs(SRID, 4490, always_xy=True).transform


def shape(*boxes) -> str:
    """WKT in degrees of boxes (x0, y0, x1, y1), or of one polygon given as points, in metres of the drawing."""
    polygons = [box(*one) if len(one) == 4 and not isinstance(one[0], tuple) else Polygon(one) for one in boxes]
    drawn = shapely.transform(MultiPolygon(polygons), lambda points: points + (EAST, NORTH))
    return shapely.transform(drawn, _to_degrees, interleaved=False).wkt


class Land:
    """A district with one survey in force; draw into it.

    `layers` are the profiles that were delivered, and the kinds of control layers. Where the development boundary was,
    it lies around all that is drawn.
    """

    def __init__(self, code: str = "120104", year: int = 2022, layers=BASE):
        self.district, _ = District.objects.get_or_create(code=code, defaults={"name": "南开区", "srid": SRID})
        self.survey = Survey.objects.create(
            district=self.district, year=year, state="in_force", activated_at=datetime(2024, 1, 1, tzinfo=UTC)
        )
        self.deliveries = {}
        for profile in layers:
            self.deliver(profile)
        self.serial = 0
        if "development_boundary" in layers:
            self.control("development_boundary", (-5000, -5000, 5000, 5000))

    def deliver(self, profile: str) -> Delivery:
        kind = {"kind": profile, "edition": "2022"} if profile in LAYERS else {}
        further = {"further": ["处罚文号", "处罚机关", "处罚日期", "是否整改"]} if profile == "enterprise" else {}
        self.deliveries[profile] = Delivery.objects.create(
            survey=self.survey,
            district=self.district,
            profile="control" if kind else profile,
            settings=kind | further,
            file_name=f"{profile}.zip",
            layer=profile.upper(),
            sha256=f"{len(self.deliveries):064d}",
            size=1,
            encoding={},
            crs={},
        )
        return self.deliveries[profile]

    def reach(self, profile: str, box_drawn: tuple) -> None:
        """Say that a delivery held what lies in this box, in metres of the drawing."""
        delivery = self.deliveries[profile]
        delivery.settings["extent"] = list(shapely.from_wkt(shape(box_drawn)).bounds)
        delivery.save()

    def parcel(self, *boxes, use="0601", scheme="sandiao", **options) -> Parcel:
        self.serial += 1
        made = Parcel.objects.create(
            survey=self.survey,
            district=self.district,
            code=f"{self.district.code}001001GB{self.serial:05d}",
            registered_use=use,
            use_scheme=scheme if use else "unknown",
            geom=f"SRID=4490;{shape(*boxes)}",
            **options,
        )
        made.refresh_from_db()
        return made

    def patch(self, dlbm: str, *boxes, scheme="sandiao", area_m2=1, **options) -> LandUsePatch:
        self.serial += 1
        return LandUsePatch.objects.create(
            delivery=self.deliveries["dltb"],
            survey=self.survey,
            district=self.district,
            row_number=self.serial,
            row_digest=b"0" * 32,
            bsm=f"{self.district.code}2101{self.serial:08d}",
            dlbm=dlbm,
            scheme=scheme,
            geom=f"SRID=4490;{shape(*boxes)}",
            area_m2=area_m2,
            **options,
        )

    def building(self, *boxes, floors=None, floor_area=None, **options) -> Building:
        self.serial += 1
        return Building.objects.create(
            survey=self.survey,
            district=self.district,
            code=f"J{self.serial:06d}",
            floors=floors,
            floor_area_m2=None if floor_area is None else Decimal(str(floor_area)),
            geom=f"SRID=4490;{shape(*boxes)}",
            **options,
        )

    def control(self, kind: str, *boxes, in_force=True, **options) -> ControlArea:
        self.serial += 1
        return ControlArea.objects.create(
            district=self.district,
            kind=kind,
            edition="2022",
            in_force=in_force,
            code=f"K{self.serial:06d}",
            geom=f"SRID=4490;{shape(*boxes)}",
            **options,
        )

    def firm(self, *parcels, tax=None, floor_area=None, land_area=None, year=True, building=None, **options):
        """An enterprise on these parcels; areas are one number for all or one for each; `tax` is in yuan."""
        self.serial += 1
        output, grade = options.pop("output", None), options.pop("grade", "")
        options = {"sector": "3311", "above_scale": False, "strategic": False, "started_on": "2010-01-01"} | options
        made = Enterprise.objects.create(
            district=self.district,
            credit_code=f"91129999MA{self.serial:06d}XX",
            name=f"厂{self.serial}",
            sector_edition="2017" if options["sector"] else "",
            delivery=self.deliveries.get("enterprise"),
            **options,
        )
        if year:
            EnterpriseYear.objects.create(
                enterprise=made, year=self.survey.year, tax_cny=tax, output_cny=output, grade=grade
            )
        for place, parcel in enumerate(parcels):
            areas = [one[place] if isinstance(one, tuple) else one for one in (floor_area, land_area)]
            Occupancy.objects.create(
                enterprise=made, parcel=parcel, building=building, floor_area_m2=areas[0], land_area_m2=areas[1]
            )
        return made

    def contract(self, parcel, developed=None, **options) -> SupplyContract:
        self.serial += 1
        extra = {} if developed is None else {"已开发面积（平方米）": str(developed)}
        return SupplyContract.objects.create(parcel=parcel, number=f"H{self.serial}", extra=extra, **options)


def measured(land, subject=None):
    """Every measure (and gaps, classes) of one parcel or building, or of all by their keys (a building's below 0)."""
    with transaction.atomic(), connection.cursor() as cursor:
        measure(cursor, Base.of(land.district.code))
        names = ["subject", "gaps", "class_mix", *MEASURES]
        cursor.execute(f"SELECT subject, gaps, class_mix, {', '.join(MEASURES)} FROM measured")
        rows = {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}
        forget(cursor)
    for row in rows.values():
        row |= {
            name: json.loads(row[name] or "{}") for name in ("gaps", "class_mix")
        }  # raw SQL hands jsonb over as text
    if subject is None:
        return rows
    return rows[-subject.pk if isinstance(subject, Building) else subject.pk]
