"""Uploads from the files to the deliveries: what is kept, for how long, and what may be asked of them when."""

import os
from datetime import timedelta

import pytest
from django.utils import timezone
from town import scoped_user

from importers import attempts, jobs
from importers import intake as verbs
from importers.loading import load
from importers.models import Intake, IntakeLayer, PreviewRow, Repair, Retake
from importers.views import repairs
from tests.importers.containers import workbook
from tests.importers.shapefiles import parts, patch, shapefile, square, zipped
from units.errors import Refused, UsageError
from units.models import Delivery, District, LandUsePatch, Parcel
from units.rights import Role

ASKED = {"profile": "dltb", "encoding": "", "crs": "", "mapping": None, "replace": False, "template": None}


@pytest.fixture
def nankai(own_database, settings, tmp_path):
    """The district, in a database where a job's second connection sees what the first has written."""
    settings.INTAKES_DIR = tmp_path / "intakes"
    settings.DELIVERIES_DIR = tmp_path / "kept"
    return District.objects.create(code="120104", name="南开区", srid=4527)


def received(district, **files: bytes) -> Intake:
    number, folder = verbs.new_folder()
    told = []
    for name, content in files.items():
        (folder / name).write_bytes(content)
        told.append({"name": name, "kept": name, "size": len(content)})
    return verbs.receive(number, district, 2022, told, None)


def carried_out(row):
    """The row after its job was carried out, here and now."""
    task = {Intake: attempts.inspect_intake, IntakeLayer: attempts.preview_layer}[type(row)]
    if getattr(row, "state", "") == "importing":
        task = attempts.take_layer
    task(str(row.pk), row.job, "en")
    row.refresh_from_db()
    return row


def zip_of(folder, *shapefiles) -> bytes:
    members = {}
    for one in shapefiles:
        members |= parts(one)
    return zipped(folder / "made.zip", members).read_bytes()


def test_several_unrelated_files_are_one_upload_with_the_layers_of_each_in_the_order_of_need(nankai, tmp_path):
    survey = zip_of(tmp_path, shapefile(tmp_path / "a"))
    firms = workbook(tmp_path / "f.xlsx", {"企业": [["统一社会信用代码", "企业名称"], ["91120104MA00000001", "甲"]]})
    intake = received(nankai, **{"b.xlsx": firms.read_bytes(), "a.zip": survey, "c.txt": b"nothing in particular"})
    assert intake.state == "inspecting"
    carried_out(intake)
    assert [(one.number, one.file, one.recognised) for one in intake.layers.all()] == [
        (1, "a.zip", "dltb"),
        (2, "b.xlsx", "enterprise"),
    ]
    assert any("c.txt" in note for note in intake.notes)
    assert intake.state == "open"


def test_what_cannot_be_read_at_all_is_told_with_the_reason(nankai):
    intake = carried_out(received(nankai, **{"a.rar": b"Rar!\x1a\x07\x01\x00 and so on"}))
    assert intake.state == "failed"
    assert "RAR" in intake.error["message"] + intake.error["hint"]
    verbs.look_again(intake)
    intake.refresh_from_db()
    assert (intake.state, intake.error) == ("inspecting", None)


def test_a_layer_in_two_files_of_one_upload_is_one_delivery_in_two_parts(nankai, tmp_path):
    west = shapefile(tmp_path / "west", rows=[patch(1)])
    east = shapefile(tmp_path / "east", rows=[patch(2)], shapes=[[square(column=5)]])
    files = {"west.zip": zip_of(tmp_path, west), "east.zip": zip_of(tmp_path, east)}
    layers = list(carried_out(received(nankai, **files)).layers.all())
    for one in layers:  # both are previewed before the first is taken, which makes neither stale
        carried_out(verbs.preview(one, ASKED, None))
    for one in layers:
        taken = carried_out(verbs.confirm(one, None))
        assert (taken.state, taken.error) == ("imported", None)
        assert taken.result["gone"] == 0
    assert LandUsePatch.objects.count() == 2
    with pytest.raises(Refused) as told:
        verbs.preview(layers[0], ASKED, None)
    assert told.value.code == "imported"


def test_a_preview_is_kept_row_by_row_until_another_takes_its_place(nankai, tmp_path):
    layer = carried_out(received(nankai, **{"a.zip": zip_of(tmp_path, shapefile(tmp_path / "a"))})).layers.get()
    first = carried_out(verbs.preview(layer, ASKED, None))
    assert PreviewRow.objects.filter(preview=first.preview).count() == 2
    second = carried_out(verbs.preview(layer, ASKED, None))
    assert second.preview != first.preview
    assert set(PreviewRow.objects.values_list("preview", flat=True)) == {second.preview}
    verbs.discard(second.intake)
    assert not PreviewRow.objects.exists()


