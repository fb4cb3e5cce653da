"""Take one delivery back: its rows leave, what it changed and took out returns, and it stays on record as undone."""

from pathlib import Path

import psycopg
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import BigIntegerField, Exists, OuterRef, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext as _

from importers.merging import TARGETS, one_at_a_time
from importers.models import Replaced
from importers.profiles import profile
from importers.registers import put_back
from units.errors import NotFound, Refused
from units.history import authored
from units.models import Delivery, District, Finding, Flag, Freeze, Street, Survey

FINDINGS_BACK_SQL = (Path(__file__).parent / "sql" / "findings_back.sql").read_text(encoding="utf-8")
NAMED = 5  # how many of many obstacles of one sort are named


def undo(delivery_id: int, by=None) -> dict:
    """Take the delivery back, in one transaction; what became of its rows.

    Raises NotFound, and Refused with every edit that stands in the way: later deliveries of the same layer, rows that
    people changed since, what rests on its rows (flags do not count: they are dropped), a survey no longer open.
    """
    try:
        return _undone(delivery_id, by)
    except (IntegrityError, psycopg.IntegrityError) as error:
        raise Refused(
            _("The delivery %(id)d cannot be taken back:") % {"id": delivery_id} + f"\n· {str(error).splitlines()[0]}",
            _("Something was written to its rows just now. Nothing was taken back; look at it and try again."),
            code="edited-since",
        ) from error


def _undone(delivery_id: int, by) -> dict:
    with transaction.atomic():
        delivery = Delivery.objects.filter(pk=delivery_id).first()
        if delivery is None:
            raise NotFound(
                _("There is no delivery %(id)s.") % {"id": delivery_id}, _("import_layer prints the number.")
            )
        # The survey first, as imports and activations do.
        survey = Survey.objects.select_for_update(no_key=True).get(pk=delivery.survey_id)
        delivery = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery_id)
        delivery.survey = survey
        if delivery.state == Delivery.State.UNDONE:
            raise Refused(
                _("The delivery %(id)d was taken back already.") % {"id": delivery_id},
                _("Nothing needs to be done."),
                code="already-undone",
            )
        wanted = profile(delivery.profile)
        table = wanted.table
        one_at_a_time(delivery.district_id, delivery.survey.year, wanted)
        model = Street if table == "district" else _model(TARGETS[table].table)
        in_the_way = [*_closed(delivery, table), *_later(delivery, table)]
        written = (District, Street) if table == "district" else (model,)
        in_the_way += [line for one in written for line in _edited(delivery, one)]
        in_the_way += _resting(delivery, model)
        if in_the_way:
            raise Refused(
                _("The delivery %(id)d cannot be taken back:") % {"id": delivery_id}
                + "".join(f"\n· {one}" for one in in_the_way),
                _("Take those back first, from the latest to the earliest."),
                code="edited-since",
            )
        with connection.cursor() as cursor:
            authored(cursor, by, undone=delivery.pk)
            told = _boundaries_back(cursor, delivery) if table == "district" else _rows_back(cursor, delivery, model)
        if table == "control":
            put_back(delivery)
        told["findings_returned"] = _findings_back(delivery)
        findings = Finding.objects.filter(delivery=delivery).exclude(state=Finding.State.RESOLVED)
        told["findings_closed"] = findings.update(state=Finding.State.RESOLVED, resolved_at=timezone.now())
        delivery.state = Delivery.State.UNDONE
        delivery.save(update_fields=["state"])
        Replaced.objects.filter(delivery=delivery).delete()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return {
        "delivery": delivery.pk,
        "file": delivery.file_name,
        "layer": delivery.layer,
        "profile": delivery.profile,
        "district": delivery.district_id,
        "survey": delivery.survey.year,
        **told,
    }


def _model(table: str):
    return next(model for model in apps.get_models() if model._meta.db_table == table)


def _closed(delivery: Delivery, table: str) -> list[str]:
    found = []
    if delivery.survey.state != Survey.State.LOADED:
        found.append(
            _("the survey %(year)d of %(district)s is %(state)s")
            % {
                "year": delivery.survey.year,
                "district": delivery.district.name,
                "state": delivery.survey.get_state_display(),
            }
        )
    if table == "legacy" and Freeze.objects.filter(district=delivery.district_id).exists():
        found.append(_("the legacy register of %(district)s is frozen") % {"district": delivery.district.name})
    return found


def _later(delivery: Delivery, table: str) -> list[str]:
    """Later deliveries that may have built on this one."""
    later = Delivery.objects.filter(
        district=delivery.district_id, profile=delivery.profile, state=Delivery.State.LOADED, pk__gt=delivery.pk
    )
    if table in ("patch", "parcel", "building", "occupancy", "contract"):
        later = later.filter(survey=delivery.survey_id)
    if table == "control":
        later = later.filter(settings__kind=delivery.settings["kind"], settings__layer=delivery.settings["layer"])
    return [
        _("the later delivery %(id)d, %(file)s of %(date)s")
        % {"id": one.pk, "file": one.file_name, "date": f"{timezone.localtime(one.imported_at):%Y-%m-%d %H:%M}"}
        for one in later.order_by("-pk")
    ]


