"""What every pack must have: three cases a rule, sources of its numbers, and texts that restore what was run."""

import re

import pytest

from units.criteria import sets
from units.criteria.places import Places
from units.errors import CriteriaError

pytestmark = pytest.mark.rows("NK010", "NK050")
EXAMPLES = [name for name in sets.shipped() if sets.load(name).example]


def own_text(name: str) -> str:
    return sets.canonical((sets.FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def reading(name: str, text: str) -> sets.Criteria:
    return sets.read(sets.above(sets.Source(name, text)))


def without_cases(text: str, expect: str, only: str = "") -> str:
    """The text in which no rule, or one rule alone, has a case of this answer."""
    blocks = re.split(r"(?m)^(?=\[\[)", text)
    rule, kept = "", []
    for block in blocks:
        if block.startswith("[[rule]]"):
            rule = re.search(r'(?m)^id = "(.*)"', block)[1]
        is_case = block.startswith("[[rule.case]]") and f'expect = "{expect}"' in block
        if not (is_case and only in ("", rule)):
            kept.append(block)
    return "".join(kept)


@pytest.mark.parametrize("expect", ["yes", "no", "unknown"])
@pytest.mark.parametrize("name", sets.shipped())
def test_no_rule_of_a_pack_may_lose_its_last_case_of_an_answer(name, expect):
    rules = {rule.id for rule in sets.load(name).rules if rule.origin == name}
    with pytest.raises(CriteriaError) as raised:
        reading(name, without_cases(own_text(name), expect))
    faults = raised.value.details["faults"]
    assert {fault["rule"] for fault in faults} == rules
    assert all(f'expect = "{expect}"' in fault["message"] for fault in faults)
    some = sorted(rules)[0]
    with pytest.raises(CriteriaError) as raised:
        reading(name, without_cases(own_text(name), expect, only=some))
    (fault,) = raised.value.details["faults"]
    lines = own_text(name).splitlines()
    assert lines[fault["line"] - 1] == "[[rule]]"
    assert lines[fault["line"]] == f'id = "{some}"'


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_number_of_an_example_says_where_it_is_from_and_how_well_that_is_known(name):
    criteria = sets.load(name)
    assert criteria.status == "approved"
    for param in criteria.params.values():
        # what they leave open and we have to settle says so
        assert param.confidence == ("D" if "本产品所定" in param.source else "S"), param.name
        assert re.match(r"C\d\d", param.source), param.name
    for rule in criteria.rules:
        assert rule.confidence == "S", rule.id
        # no number of a policy hides in a condition: 0 and 1 are no numbers of a policy
        assert set(re.findall(r"(?<![\w'.])\d+(?:\.\d+)?", rule.when)) <= {"0", "1"}, rule.id


@pytest.mark.parametrize("name", sets.shipped())
def test_the_digest_is_stable_over_line_ends_and_what_was_run_is_read_again(name):
    criteria, text = sets.load(name), own_text(name)
    for changed in (
        text.replace("\n", "\r\n"),
        text.replace("\n", "\r"),
        text.replace("\n", "  \n"),
        "\ufeff\n\n" + text + "\n\n\n",
    ):
        assert reading(name, changed).digest == criteria.digest
    assert reading(name, text.replace("false", "false # so", 1)).digest != criteria.digest
    again = sets.restore(criteria.text)
    assert again == criteria
    assert again.digest == criteria.digest


@pytest.mark.parametrize("name", sets.shipped())
def test_every_rule_and_parameter_is_found_in_its_file(name):
    text = own_text(name)
    places, lines = Places(text), text.splitlines()
    rules = [rule for rule in sets.load(name).rules if rule.origin == name]
    for number, rule in enumerate(rules):
        line, column = places.place(("rule", number, "when"), 0)
        assert (lines[line - 1][: column - 1], lines[line - 1][column - 1]) == ('when = "', rule.when[0])
        for case in range(len(rule.cases)):
            assert lines[places.place(("rule", number, "case", case))[0] - 1] == "[[rule.case]]"


def test_a_character_is_found_behind_escapes_quotes_and_folded_lines():
    text = (
        "a = \"x\\\"\\u4e2d!\"\nb = 'it''s'\n".replace("''", "")
        + 'c = """\nline one\nline two \\\n    three"""\n'
        + 'd = { e = [1, "two"], "f g" = { h = true } }\n'
        + "[[i]]\n[[i.j]]\nk = 1\n[[i.j]]\nk = 2 # no\n[[i]]\n[l.m]\nn.o = 1979-05-27T07:32:00Z\n"
    )
    places = Places(text)

    def there(path, character=None):
        line, column = places.place(path, character)
        return text.splitlines()[line - 1][column - 1 :]

    assert there(("a",), 3).startswith("!")
    assert there(("b",), 2).startswith("s")
    assert there(("c",), 5).startswith("one")
    assert there(("c",), 18).startswith("three")
    assert there(("d", "e", 1)) == '"two"], "f g" = { h = true } }'
    assert there(("d", "f g", "h")) == "h = true } }"
    assert there(("i", 0, "j", 1, "k")) == "k = 2 # no"
    assert there(("i", 1)) == "[[i]]"
    assert there(("l", "m", "n", "o")).startswith("n.o")
    assert places.place(("nowhere",)) is None
    assert there(("i", 0, "lost")) == "[[i]]"
