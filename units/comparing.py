"""Tell which subjects a what-if gives another outcome than the flags that are stored, and how much land that is."""

from functools import cache
from pathlib import Path

from units.models import FlagRun
from units.spatial import rounded

QUESTION = Path(__file__).parent / "sql" / "changed_outcomes.sql"
HECTARE_DECIMALS = 4  # a hectare to the square metre


def compare(cursor, district_code: str, criteria_id: str) -> dict:
    """The temporary relation `judged` against the stored flags of the same district and set.

    {against: {run, ran_at} or None, outcomes: [{kind, from, to, subjects, hectares, codes}], other_rules: the same
    without a change of outcome}. `from` is null for a subject that no flag is stored of, `to` for one that is no
    subject any more. Where the set never ran there is nothing to compare with: against None, lists empty.
    """
    run = (
        FlagRun.objects.filter(district_id=district_code, edition__name=criteria_id).order_by("-ran_at", "-pk").first()
    )
    if run is None:
        return {"against": None, "outcomes": [], "other_rules": []}
    cursor.execute(_question(), {"district": district_code, "criteria": criteria_id})
    rows = [
        {
            "kind": kind,
            "from": before,
            "to": after,
            "subjects": subjects,
            "hectares": float(rounded(hectares, HECTARE_DECIMALS)),
            "codes": codes,
        }
        for kind, before, after, subjects, hectares, codes in cursor.fetchall()
    ]
    return {
        "against": {"run": run.pk, "ran_at": run.ran_at.isoformat()},
        "outcomes": [row for row in rows if row["from"] != row["to"]],
        "other_rules": [row for row in rows if row["from"] == row["to"]],
    }


@cache
def _question() -> str:
    return QUESTION.read_text(encoding="utf-8")
