"""Measure the parcels and office buildings of a district, judge them by a criteria set and replace their flags."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import psycopg
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from units import codes
from units.comparing import compare
from units.criteria import cutting, judging, landuse, measures, sets
from units.criteria.sets import Criteria
from units.errors import Busy, Refused, UnknownName, UsageError
from units.models import ControlArea, CriteriaEdition, Delivery, District, Flag, FlagRun, Parcel, Survey
from units.spatial import OVERLAP_AREA, OVERLAP_WIDTH, SQUARE_METRES_PER_MU, STORAGE_SRID

LOCK = "geoinv flag"  # one run a district at a time
SIDES = ("west", "south", "east", "north")  # of a delivery's extent, in this order


def flag(
    district_code: str,
    criteria_id: str,
    overrides: Mapping[str, str] | None = None,
    dry_run: bool = False,
    by=None,
) -> dict:
    """Judge every parcel and office building of the district's survey in force; with `dry_run` only count.

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
        at_ease(cursor)
        judging.prove(cursor, criteria)
        base = Base.of(district_code)
        measure(cursor, base, criteria)
        judge(cursor, criteria, base)
        counts = dict.fromkeys(judging.OUTCOMES, 0)
        cursor.execute("SELECT outcome, count(*) FROM judged GROUP BY outcome")
        counts |= dict(cursor.fetchall())
        # A candidate on which no building was delivered may be idle land, or a hole in the delivery: people look.
        cursor.execute(
            "SELECT count(*) FROM judged JOIN measured USING (subject) WHERE outcome = 'candidate' AND buildings = 0"
        )
        without_building = cursor.fetchone()[0]
        run, changes = None, None
        if dry_run:
            changes = compare(cursor, base.district, criteria.id)
        else:
            run = replace_flags(cursor, criteria, base, counts, by)
            run.seconds = round(time.monotonic() - began, 3)
            run.save(update_fields=["seconds"])
        forget(cursor)
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
        **({"changes": changes} if dry_run else {}),
        "seconds": round(time.monotonic() - began, 3),
    }


def refuse_untried(criteria: Criteria, today: date | None = None) -> None:
    """Refuse to write flags by a set that is a draft, retired or not yet valid, or that flags nothing."""
    hint = _("With --dry-run it may be tried.")
    if not criteria.flags:
        raise Refused(
            _("The criteria set “%(name)s” has no rule that flags: it is a frame for others and judges nothing.")
            % {"name": criteria.id},
            _("Flag by a set that refines it; with --dry-run it may be tried."),
        )
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


