"""Let what was written have been written on other days, as nobody but the owner of a test database can.

The versions stay as the triggers wrote them; only their clock is set.
"""

from datetime import datetime

HISTORIES = "SELECT c.relname FROM pg_class c WHERE c.relname ~ '^units_[a-z]+event$' AND c.relkind = 'r' ORDER BY 1"


class Clock:
    """Notes, moment by moment, which versions were written since the last; `set` dates them all at once."""

    def __init__(self, owner):
        self.owner = owner
        self.tables = [name for (name,) in owner.execute(HISTORIES).fetchall()]
        self.last = self._numbers()
        self.noted: dict[str, list[tuple[int, int, datetime]]] = {name: [] for name in self.tables}

    def note(self, moment: datetime) -> None:
        """All that was written since the last note was written at this moment."""
        now = self._numbers()
        for name, number in now.items():
            if number > self.last[name]:
                self.noted[name].append((self.last[name], number, moment))
        self.last = now

    def set(self) -> None:
        """Date the versions noted. Their guard is lifted for the time, which only the owner can."""
        for name, spans in self.noted.items():
            if not spans:
                continue
            with self.owner.transaction():
                self.owner.execute(f"ALTER TABLE {name} DISABLE TRIGGER history_kept_for_ever")
                with self.owner.cursor() as cursor:
                    cursor.executemany(
                        f"UPDATE {name} SET pgh_created_at = %s WHERE pgh_id > %s AND pgh_id <= %s",
                        [(moment, first, last) for first, last, moment in spans],
                    )
                self.owner.execute(f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER history_kept_for_ever")
        self.noted = {name: [] for name in self.tables}

    def _numbers(self) -> dict[str, int]:
        asked = " UNION ALL ".join(f"SELECT '{name}', COALESCE(max(pgh_id), 0) FROM {name}" for name in self.tables)
        return dict(self.owner.execute(asked).fetchall())
