"""The shelf of criteria sets: drafts with their faults, approval on paper, and what the database keeps for ever."""

import json
from datetime import date

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from tests.units.criteria.drawn import ALL, Land
from tests.units.criteria.test_sets import GOOD, HEAD, PARAMS, RULE
from units.criteria import judging, sets, shelf
from units.errors import CriteriaError, NotAllowed, NotFound, Refused, Stale, Unfit, UnknownName, UsageError
from units.flagging import evidence_of, flag, refuse_untried
from units.models import CriteriaEdition, CriteriaText, District, Document, Flag, Move, Scope, Street, User
from units.rights import Grant, Role

pytestmark = pytest.mark.rows("NK010", "NK050", "NJ023")
PAPER = {"title": "关于印发低效用地认定标准的通知", "number": "演示〔2024〕1号", "dated": date(2024, 3, 1)}
WHY = "南部片区按实际情况调整"


@pytest.fixture
def people(db):
    return company()


def company() -> dict[str, User]:
    """One person of each role of district 120104, and an office of the next one."""
    for code, name in (("120104", "南开区"), ("120103", "河西区")):
        District.objects.create(code=code, name=name, srid=4527)
    for code in ("120104001", "120104002"):
        Street.objects.create(code=code, district_id="120104", name=code)
    found = {}
    for role, district in (("R1", "120104"), ("R5", "120104"), ("R6", "120104"), ("R7", None), ("R10", None)):
        user = User.objects.create(username=role.lower())
        group, _made = Group.objects.get_or_create(name=role)
        Scope.objects.create(user=user, group=group, district_id=district)
        found[role] = user
    found["next"] = User.objects.create(username="next")
    Scope.objects.create(user=found["next"], group=Group.objects.get(name="R5"), district_id="120103")
    return found


def draft(people, name="nankai-trial", **options):
    told = {"parent": "nankai-2024", "values": {"far_min": "0.8"}} | options
    return shelf.draft(name, district="120104", by=people["R5"], reason=WHY, **told)


def approve(people, name="nankai-trial", who="R6", **options):
    return shelf.approve(name, by=people[who], **{"document": PAPER, "reason": "区政府同意"} | options)


def test_a_draft_refines_its_parent_and_keeps_what_that_said_and_why(people):
    row = draft(people)
    assert (row.status, row.faults, row.version, row.parent) == ("draft", [], 1, "nankai-2024")
    assert row.based_on == sets.load("nankai-2024").digest
    criteria = sets.load("nankai-trial")
    far = criteria.params["far_min"]
    assert (str(far.value), str(far.parent.value), far.reason, far.uom) == ("0.8", "1.0", WHY, "1")
    assert [one["name"] for one in sets.changes(criteria) if one["kind"] == "param" and one["reason"] == WHY] == [
        "far_min"
    ]
    assert (criteria.status, criteria.district, criteria.official) == ("draft", "120104", False)
    assert (criteria.title, criteria.title_en) == (
        f"{sets.load('nankai-2024').title}：nankai-trial",
        f"{sets.load('nankai-2024').title_en}: nankai-trial",
    )
    with pytest.raises(Refused):
        refuse_untried(criteria)


def test_a_copy_is_the_text_itself_under_another_name(people):
    draft(people, "nankai-copy", parent="", copy_of="nankai-2024", values={"far_min": "0.8", "boundary_min": "0.9"})
    criteria, before = sets.load("nankai-copy"), sets.load("nankai-2024")
    assert [rule.id for rule in criteria.rules] == [rule.id for rule in before.rules]
    assert (criteria.parent, str(criteria.params["far_min"].value)) == ("tianjin-2024", "0.8")
    assert str(criteria.params["boundary_min"].value) == "0.9"
    assert {one["name"] for one in shelf.diff(before, "nankai-copy")["params"]} == {"far_min", "boundary_min"}
    assert criteria.title_en == f"{before.title_en}: nankai-copy"  # a reader of English takes it for no other set


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"name": "nankai-2024"}, UsageError),
        ({"name": "Nankai 2024"}, UsageError),
        ({"name": "x" * 61}, UsageError),
        ({"parent": "", "copy_of": ""}, UsageError),
        ({"parent": "nankai-2025"}, UnknownName),
        ({"values": {"far_mim": "1"}}, UnknownName),
        ({"values": {"far_min": "low"}}, UsageError),
        ({"district": "999999"}, UnknownName),
        ({"reason": " "}, UsageError),
        ({"reason": "x\0"}, UsageError),
        ({"title": "\ud800"}, UsageError),
    ],
)
def test_what_is_no_draft_is_refused_and_nothing_is_kept(people, options, error):
    told = {"name": "trial", "district": "120104", "by": people["R5"], "reason": WHY, "parent": "nankai-2024"} | options
    with pytest.raises(error):
        shelf.draft(told.pop("name"), **told)
    assert not CriteriaText.objects.exists()


