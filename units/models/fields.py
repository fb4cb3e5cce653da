"""A text column that the database itself holds to its choices, where COPY and SQL write too."""

from django.db import models


class OneOf(models.CharField):
    """A CharField with `choices` and a CHECK of the same values; blank allows the empty text."""

    def db_check(self, connection):
        values = [value for value, _ in self.flatchoices if value is not None]
        if self.blank and "" not in values:
            values.append("")
        if not values:
            return None
        quote = connection.ops.quote_name
        listed = ", ".join("'{}'".format(str(value).replace("'", "''")) for value in values)
        return f"{quote(self.column)} IN ({listed})"
