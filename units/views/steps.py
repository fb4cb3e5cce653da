"""The steps of the workflow as pages speak of them: what they are called, what their forms ask, what was written."""

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from units.errors import UsageError
from units.gates.record import AFTER, OPTIONAL
from units.models import Department, Determination, Move, RedevelopmentUnit
from units.moving import KINDS, allowed, kept_moves
from units.records import form_of
from units.rights import TITLES, Role
from units.second_factor import asks
from units.views.findings import parse_day
from units.workflow import DISPOSAL, DROPPED, LEGACY, PROVINCE_REVIEW, RECORD, SUBTYPES, UNIT, Step, states_of, steps_of

# What somebody does when he goes a step, by the register and the state it leads to.
ACTIONS = {
    RECORD: {
        "assigned": gettext_lazy("Assign"),
        "filling": gettext_lazy("Begin to fill"),
        "co_check": gettext_lazy("Submit to the co departments"),
        "checked": gettext_lazy("Pass the check"),
        "determined": gettext_lazy("Determine"),
        "dropped": gettext_lazy("Do not take up"),
        "mapped": gettext_lazy("Map and enter"),
        "district_ok": gettext_lazy("Give the district's consent"),
        "submitted": gettext_lazy("Submit to the municipal bureau"),
        "in_force": gettext_lazy("Accept into the inventory"),
        "updating": gettext_lazy("Update"),
        "in_project": gettext_lazy("Take into a plan"),
        "redeveloped": gettext_lazy("Record as redeveloped"),
    },
    LEGACY: {
        "evidence": gettext_lazy("Submit the evidence"),
        "tested": gettext_lazy("Test"),
        "confirmed": gettext_lazy("Confirm the class"),
        "district_ok": gettext_lazy("Give the district's consent"),
        "submitted": gettext_lazy("Submit to the municipal bureau"),
        "accepted": gettext_lazy("Accept the register and freeze it"),
    },
    DISPOSAL: {
        "opened": gettext_lazy("Open the disposal"),
        "violation_handled": gettext_lazy("Record the violation as handled"),
        "documents_complete": gettext_lazy("Record the papers as complete"),
        "district_consent": gettext_lazy("Consent to the disposal"),
        "city_approval": gettext_lazy("Approve the disposal"),
        "title": gettext_lazy("Record the title or the transfer"),
        "closed": gettext_lazy("Close the disposal"),
    },
    UNIT: {
        "checked": gettext_lazy("Pass the check"),
        "consulted": gettext_lazy("Close the consultation"),
        "approved": gettext_lazy("Approve"),
        "amended": gettext_lazy("Amend"),
    },
}
BACK = {
    (RECORD, "filling"): gettext_lazy("Send back to be filled"),
    (RECORD, "determined"): gettext_lazy("Return for another determination"),
    (LEGACY, "evidence"): gettext_lazy("Send back for evidence"),
    (LEGACY, "tested"): gettext_lazy("Return to be tested again"),
    (UNIT, "draft"): gettext_lazy("Send back to be drawn"),
}
# Steps that two registers' forms explain, because what follows cannot be taken back.
WARNINGS = {
    (LEGACY, "accepted"): gettext_lazy(
        "The acceptance freezes the register of the district: nobody can change, add or delete a polygon afterwards. "
        "Mistakes that are found later are noted beside the record."
    ),
    (RECORD, "district_ok"): gettext_lazy("What is consented to at once is sealed as one set with a checksum."),
    (LEGACY, "district_ok"): gettext_lazy("What is consented to at once is sealed as one set with a checksum."),
}
NUMBER = re.compile(r"[0-9]{1,9}")
PAPER = ("title", "number", "issuer")


def action(step: Step) -> dict:
    """A step as it is offered: {to, title, back}."""
    title = BACK[step.register, step.to] if step.back else ACTIONS[step.register][step.to]
    return {"register": step.register, "to": step.to, "title": title, "back": step.back}


def shown_steps(register: str) -> list[Step]:
    """The steps that a person may ask for; an approved unit is amended by its next version alone."""
    return [one for one in steps_of(register) if (one.register, one.to) != (UNIT, "amended")]


def asked(row, step: Step) -> dict:
    """What the form of a step asks for."""
    needs = set(step.needs)
    form = {
        "ask_reason": bool(needs & {"reason", "penalty"}),
        "reason_optional": "penalty" in needs and "reason" not in needs,
        "ask_comment": "comment" in needs,
        "ask_document": "document" in needs,
        "ask_result": "result" in needs,
        "ask_change": "change" in needs,
        "ask_plan": "plan" in needs,
        "ask_on": "on" in needs,
        "ask_opinion": "province" in needs and row.district_id.startswith(PROVINCE_REVIEW),
        "after": [(name, title, name not in OPTIONAL) for name, title in AFTER.items()] if "after" in needs else [],
        "warning": WARNINGS.get((step.register, step.to), ""),
        "approves": step.approves,
        "changes": Determination.Change.choices,
        "results": Determination.Result.choices,
    }
    if step.register == RECORD:
        form["subtypes"] = list(SUBTYPES.get(row.category, {}).items()) if "subtype" in needs else []
        form["ask_form"] = "approver" in needs and form_of(row) is None
        if form["ask_form"]:
            known = Department.objects.filter(district_id=row.district_id).order_by("name")
            form["departments"] = list(known.values_list("code", "name"))
    return form


