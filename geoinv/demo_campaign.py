"""Open a survey campaign over the demo's candidates and take some of its forms through every state, as people would."""

from collections.abc import Callable

from django.contrib.auth.models import Group
from django.db import transaction

from fixtures.names import DISTRICT
from units import campaigning, entering, forms, moving, suspecting
from units.errors import Refused, Unfit
from units.models import Campaign, Department, FactSheet, FlagRun, Scope, User
from units.rights import Role

ACCOUNTS = ("analyst", "office", "lead", "co")  # of the demo; without them there is nobody to act
# Departments that have no account in the demo, and without whom no industrial form gets on. Nobody signs in as them.
SILENT = {"finance": "区财政局（演示，不可登录）", "ecology": "区生态环境局（演示，不可登录）"}
TITLE = "低效用地摸底调查（演示）"
# Of the industrial forms in their order: how many are so far at least. The rest is not begun.
DROPPED, DETERMINED, CHECKED, CONFIRMED, SUBMITTED, RETURNED, FILLED, BEGUN = 1, 10, 12, 13, 15, 17, 19, 23
BEGINS = 5  # answers of a form that is begun only
KINDS = ("education", "health", "culture-tourism")
UNKNOWN = "演示数据：未能取得"
COMMENT = "演示：与台账核对一致"
WRONG = "演示：税收与入库口径不一致，请核实企业名单"
REASON = "演示认定：符合规则所列条件（演示数据，非官方认定）"
PAPER = {"title": "专班会议纪要（演示）", "number": "演示〔2024〕1号", "issuer": "专班办公室（演示）"}
SAID = {
    "use_state": "partly",
    "idle_since": "2021-06-30",
    "actual_use": "厂房及配套用房（演示）",
    "owner_willing": "conditional",
    "owner_mode": "joint",
    "owner_told_on": "2024-02-20",
    "owner_paper": "盘活意愿调查表（演示）",
    "problems": ["plan", "funding"],
    "employees": "35",
    "vacant_m2": "0",
    "fiscal_support": "0",
    "violation": "none",
    "no_buildings": "现场无登记建筑物（演示）",
    "no_firms": "现场无登记企业（演示）",
}


def open_demo_campaign(told: Callable[[str], None] = lambda text: None) -> dict:
    """The open campaign of the demo with forms in every state; what is there already is left alone.

    Returns {campaign, forms, states}; no campaign where the demo has no flags or lacks one of the accounts.
    """
    people = {one.username: one for one in User.objects.filter(username__in=ACCOUNTS)}
    known = Campaign.objects.filter(district=DISTRICT).first()
    if known is None and set(people) == set(ACCOUNTS) and FlagRun.objects.filter(district=DISTRICT).exists():
        told("campaign")
        with transaction.atomic():
            suspecting.suspects(DISTRICT, by=people["office"])
            known = campaigning.open_campaign(DISTRICT, people["office"], title=TITLE)
            act(known, people | silent())
    states: dict[str, int] = {}
    for state in FactSheet.objects.filter(campaign=known).values_list("state", flat=True) if known else ():
        states[state] = states.get(state, 0) + 1
    return {"campaign": known and known.pk, "forms": sum(states.values()), "states": states}


def silent() -> dict[str, User]:
    """The co departments without an account: users without a password, who only stand in the history."""
    found = {}
    for code, title in SILENT.items():
        user, new = User.objects.get_or_create(username=f"demo-{code}", defaults={"first_name": title})
        if new:
            user.set_unusable_password()
            user.save()
        Scope.objects.get_or_create(
            user=user,
            group=Group.objects.get(name=Role.CO.value),
            district_id=DISTRICT,
            street=None,
            department=Department.objects.get(district=DISTRICT, code=code),
        )
        found[code] = user
    return found


def act(campaign: Campaign, people: dict[str, User]) -> None:
    """Fill, submit, return, confirm, check, determine and drop the first industrial forms, and begin facilities."""
    mine = campaigning.visible(people["lead"].grants()).filter(campaign=campaign).order_by("pk")
    mine = mine.select_related("determination", "campaign__survey", "lead")
    for at, sheet in enumerate(mine.filter(category="industrial")[:BEGUN]):
        far(at, sheet, people)
    for sheet, kind in zip(mine.filter(category="facility"), KINDS, strict=False):
        campaigning.fill(sheet, {"facility_kind": {"value": kind}}, people["lead"])


def far(at: int, sheet: FactSheet, people: dict[str, User]) -> None:
    """One form, as far as its place says; checks that see planted faults in the land may keep it from the end."""
    if at >= FILLED:
        answered(sheet, people["lead"], BEGINS)
        return
    for who in ("lead", "co", "finance", "ecology"):
        answered(sheet, people[who])
    if at >= RETURNED:
        return
    campaigning.submit(sheet, people["lead"])
    if at >= SUBMITTED:
        campaigning.send_back(sheet, "economy", people["co"], WRONG)
        return
    for who in ("finance", "ecology") if at >= CONFIRMED else ("co", "finance", "ecology"):
        campaigning.confirm(sheet, "economy", people[who], COMMENT)
    if at >= CHECKED:
        return
    try:
        moving.move(sheet.determination, "checked", people["analyst"])
    except Refused:
        return
    if at < DETERMINED:
        office, told = people["office"], {"result": "low", "reason": REASON, "document": PAPER}
        moving.move(sheet.determination, "determined", office, **told)
        if at < DROPPED:
            moving.move(sheet.determination, "dropped", office, reason=REASON, document=PAPER)


def answered(sheet: FactSheet, by: User, most: int | None = None) -> None:
    """Give what the form still wants of this person: what the register says, else words of the demo.

    Twice, for some answers are asked only after others.
    """
    register = entering.register_values([sheet])[sheet.pk]
    for _turn in range(2 if most is None else 1):
        hand = campaigning.Hand.of(sheet, by.grants())
        values = {}
        for cell in forms.cells(sheet):
            if hand.writes(cell) and forms.wanted(sheet, cell) and not forms.known(forms.answer(sheet, cell)):
                value = SAID.get(cell.field.name) if register[cell.key] is None else register[cell.key]
                values[cell.key] = {"unknown_reason": UNKNOWN} if value is None else {"value": value}
        values = dict(list(values.items())[:most])
        try:
            campaigning.fill(sheet, values, by)
        except Unfit as error:  # the registers hold planted faults, which no form takes
            values |= {one["cell"]: {"unknown_reason": UNKNOWN} for one in error.details["problems"]}
            campaigning.fill(sheet, values, by)
