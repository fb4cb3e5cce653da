"""What is kept for ever is kept by the database itself, also from whoever writes SQL as the role of the site."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from tests import records
from tests.records import person, unit_in
from units.auditing import note
from units.models import Consultation, Department, Document, LegacyNote
from units.rights import Role

pytestmark = pytest.mark.rows("NK017", "NK053", "NK054")
# Each table that only grows: acts, what they rest on, what was sealed or seen, and what was said of it.
KEPT = (
    "units_auditentry",
    "units_document",
    "units_fieldcheck",
    "units_fieldphoto",
    "units_freeze",
    "units_legacynote",
    "units_lineage",
    "units_move",
    "units_reshaping",
    "units_snapshot",
)
UPDATES, DELETES, TRUNCATES = 16, 8, 32  # bits of pg_trigger.tgtype


@pytest.mark.parametrize("table", KEPT)
def test_what_is_kept_for_ever_is_changed_deleted_and_emptied_by_nobody(db, table):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(bit_or(t.tgtype), 0::smallint),"
            " has_table_privilege(current_user, %(table)s, 'UPDATE, DELETE, TRUNCATE')"
            " FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid WHERE t.tgrelid = %(table)s::regclass"
            " AND t.tgenabled = 'A' AND f.proname ~ '^geoinv_(refuse|keep)'",
            {"table": table},
        )
        guarded, may = cursor.fetchone()
    assert guarded & (UPDATES | DELETES | TRUNCATES) == UPDATES | DELETES | TRUNCATES
    assert not may


def test_a_paper_a_note_an_entry_of_the_audit_and_a_question_stay_as_they_were_written(db):
    records.build()
    office = person(Role.OFFICE)
    Document.objects.create(district_id="120104", title="同意意见", added_by=office)
    LegacyNote.objects.create(legacy=records.legacy_in("accepted"), text="界线有误", by=office)
    note("sign_in", by=office)
    asked = Consultation.objects.create(
        unit=unit_in("checked"),
        department=Department.objects.first(),
        about="x" * 64,
        asked_by=office,
        due_on="2024-05-01",
    )
    statements = [
        "UPDATE units_document SET title = 'x'",
        "DELETE FROM units_document",
        "UPDATE units_legacynote SET text = 'x'",
        "DELETE FROM units_legacynote",
        "UPDATE units_auditentry SET name = 'x'",
        "TRUNCATE units_auditentry",
        "UPDATE units_consultation SET due_on = '2024-04-01'",
        "UPDATE units_consultation SET about = repeat('y', 64)",
        "DELETE FROM units_consultation",
    ]
    for statement in statements:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    asked.opinion, asked.replied_by, asked.replied_at = "agrees", office, timezone.now()
    asked.save()  # the answer is written beside the question, once
    with pytest.raises(DatabaseError), transaction.atomic():
        asked.save()
