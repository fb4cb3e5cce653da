"""Tell how much low-efficiency land there is, of which kinds, where it lies and what might be gained on it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from units import codes
from units.asof import end_of as moment
from units.asof import read_day
from units.collections import CHINA_TIME
from units.criteria import sets
from units.errors import NotAllowed, Refused, UnknownName, UsageError
from units.measuring import Base, at_ease
from units.models import (
    Category,
    ControlArea,
    CriteriaEdition,
    Determination,
    District,
    DistrictFigure,
    FlagRun,
    Measurement,
    Revision,
    Street,
    Survey,
)
from units.rights import Grant, sees_figures, view
from units.spatial import SQUARE_METRES_PER_MU, STORAGE_SRID, rounded
from units.workflow import SUBTYPES

SQL = Path(__file__).parent / "sql" / "statistics"
CANDIDATES, DETERMINED, IN_FORCE = "candidates", "determined", "in_force"
BASES = (CANDIDATES, DETERMINED, IN_FORCE)
State = Determination.State
# Land that was redeveloped is low-efficiency land no more; what was not taken up never was.
LISTED = (State.IN_FORCE, State.UPDATING, State.IN_PROJECT)
DECIDED = (State.DETERMINED, State.MAPPED, State.DISTRICT_OK, State.SUBMITTED, *LISTED)
GROUPS = ("scale", "structure", "distribution", "potential", "intensity")

SIZES = ("0", "1", "5", "10")  # from so many hectares on (G-29)
HEX_WIDTH = 500.0  # metres from side to side (G-30)
LEAST_PIECE = 0.01  # square metres; what is cut off below this is an edge drawn twice
PLAN_COVER = 0.5  # share of a parcel that plots with a stated FAR must cover, as of a planned use (ours)
EXPIRING_YEARS = 2  # demonstration value, no policy: a right that ends sooner is "expiring"
LEAST_FIRMS = 3  # a figure of fewer firms would tell what one of them pays
NONE = "none"  # the filter value of what is not known


@dataclass(frozen=True)
class Chosen:
    """What is counted: a base, a day, and filters; empty means all."""

    district: str
    base: str = CANDIDATES
    as_of: date | None = None
    criteria: str = ""
    street: str = ""
    category: str = ""
    size: str = ""
    owner: str = ""
    right: str = ""
    decade: str = ""
    reason: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str], district: str, today: date | None = None) -> "Chosen":
        """The same from the words of an address; UsageError or UnknownName where one of them is wrong."""
        values = {name: given.get(name, "").strip() for name in FILTERS}
        base = given.get("base", "") or CANDIDATES
        held = {
            "base": (base, BASES),
            "category": (values["category"], Category.values),
            "size": (values["size"], SIZES),
            "owner": (values["owner"], ("state", "collective", NONE)),
            "right": (values["right"], (*codes.domain("QLXZ"), NONE)),
        }
        for name, (value, known) in held.items():
            if value and value not in known:
                raise UnknownName(value[:40], known, filter_titles()[name])
        decade = values["decade"]
        if decade and decade != NONE and not (decade.isascii() and decade.isdigit() and len(decade) == 4):
            raise UsageError(
                _("“%(text)s” is no decade.") % {"text": decade[:20]}, _("Write its first year, such as 1990.")
            )
        if values["street"] and not Street.objects.filter(code=values["street"], district=district).exists():
            raise UnknownName(values["street"][:20], [], _("street"))
        return cls(district, base, read_day(given.get("as_of", ""), today), given.get("criteria", "").strip(), **values)


FILTERS = ("street", "category", "size", "owner", "right", "decade", "reason")


def filter_titles() -> dict[str, str]:
    """What each filter is called."""
    return {
        "base": _("Counted"),
        "as_of": _("As of"),
        "criteria": _("Criteria"),
        "street": _("Street"),
        "category": _("Category"),
        "size": _("Size band"),
        "owner": _("Owner of the land"),
        "right": _("Nature of right"),
        "decade": _("Built in"),
        "reason": _("Reason"),
    }


@dataclass
class Table:
    """One table: columns as {name, title, uom, kind}, rows as {key, label, …}, the total apart.

    `kind` is count, number or share. A value that is null is unknown, and `withheld` in a row names its columns that
    are kept back so that they do not tell of one firm. `adds_up` is False where a record may be in several rows.
    """

    id: str
    group: str
    title: str
    definition: str
    head: str
    columns: list[dict]
    rows: list[dict] = field(default_factory=list)
    total: dict | None = None
    adds_up: bool = True
    chart: str = ""  # the column that a chart of it shows


def statistics(chosen: Chosen, grants: Iterable[Grant], groups: Iterable[str] = GROUPS) -> dict:
    """Every table of the groups asked for, with the day, the digest of the criteria and who may read what.

    Only what the grants see is counted. Raises NotAllowed, UnknownName, UsageError and Refused (no survey in force,
    no run of the criteria, or one that is later than the day: the flags of earlier runs are not kept).
    """
    grants = tuple(grants)
    rows = view(grants, "statistics", ()).rows
    if rows.never:
        raise NotAllowed(_("Statistics are open to those who work on the land."), _("Sign in with such an account."))
    base = Base.of(chosen.district)
    figures = sees_figures(grants, chosen.district, chosen.street or None)
    day = chosen.as_of or timezone.now().astimezone(CHINA_TIME).date()
    told = {
        "base": chosen.base,
        "base_title": base_titles()[chosen.base],
        "district": chosen.district,
        "district_name": District.objects.get(pk=chosen.district).name,
        "as_of": day.isoformat(),
        "survey": base.year,
        "criteria": _criteria(chosen, day),
        "measured_at": _measured_at(base),
        "figures": figures,
        "filters": {name: getattr(chosen, name) for name in FILTERS if getattr(chosen, name)},
    }
    counted = _Counted(chosen, told["criteria"]["name"], base, day, rows, figures)
    with transaction.atomic(), connection.cursor() as cursor:
        at_ease(cursor)
        counted.gather(cursor)
        tables = counted.tables(cursor, tuple(groups))
        told["choices"] = counted.choices(cursor)
        told["hexes"], told["streets"] = counted.shapes(cursor) if "distribution" in groups else ([], [])
        for relation in ("counted", "record", "standing", "zone", "piece", "centre"):
            cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{relation}")
    return told | {"tables": [asdict(one) for one in tables]}


def base_titles() -> dict[str, str]:
    """What is counted, in the reader's language."""
    return {
        CANDIDATES: _("Candidates (suspected by rules)"),
        DETERMINED: _("Determined as low-efficiency"),
        IN_FORCE: _("In the inventory"),
    }


