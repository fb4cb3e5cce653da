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
    "benchmarks": "benchmark",
    "sector_list": "sector_list",
    "violations": "violation",
    "use_states": "use_state",
    "units": "unit",  # drawn here, never delivered
}
# Registers of the district, whichever survey they were delivered with.
LASTING = ("enterprises", "years", "control", "benchmarks", "sector_list", "violations")
SOURCE_TITLES = {
    "patches": _("Land-use patches of the survey"),
    "buildings": _("Building footprints"),
    "parcels": _("Cadastral parcels"),
    "enterprises": _("Register of enterprises"),
    "years": _("Yearly figures of enterprises"),
    "occupancy": _("Which enterprise uses which land"),
    "contracts": _("Supply contracts"),
    "control": _("Control lines and plans"),
    "benchmarks": _("Control indices"),
    "sector_list": _("Lists of banned sectors"),
    "violations": _("Violations of enterprises"),
    "use_states": _("State of use of land and buildings"),
    "units": _("Redevelopment units"),
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
    "approved_batch": _("Approved, not supplied"),
    "urban_village": _("Urban village"),
    "industry_exit": _("Area that industry leaves"),
    "industry_plan": _("Area planned for industry"),
}
# The layers to which distances are measured: kind → its title, and the first part of the measure's name.
PLACE_LAYERS = {
    "metro_station": (_("Metro station"), "metro"),
    "school": (_("School"), "school"),
    "hazard": (_("Geological hazard"), "hazard"),
    "polluter": (_("Polluting works"), "polluter"),
}

FACTS = {
    fact.name: fact
    for fact in (
        Fact("patches", _("Land-use patches of the survey: none delivered"), PLANNING),
        Fact("patches.cover", _("Land-use patches: the parcel is not covered"), PLANNING),
        Fact("patches.overlap", _("Land-use patches: they overlap on the parcel"), PLANNING),
        Fact("patches.area", _("Surveyed area (TBMJ) of a patch"), PLANNING),
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
        Fact("contract.far_agreed", _("Least FAR agreed in the supply contract"), PLANNING),
        Fact("contract.tax_agreed", _("Tax agreed in the supply contract"), INVESTMENT),
        Fact("parcel.land_owner", _("Whose the land is: the code of the parcel does not say"), PLANNING),
        Fact("parcel.right_nature", _("Nature of the right"), PLANNING),
        Fact("parcel.wish_mode", _("How the owner wants it redeveloped"), PLANNING),
        Fact("parcel.wish_date", _("When the owner told the wish"), PLANNING),
        Fact("building.vacant_by_floor", _("Vacancy of a building by floor"), COMMERCE),
        Fact("enterprise.sales", _("Sales of an enterprise in the year of the survey"), REFORM),
        Fact("enterprise.energy", _("Energy of an enterprise in the year of the survey"), REFORM),
        Fact("enterprise.power", _("Electricity of an enterprise in the year of the survey"), REFORM),
        Fact("enterprise.water", _("Water of an enterprise in the year of the survey"), REFORM),
        Fact("enterprise.tax_years", _("Tax of an enterprise in the years before"), TAX),
        Fact("enterprise.output_years", _("Output of an enterprise in the years before"), REFORM),
        Fact("enterprise.grade_years", _("Grade of an enterprise in the years before"), REFORM),
        Fact("enterprise.registered_in", _("Where an enterprise is registered"), INVESTMENT),
        Fact("enterprise.sector_edition", _("Sector of an enterprise in the edition of the list"), INVESTMENT),
        Fact("occupancy.is_tenant", _("Whether an enterprise rents"), INVESTMENT),
        Fact("sector_list", _("List of banned sectors: none delivered"), REFORM),
        Fact("violations", _("Violations of enterprises: none delivered"), ECOLOGY),
        Fact("benchmark.far", _("Control index of the FAR: none for the sector"), PLANNING),
        Fact("benchmark.coverage", _("Control index of the coverage: none for the sector"), PLANNING),
        Fact("benchmark.tax", _("Control index of the tax: none for the sector"), TAX),
        Fact("benchmark.output", _("Control index of the output: none for the sector"), REFORM),
        Fact("benchmark.investment", _("Control index of the investment: none for the sector"), INVESTMENT),
        Fact("use_state", _("State of use: nobody has told it"), COMMERCE),
        Fact("use_state.since", _("Since when it stands idle"), COMMERCE),
        Fact("use_state.department", _("Department in charge"), COMMERCE),
        Fact("use_state.measures", _("Measures taken"), COMMERCE),
        Fact("people", _("Judgement of people: the set does not settle this category by rules"), PLANNING),
        Fact("control.plot_plan.cover", _("Detailed plan of plots: the parcel is not covered"), PLANNING),
        Fact("plan.use_mapping", _("Land classes of the planned use"), PLANNING),
        *(
            Fact(f"control.{kind}", format_lazy(_("{layer}: none delivered"), layer=title), PLANNING)
            for kind, title in CONTROL_LAYERS.items()
        ),
        *(
            Fact(f"control.{kind}", format_lazy(_("{layer}: none delivered"), layer=title), PLANNING)
            for kind, (title, _name) in PLACE_LAYERS.items()
            if kind not in CONTROL_LAYERS
        ),
    )
}

