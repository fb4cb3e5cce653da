"""Keep every version of a register's rows: each insert, update and delete, whoever writes and however."""

import pghistory
import pgtrigger


def versions_kept(model):
    """Class decorator: triggers of the database write each version, with its author, to `<model>event`.

    One statement writes one set of versions, so that a COPY of a hundred thousand rows stays a bulk load. The
    generated area is left out: it follows from the shape.
    """
    events = (pghistory.InsertEvent, pghistory.UpdateEvent, pghistory.DeleteEvent)
    generated = [field.name for field in model._meta.fields if getattr(field, "generated", False)]
    return pghistory.track(*(event(level=pgtrigger.Statement) for event in events), exclude=generated)(model)
