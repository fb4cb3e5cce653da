"""Who sees what: for a user's grants and a collection, the row condition and the condition of each column.

Every face asks `view()`: pages, API, OGC, raw SQL, tiles, exports, history. The condition is a small disjunction of
equalities, so that the same object can be written as SQL and as a Django `Q` and the two cannot drift apart.
Roles are those of `workflow.md` 4.1; a role is a Django group of the same name, scoped by district and street.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Role(StrEnum):
    """R11, the nightly job, is no person and holds no grant: it runs as the command line does."""

    ANALYST = "R1"
    STREET = "R2"
    LEAD = "R3"
    CO = "R4"
    OFFICE = "R5"
    DISTRICT = "R6"
    BUREAU = "R7"
    CITY = "R8"
    DEVELOPER = "R9"
    PUBLIC = "R10"


TITLES = {
    Role.ANALYST: _("GIS analyst"),
    Role.STREET: _("Street office"),
    Role.LEAD: _("Lead department"),
    Role.CO: _("Co department"),
    Role.OFFICE: _("Task-force office"),
    Role.DISTRICT: _("District government"),
    Role.BUREAU: _("Municipal bureau"),
    Role.CITY: _("City government"),
    Role.DEVELOPER: _("Redeveloper"),
    Role.PUBLIC: _("Public"),
}


@dataclass(frozen=True)
class Grant:
    """One role and where it holds: everywhere, in one district, or in one street."""

    role: str
    district: str | None = None
    street: str | None = None
    department: str | None = None


@dataclass(frozen=True)
class Condition:
    """A disjunction of conjunctions of `column = value`; no alternative at all means nothing may be seen."""

    alternatives: tuple[tuple[tuple[str, str], ...], ...] = ()

    @property
    def always(self) -> bool:
        return () in self.alternatives

    @property
    def never(self) -> bool:
        return not self.alternatives

    def sql(self, prefix: str = "", name: str = "right") -> tuple[str, dict[str, str]]:
        """The condition as SQL over columns named `prefix.column`, with its values as named parameters.

        The parameters are called `name_0`, `name_1` …: two conditions in one statement need two names.
        """
        if self.always:
            return "TRUE", {}
        if self.never:
            return "FALSE", {}
        dot = f"{prefix}." if prefix else ""
        params: dict[str, str] = {}
        written = []
        for alternative in self.alternatives:
            parts = []
            for column, value in alternative:
                key = f"{name}_{len(params)}"
                params[key] = value
                parts.append(f"{dot}{column} = %({key})s")
            written.append("(" + " AND ".join(parts) + ")")
        return "(" + " OR ".join(written) + ")", params

    def q(self) -> Q:
        """The condition for a queryset of the collection's model."""
        if self.always:
            return Q()
        found = Q(pk__in=[])
        for alternative in self.alternatives:
            found |= Q(**dict(alternative))
        return found


@dataclass(frozen=True)
class View:
    """What one user sees of one collection: which rows, and of each row which columns."""

    collection: str
    rows: Condition
    columns: dict[str, Condition]

    def sees(self, column: str) -> bool:
        return column in self.columns and not self.columns[column].never


INSIDE = frozenset({Role.ANALYST, Role.STREET, Role.LEAD, Role.CO, Role.OFFICE, Role.DISTRICT, Role.BUREAU, Role.CITY})
REGISTER_KEEPERS = INSIDE - {Role.LEAD, Role.CO}

