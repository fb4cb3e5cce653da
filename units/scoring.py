"""Score the firms of a district and year by a published scheme, group by group, and rank them into grades A to D."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from django.db import connection, transaction
from django.utils.translation import gettext as _

from units.criteria import sets
from units.errors import CriteriaError, Refused, UnknownName
from units.measuring import Base
from units.models import EnterpriseYear, Score
from units.spatial import SQUARE_METRES_PER_MU, rounded

FOLDER = Path(__file__).parent / "criteria" / "scores"
FIRMS = Path(__file__).parent / "sql" / "statistics" / "firms.sql"
DECIMALS = 4  # of figures, benchmarks, items and scores: each is rounded half up before it is used further
NOT_RATED = "T"
METHODS = ("ratio", "range")
RULES = ("mean", "mean_before")
# figure → what is divided by what; money in 10k CNY, `column` is a further column of the delivery by its name
FIGURES = {
    "tax_per_mu": ("tax", "mu"),
    "sales_per_mu": ("sales", "mu"),
    "output_per_mu": ("output", "mu"),
    "output_per_tce": ("output", "energy"),
    "output_per_head": ("output", "employees"),
    "column": (),
}
MONEY = frozenset({"tax", "sales", "output"})
HEAD = {"id", "title", "title_en", "source", "confidence", "example", "method", "range_floor"}
ELIGIBLE = {"above_scale", "land_mu_min"}
UNRATED = {"production_years_min", "sectors"}


@dataclass(frozen=True)
class Said:
    """A number of a scheme with who says it: P the text was read, S in a copy, D a demonstration value."""

    value: object
    source: str
    confidence: str


@dataclass(frozen=True)
class Item:
    figure: str
    column: str
    weight: Said
    benchmark: Said | None
    rule: str
    cap: Said | None  # of the item's score, as a multiple of its weight

    @property
    def name(self) -> str:
        return self.column or self.figure


@dataclass(frozen=True)
class Group:
    id: str
    title: str
    title_en: str
    above_scale: bool | None  # which firms it takes; None takes all
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Scheme:
    id: str
    title: str
    title_en: str
    source: str
    confidence: str
    example: bool
    method: str
    range_floor: Said | None
    eligible: dict[str, Said]
    unrated: dict[str, Said]
    groups: tuple[Group, ...]
    cuts: tuple[tuple[str, Said], ...]
    digest: str

    @property
    def name(self) -> str:
        return sets.in_words(self.title, self.title_en)


def schemes(folder: Path = FOLDER) -> tuple[str, ...]:
    """The ids of all schemes that there are."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


@cache
def load(name: str, folder: Path = FOLDER) -> Scheme:
    """The scheme of that name; UnknownName, or CriteriaError that says in which file and place something is wrong."""
    if name not in schemes(folder):
        raise UnknownName(name[:60], schemes(folder), _("scoring scheme"))
    path = folder / f"{name}.toml"
    text = path.read_text(encoding="utf-8")
    return _Reader(path.name).scheme(name, text)


