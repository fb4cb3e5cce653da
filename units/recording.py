"""The record of a redevelopment unit (NK025, NK026): what it may say, what is still missing, and how it is written.

A draft may be incomplete; it may not contradict itself. A transfer of floor area between two units is written in both
at once, and the database refuses whatever does not net to zero.
"""

import math
import tomllib
import uuid
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pghistory
from django.db import transaction
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from units import budgeting
from units.codes import YDYH, land_use
from units.collections import COLLECTIONS
from units.composing import may_draw
from units.drafting import check_draft, check_drawer, found, versions
from units.errors import GeoinvError, Stale, Unfit, UsageError
from units.models import Parcel, RedevelopmentUnit, UnitParcel, User
from units.operations import one_at_a_time
from units.planned import LEVELS, editions_in_force
from units.rights import Grant

FIELDS = ("mode", "methods", "programmes", "requirements", "incentives")
DATA = Path(__file__).parent / "data" / "unit_record.toml"
LISTS = ("mode", "method", "programme", "incentive", "infrastructure", "facility")
LONGEST = 4000  # letters of a text
SHORTEST_LINE = 200  # letters of a name or a basis
MOST_ROWS = 500  # of a list
LARGEST = 1e9  # square metres, or pieces: more is a slip of the keyboard
HIGHEST_FAR = 100.0  # likewise
UOMS = {"m2": "m²", "percent": "%", "far": gettext_lazy("points of FAR")}
TITLES = {
    "mode": gettext_lazy("Mode"),
    "methods": gettext_lazy("Methods"),
    "programmes": gettext_lazy("Programmes"),
    "plots": gettext_lazy("Land-use budget"),
    "functions": gettext_lazy("Functions"),
    "structure": gettext_lazy("Spatial structure"),
    "infrastructure": gettext_lazy("Infrastructure"),
    "facilities": gettext_lazy("Public facilities"),
    "total_floor_m2": gettext_lazy("Total floor area"),
    "incentives": gettext_lazy("Incentives"),
    "plan_editions": gettext_lazy("Plan versions checked against"),
}
TEXTS = ("functions", "structure", "infrastructure_note", "facilities_note")
State = RedevelopmentUnit.State


@dataclass(frozen=True)
class Problem:
    """What is wrong or missing, and where: `field` is as in `plots.2.far`, counted from 0."""

    field: str
    sentence: str
    fix: str = ""

    def told(self) -> dict:
        return {"field": self.field, "sentence": self.sentence, "fix": self.fix}


@dataclass(frozen=True)
class Choice:
    """One entry of a list of the record: its code, what it is called, and where the words come from."""

    code: str
    title_zh: str
    title_en: str
    source: str
    note: str = ""
    uom: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return self.title_en if (get_language() or "").startswith("en") else self.title_zh


@cache
def choices(name: str) -> MappingProxyType[str, Choice]:
    """The entries of one of LISTS by code, in their order."""
    rows = tomllib.loads(DATA.read_text(encoding="utf-8"))[name]
    return MappingProxyType(
        {
            row["code"]: Choice(
                row["code"],
                row["title"],
                row["title_en"],
                row["source"],
                row.get("note", ""),
                tuple(row.get("uom", ())),
            )
            for row in rows
        }
    )


# --- writing -----------------------------------------------------------------------------------------------------


