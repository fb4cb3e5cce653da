"""Measure the parcels and office buildings of a district's survey in force: one relation, every measure, rounded."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

import psycopg
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from units import codes
from units.criteria import cutting, judging, landuse, measures, nearness, sectors
from units.criteria.sets import Criteria
from units.errors import Busy, Refused, UnknownName
from units.models import ControlArea, Delivery, District, Parcel, Survey
from units.spatial import OVERLAP_AREA, OVERLAP_WIDTH, SQUARE_METRES_PER_MU, STORAGE_SRID

AROUND = Path(__file__).parent / "sql" / "around.sql"
# What the questions of `sql/measures/` bind where every subject is measured.
EVERYTHING = dict.fromkeys(("parcels", "footprints", "patches", "areas", "asked_parcels", "asked_buildings"))
LOCK = "geoinv flag"  # one run a district at a time
SIDES = ("west", "south", "east", "north")  # of a delivery's extent, in this order


def lock(cursor, district_code: str) -> None:
    """Hold the district for this transaction, or raise Busy."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s), hashtext(%s))", [LOCK, district_code])
    if not cursor.fetchone()[0]:
        raise Busy(
            _("Another run flags the district %(district)s.") % {"district": district_code},
            _("Wait until it has ended."),
        )


def at_ease(cursor) -> None:
    """Settings for this transaction: compiling the long expressions costs more than it saves, and memory is spared.

    Evidence of some 2 kB a row is packed by lz4, where this server has it: the other way takes as long as judging.
    """
    cursor.execute(
        """SELECT set_config('jit', 'off', TRUE), set_config('work_mem', '64MB', TRUE),
                  set_config('default_statistics_target', '10', TRUE),
                  (SELECT set_config(name, 'lz4', TRUE) FROM pg_settings
                   WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals))"""
    )


