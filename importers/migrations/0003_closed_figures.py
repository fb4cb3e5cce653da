"""What findings told by earlier imports quote of a firm's yearly figures is taken out: not all who read may know it."""

from django.db import migrations

CLOSE = r"""
UPDATE units_finding f
SET sentence = replace(f.sentence, f.details->>'value', '…'),
    details = jsonb_set(f.details - 'value', '{told,parts,value}', '"…"', false)
FROM units_delivery d
WHERE d.id = f.delivery_id AND d.profile = 'enterprise_year' AND COALESCE(f.details->>'value', '') <> ''
  AND COALESCE(f.details->>'name', f.details->>'field', '')
      NOT IN ('', '统一社会信用代码', '信用代码', '社会信用代码', '年度', '年份')
"""


class Migration(migrations.Migration):
    dependencies = [("importers", "0002_replaced_is_kept"), ("units", "0005_units")]

    operations = [migrations.RunSQL(CLOSE, migrations.RunSQL.noop)]
