"""Compute every measure of a district a second time, from the rows as they are stored, with geopandas and plain Python.

Nothing here imports the product: what a measure means is written down again from its definition. Areas are taken on the
ellipsoid (pyproj) where a definition says so and in the district's Gauss–Krüger zone everywhere else.
"""

import calendar
import datetime
import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

import geopandas
import pandas
import psycopg
import pyproj
import shapely
from psycopg.rows import dict_row

MU = 10_000 / 15  # square metres
GEOD = pyproj.Geod(a=6378137, rf=298.257222101)  # the ellipsoid of CGCS2000
# Which classes of the third survey are construction land (TD/T 1055), and which category each stands for, as far as the
# demo district has them. Written from the standard, not read from the product's tables.
CONSTRUCTION = {"05H1", "0508", "0601", "0602", "0701", "0702", "08H1", "08H2", "0809", "0810", "0810A"}
CONSTRUCTION |= {"09", "1001", "1003", "1004", "1005", "1007", "1008", "1009", "1201"}
CATEGORY = {"0601": "industrial", "0602": "industrial", "0508": "industrial", "05H1": "office"}
CATEGORY |= {"0701": "residential", "0702": "residential"}
CATEGORY |= dict.fromkeys(("08H1", "08H2", "0809", "0810", "0810A"), "facility")
NO_CATEGORY_TOLD = {"1201"}  # 空闲地: waste ground may be anything
# Use of a plot plan (用地用海 2023) → the class of the third survey it allows, and its category.
PLANNED = {
    "0804": ({"08H2"}, "facility"),
    "0901": ({"05H1"}, "office"),
    "1001": ({"0601"}, "industrial"),
    "1401": ({"0810"}, "facility"),
    "070102": ({"0701"}, "residential"),
    "01": ({"0101", "0102", "0103"}, "none"),
}
KINDS = (
    *("ecological_red_line", "basic_farmland", "development_boundary", "master_plan", "special_plan", "block_plan"),
    *("plot_plan", "second_survey_construction", "industrial_line", "park", "heritage", "buried_relics", "hazard"),
    *("reservation", "key_area", "renewal_plan", "approved_batch", "urban_village", "industry_exit", "industry_plan"),
)
WORST_FIRST = "DCBA"
DECIMALS = {
    "far": 2, "vacancy": 4, "vacant_months": 2, "idle_months": 2, "unsafe_share": 4, "floor_area_m2": 2, "area_m2": 2,
    "documented_m2": 2, "tax_per_mu": 2, "sector_tax_mean": 2, "tax_ratio": 4, "output_per_mu": 2,
    "tax_per_floor_m2": 2, "floor_tax_mean": 2, "floor_tax_ratio": 4, "production_years": 4, "start_overdue": 4,
    "completion_overdue": 4, "completed_for": 4, "stopped_for": 4, "investment_share": 4, "developed_share": 4,
    "far_estimated_share": 4, "coverage": 4, "main_class_share": 4, "construction_share": 4, "covered_share": 4,
    "mismatch": 4, "area_difference": 4, "registered_far": 2, "registered_coverage": 4, "plan_conflict": 4,
    "ecological_red_line_m2": 2, "basic_farmland_m2": 2,
    **{f"{kind}_share": 4 for kind in KINDS},
    **dict.fromkeys(("firms", "sector_peers", "floor_tax_peers", "contracts", "buildings"), 0),
    **dict.fromkeys(("built_year_min", "built_year_max", "age"), 0),
}  # fmt: skip


def half_up(value, decimals: int) -> Decimal | None:
    """A float as the database takes it for a number (15 digits), rounded half away from nought."""
    if value is None:
        return None
    exact = value if isinstance(value, Decimal) else Decimal(f"{value:.15g}")
    return exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


@dataclass
class Rows:
    """The rows of one district's survey in force, as stored."""

    year: int
    srid: int
    profiles: set
    parcels: geopandas.GeoDataFrame
    patches: geopandas.GeoDataFrame
    buildings: geopandas.GeoDataFrame
    controls: geopandas.GeoDataFrame
    firms: dict
    figures: dict
    occupancies: list
    contracts: dict
    with_penalties: set  # the deliveries of firms that had a column for penalties


