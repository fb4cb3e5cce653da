"""Judge recomputed subjects by the rules of nankai-2024 as its documents read, in Python with a third value, unknown.

The limits stand here as numbers: a parameter that is changed in the set without being changed here makes a test fail.
"""

from decimal import Decimal

from tests.units.criteria.recomputed import DECIMALS, half_up

OFFICES, HOMES, WORKS, FACILITIES = "office", "residential", "industrial", "facility"
EVERY = (WORKS, OFFICES, HOMES, FACILITIES)
ELIMINATED = {"1713"}  # of the demo's list
# Divisions of GB/T 4754 whose FAR index of 2008 is below 1.0 (criteria.md C19, C07).
LOW_INDEX = {"17", "20", "21", "22", "23", "25", "26", "27", "28", "30", "31", "32"}


# --- three values: True, False, and None for what nobody can say -----------------------------------------------------


def both(*values) -> bool | None:
    return False if False in values else None if None in values else True


def either(*values) -> bool | None:
    return True if True in values else None if None in values else False


class Known:
    """The measures of one subject, rounded as they are judged; a comparison with what is unknown is unknown."""

    def __init__(self, told: dict):
        self.told = told

    def __getitem__(self, name: str):
        value = self.told.get(name)
        return half_up(value, DECIMALS[name]) if name in DECIMALS else value

    def below(self, name: str, limit: str) -> bool | None:
        return None if self[name] is None else self[name] < Decimal(limit)

    def above(self, name: str, limit: str) -> bool | None:
        return None if self[name] is None else self[name] > Decimal(limit)

    def least(self, name: str, limit: str) -> bool | None:
        return None if self[name] is None else self[name] >= Decimal(limit)

    def most(self, name: str, limit: str) -> bool | None:
        return None if self[name] is None else self[name] <= Decimal(limit)

    def equal(self, name: str, value) -> bool | None:
        return None if self[name] is None else self[name] == value

    def among(self, name: str, values: set) -> bool | None:
        return None if self[name] is None else self[name] in values


# --- the rules: (effect, subjects, categories, condition) -------------------------------------------------------------

