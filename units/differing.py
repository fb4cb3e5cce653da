"""Tell what came, went and changed in a register between two days, or between two rounds of the survey."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from django.core.cache import cache
from django.db import connection, transaction
from django.utils.translation import gettext as _

from units.asof import end_of, today
from units.collections import KEPT, Collection
from units.errors import NotAllowed, NotFound, UnknownName, UsageError
from units.models import Revision, Survey
from units.rights import Grant, View, view

QUESTION = (Path(__file__).parent / "sql" / "history" / "differences.sql").read_text(encoding="utf-8")
# By what a feature of one side is the same as one of the other; without it, by its number.
KEYS = {"patches": "s.bsm", "units": "s.code || '/' || s.edition", "control-areas": "s.fid::text"}
ROUNDS = ("parcels", "buildings", "patches")
KINDS = ("added", "removed", "moved", "reworded")
# What follows from the round or from the shape is no change of its own.
NOT_WORDS = ("area_m2", "base_survey", "district_name")
MEASURED = 2_000  # features with another shape; of more, what each gained and lost is measured on its page only
KEPT_SECONDS = 24 * 3600
LAND = "CASE WHEN {one} IS NOT NULL THEN ST_Area(ST_Difference({one}, {other})::geography) END"  # m² of the one alone
MILLISECONDS = 60_000  # a comparison that takes longer is given up


@dataclass(frozen=True)
class Comparison:
    """One register of one district at two times, as one reader sees it."""

    register: str
    district: str
    before: Collection
    after: Collection
    view: View

    def totals(self) -> dict[str, dict]:
        """For each kind {rows, before_m2, after_m2, gained_m2, lost_m2}, of `same` the rows; areas on the ellipsoid.

        Of features with another shape `gained_m2` and `lost_m2` are the land that they have more and less; None where
        there are more than MEASURED of them.
        """
        key = f"differences-{self._digest()}"
        found = cache.get(key) if self.before.revisions else None
        if found is None:
            asked, values = self._question()
            rows = _asked(
                "SELECT kind, count(*) AS rows, COALESCE(sum(area_before), 0) AS before_m2,"
                f" COALESCE(sum(area_after), 0) AS after_m2 FROM ({asked}) d GROUP BY kind",
                values,
            )
            empty = {"rows": 0, "before_m2": 0.0, "after_m2": 0.0}
            found = {kind: dict(empty) for kind in (*KINDS, "same")}
            found |= {row.pop("kind"): row for row in rows}
            found["added"] |= {"gained_m2": found["added"]["after_m2"], "lost_m2": 0.0}
            found["removed"] |= {"gained_m2": 0.0, "lost_m2": found["removed"]["before_m2"]}
            found["moved"] |= self._land(found["moved"]["rows"])
            if self.before.revisions:  # which say when the answer is another
                cache.set(key, found, KEPT_SECONDS)
        return found

    def rows(self, kinds: Iterable[str] = KINDS, after: str = "", size: int = 50) -> tuple[list[dict], str | None]:
        """A page of what differs, in the order of the keys, and the key after which the next one begins.

        Each {key, kind, words, fid_before, fid_after, area_before, area_after, gained_m2, lost_m2}.
        """
        asked, values = self._question()
        rows = _asked(
            "SELECT key, kind, words, fid_before, fid_after, area_before, area_after,"
            f" CASE WHEN kind = 'moved' THEN {LAND.format(one='geom_after', other='geom_before')} END AS gained_m2,"
            f" CASE WHEN kind = 'moved' THEN {LAND.format(one='geom_before', other='geom_after')} END AS lost_m2,"
            " ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north"
            f" FROM (SELECT *, COALESCE(geom_after, geom_before) AS box FROM ({asked}) d"
            " WHERE kind = ANY(%(kinds)s) AND key > %(after)s ORDER BY key LIMIT %(limit)s) page ORDER BY key",
            values | {"kinds": list(kinds), "after": after, "limit": size + 1},
        )
        more = len(rows) > size
        return rows[:size], rows[size - 1]["key"] if more else None

    def _land(self, moved: int) -> dict:
        if moved > MEASURED:
            return {"gained_m2": None, "lost_m2": None}
        asked, values = self._question()
        (row,) = _asked(
            f"SELECT COALESCE(sum({LAND.format(one='geom_after', other='geom_before')}), 0) AS gained_m2,"
            f" COALESCE(sum({LAND.format(one='geom_before', other='geom_after')}), 0) AS lost_m2"
            f" FROM ({asked}) d WHERE kind = 'moved'",
            values,
        )
        return row

    def _question(self) -> tuple[str, dict]:
        words = [name for name in self.before.names if name not in NOT_WORDS and self.view.sees(name)]
        values: dict = {}
        sides = {}
        for name, one in (("before", self.before), ("after", self.after)):
            rights, its = self.view.rows.sql("s")
            columns = []
            for word in words:
                condition = self.view.columns[word]
                if condition == self.view.rows:
                    columns.append(f"s.{word}")
                    continue
                written, more = condition.sql("s", f"see_{word}")
                its |= more
                columns.append(f"CASE WHEN {written} THEN s.{word} END AS {word}")
            text = (
                f"SELECT {KEYS.get(self.register, 's.code')} AS key, s.fid, s.geom, {', '.join(columns)}"
                f" FROM ({one.source()}) s WHERE {rights} AND s.district_id = %(district)s"
            )
            its |= one.values | {"district": self.district}
            # Both sides have values of the same names: each gets its own.
            sides[name] = text.replace("%(", f"%({name}_")
            values |= {f"{name}_{key}": value for key, value in its.items()}
        asked = QUESTION.format(
            before=sides["before"],
            after=sides["after"],
            words_before=", ".join(f"b.{word}" for word in words),
            words_after=", ".join(f"a.{word}" for word in words),
            pairs=", ".join(f"('{word}', b.{word} IS DISTINCT FROM a.{word})" for word in words),
        )
        return asked, values

    def _digest(self) -> str:
        revisions = sorted(Revision.objects.filter(name__in=self.before.revisions).values_list("name", "number"))
        return hashlib.sha256(repr((self, revisions)).encode()).hexdigest()[:32]


def between_days(register: str, district: str, first: date, last: date, grants: Iterable[Grant]) -> Comparison:
    """The register as it stood at the end of either day. Raises UnknownName, NotAllowed and UsageError."""
    if first >= last:
        raise UsageError(_("The first day must lie before the last."), _("Choose two days, the earlier one first."))
    one, seen = _seen(register, grants)
    # Not `at`, which would read today from the registers themselves: both sides are read in the same way.
    before, after = (replace(one, moment=end_of(day)) for day in (first, min(last, today())))
    return Comparison(register, district, before, after, seen)


def between_rounds(register: str, district: str, year: int, later: int, grants: Iterable[Grant]) -> Comparison:
    """The rows of two rounds of the survey, loaded, in force or retired. Raises UnknownName, NotAllowed, NotFound."""
    if register not in ROUNDS:
        raise UnknownName(register[:40], ROUNDS, _("layer of a survey"))
    if year >= later:
        raise UsageError(_("The first round must be the earlier one."), _("Choose two rounds of the survey."))
    one, seen = _seen(register, grants)
    surveys = dict(Survey.objects.filter(district=district).values_list("year", "pk"))
    for wanted in (year, later):
        if wanted not in surveys:
            raise NotFound(
                _("District %(code)s has no survey %(year)d.") % {"code": district, "year": wanted},
                _("Loaded are: %(known)s.") % {"known": ", ".join(map(str, sorted(surveys))) or _("none")},
            )
    return Comparison(register, district, one.of_round(surveys[year]), one.of_round(surveys[later]), seen)


def registers(grants: Iterable[Grant]) -> dict[str, Collection]:
    """The registers whose past someone with these grants may compare: all of which more is open than to everybody."""
    grants = tuple(grants)
    nobody = {name: view((), name, one.names).rows for name, one in KEPT.items()}
    return {name: one for name, one in KEPT.items() if view(grants, name, one.names).rows != nobody[name]}


def _seen(register: str, grants: Iterable[Grant]) -> tuple[Collection, View]:
    if register not in KEPT:
        raise UnknownName(register[:40], KEPT, _("register"))
    one = KEPT[register]
    seen = one.seen_by(tuple(grants))
    if seen.rows.never:
        raise NotAllowed(
            _("“%(register)s” is not open to you.") % {"register": one.title},
            _("Sign in with an account whose role may see it."),
        )
    return one, seen


def _asked(statement: str, values: dict) -> list[dict]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(MILLISECONDS)])
        cursor.execute(statement, values)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
