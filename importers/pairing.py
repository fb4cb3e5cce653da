"""Hold the fields of each row against one another, as the layout of the profile says that they go together."""

import numpy as np
import pyarrow.compute as pc

from importers.checking import Batch
from importers.problems import WARN
from importers.profiles import Beginning, Pair, Sum

ROUNDING = 1e-6  # what two decimals lose in floating point


def check_pairs(batch: Batch):
    """Tell the rows whose fields contradict one another.

    A rule of a field that the layer lacks is not asked: that the field is missing is told once. Nor is a value that is
    wrong in itself held against others: that is told of the row already.
    """
    profile, has = batch.match.profile, batch.match.has
    named = {column: name for name, column in batch.match.columns.items()}
    told_already: dict[str, list[int]] = {}
    for problem in batch.problems:
        if problem.code == "3-area-differs":  # says nothing against the value as a sum
            continue
        told_already.setdefault(named.get(problem.field, problem.field), []).append(problem.row)
    for pair in profile.pairs:
        if has(pair.when.field) and has(pair.then.field):
            _check_pair(batch, pair, told_already)
    for one in profile.sums:
        if has(one.result) and has(one.of) and has(one.by):
            _check_sum(batch, one, told_already)
    for one in profile.beginnings:
        if has(one.field) and has(one.by):
            _check_beginning(batch, one, told_already)


def _check_pair(batch: Batch, pair: Pair, told_already: dict[str, list[int]]):
    wrong = batch.where(pair.when)
    if wrong.any():
        wrong &= ~batch.where(pair.then)
        wrong[told_already.get(pair.when.field, [])] = False
        wrong[told_already.get(pair.then.field, [])] = False
    if not wrong.any():
        return
    told, other = (pair.when, pair.then) if pair.tell == "when" else (pair.then, pair.when)
    values, which = batch.unique(other.field)
    name = _column(batch, other.field) + (f"[{other.at}]" if other.at else "")
    allowed = f" (✓ {pair.then.told})" if pair.then.told else ""
    said = [f"{name} {other.part(value)}{allowed}" for value in values]
    batch.tell(
        wrong, pair.code, WARN, _column(batch, told.field), batch.text(told.field), np.array(said, object)[which]
    )


def _check_sum(batch: Batch, one: Sum, told_already: dict[str, list[int]]):
    found, of = batch.numbers(one.result), batch.numbers(one.of)
    by = np.nan_to_num(batch.numbers(one.by))  # where no deduction is given there is none
    should = np.round(of * by if one.product else of - by, 2)
    with np.errstate(invalid="ignore"):
        wrong = np.abs(found - should) > one.tolerance + ROUNDING
    for name in (one.result, one.of, one.by):
        wrong[told_already.get(name, [])] = False
    if wrong.any():
        said = f"{_column(batch, one.of)} {'×' if one.product else '−'} {_column(batch, one.by)}"
        more, values = np.full(batch.n, "", object), np.full(batch.n, "", object)
        for row in np.flatnonzero(wrong):
            values[row], more[row] = f"{found[row]:.2f}", f"{said} = {should[row]:.2f}"
        batch.tell(wrong, "3-sum-differs", WARN, _column(batch, one.result), values, more)


def _check_beginning(batch: Batch, one: Beginning, told_already: dict[str, list[int]]):
    whole, beginning = batch.text(one.field), batch.text(one.by)
    wrong = pc.and_(
        pc.and_(pc.not_equal(whole, ""), pc.not_equal(beginning, "")),
        pc.not_equal(pc.utf8_slice_codeunits(whole, 0, one.length), beginning),
    ).to_numpy(zero_copy_only=False)
    wrong = wrong.copy()
    for name in (one.field, one.by):
        wrong[told_already.get(name, [])] = False
    if wrong.any():
        more = np.array(beginning.to_pylist(), object)
        batch.tell(wrong, "3-begins-otherwise", WARN, _column(batch, one.field), whole, more)


def _column(batch: Batch, name: str) -> str:
    return batch.match.columns.get(name, name)
