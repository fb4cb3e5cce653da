"""Boundary points that are pasted become the shape that they describe, or a sentence that names the line."""

import pytest

from units import boundary
from units.errors import UsageError

SRID = 4527  # CGCS2000, 3° zone 39
TABLE = """点号 X Y 边长
J1 4334567.123 39512345.678 100.00
J2 4334667.123 39512345.678 99.94
J3 4334667.100 39512445.600 141.35
J1 4334567.123 39512345.678
"""
SURVEY = """[属性描述]
格式版本号=1.01版本
坐标系=2000国家大地坐标系
几度分带=3
带号=39
[地块坐标]
3,0.5,地块一,面,,,,@
J1,1,4334567.123,512345.678
J2,1,4334667.123,512345.678
J3,1,4334667.100,512445.600
J1,1,4334567.123,512345.678
J4,2,4334640.0,512360.0
J5,2,4334650.0,512360.0
J6,2,4334650.0,512370.0
3,0.5,地块二,面,,,,@
J1,1,4335567.123,512345.678
J2,1,4335667.123,512345.678
J3,1,4335667.100,512445.600
"""


def test_a_table_of_numbered_plane_points_is_one_ring_whatever_columns_follow():
    made = boundary.read(TABLE, SRID)
    ((ring,),) = made.polygons
    assert len(ring) == made.points == 3
    assert ring[0] == pytest.approx((117.1428074, 39.1446035), abs=1e-7)
    (rings,) = made.geometry["coordinates"]
    assert rings[0][0] == rings[0][-1]
    assert "39" in made.told


def test_the_exchange_text_of_a_survey_keeps_holes_plots_and_its_zone():
    made = boundary.read(SURVEY, 4526)  # the district's own zone would be another
    assert [[len(ring) for ring in polygon] for polygon in made.polygons] == [[3, 3], [3]]
    assert made.polygons[0][0][0] == boundary.read(TABLE, SRID).polygons[0][0][0]


def test_degrees_in_any_order_and_rings_parted_by_an_empty_line():
    made = boundary.read(
        "117.15 39.12\n39.13，117.16\n3 117.15 39.13\n\n20 117.25 39.12\n117.26 39.12\n117.26 39.13", SRID
    )
    assert [len(polygon[0]) for polygon in made.polygons] == [3, 3]
    assert made.polygons[0][0][1] == (117.16, 39.13)
    assert made.polygons[1][0][0] == (117.25, 39.12)  # not latitude 20, longitude 117.25


def test_one_point_alone_is_a_point():
    assert boundary.read("东经117°09′00″ 北纬39°07′12″", SRID).point == pytest.approx((117.15, 39.12))
    assert boundary.read(TABLE, SRID).point is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TABLE.replace("J2 4334667.123", "J2 43346"), "3: J2 43346"),
        ("J1 4334567.123 39512345.678\nJ2 4334667.123 39512345.678", "2"),
        ("   \n", ""),
        (SURVEY.replace("2000国家大地坐标系", "1980西安坐标系"), "1980西安坐标系"),
        ("1 2\n" * 3, "1: 1 2"),
    ],
)
def test_what_is_no_outline_is_refused_with_the_line(text, told):
    with pytest.raises(UsageError) as refused:
        boundary.read(text, SRID)
    assert told in str(refused.value)
    assert refused.value.hint


def test_more_points_than_a_shape_may_have_are_refused():
    with pytest.raises(UsageError):
        boundary.read("117.15 39.12\n" + "\n".join(f"117.15 39.{12 + i:05d}" for i in range(boundary.MOST + 1)), SRID)
