"""The survey campaign: its forms, who is asked for which part of each, and the papers put to them."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import units.models.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('pghistory', '0007_auto_20250421_0444'),
        ('units', '0009_benchmarks'),
    ]

    operations = [
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('year', models.PositiveSmallIntegerField(verbose_name='Year')),
                ('title', models.CharField(max_length=120, verbose_name='Title')),
                ('due_on', models.DateField(verbose_name='Due on')),
                ('state', units.models.fields.OneOf(choices=[('open', 'Under way'), ('closed', 'Closed')], default='open', max_length=8, verbose_name='State')),
                ('opened_at', models.DateTimeField(auto_now_add=True, verbose_name='Opened at')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='Closed at')),
            ],
            options={
                'verbose_name': 'Survey campaign',
                'verbose_name_plural': 'Survey campaigns',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='CampaignEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('year', models.PositiveSmallIntegerField(verbose_name='Year')),
                ('title', models.CharField(max_length=120, verbose_name='Title')),
                ('due_on', models.DateField(verbose_name='Due on')),
                ('state', units.models.fields.OneOf(choices=[('open', 'Under way'), ('closed', 'Closed')], default='open', max_length=8, verbose_name='State')),
                ('opened_at', models.DateTimeField(auto_now_add=True, verbose_name='Opened at')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='Closed at')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='FormPaper',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cell', models.CharField(blank=True, max_length=80, verbose_name='Fact it proves')),
                ('restricted', models.BooleanField(default=False, verbose_name='Holds figures of firms')),
                ('removed_at', models.DateTimeField(blank=True, null=True, verbose_name='Taken away at')),
            ],
            options={
                'verbose_name': 'Paper of a survey form',
                'verbose_name_plural': 'Papers of survey forms',
            },
        ),
        migrations.CreateModel(
            name='FormPaperEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('cell', models.CharField(blank=True, max_length=80, verbose_name='Fact it proves')),
                ('restricted', models.BooleanField(default=False, verbose_name='Holds figures of firms')),
                ('removed_at', models.DateTimeField(blank=True, null=True, verbose_name='Taken away at')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='FormTask',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', units.models.fields.OneOf(choices=[('lead', 'Lead'), ('co', 'Co department'), ('added', 'Added')], max_length=8, verbose_name='Part')),
                ('groups', models.JSONField(default=list, verbose_name='Groups of facts')),
                ('due_on', models.DateField(blank=True, null=True, verbose_name='Due on')),
                ('verdict', models.JSONField(blank=True, default=dict, verbose_name='Confirmed or returned')),
                ('reason', models.TextField(blank=True, verbose_name='Reason')),
                ('assigned_at', models.DateTimeField(auto_now_add=True, verbose_name='Assigned at')),
            ],
            options={
                'verbose_name': 'Part of a survey form',
                'verbose_name_plural': 'Parts of survey forms',
            },
        ),
        migrations.CreateModel(
            name='FormTaskEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('part', units.models.fields.OneOf(choices=[('lead', 'Lead'), ('co', 'Co department'), ('added', 'Added')], max_length=8, verbose_name='Part')),
                ('groups', models.JSONField(default=list, verbose_name='Groups of facts')),
                ('due_on', models.DateField(blank=True, null=True, verbose_name='Due on')),
                ('verdict', models.JSONField(blank=True, default=dict, verbose_name='Confirmed or returned')),
                ('reason', models.TextField(blank=True, verbose_name='Reason')),
                ('assigned_at', models.DateTimeField(auto_now_add=True, verbose_name='Assigned at')),
            ],
            options={
                'abstract': False,
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='factsheet',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='factsheet',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='factsheet',
            name='delete_delete',
        ),
        migrations.RemoveConstraint(
            model_name='factsheet',
            name='fact_sheet_once_a_subject',
        ),
        migrations.RemoveField(
            model_name='factsheet',
            name='co_departments',
        ),
        migrations.AddField(
            model_name='factsheet',
            name='determination',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='forms', to='units.determination', verbose_name='Determination'),
        ),
        migrations.AddField(
            model_name='factsheet',
            name='entered_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='Taken into the registers at'),
        ),
        migrations.AddField(
            model_name='factsheet',
            name='kind',
            field=models.CharField(blank=True, help_text='The code of the department that owns its kind', max_length=40, verbose_name='Kind of facility'),
        ),
        migrations.AddField(
            model_name='factsheet',
            name='parts',
            field=models.JSONField(blank=True, default=dict, verbose_name='Buildings and firms that are asked about'),
        ),
        migrations.AddField(
            model_name='factsheet',
            name='street',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.street', verbose_name='Street'),
        ),
        migrations.AddField(
            model_name='factsheetevent',
            name='determination',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.determination', verbose_name='Determination'),
        ),
        migrations.AddField(
            model_name='factsheetevent',
            name='entered_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='Taken into the registers at'),
        ),
        migrations.AddField(
            model_name='factsheetevent',
            name='kind',
            field=models.CharField(blank=True, help_text='The code of the department that owns its kind', max_length=40, verbose_name='Kind of facility'),
        ),
        migrations.AddField(
            model_name='factsheetevent',
            name='parts',
            field=models.JSONField(blank=True, default=dict, verbose_name='Buildings and firms that are asked about'),
        ),
        migrations.AddField(
            model_name='factsheetevent',
            name='street',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.street', verbose_name='Street'),
        ),
        migrations.AlterField(
            model_name='factsheet',
            name='state',
            field=units.models.fields.OneOf(choices=[('assigned', 'Assigned'), ('filling', 'Being filled'), ('co_check', 'With the co departments'), ('checked', 'Checked'), ('determined', 'Determined'), ('dropped', 'Not taken up')], default='assigned', max_length=12, verbose_name='State'),
        ),
        migrations.AlterField(
            model_name='factsheetevent',
            name='state',
            field=units.models.fields.OneOf(choices=[('assigned', 'Assigned'), ('filling', 'Being filled'), ('co_check', 'With the co departments'), ('checked', 'Checked'), ('determined', 'Determined'), ('dropped', 'Not taken up')], default='assigned', max_length=12, verbose_name='State'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='factsheet',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_factsheetevent" ("building_id", "campaign_id", "category", "construction", "determination_id", "due_on", "economy", "entered_at", "id", "kind", "land", "lead_id", "parcel_id", "parts", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "state", "street_id", "version") SELECT new_values."building_id", new_values."campaign_id", new_values."category", new_values."construction", new_values."determination_id", new_values."due_on", new_values."economy", new_values."entered_at", new_values."id", new_values."kind", new_values."land", new_values."lead_id", new_values."parcel_id", new_values."parts", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."state", new_values."street_id", new_values."version" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='e300dde71e745435dfb469a2a9ead3ca55d79b26', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_f1070', referencing='REFERENCING NEW TABLE AS new_values ', table='units_factsheet', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='factsheet',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_factsheetevent" ("building_id", "campaign_id", "category", "construction", "determination_id", "due_on", "economy", "entered_at", "id", "kind", "land", "lead_id", "parcel_id", "parts", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "state", "street_id", "version") SELECT new_values."building_id", new_values."campaign_id", new_values."category", new_values."construction", new_values."determination_id", new_values."due_on", new_values."economy", new_values."entered_at", new_values."id", new_values."kind", new_values."land", new_values."lead_id", new_values."parcel_id", new_values."parts", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."state", new_values."street_id", new_values."version" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='65f8bf80cdfd43c64d608a9f3e7c086bab1a6461', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_52d8e', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_factsheet', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='factsheet',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_factsheetevent" ("building_id", "campaign_id", "category", "construction", "determination_id", "due_on", "economy", "entered_at", "id", "kind", "land", "lead_id", "parcel_id", "parts", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "state", "street_id", "version") SELECT old_values."building_id", old_values."campaign_id", old_values."category", old_values."construction", old_values."determination_id", old_values."due_on", old_values."economy", old_values."entered_at", old_values."id", old_values."kind", old_values."land", old_values."lead_id", old_values."parcel_id", old_values."parts", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."state", old_values."street_id", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='098ce3d9717a839d27f9bbfac724a31dd46d5c4f', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_134a5', referencing='REFERENCING OLD TABLE AS old_values ', table='units_factsheet', when='AFTER')),
        ),
        migrations.AddField(
            model_name='campaign',
            name='closed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Closed by'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='district',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to='units.district', verbose_name='District'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='opened_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Opened by'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='survey',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to='units.survey', verbose_name='Survey'),
        ),
        migrations.AddField(
            model_name='factsheet',
            name='campaign',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='sheets', to='units.campaign', verbose_name='Survey campaign'),
        ),
        migrations.AddField(
            model_name='factsheetevent',
            name='campaign',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.campaign', verbose_name='Survey campaign'),
        ),
        migrations.AddIndex(
            model_name='factsheet',
            index=models.Index(fields=['campaign', 'category', 'state'], name='fact_sheet_progress'),
        ),
        migrations.AddConstraint(
            model_name='factsheet',
            constraint=models.UniqueConstraint(fields=('campaign', 'parcel', 'building', 'category'), name='fact_sheet_once_a_campaign', nulls_distinct=False),
        ),
        migrations.AddField(
            model_name='campaignevent',
            name='closed_by',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Closed by'),
        ),
        migrations.AddField(
            model_name='campaignevent',
            name='district',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.district', verbose_name='District'),
        ),
        migrations.AddField(
            model_name='campaignevent',
            name='opened_by',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Opened by'),
        ),
        migrations.AddField(
            model_name='campaignevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='campaignevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='units.campaign'),
        ),
        migrations.AddField(
            model_name='campaignevent',
            name='survey',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.survey', verbose_name='Survey'),
        ),
        migrations.AddField(
            model_name='formpaper',
            name='department',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.department', verbose_name='Department'),
        ),
        migrations.AddField(
            model_name='formpaper',
            name='document',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.document', verbose_name='Document'),
        ),
        migrations.AddField(
            model_name='formpaper',
            name='removed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Taken away by'),
        ),
        migrations.AddField(
            model_name='formpaper',
            name='sheet',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='papers', to='units.factsheet', verbose_name='Survey form'),
        ),
        migrations.AddField(
            model_name='formpaperevent',
            name='department',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.department', verbose_name='Department'),
        ),
        migrations.AddField(
            model_name='formpaperevent',
            name='document',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.document', verbose_name='Document'),
        ),
        migrations.AddField(
            model_name='formpaperevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='formpaperevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='units.formpaper'),
        ),
        migrations.AddField(
            model_name='formpaperevent',
            name='removed_by',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Taken away by'),
        ),
        migrations.AddField(
            model_name='formpaperevent',
            name='sheet',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.factsheet', verbose_name='Survey form'),
        ),
        migrations.AddField(
            model_name='formtask',
            name='assigned_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Assigned by'),
        ),
        migrations.AddField(
            model_name='formtask',
            name='department',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='form_tasks', to='units.department', verbose_name='Department'),
        ),
        migrations.AddField(
            model_name='formtask',
            name='sheet',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tasks', to='units.factsheet', verbose_name='Survey form'),
        ),
        migrations.AddField(
            model_name='formtaskevent',
            name='assigned_by',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Assigned by'),
        ),
        migrations.AddField(
            model_name='formtaskevent',
            name='department',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.department', verbose_name='Department'),
        ),
        migrations.AddField(
            model_name='formtaskevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='formtaskevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='units.formtask'),
        ),
        migrations.AddField(
            model_name='formtaskevent',
            name='sheet',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.factsheet', verbose_name='Survey form'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('district',), name='campaign_one_open_a_district'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='campaign',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_campaignevent" ("closed_at", "closed_by_id", "district_id", "due_on", "id", "opened_at", "opened_by_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "state", "survey_id", "title", "year") SELECT new_values."closed_at", new_values."closed_by_id", new_values."district_id", new_values."due_on", new_values."id", new_values."opened_at", new_values."opened_by_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."state", new_values."survey_id", new_values."title", new_values."year" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='3ab76f0bd16e168c7585056a5df57dc8c5096a59', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_92d8e', referencing='REFERENCING NEW TABLE AS new_values ', table='units_campaign', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='campaign',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_campaignevent" ("closed_at", "closed_by_id", "district_id", "due_on", "id", "opened_at", "opened_by_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "state", "survey_id", "title", "year") SELECT new_values."closed_at", new_values."closed_by_id", new_values."district_id", new_values."due_on", new_values."id", new_values."opened_at", new_values."opened_by_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."state", new_values."survey_id", new_values."title", new_values."year" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='e2713949705caf86749b4a8cb271c8f12269de89', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_e2d9a', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_campaign', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='campaign',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_campaignevent" ("closed_at", "closed_by_id", "district_id", "due_on", "id", "opened_at", "opened_by_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "state", "survey_id", "title", "year") SELECT old_values."closed_at", old_values."closed_by_id", old_values."district_id", old_values."due_on", old_values."id", old_values."opened_at", old_values."opened_by_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."state", old_values."survey_id", old_values."title", old_values."year" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='749238090141cf28dc52a6af4e36d77ad98eda52', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_2e28c', referencing='REFERENCING OLD TABLE AS old_values ', table='units_campaign', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='formpaper',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_formpaperevent" ("cell", "department_id", "document_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "removed_at", "removed_by_id", "restricted", "sheet_id") SELECT new_values."cell", new_values."department_id", new_values."document_id", new_values."id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."removed_at", new_values."removed_by_id", new_values."restricted", new_values."sheet_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='1b4c9391acdddfdbb13bd718c12258dfb7314182', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_fbe4e', referencing='REFERENCING NEW TABLE AS new_values ', table='units_formpaper', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='formpaper',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_formpaperevent" ("cell", "department_id", "document_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "removed_at", "removed_by_id", "restricted", "sheet_id") SELECT new_values."cell", new_values."department_id", new_values."document_id", new_values."id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."removed_at", new_values."removed_by_id", new_values."restricted", new_values."sheet_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='765d14c6090f025de417dea10b654791c558e678', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_d0a7c', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_formpaper', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='formpaper',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_formpaperevent" ("cell", "department_id", "document_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "removed_at", "removed_by_id", "restricted", "sheet_id") SELECT old_values."cell", old_values."department_id", old_values."document_id", old_values."id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."removed_at", old_values."removed_by_id", old_values."restricted", old_values."sheet_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='c42c5896f2de301b71d046b91d2627da74ae7d63', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_0b965', referencing='REFERENCING OLD TABLE AS old_values ', table='units_formpaper', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='formtask',
            constraint=models.UniqueConstraint(fields=('sheet', 'department'), name='form_task_once_a_department'),
        ),
        migrations.AddConstraint(
            model_name='formtask',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('part', 'added'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='form_task_added_for_a_reason'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='formtask',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_formtaskevent" ("assigned_at", "assigned_by_id", "department_id", "due_on", "groups", "id", "part", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "sheet_id", "verdict") SELECT new_values."assigned_at", new_values."assigned_by_id", new_values."department_id", new_values."due_on", new_values."groups", new_values."id", new_values."part", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."reason", new_values."sheet_id", new_values."verdict" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='0cebb6c9483512ae0cd20f7b337d8b5b5dc86010', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_23f5c', referencing='REFERENCING NEW TABLE AS new_values ', table='units_formtask', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='formtask',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_formtaskevent" ("assigned_at", "assigned_by_id", "department_id", "due_on", "groups", "id", "part", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "sheet_id", "verdict") SELECT new_values."assigned_at", new_values."assigned_by_id", new_values."department_id", new_values."due_on", new_values."groups", new_values."id", new_values."part", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."reason", new_values."sheet_id", new_values."verdict" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='b0082cae21d101b8330f5b06484ec8e0bc556919', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_6a848', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_formtask', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='formtask',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_formtaskevent" ("assigned_at", "assigned_by_id", "department_id", "due_on", "groups", "id", "part", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "sheet_id", "verdict") SELECT old_values."assigned_at", old_values."assigned_by_id", old_values."department_id", old_values."due_on", old_values."groups", old_values."id", old_values."part", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."reason", old_values."sheet_id", old_values."verdict" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='6986207c080e3bc3f8eb8b1f389e729d0288c62b', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_df940', referencing='REFERENCING OLD TABLE AS old_values ', table='units_formtask', when='AFTER')),
        ),
        migrations.RunSQL("SELECT geoinv_harden_history()"),
    ]
