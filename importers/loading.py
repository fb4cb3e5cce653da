"""Take one delivery into a survey, in one transaction: every row taken, refused with its reasons, or told unchanged."""

import dataclasses
import hashlib
import json
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass

import psycopg
from django.db import connection, transaction
from django.utils.translation import gettext as _

from importers import copying, opening, workers
from importers.beside import Beside
from importers.boundaries import take_boundaries
from importers.delivered import mapping_given
from importers.frames import Frame
from importers.inspecting import Inspected, district_box, inspected, profile_of
from importers.keeping import kept
from importers.mapping import Mapping
from importers.matching import Delta
from importers.merging import TARGETS, one_at_a_time
from importers.models import Repair
from importers.previewing import Preview
from importers.problems import KINDS
from importers.profiles import Match, Profile, match, profile
from importers.provenance import digests
from importers.registers import edition_of, may_be_delivered, put_in_force
from importers.shaping import Projection
from importers.sheets import take_sheet
from importers.sniffing_encoding import ASK, REFUSED
from importers.storing import Storing
from importers.structure import check_structure
from importers.supplementing import completed, edition_completed, family, held_twice, subjects, undecided
from importers.taking import Taking, layerwide
from importers.telling import Telling
from units.errors import NotFound, Refused, UsageError
from units.history import authored
from units.models import Delivery, District, LegacyLand, Street, Survey

SHEETS = (
    *("enterprise", "enterprise_year", "occupancy", "contract"),
    *("benchmark", "sector_list", "violation", "use_state"),
)
BOOK = ("enterprise", "enterprise_year", "occupancy")  # sheets of one workbook, in this order
NAMED = 5  # rows whose edits are lost that are named in the warning; `edited` has them all
MANY = 20_000  # rows from which preparing a faster reprojection pays


def load(
    path,
    profile_name: str,
    district: str,
    year: int,
    *,
    layer: str | None = None,
    encoding: str | None = None,
    crs: str | Frame | None = None,
    mapping: Mapping | None = None,
    replace: bool = False,
    dry_run: bool = False,
    by=None,
    progress=None,
    container: opening.Container | None = None,
    sheets: list[tuple[str, str]] | None = None,
    beside: Sequence[Beside] = (),
    supplement: int | None = None,
    preview: uuid.UUID | None = None,
) -> dict:
    """Import one layer of the delivery at `path` into the survey of `district` and `year`; the result as told.

    A workbook of enterprises has a sheet for each of BOOK; without `layer` they are taken together, in one transaction.
    `container` is the delivery where the caller has opened it already, `sheets` are (profile, place) of the sheets of
    it to take, and `beside` are the further layers that came with it: one delivery in several files.
    `mapping` says which columns and values of the layer are which of the profile, beyond their own names.
    `by` is the user who acts; `progress(done, total)` is called as rows are read. A file that was taken before writes
    nothing. Into a survey that holds rows of the layer already, a delivery is a delta by business key and row digest;
    as a delivery covers its layer in full, rows that are no longer in it leave the survey and are counted as gone;
    more of them than `merging.GONE_AT_MOST` only where `replace` says that this is meant. A `supplement` completes the
    delivery of that number: its rows come in, mended perhaps, and nothing leaves. What a dry run finds is kept as the
    `preview` of that number, row by row.

    Raises InputUnreadable, UsageError, NotFound, and Refused where the delivery as a whole may not be taken.
    """
    place = District.objects.filter(pk=district).first()
    if place is None:
        raise NotFound(
            _("There is no district %(code)s.") % {"code": district},
            _("Found it first: manage.py found_district --district %(code)s.") % {"code": district},
        )
    if not 1996 <= year <= 2100:
        raise UsageError(_("%(year)s is no year of a survey.") % {"year": year}, _("Give four digits, such as 2022."))
    may_be_delivered(place, profile(profile_name))
    with ExitStack() as stack:
        if profile_name not in SHEETS:
            workers.ready()  # they are loaded while the delivery is copied and looked at
        container = container or stack.enter_context(opening.opened(path))
        one = _Asked(container, place, year, encoding, crs, mapping, replace, dry_run, by, progress, beside)
        one = dataclasses.replace(one, supplement=supplement, until=stack)
        if preview is not None and dry_run:
            one = dataclasses.replace(one, preview=Preview(preview))
            stack.push(one.preview.keep_after)
        if sheets is not None:
            return _load_book(one, sheets)
        if profile_name == BOOK[0] and layer is None and len(container.layers) > 1:
            known = [(profile_of(each), each.place) for each in container.layers]
            sheets = [(name, place) for name in BOOK for told, place in known if told == name]
            if sheets:
                other = [place for told, place in known if told not in BOOK]
                return _load_book(one, sheets) | {"not_read": other}
        return _load_layer(one, profile_name, layer)


