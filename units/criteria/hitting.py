"""Count how many subjects each rule of a set hits by itself, over what was measured last."""

import hashlib

from django.core.cache import cache
from django.db import connection, transaction

from units.criteria import judging, sets
from units.criteria.sets import Criteria
from units.measuring import at_ease
from units.models import Measurement, Survey
from units.rights import Grant, view

KEPT = 24 * 3600  # seconds; the key has the revision of what was measured, so nothing old is told


def hits(criteria: Criteria, district: str, held: tuple[Grant, ...]) -> dict[str, dict[str, int]] | None:
    """Rule → {judged, met, unmet, unknown, alone} of what these grants see; None where nothing is measured.

    `judged` are the subjects of its kind and category, `alone` those for which it is the only rule that was met of
    those that flag, exclude or exempt.
    """
    survey = Survey.objects.filter(district=district, state=Survey.State.IN_FORCE).first()
    measured = survey and Measurement.objects.filter(survey_id=survey.pk).first()
    if not measured:
        return None
    where, rights = view(held, "candidates", ()).rows.sql("m")
    key = f"{criteria.digest} {survey.pk} {measured.revision} {measured.edition} {where} {sorted(rights.items())}"
    key = "hits-" + hashlib.sha256(key.encode()).hexdigest()
    found = cache.get(key)
    if found is None:
        found = {}
        for part in sets.parts(criteria):
            for rule, counts in _counted(part, survey.pk, where, rights).items():
                before = found.setdefault(rule, dict.fromkeys(counts, 0))
                found[rule] = {name: before[name] + number for name, number in counts.items()}
        cache.set(key, found, KEPT)
    return found


def _counted(part: sets.Part, survey: int, where: str, rights: dict) -> dict[str, dict[str, int]]:
    rules = part.criteria.rules
    folded = judging.judgement(part.criteria, bare=True)
    columns = []
    values: dict[str, object] = folded.values | part.values | rights | {"hit_survey": survey}
    for place, rule in enumerate(rules):
        values |= rule.condition.literals
        values |= {f"h{place}_kinds": list(rule.subjects), f"h{place}_id": [rule.id]}
        applies = f"m.kind = ANY(%(h{place}_kinds)s::text[])"
        if rule.categories and rule.effect != "classify":
            values[f"h{place}_categories"] = list(rule.categories)
            applies += f" AND f.category = ANY(%(h{place}_categories)s::text[])"
        asked = (
            "TRUE",
            rule.condition.sql,
            f"NOT {rule.condition.sql}",
            f"{rule.condition.sql} IS NULL",
            f"f.fired = %(h{place}_id)s::text[]",
        )
        columns += [f"count(*) FILTER (WHERE {applies} AND ({condition}))" for condition in asked]
    sql = f"""WITH measured AS MATERIALIZED (
    SELECT * FROM units_measured m WHERE m.survey_id = %(hit_survey)s AND {part.sql} AND {where}
)
SELECT {", ".join(columns)} FROM measured m JOIN ({folded.sql}) AS f ON f.subject = m.subject"""
    with transaction.atomic(), connection.cursor() as cursor:
        at_ease(cursor)
        cursor.execute(sql, values)
        counts = cursor.fetchone()
    names = ("judged", "met", "unmet", "unknown", "alone")
    return {
        rule.id: dict(zip(names, counts[place * len(names) : (place + 1) * len(names)], strict=True))
        for place, rule in enumerate(rules)
    }