def record(by: User, code: str, version: int | None, values: dict, district: str = "") -> RedevelopmentUnit:
    """The draft with these fields of FIELDS replaced, each as a whole; where nothing changes, as it stands.

    A transfer is written in the other unit, too, which must be a draft of whom `by` may draw. Raises Stale where
    `version` is not the one that stands, Unfit with a problem for each field that is wrong.
    """
    grants = by.grants()
    if unknown := set(values) - set(FIELDS):
        raise UsageError(
            _("A unit's record has no field %(names)s.") % {"names": ", ".join(sorted(unknown))[:200]},
            _("Known are: %(names)s.") % {"names": ", ".join(FIELDS)},
        )
    first = found(grants, code, district)
    clean, problems = cleaned(values)
    if "incentives" in clean:
        others = {one["other_unit"] for one in (*clean["incentives"], *first.incentives) if one["type"] == "transfer"}
        rows, wrong = _others(grants, first, others - {""}, clean["incentives"])
        problems += wrong
    else:
        rows = {}
    with transaction.atomic():
        if rows:  # several units are locked: not crosswise with somebody who draws, and locks what lies beside
            for place in sorted({first.district_id, *(unit.district_id for unit in rows.values())}):
                one_at_a_time(place)
        locked = {
            unit.pk: unit
            for unit in RedevelopmentUnit.objects.select_for_update(of=("self",))
            .filter(pk__in={first.pk, *(unit.pk for unit in rows.values())})
            .order_by("pk")
        }
        unit = locked[first.pk]
        _may_write(grants, unit, version, values)
        rows = {name: locked[other.pk] for name, other in rows.items()}
        was = {name: getattr(unit, name) for name in (*FIELDS, "plan_editions")}
        touched = _put(unit, clean, rows, problems)
        for one in (unit, *touched):
            problems += [
                Problem(field, sentence if one is unit else f"{one.code}: {sentence}", _("Change one of the numbers."))
                for field, sentence in budgeting.excesses(one.requirements, one.incentives, one.area_m2)
            ]
        if problems:
            raise Unfit(
                problems[0].sentence, problems[0].fix, code="record", problems=[problem.told() for problem in problems]
            )
        unit.plan_editions = editions_in_force(unit.district_id)
        if not touched and all(getattr(unit, name) == value for name, value in was.items()):
            return unit
        for one in (unit, *touched):
            one.version += 1
            with pghistory.context(user=by.pk, unit=one.code, action="recorded"):
                one.save(update_fields=[*FIELDS, "plan_editions", "version"])
    return unit


def _may_write(grants, unit: RedevelopmentUnit, version: int | None, values: dict) -> None:
    check_drawer(grants, unit)
    if version is None:
        raise UsageError(
            _("Say which version of the unit you have before you: “version”, or the header If-Match."),
            _("GET the unit; its answer has both."),
            code="version",
        )
    if version != unit.version:
        last = versions(unit)[0]
        raise Stale(
            _("%(name)s has changed the unit meanwhile.") % {"name": last["by"]},
            _("Look at both versions; save yours over it, or take theirs."),
            theirs={
                "version": unit.version,
                "state": unit.state,
                "changed_by": last["by"],
                "changed_at": last["at"].isoformat(),
                "fields": {name: getattr(unit, name) for name in FIELDS},
            },
            base={"fields": _as_of(unit, version, values)},
        )
    check_draft(unit)


def _as_of(unit: RedevelopmentUnit, version: int, values: dict) -> dict:
    """The fields as they stood in an earlier version, as far as the history knows it."""
    event = (
        RedevelopmentUnit.pgh_event_model.objects.filter(pgh_obj_id=unit.pk, version=version)
        .order_by("-pgh_id")
        .defer("geom")
        .first()
    )
    return {name: getattr(event, name) for name in FIELDS} if event else {}


def _others(
    grants, unit, codes: set[str], incentives: list[dict]
) -> tuple[dict[str, RedevelopmentUnit], list[Problem]]:
    """The latest editions of the units at the other ends of transfers, and what is wrong with these."""
    rows, problems = {}, []
    where = {one["other_unit"]: number for number, one in enumerate(incentives) if one["type"] == "transfer"}
    for code in sorted(codes):
        field = f"incentives.{where[code]}.other_unit" if code in where else "incentives"
        if code == unit.code:
            problems.append(Problem(field, _("A transfer goes to another unit."), _("Name the other unit.")))
            continue
        try:
            other = found(grants, code)
        except GeoinvError as error:
            problems.append(Problem(field, str(error.message), str(error.hint)))
            continue
        if not may_draw(grants, other.district_id, other.street_id):
            problems.append(
                Problem(
                    field,
                    _("You may look at the unit %(code)s, not change it.") % {"code": code},
                    _("Whoever draws both units enters the transfer."),
                )
            )
        rows[code] = other
    return rows, problems