# What a control index may ask: figure, how its ratio begins, how it is called, unit and owner.
INDICES = (
    ("far", "far", _("FAR"), "1", PLANNING),
    ("coverage", "coverage", _("Coverage"), "1", PLANNING),
    ("tax_per_mu", "tax", _("Tax per mu"), "10k CNY/mu", TAX),
    ("output_per_mu", "output", _("Output per mu"), "10k CNY/mu", REFORM),
    ("investment_per_mu", "investment", _("Investment per mu"), "10k CNY/mu", INVESTMENT),
)

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
        Measure(
            "land_owner",
            _("Whose the land is"),
            _("State or collective, as the 13th character of the parcel's code says."),
            "register",
            "parcels",
            "geoinv",
            TEXT,
        ),
        Measure(
            "right_nature",
            _("Nature of the right"),
            _("Code of the nature of the right (QLXZ): granted, allocated and so on."),
            "register",
            "parcels",
            "QLXZ",
            TEXT,
        ),
        Measure(
            "owner_wish_mode",
            _("Mode wished"),
            _("How the right holder wants it redeveloped; “none” where he refuses."),
            "register",
            "parcels",
            "geoinv",
            TEXT,
        ),
        Measure(
            "owner_wish_years",
            _("Age of the wish"),
            _("Years to 31 December of the survey's year since the right holder told the wish."),
            "register",
            "parcels",
            "a",
            decimals=4,
        ),
        Measure(
            "owner_wish_paper",
            _("Wish on paper"),
            _("Whether a paper proves the right holder's wish."),
            "register",
            "parcels",
            "1",
            BOOLEAN,
        ),
        Measure(
            "half_empty_months",
            _("Months half empty"),
            _(
                "Months to 31 December of the survey's year since at least half of the floor area has stood empty "
                "without a break; 0 where less is empty."
            ),
            "empty",
            "buildings",
            "month",
            decimals=2,
            owner=COMMERCE,
            subjects=BOTH,
        ),
        Measure(
            "vacant_floors",
            _("Floors with vacancy"),
            _("Number of floors of the building on which something stands empty."),
            "empty",
            "buildings",
            "1",
            owner=COMMERCE,
            subjects=(BUILDINGS,),
        ),
        Measure(
            "use_state",
            _("State of use"),
            _("Whether it is in use, used in part or idle, as the department in charge told."),
            "use",
            "use_states",
            "geoinv",
            TEXT,
            owner=COMMERCE,
            subjects=BOTH,
        ),
        Measure(
            "reported_idle_months",
            _("Months idle as told"),
            _(
                "Months to 31 December of the survey's year since the day told from which the whole stands idle; 0 "
                "while it is used, or used in part."
            ),
            "use",
            "use_states",
            "month",
            decimals=2,
            owner=COMMERCE,
            subjects=BOTH,
        ),
        Measure(
            "owner_department",
            _("Department in charge"),
            _("Code of the department in charge of a facility, land or building."),
            "use",
            "use_states",
            "geoinv",
            TEXT,
            owner=COMMERCE,
            subjects=BOTH,
        ),
        Measure(
            "measures_taken",
            _("Measures taken"),
            _("How many sorts of measures were taken: investment promotion, rent subsidy, upgrading."),
            "use",
            "use_states",
            "1",
            owner=COMMERCE,
            subjects=BOTH,
        ),
        *(
            Measure(
                f"{name}_per_mu",
                title,
                format_lazy(
                    _("{figure} of the enterprises in the year, apportioned as their tax ÷ area of the parcel."),
                    figure=figure,
                ),
                "resource",
                "years",
                uom,
                decimals=decimals,
                owner=REFORM,
                restricted=True,
            )
            for name, title, figure, uom, decimals in (
                ("sales", _("Sales per mu"), _("Sales"), "10k CNY/mu", 2),
                ("energy", _("Energy per mu"), _("Energy"), "tce/mu", 2),
                ("power", _("Electricity per mu"), _("Electricity"), "kWh/mu", 0),
                ("water", _("Water per mu"), _("Water"), "m3/mu", 2),
            )
        ),
        Measure(
            "output_per_tce",
            _("Output per energy"),
            _("Output of the enterprises ÷ their energy in the survey's year, both apportioned as their tax."),
            "resource",
            "years",
            "10k CNY/tce",
            decimals=2,
            owner=REFORM,
            restricted=True,
        ),
        Measure(
            "no_tax_years",
            _("Years without tax"),
            _(
                "Years in a row, to the survey's, in which none of the enterprises on the parcel paid tax; at most 3 "
                "are counted. A year before an enterprise began ends its streak; a year without a figure is unknown, "
                "not nought."
            ),
            "streak",
            "years",
            "a",
            owner=TAX,
            restricted=True,
        ),
        Measure(
            "no_output_years",
            _("Years without output"),
            _(
                "Years in a row, to the survey's, in which none of the enterprises on the parcel produced anything; "
                "counted as the years without tax."
            ),
            "streak",
            "years",
            "a",
            owner=REFORM,
            restricted=True,
        ),
        Measure(
            "d_grade_years",
            _("Years with grade D"),
            _("The longest streak of years, to the survey's, of an enterprise on the parcel graded D; at most 3."),
            "streak",
            "years",
            "a",
            owner=REFORM,
            restricted=True,
        ),
        Measure(
            "sector_edition",
            _("Edition of the sector"),
            _("Year of the edition of GB/T 4754 in which the sector is written."),
            "economy",
            "enterprises",
            "GB/T 4754",
            TEXT,
            owner=REFORM,
        ),
        Measure(
            "sector_class",
            _("Class of the sector on the lists"),
            _(
                "The worst class of the sectors on the parcel by the newest lists: banned, eliminated, restricted or "
                "none. Codes of two editions of GB/T 4754 are compared by their divisions."
            ),
            "breach",
            "sector_list",
            "geoinv",
            TEXT,
            owner=REFORM,
        ),
        Measure(
            "violations",
            _("Open violations"),
            _(
                "Violations of the enterprises on the parcel decided by 31 December of the survey's year and not put "
                "right on that day."
            ),
            "breach",
            "violations",
            "1",
            owner=ECOLOGY,
        ),
        Measure(
            "tenant_share",
            _("Share that is let"),
            _("Share of the parcel that enterprises rent, by floor area used, else by land used."),
            "tenant",
            "occupancy",
            "1",
            decimals=4,
            owner=INVESTMENT,
        ),
        Measure(
            "outside_tenant_share",
            _("Share let to firms from elsewhere"),
            _("Share of the parcel that is let to enterprises which are not registered in the district."),
            "tenant",
            "occupancy",
            "1",
            decimals=4,
            owner=INVESTMENT,
        ),
        *(
            Measure(
                f"index_{figure}",
                format_lazy(_("Control index: {figure}"), figure=title),
                _(
                    "The value that the control index in force asks of the sector: the district's own, else the "
                    "published one; of the narrowest sector and the latest year."
                ),
                "benchmark",
                "benchmarks",
                uom,
                decimals=2,
                owner=owner,
            )
            for figure, _short, title, uom, owner in INDICES
        ),
        *(
            Measure(
                f"{short}_index_ratio",
                format_lazy(_("{figure} to the control index"), figure=title),
                format_lazy(_("{figure} ÷ the value that the control index asks."), figure=title),
                "benchmark",
                "benchmarks",
                "1",
                decimals=4,
                owner=owner,
                restricted=short in ("tax", "output"),
            )
            for _figure, short, title, _uom, owner in INDICES
        ),
        Measure(
            "contract_m2",
            _("Contract area"),
            _("Σ area of the supply contracts."),
            "contract",
            "contracts",
            "m2",
            decimals=2,
        ),
        Measure(
            "contract_difference",
            _("Difference to the contract"),
            _("(measured − contract area) ÷ contract area."),
            "contract",
            "contracts",
            "1",
            decimals=4,
        ),
        Measure(
            "investment_per_mu",
            _("Investment per mu"),
            _("Investment made under the supply contracts ÷ their area."),
            "contract",
            "contracts",
            "10k CNY/mu",
            decimals=2,
            owner=INVESTMENT,
        ),
        Measure(
            "far_agreed",
            _("FAR agreed"),
            _("The least FAR agreed in the supply contract; of several the highest."),
            "contract",
            "contracts",
            "1",
            decimals=2,
        ),
        Measure(
            "far_agreed_ratio",
            _("FAR to the FAR agreed"),
            _("FAR ÷ the least FAR agreed in the supply contract."),
            "contract",
            "contracts",
            "1",
            decimals=4,
        ),
        Measure(
            "tax_agreed_per_mu",
            _("Tax agreed per mu"),
            _("Tax per mu and year agreed in the supply contract; of several the highest."),
            "contract",
            "contracts",
            "10k CNY/mu",
            decimals=2,
            owner=INVESTMENT,
        ),
        Measure(
            "tax_agreed_ratio",
            _("Tax to the tax agreed"),
            _("Tax per mu ÷ tax per mu agreed in the supply contract."),
            "contract",
            "contracts",
            "1",
            decimals=4,
            owner=INVESTMENT,
            restricted=True,
        ),
        Measure(
            "supply_state",
            _("State of supply"),
            _(
                "What became of the land that was supplied, by the Measures on Idle Land (2012), article 2: not due, "
                "overdue, idle, stopped, unfinished, building or completed. Unknown without a contract."
            ),
            "contract",
            "contracts",
            "geoinv",
            TEXT,
        ),
        Measure(
            "agricultural_share",
            _("Share of farm land"),
            _("Area of agricultural classes ÷ area of the parcel."),
            "ground",
            "patches",
            "1",
            decimals=4,
        ),
        Measure(
            "unused_share",
            _("Share of unused land"),
            _("Area of classes of unused land ÷ area of the parcel."),
            "ground",
            "patches",
            "1",
            decimals=4,
        ),
        Measure(
            "surveyed_m2",
            _("Surveyed area"),
            _("Σ surveyed area of the patches (TBMJ) ÷ their measured area × what of it lies on the parcel."),
            "ground",
            "patches",
            "m2",
            decimals=2,
        ),
        Measure(
            "surveyed_difference",
            _("Difference to the survey"),
            _("(measured − surveyed area) ÷ surveyed area."),
            "ground",
            "patches",
            "1",
            decimals=4,
        ),
        Measure(
            "net_developable_share",
            _("Share that may be built on"),
            _("Share of the parcel outside of reservations (road, river, green, utility lines) and heritage."),
            "ground",
            "control",
            "1",
            decimals=4,
            layer="reservation",
        ),
        Measure(
            "net_developable_m2",
            _("Net area that may be built on"),
            _("Measured area × share that may be built on."),
            "ground",
            "control",
            "m2",
            decimals=2,
            layer="reservation",
        ),
        Measure(
            "approved_unsupplied_share",
            _("Share approved and not supplied"),
            _("Share of the parcel in an approved batch of land; 0 where a supply contract is on file."),
            "ground",
            "control",
            "1",
            decimals=4,
            layer="approved_batch",
        ),
        *(
            Measure(
                f"{name}_distance",
                format_lazy(_("Distance: {layer}"), layer=title),
                _("Metres to the next one in the district's own zone; 0 on it, 2000 where none is nearer."),
                "distance",
                "control",
                "m",
                layer=kind,
            )
            for kind, (title, name) in PLACE_LAYERS.items()
        ),
        Measure(
            "unit_share",
            _("Share in a redevelopment unit"),
            _("The largest share of the parcel that lies in one redevelopment unit in hand."),
            "membership",
            "units",
            "1",
            decimals=4,
        ),
        Measure(
            "unit_place",
            _("Place in a redevelopment unit"),
            _("In: centre and at least half of the parcel are inside the unit; split: its edge cuts the parcel; none."),
            "membership",
            "units",
            "geoinv",
            TEXT,
        ),
    )
}
# What the values of measures in our own words (uom geoinv) stand for; a measure that is not here may be any text.
VALUES = {
    "owner_wish": {"yes": _("Willing"), "conditional": _("On conditions"), "no": _("Not willing")},
    "land_owner": {"state": _("State-owned"), "collective": _("Collectively owned")},
    "use_state": {"in_use": _("In use"), "partly": _("Used in part"), "idle": _("Idle")},
    "sector_class": {
        "banned": _("Banned"),
        "eliminated": _("To be eliminated"),
        "restricted": _("Restricted"),
        "none": _("On no list"),
    },
    "supply_state": {
        "not_due": _("Start not due"),
        "overdue": _("Start overdue, not yet a year"),
        "idle": _("Idle land"),
        "stopped": _("Work stopped, not yet a year"),
        "unfinished": _("Unfinished"),
        "building": _("Being built"),
        "completed": _("Completed"),
    },
    "unit_place": {"in": _("In a unit"), "split": _("Cut by the edge of a unit"), "none": _("In no unit")},
}
# The questions of `sql/measures/`, each over the relations before it: what is measured, the measures, the places.
GROUND = (
    *("parcel", "patch", "piece", "footprint", "wall", "standing", "subject", "holding", "branch", "floor_mean"),
    *("firm_total", "sector_peer"),
    *("area", "zone", "cover", "place", "near"),
)
# What lies on the parcels: relation → (the layer that is cut, its columns, whether a parcel holds a shape or is held by
# it). Of a whole district they are cut in memory (`cutting`), which is faster; of one subject by their questions.
CUT = {
    "piece": ("patch", {"dlbm": "text", "density": "float8"}, False),
    "wall": ("footprint", {"id": "bigint"}, True),
    "zone": ("area", {"kind": "text", "use": "text", "use_scheme": "text"}, False),
}
READ_ONCE = ("patch", "area", "place")  # layers used as they are read: of a whole district no table is made of them
SHAPES = {  # the columns of shapes
    **dict.fromkeys(("parcel", "footprint"), ("geom", "stored")),
    **dict.fromkeys(("piece", "wall", "standing", "zone", "cover"), ("geom",)),
}
FAMILIES = (
    *("land", "building", "register", "empty", "use", "breach", "economy", "resource", "streak", "tenant", "floor"),
    *("contract", "benchmark", "control", "ground", "plan", "distance", "membership"),
)
RELATIONS = (*GROUND, *FAMILIES, "overlay")
NEAREST = {"near": "place"}  # relation → the layer of which the next shape is looked for, in memory too (`nearness`)
PROGRAMS = ("cutting", "landuse", "nearness", "sectors")  # that measure in memory, or say what a code stands for
TABLES = ("categories", "land_use", "use_classes", "benchmarks", "sector_divisions")  # of codes, in units/data
OF_THE_LAND = ("control",)  # families in which a building has what the parcel has that it stands on


