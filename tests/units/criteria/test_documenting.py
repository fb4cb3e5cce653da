"""The documents of the criteria sets say what the rules say."""

import io

import pytest
from django.core.management import call_command
from django.utils import translation

from units.criteria import documenting, sets


@pytest.mark.rows("NK011")
def test_the_documents_of_the_rules_are_what_the_rules_say():
    with translation.override("zh-hans"):
        wanted = documenting.documents()
    written = {path.name: path.read_text(encoding="utf-8") for path in documenting.FOLDER.glob("*.md")}
    assert written.keys() == wanted.keys()
    assert written == wanted, "run manage.py criteria_docs"


def test_a_document_that_differs_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(documenting, "FOLDER", tmp_path)
    monkeypatch.setattr("units.management.commands.criteria_docs.FOLDER", tmp_path)
    call_command("criteria_docs", stdout=io.StringIO())
    call_command("criteria_docs", check=True, stdout=io.StringIO())
    path = tmp_path / "nankai-2024.md"
    path.write_text(path.read_text(encoding="utf-8").replace("1.0", "1.1"), encoding="utf-8")
    told = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("criteria_docs", check=True, stdout=told)
    assert ended.value.code == 1
    assert told.getvalue().strip() == "nankai-2024.md"


@pytest.mark.parametrize("name", sets.shipped())
def test_each_rule_stands_in_its_document_with_clause_condition_and_every_case(name):
    text = (documenting.FOLDER / f"{name}.md").read_text(encoding="utf-8")
    for rule in sets.load(name).rules:
        assert f"### {rule.id} " in text
        assert rule.basis in text
        assert f"`{rule.when}`" in text
        assert all(case.name.replace("|", "\\|") in text for case in rule.cases)
