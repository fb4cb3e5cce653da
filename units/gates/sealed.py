"""The gates of the registers whose sets are sealed: consent seals a set, a return seals the rest, it goes up whole."""

from collections import defaultdict

from django.db import models
from django.utils.translation import gettext as _

from units import sealing
from units.errors import Refused
from units.gates.asked import Asked, listed
from units.models import Snapshot
from units.workflow import DISTRICT_OK


class Sealed(Asked):
    """A step of a register that is consented to and handed up as sealed sets (NK053)."""

    model: type[models.Model]

    def __init__(self, *args):
        super().__init__(*args)
        self.was_sealed = self.row.sealed_id

    @classmethod
    def locked(cls, row):
        """Before the row the sets: a return seals the rest of its set, whose rows another return may hold already."""
        if row.sealed_id and row.state == DISTRICT_OK:
            sealing.one_at_a_time(cls.register, row.district_id)
        return super().locked(row)

    def enter(self) -> None:
        if self.way.back and self.row.sealed_id:  # the comment of the review hangs on the set it was made about
            self.details |= _told(self.row.sealed)
            self.row.sealed = None
        super().enter()

    @classmethod
    def together(cls, asked: list[Asked]) -> None:
        cls._seal_all([one for one in asked if "seal" in one.way.needs])
        cls._seal_the_rest([one for one in asked if "reseal" in one.way.needs])
        cls._goes_up_whole([one for one in asked if "package" in one.way.needs])

    def _seal(self):
        """Sealed together with all that are consented to at once."""

    def _reseal(self):
        """What remains of the set is sealed anew once all that are returned have left it."""

    def _package(self):
        """Looked at for the whole set at once."""

    @classmethod
    def _seal_all(cls, asked: list[Asked]) -> None:
        by_district = defaultdict(list)
        for one in asked:
            by_district[one.row.district_id].append(one)
        for district, rows in sorted(by_district.items()):
            codes = [one.row.code for one in rows]
            snapshot = sealing.seal(cls.register, district, codes, rows[0].by, rows[0].document)
            cls._put(snapshot, [one.row.pk for one in rows])
            for one in rows:
                one.details |= _told(snapshot)

    @classmethod
    def _seal_the_rest(cls, asked: list[Asked]) -> None:
        """The consent stands for what was not returned: it is another set than was sealed, so it is sealed anew."""
        for number in sorted({one.was_sealed for one in asked if one.was_sealed}):
            old = Snapshot.objects.get(pk=number)
            codes = sealing.rest_of(old)
            if codes:
                snapshot = sealing.seal(cls.register, old.district_id, codes, asked[0].by, old.document, replaces=old)
                rest = cls.model.objects.filter(sealed=old, state=DISTRICT_OK)
                cls._put(snapshot, list(rest.values_list("pk", flat=True)))

    @classmethod
    def _put(cls, snapshot: Snapshot, rows: list[int]) -> None:
        cls.model.objects.filter(pk__in=rows).update(sealed=snapshot)

    @classmethod
    def _goes_up_whole(cls, asked: list[Asked]) -> None:
        by_set = defaultdict(list)
        for one in asked:
            by_set[one.was_sealed].append(one)
        for number, rows in by_set.items():
            codes = [one.row.code for one in rows]
            snapshot = Snapshot.objects.filter(pk=number).first()
            if snapshot is None:
                raise Refused(
                    _("No sealed set holds %(codes)s.") % {"codes": listed(codes)},
                    _("The district government consents to it first: that seals it."),
                    code="package",
                    codes=codes,
                )
            left = sealing.rest_of(snapshot)
            if left:
                raise Refused(
                    _("The sealed set %(number)d goes up whole, and of it these are not marked: %(codes)s.")
                    % {"number": snapshot.number, "codes": listed(left)},
                    _("Mark them too, or ask the district government to return them."),
                    code="package",
                    codes=codes,
                )
            differing = sealing.changed_since(snapshot, codes)
            if differing:
                raise Refused(
                    _("Since the set %(number)d was sealed, these have changed: %(codes)s.")
                    % {"number": snapshot.number, "codes": listed(differing)},
                    _("Ask the district government to return them: it consents to what is true now."),
                    code="sealed",
                    codes=differing,
                )
            for one in rows:
                one.details |= _told(snapshot)


def _told(snapshot: Snapshot) -> dict:
    return {"snapshot": snapshot.number, "sha256": snapshot.sha256}
