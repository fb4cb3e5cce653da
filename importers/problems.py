"""What can be wrong with a delivery or a row of it: stable codes, each with its sentence and what to do."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

REFUSE, WARN = "refuse", "warn"


@dataclass(frozen=True)
class Kind:
    """The sentence may name %(field)s, %(value)s and %(more)s; the fix is plain."""

    sentence: str
    fix: str


KINDS: dict[str, Kind] = {
    # 1 delivery
    "1-update-layer": Kind(
        _("This is an update layer: it holds only what changed in the year, not the full cover."),
        _("Deliver the full layer of the year."),
    ),
    "1-second-survey": Kind(
        _("This is a layer of the second survey: its codes are those of GB/T 21010-2007."),
        _("Deliver the layer of the third survey or of a yearly update."),
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
    "3-no-enterprise": Kind(
        _("%(field)s “%(value)s” is no enterprise of this district."),
        _("Correct the code, or load the sheet of enterprises first."),
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
    "4-no-area": Kind(_("The shape has no area."), _("Draw the shape again, or delete the row.")),
    # the whole layer
    "1-fewer-rows": Kind(_("The .shp has %(value)s shapes, the DBF %(more)s rows."), _("Export the layer again.")),
    "1-rows-declared": Kind(_("The DBF says it has %(value)s rows and holds %(more)s."), _("Export the layer again.")),
    "1-z-dropped": Kind(_("The shapes carry heights or measures (%(value)s); the plane is kept."), _("Nothing.")),
    "1-rows-gone": Kind(
        _("It is in the survey and not in the file: it left the survey."),
        _("Deliver the layer in full, if it was left out by mistake."),
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
