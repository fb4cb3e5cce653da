"""Compute a second time, in plain Python, what is told of firms, contracts, wishes, uses, distances and units.

As `recomputed`, which it goes on from: written from the definitions, with nothing of the product.
"""

import datetime
from collections import defaultdict
from decimal import Decimal

import geopandas
import pandas
import psycopg
import shapely
from psycopg.rows import dict_row

from tests.units.criteria.recomputed import MU, Recomputed, elapsed, ellipsoidal, half_up, polygons, thick, weights

DECIMALS = {
    "owner_wish_years": 4, "half_empty_months": 2, "vacant_floors": 0, "reported_idle_months": 2, "measures_taken": 0,
    "sales_per_mu": 2, "energy_per_mu": 2, "power_per_mu": 0, "water_per_mu": 2, "output_per_tce": 2,
    "no_tax_years": 0, "no_output_years": 0, "d_grade_years": 0, "violations": 0, "tenant_share": 4,
    "outside_tenant_share": 4, "contract_m2": 2, "contract_difference": 4, "investment_per_mu": 2, "far_agreed": 2,
    "far_agreed_ratio": 4, "tax_agreed_per_mu": 2, "tax_agreed_ratio": 4, "agricultural_share": 4, "unused_share": 4,
    "surveyed_m2": 2, "surveyed_difference": 4,
    "net_developable_share": 4, "net_developable_m2": 2, "approved_unsupplied_share": 4, "metro_distance": 0,
    "school_distance": 0, "hazard_distance": 0, "polluter_distance": 0, "unit_share": 4,
    **{f"index_{name}": 2 for name in ("far", "coverage", "tax_per_mu", "output_per_mu", "investment_per_mu")},
    **{f"{name}_index_ratio": 4 for name in ("far", "coverage", "tax", "output", "investment")},
}  # fmt: skip
# TD/T 1055, the groups of the classes that the demo district has.
FARM = {"0102", "0201", "0301", "1104", "1202"}
UNUSED = {"1101", "1102"}
# Divisions of manufacturing in 2002 by those of 2011 and 2017, where they are not the same; two were split.
MOVED = {"30": "31", "31": "32", "32": "33", "33": "34", "34": "35", "35": "36", "36": "37", "37": "37", "38": "39"}
MOVED |= {"39": "40", "40": "41", "42": "43", "291": "29", "292": "30", "195": "18", "243": "42"}
SAME = {str(number) for number in range(13, 29)}
INDEX_2008 = {  # FAR by division of 2002 (criteria.md C19)
    **dict.fromkeys(("13", "14", "15", "16", "18", "19", "24", "30"), Decimal("1.0")),
    **dict.fromkeys(("17", "20", "21", "22", "23", "28", "29"), Decimal("0.8")),
    **dict.fromkeys(("27", "31"), Decimal("0.7")),
    **dict.fromkeys(("26", "32", "33"), Decimal("0.6")),
    "25": Decimal("0.5"),
}
PLACES = {"metro": "metro_station", "school": "school", "hazard": "hazard", "polluter": "polluter"}
WORST = ("banned", "eliminated", "restricted", "none")
PENALTY = ("处罚文号", "处罚机关", "处罚日期")


def division_2002(code: str, edition: str) -> str | None:
    """Under which division of 2002 a code stood; None where it may be one of two."""
    if edition == "2002":
        return code[:2]
    return MOVED.get(code[:3]) or MOVED.get(code[:2]) or (code[:2] if code[:2] in SAME else None)


def meant(code: str, edition: str, entry: str, entry_edition: str) -> bool | None:
    """Whether an entry of a table is of a code; None where the editions leave it open."""
    code, entry = code.lstrip("ABCDEFGHIJKLMNOPQRST"), entry.lstrip("ABCDEFGHIJKLMNOPQRST")
    if entry == "":
        return True
    if edition == entry_edition:
        return True if code.startswith(entry) else None if entry.startswith(code) else False
    if "2002" in (edition, entry_edition):
        mine, theirs = division_2002(code, edition), division_2002(entry, entry_edition)
        if mine is None or theirs is None:
            return None
        if mine != theirs:
            return False
        return True if entry_edition == "2002" and len(entry) == 2 else None
    if code[:2] != entry[:2]:
        return False
    return True if len(entry) == 2 <= len(code) else None


