"""Which states each register's rows go through, who may move them and what each step needs (workflow.md 4.2–4.4)."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from units.rights import Role

NIGHT = "R11"  # the nightly job: it raises suspects and never decides

RECORD, LEGACY, DISPOSAL, UNIT = "record", "legacy", "disposal", "unit"
REGISTERS = {
    RECORD: _("Low-efficiency record"),
    LEGACY: _("Legacy polygon"),
    DISPOSAL: _("Disposal of legacy land"),
    UNIT: _("Redevelopment unit"),
}

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

DRAFT, EVIDENCE, TESTED, CONFIRMED, ACCEPTED = "draft", "evidence", "tested", "confirmed", "accepted"
LEGACY_STATES = (DRAFT, EVIDENCE, TESTED, CONFIRMED, DISTRICT_OK, SUBMITTED, ACCEPTED)

NOT_OPENED = ""  # a legacy polygon nobody disposes of yet
OPENED, VIOLATION_HANDLED, DOCUMENTS_COMPLETE = "opened", "violation_handled", "documents_complete"
DISTRICT_CONSENT, CITY_APPROVAL, TITLE, CLOSED = "district_consent", "city_approval", "title", "closed"
STAGES = (
    NOT_OPENED,
    OPENED,
    VIOLATION_HANDLED,
    DOCUMENTS_COMPLETE,
    DISTRICT_CONSENT,
    CITY_APPROVAL,
    TITLE,
    CLOSED,
)

CONSULTED, APPROVED, AMENDED, DELETED = "consulted", "approved", "amended", "deleted"
UNIT_STATES = (DRAFT, CHECKED, CONSULTED, APPROVED, AMENDED, DELETED)

LOW, NOT_LOW, EXEMPT, UNDECIDED = "low", "not_low", "exempt", "undecided"
RESULTS = (LOW, NOT_LOW, EXEMPT, UNDECIDED)
CHANGES = ("add", "change", "remove")  # the reasons of an update (4.2, state 10)

# The sub-type that low-efficiency land of a category must name (NK037).
SUBTYPES = {
    "residential": {"urban_village": _("Urban village"), "old_estate": _("Old estate"), "other": _("Other")},
}
BY_HAND = "NJ009"  # the reason code of what a person raised and no rule did: 其他利用效率较低的土地
# Where the plan needs a province review opinion before it is approved (NJ027: 宁政办发〔2019〕30号, Nanjing).
PROVINCE_REVIEW = ("3201",)  # the first digits of the districts

# Who raises a suspect: by the rules the analyst, the office or the night; by hand a street office (4.2, state 0).
# Those who may not decide, and so may be told of by anybody, all need an approver (NJ009).
BY_RULES = frozenset({Role.ANALYST, Role.OFFICE, NIGHT})
RAISERS = frozenset({Role.STREET})


@dataclass(frozen=True)
class Step:
    """One way from a state to another: which roles go it, and the gates it has to pass, by name.

    `back` is a return, which needs a comment; `approves` is one by which somebody answers for the whole, so that an
    account with a second factor is asked for it.
    """

    register: str
    start: str
    to: str
    roles: frozenset[Role]
    needs: tuple[str, ...] = ()
    back: bool = False
    approves: bool = False


def _steps(register: str, *lines: tuple) -> tuple[Step, ...]:
    made = []
    for start, to, roles, needs, *flags in lines:
        allowed = frozenset(Role(role) for role in roles.split())
        made.append(Step(register, start, to, allowed, tuple(needs.split()), **dict.fromkeys(flags, True)))
    return tuple(made)


BACK, APPROVES = "back", "approves"
STEPS = (
    # 4.2. A return names who may send a record back: 4.2 says whereto, and the roles of 4.1 say who looks at it there.
    # Determined as undecided, on facts or criteria that have changed since, or returned by the district or the bureau,
    # a record may be looked at again from the form on. What is updated goes 4 → 9 again; its version in force stays.
    *_steps(
        RECORD,
        (SUSPECT, ASSIGNED, "R5", "approver form"),
        (SUSPECT, DROPPED, "R5", "reason document"),
        (ASSIGNED, FILLING, "R2 R3", "form lead"),
        (FILLING, CO_CHECK, "R3", "form lead complete"),
        (CO_CHECK, FILLING, "R4 R5", "form department comment", BACK),
        (CO_CHECK, CHECKED, "R1", "form complete confirmed valid"),
        (CHECKED, FILLING, "R1 R5", "comment", BACK),
        (CHECKED, DETERMINED, "R5", "result reason document run subtype idle", APPROVES),
        (DETERMINED, FILLING, "R5", "comment open", BACK),
        (DETERMINED, DROPPED, "R5", "reason document"),
        (DETERMINED, MAPPED, "R1", "low shape apart attributes base"),
        (MAPPED, DISTRICT_OK, "R6", "document seal", APPROVES),
        (DISTRICT_OK, SUBMITTED, "R5", "package"),
        (DISTRICT_OK, DETERMINED, "R6", "comment reseal", BACK),
        (SUBMITTED, IN_FORCE, "R7", "document", APPROVES),
        (SUBMITTED, DETERMINED, "R7", "comment", BACK),
        (IN_FORCE, UPDATING, "R5", "change reason"),
        (UPDATING, CHECKED, "R1", "form complete confirmed valid"),
        (IN_FORCE, IN_PROJECT, "R5", "plan document"),
        (IN_FORCE, REDEVELOPED, "R5", "document after"),
        (IN_PROJECT, REDEVELOPED, "R5", "document after"),
    ),
    # 4.3. It names no returns; NK053 wants the review's comments on the records of both databases, so that the district
    # and the bureau send a polygon back to be tested again, and the office one whose papers do not carry it.
    *_steps(
        LEGACY,
        (DRAFT, EVIDENCE, "R1 R2", "used penalty document"),
        (EVIDENCE, TESTED, "R1", "worksheet"),
        (TESTED, CONFIRMED, "R5", "route reason", APPROVES),
        (TESTED, EVIDENCE, "R1 R5", "comment", BACK),
        (CONFIRMED, DISTRICT_OK, "R6", "document seal", APPROVES),
        (DISTRICT_OK, SUBMITTED, "R5", "package"),
        (DISTRICT_OK, TESTED, "R6", "comment reseal", BACK),
        (SUBMITTED, ACCEPTED, "R7", "document whole freeze", APPROVES),
        (SUBMITTED, TESTED, "R7", "comment", BACK),
    ),
    # 4.3, beside the frozen register.
    *_steps(
        DISPOSAL,
        (NOT_OPENED, OPENED, "R5", "frozen eligible on"),
        (OPENED, VIOLATION_HANDLED, "R5", "document on"),
        (VIOLATION_HANDLED, DOCUMENTS_COMPLETE, "R5", "document on"),
        (DOCUMENTS_COMPLETE, DISTRICT_CONSENT, "R6", "document on", APPROVES),
        (DISTRICT_CONSENT, CITY_APPROVAL, "R8", "by_city document on", APPROVES),
        (DISTRICT_CONSENT, TITLE, "R5", "by_district document on"),
        (CITY_APPROVAL, TITLE, "R5", "document on"),
        (TITLE, CLOSED, "R5", "reason on"),
    ),
    # 4.4. A version that is approved is amended by the approval of the next one alone.
    *_steps(
        UNIT,
        (DRAFT, CHECKED, "R1 R5", "unblocked recorded"),
        (CHECKED, DRAFT, "R1 R5", "comment", BACK),
        (CHECKED, CONSULTED, "R5", "opinions"),
        (CONSULTED, DRAFT, "R5 R6", "comment", BACK),
        (CONSULTED, APPROVED, "R6", "document province", APPROVES),
        (APPROVED, AMENDED, "R6", "successor"),
    ),
)


def states_of(register: str) -> tuple[str, ...]:
    """The states of a register's rows, in their order."""
    return {RECORD: STATES, LEGACY: LEGACY_STATES, DISPOSAL: STAGES, UNIT: UNIT_STATES}[register]


def steps_of(register: str) -> tuple[Step, ...]:
    """The steps of one register."""
    return tuple(one for one in STEPS if one.register == register)


def steps_from(state: str, register: str = RECORD) -> tuple[Step, ...]:
    """The steps that leave a state."""
    return tuple(one for one in STEPS if (one.register, one.start) == (register, state))


def step(start: str, to: str, register: str = RECORD) -> Step | None:
    """The step between two states; None where there is none, for no state may be skipped."""
    return next((one for one in STEPS if (one.register, one.start, one.to) == (register, start, to)), None)
