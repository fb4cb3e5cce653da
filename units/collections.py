"""The collections that programs and the map read: each one SQL question, its columns and what they mean."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from units.errors import Refused, UnknownName
from units.rights import Grant, View, view

SQL = Path(__file__).parent / "sql" / "collections"
PAST = Path(__file__).parent / "sql" / "history"
# How the questions of the survey's own layers end; one of a single round asks for that round instead.
IN_FORCE = "ANY (ARRAY(SELECT s.id FROM units_survey s WHERE s.state = 'in_force'))"
CHINA_TIME = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Column:
    """One property: its name in SQL and JSON, its JSON type, and what it is called."""

    name: str
    type: str  # string, integer, number, boolean, array, object, date-time
    title: object
    uom: str = ""


@dataclass(frozen=True)
class Collection:
    """A named set of features. `source()` yields fid, geom, district_id, street_id and every column."""

    id: str
    title: object
    description: object
    code: str  # the business key among the columns
    columns: tuple[Column, ...]
    geometry: str = "MultiPolygon"
    revisions: tuple[str, ...] = field(default=())  # the revisions (tables) that change what is served
    daily: bool = False  # whether midnight changes what is served, too
    shapeless: bool = False  # whether a row of it may have no shape
    since: str = ""  # the column that says from when a feature is there; "" where nothing of it is in time
    kept: bool = False  # whether the database keeps every version, so that it can be asked as of a moment
    moment: datetime | None = None  # as it stood before this moment; None as it stands
    survey: int | None = None  # the round whose rows it holds; None for those in force

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def at(self, moment: datetime | None) -> "Collection":
        """The collection as it stood before a moment, which is as it stands where that is still to come.

        Raises Refused where its past is not kept.
        """
        if moment is None or moment > timezone.now():
            return self
        if not self.kept:
            raise Refused(
                _("How “%(collection)s” stood on an earlier day is not kept.") % {"collection": self.title},
                _("Parcels, patches, buildings, legacy land, units and control areas can be asked as of a day."),
                code="past-not-kept",
            )
        return replace(self, moment=moment)

    def of_round(self, survey: int) -> "Collection":
        """The rows of one round of the survey, in force or not, by the number of its row."""
        if IN_FORCE not in _read(SQL, self.id):
            raise UnknownName(self.id, ["parcels", "buildings", "patches"], _("layer of a survey"))
        return replace(self, survey=survey)

    def source(self) -> str:
        """The question as SQL, to be used as a sub-query: without parameters, or with those of `values`."""
        if self.survey is not None:
            return _read(SQL, self.id).replace(IN_FORCE, "%(survey)s")
        return _read(SQL if self.moment is None else PAST, self.id)

    @property
    def values(self) -> dict[str, object]:
        """The parameters of `source()`."""
        told = {"as_of": self.moment, "survey": self.survey}
        return {name: value for name, value in told.items() if value is not None}

    def day(self) -> date | None:
        """The day in China, where what is served depends on it: with the revisions it says how it stands."""
        return timezone.now().astimezone(CHINA_TIME).date() if self.daily else None

    def seen_by(self, grants: tuple[Grant, ...]) -> View:
        return view(grants, self.id, self.names)


@cache
def _read(folder: Path, name: str) -> str:
    return (folder / f"{name}.sql").read_text(encoding="utf-8").strip().rstrip(";")


DISTRICT = Column("district_id", "string", _("District code"))
STREET = Column("street_id", "string", _("Street code"))
AREA = Column("area_m2", "number", _("Measured area"), "m2")
BASE = Column("base_survey", "integer", _("Base survey"))

_ALL = (
    Collection(
        "parcels",
        _("Parcels"),
        _("Parcels of the survey in force."),
        "code",
        (
            Column("code", "string", _("Parcel code (ZDDM)")),
            Column("address", "string", _("Location (ZL)")),
            Column("registered_use", "string", _("Registered use (YT)")),
            Column("use_scheme", "string", _("Code scheme of the use")),
            Column("documented_m2", "number", _("Documented area"), "m2"),
            AREA,
            Column("registered_far", "number", _("Registered FAR (RJL)"), "1"),
            Column("right_nature", "string", _("Nature of right (QLXZ)")),
            Column("right_holder", "string", _("Right holder")),
            BASE,
            DISTRICT,
            STREET,
        ),
        revisions=("parcel", "survey"),
        kept=True,
    ),
    Collection(
        "patches",
        _("Land-use patches"),
        _("Patches of the land-change survey in force (layer DLTB)."),
        "bsm",
        (
            Column("bsm", "string", "BSM"),
            Column("tbbh", "string", "TBBH"),
            Column("dlbm", "string", "DLBM"),
            Column("dlmc", "string", "DLMC"),
            Column("scheme", "string", _("Code scheme of DLBM")),
            Column("qsxz", "string", "QSXZ"),
            Column("zldwdm", "string", "ZLDWDM"),
            Column("zldwmc", "string", "ZLDWMC"),
            Column("tbmj", "number", "TBMJ", "m2"),
            AREA,
            BASE,
            DISTRICT,
            STREET,
        ),
        revisions=("patch", "survey"),
        kept=True,
    ),
    Collection(
        "buildings",
        _("Buildings"),
        _("Building footprints of the survey in force."),
        "code",
        (
            Column("code", "string", _("Building code")),
            Column("name", "string", _("Name")),
            Column("use", "string", _("Use of the building (FWYT)")),
            Column("floors", "number", _("Floors above ground"), "1"),
            Column("height_m", "number", _("Height (m)"), "m"),
            Column("floor_area_m2", "number", _("Floor area (m²)"), "m2"),
            Column("built_year", "integer", _("Year built")),
            Column("safety_grade", "string", _("Safety grade (JGJ 125)")),
            AREA,
            BASE,
            DISTRICT,
            STREET,
        ),
        revisions=("building", "survey"),
        kept=True,
    ),
    Collection(
        "candidates",
        _("Candidates"),
        _("What the criteria say of each parcel and office building: suspected, never decided."),
        "code",
        (
            Column("kind", "string", _("Parcel or building")),
            Column("code", "string", _("Code of the parcel or building")),
            Column("address", "string", _("Location (ZL)")),
            Column("outcome", "string", _("Outcome")),
            Column("category", "string", _("Category")),
            Column("fired", "array", _("Rules met")),
            Column("missing", "array", _("Facts missing")),
            Column("criteria", "string", _("Criteria")),
            Column("registered_use", "string", _("Registered use (YT)")),
            Column("right_holder", "string", _("Right holder")),
            AREA,
            BASE,
            DISTRICT,
            STREET,
        ),
        revisions=("parcel", "building", "flag", "survey"),
    ),
    Collection(
        "legacy",
        _("Legacy land"),
        _("The register of historical-legacy land."),
        "code",
        (
            Column("code", "string", _("Code")),
            Column("address", "string", _("Location")),
            Column("state", "string", _("State")),
            Column("used_since", "date", _("Land used since")),
            Column("route", "string", _("Route")),
            Column("user_name", "string", _("Used by")),
            Column("penalty_number", "string", _("Penalty number")),
            AREA,
            DISTRICT,
            STREET,
        ),
        revisions=("legacyland",),
        kept=True,
    ),
    Collection(
        "units",
        _("Redevelopment units"),
        _("Redevelopment spatial units, the latest version of each."),
        "code",
        (
            Column("code", "string", _("Code")),
            Column("name", "string", _("Name")),
            Column("edition", "integer", _("Version")),
            Column("state", "string", _("State")),
            Column("mode", "string", _("Mode")),
            AREA,
            DISTRICT,
            Column("district_name", "string", _("District")),
        ),
        revisions=("redevelopmentunit", "district"),
        kept=True,
    ),
    Collection(
        "control-areas",
        _("Control areas"),
        _("Control lines, plans and other layers that rules overlay."),
        "code",
        (
            Column("code", "string", _("Code")),
            Column("name", "string", _("Name")),
            Column("kind", "string", _("Kind")),
            Column("edition", "string", _("Version")),
            Column("use", "string", _("Planned use")),
            AREA,
            DISTRICT,
        ),
        revisions=("controlarea",),
        kept=True,
    ),
    Collection(
        "findings",
        _("Findings"),
        _("Bad data that checks and imports saw, with its place."),
        "identity",
        (
            Column("identity", "string", _("Identity")),
            Column("code", "string", _("Check")),
            Column("layer", "string", _("Layer")),
            Column("severity", "string", _("Severity")),
            Column("state", "string", _("State")),
            Column("subjects", "array", _("Subjects")),
            Column("sentence", "string", _("What is wrong")),
            Column("fix", "string", _("What to do")),
            Column("measure", "number", _("Size")),
            Column("uom", "string", _("Unit of measure")),
            Column("waived", "boolean", _("Waived")),
            Column("waived_until", "date", _("Waived until")),
            Column("first_seen", "date-time", _("First seen")),
            DISTRICT,
            STREET,
        ),
        geometry="Geometry",
        shapeless=True,
        revisions=("finding",),
        daily=True,  # a waiver holds to the end of its last day
        since="first_seen",
    ),
    Collection(
        "problems",
        _("Problems"),
        _("Obstacles that people report."),
        "number",
        (
            Column("number", "string", _("Number")),
            Column("kind", "string", _("Kind")),
            Column("place", "string", _("Place")),
            Column("description", "string", _("Description")),
            Column("state", "string", _("State")),
            Column("level", "string", _("Level")),
            Column("due_on", "date", _("Due on")),
            DISTRICT,
            STREET,
        ),
        shapeless=True,
        revisions=("problem", "parcel", "redevelopmentunit", "legacyland"),
    ),
)
COLLECTIONS = {one.id: one for one in _ALL}
# The records have pages of their own and are no collection of the map; their past is asked like that of the others.
RECORDS = Collection(
    "determinations",
    _("Determinations"),
    _("Records of low-efficiency land, each on the land of its subject."),
    "code",
    (
        Column("code", "string", _("Code")),
        Column("subject", "string", _("Code of the parcel or building")),
        Column("state", "string", _("State")),
        Column("result", "string", _("Result")),
        Column("category", "string", _("Category")),
        Column("subtype", "string", _("Sub-type")),
        Column("reasons", "array", _("Reason codes")),
        Column("listed_since", "date", _("Listed since")),
        AREA,
        BASE,
        DISTRICT,
        STREET,
    ),
    kept=True,  # no revision: nothing counts how often records change
)
KEPT = {one.id: one for one in (*_ALL, RECORDS) if one.kept}


def collection(name: str) -> Collection:
    """The collection of that name; UnknownName otherwise."""
    try:
        return COLLECTIONS[name]
    except KeyError:
        raise UnknownName(name, COLLECTIONS, _("collection")) from None
