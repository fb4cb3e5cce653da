"""What the database itself guards: the freeze, moves, authors of history, revisions, and who may analyze."""

from django.db import migrations

ANALYZE = r"""
-- The app role owns nothing, so its ANALYZE would be skipped with a warning. This one runs as the owner.
CREATE FUNCTION geoinv_analyze(VARIADIC tables text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY tables LOOP
        IF name !~ '^units_[a-z_]+$' THEN
            RAISE EXCEPTION 'geoinv_analyze: % is no table of the inventory', name;
        END IF;
        EXECUTE format('ANALYZE public.%I', name);
    END LOOP;
END $$;
"""

PATCH_KEY = r"""
-- Does every patch belong to a delivery of its own survey and district? Asked once a statement, by walking from one
-- (delivery, survey, district) of the index to the next: a lookup for each delivery there is, however many the rows.
CREATE FUNCTION geoinv_check_patches() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off SET enable_sort = off
AS $$
DECLARE
    lost record;
BEGIN
    WITH RECURSIVE told AS (
        (SELECT p.delivery_id, p.survey_id, p.district_id FROM units_landusepatch p
         ORDER BY p.delivery_id, p.survey_id, p.district_id LIMIT 1)
        UNION ALL
        SELECT following.* FROM told CROSS JOIN LATERAL (
            SELECT p.delivery_id, p.survey_id, p.district_id FROM units_landusepatch p
            WHERE (p.delivery_id, p.survey_id, p.district_id) > (told.delivery_id, told.survey_id, told.district_id)
            ORDER BY p.delivery_id, p.survey_id, p.district_id LIMIT 1) following
    )
    SELECT told.* INTO lost FROM told
    WHERE NOT EXISTS (SELECT 1 FROM units_delivery d WHERE d.id = told.delivery_id
                      AND d.survey_id = told.survey_id AND d.district_id = told.district_id)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'There is no delivery % of survey % in district % for these patches.',
            lost.delivery_id, lost.survey_id, lost.district_id USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER patch_of_its_delivery AFTER INSERT OR UPDATE ON units_landusepatch
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_check_patches();

-- The other side: a delivery with patches stays what it is. The lock waits for whoever is writing patches just now.
CREATE FUNCTION geoinv_keep_delivery() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.id, NEW.survey_id, NEW.district_id) = (OLD.id, OLD.survey_id, OLD.district_id) THEN
        RETURN NEW;
    END IF;
    LOCK TABLE units_landusepatch IN SHARE MODE;
    IF EXISTS (SELECT 1 FROM units_landusepatch WHERE delivery_id = OLD.id) THEN
        RAISE EXCEPTION '% of delivery % is refused: patches belong to it.', TG_OP, OLD.id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER delivery_of_its_patches BEFORE DELETE OR UPDATE OF id, survey_id, district_id ON units_delivery
    FOR EACH ROW EXECUTE FUNCTION geoinv_keep_delivery();
"""

AUTHOR = r"""
-- Every version has an author: the context that the site or an importer set, else the login role of the SQL session.
-- What an earlier transaction said of itself stays as it was said: a context of the same id but with other words gets
-- an id of its own.
CREATE OR REPLACE FUNCTION _pgh_attach_context() RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    context uuid := NULLIF(current_setting('pghistory.context_id', true), '')::uuid;
    told jsonb := NULLIF(current_setting('pghistory.context_metadata', true), '')::jsonb;
    kept record;
BEGIN
    IF context IS NULL OR told IS NULL THEN
        context := NULLIF(current_setting('geoinv.sql_context', true), '')::uuid;
        IF context IS NULL THEN
            context := gen_random_uuid();
            PERFORM set_config('geoinv.sql_context', context::text, true);
        END IF;
        told := jsonb_build_object('source', 'sql', 'application', current_setting('application_name', true));
    END IF;
    told := told || jsonb_build_object('db_user', session_user);
    INSERT INTO pghistory_context (id, metadata, created_at, updated_at) VALUES (context, told, now(), now())
    ON CONFLICT (id) DO NOTHING;
    SELECT c.metadata, c.created_at INTO kept FROM pghistory_context c WHERE c.id = context;
    IF kept.metadata = told THEN
        RETURN context;
    END IF;
    IF kept.created_at = now() THEN
        UPDATE pghistory_context SET metadata = told, updated_at = clock_timestamp() WHERE id = context;
        RETURN context;
    END IF;
    context := md5(context::text || told::text || now()::text)::uuid;
    INSERT INTO pghistory_context (id, metadata, created_at, updated_at) VALUES (context, told, now(), now())
    ON CONFLICT (id) DO NOTHING;
    RETURN context;
END $$;
"""

