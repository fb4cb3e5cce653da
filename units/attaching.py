"""Put photos and papers to a survey form, and hand them out again as nothing but files."""

import hashlib
import unicodedata
from collections.abc import Iterable

import pghistory
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from units import forms
from units.campaigning import OPEN, Hand, still_open
from units.errors import InputUnreadable, NotAllowed, NotFound, Refused, UnknownName, UsageError
from units.models import Determination, Document, FactSheet, FormPaper, User
from units.rights import Grant
from units.workflow import CO_CHECK

LARGEST = 20_000_000  # bytes of one file
MOST = 50  # files of one form
# What a file is, is seen in its first bytes; its name and what a browser says of it count for nothing.
KINDS = (
    (b"\xff\xd8\xff", 0, "image/jpeg", "jpg"),
    (b"\x89PNG\r\n\x1a\n", 0, "image/png", "png"),
    (b"WEBP", 8, "image/webp", "webp"),
    (b"%PDF-", 0, "application/pdf", "pdf"),
)


def kind_of(body: bytes) -> tuple[str, str]:
    """Media type and ending of a file's content; InputUnreadable for all that is neither photo nor PDF."""
    for mark, at, media, ending in KINDS:
        if body[at : at + len(mark)] == mark and (at == 0 or body.startswith(b"RIFF")):
            return media, ending
    raise InputUnreadable(
        _("The file is neither a photo (JPEG, PNG, WebP) nor a PDF."),
        _("Save it as one of these; pages of the web and drawings (SVG) are not taken."),
        code="kind",
    )


def attach(sheet: FactSheet, name: str, body: bytes, by: User, *, title: str = "", cell: str = "") -> FormPaper:
    """Keep a file with a form, of the whole of it or of one cell; the same file twice is one paper.

    Raises NotAllowed where `by` has no part in the form (or may not read the cell), Refused, InputUnreadable.
    """
    hand = Hand.of(sheet, by.grants())
    known = {one.key: one for one in forms.cells(sheet)}
    if cell and cell not in known:
        raise UnknownName(cell[:80], known, _("field of the form"))
    if not hand.tasks or (cell and not hand.reads(known[cell])):
        raise NotAllowed(_("Only who has a part in this form puts papers to it."), _("Ask one of its departments."))
    if len(body) > LARGEST:
        raise too_large()
    media, ending = kind_of(body)
    digest = hashlib.sha256(body).hexdigest()
    with transaction.atomic(), pghistory.context(user=by.pk, action="paper added"):
        _takes_papers(_locked(sheet))
        there = sheet.papers.filter(removed_at=None)
        same = there.filter(document__sha256=digest, cell=cell).first()
        if same is not None:
            return same
        if there.count() >= MOST:
            raise Refused(_("The form has %(most)d papers already.") % {"most": MOST}, _("Take one away first."))
        document = Document(
            district_id=sheet.determination.district_id,
            title=plain(title) or plain(name) or digest[:12],
            media_type=media,
            size=len(body),
            sha256=digest,
            added_by=by,
        )
        document.file.save(f"{digest}.{ending}", ContentFile(body), save=True)
        return FormPaper.objects.create(
            sheet=sheet,
            document=document,
            cell=cell,
            restricted=bool(cell and known[cell].field.restricted),
            department=hand.tasks[0].department,
        )


def papers(sheet: FactSheet, grants: Iterable[Grant]) -> list[FormPaper]:
    """The papers of a form that these grants may see: what proves a figure is closed like the figure."""
    figures = Hand.of(sheet, grants).figures
    found = sheet.papers.filter(removed_at=None).select_related("document__added_by", "department").order_by("pk")
    return [one for one in found if figures or not one.restricted]


def paper_of(sheet: FactSheet, number: int, grants: Iterable[Grant]) -> FormPaper:
    """One of them; NotFound otherwise."""
    for one in papers(sheet, grants):
        if one.pk == number:
            return one
    raise NotFound(_("There is no such paper, or none that you may see."), _("Choose one of the list of the form."))


def take_away(sheet: FactSheet, number: int, by: User) -> None:
    """Take a paper from the form again; who put it there or acts for that department may. The file is kept."""
    found = paper_of(sheet, number, by.grants())
    hand = Hand.of(sheet, by.grants())
    if found.department_id not in {one.department_id for one in hand.tasks}:
        raise NotAllowed(_("A paper is taken away by the department that gave it."), _("Ask it."))
    with transaction.atomic(), pghistory.context(user=by.pk, action="paper taken away"):
        _takes_papers(_locked(sheet))
        found.removed_at, found.removed_by = timezone.now(), by
        found.save(update_fields=["removed_at", "removed_by"])


def _locked(sheet: FactSheet) -> FactSheet:
    """The form as it stands now; nobody submits or checks it until the paper is in."""
    if sheet.determination_id:  # the order in which a move locks, too
        Determination.objects.select_for_update().get(pk=sheet.determination_id)
    return FactSheet.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=sheet.pk)


def _takes_papers(sheet: FactSheet) -> None:
    still_open(sheet)
    if sheet.state not in (*OPEN, CO_CHECK):
        raise Refused(
            _("The form is “%(state)s”: it takes no papers now.") % {"state": FactSheet.State(sheet.state).label},
            _("It can be sent back to be filled first."),
            code="state",
        )


def too_large() -> UsageError:
    return UsageError(
        _("The file is larger than %(most)d MB.") % {"most": LARGEST // 1_000_000},
        _("Save the photo smaller, or the paper with fewer dots."),
        code="too-large",
    )


def plain(name: str) -> str:
    """A name as one line without signs that steer anything, at most 120 characters."""
    kept = "".join(sign for sign in unicodedata.normalize("NFC", name) if unicodedata.category(sign)[0] != "C")
    return kept.replace("/", "_").replace("\\", "_").strip()[:120]