def districts(grants: Iterable[Grant]) -> list[District]:
    """The districts with a survey in force of which these grants see something."""
    rows = view(tuple(grants), "statistics", ()).rows
    found = District.objects.filter(surveys__state=Survey.State.IN_FORCE).order_by("code")
    if not rows.always:
        found = found.filter(code__in={dict(one)["district_id"] for one in rows.alternatives})
    return list(found)


class _Counted:
    """The records that are counted, as temporary relations, and the questions put to them."""

    def __init__(self, chosen: Chosen, criteria: str, base: Base, day: date, rows, figures: bool):
        self.chosen, self.base, self.day, self.rows, self.figures = chosen, base, day, rows, figures
        self.values = {
            "district": chosen.district,
            "criteria": criteria,
            "states": [str(one) for one in (LISTED if chosen.base == IN_FORCE else DECIDED)],
            "moment": moment(day),
            "day": day,
            "srid": base.srid,
            "storage_srid": STORAGE_SRID,
            "survey": base.survey,
            "street": chosen.street or None,
            "hex_edge": HEX_WIDTH / math.sqrt(3),
            "least_piece": LEAST_PIECE,
            "plan_cover": PLAN_COVER,
            "expiring_years": EXPIRING_YEARS,
            "mu": float(SQUARE_METRES_PER_MU),
            "figures": figures,
        }

    def gather(self, cursor) -> None:
        """Make `counted` and, of what is visible and chosen, `record`, with the land that lies over other land."""
        source = "candidates" if self.chosen.base == CANDIDATES else "determinations"
        self._make(cursor, "counted", _question(source))
        seen, values = self.rows.sql("source")
        wanted, filters = self._filters()
        self._make(
            cursor,
            "record",
            f"SELECT source.*, NULL::integer AS bunch, 1::float8 AS own FROM ({_question('records')}) AS source"
            f" WHERE {seen} AND {wanted}",
            values | filters,
        )
        cursor.execute("CREATE INDEX ON pg_temp.record USING gist (geom)")
        cursor.execute("CREATE UNIQUE INDEX ON pg_temp.record (subject)")
        cursor.execute("ANALYZE pg_temp.record")
        cursor.execute(
            f"UPDATE pg_temp.record r SET bunch = one.bunch, own = one.own FROM ({_question('overlaps')}) AS one"
            " WHERE one.subject = r.subject",
            self.values,
        )

    def _make(self, cursor, name: str, question: str, further: Mapping[str, object] | None = None) -> None:
        cursor.execute(f"CREATE TEMP TABLE {name} ON COMMIT DROP AS {question}", self.values | dict(further or {}))

    def _filters(self) -> tuple[str, dict[str, object]]:
        columns = {
            "street": "street_id",
            "category": "category",
            "size": "size",
            "owner": "land_owner",
            "right": "right_nature",
            "decade": "decade",
        }
        wanted, values = ["TRUE"], {}
        for name, column in columns.items():
            if value := getattr(self.chosen, name):
                wanted.append(f"source.{column} = %(f_{name})s")
                values[f"f_{name}"] = "" if value == NONE else value
        if self.chosen.reason:
            wanted.append("%(f_reason)s = ANY(source.reasons)")
            values["f_reason"] = self.chosen.reason
        return " AND ".join(wanted), values

    def tables(self, cursor, groups: tuple[str, ...]) -> list[Table]:
        """The tables of the groups, in their order."""
        found: list[Table] = []
        if {"scale", "structure"} & set(groups):
            self._make(cursor, "standing", _question("floors"))
            cursor.execute("CREATE INDEX ON pg_temp.standing (subject)")
            counted = _asked(cursor, _question("groups"), self.values)
            if "scale" in groups:
                found += self._scale(counted)
            if "structure" in groups:
                found += self._structure(counted)
        if {"distribution", "potential"} & set(groups):
            self._make(cursor, "zone", _question("zones"))
            cursor.execute("CREATE INDEX ON pg_temp.zone USING gist (geom)")
            cursor.execute("ANALYZE pg_temp.zone")
            self._make(cursor, "piece", _question("pieces"))
        if "distribution" in groups:
            found += self._distribution(cursor)
        if "potential" in groups:
            found += self._potential(cursor)
        if "intensity" in groups:
            found.append(self._intensity(cursor))
        return found

    # --- scale and structure ---------------------------------------------------------------------------------------

    def _row(self, key: str, label: str, one: Mapping, total: float) -> dict:
        floors = self.base.deliveries["buildings"]
        return {
            "key": key,
            "label": label,
            "parcels": one["parcels"],
            "buildings": one["buildings"],
            "area_ha": hectares(one["area_m2"]),
            "area_share": _share(one["area_m2"], total),
            "floor_m2": rounded(one["floor_m2"], 0) if floors else None,
            "floor_unknown": one["floor_unknown"] if floors else None,
        }

    def _scale(self, counted: list[dict]) -> list[Table]:
        by = {(one["dimension"], one["name"], one["category"]): one for one in counted}
        whole = by.get(("all", "", ""), NOTHING)
        rows = [
            self._row(value, title, by.get(("category", value, ""), NOTHING), whole["area_m2"])
            for value, title in _categories(counted)
        ]
        overlap = (whole["summed"] or 0) - whole["area_m2"]
        table = Table(
            "scale",
            "scale",
            _("Scale by category"),
            _(
                "Area on the ellipsoid of the union of each group: land that lies in several records counts once, so "
                "the rows may add up to more than the total. %(overlap)s ha lie in more than one record here. Floor "
                "area is that of every building, temporary ones left out, by the share of its footprint in the group."
            )
            % {"overlap": hectares(overlap)},
            _("Category"),
            columns(),
            rows,
            self._row("", _("Total"), whole, whole["area_m2"]),
            adds_up=False,
            chart="area_ha",
        )
        return [table]

    def _structure(self, counted: list[dict]) -> list[Table]:
        by: dict[str, dict[str, dict]] = {}
        for one in counted:
            by.setdefault(one["dimension"], {}).setdefault(one["name"], {})[one["category"]] = one
        whole = by.get("all", {}).get("", {}).get("", NOTHING)
        total = whole["area_m2"]
        found = []
        for name, (title, head, definition, label) in self._dimensions().items():
            groups = by.get(name, {})
            if name == "grade" and not self.figures:
                continue
            rows = []
            for key in sorted(groups, key=lambda one: (one == "", label.order(one))):
                row = self._row(key or NONE, label(key), groups[key][""], total)
                for category in Category.values:
                    one = groups[key].get(category, NOTHING)
                    row[f"{category}_ha"] = hectares(one["area_m2"])
                rows.append(row)
            last = self._row("", _("Total"), whole, total)
            for category in Category.values:
                last[f"{category}_ha"] = hectares(by.get("category", {}).get(category, {}).get("", NOTHING)["area_m2"])
            found.append(
                Table(
                    f"structure-{name}",
                    "structure",
                    title,
                    definition,
                    head,
                    columns(crossed=True),
                    rows,
                    last,
                    adds_up=False,
                    chart="area_ha",
                )
            )
        return found

    def _dimensions(self) -> dict[str, tuple]:
        rules = {rule.id: sets.in_words(rule.title, rule.title_en) for rule in self._rules()}
        subtypes = {key: str(title) for known in SUBTYPES.values() for key, title in dict(known).items()}
        rights = dict(codes.domain("QLXZ"))
        classes = codes.land_use(codes.SANDIAO)
        today = _("What was measured is that of the last measuring, also for a day that is past.")
        several = _("A record has as many reasons as rules it met: the rows add up to more than the total.")
        told = {
            "reason": (_("By reason"), _("Reason"), several, _Label(rules)),
            "size": (
                _("By size"),
                _("Size band"),
                _("By the area of each record on the ellipsoid; a limit of a band is in the band above it."),
                _Label(sizes()),
            ),
            "owner": (
                _("By owner of the land"),
                _("Owner of the land"),
                _("By the 13th sign of the parcel code; of a building, that of the parcel under it."),
                _Label({"state": _("State-owned"), "collective": _("Collectively owned")}),
            ),
            "right": (
                _("By nature of right"),
                _("Nature of right"),
                _("As registered (QLXZ); of a building, that of the parcel under it."),
                _Label(rights),
            ),
            "decade": (
                _("By decade built"),
                _("Built in"),
                _("Of the oldest building.") + " " + today,
                _Label({}, _decade),
            ),
            "land_class": (
                _("By land class"),
                _("Land class"),
                _("The class that covers most of the parcel.") + " " + today,
                _Label({code: f"{code} {use.name}" for code, use in classes.items()}),
            ),
            "metro": (
                _("By distance to a metro station"),
                _("Distance"),
                _("Metres in the district's Gauss–Krüger zone from edge to edge.") + " " + today,
                _Label({"0": "< 500 m", "500": "500–1000 m", "1000": "1000–2000 m", "2000": "≥ 2000 m"}),
            ),
            "grade": (
                _("By worst grade"),
                _("Grade"),
                _(
                    "The worst official grade of the firms on the parcel in the year of the survey. Only for who may "
                    "read figures of firms."
                ),
                _Label({}),
            ),
        }
        if self.chosen.base != CANDIDATES:
            told |= {
                "subtype": (_("By sub-type"), _("Sub-type"), _("As determined."), _Label(subtypes)),
                "listed": (_("By year listed"), _("Listed since"), _("The year in which it was listed."), _Label({})),
            }
        return told

    def _rules(self):
        """The rules by which reasons are named; a set that is gone leaves their codes."""
        if self.chosen.base != CANDIDATES:
            names = (
                Determination.objects.filter(district=self.chosen.district)
                .exclude(criteria="")
                .values_list("criteria", flat=True)
            )
            found = [name for name in names.order_by("criteria").distinct() if name in sets.available()]
        else:
            found = [self.values["criteria"]]
        return [rule for name in found for rule in sets.load(name).rules]

    # --- distribution ----------------------------------------------------------------------------------------------

    def _distribution(self, cursor) -> list[Table]:
        placed = _asked(cursor, _question("distribution"), self.values)
        names = dict(Street.objects.filter(district=self.chosen.district).values_list("code", "name"))
        titles = {
            "street": (_("By street"), _("Street")),
            "block": (_("By block of the detailed plan"), _("Block")),
            "unit": (_("By redevelopment unit"), _("Redevelopment unit")),
            "industrial": (_("By industrial area"), _("Industrial control line")),
            "hex": (_("By hexagon of 500 m"), _("Hexagon")),
        }
        definition = _(
            "Land is split by the outlines and counts once in each of them; a record counts where most of it lies, and "
            "is “cut” in each outline that has but a part of it. What lies outside all outlines is told in a row of "
            "its own."
        )
        found = []
        for kind, (title, head) in titles.items():
            rows = []
            for one in placed:
                if one["kind"] != kind or (
                    kind == "street" and not one["parcels"] and not one["area_m2"] and self._away(one["code"])
                ):
                    continue
                outside = one["code"] == ""
                rows.append(
                    {
                        "key": one["code"] or NONE,
                        "label": _("Outside all outlines")
                        if outside
                        else one["name"] or names.get(one["code"]) or one["code"],
                        "parcels": one["parcels"],
                        "buildings": one["buildings"],
                        "cut": one["cut"],
                        "area_ha": hectares(one["area_m2"]),
                        "zone_ha": hectares(one["zone_m2"]),
                        "density": _share(one["area_m2"], one["zone_m2"]),
                    }
                )
            rows.sort(key=lambda row: (row["key"] == NONE, -row["area_ha"], row["key"]))
            if rows:
                found.append(
                    Table(
                        f"distribution-{kind}",
                        "distribution",
                        title,
                        definition,
                        head,
                        _zone_columns(),
                        rows,
                        chart="area_ha",
                    )
                )
        self._make(cursor, "centre", _question("centres"))
        cursor.execute("CREATE INDEX ON pg_temp.centre USING gist (geom)")
        near = _asked(cursor, _question("neighbours"), self.values)
        if near and near[0]["records"] > 1 and near[0]["expected_m"]:
            one = near[0]
            ratio = one["mean_m"] / one["expected_m"]
            row = {
                "key": "all",
                "label": _("in clusters") if ratio < 1 else _("spread out"),
                "records": one["records"],
                "mean_m": rounded(one["mean_m"], 1),
                "expected_m": rounded(one["expected_m"], 1),
                "ratio": rounded(ratio, 3),
            }
            found.append(
                Table(
                    "distribution-neighbours",
                    "distribution",
                    _("Nearest neighbours"),
                    _(
                        "Clark and Evans: the mean distance from the centre of a parcel to the next one, over what it "
                        "would be at random on the ground of the streets; below 1 they lie in clusters."
                    ),
                    _("They lie"),
                    [
                        _column("records", _("Parcels"), "", "count"),
                        _column("mean_m", _("Mean distance"), "m"),
                        _column("expected_m", _("At random"), "m"),
                        _column("ratio", _("Ratio"), ""),
                    ],
                    [row],
                )
            )
        return found

    def _away(self, street: str) -> bool:
        """Whether a street with nothing in it is none of those that were asked for."""
        scoped = {dict(one).get("street_id") for one in self.rows.alternatives} - {None}
        return bool(self.chosen.street and street != self.chosen.street) or bool(scoped and street not in scoped)

    # --- potential and intensity -----------------------------------------------------------------------------------

    def _potential(self, cursor) -> list[Table]:
        found = []
        told = _asked(cursor, _question("potential"), self.values)
        names = dict(Street.objects.filter(district=self.chosen.district).values_list("code", "name"))
        labels = {
            "category": (_("Potential by category"), _("Category"), _Label(dict(Category.choices))),
            "street": (_("Potential by street"), _("Street"), _Label(names)),
            "unit": (_("Potential by redevelopment unit"), _("Redevelopment unit"), _Label({"": _("in no unit")})),
        }
        whole = next((one for one in told if one["dimension"] == "all"), None)
        missing = self._missing()
        for name, (title, head, label) in labels.items():
            groups = [one for one in told if one["dimension"] == name]
            if name == "category":
                groups.sort(key=lambda one: [*Category.values, one["name"]].index(one["name"]))
            kept_back = withheld([one["firms"] for one in groups]) if self.figures else set()
            rows = [
                self._potential_row(one["name"] or NONE, label(one["name"]), one, number in kept_back)
                for number, one in enumerate(groups)
            ]
            few = whole is not None and (whole["firms"] < LEAST_FIRMS)
            total = self._potential_row("", _("Total"), whole, few) if whole else None
            found.append(
                Table(
                    f"potential-{name}",
                    "potential",
                    title,
                    potential_definition() + (" " + missing if missing else ""),
                    head,
                    self._potential_columns(),
                    rows,
                    total,
                    chart="intensity_m2",
                )
            )
        return found

    def _potential_columns(self) -> list[dict]:
        unknown = _("of which unknown")
        told = [_column("parcels", _("Parcels"), "", "count")]
        for name, title, uom in (
            ("intensity_m2", _("Intensity: floor area"), "m²"),
            ("structure_ha", _("Structure: other use planned"), "ha"),
            ("idle_ha", _("Expansion: idle"), "ha"),
            ("approved_ha", _("Expansion: approved, not supplied"), "ha"),
            ("management_ha", _("Management: overdue or expiring"), "ha"),
        ):
            told += [_column(name, title, uom), _column(name.rsplit("_", 1)[0] + "_unknown", unknown, "", "count")]
        if self.figures:
            told += [
                _column("yield_10k_cny", _("Yield: tax below the sector's mean"), _("× 10,000 CNY")),
                _column("yield_unknown", unknown, "", "count"),
            ]
        return told

    def _potential_row(self, key: str, label: str, one: Mapping, keep_back: bool) -> dict:
        row = {"key": key, "label": label, "parcels": one["parcels"]}
        for name in ("intensity", "structure", "idle", "approved", "management"):
            value = one[f"{name}_m2"]
            if name == "intensity":
                row["intensity_m2"] = None if value is None else rounded(value, 0)
            else:
                row[f"{name}_ha"] = hectares(value)
            row[f"{name}_unknown"] = one[f"{name}_unknown"]
        if self.figures:
            value = one["yield_10k_cny"]
            row["yield_10k_cny"] = None if value is None or keep_back else rounded(value, 2)
            row["yield_unknown"] = None if keep_back else one["yield_unknown"]
            row["withheld"] = ["yield_10k_cny", "yield_unknown"] if keep_back else []
        return row

    def _missing(self) -> str:
        """Which layers that the potential needs were never delivered."""
        delivered = set(
            ControlArea.objects.filter(district=self.chosen.district, in_force=True)
            .values_list("kind", flat=True)
            .distinct()
        )
        kinds = dict(ControlArea.Kind.choices)
        lacking = [
            kinds[kind] for kind in ("plot_plan", "reservation", "heritage", "approved_batch") if kind not in delivered
        ]
        if not self.base.deliveries["contracts"]:
            lacking.append(_("Supply contracts"))
        if not lacking:
            return ""
        return _("Not delivered, so that what needs it is unknown: %(layers)s.") % {
            "layers": ", ".join(map(str, lacking))
        }

    def _intensity(self, cursor) -> Table:
        """Construction land per unit of GDP (NK008): of the year of the survey, where its GDP was entered."""
        found = DistrictFigure.objects.filter(
            district=self.chosen.district, figure=DistrictFigure.Figure.GDP, year=self.base.year
        ).first()
        land = construction_land(cursor, self.base)
        area = None if land is None else hectares(land)
        row = {
            "key": str(self.base.year),
            "label": str(self.base.year),
            "construction_ha": area,
            "gdp_100m": None if found is None else rounded(found.value / 100_000_000, 4),
            "ha_per_100m": None
            if found is None or area is None
            else rounded(Decimal(str(land)) / 10_000 / (found.value / 100_000_000), 4),
            "source": found.source if found else "",
        }
        told = _(
            "Construction land of the survey in force, the union of its patches, over the GDP of the same year. Of the "
            "whole district, whatever is chosen above."
        )
        if found is None:
            told += " " + _("The GDP of %(year)s was not entered: an administrator enters it with its source.") % {
                "year": self.base.year
            }
        else:
            told += " " + _("Source of the GDP: %(source)s.") % {"source": found.source}
        return Table(
            "intensity-gdp",
            "intensity",
            _("Construction land per unit of GDP"),
            told,
            _("Year"),
            [
                _column("construction_ha", _("Construction land"), "ha"),
                _column("gdp_100m", _("GDP"), _("100 million CNY")),
                _column("ha_per_100m", _("Land per GDP"), _("ha / 100 million CNY")),
            ],
            [row],
        )

    # --- for the page ----------------------------------------------------------------------------------------------

    def choices(self, cursor) -> dict[str, list[dict]]:
        """The values that filters may take among the records chosen, each with how many it has."""
        told = {"street": "street_id", "decade": "decade", "right": "right_nature"}
        names = dict(Street.objects.filter(district=self.chosen.district).values_list("code", "name"))
        found = {}
        for name, column in told.items():
            cursor.execute(f"SELECT {column}, count(*) FROM pg_temp.record WHERE {column} <> '' GROUP BY 1 ORDER BY 1")
            found[name] = [
                {"value": value, "title": names.get(value, value), "count": count} for value, count in cursor.fetchall()
            ]
        cursor.execute("SELECT reason, count(*) FROM pg_temp.record, unnest(reasons) AS reason GROUP BY 1 ORDER BY 1")
        rules = {rule.id: sets.in_words(rule.title, rule.title_en) for rule in self._rules()}
        found["reason"] = [
            {"value": value, "title": rules.get(value, value), "count": count} for value, count in cursor.fetchall()
        ]
        return found

    def shapes(self, cursor) -> tuple[list[dict], list[dict]]:
        """Hexagons and streets in metres of the district's zone, simplified, for the small maps: code, name, rings."""
        told = []
        for kind in ("hex", "street"):
            cursor.execute(
                """
                SELECT z.code, z.name,
                       ST_AsGeoJSON(ST_SimplifyPreserveTopology(ST_Transform(z.geom, %(srid)s), 5), 0)::json,
                       ST_AsGeoJSON(ST_Transform(ST_PointOnSurface(z.geom), %(srid)s), 0)::json -> 'coordinates'
                FROM pg_temp.zone z
                WHERE z.kind = %(kind)s AND (z.kind <> 'hex' OR EXISTS (
                    SELECT FROM pg_temp.piece p WHERE p.kind = 'hex' AND p.code = z.code))
                ORDER BY z.code
                """,
                {"srid": self.base.srid, "kind": kind},
            )
            told.append(
                [
                    {"code": code, "name": name, "rings": _rings(shape), "inside": inside}
                    for code, name, shape, inside in cursor.fetchall()
                ]
            )
        return told[0], told[1]