MOVES = r"""
CREATE FUNCTION geoinv_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: what was recorded here is kept for ever.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Record a new step that puts it right.';
END $$;

CREATE TRIGGER move_kept_for_ever BEFORE UPDATE OR DELETE ON units_move
    FOR EACH ROW EXECUTE FUNCTION geoinv_refuse_change();
CREATE TRIGGER move_not_emptied BEFORE TRUNCATE ON units_move
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_refuse_change();
ALTER TABLE units_move ENABLE ALWAYS TRIGGER move_kept_for_ever;
ALTER TABLE units_move ENABLE ALWAYS TRIGGER move_not_emptied;
"""

FREEZE = r"""
-- What does the legacy register of a district say, as one digest? Columns are named, so that a later migration that
-- adds one does not change the digest of what was accepted; shapes count byte for byte.
CREATE FUNCTION geoinv_legacy_digest(district text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(coalesce(string_agg(jsonb_build_array(
        l.code, l.address, l.state, l.used_since, l.route, l.ownership, l.small_property_housing, l.worth_keeping,
        l.in_scope, l.user_name, l.penalty_number, l.penalty_closed_on, l.worksheet, l.base_survey_year, l.extra,
        encode(ST_AsEWKB(l.geom), 'hex'))::text, E'\n' ORDER BY l.code COLLATE "C"), ''), 'UTF8')), 'hex')
    FROM units_legacyland l WHERE l.district_id = district
$$;

-- The acceptance by the municipal bureau freezes, whoever records it and through whichever face.
CREATE FUNCTION geoinv_freeze_legacy() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.role <> 'R7' OR NEW.from_state <> 'submitted' OR NEW.subject <> NEW.district_id THEN
        RAISE EXCEPTION 'Only the municipal bureau (R7) accepts a submitted register, and it names its district.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    -- Writers of legacy rows hold a key share on the district, so this waits for them and they for this.
    PERFORM 1 FROM units_district WHERE code = NEW.district_id FOR UPDATE;
    IF EXISTS (SELECT 1 FROM units_freeze WHERE district_id = NEW.district_id) THEN
        RAISE EXCEPTION 'The legacy register of district % was accepted before and is frozen.', NEW.district_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    INSERT INTO units_freeze (district_id, move_id, frozen_at, rows, digest)
    SELECT NEW.district_id, NEW.id, now(), count(*), geoinv_legacy_digest(NEW.district_id)
    FROM units_legacyland WHERE district_id = NEW.district_id;
    RETURN NULL;
END $$;

CREATE TRIGGER move_freezes_legacy AFTER INSERT ON units_move
    FOR EACH ROW WHEN (NEW.register = 'legacy_register' AND NEW.to_state = 'accepted')
    EXECUTE FUNCTION geoinv_freeze_legacy();
ALTER TABLE units_move ENABLE ALWAYS TRIGGER move_freezes_legacy;

CREATE FUNCTION geoinv_refuse_frozen() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    districts text[] := CASE TG_OP WHEN 'INSERT' THEN ARRAY[NEW.district_id]
                                   WHEN 'DELETE' THEN ARRAY[OLD.district_id]
                                   ELSE ARRAY[OLD.district_id, NEW.district_id] END;
    frozen record;
BEGIN
    PERFORM 1 FROM units_district WHERE code = ANY (districts) FOR KEY SHARE;
    SELECT * INTO frozen FROM units_freeze WHERE district_id = ANY (districts) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% of legacy land % is refused: the register of district % is frozen since %.', TG_OP,
            CASE WHEN TG_OP = 'DELETE' THEN OLD.code ELSE NEW.code END, frozen.district_id, frozen.frozen_at::date
            USING ERRCODE = 'restrict_violation',
                  HINT = 'Record a disposal or a note beside it; the register itself is not edited any more.';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION geoinv_refuse_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    LOCK TABLE units_freeze IN SHARE MODE;
    IF EXISTS (SELECT 1 FROM units_freeze) THEN
        RAISE EXCEPTION 'TRUNCATE of % is refused: it holds registers that are frozen.', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER legacy_frozen BEFORE INSERT OR UPDATE OR DELETE ON units_legacyland
    FOR EACH ROW EXECUTE FUNCTION geoinv_refuse_frozen();
CREATE TRIGGER legacy_not_emptied BEFORE TRUNCATE ON units_legacyland
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_refuse_truncate();
ALTER TABLE units_legacyland ENABLE ALWAYS TRIGGER legacy_frozen;
ALTER TABLE units_legacyland ENABLE ALWAYS TRIGGER legacy_not_emptied;

CREATE TRIGGER freeze_kept_for_ever BEFORE UPDATE OR DELETE ON units_freeze
    FOR EACH ROW EXECUTE FUNCTION geoinv_refuse_change();
CREATE TRIGGER freeze_not_emptied BEFORE TRUNCATE ON units_freeze
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_refuse_truncate();
ALTER TABLE units_freeze ENABLE ALWAYS TRIGGER freeze_kept_for_ever;
ALTER TABLE units_freeze ENABLE ALWAYS TRIGGER freeze_not_emptied;
"""

