"""The gates of legacy polygons (workflow.md 4.3): from the draft to the acceptance that freezes their register."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from units import eligibility
from units.eligibility import SPLIT
from units.errors import NotFound, Refused, UsageError
from units.gates.asked import Asked, listed
from units.gates.sealed import Sealed
from units.models import LegacyLand, Move
from units.rights import Grant, view
from units.workflow import ACCEPTED, LEGACY, SUBMITTED, TESTED

KINDS = {one.value: one.label for one in LegacyLand.Route}


def visible(grants: Iterable[Grant]):
    """The legacy polygons that these grants see, as a queryset."""
    return LegacyLand.objects.filter(view(grants, "legacy", ()).rows.q())


def legacy_of(code: str, grants: Iterable[Grant], district: str = "") -> LegacyLand:
    """The polygon of this code; NotFound where these grants see none, UsageError where two districts have one."""
    rows = visible(grants).filter(code=code).select_related("district", "street", "sealed")
    rows = list(rows.filter(district=district) if district else rows[:2])
    if len(rows) > 1:
        raise UsageError(
            _("There is a legacy polygon %(code)s in more than one district.") % {"code": code[:100]},
            _("Say which by ?district=…"),
        )
    if not rows:
        raise NotFound(
            _("There is no legacy polygon “%(code)s”, or none that you may see.") % {"code": code[:100]},
            _("They are listed under legacy land."),
        )
    return rows[0]


class LegacyStep(Sealed):
    """One step of a legacy polygon."""

    register = LEGACY
    model = LegacyLand
    State = LegacyLand.State

    @classmethod
    def visible(cls, grants):
        return visible(grants).select_related("street")

    @classmethod
    def found(cls, subject, grants, district):
        if isinstance(subject, LegacyLand):
            return legacy_of(subject.code, grants, subject.district_id)
        return legacy_of(subject, grants, district)

    def enter(self) -> None:
        if self.way.to == TESTED and not self.way.back:
            self.row.worksheet = self.sheet
            self.row.route = self.sheet["route"]
            in_plan = self.sheet["gates"]["special_plan"]["verdict"]
            self.row.in_scope = {"yes": True, "no": False, "partly": False}.get(in_plan)
        super().enter()

    @classmethod
    def together(cls, asked: list[Asked]) -> None:
        super().together(asked)
        accepted = [one for one in asked if "whole" in one.way.needs]
        for district in sorted({one.row.district_id for one in accepted}):
            left = LegacyLand.objects.filter(district=district).exclude(state=ACCEPTED)
            codes = list(left.order_by("code").values_list("code", flat=True))
            if codes:
                raise Refused(
                    _("The register of a district is accepted as a whole, and of it these are not here: %(codes)s.")
                    % {"codes": listed(codes)},
                    _("Have them submitted, and mark all of them: the acceptance freezes the register."),
                    code="whole",
                    codes=[one.row.code for one in accepted if one.row.district_id == district],
                )

    @classmethod
    def after(cls, asked: list[Asked], moves: list[Move]) -> None:
        """The acceptance of the register itself: on this move the database freezes it, for everybody and for ever."""
        freezing = {one.row.district_id: one for one in asked if "freeze" in one.way.needs}
        for district, one in sorted(freezing.items()):
            Move.objects.create(
                register=Move.Register.LEGACY_REGISTER,
                subject=district,
                district_id=district,
                from_state=SUBMITTED,
                to_state=ACCEPTED,
                by=one.by,
                role=one.grant.role,
                document=one.document,
                comment=one.told.comment,
                details={"rows": sum(other.row.district_id == district for other in asked)},
            )

    # --- gates ----------------------------------------------------------------------------------------------------

    def _used(self):
        if self.row.used_since is None:
            raise Refused(
                _("Since when the land of %(code)s is used is not known: its class follows from that day.")
                % {"code": self.row.code},
                _("Write the date of land use with the facts of the polygon."),
                code="used",
            )

    def _penalty(self):
        """A penalty by its number; or, in the reason, that there was none."""
        if not self.row.penalty_number and not self.told.reason:
            raise Refused(
                _("Neither a penalty is told of %(code)s nor that there was none.") % {"code": self.row.code},
                _("Write the number of the penalty with the facts; or say in the reason why there is none."),
                code="penalty",
            )

    def _worksheet(self):
        self.sheet = eligibility.worksheet(self.row)
        return {name: self.sheet[name] for name in ("route", "verdict", "refused", "unknown")}

    def _route(self):
        """Exactly one class (NK039); what is eligible in part alone is split first, not taken whole (G-20)."""
        sheet = self.row.worksheet
        if self.row.route not in KINDS:
            raise Refused(
                _("%(code)s has no class yet.") % {"code": self.row.code}, _("Have it tested again."), code="route"
            )
        if sheet.get("verdict") == SPLIT:
            raise Refused(
                _("Of %(code)s only %(part)s of %(whole)s m² pass: it is split, not taken whole.")
                % {"code": self.row.code, "part": sheet["eligible_m2"], "whole": sheet["area_m2"]},
                _("Send it back, and have the part that passes drawn as a polygon of its own."),
                code="split",
            )
        return {"route": self.row.route}

    def _whole(self):
        """Looked at for the whole district at once."""

    def _freeze(self):
        """Follows from the moves, in the same transaction."""
