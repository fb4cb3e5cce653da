"""The measures that rules may name: what each means, its unit, its decimals, where it comes from and who owns it."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.translation import gettext_lazy as _

SQL = Path(__file__).resolve().parent.parent / "sql"
DATA = Path(__file__).resolve().parent.parent / "data"

NUMBER, TEXT, BOOLEAN = "number", "text", "boolean"
TYPE_TITLES = {NUMBER: _("number"), TEXT: _("text"), BOOLEAN: _("truth value")}
SQL_TYPES = {NUMBER: "numeric", TEXT: "text", BOOLEAN: "boolean"}

UNCOVERED = 0.01  # share of a parcel without patches above which its land classes are not known (G-01)
OVERLAPPED = 0.01  # share of a parcel under more than one patch above which its land classes are not known (ours)

PLANNING, HOUSING = "planning", "housing"  # codes of departments (units/data/departments.csv)


@dataclass(frozen=True)
class Fact:
    """Something that may be missing, and the department to ask for it."""

    name: str
    title: object
    owner: str


@dataclass(frozen=True)
class Measure:
    """One number or code of a subject. `family` is the SQL question that yields it; `source` the layer it is from."""

    name: str
    title: object
    definition: object
    family: str
    source: str  # patches, buildings, parcels
    uom: str
    type: str = NUMBER
    decimals: int = 0
    owner: str = PLANNING
    subject: str = "parcel"


# The layers that measures are taken from, each with the profile of its deliveries.
SOURCES = {"patches": "dltb", "buildings": "building", "parcels": "zd"}
SOURCE_TITLES = {
    "patches": _("Land-use patches of the survey"),
    "buildings": _("Building footprints"),
    "parcels": _("Cadastral parcels"),
}

FACTS = {
    fact.name: fact
    for fact in (
        Fact("patches", _("Land-use patches of the survey: none delivered"), PLANNING),
        Fact("patches.cover", _("Land-use patches: the parcel is not covered"), PLANNING),
        Fact("patches.overlap", _("Land-use patches: they overlap on the parcel"), PLANNING),
        Fact("patches.class", _("Land class: a code that the survey does not know"), PLANNING),
        Fact("buildings", _("Building footprints: none delivered"), HOUSING),
        Fact("buildings.cover", _("Building footprints: none delivered around the parcel"), HOUSING),
        Fact("building.floor_area", _("Floor area, or number of floors, of a building"), HOUSING),
        Fact("building.built_year", _("Year built of a building"), HOUSING),
        Fact("parcel.registered_use", _("Registered use"), PLANNING),
        Fact("parcel.use_mapping", _("Land classes of this registered use"), PLANNING),
        Fact("parcel.documented_m2", _("Documented area"), PLANNING),
        Fact("parcel.registered_far", _("Registered FAR"), PLANNING),
        Fact("parcel.registered_coverage", _("Registered coverage"), PLANNING),
    )
}

MEASURES = {
    measure.name: measure
    for measure in (
        Measure(
            "main_class",
            _("Main land class"),
            _("The class (DLBM) with most area on the parcel; at a tie the lower code."),
            "land",
            "patches",
            "TD/T 1055",
            TEXT,
        ),
        Measure(
            "main_class_share",
            _("Share of the main land class"),
            _("Area of the main class ÷ area of the parcel."),
            "land",
            "patches",
            "1",
            decimals=4,
        ),
        Measure(
            "construction_share",
            _("Share of construction land"),
            _("Area of construction-land classes ÷ area of the parcel."),
            "land",
            "patches",
            "1",
            decimals=4,
        ),
        Measure(
            "covered_share",
            _("Share covered by patches"),
            _(
                "Area covered by patches, each place counted once, ÷ area of the parcel; below 0.99 its land classes "
                "are not known."
            ),
            "land",
            "patches",
            "1",
            decimals=4,
        ),
        Measure(
            "mismatch",
            _("Mismatch of use"),
            _("1 − shares of the classes that the registered use allows."),
            "land",
            "patches",
            "1",
            decimals=4,
        ),
        Measure(
            "use_category",
            _("Category by registered use"),
            _("The category that the registered use stands for; “none” when it is outside all."),
            "land",
            "parcels",
            "geoinv",
            TEXT,
        ),
        Measure(
            "class_category",
            _("Category by main land class"),
            _("The category that the main land class stands for; “none” when it is outside all."),
            "land",
            "patches",
            "geoinv",
            TEXT,
        ),
        Measure(
            "far",
            _("FAR"),
            _(
                "Σ floor area × share of the footprint on the parcel ÷ area of the parcel; temporary buildings and "
                "floors below ground left out; where no floor area is recorded, footprint × floors."
            ),
            "building",
            "buildings",
            "1",
            decimals=2,
            owner=HOUSING,
        ),
        Measure(
            "far_estimated_share",
            _("Estimated share of the floor area"),
            _("Part of the floor area on the parcel that is estimated as footprint × floors."),
            "building",
            "buildings",
            "1",
            decimals=4,
            owner=HOUSING,
        ),
        Measure(
            "coverage",
            _("Coverage"),
            _("Area of the union of footprints on the parcel ÷ area of the parcel."),
            "building",
            "buildings",
            "1",
            decimals=4,
            owner=HOUSING,
        ),
        Measure(
            "buildings",
            _("Buildings"),
            _("Number of permanent buildings that stand on the parcel with more than 1 m² and 5 cm."),
            "building",
            "buildings",
            "1",
            owner=HOUSING,
        ),
        Measure(
            "built_year_min",
            _("Oldest building built in"),
            _("The earliest year built; unknown while one building lacks it."),
            "building",
            "buildings",
            "year",
            owner=HOUSING,
        ),
        Measure(
            "age",
            _("Age of the oldest building"),
            _("Year of the survey − year the oldest building was built."),
            "building",
            "buildings",
            "a",
            owner=HOUSING,
        ),
        Measure(
            "area_m2",
            _("Measured area"),
            _("Area of the parcel on the ellipsoid."),
            "register",
            "parcels",
            "m2",
            decimals=2,
        ),
        Measure(
            "documented_m2",
            _("Documented area"),
            _("Area of the parcel by its papers (ZDMJ)."),
            "register",
            "parcels",
            "m2",
            decimals=2,
        ),
        Measure(
            "area_difference",
            _("Difference of areas"),
            _("(measured − documented) ÷ documented area."),
            "register",
            "parcels",
            "1",
            decimals=4,
        ),
        Measure(
            "registered_use",
            _("Registered use"),
            _("Code of the registered use (YT), in the code scheme of `use_scheme`."),
            "register",
            "parcels",
            "use_scheme",
            TEXT,
        ),
        Measure(
            "use_scheme",
            _("Code scheme of the use"),
            _("Which code system the registered use is written in."),
            "register",
            "parcels",
            "geoinv",
            TEXT,
        ),
        Measure(
            "registered_far",
            _("Registered FAR"),
            _("FAR by the papers (RJL)."),
            "register",
            "parcels",
            "1",
            decimals=2,
        ),
        Measure(
            "registered_coverage",
            _("Registered coverage"),
            _("Coverage by the papers (JZMD), as a share."),
            "register",
            "parcels",
            "1",
            decimals=4,
        ),
    )
}
# The questions of `sql/measures/`, each over the relations before it: what is measured, the measures, the places.
GROUND = ("subject", "patch", "footprint")
FAMILIES = tuple(dict.fromkeys(measure.family for measure in MEASURES.values()))
RELATIONS = (*GROUND, *FAMILIES, "overlay")


@cache
def edition() -> str:
    """A digest of all that measures: definitions, SQL and tables of codes. A run keeps it beside the criteria's."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    tables = (DATA / f"{name}.csv" for name in ("categories", "land_use", "use_classes"))
    for path in (*sorted((SQL / "measures").glob("*.sql")), *tables):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@cache
def question(name: str) -> str:
    """The SQL of one question of `sql/measures/`, to be used as a sub-query."""
    return (SQL / "measures" / f"{name}.sql").read_text(encoding="utf-8").strip().rstrip(";")


def measured() -> str:
    """One row a subject with every measure, rounded half up to its decimals; the families are relations by then."""
    columns = [
        f"round({one.family}.{one.name}::numeric, {one.decimals}) AS {one.name}"
        if one.type == NUMBER
        else f"{one.family}.{one.name}::{SQL_TYPES[one.type]} AS {one.name}"
        for one in MEASURES.values()
    ]
    gaps = " || ".join(f"{family}.gaps" for family in FAMILIES)
    joins = " ".join(f"JOIN {family} ON {family}.subject = subject.subject" for family in FAMILIES)
    joins += " LEFT JOIN overlay ON overlay.subject = subject.subject"
    return (
        "SELECT subject.subject, subject.district_id, subject.street_id, land.class_mix, overlay.mismatch AS overlay, "
        f"{', '.join(columns)}, {gaps} AS gaps FROM subject {joins}"
    )
