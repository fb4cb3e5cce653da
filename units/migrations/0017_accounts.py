"""What proves who somebody is, and the audit: entries that nobody changes or deletes."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


KEPT = """
CREATE TRIGGER audit_kept_for_ever BEFORE UPDATE OR DELETE ON units_auditentry
    FOR EACH ROW EXECUTE FUNCTION geoinv_refuse_change();
CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON units_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_refuse_change();
ALTER TABLE units_auditentry ENABLE ALWAYS TRIGGER audit_kept_for_ever;
ALTER TABLE units_auditentry ENABLE ALWAYS TRIGGER audit_not_emptied;
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'geoinv_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON units_auditentry FROM geoinv_app;
    END IF;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('units', '0016_unit_record'),
    ]

    operations = [
        migrations.CreateModel(
            name='FormerPassword',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128)),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='former_passwords', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'Former password',
                'verbose_name_plural': 'Former passwords',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='SecondFactor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('nonce', models.BinaryField()),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('last_step', models.BigIntegerField(default=0)),
                ('failures', models.PositiveSmallIntegerField(default=0)),
                ('failed_at', models.DateTimeField(null=True)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='second_factor', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'Second factor',
                'verbose_name_plural': 'Second factors',
            },
        ),
        migrations.CreateModel(
            name='Token',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='Name')),
                ('allows', models.CharField(choices=[('read', 'Reading'), ('write', 'Reading and writing')], default='read', max_length=8, verbose_name='Allows')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('beginning', models.CharField(max_length=12, verbose_name='Begins with')),
                ('made_at', models.DateTimeField(auto_now_add=True, verbose_name='Made')),
                ('expires_at', models.DateTimeField(verbose_name='Expires')),
                ('used_at', models.DateTimeField(null=True, verbose_name='Last used')),
                ('revoked_at', models.DateTimeField(null=True, verbose_name='Revoked')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'Token',
                'verbose_name_plural': 'Tokens',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('kind', models.CharField(choices=[('sign_in', 'Sign-in'), ('sign_in_failed', 'Failed sign-in'), ('sign_out', 'Sign-out'), ('program', 'Sign-in of a program, the first of the day'), ('password', 'Password changed'), ('factor_on', 'Second factor turned on'), ('factor_off', 'Second factor turned off'), ('factor_reset', 'Second factor reset by an administrator'), ('factor_failed', 'Wrong code of the second factor'), ('recovery', 'Recovery code used'), ('token', 'Token made'), ('token_revoked', 'Token revoked'), ('account', 'Account made or changed'), ('download', 'Download')], max_length=16)),
                ('name', models.CharField(blank=True, max_length=150)),
                ('subject', models.CharField(blank=True, max_length=200)),
                ('details', models.JSONField(blank=True, default=dict)),
                ('by', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('district', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.district')),
            ],
            options={
                'verbose_name': 'Audit entry',
                'verbose_name_plural': 'Audit entries',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['-at'], name='audit_at')],
            },
        ),
        migrations.CreateModel(
            name='RecoveryCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64)),
                ('used_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='recovery_codes', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'Recovery code',
                'verbose_name_plural': 'Recovery codes',
                'constraints': [models.UniqueConstraint(fields=('user', 'digest'), name='recovery_code_once')],
            },
        ),
        migrations.RunSQL(KEPT, migrations.RunSQL.noop),
    ]
