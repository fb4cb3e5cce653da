"""Checks of stored values: codes, names, areas and numbers of patches and parcels, and the frozen register."""

from collections.abc import Iterator

import shapely
from django.utils import timezone

from units import codes
from units.checks.looking import Fault, Sight
from units.checks.topology import number

# Square metres and share by which an area field may differ from the measured area (S02): as importers tell it.
AREA_DIFFERS, AREA_DIFFERS_SHARE = 1.0, 1e-4
AREA_WRONG, AREA_WRONG_SHARE = 20.0, 0.02  # the same, from which it is an error (S02, after S10)
AREA_DRIFT = 0.001  # square metres by which a stored measured area may be off its shape's
DOMAINS = {"qsxz": "QSXZ", "czcsxm": "CZCSXM", "mssm": "MSSM", "qllx": "QLLX", "qlxz": "QLXZ"}
# The fields of each profile that are checked over the stored rows as well: what an import tells of them is taken over.
TAKEN_OVER = {
    "3-code-unknown": {
        "patches": ("dltb", ("DLBM", "QSXZ", "CZCSXM", "MSSM")),
        "parcels": ("zd", ("QLLX", "QLXZ")),
        "legacy": ("legacy", ("QSXZ",)),
        "control-areas": ("control", ("YT",)),
    },
    "3-name-differs": {"patches": ("dltb", ("DLMC",))},
    "3-area-differs": {"patches": ("dltb", ("TBMJ",)), "parcels": ("zd", ("ZDMJ",))},
}


def known(domain: str) -> list[str]:
    """The codes of a domain; registers write 3 and 03 alike."""
    table = list(codes.domain(domain))
    return table + [f"0{code}" for code in table if len(code) == 1]


def code_unknown(sight: Sight, name: str) -> Iterator[Fault]:
    """Codes that are in no code table."""
    values = {parameter: known(domain) for parameter, domain in DOMAINS.items()}
    values |= {"classes": list(codes.usable(codes.SANDIAO)), "planned": list(codes.land_use(codes.YDYH)), "layer": name}
    for _layer, profile, file_layer, field, code, value, domain, street, place in sight.rows("3-code-unknown", values):
        yield Fault(
            (code,),
            {"field": field, "value": value, "more": domain},
            shapely.from_wkb(place),
            street,
            severity="error" if field == "DLBM" else None,
            seen=value,
            row=(profile, field, file_layer),
        )


def name_differs(sight: Sight, name: str) -> Iterator[Fault]:
    """Names of the land class that are not the name of its code."""
    table = codes.usable(codes.SANDIAO)
    values = {"classes": list(table), "names": list(table.values())}
    for _layer, profile, file_layer, field, code, value, wanted, street, place in sight.rows("3-name-differs", values):
        yield Fault(
            (code,),
            {"field": field, "value": value, "more": wanted},
            shapely.from_wkb(place),
            street,
            seen=f"{value} {wanted}",
            row=(profile, field, file_layer),
        )


def area_differs(sight: Sight, name: str) -> Iterator[Fault]:
    """Area fields that are not the shape's area on the ellipsoid; an error where they are far from it."""
    values = {"area_differs": AREA_DIFFERS, "area_differs_share": AREA_DIFFERS_SHARE, "layer": name}
    for row in sight.rows("3-area-differs", values):
        _layer, profile, file_layer, field, code, declared, measured, street, place, digest = row
        yield Fault(
            (code,),
            {"field": field, "value": number(declared), "more": number(measured)},
            shapely.from_wkb(place),
            street,
            round(declared - measured, 2),
            "m2",
            severity="error" if abs(declared - measured) > max(AREA_WRONG, AREA_WRONG_SHARE * measured) else None,
            seen=f"{number(declared)} {digest}",
            row=(profile, field, file_layer),
        )


def number_duplicate(sight: Sight, name: str) -> Iterator[Fault]:
    """Patch numbers (TBBH) that are given twice in one place (ZLDWDM); one fault a number, with all its patches."""
    for place, said, subjects, street, points in sight.rows("3-number-duplicate"):
        yield Fault(
            tuple(subjects),
            {"number": said, "count": str(len(subjects)), "place": place},
            shapely.from_wkb(points),
            street,
            float(len(subjects)),
            "1",
            seen=f"{place} {said}",
        )


def area_drift(sight: Sight, name: str) -> Iterator[Fault]:
    """Stored measured areas that are not what the stored shape measures (PERFORMANCE.md)."""
    for code, stored, measured, street, place, digest in sight.rows("7-area-drift", {"area_drift": AREA_DRIFT}):
        yield Fault(
            (code,),
            {"value": f"{stored:.4f}", "more": f"{measured:.4f}"},
            shapely.from_wkb(place),
            street,
            round(stored - measured, 4),
            "m2",
            seen=f"{stored:.4f} {digest}",
        )


def freeze(sight: Sight, name: str) -> Iterator[Fault]:
    """A frozen legacy register whose digest is not the one of its acceptance (NK055, H03)."""
    for frozen_at, rows, digest, now, rows_now in sight.rows("8-freeze"):
        yield Fault(
            (sight.district.code,),
            {"day": timezone.localtime(frozen_at).date().isoformat(), "rows": str(rows), "now": str(rows_now)},
            sight.boundary,
            seen=f"{digest} {now}",
        )
