"""Tell which delivery a supplement completes: rows that come afterwards, mended, and take nothing else away."""

from pathlib import Path

from django.db import connection
from django.utils.translation import gettext as _

from importers.arrays import flags
from importers.checking import key_text
from importers.delivered import crs_given
from importers.inspecting import Inspected
from importers.profiles import Match, Profile
from importers.sniffing_encoding import ASK
from units.errors import NotFound, Refused, UsageError
from units.models import Delivery, District, Survey

HELD_TWICE_SQL = (Path(__file__).parent / "sql" / "held_twice.sql").read_text(encoding="utf-8")


def completed(number: int, place: District, survey: Survey, wanted: Profile, layer: str) -> Delivery:
    """The delivery of that number, which a supplement of the layer may complete; of a supplement, the one it completes.

    Raises NotFound, UsageError where it is of something else, and Refused where it is no longer what is held.
    """
    base = Delivery.objects.filter(pk=number, district=place).first()
    if base is None:
        raise NotFound(_("There is no delivery %(id)s.") % {"id": number}, _("import_layer prints the number."))
    base = Delivery.objects.get(pk=base.settings.get("supplement_to") or base.pk)
    if (base.profile, base.survey_id) != (wanted.name, survey.pk) or (
        wanted.table == "control" and base.settings["layer"].casefold() != layer.casefold()
    ):
        raise UsageError(
            _("The delivery %(id)d is of the layer %(layer)s (%(profile)s) of the survey %(year)d, not of this one.")
            % {"id": base.pk, "layer": base.settings["layer"], "profile": base.profile, "year": base.survey.year},
            _("A supplement completes a delivery of the same layer into the same survey."),
        )
    if wanted.table == "district":
        raise UsageError(
            _("Boundaries have no supplement: each of their deliveries takes nothing away."),
            _("Import them without --supplement."),
        )
    if base.state == Delivery.State.UNDONE:
        raise Refused(
            _("The delivery %(id)d was taken back.") % {"id": base.pk},
            _("Deliver the layer in full."),
            code="supplement-undone",
        )
    if later := next((one for one in later_of(base) if not one.settings.get("supplement_to")), None):
        raise Refused(
            _("The delivery %(later)d of the same layer came after %(id)d.") % {"later": later.pk, "id": base.pk},
            _("Complete that one, or take it back first."),
            code="supplement-late",
        )
    return base


def undecided(seen: Inspected, number: int, encoding: str | None, crs: str | None) -> dict | None:
    """What is asked of a supplement for want of evidence of its own: few rows are read as those that they complete.

    None where nothing needs to be, or nothing can be, taken over.
    """
    base = Delivery.objects.filter(pk=number).first()
    if base is None:
        return None
    taken = {}
    if encoding is None and seen.encoding.verdict == ASK:
        taken["encoding"] = base.settings.get("encoding_given") or base.encoding["name"]
    if crs is None and seen.shapes is not None and seen.crs.way is None and seen.crs.verdict == ASK:
        taken["crs"] = crs_given(base) or (f"EPSG:{base.crs['epsg']}" if base.crs["epsg"] else None)
    return {"encoding": encoding, "crs": crs} | taken if taken else None


def edition_completed(number: int, edition: str) -> str:
    """The edition of a control layer that a supplement completes; raises Refused where its rows say another."""
    base = Delivery.objects.get(pk=number)
    held = base.settings["edition"]
    if edition not in (held, str(base.survey.year)):  # rows that say none are told to be of the year
        raise Refused(
            _("The delivery %(id)d is the edition %(held)s; the rows of the supplement say %(edition)s.")
            % {"id": base.pk, "held": held, "edition": edition},
            _("Deliver another edition by itself, in full."),
            code="supplement-edition",
        )
    return held


def later_of(delivery: Delivery) -> list[Delivery]:
    """The deliveries of the same layer that came after this one, earliest first; not those of its own other files."""
    found = Delivery.objects.filter(
        district=delivery.district_id,
        survey=delivery.survey_id,
        profile=delivery.profile,
        state=Delivery.State.LOADED,
        pk__gt=delivery.pk,
    ).order_by("pk")
    own = f"{delivery.sha256} {delivery.layer}"
    layer = delivery.settings["layer"].casefold()
    return [
        one
        for one in found
        if own not in one.settings.get("beside", ())
        and ("kind" not in delivery.settings or one.settings["layer"].casefold() == layer)
    ]


def family(base: Delivery) -> list[int]:
    """The numbers of a delivery and of its supplements."""
    return [base.pk, *(one.pk for one in later_of(base) if one.settings.get("supplement_to") == base.pk)]


def held_twice(completes: list[int], table: str) -> dict[str, tuple[bytes, int]]:
    """The keys that a file of these deliveries gave to several rows: the digest of the one that was taken, its number.

    A further row of such a key was refused there. Alone in a supplement it would take the place of the one that stands.
    """
    with connection.cursor() as cursor:
        cursor.execute(HELD_TWICE_SQL.format(table=table), {"completes": completes})
        return {key: (bytes(digest), number) for key, digest, number in cursor.fetchall()}


def subjects(seen: Inspected, found: Match) -> list[str]:
    """What identifies the rows of a layer, as findings name their subjects."""
    keys = key_text(seen.table, found, seen.encoding.python, slice(None)).filter(flags(~seen.table.deleted))
    return sorted({key[:80] for key in keys.to_pylist() if key})