@dataclass(frozen=True)
class _Asked:
    """What was asked of `load`, but for the layer; `alone` says that it is not one sheet of a workbook among others."""

    container: opening.Container
    place: District
    year: int
    encoding: str | None
    crs: str | Frame | None
    mapping: Mapping | None
    replace: bool
    dry_run: bool
    by: object
    progress: object
    beside: Sequence[Beside] = ()
    alone: bool = True
    supplement: int | None = None
    preview: Preview | None = None
    until: ExitStack | None = None  # what ends with the import, after its transaction

    def mapping_of(self, wanted: Profile) -> Mapping | None:
        """What was said of the columns of this layer; a mapping of another sheet of the workbook says nothing of it."""
        if self.alone or (self.mapping and self.mapping.profile == wanted.name):
            return self.mapping
        return None

    def beside_of(self, wanted: Profile, layer: opening.Layer) -> list[Beside]:
        """The further layers that are to the table what this one is."""
        return [
            one
            for one in self.beside
            if one.profile == wanted.name
            and one.layer is not layer
            and (wanted.table != "control" or one.layer.name.upper() == layer.name.upper())
        ]


def _load_book(one: _Asked, sheets: list[tuple[str, str]]) -> dict:
    """Sheets of a workbook, (profile, place) each, as deliveries of their own: all of them or none."""
    within = [Beside(name, each, "") for name, place in sheets for each in one.container.layers if each.place == place]
    one = dataclasses.replace(one, beside=[*one.beside, *within])
    if one.mapping and one.mapping.profile not in dict(sheets):
        raise UsageError(
            _("The mapping is of the profile %(mapped)s, not %(profile)s.")
            % {"mapped": one.mapping.profile, "profile": ", ".join(name for name, _place in sheets)},
            _("Name the profile of the mapping, or give another mapping."),
        )
    with transaction.atomic():
        told = [_load_layer(dataclasses.replace(one, alone=False), name, sheet) for name, sheet in sheets]
        if not any(result["rows"] > result["deleted"] for result in told):
            raise _empty(told[0]["layer"], BOOK[0])
        if one.dry_run:
            transaction.set_rollback(True)
    summed = ("rows", "taken", "changed", "unchanged", "refused", "deleted", "gone")
    return {
        **told[0],
        "already": all(result["already"] for result in told),
        "layer": " + ".join(result["layer"] for result in told),
        **{name: sum(result[name] for result in told) for name in summed},
        "delta": {name: sum(result["delta"][name] for result in told) for name in told[0]["delta"]},
        "groups": [],
        "edited": [one for result in told for one in result["edited"]],
        "refusals": [refusal for result in told for refusal in result["refusals"]],
        "warnings": [warning for result in told for warning in result["warnings"]],
        "seconds": round(sum(result["seconds"] for result in told), 3),
        "layers": told,
    }


