"""The addresses of the import: what they take, and what they say to whoever sends something else."""

import errno
import json
import uuid

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import UnreadablePostError
from django.test import Client
from town import scoped_user

from importers import attempts
from importers.models import Intake, IntakeLayer, MappingTemplate
from importers.profiles import profiles
from importers.views import uploads
from tests.importers.shapefiles import parts, shapefile, zipped
from units.models import District, Survey
from units.rights import IMPORTERS, Role

pytestmark = pytest.mark.usefixtures("nankai")

NOBODYS = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def folders(settings, tmp_path):
    settings.INTAKES_DIR = tmp_path / "intakes"
    return settings.INTAKES_DIR


@pytest.fixture
def analyst(nankai, monkeypatch):
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)  # a real hash costs a third of a second
    return scoped_user(Role.ANALYST, nankai.pk)


@pytest.fixture
def client(analyst):
    made = Client(headers={"Accept": "application/json"})
    made.force_login(analyst)
    return made


@pytest.fixture
def delivery(tmp_path):
    """The bytes of a zip that holds one layer."""
    return zipped(tmp_path / "dltb.zip", parts(shapefile(tmp_path / "drawn"))).read_bytes()


def sent(client, *files, district="120104", survey="2022", **headers):
    """POST files, each (name, bytes), as the page does."""
    given = [SimpleUploadedFile(name, body) for name, body in files]
    # Django's own test files lose what a name has before its last slash; a hostile client sends it.
    for one, (name, _body) in zip(given, files, strict=True):
        one._name = name
    return client.post("/import/", {"district": district, "survey": survey, "files": given}, headers=headers)


def code_of(response) -> tuple[int, str]:
    assert response["Content-Type"] == "application/problem+json", response.content[:300]
    told = response.json()
    assert told["detail"]
    return response.status_code, told["code"]


def opened(analyst, *, profile="dltb", **about) -> IntakeLayer:
    """A layer that was looked at."""
    intake = Intake.objects.create(
        district_id="120104", year=2022, by=analyst, state="open", files=[{"name": "a.zip", "size": 1, "kept": "a.zip"}]
    )
    told = {"profile": {"name": profile}, "columns": [{"name": "BSM"}], "sha256": "0" * 64} | about
    return intake.layers.create(number=1, file="a.zip", place=profile, name=profile, told=told)


def test_every_profile_is_imported_by_somebody():
    assert set(profiles()) == set(IMPORTERS)


def test_what_is_uploaded_lies_in_a_private_folder_and_waits_to_be_looked_at(client, folders, delivery):
    answer = sent(client, ("宗地 1.zip", delivery))
    assert answer.status_code == 201
    intake = Intake.objects.get()
    assert answer.json() == {"id": str(intake.pk), "url": f"/import/{intake.pk}/"}
    assert [one["name"] for one in intake.files] == ["宗地 1.zip"]
    assert (intake.folder / "宗地 1.zip").read_bytes() == delivery
    assert intake.folder.stat().st_mode & 0o777 == folders.stat().st_mode & 0o777 == 0o700
    told = client.get(f"/import/{intake.pk}.json").json()
    assert (told["state"], told["progress"]["step"], told["layers"], told["worker"]) == (
        "inspecting",
        "queued",
        [],
        False,
    )
    assert told["district"] == {"code": "120104", "name": "南开区"}
    assert client.get(f"/import/{intake.pk}/", headers={"Accept": "text/html"}).status_code == 200
    page = client.get("/import/", headers={"Accept": "text/html"}).content.decode()
    assert "宗地 1.zip" in page


def test_the_parts_of_a_shapefile_come_as_several_files_of_one_upload(client, tmp_path):
    path = shapefile(tmp_path / "loose")
    answer = sent(client, *((one.name, one.read_bytes()) for one in sorted(path.parent.iterdir())))
    assert answer.status_code == 201
    assert {one["kept"] for one in Intake.objects.get().files} == {"DLTB.shp", "DLTB.shx", "DLTB.dbf", "DLTB.prj"}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.zip", "passwd.zip"),
        ("..\\..\\windows\\x.zip", "x.zip"),
        ("x" * 300 + ".zip", "x" * 80 + ".zip"),
        ("地" * 300 + ".zip", "地" * 80 + ".zip"),
        ("a\u202egpj.zip", "agpj.zip"),
        (".bashrc.zip", "bashrc.zip"),
    ],
)
def test_a_name_is_never_a_path_and_never_too_long(client, folders, delivery, name, kept):
    assert sent(client, (name, delivery)).status_code == 201
    intake = Intake.objects.get()
    assert [one.name for one in intake.folder.iterdir()] == [kept]
    assert [one.name for one in folders.iterdir()] == [str(intake.pk)]


