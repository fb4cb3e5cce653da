"""Put a loaded survey in force for its district, and retire the one before it."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from units.errors import NotFound, Refused
from units.models import Survey
from units.succeeding import succeed


def activate(district_code: str, year: int, by=None) -> dict:
    """Put the survey of the district and year in force; exactly one is, a district.

    Raises NotFound where there is no such survey, Refused where it holds no land-use patches or is in force already.
    """
    with transaction.atomic():
        surveys = list(Survey.objects.select_for_update().filter(district_id=district_code).order_by("year"))
        wanted = next((survey for survey in surveys if survey.year == year), None)
        if wanted is None:
            known = ", ".join(str(survey.year) for survey in surveys) or _("none")
            raise NotFound(
                _("District %(code)s has no survey %(year)d.") % {"code": district_code, "year": year},
                _("Loaded are: %(known)s. Import its layers first.") % {"known": known},
            )
        if wanted.state == Survey.State.IN_FORCE:
            raise Refused(
                _("The survey %(year)d of district %(code)s is in force already.")
                % {"code": district_code, "year": year},
                _("Nothing needs to be done."),
                code="already-in-force",
            )
        patches = wanted.patches.count()
        if not patches:
            raise Refused(
                _("The survey %(year)d of district %(code)s has no land-use patches.")
                % {"code": district_code, "year": year},
                _("Import its DLTB layer first."),
                code="survey-empty",
            )
        retired = before = None
        for survey in surveys:
            if survey.state == Survey.State.IN_FORCE:
                retired, before = survey.year, survey
                survey.state = Survey.State.RETIRED
                survey.save(update_fields=["state"])
        wanted.state = Survey.State.IN_FORCE
        wanted.activated_at = timezone.now()
        wanted.activated_by = by
        wanted.save(update_fields=["state", "activated_at", "activated_by"])
        if before is not None:
            succeed(before, wanted, by)
    return {
        "district": district_code,
        "survey": year,
        "state": wanted.state,
        "retired": retired,
        "patches": patches,
        "parcels": wanted.parcels.count(),
        "buildings": wanted.buildings.count(),
    }
