"""The worksheet of a legacy polygon: the class by its date and a verdict for each gate (G-20; NJ053–NJ063).

The classes are a rule of Jiangsu (宁政办发〔2019〕30号); of the route in Tianjin no text is known. A layer that nobody
has delivered and a judgement nobody has made are unknown, never no.
"""

import json
from datetime import date
from pathlib import Path

from django.db import connection
from django.utils.translation import gettext_lazy as _

from units.models import LegacyLand
from units.spatial import OVERLAP_AREA, rounded

SQL = (Path(__file__).parent / "sql" / "legacy_worksheet.sql").read_text(encoding="utf-8")
L1_UNTIL = date(1986, 12, 31)  # NJ056: 1986年12月31日之前, the day included
L2_UNTIL = date(2009, 12, 31)  # NJ059: 1987年1月1日至2009年12月31日
STATE_OWNED = ("10", "20")  # QSXZ: ownership, and right of use, of the state
Route = LegacyLand.Route

GATES = {
    "special_plan": _("Within the special plan of redevelopment (NJ053)"),
    "master_plan": _("Conforms to the land-use master plan (NJ056)"),
    "second_survey": _("Construction land of the second survey (NJ054)"),
    "papers": _("No legal papers: no registered parcel, no approved batch (NJ054)"),
    "houses": _("No small-property housing on collective land (NJ055)"),
    "state_owned": _("State-owned construction land now (NJ060)"),
    "worth_keeping": _("Buildings judged worth keeping (NJ061)"),
    "penalty": _("Penalty carried out (NJ062)"),
    "efficient": _("Meets the standard of efficient use (NJ063)"),
    "opinion": _("Written opinion that it conforms to the master plan (NJ057)"),
}
# Further columns of the delivery that say whether the land meets the standard (1 or 0), and the number of the opinion.
EFFICIENT, OPINION = "GXBZ", "SHYJWH"
AREAL = ("special_plan", "master_plan", "second_survey")
YES, NO, PARTLY, UNKNOWN = "yes", "no", "partly", "unknown"
OPEN, REFUSED, UNDECIDED, SPLIT = "open", "refused", "undecided", "split"
VERDICTS = {
    OPEN: _("All gates are passed"),
    REFUSED: _("A gate stands against it"),
    UNDECIDED: _("Something is not known yet"),
    SPLIT: _("A part of it passes: to be split"),
}


def route_by_date(used_since: date | None) -> str:
    """The class by the date of land use alone; empty where the date is not known."""
    if used_since is None:
        return ""
    if used_since <= L1_UNTIL:
        return Route.L1
    return Route.L2 if used_since <= L2_UNTIL else Route.NONE


def worksheet(land: LegacyLand) -> dict:
    """The whole worksheet: {by_date, route, verdict, gates: {name: {verdict, area_m2?}}, area_m2, eligible_m2, …}.

    The class follows from the date alone, but small-property housing on collective land has none. `verdict` is what
    the gates come to; where a part alone passes the areas it is “split” and `eligible` is the GeoJSON of that part:
    the polygon is split, neither refused nor accepted whole.
    """
    with connection.cursor() as cursor:
        cursor.execute(SQL, {"land": land.pk})
        row = dict(zip([one.name for one in cursor.description], cursor.fetchone(), strict=True))
    whole, eligible = row["area_m2"], row["eligible_m2"] or 0.0
    by_date = route_by_date(land.used_since)
    gates = {name: _inside(row[name], whole) for name in AREAL} | {"papers": _papers(row["papers"], whole)}
    gates["houses"] = {"verdict": _said(land.small_property_housing, good=False)}
    if by_date == Route.L2:
        gates |= {
            "state_owned": {"verdict": _said(land.ownership[:2] in STATE_OWNED if land.ownership else None)},
            "worth_keeping": {"verdict": _said(land.worth_keeping)},
            "penalty": {"verdict": YES if land.penalty_closed_on else NO if land.penalty_number else UNKNOWN},
            "efficient": {"verdict": {"1": YES, "0": NO}.get(str(land.extra.get(EFFICIENT)), UNKNOWN)},
        }
    elif by_date == Route.L1:
        gates["opinion"] = {"verdict": YES if land.extra.get(OPINION) else UNKNOWN}
    measured = all(gates[name]["verdict"] != UNKNOWN for name in (*AREAL, "papers"))
    split = measured and OVERLAP_AREA < eligible < whole - OVERLAP_AREA
    refused = [name for name, one in gates.items() if one["verdict"] == NO]
    if measured and eligible <= OVERLAP_AREA:
        refused = refused or [name for name in (*AREAL, "papers") if gates[name]["verdict"] != YES]
    unknown = [name for name, one in gates.items() if one["verdict"] == UNKNOWN]
    verdict = OPEN
    if refused or by_date == Route.NONE:
        verdict = REFUSED
    elif split:
        verdict = SPLIT
    elif unknown or not by_date:
        verdict = UNDECIDED
    return {
        "by_date": by_date,
        "route": Route.NONE if by_date and gates["houses"]["verdict"] == NO else by_date,
        "verdict": verdict,
        "refused": refused,
        "unknown": unknown,
        "gates": gates,
        "area_m2": float(rounded(whole, 2)),
        "eligible_m2": float(rounded(eligible, 2)) if measured else None,
        "split": split,
        "eligible": json.loads(row["eligible"]) if split else None,
    }


def _inside(area: float | None, whole: float) -> dict:
    if area is None:
        return {"verdict": UNKNOWN}
    verdict = YES if area >= whole - OVERLAP_AREA else PARTLY if area > OVERLAP_AREA else NO
    return {"verdict": verdict, "area_m2": float(rounded(area, 2))}


def _papers(area: float | None, whole: float) -> dict:
    if area is None:
        return {"verdict": UNKNOWN}
    verdict = YES if area <= OVERLAP_AREA else PARTLY if area < whole - OVERLAP_AREA else NO
    return {"verdict": verdict, "area_m2": float(rounded(area, 2))}


def _said(value: bool | None, good: bool = True) -> str:
    return UNKNOWN if value is None else YES if value is good else NO
