"""Tell which other records rest on delivered rows, so that none of them is taken away from under them."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.utils.translation import gettext as _

from units.models import Flag

NAMED = 5  # how many of many of one sort are named


@dataclass(frozen=True)
class Resting:
    """So many records of one sort, some of them named, and the primary keys of the rows they rest on."""

    listed: str
    sentence: str
    rows: tuple[int, ...]


def model_of(table: str):
    """The model whose rows a table holds."""
    return next(model for model in apps.get_models() if model._meta.db_table == table)


def resting(model, rows) -> Iterator[Resting]:
    """What rests on these rows of a model, a query of them or of their keys. Flags do not count: they are made anew."""
    for relation in model._meta.get_fields(include_hidden=True):
        other = relation.related_model
        if not (relation.auto_created and (relation.one_to_many or relation.one_to_one)) or other is Flag:
            continue
        if any(field.name == "pgh_id" for field in other._meta.fields):  # versions of rows are no rows
            continue
        there = other._base_manager.filter(**{f"{relation.field.name}__in": rows})
        count = there.count()
        if count:
            listed = ", ".join(str(one) for one in there[:NAMED]) + ("…" if count > NAMED else "")
            said = {"count": count, "what": other._meta.verbose_name, "listed": listed}
            rests = there.values_list(relation.field.attname, flat=True).distinct()
            yield Resting(listed, _("%(count)d × %(what)s: %(listed)s") % said, tuple(rests))