@cache
def edition() -> str:
    """A digest of all that measures: definitions, SQL, programs, tables of codes. A run keeps it beside the set's."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    tables = (DATA / f"{name}.csv" for name in TABLES)
    programs = (Path(__file__).with_name(f"{name}.py") for name in PROGRAMS)
    for path in (*sorted((SQL / "measures").glob("*.sql")), *programs, *tables):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@cache
def question(name: str) -> str:
    """The SQL of one question of `sql/measures/`, to be used as a sub-query."""
    return (SQL / "measures" / f"{name}.sql").read_text(encoding="utf-8").strip().rstrip(";")


def rounded(one: Measure) -> str:
    """The SQL of a measure as its family tells it, rounded half up to its decimals."""
    if one.type == NUMBER:
        return f"round({one.family}.{one.name}::numeric, {one.decimals})"
    return f"{one.family}.{one.name}::{SQL_TYPES[one.type]}"


def measured() -> str:
    """One row a subject with every measure, rounded; the families are relations by then."""
    columns = [f"{rounded(one)} AS {one.name}" for one in MEASURES.values()]
    homeless = ", ".join(f'"{one.name}": "building.parcel"' for one in MEASURES.values() if one.family in OF_THE_LAND)
    missing = ", ".join(f"NULLIF(btrim({family}.gaps::text, '{{}}'), '')" for family in FAMILIES)
    joins = " ".join(
        f"LEFT JOIN {name} ON {name}.subject = {'COALESCE(s.host, s.subject)' if name in on_land else 's.subject'}"
        for on_land in [(*OF_THE_LAND, "overlay")]
        for name in (*FAMILIES, "overlay")
    )
    # Thousands lack the same facts: what is missing is joined as text, and read as JSON once for all of these.
    return f"""
WITH said AS MATERIALIZED (
    SELECT s.subject,
           concat_ws(', ', {missing},
                     CASE WHEN s.building_id IS NOT NULL AND s.host IS NULL THEN '{homeless}' END) AS said
    FROM subject s {joins}
    WHERE s.asked
), meant AS MATERIALIZED (
    SELECT one.said, ('{{' || one.said || '}}')::jsonb AS gaps FROM (SELECT DISTINCT said FROM said) AS one
)
SELECT s.subject, s.kind, s.parcel_id, s.building_id, s.district_id, s.street_id, land.class_mix,
       CASE WHEN s.building_id IS NULL THEN overlay.overlay ELSE overlay.overlay - 'mismatch' END AS overlay,
       {", ".join(columns)},
       meant.gaps
FROM said
JOIN meant ON meant.said = said.said
JOIN subject s ON s.subject = said.subject {joins}"""