def test_what_was_discarded_during_its_preview_leaves_no_rows(nankai, tmp_path, monkeypatch):
    layer = carried_out(received(nankai, **{"a.zip": zip_of(tmp_path, shapefile(tmp_path / "a"))})).layers.get()
    layer = verbs.preview(layer, ASKED, None)

    def loaded(*arguments, **how):
        result = load(*arguments, **how)
        assert PreviewRow.objects.count() == 2
        verbs.discard(layer.intake)
        return result

    monkeypatch.setattr(attempts, "load", loaded)
    with pytest.raises(attempts.Superseded):
        attempts.preview_layer(str(layer.pk), layer.job, "en")
    assert not PreviewRow.objects.exists()
    assert not Intake.objects.exists()


def test_what_fails_says_why_in_the_language_of_who_asked_and_can_be_asked_again(nankai, tmp_path):
    layer = carried_out(received(nankai, **{"a.zip": zip_of(tmp_path, shapefile(tmp_path / "a"))})).layers.get()
    failed = carried_out(verbs.preview(layer, ASKED | {"crs": "EPSG:1"}, None))
    assert (failed.state, failed.basis) == ("failed", None)
    assert failed.error["message"].isascii()
    with pytest.raises(Refused) as told:
        verbs.confirm(failed, None)
    assert told.value.code == "not-previewed"
    assert carried_out(verbs.preview(layer, ASKED, None)).state == "previewed"


def test_a_job_that_was_replaced_writes_nothing(nankai, tmp_path):
    layer = carried_out(received(nankai, **{"a.zip": zip_of(tmp_path, shapefile(tmp_path / "a"))})).layers.get()
    carried_out(verbs.preview(layer, ASKED, None))
    layer = verbs.confirm(layer, None)
    with pytest.raises(attempts.Superseded):
        attempts.take_layer(str(layer.pk), layer.job + 1, "en")
    IntakeLayer.objects.filter(pk=layer.pk).update(begun_at=timezone.now())  # as if another had begun it
    with pytest.raises(attempts.Superseded):
        attempts.take_layer(str(layer.pk), layer.job, "en")
    with pytest.raises(attempts.Superseded):
        attempts.take_layer("12345678", layer.job, "en")
    assert not Delivery.objects.exists()


def test_a_preview_outlives_a_delivery_of_another_layer_and_not_one_of_its_own(nankai, tmp_path):
    layer = carried_out(received(nankai, **{"a.zip": zip_of(tmp_path, shapefile(tmp_path / "a"))})).layers.get()
    layer = carried_out(verbs.preview(layer, ASKED, None))
    firms = workbook(tmp_path / "f.xlsx", {"企业": [["统一社会信用代码", "企业名称"], ["91120104MA00000001", "甲"]]})
    load(firms, "enterprise", "120104", 2022)
    assert layer.standing() == layer.basis
    made = load(shapefile(tmp_path / "other", rows=[patch(7)]), "dltb", "120104", 2022)
    assert layer.standing() != layer.basis
    with pytest.raises(Refused) as told:
        verbs.confirm(layer, None)
    assert told.value.code == "stale"
    assert made["delivery"]
    assert not Parcel.objects.exists()


def test_repairs_that_are_agreed_to_are_taken_by_a_job_and_only_in_their_own_delivery(
    nankai, tmp_path, client, monkeypatch
):
    first, second, third, fourth, last = square(column=1)
    bow_tie = [[first, third, second, fourth, last]]
    path = shapefile(tmp_path / "broken", shapes=[[square()], bow_tie])
    other = load(shapefile(tmp_path / "b", rows=[patch(9)], shapes=[bow_tie]), "dltb", "120104", 2021)["delivery"]
    number = load(path, "dltb", "120104", 2022)["delivery"]
    analyst = scoped_user(Role.ANALYST, "120104")
    client.force_login(analyst)
    address = f"/import/deliveries/{number}/repairs.json"
    (proposed,) = client.get(address).json()["repairs"]
    assert client.get(f"/import/deliveries/{number}/repairs/{proposed['id']}.svg").content.startswith(b"<svg")
    (foreign,) = Repair.objects.filter(delivery=other).values_list("pk", flat=True)
    for sent, status in (({"accept": [foreign]}, 404), ({"accept": []}, 400), ({"accept": "x"}, 400), ({}, 400)):
        answer = client.post(address, sent, content_type="application/json", headers={"Accept": "application/json"})
        assert answer.status_code == status, sent

    def busy(_delivery, _by):
        raise Refused("The file is being taken once more just now.", "Wait.", code="running")

    with monkeypatch.context() as patched:
        patched.setattr(repairs, "retake", busy)
        answer = client.post(address, {"accept": "all"}, content_type="application/json")
        assert answer.status_code == 409
    assert [one["state"] for one in client.get(address).json()["repairs"]] == ["proposed"]
    told = client.post(address, {"accept": [proposed["id"]]}, content_type="application/json")
    assert (told.status_code, told.json()["job"]["step"]) == (202, "queued")
    row = Retake.objects.get()
    attempts.retake_delivery(str(row.pk), row.job, "en")
    told = client.get(address).json()
    assert (told["job"], told["error"]) == (None, None)
    made = Delivery.objects.get(pk=told["delivery"])
    assert made.imported_by == analyst
    assert LandUsePatch.objects.filter(survey__year=2022).count() == 2


