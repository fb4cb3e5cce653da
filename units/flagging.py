"""Measure the parcels and office buildings of a district, judge them by a criteria set and replace their flags."""

import json
import time
from collections.abc import Mapping
from datetime import date

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from units.comparing import compare
from units.criteria import judging, measures, sets
from units.criteria.sets import Criteria
from units.errors import Refused, UsageError
from units.measuring import Base, at_ease, forget, lock, measure, plain
from units.models import CriteriaEdition, Flag, FlagRun
from units.remeasuring import brought_up

# The subjects that have to be judged, and written about, again.
TO_JUDGE = """
    SELECT m.* FROM units_measured m
    LEFT JOIN (
        SELECT COALESCE(parcel_id, -building_id) AS subject, category, outcome, fired::text[] AS fired
        FROM units_flag WHERE district_id = %(district)s AND criteria = %(set)s
    ) AS f ON f.subject = m.subject
    LEFT JOIN pg_temp.verdict v ON v.subject = m.subject
    LEFT JOIN (
        SELECT subject, min(before) AS before, array_agg(name) AS names
        FROM pg_temp.moved, unnest(names) AS name
        GROUP BY subject
    ) AS w ON w.subject = m.subject
    WHERE m.survey_id = %(survey)s
      AND (f.subject IS NULL
           -- unless no rule of its category reads what alone is told otherwise
           OR m.revision > %(since)s AND NOT COALESCE(w.before <= %(since)s AND NOT EXISTS (
               SELECT FROM unnest(w.names) AS name
               WHERE concat_ws('/', m.kind, f.category, name) = ANY(%(reading)s::text[])
           ), FALSE)
           OR v.subject IS NOT NULL
              AND (v.category, v.outcome, v.fired) IS DISTINCT FROM (f.category, f.outcome, f.fired))
"""


def flag(
    district_code: str,
    criteria_id: str,
    overrides: Mapping[str, str] | None = None,
    dry_run: bool = False,
    by=None,
    changed: bool = False,
) -> dict:
    """Judge every parcel and office building of the district's survey in force; with `dry_run` only count.

    With `changed` only what a change has touched is measured again, and only subjects of which something else was
    measured are judged again: the flags are then those that a full run would leave. Where that cannot be known (other
    code, another set, another delivery) all is done all the same, and the run says so.
    `overrides` is the what-if: other values of parameters, as text. It is only ever tried, and so is a set that is not
    approved or not yet valid: the flags that are stored are those of a set's own text.
    Raises UnknownName, UsageError, CriteriaError, Refused (no survey in force) and Busy.
    """
    began = time.monotonic()
    if overrides and not dry_run:
        raise UsageError(_("--set is a what-if: add --dry-run."))
    if changed and dry_run:
        raise UsageError(_("A what-if judges every subject: leave out --changed."))
    criteria = sets.load(criteria_id).with_values(dict(overrides or {}))
    if criteria.district not in ("", district_code):
        raise Refused(
            _("The criteria set “%(name)s” is of another district (%(district)s).")
            % {"name": criteria.id, "district": criteria.district},
            _("Name a set of this district."),
        )
    if not dry_run:
        refuse_untried(criteria)
    with transaction.atomic(), connection.cursor() as cursor:
        lock(cursor, district_code)
        at_ease(cursor)
        judging.prove(cursor, criteria)
        base = Base.of(district_code)
        tell = tried if dry_run else judged_anew
        told = tell(cursor, criteria, base, changed, by)
        run = told.pop("run")
        if run:
            run.seconds = round(time.monotonic() - began, 3)
            run.save(update_fields=["seconds"])
    return {
        "run": run.pk if run else None,
        "kind": run.kind if run else None,
        "district": district_code,
        "survey": base.year,
        "criteria": criteria.id,
        "title": sets.in_words(criteria.title, criteria.title_en),
        "official": criteria.official,
        "digest": criteria.digest,
        "overrides": dict(overrides or {}),
        "dry_run": dry_run,
        "subjects": sum(told["counts"].values()),
        **told.pop("counts"),
        **told,
        "seconds": round(time.monotonic() - began, 3),
    }


