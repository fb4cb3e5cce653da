"""What the scripts of the import say: every sentence is there, none is idle, every blank is filled."""

import re
from pathlib import Path

from importers.models import IntakeLayer
from importers.views.words import SHARED, import_words

STATIC = Path(__file__).resolve().parents[2] / "geoinv" / "static" / "geoinv"
SCRIPTS = "\n".join(path.read_text(encoding="utf-8") for path in sorted((STATIC / "js").glob("import*.js")))
# Scripts of the map that those of the import call.
CALLED = ("asking", "graticule", "ground", "notices", "page", "painting", "sending", "tiles")
BENEATH = "\n".join((STATIC / "js" / f"{name}.js").read_text(encoding="utf-8") for name in CALLED)
STYLES = "\n".join(path.read_text(encoding="utf-8") for path in (STATIC / "css").glob("*.css"))
SAID = set(re.findall(r'\bsay\("([\w-]+)"', SCRIPTS))
# say(`part-${name}`) and named("kind", …), which says `kind-…`.
GROUPS = set(re.findall(r"say\(`([\w]+)-\$\{", SCRIPTS)) | set(re.findall(r'\bnamed\("(\w+)"', SCRIPTS))
KINDS = re.search(r"KINDS = \[(.+?)\]", SCRIPTS)[1].replace('"', "").split(", ")


def own_words() -> dict[str, str]:
    return {name: sentence for name, sentence in import_words().items() if name not in SHARED}


def test_every_sentence_the_scripts_of_the_import_say_is_translated():
    assert set(import_words()) >= SAID
    assert set(import_words()) >= set(re.findall(r'\bsay\("([\w-]+)"', BENEATH)) & set(SHARED)


def test_no_sentence_of_the_import_is_idle():
    idle = {
        name
        for name in own_words()
        if name not in SAID and f'"{name}"' not in SCRIPTS and name.partition("-")[0] not in GROUPS
    }
    assert idle == set()


def test_the_blanks_of_a_sentence_of_the_import_are_filled():
    for name, sentence in own_words().items():
        start = name.partition("-")[0]
        for blank in re.findall(r"\{(\w+)\}", sentence):
            told = rf'(?:"{name}"|`{start}-\$\{{[^`]*`)[^;]{{0,260}}\b{blank}\b'
            assert re.search(told, SCRIPTS), (name, blank)


def test_every_kind_of_change_and_every_state_has_a_word_and_a_colour():
    words = import_words()
    for kind in KINDS:
        assert f"kind-{kind}" in words
        assert f"--import-{kind}:" in STYLES
        assert re.search(rf"\.kind-{kind}\b", STYLES)
    for state in IntakeLayer.State:
        assert f"layer-{state.value}" in words
