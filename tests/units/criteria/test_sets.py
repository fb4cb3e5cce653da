"""Criteria sets: what loads, what does not and why, inheritance, the digest, and cases that hold in PostgreSQL."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import translation

from units.criteria import judging, sets
from units.errors import CriteriaError, UnknownName, UsageError

HEAD = """
[criteria]
id = "{id}"
title = "试用"
valid_from = 2024-02-05
status = "approved"
official = false
"""
PARAMS = """
[params]
far_min = { value = 1.0, uom = "1", note = "演示参数" }
"""
RULE = """
[[rule]]
id = "IND-FAR"
effect = "flag"
title = "容积率偏低"
basis = "演示"
confidence = "D"
when = "far < far_min"
message = "容积率 {far:.2f}"

[[rule.case]]
name = "below"
given = { far = 0.99 }
expect = "yes"

[[rule.case]]
name = "at the limit"
given = { far = 1.0 }
expect = "no"

[[rule.case]]
name = "no floor area"
given = {}
expect = "unknown"
"""
GOOD = HEAD.format(id="mine") + PARAMS + RULE


@pytest.fixture
def folder(tmp_path):
    def write(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_a_good_set_loads(folder):
    criteria = sets.load("mine", folder(mine=GOOD))
    assert [rule.id for rule in criteria.rules] == ["IND-FAR"]
    assert criteria.params["far_min"].value == Decimal("1.0")
    assert not criteria.official


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('basis = "演示"\n', "", ["rule IND-FAR", "basis"]),
        ('basis = "演示"', 'basis = " "', ["rule IND-FAR basis"]),
        ('expect = "yes"', 'expect = "no"', ["rule IND-FAR", 'expect = "yes"']),
        ('expect = "no"', 'expect = "yes"', ["rule IND-FAR", 'expect = "no"']),
        ('expect = "unknown"', 'expect = "no"', ["rule IND-FAR", 'expect = "unknown"']),
        ('expect = "unknown"', 'expect = "dunno"', ["case 3 expect", "dunno"]),
        ("when = ", "wehn = ", ["rule IND-FAR wehn", "when"]),
        ("far < far_min", "far < far_mim", ["rule IND-FAR", "far_mim", "far_min", "when:7"]),
        ("far < far_min", "farr < far_min", ["rule IND-FAR", "farr", "when:1"]),
        ("far < far_min", "pg_sleep(9) = 1", ["rule IND-FAR", "pg_sleep"]),
        ("far < far_min", "far < '1'", ["rule IND-FAR", "when:5"]),
        ("{far:.2f}", "{fra:.2f}", ["rule IND-FAR", "message", "fra"]),
        ('message = "', 'message_en = "{fra}"\nmessage = "', ["rule IND-FAR", "message_en", "fra", "far"]),
        ('title = "容积率偏低"', 'title = "x"\ntitle_en = " "', ["rule IND-FAR title_en"]),
        ('note = "', 'note_em = "x", note = "', ["[params] far_min note_em", "note_en"]),
        (', uom = "1"', "", ["[params] far_min", "uom"]),
        ("value = 1.0", 'value = [1.0, "x"]', ["[params] far_min value"]),
        ("value = 1.0", "value = 2024-01-01", ["[params] far_min value"]),
        ("value = 1.0", "value = inf", ["[params] far_min value"]),
        ("value = 1.0", 'value = "1.0"', ["rule IND-FAR"]),
        ("far_min = {", "far = {", ["[params] far"]),
        ("note = ", "nota = ", ["[params] far_min nota", "note"]),
        ('effect = "flag"', 'effect = "flagg"', ["rule IND-FAR effect", "flagg", "flag"]),
        ('effect = "flag"', 'effect = "flag"\nsubject = ["bilding"]', ["rule IND-FAR subject", "bilding", "building"]),
        ('effect = "flag"', 'effect = "flag"\nsubject = []', ["rule IND-FAR subject"]),
        ('effect = "flag"', 'effect = "flag"\nsubject = ["building"]', ["rule IND-FAR subject", "far"]),
        ('effect = "flag"', 'effect = "flag"\nsubject = ["parcel", "building"]', ["rule IND-FAR subject", "far"]),
        ('confidence = "D"', 'confidence = "X"', ["rule IND-FAR confidence"]),
        ('id = "IND-FAR"', 'id = "ind far"', ["rule ind far id"]),
        ("given = { far = 0.99 }", "given = { fra = 0.99 }", ["case 1 given", "fra", "far"]),
        ("given = { far = 0.99 }", 'given = { far = "0.99" }', ["case 1 given far"]),
        ('effect = "flag"', 'effect = "flag"\ncategory = ["industry"]', ["rule IND-FAR category", "industrial"]),
        ('effect = "flag"', 'effect = "flag"\ncategory = ["industrial"]', ["rule IND-FAR", "industrial"]),
        ('effect = "flag"', 'effect = "classify"', ["rule IND-FAR category"]),
        ('effect = "flag"', 'effect = "flag"\nreplaces = "x"', ["rule IND-FAR"]),
        ('status = "approved"', 'status = "ok"', ["[criteria] status"]),
        ("valid_from = 2024-02-05", 'valid_from = "2024-02-05"', ["[criteria] valid_from"]),
        ("official = false", 'official = "no"', ["[criteria] official"]),
        ("official = false", "", ["[criteria]", "official"]),
        ('id = "mine"', 'id = "other"', ["[criteria] id", "other"]),
        ("[params]", "[parms]", ["[parms]", "params"]),
        ("[criteria]", "criteria = 1\n[x]", []),
        ("official = false", "official = false\nparent = 'nobody'", ["[criteria] parent", "nobody"]),
        ("official = false", "official = false\nparent = 'mine'", ["[criteria] parent"]),
        ("[params]", "[params", ["TOML", "9"]),
        ("[params]", "# geoinv criteria file: x\n[params]", ["geoinv criteria file"]),
    ],
)
def test_a_faulty_set_does_not_load_and_says_where_and_what(folder, old, new, told):
    assert old in GOOD
    with pytest.raises(CriteriaError) as raised:
        sets.load("mine", folder(mine=GOOD.replace(old, new, 1)))
    assert "mine.toml" in str(raised.value)
    for word in told:
        assert word in str(raised.value)


def test_a_rule_that_stands_twice_does_not_load(folder):
    with pytest.raises(CriteriaError, match="IND-FAR"):
        sets.load("mine", folder(mine=GOOD + RULE))


def test_a_set_that_is_not_there_names_those_that_are(folder):
    with pytest.raises(UnknownName) as raised:
        sets.load("yours", folder(mine=GOOD))
    assert raised.value.details["known"] == ["mine"]


CHILD = HEAD.format(id="child") + 'parent = "mine"\n'


def test_a_child_changes_only_what_differs_and_keeps_what_the_parent_had(folder):
    text = CHILD + '[params]\nfar_min = { value = 0.8, note = "本区" }\n'
    criteria = sets.load("child", folder(mine=GOOD, child=text))
    changed = criteria.params["far_min"]
    assert (changed.value, changed.uom, changed.origin) == (Decimal("0.8"), "1", "child")
    assert (changed.parent.value, changed.parent.origin) == (Decimal("1.0"), "mine")
    assert [(rule.id, rule.origin) for rule in criteria.rules] == [("IND-FAR", "mine")]


@pytest.mark.parametrize(
    "text",
    [
        '[params]\nfar_min = { value = 0.8, uom = "m2", note = "x" }\n',
        '[params]\nfar_min = { value = "0.8", note = "x" }\n',
        '[params]\nfar_min = { value = [0.8], note = "x" }\n',
        '[[disable]]\nrule = "IND-FOR"\nreason = "x"\n',
        '[[disable]]\nrule = "IND-FAR"\n',
        RULE,
    ],
)
def test_a_child_may_not_change_silently_what_its_parent_says(folder, text):
    with pytest.raises(CriteriaError, match=r"child\.toml"):
        sets.load("child", folder(mine=GOOD, child=CHILD + text))


def test_a_child_replaces_a_rule_with_a_reason(folder):
    text = CHILD + RULE.replace("far < far_min", "far <= far_min").replace(
        'effect = "flag"', 'effect = "flag"\nreplaces = "本区另有规定"'
    )
    rule = sets.load("child", folder(mine=GOOD, child=text)).rule("IND-FAR")
    assert (rule.when, rule.origin, rule.replaces) == ("far <= far_min", "child", "本区另有规定")


def test_a_child_switches_a_rule_off_with_a_reason(folder):
    text = CHILD + '[[disable]]\nrule = "IND-FAR"\nreason = "本区不适用"\n'
    criteria = sets.load("child", folder(mine=GOOD, child=text))
    assert (criteria.rules, criteria.disabled) == ((), {"IND-FAR": "本区不适用"})


def test_ancestors_in_a_circle_are_refused(folder):
    first = HEAD.format(id="one") + 'parent = "two"\n'
    second = HEAD.format(id="two") + 'parent = "one"\n'
    with pytest.raises(CriteriaError, match="parent"):
        sets.load("one", folder(one=first, two=second))


def test_the_digest_is_of_the_text_with_its_parents_and_of_nothing_else(folder):
    before = sets.load("child", folder(mine=GOOD, child=CHILD)).digest
    assert sets.load("child", folder(mine=GOOD.replace("\n", " \r\n"), child=CHILD + "\n\n")).digest == before
    assert sets.load("child", folder(mine=GOOD.replace("1.0,", "1.00,"), child=CHILD)).digest != before
    assert sets.load("mine", folder(mine=GOOD)).digest != before


def test_a_stored_text_gives_the_same_set_again(folder):
    criteria = sets.load("child", folder(mine=GOOD, child=CHILD))
    assert sets.restore(criteria.text) == criteria


def test_a_what_if_changes_the_value_and_not_the_digest(folder):
    criteria = sets.load("mine", folder(mine=GOOD))
    tried = criteria.with_values({"far_min": "0.80"})
    assert (tried.params["far_min"].value, tried.digest) == (Decimal("0.80"), criteria.digest)


def test_a_what_if_names_a_parameter_that_is_there_and_gives_a_value_of_its_type(folder):
    criteria = sets.load("mine", folder(mine=GOOD))
    with pytest.raises(UnknownName):
        criteria.with_values({"far_mim": "0.8"})
    for value in ("low", "NaN", "1e99", "1e999999999", "1e-999999999", "1e-20", "", "0.8, 0.9"):
        with pytest.raises(UsageError):
            criteria.with_values({"far_min": value})


@pytest.mark.parametrize("name", sets.shipped())
def test_every_case_of_every_shipped_set_is_what_postgresql_answers(db, name):
    criteria = sets.load(name)
    assert criteria.rules
    with connection.cursor() as cursor:
        assert judging.failing_cases(cursor, criteria) == []


@pytest.mark.parametrize("name", sets.shipped())
def test_no_shipped_set_passes_for_policy(name):
    criteria = sets.load(name)
    assert not criteria.official
    assert "演示参数，非官方标准" in criteria.title
    for param in criteria.params.values():
        # a number of our own says so; one from a text names the text
        assert "演示参数，非官方标准" in param.note or "〔" in param.note, param.name


@pytest.mark.parametrize("name", sets.shipped())
def test_every_shipped_set_is_told_in_english_too_with_the_same_numbers(name):
    criteria = sets.load(name)
    texts = [criteria.title_en, *(param.note_en for param in criteria.params.values())]
    for rule in criteria.rules:
        texts += [rule.title_en, rule.message_en]
        assert sorted(set(re.findall(r"{.*?}", rule.message_en))) == sorted(set(re.findall(r"{.*?}", rule.message)))
    for text in texts:
        assert text
        assert not re.search(r"[\u3000-\u9fff\uff00-\uffef]", text), text
    assert "not an official standard" in criteria.title_en
    for param in criteria.params.values():
        assert "not an official standard" in param.note_en or "〔" in param.note, param.name


def test_texts_are_in_the_language_that_is_spoken_and_in_chinese_where_there_is_no_other():
    assert sets.in_words("偏低", "low") == "偏低"
    with translation.override("en"):
        assert (sets.in_words("偏低", "low"), sets.in_words("偏低", "")) == ("low", "偏低")
    with translation.override(None):
        assert sets.in_words("偏低", "low") == "偏低"


def test_a_value_of_the_child_does_not_take_the_english_note_of_its_parent(folder):
    parent = GOOD.replace('note = "演示参数"', 'note = "演示参数", note_en = "for show"')
    text = CHILD + '[params]\nfar_min = { value = 0.8, note = "本区" }\n'
    changed = sets.load("child", folder(mine=parent, child=text)).params["far_min"]
    assert (changed.note, changed.note_en, changed.parent.note_en) == ("本区", "", "for show")


def test_cases_hold_for_the_values_of_the_set_that_wrote_them(db, folder):
    text = CHILD + '[params]\nfar_min = { value = 0.5, note = "本区" }\n'
    with connection.cursor() as cursor:
        assert judging.failing_cases(cursor, sets.load("child", folder(mine=GOOD, child=text))) == []


def test_cases_hold_where_a_child_lengthens_or_empties_a_list(db, folder):
    parent = HEAD.format(id="mine") + '[params]\nuses = { value = ["0601", "0602"], uom = "use_scheme", note = "x" }\n'
    parent += RULE.replace("far < far_min", "registered_use IN (uses)").replace("{far:.2f}", "{uses}")
    parent = parent.replace("far = 0.99", 'registered_use = "0602"').replace("far = 1.0", 'registered_use = "0701"')
    for value in ('["0701", "0702", "05H1"]', "[]"):
        child = CHILD + f'[params]\nuses = {{ value = {value}, note = "本区" }}\n'
        criteria = sets.load("child", folder(mine=parent, child=child))
        with connection.cursor() as cursor:
            assert judging.failing_cases(cursor, criteria) == []


def test_a_rule_that_does_not_do_what_its_cases_say_judges_nothing(db, folder):
    criteria = sets.load("mine", folder(mine=GOOD.replace("far < far_min", "far <= far_min")))
    with connection.cursor() as cursor, pytest.raises(CriteriaError, match="at the limit"):
        judging.prove(cursor, criteria)


def test_a_case_is_rounded_as_a_run_rounds(db, folder):
    criteria = sets.load("mine", folder(mine=GOOD.replace("{ far = 1.0 }", "{ far = 0.995 }")))
    with connection.cursor() as cursor:
        assert judging.failing_cases(cursor, criteria) == []


FORMULAS = (
    HEAD.format(id="mine")
    + """
