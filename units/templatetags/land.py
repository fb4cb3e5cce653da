"""Write areas, roles and codes in templates as people here read them."""

from decimal import Decimal

from django import template

from units import campaigning, codes, waiting
from units.auditing import audited
from units.collections import COLLECTIONS
from units.field_checking import LOOKERS
from units.rights import TITLES, Role, view
from units.rights import may_import as grants_let_import
from units.sealing import READERS as SEALED_READERS
from units.spatial import SQUARE_METRES_PER_MU, rounded

register = template.Library()


@register.filter
def square_metres(value) -> str:
    """An area in m² with one decimal; a dash for what is not known, or is no part of what the page was given."""
    return "–" if value in (None, "") else f"{rounded(value, 1):,}"


@register.filter
def mu(value) -> str:
    """The same area in 亩, two decimals."""
    if value is None:
        return "–"
    return f"{rounded(Decimal(str(value)) / SQUARE_METRES_PER_MU, 2):,}"


@register.filter
def listed(value) -> str:
    """A value of a criteria set as one reads it: the items of a list one after the other; a dash for none."""
    if value is None:
        return "–"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


@register.filter
def money(value) -> str:
    """An amount with two decimals and groups of thousands; a dash for what is not known."""
    return "–" if value is None else f"{rounded(value, 2):,}"


@register.filter
def percent(share) -> str:
    """A share between 0 and 1 as a percentage with one decimal."""
    return "–" if share is None else f"{rounded(share * 100, 1)}%"


@register.filter
def use_name(code: str, scheme: str) -> str:
    """The name of a land-use code in its own scheme; empty where the scheme has no table here."""
    use = codes.land_use(scheme).get(code)
    return use.name if use else ""


@register.filter
def named(code: str, domain: str) -> str:
    """The name of a code of one of the standard's coded fields, or the code itself."""
    return codes.domain(domain).get(code, code)


@register.filter
def has_work(user) -> bool:
    """Whether the user keeps the inventory, so that something may wait for him."""
    return any(grant.role not in (Role.DEVELOPER, Role.PUBLIC) for grant in user.grants())


@register.filter
def work_waiting(user) -> int:
    """How much waits for the user in every register."""
    return waiting.count(user)


@register.filter
def sees_legacy(user) -> bool:
    """Whether the user sees any legacy land."""
    return not view(user.grants(), "legacy", ()).rows.never


@register.filter
def sees_sets(user) -> bool:
    """Whether the user sees sealed sets."""
    return any(grant.role in SEALED_READERS and grant.street is None for grant in user.grants())


@register.filter
def role_titles(user) -> list:
    """What the user is called here: the titles of his roles, each once."""
    held = dict.fromkeys(grant.role for grant in user.grants())
    return [TITLES[Role(role)] for role in held if role in set(Role)]


@register.filter
def may_import(user) -> bool:
    """Whether the user may import something somewhere, so that the way to the import page is shown."""
    return grants_let_import(user.grants())


@register.filter
def sees_findings(user) -> bool:
    """Whether any finding of the data may be shown to the user, so that the way to the list is."""
    return not COLLECTIONS["findings"].seen_by(user.grants()).rows.never


@register.filter
def sees_records(user) -> bool:
    """Whether any record of low-efficiency land may be shown to the user, so that the way to the list is."""
    return not view(user.grants(), "determinations", ()).rows.never


@register.filter
def sees_statistics(user) -> bool:
    """Whether any statistics may be shown to the user, so that the way to them is."""
    return not view(user.grants(), "statistics", ()).rows.never


@register.filter
def sees_criteria(user) -> bool:
    """Whether the criteria sets may be read by the user, so that the way to them is shown."""
    return not view(user.grants(), "criteria", ()).rows.never


@register.filter
def may_look(user) -> bool:
    """Whether the user writes field checks anywhere, so that the way to the field desk is shown."""
    return any(grant.role in LOOKERS for grant in user.grants())


@register.filter
def sees_forms(user) -> bool:
    """Whether the user fills or reads survey forms anywhere, so that the way to the campaigns is shown."""
    return campaigning.may_read(user.grants())


@register.filter
def sees_audit(user) -> bool:
    """Whether the user may read any of the audit, so that the way to it is shown."""
    return bool(audited(user))
