"""The gates of redevelopment units (workflow.md 4.4): checked, consulted, approved, and amended by the next version."""

import pghistory
from django.utils.translation import gettext as _

from units import amending, consulting
from units.collections import COLLECTIONS
from units.composing import blocking_now
from units.drafting import found
from units.errors import Refused
from units.gates.asked import Asked, kept, listed
from units.models import Move, RedevelopmentUnit
from units.operations import one_at_a_time
from units.recording import missing
from units.workflow import AMENDED, APPROVED, PROVINCE_REVIEW, UNIT


class UnitStep(Asked):
    """One step of one version of a unit."""

    register = UNIT
    State = RedevelopmentUnit.State

    def __init__(self, *args):
        super().__init__(*args)
        self.details = {"edition": self.row.edition}
        self.former: RedevelopmentUnit | None = None

    @classmethod
    def visible(cls, grants):
        seen = RedevelopmentUnit.objects.filter(COLLECTIONS["units"].seen_by(grants).rows.q())
        return seen.select_related("street").defer("geom")

    @classmethod
    def found(cls, subject, grants, district):
        if isinstance(subject, RedevelopmentUnit):
            return found(grants, subject.code, subject.district_id)
        return found(grants, subject, district)

    @classmethod
    def locked(cls, row):
        # Whoever draws locks a unit and then its neighbours; who moves several, or an edition and the one before it,
        # would meet him crosswise.
        one_at_a_time(row.district_id)
        return super().locked(row)

    def enter(self) -> None:
        if self.way.to != APPROVED:
            super().enter()
            return
        editions = RedevelopmentUnit.objects.filter(district=self.row.district_id, code=self.row.code)
        self.former = editions.filter(state=APPROVED).exclude(pk=self.row.pk).first()
        with pghistory.context(action="approved"):
            amending.approve(self.row)
        self.details |= {"digest": self.row.digest}

    @classmethod
    def after(cls, asked: list[Asked], moves: list[Move]) -> None:
        """The version that was in force until then is amended by the approval of this one, and its history says so."""
        for one in asked:
            if getattr(one, "former", None) is not None:
                Move.objects.create(
                    register=UNIT,
                    subject=one.row.code,
                    district_id=one.row.district_id,
                    street_id=one.row.street_id,
                    from_state=APPROVED,
                    to_state=AMENDED,
                    by=one.by,
                    role=one.grant.role,
                    document=one.document,
                    details={"edition": one.former.edition, "by_edition": one.row.edition},
                )

    # --- gates ----------------------------------------------------------------------------------------------------

    def _unblocked(self):
        found = blocking_now(self.row)
        if found:
            raise Refused(
                _("Something stands against the unit %(code)s: %(names)s")
                % {"code": self.row.code, "names": " ".join(one.sentence for one in found[:3])},
                found[0].fix,
                code="unblocked",
            )

    def _recorded(self):
        wanting = missing(self.row)
        if wanting:
            raise Refused(
                _("The record of the unit %(code)s is not complete: %(names)s")
                % {"code": self.row.code, "names": listed(one.sentence for one in wanting)},
                wanting[0].fix,
                code="recorded",
            )

    def _opinions(self):
        """Departments were asked about what the unit says now, and all have replied or their day has passed (NK076)."""
        if not consulting.asked(self.row):
            raise Refused(
                _("No department was asked for its opinion on the unit %(code)s.") % {"code": self.row.code},
                _("Ask the departments it concerns, with a day to reply by."),
                code="opinions",
            )
        waiting = consulting.open_for(self.row)
        if waiting:
            raise Refused(
                _("Departments have not replied yet: %(names)s.")
                % {
                    "names": listed(
                        _("%(department)s (until %(day)s)") % {"department": one.department, "day": one.due_on}
                        for one in waiting
                    )
                },
                _("The round closes when all have replied or their day has passed."),
                code="opinions",
            )
        return {"objections": [one.department.name for one in consulting.objections(self.row)]}

    def _province(self):
        """The province's review opinion, where the procedure of the district's city asks for it (NJ027)."""
        if not self.row.district_id.startswith(PROVINCE_REVIEW):
            return {}
        opinion = kept(self.told.opinion, self.row.district_id, self.by)
        if opinion is None:
            raise Refused(
                _("Here a unit is approved after the province's review: its opinion is wanting."),
                _("Name the review opinion: title, number, date."),
                code="province",
            )
        return {"opinion": {"id": opinion.pk, "title": opinion.title, "number": opinion.number}}

    def _successor(self):
        raise Refused(
            _("An approved version is amended by the approval of the next one."),
            _("Draw the change as a new version, and have that approved."),
            code="successor",
        )
