"""The pages of the criteria sets, read as documents, drafted, compared and approved; and the printed card."""

import io
import json

import pypdf
import pytest
from django.db import connection
from django.test import Client

from units.criteria import sets, shelf
from units.explaining import betrays, explain
from units.models import CriteriaText, Flag, User
from units.rights import Grant, Role


@pytest.fixture(scope="module")
def demo(django_db_setup, django_db_blocker, databases, demo_database):
    """A copy of the demo district for all tests of this file."""
    name = databases.clone(demo_database)
    with django_db_blocker.unblock():
        databases.use(name)
        yield name
        databases.use(databases.process_database)
    databases.drop(name)


@pytest.fixture
def of(demo):
    def made(name: str | None) -> Client:
        client = Client(headers={"Accept": "text/html"})
        if name:
            client.force_login(User.objects.get(username=name))
        return client

    return made


def page(client, address, status=200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content[:500]
    return answer.content.decode()


NAMES = {  # of the demo's accounts
    Role.ANALYST: "analyst",
    Role.STREET: "street",
    Role.CO: "co",
    Role.OFFICE: "office",
    Role.DISTRICT: "district",
}


def person(role: Role) -> str:
    return NAMES[role]


def test_criteria_are_closed_to_nobody_signed_in_and_open_to_the_departments(of):
    assert of(None).get("/criteria/").status_code in (302, 401, 403)
    for role in (Role.ANALYST, Role.CO, Role.STREET):
        text = page(of(person(role)), "/criteria/")
        assert "nankai-2024" in text
        assert "new-draft" not in text  # only the task-force office drafts


def test_a_comparison_names_both_sets_that_it_compares_also_one_that_flags_nothing(of):
    client = of(person(Role.OFFICE))
    text = page(client, "/compare/?district=120104&a=nankai-2024&b=tianjin-2024")
    for side, name in (("a", "nankai-2024"), ("b", "tianjin-2024")):
        field = text.split(f'<select class="input" id="{side}"')[1].split("</select>")[0]
        assert f'value="{name}" selected' in field
    first = page(client, "/compare/").split('id="a"')[1].split("</select>")[0]
    assert 'value="nankai-2024" selected' in first  # what judged the district last


@pytest.mark.rows("NK011", "NK050")
def test_a_set_reads_as_a_document_with_the_hits_of_each_rule(of):
    text = page(of(person(Role.OFFICE)), "/criteria/nankai-2024/")
    assert "南开政办发〔2024〕1号" in text
    assert "演示参数，非官方标准" in text
    part = text.split('id="IND-FAR"')[1].split("</article>")[0]
    met = int(part.split('data-met="')[1].split('"')[0])
    assert met == sum(one["verdicts"].get("IND-FAR") is True for one in Flag.objects.values_list("evidence", flat=True))
    assert "far &lt; far_min" in part


def test_a_warning_that_tells_figures_is_not_counted_for_who_may_not_know_them(of):
    pages = [page(of(person(role)), "/criteria/nankai-2024/") for role in (Role.ANALYST, Role.OFFICE)]
    for rule in sets.load("nankai-2024").rules:
        closed, opened = (text.split(f'id="{rule.id}"')[1].split("</article>")[0] for text in pages)
        assert "data-met" in opened
        assert ("data-met" in closed) is not betrays(rule)


SOUTH = """
[[area]]
id = "south"
title = "南部片区"
streets = ["120104001"]

[[area.rule]]
id = "SOUTH-TAX"
category = ["industrial"]
effect = "flag"
title = "南部税收"
basis = "演示"
confidence = "D"
when = "tax_per_mu < 5"
message = "税收偏低"
case = [
    { name = "low", given = { tax_per_mu = 4.0 }, expect = "yes" },
    { name = "high", given = { tax_per_mu = 6.0 }, expect = "no" },
    { name = "not told", given = {}, expect = "unknown" },
]
"""


def test_how_many_a_rule_of_a_draft_meets_is_closed_where_it_reads_figures(of):
    """Whoever writes a draft chooses its limits: two of them would tell between which a figure lies."""
    office = User.objects.get(username=person(Role.OFFICE))
    draft = shelf.draft("nankai-south", district="120104", by=office, reason="试写", parent="nankai-2024")
    draft = shelf.save(draft.name, draft.text + SOUTH, by=office, version=1)
    assert draft.faults == []
    pages = [page(of(person(role)), "/criteria/nankai-south/") for role in (Role.ANALYST, Role.OFFICE)]
    for rule in sets.load("nankai-2024").rules:
        closed, opened = (text.split(f'id="{rule.id}"')[1].split("</article>")[0] for text in pages)
        assert "data-met" in opened
        assert ("data-met" in closed) is not betrays(rule, always=True)
    draft.delete()


def test_a_draft_is_made_checked_saved_with_its_faults_mended_compared_and_approved_by_another(of):
    office, district = of(person(Role.OFFICE)), of(person(Role.DISTRICT))
    made = office.post(
        "/criteria/drafts/",
        {"name": "nankai-pages", "base": "nankai-2024", "how": "parent", "district": "120104", "reason": "试写"},
    )
    assert (made.status_code, made.headers["Location"]) == (302, "/criteria/nankai-pages/edit/")
    assert "nankai-pages" in page(office, "/criteria/nankai-pages/edit/")
    assert of(person(Role.ANALYST)).get("/criteria/nankai-pages/edit/").status_code == 403

    good = CriteriaText.objects.get(name="nankai-pages").text + (
        '\n[params.far_min]\nvalue = 0.8\nuom = "1"\nnote = "演示参数，非官方标准：试写"\nreason = "试写"\n'
    )
    bad = good.replace("[params.far_min]", "[params.far_mim]")

    def sent(address, **body):
        answer = office.post(address, json.dumps(body), content_type="application/json")
        return answer.status_code, answer.json()

    where = {"name": "nankai-pages", "district": "120104"}
    assert sent("/criteria/check.json", text=bad, **where)[0] == 200
    _status, told = sent("/criteria/check.json", text=good + "\n[[rule]]\nid = 3", **where)
    assert told["faults"]
    assert all(one["message"] for one in told["faults"])
    assert told["faults"][0]["line"]
    status, told = sent("/criteria/check.json", text=good, **where)
    assert (status, told["faults"]) == (200, [])
    version = CriteriaText.objects.get(name="nankai-pages").version
    status, told = sent("/criteria/nankai-pages/edit/", text=good, version=version)
    assert (status, told["faults"], told["version"]) == (200, [], version + 1)
    assert sent("/criteria/nankai-pages/edit/", text=good, version=version)[0] == 409  # somebody else saved

    diff = page(office, "/criteria/nankai-pages/diff/")
    assert "far_min" in diff
    decided = {
        "act": "approve",
        "version": version + 1,
        "title": "关于试行的通知",
        "reason": "同意",
        "dated": "2024-03-01",
    }
    assert office.post("/criteria/nankai-pages/act/", decided).status_code == 403
    assert CriteriaText.objects.get(name="nankai-pages").status == "draft"
    assert district.post("/criteria/nankai-pages/act/", decided).status_code == 302
    approved = CriteriaText.objects.get(name="nankai-pages")
    assert (approved.status, approved.document.title) == ("approved", "关于试行的通知")
    text = page(district, "/criteria/nankai-pages/")
    assert "nankai-2024" in text.split('id="param-far_min"')[1].split("</tr>")[0]
    retired = {"act": "retire", "reason": "试完", "version": CriteriaText.objects.get(name="nankai-pages").version}
    assert district.post("/criteria/nankai-pages/act/", retired).status_code == 302
    assert CriteriaText.objects.get(name="nankai-pages").status == "retired"


def test_a_set_that_is_not_there_or_an_action_that_is_none_is_told(of):
    office = of(person(Role.OFFICE))
    page(office, "/criteria/no-such-set/", 404)
    page(office, "/criteria/nankai-2024/?district=999999", 400)
    assert office.post("/criteria/nankai-2024/act/", {"act": "burn"}).status_code in (200, 400)
    assert office.post("/criteria/nankai-2024/act/", {"act": "retire", "reason": "x"}).status_code == 400


@pytest.fixture(scope="module")
def taxed(demo):
    """A parcel whose rules read figures of firms."""
    flags = Flag.objects.filter(criteria="nankai-2024", parcel__isnull=False, fired__contains=["IND-TAX"])
    return flags.order_by("pk").first().parcel.code


def pdf(client, code) -> tuple[bytes, str]:
    answer = client.get(f"/parcels/{code}/card.pdf")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    reader = pypdf.PdfReader(io.BytesIO(answer.content))
    return answer.content, "".join(one.extract_text() for one in reader.pages).replace("\n", "")


@pytest.mark.rows("NK012")
def test_the_printed_card_is_the_same_file_for_the_same_facts_and_hides_what_is_hidden(of, taxed):
    office, analyst = of(person(Role.OFFICE)), of(person(Role.ANALYST))
    first, text = pdf(office, taxed)
    again, _text = pdf(office, taxed)
    assert first == again
    assert taxed in text
    assert "IND-TAX" in text
    assert "演示参数，非官方标准" in text
    told = explain(taxed, "nankai-2024", grants=(Grant(Role.OFFICE, "120104"),))
    ratio = next(line for rule in told["rules"] for line in rule["thresholds"] if line["measure"] == "tax_ratio")
    figure = f"{ratio['value']:.4f}"
    assert figure in text
    assert told["digest"][:16] in text
    _closed, hidden = pdf(analyst, taxed)
    assert "IND-TAX" in hidden
    assert figure not in hidden
    assert next(rule for rule in told["rules"] if rule["id"] == "IND-TAX")["message"] not in hidden


def test_the_printed_card_of_land_that_is_not_there_is_not_found(of):
    assert of(person(Role.OFFICE)).get("/parcels/nothing/card.pdf").status_code == 404
    assert of(None).get("/parcels/nothing/card.pdf").status_code in (302, 401, 403)


def test_without_the_library_the_printed_card_says_so(of, taxed, monkeypatch):
    monkeypatch.setattr("units.printing.find_spec", lambda name: None)
    answer = of(person(Role.OFFICE)).get(f"/parcels/{taxed}/card.pdf")
    assert answer.status_code == 503
    assert "script/setup" in answer.content.decode()


def test_the_tests_of_this_file_have_their_own_database(demo):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        assert cursor.fetchone()[0] == demo