[params]
far_min = { value = 1.0, uom = "1", note = "演示参数" }
far_low = { value = "= far_min * 0.8", uom = "1", note = "演示参数" }
far_bad = { value = "= (far_low + far_min) / 2 - 0.1", uom = "1", note = "演示参数" }
area = { value = 2000, uom = "m2", note = "演示参数" }
"""
    + RULE.replace("far < far_min", "far < far_low").replace("0.99", "0.79")
)


def test_a_parameter_may_follow_from_others_and_follows_them(folder):
    criteria = sets.load("mine", folder(mine=FORMULAS))
    values = {name: param.value for name, param in criteria.params.items()}
    assert (values["far_low"], values["far_bad"]) == (Decimal("0.8"), Decimal("0.8"))
    assert criteria.params["far_low"].formula == "far_min * 0.8"
    assert criteria.with_values({"far_min": "2"}).params["far_bad"].value == Decimal("1.7")
    fixed = criteria.with_values({"far_low": "0.5"}).params
    assert (fixed["far_low"].value, fixed["far_low"].formula, fixed["far_bad"].value) == (
        Decimal("0.5"),
        "",
        Decimal("0.65"),
    )
    child = CHILD + '[params]\nfar_min = { value = 0.5, note = "本区" }\n'
    criteria = sets.load("child", folder(mine=FORMULAS, child=child))
    assert criteria.params["far_low"].value == Decimal("0.4")
    assert criteria.rule("IND-FAR").params["far_low"].value == Decimal("0.8"), "its cases hold for these"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("far_min * 0.8", "far_bad * 0.8", ["far_low", "far_bad", "→"]),
        ("far_min * 0.8", "far_low", ["far_low → far_low"]),
        ("far_min * 0.8", "far_mim * 0.8", ["[params] far_low", "far_mim", "far_min", "value:1"]),
        ("far_min * 0.8", "far * 0.8", ["far_low", "value:1"]),
        ("far_min * 0.8", "area * 0.8", ["far_low", "m2"]),
        ("far_min * 0.8", "far_min + area", ["far_low", "m2"]),
        ("far_min * 0.8", "far_min / 0", ["far_low"]),
        ("far_min * 0.8", "far_min / (1 - 1)", ["far_low"]),
        ("far_min * 0.8", "far_min < 1", ["far_low"]),
        ("far_min * 0.8", "pg_sleep(9)", ["far_low"]),
        ("far_min * 0.8", "(SELECT 1)", ["far_low"]),
        ("far_min * 0.8", "1) = 0 OR (0 = 0", ["far_low"]),
        ("far_min * 0.8", "'x'", ["far_low"]),
        ("far_min * 0.8", "(" * 60, ["far_low"]),
        ("far_min * 0.8", "", ["far_low"]),
        ("far_min * 0.8", "1000000000 * 1000000000", ["far_low"]),
    ],
)
def test_a_formula_that_is_none_is_refused_by_the_name_of_its_parameter(folder, old, new, told):
    with pytest.raises(CriteriaError) as raised:
        sets.load("mine", folder(mine=FORMULAS.replace(old, new, 1)))
    for word in told:
        assert word in str(raised.value)
    assert raised.value.details["line"], raised.value.details


def test_a_rule_divides_by_no_parameter_that_is_0_in_a_child_or_a_what_if(folder):
    parent = GOOD.replace("far < far_min", "far / far_min < 1")
    child = CHILD + '[params]\nfar_min = { value = 0, note = "本区" }\n'
    with pytest.raises(CriteriaError, match="child.toml.*far_min") as raised:
        sets.load("child", folder(mine=parent, child=child))
    assert child.splitlines()[raised.value.details["line"] - 1].startswith("far_min")
    with pytest.raises(CriteriaError, match="far_min"):
        sets.load("mine", folder(mine=parent)).with_values({"far_min": "0"})


WEIRD = ['""', '" "', "0", "-1", "1e400", "nan", "true", "[]", "[[1]]", "[{}]", "{}", "{ a = 1 }", "1979-05-27"]
WEIRD += ["1e999999999", "1e-999999999", "0." + "1" * 40]
WEIRD += ["07:32:00", '"\\u0000"', '"%s %(x)s"', "9" * 400, '"' + "x" * 3000 + '"', "['a', 1]", '"= far_min"']
WEIRD += ['"' + "(" * 80 + '"']


def faults(text):
    """What is wrong with a text; nothing when it is read."""
    try:
        sets.read((sets.Source("mine", text),))
    except CriteriaError as error:
        return error.details["faults"]
    return []


@pytest.mark.parametrize("value", WEIRD)
def test_whatever_stands_in_the_place_of_a_value_is_read_or_refused_with_its_line(value):
    lines = (FORMULAS + AREA_OF_ONE).splitlines()
    refused = 0
    for number, line in enumerate(lines):
        key, sign, _rest = line.partition(" = ")
        if not sign:
            continue
        found = faults("\n".join([*lines[:number], f"{key} = {value}", *lines[number + 1 :]]) + "\n")
        assert all(fault["line"] and fault["message"] for fault in found), (line, found)
        refused += bool(found)
    assert refused > 10


AREA_OF_ONE = """
[[area]]
id = "south"
title = "南部"
streets = ["120104002"]
[area.params.far_min]
value = 0.5
note = "演示参数"
"""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "[criteria",
        "a = " + "[" * 5000,
        "a = " + "{a=" * 2000,
        "x = 1\nx = 2",
        "[criteria]\nid = 1979-13-45",
        "[[criteria]]\n",
        "criteria = 1",
        "[criteria]\n[rule]\n[params]\nx = 1",
        "# " + "x" * 300_000,
        GOOD.replace("演示", "演\u202e示", 1),
        GOOD.replace("far < far_min", "far\u200b < far_min"),
        GOOD + "# \x7f\n",
        GOOD.replace("[params]", "[params]\n[params]"),
        sets.MARK + "x\n" + GOOD,
    ],
)
def test_what_is_no_set_at_all_is_refused_with_a_sentence(text):
    with pytest.raises(CriteriaError) as raised:
        sets.read((sets.Source("mine", text),))
    assert str(raised.value).startswith("mine.toml")


def test_a_set_is_kept_and_read_once(folder):
    place = folder(mine=GOOD)
    assert sets.load("mine", place) is sets.load("mine", place)
    before = sets.load("mine", place)
    folder(mine=GOOD.replace("value = 1.0", "value = 0.995"))
    assert sets.load("mine", place).params["far_min"].value != before.params["far_min"].value