def test_only_the_office_drafts_and_only_government_and_bureau_approve(people):
    for who in ("R1", "R6", "R10", "next"):
        with pytest.raises(NotAllowed):
            shelf.draft("trial", district="120104", by=people[who], reason=WHY, parent="nankai-2024")
    row = draft(people)
    for who in ("R1", "R6", "R7", "next"):
        with pytest.raises(NotAllowed):
            shelf.save(row.name, row.text, by=people[who], version=1)
    for who in ("R1", "R5", "R10", "next"):
        with pytest.raises(NotAllowed):
            approve(people, who=who)
    Scope.objects.create(user=people["R5"], group=Group.objects.get(name="R6"), district_id="120104")
    with pytest.raises(Refused, match="."):  # who wrote it does not approve it
        shelf.approve(row.name, by=User.objects.get(username="r5"), document=PAPER, reason="x")
    shelf.save(row.name, row.text + "# read once more\n", by=second_office(), version=1)
    with pytest.raises(Refused, match="."):  # nor who wrote what another has changed since
        shelf.approve(row.name, by=User.objects.get(username="r5"), document=PAPER, reason="x")
    CriteriaText.objects.filter(name=row.name).update(made_by=User.objects.get(username="second"))
    with pytest.raises(Refused, match="."):
        shelf.approve(row.name, by=User.objects.get(username="r5"), document=PAPER, reason="x")
    assert CriteriaText.objects.get().status == "draft"


def second_office() -> User:
    user = User.objects.create(username="second")
    Scope.objects.create(user=user, group=Group.objects.get(name="R5"), district_id="120104")
    return user


def test_a_faulty_draft_is_kept_with_its_faults_and_not_approved(people):
    row = draft(people)
    text = row.text.replace("value = 0.8", 'value = "0.8"') + '\n[[disable]]\nrule = "IND-FRA"\nreason = "x"\n'
    kept = shelf.save(row.name, text, by=people["R5"], version=1)
    assert kept.version == 2
    places = [(one["line"], one["place"]) for one in kept.faults]
    lines = text.splitlines()
    assert places[0] == (lines.index('value = "0.8"') + 1, "[params] far_min value")
    assert places[1][0] == lines.index('rule = "IND-FRA"') + 1
    assert kept.faults[1]["meant"] == "IND-FAR"
    with pytest.raises(CriteriaError):
        sets.load(row.name)
    with pytest.raises(Unfit) as raised:
        approve(people)
    assert len(raised.value.details["problems"]) == 2
    assert next(one for one in sets.headings() if one.name == row.name).faults == 2
    assert not Move.objects.exists()


def test_two_who_write_at_once_do_not_overwrite_each_other(people):
    row = draft(people)
    shelf.save(row.name, row.text + "# mine\n", by=people["R5"], version=1)
    with pytest.raises(Stale) as raised:
        shelf.save(row.name, row.text + "# yours\n", by=people["R5"], version=1)
    assert raised.value.details["theirs"]["text"].endswith("# mine\n")
    with pytest.raises(Stale):
        approve(people, version=1)
    for text in ("\0", "\ud800", "x" * 300_000):
        with pytest.raises(UsageError):
            shelf.save(row.name, text, by=people["R5"], version=2)