def _edited(delivery: Delivery, model) -> list[str]:
    """Rows of the delivery that were changed or deleted since, one line a row, with who did it."""
    name = f"{model._meta.db_table}event"
    key = "name" if not hasattr(model, "code") else "code"
    if name not in connection.introspection.table_names():
        return []
    brought = "e.delivery_id = %(delivery)s" if hasattr(model, "delivery") else "e.pgh_obj_id::text = ANY(%(made)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.{key}, e.pgh_label, max(e.pgh_created_at), max(u.username)"
            f" FROM {name} e LEFT JOIN pghistory_context c ON c.id = e.pgh_context_id"
            " LEFT JOIN units_user u ON u.id::text = c.metadata ->> 'user'"
            f" WHERE ({brought} OR e.pgh_obj_id::text IN"
            '     (SELECT key FROM importers_replaced WHERE delivery_id = %(delivery)s AND "table" = %(table)s))'
            # Deliveries and their taking back are told apart from people; clocks are not asked, versions are numbered.
            " AND e.pgh_label <> 'insert' AND c.metadata ->> 'delivery' IS NULL AND c.metadata ->> 'undone' IS NULL"
            f" AND e.pgh_id > (SELECT max(o.pgh_id) FROM {name} o JOIN pghistory_context x ON x.id = o.pgh_context_id"
            "     WHERE x.metadata ->> 'delivery' = %(delivery)s::text)"
            " GROUP BY 1, 2 ORDER BY 3, 1",
            {
                "delivery": delivery.pk,
                "table": model._meta.db_table,
                "made": delivery.settings.get("streets_made", []),
            },
        )
        rows = cursor.fetchall()
    return [
        (
            _("%(code)s was deleted on %(date)s by %(who)s")
            if label == "delete"
            else _("%(code)s was edited on %(date)s by %(who)s")
        )
        % {"code": code, "date": f"{timezone.localtime(at):%Y-%m-%d %H:%M}", "who": who or _("nobody signed in")}
        for code, label, at, who in rows
    ]


def _own(delivery: Delivery, model):
    """The rows that the delivery brought: those that were there before it are among the replaced."""
    if model is Street:
        return Street.objects.filter(code__in=delivery.settings.get("streets_made", []))
    before = Replaced.objects.filter(
        delivery=delivery, table=model._meta.db_table, key=Cast(OuterRef("pk"), TextField())
    )
    return model.objects.filter(~Exists(before), delivery=delivery)


def _resting(delivery: Delivery, model) -> list[str]:
    """What rests on the rows that would leave, by kind and number."""
    found, own = [], _own(delivery, model)
    for relation in model._meta.get_fields(include_hidden=True):
        other = relation.related_model
        if not (relation.auto_created and (relation.one_to_many or relation.one_to_one)) or other is Flag:
            continue
        if any(field.name == "pgh_id" for field in other._meta.fields):  # versions of rows are no rows
            continue
        there = other._base_manager.filter(**{f"{relation.field.name}__in": own})
        count = there.count()
        if count:
            listed = ", ".join(str(one) for one in there[:NAMED]) + ("…" if count > NAMED else "")
            what = other._meta.verbose_name
            found.append(_("%(count)d × %(what)s: %(listed)s") % {"count": count, "what": what, "listed": listed})
    return found


def _rows_back(cursor, delivery: Delivery, model) -> dict:
    table = model._meta.db_table
    about = {"delivery": delivery.pk, "table": table}
    own = _own(delivery, model)
    dropped = 0
    if table in ("units_parcel", "units_building"):
        owner = "parcel__in" if table == "units_parcel" else "building__in"
        dropped = Flag.objects.filter(**{owner: own}).delete()[0]
    deleted = own._raw_delete(own.db) or 0
    columns = [one.column for one in model._meta.concrete_fields if not getattr(one, "generated", False)]
    kept = (
        f"WITH before AS MATERIALIZED (SELECT key, row::{table} AS r FROM importers_replaced"
        ' WHERE delivery_id = %(delivery)s AND "table" = %(table)s)'
    )
    changing = ", ".join(f"{column} = (before.r).{column}" for column in columns if column not in ("id", "version"))
    if "version" in columns:
        changing += ", version = t.version + 1"
    cursor.execute(f"{kept} UPDATE {table} t SET {changing} FROM before WHERE t.id = before.key::bigint", about)
    restored = cursor.rowcount
    cursor.execute(
        f"{kept} INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {', '.join(f'(before.r).{column}' for column in columns)} FROM before"
        f" WHERE NOT EXISTS (SELECT FROM {table} t WHERE t.id = before.key::bigint)",
        about,
    )
    returned = cursor.rowcount
    cursor.execute("SELECT geoinv_analyze(%s)", [table])
    return {"deleted": deleted, "restored": restored, "returned": returned, "flags_dropped": dropped}


def _findings_back(delivery: Delivery) -> int:
    """Give back the findings that the delivery resolved or told again; how many of them are open again."""
    resolved = Finding.objects.filter(
        state=Finding.State.RESOLVED,
        pk__in=Replaced.objects.filter(delivery=delivery, table="units_finding").values(
            number=Cast("key", BigIntegerField())
        ),
    )
    before = resolved.count()
    with connection.cursor() as cursor:
        cursor.execute(FINDINGS_BACK_SQL, {"delivery": delivery.pk})
    return before - resolved.count()


def _boundaries_back(cursor, delivery: Delivery) -> dict:
    restored = 0
    for table in ("units_district", "units_street"):
        cursor.execute(
            f"UPDATE {table} t SET geom = (b.row::{table}).geom FROM importers_replaced b"
            ' WHERE b.delivery_id = %s AND b."table" = %s AND b.key = t.code',
            [delivery.pk, table],
        )
        restored += cursor.rowcount
    own = _own(delivery, Street)
    return {"deleted": own._raw_delete(own.db) or 0, "restored": restored, "returned": 0, "flags_dropped": 0}