NOTHING = {"parcels": 0, "buildings": 0, "area_m2": 0.0, "summed": 0.0, "floor_m2": 0.0, "floor_unknown": 0}


class _Label:
    """Names keys of one dimension; the empty key is what is not known."""

    def __init__(self, names: Mapping[str, object], otherwise=str):
        self.names, self.otherwise = names, otherwise
        self.places = {key: place for place, key in enumerate(names)}

    def __call__(self, key: str) -> str:
        if key in self.names:
            return str(self.names[key])
        return self.otherwise(key) if key else _("not known")

    def order(self, key: str) -> tuple[int, str]:
        return self.places.get(key, len(self.places)), key


def sizes() -> dict[str, str]:
    """The size bands of G-29."""
    return {"0": "< 1 ha", "1": "1–5 ha", "5": "5–10 ha", "10": "≥ 10 ha"}


def _decade(key: str) -> str:
    return _("%(first)s to %(last)s") % {"first": key, "last": int(key) + 9}


def _column(name: str, title: str, uom: str, kind: str = "number") -> dict:
    return {"name": name, "title": title, "uom": uom, "kind": kind}


def columns(crossed: bool = False) -> list[dict]:
    """The columns of scale and structure; crossed, with the land of each category besides."""
    told = [
        _column("parcels", _("Parcels"), "", "count"),
        _column("buildings", _("Buildings"), "", "count"),
        _column("area_ha", _("Area"), "ha"),
        _column("area_share", _("Share of the total"), "", "share"),
        _column("floor_m2", _("Floor area"), "m²"),
        _column("floor_unknown", _("Buildings without floor area"), "", "count"),
    ]
    if crossed:
        told += [_column(f"{value}_ha", str(title), "ha") for value, title in Category.choices]
    return told