def test_what_cannot_be_an_upload_is_refused_with_a_sentence_and_leaves_nothing(client, folders, delivery, settings):
    District.objects.create(code="120103", name="河西区", srid=4527)
    assert code_of(sent(client, ("a.zip", delivery), district="120103")) == (403, "not-allowed")
    assert code_of(sent(client, ("a.zip", delivery), district="")) == (403, "not-allowed")
    assert code_of(sent(client, ("a.zip", delivery), survey="二〇二二")) == (400, "usage")
    assert code_of(sent(client, ("a.zip", delivery), survey="1022")) == (400, "usage")
    assert code_of(sent(client)) == (400, "usage")
    assert code_of(sent(client, ("a.zip", b""))) == (400, "empty-file")
    assert code_of(sent(client, ("a.zip", delivery), ("A.ZIP", delivery))) == (400, "sent-twice")
    assert code_of(sent(client, *((f"{number}.zip", b"x") for number in range(101)))) == (400, "too-many")
    broken = client.generic("POST", "/import/", b"--x\r\nnothing", content_type="multipart/form-data; boundary=x y\0")
    assert code_of(broken)[0] in (400, 403)
    settings.UPLOAD_MAX = 1000
    assert code_of(sent(client, ("a.zip", bytes(1500)))) == (400, "too-large")
    settings.UPLOAD_MAX = -999_000  # less than is declared: refused before a byte is read
    assert code_of(sent(client, ("a.zip", bytes(1500)))) == (400, "too-large")
    assert not Intake.objects.exists()
    assert list(folders.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing(client, folders, delivery, monkeypatch):
    def full(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(uploads.Receiving, "written", full)
    assert code_of(sent(client, ("a.zip", delivery))) == (422, "disk-full")
    assert list(folders.iterdir()) == []


def test_a_page_of_another_site_uploads_nothing(analyst, folders, delivery):
    client = Client(enforce_csrf_checks=True, headers={"Accept": "application/json"})
    client.force_login(analyst)
    assert sent(client, ("a.zip", delivery)).status_code == 403
    assert not folders.exists() or list(folders.iterdir()) == []
    client.get("/import/", headers={"Accept": "text/html"})
    token = client.cookies["csrftoken"].value
    assert sent(client, ("a.zip", delivery), **{"X-CSRFToken": token}).status_code == 201


def test_an_upload_that_breaks_off_is_told_as_such_and_leaves_nothing(client, folders, monkeypatch):
    def lost(*_arguments):
        raise UnreadablePostError("connection lost")

    monkeypatch.setattr(uploads.Receiving, "receive_data_chunk", lost)
    assert code_of(sent(client, ("a.zip", b"abc"))) == (400, "usage")
    assert list(folders.iterdir()) == []


def test_what_was_not_previewed_cannot_be_confirmed_shown_or_stopped(client, analyst):
    layer = opened(analyst)
    base = f"/import/{layer.intake_id}"
    assert code_of(post(client, f"{base}/confirm.json", layer=1)) == (409, "not-previewed")
    assert code_of(post(client, f"{base}/stop.json", layer=1)) == (409, "not-running")
    assert code_of(client.get(f"{base}/1/rows.json")) == (409, "not-previewed")
    assert code_of(client.get(f"{base}/1/12/3/4.mvt")) == (409, "not-previewed")


def test_what_names_nothing_is_told_as_such(client, analyst):
    layer = opened(analyst)
    base = f"/import/{layer.intake_id}"
    assert code_of(post(client, f"{base}/preview.json", layer=2, profile="dltb")) == (404, "not-found")
    assert code_of(post(client, f"{base}/preview.json", layer=10**30, profile="dltb")) == (404, "not-found")
    assert code_of(post(client, f"{base}/preview.json", profile="dltb")) == (400, "usage")
    assert code_of(post(client, f"{base}/preview.json", layer=1, profile="nothing")) == (400, "unknown-name")
    assert code_of(post(client, f"{base}/preview.json", layer=1, profile="enterprise_year")) == (403, "not-allowed")
    assert code_of(post(client, f"{base}/preview.json", layer=1, profile="dltb", crs="\0")) == (400, "usage")
    assert code_of(post(client, f"{base}/preview.json", layer=1, profile="dltb", mapping={"x": 1})) == (400, "usage")
    assert code_of(post(client, f"{base}/preview.json", layer=1, profile="dltb", nonsense=1)) == (400, "usage")
    assert code_of(post(client, f"/import/{NOBODYS}/preview.json", layer=1, profile="dltb")) == (404, "not-found")
    assert code_of(client.get(f"/import/{NOBODYS}.json")) == (404, "not-found")
    assert code_of(client.get("/import/deliveries/99999999999999999999.json")) == (404, "not-found")
    assert code_of(client.get("/import/deliveries/?survey=x")) == (400, "usage")
    assert code_of(client.get("/import/deliveries/?colour=red")) == (400, "unknown-name")
    layer.refresh_from_db()
    assert layer.state == "waiting"


def test_an_upload_of_somebody_else_is_seen_by_those_who_may_import_it(client, analyst):
    theirs = opened(scoped_user(Role.LEAD, "120104"), profile="enterprise")
    assert code_of(client.get(f"/import/{theirs.intake_id}.json")) == (404, "not-found")
    assert code_of(client.delete(f"/import/{theirs.intake_id}/")) == (404, "not-found")
    mine = opened(analyst)
    other = Client(headers={"Accept": "application/json"})
    other.force_login(scoped_user(Role.ANALYST))  # of every district
    assert other.get(f"/import/{mine.intake_id}.json").json()["layers"][0]["name"] == "dltb"
    assert other.delete(f"/import/{mine.intake_id}/").status_code == 204
    assert code_of(client.get(f"/import/{mine.intake_id}.json")) == (404, "not-found")


def test_a_layer_that_is_worked_on_is_not_asked_for_twice(client, analyst):
    layer = opened(analyst)
    address = f"/import/{layer.intake_id}/preview.json"
    first = post(client, address, layer=1, profile="dltb", encoding="GB18030", crs="EPSG:4527")
    assert first.status_code == 202
    assert first.json()["state"] == "previewing"
    assert first.json()["asked"]["crs"] == "EPSG:4527"
    assert code_of(post(client, address, layer=1, profile="dltb")) == (409, "running")
    stopped = post(client, f"/import/{layer.intake_id}/stop.json", layer=1).json()
    assert (stopped["state"], stopped["error"]["code"]) == ("waiting", attempts.STOP)


def test_what_is_confirmed_is_the_preview_that_was_looked_at(client, analyst):
    layer = opened(analyst)
    layer.asked = {"profile": "dltb", "encoding": "", "crs": "", "mapping": None, "replace": False}
    layer.basis, layer.result, layer.preview, layer.state = layer.standing(), {}, uuid.uuid4(), "previewed"
    layer.save()
    address = f"/import/{layer.intake_id}/confirm.json"
    assert code_of(post(client, address, layer=1, preview=NOBODYS)) == (409, "stale")
    assert post(client, address, layer=1, preview=str(layer.preview)).json()["state"] == "importing"


def test_what_a_verb_is_not_asked_for_is_refused_and_does_nothing(client, analyst, folders, delivery):
    layer = opened(analyst)
    base = f"/import/{layer.intake_id}"
    for address in ("preview.json", "confirm.json", "stop.json", "again.json"):
        assert code_of(post(client, f"{base}/{address}?force=1", layer=1, profile="dltb")) == (400, "unknown-name")
    assert code_of(post(client, "/import/mappings.json?force=1")) == (400, "unknown-name")
    upload = SimpleUploadedFile("a.zip", delivery)
    given = {"district": "120104", "survey": "2022", "files": upload}
    assert code_of(client.post("/import/?force=1", given)) == (400, "unknown-name")
    assert list(folders.glob("*")) == []


def test_a_folder_that_cannot_be_written_is_told_and_leaves_nothing(client, folders, delivery, monkeypatch):
    monkeypatch.setattr(uploads, "clean", lambda name: "x" * 300)
    assert code_of(sent(client, ("a.zip", delivery))) == (422, "unwritable")
    assert list(folders.glob("*")) == []


def test_a_foreign_value_that_no_database_stores_is_refused(client, analyst):
    layer = opened(analyst)
    for said in ("\0", "x" * 300):
        mapping = {"profile": "dltb", "values": {"DLBM": {said: "0101"}}}
        asked = {"layer": 1, "profile": "dltb", "mapping": mapping}
        assert code_of(post(client, f"/import/{layer.intake_id}/preview.json", **asked)) == (400, "usage")


def test_a_survey_in_force_is_told_before_anything_is_tried(client, analyst, nankai):
    layer = opened(analyst)
    assert client.get(f"/import/{layer.intake_id}.json").json()["may_change"]
    Survey.objects.create(district=nankai, year=2022, state="in_force", activated_at="2023-01-01T00:00Z")
    told = client.get(f"/import/{layer.intake_id}.json").json()
    assert (told["may_change"], told["survey_state"]) == (False, "in_force")


def test_a_mapping_is_kept_for_ones_district_and_deleted_again(client, analyst):
    layer = opened(analyst)
    mapping = {"profile": "dltb", "fields": {"DLBM": "BSM"}}
    given = {"name": "村里的表", "mapping": mapping, "columns": ["BSM"], "district": "120104"}
    kept = post(client, "/import/mappings.json", **given)
    assert kept.status_code == 201
    assert [one["name"] for one in client.get("/import/mappings.json").json()["mappings"]] == ["村里的表"]
    (offered,) = client.get(f"/import/{layer.intake_id}.json").json()["layers"][0]["templates"]
    assert offered["mapping"]["fields"] == {"DLBM": "BSM"}
    assert code_of(post(client, "/import/mappings.json", **given | {"district": "120103"})) == (403, "not-allowed")
    assert code_of(post(client, "/import/mappings.json", **given | {"name": ""})) == (400, "usage")
    assert code_of(post(client, "/import/mappings.json", name="x")) == (400, "usage")
    lead = Client(headers={"Accept": "application/json"})
    lead.force_login(scoped_user(Role.LEAD, "120104"))
    number = kept.json()["id"]
    assert code_of(lead.delete(f"/import/mappings/{number}.json")) == (404, "not-found")
    assert client.delete(f"/import/mappings/{number}.json").status_code == 204
    assert not MappingTemplate.objects.exists()


def post(client, address, **body):
    return client.post(address, json.dumps(body), content_type="application/json")
