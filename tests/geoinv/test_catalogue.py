"""The Chinese catalogue has every string of the code, with the same blanks, in the words of the glossary."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "geoinv" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
PACKAGES = ("geoinv", "units", "importers", "tiles", "fixtures")
HAN = re.compile(r"[\u4e00-\u9fff]")
# A blank is %(name)s with its format, %s, or {name}; %% is kept as it is too.
BLANK = re.compile(r"%%|%(?:\(\w+\))?[#0 +-]*\d*(?:\.\d+)?[a-zA-Z]|\{\w*(?:[:!][^{}]*)?\}")
SAME_IN_BOTH = {"English"}  # each language is called by its own name
# The words of the glossary in README.md: one word a concept.
GLOSSARY = {
    "Survey": "调查成果",
    "Delivery": "交付",
    "Rows not taken": "未入库记录",
    "Land-use patch": "地类图斑",
    "Parcel": "宗地",
    "Building": "建筑物",
    "Right holder": "土地使用权人",
    "Redeveloper": "开发主体",
    "Supply contract": "出让合同",
    "Survey form": "调查表",
    "Control area": "控制区",
    "Legacy land": "历史遗留用地",
    "Redevelopment unit": "再开发空间单元",
    "Flag": "疑似",
    "Determination": "认定",
    "Finding": "质检问题",
    "Problem": "问题",
    "Move": "流转",
    "Criteria": "认定标准",
    "Annual plan": "年度实施计划",
    "Candidate": "候选",
    "Excluded": "排除",
    "Exempted": "豁免",
    "Undecided": "待核",
    "Not low": "不符合低效",
    "met": "符合",
    "not met": "不符合",
    "data missing": "缺数据",
    "FAR": "容积率",
    "Coverage": "建筑密度",
    "Measured area": "量算面积",
    "Surveyed": "图斑面积",
    "Documented area": "证载面积",
}


def entries(path: Path) -> list[dict]:
    """The live entries of a .po file: flags, msgctxt, msgid, msgid_plural and the list of its msgstr."""
    found = []
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
        entry, key = {"flags": set(), "msgctxt": None, "msgid_plural": None, "msgstr": []}, None
        for line in block.splitlines():
            if line.startswith("#,"):
                entry["flags"] |= {flag.strip() for flag in line[2:].split(",")}
            if line.startswith("#") or not line.strip():
                continue
            keyword, quoted = re.fullmatch(r'(\w*(?:\[\d+\])?)\s*(".*")', line).groups()
            text = ast.literal_eval(quoted)
            if keyword.startswith("msgstr"):
                key = "msgstr"
                entry[key].append(text)
            elif keyword:
                key = keyword
                entry[key] = text
            elif key == "msgstr":
                entry[key][-1] += text
            else:
                entry[key] += text
        if entry.get("msgid"):  # not the header, nor a block of comments
            found.append(entry)
    return found


def blanks(text: str) -> Counter:
    return Counter(BLANK.findall(text))


def said_in_python() -> set[str]:
    """The plain strings that the code gives to gettext, those in f-strings too, where xgettext does not look."""
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not (isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name | ast.Attribute)):
                    continue
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if name in {"_", "gettext", "gettext_lazy", "gettext_noop"}:
                    assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno} translates no fixed string"
                    found.add(node.args[0].value)
    return found


@pytest.fixture(scope="module")
def catalogue() -> dict:
    listed = entries(CATALOGUE)
    by_key = {(entry["msgctxt"], entry["msgid"]): entry for entry in listed}
    assert len(by_key) == len(listed), "an entry stands in the catalogue twice"
    return by_key


@pytest.fixture(scope="module")
def in_code(tmp_path_factory) -> set:
    """What makemessages finds in a copy of the sources: it writes beside the templates that it reads."""
    copy = tmp_path_factory.mktemp("sources")
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.suffix in {".py", ".html", ".txt"} and "vendor" not in path.parts:
                target = copy / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    (copy / "locale").mkdir()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "django", "makemessages", "-l", "zh_Hans", "--no-wrap", "--no-location"],
        cwd=copy,
        env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr.strip(), done.stderr
    found = entries(copy / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po")
    return {(entry["msgctxt"], entry["msgid"]) for entry in found} | {(None, text) for text in said_in_python()}


def test_every_string_of_the_code_is_in_the_catalogue(catalogue, in_code):
    assert len(in_code) > 500, "the extraction found next to nothing"
    lost = sorted(msgid for _, msgid in in_code - catalogue.keys())
    assert not lost, f"run makemessages and translate: {lost}"


def test_the_catalogue_has_no_string_that_left_the_code(catalogue, in_code):
    stale = sorted(msgid for _, msgid in catalogue.keys() - in_code)
    assert not stale, f"drop from the catalogue: {stale}"
    assert "#~" not in CATALOGUE.read_text(encoding="utf-8"), "obsolete entries are dropped, not kept"


def test_every_string_is_translated_and_none_is_guessed(catalogue):
    guessed = sorted(msgid for (_, msgid), entry in catalogue.items() if "fuzzy" in entry["flags"])
    assert not guessed, f"fuzzy: {guessed}"
    empty = sorted(msgid for (_, msgid), entry in catalogue.items() if not all(entry["msgstr"]) or not entry["msgstr"])
    assert not empty, f"untranslated: {empty}"


def test_every_sentence_is_said_in_chinese(catalogue):
    english = [
        msgid
        for (_, msgid), entry in catalogue.items()
        if re.search(r"[a-z]{2}", BLANK.sub("", msgid))
        and not all(HAN.search(text) for text in entry["msgstr"])
        and msgid not in SAME_IN_BOTH
    ]
    assert not english, f"not Chinese: {english}"


def test_a_translation_has_the_blanks_of_its_string(catalogue):
    for (_, msgid), entry in catalogue.items():
        # Chinese has one form, said of any number: it has the blanks of the plural.
        source = entry["msgid_plural"] or msgid
        for text in entry["msgstr"]:
            assert blanks(text) == blanks(source), f"“{msgid}” and “{text}” have different blanks"


def test_the_catalogue_compiles_without_a_complaint():
    done = subprocess.run(
        ["msgfmt", "--check", "--output-file", os.devnull, str(CATALOGUE)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


@pytest.mark.parametrize(("word", "chinese"), GLOSSARY.items())
def test_a_concept_is_called_as_the_glossary_has_it(catalogue, word, chinese):
    assert catalogue[None, word]["msgstr"] == [chinese]
