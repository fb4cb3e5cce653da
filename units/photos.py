"""Read what a camera wrote into a photo (EXIF), and make a small picture that holds nothing but the picture."""

import io
import math
import re
import warnings
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

MOST_PIXELS = 100_000_000  # a photo of more is not unpacked: a file of a few bytes can ask for gigabytes
SMALL = 480  # pixels, the longer side of the small picture
WRITTEN = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
# What Pillow raises over broken files: its own error, and those of the readers below it.
BROKEN = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, KeyError, TypeError, ZeroDivisionError)


@dataclass(frozen=True)
class Taken:
    """When and where by the camera: `at` as YYYY-MM-DD HH:MM:SS of its own clock, (lng, lat) in WGS 84."""

    at: str = ""
    position: tuple[float, float] | None = None


def taken(body: bytes) -> Taken:
    """What the camera wrote; nothing where it wrote nothing, or nothing that can be read. Pixels are not looked at."""
    try:
        with Image.open(io.BytesIO(body)) as photo:
            exif = photo.getexif()
            inner = exif.get_ifd(ExifTags.IFD.Exif)
            written = str(inner.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime) or "")
            place = exif.get_ifd(ExifTags.IFD.GPSInfo)
            found = WRITTEN.match(written)
            at = "{}-{}-{} {}:{}:{}".format(*found.groups()) if found else ""
            return Taken(at, _position(place))
    except BROKEN:
        return Taken()  # a photo without readable facts is a photo all the same


def _position(place: dict) -> tuple[float, float] | None:
    lat = _degrees(place.get(ExifTags.GPS.GPSLatitude), place.get(ExifTags.GPS.GPSLatitudeRef), "S")
    lng = _degrees(place.get(ExifTags.GPS.GPSLongitude), place.get(ExifTags.GPS.GPSLongitudeRef), "W")
    if lat is None or lng is None or abs(lat) > 90 or abs(lng) > 180 or (lat, lng) == (0.0, 0.0):
        return None  # cameras without a fix write zeros
    return lng, lat


def _degrees(parts, side, negative: str) -> float | None:
    if parts is None or len(parts) != 3:
        return None
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value):
        return None
    return -value if side == negative else value


def small(body: bytes) -> bytes | None:
    """The photo upright as a JPEG of at most SMALL pixels a side, painted anew; None where it cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(body)) as photo:
                if photo.width * photo.height > MOST_PIXELS:
                    return None
                photo.draft("RGB", (SMALL, SMALL))
                upright = ImageOps.exif_transpose(photo).convert("RGB")
        upright.thumbnail((SMALL, SMALL))
        made = io.BytesIO()
        upright.save(made, "JPEG", quality=80)
        return made.getvalue()
    except (*BROKEN, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None
