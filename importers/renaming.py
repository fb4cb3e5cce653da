"""Let findings, and the waivers on them, follow the rows that a delivery renumbered."""

import hashlib
import json
from dataclasses import dataclass

from units.checks.identity import row_identity, shape_identity

MOST = 20  # the same fault of one identifier so many times in a file is looked for, and no more


@dataclass(frozen=True)
class Known:
    """A finding as it stands, and what its identity was made of."""

    pk: int
    identity: str
    fingerprint: str
    code: str
    layer: str
    subjects: tuple[str, ...]
    survey: int | None
    profile: str | None
    of_file: str | None
    details: dict
    point: tuple[float, float] | None

    def renamed(self, names: dict[str, str]) -> tuple[list[str], str, str]:
        """Its subjects, identity and fingerprint when rows have these new names."""
        subjects = [names.get(one, one) for one in self.subjects]
        name = self.details.get("name", "")
        for times in range(1, MOST + 1) if self.profile and len(subjects) == 1 else ():
            said = (self.survey, self.profile, self.code, name)
            if row_identity(*said, self.subjects[0], self.of_file, times) == self.identity:
                identity = row_identity(*said, subjects[0], self.of_file, times)
                return subjects, identity, self._fingerprint(identity)
        if shape_identity(self.survey, self.layer, self.code, self.subjects, self.fingerprint) == self.identity:
            identity = shape_identity(self.survey, self.layer, self.code, subjects, self.fingerprint)
            return subjects, identity, self.fingerprint
        return subjects, self.identity, self.fingerprint  # told by its place alone, whatever the rows are called

    def _fingerprint(self, identity: str) -> str:
        """That of a fault told by an import follows its identity; what a check has taken over keeps the check's."""
        value = self.details.get("value", "")
        more = self.details.get("told", {}).get("parts", {}).get("more", "")
        if fingerprint(self.identity, self.code, value, more, self.point) != self.fingerprint:
            return self.fingerprint
        return fingerprint(identity, self.code, value, more, self.point)


def fingerprint(identity: str, code: str, value: str, more: str, point: tuple[float, float] | None) -> str:
    """The digest of what is wrong and where: when it changes, what somebody has waived is no longer what is told.

    Not of a row's number, which another row above changes. With the identity: a closed value is not told by its digest.
    """
    more = "" if code == "3-key-duplicate" else more
    place = f"{point[0]:.7f} {point[1]:.7f}" if point else ""
    return hashlib.sha256(f"{identity}|{value}|{more}|{place}".encode()).hexdigest()


def rename(cursor, about: dict, layer: str):
    """Give the findings of renumbered rows (in `renamed (old, new)`) the names and identities of the new numbers.

    What they were is kept with the delivery. A finding whose new identity another one has already stays as it is, to be
    resolved by the file like any other.
    """
    cursor.execute(
        "SELECT f.id, f.identity, f.fingerprint, f.code, f.layer, f.subjects, f.survey_id, d.profile,"
        " CASE WHEN d.profile = 'control' THEN d.layer END, f.details::text, ST_X(f.place), ST_Y(f.place)"
        " FROM (SELECT *, CASE WHEN GeometryType(geom) = 'POINT' THEN geom END AS place FROM units_finding) f"
        " LEFT JOIN units_delivery d ON d.id = f.delivery_id"
        " WHERE f.district_id = %(district)s AND f.layer = %(named)s AND f.state <> 'resolved'"
        " AND (f.survey_id IS NULL OR f.survey_id IS NOT DISTINCT FROM %(survey)s)"
        " AND EXISTS (SELECT FROM renamed r WHERE r.old = ANY (f.subjects))",
        about | {"named": layer},
    )
    known = [
        Known(*row[:5], tuple(row[5]), *row[6:9], json.loads(row[9]), row[10:] if row[10] is not None else None)
        for row in cursor.fetchall()
    ]
    if not known:
        return
    cursor.execute("SELECT old, new FROM renamed WHERE old = ANY (%s)", [[s for one in known for s in one.subjects]])
    names = dict(cursor.fetchall())
    cursor.execute("DROP TABLE IF EXISTS followed")
    cursor.execute(
        "CREATE TEMP TABLE followed (id bigint, subjects text[], identity text, fingerprint text) ON COMMIT DROP"
    )
    with cursor.copy("COPY followed FROM STDIN") as copy:
        for one in known:
            copy.write_row((one.pk, *one.renamed(names)))
    cursor.execute("ANALYZE followed")
    cursor.execute(
        "DELETE FROM followed n USING units_finding f WHERE f.identity = n.identity AND f.id <> n.id"
        " AND f.district_id = %(district)s AND f.id NOT IN (SELECT id FROM followed)",
        about,
    )
    cursor.execute(
        'INSERT INTO importers_replaced (delivery_id, "table", key, row)'
        " SELECT %(delivery)s, 'units_finding', f.id, (f.*)::text FROM units_finding f JOIN followed n USING (id)"
        " ON CONFLICT DO NOTHING",
        about,
    )
    cursor.execute(
        "UPDATE units_waiver w SET fingerprint = n.fingerprint FROM followed n JOIN units_finding f USING (id)"
        " WHERE w.finding_id = f.id AND w.fingerprint = f.fingerprint AND n.fingerprint <> f.fingerprint"
    )
    # Identities are one finding's at any moment: first none of them, then the new ones.
    cursor.execute("UPDATE units_finding f SET identity = 'renamed ' || f.id FROM followed n WHERE n.id = f.id")
    cursor.execute(
        "UPDATE units_finding f SET identity = n.identity, subjects = n.subjects, fingerprint = n.fingerprint"
        " FROM followed n WHERE n.id = f.id"
    )