def tried(cursor, criteria: Criteria, base: Base, changed: bool, by) -> dict:
    """Measure and judge all, write nothing, and tell what would change."""
    measure(cursor, base)
    judge(cursor, criteria, "SELECT * FROM pg_temp.measured", {})
    counts = dict.fromkeys(judging.OUTCOMES, 0)
    cursor.execute("SELECT outcome, count(*) FROM judged GROUP BY outcome")
    counts |= dict(cursor.fetchall())
    # A candidate on which no building was delivered may be idle land, or a hole in the delivery: people look.
    cursor.execute(
        "SELECT count(*) FROM judged JOIN pg_temp.measured USING (subject) "
        "WHERE outcome = 'candidate' AND buildings = 0"
    )
    told = {
        "run": None,
        "counts": counts,
        "without_building": cursor.fetchone()[0],
        "changes": compare(cursor, base.district, criteria.id),
    }
    forget(cursor)
    return told


def judged_anew(cursor, criteria: Criteria, base: Base, changed: bool, by) -> dict:
    """Measure what has to be measured, judge what has to be judged, and replace the flags."""
    found = brought_up(cursor, base, full=not changed)
    constants = of_the_parts(criteria, base)
    last = last_run(criteria, base)
    follows = last is not None and same(last, constants)
    # What was measured later than the flags were judged, what has lost its flag, and in a full run what is judged
    # otherwise though nothing was changed; all, where they were judged by another text or on other ground.
    since = last.revision if follows else 0
    values = {
        "survey": base.survey,
        "since": since,
        "district": base.district,
        "set": criteria.id,
        "reading": sorted({one for part in sets.parts(criteria) for one in judging.reading(part.criteria)}),
    }
    if follows and not changed:
        judge(cursor, criteria, "SELECT * FROM units_measured m WHERE m.survey_id = %(survey)s", values, bare=True)
    else:
        cursor.execute("CREATE TEMP TABLE verdict (subject bigint, category text, outcome text, fired text[])")
    cursor.execute("ANALYZE pg_temp.verdict, pg_temp.moved")
    judge(cursor, criteria, TO_JUDGE, values)
    cursor.execute("DROP TABLE pg_temp.verdict, pg_temp.moved")
    cursor.execute("SELECT count(*) FROM judged")
    judged = cursor.fetchone()[0]
    kind = FlagRun.Kind.CHANGED if changed and follows else FlagRun.Kind.FULL
    run = replace_flags(cursor, criteria, base, constants, found.revision, kind, by)
    cursor.execute(
        """
        SELECT count(*) FROM units_flag f
        JOIN units_measured m ON m.subject = COALESCE(f.parcel_id, -f.building_id)
        WHERE f.district_id = %s AND f.criteria = %s AND f.outcome = 'candidate' AND m.buildings = 0
        """,
        [base.district, criteria.id],
    )
    without_building = cursor.fetchone()[0]
    cursor.execute("DROP TABLE pg_temp.judged")
    return {
        "run": run,
        "counts": run.counts,
        "without_building": without_building,
        "measured": {"all": found.full, "why": found.why, "looked_at": found.looked, "changed": found.changed},
        "judged": judged,
    }


def last_run(criteria: Criteria, base: Base) -> FlagRun | None:
    """The run that judged the survey by this very text last."""
    runs = FlagRun.objects.filter(district_id=base.district, edition__name=criteria.id).order_by("-pk")
    run = runs.first()
    return run if run and run.edition_id == criteria.digest and run.survey_id == base.survey and run.revision else None


def same(run: FlagRun, constants: dict) -> bool:
    """Whether a run had alike what a run has now: parameters, deliveries, measures, clauses."""
    return run.params.get("evidence") == json.loads(json.dumps(constants, default=str))


def of_the_parts(criteria: Criteria, base: Base) -> dict:
    """What the evidence has alike, for all streets and, under `areas`, for each sub-area that has rules of its own."""
    parts = {part.criteria.area: base.constants(part.criteria) for part in sets.parts(criteria)}
    rest = parts.pop("")
    return rest | ({"areas": parts} if parts else {})


