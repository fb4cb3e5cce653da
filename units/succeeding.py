"""Tell which parcels of the next round of a survey took the place of which parcels of the round before."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

from django.db import connection

from units.lineage import note
from units.models import Lineage, Survey

QUESTION = (Path(__file__).parent / "sql" / "history" / "succession.sql").read_text(encoding="utf-8")
# Shares of area, of 1. Ours, as for deliveries (importers/matching.py): below it a boundary was drawn anew, no more.
MEANT = 0.05
Kind = Lineage.Kind


def succeed(before: Survey, after: Survey, by=None) -> Counter:
    """Keep what became of the parcels whose code went or lost ground, from one round to the next; how many, by kind.

    `renumbered`: the whole ground under another code and nothing else; `split`: it went to several; `merge`: to one
    that has ground of others too. A code that stayed on its ground is told of only where it was split.
    """
    with connection.cursor() as cursor:
        cursor.execute(QUESTION, {"before": before.pk, "after": after.pk, "meant": MEANT})
        rows = cursor.fetchall()
    told = told_apart(rows)
    note(Lineage.Register.PARCEL, after.district_id, told, by=by, survey=after)
    return Counter(kind for _start, _end, kind, _share in told)


def told_apart(rows: list[tuple[str, str, Decimal]]) -> list[tuple[str, str, str, Decimal]]:
    """Each (from, to, share) with its kind, from how many codes share one ground; what went nowhere else is dropped."""
    parts = Counter(start for start, _end, _share in rows)
    wholes = Counter(end for _start, end, _share in rows)
    told = []
    for start, end, share in rows:
        if parts[start] > 1:
            kind = Kind.SPLIT
        elif wholes[end] > 1:
            kind = Kind.MERGE
        else:
            kind = Kind.RENUMBERED
        if start != end or parts[start] > 1:
            told.append((start, end, kind, share))
    return told