def test_discarding_removes_the_files_and_keeps_what_was_imported(nankai, tmp_path):
    layer = carried_out(received(nankai, **{"a.zip": zip_of(tmp_path, shapefile(tmp_path / "a"))})).layers.get()
    carried_out(verbs.preview(layer, ASKED, None))
    carried_out(verbs.confirm(layer, None))
    assert layer.intake.folder.exists()
    verbs.discard(layer.intake)
    assert not layer.intake.folder.exists()
    assert Delivery.objects.count() == 1
    assert Intake.objects.get().state == "closed"
    with pytest.raises(Refused) as told:
        verbs.preview(layer, ASKED, None)
    assert told.value.code == "closed"
    nothing = received(nankai, **{"b.zip": b"PK"})
    job = nothing.job
    verbs.discard(nothing)
    assert Intake.objects.count() == 1
    assert jobs.how([job]) == {job: "dead"}


def test_what_nobody_decides_upon_is_tidied_away_after_its_time(nankai, manage, settings, tmp_path):
    old, young = received(nankai, **{"a.zip": b"PK"}), received(nankai, **{"b.zip": b"PK"})
    Intake.objects.filter(pk=old.pk).update(received_at=timezone.now() - verbs.KEPT_FOR - timedelta(hours=1))
    (stray := settings.INTAKES_DIR / "broke-off").mkdir()
    (coming := settings.INTAKES_DIR / "coming-in").mkdir()
    long_ago = (timezone.now() - timedelta(days=2)).timestamp()
    os.utime(stray, (long_ago, long_ago))
    (settings.INTAKES_DIR / "breaking-off").symlink_to("gone")  # as if it went between being listed and looked at
    done = manage("tidy_intakes", "--format", "json", GEOINV_INTAKES_DIR=str(settings.INTAKES_DIR))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == '{"discarded": 1, "folders": 1}'
    assert not old.folder.exists()
    assert not stray.exists()
    assert young.folder.exists()
    assert coming.exists()
    assert list(Intake.objects.all()) == [young]


def test_whatever_a_file_says_can_be_stored_as_json(nankai, monkeypatch):
    said = {"name": "a\0b\ud800", "extent": (float("nan"), 1.5, float("inf")), "rows": 2, "deep": [{"x\0": None}]}
    assert attempts.storable(said) == {
        "name": "a\ufffdb?",
        "extent": [None, 1.5, None],
        "rows": 2,
        "deep": [{"x\ufffd": None}],
    }
    intake = received(nankai, **{"a.zip": b"PK"})
    layer = {"name": "x\0", "place": "x\0", "profile": None, "samples": ["\ud800"]}
    monkeypatch.setattr(attempts, "inspect", lambda *_a, **_h: {"layers": [layer], "notes": ["\0"], "sha256": "0" * 64})
    assert carried_out(intake).state == "open"
    assert intake.layers.get().place == "x\ufffd"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("宗地.shp", "宗地.shp"),
        ("/etc/passwd", "passwd"),
        ("C:\\x\\宗地.DBF", "宗地.DBF"),
        ("..", "file"),
        ("", "file"),
        ("a/..", "file"),
        ("x.zip\n", "x.zip"),
        ("a:b?.zip", "a_b_.zip"),
        ("e\u0301.zip", "\u00e9.zip"),
        ("x" * 300 + ".shp", "x" * 80 + ".shp"),
        ("." * 300, "file"),
        ("\U00020000" * 90 + ".zip", "\U00020000" * 60 + ".zip"),
        ("中" * 90 + "." + "文" * 20, "中" * 80 + "." + "文" * 4),
    ],
)
def test_any_name_becomes_one_that_a_folder_takes(sent, kept, tmp_path):
    assert verbs.clean(sent) == kept
    (tmp_path / kept).touch()
    assert [one.name for one in tmp_path.iterdir()] == [kept]


def test_a_year_that_is_none_opens_no_upload(nankai):
    number, folder = verbs.new_folder()
    with pytest.raises(UsageError):
        verbs.receive(number, nankai, 1022, [{"name": "a", "kept": "a", "size": 1}], None)
    assert not Intake.objects.exists()
    assert folder.stat().st_mode & 0o777 == 0o700
