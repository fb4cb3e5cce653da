"""Tell which codes stand today for a code of yesterday, and which codes a code came from."""

from collections.abc import Iterable
from decimal import Decimal

from units.models import Lineage, Parcel, RedevelopmentUnit, Reshaping, Survey

Row = tuple[str, str, str, Decimal | None]  # from code, to code, kind, share of the first's ground
State = RedevelopmentUnit.State


def note(register: str, district: str, rows: Iterable[Row], *, by=None, delivery=None, survey=None, reshaping=None):
    """Keep that the ground of one code went to another, for ever; `register` is one of Lineage.Register."""
    Lineage.objects.bulk_create(
        Lineage(
            register=register,
            district_id=district,
            from_code=start,
            to_code=end,
            kind=kind,
            share=share,
            by=by,
            delivery=delivery,
            survey=survey,
            reshaping=reshaping,
        )
        for start, end, kind, share in rows
    )


def resolve(register: str, district: str, code: str) -> list[str]:
    """The codes that stand now for the ground of `code`, however often it was split and merged; itself among them.

    A code that was used again later is not mixed up with what came of it before: the way goes forward in time only.
    """
    reached = _walk(register, district, code, forward=True)
    there = standing(register, district, reached)
    return [one for one in reached if one in there]


def origins(register: str, district: str, code: str) -> list[str]:
    """The codes whose ground came to `code`, the nearest first; without itself."""
    return [one for one in _walk(register, district, code, forward=False) if one != code]


def standing(register: str, district: str, codes: Iterable[str]) -> set[str]:
    """Which of the codes are there today: parcels of the survey in force, units that are not deleted."""
    if register == Lineage.Register.PARCEL:
        found = Parcel.objects.filter(survey__district=district, survey__state=Survey.State.IN_FORCE, code__in=codes)
    else:
        found = RedevelopmentUnit.objects.filter(district=district, code__in=codes).exclude(
            state__in=(State.DELETED, State.AMENDED)
        )
    return set(found.values_list("code", flat=True))


def in_effect(operations: Iterable[int]) -> set[int]:
    """Those of the operations that are not undone; an undoing that was undone itself undoes nothing."""
    asked = set(operations)
    undone_by: dict[int, int] = {}
    layer = asked
    while layer:
        found = dict(Reshaping.objects.filter(undoes__in=layer).values_list("undoes", "id"))
        undone_by |= found
        layer = set(found.values())
    return {one for one in asked if not _is_undone(one, undone_by)}


def _is_undone(operation: int, undone_by: dict[int, int]) -> bool:
    undone = False
    while operation in undone_by:
        operation, undone = undone_by[operation], not undone
    return undone


def _walk(register: str, district: str, code: str, *, forward: bool) -> list[str]:
    """Every code on the way, in the order of the steps; a step may only follow steps that were before (or after) it."""
    here, there = ("from_code", "to_code") if forward else ("to_code", "from_code")
    rows: dict[int, tuple[str, str]] = {}
    asked, layer = set(), {code}
    while layer:
        asked |= layer
        found = Lineage.objects.filter(register=register, district=district, **{f"{here}__in": layer})
        found = list(found.values_list("id", here, there, "reshaping"))
        kept = in_effect(operation for _id, _here, _there, operation in found if operation is not None)
        rows |= {one: (a, b) for one, a, b, operation in found if operation is None or operation in kept}
        layer = {there for _id, _here, there, _operation in found} - asked
    since: dict[str, int] = {code: 0 if forward else max(rows, default=0) + 1}
    reached = [code]
    # Rows are numbered in the order of time, so that one pass in that order sees every way there is.
    for one, (start, end) in sorted(rows.items(), reverse=not forward):
        if start not in since or (one <= since[start] if forward else one >= since[start]):
            continue
        if end not in since:
            since[end] = one
            reached.append(end)
    return reached
