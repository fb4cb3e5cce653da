"""Draw a few redevelopment units over candidates of the demo district and record them, as its task force would."""

from collections.abc import Callable
from datetime import timedelta

import pghistory
import shapely
from django.db import transaction

from fixtures.names import DISTRICT
from units import consulting
from units.drafting import Drawing, save
from units.geometry import united
from units.models import District, Flag, Move, Parcel, RedevelopmentUnit, Survey, User
from units.moving import move
from units.recording import record

DRAWER = "office"  # the demo account of the task-force office
DRAFTS = 3
LARGEST = 8  # parcels of a unit
NAMES = ("演示单元一", "演示单元二", "演示单元三")
APPROVED = "演示单元四（演示，未经审批流程）"
# There is no approval workflow yet; what the demo shows as approved says so in its name and in its history.
REASON = "演示数据：直接置为已批准，未经审批流程"
REMARK = "演示数据，纯属虚构。"
# What the first two exchange, and by which share the plots of one fill it: invented, as everything in the demo is.
TRANSFER_M2 = 1_500
BUILT, GREEN = 0.62, 0.18  # of the unit's ground; the rest is roads
FAR = 2.0
QUESTION = "请就单元用地布局、公共设施配套及建筑总量提出意见。（演示）"
REPLIES = (
    ("education", "conditions", "同意，建议预留托育用房不少于 300 平方米。（演示）", "演示教〔2024〕1号"),
    ("ecology", "agrees", "无意见。（演示）", "演示环〔2024〕1号"),
)
ASKED = ("education", "ecology", "tax", "commerce")
DAYS = 20  # until the demo's departments are to reply


def draw_units(told: Callable[[str], None] = lambda text: None) -> list[dict]:
    """Three drafts and one approved unit, each of parcels that adjoin; what is drawn already is left alone.

    Returns {code, name, state, parcels, area_m2} of each unit of the demo district; none where the demo has no
    account to draw with or no candidates that adjoin.
    """
    drawer = User.objects.filter(username=DRAWER).first()
    if drawer is not None and not RedevelopmentUnit.objects.filter(district=DISTRICT).exists():
        told("units")
        with transaction.atomic():
            for name, codes in zip((*NAMES, APPROVED), groups(DRAFTS + 1), strict=False):
                unit = save(drawer, DISTRICT, name, Drawing(parcels=codes, confirmed=["holes"]))
                if name == NAMES[0]:
                    first = unit
                if name == NAMES[1]:
                    record_pair(drawer, first, unit)
                    consult(drawer, first)
                if name == APPROVED:
                    unit = recorded(drawer, unit, [])
                    with pghistory.context(user=drawer.pk, action="approved", reason=REASON):
                        RedevelopmentUnit.objects.filter(pk=unit.pk).update(state=RedevelopmentUnit.State.APPROVED)
    return [
        {
            "code": unit.code,
            "name": unit.name,
            "state": unit.state,
            "parcels": unit.members.count(),
            "area_m2": unit.area_m2,
        }
        for unit in RedevelopmentUnit.objects.filter(district=DISTRICT).order_by("code")
    ]


def record_pair(by: User, first: RedevelopmentUnit, second: RedevelopmentUnit) -> None:
    """A full record of the first unit, with floor area that it takes over from the second; and the second's own."""
    recorded(by, second, [], spare=TRANSFER_M2)
    transfer = {
        "type": "transfer",
        "quantity": TRANSFER_M2,
        "uom": "m2",
        "basis": "跨单元统筹方案（演示）",
        "other_unit": second.code,
    }
    bonus = {"type": "far_bonus", "quantity": 800, "uom": "m2", "basis": "增设公共设施奖励（演示）"}
    mixed = {"type": "mixed_use", "quantity": 20, "uom": "percent", "basis": "商住混合（演示）"}
    recorded(by, first, [transfer, bonus, mixed])