# The revision that each table moves; a problem's shape is made from what it hangs on, a unit shows its district's name.
REVISED = {
    "units_parcel": "parcel",
    "units_landusepatch": "patch",
    "units_building": "building",
    "units_survey": "survey",
    "units_flag": "flag",
    "units_legacyland": "legacyland",
    "units_redevelopmentunit": "redevelopmentunit",
    "units_controlarea": "controlarea",
    "units_finding": "finding",
    "units_problem": "problem",
    "units_problem_parcels": "problem",
    "units_problem_units": "problem",
    "units_problem_legacy_lands": "problem",
    "units_district": "district",
}
REVISIONS = r"""
-- How often was each served table changed? Changes are rows that are added, never one row that all writers wait for.
CREATE VIEW units_revision AS
    SELECT name, sum(times)::bigint AS number FROM units_servedchange GROUP BY name;

CREATE FUNCTION geoinv_revise() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    latest bigint;
BEGIN
    INSERT INTO units_servedchange (name, times) VALUES (TG_ARGV[0], 1) RETURNING id INTO latest;
    IF latest % 500 = 0 THEN -- fold what nobody else is folding; the sums stay
        WITH folded AS (
            DELETE FROM units_servedchange WHERE id IN
                (SELECT id FROM units_servedchange WHERE id < latest FOR UPDATE SKIP LOCKED)
            RETURNING name, times
        )
        INSERT INTO units_servedchange (name, times) SELECT name, sum(times) FROM folded GROUP BY name;
    END IF;
    RETURN NULL;
END $$;
""" + "".join(
    f"""
CREATE TRIGGER revised AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_revise('{name}');
"""
    for table, name in REVISED.items()
)

