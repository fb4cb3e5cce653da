"""A unit has a size: what is smaller or narrower than the tolerance of overlaps is none."""

import django.db.models.expressions
import django.db.models.lookups
import units.models.unit
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('units', '0005_units'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='redevelopmentunit',
            constraint=models.CheckConstraint(condition=models.Q(('area_m2__gt', 1.0), django.db.models.lookups.GreaterThan(django.db.models.expressions.CombinedExpression(models.Value(2), '*', models.F('area_m2')), django.db.models.expressions.CombinedExpression(units.models.unit.Perimeter('geom'), '*', models.Value(0.05)))), name='unit_has_size', violation_error_message='the shape has no size'),
        ),
    ]