def _load_layer(asked: _Asked, profile_name: str, layer: str | None) -> dict:
    began = time.perf_counter()
    container, year = asked.container, asked.year
    encoding, crs, dry_run, by, progress = asked.encoding, asked.crs, asked.dry_run, asked.by, asked.progress
    wanted, place = profile(profile_name), asked.place
    with ExitStack() as stack:
        chosen = container.layer(layer)
        digesting = stack.enter_context(ThreadPoolExecutor(1))
        digest = digesting.submit(opening.digest, container)
        seen = inspected(chosen, district_box(place), encoding=encoding, crs=crs, place=place)
        if asked.supplement and (further := undecided(seen, asked.supplement, encoding, crs)):
            seen = inspected(chosen, district_box(place), place=place, **further)
        mapping = asked.mapping_of(wanted)
        if asked.supplement and mapping is None and (first := Delivery.objects.filter(pk=asked.supplement).first()):
            mapping = mapping_given(first)
        found = match(wanted, chosen.name, [column.name for column in seen.table.columns], mapping)
        _may_be_read(seen, found, may_be_empty=not asked.alone)
        seen.problems += check_structure(seen, found)
        stack.enter_context(transaction.atomic())
        survey = _held(place, year)
        one_at_a_time(place.pk, year, wanted)
        base = completed(asked.supplement, place, survey, wanted, chosen.name) if asked.supplement else None
        profile_sha256 = hashlib.sha256(wanted.text.encode()).hexdigest()
        delivery = Delivery(
            survey=survey,
            district=place,
            profile=wanted.name,
            file_name=container.path.name[:255],
            layer=chosen.place[:255],
            sha256=digest.result(),
            size=sum(file.stat().st_size for file in container.files),
            encoding=seen.encoding.told(),
            crs=seen.crs.told(),
            reading=_reading(seen, found, profile_sha256),
            settings={
                "profile_sha256": profile_sha256,
                **digests(wanted),
                "mapping": {**mapping.told(), "sha256": mapping.digest} if mapping else None,
                "columns": found.columns,
                "further": found.extra,  # that a column was there says something even where it is blank throughout
                "encoding_given": encoding,
                "crs_given": seen.crs.given,
                "replace": asked.replace,
                "layer": chosen.name,
                "supplement_to": base.pk if base else None,
            },
            imported_by=by,
        )
        beside = asked.beside_of(wanted, chosen)
        if earlier := _same(delivery, {one.sha256 or delivery.sha256 for one in beside}):
            if asked.preview:
                asked.preview.already(wanted.table, earlier)
            return _told(delivery, earlier, began, dry_run, already=True)
        _may_change(survey)
        with nullcontext() if dry_run else kept(container, delivery.sha256, asked.until):
            try:
                telling = _taken(delivery, place, seen, found, beside, progress, asked.preview)
            except (psycopg.IntegrityError, psycopg.DataError) as error:
                raise Refused(
                    _("The database does not take these rows: %(why)s") % {"why": str(error).splitlines()[0]},
                    _("Nothing was written. Correct the rows, or report this if they look right."),
                    code="database",
                ) from error
            delivery.seconds = time.perf_counter() - began
            delivery.save()
        result = _told(delivery, delivery, began, dry_run, refusals=telling.refused_by_code)
        if dry_run and asked.alone:
            transaction.set_rollback(True)
    return result


def _held(place: District, year: int) -> Survey:
    """The survey, opened where it is new, and locked: no other import and no activation goes on beside this one."""
    survey, _new = Survey.objects.get_or_create(district=place, year=year)
    return Survey.objects.select_for_update(no_key=True).get(pk=survey.pk)