def _zone_columns() -> list[dict]:
    return [
        _column("parcels", _("Parcels"), "", "count"),
        _column("buildings", _("Buildings"), "", "count"),
        _column("cut", _("Cut"), "", "count"),
        _column("area_ha", _("Area"), "ha"),
        _column("zone_ha", _("Ground within"), "ha"),
        _column("density", _("Density"), "", "share"),
    ]


def potential_definition() -> str:
    """How the five figures are found (G-31); they are of parcels."""
    return _(
        "Parcels only; land in several of them counts to the first by code. Intensity: what the detailed plan allows "
        "above today's FAR, on the land that may be built on (a plan FAR is known where plots that state one cover "
        "half of the parcel). Structure: land whose planned use is another. Expansion: supplied but idle, and approved "
        "but not supplied. Management: contracts overdue, or rights that end within 2 years (a demonstration value, "
        "not an official standard). Yield: what tax falls short of the mean of the sector. A figure that is not known "
        "is counted as unknown, never as nought; the sums are of the parcels whose figure is known."
    )


def hectares(square_metres) -> Decimal | None:
    """An area in ha with four decimals, half up; None stays unknown."""
    return None if square_metres is None else rounded(Decimal(str(square_metres)) / 10_000, 4)


def withheld(firms: list[int]) -> set[int]:
    """Which rows of a table must be kept back so that no difference tells of fewer than three firms.

    Every row of one or two firms is; and where their firms together are fewer than three, the next smallest row too,
    or the total would give them away. A row without any firm has nothing to tell.
    """
    small = {number for number, count in enumerate(firms) if 0 < count < LEAST_FIRMS}
    while small and (len(small) == 1 or sum(firms[number] for number in small) < LEAST_FIRMS):
        others = [(count, number) for number, count in enumerate(firms) if number not in small and count]
        if not others:
            break
        small.add(min(others)[1])
    return small


