"""The page of findings: who sees which, how they are filtered, and how one is accepted for a time."""

import io
import re
from datetime import timedelta

import openpyxl
import pytest
import town
from django.utils import timezone

from units.checks import reporting
from units.checks.waiving import version_of
from units.models import CheckRun, Finding, Waiver
from units.rights import Role

pytestmark = pytest.mark.rows("NK052")


@pytest.fixture
def office(the_town, client):
    user = town.scoped_user(Role.OFFICE, town.NANKAI)
    client.force_login(user)
    return client


def finding(number: int = 0) -> Finding:
    return Finding.objects.get(identity=f"finding-{number}")


def waive(client, number=0, reason="Both deeds are in court.", days=30, **more):
    until = (timezone.localdate() + timedelta(days)).isoformat()
    told = {"reason": reason, "until": until, "version": version(number), **more}
    return client.post(f"/findings/finding-{number}/waiver/", told)


def version(number=0) -> int:
    return version_of(Finding.objects.get(identity=f"finding-{number}"))


def test_a_reader_sees_the_findings_of_his_places_with_what_to_do(office):
    page = office.get("/findings/").content.decode()
    assert all(f'id="finding-{number}"' in page for number in (0, 1, 2))
    assert 'id="finding-3"' not in page  # another district's
    assert "Two parcels overlap." in page
    assert "Redraw one." in page
    assert "#&amp;finding=finding-0" in page


def test_a_street_office_sees_its_street_and_a_co_department_nothing(the_town, client):
    client.force_login(town.scoped_user(Role.STREET, town.NANKAI, "120104001"))
    page = client.get("/findings/").content.decode()
    assert 'id="finding-0"' in page
    assert 'id="finding-1"' not in page
    client.force_login(town.scoped_user(Role.CO, town.NANKAI))
    assert client.get("/findings/").status_code == 403
    assert client.get("/findings/list.xlsx").status_code == 403


def test_filters_narrow_the_list_and_an_unknown_word_is_an_error(office):
    Finding.objects.filter(identity="finding-1").update(severity="warning", layer="parcels")
    page = office.get("/findings/?severity=warning").content.decode()
    assert 'id="finding-1"' in page
    assert 'id="finding-0"' not in page
    assert 'id="finding-1"' in office.get("/findings/?layer=parcels").content.decode()
    assert 'id="finding-2"' not in office.get("/findings/?subject=GB00001").content.decode()
    for unknown in ("severity=awful", "layer=foo", "code=nonsense", "street=999", "state=resolved"):
        assert office.get(f"/findings/?{unknown}").status_code == 400, unknown
    assert office.get("/findings/?page=0000000019999999999999999999").status_code == 400
    assert office.get("/findings/?page=-1").status_code == 400


def test_percent_signs_in_a_subject_match_nothing_by_themselves(office):
    assert 'id="finding-0"' not in office.get("/findings/?subject=GB%25%25zz").content.decode()


def test_a_resolved_finding_is_on_the_list_no_more(office):
    Finding.objects.filter(identity="finding-0").update(state="resolved")
    assert 'id="finding-0"' not in office.get("/findings/").content.decode()


def test_every_page_is_reached_and_none_is_cut_off(office):
    district = finding().district
    Finding.objects.bulk_create(
        Finding(district=district, identity=f"many-{n:03}", code="4-gap", severity="error", subjects=[str(n)],
                sentence="A gap.", fix="Close it.")
        for n in range(120)
    )  # fmt: skip
    seen = "".join(office.get(f"/findings/?page={page}").content.decode() for page in (1, 2, 3))
    assert all(f'id="many-{n:03}"' in seen for n in range(120))
    assert 'rel="next"' not in office.get("/findings/?page=3").content.decode()


def test_a_waiver_hides_the_finding_keeps_its_reason_and_can_be_lifted(office):
    answer = waive(office)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/findings/?")
    assert 'id="finding-0"' not in office.get("/findings/").content.decode()
    page = office.get("/findings/?waived=yes").content.decode()
    assert 'id="finding-0"' in page
    assert "Both deeds are in court." in page
    assert office.post("/findings/finding-0/waiver/", {"lift": "1", "version": version()}).status_code == 302
    assert 'id="finding-0"' in office.get("/findings/").content.decode()
    kept = Waiver.objects.get()
    assert kept.lifted_at is not None
    assert kept.reason == "Both deeds are in court."


def test_who_waives_after_somebody_else_did_is_told_and_the_first_waiver_stands(office):
    before = version()
    waive(office, reason="The first.")
    again = waive(office, reason="The second.", version=before)
    assert again.status_code == 409
    assert "The second." in again.content.decode()  # what was typed is not lost
    assert Waiver.objects.get().reason == "The first."
    lifted = office.post("/findings/finding-0/waiver/", {"lift": "1", "version": before})
    assert (lifted.status_code, Waiver.objects.get().lifted_at) == (409, None)