def test_an_approved_set_stands_on_its_parents_as_they_were_and_leaves_a_step_on_paper(people, monkeypatch):
    draft(people)
    row = approve(people)
    step = Move.objects.get()
    assert (step.register, step.subject, step.from_state, step.to_state) == ("criteria", row.name, "draft", "approved")
    assert (step.role, step.document.title, step.details["digest"]) == ("R6", PAPER["title"], row.digest)
    criteria = sets.load(row.name)
    assert (criteria.status, criteria.digest) == ("approved", row.digest)
    refuse_untried(criteria)
    later = {}

    def changed(name, folder):
        found = original(name, folder)
        return sets.Source(name, found.text.replace("value = 0.3", "value = 0.2")) if name in later else found

    original = sets._source
    monkeypatch.setattr(sets, "_source", changed)
    later["nankai-2024"] = True
    assert str(sets.load("nankai-2024").params["coverage_min"].value) == "0.2"
    assert str(sets.load(row.name).params["coverage_min"].value) == "0.3"
    with pytest.raises(Refused):
        shelf.save(row.name, row.text, by=people["R5"], version=row.version)
    with pytest.raises(Refused):
        shelf.discard(row.name, by=people["R5"])


@pytest.mark.parametrize("document", [None, {}, {"title": " "}])
def test_without_a_paper_nothing_is_approved(people, document):
    draft(people)
    with pytest.raises(UsageError):
        approve(people, document=document)
    assert not Document.objects.exists()


def test_a_draft_stands_on_no_draft_when_it_is_approved(people):
    draft(people)
    draft(people, "nankai-south", parent="nankai-trial", values={})
    with pytest.raises(Refused, match="nankai-trial"):
        approve(people, "nankai-south")
    approve(people)
    assert approve(people, "nankai-south", who="R7").status == "approved"
    shelf.retire("nankai-trial", by=people["R7"], reason="改用新标准")
    assert sets.load("nankai-trial").status == "retired"
    with pytest.raises(Refused):
        refuse_untried(sets.load("nankai-trial"))
    assert sets.load("nankai-south").status == "approved"
    assert [step.to_state for step in Move.objects.all()] == ["approved", "approved", "retired"]


@pytest.fixture
def connections_by_role(own_database, owner, superuser):
    connection.ensure_connection()
    superuser.execute("SET session_replication_role = replica")
    return {"app": connection.connection, "owner": owner, "superuser as replica": superuser}


def test_nobody_changes_what_was_approved_nor_what_was_run(connections_by_role):
    people = company()
    draft(people)
    row = approve(people)
    CriteriaEdition.objects.create(digest=row.digest, name=row.name, title="x", official=False, text=row.whole)
    loose = draft(people, "nankai-loose")
    writes = [
        f"UPDATE units_criteriatext SET text = text || '#' WHERE id = {row.pk}",
        f"UPDATE units_criteriatext SET whole = '', digest = '' WHERE id = {row.pk}",
        f"UPDATE units_criteriatext SET status = 'draft' WHERE id = {row.pk}",
        f"UPDATE units_criteriatext SET status = 'retired' WHERE id = {row.pk}",  # without a step
        f"UPDATE units_criteriatext SET name = 'other' WHERE id = {row.pk}",
        f"DELETE FROM units_criteriatext WHERE id = {row.pk}",
        f"UPDATE units_criteriatext SET status = 'approved', digest = encode(sha256(whole::bytea), 'hex'),"
        f" approved_by_id = edited_by_id, approved_at = now(), approval = 'x', document_id = {row.document_id}"
        f" WHERE id = {loose.pk}",
        f"UPDATE units_criteriaedition SET text = '' WHERE digest = '{row.digest}'",
        f"DELETE FROM units_criteriaedition WHERE digest = '{row.digest}'",
    ]
    for who, raw in connections_by_role.items():
        for sql in writes:
            with pytest.raises(psycopg.Error) as refused:
                raw.execute(sql)
            assert "refused" in str(refused.value) or "approved" in str(refused.value), (who, sql, refused.value)
    for table in ("units_criteriatext", "units_criteriaedition"):
        with pytest.raises(psycopg.Error):
            connections_by_role["owner"].execute(f"TRUNCATE {table} CASCADE")
    after = CriteriaText.objects.get(pk=row.pk)
    assert (after.text, after.status, sets.load(row.name).digest) == (row.text, "approved", row.digest)
    assert shelf.edition(row.digest).digest == row.digest