def _put(unit: RedevelopmentUnit, clean: dict, others: dict, problems: list[Problem]) -> list[RedevelopmentUnit]:
    """Put the fields into the row, and the other side of each transfer that changes into its unit; those, in order."""
    before = {one["transfer"]: one for one in unit.incentives if one["type"] == "transfer"}
    for name, value in clean.items():
        setattr(unit, name, value)
    if "incentives" not in clean:
        return []
    after, touched = {}, {}
    for number, one in enumerate(unit.incentives):
        if one["type"] != "transfer":
            continue
        known = before.get(one.get("transfer"))
        if known is None:
            one["transfer"] = uuid.uuid4().hex
        elif known["other_unit"] != one["other_unit"]:
            problems.append(
                Problem(
                    f"incentives.{number}.other_unit",
                    _("The transfer is with the unit %(code)s.") % {"code": known["other_unit"]},
                    _("Take it out and enter a new one for another unit."),
                )
            )
        after[one["transfer"]] = one
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) == after.get(key):
            continue
        code = (after.get(key) or before[key])["other_unit"]
        other = others.get(code)
        if other is None:
            continue  # `_others` has said why
        if other.state != State.DRAFT:
            problems.append(
                Problem(
                    "incentives",
                    _("The transfer changes the unit %(code)s as well, which is no draft (%(state)s).")
                    % {"code": code, "state": other.get_state_display()},
                    _("Have it sent back, or amend it, and enter the transfer then."),
                )
            )
            continue
        kept = [one for one in other.incentives if one.get("transfer") != key]
        if key in after:
            mirrored = after[key] | {"quantity": -after[key]["quantity"], "other_unit": unit.code}
            kept.append(mirrored)
        other.incentives = kept
        touched[other.pk] = other
    return [touched[key] for key in sorted(touched)]


# --- what a record may say ---------------------------------------------------------------------------------------


def cleaned(values: dict) -> tuple[dict, list[Problem]]:
    """The fields as they are stored, and a problem for each that cannot be."""
    clean: dict = {}
    reading = _Reading()
    if "mode" in values:
        clean["mode"] = reading.code("mode", values["mode"], choices("mode"))
    for name, of in (("methods", "method"), ("programmes", "programme")):
        if name in values:
            clean[name] = list(
                dict.fromkeys(
                    reading.code(f"{name}.{number}", one, choices(of))
                    for number, one in enumerate(reading.rows(name, values[name]))
                )
            )
    if "requirements" in values:
        clean["requirements"] = _requirements(reading, values["requirements"])
    if "incentives" in values:
        clean["incentives"] = [
            _incentive(reading, f"incentives.{number}", one)
            for number, one in enumerate(reading.rows("incentives", values["incentives"]))
        ]
    return clean, reading.problems