PARCEL, BUILDING = {"parcel"}, {"building"}
ANY = PARCEL | BUILDING
RULES = {
    "EXC-NONCONSTRUCTION": ("exclude", PARCEL, (), lambda m: m.below("construction_share", "0.5")),
    "D-RED-LINE": ("exclude", ANY, (), lambda m: m.above("ecological_red_line_m2", "0")),
    "D-FARMLAND": ("exclude", ANY, (), lambda m: m.above("basic_farmland_m2", "0")),
    "D-BOUNDARY": ("exclude", ANY, (), lambda m: m.below("development_boundary_share", "0.95")),
    "IDLE-NOT-STARTED": (
        "exclude",
        PARCEL,
        (),
        lambda m: both(m.above("contracts", "0"), m.above("start_overdue", "1")),
    ),
    "IDLE-STOPPED": (
        "exclude",
        PARCEL,
        (),
        lambda m: both(
            m.above("contracts", "0"),
            m.least("stopped_for", "1"),
            either(m.below("developed_share", "0.3333"), m.below("investment_share", "0.25")),
        ),
    ),
    "IND-FAR": ("flag", PARCEL, (WORKS,), lambda m: m.below("far", "1.0")),
    "IND-COVERAGE": ("flag", PARCEL, (WORKS,), lambda m: m.below("coverage", "0.3")),
    "USE-MISMATCH": ("flag", PARCEL, EVERY, lambda m: m.least("mismatch", "0.5")),
    "IND-TAX": ("flag", PARCEL, (WORKS,), lambda m: m.below("tax_ratio", "0.4")),
    "IND-UNSAFE": ("flag", PARCEL, (WORKS,), lambda m: m.least("unsafe_share", "0.5")),
    "IND-SECTOR": ("flag", PARCEL, (WORKS,), lambda m: m.among("sector", ELIMINATED)),
    "IND-VIOLATION": ("flag", PARCEL, (WORKS,), lambda m: m.equal("violation_open", True)),
    "IND-OVERDUE": (
        "flag",
        PARCEL,
        (WORKS,),
        lambda m: both(m.above("contracts", "0"), m.least("completion_overdue", "2")),
    ),
    "IND-INVESTMENT": (
        "flag",
        PARCEL,
        (WORKS,),
        lambda m: both(m.above("contracts", "0"), m.least("completed_for", "2"), m.below("investment_share", "0.5")),
    ),
    "IND-UNFINISHED": (
        "flag",
        PARCEL,
        (WORKS,),
        lambda m: both(
            m.above("contracts", "0"),
            m.least("stopped_for", "1"),
            m.least("developed_share", "0.3333"),
            m.least("investment_share", "0.25"),
        ),
    ),
    "VACANT-WHOLE": ("flag", ANY, (WORKS, OFFICES), lambda m: m.least("vacancy", "1")),
    "D-VACANCY": ("flag", ANY, (OFFICES,), lambda m: both(m.least("vacancy", "0.5"), m.least("vacant_months", "12"))),
    "D-BUILDING-TAX": ("flag", ANY, (OFFICES,), lambda m: m.below("floor_tax_ratio", "0.4")),
    # A use rate below 0.30 is a vacancy above 0.70; nothing used at all is below it at once.
    "D-FACILITY": (
        "flag",
        PARCEL,
        (FACILITIES,),
        lambda m: either(m.least("idle_months", "24"), m.above("vacancy", "0.7")),
    ),
    "RES-OLD": (
        "flag",
        PARCEL,
        (HOMES,),
        lambda m: both(m.most("built_year_max", "2000"), either(m.below("far", "1.0"), m.least("unsafe_share", "0.5"))),
    ),
    "EXM-SCALE": ("exempt", PARCEL, (WORKS,), lambda m: m.equal("above_scale", True)),
    "EXM-STRATEGIC": ("exempt", PARCEL, (WORKS,), lambda m: m.equal("strategic", True)),
    "EXM-NEW": ("exempt", PARCEL, (WORKS,), lambda m: m.below("production_years", "3")),
    "EXM-TAX": (
        "exempt",
        PARCEL,
        (WORKS,),
        lambda m: both(m.among("sector_division", LOW_INDEX), m.above("tax_per_mu", "8")),
    ),
}


def category(kind: str, m: Known) -> tuple[str, bool | None]:
    """The category, and whether there is one: the registered use tells, without one the class that covers most."""
    if kind == "building":
        return OFFICES, True
    told = m["class_category"] if m["registered_use"] is None else m["use_category"]
    if told is None:
        return "", None
    return (told, True) if told in EVERY else ("", False)


def judge(kind: str, told: dict) -> dict:
    """Category, outcome, the ids of the rules met that decide, and every rule's verdict (of those that apply)."""
    m = Known(told)
    name, known = category(kind, m)
    verdicts, counted = {}, {}
    for rule, (_effect, subjects, categories, condition) in RULES.items():
        if kind in subjects:
            applies = True if not categories else None if known is None else known and name in categories
            if applies is not False:
                verdicts[rule] = condition(m)
                counted[rule] = both(applies, verdicts[rule])

    def one_of(effect: str) -> bool | None:
        return either(*(verdict for rule, verdict in counted.items() if RULES[rule][0] == effect))

    excluded, flagged, exempted = one_of("exclude"), one_of("flag"), one_of("exempt")
    if excluded:
        outcome = "excluded"
    elif known is None:
        outcome = "undecided"
    elif flagged is False:
        outcome = "not_low"
    elif flagged is None or excluded is None:
        outcome = "undecided"
    elif exempted:
        outcome = "exempted"
    else:
        outcome = "candidate"
    return {
        "category": name,
        "outcome": outcome,
        "fired": {rule for rule, verdict in counted.items() if verdict},
        "verdicts": verdicts,
        "pending": outcome == "candidate" and exempted is None,
    }