IN_FORCE = r"""
-- A survey that was put in force is never overwritten: its patches are neither changed nor deleted, by anybody.
CREATE FUNCTION geoinv_keep_patches() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM units_survey s WHERE s.state <> 'loaded'
               AND s.id IN (SELECT DISTINCT survey_id FROM before)) THEN
        RAISE EXCEPTION '% of land-use patches is refused: their survey was put in force.', TG_OP
            USING ERRCODE = 'restrict_violation', HINT = 'Open the next round and deliver into it.';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER patches_kept_on_update AFTER UPDATE ON units_landusepatch REFERENCING OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_keep_patches();
CREATE TRIGGER patches_kept_on_delete AFTER DELETE ON units_landusepatch REFERENCING OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_keep_patches();
"""

HARDENING = r"""
-- What pgtrigger makes obeys a setting of the session, runs with the rights of whoever writes and finds its tables by
-- the session's search path: three ways around history. This closes them, and it is called again at the end of every
-- migration that makes a history trigger (a test says so).
CREATE FUNCTION geoinv_harden_history() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    made record;
BEGIN
    EXECUTE $f$CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name name) RETURNS boolean
               LANGUAGE sql IMMUTABLE AS 'SELECT FALSE'$f$;
    FOR made IN SELECT t.tgname, t.tgfoid::regprocedure AS run, t.tgrelid::regclass AS register
                FROM pg_trigger t WHERE t.tgname LIKE 'pgtrigger\_%' LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = public, pg_temp', made.run);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', made.register, made.tgname);
    END LOOP;
    FOR made IN SELECT c.oid::regclass AS kept, c.relname ~ '^units_[a-z]+event$' AS is_history FROM pg_class c
                WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
                AND (c.relname ~ '^units_[a-z]+event$' OR c.relname = 'pghistory_context' OR c.oid IN
                     (SELECT tgrelid FROM pg_trigger WHERE tgname LIKE 'pgtrigger\_%')) LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS history_not_emptied ON %s', made.kept);
        IF made.kept <> 'units_legacyland'::regclass THEN -- that one has a guard of its own
            EXECUTE format('CREATE TRIGGER history_not_emptied BEFORE TRUNCATE ON %s '
                           'FOR EACH STATEMENT EXECUTE FUNCTION geoinv_refuse_change()', made.kept);
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER history_not_emptied', made.kept);
        END IF;
        IF made.is_history THEN
            EXECUTE format('DROP TRIGGER IF EXISTS history_kept_for_ever ON %s', made.kept);
            EXECUTE format('CREATE TRIGGER history_kept_for_ever BEFORE UPDATE OR DELETE ON %s '
                           'FOR EACH ROW EXECUTE FUNCTION geoinv_refuse_change()', made.kept);
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER history_kept_for_ever', made.kept);
        END IF;
    END LOOP;
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'geoinv_app') THEN
        FOR made IN SELECT c.oid::regclass AS kept FROM pg_class c
                    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
                    AND c.relname ~ '^units_[a-z]+event$' LOOP
            EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON %s FROM geoinv_app', made.kept);
        END LOOP;
    END IF;
END $$;
REVOKE EXECUTE ON FUNCTION geoinv_harden_history() FROM PUBLIC;
CREATE TRIGGER author_kept_for_ever BEFORE DELETE ON pghistory_context
    FOR EACH ROW EXECUTE FUNCTION geoinv_refuse_change();
ALTER TABLE pghistory_context ENABLE ALWAYS TRIGGER author_kept_for_ever;
SELECT geoinv_harden_history();
"""

GRANTS = r"""
-- On a server of one's own the roles may be others; there the administrator repeats this for the role of the site.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'geoinv_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON units_move FROM geoinv_app;
        REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON pghistory_context, units_freeze, units_servedchange, units_revision,
            django_migrations FROM geoinv_app;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("units", "0001_initial")]

    operations = [migrations.RunSQL(sql) for sql in (ANALYZE, PATCH_KEY, AUTHOR, MOVES, FREEZE, REVISIONS, IN_FORCE, HARDENING, GRANTS)]