class _Reader:
    """Reads one file, and refuses whatever it does not know: a misspelt word would else be quietly left out."""

    def __init__(self, file: str):
        self.file = file

    def scheme(self, name: str, text: str) -> Scheme:
        try:
            told = tomllib.loads(text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            raise self.fault("", str(error)) from None
        self.only("", told, {"score", "eligible", "unrated", "group", "cut"})
        head = told.get("score", {})
        self.only("score", head, HEAD)
        for word in ("id", "title", "source", "confidence", "method"):
            if not head.get(word):
                raise self.fault("score", _("“%(word)s” is missing.") % {"word": word})
        if head["id"] != name:
            raise self.fault("score", _("The id is not the name of the file."))
        if head["method"] not in METHODS:
            raise self.fault("score", _("“%(word)s” is no method.") % {"word": head["method"]})
        self.only("eligible", told.get("eligible", {}), ELIGIBLE)
        self.only("unrated", told.get("unrated", {}), UNRATED)
        floor = head.get("range_floor")
        if (head["method"] == "range") != (floor is not None):
            raise self.fault("score", _("“range_floor” belongs to the method “range”, which needs it."))
        groups = tuple(self.group(number, one, head["method"]) for number, one in enumerate(told.get("group", []), 1))
        if not groups:
            raise self.fault("group", _("There is none."))
        return Scheme(
            name,
            head["title"],
            head.get("title_en", ""),
            head["source"],
            head["confidence"],
            bool(head.get("example", False)),
            head["method"],
            self.said("score.range_floor", floor) if floor else None,
            {word: self.said(f"eligible.{word}", one) for word, one in told.get("eligible", {}).items()},
            {word: self.said(f"unrated.{word}", one) for word, one in told.get("unrated", {}).items()},
            groups,
            self.cuts(told.get("cut", [])),
            hashlib.sha256(text.encode()).hexdigest(),
        )

    def group(self, number: int, told: Mapping, method: str) -> Group:
        place = f"group {number}"
        self.only(place, told, {"id", "title", "title_en", "above_scale", "item"})
        items = tuple(self.item(f"{place}, item {at}", one, method) for at, one in enumerate(told.get("item", []), 1))
        if not told.get("id") or not items:
            raise self.fault(place, _("A group has an id and at least one item."))
        return Group(
            told["id"], told.get("title", told["id"]), told.get("title_en", ""), told.get("above_scale"), items
        )

    def item(self, place: str, told: Mapping, method: str) -> Item:
        self.only(place, told, {"figure", "column", "weight", "benchmark", "cap"})
        figure = told.get("figure", "")
        if figure not in FIGURES:
            raise self.fault(place, _("“%(word)s” is no figure.") % {"word": figure})
        if (figure == "column") != bool(told.get("column")):
            raise self.fault(place, _("The figure “column” names its column, and no other does."))
        weight = self.said(f"{place}, weight", told.get("weight", {}))
        if weight.value <= 0:
            raise self.fault(place, _("A weight is above nought."))
        benchmark = told.get("benchmark")
        if (method == "ratio") != (benchmark is not None):
            raise self.fault(place, _("A benchmark belongs to the method “ratio”, which needs it."))
        rule = benchmark.get("rule", "") if benchmark else ""
        if benchmark and rule not in RULES:
            raise self.fault(place, _("“%(word)s” is no rule of a benchmark.") % {"word": rule})
        return Item(
            figure,
            told.get("column", ""),
            weight,
            self.said(f"{place}, benchmark", benchmark, {"rule"}) if benchmark else None,
            rule,
            self.said(f"{place}, cap", told["cap"]) if "cap" in told else None,
        )

    def cuts(self, told: list[Mapping]) -> tuple[tuple[str, Said], ...]:
        found, last = [], Decimal(0)
        for number, one in enumerate(told, 1):
            place = f"cut {number}"
            self.only(place, one, {"grade", "up_to"})
            said = self.said(place, one.get("up_to", {}))
            if not one.get("grade") or not last < said.value <= 1:
                raise self.fault(place, _("Each cut has a grade and ends later than the one before, at 1 at last."))
            last = said.value
            found.append((one["grade"], said))
        if last != 1:
            raise self.fault("cut", _("The last cut ends at 1: every rank has a grade."))
        return tuple(found)

    def said(self, place: str, told: Mapping, further: frozenset[str] | set[str] = frozenset()) -> Said:
        """A number (a truth value, a list) with its source; what nobody checked (M) is never scored by."""
        self.only(place, told, {"value", "source", "confidence"} | further)
        if "value" not in told or not told.get("source"):
            raise self.fault(place, _("A number has a value and a source."))
        if told.get("confidence") not in ("P", "S", "D"):
            raise self.fault(place, _("The confidence is P, S or D; what nobody checked is never scored by."))
        value = told["value"]
        if isinstance(value, int) and not isinstance(value, bool):
            value = Decimal(value)
        return Said(value, told["source"], told["confidence"])

    def only(self, place: str, told: Mapping, known: set[str] | frozenset[str]) -> None:
        if strange := sorted(set(told) - set(known)):
            raise self.fault(
                place,
                _("“%(word)s” is not known here; known are: %(known)s.")
                % {"word": strange[0], "known": ", ".join(sorted(known))},
            )

    def fault(self, place: str, what: str) -> CriteriaError:
        return CriteriaError(
            _("%(file)s, %(place)s: %(what)s") % {"file": self.file, "place": place or _("the text"), "what": what},
            file=self.file,
            place=place,
        )


def score(district: str, scheme: str, year: int | None = None, keep: bool = False) -> dict:
    """Score the firms that are in the district in a year (without one, that of the survey in force).

    With `keep` the rows replace those of the same scheme, district and year; the official grades stay what they are.
    Each row is {enterprise, name, credit_code, official, group, score, place, rated, grade, reason, items}; a firm
    that is not scored says why in `reason`: a word, and after a colon the figure that is missing.
    Raises UnknownName, CriteriaError and Refused (no survey in force, no figures of the year).
    """
    rules = load(scheme)
    base = Base.of(district)
    year = year or base.year
    if not EnterpriseYear.objects.filter(enterprise__district=district, year=year).exists():
        raise Refused(
            _("The district %(district)s has no figures of firms of %(year)s.") % {"district": district, "year": year},
            _("Import them with the profile enterprise_year, or name another year."),
        )
    with connection.cursor() as cursor:
        cursor.execute(
            FIRMS.read_text(encoding="utf-8"),
            {"district": district, "survey": base.survey, "year": year, "mu": SQUARE_METRES_PER_MU},
        )
        names = [column.name for column in cursor.description]
        firms = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for firm in firms:
        for name in ("further", "further_before"):
            firm[name] = json.loads(firm[name] or "{}", parse_float=Decimal)
    told = rated(rules, firms, year)
    if keep:
        with transaction.atomic():
            Score.objects.filter(district=district, scheme=scheme, year=year).delete()
            Score.objects.bulk_create(
                Score(
                    district_id=district,
                    enterprise_id=row["enterprise"],
                    year=year,
                    scheme=scheme,
                    digest=rules.digest,
                    group=row["group"],
                    score=row["score"],
                    place=row["place"],
                    rated=row["rated"],
                    grade=row["grade"],
                    reason=row["reason"],
                    details={"items": row["items"]},
                )
                for row in told
            )
    grades = dict.fromkeys([grade for grade, _cut in rules.cuts] + [NOT_RATED], 0)
    reasons: dict[str, int] = {}
    for row in told:
        if row["grade"]:
            grades[row["grade"]] += 1
        if row["reason"]:
            reasons[row["reason"]] = reasons.get(row["reason"], 0) + 1
    return {
        "district": district,
        "scheme": scheme,
        "title": rules.name,
        "digest": rules.digest,
        "example": rules.example,
        "year": year,
        "kept": keep,
        "firms": len(told),
        "grades": grades,
        "reasons": dict(sorted(reasons.items())),
        "rows": told,
    }


def rated(scheme: Scheme, firms: list[dict], year: int) -> list[dict]:
    """Every firm with its score, rank and grade, or the reason why it has none: those with a score first, by rank.

    Equal scores have the same rank, the best that any of them could have, and so the same grade.
    """
    found = []
    for group in scheme.groups:
        mine, figures = [], {}
        for firm in firms:
            if _group_of(scheme, firm) is not group:
                continue
            reason = _unrated(scheme, firm, year)
            figures[firm["id"]] = {item.name: _figure(item, firm) for item in group.items}
            if not reason:
                lacking = [name for name, value in figures[firm["id"]].items() if value is None]
                reason = f"missing:{lacking[0]}" if lacking else ""
            mine.append((firm, reason))
        scored = [firm for firm, reason in mine if not reason]
        against = {item.name: _against(scheme, item, [firm for firm, _reason in mine], scored) for item in group.items}
        blind = next((name for name, value in against.items() if value is None), None)
        rows = []
        for firm, reason in mine:
            if not reason and blind is not None:
                reason = f"{'spread' if scheme.method == 'range' else 'benchmark'}:{blind}"
            items = [] if reason else [_item(scheme, one, figures[firm["id"]], against) for one in group.items]
            total = None if reason else rounded(sum((one["score"] for one in items), Decimal(0)), DECIMALS)
            rows.append(_row(firm, group.id, reason, total, items))
        _rank(scheme, [row for row in rows if row["score"] is not None])
        found += rows
    strange = [_row(firm, "", "missing:above_scale", None, []) for firm in firms if _group_of(scheme, firm) is None]
    found += strange
    for row in found:
        row["items"] = [{name: _plain(value) for name, value in one.items()} for one in row["items"]]
    groups = {group.id: place for place, group in enumerate(scheme.groups)}
    return sorted(
        found,
        key=lambda row: (
            row["place"] is None,
            groups.get(row["group"], 99),
            row["place"] or 0,
            row["credit_code"],
            row["name"],
            row["enterprise"],
        ),
    )


def _row(firm: Mapping, group: str, reason: str, total: Decimal | None, items: list[dict]) -> dict:
    return {
        "enterprise": firm["id"],
        "name": firm["name"],
        "credit_code": firm["credit_code"],
        "official": firm["official"],
        "group": group,
        "score": total,
        "place": None,
        "rated": 0,
        "grade": NOT_RATED if reason.startswith("unrated:") else "",
        "reason": reason,
        "items": items,
    }


def _rank(scheme: Scheme, rows: list[dict]) -> None:
    rows.sort(key=lambda row: -row["score"])
    for number, row in enumerate(rows, 1):
        tied = number > 1 and rows[number - 2]["score"] == row["score"]
        row["place"] = rows[number - 2]["place"] if tied else number
        row["rated"] = len(rows)
        row["grade"] = next(grade for grade, cut in scheme.cuts if row["place"] <= cut.value * len(rows))


def _group_of(scheme: Scheme, firm: Mapping) -> Group | None:
    """The first group that takes the firm; none where it is not known whether the firm is above scale."""
    for group in scheme.groups:
        if group.above_scale is None:
            return group
        if firm["above_scale"] is not None and firm["above_scale"] == group.above_scale:
            return group
    return None


def _unrated(scheme: Scheme, firm: Mapping, year: int) -> str:
    """Why a firm is not rated (T), does not take part, or cannot be placed; "" where it is rated."""
    if one := scheme.eligible.get("above_scale"):
        if firm["above_scale"] is None:
            return "missing:above_scale"
        if firm["above_scale"] != one.value:
            return "outside:above_scale"
    if one := scheme.eligible.get("land_mu_min"):
        if firm["mu"] is None:
            return "missing:land"
        if firm["mu"] < one.value:
            return "outside:land_mu_min"
    if one := scheme.unrated.get("sectors"):
        if not firm["sector"]:
            return "missing:sector"
        if firm["sector"].lstrip("ABCDEFGHIJKLMNOPQRST").startswith(tuple(one.value)):
            return "unrated:sectors"
    if one := scheme.unrated.get("production_years_min"):
        if firm["started_on"] is None:
            return "missing:started_on"
        if years_on(firm["started_on"], date(year, 12, 31)) < one.value:
            return "unrated:production_years_min"
    return ""


def years_on(start: date, day: date) -> int:
    """Whole years from a day on; who starts on 29 February ends a year on 28 February."""
    early = (day.month, day.day) < (start.month, start.day)
    if (start.month, start.day) == (2, 29) and (day.month, day.day) == (2, 28) and day.year % 4:
        early = False
    return day.year - start.year - early


def _parts(item: Item, firm: Mapping, before: bool = False) -> tuple[Decimal, Decimal] | None:
    """What is divided by what for one firm, in the year or the one before; None where a part is unknown or nought."""
    end = "_before" if before else ""
    if item.figure == "column":
        told = firm[f"further{end}"].get(item.column)
        try:
            number = Decimal(str(told).strip())
        except ArithmeticError:
            return None
        return (number, Decimal(1)) if number.is_finite() else None
    over, under = FIGURES[item.figure]
    above = firm[f"{over}{end}"]
    below = firm["mu"] if under == "mu" else firm[f"{under}{end}"]
    if above is None or not below:
        return None
    return Decimal(above) / (10_000 if over in MONEY else 1), Decimal(below)


def _figure(item: Item, firm: Mapping) -> Decimal | None:
    parts = _parts(item, firm)
    return None if parts is None else rounded(parts[0] / parts[1], DECIMALS)


def _against(scheme: Scheme, item: Item, all_of_group: list[dict], scored: list[dict]):
    """What an item is held against: a benchmark, or (least, most) of those scored; None where there is no such thing.

    A mean is the total over the total, of all firms of the group whose figure is known, as means of sectors are.
    """
    if scheme.method == "range":
        values = [_figure(item, firm) for firm in scored]
        return (min(values), max(values)) if values and min(values) < max(values) else None
    parts = [_parts(item, firm, item.rule == "mean_before") for firm in all_of_group]
    known = [one for one in parts if one is not None]
    below = sum((one[1] for one in known), Decimal(0))
    mean = sum((one[0] for one in known), Decimal(0)) / below if below else None
    if mean is None:
        return None
    benchmark = rounded(mean * item.benchmark.value, DECIMALS)
    return benchmark if benchmark > 0 else None  # nothing, or less, is nothing to be held against


def _item(scheme: Scheme, item: Item, figures: Mapping[str, Decimal], against: Mapping) -> dict:
    value, held, weight = figures[item.name], against[item.name], item.weight.value
    if scheme.method == "range":
        least, most = held
        floor = scheme.range_floor.value
        points = weight * (floor + (100 - floor) * (value - least) / (most - least)) / 100
    else:
        points = value / held * weight
    if item.cap is not None:
        points = min(points, weight * item.cap.value)
    told = {"name": item.name, "value": value, "weight": weight, "score": rounded(points, DECIMALS)}
    return told | ({"least": held[0], "most": held[1]} if scheme.method == "range" else {"benchmark": held})


def _plain(value):
    return float(value) if isinstance(value, Decimal) else value
