"""Draw a quarter of parcels on a grid of metres, stored in degrees as importers store them, for tests about units."""

from datetime import UTC, datetime

import numpy as np
import shapely
from django.contrib.gis.geos import GEOSGeometry

from units.geometry import degrees_of
from units.models import ControlArea, Delivery, District, LandUsePatch, LegacyLand, Parcel, Street, Survey

DISTRICT, OTHER_STREET, STREET = "120104", "120104002", "120104001"
SRID = 4548
ORIGIN = (510_000.0, 4_330_000.0)  # metres of the zone; near 117.12° E 39.10° N


def degrees(points) -> np.ndarray:
    """Metres from the quarter's corner as longitudes and latitudes; the same metres give the same numbers."""
    points = np.asarray(points, dtype=float)
    return np.column_stack(degrees_of(SRID).transform(points[:, 0] + ORIGIN[0], points[:, 1] + ORIGIN[1]))


def ring(*corners) -> list[list[float]]:
    """A closed GeoJSON ring of corners in metres."""
    return degrees([*corners, corners[0]]).tolist()


def corners(west, south, east, north) -> list[tuple[float, float]]:
    return [(west, south), (east, south), (east, north), (west, north)]


def rectangle(west, south, east, north) -> shapely.Polygon:
    """A rectangle of metres, in degrees."""
    return shapely.Polygon(ring(*corners(west, south, east, north)))


def geojson(west, south, east, north) -> dict:
    return {"type": "Polygon", "coordinates": [ring(*corners(west, south, east, north))]}


def stored(shape) -> GEOSGeometry:
    """A shapely polygon as the database takes it."""
    shape = shape if shape.geom_type == "MultiPolygon" else shapely.MultiPolygon([shape])
    return GEOSGeometry(memoryview(shapely.to_wkb(shape)), srid=4490)


def code(number: int) -> str:
    return f"{DISTRICT}001001GB{number:05d}"


def parcel(number: int, shape, street: str | None = STREET) -> Parcel:
    return Parcel.objects.create(
        survey=Survey.objects.get(district=DISTRICT, state="in_force"),
        district_id=DISTRICT,
        street_id=street,
        code=code(number),
        address=f"{number} Road",
        geom=stored(shape),
    )


def build() -> None:
    """A district of 2 km with a survey in force: parcels 0–8 of 100 m in three rows of three, 3 and 6 begin a row.

    Number 8 lies in the other street. One patch of 0701 lies under the two lower rows, one of 0601 under the upper.
    """
    district = District.objects.create(
        code=DISTRICT, name="南开区", srid=SRID, geom=stored(rectangle(-1000, -1000, 1000, 1000))
    )
    for name in (STREET, OTHER_STREET):
        Street.objects.create(code=name, district=district, name=name)
    survey = Survey.objects.create(district=district, year=2022)
    delivery = Delivery.objects.create(
        survey=survey,
        district=district,
        profile="dltb",
        file_name="a",
        layer="DLTB",
        sha256="0" * 64,
        size=1,
        encoding={},
        crs={},
    )
    for number, (dlbm, box) in enumerate((("0701", (0, 0, 300, 200)), ("0601", (0, 200, 300, 300)))):
        LandUsePatch.objects.create(
            delivery=delivery,
            survey=survey,
            district=district,
            street_id=STREET,
            row_number=number + 1,
            row_digest=bytes(32),
            bsm=f"{DISTRICT}{number:012d}",
            dlbm=dlbm,
            dlmc=f"class {dlbm}",
            geom=stored(rectangle(*box)),
            area_m2=(60_000, 30_000)[number],
        )
    survey.state, survey.activated_at = "in_force", datetime(2023, 1, 1, tzinfo=UTC)
    survey.save()
    for number in range(9):
        column, row = number % 3, number // 3
        box = (column * 100, row * 100, column * 100 + 100, row * 100 + 100)
        parcel(number, rectangle(*box), OTHER_STREET if number == 8 else STREET)


def legacy(shape, street: str | None = STREET, name: str = "L1") -> LegacyLand:
    return LegacyLand.objects.create(
        district_id=DISTRICT, street_id=street, code=name, address="by the river", geom=stored(shape)
    )


def control(kind: str, shape, name: str = "C1", in_force: bool = True) -> ControlArea:
    return ControlArea.objects.create(
        district_id=DISTRICT, kind=kind, edition="2024", in_force=in_force, code=name, name=name, geom=stored(shape)
    )
