"""Measure the parcels of a district, judge them by a criteria set and replace what was flagged before."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from units import codes
from units.criteria import judging, landuse, measures, sets
from units.criteria.sets import Criteria
from units.errors import Busy, Refused, UnknownName, UsageError
from units.models import CriteriaEdition, Delivery, District, Flag, FlagRun, Parcel, Survey
from units.spatial import OVERLAP_AREA, OVERLAP_WIDTH, STORAGE_SRID

LOCK = "geoinv flag"  # one run a district at a time
SIDES = ("west", "south", "east", "north")  # of a delivery's extent, in this order


def flag(
    district_code: str,
    criteria_id: str,
    overrides: Mapping[str, str] | None = None,
    dry_run: bool = False,
    by=None,
) -> dict:
    """Judge every parcel of the district's survey in force; with `dry_run` only count.

    `overrides` is the what-if: other values of parameters, as text. It is only ever tried, and so is a set that is not
    approved or not yet valid: the flags that are stored are those of a set's own text.
    Raises UnknownName, UsageError, CriteriaError, Refused (no survey in force) and Busy.
    """
    began = time.monotonic()
    if overrides and not dry_run:
        raise UsageError(_("--set is a what-if: add --dry-run."))
    criteria = sets.load(criteria_id).with_values(dict(overrides or {}))
    if not dry_run:
        refuse_untried(criteria)
    with transaction.atomic(), connection.cursor() as cursor:
        lock(cursor, district_code)
        judging.prove(cursor, criteria)
        base = Base.of(district_code)
        measure(cursor, base)
        judge(cursor, criteria, base)
        counts = dict.fromkeys(judging.OUTCOMES, 0)
        cursor.execute("SELECT outcome, count(*) FROM judged GROUP BY outcome")
        counts |= dict(cursor.fetchall())
        # A candidate on which no building was delivered may be idle land, or a hole in the delivery: people look.
        cursor.execute(
            "SELECT count(*) FROM judged JOIN measured USING (subject) WHERE outcome = 'candidate' AND buildings = 0"
        )
        without_building = cursor.fetchone()[0]
        run = None
        if not dry_run:
            run = replace_flags(cursor, criteria, base, counts, by)
            run.seconds = round(time.monotonic() - began, 3)
            run.save(update_fields=["seconds"])
        for relation in ("judged", "measured", *reversed(measures.RELATIONS)):
            cursor.execute(f"DROP TABLE pg_temp.{relation}")
    return {
        "run": run.pk if run else None,
        "district": district_code,
        "survey": base.year,
        "criteria": criteria.id,
        "title": sets.in_words(criteria.title, criteria.title_en),
        "official": criteria.official,
        "digest": criteria.digest,
        "overrides": dict(overrides or {}),
        "dry_run": dry_run,
        "subjects": sum(counts.values()),
        **counts,
        "without_building": without_building,
        "seconds": round(time.monotonic() - began, 3),
    }


def refuse_untried(criteria: Criteria, today: date | None = None) -> None:
    """Refuse to write flags by a set that is a draft, retired or not yet valid."""
    hint = _("With --dry-run it may be tried.")
    if criteria.status != "approved":
        raise Refused(
            _("The criteria set “%(name)s” is not approved (%(status)s).")
            % {"name": criteria.id, "status": criteria.status},
            hint,
        )
    if criteria.valid_from > (today or timezone.localdate()):
        raise Refused(
            _("The criteria set “%(name)s” is valid from %(day)s on.")
            % {"name": criteria.id, "day": criteria.valid_from.isoformat()},
            hint,
        )


def lock(cursor, district_code: str) -> None:
    """Hold the district for this transaction, or raise Busy."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s), hashtext(%s))", [LOCK, district_code])
    if not cursor.fetchone()[0]:
        raise Busy(
            _("Another run flags the district %(district)s.") % {"district": district_code},
            _("Wait until it has ended."),
        )