def test_a_step_by_somebody_else_does_not_approve(people):
    row = draft(people)
    Move.objects.create(
        register="criteria", subject=row.name, district_id="120104", from_state="draft", to_state="approved",
        by=people["R5"], role="R5",
    )  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        CriteriaText.objects.filter(pk=row.pk).update(status="approved")


def test_what_was_run_is_read_again_whatever_became_a_fault_since(people):
    old = GOOD.replace("far < far_min", "far < index_x").replace("far_min =", "index_x =")
    old = old.replace('uom = "1"', 'uom = "m2"')  # a wrong unit, which earlier versions let pass
    with pytest.raises(CriteriaError):
        sets.read((sets.Source("mine", old),))
    text = f"{sets.MARK}mine\n{sets.canonical(old)}"
    assert sets.restore(text).params["index_x"].uom == "m2"
    named = text.replace("index_x", "coverage")  # a measure took the name of the parameter since
    criteria = sets.restore(named)
    assert criteria.rule("IND-FAR").condition.params == ("coverage",)
    assert criteria.digest == sets.restore(criteria.text).digest


def test_a_check_tells_all_faults_at_once_with_line_and_column(people):
    text = GOOD.replace("far < far_min", "far < far_mim AND fra < 1").replace("{far:.2f}", "{fra}")
    text = text.replace("given = { far = 1.0 }", "given = { faar = 1.0 }")
    checked = shelf.check(text)
    assert checked["criteria"] is None
    told = [(one["line"], one["key"], one["rule"], one["meant"]) for one in checked["faults"]]
    lines = text.splitlines()
    case = lines.index("given = { faar = 1.0 }") + 1
    when = next(number for number, line in enumerate(lines, 1) if line.startswith("when"))
    message = next(number for number, line in enumerate(lines, 1) if line.startswith("message"))
    assert [line for line, *_rest in told] == [case, when, message]
    assert {rule for _line, _key, rule, _meant in told} == {"IND-FAR"}
    assert [meant for *_rest, meant in told] == ["far", "far_min", "far"]
    wrong = checked["faults"][1]
    assert lines[when - 1][wrong["column"] - 1 :].startswith("far_mim")
    assert wrong["at"] == 7


def test_a_check_proves_the_cases_and_points_at_the_one_that_fails(people):
    text = GOOD.replace("far < far_min", "far <= far_min")
    checked = shelf.check(text)
    (fault,) = checked["faults"]
    assert text.splitlines()[fault["line"] - 1] == "[[rule.case]]"
    assert "at the limit" in text.splitlines()[fault["line"]]
    assert fault["rule"] == "IND-FAR"
    good = shelf.check(GOOD)
    assert (good["faults"], good["digest"]) == ([], good["criteria"].digest)


def test_a_value_that_overflows_in_the_database_is_a_fault_and_no_crash(people):
    big = " * ".join(["tax_per_mu"] * 9)
    text = GOOD.replace("far < far_min", f"far < far_min AND {big} / tax_per_mu > 1")
    assert "8" in shelf.check(text)["faults"][0]["message"]


def test_nothing_of_a_refused_text_is_run(people, django_assert_num_queries):
    for when in ("pg_sleep(10) = 1", "far < (SELECT 1)", "far < far_min / 0"):
        with django_assert_num_queries(0):
            assert shelf.check(GOOD.replace("far < far_min", when))["faults"]


AREA = """
[[area]]
id = "south"
title = "南部片区"
streets = ["120104002"]
[area.params.far_min]
value = 0.5
note = "演示参数"
reason = "南部为老工业区"
[[area.rule]]
id = "SOUTH-OLD"
effect = "flag"
title = "老厂房"
basis = "演示"
confidence = "D"
when = "age > 30"
message = "{age}"
[[area.rule.case]]
name = "old"
given = { age = 31 }
expect = "yes"
[[area.rule.case]]
name = "new"
given = { age = 30 }
expect = "no"
[[area.rule.case]]
name = "unknown"
given = {}
expect = "unknown"
"""


