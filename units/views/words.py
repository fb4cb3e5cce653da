"""The sentences that the map's scripts say, in the reader's language; {blanks} are filled by them."""

from django.utils.translation import gettext_lazy as _

_WORDS = {
    "zoomInTitle": _("Zoom in"),
    "zoomOutTitle": _("Zoom out"),
    "closer": _("zoom in"),
    "zoomIn": _("Zoom in to see {layers}"),
    "and": _(" and "),
    "parcels": _("parcels"),
    "patches": _("land-use patches"),
    "judgedBy": _("{title}, run on {when}"),
    "noneHere": _("No parcel here."),
    "more": _("Show more"),
    "again": _("Try again"),
    "noAnswer": _("The server does not answer. Try again soon."),
    "missing": _("{count} facts missing"),
    "comma": _(", "),
    "noAddress": _("Location not stated"),
    "unknownCategory": _("Category unknown"),
    "notFound": _("No parcel has “{words}” in its code or location."),
    "noParcel": _("There is no parcel {code}, or none that you may see."),
    "copyLink": _("Copy link"),
    "copied": _("Copied"),
    "close": _("Close"),
    "code": _("Code"),
    "area": _("Area"),
    "landClass": _("Land class"),
    "bsm": _("Identifier (BSM)"),
    "lies": _("Lies in"),
    "surveyed": _("Surveyed area (TBMJ)"),
    "measured": _("Measured area"),
    "moreFound": _("Only the first {count} are shown. Type more of the code or location."),
    "signIn": _("Sign in"),
    "signedOut": _("You are no longer signed in, or may not see this."),
    "tilesMissing": _("Part of the map could not be loaded."),
}


def map_words() -> dict[str, str]:
    """Every sentence, translated now."""
    return {name: str(sentence) for name, sentence in _WORDS.items()}
