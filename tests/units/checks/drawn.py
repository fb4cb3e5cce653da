"""Draw a small district whose plots are squares of 100 m in metres, so that a test draws what it wants to be told."""

from datetime import UTC, datetime

import numpy as np
import pyproj
import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from django.db import connection

from units.models import (
    Building,
    ControlArea,
    Delivery,
    District,
    Finding,
    LandUsePatch,
    LegacyLand,
    Parcel,
    RedevelopmentUnit,
    Street,
    Survey,
    User,
)

NANKAI, ZONE = "120104", 4548
EAST, NORTH = 510_000.0, 4_330_000.0  # metres of EPSG:4548, in Nankai
DEGREES = pyproj.Transformer.from_crs(ZONE, 4490, always_xy=True)


def box(west, south, east, north):
    """A rectangle in metres from the corner of the district."""
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def placed(shape) -> MultiPolygon:
    """A polygon in metres as it is stored; every vertex moved, none added."""
    moved = shapely.transform(shape, lambda points: np.column_stack(DEGREES.transform(*points.T)))
    found = GEOSGeometry(memoryview(shapely.to_wkb(moved)), srid=4490)
    return found if isinstance(found, MultiPolygon) else MultiPolygon(found, srid=4490)


class Ground:
    """One district with a survey in force, and what a test puts on it. Shapes are in metres."""

    def __init__(self, boundary=None):
        self.district = District.objects.update_or_create(
            code=NANKAI,
            defaults={"name": "南开区", "srid": ZONE, "geom": placed(boundary) if boundary is not None else None},
        )[0]
        self.street = Street.objects.get_or_create(
            code="120104001", defaults={"district": self.district, "name": "一街"}
        )[0]
        self.survey = Survey.objects.create(
            district=self.district, year=2022, state="in_force", activated_at=datetime(2023, 1, 1, tzinfo=UTC)
        )
        self.delivery = Delivery.objects.create(
            survey=self.survey,
            district=self.district,
            profile="dltb",
            file_name="dltb.zip",
            layer="DLTB",
            sha256="0" * 64,
            size=1,
            encoding={},
            crs={},
        )
        self.numbers = {}

    @staticmethod
    def neighbour(code: str, name: str) -> Survey:
        """Another district with a survey in force in which nothing lies."""
        district = District.objects.update_or_create(code=code, defaults={"name": name, "srid": ZONE})[0]
        return Survey.objects.create(
            district=district, year=2022, state="in_force", activated_at=datetime(2023, 1, 1, tzinfo=UTC)
        )

    def next(self, layer: str) -> int:
        self.numbers[layer] = self.numbers.get(layer, 0) + 1
        return self.numbers[layer]

    def parcel(self, shape, **values) -> str:
        code = f"120104001001GB{self.next('parcel'):05d}"
        Parcel.objects.create(
            survey=self.survey, district=self.district, street=self.street, code=code, geom=placed(shape), **values
        )
        return code

    def patch(self, shape, **values) -> str:
        number = self.next("patch")
        geom = placed(shape)
        given = {
            "bsm": f"120104210{number:09d}",
            "tbbh": str(number),
            "dlbm": "0601",
            "dlmc": "工业用地",
            "zldwdm": "1201040010010000000",
        } | values
        bsm = given.pop("bsm")
        if "area_m2" not in given:
            with connection.cursor() as cursor:
                cursor.execute("SELECT ST_Area(ST_GeomFromEWKB(%s)::geography)", [bytes(geom.ewkb)])
                given["area_m2"] = cursor.fetchone()[0]
        LandUsePatch.objects.create(
            delivery=self.delivery,
            survey=self.survey,
            district=self.district,
            street=self.street,
            row_number=number,
            bsm=bsm,
            geom=geom,
            **given,
        )
        return bsm

    def cover(self, columns=3, rows=3, side=100.0, without=()):
        """A cover of square patches that share their corners; the code of each by (column, row)."""
        return {
            (column, row): self.patch(box(column * side, row * side, (column + 1) * side, (row + 1) * side))
            for column in range(columns)
            for row in range(rows)
            if (column, row) not in without
        }

    def building(self, shape) -> str:
        code = f"B{self.next('building'):04d}"
        Building.objects.create(
            survey=self.survey, district=self.district, street=self.street, code=code, geom=placed(shape)
        )
        return code

    def legacy(self, shape, **values) -> str:
        code = f"LS{self.next('legacy'):04d}"
        LegacyLand.objects.create(district=self.district, street=self.street, code=code, geom=placed(shape), **values)
        return code

    def control(self, shape, kind="park", edition="1", **values) -> str:
        code = f"C{self.next('control'):04d}"
        ControlArea.objects.create(
            district=self.district, kind=kind, edition=edition, in_force=True, code=code, geom=placed(shape), **values
        )
        return code

    def unit(self, shape, **values) -> RedevelopmentUnit:
        author = User.objects.get_or_create(username="author")[0]
        code = f"U{self.next('unit'):04d}"
        return RedevelopmentUnit.objects.create(
            **{
                "district": self.district,
                "street": self.street,
                "code": code,
                "name": code,
                "created_by": author,
                "geom": placed(shape),
            }
            | values
        )


def metres(geom):
    """A stored shape in metres."""
    shape = shapely.from_wkb(bytes(geom.wkb))
    return shapely.transform(shape, lambda points: np.column_stack(DEGREES.transform(*points.T, direction="INVERSE")))


def open_findings():
    """(code, layer, subjects) of everything that is not resolved."""
    return {(one.code, one.layer, tuple(sorted(one.subjects))) for one in Finding.objects.unresolved()}