def construction_land(cursor, base: Base) -> float | None:
    """Square metres of construction land of the survey in force; None where no patches were delivered."""
    if not base.deliveries["patches"]:
        return None
    revision = Revision.objects.filter(name="patch").values_list("number", flat=True).first()
    key = f"construction-land:{connection.settings_dict['NAME']}:{base.survey}:{revision}"
    found = cache.get(key)
    if found is None:
        (one,) = _asked(
            cursor, _question("construction"), {"survey": base.survey, "classes": sorted(codes.construction_codes())}
        )
        found = float(one["area_m2"])
        cache.set(key, found, None)
    return found


def _criteria(chosen: Chosen, day: date) -> dict:
    """The set and the run whose flags are counted; of determinations, nothing."""
    if chosen.base != CANDIDATES:
        return {"name": "", "title": "", "digest": "", "official": None, "run": None, "ran_at": None}
    runs = FlagRun.objects.filter(district=chosen.district).select_related("edition").order_by("-pk")
    if chosen.criteria:
        if chosen.criteria not in sets.available():
            raise UnknownName(chosen.criteria[:60], sets.available(), _("criteria set"))
        runs = runs.filter(edition__name=chosen.criteria)
    run = runs.first()
    if run is None:
        raise Refused(
            _("No candidates are known: the district %(district)s was not judged by such criteria.")
            % {"district": chosen.district},
            _("Run “flag” for it."),
        )
    ran_on = run.ran_at.astimezone(CHINA_TIME).date()
    if day < ran_on:
        raise Refused(
            _("Candidates of %(day)s are not known: flags are kept of the last run alone, which was on %(ran)s.")
            % {"day": day.isoformat(), "ran": ran_on.isoformat()},
            _("Choose a later day, or count determinations, of which every version is kept."),
        )
    return {
        "name": run.edition.name,
        "title": _set_title(run.edition),
        "digest": run.edition_id,
        "official": run.edition.official,
        "run": run.pk,
        "ran_at": run.ran_at.astimezone(CHINA_TIME).isoformat(timespec="minutes"),
    }


def _set_title(edition: CriteriaEdition) -> str:
    """What the set is called in the language now spoken; the title it ran under where it is there no more."""
    try:
        criteria = sets.load(edition.name)
    except UsageError:
        return edition.title
    return sets.in_words(criteria.title, criteria.title_en)


def _measured_at(base: Base) -> str | None:
    found = Measurement.objects.filter(survey_id=base.survey).values_list("measured_at", flat=True).first()
    return found.astimezone(CHINA_TIME).isoformat(timespec="minutes") if found else None


def _categories(counted: list[dict]) -> list[tuple[str, str]]:
    known = [(value, str(title)) for value, title in Category.choices]
    if any(one["dimension"] == "category" and one["name"] == "" for one in counted):
        known.append(("", _("not known")))
    return known


def _share(part: float | None, whole: float | None) -> Decimal | None:
    return None if part is None or not whole else rounded(Decimal(str(part)) / Decimal(str(whole)), 4)


def _rings(shape: Mapping) -> list[list[list[float]]]:
    parts = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
    return [ring for part in parts for ring in part]


def _question(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8").strip().rstrip(";")


def _asked(cursor, question: str, values: Mapping[str, object]) -> list[dict]:
    cursor.execute(question, values)
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
