"""Ask a collection with the rights of the reader, for pages: rows as plain dictionaries."""

from django.db import connection
from django.utils.translation import gettext as _

from units.collections import Collection
from units.errors import UnknownName, UsageError
from units.rights import Grant, View, grants_of


def grants(request) -> tuple[Grant, ...]:
    """The grants of whoever asks; none for nobody signed in."""
    return grants_of(request.user)


def only(request, *names: str) -> None:
    """Refuse parameters of the address that are not among `names`, and any given twice: none is quietly ignored."""
    for name, values in request.GET.lists():
        if name not in names:
            raise UnknownName(name[:100], names, _("parameter"))
        if len(values) > 1:
            raise UsageError(_("The parameter “%(name)s” is given more than once.") % {"name": name})


def visible(collection: Collection, view: View) -> tuple[str, dict]:
    """The collection as a sub-query that holds only what `view` allows, rows and columns, and its values."""
    rows, params = view.rows.sql("source")
    columns = ["source.fid", "source.geom"]
    for name in collection.names:
        condition = view.columns[name]
        if condition == view.rows:
            columns.append(f"source.{name}")
        elif condition.never:
            columns.append(f"NULL AS {name}")
        else:
            written, values = condition.sql("source")
            columns.append(f"CASE WHEN {written.replace('%(', f'%({name}_')} THEN source.{name} END AS {name}")
            params |= {f"{name}_{key}": value for key, value in values.items()}
    source = f"(SELECT {', '.join(columns)} FROM ({collection.source()}) AS source WHERE {rows})"
    return source, params | collection.values


def asked(statement: str, params: dict) -> list[dict]:
    """The rows of one statement."""
    if any(isinstance(value, str) and "\0" in value for value in params.values()):
        raise UsageError(_("The request cannot be understood."))  # PostgreSQL has no text with a NUL in it
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def box(row: dict) -> list[float] | None:
    """West, south, east, north out of a row's four columns, which are taken from it."""
    sides = [row.pop(name) for name in ("west", "south", "east", "north")]
    return None if None in sides else [round(side, 7) for side in sides]


BOX = "ST_XMin(geom) AS west, ST_YMin(geom) AS south, ST_XMax(geom) AS east, ST_YMax(geom) AS north"