def test_a_sub_area_differs_inside_its_district_and_its_streets_must_be_there(people):
    checked = shelf.check(GOOD + AREA, district="120104")
    assert checked["faults"] == []
    south, rest = sets.parts(checked["criteria"])
    assert [str(part.criteria.params["far_min"].value) for part in (south, rest)] == ["0.5", "1.0"]
    assert [part.criteria.area for part in (south, rest)] == ["south", ""]
    assert [[rule.id for rule in part.criteria.rules] for part in (south, rest)] == [
        ["IND-FAR", "SOUTH-OLD"],
        ["IND-FAR"],
    ]
    assert {part.criteria.digest for part in (south, rest)} == {checked["digest"]}
    assert south.criteria.params["far_min"].reason == "南部为老工业区"
    streets = ["120104001", "120104002", None]
    with connection.cursor() as cursor:
        for part, expected in ((south, ["120104002"]), (rest, ["120104001", None])):
            cursor.execute(
                f"SELECT street_id FROM unnest(%(streets)s::text[]) AS m (street_id) WHERE {part.sql}",
                {"streets": streets, **part.values},
            )
            assert [row[0] for row in cursor.fetchall()] == expected
    tried = checked["criteria"].with_values({"far_min": "0.9"})
    south, rest = sets.parts(tried)
    assert [str(part.criteria.params["far_min"].value) for part in (south, rest)] == ["0.5", "0.9"]
    told = shelf.diff(sets.read((sets.Source("mine", GOOD),)), checked["criteria"])
    assert (told["areas"], told["params"]) == ([{"id": "south", "change": "added"}], [])
    lost = shelf.check(GOOD + AREA.replace("120104002", "120104009"), district="120104")["faults"]
    assert "120104009" in lost[0]["message"]
    assert (GOOD + AREA).splitlines()[lost[0]["line"] - 1].startswith("streets")
    wrong = shelf.check(GOOD + AREA.replace("age > 30", "age >= 30"), district="120104")["faults"]
    assert [one["rule"] for one in wrong] == ["SOUTH-OLD"]


def test_a_run_judges_each_subject_by_the_part_of_its_street_and_the_evidence_names_it(people):
    row = draft(people, values={})
    area = AREA.split("[[area.rule]]")[0]
    row = shelf.save(row.name, row.text + area, by=people["R5"], version=row.version)
    assert row.faults == []
    row = approve(people)
    land, parcels = Land(layers=ALL), {}
    for number, street in enumerate(("120104001", "120104002", None)):
        x = number * 300
        parcels[street] = land.parcel((x, 0, x + 100, 100), street_id=street)
        land.patch("0601", (x - 5, -5, x + 105, 105))
        land.building((x, 0, x + 70, 100), floors=1)
    run = flag("120104", row.name)
    assert (run["criteria"], run["digest"]) == (row.name, row.digest)
    flags = {street: Flag.objects.get(parcel=parcel) for street, parcel in parcels.items()}
    assert {street: "IND-FAR" in one.fired for street, one in flags.items()} == {
        "120104001": True,
        "120104002": False,
        None: True,
    }
    told = {street: evidence_of(one) for street, one in flags.items()}
    assert [told[street].get("area", "") for street in parcels] == ["", "south", ""]
    assert [told[street]["params"]["far_min"]["value"] for street in parcels] == [1, 0.5, 1]
    # what was run is judged again in the same way, whatever happens to the text
    parts = {part.criteria.area: part.criteria for part in sets.parts(shelf.edition(row.digest))}
    assert str(parts["south"].params["far_min"].value) == "0.5"


def test_a_child_keeps_its_parents_areas_over_what_it_says_itself(people):
    child = HEAD.format(id="child") + 'parent = "mine"\n[params]\nfar_min = { value = 0.7, note = "x" }\n'
    criteria = sets.read((sets.Source("mine", GOOD + AREA), sets.Source("child", child)))
    assert [str(part.criteria.params["far_min"].value) for part in sets.parts(criteria)] == ["0.5", "0.7"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('["120104002"]', '["12010400"]', "12010400"),
        ('["120104002"]', "[]", "south"),
        ('["120104002"]', '["120104002", "120104002"]', "120104002"),
        ('id = "south"', 'id = "South"', "South"),
        ("value = 0.5", 'value = 0.5\nuom = "m2"', "far_min"),
        ("streets", "stretes", "streets"),
    ],
)
def test_a_faulty_sub_area_says_where(old, new, told):
    with pytest.raises(CriteriaError) as raised:
        sets.read((sets.Source("mine", GOOD + AREA.replace(old, new, 1)),))
    assert told in str(raised.value)
    assert raised.value.details["line"] > GOOD.count("\n")