def _requirements(reading: "_Reading", told) -> dict:
    told = reading.entry("requirements", told, {"plots", "infrastructure", "facilities", "total_floor_m2", *TEXTS})
    clean: dict = {}
    clean["plots"] = []
    names = defaultdict(list)
    for number, row in enumerate(reading.rows("plots", told.get("plots", []))):
        at = f"plots.{number}"
        row = reading.entry(at, row, {"plot", "use", "m2", "far", "floor_m2"})
        plot = {
            "plot": reading.line(f"{at}.plot", row.get("plot", "")),
            "use": reading.code(f"{at}.use", row.get("use", ""), land_use(YDYH)),
            "m2": reading.number(f"{at}.m2", row.get("m2")),
            "far": reading.number(f"{at}.far", row.get("far"), HIGHEST_FAR),
            "floor_m2": reading.number(f"{at}.floor_m2", row.get("floor_m2")),
        }
        if not plot["plot"]:
            reading.wrong(f"{at}.plot", _("A plot needs a name or number."))
        names[plot["plot"]].append(number)
        if None not in (plot["m2"], plot["far"], plot["floor_m2"]):
            most = plot["m2"] * plot["far"]
            if plot["floor_m2"] > most + budgeting.ROUNDING:
                reading.wrong(
                    f"{at}.floor_m2",
                    _("Plot %(plot)s: %(floor)s m² of floor area are %(excess)s m² more than its ground × FAR.")
                    % {
                        "plot": plot["plot"],
                        "floor": f"{plot['floor_m2']:,.1f}",
                        "excess": f"{plot['floor_m2'] - most:,.1f}",
                    },
                )
        clean["plots"].append(plot)
    for name, numbers in names.items():
        if name and len(numbers) > 1:
            reading.wrong(f"plots.{numbers[1]}.plot", _("Two plots are called %(name)s.") % {"name": name})
    clean["infrastructure"] = []
    for number, row in enumerate(reading.rows("infrastructure", told.get("infrastructure", []))):
        at = f"infrastructure.{number}"
        row = reading.entry(at, row, {"kind", "name", "quantity", "uom"})
        clean["infrastructure"].append(
            {
                "kind": reading.needed(f"{at}.kind", row.get("kind", ""), choices("infrastructure")),
                "name": reading.line(f"{at}.name", row.get("name", "")),
                "quantity": reading.number(f"{at}.quantity", row.get("quantity")),
                "uom": reading.line(f"{at}.uom", row.get("uom", ""), 20),
            }
        )
    clean["facilities"] = []
    for number, row in enumerate(reading.rows("facilities", told.get("facilities", []))):
        at = f"facilities.{number}"
        row = reading.entry(at, row, {"kind", "name", "m2", "plot"})
        one = {
            "kind": reading.needed(f"{at}.kind", row.get("kind", ""), choices("facility")),
            "name": reading.line(f"{at}.name", row.get("name", "")),
            "m2": reading.number(f"{at}.m2", row.get("m2")),
            "plot": reading.line(f"{at}.plot", row.get("plot", "")),
        }
        if one["plot"] and one["plot"] not in names:
            reading.wrong(f"{at}.plot", _("There is no plot %(name)s in the budget.") % {"name": one["plot"]})
        clean["facilities"].append(one)
    clean["total_floor_m2"] = reading.number("total_floor_m2", told.get("total_floor_m2"))
    for name in TEXTS:
        clean[name] = reading.text(name, told.get(name, ""))
    return clean


def _incentive(reading: "_Reading", at: str, row) -> dict:
    row = reading.entry(at, row, {"type", "quantity", "uom", "basis", "other_unit", "transfer"})
    kind = reading.needed(f"{at}.type", row.get("type", ""), choices("incentive"))
    quantity = reading.number(f"{at}.quantity", row.get("quantity"), signed=kind == "transfer")
    allowed = choices("incentive")[kind].uom if kind else tuple(UOMS)
    uom = row.get("uom") or (allowed[0] if allowed else "")
    if uom not in allowed:
        reading.wrong(
            f"{at}.uom",
            _("This incentive is not counted in “%(uom)s”.") % {"uom": str(uom)[:20]},
            _("Known are: %(names)s.") % {"names": ", ".join(str(UOMS[one]) for one in allowed)},
        )
    if not quantity:
        reading.wrong(f"{at}.quantity", _("An incentive needs a quantity that is not zero."))
    if kind == "mixed_use" and uom == "percent" and (quantity or 0) > 100:
        reading.wrong(f"{at}.quantity", _("More than the whole cannot be of another use."))
    one = {
        "type": kind,
        "quantity": quantity or 0,
        "uom": uom,
        "basis": reading.line(f"{at}.basis", row.get("basis", "")),
    }
    if kind == "transfer":
        one["other_unit"] = reading.line(f"{at}.other_unit", row.get("other_unit", ""), 40)
        one["transfer"] = reading.line(f"{at}.transfer", row.get("transfer") or "", 40)
        if not one["other_unit"]:
            reading.wrong(
                f"{at}.other_unit",
                _("A transfer names the unit at its other end."),
                _("Positive is taken over from it, negative given to it."),
            )
    elif row.get("other_unit"):
        reading.wrong(f"{at}.other_unit", _("Only a transfer has another unit."))
    return one


