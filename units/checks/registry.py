"""The checks there are: each with its code, what it looks at, what it says, the clause behind it and an example."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from units.errors import UnknownName, UsageError

ERROR, WARNING = "error", "warning"

# Layers by the names of their collections; the district is its boundary.
LAYERS = {
    "patches": _("Land-use patches"),
    "parcels": _("Parcels"),
    "buildings": _("Buildings"),
    "legacy": _("Legacy land"),
    "units": _("Redevelopment units"),
    "control-areas": _("Control areas"),
    "district": _("District"),
}
# The revisions that move when what a layer holds changes.
REVISIONS = {
    "patches": ("patch", "survey"),
    "parcels": ("parcel", "survey"),
    "buildings": ("building", "survey"),
    "legacy": ("legacyland",),
    "units": ("redevelopmentunit",),
    "control-areas": ("controlarea",),
    "district": ("district",),
}
OF_SURVEY = frozenset({"patches", "parcels", "buildings"})  # layers that belong to one survey


@dataclass(frozen=True)
class Check:
    """One question that is asked of the data every night.

    sentence, fix: what is told of a fault; places in the sentence are filled by the fault. reads: layers beside the
    judged one that the answer depends on. mild: layers in which it is a warning though it is an error elsewhere.
    always: it depends on more than the layers' revisions tell, and is never skipped by `--changed`. of_place: the
    place alone says which fault it is; the subjects are named for the reader and may be numbered anew.
    """

    code: str
    title: str
    sentence: str
    fix: str
    clause: str
    example: str
    layers: tuple[str, ...]
    severity: str = ERROR
    reads: tuple[str, ...] = ()
    mild: frozenset[str] = frozenset()
    always: bool = False
    of_place: bool = False

    def severity_in(self, layer: str) -> str:
        return WARNING if layer in self.mild else self.severity

    def of_survey(self, layer: str) -> bool:
        """Whether what it tells of the layer belongs to one survey, and not to a register that outlives surveys."""
        return bool(OF_SURVEY & {layer, *self.reads})

    def revisions(self, layer: str) -> frozenset[str]:
        """The revisions that must stand still for the answer to stay the same."""
        return frozenset(name for one in (layer, *self.reads, "district") for name in REVISIONS[one])


POLYGONS = ("patches", "parcels", "buildings", "legacy", "units", "control-areas")
MILD = frozenset({"buildings", "control-areas"})

_ALL = (
    Check(
        "3-area-differs",
        _("Area field against the ellipsoid"),
        _("%(field)s is %(value)s m²; the shape measures %(more)s m² on the ellipsoid."),
        _("Compute the area on the CGCS2000 ellipsoid again."),
        "S02",
        _("TBMJ 5000.00, measured 4900.00: more than 1 m² and a ten-thousandth apart"),
        ("patches", "parcels"),
        WARNING,
    ),
    Check(
        "3-code-unknown",
        _("Codes of the code tables"),
        _("%(field)s “%(value)s” is in no code table of %(more)s."),
        _("Use a code of the table."),
        "A01",
        _("QSXZ 99"),
        ("patches", "parcels", "legacy", "control-areas"),
        WARNING,
    ),
    Check(
        "3-name-differs",
        _("Name of the land class against its code"),
        _("%(field)s “%(value)s” is not the name of its code, which is “%(more)s”."),
        _("Correct the name or the code."),
        "A06",
        _("DLBM 0601 with DLMC 盐田"),
        ("patches",),
        WARNING,
    ),
    Check(
        "3-number-duplicate",
        _("Patch number used twice"),
        _("TBBH “%(number)s” is given to %(count)s patches of ZLDWDM %(place)s."),
        _("Number the patches of the unit anew."),
        "A05",
        _("two patches with TBBH 12 in one village"),
        ("patches",),
        WARNING,
    ),
    Check(
        "4-invalid",
        _("Valid shapes"),
        _("The shape is not valid: %(reason)s."),
        _("Mend it where it crosses or touches itself."),
        "T05",
        _("a parcel drawn as a bow-tie"),
        POLYGONS,
    ),
    Check(
        "4-overlap",
        _("Overlap inside a layer"),
        _("%(one)s and %(other)s overlap by %(area)s m²."),
        _("Look which boundary is right, and snap the other to it."),
        "T01, G-22",
        _("two parcels that claim the same strip; not a corner touch, nor a mis-snap of a centimetre"),
        POLYGONS,
        mild=MILD,
    ),
    Check(
        "4-contained",
        _("One shape inside another of its layer"),
        _("%(one)s lies inside %(other)s."),
        _("Cut it out of the larger one, or delete it if it is there by mistake."),
        "T01",
        _("a parcel drawn inside another"),
        POLYGONS,
        mild=MILD,
    ),
    Check(
        "4-equal",
        _("The same shape twice in a layer"),
        _("%(one)s and %(other)s have the same shape."),
        _("Delete the one that is there by mistake."),
        "T01",
        _("one parcel delivered under two codes"),
        POLYGONS,
        mild=MILD,
    ),
    Check(
        "4-gap",
        _("Hole in the cover of the survey"),
        _("No patch covers a place of %(area)s m² that patches enclose (%(count)s of them)."),
        _("Deliver the missing patch, or close the gap between its neighbours."),
        "T02",
        _("a pond that was left out"),
        ("patches",),
        of_place=True,
    ),
    Check(
        "5-uncovered",
        _("Part of the district without a patch"),
        _("No patch covers a part of the district of %(area)s m² at its edge."),
        _("Deliver the missing patches, or correct the boundary of the district."),
        "T03",
        _("a bay of the cover at the district's boundary"),
        ("patches",),
        of_place=True,
    ),
    Check(
        "5-outside-district",
        _("Reaches out of the district"),
        _("%(one)s reaches %(area)s m² out of the district."),
        _("Cut it at the boundary, or check to which district it belongs."),
        "T03",
        _("a parcel of which a corner lies in the next district"),
        ("patches", "parcels", "legacy", "units"),
    ),
    Check(
        "5-legacy-parcel",
        _("Legacy land over a registered parcel"),
        _("Legacy land %(one)s lies over %(area)s m² of the registered parcel %(other)s."),
        _("Land with papers is no legacy land: cut it off, or note each code in the other record."),
        "G-21",
        _("a legacy polygon that takes in a part of a registered parcel"),
        ("legacy",),
        WARNING,
        reads=("parcels",),
    ),
    Check(
        "7-area-drift",
        _("Stored area against the shape"),
        _("The stored area is %(value)s m²; the stored shape measures %(more)s m²."),
        _("Find out who wrote the row; deliver the patch again in the next round."),
        "S02",
        _("a shape changed in the database and its measured area not"),
        ("patches",),
    ),
    Check(
        "8-freeze",
        _("Frozen legacy register"),
        _("The legacy register that was frozen on %(day)s is not what it was: %(rows)s records then, %(now)s now."),
        _("Tell the municipal bureau, and restore the register from the backup of that day."),
        "H03",
        _("a frozen record altered by a superuser"),
        ("legacy",),
        always=True,
    ),
    Check(
        "8-unit-members",
        _("Parcels of a unit against its shape"),
        _("Unit %(one)s holds %(share)s of parcel %(other)s; its shape says %(now)s."),
        _("Open the unit and save it again, so that its parcels are taken from its shape."),
        "G-14",
        _("a parcel that was redrawn after the unit was composed"),
        ("units",),
        reads=("parcels",),
    ),
)
CHECKS = {check.code: check for check in _ALL}


def asked(codes=(), layers=()) -> list[tuple[Check, str]]:
    """The checks of these codes over these layers, all where none is named; UnknownName for a name that is none."""
    for code in codes:
        if code not in CHECKS:
            raise UnknownName(code, CHECKS, _("check"))
    for layer in layers:
        if layer not in LAYERS:
            raise UnknownName(layer, LAYERS, _("layer"))
    found = [
        (check, layer)
        for check in _ALL
        for layer in check.layers
        if (not codes or check.code in codes) and (not layers or layer in layers)
    ]
    if not found:
        raise UsageError(
            _("%(codes)s does not look at %(layers)s.") % {"codes": ", ".join(codes), "layers": ", ".join(layers)}
        )
    return found