def _reading(seen: Inspected, found: Match, profile_sha256: str) -> str:
    """A digest of how the bytes of the file are understood: the same bytes read otherwise are another delivery."""
    said = [seen.crs.read_as, seen.encoding.python, profile_sha256, sorted(found.columns.items())]
    if found.mapping is not None:
        said.append(found.mapping.digest)
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _taken(
    delivery: Delivery,
    place: District,
    seen: Inspected,
    found: Match,
    beside: list[Beside],
    progress,
    preview: Preview | None = None,
) -> Telling:
    """Save the delivery, take its rows, settle the counts; inside the transaction of `load`."""
    kind = found.profile.table
    projection = Projection(seen.crs.way, place.srid) if seen.shapes is not None else None
    if projection and seen.rows >= MANY and (extent := seen.shapes.extent(bulk=True)):
        projection.hasten(extent)
    telling = Telling(delivery, seen, found, projection)
    telling.beside = [f"{one.sha256 or delivery.sha256} {one.layer.place}" for one in beside]
    delivery.settings["beside"] = telling.beside
    if number := delivery.settings["supplement_to"]:
        base = Delivery.objects.get(pk=number)
        telling.completes = family(base)
        telling.spoken = None if base.sha256 == delivery.sha256 else subjects(seen, found)
    wide = layerwide(telling, seen, found, place)
    if telling.spoken is not None:
        wide = dataclasses.replace(wide, taken_before=held_twice(telling.completes, TARGETS[kind].table))
    delivery.rows = delivery.taken = telling.counts.rows
    about = {
        "survey": delivery.survey_id,
        "district": place.pk,
        "layer": seen.layer.name,
        "reading": delivery.reading,
        "replace": delivery.settings["replace"],
        "beside": beside,
        "supplement": bool(delivery.settings["supplement_to"]),
        "preview": preview,
    }
    if preview:
        preview.begin(telling)
    if kind == "control":
        about |= {"kind": found.profile.kind, "edition": edition_of(seen, found, delivery.survey.year)}
        if about["supplement"]:
            about["edition"] = edition_completed(delivery.settings["supplement_to"], about["edition"])
        delivery.settings |= {"kind": about["kind"], "edition": about["edition"]}
    delivery.save()
    about["delivery"] = delivery.pk
    with connection.cursor() as cursor:
        authored(cursor, delivery.imported_by, delivery=delivery.pk)
    if kind == "district":
        take_boundaries(telling, place, wide, progress)
        if preview:
            preview.boundaries()
    elif kind in SHEETS:
        take_sheet(telling, wide, about, progress)
    else:
        streets = [
            (one.code, one.geom and bytes(one.geom.wkb)) for one in Street.objects.filter(district=place).order_by("pk")
        ]
        constants = _constants(delivery, found, about)
        storing = Storing(delivery.pk, place.pk, found.profile, constants, streets)
        Taking(telling, storing, wide, about, progress).take()
    if telling.counts.gone:
        telling.warn_layer("1-rows-gone", count=telling.counts.gone)
    if telling.delta and (edited := telling.delta.edited):
        named = ", ".join(one["key"] for one in edited[:NAMED]) + (" …" if len(edited) > NAMED else "")
        telling.warn_layer("1-edits-overwritten", count=len(edited), value=named)
    if kind == "control":
        put_in_force(delivery)
    delta = telling.delta or Delta(new=telling.counts.taken, attributes=telling.counts.changed)
    delivery.settings |= {"delta": delta.told(), "groups": delta.groups, "edited": delta.edited}
    telling.settle()
    return telling


def _constants(delivery: Delivery, found: Match, about: dict) -> dict[str, bytes]:
    """The columns that are alike in every row of the delivery, by table."""
    of_survey = {"survey_id": copying.constant(delivery.survey_id)}
    scheme = copying.constant(found.profile.default_scheme.encode())
    match found.profile.table:
        case "patch":
            return {**of_survey, "scheme": scheme}
        case "parcel" | "building":
            return {**of_survey, "version": copying.constant(1, 4)}
        case "control":
            stored = {each.column for each in found.profile.fields}
            return {
                **{name: copying.constant(b"") for name in ("name", "use") if name not in stored},
                "kind": copying.constant(about["kind"].encode()),
                "edition": copying.constant(about["edition"].encode()),
                "in_force": copying.constant(True),
                "use_scheme": scheme,
            }
        case "legacy":
            return {
                "state": copying.constant(LegacyLand.State.DRAFT.encode()),
                "route": copying.constant(b""),
                "worksheet": copying.constant(copying.EMPTY_OBJECT),
                "base_survey_year": copying.constant(delivery.survey.year, 2),
                "version": copying.constant(1, 4),
            }
    raise KeyError(found.profile.table)


def _empty(layer: str, name: str) -> Refused:
    kind = KINDS["1-empty"]
    return Refused(
        _("The layer %(layer)s is not taken as %(profile)s.") % {"layer": layer, "profile": name}
        + " "
        + str(kind.sentence),
        kind.fix,
        code="1-empty",
    )


