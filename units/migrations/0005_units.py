"""Versions of a unit's parcels, and what the database itself guards of units: approved ones stay, and lie apart."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


GUARDS = r"""
-- An approved version is citable (NK027): it stays as it is, and all that may happen to it is a later version.
CREATE FUNCTION geoinv_keep_unit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    beside text[] := ARRAY['state', 'version', 'geom', 'area_m2'];
BEGIN
    IF OLD.state NOT IN ('approved', 'amended') THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - beside = to_jsonb(OLD) - beside AND NEW.geom::bytea = OLD.geom::bytea
       AND ((NEW.state, NEW.version) = (OLD.state, OLD.version) OR (OLD.state = 'approved' AND NEW.state = 'amended'))
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% of unit % is refused: version % was approved and stays as it is.', TG_OP, OLD.code, OLD.edition
        USING ERRCODE = 'restrict_violation', HINT = 'Draw a new version of it.';
END $$;

CREATE TRIGGER approved_unit_kept BEFORE UPDATE OR DELETE ON units_redevelopmentunit
    FOR EACH ROW EXECUTE FUNCTION geoinv_keep_unit();
ALTER TABLE units_redevelopmentunit ENABLE ALWAYS TRIGGER approved_unit_kept;

CREATE FUNCTION geoinv_keep_unit_parcels() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    units bigint[] := CASE TG_OP WHEN 'INSERT' THEN ARRAY[NEW.unit_id]
                                 WHEN 'DELETE' THEN ARRAY[OLD.unit_id]
                                 ELSE ARRAY[OLD.unit_id, NEW.unit_id] END;
    kept record;
BEGIN
    SELECT u.code, u.edition INTO kept FROM units_redevelopmentunit u
    WHERE u.id = ANY (units) AND u.state IN ('approved', 'amended') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% of a parcel of unit % is refused: version % was approved and stays as it is.', TG_OP,
            kept.code, kept.edition USING ERRCODE = 'restrict_violation', HINT = 'Draw a new version of it.';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER approved_unit_parcels_kept BEFORE INSERT OR UPDATE OR DELETE ON units_unitparcel
    FOR EACH ROW EXECUTE FUNCTION geoinv_keep_unit_parcels();
ALTER TABLE units_unitparcel ENABLE ALWAYS TRIGGER approved_unit_parcels_kept;

-- Two approved units never cover the same ground (NK024): above 1 m² and a mean width of 5 cm, as in units/spatial.py.
CREATE FUNCTION geoinv_keep_units_apart() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    other record;
BEGIN
    -- One approval at a time, so that of two at once the second sees the first.
    PERFORM pg_advisory_xact_lock(hashtextextended('geoinv approved units', 0));
    SELECT u.code, ST_Area(common.plane) AS area INTO other
    FROM units_redevelopmentunit u
    JOIN units_district d ON d.code = u.district_id
    CROSS JOIN LATERAL (
        SELECT ST_Transform(ST_CollectionExtract(ST_Intersection(u.geom, NEW.geom), 3), d.srid) AS plane
    ) common
    WHERE u.state = 'approved' AND u.id <> NEW.id AND u.geom && NEW.geom
      AND ST_Area(common.plane) > 1.0
      AND 2 * ST_Area(common.plane) / NULLIF(ST_Perimeter(common.plane), 0) > 0.05
    ORDER BY 2 DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'Unit % cannot be approved: it overlaps the approved unit % by % m².', NEW.code, other.code,
            round(other.area::numeric, 1)
            USING ERRCODE = 'exclusion_violation', HINT = 'Change its shape, or amend the other one first.';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER approved_units_apart AFTER INSERT OR UPDATE OF state, geom ON units_redevelopmentunit
    FOR EACH ROW WHEN (NEW.state = 'approved') EXECUTE FUNCTION geoinv_keep_units_apart();
ALTER TABLE units_redevelopmentunit ENABLE ALWAYS TRIGGER approved_units_apart;

SELECT geoinv_harden_history();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('pghistory', '0007_auto_20250421_0444'),
        ('units', '0004_checks'),
    ]

    operations = [
        migrations.CreateModel(
            name='UnitParcelEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('share', models.DecimalField(decimal_places=6, default=1, max_digits=7, verbose_name='Share inside')),
            ],
            options={
                'abstract': False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unitparcel',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_unitparcelevent" ("id", "parcel_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "share", "unit_id") SELECT new_values."id", new_values."parcel_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."share", new_values."unit_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='81127c664cd0e6f7a6d3c59c98f17037f6e45b14', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_815aa', referencing='REFERENCING NEW TABLE AS new_values ', table='units_unitparcel', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unitparcel',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_unitparcelevent" ("id", "parcel_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "share", "unit_id") SELECT new_values."id", new_values."parcel_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."share", new_values."unit_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='3ddd3e3e96aa0d2163f0e7e090f468fc3b73b75f', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_c6acc', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_unitparcel', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unitparcel',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_unitparcelevent" ("id", "parcel_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "share", "unit_id") SELECT old_values."id", old_values."parcel_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."share", old_values."unit_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='e1c4e008f2fec6ca9bf6767c0f4313b708b99f25', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_e86c9', referencing='REFERENCING OLD TABLE AS old_values ', table='units_unitparcel', when='AFTER')),
        ),
        migrations.AddField(
            model_name='unitparcelevent',
            name='parcel',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.parcel'),
        ),
        migrations.AddField(
            model_name='unitparcelevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='unitparcelevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='units.unitparcel'),
        ),
        migrations.AddField(
            model_name='unitparcelevent',
            name='unit',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.redevelopmentunit'),
        ),
        migrations.RunSQL(GUARDS),
    ]
