"""Take one delivery back: its rows leave, what it changed and took out returns, and it stays on record as undone.

People's work comes first: whatever somebody did to its rows since stands in the way, or stays where that is asked for.
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pghistory
import psycopg
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext as _

from importers.merging import SHAPE, TARGETS, Target, free_keys, one_at_a_time
from importers.models import Replaced
from importers.profiles import profile
from importers.registers import put_back
from importers.resting import model_of, resting
from units.errors import NotFound, Refused
from units.models import Delivery, District, Finding, Flag, Freeze, Street, Survey

SQL = Path(__file__).parent / "sql"
FINDINGS_UNNAMED_SQL = (SQL / "findings_unnamed.sql").read_text(encoding="utf-8")
FINDINGS_BACK_SQL = (SQL / "findings_back.sql").read_text(encoding="utf-8")
VERSIONS_SINCE, EDITS_SINCE, LEFT_BEFORE, STAYING, TOGETHER, TAKEN = (
    (SQL / f"undo_{name}.sql").read_text(encoding="utf-8")
    for name in ("versions_since", "edits_since", "left_before", "staying", "together", "taken")
)


def undo(delivery_id: int, by=None, keep_edited: bool = False) -> dict:
    """Take the delivery back, in one transaction; what became of its rows.

    With `keep_edited`, rows that people changed or deleted since, rows that others rest on, and rows that cannot be
    told apart from those (of one split or merging, or of a key that is taken) stay as they are and are told as `kept`.
    Raises NotFound, and Refused with every obstacle, also as `in_the_way`: a survey no longer open, later deliveries of
    the same layer and, unless they are to be kept, such rows. (Flags do not count: they are dropped.)
    """
    try:
        return _undone(delivery_id, by, keep_edited)
    except (IntegrityError, psycopg.IntegrityError) as error:
        raise Refused(
            _("The delivery %(id)d cannot be taken back:") % {"id": delivery_id} + f"\n· {str(error).splitlines()[0]}",
            _("Something was written to its rows just now. Nothing was taken back; look at it and try again."),
            code="edited-since",
        ) from error


def blockers(delivery_id: int) -> list[dict]:
    """What stands in the way of taking the delivery back, without trying; nothing is locked."""
    delivery = Delivery.objects.select_related("survey", "district").get(pk=delivery_id)
    table = profile(delivery.profile).table
    edits = _edits(delivery, table)
    return [
        one.told() for one in (*_closed(delivery, table), *_later(delivery, table), *edits, *_resting(delivery, table))
    ]


@dataclass(frozen=True)
class Obstacle:
    """What stands in the way of taking a delivery back; `rows` are the primary keys of the delivered rows it concerns.

    `what`: survey, frozen, delivery, edited, deleted, used, taken (its key is another row's now), together (with a row
    that stays, by a split or merging).
    """

    what: str
    sentence: str
    key: str = ""
    who: str = ""
    when: str = ""
    rows: tuple[str, ...] = ()

    def told(self) -> dict:
        return {name: getattr(self, name) for name in ("key", "what", "who", "when", "sentence")}


class InTheWay(Refused):
    """Refused, with the obstacles one by one."""

    told = ("in_the_way",)

    def __init__(self, delivery_id: int, obstacles: list[Obstacle], keepable: bool):
        self.in_the_way = [one.told() for one in obstacles]
        hint = _("Take those back first, from the latest to the earliest.")
        if keepable:
            hint += " " + _("Or take back only what nobody touched since: --keep-edited.")
        super().__init__(
            _("The delivery %(id)d cannot be taken back:") % {"id": delivery_id}
            + "".join(f"\n· {one.sentence}" for one in obstacles),
            hint,
            code="edited-since",
            in_the_way=self.in_the_way,
        )


def _undone(delivery_id: int, by, keep_edited: bool) -> dict:
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
        absolute = [*_closed(delivery, table), *_later(delivery, table)]
        touched = [*_edits(delivery, table), *_resting(delivery, table)]
        keepable = table != "district"
        if absolute or (touched and not (keep_edited and keepable)):
            raise InTheWay(delivery_id, [*absolute, *touched], keepable and not absolute)
        # Not `authored`: a request has a context of its own, which would say that its user did all this by hand.
        with pghistory.context(user=by.pk if by else None, undone=delivery.pk), connection.cursor() as cursor:
            if table == "district":
                told = _boundaries_back(cursor, delivery)
            else:
                target = TARGETS[table]
                touched += _staying(cursor, delivery, target, touched)
                if touched and not keep_edited:
                    raise InTheWay(delivery_id, touched, keepable)
                told = _rows_back(cursor, delivery, target, touched)
            if table == "control":
                put_back(delivery)
        told["findings_returned"], closed = _findings_back(delivery, [one.key for one in touched])
        findings = Finding.objects.filter(delivery=delivery).exclude(state=Finding.State.RESOLVED)
        told["findings_closed"] = closed + findings.update(state=Finding.State.RESOLVED, resolved_at=timezone.now())
        told["kept"] = [one.told() for one in touched]
        delivery.state = Delivery.State.UNDONE
        delivery.settings["kept"] = told["kept"]
        delivery.save(update_fields=["state", "settings"])
        # What rows were before that stay as they are now is not forgotten.
        Replaced.objects.filter(delivery=delivery).exclude(key__in=_rows(touched)).delete()
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


def _rows(obstacles: list[Obstacle]) -> list[str]:
    return sorted({row for one in obstacles for row in one.rows})


def _closed(delivery: Delivery, table: str) -> list[Obstacle]:
    found = []
    if delivery.survey.state != Survey.State.LOADED:
        sentence = _("the survey %(year)d of %(district)s is %(state)s") % {
            "year": delivery.survey.year,
            "district": delivery.district.name,
            "state": delivery.survey.get_state_display(),
        }
        found.append(Obstacle("survey", sentence, str(delivery.survey.year)))
    if table == "legacy" and Freeze.objects.filter(district=delivery.district_id).exists():
        sentence = _("the legacy register of %(district)s is frozen") % {"district": delivery.district.name}
        found.append(Obstacle("frozen", sentence, delivery.district_id))
    return found


def _later(delivery: Delivery, table: str) -> list[Obstacle]:
    """Later deliveries that may have built on this one."""
    later = Delivery.objects.filter(
        district=delivery.district_id, profile=delivery.profile, state=Delivery.State.LOADED, pk__gt=delivery.pk
    )
    if table in ("patch", "parcel", "building", "occupancy", "contract", "use_state"):
        later = later.filter(survey=delivery.survey_id)
    if table == "control":
        later = later.filter(settings__kind=delivery.settings["kind"], settings__layer=delivery.settings["layer"])
    return [
        Obstacle(
            "delivery",
            _("the later delivery %(id)d, %(file)s of %(date)s")
            % {"id": one.pk, "file": one.file_name, "date": _day(one.imported_at)},
            str(one.pk),
            one.imported_by.username if one.imported_by else "",
            one.imported_at.isoformat(),
        )
        for one in later.select_related("imported_by").order_by("-pk")
    ]


def _day(at) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def _edits(delivery: Delivery, table: str) -> list[Obstacle]:
    """Rows of the delivery that were changed or deleted since, one a row, with who did it."""
    models = (District, Street) if table == "district" else (model_of(TARGETS[table].table),)
    found = []
    with connection.cursor() as cursor:
        for model in models:
            name = model._meta.db_table
            about = {"delivery": delivery.pk, "table": name, "made": delivery.settings.get("streets_made", [])}
            if f"{name}event" in connection.introspection.table_names(cursor):
                key = next(name for name in ("code", "name", "id") if hasattr(model, name))
                brought = (
                    "e.delivery_id = %(delivery)s"
                    if hasattr(model, "delivery")
                    else "e.pgh_obj_id::text = ANY(%(made)s)"
                )
                cursor.execute(VERSIONS_SINCE.format(table=name, key=key, brought=brought), about)
            else:
                cursor.execute(EDITS_SINCE, about)
            found += [_edit(*row) for row in cursor.fetchall()]
            if table != "district":
                cursor.execute(LEFT_BEFORE.format(table=name), about)
                known = set(_rows(found))
                found += [
                    Obstacle(
                        "edited",
                        _("row %(row)s stayed as it was edited when the delivery %(id)d was taken back")
                        % {"row": row, "id": other},
                        row,
                        rows=(row,),
                    )
                    for row, other in cursor.fetchall()
                    if row not in known
                ]
    return found


def _edit(row: str, key: str, deleted: bool, at, who: str | None) -> Obstacle:
    said = {"code": key, "date": _day(at), "who": who or _("nobody signed in")}
    sentence = (
        _("%(code)s was deleted on %(date)s by %(who)s") if deleted else _("%(code)s was edited on %(date)s by %(who)s")
    )
    return Obstacle("deleted" if deleted else "edited", sentence % said, key, who or "", at.isoformat(), (row,))


def _own(delivery: Delivery, model):
    """The rows that the delivery brought: those that were there before it are among the replaced."""
    if model is Street:
        return Street.objects.filter(code__in=delivery.settings.get("streets_made", []))
    before = Replaced.objects.filter(
        delivery=delivery, table=model._meta.db_table, key=Cast(OuterRef("pk"), TextField())
    )
    return model.objects.filter(~Exists(before), delivery=delivery)


def _resting(delivery: Delivery, table: str) -> list[Obstacle]:
    """What rests on the rows that would leave."""
    model = Street if table == "district" else model_of(TARGETS[table].table)
    return [
        Obstacle("used", one.sentence, one.listed, rows=tuple(map(str, one.rows)))
        for one in resting(model, _own(delivery, model))
    ]


def _staying(cursor, delivery: Delivery, target: Target, touched: list[Obstacle]) -> list[Obstacle]:
    """Further rows that have to stay, because others do.

    The rows of one split, merging or regrouping stay or go together, else land would be there twice or not at all. A
    row does not get its key back while one that stays, or that somebody made since, has it.
    """
    found: list[Obstacle] = []
    named = {"table": target.table, "key": target.keyed("t"), "before": target.keyed("b"), "here": target.held("t")}
    about = {"delivery": delivery.pk, "table": target.table, "survey": delivery.survey_id}
    about |= {"district": delivery.district_id}
    about |= {name: delivery.settings.get(name) for name in ("layer", "kind", "edition")}
    partners = defaultdict(set)
    for group in delivery.settings.get("groups", []):
        for key in (*group["held"], *group["rows"]):
            partners[key] |= {*group["held"], *group["rows"]}
    sentences = {
        "together": _("%(code)s stays: it stands in one place with a row that stays"),
        "taken": _("%(code)s stays: another row has the key it had before"),
    }
    while True:
        about["rows"] = _rows([*touched, *found])
        cursor.execute(STAYING.format(**named), about)
        known = cursor.fetchone()[0] or []
        about["keys"] = sorted(set().union(*(partners[key] for key in known if key in partners)))
        cursor.execute(TOGETHER.format(**named), about)
        rows = {row: ("together", key) for row, key in cursor.fetchall()}
        if target.shaped:
            cursor.execute(TAKEN.format(**named), about)
            rows |= {row: ("taken", key) for row, key in cursor.fetchall() if row not in rows}
        if not rows:
            return found
        found += [
            Obstacle(what, sentences[what] % {"code": key}, key, rows=(row,)) for row, (what, key) in rows.items()
        ]


def _rows_back(cursor, delivery: Delivery, target: Target, touched: list[Obstacle]) -> dict:
    table, model, staying = target.table, model_of(target.table), _rows(touched)
    about = {"delivery": delivery.pk, "table": table, "rows": staying}
    own = _own(delivery, model)
    if staying:
        own = own.exclude(pk__in=[int(row) for row in staying])
    dropped = 0
    if table in ("units_parcel", "units_building"):
        owner = "parcel__in" if table == "units_parcel" else "building__in"
        dropped = Flag.objects.filter(**{owner: own}).delete()[0]
    deleted = own._raw_delete(own.db) or 0
    columns = [one.column for one in model._meta.concrete_fields if not getattr(one, "generated", False)]
    kept = (
        f"WITH before AS MATERIALIZED (SELECT key, row::{table} AS r FROM importers_replaced"
        ' WHERE delivery_id = %(delivery)s AND "table" = %(table)s AND key <> ALL (%(rows)s))'
    )
    cursor.execute("DROP TABLE IF EXISTS returning_rows")
    cursor.execute(
        f"CREATE TEMP TABLE returning_rows ON COMMIT DROP AS {kept} SELECT (r).*, t.id IS NOT NULL AS here"
        f" FROM before LEFT JOIN {table} t ON t.id = before.key::bigint",
        about,
    )
    cursor.execute("CREATE UNIQUE INDEX ON returning_rows (id)")
    cursor.execute("ANALYZE returning_rows")
    free_keys(cursor, target, f"SELECT id, {target.keyed('b')} AS key FROM returning_rows b")
    # Of a row whose shape the delivery left alone, none was kept, and none is written.
    for same in (True, False) if target.shaped else (True,):
        left_out = ("id", "version", *SHAPE) if target.shaped and same else ("id", "version")
        changing = ", ".join(f"{column} = b.{column}" for column in columns if column not in left_out)
        if "version" in columns:
            changing += ", version = t.version + 1"
        alike = f" AND (b.geom IS NULL) = {same}" if target.shaped else ""
        cursor.execute(f"UPDATE {table} t SET {changing} FROM returning_rows b WHERE t.id = b.id AND b.here{alike}")
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns)} FROM returning_rows WHERE NOT here"
    )
    returned = cursor.rowcount
    cursor.execute("SELECT count(*) FROM returning_rows WHERE here")
    restored = cursor.fetchone()[0]
    cursor.execute("SELECT geoinv_analyze(%s)", [table])
    return {"deleted": deleted, "restored": restored, "returned": returned, "flags_dropped": dropped}


def _findings_back(delivery: Delivery, staying: list[str]) -> tuple[int, int]:
    """Give back the findings that the delivery resolved, told again or renamed; how many are open again, and closed.

    Those of rows that stay, of these keys, keep the names that they have. Closed are those that this delivery had told
    again after they had been resolved, as when the same file had come before and was taken back.
    """
    about = {"delivery": delivery.pk, "staying": staying}
    with connection.cursor() as cursor:
        cursor.execute(FINDINGS_UNNAMED_SQL, about)
        cursor.execute(FINDINGS_BACK_SQL, about)
        return cursor.fetchone()


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
