"""Which states a low-efficiency record goes through, who may move it and what each move needs (workflow.md 4.2)."""

from dataclasses import dataclass
from itertools import chain

from django.utils.translation import gettext_lazy as _

from units.rights import Role

NIGHT = "R11"  # the nightly job: it raises suspects and never decides

SUSPECT, ASSIGNED, FILLING, CO_CHECK, CHECKED = "suspect", "assigned", "filling", "co_check", "checked"
DETERMINED, MAPPED, DISTRICT_OK, SUBMITTED = "determined", "mapped", "district_ok", "submitted"
IN_FORCE, UPDATING, IN_PROJECT, REDEVELOPED, DROPPED = "in_force", "updating", "in_project", "redeveloped", "dropped"

# In the order and with the numbers of workflow.md 4.2.
NUMBERS = {
    SUSPECT: "0",
    ASSIGNED: "1",
    FILLING: "2",
    CO_CHECK: "3",
    CHECKED: "4",
    DETERMINED: "5",
    MAPPED: "6",
    DISTRICT_OK: "7",
    SUBMITTED: "8",
    IN_FORCE: "9",
    UPDATING: "10",
    IN_PROJECT: "11",
    REDEVELOPED: "12",
    DROPPED: "X",
}
STATES = tuple(NUMBERS)
FORM_STATES = (
    ASSIGNED,
    FILLING,
    CO_CHECK,
    CHECKED,
    DETERMINED,
)  # in which the survey form stands where the record does

LOW, NOT_LOW, EXEMPT, UNDECIDED = "low", "not_low", "exempt", "undecided"
RESULTS = (LOW, NOT_LOW, EXEMPT, UNDECIDED)

# The sub-type that low-efficiency land of a category must name (NK037).
SUBTYPES = {
    "residential": {"urban_village": _("Urban village"), "old_estate": _("Old estate"), "other": _("Other")},
}
BY_HAND = "NJ009"  # the reason code of what a person raised and no rule did: 其他利用效率较低的土地

# Who raises a suspect: by the rules the analyst, the office or the night; by hand a street office (4.2, state 0).
# Those who may not decide, and so may be told of by anybody, all need an approver (NJ009).
BY_RULES = frozenset({Role.ANALYST, Role.OFFICE, NIGHT})
RAISERS = frozenset({Role.STREET})


@dataclass(frozen=True)
class Step:
    """One way from a state to another: which roles go it, and the gates it has to pass, by name.

    `later` steps are in the table and not in the program yet; `back` is a return, which needs a comment.
    """

    start: str
    to: str
    roles: frozenset[Role]
    needs: tuple[str, ...] = ()
    back: bool = False
    later: bool = False


def _step(start: str, to: str, roles: str, needs: str = "", **more) -> Step:
    return Step(start, to, frozenset(Role(role) for role in roles.split()), tuple(needs.split()), **more)


# A return names who may send a record back: 4.2 says whereto, and the roles of 4.1 say who looks at it in that state.
# Determined as undecided, or on facts and criteria that have changed since, is looked at again from the form on.
STEPS = (
    _step(SUSPECT, ASSIGNED, "R5", "approver form"),
    _step(SUSPECT, DROPPED, "R5", "reason document"),
    _step(ASSIGNED, FILLING, "R2 R3", "form lead"),
    _step(FILLING, CO_CHECK, "R3", "form lead complete"),
    _step(CO_CHECK, FILLING, "R4 R5", "form department comment", back=True),
    _step(CO_CHECK, CHECKED, "R1", "form complete confirmed valid"),
    _step(CHECKED, FILLING, "R1 R5", "comment", back=True),
    _step(CHECKED, DETERMINED, "R5", "result reason document run subtype idle"),
    _step(DETERMINED, FILLING, "R5", "comment open", back=True),
    _step(DETERMINED, DROPPED, "R5", "reason document"),
    _step(DETERMINED, MAPPED, "R1", later=True),
    _step(MAPPED, DISTRICT_OK, "R6", later=True),
    _step(DISTRICT_OK, SUBMITTED, "R5", later=True),
    _step(DISTRICT_OK, DETERMINED, "R6", back=True, later=True),
    _step(SUBMITTED, IN_FORCE, "R7", later=True),
    _step(SUBMITTED, DETERMINED, "R7", back=True, later=True),
    _step(IN_FORCE, UPDATING, "R5", later=True),
    _step(IN_FORCE, IN_PROJECT, "R5", later=True),
    _step(IN_FORCE, REDEVELOPED, "R5", later=True),
    _step(UPDATING, IN_FORCE, "R7", later=True),
    _step(IN_PROJECT, REDEVELOPED, "R5", later=True),
)
# States that no step of this version leads to.
LATER = frozenset(chain.from_iterable((one.start, one.to) for one in STEPS if one.later)) - {DETERMINED}


def steps_from(state: str) -> tuple[Step, ...]:
    """The steps that leave a state, those that are not built yet included."""
    return tuple(one for one in STEPS if one.start == state)


def step(start: str, to: str) -> Step | None:
    """The step between two states; None where there is none, for no state may be skipped."""
    return next((one for one in STEPS if (one.start, one.to) == (start, to)), None)
