"""What the scripts of the map say, and how land classes are grouped for them."""

import re
from pathlib import Path

import pytest

from units import codes
from units.models import ControlArea
from units.views.field import words as field_words
from units.views.forms import words as form_words
from units.views.land_classes import BY_PREFIX, LAND_GROUPS, land_group
from units.views.legend import LAYERS
from units.views.words import map_words, unit_record_words

STATIC = Path(__file__).resolve().parents[3] / "geoinv" / "static" / "geoinv"
SCRIPTS = "\n".join(path.read_text(encoding="utf-8") for path in (STATIC / "js").glob("*.js"))
STYLES = "\n".join(path.read_text(encoding="utf-8") for path in (STATIC / "css").glob("*.css"))
# The scripts of the import have words of their own (tests/importers/test_import_words.py), and so have other pages.
OF_THEIR_OWN = ("import", "forms", "field.js", "unit-record.js", "session.js")
MAP_SCRIPTS = "\n".join(
    path.read_text(encoding="utf-8") for path in (STATIC / "js").glob("*.js") if not path.name.startswith(OF_THEIR_OWN)
)
SAID = set(re.findall(r'\bsay\("([\w-]+)"', MAP_SCRIPTS))


def test_every_sentence_the_scripts_say_is_translated():
    assert set(map_words()) >= SAID


def test_every_sentence_of_a_survey_form_is_translated():
    script = "".join((STATIC / "js" / f"{name}.js").read_text(encoding="utf-8") for name in ("forms", "conflict"))
    assert set(form_words()) >= set(re.findall(r'\bsay\("([\w-]+)"', script))


@pytest.mark.parametrize(("name", "words"), [("field", field_words), ("unit-record", unit_record_words)])
def test_a_page_with_words_of_its_own_says_each_of_them(name, words):
    scripts = [name, "conflict"] if name == "unit-record" else [name]
    script = "".join((STATIC / "js" / f"{one}.js").read_text(encoding="utf-8") for one in scripts)
    assert set(re.findall(r'\bsay\("(\w+)"', script)) <= set(words())
    made = set(re.findall(r"`(\w+_)\$\{", script))
    assert all(word.partition("_")[0] + "_" in made or re.search(rf'["`]{word}["`]', SCRIPTS) for word in words())


def test_no_sentence_is_idle():
    """A sentence is said by its name, or its name is written somewhere as a text of its own: `put-${kind}` counts."""
    made = set(re.findall(r"`([\w-]+)-\$\{", MAP_SCRIPTS))
    idle = {
        name
        for name in map_words()
        if name not in SAID
        and not re.search(rf'["`]{name}["`]|\b{name}:|\.{name}\b', MAP_SCRIPTS)
        and name.partition("-")[0] not in made
    }
    assert idle == set()


def test_the_blanks_of_a_sentence_are_filled():
    for name, sentence in map_words().items():
        for blank in re.findall(r"\{(\w+)\}", sentence):
            # say("name", {blank: …}), say(… ? "name" : "other", {blank}) or say(`${kind}-name`, {blank}).
            start = name.partition("-")[0]
            told = rf'(?:"{name}"|`{start}-\$\{{[^`]*`)[^;]{{0,160}}\b{blank}\b'
            assert re.search(told, MAP_SCRIPTS), (name, blank)


def test_every_land_class_of_the_survey_has_a_group():
    known = {code for code, use in codes.land_use(codes.SANDIAO).items() if use.level > 1}
    assert {land_group(code) for code in known} <= {group.id for group in LAND_GROUPS}
    assert all(code[:2] in BY_PREFIX for code in known)


def test_the_longest_beginning_of_a_code_decides():
    assert (land_group("0810A"), land_group("0809"), land_group("0508"), land_group("05H1")) == (
        "park",
        "public",
        "logistics",
        "commercial",
    )
    assert land_group("99") == "other"


def test_every_colour_a_rule_asks_for_is_in_the_style_sheet():
    asked = set(re.findall(r'colour\("([\w-]+)"\)', SCRIPTS)) | {f"land-{group.id}" for group in LAND_GROUPS}
    asked |= {f"control-{kind.value}" for kind in ControlArea.Kind}
    assert {name for name in asked if f"--{name}:" not in STYLES} == set()


def test_every_kind_of_control_area_has_a_line_of_its_own_on_the_map_and_a_swatch_in_the_legend():
    drawn = dict(re.findall(r"^  (\w+): \[(.+?)\],$", SCRIPTS, re.MULTILINE))
    assert {kind.value for kind in ControlArea.Kind} <= set(drawn)
    assert len({drawn[kind.value] for kind in ControlArea.Kind}) == len(ControlArea.Kind)  # by line or pattern alone
    for layer in LAYERS:
        for swatch in filter(None, [layer.swatch, *(row.swatch for facet in layer.facets for row in facet.rows)]):
            # The states of a register share one swatch where the map paints them alike.
            assert re.search(rf"\.{swatch}\b|\[class\*=\"{swatch.split('-')[0]}-\"\]", STYLES), swatch


def test_no_script_or_style_asks_another_host():
    text = (SCRIPTS + STYLES).replace(
        "http://www.w3.org/2000/svg", ""
    )  # the name of a vocabulary, which nobody fetches
    assert not re.search(r"https?://|//[a-z0-9-]+\.[a-z]{2,}/", text)