# Which roles see rows of a collection within their scope. A collection that is not named here is seen by nobody.
READERS: dict[str, frozenset[Role]] = {
    "parcels": INSIDE,
    "patches": INSIDE,
    "buildings": INSIDE,
    "candidates": INSIDE,
    "criteria": INSIDE,
    "determinations": INSIDE,
    "statistics": INSIDE,
    "control-areas": INSIDE,
    "legacy": REGISTER_KEEPERS,
    "units": INSIDE,
    "problems": INSIDE,
    "findings": REGISTER_KEEPERS,
}
# Columns that only some of the readers see. Who holds the land is no business of co departments (workflow 4.1).
RESTRICTED: dict[str, dict[str, frozenset[Role]]] = {
    "parcels": {"right_holder": INSIDE - {Role.CO}},
    "candidates": {"right_holder": INSIDE - {Role.CO}},
    "legacy": {"user_name": REGISTER_KEEPERS, "penalty_number": REGISTER_KEEPERS - {Role.CITY}},
}
# A firm's tax, energy and grade by year: lead and co departments and the office of the same district, and the municipal
# bureau (workflow 4.1). What a rule read of them is hidden from everybody else wherever its verdict is told.
FIGURE_READERS = frozenset({Role.LEAD, Role.CO, Role.OFFICE, Role.BUREAU})
# Who delivers what (workflow 4.1): survey layers and registers of land are the analyst's, the legacy register too, as
# far as it is a draft (4.3); contracts also come from the task-force office. Firms and their figures come from the
# lead departments (NJ092) or the office, who may read them; the analyst may not. A profile that is not named here is
# delivered by nobody but the command line.
IMPORTERS: dict[str, frozenset[Role]] = {
    **dict.fromkeys(("district", "cjdcq", "dltb", "dltb2", "czcdyd", "zd", "building"), frozenset({Role.ANALYST})),
    **dict.fromkeys(("control", "dcdytb", "hebei_lowuse", "legacy"), frozenset({Role.ANALYST})),
    "contract": frozenset({Role.ANALYST, Role.OFFICE}),
    **dict.fromkeys(("enterprise", "enterprise_year", "occupancy"), frozenset({Role.LEAD, Role.OFFICE})),
    # What land and firms are held against is agreed; what departments know of firms and facilities they deliver.
    **dict.fromkeys(("benchmark", "sector_list"), frozenset({Role.OFFICE})),
    **dict.fromkeys(("violation", "use_state"), frozenset({Role.LEAD, Role.CO, Role.OFFICE})),
}
# What belongs to the district as a whole and lies in no one street: a street office reads its district's.
DISTRICT_WIDE = frozenset({"control-areas", "criteria"})
# What everybody sees, nobody signed in included: approved units, in these columns (NK068).
PUBLIC: dict[str, tuple[tuple[tuple[str, str], ...], frozenset[str]]] = {
    "units": (
        (("state", "approved"),),
        frozenset({"code", "name", "edition", "state", "mode", "area_m2", "district_id", "district_name"}),
    ),
}


def view(grants: Iterable[Grant], collection: str, columns: Iterable[str]) -> View:
    """The rows and columns of `collection` that someone with these `grants` sees; pass () for nobody signed in."""
    grants = tuple(grants)
    open_rows, open_columns = PUBLIC.get(collection, (None, frozenset()))
    public = (open_rows,) if open_rows is not None else ()
    readers = READERS.get(collection, frozenset())
    restricted = RESTRICTED.get(collection, {})

    def condition(roles: frozenset[Role], beside: tuple) -> Condition:
        scopes = {_scope(grant, collection) for grant in grants if grant.role in roles}
        return Condition(((),)) if () in scopes else Condition(tuple(sorted(scopes)) + beside)

    return View(
        collection,
        condition(readers, public),
        {
            column: condition(restricted.get(column, readers), public if column in open_columns else ())
            for column in columns
        },
    )


def may(grants: Iterable[Grant], roles: Iterable[Role], district: str | None = None, street: str | None = None) -> bool:
    """Whether one of the grants is of one of the roles and covers the district and street."""
    roles = frozenset(roles)
    return any(
        grant.role in roles and grant.district in (None, district) and grant.street in (None, street)
        for grant in grants
    )


def sees_figures(grants: Iterable[Grant], district: str, street: str | None = None) -> bool:
    """Whether someone with these grants may read what firms there pay, use and are graded."""
    return may(grants, FIGURE_READERS, district, street)


def imports(grants: Iterable[Grant], district: str | None) -> frozenset[str]:
    """The profiles that someone with these grants delivers for the whole of a district.

    A delivery covers its layer in the whole district, so a grant for one of its streets is not enough.
    """
    grants = tuple(grants)
    return frozenset(name for name, roles in IMPORTERS.items() if may(grants, roles, district))


def may_import(grants: Iterable[Grant]) -> bool:
    """Whether someone with these grants delivers anything anywhere."""
    roles = frozenset().union(*IMPORTERS.values())
    return any(grant.role in roles and grant.street is None for grant in grants)


def grants_of(user) -> tuple[Grant, ...]:
    """The grants of a user, or of nobody: Django's anonymous user knows nothing of ours."""
    return user.grants() if user.is_authenticated else ()


def _scope(grant: Grant, collection: str) -> tuple[tuple[str, str], ...]:
    district = grant.district or (grant.street[:6] if grant.street else None)
    if grant.street and collection not in DISTRICT_WIDE:
        return (("district_id", district), ("street_id", grant.street))
    return (("district_id", district),) if district else ()
