"""What can be wrong with a delivery or a row of it: stable codes, each with its sentence and what to do."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from django.utils.translation import gettext_lazy as _

REFUSE, WARN = "refuse", "warn"


@dataclass(frozen=True)
class Kind:
    """The sentence may name %(field)s, %(value)s and %(more)s; the fix is plain."""

    sentence: str
    fix: str


@dataclass(frozen=True)
class Check:
    """A check of the standards: which codes tell it, its limits, and whose word they are.

    `origin` is official (a standard of the Ministry), provincial, tool (survey software) or proposed: ours alone.
    `place` says where a check is made that is none of a single row.
    """

    id: str
    title: str
    origin: str
    codes: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    limit: dict[str, float] = field(default_factory=dict)
    place: str = ""


@cache
def checks() -> dict[str, Check]:
    """The checks of a delivery by their number in the list of the standards."""
    said = tomllib.loads((Path(__file__).parent / "checks.toml").read_text(encoding="utf-8"))["check"]
    entries = ({key: tuple(value) if isinstance(value, list) else value for key, value in one.items()} for one in said)
    return {one["id"]: Check(**one) for one in entries}


def limits(check: str) -> dict[str, float]:
    """The limits of a check, each named with its unit."""
    return checks()[check].limit


def basis(code: str) -> list[Check]:
    """The checks of the standards that a code tells; none where the code is a fault of the file alone."""
    return [one for one in checks().values() if code in one.codes or code in one.refusals]


KINDS: dict[str, Kind] = {
    # 1 delivery
    "1-update-layer": Kind(
        _("This is an update layer: it holds only what changed in the year, not the full cover."),
        _("Deliver the full layer of the year."),
    ),
    "1-second-survey": Kind(
        _("This is a layer of the second survey: its codes are those of GB/T 21010-2007."),
        _(
            "Deliver the layer of the third survey; for what was construction land in 2009 import this one with"
            " --profile dltb2."
        ),
    ),
    "1-empty": Kind(
        _("It holds no row that is not marked deleted."), _("Export the layer again; look whether a filter was on.")
    ),
    "1-too-many-gone": Kind(
        _("%(value)s of the %(more)s rows that the survey holds of this layer are not in the file."),
        _("Deliver the layer in full; if the rest is to leave the survey, say --replace."),
    ),
    "1-no-attributes": Kind(
        _("The shape has no row in the DBF: the table is shorter than the layer."), _("Export the layer again.")
    ),
    "1-no-record": Kind(
        _("The row of the DBF has no shape: the layer is shorter than its table."), _("Export the layer again.")
    ),
    "1-shape-cut-off": Kind(_("The .shp ends before this shape, or its index is wrong."), _("Export the layer again.")),
    "1-shape-damaged": Kind(_("The record of the shape contradicts itself."), _("Export the layer again.")),
    "1-not-polygon": Kind(
        _("The shape is no polygon: %(value)s."), _("Draw the area as a polygon, or leave the row out.")
    ),
    "1-no-feature": Kind(_("It is no feature of GeoJSON: %(value)s."), _("Export the layer again.")),
    "1-cells-beyond": Kind(
        _("The row has %(value)s cells; the first row names %(more)s columns."),
        _("Put quotation marks around a text that holds the separator."),
    ),
    "1-cells-missing": Kind(
        _("The row has only %(value)s of the %(more)s cells that the first row names."),
        _("Look whether a line was broken in two; else fill up the row with separators."),
    ),
    "1-points-damaged": Kind(
        _("A line of the plot is no boundary point: “%(value)s”."), _("Write it as J1,1,X,Y with X to the north.")
    ),
    "1-points-declared": Kind(
        _("The plot declares %(value)s points and has %(more)s."), _("Export the boundary points again.")
    ),
    # 2 mathematical base
    "2-not-finite": Kind(
        _("A coordinate is no finite number (NaN or infinite)."), _("Draw the shape again, or delete that vertex.")
    ),
    "2-far-away": Kind(
        _("The shape lies %(value)s km outside its district."),
        _("Check its coordinates; if they are right, deliver it with the district in which it lies."),
    ),
    "2-outside-china": Kind(
        _("The shape lies outside China: %(value)s."), _("Check the reference system of the layer.")
    ),
    # 3 structure and values
    "3-key-missing": Kind(_("%(field)s is empty: the row has no identifier."), _("Give it its code.")),
    "3-key-malformed": Kind(_("%(field)s “%(value)s” is not formed like such a code."), _("Correct the code.")),
    "3-key-duplicate": Kind(
        _("%(field)s “%(value)s” stands in row %(more)s already."), _("Give each row its own code.")
    ),
    "3-key-district": Kind(
        _("%(field)s “%(value)s” does not begin with the code of the district, %(more)s."),
        _("Check whether the row belongs to this district."),
    ),
    "3-other-district": Kind(
        _("%(field)s “%(value)s” is of another district than %(more)s."), _("Deliver it for its own district.")
    ),
    "3-undecodable": Kind(
        _("%(field)s cannot be read in the encoding of the layer: “%(value)s”."),
        _("Type the text again; a value cut inside a character needs a wider field."),
    ),
    "3-required": Kind(_("%(field)s is empty."), _("Fill it in.")),
    "3-malformed": Kind(_("%(field)s “%(value)s” is not formed as it must be."), _("Correct it.")),
    "3-constant": Kind(_("%(field)s is “%(value)s”; it should be %(more)s."), _("Correct it.")),
    "3-code-unknown": Kind(_("%(field)s “%(value)s” is in no code table of %(more)s."), _("Use a code of the table.")),
    "3-name-differs": Kind(
        _("%(field)s “%(value)s” is not the name of its code, which is “%(more)s”."), _("Correct the name or the code.")
    ),
    "3-not-a-number": Kind(
        _("%(field)s “%(value)s” is no number; it is kept as it is with the further columns."),
        _("Write a plain number in the unit of the column, or leave it empty."),
    ),
    "3-out-of-range": Kind(
        _("%(field)s is %(value)s; it must lie in %(more)s. It is kept with the further columns."),
        _("Correct the number."),
    ),
    "3-not-a-date": Kind(
        _("%(field)s “%(value)s” is no date; it is kept as it is with the further columns."),
        _("Write it as YYYYMMDD, or leave it empty."),
    ),
    "3-too-long": Kind(
        _("%(field)s has more than %(more)s characters; the full text is kept with the further columns."),
        _("Shorten it."),
    ),
    "3-dates-reversed": Kind(_("The end (%(value)s) lies before the beginning."), _("Correct the dates.")),
    "3-not-current": Kind(
        _("%(field)s is “%(value)s”: the row is not current, and only current ones are kept."),
        _("Nothing, if it is history; else set its state to 1."),
    ),
    "3-not-construction": Kind(
        _("%(field)s “%(value)s” is no class of construction land in the second survey."),
        _("Deliver the construction land only."),
    ),
    "3-no-parcel": Kind(
        _("%(field)s “%(value)s” is no parcel of this survey."),
        _("Correct the code, or load the parcel layer that has it first."),
    ),
    "3-no-building": Kind(
        _("%(field)s “%(value)s” is no building of this survey."),
        _("Correct the code, or load the building layer that has it first."),
    ),
    "3-no-department": Kind(
        _("%(field)s “%(value)s” is no department of this district."),
        _("Write its name, one of its other names or its code."),
    ),
    "3-no-enterprise": Kind(
        _("%(field)s “%(value)s” is no enterprise of this district."),
        _("Correct the code, or load the sheet of enterprises first."),
    ),
    "3-field-missing": Kind(
        _("The layer does not have these fields, which it must have: %(value)s."),
        _("Deliver the layer with all its fields, or say with a mapping which column it is."),
    ),
    "3-type-differs": Kind(
        _("%(field)s is delivered as %(value)s; it should be %(more)s."),
        _("Give the field the type of the standard; a code kept as a number loses its leading zeros."),
    ),
    "3-width-differs": Kind(
        _("%(field)s is %(value)s characters wide; the standard has %(more)s, and longer codes are cut off."),
        _("Give the field the width of the standard and fill it again."),
    ),
    "3-digits-lost": Kind(
        _("%(field)s was kept as a number on its way: the last digits of its codes are lost (such as %(value)s)."),
        _("Export it again as text; what is lost cannot be restored from this file."),
    ),
    "3-goes-not-with": Kind(_("%(field)s “%(value)s” does not go with %(more)s."), _("Correct the one or the other.")),
    "3-needed-with": Kind(_("%(field)s is empty; it is needed with %(more)s."), _("Fill it in.")),
    "3-malformed-for": Kind(
        _("%(field)s “%(value)s” is not formed as it must be with %(more)s."), _("Correct the code.")
    ),
    "3-sum-differs": Kind(
        _("%(field)s is %(value)s; it should be %(more)s."), _("Compute the deduction and the net area again.")
    ),
    "3-begins-otherwise": Kind(
        _("%(field)s “%(value)s” does not begin with the code of its parcel, %(more)s."), _("Correct the code.")
    ),
    "3-area-differs": Kind(
        _("%(field)s is %(value)s m²; the shape measures %(more)s m² on the ellipsoid."),
        _("Compute the area on the CGCS2000 ellipsoid again."),
    ),
    # 4 topology
    "4-no-shape": Kind(_("The row has no shape."), _("Draw its shape, or delete the row.")),
    "4-ring-not-closed": Kind(
        _("A ring is not closed: it does not end where it began."),
        _("Close it, by snapping its last vertex to its first."),
    ),
    "4-ring-too-short": Kind(_("A ring has fewer than four points."), _("Draw the shape again.")),
    "4-invalid-shape": Kind(_("The shape is not valid: %(value)s."), _("Mend it where it crosses or touches itself.")),
    "4-curve": Kind(
        _("The shape has curved edges, which are not straightened unasked."),
        _("Densify its curves in the desktop GIS and deliver it again."),
    ),
    "4-repaired": Kind(
        _("The shape could not be stored as delivered and is stored repaired; %(value)s m² of it change at most."),
        _("Look at it, and mend it at its source too; the shape as delivered is kept."),
    ),
    "4-repairs-left": Kind(
        _("So many shapes of the layer cannot be stored that no repair was looked for."),
        _("Mend the layer in the desktop GIS; something went wrong with all of it."),
    ),
    "4-no-area": Kind(_("The shape has no area."), _("Draw the shape again, or delete the row.")),
    "4-several-parts": Kind(
        _("The shape has %(value)s parts; in a survey layer each row has one."), _("Split it into a row for each part.")
    ),
    "4-hole": Kind(
        _("The shape has %(value)s holes, which this layer may not have."), _("Give the hole a row of its own.")
    ),
    "4-doubled-vertex": Kind(
        _("%(more)s vertices lie on the one before them (less than 0.001 m apart)."), _("Take the doubled ones out.")
    ),
    "4-crowded-vertex": Kind(
        _("%(more)s vertices lie less than 0.1 m from the one before them; the nearest %(value)s m."),
        _("Look whether they are meant, else take them out."),
    ),
    "4-sharp-angle": Kind(
        _("%(more)s corners are sharper than 10°; the sharpest has %(value)s°."), _("Cut the spike off.")
    ),
    "4-sliver": Kind(
        _("The shape is a sliver: long, and on average %(value)s m wide."),
        _("Look whether it is left over from an overlay; unite it with its neighbour."),
    ),
    "4-small-area": Kind(
        _("The shape has %(value)s m²: less than %(more)s m² is a crumb."), _("Unite it with its neighbour.")
    ),
    "4-below-minimum": Kind(
        _("The shape has %(value)s m²; the least of its class that is mapped is %(more)s m²."),
        _("Unite it with its neighbour, or look whether its class is right."),
    ),
    # the whole layer
    "1-fewer-rows": Kind(_("The .shp has %(value)s shapes, the DBF %(more)s rows."), _("Export the layer again.")),
    "1-rows-declared": Kind(_("The DBF says it has %(value)s rows and holds %(more)s."), _("Export the layer again.")),
    "1-index-misses": Kind(
        _("The .shx does not list %(value)s of the %(more)s records that the .shp holds."),
        _("Make the index again (repair the shapefile in the desktop GIS), or export the layer again."),
    ),
    "1-index-astray": Kind(
        _("%(value)s of the %(more)s entries of the .shx lead to no record of the .shp."), _("Export the layer again.")
    ),
    "1-index-twice": Kind(
        _("%(value)s of the %(more)s entries of the .shx lead to a record that another one has already."),
        _("Export the layer again."),
    ),
    "1-index-order": Kind(
        _("%(value)s of the %(more)s entries of the .shx go back in the .shp: its records lie in another order."),
        _("Nothing, if no row is refused for it; exporting the layer again puts them in order."),
    ),
    "1-size-declared": Kind(
        _("The .shp says it has %(value)s bytes and has %(more)s: it was cut off, or something was added to it."),
        _("Copy or export the layer again."),
    ),
    "1-z-dropped": Kind(_("The shapes carry heights or measures (%(value)s); the plane is kept."), _("Nothing.")),
    "1-rows-gone": Kind(
        _("It is in the survey and not in the file: it left the survey."),
        _("Deliver the layer in full, if it was left out by mistake."),
    ),
    "1-edits-overwritten": Kind(
        _("People edited it since it was delivered; it is set to what the file says, or leaves: %(value)s"),
        _("Look at these rows in the preview; taking the delivery back (undo_import) gives the edits back."),
    ),
    "1-boundary-kept": Kind(
        _("The boundary of the district stays as it is: %(value)s."),
        _("Deliver all its streets together, or the district's own boundary."),
    ),
    "1-boundary-in-force": Kind(
        _(
            "Boundaries are the district's, whatever round they came with: those of %(value)s are changed at once,"
            " and the survey %(more)s, which is in force, is checked and shown by them."
        ),
        _("Run validate and look; if they belong to the next round only, take them back with undo_import till then."),
    ),
    "2-not-the-district": Kind(
        _("The layer does not fit the district: %(value)s."),
        _("Check the district, the reference system and the extent of the delivery."),
    ),
    "1-no-prj": Kind(
        _("The layer came without a .prj; its numbers and the district say %(value)s."),
        _("Deliver the .prj beside it: numbers alone cannot tell CGCS2000 from an older datum."),
    ),
    "1-mojibake": Kind(
        _("%(value)s fields hold text that was garbled before it was stored (as stored ← what it was): %(more)s"),
        _("Type it again, or export the layer again from where it is still right; it is kept as it is."),
    ),
    "1-encoding-overridden": Kind(
        _("It is read as %(value)s because that was said; the bytes say %(more)s."),
        _("Look at the text; if it is garbled, import it again without --encoding."),
    ),
    "1-encoding-mixed": Kind(
        _("It is read as %(value)s because that was said, and its columns are of two encodings: %(more)s"),
        _("Export the layer again in one encoding: a part of the text is wrong."),
    ),
    "2-crs-overridden": Kind(
        _("It is read as %(value)s because that was said, and something speaks against it: %(more)s"),
        _("Look where it lies; if that is wrong, take it back and correct the .prj."),
    ),
    "2-axes-swapped": Kind(
        _("The axes are swapped in the file: each point was read the other way round, as %(value)s."),
        _("Swap them in the file, so that every program reads it."),
    ),
    "2-areas-contradict": Kind(
        _("The areas that the rows give are %(value)s times those measured in this reference system (%(more)s rows)."),
        _("Check the reference system, and in which the areas were computed."),
    ),
    "2-shifted": Kind(
        _("The layer lies beside what is held: %(value)s. %(more)s"),
        _("Ask for the layer in CGCS2000; a layer drawn on a web map is no survey."),
    ),
    "3-percent": Kind(
        _("%(field)s goes up to %(value)s: it is read as per cent."), _("Deliver shares between 0 and 1.")
    ),
    "3-no-street": Kind(
        _("It lies in the area of no street that is known."),
        _("Import the streets' areas first (--profile district), or check where it lies."),
    ),
    "3-use-ambiguous": Kind(
        _("%(field)s holds codes that two schemes know (such as %(value)s); they are read as those of %(more)s."),
        _("Say which scheme the register uses."),
    ),
}