def recorded(by: User, unit: RedevelopmentUnit, incentives: list[dict], spare: int = 0) -> RedevelopmentUnit:
    """The unit with a record of three plots that keep to its area and its cap, of which `spare` m² are left."""
    built, green = round(unit.area_m2 * BUILT), round(unit.area_m2 * GREEN)
    roads = int(unit.area_m2) - built - green
    values = {
        "mode": "industry",
        "methods": ["purchase", "second_to_third"],
        "programmes": ["urban_renewal", "productive_forces"],
        "requirements": {
            "plots": [
                {"plot": "A-01", "use": "0901", "m2": built, "far": FAR},
                {"plot": "A-02", "use": "1401", "m2": green, "floor_m2": 0},
                {"plot": "A-03", "use": "1207", "m2": roads, "floor_m2": 0},
            ],
            "functions": f"以研发办公与商业服务为主，配套社区服务。{REMARK}",
            "structure": f"一街一园两组团：沿街商业界面，中部公共绿地。{REMARK}",
            "infrastructure": [
                {"kind": "road", "name": "新建支路", "quantity": 420, "uom": "m"},
                {"kind": "power", "name": "开闭站", "quantity": 1, "uom": "座"},
            ],
            "facilities": [
                {"kind": "community", "name": "社区服务站", "m2": 600, "plot": "A-01"},
                {"kind": "elderly", "name": "日间照料中心", "m2": 350, "plot": "A-01"},
                {"kind": "green", "name": "口袋公园", "m2": green, "plot": "A-02"},
            ],
            "total_floor_m2": built * FAR + spare,
        },
        "incentives": incentives,
    }
    return record(by, unit.code, RedevelopmentUnit.objects.get(pk=unit.pk).version, values, unit.district_id)


def consult(by: User, unit: RedevelopmentUnit) -> None:
    """The unit through its check, and a round of opinions on it, half of them given."""
    move(unit, RedevelopmentUnit.State.CHECKED, by, register=Move.Register.UNIT, comment=REMARK)
    unit.refresh_from_db()
    due_on = consulting.today() + timedelta(days=DAYS)
    asked = {one.department.code: one for one in consulting.ask(by, unit, ASKED, due_on, QUESTION)}
    for department, opinion, text, paper in REPLIES:
        one = asked[department]
        consulting.reply(by, one.pk, one.version, opinion, text, paper)


def groups(count: int) -> list[list[str]]:
    """Codes of parcels that adjoin and overlap nothing, with a candidate among them: the largest groups, in order."""
    survey = Survey.objects.filter(district=DISTRICT, state=Survey.State.IN_FORCE).first()
    rows = (
        Parcel.objects.filter(survey=survey, street__isnull=False)
        .order_by("code")
        .values_list("code", "street", "geom")
    )
    candidates = set(
        Flag.objects.filter(district=DISTRICT, outcome=Flag.Outcome.CANDIDATE, parcel__survey=survey).values_list(
            "parcel__code", flat=True
        )
    )
    srid = District.objects.get(code=DISTRICT).srid
    found = []
    by_street: dict[str, list] = {}
    for code, street, geom in rows:
        by_street.setdefault(street, []).append((code, shapely.from_wkb(bytes(geom.wkb))))
    for street in sorted(by_street):
        codes, shapes = zip(*by_street[street], strict=True)
        joined = united(shapes, srid)
        doubtful = {one for pair in joined.overlapping for one in pair}
        found += [
            [codes[one] for one in group]
            for group in joined.groups
            if 1 < len(group) <= LARGEST and not doubtful & set(group) and candidates & {codes[one] for one in group}
        ]
    # Most candidates first; of one street only one, so that the units lie apart on the map.
    found.sort(key=lambda group: (-len(candidates & set(group)), -len(group), group))
    chosen: dict[str, list[str]] = {}
    for group in found:
        chosen.setdefault(group[0][:9], group)
    return list(chosen.values())[:count]
