"""Say who writes, before COPY or SQL writes to a register, so that every version kept has its author."""

import json
import uuid

from django.core.serializers.json import DjangoJSONEncoder


def authored(cursor, user=None, **told) -> uuid.UUID:
    """Set the history context of the running transaction and return its id.

    `cursor` is a Django or psycopg cursor inside a transaction: the setting ends with it. `user` is who acts; None
    on the command line, where the database role is kept as the author. `told` are further facts (delivery, url …).
    pghistory's own context is injected by Django's cursor only, which COPY goes around.
    """
    context = uuid.uuid4()
    told = {"user": user.pk if user is not None else None, **told}
    cursor.execute(
        "SELECT set_config('pghistory.context_id', %s, true), set_config('pghistory.context_metadata', %s, true)",
        [str(context), json.dumps(told, cls=DjangoJSONEncoder)],
    )
    return context