def _may_be_read(seen: Inspected, found: Match, *, may_be_empty: bool):
    """Raise Refused where the layer as a whole cannot be taken. One sheet of a workbook may be empty beside others."""
    if found.refused:
        kind = KINDS[found.refused]
        raise Refused(
            _("The layer %(layer)s is not taken as %(profile)s.")
            % {"layer": seen.layer.name, "profile": found.profile.name}
            + " "
            + str(kind.sentence),
            kind.fix,
            code=found.refused,
        )
    if found.missing:
        raise Refused(
            _("The layer %(layer)s has no %(fields)s, which the profile %(profile)s needs; it has %(has)s.")
            % {
                "layer": seen.layer.name,
                "fields": ", ".join(found.missing),
                "profile": found.profile.name,
                "has": ", ".join(column.name for column in seen.table.columns),
            },
            _("Name another profile, or say with a mapping which column is which field."),
            code="3-fields-missing",
        )
    if not may_be_empty and seen.table.deleted[: None if seen.shapes is None else seen.shapes.rows].all():
        raise _empty(seen.layer.name, found.profile.name)
    if found.profile.kinds and not found.profile.kind:
        raise Refused(
            _("What the layer %(layer)s is cannot be told by its name.") % {"layer": seen.layer.name},
            _("Name it like one of: %(names)s; or say its kind with a mapping.")
            % {"names": ", ".join(found.profile.layers)},
            code="1-layer-unknown",
        )
    if seen.shapes is None:
        if found.profile.table not in SHEETS:
            raise Refused(
                _("The layer %(layer)s has no shapes, which the profile %(profile)s needs.")
                % {"layer": seen.layer.name, "profile": found.profile.name},
                _("Deliver the layer with its shapes, or name another profile."),
                code="1-no-shapes",
            )
    elif seen.crs.way is None and found.profile.table not in SHEETS:
        raise Refused(
            _("The reference system cannot be told.") + " " + " ".join(seen.crs.evidence),
            "" if seen.crs.verdict == REFUSED else _("Give it with --crs EPSG:…, if you know it."),
            code="2-crs",
        )
    if seen.encoding.verdict in (ASK, REFUSED):
        raise Refused(
            _("The encoding cannot be told.") + " " + " ".join(seen.encoding.evidence),
            _("Samples: %(samples)s.") % {"samples": " · ".join(seen.encoding.samples)},
            code="1-encoding",
        )


def _may_change(survey: Survey):
    if survey.state == Survey.State.LOADED:
        return
    raise Refused(
        _("The survey %(year)d of %(district)s is %(state)s: nothing is delivered into it any more.")
        % {"year": survey.year, "district": survey.district.name, "state": survey.get_state_display()},
        _("Open the next round: import with another --survey, look at it, then activate_survey."),
        code="survey-in-force",
    )


def _same(delivery: Delivery, beside: set[str]) -> Delivery | None:
    """The last delivery of this layer into the survey, when it is of the same file, read alike.

    Only the last one: after file A and a corrected file B, file A is no longer what the survey holds. Registers of the
    district are shared by its surveys: there the last one may have come with another survey. What came in the files of
    these digests `beside` this one takes nothing from it.
    """
    table = profile(delivery.profile).table
    of_survey = table != "district" and TARGETS[table].of_survey
    before = Delivery.objects.filter(
        **({"survey": delivery.survey} if of_survey else {"district": delivery.district}),
        profile=delivery.profile,
        settings__layer=delivery.settings["layer"],
        state=Delivery.State.LOADED,
    ).order_by("-pk")
    latest = next((one for one in before if one.sha256 == delivery.sha256 or one.sha256 not in beside), None)
    if latest is None:
        return None
    alike = all(
        getattr(latest, name) == getattr(delivery, name) for name in ("survey_id", "sha256", "layer", "reading")
    )
    # What people agreed to since then is another reading of the same bytes.
    return latest if alike and not Repair.objects.accepted_since(latest).exists() else None


def _told(delivery, counted, began, dry_run, *, already=False, refusals=None) -> dict:
    rows = counted.rows
    unchanged = rows - counted.refused - counted.deleted
    return {
        "delivery": None if dry_run and not already else counted.pk,
        "already": already,
        "file": delivery.file_name,
        "sha256": delivery.sha256,
        "layer": delivery.layer,
        "profile": delivery.profile,
        "district": delivery.district_id,
        "survey": delivery.survey.year,
        "rows": rows,
        "taken": 0 if already else counted.taken,
        "changed": 0 if already else counted.changed,
        "unchanged": unchanged if already else counted.unchanged,
        "refused": counted.refused,
        "deleted": counted.deleted,
        "gone": 0 if already else counted.gone,
        "delta": Delta(unchanged=unchanged).told() if already else counted.settings["delta"],
        "groups": [] if already else counted.settings["groups"],
        "edited": [] if already else counted.settings["edited"],
        "refusals": refusals or [],
        "warnings": counted.warnings,
        "encoding": delivery.encoding,
        "crs": delivery.crs,
        "mapping": delivery.settings.get("mapping"),
        "supplement": counted.settings.get("supplement_to"),
        "repairs": {"automatic": 0, "accepted": 0, "proposed": 0} | (counted.settings.get("repairs") or {}),
        "dry_run": dry_run,
        "seconds": round(time.perf_counter() - began, 3),
    }