def read(url: str, district: str) -> Rows:
    """Everything that measures are taken from. Shapes come as WKB and are moved by pyproj."""
    with psycopg.connect(url, row_factory=dict_row) as connection:

        def rows(statement: str, *values) -> list[dict]:
            return connection.execute(statement, values).fetchall()

        (survey,) = rows("SELECT id, year FROM units_survey WHERE district_id = %s AND state = 'in_force'", district)
        (srid,) = rows("SELECT srid FROM units_district WHERE code = %s", district)

        def layer(statement: str, value) -> geopandas.GeoDataFrame:
            found = pandas.DataFrame(rows(statement, value), dtype=object)
            shapes = geopandas.GeoSeries.from_wkb(found.pop("wkb"), crs=4490)
            return geopandas.GeoDataFrame(found, geometry=shapes).to_crs(srid["srid"])

        shape = "ST_AsBinary(geom) AS wkb"
        contracts = defaultdict(list)
        for row in rows("SELECT * FROM units_supplycontract WHERE parcel_id IN (SELECT id FROM units_parcel "
                        "WHERE survey_id = %s)", survey["id"]):  # fmt: skip
            contracts[row["parcel_id"]].append(row)
        years = rows("SELECT * FROM units_enterpriseyear WHERE year = %s", survey["year"])
        return Rows(
            year=survey["year"],
            srid=srid["srid"],
            profiles={
                row["profile"]
                for row in rows(
                    "SELECT profile FROM units_delivery WHERE survey_id = %s AND state = 'loaded'", survey["id"]
                )
            },
            parcels=layer(
                f"SELECT id, code, registered_use, use_scheme, documented_m2, registered_far, registered_coverage, "
                f"owner_wish, {shape} FROM units_parcel WHERE survey_id = %s",
                survey["id"],
            ),
            patches=layer(f"SELECT dlbm, tbmj, {shape} FROM units_landusepatch WHERE survey_id = %s", survey["id"]),
            buildings=layer(
                f"SELECT id, code, use, floors, floor_area_m2, vacant_m2, built_year, safety_grade, temporary, extra, "
                f"{shape} FROM units_building WHERE survey_id = %s",
                survey["id"],
            ),
            controls=layer(
                f"SELECT kind, use, {shape} FROM units_controlarea WHERE district_id = %s AND in_force", district
            ),
            firms={row["id"]: row for row in rows("SELECT * FROM units_enterprise WHERE district_id = %s", district)},
            figures={row["enterprise_id"]: row for row in years},
            occupancies=rows(
                "SELECT o.* FROM units_occupancy o JOIN units_parcel p ON p.id = o.parcel_id WHERE p.survey_id = %s",
                survey["id"],
            ),
            contracts=contracts,
            with_penalties={
                row["id"]
                for row in rows("SELECT id, settings FROM units_delivery WHERE profile = 'enterprise'")
                if set(PENALTY) & set(row["settings"].get("further", []))
            },
        )


# --- time ------------------------------------------------------------------------------------------------------------