def test_a_list_shows_files_to_all_inside_and_texts_to_their_district(people):
    draft(people)
    own = {one["name"]: one for one in shelf.listed((Grant(Role.STREET, "120104", "120104001"),))}
    assert own["nankai-trial"]["reason"] == WHY
    assert own["nankai-2024"]["file"]
    assert "nankai-trial" not in {one["name"] for one in shelf.listed((Grant(Role.OFFICE, "120103"),))}
    assert shelf.listed(()) == []
    assert shelf.listed((Grant(Role.PUBLIC),)) == []
    with pytest.raises(NotFound):
        shelf.seen("nankai-trial", (Grant(Role.OFFICE, "120103"),))
    assert shelf.seen("nankai-trial", (Grant(Role.CITY),)).version == 1


def test_an_example_is_tried_and_never_stored_and_a_district_takes_it_by_approving_a_set_of_its_own(people):
    criteria = sets.load("zhejiang-example")
    with pytest.raises(Refused, match="zhejiang-example"):
        refuse_untried(criteria)
    draft(people, "nankai-zhejiang", parent="zhejiang-example", values={})
    approve(people, "nankai-zhejiang")
    own = sets.load("nankai-zhejiang")
    assert (own.example, own.status) == (False, "approved")
    refuse_untried(own)
    with pytest.raises(Refused, match="120104"):
        flag("120103", "nankai-zhejiang", dry_run=True)


def test_the_command_tells_and_ends_as_the_design_says(people, tmp_path, capsys):
    def run(*arguments):
        try:
            call_command("criteria", *arguments, "--format", "json")
            code = 0
        except SystemExit as end:
            code = end.code
        return code, json.loads(capsys.readouterr().out or "{}")

    code, told = run("list")
    assert (code, {one["name"] for one in told["sets"]}) == (0, set(sets.shipped()))
    assert run("check")[0] == 0
    faulty = tmp_path / "mine.toml"
    faulty.write_text(GOOD.replace("far < far_min", "fra < far_min"), encoding="utf-8")
    code, told = run("check", str(faulty))
    assert (code, told["sets"][0]["faults"][0]["meant"]) == (1, "far")
    assert run("show", "nankai-2025")[0] == 2
    assert run("draft", "trial", "--district", "120104", "--parent", "nankai-2024", "--reason", "x")[0] == 2
    options = ("--district", "120104", "--parent", "nankai-2024", "--reason", "x", "--by", "r5", "--set", "far_min=0.8")
    assert run("draft", "trial", *options)[1]["status"] == "draft"
    assert run("save", "trial", str(tmp_path / "none.toml"), "--by", "r5")[0] == 3
    assert run("save", "trial", str(faulty), "--by", "r5")[0] == 1
    assert run("approve", "trial", "--by", "r6", "--document", "文件", "--reason", "x")[0] == 1
    assert run("discard", "trial", "--by", "r5")[0] == 0
    assert run("draft", "trial", *options)[0] == 0
    assert run("approve", "trial", "--by", "r5", "--document", "文件", "--reason", "x")[0] == 1
    assert run("approve", "trial", "--by", "r6", "--document", "文件", "--reason", "x")[1]["status"] == "approved"
    assert run("diff", "nankai-2024", "trial")[1]["params"][0]["b"] == "0.8"
    assert run("retire", "trial", "--by", "r7", "--reason", "x")[1]["status"] == "retired"
    for arguments in (("list",), ("check", "trial"), ("show", "trial"), ("diff", "nankai-2024", "trial")):
        call_command("criteria", *arguments)
        assert "trial" in capsys.readouterr().out or arguments[0] == "diff"


def test_the_name_of_a_draft_is_free(people):
    draft(people, shelf.free_name("nankai-2024"))
    assert shelf.free_name("nankai-2024") == "nankai-2024-v2"


def test_a_draft_is_proved_before_it_is_tried(people):
    row = draft(people)
    shelf.save(row.name, HEAD.format(id=row.name) + PARAMS + RULE.replace("<", "<=", 1), by=people["R5"], version=1)
    with connection.cursor() as cursor, pytest.raises(CriteriaError):
        judging.prove(cursor, sets.load(row.name))