def said(given) -> dict:
    """What a form says to a step, as `move` takes it; `to` and `version` with it."""
    told = {name: given.get(name, "") for name in ("to", "reason", "comment", "result", "subtype", "change", "plan")}
    told["version"] = number(given.get("version", ""), "version")
    told["warned"] = ("idle",) if given.get("warned") == "idle" else ()
    told["document"] = _paper(given, "")
    told["opinion"] = _paper(given, "opinion_")
    if given.get("lead"):
        told["form"] = {"lead": given["lead"], "due_on": parse_day(given.get("due_on", ""))}
    if given.get("on"):
        told["on"] = parse_day(given["on"])
    values = {name: given[f"after_{name}"].strip() for name in AFTER if given.get(f"after_{name}", "").strip()}
    if values:
        told["after"] = values
    return told


def number(text: str, name: str) -> int | None:
    """A number of a form; None for nothing."""
    if text and not NUMBER.fullmatch(text):
        raise UsageError(_("“%(name)s” is not what it should be.") % {"name": name})
    return int(text) if text else None


def whose_turn(row, register: str) -> list[dict]:
    """Each next step with the roles that go it."""
    ways = KINDS[register].ways(row)
    return [
        action(one) | {"roles": [TITLES[role] for role in sorted(one.roles)]}
        for one in ways
        if one in shown_steps(register)
    ]


def path(row, register: str, numbers: dict[str, str] | None = None) -> list[dict]:
    """The states of a register in their order, each with whether the row has passed it or stands there."""
    kind = KINDS[register]
    state = kind.state_of(row)
    moves = kept_moves(register, row.code, row.district_id)
    passed = set(moves.values_list("from_state", flat=True))
    hidden = {DROPPED, "deleted", "amended", ""} - {state}
    return [
        {
            "number": (numbers or {}).get(name, ""),
            "title": kind.title_of(name),
            "here": name == state,
            "passed": name in passed and name != state,
            "later": False,
        }
        for name in states_of(register)
        if name not in hidden
    ]


def unit_steps(unit: RedevelopmentUnit, held, request) -> dict:
    """What `_unit_steps.html` shows: whose turn it is, the reader's steps, and the moves."""
    steps = [one for one in allowed(unit, held, register=UNIT) if one in shown_steps(UNIT)]
    return {
        "actions": [action(one) | asked(unit, one) for one in sorted(steps, key=lambda one: one.back)],
        "nobody": whose_turn(unit, UNIT),
        "moves": [told(one) for one in kept_moves(UNIT, unit.code, unit.district_id)],
        "asks_code": asks(request),
    }


def told(one: Move) -> dict:
    """A move as the history of a page tells it."""
    kind = KINDS.get(one.register)
    result = one.details.get("result")
    return {
        "at": one.at,
        "by": (one.by.get_full_name() or one.by.get_username()) if one.by else _("the night"),
        "role": TITLES[Role(one.role)] if one.role in set(Role) else _("Nightly job"),
        "start": kind.title_of(one.from_state) if kind and one.from_state else "",
        "to": kind.title_of(one.to_state) if kind else one.to_state,
        "result": Determination.Result(result).label if result in Determination.Result else "",
        "comment": one.comment,
        "document": one.document,
        "warned": "idle" in one.details.get("warned", ()),
        "by_hand": one.details.get("by_hand", False),
        "approver": one.details.get("approver"),
        "set": one.details.get("criteria"),
        "digest": (one.details.get("digest") or "")[:12],
        "sealed": one.details.get("snapshot"),
        "checksum": (one.details.get("sha256") or "")[:12],
        "edition": one.details.get("edition"),
        "change": _change(one.details.get("change")),
        "plan": one.details.get("plan"),
        "after": [(AFTER[name], value) for name, value in one.details.get("after", {}).items() if name in AFTER],
        "on": one.details.get("on"),
        "opinion": one.details.get("opinion"),
        "objections": one.details.get("objections", []),
    }


def _change(name: str | None) -> str:
    return str(Determination.Change(name).label) if name in Determination.Change else ""


def _paper(given, prefix: str) -> dict | None:
    if not given.get(f"{prefix}title", "").strip():
        return None
    dated = given.get(f"{prefix}dated", "").strip()
    return {name: given.get(f"{prefix}{name}", "") for name in PAPER} | {"dated": parse_day(dated) if dated else None}
