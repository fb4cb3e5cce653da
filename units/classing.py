"""Part what was measured into classes for a thematic map: where they begin and end, and which subject is in which."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from functools import cache as read_once
from pathlib import Path

import numpy as np
from django.core.cache import cache
from django.db import connection
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from units import codes
from units.collections import COLLECTIONS
from units.criteria.measures import BOOLEAN, MEASURES, NUMBER, Measure
from units.errors import NotAllowed, UnknownName, UsageError
from units.models import Category, Measurement, Revision
from units.rights import FIGURE_READERS, Grant, View

QUESTION = Path(__file__).parent / "sql" / "pages" / "values.sql"
METHODS = {
    "quantile": gettext_lazy("Equal counts"),
    "equal": gettext_lazy("Equal steps"),
    "natural": gettext_lazy("Natural breaks"),
}
FEWEST, MOST, USUAL = 2, 9, 5  # classes of numbers
NAMED = 8  # values of a text that get a class of their own; what is rarer is one class together
STEPS = 1000  # natural breaks are sought among so many steps of the distribution at most
KEPT_SECONDS = 3600
# How a subject's class is written in `Classes.packed`: a digit, or one of these.
UNKNOWN, CLOSED, NOBODY = "?", "-", " "
BRIDGED = 64  # numbers between two subjects that stand for nobody, before another run is begun


@dataclass(frozen=True)
class Theme:
    """What is mapped: a measure, how its numbers are parted, and into how many classes."""

    measure: Measure
    method: str = "quantile"
    number: int = USUAL

    @classmethod
    def read(cls, measure: str, method: str = "", number: str = "") -> "Theme":
        """UnknownName or UsageError for what is none."""
        if measure not in MEASURES:
            raise UnknownName(measure[:60], MEASURES, _("measure"))
        if (method or "quantile") not in METHODS:
            raise UnknownName(method[:60], METHODS, _("way to part numbers"))
        if number and not (number.isdecimal() and FEWEST <= int(number[:4]) <= MOST):
            raise UsageError(
                _("“%(number)s” is no number of classes.") % {"number": number[:10]},
                _("From %(fewest)d to %(most)d are possible.") % {"fewest": FEWEST, "most": MOST},
            )
        return cls(MEASURES[measure], method or "quantile", int(number or USUAL))


@dataclass(frozen=True)
class Class:
    """One class: its bounds (`low` is outside, `high` inside), what lies in it, and how much land that is.

    `least` and `most` are the outermost values that occur; of a text `name` is the value, None for all that are rarer.
    """

    count: int
    area_m2: float
    low: float | None = None
    high: float | None = None
    least: float | None = None
    most: float | None = None
    name: str | bool | None = None
    title: str = ""


@dataclass(frozen=True)
class Classes:
    """The answer. `packed` has runs [first number of a flag, one sign for each that follows]."""

    theme: Theme
    classes: tuple[Class, ...]
    unknown: Class
    closed: int
    packed: list = field(repr=False)

    @property
    def signs(self) -> list[str]:
        """All classes that a reader may name, the unknown one included."""
        return [*map(str, range(len(self.classes))), UNKNOWN]

    def of(self, value) -> str:
        """The class of a value, counted from 1; "" of what is not known."""
        if value is None:
            return ""
        if self.theme.measure.type == NUMBER:
            found = (number for number, one in enumerate(self.classes) if float(value) <= one.high)
        else:
            own = [one.name for one in self.classes]
            found = iter([own.index(value) if value in own else own.index(None)])
        return str(next(found, len(self.classes) - 1) + 1)


def offered(grants: tuple[Grant, ...]) -> list[Measure]:
    """The measures that somebody with these grants may map."""
    figures = not open_to(grants).rows.never
    return [one for one in MEASURES.values() if figures or not one.restricted]


def open_to(grants: tuple[Grant, ...]) -> View:
    """Where somebody with these grants reads what firms pay, use and are graded."""
    return COLLECTIONS["candidates"].seen_by(tuple(one for one in grants if one.role in FIGURE_READERS))


def classes(theme: Theme, criteria: str, grants: tuple[Grant, ...]) -> Classes:
    """The classes of what these grants see, of the subjects that a set judged; NotAllowed for a measure closed to them.

    They are made anew only when something was measured or flagged since.
    """
    view = readable(theme, grants)
    digest = stamp(theme, criteria, grants)
    found = cache.get(f"classes-{digest}")
    if found is None:
        found = _classes(theme, *_measured(theme, criteria, view, open_to(grants)))
        cache.set(f"classes-{digest}", found, KEPT_SECONDS)
    return found


def stamp(theme: Theme, criteria: str, grants: tuple[Grant, ...]) -> str:
    """Another text whenever the answer may be another one."""
    view, figures = COLLECTIONS["candidates"].seen_by(grants), open_to(grants)
    told = (
        theme.measure.name,
        theme.method,
        theme.number,
        criteria,
        get_language(),
        view.rows,
        figures.rows,
        tuple(Revision.objects.filter(name__in=("flag", "survey")).order_by("name").values_list("number", flat=True)),
        tuple(Measurement.objects.order_by("survey_id").values_list("survey_id", "revision", "measured_at")),
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


def judged(grants: tuple[Grant, ...]) -> View:
    """The view of the subjects that a theme is of; NotAllowed for who sees none."""
    view = COLLECTIONS["candidates"].seen_by(grants)
    if view.rows.never:
        raise NotAllowed(
            _("What the criteria suspect is open to the departments that decide on it."),
            _("Sign in with an account of one of them."),
        )
    return view


def readable(theme: Theme, grants: tuple[Grant, ...]) -> View:
    """The view of the subjects; NotAllowed where none is seen, or where the measure is closed everywhere."""
    view = judged(grants)
    if theme.measure.restricted and open_to(grants).rows.never:
        raise NotAllowed(
            _("“%(measure)s” is a figure of firms, which is not open to you.") % {"measure": theme.measure.title},
            _("Choose another measure."),
        )
    return view


def members(found: Classes, chosen: str) -> list[int]:
    """The numbers of the flags whose subjects are in the classes `chosen` (“0,2,?”), in their order.

    A row whose measure is closed to the reader is in none of them.
    """
    signs = set(chosen.split(","))
    for sign in sorted(signs - set(found.signs)):
        raise UnknownName(sign[:10], found.signs, _("class"))
    wanted = [ord(sign) for sign in signs]
    those = [
        first + np.flatnonzero(np.isin(np.frombuffer(line.encode("ascii"), dtype=np.uint8), wanted))
        for first, line in found.packed
    ]
    return np.concatenate(those).tolist() if those else []


# --- asking ------------------------------------------------------------------------------------------------------


def _measured(theme: Theme, criteria: str, view: View, figures: View) -> tuple:
    """Numbers of flags in their order, their values (None where nothing is known), whether open, and their land."""
    rows, params = view.rows.sql("f")
    may, further = figures.rows.sql("f", "figure") if theme.measure.restricted else ("TRUE", {})
    column = f"m.{theme.measure.name}" + ("::float8" if theme.measure.type == NUMBER else "")
    with connection.cursor() as cursor:
        cursor.execute(
            _question().format(value=f"CASE WHEN {may} THEN {column} END", open=may, rows=rows),
            params | further | {"criteria": criteria, "kinds": list(theme.measure.subjects)},
        )
        found = cursor.fetchall()
    if not found:
        return [], [], [], []
    return tuple(zip(*found, strict=True))


@read_once
def _question() -> str:
    return QUESTION.read_text(encoding="utf-8")


# --- parting -----------------------------------------------------------------------------------------------------


def _classes(theme: Theme, numbers, values, opened, areas) -> Classes:
    areas = np.array(areas, dtype=float)
    values = [value if seen else None for value, seen in zip(values, opened, strict=True)]
    if theme.measure.type == NUMBER:
        known = np.array(values, dtype=float)  # None becomes nan
        found, which = _of_numbers(theme, known, areas)
    else:
        found, which = _of_texts(theme, values, areas)
    signs = np.array([*map(str, range(max(NAMED, MOST) + 1)), UNKNOWN, CLOSED])
    nobody, shut = len(signs) - 2, len(signs) - 1
    which = np.where(which < 0, nobody, which)
    opened = np.array(opened, dtype=bool)
    which = np.where(opened, which, shut)
    unknown = which == nobody
    return Classes(
        theme,
        tuple(found),
        Class(int(unknown.sum()), float(areas[unknown].sum()), title=str(_("Not known"))),
        int((which == shut).sum()),
        packed(np.array(numbers, dtype=np.int64), signs[which]),
    )


def _of_numbers(theme: Theme, values: np.ndarray, areas: np.ndarray) -> tuple[list[Class], np.ndarray]:
    there = ~np.isnan(values)
    if not there.any():
        return [], np.full(len(values), -1)
    distinct, counts = np.unique(values[there], return_counts=True)
    highs = {"quantile": quantiles, "equal": steps, "natural": natural}[theme.method](distinct, counts, theme.number)
    if theme.method == "equal":  # steps are read as numbers of the measure's own decimals
        highs = np.append(np.round(highs[:-1], theme.measure.decimals), distinct[-1])
        highs = np.unique(highs)
    which = np.where(there, np.searchsorted(highs, values, side="left"), -1)
    lows = [float("-inf"), *map(float, highs[:-1])]
    found = []
    for number, (low, high) in enumerate(zip(lows, map(float, highs), strict=True)):
        mine = which == number
        inside = values[mine]
        found.append(
            Class(
                int(mine.sum()),
                float(areas[mine].sum()),
                low,
                high,
                float(inside.min()) if len(inside) else None,
                float(inside.max()) if len(inside) else None,
            )
        )
    return found, which


def quantiles(distinct: np.ndarray, counts: np.ndarray, number: int) -> np.ndarray:
    """The highest value of each class where each holds about as many; equal values are never parted."""
    upto = np.cumsum(counts)
    wanted = upto[-1] * np.arange(1, number + 1) / number
    return np.unique(distinct[np.minimum(np.searchsorted(upto, wanted - 1e-9), len(distinct) - 1)])


def steps(distinct: np.ndarray, counts: np.ndarray, number: int) -> np.ndarray:
    """The highest value of each class where all are as wide."""
    least, most = distinct[0], distinct[-1]
    if least == most:
        return np.array([most])
    return least + (most - least) * np.arange(1, number + 1) / number


def natural(distinct: np.ndarray, counts: np.ndarray, number: int) -> np.ndarray:
    """The highest value of each class where values differ least within the classes (Fisher 1958; Jenks' optimum).

    The least sum of squares is found by going through all ways to part the ordered values. Of more than a thousand
    values neighbours are taken together first, so that each step holds about as many.
    """
    if len(distinct) <= number:
        return distinct
    highs = distinct
    sums, squares, weights = distinct * counts, distinct**2 * counts, counts.astype(float)
    if len(distinct) > STEPS:
        highs = quantiles(distinct, counts, STEPS)
        starts = np.concatenate([[0], np.searchsorted(distinct, highs[:-1], side="right")])
        sums, squares, weights = (np.add.reduceat(one, starts) for one in (sums, squares, weights))
    size = len(highs)
    sums, squares, weights = (np.concatenate([[0.0], np.cumsum(one)]) for one in (sums, squares, weights))

    def within(start: np.ndarray, end: int) -> np.ndarray:
        """The sum of squares about the mean of the steps start … end - 1, for each start."""
        total, weight = sums[end] - sums[start], weights[end] - weights[start]
        return squares[end] - squares[start] - total * total / weight

    best = np.array([np.inf, *(within(np.array([0]), end)[0] for end in range(1, size + 1))])
    cuts = []
    for _class in range(1, number):
        before, best, cut = best, np.full(size + 1, np.inf), np.zeros(size + 1, dtype=int)
        for end in range(_class + 1, size + 1):
            starts = np.arange(_class, end)
            told = before[starts] + within(starts, end)
            least = int(np.argmin(told))
            best[end], cut[end] = told[least], starts[least]
        cuts.append(cut)
    ends, end = [size], size
    for cut in reversed(cuts):
        end = int(cut[end])
        ends.append(end)
    return highs[np.array(sorted(ends)) - 1]


def _of_texts(theme: Theme, values, areas: np.ndarray) -> tuple[list[Class], np.ndarray]:
    told = Counter(value for value in values if value is not None)
    if theme.measure.type == BOOLEAN:
        names = [value for value in (True, False) if value in told]
    else:
        names = sorted(told, key=lambda value: (-told[value], value))
    own = names if len(names) <= NAMED + 1 else names[:NAMED]
    place = {name: number for number, name in enumerate(own)} | {name: len(own) for name in names[len(own) :]}
    which = np.array([place.get(value, -1) for value in values], dtype=int)
    found = [
        Class(told[name], float(areas[which == place[name]].sum()), name=name, title=called(theme.measure, name))
        for name in own
    ]
    if len(own) < len(names):
        rest = which == len(own)
        found.append(
            Class(
                int(rest.sum()),
                float(areas[rest].sum()),
                title=_("Other values (%(number)d)") % {"number": len(names) - len(own)},
            )
        )
    return found, which


def called(measure: Measure, value: str | bool) -> str:
    """A value in words where it stands for something, with its code."""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if measure.uom == "TD/T 1055" and (use := codes.land_use(codes.SANDIAO).get(value)):
        return f"{use.name} {value}"
    if measure.uom == "ydyh2023" and (use := codes.land_use(codes.YDYH).get(value)):
        return f"{use.name} {value}"
    if measure.uom == "QLXZ" and (name := codes.domain("QLXZ").get(value)):
        return f"{name} {value}"
    if value in Category.values:
        return str(Category(value).label)
    return value


def packed(numbers: np.ndarray, signs: np.ndarray) -> list[list]:
    """[[first, signs]]: numbers that follow each other share a run, so that 120,000 subjects are 120 kB of text."""
    if not len(numbers):
        return []
    breaks = np.flatnonzero(np.diff(numbers) > BRIDGED) + 1
    runs = []
    for part, those in zip(np.split(numbers, breaks), np.split(signs, breaks), strict=True):
        line = np.full(int(part[-1] - part[0]) + 1, NOBODY)
        line[part - part[0]] = those
        runs.append([int(part[0]), "".join(line.tolist())])
    return runs