def test_a_refused_waiver_keeps_what_was_typed_and_its_links_lead_back_to_the_list(office):
    district = finding().district
    Finding.objects.bulk_create(
        Finding(district=district, identity=f"z{n:03}", code="4-gap", severity="error", subjects=["1"])
        for n in range(60)
    )
    page = waive(office, reason="A good reason.", days=-1, query="page=2").content.decode()
    assert 'value="A good reason."' in page
    assert 'href="/findings/?' in page.partition('class="pages"')[2]


def test_the_counts_of_a_filter_stand_beside_the_others(office):
    Finding.objects.filter(identity="finding-1").update(severity="warning", layer="parcels")
    page = office.get("/findings/?severity=error").content.decode()
    assert re.search(r'value="warning">[^<]*\(1\)', page)
    assert re.search(r'value="error" selected>[^<]*\(2\)', page)
    assert not re.search(r'id="layer".*value="parcels"', page)


@pytest.mark.parametrize(("reason", "days"), [("", 30), ("   ", 30), ("Late.", -1)])
def test_a_waiver_without_reason_or_of_a_day_gone_by_is_refused_beside_its_form(office, reason, days):
    answer = waive(office, reason=reason, days=days, query="severity=error&page=1")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Waiver.objects.exists()


def test_no_day_is_told_so(office):
    answer = office.post("/findings/finding-0/waiver/", {"reason": "x", "until": "2027-02-31", "version": 0})
    assert answer.status_code == 422
    assert "2027-02-31" in answer.content.decode()


def test_who_may_not_waive_has_no_form_and_is_refused(the_town, client):
    client.force_login(town.scoped_user(Role.BUREAU))
    assert "/waiver/" not in client.get("/findings/").content.decode()
    assert waive(client).status_code == 403
    client.force_login(town.scoped_user(Role.OFFICE, town.NANKAI))
    assert waive(client, 3).status_code == 404  # another district's: as if there were none
    assert not Waiver.objects.exists()


def test_a_waiver_wakes_when_what_is_seen_changes_and_after_its_last_day(office):
    waive(office, days=0)
    assert 'id="finding-0"' not in office.get("/findings/").content.decode()
    Finding.objects.filter(identity="finding-0").update(fingerprint="another")
    assert 'id="finding-0"' in office.get("/findings/").content.decode()
    Finding.objects.filter(identity="finding-0").update(fingerprint=Waiver.objects.get().fingerprint)
    Waiver.objects.update(until=timezone.localdate() - timedelta(1))
    assert 'id="finding-0"' in office.get("/findings/").content.decode()


def test_the_filters_of_a_form_lead_nowhere_else(office):
    answer = waive(office, query="page=2&next=//evil.example&severity=error")
    assert answer["Location"] == "/findings/?severity=error&page=2#finding-0"


def sheet(content: bytes, number: int = 1):
    return openpyxl.load_workbook(io.BytesIO(content)).worksheets[number]


def test_the_workbook_holds_every_finding_of_the_filters_and_runs_no_formula(office):
    Finding.objects.filter(identity="finding-0").update(sentence='=HYPERLINK("http://x","y")', subjects=["=1+1"])
    answer = office.get("/findings/list.xlsx?severity=error")
    lines = list(sheet(answer.content).iter_rows(values_only=True))
    assert len(lines) == 4
    found = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[1]
    kinds = {cell.data_type for line in found.iter_rows() for cell in line if cell.value is not None}
    assert kinds <= {"s", "n"}
    assert any('=HYPERLINK("http://x","y")' in line for line in lines)


def test_the_report_of_a_run_tells_every_finding_that_is_not_resolved(the_town, tmp_path):
    first = finding()
    run = CheckRun.objects.create(
        district=first.district, edition="", ran_at=timezone.now(), checked=7, counts={"new": 1, "open": 2},
        skipped={"5-uncovered": "The district has no boundary."},
    )  # fmt: skip
    Finding.objects.filter(identity="finding-1").update(state="resolved", run=run)
    Finding.objects.filter(identity="finding-2").update(severity="warning", run=run)
    Finding.objects.filter(identity="finding-0").update(
        sentence='<script>alert("1")</script>', subjects=["<img src=x onerror=alert(1)>"]
    )
    html, xlsx = reporting.report(run, tmp_path / "report")
    text = html.read_text(encoding="utf-8")
    assert 'id="finding-0"' in text
    assert 'id="finding-1"' not in text
    assert 'id="finding-3"' not in text
    assert "The district has no boundary." in text
    assert "<script" not in text
    assert "http" not in text.replace("http://www.w3.org", "")
    assert "<img" not in text
    assert len(re.findall('id="(?:error|warning)-4101"', text)) == 2  # errors and warnings of a check are told apart
    new = re.findall(r'<td class="number">(\d+)</td>', text.partition("<tbody>")[2].partition("</table>")[0])
    assert new == ["1", "0", "0", "1", "1", "0"]  # all, new, waived: what only an import told is not new of this run
    assert "Two parcels overlap." in text.rpartition("<h2>")[2]  # the one that this run resolved
    assert len(list(sheet(xlsx.read_bytes()).iter_rows())) == 4
