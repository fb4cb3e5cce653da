"""Lay a layer of another container out like a shapefile, and say of it what a .prj and a .cpg would say."""

import re

import pyproj
from django.utils.translation import gettext as _

from importers.confining import confined
from importers.reading_boundary_points import lay_points
from importers.reading_csv import lay_csv
from importers.reading_databases import lay_layer
from importers.reading_geojson import lay_features
from importers.reading_laid import Laid, stem_of
from importers.reading_shp import Shapes
from importers.reading_workbook import lay_sheet
from importers.sniffing_encoding import GB, LIKELY, SURE, UTF8, Encoding, encoding_of

READERS = {"xlsx": lay_sheet, "txt": lay_points, "json": lay_features, "csv": lay_csv}
AUTHORITY = re.compile(r"(?:urn:ogc:def:crs:)?(EPSG|OGC)(?::[\d.]*)?:(CRS84|\d{4,6})", re.IGNORECASE)
WGS84 = 4326


def laid_out(layer, given: str | None = None) -> tuple[Laid, Shapes | None, Encoding, str | None]:
    """A layer as a table and shapes; its encoding, and what it says of its reference system as WKT.

    It is laid out once a delivery, in the work folder; `given` is the encoding that the user names. `layer` is an
    `opening.Layer`.
    """
    made = layer.memory.get("laid")
    if made is None:
        made = layer.memory["laid"] = _read(layer)
    laid = Laid(
        made["path"],
        made["columns"],
        made["rows"],
        before=made["before"],
        deleted=made["deleted"],
        told=made["told"],
        curves=made["curves"],
    )
    shapes = Shapes(*made["shapes"], layer.place) if made["shapes"] else None
    return laid, shapes, _encoding(layer, laid, made, given), _system(made.get("system"))


def _read(layer) -> dict:
    source, folder = layer.parts["source"], layer.parts["folder"]
    stem = stem_of(folder)
    if layer.kind in READERS:
        reader = READERS[layer.kind]
        return confined(reader, source, layer.name, layer.place, folder, stem, name=layer.place)
    return lay_layer(source, layer.kind, layer.name, layer.place, folder, stem)


def _encoding(layer, laid: Laid, made: dict, given: str | None) -> Encoding:
    """How the text was written. What is laid out is in UTF-8 but for a CSV, whose bytes are judged like a DBF's."""
    if layer.kind == "xlsx":
        return Encoding(UTF8, SURE, [_("A workbook holds Unicode.")])
    if layer.kind == "gpkg":
        return Encoding(UTF8, SURE, [_("A GeoPackage holds UTF-8.")])
    if layer.kind == "gdb":
        return Encoding(UTF8, SURE, [_("A file geodatabase holds Unicode.")])
    if layer.kind == "csv" and not made["encoding"]:
        found = encoding_of(laid, None, given)
        found.evidence[:0] = [str(one) for one in made["evidence"]]
        return found
    name, told = made["encoding"], [str(one) for one in made["evidence"]]
    if name.startswith("utf-16"):
        said = [_("Its first bytes say UTF-16."), *told]
        return Encoding("UTF-16", SURE, said, laid_in="utf-8")
    name = UTF8 if name.startswith("utf") else GB
    said = [_("All of the text is strict %(name)s.") % {"name": name}, *told]
    verdict = SURE if layer.kind == "txt" or name == UTF8 else LIKELY
    # The table is laid out in UTF-8, whatever the text was written in.
    return Encoding(name, verdict, said, laid_in="utf-8")


def _system(said: str | None) -> str | None:
    """WKT of what a container says of its reference system; None where it says nothing that is a system."""
    if not said:
        return None
    if found := AUTHORITY.fullmatch(said.strip()):
        number = WGS84 if found[2].upper() == "CRS84" else int(found[2])
        try:
            return pyproj.CRS.from_epsg(number).to_wkt("WKT1_ESRI")
        except pyproj.exceptions.CRSError:
            return None
    if "[" not in said:  # PROJ would take file names and addresses as well
        return None
    try:
        return pyproj.CRS.from_wkt(said).to_wkt()
    except pyproj.exceptions.CRSError:
        return None
