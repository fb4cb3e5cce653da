"""The measures that rules may name: what each means, its unit, its decimals, where it comes from and who owns it."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

SQL = Path(__file__).resolve().parent.parent / "sql"
DATA = Path(__file__).resolve().parent.parent / "data"

NUMBER, TEXT, BOOLEAN = "number", "text", "boolean"
TYPE_TITLES = {NUMBER: _("number"), TEXT: _("text"), BOOLEAN: _("truth value")}
SQL_TYPES = {NUMBER: "numeric", TEXT: "text", BOOLEAN: "boolean"}

UNCOVERED = 0.01  # share of a parcel without patches above which its land classes are not known (G-01)
OVERLAPPED = 0.01  # share of a parcel under more than one patch above which its land classes are not known (ours)

# Codes of departments (units/data/departments.csv).
PLANNING, HOUSING, TAX, COMMERCE, INVESTMENT = "planning", "housing", "tax", "commerce", "investment"
REFORM, ECOLOGY = "development-reform", "ecology"

PARCELS, BUILDINGS = "parcel", "building"  # the kinds of subject
BOTH = (PARCELS, BUILDINGS)


@dataclass(frozen=True)
class Fact:
    """Something that may be missing, and the department to ask for it."""

    name: str
    title: object
    owner: str


@dataclass(frozen=True)
class Measure:
    """One number or code of a subject. `family` is the SQL question that yields it; `source` the layer it is from.

    `layer` is the kind of control area, where the source is one of many. `subjects` has it: parcels, buildings or both.
    """

    name: str
    title: object
    definition: object
    family: str
    source: str  # a name of SOURCES
    uom: str
    type: str = NUMBER
    decimals: int = 0
    owner: str = PLANNING
    subjects: tuple[str, ...] = (PARCELS,)
    layer: str = ""
    restricted: bool = False  # a firm's tax, energy or grade: closed to some who see the verdict (rights.sees_figures)


# The layers that measures are taken from, each with the profile of its deliveries.
SOURCES = {
    "patches": "dltb",
    "buildings": "building",
    "parcels": "zd",
    "enterprises": "enterprise",
    "years": "enterprise_year",
    "occupancy": "occupancy",
    "contracts": "contract",
    "control": "control",
}
# Registers of the district, whichever survey they were delivered with.
LASTING = ("enterprises", "years", "control")
SOURCE_TITLES = {
    "patches": _("Land-use patches of the survey"),
    "buildings": _("Building footprints"),
    "parcels": _("Cadastral parcels"),
    "enterprises": _("Register of enterprises"),
    "years": _("Yearly figures of enterprises"),
    "occupancy": _("Which enterprise uses which land"),
    "contracts": _("Supply contracts"),
    "control": _("Control lines and plans"),
}
# The layers of control areas that are measured: kinds of units.models.ControlArea.
CONTROL_LAYERS = {
    "ecological_red_line": _("Ecological red line"),
    "basic_farmland": _("Permanent basic farmland"),
    "development_boundary": _("Urban development boundary"),
    "master_plan": _("Land-use master plan"),
    "special_plan": _("Special plan of redevelopment"),
    "block_plan": _("Detailed plan, street-block level"),
    "plot_plan": _("Detailed plan, plot level"),
    "second_survey_construction": _("Construction land of the second survey"),
    "industrial_line": _("Industrial control line"),
    "park": _("Industrial park"),
    "heritage": _("Heritage and historic area"),
    "buried_relics": _("Buried relics"),
    "hazard": _("Geological hazard"),
    "reservation": _("Road, river, green, utility reservation"),
    "key_area": _("Key area of redevelopment"),
    "renewal_plan": _("Urban renewal plan"),
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
        Fact("parcel.owner_wish", _("Owner's wish"), PLANNING),
        Fact("building.safety_grade", _("Safety grade of a building"), HOUSING),
        Fact("building.vacant_m2", _("Vacant floor area of a building"), COMMERCE),
        Fact("building.vacant_since", _("Since when a building stands empty"), COMMERCE),
        Fact("building.parcel", _("The parcel that the building stands on"), PLANNING),
        Fact("enterprises", _("Which enterprise uses which land: none delivered"), INVESTMENT),
        Fact("occupancy", _("The enterprises on the land"), INVESTMENT),
        Fact("occupancy.area", _("Floor area or land that an enterprise uses"), INVESTMENT),
        Fact("enterprise.tax", _("Tax of an enterprise in the year of the survey"), TAX),
        Fact("enterprise.output", _("Output of an enterprise in the year of the survey"), REFORM),
        Fact("enterprise.sector", _("Sector of an enterprise"), INVESTMENT),
        Fact("enterprise.above_scale", _("Whether an enterprise is above scale"), REFORM),
        Fact("enterprise.strategic", _("Whether an enterprise is of a strategic emerging industry"), REFORM),
        Fact("enterprise.started_on", _("When an enterprise began to produce"), INVESTMENT),
        Fact("enterprise.penalty", _("Penalties of an enterprise for safety or environment"), ECOLOGY),
        Fact("enterprise.rectified", _("Whether a violation was put right"), ECOLOGY),
        Fact("enterprise.grade", _("Grade of an enterprise in the year of the survey"), REFORM),
        Fact("sector.mean", _("Mean tax of the sector: no other parcel of it has figures"), TAX),
        Fact("floor.mean", _("Mean tax of office land: no parcel of it has figures"), TAX),
        Fact("contracts", _("Supply contracts: none delivered"), PLANNING),
        Fact("contract", _("Supply contract of the parcel"), PLANNING),
        Fact("contract.start_agreed", _("Start agreed in the supply contract"), PLANNING),
        Fact(
            "contract.start_actual",
            _("Start of the work: blank, though land is built on or money was invested"),
            PLANNING,
        ),
        Fact("contract.completion_actual", _("Completion of the work: blank, though all is developed"), PLANNING),
        Fact("contract.completion_agreed", _("Completion agreed in the supply contract"), PLANNING),
        Fact("contract.investment_agreed", _("Investment agreed in the supply contract"), INVESTMENT),
        Fact("contract.investment_actual", _("Investment made under the supply contract"), INVESTMENT),
        Fact("contract.developed_area", _("Area developed under the supply contract"), PLANNING),
        Fact("contract.area", _("Area of the supply contract"), PLANNING),
        Fact("people", _("Judgement of people: the set does not settle this category by rules"), PLANNING),
        Fact("control.plot_plan.cover", _("Detailed plan of plots: the parcel is not covered"), PLANNING),
        Fact("plan.use_mapping", _("Land classes of the planned use"), PLANNING),
        *(
            Fact(f"control.{kind}", format_lazy(_("{layer}: none delivered"), layer=title), PLANNING)
            for kind, title in CONTROL_LAYERS.items()
        ),
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
            subjects=BOTH,
        ),
        Measure(
            "age",
            _("Age of the oldest building"),
            _("Year of the survey − year the oldest building was built."),
            "building",
            "buildings",
            "a",
            owner=HOUSING,
            subjects=BOTH,
        ),
        Measure(
            "area_m2",
            _("Measured area"),
            _("Area of the parcel, or of the footprint, on the ellipsoid."),
            "register",
            "parcels",
            "m2",
            decimals=2,
            subjects=BOTH,
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
        Measure(
            "owner_wish",
            _("Owner's wish"),
            _("Whether the right holder wants redevelopment: yes, conditional or no."),
            "register",
            "parcels",
            "geoinv",
            TEXT,
        ),
        Measure(
            "building_category",
            _("Category of the building"),
            _("The category of a building that is judged by itself: office."),
            "register",
            "buildings",
            "geoinv",
            TEXT,
            owner=HOUSING,
            subjects=(BUILDINGS,),
        ),
        Measure(
            "floor_area_m2",
            _("Floor area"),
            _("Floor area above ground on the parcel, or of the building; where none is recorded, footprint × floors."),
            "building",
            "buildings",
            "m2",
            decimals=2,
            owner=HOUSING,
            subjects=BOTH,
        ),
        Measure(
            "built_year_max",
            _("Newest building built in"),
            _("The latest year built; unknown while one building lacks it."),
            "building",
            "buildings",
            "year",
            owner=HOUSING,
            subjects=BOTH,
        ),
        Measure(
            "unsafe_share",
            _("Share of unsafe buildings"),
            _("Number of buildings of safety grade C or D ÷ number of buildings; unknown while one lacks its grade."),
            "building",
            "buildings",
            "1",
            decimals=4,
            owner=HOUSING,
            subjects=BOTH,
        ),
        Measure(
            "vacancy",
            _("Vacancy"),
            _(
                "Vacant floor area ÷ floor area; 0 where no building stands, and of a building that became empty after "
                "31 December of the survey's year. Unknown while one building lacks either."
            ),
            "building",
            "buildings",
            "1",
            decimals=4,
            owner=COMMERCE,
            subjects=BOTH,
        ),
        Measure(
            "vacant_months",
            _("Months of vacancy"),
            _("Months from the day when the last of the empty parts became empty to 31 December of the survey's year."),
            "building",
            "buildings",
            "month",
            decimals=2,
            owner=COMMERCE,
            subjects=BOTH,
        ),
        Measure(
            "idle_months",
            _("Months idle"),
            _("Months of vacancy where all floor area is empty, else 0."),
            "building",
            "buildings",
            "month",
            decimals=2,
            owner=COMMERCE,
            subjects=BOTH,
        ),
        Measure(
            "firms",
            _("Enterprises"),
            _("Enterprises that use the parcel or building on 31 December of the survey's year."),
            "floor",
            "occupancy",
            "1",
            owner=INVESTMENT,
            subjects=BOTH,
        ),
        Measure(
            "tax_per_floor_m2",
            _("Tax per floor area"),
            _("Apportioned tax of the enterprises in the survey's year ÷ floor area of the parcel or building."),
            "floor",
            "years",
            "CNY/m2",
            decimals=2,
            owner=TAX,
            subjects=BOTH,
            restricted=True,
        ),
        Measure(
            "floor_tax_mean",
            _("Mean tax per floor area"),
            _("Σ tax ÷ Σ floor area of the office parcels of the district whose figures are known."),
            "floor",
            "years",
            "CNY/m2",
            decimals=2,
            owner=TAX,
            subjects=BOTH,
            restricted=True,
        ),
        Measure(
            "floor_tax_peers",
            _("Parcels in the mean of office land"),
            _("How many office parcels the mean tax per floor area is of."),
            "floor",
            "years",
            "1",
            owner=TAX,
            subjects=BOTH,
        ),
        Measure(
            "floor_tax_ratio",
            _("Tax per floor area to the mean"),
            _("Tax per floor area ÷ mean tax per floor area of the district's office parcels."),
            "floor",
            "years",
            "1",
            decimals=4,
            owner=TAX,
            subjects=BOTH,
            restricted=True,
        ),
        Measure(
            "tax_per_mu",
            _("Tax per mu"),
            _(
                "Tax of the enterprises in the survey's year ÷ area of the parcel. An enterprise on several parcels is "
                "split by floor area used, else by land used."
            ),
            "economy",
            "years",
            "10k CNY/mu",
            decimals=2,
            owner=TAX,
            restricted=True,
        ),
        Measure(
            "output_per_mu",
            _("Output per mu"),
            _("Output of the enterprises in the survey's year, apportioned as their tax ÷ area of the parcel."),
            "economy",
            "years",
            "10k CNY/mu",
            decimals=2,
            owner=REFORM,
            restricted=True,
        ),
        Measure(
            "sector",
            _("Sector"),
            _("Sector of the enterprises that use most of the parcel; at a tie the lower code."),
            "economy",
            "enterprises",
            "GB/T 4754",
            TEXT,
            owner=REFORM,
        ),
        Measure(
            "sector_division",
            _("Division of the sector"),
            _("The first two digits of the sector."),
            "economy",
            "enterprises",
            "GB/T 4754",
            TEXT,
            owner=REFORM,
        ),
        Measure(
            "sector_tax_mean",
            _("Mean tax per mu of the sector"),
            _(
                "Σ tax ÷ Σ area of the other parcels of the district that are of this sector and whose tax is known; "
                "unknown where there is no other."
            ),
            "economy",
            "years",
            "10k CNY/mu",
            decimals=2,
            owner=TAX,
            restricted=True,
        ),
        Measure(
            "sector_peers",
            _("Parcels in the mean of the sector"),
            _("How many other parcels the mean of the sector is of."),
            "economy",
            "years",
            "1",
            owner=TAX,
        ),
        Measure(
            "tax_ratio",
            _("Tax per mu to the mean of the sector"),
            _("Tax per mu ÷ mean tax per mu of the other parcels of the sector in the district, in the survey's year."),
            "economy",
            "years",
            "1",
            decimals=4,
            owner=TAX,
            restricted=True,
        ),
        Measure(
            "above_scale",
            _("Above scale"),
            _("Whether enterprises above scale use more than half of the parcel."),
            "economy",
            "enterprises",
            "1",
            BOOLEAN,
            owner=REFORM,
        ),
        Measure(
            "strategic",
            _("Strategic emerging industry"),
            _("Whether enterprises of strategic emerging industries use more than half of the parcel."),
            "economy",
            "enterprises",
            "1",
            BOOLEAN,
            owner=REFORM,
        ),
        Measure(
            "production_years",
            _("Years in production"),
            _("Years to 31 December of the survey's year since the first of the enterprises on the parcel produces."),
            "economy",
            "enterprises",
            "a",
            decimals=4,
            owner=INVESTMENT,
        ),
        Measure(
            "violation_open",
            _("Open violation"),
            _(
                "Whether an enterprise on the parcel was fined for safety or environment by 31 December of the "
                "survey's year and has not put it right. Unknown where the register came without penalties."
            ),
            "economy",
            "enterprises",
            "1",
            BOOLEAN,
            owner=ECOLOGY,
        ),
        Measure(
            "grade",
            _("Worst grade"),
            _("The worst grade of the enterprises on the parcel in the survey's year; T where none is rated."),
            "economy",
            "years",
            "geoinv",
            TEXT,
            owner=REFORM,
            restricted=True,
        ),
        Measure(
            "contracts",
            _("Contracts"),
            _("Supply contracts of the parcel on file, signed by 31 December of the survey's year."),
            "contract",
            "contracts",
            "1",
        ),
        Measure(
            "start_overdue",
            _("Start overdue"),
            _(
                "Years past the agreed start to 31 December of the survey's year; 0 once work has started, stopped or "
                "ended. Unknown without a contract, and where the start is blank though a permanent building stands, "
                "land is developed or money was invested."
            ),
            "contract",
            "contracts",
            "a",
            decimals=4,
        ),
        Measure(
            "completion_overdue",
            _("Completion overdue"),
            _(
                "Years past the agreed completion to 31 December of the survey's year; 0 once it is completed. Unknown "
                "without a contract, and where the completion is blank though all is developed and work never stopped."
            ),
            "contract",
            "contracts",
            "a",
            decimals=4,
        ),
        Measure(
            "completed_for",
            _("Completed for"),
            _(
                "Years since completion to 31 December of the survey's year; 0 where it is not completed. Unknown "
                "without a contract, and where the completion is blank though all is developed and work never stopped."
            ),
            "contract",
            "contracts",
            "a",
            decimals=4,
        ),
        Measure(
            "stopped_for",
            _("Stopped for"),
            _(
                "Years since work stopped to 31 December of the survey's year; 0 where it goes on or is completed, "
                "unknown without a contract."
            ),
            "contract",
            "contracts",
            "a",
            decimals=4,
        ),
        Measure(
            "investment_share",
            _("Share of the investment"),
            _("Investment made ÷ investment agreed in the supply contracts."),
            "contract",
            "contracts",
            "1",
            decimals=4,
            owner=INVESTMENT,
        ),
        Measure(
            "developed_share",
            _("Share developed"),
            _("Area developed ÷ area of the supply contracts."),
            "contract",
            "contracts",
            "1",
            decimals=4,
        ),
        *(
            Measure(
                f"{kind}_share",
                format_lazy(_("{layer}: share"), layer=title),
                _("Area of the layer on the parcel ÷ area of the parcel; for a building, its parcel's."),
                "control",
                "control",
                "1",
                decimals=4,
                subjects=BOTH,
                layer=kind,
            )
            for kind, title in CONTROL_LAYERS.items()
        ),
        *(
            Measure(
                f"{kind}_m2",
                format_lazy(_("{layer}: area"), layer=CONTROL_LAYERS[kind]),
                _("Area of the layer on the parcel, slivers left out; of a building, that on its parcel."),
                "control",
                "control",
                "m2",
                decimals=2,
                subjects=BOTH,
                layer=kind,
            )
            for kind in ("ecological_red_line", "basic_farmland")
        ),
        Measure(
            "planned_use",
            _("Planned use"),
            _("The use that the detailed plan of plots gives to most of the parcel."),
            "plan",
            "control",
            "ydyh2023",
            TEXT,
            layer="plot_plan",
        ),
        Measure(
            "planned_use_category",
            _("Category by planned use"),
            _("The category that the planned use stands for; “none” when it is outside all."),
            "plan",
            "control",
            "geoinv",
            TEXT,
            layer="plot_plan",
        ),
        Measure(
            "plan_conflict",
            _("Conflict with the plan"),
            _("Share of the parcel whose planned use does not allow the main land class of today."),
            "plan",
            "control",
            "1",
            decimals=4,
            layer="plot_plan",
        ),
    )
}
# The questions of `sql/measures/`, each over the relations before it: what is measured, the measures, the places.
GROUND = ("parcel", "patch", "piece", "footprint", "wall", "standing", "subject", "holding", "area", "zone", "cover")
# What lies on the parcels: relation → (the layer that is cut, its columns, whether a parcel holds a shape or is held by
# it). Of a whole district they are cut in memory (`cutting`), which is faster; of one subject by their questions.
CUT = {
    "piece": ("patch", {"dlbm": "text"}, False),
    "wall": ("footprint", {"id": "bigint"}, True),
    "zone": ("area", {"kind": "text", "use": "text", "use_scheme": "text"}, False),
}
READ_ONCE = ("patch", "area")  # layers that are cut as they are read: of a whole district no table is made of them
SHAPES = {  # the columns of shapes
    **dict.fromkeys(("parcel", "footprint"), ("geom", "stored")),
    **dict.fromkeys(("piece", "wall", "standing", "zone", "cover"), ("geom",)),
}
FAMILIES = ("land", "building", "register", "economy", "floor", "contract", "control", "plan")
RELATIONS = (*GROUND, *FAMILIES, "overlay")
OF_THE_LAND = ("control",)  # families in which a building has what the parcel has that it stands on


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
    gaps = " || ".join(f"COALESCE({family}.gaps, '{{}}')" for family in FAMILIES)
    homeless = ", ".join(f"'{one.name}', 'building.parcel'" for one in MEASURES.values() if one.family in OF_THE_LAND)
    joins = " ".join(
        f"LEFT JOIN {name} ON {name}.subject = {'COALESCE(s.host, s.subject)' if name in on_land else 's.subject'}"
        for on_land in [(*OF_THE_LAND, "overlay")]
        for name in (*FAMILIES, "overlay")
    )
    return f"""
SELECT s.subject, s.kind, s.parcel_id, s.building_id, s.district_id, s.street_id, land.class_mix,
       CASE WHEN s.building_id IS NULL THEN overlay.overlay ELSE overlay.overlay - 'mismatch' END AS overlay,
       {", ".join(columns)},
       {gaps} || CASE WHEN s.building_id IS NOT NULL AND s.host IS NULL
                      THEN jsonb_build_object({homeless}) ELSE '{{}}' END AS gaps
FROM subject s {joins}
WHERE s.asked"""
