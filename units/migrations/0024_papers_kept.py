"""Papers, notes on frozen land and what departments were asked stay as they were written, whoever writes."""

from django.db import migrations

# Moves, sealed sets and approvals name their papers: a paper that could be rewritten would rewrite what rests on it.
TABLES = ("units_document", "units_legacynote")
KEPT = (
    "".join(
        f"""
CREATE TRIGGER paper_kept_for_ever BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION geoinv_refuse_change();
CREATE TRIGGER paper_not_emptied BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER paper_kept_for_ever;
ALTER TABLE {table} ENABLE ALWAYS TRIGGER paper_not_emptied;
"""
        for table in TABLES
    )
    + f"""
CREATE TRIGGER consultation_question_kept BEFORE UPDATE ON units_consultation
    FOR EACH ROW WHEN ((OLD.unit_id, OLD.department_id, OLD.about, OLD.question, OLD.asked_by_id, OLD.asked_at, OLD.due_on)
        IS DISTINCT FROM
        (NEW.unit_id, NEW.department_id, NEW.about, NEW.question, NEW.asked_by_id, NEW.asked_at, NEW.due_on))
    EXECUTE FUNCTION geoinv_refuse_change();
ALTER TABLE units_consultation ENABLE ALWAYS TRIGGER consultation_question_kept;
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'geoinv_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON {", ".join(TABLES)} FROM geoinv_app;
    END IF;
END $$;
"""
)
NOT_KEPT = (
    "".join(
        f"DROP TRIGGER paper_kept_for_ever ON {table}; DROP TRIGGER paper_not_emptied ON {table};" for table in TABLES
    )
    + "DROP TRIGGER consultation_question_kept ON units_consultation;"
)


class Migration(migrations.Migration):

    dependencies = [("units", "0023_history_codes")]

    operations = [migrations.RunSQL(KEPT, NOT_KEPT)]
