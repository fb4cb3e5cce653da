"""The rights walk: every address and every collection, visited as each role and as nobody.

The tables below say what is expected, in words of `workflow.md` 4.1 and not of `units/rights.py`. An address that is
added to the site without being listed here fails the first test, which says the line to add. What may be *written* at
which address, and things of a place by whatever address: test_every_face.py, in the same town.
"""

import csv
import io
import json
import math
import re

import openpyxl
import pytest
import town
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.cache import cache
from django.test import Client
from django.urls import URLResolver, get_resolver

from importers.loading import load
from importers.models import Intake
from tests.importers.containers import workbook
from tiles.layers import LAYERS
from units.collections import COLLECTIONS
from units.distributing import all_formed
from units.models import Campaign, Delivery, Determination, FactSheet, Parcel, Survey, User
from units.ogc import rendering
from units.rights import Role

pytestmark = pytest.mark.rows("NK017", "NK068", "NK064")

NOBODY = "nobody"
# Where each of them works. Places are numbered as in town.PLACES: two streets of Nankai, one row of Nankai without a
# street, one street of Heping.
WHO = {
    NOBODY: None,
    "R1": (town.NANKAI, None),
    "R2": (town.NANKAI, "120104001"),
    "R3": (town.NANKAI, None),
    "R4": (town.NANKAI, None),
    "R5": (town.NANKAI, None),
    "R6": (town.NANKAI, None),
    "R7": (None, None),
    "R8": (None, None),
    "R9": (town.NANKAI, None),
    "R10": (None, None),
}
SEEN_PLACES = {
    NOBODY: set(),
    "R1": {0, 1, 2},
    "R2": {0},
    "R3": {0, 1, 2},
    "R4": {0, 1, 2},
    "R5": {0, 1, 2},
    "R6": {0, 1, 2},
    "R7": {0, 1, 2, 3},
    "R8": {0, 1, 2, 3},
    "R9": set(),
    "R10": set(),
}
# How many rows of each collection each of them sees; `-` is none at all: 401 for nobody, 404 for who has signed in.
ROWS = """
                nobody  R1  R2  R3  R4  R5  R6  R7  R8  R9  R10
parcels              -   3   1   3   3   3   3   4   4   -    -
patches              -   3   1   3   3   3   3   4   4   -    -
buildings            -   3   1   3   3   3   3   4   4   -    -
candidates           -   3   1   3   3   3   3   4   4   -    -
control-areas        -   3   3   3   3   3   3   4   4   -    -
legacy               -   3   1   -   -   3   3   4   4   -    -
findings             -   4   1   -   -   4   4   5   5   -    -
problems             -   3   1   3   3   3   3   4   4   -    -
units                2   4   2   4   4   4   4   4   4   2    2
"""
# Columns that are closed to some who see the row.
CLOSED = {
    ("parcels", "right_holder"): {"R4"},
    ("candidates", "right_holder"): {"R4"},
    ("legacy", "penalty_number"): {"R8"},
}
PUBLIC_UNIT = {"code", "name", "edition", "state", "mode", "area_m2", "district_id", "district_name"}
# What may stand in no answer at all to those who may not see it.
SECRETS = {
    town.HOLDER: {NOBODY, "R4", "R9", "R10"},
    town.SQUATTER: {NOBODY, "R3", "R4", "R9", "R10"},
    town.PENALTY: {NOBODY, "R3", "R4", "R8", "R9", "R10"},
    # Firm tax, energy and grade: R3–R5 of the same district and R7 only.
    town.TAX: {NOBODY, "R1", "R2", "R6", "R8", "R9", "R10"},
    # What stands in the tax cell of a faulty row is in the file alone: a finding about it quotes it to nobody.
    "271828": set(WHO),
}
FAULTY_YEARS = [["统一社会信用代码", "年度", "税收（万元）"], ["91120104MA00000001", 2023, "-271828"]]
FIRMS = [["统一社会信用代码", "企业名称"], ["91120104MA00000001", "Importer Ltd"]]
FIGURE_READERS = {"R3", "R4", "R5", "R7"}
INSIDE = {"R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8"}
ALL = set(WHO)
KEEPERS = INSIDE - {"R3", "R4"}  # of the registers, who see what is wrong with them
# Who imports what in Nankai, and so sees its uploads, deliveries and reports (workflow 4.1: survey layers and registers
# of land R1; firms with their figures R3 and R5; violations and states of use, of which none is here, R4 too).
IMPORTING = {"dltb": {"R1"}, "zd": {"R1"}, "enterprise": {"R3", "R5"}, "enterprise_year": {"R3", "R5"}}
IMPORTERS = {"R1", "R3", "R4", "R5"}
# Every address outside the administrator's desk, and who gets which status; who is not named gets the last one.
STATUS = {
    "": {200: ALL},
    "parcels/<str:code>/": "by place",
    "buildings/<path:code>/": "by place",
    "parcels/<str:code>/card.pdf": "by place",
    "buildings/<path:code>/card.pdf": "by place",
    "map/overview.json": {200: ALL},
    "map/candidates.json": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "map/candidates.csv": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "map/registers.json": {200: ALL},
    "map/here.json": {200: ALL},
    "map/places.json": {200: ALL},
    "map/measure.json": {405: ALL},
    "map/search.json": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "map/compose.json": {405: ALL},
    "map/outlines.json": {400: {"R1", "R2", "R5"}, 401: {NOBODY}, 403: {"R3", "R4", "R6", "R7", "R8", "R9", "R10"}},
    "map/pick.json": {405: ALL},
    "map/snap.json": {400: {"R1", "R2", "R5"}, 401: {NOBODY}, 403: ALL - {"R1", "R2", "R5", NOBODY}},
    "map/trace.json": {405: ALL},
    "map/reshape.json": {405: ALL},
    "map/taken.json": {405: ALL},
    "units/reshape.json": {405: ALL},
    "units/reshapings.json": {400: {"R1", "R2", "R5"}, 401: {NOBODY}, 403: ALL - {"R1", "R2", "R5", NOBODY}},
    "map/whatif.json": {400: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "map/whatif/list.json": {400: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "map/whatif/list.csv": {400: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "map/whatif/parameters.json": {400: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "map/whatif/draft.json": {405: ALL},
    "compare/": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "compare/changes.json": {400: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "compare/changes.csv": {400: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "field/": {200: {"R1", "R2", "R5"}, 401: {NOBODY}, 403: ALL - {"R1", "R2", "R5", NOBODY}},
    "field/<path:code>/": "by place",
    "field/photos/<int:number>/": "by photo",
    "field/photos/<int:number>/small.jpg": "by photo",
    "findings/": {200: KEEPERS, 401: {NOBODY}, 403: ALL - KEEPERS - {NOBODY}},
    "findings/list.xlsx": {200: KEEPERS, 401: {NOBODY}, 403: ALL - KEEPERS - {NOBODY}},
    "findings/<str:identity>/waiver/": {405: ALL},
    "campaigns/": {200: INSIDE - {"R8"}, 401: {NOBODY}, 403: {"R8", "R9", "R10"}},
    "campaigns/<int:number>/": "by campaign",
    "campaigns/<int:number>/workbook.xlsx": "by campaign",
    "campaigns/<int:number>/workbook/": "by campaign",
    "forms/<int:number>/": "by campaign",
    "forms/<int:number>/step/": "by campaign",
    "forms/<int:number>/papers/": "by campaign",
    "forms/<int:number>/papers/<int:paper>/": "by campaign",
    "criteria/": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "criteria/check.json": {405: ALL},
    "criteria/drafts/": {405: ALL},
    "criteria/<str:name>/": "by set",
    "criteria/<str:name>/edit/": "by set",
    "criteria/<str:name>/diff/": "by set",
    "criteria/<str:name>/act/": {405: ALL},
    "determinations/": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "determinations/suspects/": {405: ALL},
    "determinations/moves/": {405: ALL},
    "determinations/by-hand/": {405: ALL},
    "determinations/<str:code>/": "by place",
    "determinations/<str:code>/move/": {405: ALL},
    # The set that judged the town is no set that is there: who may see statistics is told so.
    **dict.fromkeys(
        ("statistics/", "statistics/figures.json", "statistics/statistics.xlsx"),
        {400: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    ),
    "statistics/scores/": {200: FIGURE_READERS, 401: {NOBODY}, 403: ALL - FIGURE_READERS - {NOBODY}},
    "units/": {405: ALL},
    "units/<str:code>.json": "by place",
    "units/<str:code>/": "by place",
    "ogc": {200: ALL},
    "ogc/conformance": {200: ALL},
    "ogc/api": {200: ALL},
    "ogc/collections": {200: ALL},
    "ogc/collections/<name>": "by collection",
    "ogc/collections/<name>/items": "by collection",
    "ogc/collections/<name>/items/<fid>": "by collection",
    "api/v1/": {200: ALL},
    "api/docs/": {200: ALL},
    "api/schema": {200: ALL},
    "api/v1/measures": {200: ALL - {NOBODY}, 401: {NOBODY}},
    "api/v1/facts": {200: ALL - {NOBODY}, 401: {NOBODY}},
    "api/v1/workflow": {200: ALL - {NOBODY}, 401: {NOBODY}},
    "api/v1/runs": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "api/v1/whatif": {400: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "api/v1/compare": {400: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "api/v1/subjects/<path:code>": "by place",
    "api/v1/determinations": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "api/v1/determinations/suspects": {405: ALL - {NOBODY}, 401: {NOBODY}},
    "api/v1/determinations/moves": {405: ALL - {NOBODY}, 401: {NOBODY}},
    "api/v1/determinations/<str:code>": "by place",
    "api/v1/determinations/<str:code>/move": {405: ALL - {NOBODY}, 401: {NOBODY}},
    "api/v1/criteria": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "api/v1/criteria/check": {405: ALL - {NOBODY}, 401: {NOBODY}},
    "api/v1/criteria/<str:name>": {404: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "api/v1/criteria/<str:name>/text": {404: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "api/v1/criteria/<str:name>/diff": {400: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "api/v1/criteria/<str:name>/<str:action>": {405: ALL - {NOBODY}, 401: {NOBODY}},
    "api/v1/statistics": {400: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},  # the town's set is no set that is there
    "api/v1/campaigns": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "api/v1/campaigns/<int:number>": "by campaign",
    "api/v1/forms": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "api/v1/forms/<int:number>": "by campaign",
    "api/v1/forms/<int:number>/<str:action>": "by campaign",
    "tiles/<slug:layer>.json": "by layer",
    "tiles/<slug:layer>/<int:z>/<int:x>/<int:y>.mvt": "by layer",
    "import/": {200: IMPORTERS, 401: {NOBODY}, 403: ALL - IMPORTERS - {NOBODY}},
    "import/mappings.json": {200: IMPORTERS, 401: {NOBODY}, 403: ALL - IMPORTERS - {NOBODY}},
    "import/mappings/<int:number>.json": "by upload",
    "import/deliveries/": {200: IMPORTERS, 401: {NOBODY}, 403: ALL - IMPORTERS - {NOBODY}},
    "import/deliveries/<int:number>/": "by delivery",
    "import/deliveries/<int:number>.json": "by delivery",
    "import/deliveries/<int:number>/problems.json": "by delivery",
    "import/deliveries/<int:number>/faults.xlsx": "by delivery",
    "import/deliveries/<int:number>/refused.zip": "by delivery",
    "import/deliveries/<int:number>/repairs.json": "by delivery",
    "import/deliveries/<int:number>/repairs/<int:which>.svg": "by delivery",
    "import/deliveries/<int:number>/undo.json": "by delivery",
    "import/<uuid:number>/": "by upload",
    "import/<uuid:number>.json": "by upload",
    "import/<uuid:number>/preview.json": "by upload",
    "import/<uuid:number>/confirm.json": "by upload",
    "import/<uuid:number>/stop.json": "by upload",
    "import/<uuid:number>/again.json": "by upload",
    "import/<uuid:number>/<int:which>/rows.json": "by upload",
    "import/<uuid:number>/<int:which>/problems.json": "by upload",
    "import/<uuid:number>/<int:which>/problems.xlsx": "by upload",
    "import/<uuid:number>/<int:which>/<int:z>/<int:x>/<int:y>.mvt": "by upload",
    "parcels/<str:code>/history/": "by place",
    "buildings/<path:code>/history/": "by place",
    "legacy/<str:code>/history/": "by place",
    "determinations/<str:code>/history/": "by place",
    "units/<str:code>/history/": "by place",
    "units/<str:code>/restore/": {405: ALL},
    "history/": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "history/changes.json": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "history/changes.csv": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "map/dates.json": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "map/registers.csv": {200: ALL},
    "map/values.json": {400: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "map/values.csv": {400: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "map/views.json": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "map/views/<int:number>.json": {405: ALL},
    "map/corners.json": {405: ALL},
    "map/neighbours.json": {401: {NOBODY}, 403: ALL - {NOBODY}},  # without a district it is nobody's
    "determinations/<str:code>/start/": {405: ALL},
    "work/": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "work/moves/": {405: ALL},
    "legacy/": {200: KEEPERS, 401: {NOBODY}, 403: ALL - KEEPERS - {NOBODY}},
    "legacy/<str:code>/": "by place",
    "legacy/<str:code>/move/": {405: ALL},
    "legacy/<str:code>/facts/": {405: ALL},
    "legacy/<str:code>/notes/": {405: ALL},
    "snapshots/": {200: KEEPERS - {"R2"}, 401: {NOBODY}, 403: {"R2", "R3", "R4", "R9", "R10"}},
    **dict.fromkeys(
        (
            "snapshots/<str:district>/<str:register>/<int:number>/",
            "snapshots/<str:district>/<str:register>/<int:number>/package.zip",
        ),
        {404: KEEPERS - {"R2"}, 401: {NOBODY}, 403: {"R2", "R3", "R4", "R9", "R10"}},
    ),
    "units/<str:code>/move/": {405: ALL},
    "accounts/login/code/": {302: ALL},  # back to the sign-in: nobody here has given a password
    "accounts/login/second-factor/": {302: ALL},
    "accounts/": {200: ALL - {NOBODY}, 401: {NOBODY}},
    "accounts/password/": {200: ALL - {NOBODY}, 401: {NOBODY}},
    "accounts/second-factor/": {200: ALL - {NOBODY}, 401: {NOBODY}},
    "accounts/tokens/": {200: ALL - {NOBODY}, 401: {NOBODY}},
    "accounts/tokens/<int:number>/revoke/": {405: ALL},
    "accounts/session.json": {200: ALL - {NOBODY}, 401: {NOBODY}},
    "audit/": {200: {"R5"}, 401: {NOBODY}, 403: ALL - {NOBODY, "R5"}},
    "audit/list.xlsx": {200: {"R5"}, 401: {NOBODY}, 403: ALL - {NOBODY, "R5"}},
    "audit/rights/": {200: {"R5"}, 401: {NOBODY}, 403: ALL - {NOBODY, "R5"}},
    "api/v1/moves": {405: ALL - {NOBODY}, 401: {NOBODY}},
    "api/v1/work": {200: ALL - {NOBODY}, 401: {NOBODY}},
    "api/v1/snapshots": {200: KEEPERS - {"R2"}, 401: {NOBODY}, 403: {"R2", "R3", "R4", "R9", "R10"}},
    "api/v1/progress": {200: {"R7", "R8"}, 401: {NOBODY}, 403: ALL - {NOBODY, "R7", "R8"}},  # of all districts
    "accounts/login/": {200: {NOBODY}, 302: ALL - {NOBODY}},
    "accounts/logout/": {405: ALL},
    "accounts/language/": {204: ALL},
    "units/programmes/": {200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}},
    "units/<str:code>/record/": "by place",
    "units/<str:code>/editions/<int:number>/": "by place",
    "units/<str:code>/editions/<int:number>.json": "by place",
    "units/<str:code>/amend/": {405: ALL},
    "units/<str:code>/consultations/": {405: ALL},
    "consultations/<int:number>/reply/": {405: ALL},
    "units/<str:code>/since.json": {400: ALL - {NOBODY}, 401: {NOBODY}},
    "working/leases.json": {400: ALL - {NOBODY}, 401: {NOBODY}},
    "working/drafts.json": {400: ALL - {NOBODY}, 401: {NOBODY}},
    "working/drafts/<str:key>.json": {405: ALL},
    "healthz": {200: ALL},
}
DESK = "admin/"  # for staff, whom no role makes: everybody here is sent to its sign-in
DESK_SIGN_IN = "admin/login/"  # leads to the site's own; who is signed in and no administrator is told so
DESK_DOORS = {DESK_SIGN_IN, "admin/password_change/"}


def rows_expected(name: str, who: str) -> int | None:
    head, *lines = (line.split() for line in ROWS.strip().splitlines())
    (cells,) = [line[1:] for line in lines if line[0] == name]
    cell = cells[head.index(who)]
    return None if cell == "-" else int(cell)


def patterns(resolver=None, prefix="") -> list[str]:
    found = []
    for one in (resolver or get_resolver()).url_patterns:
        if isinstance(one, URLResolver):
            found += patterns(one, prefix + str(one.pattern))
        else:
            found.append(prefix + str(one.pattern))
    return found


def test_every_address_of_the_site_is_listed_here():
    there = [pattern for pattern in dict.fromkeys(patterns()) if not pattern.startswith(DESK)]
    lines = [f'    "{pattern}": {proposed(pattern)},' for pattern in there if pattern not in STATUS]
    assert not lines, (
        "These addresses are not in STATUS of tests/journeys/test_rights_walk.py. Say there which status each visitor "
        "gets by a plain GET; below is a proposal, to be held against workflow.md 4.1. What takes a POST, PUT, PATCH "
        "or DELETE needs a line in WRITES of test_every_face.py, too:\n" + "\n".join(lines)
    )
    gone = sorted(set(STATUS) - set(there))
    assert not gone, f"These are in STATUS and not on the site any more: {gone}"


def proposed(pattern: str) -> str:
    """What STATUS most likely has to say of an address."""
    if re.search(r"<(str|path):code>", pattern):
        return '"by place"'
    return '{200: INSIDE, 401: {NOBODY}, 403: {"R9", "R10"}}'


def test_every_collection_and_every_role_is_listed_here():
    named = [line.split()[0] for line in ROWS.strip().splitlines()[1:]]
    assert sorted(named) == sorted(COLLECTIONS)
    assert set(LAYERS) <= set(named)
    assert [role.value for role in Role] == list(WHO)[1:]
    for pattern, statuses in STATUS.items():
        assert isinstance(statuses, str) or set().union(*statuses.values()) == ALL, pattern


@pytest.fixture(scope="module")
def clients(django_db_setup, django_db_blocker, databases, tmp_path_factory):
    """The town, built once in a database of its own, and a client for each of them; nothing here writes to it."""
    name = databases.clone()
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "iterations", 1000)  # a real hash costs a third of a second
        databases.use(name)
        # Another database has revisions of its own; what was kept under the same numbers is not of this one.
        cache.clear()
        rendering.kept.answers.clear()
        town.build()
        book = workbook(tmp_path_factory.mktemp("walk") / "企业.xlsx", {"企业": FIRMS, "年度数据": FAULTY_YEARS})
        load(book, "enterprise", town.NANKAI, 2023)  # a round that still takes deliveries
        author = User.objects.get(username="author")
        for district in (town.NANKAI, town.HEPING):
            survey = Survey.objects.get(district=district, state="in_force")
            campaign = Campaign.objects.create(
                district_id=district, survey=survey, year=2024, title="Round", due_on="2024-02-29", opened_by=author
            )
            all_formed(Determination.objects.filter(district=district), by=author, campaign=campaign)
        for number, profile in enumerate(("dltb", "enterprise_year")):
            upload = Intake.objects.create(district_id=town.NANKAI, year=2023, state="open", files=[])
            verdict = {"profile": {"name": profile}, "columns": [], "sha256": f"{number:064x}"}
            upload.layers.create(number=1, file="x.zip", place=f"{profile} x", name=profile, told=verdict)
        made = {who: Client(headers={"Accept": "application/json"}) for who in WHO}
        for who, where in WHO.items():
            if where is not None:
                made[who].force_login(town.scoped_user(Role(who), *where))
        yield made
        cache.clear()
        rendering.kept.answers.clear()
        databases.use(databases.process_database)
    databases.drop(name)


@pytest.fixture(params=WHO)
def who(request):
    return request.param


@pytest.fixture
def visit(clients, who):
    """Visit an address as `who`: the status is the second argument's, and nothing in the answer is a secret to them."""
    client = clients[who]
    hidden = [word for word, kept_from in SECRETS.items() if who in kept_from]
    for number, (district, _street) in enumerate(town.PLACES):
        if number not in SEEN_PLACES[who]:
            hidden += [f"{district}001001GB0000{number}", f"{district}{number:012d}"]
    hidden.append("120104001001GB99999")  # of a round that is not in force

    def visited(path: str, status: int | tuple[int, ...], **headers):
        response = client.get(path, headers=headers or None)
        content = response.getvalue()  # of a streamed answer too
        assert response.status_code in (status if isinstance(status, tuple) else (status,)), (
            f"{path} as {who}: {content[:300]}"
        )
        # What the visitor named, the answer may name; a short number, though, would be cut out of codes.
        named = re.findall(rb"/(?:parcels|determinations|subjects|field)/(\w{19})", path.encode())
        body = content.replace(named[0], b"") if named else content
        for word in hidden:
            assert word.encode() not in body, f"{path} tells {who}: {word}"
        return response

    return visited


def status_for(pattern: str, who: str) -> int:
    (status,) = [status for status, those in STATUS[pattern].items() if who in those]
    return status


@pytest.mark.parametrize("pattern", [name for name, statuses in STATUS.items() if isinstance(statuses, dict)])
def test_each_address_answers_each_of_them_as_it_should(visit, who, pattern):
    visit(concrete(pattern), status_for(pattern, who))
    if pattern.startswith("ogc"):
        visit(f"/{pattern}?f=html", 200)


@pytest.mark.parametrize("place", range(len(town.PLACES)))
def test_the_card_of_a_parcel_opens_in_its_own_place_alone(visit, who, place):
    code = f"{town.PLACES[place][0]}001001GB0000{place}"
    for accept in ("text/html", "application/json"):
        # Who sees no parcel at all is told so, nobody signed in by way of the sign-in; none learns whether it exists.
        if who == NOBODY:
            status = 302 if accept == "text/html" else 401
        elif who not in INSIDE:
            status = 403
        else:
            status = 200 if place in SEEN_PLACES[who] else 404
        for query in ("", "?fragment=1"):
            response = visit(f"/parcels/{code}/{query}", status, Accept=accept)
            if who == "R3" and status == 200:
                assert town.HOLDER in response.content.decode()
            if status == 200:
                assert (town.TAX in response.content.decode()) == (who in FIGURE_READERS)
    visit("/parcels/120104001001GB99999/", 401 if who == NOBODY else 404 if who in INSIDE else 403)


@pytest.mark.parametrize("place", range(len(town.PLACES)))
def test_the_card_of_a_building_opens_in_its_own_place_alone(visit, who, place):
    seen = 200 if place in SEEN_PLACES[who] else 404
    for accept, nobody in (("text/html", 302), ("application/json", 401)):
        status = nobody if who == NOBODY else seen if who in INSIDE else 403
        for query in ("", "?fragment=1"):
            visit(f"/buildings/B{place}/{query}", status, Accept=accept)


@pytest.mark.parametrize("place", range(len(town.PLACES)))
def test_a_unit_opens_in_its_own_place_and_an_approved_one_for_everybody_in_the_public_columns(visit, who, place):
    seen = place in SEEN_PLACES[who]
    status = 200 if seen or town.UNIT_STATES[place] == "approved" else 404
    told = visit(f"/units/U{place}.json", status)
    page = visit(f"/units/U{place}/", status, Accept="text/html")
    if status == 200:
        assert ("drawn_by" in told.json()) == seen
        assert ("author" in page.content.decode()) == seen
    edition = visit(f"/units/U{place}/editions/1.json", status)
    if status == 200:
        assert ("record" in edition.json()) == seen
    assert ("author" in visit(f"/units/U{place}/editions/1/", status, Accept="text/html").content.decode()) == (
        status == 200 and seen
    )
    # The form of the record is for those who draw there, and of a draft alone.
    draft = town.UNIT_STATES[place] == "draft"
    form = (200 if draft else 409) if who in {"R1", "R2", "R5"} else 403
    visit(f"/units/U{place}/record/", form if seen else 404, Accept="text/html")


def test_a_criteria_set_is_read_by_the_departments_and_a_file_is_edited_by_nobody(visit, who):
    status = 401 if who == NOBODY else 200 if who in INSIDE else 403
    visit("/criteria/nankai-2024/", status)
    visit("/criteria/nankai-2024/diff/", status)
    visit("/criteria/nankai-2024/edit/", 401 if who == NOBODY else 403)
    visit("/criteria/no-such-set/", 404 if status == 200 else status)


@pytest.mark.parametrize("place", range(len(town.PLACES)))
def test_a_printed_card_is_closed_where_its_card_is(visit, who, place):
    if place in SEEN_PLACES[who]:
        return  # tests/units/views/test_criteria_pages.py opens one
    code = f"{town.PLACES[place][0]}001001GB0000{place}"
    visit(f"/parcels/{code}/card.pdf", 401 if who == NOBODY else 404 if who in INSIDE else 403)
    visit("/buildings/B0-nowhere/card.pdf", 401 if who == NOBODY else 404 if who in INSIDE else 403)


@pytest.mark.parametrize("place", range(len(town.PLACES)))
def test_a_record_opens_in_its_own_place_alone_and_is_listed_there(visit, who, place):
    code, parcel = f"{town.PLACES[place][0]}DX00000{place}", f"{town.PLACES[place][0]}001001GB0000{place}"
    seen = place in SEEN_PLACES[who]
    status = 401 if who == NOBODY else 403 if who not in INSIDE else 200 if seen else 404
    visit(f"/determinations/{code}/", status)
    visit(f"/determinations/{parcel}/", 302 if status == 200 else status)
    told = visit(f"/api/v1/determinations/{code}", status)
    listed = visit("/api/v1/determinations", 200 if who in INSIDE else status)
    if who in INSIDE:
        assert (code in {one["code"] for one in listed.json()["items"]}) == seen
        assert listed.json()["count"] == len(SEEN_PLACES[who])
    page = visit("/determinations/", 302 if who == NOBODY else 200 if who in INSIDE else 403, Accept="text/html")
    if seen:
        assert told.json()["subject"] == parcel
        assert code in page.content.decode()
    # The card needs a set that is there; here none is, so that who sees the parcel is told so, and nobody else.
    visit(f"/api/v1/subjects/{parcel}", (400, 409) if status == 200 else status)


@pytest.mark.parametrize("place", range(len(town.PLACES)))
def test_a_form_opens_for_whoever_works_on_it_in_its_own_place(visit, who, place, django_db_blocker):
    """The office, the analyst, the district, the bureau and the street's own office; departments those they are asked.

    Nobody here is of a department that is asked, and the city government (R8) has no part in forms.
    """
    with django_db_blocker.unblock():
        sheet = FactSheet.objects.get(determination__code=f"{town.PLACES[place][0]}DX00000{place}").pk
    seen = place in SEEN_PLACES[who] and who not in ("R3", "R4", "R8")
    status = 401 if who == NOBODY else 403 if who not in INSIDE else 200 if seen else 404
    told = visit(f"/api/v1/forms/{sheet}", status)
    listed = visit("/api/v1/forms", 200 if who in INSIDE else status)
    visit(f"/api/v1/forms/{sheet}/submit", 401 if who == NOBODY else 405)
    page = 403 if who == "R8" else status
    visit(f"/forms/{sheet}/", page, Accept="text/html" if page == 200 else "application/json")
    visit(f"/forms/{sheet}/papers/1/", 404 if page == 200 else page)
    for address in ("step", "papers"):
        visit(f"/forms/{sheet}/{address}/", 405)
    if who in INSIDE:
        assert (sheet in {one["id"] for one in listed.json()["items"]}) == seen
    if seen:
        figures = [cell for group in told.json()["groups"] for cell in group["cells"] if cell.get("hidden")]
        assert bool(figures) == (who not in FIGURE_READERS)
        assert all("value" not in cell and "register" not in cell for cell in figures)


def test_a_campaign_is_told_to_those_of_its_district(visit, who, django_db_blocker):
    with django_db_blocker.unblock():
        numbers = {one.district_id: one.pk for one in Campaign.objects.all()}
    for district, number in numbers.items():
        here = who in ("R7",) or (district == town.NANKAI and who in INSIDE - {"R7", "R8"})
        status = 401 if who == NOBODY else 403 if who not in INSIDE else 200 if here else 404
        visit(f"/api/v1/campaigns/{number}", status)
        page = 403 if who == "R8" else status
        visit(f"/campaigns/{number}/", page, Accept="text/html" if page == 200 else "application/json")
        visit(f"/campaigns/{number}/workbook.xlsx", 403 if page == 200 else page)  # nobody is of a named department
        visit(f"/campaigns/{number}/workbook/", 405)


@pytest.mark.parametrize("place", range(len(town.PLACES)))
def test_a_field_check_is_written_in_its_own_place_by_those_who_look(visit, who, place):
    code = f"{town.PLACES[place][0]}001001GB0000{place}"
    looks = who in {"R1", "R2", "R5"}
    status = 401 if who == NOBODY else 403 if not looks else 200 if place in SEEN_PLACES[who] else 404
    visit(f"/field/{code}/", status)


def test_a_photo_that_is_not_there_tells_nobody_anything(visit, who):
    status = 401 if who == NOBODY else 404 if who in INSIDE else 403
    visit("/field/photos/1/", status)
    visit("/field/photos/1/small.jpg", status)


def test_the_map_counts_and_lists_what_each_of_them_sees(visit, who):
    counts = visit("/map/overview.json", 200).json()["counts"]
    for name in LAYERS:
        assert counts.get(name) == rows_expected(name, who), name
    if who in INSIDE:
        listed = visit("/map/candidates.json", 200).json()["items"]
        assert len(listed) == rows_expected("candidates", who)
    for words in ("GB0000", "Road"):
        response = visit(f"/map/search.json?q={words}", status_for("map/search.json", who))
        if who in INSIDE:
            assert len(response.json()["items"]) == rows_expected("parcels", who)


@pytest.mark.parametrize("register", ["units", "legacy", "control-areas", "findings"])
def test_a_register_taken_along_from_the_map_holds_what_each_of_them_sees(visit, clients, who, register):
    expected = rows_expected(register, who)
    status = 200 if expected is not None else 401 if who == NOBODY else 403
    visit(f"/map/registers.json?of={register}", status)
    visit(f"/map/registers.csv?of={register}", status)
    if expected is not None:
        table = clients[who].get(f"/map/registers.csv?of={register}").getvalue()  # it is streamed, so read once
        lines = list(csv.reader(io.StringIO(table.decode("utf-8-sig"))))
        assert len(lines) - 1 == expected
        assert not [cell for line in lines[1:] for cell in line if cell.startswith(("=", "+", "@"))]


def test_no_note_list_or_table_of_findings_quotes_a_figure_of_a_firm(visit, who):
    status = 200 if who in KEEPERS else 401 if who == NOBODY else 403
    listed = visit("/map/registers.json?of=findings", status)
    visit("/findings/?subject=91120104MA00000001", 302 if who == NOBODY else status, Accept="text/html")
    if who in KEEPERS:
        named = [one["identity"] for one in listed.json()["items"] if "税收" in one["sentence"]]
        assert len(named) == (0 if who == "R2" else 1)  # it lies in no street
        for identity in named:
            (note,) = visit(f"/map/here.json?findings.code={identity}", 200).json()["items"]
            assert "税收" in note["sentence"]
        book = openpyxl.load_workbook(io.BytesIO(visit("/findings/list.xlsx", 200).content))
        cells = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row]
        assert any("税收" in cell for cell in cells) == bool(named)
        assert not any("271828" in cell for cell in cells)


def test_programs_are_told_of_the_collections_each_of_them_sees(visit, who):
    listed = {one["id"] for one in visit("/ogc/collections", 200).json()["collections"]}
    assert listed == {name for name in COLLECTIONS if rows_expected(name, who) is not None}
    described = visit("/ogc/api", 200).json()["paths"]
    assert {path.split("/")[2] for path in described if path.startswith("/collections/")} == listed


@pytest.mark.parametrize("name", COLLECTIONS)
def test_each_collection_shows_its_rows_and_columns_and_no_others(visit, who, name):
    expected = rows_expected(name, who)
    if expected is None:
        status = 401 if who == NOBODY else 404
        for tail in ("", "/items", "/items/1", "/items?bbox=117,39,118,40"):
            visit(f"/ogc/collections/{name}{tail}", status)
            visit(f"/ogc/collections/{name}{tail}", 302 if who == NOBODY else 404, Accept="text/html")
        return
    document = visit(f"/ogc/collections/{name}", 200).json()
    assert document["id"] == name
    page = visit(f"/ogc/collections/{name}/items", 200).json()
    assert page["numberMatched"] == page["numberReturned"] == len(page["features"]) == expected
    visit(f"/ogc/collections/{name}/items?f=html", 200)
    for feature in page["features"]:
        visit(f"/ogc/collections/{name}/items/{feature['id']}", 200)
        visit(f"/ogc/collections/{name}/items/{feature['id']}?f=html", 200)
        columns = set(feature["properties"])
        if who in INSIDE:
            closed = {column for (where, column), those in CLOSED.items() if where == name and who in those}
            assert columns == set(COLLECTIONS[name].names) - closed
        else:
            assert columns == PUBLIC_UNIT
    for (where, column), those in CLOSED.items():
        if where == name and who in INSIDE:
            visit(f"/ogc/collections/{name}/items?{column}=x", 400 if who in those else 200)


def test_no_feature_outside_the_scope_opens_by_its_number(visit, who):
    seen = SEEN_PLACES[who]
    numbers = list(Parcel.objects.filter(survey__state="in_force").order_by("pk").values_list("pk", flat=True))
    for place, number in enumerate(numbers):
        missing = 401 if who == NOBODY else 404
        visit(f"/ogc/collections/parcels/items/{number}", 200 if place in seen else missing)


def tiles_over(zoom: int) -> list[tuple[int, int]]:
    """The columns and rows of the tiles of `zoom` in which the town lies."""

    def number(longitude, latitude):
        radians = math.radians(latitude)
        row = (1 - math.asinh(math.tan(radians)) / math.pi) / 2
        return int((longitude + 180) / 360 * 2**zoom), int(row * 2**zoom)

    west, north = number(117.0999, 39.1061)
    east, south = number(117.1051, 39.0999)
    return [(x, y) for x in range(west, east + 1) for y in range(north, south + 1)]


@pytest.mark.parametrize("name", LAYERS)
def test_each_tile_holds_what_its_reader_sees(visit, who, name):
    expected = rows_expected(name, who)
    closed = 401 if who == NOBODY else 403
    described = visit(f"/tiles/{name}.json", 200 if expected is not None else closed)
    if expected is not None:
        fields = set(described.json()["vector_layers"][0]["fields"])
        assert fields <= (set(COLLECTIONS[name].names) if who in INSIDE else PUBLIC_UNIT)
    zoom = 16
    bodies = b""
    for x, y in tiles_over(zoom):
        path = f"/tiles/{name}/{zoom}/{x}/{y}.mvt"
        if expected is None:
            visit(path, closed)
            continue
        bodies += visit(path, (200, 204)).content
    codes = {
        "parcels": [f"{district}001001GB0000{number}" for number, (district, _s) in enumerate(town.PLACES)],
        "candidates": [f"{district}001001GB0000{number}" for number, (district, _s) in enumerate(town.PLACES)],
        "patches": [f"{district}{number:012d}" for number, (district, _s) in enumerate(town.PLACES)],
    }.get(name)
    if codes and expected is not None:
        assert {number for number, code in enumerate(codes) if code.encode() in bodies} == SEEN_PLACES[who]


def test_an_upload_opens_to_those_who_may_import_what_is_in_it(visit, who, clients):
    closed = 401 if who == NOBODY else 404 if who in IMPORTERS else 403
    for upload in Intake.objects.all():
        (layer,) = upload.layers.all()
        seen = who in IMPORTING[layer.name]
        visit(f"/import/{upload.pk}/", 302 if who == NOBODY else 200 if seen else closed, Accept="text/html")
        told = visit(f"/import/{upload.pk}.json", 200 if seen else closed)
        assert ("layers" in told.json()) == seen
        if seen:
            profiles = {one["name"] for one in told.json()["profiles"]}
            assert ("dltb" in profiles, "enterprise_year" in profiles) == (who == "R1", who != "R1")
        for address in ("rows.json", "problems.json", "problems.xlsx", "12/3/4.mvt"):
            visit(f"/import/{upload.pk}/1/{address}", 409 if seen else closed)  # it was not previewed
        for verb in ("preview", "confirm", "stop", "again"):
            visit(f"/import/{upload.pk}/{verb}.json", 405)
            sent = {"layer": 1, "profile": layer.name} if verb == "preview" else {} if verb == "again" else {"layer": 1}
            if not seen:
                answer = clients[who].post(f"/import/{upload.pk}/{verb}.json", sent, content_type="application/json")
                assert answer.status_code == closed, f"{verb} as {who}"
        if not seen:
            assert clients[who].delete(f"/import/{upload.pk}/").status_code == closed
    visit("/import/00000000-0000-4000-8000-000000000000.json", closed)
    assert clients[who].delete("/import/mappings/1.json").status_code == closed
    listed = visit("/import/", 302 if who == NOBODY else 200 if who in IMPORTERS else 403, Accept="text/html")
    if who in IMPORTERS:
        assert str(town.HEPING) not in listed.content.decode()


def test_a_delivery_opens_to_those_who_may_import_its_profile_there(visit, who, clients):
    closed = 401 if who == NOBODY else 404 if who in IMPORTERS else 403
    for delivery in Delivery.objects.all():
        seen = delivery.district_id == town.NANKAI and who in IMPORTING[delivery.profile]
        base = f"/import/deliveries/{delivery.pk}"
        visit(f"{base}/", 302 if who == NOBODY else 200 if seen else closed, Accept="text/html")
        for address in (".json", "/problems.json", "/faults.xlsx", "/repairs.json"):
            visit(f"{base}{address}", 200 if seen else closed)
        visit(f"{base}/refused.zip", (200 if delivery.refused else 404) if seen else closed)
        visit(f"{base}/repairs/1.svg", 404 if seen else closed)
        visit(f"{base}/undo.json", 405)
        if not seen:
            for verb, sent in (("undo.json", {}), ("repairs.json", {"accept": "all"})):
                answer = clients[who].post(f"{base}/{verb}", sent, content_type="application/json")
                assert answer.status_code == closed, f"{verb} as {who}"


def concrete(pattern: str) -> str:
    """An address that the pattern matches."""
    text = re.sub(r"\^|\$|\(\?P<app_label>(\w+)\)", lambda match: match[1] or "", pattern)
    text = text.replace("(?P<url>.*)", "anything")
    return "/" + re.sub(r"<(\w+:)?\w+>", "1", text)


def test_the_administrators_desk_is_closed_to_every_role(visit, who):
    for pattern in patterns():
        if pattern.startswith(DESK):
            path = concrete(pattern)
            if pattern in DESK_DOORS:
                response = visit(path, 302 if who == NOBODY or pattern not in DESK_SIGN_IN else 403)
                assert who != NOBODY or response["Location"].startswith("/accounts/"), path
            else:
                response = visit(path, 302)
                assert response["Location"].startswith(f"/{DESK}"), path


@pytest.mark.parametrize("path", ["/ogc/collections/secrets", "/ogc/nowhere", "/tiles/secrets.json", "/nowhere"])
def test_what_is_not_there_is_not_there_for_anybody(visit, who, path):
    response = visit(path, 400 if path.startswith("/tiles") else 404)
    assert response["Content-Type"] == "application/problem+json"
    assert json.loads(response.content)["status"] == response.status_code
