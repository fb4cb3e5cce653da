"""Lay the checked rows of a batch out as the columns of their table, ready for a binary COPY."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from importers import copying
from importers.arrays import strings
from importers.checking import Batch
from importers.profiles import Profile
from importers.shaping import Shaped

APART = ("date", "flag", "floors")  # kinds of fields that do not stand in field order


class Storing:
    """How the rows of one delivery become tuples of its table.

    `constants` are columns alike in every row, as `copying.constant` writes them; `streets` are the streets of the
    district, each with its area as WKB where it has one. It can be pickled.
    """

    def __init__(
        self,
        delivery: int,
        district: str,
        profile: Profile,
        constants: dict[str, bytes],
        streets: list[tuple[str, bytes | None]],
    ):
        self.delivery, self.district, self.profile, self.constants = delivery, district, profile, constants
        self.street_codes = frozenset(code for code, _area in streets)
        with_shape = [(code, area) for code, area in streets if area is not None]
        self.street_list = [code for code, _area in with_shape]
        self.street_tree = shapely.STRtree(shapely.from_wkb([area for _code, area in with_shape]))

    def columns(self) -> list[str]:
        """The columns that COPY writes, in the order in which `tuples` gives them."""
        kind, fields = self.profile.table, self.profile.fields
        names = ["delivery_id", "district_id", "row_number", "row_digest", *self.constants]
        names += {"patch": ["area_m2"], "building": ["temporary"]}.get(kind, [])
        names += [each.column for each in fields if each.column and each.kind not in APART]
        names += [each.column for each in fields if each.column and each.kind == "date"]
        names += [each.column for each in fields if each.column and each.kind == "floors"]
        if kind == "parcel":
            names += ["owner_wish", "use_scheme"]
        if kind != "control":
            names.append("street_id")
        return [*names, "extra", "geom"]

    def tuples(self, batch: Batch, shape: Shaped, digests: list[bytes], start: int, ambiguous: set[str]) -> memoryview:
        """The good rows of a batch as COPY tuples. The checks of the fields are made here; they refuse rows too."""
        head, tail = self._encoded(batch, shape, digests, start, ambiguous)
        return copying.tuples(len(self.columns()), head, tail, batch.n, batch.live & ~batch.refused)

    def _encoded(self, batch: Batch, shape: Shaped, digests: list[bytes], start: int, ambiguous: set[str]):
        kind, n = self.profile.table, batch.n
        head = [
            copying.constant(self.delivery),
            copying.constant(self.district.encode()),
            copying.numbers(np.arange(start + 1, start + n + 1) + batch.table.before, ">i4"),
            copying.digests(digests),
            *self.constants.values(),
        ]
        if kind == "patch":
            head.append(copying.numbers(np.nan_to_num(shape.area), ">f8"))
        if kind == "building":
            head.append(copying.numbers(batch.check_flag("LSJZ"), "u1"))
        tail: list[pa.Array] = []
        street = around = None
        use = pa.nulls(n, pa.string())
        spans: dict[str, list] = {}
        apart: list = []
        wishes: dict[str, list] = {}
        for one in self.profile.fields:
            if one.kind == "number":
                values = batch.check_number(one)
                if one.area:
                    batch.check_areas(one, values, shape.area)
                if one.column:
                    tail.append(copying.numeric(values, one.decimals))
            elif one.kind == "integer":
                values = batch.check_number(one)
                tail.append(copying.integers(values, ">i2"))
            elif one.kind == "truth":
                values, present = batch.check_truth(one)
                if one.column:
                    tail.append(copying.nullable(copying.numbers(values, "u1"), present))
            elif one.kind == "floors":
                apart += copying.json_objects(batch.check_floors(one))
            elif one.kind == "flag":
                continue  # among the columns of fixed size
            elif one.kind == "date":
                spans[one.name] = batch.check_date(one)
                if one.wish:
                    wishes[one.wish] = batch.dates_said(spans[one.name])
            else:
                values = batch.check(one)
                if one.street:
                    street = self._street_of(values)
                if one.use:
                    use, both = batch.uses(one.name)
                    ambiguous |= both
                if one.wish:
                    wishes[one.wish] = batch.meanings(one, values)
                if one.column:
                    tail += copying.text(values)
        if kind == "parcel":
            batch.check_span(self.profile.field("SYQQSSJ"), self.profile.field("SYQJSSJ"), spans)
        tail += [copying.dates(spans[one.name]) for one in self.profile.fields if one.kind == "date" and one.column]
        tail += apart
        if kind == "parcel":
            tail += copying.json_objects(_wishes(wishes, n))
            tail += copying.text(use)
        if kind != "control":
            around = self._street_around(shape) if street is None else None
            tail += copying.text(street if around is None else around)
        tail += copying.json_objects(batch.further())
        tail += [shape.head, shape.body]
        batch.refused |= ~shape.good & batch.live
        if around is not None and around.null_count:
            known = around.is_valid().to_numpy(zero_copy_only=False)
            batch.without_street = int((~known & batch.live & ~batch.refused).sum())
        return head, tail

    def _street_of(self, values: pa.Array) -> pa.Array:
        code = pc.utf8_slice_codeunits(values, 0, 9)
        known = pc.is_in(code, strings(sorted(self.street_codes)))
        return pc.if_else(known, code, None)

    def _street_around(self, shape: Shaped) -> pa.Array:
        """The street whose area holds the centre of each row, where streets have areas."""
        found: list[str | None] = [None] * len(shape.good)
        rows = np.flatnonzero(shape.good)
        if self.street_list and len(rows):
            at, street = self.street_tree.query(shapely.points(shape.centre[rows]), predicate="intersects")
            for row, number in zip(rows[at], street, strict=True):
                found[row] = self.street_list[number]
        return strings(found)


def _wishes(wishes: dict[str, list], n: int) -> pa.Array:
    """What each row's holder wishes as JSON text; null where nothing is said."""
    if not any(any(values) for values in wishes.values()):
        return pa.nulls(n, pa.string())
    said = ({name: values[row] for name, values in wishes.items() if values[row]} for row in range(n))
    return strings(json.dumps(one, ensure_ascii=False) if one else None for one in said)
