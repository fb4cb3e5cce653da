"""What the codes of a collection mean, for the pages that people read beside the ones that programs do."""

from django.db.models import Choices
from django.utils.translation import gettext_lazy as _

from units import codes
from units.checks.registry import CHECKS
from units.collections import COLLECTIONS
from units.models import (
    Building,
    Category,
    ControlArea,
    Finding,
    Flag,
    LegacyLand,
    Problem,
    RedevelopmentUnit,
    Scheme,
)

SUBJECTS = {"parcel": _("Parcel"), "building": _("Building")}
# (collection, column) → what its codes are called.
WORDS: dict[tuple[str, str], type[Choices] | dict] = {
    ("parcels", "use_scheme"): Scheme,
    ("patches", "scheme"): Scheme,
    ("buildings", "safety_grade"): Building.Grade,
    ("candidates", "kind"): SUBJECTS,
    ("candidates", "outcome"): Flag.Outcome,
    ("candidates", "category"): Category,
    ("legacy", "state"): LegacyLand.State,
    ("legacy", "route"): LegacyLand.Route,
    ("units", "state"): RedevelopmentUnit.State,
    ("control-areas", "kind"): ControlArea.Kind,
    ("findings", "code"): {one.code: one.title for one in CHECKS.values()},
    ("findings", "layer"): {one.id: one.title for one in COLLECTIONS.values()},
    ("findings", "severity"): Finding.Severity,
    ("findings", "state"): Finding.State,
    ("problems", "kind"): Problem.Kind,
    ("problems", "state"): Problem.State,
    ("problems", "level"): Problem.Level,
}


def meaning(collection: str, column: str, properties: dict) -> str:
    """What the value of a column means in words; "" where it says so itself."""
    value = properties.get(column)
    if not isinstance(value, str) or not value:
        return ""
    if (collection, column) == ("parcels", "registered_use"):  # the same digits are other uses in other schemes
        use = codes.land_use(properties.get("use_scheme") or codes.UNKNOWN).get(value)
        return use.name if use else ""
    words = WORDS.get((collection, column), {})
    named = dict(words.choices) if isinstance(words, type) else words
    return str(named.get(value, ""))