@dataclass(frozen=True)
class Base:
    """What a judgement stands on: the district's survey in force and what was delivered into it."""

    district: str
    srid: int
    survey: int
    year: int
    deliveries: dict[str, list[dict]]  # source → deliveries in force, the latest last

    @classmethod
    def of(cls, district_code: str) -> "Base":
        """UnknownName when there is no such district, Refused when it has no survey in force."""
        district = District.objects.filter(code=district_code).first()
        if district is None:
            raise UnknownName(district_code, District.objects.values_list("code", flat=True), _("district"))
        survey = Survey.objects.filter(district=district, state=Survey.State.IN_FORCE).first()
        if survey is None:
            raise Refused(
                _("The district %(district)s has no survey in force.") % {"district": district_code},
                _("Put one in force with activate_survey."),
            )
        found: dict[str, list[dict]] = {source: [] for source in measures.SOURCES}
        sources = {profile: source for source, profile in measures.SOURCES.items()}
        rows = Delivery.objects.filter(district=district, profile__in=sources, state=Delivery.State.LOADED)
        for row in rows.order_by("imported_at", "pk"):
            if row.survey_id != survey.pk and sources[row.profile] not in measures.LASTING:
                continue
            found[sources[row.profile]].append(
                {
                    "delivery": row.pk,
                    "file": row.file_name,
                    "sha256": row.sha256,
                    "imported_on": timezone.localtime(row.imported_at).date().isoformat(),
                    # [west, south, east, north] in degrees; a delivery taken before this was kept does not have it
                    **({"extent": row.settings["extent"]} if "extent" in row.settings else {}),
                    # of a control layer which one it is, and of which edition
                    **{key: row.settings[key] for key in ("kind", "edition") if key in row.settings},
                }
            )
        return cls(district.code, district.srid, survey.pk, survey.year, found)

    @property
    def control_kinds(self) -> list[str]:
        """The control layers of which a delivery is in force."""
        return sorted({one["kind"] for one in self.deliveries["control"] if "kind" in one})

    def as_of(self, source: str, layer: str = "") -> str:
        """The date that a measure of this source stands for: the survey's year, and when its last delivery came.

        Of a control layer its edition stands in the place of the year.
        """
        last = [one for one in self.deliveries[source] if not layer or one.get("kind") == layer][-1:]
        year = last[0].get("edition", self.year) if last else self.year
        return f"{year}" + (f" ({last[0]['imported_on']})" if last else "")

    def reach(self, source: str) -> dict[str, object]:
        """The boxes in which something of this source was delivered; a delivery that keeps none reaches everywhere."""
        known = [one["extent"] for one in self.deliveries[source] if one.get("extent")]
        sides = zip(*known, strict=True) if known else ([], [], [], [])
        return {
            "reach_everywhere": any("extent" not in one for one in self.deliveries[source]),
            **{f"reach_{side}": list(one) for side, one in zip(SIDES, sides, strict=True)},
        }

    def values(self, parcel: int | None = None, building: int | None = None) -> dict[str, object]:
        """What the questions of `sql/measures/` bind: for the whole district, or for one parcel or building."""
        if parcel is None and building is None:
            return self.alike() | EVERYTHING
        some = ([] if parcel is None else [parcel], [] if building is None else [building])
        return self.alike() | self.around(*some)

    def around(self, parcels: Sequence[int], buildings: Sequence[int], listed: bool = True) -> dict[str, object]:
        """What the questions bind besides, to measure these parcels and office buildings alone.

        With `listed` the patches and control areas around each are named, for a few subjects that lie scattered; else
        all in the box around them are looked at, for a part of the district.
        """
        asked = {"asked_parcels": list(parcels), "asked_buildings": list(buildings)}
        with connection.cursor() as cursor:
            cursor.execute(_around(), asked | {"survey": self.survey, "district": self.district, "listed": listed})
            ground, footprints, patches, areas = cursor.fetchone()
        beside = {"patches": patches, "areas": areas} if listed else {"patches": None, "areas": None}
        return asked | {"parcels": ground, "footprints": footprints} | beside

    def alike(self) -> dict[str, object]:
        """What the questions of `sql/measures/` bind whichever subjects are measured."""
        pairs = Parcel.objects.filter(survey=self.survey).exclude(registered_use="")
        uses = [
            (scheme, use, landuse.classes_of(scheme, use), landuse.category_of(scheme, use))
            for scheme, use in pairs.order_by().values_list("use_scheme", "registered_use").distinct()
        ]
        uses = [row for row in uses if row[2]]
        areas = ControlArea.objects.filter(district=self.district, kind="plot_plan", in_force=True)
        plans = [
            (scheme, use, landuse.classes_of(scheme, use), landuse.category_of(scheme, use))
            for scheme, use in areas.order_by().values_list("use_scheme", "use").distinct()
        ]
        kinds = self.control_kinds
        construction = codes.construction_codes()
        known = [code for code in landuse.categories() if code in codes.land_use(codes.SANDIAO)]
        return {
            "district": self.district,
            "survey": self.survey,
            "survey_year": self.year,
            "srid": self.srid,
            "storage_srid": STORAGE_SRID,
            "mu": SQUARE_METRES_PER_MU,
            "patches_loaded": bool(self.deliveries["patches"]),
            "buildings_loaded": bool(self.deliveries["buildings"]),
            "occupancy_loaded": bool(self.deliveries["occupancy"]),
            "contracts_loaded": bool(self.deliveries["contracts"]),
            **self.reach("buildings"),
            "uncovered": measures.UNCOVERED,
            "overlapped": measures.OVERLAPPED,
            "overlap_area": OVERLAP_AREA,
            "overlap_width": OVERLAP_WIDTH,
            "nothing": cutting.NOTHING,
            "class_codes": known,
            "class_construction": [code in construction for code in known],
            "class_groups": [codes.land_use(codes.SANDIAO)[code].three_class for code in known],
            **sectors.bound(self.district),
            "class_categories": [landuse.categories()[code] for code in known],
            "use_schemes": [scheme for scheme, *rest in uses],
            "use_codes": [row[1] for row in uses],
            "use_classes": [",".join(sorted(row[2])) for row in uses],
            "use_categories": [row[3] for row in uses],
            "control_kinds": kinds,
            "measured_kinds": [kind for kind in kinds if kind in measures.CONTROL_LAYERS],
            "control_gaps": json.dumps(
                {
                    one.name: f"control.{one.layer}"
                    for one in measures.MEASURES.values()
                    if one.family == "control" and one.layer not in kinds
                }
            ),
            "plan_schemes": [scheme for scheme, *rest in plans],
            "plan_uses": [row[1] for row in plans],
            "plan_classes": [",".join(sorted(row[2])) for row in plans],
            "plan_categories": [row[3] for row in plans],
        }

    def constants(self, criteria: Criteria) -> dict[str, object]:
        """What the evidence of every subject has alike: set, parameters, survey, deliveries, units and clauses."""
        names = dict.fromkeys(name for rule in criteria.rules for name in judging.read_by(rule))
        read = [measures.MEASURES[name] for name in names]
        return {
            "criteria": criteria.id,
            "digest": criteria.digest,
            "measures": measures.edition(),
            "survey": self.year,
            "sources": self.read_by(criteria),
            "params": {name: {"value": plain(one.value), "uom": one.uom} for name, one in criteria.params.items()},
            "inputs": {
                one.name: {"uom": one.uom, "source": one.source, "as_of": self.as_of(one.source, one.layer)}
                for one in read
            },
            "order": [rule.id for rule in criteria.rules],  # jsonb keeps none
            "rules": {
                rule.id: {
                    "effect": rule.effect,
                    "inputs": list(rule.condition.measures),
                    "params": list(rule.condition.params),
                }
                for rule in criteria.rules
            },
        }

    def read_by(self, criteria: Criteria) -> dict[str, list[dict]]:
        """The deliveries that the rules of the set look at."""
        used = [measures.MEASURES[name] for rule in criteria.rules for name in rule.condition.measures]
        layers = {one.layer for one in used}
        return {
            source: [one for one in found if "kind" not in one or one["kind"] in layers]
            for source, found in self.deliveries.items()
            if source in {one.source for one in used} | {"patches", "buildings", "parcels"}
        }