class _Reading:
    """Reads values as what they should be, and collects what is wrong with them."""

    def __init__(self):
        self.problems: list[Problem] = []

    def wrong(self, field: str, sentence: str, fix: str = "") -> None:
        self.problems.append(Problem(field, sentence, fix))

    def rows(self, field: str, value) -> list:
        if not isinstance(value, list) or len(value) > MOST_ROWS:
            self.wrong(field, _("This is a list of at most %(most)d entries.") % {"most": MOST_ROWS})
            return []
        return value

    def entry(self, field: str, value, known: set[str]) -> dict:
        if not isinstance(value, dict):
            self.wrong(field, _("This is an object with named values."))
            return {}
        if unknown := set(value) - known:
            self.wrong(
                field,
                _("The record has no value named %(names)s.") % {"names": ", ".join(sorted(map(str, unknown)))[:200]},
                _("Known are: %(names)s.") % {"names": ", ".join(sorted(known))},
            )
        return value

    def code(self, field: str, value, known) -> str:
        if value in (None, ""):
            return ""
        if not isinstance(value, str) or value not in known:
            self.wrong(
                field,
                _("“%(value)s” is no code of this list.") % {"value": str(value)[:40]},
                _("Choose one of the list."),
            )
            return ""
        return value

    def needed(self, field: str, value, known) -> str:
        if value in (None, ""):
            self.wrong(field, _("Choose a kind."))
            return ""
        return self.code(field, value, known)

    def number(self, field: str, value, most: float = LARGEST, signed: bool = False) -> float | None:
        if value in (None, ""):
            return None
        # A boolean is an integer to Python, and to nobody else.
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            self.wrong(field, _("“%(value)s” is no number.") % {"value": str(value)[:40]}, _("Write digits alone."))
            return None
        if abs(value) > most or (value < 0 and not signed):
            self.wrong(
                field,
                _("The number lies between %(least)s and %(most)s.")
                % {"least": f"{-most if signed else 0:,.0f}", "most": f"{most:,.0f}"},
            )
            return None
        return round(value, 4)

    def line(self, field: str, value, most: int = SHORTEST_LINE) -> str:
        return self.text(field, value, most).replace("\n", " ")

    def text(self, field: str, value, most: int = LONGEST) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            self.wrong(field, _("This is a text."))
            return ""
        value = value.replace("\r\n", "\n").strip()
        if len(value) > most or not value.replace("\n", "").replace("\t", "").isprintable():
            self.wrong(field, _("A text here has at most %(most)d letters.") % {"most": most})
            return ""
        return value


# --- reading -----------------------------------------------------------------------------------------------------


def told(unit: RedevelopmentUnit) -> dict:
    """The record as JSON, with its sums and what is missing in it."""
    return {
        **{name: getattr(unit, name) for name in FIELDS},
        "plan_editions": unit.plan_editions,
        "sums": budgeting.of_record(unit.requirements or {}, unit.incentives or []),
        "missing": [problem.told() for problem in missing(unit)],
    }


