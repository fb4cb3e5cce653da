"""The numbers of space: reference systems, tolerances and units of area, each once and with its unit."""

from decimal import ROUND_HALF_UP, Decimal

STORAGE_SRID = 4490  # CGCS2000, degrees; longitude first on disk
MAP_SRID = 3857  # tiles only; never measured in
CGCS2000_A = 6378137.0  # metres, semi-major axis
CGCS2000_INVERSE_FLATTENING = 298.257222101

# China's land and near seas, degrees; nothing outside is stored.
CHINA = (73.0, 3.0, 136.0, 54.0)

CLUSTER_TOLERANCE = 0.001  # metres; two vertices nearer than this are one
ADJACENT_EDGE = 5.0  # metres of shared edge that make two parcels adjacent; a corner touch does not
OVERLAP_AREA = 1.0  # square metres; an overlap counts above this …
OVERLAP_WIDTH = 0.05  # metres; … and above this mean width 2A/P
AREA_CHANGE = 0.01  # square metres; a repair that changes more waits for a person

SQUARE_METRES_PER_HECTARE = Decimal(10_000)
METRES_OF_A_DEGREE = 111_320.0  # of longitude at the equator, nearly of latitude anywhere; for rough distances only
SQUARE_METRES_PER_MU = Decimal(10_000) / Decimal(15)  # 666.666… m²; the only place where the mu is defined


def rounded(value: Decimal | float | str, decimals: int) -> Decimal:
    """`value` rounded half away from zero, as TD/T 1057 and the survey tools round areas.

    Floats are taken by their shortest decimal text, so 2.675 rounds to 2.68 as a reader expects.
    """
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def in_mu(square_metres: Decimal | float) -> Decimal:
    """An area in 亩, four decimals, as the list tables of the survey give it."""
    return rounded(Decimal(str(square_metres)) / SQUARE_METRES_PER_MU, 4)


def zone_srid(longitude: float, *, prefixed: bool = False) -> int:
    """The EPSG code of the 3° Gauss–Krüger zone of CGCS2000 that holds `longitude` (degrees east).

    Zones 25–45 are 4534–4554 without and 4513–4533 with the zone number before the easting.
    """
    zone = int((longitude + 1.5) // 3)
    if not 25 <= zone <= 45:
        raise ValueError(f"{longitude}° is outside the zones 25 to 45 of China")
    return (4513 if prefixed else 4534) + zone - 25
