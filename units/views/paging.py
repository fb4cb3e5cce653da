"""Cut a list into pages by the place of its last row, so that a page costs the same wherever it begins."""

import re

from django.utils.translation import gettext as _

from units.errors import UsageError
from units.views.asking import BOX, asked, box

AREA = re.compile(r"(\d{1,12}(?:\.\d{1,20})?(?:e-?\d{1,3})?)_(\d{1,18})")  # area in m² and number of the last row
TEXT = re.compile(r"(.{0,200})_(\d{1,18})", re.DOTALL)  # code and number of the last row


def page(source: str, params: dict, columns: str, wanted: list[str], by: str, after: str, size: int) -> tuple:
    """(rows with their boxes, `after` of the next page or None), ordered by `by`.

    `by` is `area`, the largest first, or the name of a text column; the row's number settles what is equal.
    """
    largest_first = by == "area"
    key, sign, way = ("area_m2", "<", "DESC") if largest_first else (by, ">", "ASC")
    if after:
        written = (AREA if largest_first else TEXT).fullmatch(after)
        if written is None:
            raise UsageError(_("“%(after)s” is not the next page of any list.") % {"after": after[:40]})
        params = params | {"key": float(written[1]) if largest_first else written[1], "fid": int(written[2])}
        wanted = [*wanted, f"({key}, fid) {sign} (%(key)s, %(fid)s)"]
    rows = asked(
        f"SELECT fid, {columns}, {BOX} FROM {source} AS seen WHERE {' AND '.join(wanted) or 'TRUE'}"
        f" ORDER BY {key} {way}, fid {way} LIMIT %(limit)s",
        params | {"limit": size + 1},
    )
    more = len(rows) > size
    rows = rows[:size]
    for row in rows:
        row["box"] = box(row)
    if not more:
        return rows, None
    last = rows[-1][key]
    return rows, f"{last!r}_{rows[-1]['fid']}" if largest_first else f"{last}_{rows[-1]['fid']}"