@cache
def _around() -> str:
    lines = AROUND.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


def plain(value):
    """A parameter's value as JSON holds it."""
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def measure(
    cursor, base: Base, some: Mapping[str, object] | None = None, families: tuple[str, ...] | None = None
) -> None:
    """Make the temporary relation `measured`: one row a subject, every measure, rounded.

    `some` is what `Base.around` says of the subjects that are measured alone. With `families` only these are made, and
    what they stand on; `measured` is not.
    """
    values = base.alike() | (some or EVERYTHING)
    parcels = None
    for relation in needed(families) if families else measures.RELATIONS:
        if relation in measures.CUT:
            layer, columns, held = measures.CUT[relation]
            kept = "".join(f"{name} {kind}, " for name, kind in columns.items())
            cursor.execute(
                f"CREATE TEMP TABLE {relation} ({kept}subject bigint, whole boolean, area float8, geom geometry) "
                "ON COMMIT DROP"
            )
            asked = f"pg_temp.{layer}" if layer not in measures.READ_ONCE else f"({measures.question(layer)}) AS layer"
            asked = psycopg.ClientCursor(connection.connection).mogrify(
                f"SELECT {', '.join(columns)}, geom::bytea FROM {asked}", values
            )
            parcels = parcels or cutting.Parcels(connection.connection)
            cutting.cut(connection.connection, parcels, asked, relation, tuple(columns), held)
        elif relation in measures.NEAREST:
            cursor.execute(f"CREATE TEMP TABLE {relation} (subject bigint, kind text, distance float8) ON COMMIT DROP")
            asked = psycopg.ClientCursor(connection.connection).mogrify(
                f"SELECT kind, geom::bytea FROM ({measures.question(measures.NEAREST[relation])}) AS layer", values
            )
            parcels = parcels or cutting.Parcels(connection.connection)
            nearness.nearest(connection.connection, parcels, asked, relation)
        elif relation not in measures.READ_ONCE:
            cursor.execute(f"CREATE TEMP TABLE {relation} ON COMMIT DROP AS {measures.question(relation)}", values)
        else:
            continue
        for shape in measures.SHAPES.get(relation, ()):  # nothing is looked up by them
            cursor.execute(f"ALTER TABLE pg_temp.{relation} ALTER {shape} SET STATISTICS 0")
        cursor.execute(f"ANALYZE pg_temp.{relation}")
    if families is None:
        cursor.execute(f"CREATE TEMP TABLE measured ON COMMIT DROP AS {measures.measured()}")


@cache
def needed(families: tuple[str, ...]) -> tuple[str, ...]:
    """The relations that these families stand on, and themselves, in the order in which they are made."""
    found, waiting = set(), list(families)
    while waiting:
        name = waiting.pop()
        found.add(name)
        asked = measures.question(name)
        words = set(re.findall(r"\b(?:FROM|JOIN)\s+([a-z_]+)", asked))
        own = set(re.findall(r"(?:\bWITH|\),)\s+([a-z_]+)\s+AS\b", asked))  # parts of the question itself
        waiting += [one for one in (words - own) & set(measures.RELATIONS) if one not in found]
    return tuple(name for name in measures.RELATIONS if name in found)


def forget(cursor) -> None:
    """Drop what `measure` and `judge` made, so that the transaction may measure again."""
    for relation in ("judged", "measured", *reversed(measures.RELATIONS)):
        if relation not in measures.READ_ONCE:
            cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{relation}")
