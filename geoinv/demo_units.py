"""Draw a few redevelopment units over candidates of the demo district, as its task-force office would."""

from collections.abc import Callable

import pghistory
import shapely
from django.db import transaction

from fixtures.names import DISTRICT
from units.drafting import Drawing, save
from units.geometry import united
from units.models import District, Flag, Parcel, RedevelopmentUnit, Survey, User

DRAWER = "office"  # the demo account of the task-force office
DRAFTS = 3
LARGEST = 8  # parcels of a unit
NAMES = ("演示单元一", "演示单元二", "演示单元三")
APPROVED = "演示单元四（演示，未经审批流程）"
# There is no approval workflow yet; what the demo shows as approved says so in its name and in its history.
REASON = "演示数据：直接置为已批准，未经审批流程"


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
                if name == APPROVED:
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