def at_ease(cursor) -> None:
    """Settings for this transaction: compiling the long expressions costs more than it saves, and memory is spared.

    Evidence of some 2 kB a row is packed by lz4, where this server has it: the other way takes as long as judging.
    """
    cursor.execute(
        """SELECT set_config('jit', 'off', TRUE), set_config('work_mem', '64MB', TRUE),
                  set_config('default_statistics_target', '10', TRUE),
                  (SELECT set_config(name, 'lz4', TRUE) FROM pg_settings
                   WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals))"""
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
        rows = Delivery.objects.filter(district=district, profile__in=sources, state=Delivery.State.LOADED)
        for row in rows.order_by("imported_at", "pk"):
            if row.survey_id != survey.pk and sources[row.profile] not in measures.LASTING:
                continue
            found[sources[row.profile]].append(
                {
                    "delivery": row.pk,
                    "file": row.file_name,
                    "sha256": row.sha256,
                    "imported_on": timezone.localtime(row.imported_at).date().isoformat(),
                    # [west, south, east, north] in degrees; a delivery taken before this was kept does not have it
                    **({"extent": row.settings["extent"]} if "extent" in row.settings else {}),
                    # of a control layer which one it is, and of which edition
                    **{key: row.settings[key] for key in ("kind", "edition") if key in row.settings},
                }
            )
        return cls(district.code, district.srid, survey.pk, survey.year, found)

    @property
    def control_kinds(self) -> list[str]:
        """The control layers of which a delivery is in force."""
        return sorted({one["kind"] for one in self.deliveries["control"] if "kind" in one})

    def as_of(self, source: str, layer: str = "") -> str:
        """The date that a measure of this source stands for: the survey's year, and when its last delivery came.

        Of a control layer its edition stands in the place of the year.
        """
        last = [one for one in self.deliveries[source] if not layer or one.get("kind") == layer][-1:]
        year = last[0].get("edition", self.year) if last else self.year
        return f"{year}" + (f" ({last[0]['imported_on']})" if last else "")

    def reach(self, source: str) -> dict[str, object]:
        """The boxes in which something of this source was delivered; a delivery that keeps none reaches everywhere."""
        known = [one["extent"] for one in self.deliveries[source] if one.get("extent")]
        sides = zip(*known, strict=True) if known else ([], [], [], [])
        return {
            "reach_everywhere": any("extent" not in one for one in self.deliveries[source]),
            **{f"reach_{side}": list(one) for side, one in zip(SIDES, sides, strict=True)},
        }

    def values(
        self, criteria: Criteria | None = None, parcel: int | None = None, building: int | None = None
    ) -> dict[str, object]:
        """What the questions of `sql/measures/` bind: for the whole district, or for one parcel or building.

        With a set only those control layers are overlaid that its rules read.
        """
        pairs = Parcel.objects.filter(survey=self.survey).exclude(registered_use="")
        uses = [
            (scheme, use, landuse.classes_of(scheme, use), landuse.category_of(scheme, use))
            for scheme, use in pairs.order_by().values_list("use_scheme", "registered_use").distinct()
        ]
        uses = [row for row in uses if row[2]]
        areas = ControlArea.objects.filter(district=self.district, kind="plot_plan", in_force=True)
        plans = [
            (scheme, use, landuse.classes_of(scheme, use), landuse.category_of(scheme, use))
            for scheme, use in areas.order_by().values_list("use_scheme", "use").distinct()
        ]
        kinds = self.control_kinds
        layers = kinds if criteria is None else [kind for kind in kinds if kind in layers_read_by(criteria)]
        construction = codes.construction_codes()
        known = [code for code in landuse.categories() if code in codes.land_use(codes.SANDIAO)]
        return {
            "district": self.district,
            "survey": self.survey,
            "survey_year": self.year,
            "srid": self.srid,
            "storage_srid": STORAGE_SRID,
            "mu": SQUARE_METRES_PER_MU,
            "parcel": parcel,
            "building": building,
            "patches_loaded": bool(self.deliveries["patches"]),
            "buildings_loaded": bool(self.deliveries["buildings"]),
            "occupancy_loaded": bool(self.deliveries["occupancy"]),
            "contracts_loaded": bool(self.deliveries["contracts"]),
            **self.reach("buildings"),
            "uncovered": measures.UNCOVERED,
            "overlapped": measures.OVERLAPPED,
            "overlap_area": OVERLAP_AREA,
            "overlap_width": OVERLAP_WIDTH,
            "nothing": cutting.NOTHING,
            "class_codes": known,
            "class_construction": [code in construction for code in known],
            "class_categories": [landuse.categories()[code] for code in known],
            "use_schemes": [scheme for scheme, *rest in uses],
            "use_codes": [row[1] for row in uses],
            "use_classes": [",".join(sorted(row[2])) for row in uses],
            "use_categories": [row[3] for row in uses],
            "control_kinds": kinds,
            "measured_kinds": layers,
            "control_gaps": json.dumps(
                {
                    one.name: f"control.{one.layer}"
                    for one in measures.MEASURES.values()
                    if one.family == "control" and one.layer not in kinds
                }
            ),
            "plan_schemes": [scheme for scheme, *rest in plans],
            "plan_uses": [row[1] for row in plans],
            "plan_classes": [",".join(sorted(row[2])) for row in plans],
            "plan_categories": [row[3] for row in plans],
        }

    def constants(self, criteria: Criteria) -> dict[str, object]:
        """What the evidence of every subject has alike: set, parameters, survey, deliveries, units and clauses."""
        names = dict.fromkeys(name for rule in criteria.rules for name in judging.read_by(rule))
        read = [measures.MEASURES[name] for name in names]
        return {
            "criteria": criteria.id,
            "digest": criteria.digest,
            "measures": measures.edition(),
            "survey": self.year,
            "sources": self.read_by(criteria),
            "params": {name: {"value": plain(one.value), "uom": one.uom} for name, one in criteria.params.items()},
            "inputs": {
                one.name: {"uom": one.uom, "source": one.source, "as_of": self.as_of(one.source, one.layer)}
                for one in read
            },
            "order": [rule.id for rule in criteria.rules],  # jsonb keeps none
            "rules": {
                rule.id: {
                    "effect": rule.effect,
                    "inputs": list(rule.condition.measures),
                    "params": list(rule.condition.params),
                }
                for rule in criteria.rules
            },
        }

    def read_by(self, criteria: Criteria) -> dict[str, list[dict]]:
        """The deliveries that the rules of the set look at."""
        used = [measures.MEASURES[name] for rule in criteria.rules for name in rule.condition.measures]
        layers = {one.layer for one in used}
        return {
            source: [one for one in found if "kind" not in one or one["kind"] in layers]
            for source, found in self.deliveries.items()
            if source in {one.source for one in used} | {"patches", "buildings", "parcels"}
        }


def layers_read_by(criteria: Criteria) -> set[str]:
    """The control layers that the rules of the set judge or speak of."""
    return {measures.MEASURES[name].layer for rule in criteria.rules for name in judging.read_by(rule)} - {""}


def evidence(constants: dict, own: dict) -> dict:
    """The whole evidence of a subject: what is alike for all of a run, joined with what is its own.

    Every input with value, uom, source, date and the fact that is missing; every rule that ran with its verdict.
    """
    inputs = {
        name: {"value": value, **constants["inputs"][name], "missing": own["gaps"].get(name)}
        for name, value in own["inputs"].items()
    }
    return {
        **{name: constants[name] for name in ("criteria", "measures", "survey", "sources", "params")},
        **{
            name: own[name] for name in ("digest", "category", "categorised", "exemption_pending", "classes", "overlay")
        },
        "inputs": inputs,
        "rules": [
            {
                "id": name,
                **constants["rules"][name],
                "verdict": own["verdicts"][name],
                "missing": missing(constants["rules"][name], inputs) if own["verdicts"][name] is None else [],
                "message": own["messages"].get(name),
            }
            for name in constants["order"]
            if name in own["verdicts"]
        ],
    }


def missing(rule: dict, inputs: dict) -> list[str]:
    """The facts to ask for where a rule cannot say."""
    return sorted({inputs[name]["missing"] or name for name in rule["inputs"] if inputs[name]["value"] is None})


def evidence_of(flag: Flag) -> dict:
    """The whole evidence of a stored flag; runs of earlier versions stored it whole."""
    return evidence(flag.run.params["evidence"], flag.evidence) if "verdicts" in flag.evidence else flag.evidence


def plain(value):
    """A parameter's value as JSON holds it."""
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def measure(cursor, base: Base, criteria: Criteria | None = None) -> None:
    """Make the temporary relation `measured`: one row a subject, every measure, rounded.

    With a set only those control layers are overlaid that its rules read; shares of others stay null.
    """
    values = base.values(criteria)
    parcels = None
    for relation in measures.RELATIONS:
        if relation in measures.CUT:
            layer, columns, held = measures.CUT[relation]
            kept = "".join(f"{name} {kind}, " for name, kind in columns.items())
            cursor.execute(
                f"CREATE TEMP TABLE {relation} ({kept}subject bigint, whole boolean, area float8, geom geometry) "
                "ON COMMIT DROP"
            )
            asked = f"pg_temp.{layer}" if layer not in measures.READ_ONCE else f"({measures.question(layer)}) AS layer"
            asked = psycopg.ClientCursor(connection.connection).mogrify(
                f"SELECT {', '.join(columns)}, geom::bytea FROM {asked}", values
            )
            parcels = parcels or cutting.Parcels(connection.connection)
            cutting.cut(connection.connection, parcels, asked, relation, tuple(columns), held)
        elif relation not in measures.READ_ONCE:
            cursor.execute(f"CREATE TEMP TABLE {relation} ON COMMIT DROP AS {measures.question(relation)}", values)
        else:
            continue
        for shape in measures.SHAPES.get(relation, ()):  # nothing is looked up by them
            cursor.execute(f"ALTER TABLE pg_temp.{relation} ALTER {shape} SET STATISTICS 0")
        cursor.execute(f"ANALYZE pg_temp.{relation}")
    cursor.execute(f"CREATE TEMP TABLE measured ON COMMIT DROP AS {measures.measured()}")


def forget(cursor) -> None:
    """Drop what `measure` and `judge` made, so that the transaction may measure again."""
    for relation in ("judged", "measured", *reversed(measures.RELATIONS)):
        if relation not in measures.READ_ONCE:
            cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{relation}")


def judge(cursor, criteria: Criteria, base: Base) -> None:
    """Make the temporary relation `judged` of `measured`: one row a subject with outcome and evidence."""
    asked = judging.judgement(criteria)
    cursor.execute(f"CREATE TEMP TABLE judged ON COMMIT DROP AS {asked.sql}", asked.values)


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
            "evidence": base.constants(criteria),
        },
        counts=counts,
        subjects=sum(counts.values()),
        ran_by=by,
    )
    # A subject keeps the id of its flag from run to run: programs page through candidates by it.
    cursor.execute(
        """
        INSERT INTO units_flag (run_id, district_id, street_id, criteria, parcel_id, building_id, category, outcome,
                                fired, missing, evidence)
        SELECT %(run)s, district_id, street_id, %(criteria)s, parcel_id, building_id, category, outcome, fired, missing,
               evidence
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