def missing(unit: RedevelopmentUnit) -> list[Problem]:
    """What the record still lacks before the unit may be called checked (NK025, NK026); empty where it is complete."""
    wanted = unit.requirements or {}
    problems = []

    def lacks(field: str, sentence: str, fix: str = "") -> None:
        problems.append(Problem(field, sentence, fix))

    if not unit.mode:
        lacks("mode", _("The mode of redevelopment is not chosen."))
    if not unit.methods:
        lacks("methods", _("No method of redevelopment is chosen."))
    if not wanted.get("plots"):
        lacks("plots", _("The land-use budget has no plot."), _("Enter each plot with its use, ground and floor area."))
    for number, plot in enumerate(wanted.get("plots") or []):
        for name, sentence in (
            ("use", _("Plot %(plot)s: no use is planned.")),
            ("m2", _("Plot %(plot)s: its ground is not given.")),
        ):
            if not plot.get(name):
                lacks(f"plots.{number}.{name}", sentence % {"plot": plot["plot"]})
        if budgeting.floor_of(plot) is None:
            lacks(
                f"plots.{number}.floor_m2",
                _("Plot %(plot)s: neither a FAR nor a floor area is given.") % {"plot": plot["plot"]},
                _("A green or a square has 0."),
            )
    for name, sentence in (
        ("functions", _("Nothing is said of the functions.")),
        ("structure", _("Nothing is said of the spatial structure.")),
    ):
        if not wanted.get(name):
            lacks(name, sentence)
    for name, sentence in (
        ("infrastructure", _("Nothing is said of the infrastructure.")),
        ("facilities", _("Nothing is said of the public facilities.")),
    ):
        if not wanted.get(name) and not wanted.get(f"{name}_note"):
            lacks(name, sentence, _("Enter what is planned, or say in the note why nothing is."))
    if wanted.get("total_floor_m2") is None:
        lacks("total_floor_m2", _("The total floor area is not given."))
    for number, one in enumerate(unit.incentives or []):
        if not one.get("basis"):
            lacks(
                f"incentives.{number}.basis",
                _("%(title)s: the basis is not named.") % {"title": choices("incentive")[one["type"]].title},
                _("Name the clause or paper that allows it."),
            )
    for field, sentence in budgeting.excesses(wanted, unit.incentives or [], unit.area_m2):
        lacks(field, sentence, _("Change one of the numbers."))
    in_force = editions_in_force(unit.district_id)
    for level in LEVELS:
        now, then = in_force.get(level), (unit.plan_editions or {}).get(level)
        if now is not None and now != then:
            lacks(
                "plan_editions",
                _("%(plan)s: it was looked at against %(then)s, and %(now)s is in force.")
                % {"plan": level.label, "then": then or _("no version"), "now": now},
                _("Look at the record again and save it."),
            )
    return problems


def programmes_by_parcel(district: str, grants: tuple[Grant, ...]) -> list[dict]:
    """Each parcel in units of one programme or more that these grants may see, once, with its programmes and units."""
    units = (
        RedevelopmentUnit.objects.filter(COLLECTIONS["units"].seen_by(grants).rows.q(), district=district)
        .exclude(state__in=(State.AMENDED, State.DELETED))
        .exclude(programmes=[])
        .order_by("code", "edition")
        .defer("geom")
    )
    # Where a draft amends an approved edition, the latest of both speaks for the unit.
    latest = {unit.code: unit for unit in units}
    seen = Parcel.objects.filter(COLLECTIONS["parcels"].seen_by(grants).rows.q())
    rows: dict[str, dict] = {}
    members = UnitParcel.objects.filter(unit__in=latest.values(), parcel__in=seen)
    for code, parcel in members.values_list("unit__code", "parcel__code"):
        row = rows.setdefault(parcel, {"code": parcel, "programmes": set(), "units": set()})
        row["programmes"].update(latest[code].programmes)
        row["units"].add(code)
    return [
        row
        | {
            "programmes": [one for one in choices("programme") if one in row["programmes"]],
            "units": sorted(row["units"]),
        }
        for _code, row in sorted(rows.items())
    ]