def refuse_untried(criteria: Criteria, today: date | None = None) -> None:
    """Refuse to write flags by a set that is a draft, retired or not yet valid, or that flags nothing."""
    hint = _("With --dry-run it may be tried.")
    if not criteria.flags:
        raise Refused(
            _("The criteria set “%(name)s” has no rule that flags: it is a frame for others and judges nothing.")
            % {"name": criteria.id},
            _("Flag by a set that refines it; with --dry-run it may be tried."),
        )
    if criteria.example:
        raise Refused(
            _("The criteria set “%(name)s” is an example and holds nowhere.") % {"name": criteria.id},
            _("With --dry-run it may be tried; a district that wants it approves a set of its own with it as parent."),
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
    if "verdicts" not in flag.evidence:
        return flag.evidence
    constants = flag.run.params["evidence"]
    if area := flag.evidence.get("area"):
        return evidence(constants["areas"][area], flag.evidence) | {"area": area}
    return evidence(constants, flag.evidence)


def judge(cursor, criteria: Criteria, asked: str, values: dict[str, object], bare: bool = False) -> None:
    """Make the temporary relation `judged` of the subjects that `asked` yields: one row each, outcome and evidence.

    Each is judged by the rules of its sub-area, which the evidence names. With `bare` only subject, category, outcome
    and fired are told, in the relation `verdict`.
    """
    made, relation = False, "verdict" if bare else "judged"
    for part in sets.parts(criteria):
        question = judging.judgement(part.criteria, bare=bare)
        area = f" || jsonb_build_object('area', '{part.criteria.area}')" if part.criteria.area else ""
        whole = f", parcel_id, building_id, district_id, street_id, missing, evidence{area} AS evidence"
        cursor.execute(
            f"""
            {f"INSERT INTO pg_temp.{relation}" if made else f"CREATE TEMP TABLE {relation} ON COMMIT DROP AS"}
            WITH measured AS NOT MATERIALIZED (SELECT m.* FROM ({asked}) AS m WHERE {part.sql})
            SELECT subject, category, outcome, fired{"" if bare else whole}
            FROM ({question.sql}) AS one
            """,
            values | part.values | question.values,
        )
        made = True


def replace_flags(
    cursor, criteria: Criteria, base: Base, constants: dict, revision: int, kind: FlagRun.Kind, by
) -> FlagRun:
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
        kind=kind,
        district_id=base.district,
        survey_id=base.survey,
        edition=edition,
        params={
            "values": {name: plain(one.value) for name, one in criteria.params.items()},
            "measures": measures.edition(),
            "evidence": constants,
        },
        revision=revision,
        ran_by=by,
    )
    # A subject keeps the id of its flag from run to run: programs page through candidates by it.
    cursor.execute(
        """
        INSERT INTO units_flag (run_id, district_id, street_id, criteria, parcel_id, building_id, category, outcome,
                                fired, missing, evidence)
        SELECT %(run)s, district_id, street_id, %(criteria)s, parcel_id, building_id, category, outcome, fired, missing,
               evidence
        FROM pg_temp.judged
        ORDER BY subject
        ON CONFLICT ON CONSTRAINT flag_once_a_subject_and_criteria DO UPDATE
        SET (run_id, district_id, street_id, category, outcome, fired, missing, evidence)
          = (EXCLUDED.run_id, EXCLUDED.district_id, EXCLUDED.street_id, EXCLUDED.category, EXCLUDED.outcome,
             EXCLUDED.fired, EXCLUDED.missing, EXCLUDED.evidence)
        """,
        {"run": run.pk, "criteria": criteria.id},
    )
    told = {"district": base.district, "survey": base.survey, "criteria": criteria.id}
    cursor.execute(
        """
        DELETE FROM units_flag f WHERE f.district_id = %(district)s AND f.criteria = %(criteria)s AND NOT EXISTS (
            SELECT FROM units_measured m
            WHERE m.subject = COALESCE(f.parcel_id, -f.building_id) AND m.survey_id = %(survey)s)
        """,
        told,
    )
    cursor.execute(
        "SELECT outcome, count(*) FROM units_flag WHERE district_id = %(district)s AND criteria = %(criteria)s "
        "GROUP BY outcome",
        told,
    )
    run.counts = dict.fromkeys(judging.OUTCOMES, 0) | dict(cursor.fetchall())
    run.subjects = sum(run.counts.values())
    run.save(update_fields=["counts", "subjects"])
    return run
