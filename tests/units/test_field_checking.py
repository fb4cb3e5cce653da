"""A look on the spot is kept with its photos and position, once, by those who look, and is never changed."""

import io
import math
import uuid

import pytest
import town
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from PIL import ExifTags, Image

from units import field_checking, photos
from units.errors import InputUnreadable, NotAllowed, NotFound, Refused, UnknownName, UsageError
from units.models import FieldCheck, Parcel
from units.rights import Role

CODE = "120104001001GB00000"


@pytest.fixture(autouse=True)
def kept_apart(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def street(db):
    town.build()
    return town.scoped_user(Role.STREET, town.NANKAI, "120104001")


def jpeg(width: int = 64, height: int = 48, place: tuple[float, float] | None = None, turned: int = 1) -> bytes:
    """A photo; with `place` (lng, lat) the camera wrote where it was, and a time."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turned
    if place:
        exif[ExifTags.Base.DateTime] = "2024:03:05 09:30:00"
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(
            {
                ExifTags.GPS.GPSLatitudeRef: "N",
                ExifTags.GPS.GPSLatitude: parts(place[1]),
                ExifTags.GPS.GPSLongitudeRef: "E",
                ExifTags.GPS.GPSLongitude: parts(place[0]),
            }
        )
    body = io.BytesIO()
    Image.new("RGB", (width, height), "#884422").save(body, "JPEG", exif=exif)
    return body.getvalue()


def parts(value: float) -> tuple[float, float, float]:
    degrees, rest = divmod(value * 3600, 3600)
    return (degrees, *divmod(rest, 60))


def look(by, code=CODE, token=None, **more):
    return field_checking.look(code, by, token or uuid.uuid4(), **{"verdict": "as_recorded"} | more)


def test_a_check_keeps_who_stood_where_and_what_the_camera_says(street):
    inside = Parcel.objects.get(code=CODE).geom.point_on_surface.coords
    made = look(street, position=inside, accuracy_m=8.0, files=[("门前.jpg", jpeg(place=(117.1501, 39.1002)))])
    assert (made.by, made.distance_m, made.accuracy_m) == (street, 0.0, 8.0)
    assert made.position.coords == inside
    (photo,) = made.photos.all()
    assert photo.taken_at == "2024-03-05 09:30:00"
    assert photo.position.coords == pytest.approx((117.1501, 39.1002), abs=1e-6)
    assert photo.document.title == "门前.jpg"


def test_the_distance_is_that_to_the_land_on_the_ellipsoid(street):
    west, south, _east, _north = Parcel.objects.get(code=CODE).geom.extent
    made = look(street, position=(west, south - 0.001))
    assert made.distance_m == pytest.approx(111.03, abs=0.05)  # a thousandth of a degree of latitude at 39° north


def test_the_same_token_is_one_check_however_often_it_is_sent(street):
    token = uuid.uuid4()
    first = look(street, token=token)
    assert look(street, token=token, verdict="differs", note="x") == first
    assert FieldCheck.objects.count() == 1
    assert look(street) != first


def test_what_is_refused_says_why_and_keeps_nothing(street):
    for told, error in (
        ({"verdict": "nonsense"}, UnknownName),
        ({"verdict": "differs"}, Refused),
        ({"verdict": "differs", "note": "  "}, Refused),
        ({"note": "x" * 2001}, UsageError),
        ({"position": (39.1, 117.15)}, UsageError),
        ({"position": (math.nan, 39.1)}, UsageError),
        ({"files": [("a.svg", b"<svg/>")]}, InputUnreadable),
        ({"files": [("a.pdf", b"%PDF-1.7")]}, InputUnreadable),
        ({"files": [(f"{number}.jpg", jpeg()) for number in range(21)]}, UsageError),
    ):
        with pytest.raises(error):
            look(street, **told)
    assert not FieldCheck.objects.exists()


def test_others_than_those_who_look_and_other_streets_are_refused(street):
    with pytest.raises(NotAllowed):
        look(town.scoped_user(Role.BUREAU, None, None))
    with pytest.raises(NotFound):
        look(street, code="120104001001GB00001")
    look(town.scoped_user(Role.OFFICE, town.NANKAI, None))


def test_nobody_changes_or_deletes_a_check(street):
    made = look(street)
    for change in ("UPDATE units_fieldcheck SET note = 'x'", "DELETE FROM units_fieldcheck"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"{change} WHERE id = %s", [made.pk])
    assert FieldCheck.objects.get() == made


def test_a_camera_without_a_fix_or_with_broken_facts_stops_no_check(street):
    assert photos.taken(jpeg(place=(0.0, 0.0))).position is None
    assert photos.taken(b"\xff\xd8\xff broken") == photos.Taken()
    made = look(street, files=[("a.jpg", jpeg(place=(10.0, 50.0))), ("b.jpg", b"\xff\xd8\xff broken")])
    assert [one.position for one in made.photos.all()] == [None, None]  # Europe is not where this land lies


def test_the_small_picture_is_upright_and_holds_nothing_but_the_picture():
    made = photos.small(jpeg(1000, 500, place=(117.1, 39.1), turned=6))
    with Image.open(io.BytesIO(made)) as small:
        assert small.size == (240, 480)
        assert not small.getexif()
    assert photos.small(b"\xff\xd8\xff broken") is None


def test_a_photo_of_too_many_pixels_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(photos, "MOST_PIXELS", 100)
    assert photos.small(jpeg(20, 20)) is None


def test_the_page_keeps_what_was_sent_tells_what_is_wrong_and_hands_the_photo_out(street):
    client = Client()
    client.force_login(street)
    page = f"/field/{CODE}/"
    assert b"field-form" in client.get(page).content
    sent = {"token": str(uuid.uuid4()), "verdict": "differs", "note": "", "lng": "117.15", "lat": "39.1"}
    refused = client.post(page, sent)
    assert refused.status_code == 422
    assert sent["token"] in refused.content.decode()
    for wrong in ({"lng": "east"}, {"token": "none"}):
        assert client.post(page, sent | {"note": "厂房已拆除"} | wrong).status_code == 422
    photo = SimpleUploadedFile("门.jpg", jpeg(), content_type="text/html")
    answer = client.post(page, sent | {"note": "厂房已拆除", "photos": photo})
    assert answer.status_code == 302
    made = FieldCheck.objects.get()
    (kept,) = made.photos.all()
    shown = client.get(page).content.decode()
    assert "厂房已拆除" in shown
    assert f"/field/photos/{kept.pk}/small.jpg" in shown
    handed = client.get(f"/field/photos/{kept.pk}/")
    assert handed["Content-Disposition"].startswith("attachment")
    assert b"".join(handed.streaming_content) == jpeg()
    assert client.get(f"/field/photos/{kept.pk}/small.jpg")["Content-Type"] == "image/jpeg"
    other = Client()
    other.force_login(town.scoped_user(Role.STREET, town.NANKAI, "120104002"))
    for address in ("", "small.jpg"):
        assert other.get(f"/field/photos/{kept.pk}/{address}").status_code == 404


def test_the_desk_lists_what_is_under_survey_and_the_nearest_first(street):
    client = Client()
    client.force_login(town.scoped_user(Role.OFFICE, town.NANKAI, None))
    near = Parcel.objects.get(code="120104001001GB00001").geom.point_on_surface
    every = client.get("/field/?all=1").content.decode()
    codes = [
        code for code in Parcel.objects.filter(district=town.NANKAI).values_list("code", flat=True) if code in every
    ]
    assert CODE in codes
    ordered = client.get(f"/field/?all=1&lng={near.x}&lat={near.y}").content.decode()
    assert min(codes, key=ordered.index) == "120104001001GB00001"
    for wrong in ("?lng=117", "?lng=x&lat=39", "?page=0", "?lng=39&lat=117"):
        assert client.get(f"/field/{wrong}", headers={"Accept": "application/json"}).status_code == 400
