"""Take some records and legacy polygons of the demo further, each step by the one whose it is, so that work waits."""

from collections.abc import Callable, Iterator

from django.db import transaction

from fixtures.names import DISTRICT
from units.errors import Refused
from units.models import Determination, LegacyLand, Move, User
from units.moving import move

ACCOUNTS = ("analyst", "street", "office", "district", "bureau")  # of the demo; without them there is nobody to act
CONSENT = {"title": "区政府同意意见（演示）", "number": "演示政函〔2024〕1号", "issuer": "区政府（演示）"}
ACCEPTANCE = {"title": "审核入库意见（演示）", "number": "演示规资函〔2024〕1号", "issuer": "市规划资源局（演示）"}
PAPERS = {"title": "用地调查取证材料（演示）", "number": "演示证〔2024〕1号"}
PLAN = {"title": "年度实施计划（演示）", "number": "演示计划〔2024〕1号"}
REASON = "演示：按规则核对无误（演示数据，非官方认定）"
NO_PENALTY = "演示：未作处罚"
# How far the determined records go, in the order of their numbers; what is left of them waits to be mapped.
WAYS = ("updating", "in_project", "in_force", "submitted", "district_ok", "mapped")
LEGACY_WAYS = ("confirmed", "confirmed", "tested", "tested", "evidence", "evidence")


def move_on(told: Callable[[str], None] = lambda text: None) -> dict[str, dict[str, int]]:
    """Records and polygons of the demo in later states; where that was done before, nothing is.

    Returns how many are in which state: {record: {…}, legacy: {…}}.
    """
    people = {one.username: one for one in User.objects.filter(username__in=ACCOUNTS)}
    done = Move.objects.filter(district=DISTRICT, to_state="mapped").exists()
    if set(people) == set(ACCOUNTS) and not done:
        told("moves")
        with transaction.atomic():
            records(people)
            lands(people)
    return {"record": counted(Determination), "legacy": counted(LegacyLand)}


def records(people: dict[str, User]) -> None:
    """The low-efficiency records, each as far as its place says; where a gate refuses one, the next takes its place."""
    rows = iter(
        Determination.objects.filter(district=DISTRICT, state="determined", result="low")
        .order_by("code")
        .values_list("code", flat=True)
    )
    waits = next(rows, None)  # for the analyst to map it
    for to in WAYS if waits else ():
        code = gone(rows, lambda one: move(one, "mapped", people["analyst"]))
        if code is None or to == "mapped":
            continue
        move(code, "district_ok", people["district"], document=CONSENT)
        if to == "district_ok":
            continue
        move(code, "submitted", people["office"])
        if to == "submitted":
            continue
        move(code, "in_force", people["bureau"], document=ACCEPTANCE)
        if to == "updating":
            move(code, "updating", people["office"], change="change", reason="演示：建筑面积有变化")
        elif to == "in_project":
            move(code, "in_project", people["office"], plan="演示2024-01", document=PLAN)


def lands(people: dict[str, User]) -> None:
    """Some legacy polygons: with evidence, tested, confirmed. None is accepted: that would freeze the register."""
    seen = LegacyLand.objects.filter(district=DISTRICT, state="draft", used_since__isnull=False).order_by("code")
    rows = iter(seen.values_list("code", flat=True))
    for to in LEGACY_WAYS:
        gone(rows, lambda code, to=to: land(code, to, people))


def land(code: str, to: str, people: dict[str, User]) -> None:
    """One polygon as far as that; Refused where a gate keeps it back, and then it stays where it was."""
    with transaction.atomic():
        said = {"register": "legacy", "district": DISTRICT}
        move(code, "evidence", people["analyst"], document=PAPERS, reason=NO_PENALTY, **said)
        if to != "evidence":
            move(code, "tested", people["analyst"], **said)
        if to == "confirmed":
            move(code, "confirmed", people["office"], reason=REASON, **said)


def gone(rows: Iterator[str], step: Callable[[str], object]) -> str | None:
    """The first of the rows that goes the step; None where no row is left that does."""
    for code in rows:
        try:
            with transaction.atomic():
                step(code)
        except Refused:
            continue
        return code
    return None


def counted(model) -> dict[str, int]:
    """How many rows of the demo are in which state."""
    found: dict[str, int] = {}
    for state in model.objects.filter(district=DISTRICT).values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return dict(sorted(found.items()))
