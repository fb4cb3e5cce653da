"""Draw a small district on a metre grid: parcels, patches and buildings with areas that can be computed by hand."""

from datetime import UTC, datetime
from decimal import Decimal

import shapely
from pyproj import Transformer
from shapely.geometry import MultiPolygon, Polygon, box

from units.models import Building, Delivery, District, LandUsePatch, Parcel, Survey

SRID = 4527  # zone 39 of CGCS2000, eastings with the zone number
EAST, NORTH = 39_514_000.0, 4_329_000.0  # the corner of the drawing, in Nankai
_to_degrees = Transformer.from_crs(SRID, 4490, always_xy=True).transform


def shape(*boxes) -> str:
    """WKT in degrees of boxes (x0, y0, x1, y1), or of one polygon given as points, in metres of the drawing."""
    polygons = [box(*one) if len(one) == 4 and not isinstance(one[0], tuple) else Polygon(one) for one in boxes]
    drawn = shapely.transform(MultiPolygon(polygons), lambda points: points + (EAST, NORTH))
    return shapely.transform(drawn, _to_degrees, interleaved=False).wkt


class Land:
    """A district with one survey in force; draw into it."""

    def __init__(self, code: str = "120104", year: int = 2022, layers=("dltb", "building")):
        self.district, _ = District.objects.get_or_create(code=code, defaults={"name": "南开区", "srid": SRID})
        self.survey = Survey.objects.create(
            district=self.district, year=year, state="in_force", activated_at=datetime(2024, 1, 1, tzinfo=UTC)
        )
        self.deliveries = {}
        for profile in layers:
            self.deliver(profile)
        self.serial = 0

    def deliver(self, profile: str) -> Delivery:
        self.deliveries[profile] = Delivery.objects.create(
            survey=self.survey,
            district=self.district,
            profile=profile,
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

    def patch(self, dlbm: str, *boxes, scheme="sandiao") -> LandUsePatch:
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
            area_m2=1,
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
