"""The first page of the import, and the upload itself, written to its folder as it comes in."""

import errno
import shutil
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.exceptions import SuspiciousOperation, TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler, StopFutureHandlers, StopUpload
from django.http import JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt, csrf_protect, ensure_csrf_cookie
from django.views.decorators.http import require_http_methods

from importers.intake import clean, new_folder, receive, settle, tidy
from importers.views import seeing
from importers.views.words import import_words
from units.errors import GeoinvError, InputUnreadable, NotAllowed, UsageError
from units.models import Survey
from units.rights import imports
from units.views.asking import only

LATEST = 20  # deliveries on the page


class Receiving(FileUploadHandler):
    """Write the files of a request into a folder as they come in, and stop where they are too many or too large."""

    def __init__(self, request, folder: Path):
        super().__init__(request)
        self.folder = folder
        self.files: list[dict] = []
        self.trouble: GeoinvError | None = None
        self.received = 0
        self.handle = None

    def new_file(self, *args, **kwargs):
        super().new_file(*args, **kwargs)
        kept = clean(self.file_name)
        if any(one["kept"].casefold() == kept.casefold() for one in self.files):
            self._refuse(
                UsageError(
                    _("Two files were sent that are called %(name)s.") % {"name": kept},
                    _("Rename one of them, or send a .zip of the whole delivery."),
                    code="sent-twice",
                )
            )
        self.files.append({"name": self.file_name[:255], "kept": kept, "size": 0})
        try:
            self.handle = (self.folder / kept).open("xb")
        except OSError as error:
            self._refuse(unwritable(error))
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data, start):
        self.received += len(raw_data)
        if self.received > settings.UPLOAD_MAX:
            self._refuse(too_large())
        try:
            self.written(raw_data)
        except OSError as error:
            self._refuse(unwritable(error))

    def written(self, raw_data: bytes):
        self.handle.write(raw_data)

    def file_complete(self, file_size):
        try:
            self.handle.close()
        except OSError as error:
            self._refuse(unwritable(error))
        self.files[-1]["size"] = file_size

    def upload_interrupted(self):
        if self.handle is not None:
            with suppress(OSError):
                self.handle.close()

    def _refuse(self, trouble: GeoinvError):
        self.trouble = trouble
        self.upload_interrupted()
        raise StopUpload(connection_reset=True)


def too_many() -> UsageError:
    return UsageError(
        _("More than %(most)d files were sent.") % {"most": settings.DATA_UPLOAD_MAX_NUMBER_FILES},
        _("Send a .zip of the whole delivery."),
        code="too-many",
    )


def too_large() -> UsageError:
    return UsageError(
        _("The upload is larger than %(most)s MB.") % {"most": f"{settings.UPLOAD_MAX / 1e6:,.0f}"},
        _("Send the layers one by one, or have the administrator import it with import_layer (GEOINV_UPLOAD_MAX)."),
        code="too-large",
    )


def unwritable(error: OSError) -> InputUnreadable:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputUnreadable(
            _("There is no space left on the server for this upload; nothing of it was kept."),
            _("Tell the administrator; discard uploads that are no longer needed."),
            code="disk-full",
        )
    return InputUnreadable(
        _("The upload cannot be written on the server: %(why)s.") % {"why": error.strerror},
        _("Tell the administrator."),
        code="unwritable",
    )


@csrf_exempt  # the token is checked in `_received`, once there is a place to write the files to
@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(private=True, no_store=True)
def import_page(request):
    """The page; a POST is an upload into a survey: 201 with where to see it."""
    held = seeing.importer(request)
    only(request)
    if request.method != "POST":
        return _page(request, held)
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.UPLOAD_MAX + 1_000_000:
        raise too_large()
    number, folder = new_folder()
    request.upload_handlers = [handler := Receiving(request, folder)]
    try:
        if shutil.disk_usage(folder).free < int(request.META.get("CONTENT_LENGTH") or 0):
            raise unwritable(OSError(errno.ENOSPC, ""))
        response = _received(request, held, number, handler)
    except TooManyFilesSent:
        shutil.rmtree(folder, ignore_errors=True)
        raise too_many() from None
    except (MultiPartParserError, SuspiciousOperation, UnreadablePostError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise UsageError(
            _("The upload cannot be read, or broke off; nothing of it was kept."), _("Send it again.")
        ) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        handler.upload_interrupted()
    if response.status_code != 201:
        shutil.rmtree(folder, ignore_errors=True)
    return response


@csrf_protect
def _received(request, held, number, handler) -> JsonResponse:
    code, year = request.POST.get("district", ""), request.POST.get("survey", "")
    if handler.trouble:
        raise handler.trouble
    district = next((one for one in seeing.places(held) if one.pk == code), None)
    if district is None:
        raise NotAllowed(
            _("You may not import for the district “%(code)s”.") % {"code": code[:20]},
            _("Choose one of the districts of the page."),
        )
    if not (year.isascii() and year.isdigit() and len(year) == 4):
        raise UsageError(
            _("“%(year)s” is no year of a survey.") % {"year": year[:20]}, _("Give four digits, such as 2022.")
        )
    intake = receive(number, district, int(year), handler.files, request.user)
    return JsonResponse({"id": str(intake.pk), "url": reverse("intake", args=[intake.pk])}, status=201)


@ensure_csrf_cookie
def _page(request, held):
    tidy()
    open_here = list(seeing.intakes(held, request.user).order_by("-received_at")[:LATEST])
    for one in open_here:
        settle(one)
    districts = seeing.places(held)
    surveys = Survey.objects.filter(district__in=districts).order_by("-year")
    context = {
        "districts": [
            {
                "code": one.code,
                "name": one.name,
                "surveys": [
                    {"year": each.year, "state": each.state} for each in surveys if each.district_id == one.code
                ],
                "profiles": sorted(imports(held, one.code)),
            }
            for one in districts
        ],
        "intakes": open_here,
        "deliveries": seeing.deliveries(held).order_by("-pk")[:LATEST],
        "told": {
            "language": get_language(),
            "words": import_words(),
            "signIn": reverse("login"),
            "upload": reverse("import"),
            "largest": settings.UPLOAD_MAX,
        },
    }
    return render(request, "importers/import.html", context)