def year_of(edition: str) -> str:
    """The year in the name of an edition, the last four digits."""
    digits = [edition[at : at + 4] for at in range(len(edition) - 3) if edition[at : at + 4].isdigit()]
    return digits[-1] if digits else ""


def day_of(text) -> datetime.date | None:
    """A day written with or without signs between; None where the calendar has none such."""
    digits = "".join(sign for sign in str(text or "") if sign.isdigit())[:8]
    try:
        return datetime.datetime.strptime(digits, "%Y%m%d").date()
    except ValueError:
        return None


class Further:
    """Adds its measures to what `again` holds of each parcel and building."""

    def __init__(self, again: Recomputed, url: str, district: str):
        self.again, self.day, self.year = again, again.day, again.rows.year
        with psycopg.connect(url, row_factory=dict_row) as connection:

            def rows(statement: str, *values) -> list[dict]:
                return connection.execute(statement, values).fetchall()

            self.profiles = {
                row["profile"]
                for row in rows("SELECT DISTINCT profile FROM units_delivery WHERE state = 'loaded' "
                                "AND district_id = %s", district)
            }  # fmt: skip
            self.kinds = {
                row["kind"]
                for row in rows("SELECT DISTINCT settings ->> 'kind' AS kind FROM units_delivery WHERE profile = "
                                "'control' AND state = 'loaded' AND district_id = %s", district)
            }  # fmt: skip
            self.papers = {row["id"]: row for row in rows("SELECT id, code, right_nature FROM units_parcel")}
            self.by_floor = {
                row["id"]: row["vacant_by_floor"] for row in rows("SELECT id, vacant_by_floor FROM units_building")
            }
            self.figures = {
                (row["enterprise_id"], row["year"]): row for row in rows("SELECT * FROM units_enterpriseyear")
            }
            self.violations = defaultdict(list)
            for row in rows("SELECT * FROM units_violation WHERE happened_on <= %s", self.day):
                self.violations[row["enterprise_id"]].append(row)
            self.listed = rows(
                "SELECT * FROM units_sectorclass WHERE district_id = %s AND year <= %s", district, self.year
            )
            self.indices = rows(
                "SELECT * FROM units_benchmark WHERE district_id = %s AND year <= %s AND confidence <> 'M'",
                district,
                self.year,
            )
            self.uses = rows("SELECT u.*, d.code AS department FROM units_usestate u LEFT JOIN units_department d "
                             "ON d.id = u.owner_department_id")  # fmt: skip
            units = pandas.DataFrame(
                rows("SELECT id, ST_AsBinary(geom) AS wkb FROM units_redevelopmentunit "
                     "WHERE state IN ('draft', 'checked', 'consulted', 'approved')"),
                columns=["id", "wkb"],
            )  # fmt: skip
        self.units = geopandas.GeoSeries.from_wkb(units.wkb, crs=4490).to_crs(again.rows.srid)
        self.district = district
        self.newest_lists()
        for number, told in again.parcels.items():
            used = again.on_parcel.get(number, [])
            told |= self.register(again.parcel[number])
            parts = [(row, share) for row, _part, share, counts in again.standing.get(number, []) if counts]
            told |= self.half_empty(parts, told)
            told |= self.use(number, None)
            told |= self.resources(used, told)
            told |= self.streaks(used)
            told |= self.tenants(used)
            told |= self.breaches(used)
            told |= self.contracts(again.rows.contracts.get(number, []), told)
            told |= self.benchmarks(told)
            told["vacant_floors"] = None
        self.ground()
        self.places()
        self.members()
        for number, told in again.buildings.items():
            told |= self.half_empty([(again.building[number], 1.0)], told)
            told |= self.use(None, number)
            floors, empty = self.by_floor[number], again.building[number].vacant_m2
            if floors:
                told["vacant_floors"] = sum(span(name) for name, area in floors.items() if float(area) > 0)
            else:
                told["vacant_floors"] = 0 if empty == 0 else None

    # --- papers, vacancy, use -----------------------------------------------------------------------------------------

    def register(self, one) -> dict:
        """Whose the land is, by what right, and what its holder wants."""
        paper, wish = self.papers[one.id], one.owner_wish
        asked = wish.get("willing") in ("yes", "conditional", "no")
        told = day_of(wish.get("date"))
        mode = (wish.get("mode") or "").strip() or ("none" if wish.get("willing") == "no" else None)
        return {
            "land_owner": {"G": "state", "J": "collective"}.get(paper["code"][12]),
            "right_nature": paper["right_nature"] or None,
            "owner_wish_mode": mode if asked else None,
            "owner_wish_years": elapsed(min(told, self.day), self.day, 12) if asked and told else None,
            "owner_wish_paper": bool((wish.get("paper") or "").strip()) if asked else None,
        }

    def half_empty(self, parts: list[tuple], told: dict) -> dict:
        """Months since half of the floor area is empty: the buildings in the order in which they became so."""
        again, months = self.again, None
        if told["vacancy"] is not None:
            months = 0.0
            if half_up(told["vacancy"], 4) >= Decimal("0.5"):
                empty = [
                    (again.empty_since(one), again.empty(one) * share) for one, share in parts if again.empty(one) > 0
                ]
                whole = sum(again.floors_of(one) * share for one, share in parts)
                months, grown = None, 0.0
                if None not in [since for since, _area in empty]:
                    for since, area in sorted(empty):
                        grown += area
                        if half_up(grown / whole, 4) >= Decimal("0.5"):
                            months = elapsed(since, self.day, 1)
                            break
        return {"half_empty_months": months}

    def use(self, parcel, building) -> dict:
        """The state of use of a parcel, or of a building."""
        found = [
            row
            for row in self.uses
            if row["building_id"] == building and (building is not None or row["parcel_id"] == parcel)
        ]
        row = found[0] if found else {"state": "", "department": None, "measures": None, "idle_since": None}
        months = None
        if row["state"] in ("in_use", "partly"):
            months = 0.0
        elif row["state"] == "idle" and row["idle_since"] is not None:
            months = elapsed(row["idle_since"], self.day, 1)
        return {
            "use_state": row["state"] or None,
            "reported_idle_months": months,
            "owner_department": row["department"],
            "measures_taken": None if row["measures"] is None else len(row["measures"]),
        }

    # --- firms --------------------------------------------------------------------------------------------------------

    def resources(self, used: list[dict], told: dict) -> dict:
        """Sales, energy, power and water a mu, and output to energy."""
        sums = {name: self.again.total(used, name) for name in
                ("sales_cny", "energy_tce", "power_kwh", "water_m3", "output_cny")}  # fmt: skip
        mu = told["mu"]
        energy, output = sums["energy_tce"], sums["output_cny"]
        return {
            "sales_per_mu": None if sums["sales_cny"] is None else sums["sales_cny"] / 10_000 / mu,
            "energy_per_mu": None if energy is None else energy / mu,
            "power_per_mu": None if sums["power_kwh"] is None else sums["power_kwh"] / mu,
            "water_per_mu": None if sums["water_m3"] is None else sums["water_m3"] / mu,
            "output_per_tce": output / 10_000 / energy if output is not None and energy else None,
        }

    def streaks(self, used: list[dict]) -> dict:
        """Years in a row without tax, without output, and with grade D."""
        firms = {one["enterprise_id"] for one in used}

        def spans(good) -> list[tuple[int, int]]:
            """Of each firm the years that are sure and those at most; `good` is None where nobody knows."""
            found = []
            for firm in firms:
                began = self.again.rows.firms[firm]["started_on"]
                sure = most = None
                for back in range(3):
                    year = self.year - back
                    ended = began is not None and year < began.year
                    verdict = False if ended else good(self.figures.get((firm, year), {}))
                    if sure is None and verdict is not True:
                        sure = back
                    if most is None and verdict is False:
                        most = back
                found.append((3 if sure is None else sure, 3 if most is None else most))
            return found

        def of(values: list[tuple[int, int]], pick) -> int | None:
            if not values:
                return None
            sure, most = pick(one for one, _most in values), pick(most for _one, most in values)
            return sure if sure == most else None

        def nought(name):
            return lambda row: None if row.get(name) is None else row[name] == 0

        return {
            "no_tax_years": of(spans(nought("tax_cny")), min),
            "no_output_years": of(spans(nought("output_cny")), min),
            "d_grade_years": of(spans(lambda row: row["grade"] == "D" if row.get("grade") else None), max),
        }

    def tenants(self, used: list[dict]) -> dict:
        """How much is let, and to whom from elsewhere."""
        firms, weight = self.again.rows.firms, weights(used)

        def seat(one):
            if not one["is_tenant"]:
                return one["is_tenant"]
            code = firms[one["enterprise_id"]]["registered_in"]
            return code != self.district if code else None

        def share(values: list) -> float | None:
            if not values or None in values:
                return None
            if all(values) or not any(values):
                return float(values[0])
            if weight is None:
                return None
            held = sum(weight[one["id"]] for one, yes in zip(used, values, strict=True) if yes)
            return held / sum(weight.values())

        return {
            "tenant_share": share([one["is_tenant"] for one in used]),
            "outside_tenant_share": share([seat(one) for one in used]),
        }

    def newest_lists(self):
        """Of each list only its newest edition counts."""
        newest = {}
        for row in self.listed:
            key = (row["year"], row["edition"])
            newest[row["source"]] = max(newest.get(row["source"], key), key)
        self.lists = [row for row in self.listed if (row["year"], row["edition"]) == newest[row["source"]]]

    def breaches(self, used: list[dict]) -> dict:
        """The worst class of the sectors on the lists, and open violations."""
        firms = [self.again.rows.firms[number] for number in dict.fromkeys(one["enterprise_id"] for one in used)]
        if not firms:
            return {"sector_class": None, "violations": None, "violation_open": None}
        sure, perhaps = "none", "none"
        for firm in firms:
            if not firm["sector"]:
                perhaps = "banned"
                continue
            for row in self.lists:
                verdict = meant(
                    firm["sector"], year_of(firm["sector_edition"]), row["sector"], year_of(row["sector_edition"])
                )
                if verdict:
                    sure = min(sure, row["grade"], key=WORST.index)
                elif verdict is None:
                    perhaps = min(perhaps, row["grade"], key=WORST.index)
        known = self.lists and WORST.index(sure) <= WORST.index(perhaps)
        rows = [row for firm in firms for row in self.violations[firm["id"]]]
        unsure = [row for row in rows if row["rectified"] is None]
        still = [
            row
            for row in rows
            if row["rectified"] is False or (row["rectified_on"] is not None and row["rectified_on"] > self.day)
        ]
        counted = "violation" in self.profiles and not unsure
        return {
            "sector_class": sure if known else None,
            "violations": len(still) if counted else None,
            "violation_open": self.violation(firms, still, unsure),
        }

    def violation(self, firms: list[dict], still: list, unsure: list) -> bool | None:
        """Open by the register of violations, or by what the register of firms says of penalties."""
        fined = [firm["extra"] for firm in firms if any(firm["extra"].get(name) for name in PENALTY)]
        fined = [told for told in fined if not told.get("处罚日期") or int(told["处罚日期"][:4]) <= self.year]
        mended = [told.get("是否整改") for told in fined]
        if still or "否" in mended:
            return True
        if unsure or any(one not in ("是", "否") for one in mended):
            return None
        told = all(firm["delivery_id"] in self.again.rows.with_penalties for firm in firms)
        return False if told or "violation" in self.profiles else None

    # --- contracts and indices ----------------------------------------------------------------------------------------

    def contracts(self, rows: list[dict], told: dict) -> dict:
        """Areas, what was agreed, and what became of the land."""
        rows = [row for row in rows if row["signed_on"] is None or row["signed_on"] <= self.day]
        names = ("contract_m2", "contract_difference", "investment_per_mu", "far_agreed", "far_agreed_ratio")
        found = dict.fromkeys((*names, "tax_agreed_per_mu", "tax_agreed_ratio", "supply_state"))
        if not rows:
            return found

        def every(name: str) -> list | None:
            values = [row[name] for row in rows]
            return None if None in values else values

        if (areas := every("area_m2")) and all(areas):
            whole = float(sum(areas))
            found |= {"contract_m2": whole, "contract_difference": (told["area_m2"] - whole) / whole}
            if (made := every("investment_actual_cny")) is not None:
                found["investment_per_mu"] = float(sum(made)) / 10_000 / (whole / MU)
        if fars := every("far_min"):
            found["far_agreed"] = float(max(fars))
            if max(fars) and told["far"] is not None:
                found["far_agreed_ratio"] = told["far"] / float(max(fars))
        if taxes := every("tax_agreed_cny_mu"):
            found["tax_agreed_per_mu"] = float(max(taxes)) / 10_000
            if max(taxes) and told["tax_per_mu"] is not None:
                found["tax_agreed_ratio"] = told["tax_per_mu"] / found["tax_agreed_per_mu"]
        found["supply_state"] = self.supplied(rows, told)
        return found

    def supplied(self, rows: list[dict], told: dict) -> str | None:
        """Not due, overdue, idle, stopped, unfinished, building or completed."""
        happened = self.again.happened
        if all(happened(row["completion_actual"]) for row in rows):
            return "completed"
        stood = half_up(told["stopped_for"], 4)
        if stood >= 1:
            invested, developed = (half_up(told[name], 4) for name in ("investment_share", "developed_share"))
            short = [None if invested is None else invested < Decimal("0.25"),
                     None if developed is None else developed < Decimal("0.3333")]  # fmt: skip
            return "idle" if True in short else None if None in short else "unfinished"
        if stood > 0:
            return "stopped"
        if all(happened(row["start_actual"], row["stopped_on"], row["completion_actual"]) for row in rows):
            return None if told["completed_for"] is None else "building"
        late = half_up(told["start_overdue"], 4)
        if late is None:
            return None
        return "idle" if late > 1 else "overdue" if late > 0 else "not_due"

    def benchmarks(self, told: dict) -> dict:
        """The indices of the parcel's sector, and how near it comes to each."""
        built = {"far": "far", "coverage": "coverage", "tax_per_mu": "tax_per_mu", "output_per_mu": "output_per_mu"}
        built |= {"investment_per_mu": "investment_per_mu"}
        found = {}
        for figure, name in built.items():
            value = self.index(figure, told["sector"], told["sector_edition"] or "")
            found[f"index_{figure}"] = value
            made = told[name]
            ratio = float(made) / float(value) if made is not None and value else None
            found[f"{figure.removesuffix('_per_mu')}_index_ratio"] = ratio
        return found

    def index(self, figure: str, sector: str | None, edition: str) -> Decimal | None:
        """The district's own first, the narrower sector, the later year; None where the first may not be meant."""
        known = [(1, row["sector"], year_of(row["sector_edition"]), row["year"], row["value"])
                 for row in self.indices if row["figure"] == figure]  # fmt: skip
        if self.year <= 2022 and figure == "far":
            known += [(0, division, "2002", 2008, value) for division, value in INDEX_2008.items()]
        if self.year <= 2022 and figure == "coverage":
            known.append((0, "", "", 2008, Decimal("0.30")))
        for _own, entry, entry_edition, _year, value in sorted(known, key=lambda row: (row[0], len(row[1]), row[3]))[
            ::-1
        ]:
            verdict = entry == "" or (None if sector is None else meant(sector, edition, entry, entry_edition))
            if verdict is not False:
                return value if verdict else None
        return None

    # --- ground, distances, units -------------------------------------------------------------------------------------

    def ground(self):
        """Farm and unused land, what lines leave, and what was approved and not supplied."""
        again = self.again
        patches = again.rows.patches
        patches["density"] = [float(t) / a for t, a in zip(patches["tbmj"], ellipsoidal(patches.geometry), strict=True)]
        by_class, surveyed = defaultdict(lambda: defaultdict(float)), defaultdict(float)
        for row in again.pieces(patches).itertuples():
            by_class[row.parcel][row.dlbm] += row.geometry.area
            surveyed[row.parcel] += row.geometry.area * row.density
        layers = again.rows.controls[again.rows.controls["kind"].isin(["reservation", "heritage"])]
        shapes = defaultdict(lambda: defaultdict(list))
        for row in again.pieces(layers).itertuples():
            shapes[row.parcel][row.kind].append(row.geometry)
        for number, told in again.parcels.items():
            whole = again.parcel[number].geometry.area
            shares = {dlbm: half_up(area / whole, 4) for dlbm, area in by_class[number].items()}
            for name, group in (("agricultural_share", FARM), ("unused_share", UNUSED)):
                known = told["construction_share"] is not None
                told[name] = (
                    min(1, sum((s for dlbm, s in shares.items() if dlbm in group), Decimal(0))) if known else None
                )
            area = surveyed[number] / whole * told["area_m2"] if told["construction_share"] is not None else None
            told["surveyed_m2"] = area
            told["surveyed_difference"] = None if area is None else (told["area_m2"] - area) / area
            taken = [
                part
                for parts in shapes[number].values()
                for part in shapely.get_parts(shapely.union_all(parts))
                if thick(part)
            ]
            left = (
                max(0.0, 1 - shapely.union_all(taken).area / whole)
                if {"reservation", "heritage"} <= self.kinds
                else None
            )
            told["net_developable_share"] = left
            told["net_developable_m2"] = None if left is None else left * told["area_m2"]
            share = None
            if "approved_batch" in self.kinds and "contract" in self.profiles:
                share = 0 if told["contracts"] else told["approved_batch_share"]
            told["approved_unsupplied_share"] = share

    def places(self):
        """Metres to the next place of each kind."""
        controls = self.again.rows.controls
        for name, kind in PLACES.items():
            shapes = controls[controls["kind"] == kind].geometry.values
            tree = shapely.STRtree(shapes)
            for number, told in self.again.parcels.items():
                land = self.again.parcel[number].geometry
                far = float(shapely.distance(land, shapes[tree.nearest(land)])) if len(shapes) else 2000.0
                told[f"{name}_distance"] = min(2000.0, far) if kind in self.kinds else None

    def members(self):
        """In which unit a parcel lies, and how."""
        for number, told in self.again.parcels.items():
            land = self.again.parcel[number].geometry
            found = []
            for unit in self.units[self.units.intersects(land)]:
                part = polygons(shapely.intersection(land, unit))
                if thick(part):
                    found.append((part.area / land.area, unit.contains(land.centroid)))
            share, inside = max(found, default=(0.0, False))
            told["unit_share"] = min(1.0, share)
            told["unit_place"] = (
                "none" if not found else "in" if inside and half_up(share, 4) >= Decimal("0.5") else "split"
            )


def span(floors: str) -> int:
    """How many floors "15-20" or "14" are."""
    first, _dash, last = floors.partition("-")
    return int(last) - int(first) + 1 if last.isdigit() else 1
