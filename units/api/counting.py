"""Statistics for programs: the tables of the page, by the same filters."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.response import Response

from units.api.answering import Face, held, known, parameter
from units.api.judging import plain
from units.api.records import readers
from units.errors import NotFound, UnknownName
from units.statistics import BASES, FILTERS, GROUPS, Chosen, districts, statistics

SHAPES = ("hexes", "streets")  # what the page draws; shapes are served under /ogc


class Statistics(Face):
    @extend_schema(
        operation_id="statistics",
        summary="Scale, structure, distribution and potential (G-28 to G-31)",
        description="Every table with its definition, columns, rows and total; land under two records counts once. "
        "A value that is null is unknown; one that would tell of a single firm is `withheld`.",
        parameters=[
            parameter("district", "The district; without it, the first that the caller sees."),
            parameter("base", "What is counted.", enum=BASES),
            parameter("as_of", "As of this day: YYYY-MM-DD."),
            parameter("criteria", "The set whose candidates are counted."),
            parameter("group", "Only the tables of this group.", enum=GROUPS),
            *(parameter(name, "A filter, as on the page.") for name in FILTERS),
        ],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request):
        given = known(request, "district", "base", "as_of", "criteria", "group", *FILTERS)
        readers(request)
        grants = held(request)
        group = given.pop("group", "")
        if group and group not in GROUPS:
            raise UnknownName(group[:40], GROUPS, _("group of tables"))
        told = statistics(Chosen.of(given, district(given, grants)), grants, (group,) if group else GROUPS)
        return Response(plain({name: value for name, value in told.items() if name not in SHAPES}))


def district(given: dict, grants) -> str:
    """The district that is named, or the first one that these grants see."""
    seen = [one.code for one in districts(grants)]
    wanted = given.get("district") or (seen[0] if seen else "")
    if wanted not in seen:
        raise NotFound(_("There is no district “%(code)s” that you may see.") % {"code": wanted[:20]})
    return wanted