def later(day: datetime.date, months: int) -> datetime.date:
    """The same day so many months later, or the last of that month where it has none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return datetime.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def elapsed(since: datetime.date, until: datetime.date, months: int) -> float:
    """Whole periods of so many months between two days, plus the part of the period that has begun; 0 before."""
    if until <= since:
        return 0.0
    whole = 0
    while later(since, (whole + 1) * months) <= until:
        whole += 1
    begun, due = later(since, whole * months), later(since, (whole + 1) * months)
    return whole + (until - begun).days / (due - begun).days


def ellipsoidal(shapes: geopandas.GeoSeries) -> list[float]:
    """Areas on the ellipsoid in m², of shapes in degrees."""
    return [abs(GEOD.geometry_area_perimeter(shape)[0]) for shape in shapes.to_crs(4490)]


def thick(shape) -> bool:
    """Whether an overlap is more than a mis-drawn line: over 1 m² and over 5 cm wide."""
    return shape.area > 1.0 and 2 * shape.area / shape.length > 0.05


def polygons(shape):
    """The polygons of an intersection; its lines and points cover nothing."""
    if shape.geom_type != "GeometryCollection":
        return shape
    return shapely.union_all([part for part in shapely.get_parts(shape) if "Polygon" in part.geom_type])


# --- the measures ----------------------------------------------------------------------------------------------------


@dataclass
class Recomputed:
    """`parcels` and `buildings`: id → {measure: value, unrounded}; what is unknown is None."""

    rows: Rows
    parcels: dict = field(default_factory=dict)
    buildings: dict = field(default_factory=dict)

    def __post_init__(self):
        rows = self.rows
        self.day = datetime.date(rows.year, 12, 31)
        rows.parcels["ellipsoid"] = ellipsoidal(rows.parcels.geometry)
        rows.buildings["ellipsoid"] = ellipsoidal(rows.buildings.geometry)
        self.parcel = {row.id: row for row in rows.parcels.itertuples()}
        permanent = rows.buildings[[not one.temporary and one.floors != 0 for one in rows.buildings.itertuples()]]
        self.building = {row.id: row for row in permanent.itertuples()}
        self.standing = self.stand(permanent)
        for one in self.parcel.values():
            self.parcels[one.id] = self.register(one) | self.built(one)
        self.measure_land()
        self.host = self.hosts()
        for one in self.building.values():
            if self.is_office(one):
                self.buildings[one.id] = self.built_itself(one)
        self.measure_control()
        self.measure_economy()
        self.measure_contracts()
        for number, told in self.buildings.items():
            host = self.parcels.get(self.host.get(number), {})
            for name in [f"{kind}_share" for kind in KINDS] + ["ecological_red_line_m2", "basic_farmland_m2"]:
                told[name] = host.get(name)

    # --- register -----------------------------------------------------------------------------------------------------

    def register(self, one) -> dict:
        """What the papers say."""
        documented = one.documented_m2
        return {
            "area_m2": one.ellipsoid,
            "documented_m2": documented,
            "area_difference": (one.ellipsoid - float(documented)) / float(documented) if documented else None,
            "registered_use": one.registered_use or None,
            "use_scheme": one.use_scheme if one.registered_use and one.use_scheme != "unknown" else None,
            "registered_far": one.registered_far,
            "registered_coverage": one.registered_coverage,
            "owner_wish": one.owner_wish.get("willing"),
        }

    # --- buildings ----------------------------------------------------------------------------------------------------

    def stand(self, permanent) -> dict[int, list]:
        """Parcel → (building, shape on it, share of its footprint, whether that counts)."""
        tree = shapely.STRtree(permanent.geometry.values)
        inside, outside = tree.query(self.rows.parcels.geometry.values, predicate="intersects")
        found = defaultdict(list)
        ids, shapes = permanent["id"].values, permanent.geometry.values
        for at, other in zip(inside, outside, strict=True):
            land = self.rows.parcels.geometry.values[at]
            part = polygons(shapely.intersection(shapes[other], land))
            if part.area > 0:
                told = (self.building[ids[other]], part, part.area / shapes[other].area, thick(part))
                found[self.rows.parcels["id"].values[at]].append(told)
        return found

    def hosts(self) -> dict[int, int]:
        """Building → the parcel that holds most of it."""
        best: dict[int, tuple] = {}
        for parcel, parts in self.standing.items():
            for row, part, _share, counts in parts:
                if counts and (row.id not in best or (-part.area, parcel) < best[row.id]):
                    best[row.id] = (-part.area, parcel)
        return {building: parcel for building, (_area, parcel) in best.items()}

    def is_office(self, one) -> bool:
        """楼宇: used for trade (3…); or of unstated or office use on a parcel registered for offices."""
        if one.use.startswith("3"):
            return True
        host = self.parcels.get(self.host.get(one.id), {})
        return (one.use == "" or one.use.startswith("6")) and host.get("use_category") == "office"

    @staticmethod
    def floors_of(one) -> float | None:
        """Recorded floor area, else footprint × floors."""
        if one.floor_area_m2:
            return float(one.floor_area_m2)
        return None if one.floors is None else one.ellipsoid * float(one.floors)

    def emptied(self, one) -> float | None:
        """Months since a building stands empty in part; None where that day is not told."""
        since = self.empty_since(one)
        return None if since is None else elapsed(since, self.day, 1)

    @staticmethod
    def empty_since(one) -> datetime.date | None:
        since = str(one.extra.get("KZQSSJ") or "").replace("-", "")[:8]
        return datetime.datetime.strptime(since, "%Y%m%d").date() if len(since) == 8 else None

    def empty(self, one) -> float:
        """The floor area that stood empty on the day: what became empty later was not."""
        since = self.empty_since(one)
        return 0.0 if since is not None and since > self.day else float(one.vacant_m2)

    def vacancies(self, parts: list[tuple]) -> dict:
        """vacancy, vacant_months and idle_months of buildings, each with its weight."""
        areas = [self.floors_of(one) for one, _weight in parts]
        vacancy = months = None
        if all(one.vacant_m2 is not None for one, _weight in parts) and None not in areas:
            whole = sum(area * weight for area, (_one, weight) in zip(areas, parts, strict=True))
            empty = sum(self.empty(one) * weight for one, weight in parts)
            vacancy = empty / whole if whole else 0.0
            since = [self.emptied(one) for one, _weight in parts if self.empty(one) > 0]
            months = None if None in since else min(since, default=0.0)
        idle = None
        if vacancy is not None:
            idle = 0.0 if half_up(vacancy, 4) != 1 else months
        return {"vacancy": vacancy, "vacant_months": months, "idle_months": idle}

    def built(self, one) -> dict:
        """FAR and what else the buildings on a parcel tell."""
        parts = self.standing.get(one.id, [])
        counted = [(row, share) for row, _part, share, counts in parts if counts]
        areas = [self.floors_of(row) for row, _share in counted]
        whole = estimated = None
        if None not in areas:
            # slivers of a neighbour's wall weigh nothing to speak of, but they are floor area all the same
            known = [(row, self.floors_of(row), share) for row, _part, share, _counts in parts]
            whole = sum(area * share for _row, area, share in known if area is not None)
            estimated = sum(area * share for row, area, share in known if area is not None and not row.floor_area_m2)
        years = [row.built_year for row, _share in counted]
        known_years = years and None not in years
        grades = [row.safety_grade for row, _share in counted]
        union = shapely.union_all([part for _row, part, _share, _counts in parts])
        return {
            "far": None if whole is None else whole / one.ellipsoid,
            "floor_area_m2": whole,
            "far_estimated_share": None if whole is None else estimated / whole if whole else 0.0,
            "coverage": min(1.0, union.area / one.geometry.area),
            "buildings": len(counted),
            "built_year_min": min(years) if known_years else None,
            "built_year_max": max(years) if known_years else None,
            "age": self.rows.year - min(years) if known_years else None,
            "unsafe_share": None if "" in grades else sum(grade in "CD" for grade in grades) / max(1, len(grades)),
        } | self.vacancies(counted)

    def built_itself(self, one) -> dict:
        """The same of a building by itself."""
        return {
            "area_m2": one.ellipsoid,
            "floor_area_m2": self.floors_of(one),
            "unsafe_share": None if one.safety_grade == "" else float(one.safety_grade in "CD"),
            "built_year_min": one.built_year,
            "built_year_max": one.built_year,
            "age": None if one.built_year is None else self.rows.year - one.built_year,
            "building_category": "office",
        } | self.vacancies([(one, 1.0)])

    # --- land ---------------------------------------------------------------------------------------------------------

    def pieces(self, layer: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
        """The polygons of a layer cut by the parcels, with `parcel` and the layer's own columns."""
        land = geopandas.GeoDataFrame({"parcel": self.rows.parcels["id"]}, geometry=self.rows.parcels.geometry)
        cut = geopandas.overlay(land, layer, how="intersection", keep_geom_type=False)
        cut.geometry = [polygons(shape) for shape in cut.geometry]
        return cut[cut.area > 0]

    def measure_land(self):
        """What lies under each parcel by the survey, and whether its registered use agrees."""
        cut = self.pieces(self.rows.patches)
        under = dict(list(cut.groupby("parcel")))
        for number, told in self.parcels.items():
            told |= self.land(self.parcel[number], under.get(number), told["registered_use"])

    @staticmethod
    def land(one, pieces, use) -> dict:
        """The land classes of one parcel. Registered uses of the demo are classes of the third survey themselves."""
        whole = one.geometry.area
        by_class: dict[str, float] = defaultdict(float)
        covered = doubled = 0.0
        if pieces is not None:
            for dlbm, shape in zip(pieces["dlbm"], pieces.geometry, strict=True):
                by_class[dlbm] += shape.area
            covered = shapely.union_all(list(pieces.geometry)).area / whole
            doubled = max(0.0, sum(by_class.values()) / whole - covered)
        ranked = sorted(by_class, key=lambda dlbm: (-round(by_class[dlbm], 4), dlbm))
        lead = (by_class[ranked[0]] - (by_class[ranked[1]] if len(ranked) > 1 else 0)) / whole if ranked else 0.0
        known = covered >= 0.99 and doubled <= 0.01
        main = ranked[0] if ranked and lead >= (1 - min(1, covered)) + doubled - 1e-6 else None
        return {
            "main_class": main,
            "main_class_share": min(1, by_class[main] / whole) if main and doubled <= 0.01 else None,
            "construction_share": min(1, sum(a for dlbm, a in by_class.items() if dlbm in CONSTRUCTION) / whole)
            if known
            else None,
            "covered_share": min(1, covered),
            "mismatch": max(0, 1 - by_class.get(use, 0.0) / whole) if known and use else None,
            "use_category": CATEGORY.get(use, "none") if use else None,
            "class_category": None if main is None or main in NO_CATEGORY_TOLD else CATEGORY.get(main, "none"),
        }

    # --- control layers -----------------------------------------------------------------------------------------------

    def measure_control(self):
        """How much of each parcel lies in each control layer, and what the plot plan has for it."""
        loaded = set(self.rows.controls["kind"])
        cut = self.pieces(self.rows.controls)
        shapes, plots = defaultdict(list), defaultdict(lambda: defaultdict(list))
        for row in cut.itertuples():
            shapes[row.parcel, row.kind].append(row.geometry)
            if row.kind == "plot_plan":
                plots[row.parcel][row.use].append(row.geometry)
        for number, told in self.parcels.items():
            whole = self.parcel[number].geometry.area
            for kind in KINDS:
                # What is drawn twice counts once, and what is no wider than a mis-drawn line does not count.
                union = shapely.union_all(shapes.get((number, kind), []))
                counted = shapely.union_all([part for part in shapely.get_parts(union) if thick(part)])
                told[f"{kind}_share"] = min(1, counted.area / whole) if kind in loaded else None
                if kind in ("ecological_red_line", "basic_farmland"):
                    (area,) = ellipsoidal(geopandas.GeoSeries([counted], crs=self.rows.srid))
                    told[f"{kind}_m2"] = area if kind in loaded else None
            told |= self.planned(plots.get(number, {}), told, whole)

    @staticmethod
    def planned(plots: dict, told: dict, whole: float) -> dict:
        """The use that most of the parcel is planned for, and how much of it contradicts the present class."""
        nothing = {"planned_use": None, "planned_use_category": None, "plan_conflict": None}
        covered = told["plot_plan_share"]
        if covered is None or covered < 0.5:
            return nothing
        areas = {use: shapely.union_all(parts).area for use, parts in plots.items()}
        most = min(areas, key=lambda use: (-round(areas[use], 4), use))
        main = told["main_class"]
        against = sum(area for use, area in areas.items() if main not in PLANNED[use][0])
        return {
            "planned_use": most,
            "planned_use_category": PLANNED[most][1],
            "plan_conflict": None if main is None else min(1, against / whole),
        }

    # --- economy ------------------------------------------------------------------------------------------------------

    def measure_economy(self):
        """Who produces where, and what each pays, shared out over the land and floors it uses."""
        used = [
            one
            for one in self.rows.occupancies
            if (one["since"] is None or one["since"] <= self.day) and (one["until"] is None or one["until"] >= self.day)
        ]
        of_firm, self.on_parcel = defaultdict(list), defaultdict(list)
        for one in used:
            of_firm[one["enterprise_id"]].append(one)
            self.on_parcel[one["parcel_id"]].append(one)
        self.part = {}  # occupancy → the share of its firm's figures that belongs to it
        for mine in of_firm.values():
            self.part |= shared_out(mine)
        for number, told in self.parcels.items():
            told |= self.economy(self.on_parcel.get(number, []), self.parcel[number].ellipsoid / MU)
            told["tax_per_floor_m2"] = self.per_floor(told["tax"], told["floor_area_m2"])
        self.compare_with_sector()
        self.measure_towers()
        self.compare_floors()

    def figure(self, one: dict, name: str) -> float | None:
        """A figure of the firm of an occupancy, as far as it belongs there, in yuan."""
        row = self.rows.figures.get(one["enterprise_id"])
        part = self.part[one["id"]]
        return None if row is None or row[name] is None or part is None else float(row[name]) * part

    def total(self, used: list[dict], name: str) -> float | None:
        values = [self.figure(one, name) for one in used]
        return None if not used or None in values else sum(values)

    def economy(self, used: list[dict], mu: float) -> dict:
        """The firms of one parcel."""
        firms = [self.rows.firms[number] for number in dict.fromkeys(one["enterprise_id"] for one in used)]
        tax, output = self.total(used, "tax_cny"), self.total(used, "output_cny")
        weight = weights(used)
        sector = None
        if firms and weight is not None:
            by_sector = defaultdict(float)
            for one in used:
                firm = self.rows.firms[one["enterprise_id"]]
                # a code is one code only within its edition, whose year its name ends with
                by_sector[firm["sector"], firm["sector_edition"][-4:]] += weight[one["id"]]
            sector = min(by_sector, key=lambda name: (-round(by_sector[name], 4), name))
            sector = sector if sector[0] else None
        starts = [firm["started_on"] for firm in firms]
        return {
            "firms": len(firms),
            "tax": tax,
            "tax_per_mu": None if tax is None else tax / 10_000 / mu,
            "output_per_mu": None if output is None else output / 10_000 / mu,
            "mu": mu,
            "sector": sector and sector[0],
            "sector_edition": (sector and sector[1]) or None,
            "sector_division": sector and sector[0][:2],
            "above_scale": self.majority(used, weight, "above_scale"),
            "strategic": self.majority(used, weight, "strategic"),
            "production_years": elapsed(min(starts), self.day, 12) if starts and None not in starts else None,
            "violation_open": violation(firms, self.rows.year, self.rows.with_penalties),
            "grade": grade([self.rows.figures.get(firm["id"], {}).get("grade") for firm in firms]),
        }

    def majority(self, used: list[dict], weight: dict | None, name: str) -> bool | None:
        """Whether firms of this kind hold more than half; None while those of which nobody knows could decide."""
        if not used or weight is None:
            return None
        whole = sum(weight.values())
        held = {True: 0.0, False: 0.0, None: 0.0}
        for one in used:
            held[self.rows.firms[one["enterprise_id"]][name]] += weight[one["id"]]
        if held[True] > whole / 2:
            return True
        return False if held[True] + held[None] <= whole / 2 else None

    @staticmethod
    def per_floor(tax: float | None, floors: float | None) -> float | None:
        return tax / floors if tax is not None and floors else None

    def compare_with_sector(self):
        """Each parcel against the mean of the other parcels of its sector."""
        tax, mu, peers = defaultdict(float), defaultdict(float), defaultdict(int)
        for told in self.parcels.values():
            sector = told["sector"], told["sector_edition"]
            if told["sector"] and told["tax"] is not None:
                tax[sector] += told["tax"] / 10_000
                mu[sector] += told["mu"]
                peers[sector] += 1
        for told in self.parcels.values():
            sector, own = (told["sector"], told["sector_edition"]), told["tax"] is not None
            others = peers[sector] - own if told["sector"] else None
            mean = None
            if others:
                paid = tax[sector] - (told["tax"] / 10_000 if own else 0)
                mean = paid / (mu[sector] - (told["mu"] if own else 0))
            told["sector_tax_mean"] = mean
            told["sector_peers"] = others
            told["tax_ratio"] = told["tax_per_mu"] / mean if mean and told["tax_per_mu"] is not None else None

    def measure_towers(self):
        """The firms of each office building: those that name it, and its part of those that name none."""
        by_host = defaultdict(list)
        for number, host in self.host.items():
            by_host[host].append(number)
        for number, told in self.buildings.items():
            host = self.host.get(number)
            used = [one for one in self.on_parcel.get(host, []) if one["building_id"] in (None, number)]
            named = [one for one in used if one["building_id"] == number]
            spread = [one for one in used if one["building_id"] is None]
            told["firms"] = len({one["enterprise_id"] for one in used})
            areas = {one: self.floors_of(self.building[one]) for one in by_host[host]}
            own, others = self.total(named, "tax_cny"), self.total(spread, "tax_cny")
            tax = None
            if used and (own is not None or not named) and (others is not None or not spread):
                tax = own or 0.0
                if spread:
                    tax = tax + others * areas[number] / sum(areas.values()) if None not in areas.values() else None
            told["tax_per_floor_m2"] = self.per_floor(tax, told["floor_area_m2"])

    def compare_floors(self):
        """Each parcel and building against the mean tax per m² of floor of the office parcels."""
        offices = [
            told
            for told in self.parcels.values()
            if told["use_category"] == "office" and told["tax"] is not None and told["floor_area_m2"]
        ]
        floors = sum(told["floor_area_m2"] for told in offices)
        mean = sum(told["tax"] for told in offices) / floors if floors else None
        for told in itertools.chain(self.parcels.values(), self.buildings.values()):
            told["floor_tax_mean"], told["floor_tax_peers"] = mean, len(offices)
            known = mean and told["tax_per_floor_m2"] is not None
            told["floor_tax_ratio"] = told["tax_per_floor_m2"] / mean if known else None

    # --- contracts ----------------------------------------------------------------------------------------------------

    def measure_contracts(self):
        """What was agreed when the land was supplied, and how late it is."""
        for number, told in self.parcels.items():
            rows = [row for row in self.rows.contracts.get(number, []) if not self.after(row["signed_on"])]
            told |= self.contract(rows, told["buildings"] > 0)

    def after(self, day) -> bool:
        return day is not None and day > self.day

    def happened(self, *days) -> bool:
        return any(day is not None and day <= self.day for day in days)

    def contract(self, rows: list[dict], built_on: bool) -> dict:
        """The longest delay of several contracts; the shares of their sums. Without a contract nothing was agreed."""
        if not rows:
            names = ("start_overdue", "completion_overdue", "completed_for", "stopped_for")
            return {"contracts": 0} | dict.fromkeys((*names, "investment_share", "developed_share"))

        def ratio(made: list, agreed: list) -> float | None:
            known = None not in made and None not in agreed and sum(agreed)
            return float(sum(made) / sum(agreed)) if known else None

        def longest(years: list) -> float | None:
            return None if None in years else max(years)

        developed = [row["extra"].get("已开发面积（平方米）") for row in rows]
        developed = [None if one in (None, "") else Decimal(str(one)) for one in developed]
        pairs = list(zip(rows, developed, strict=True))
        return {
            "contracts": len(rows),
            "start_overdue": longest([self.start_overdue(row, area, built_on) for row, area in pairs]),
            "completion_overdue": longest([self.completion_overdue(row, area) for row, area in pairs]),
            "completed_for": longest([self.completed_for(row, area) for row, area in pairs]),
            "stopped_for": longest(
                [
                    elapsed(row["stopped_on"], self.day, 12)
                    if self.happened(row["stopped_on"]) and not self.happened(row["completion_actual"])
                    else 0.0
                    for row in rows
                ]
            ),
            "investment_share": ratio(
                [row["investment_actual_cny"] for row in rows], [row["investment_agreed_cny"] for row in rows]
            ),
            "developed_share": ratio(developed, [row["area_m2"] for row in rows]),
        }

    def start_overdue(self, row: dict, developed, built_on: bool) -> float | None:
        """None where it was not due by any paper, or where something says that the blank start is no start not made."""
        if self.happened(row["start_actual"], row["stopped_on"], row["completion_actual"]):
            return 0.0  # who has stopped or finished has begun
        if row["start_agreed"] is None:
            return None
        late = elapsed(row["start_agreed"], self.day, 12)
        begun = built_on or (developed or 0) > 0 or (row["investment_actual_cny"] or 0) > 0
        return None if late and begun and row["start_actual"] is None else late

    def finished_unsaid(self, row: dict, developed) -> bool:
        """Whether all is developed, work never stopped, and the day of completion is blank."""
        whole = developed is not None and row["area_m2"] and half_up(developed / row["area_m2"], 4) >= 1
        return bool(whole and row["completion_actual"] is None and not self.happened(row["stopped_on"]))

    def completion_overdue(self, row: dict, developed) -> float | None:
        if self.happened(row["completion_actual"]):
            return 0.0
        if row["completion_agreed"] is None:
            return None
        late = elapsed(row["completion_agreed"], self.day, 12)
        return None if late and self.finished_unsaid(row, developed) else late

    def completed_for(self, row: dict, developed) -> float | None:
        if self.happened(row["completion_actual"]):
            return elapsed(row["completion_actual"], self.day, 12)
        return None if self.finished_unsaid(row, developed) else 0.0


