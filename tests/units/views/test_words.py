"""What the scripts of the map say, and how land classes are grouped for them."""

import re
from pathlib import Path

from units import codes
from units.views.land_classes import BY_PREFIX, LAND_GROUPS, land_group
from units.views.words import map_words

STATIC = Path(__file__).resolve().parents[3] / "geoinv" / "static" / "geoinv"
SCRIPTS = "\n".join(path.read_text(encoding="utf-8") for path in (STATIC / "js").glob("*.js"))
STYLES = "\n".join(path.read_text(encoding="utf-8") for path in (STATIC / "css").glob("*.css"))
BY_LAYER = {"parcels", "patches"}  # said by the name of a layer
IN_NOTES = {"code", "area", "landClass", "bsm", "lies", "surveyed", "measured"}  # the left side of a note's rows


def test_every_sentence_the_scripts_say_is_translated_and_none_is_idle():
    said = set(re.findall(r'\bsay\("(\w+)"', SCRIPTS))
    for name in IN_NOTES:
        assert f'["{name}", ' in SCRIPTS
    assert said | BY_LAYER | IN_NOTES == set(map_words())


def test_the_blanks_of_a_sentence_are_filled():
    for name, sentence in map_words().items():
        for blank in re.findall(r"\{(\w+)\}", sentence):
            assert re.search(rf'say\("{name}", \{{[^}}]*\b{blank}\b', SCRIPTS), (name, blank)


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
    assert {name for name in asked if f"--{name}:" not in STYLES} == set()


def test_no_script_or_style_asks_another_host():
    assert not re.search(r"https?://|//[a-z0-9-]+\.[a-z]{2,}/", SCRIPTS + STYLES)
