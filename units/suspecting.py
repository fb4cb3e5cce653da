"""Raise records of suspected low-efficiency land (疑似): from the flags of the rules, or by hand with a reason."""

from pathlib import Path

import pghistory
from django.db import connection, transaction
from django.db.models.functions import Length
from django.utils.translation import gettext as _

from units.errors import NotAllowed, Refused, UnknownName, UsageError
from units.explaining import last_used, seen
from units.models import Building, Category, Determination, District, Flag, FlagRun, Move, Survey, User
from units.rights import Grant, may
from units.workflow import BY_HAND, BY_RULES, NIGHT, RAISERS, SUBTYPES, SUSPECT

SQL = (Path(__file__).parent / "sql" / "suspects.sql").read_text(encoding="utf-8")
LETTERS = "DX"  # of a record's code: 低效
DIGITS = 6
LONGEST_REASON = 2000


def suspects(district_code: str, criteria: str | None = None, by: User | None = None) -> dict:
    """A record in the state “suspected” for every candidate of the set that has none yet, each with its move.

    `by` is an analyst or the office of the district; None is the night. Without a set, the one that judged the district
    last. What was dropped or determined is not raised again. Raises NotAllowed, UnknownName, and Refused where the set
    never judged the district.
    """
    if not District.objects.filter(code=district_code).exists():
        raise UnknownName(district_code, District.objects.values_list("code", flat=True), _("district"))
    role = NIGHT if by is None else _role(by.grants(), BY_RULES - {NIGHT}, district_code, None)
    if role is None:
        raise NotAllowed(
            _("Suspects of a whole district are raised by its analyst or its task-force office."), _("Ask one of them.")
        )
    criteria = criteria or last_used(district_code)
    run = FlagRun.objects.filter(district_id=district_code, edition__name=criteria)
    run = run.select_related("survey").order_by("-pk").first()
    if run is None:
        raise Refused(
            _("The set “%(criteria)s” has not judged district %(district)s.")
            % {"criteria": criteria, "district": district_code},
            _("Run “flag” for the district first."),
            code="run",
        )
    if run.survey.state != Survey.State.IN_FORCE:
        raise Refused(
            _("The last run of “%(criteria)s” judged the survey %(year)d, which is not in force.")
            % {"criteria": criteria, "year": run.survey.year},
            _("Run “flag” for the district again."),
            code="run",
        )
    with transaction.atomic(), pghistory.context(user=by and by.pk, action=SUSPECT), connection.cursor() as cursor:
        values = {
            "district": district_code,
            "criteria": criteria,
            "categories": Category.values,
            "by": by and by.pk,
            "role": role,
            "prefix": f"{district_code}{LETTERS}",
            "digits": DIGITS,
            "last": _last(cursor, district_code),
        }
        cursor.execute(SQL, values)
        made = cursor.fetchone()[0]
    found = Flag.objects.filter(district_id=district_code, criteria=criteria, outcome=Flag.Outcome.CANDIDATE).count()
    return {
        "district": district_code,
        "criteria": criteria,
        "digest": run.edition_id,
        "run": run.pk,
        "candidates": found,
        "made": made,
        "known": found - made,
    }


def by_hand(code: str, by: User, category: str, reason: str, subtype: str = "") -> Determination:
    """A record of land that no rule raised (NJ009), by a street office, with a written reason.

    It waits for an approver: the one of the task-force office who assigns it, another person than `by`. Raises NotFound
    where `by` sees no such parcel or building, NotAllowed, UnknownName for the category, Refused where there is one.
    """
    grants = by.grants()
    subject = seen(code, grants)
    row = subject.row
    role = _role(grants, RAISERS, row.district_id, row.street_id)
    if role is None:
        raise NotAllowed(
            _("Land that no rule flags is raised by the street office of its street."), _("Ask it, and say why.")
        )
    if category not in Category:
        raise UnknownName(category[:100], Category.values, _("category"))
    if subtype and subtype not in SUBTYPES.get(category, ()):
        raise UnknownName(subtype[:100], SUBTYPES.get(category, ()), _("sub-type"))
    reason = reason.strip()
    if not reason:
        raise Refused(_("This step needs a written reason."), _("Say why, in a sentence."), code="reason")
    if len(reason) > LONGEST_REASON or "\0" in reason:
        raise UsageError(
            _("“%(name)s” is longer than %(most)d letters.") % {"name": _("reason"), "most": LONGEST_REASON},
            _("Shorten it."),
        )
    with transaction.atomic(), connection.cursor() as cursor:
        number = _last(cursor, row.district_id) + 1
        column = "building" if isinstance(row, Building) else "parcel"
        known = Determination.objects.filter(**{column: row}).first()
        if known is not None:
            raise Refused(
                _("There is a record of %(code)s already: %(record)s, “%(state)s”.")
                % {"code": row.code, "record": known.code, "state": known.get_state_display()},
                _("Go on with that one."),
                code="already",
            )
        with pghistory.context(user=by.pk, action=SUSPECT):
            record = Determination.objects.create(
                district_id=row.district_id,
                street_id=row.street_id,
                code=f"{row.district_id}{LETTERS}{number:0{DIGITS}}",
                category=category,
                subtype=subtype,
                reason_codes=[BY_HAND],
                raised_by=by,
                raised_reason=reason,
                base_survey_year=row.survey.year,
                **{column: row},
            )
        Move.objects.create(
            register=Move.Register.RECORD,
            subject=record.code,
            district_id=record.district_id,
            street_id=record.street_id,
            from_state="",
            to_state=SUSPECT,
            by=by,
            role=role,
            comment=reason,
            details={"by_hand": True},
        )
    return record


def may_raise(grants: tuple[Grant, ...], district: str, street: str | None) -> bool:
    """Whether someone with these grants may raise land there by hand."""
    return may(grants, RAISERS, district, street)


def may_raise_all(grants: tuple[Grant, ...], district: str) -> bool:
    """Whether someone with these grants may raise every candidate of the district."""
    return may(grants, BY_RULES, district)


def _role(grants: tuple[Grant, ...], roles, district: str, street: str | None) -> str | None:
    """The role of the first grant that may; None where none does."""
    return next((one.role for one in grants if may((one,), roles, district, street)), None)


def _last(cursor, district_code: str) -> int:
    """The highest serial number given in the district; whoever gives the next waits for this one's transaction."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"records of {district_code}"])
    given = Determination.objects.filter(
        district_id=district_code, code__regex=rf"^{district_code}{LETTERS}[0-9]{{{DIGITS},9}}$"
    )
    last = given.order_by(Length("code").desc(), "-code").values_list("code", flat=True).first()
    return int(last.removeprefix(f"{district_code}{LETTERS}")) if last else 0