def shared_out(used: list[dict]) -> dict[int, float | None]:
    """The share of each occupancy of one firm: by floor area, else by land, else only where there is but one."""
    for name in ("floor_area_m2", "land_area_m2"):
        if all(one[name] and one[name] > 0 for one in used):
            whole = sum(one[name] for one in used)
            return {one["id"]: float(one[name] / whole) for one in used}
    return {one["id"]: 1.0 if len(used) == 1 else None for one in used}


def weights(used: list[dict]) -> dict[int, float] | None:
    """How much each occupancy of one parcel weighs there: by floor area, else by land."""
    if len(used) == 1:
        return {used[0]["id"]: 1.0}
    for name in ("floor_area_m2", "land_area_m2"):
        if used and all(one[name] and one[name] > 0 for one in used):
            return {one["id"]: float(one[name]) for one in used}
    return None


PENALTY = ("处罚文号", "处罚机关", "处罚日期")


def violation(firms: list[dict], year: int, with_penalties: set) -> bool | None:
    """Whether one of the firms has a penalty, of the year or before, that is not put right.

    A firm of a delivery without columns for penalties may have some.
    """
    if not firms:
        return None
    fined = [firm["extra"] for firm in firms if any(firm["extra"].get(name) for name in PENALTY)]
    fined = [told for told in fined if not told.get("处罚日期") or int(told["处罚日期"][:4]) <= year]
    mended = [told.get("是否整改") for told in fined]
    if "否" in mended:
        return True
    if any(one not in ("是", "否") for one in mended):
        return None
    return False if all(firm["delivery_id"] in with_penalties for firm in firms) else None


def grade(grades: list[str | None]) -> str | None:
    """The worst grade of the year; T (not rated) only where all are."""
    if not grades or not all(grades):
        return None
    return next((one for one in WORST_FIRST if one in grades), "T")