@dataclass(frozen=True)
class Base:
    """What a judgement stands on: the district's survey in force and what was delivered into it."""

    district: str
    srid: int
    survey: int
    year: int
    deliveries: dict[str, list[dict]]  # source → deliveries in force, the latest last

    @classmethod
    def of(cls, district_code: str) -> "Base":
        """UnknownName when there is no such district, Refused when it has no survey in force."""
        district = District.objects.filter(code=district_code).first()
        if district is None:
            raise UnknownName(district_code, District.objects.values_list("code", flat=True), _("district"))
        survey = Survey.objects.filter(district=district, state=Survey.State.IN_FORCE).first()
        if survey is None:
            raise Refused(
                _("The district %(district)s has no survey in force.") % {"district": district_code},
                _("Put one in force with activate_survey."),
            )
        found: dict[str, list[dict]] = {source: [] for source in measures.SOURCES}
        sources = {profile: source for source, profile in measures.SOURCES.items()}
        rows = Delivery.objects.filter(survey=survey, profile__in=sources, state=Delivery.State.LOADED)
        for row in rows.order_by("imported_at", "pk"):
            found[sources[row.profile]].append(
                {
                    "delivery": row.pk,
                    "file": row.file_name,
                    "sha256": row.sha256,
                    "imported_on": timezone.localtime(row.imported_at).date().isoformat(),
                    # [west, south, east, north] in degrees; a delivery taken before this was kept does not have it
                    **({"extent": row.settings["extent"]} if "extent" in row.settings else {}),
                }
            )
        return cls(district.code, district.srid, survey.pk, survey.year, found)

    def as_of(self, source: str) -> str:
        """The date that a measure of this source stands for: the survey's year, and when its last delivery came."""
        last = self.deliveries[source][-1:]
        return f"{self.year}" + (f" ({last[0]['imported_on']})" if last else "")

    def reach(self, source: str) -> dict[str, object]:
        """The boxes in which something of this source was delivered; a delivery that keeps none reaches everywhere."""
        known = [one["extent"] for one in self.deliveries[source] if one.get("extent")]
        sides = zip(*known, strict=True) if known else ([], [], [], [])
        return {
            "reach_everywhere": any("extent" not in one for one in self.deliveries[source]),
            **{f"reach_{side}": list(one) for side, one in zip(SIDES, sides, strict=True)},
        }

    def values(self, parcel: int | None = None) -> dict[str, object]:
        """What the questions of `sql/measures/` bind."""
        pairs = Parcel.objects.filter(survey=self.survey).exclude(registered_use="")
        if parcel is not None:
            pairs = pairs.filter(pk=parcel)
        uses = [
            (scheme, use, landuse.classes_of(scheme, use), landuse.category_of(scheme, use))
            for scheme, use in pairs.order_by().values_list("use_scheme", "registered_use").distinct()
        ]
        uses = [row for row in uses if row[2]]
        construction = codes.construction_codes()
        known = [code for code in landuse.categories() if code in codes.land_use(codes.SANDIAO)]
        return {
            "survey": self.survey,
            "survey_year": self.year,
            "srid": self.srid,
            "storage_srid": STORAGE_SRID,
            "parcel": parcel,
            "patches_loaded": bool(self.deliveries["patches"]),
            "buildings_loaded": bool(self.deliveries["buildings"]),
            **self.reach("buildings"),
            "uncovered": measures.UNCOVERED,
            "overlapped": measures.OVERLAPPED,
            "overlap_area": OVERLAP_AREA,
            "overlap_width": OVERLAP_WIDTH,
            "class_codes": known,
            "class_construction": [code in construction for code in known],
            "class_categories": [landuse.categories()[code] for code in known],
            "use_schemes": [scheme for scheme, *rest in uses],
            "use_codes": [row[1] for row in uses],
            "use_classes": [",".join(sorted(row[2])) for row in uses],
            "use_categories": [row[3] for row in uses],
        }

    def constants(self, criteria: Criteria) -> dict[str, object]:
        """What every evidence says alike: set, digest, parameters, survey and deliveries."""
        evidence = {
            "criteria": criteria.id,
            "digest": criteria.digest,
            "measures": measures.edition(),
            "survey": self.year,
            "sources": self.deliveries,
            "params": {name: {"value": plain(one.value), "uom": one.uom} for name, one in criteria.params.items()},
        }
        return {
            "constant_evidence": json.dumps(evidence, ensure_ascii=False),
            **{f"as_of_{source}": self.as_of(source) for source in measures.SOURCES},
        }


def plain(value):
    """A parameter's value as JSON holds it."""
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def measure(cursor, base: Base) -> None:
    """Make the temporary relation `measured`: one row a parcel, every measure, rounded."""
    values = base.values()
    for relation in measures.RELATIONS:
        cursor.execute(f"CREATE TEMP TABLE {relation} ON COMMIT DROP AS {measures.question(relation)}", values)
        if relation in measures.GROUND:
            cursor.execute(f"CREATE INDEX ON pg_temp.{relation} USING gist (geom)")
        cursor.execute(f"ANALYZE pg_temp.{relation}")
    cursor.execute(f"CREATE TEMP TABLE measured ON COMMIT DROP AS {measures.measured()}")


def judge(cursor, criteria: Criteria, base: Base) -> None:
    """Make the temporary relation `judged` of `measured`: one row a parcel with outcome and evidence."""
    asked = judging.judgement(criteria)
    cursor.execute(f"CREATE TEMP TABLE judged ON COMMIT DROP AS {asked.sql}", asked.values | base.constants(criteria))


def replace_flags(cursor, criteria: Criteria, base: Base, counts: dict, by) -> FlagRun:
    """Put the judged subjects in the place of the district's flags of this set, in the running transaction."""
    edition, _created = CriteriaEdition.objects.get_or_create(
        digest=criteria.digest,
        defaults={
            "name": criteria.id,
            "title": criteria.title,
            "official": criteria.official,
            "text": criteria.text,
        },
    )
    run = FlagRun.objects.create(
        district_id=base.district,
        survey_id=base.survey,
        edition=edition,
        params={
            "values": {name: plain(one.value) for name, one in criteria.params.items()},
            "measures": measures.edition(),
        },
        counts=counts,
        subjects=sum(counts.values()),
        ran_by=by,
    )
    # A subject keeps the id of its flag from run to run: programs page through candidates by it.
    cursor.execute(
        """
        INSERT INTO units_flag (run_id, district_id, street_id, criteria, parcel_id, category, outcome, fired, missing,
                                evidence)
        SELECT %(run)s, district_id, street_id, %(criteria)s, subject, category, outcome, fired, missing, evidence
        FROM judged
        ORDER BY subject
        ON CONFLICT ON CONSTRAINT flag_once_a_subject_and_criteria DO UPDATE
        SET (run_id, district_id, street_id, category, outcome, fired, missing, evidence)
          = (EXCLUDED.run_id, EXCLUDED.district_id, EXCLUDED.street_id, EXCLUDED.category, EXCLUDED.outcome,
             EXCLUDED.fired, EXCLUDED.missing, EXCLUDED.evidence)
        """,
        {"run": run.pk, "criteria": criteria.id},
    )
    gone = Flag.objects.filter(district_id=base.district, criteria=criteria.id).exclude(run=run)
    gone._raw_delete(using=connection.alias)
    return run
