"""The gates of disposing of legacy land (workflow.md 4.3): steps beside the frozen register, never in it."""

from django.utils.translation import gettext as _

from units.eligibility import REFUSED
from units.errors import Refused
from units.gates.asked import Asked
from units.gates.legacy import legacy_of, visible
from units.models import Disposal, LegacyLand
from units.workflow import ACCEPTED, DISPOSAL, NOT_OPENED, STAGES


class DisposalStep(Asked):
    """One step of disposing of a polygon: its row is the polygon, its state the last stage that was reached."""

    register = DISPOSAL
    State = Disposal.Stage

    @classmethod
    def visible(cls, grants):
        return visible(grants).filter(state=ACCEPTED).select_related("street").prefetch_related("disposals")

    @classmethod
    def found(cls, subject, grants, district):
        if isinstance(subject, LegacyLand):
            return legacy_of(subject.code, grants, subject.district_id)
        return legacy_of(subject, grants, district)

    @classmethod
    def state_of(cls, row) -> str:
        """The last stage; a polygon nobody disposes of yet has none."""
        reached = {one.stage for one in row.disposals.all()}
        return max(reached, key=STAGES.index) if reached else NOT_OPENED

    @classmethod
    def version_of(cls, row) -> int:
        return len(row.disposals.all())

    @classmethod
    def title_of(cls, state: str) -> str:
        return super().title_of(state) if state else _("Not opened")

    def enter(self) -> None:
        Disposal.objects.create(
            legacy=self.row,
            stage=self.way.to,
            on=self.told.on,
            note="\n".join(filter(None, (self.told.reason, self.told.comment))),
            document=self.document,
            by=self.by,
        )

    # --- gates ----------------------------------------------------------------------------------------------------

    def _frozen(self):
        if self.row.state != ACCEPTED:
            raise Refused(
                _("%(code)s is not accepted yet: land is disposed of once its register is.") % {"code": self.row.code},
                _("Its register goes to the municipal bureau first."),
                code="frozen",
            )

    def _eligible(self):
        no_route = self.row.route not in (LegacyLand.Route.L1, LegacyLand.Route.L2)
        if no_route or self.row.worksheet.get("verdict") == REFUSED:
            raise Refused(
                _("The text gives no route for %(code)s.") % {"code": self.row.code},
                _("It stays in the register as it is; a note may say what becomes of it."),
                code="eligible",
            )

    def _by_city(self):
        if self.row.route != LegacyLand.Route.L2:
            raise Refused(
                _("%(code)s is of class L1: the district's consent is enough.") % {"code": self.row.code},
                _("Have its title registered."),
                code="by_city",
            )

    def _by_district(self):
        if self.row.route == LegacyLand.Route.L2:
            raise Refused(
                _("%(code)s is of class L2: the city government approves it first.") % {"code": self.row.code},
                _("Report it to the city government."),
                code="by_district",
            )
