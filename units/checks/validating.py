"""Run the checks over a district and settle what they tell: new, still open, resolved, waived."""

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import shapely
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from psycopg.errors import DeadlockDetected, SerializationFailure
from psycopg.types.json import Jsonb

from units import codes, spatial
from units.checks import between, topology, values
from units.checks.identity import fingerprint, row_identity, same_shape, shape_identity
from units.checks.looking import Fault, Sight, question
from units.checks.registry import CHECKS, OF_SURVEY, Check, asked
from units.errors import Busy, UnknownName
from units.history import authored
from units.models import (
    CheckRun,
    ControlArea,
    District,
    Finding,
    LandUsePatch,
    LegacyLand,
    Parcel,
    Revision,
    Survey,
)
from units.models.judgement import advised, said
from units.spatial import STORAGE_SRID

LOCK = "geoinv validate"  # one run a district at a time
RUNS_BACK = 400  # how many earlier runs `--changed` asks; beyond them a check looks anew
TIMES = 2  # how often a run begins anew, counting the first, when others write what it writes

LOOK: dict[str, Callable[[Sight, str], Iterator[Fault]]] = {
    "3-area-differs": values.area_differs,
    "3-code-unknown": values.code_unknown,
    "3-name-differs": values.name_differs,
    "3-number-duplicate": values.number_duplicate,
    "4-invalid": topology.invalid,
    "4-overlap": topology.overlaps("4-overlap"),
    "4-contained": topology.overlaps("4-contained"),
    "4-equal": topology.overlaps("4-equal"),
    "4-gap": topology.holes(enclosed=True),
    "5-uncovered": topology.holes(enclosed=False),
    "5-outside-district": between.outside,
    "5-legacy-parcel": between.legacy_on_parcels,
    "7-area-drift": values.area_drift,
    "8-freeze": values.freeze,
    "8-unit-members": between.members,
}
NEEDS_BOUNDARY = frozenset({"5-uncovered", "5-outside-district"})
NEEDS_PATCHES = frozenset({"4-gap", "5-uncovered"})


def validate(
    district_code: str,
    checks: Iterable[str] = (),
    layers: Iterable[str] = (),
    survey: int | None = None,
    changed: bool = False,
    by=None,
    progress: Callable[[int, int, str], None] = lambda done, of, what: None,
) -> dict:
    """Look at the district with these checks over these layers (all, where none is named), and keep what is seen.

    It judges the survey in force, else the newest loaded one, or that of the year `survey`, and the registers. With
    `changed` a check whose tables stand as they stood when it last looked is not asked again: its findings stand.
    What a check cannot look at (no boundary, no survey) is named in `skipped`, and its findings are left as they are.
    All tables are seen as they stood at one moment, and everything is written in one transaction; where somebody wrote
    the same findings meanwhile, it begins once anew. (Inside a transaction of the caller's it is the caller's moment.)
    Raises UnknownName, UsageError and Busy.
    """
    began = time.monotonic()
    jobs = asked(tuple(checks), tuple(layers))
    alone = not connection.in_atomic_block
    for _time in range(TIMES if alone else 1):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                if alone:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                hold(cursor, district_code)
                district = District.objects.filter(code=district_code).first()
                if district is None:
                    raise UnknownName(district_code, District.objects.values_list("code", flat=True), _("district"))
                run = Run(cursor, Sight(district, judged_survey(district, survey)), by)
                run.sort(jobs, changed)
                for done, (check, layer) in enumerate(run.looked):
                    progress(done, len(run.looked), f"{check.code} {layer}")
                    run.look(check, layer)
                progress(len(run.looked), len(run.looked), "")
                return run.settle(began)
        except OperationalError as error:
            if not alone or not isinstance(error.__cause__, SerializationFailure | DeadlockDetected):
                raise
    raise Busy(
        _("The findings of the district %(district)s were written by others while it was checked.")
        % {"district": district_code},
        _("Run it again when the import has ended."),
    )


def hold(cursor, district_code: str) -> None:
    """Hold the district's checks for this transaction, or raise Busy."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s), hashtext(%s))", [LOCK, district_code])
    if not cursor.fetchone()[0]:
        raise Busy(
            _("Another run checks the district %(district)s.") % {"district": district_code},
            _("Wait until it has ended."),
        )


def judged_survey(district: District, year: int | None) -> Survey | None:
    """The survey of the year; without one that in force, else the newest loaded; None where there is none at all."""
    surveys = list(Survey.objects.filter(district=district).order_by("-year"))
    if year is not None:
        found = next((one for one in surveys if one.year == year), None)
        if found is None:
            raise UnknownName(str(year), [one.year for one in surveys], _("survey"))
        return found
    in_force = (one for one in surveys if one.state == Survey.State.IN_FORCE)
    return next(in_force, surveys[0] if surveys else None)


def edition() -> str:
    """The digest of what a finding depends on beside the data: the checks, tolerances, code tables and libraries."""
    digest = hashlib.sha256(f"{shapely.__version__} {shapely.geos_version}".encode())
    here = Path(__file__).parent
    sources = [*here.rglob("*.py"), *here.rglob("*.sql"), Path(spatial.__file__), Path(codes.__file__)]
    sources += [codes.DATA / "land_use.csv", codes.DATA / "domains.csv"]
    for path in sorted(sources):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@dataclass
class Told:
    """A fault with what makes it a finding."""

    check: Check
    layer: str
    fault: Fault
    identity: str
    fingerprint: str
    plane: object


class Run:
    """One run: which checks look, what they tell, and how it is settled with what was known."""

    def __init__(self, cursor, sight: Sight, by):
        self.cursor, self.sight, self.by = cursor, sight, by
        # Read before anything is looked at: what changes meanwhile is looked at again by the next run.
        self.versions = dict(Revision.objects.values_list("name", "number"))
        self.edition = edition()
        self.now = timezone.now()
        self.jobs: list[tuple[Check, str]] = []
        self.looked: list[tuple[Check, str]] = []
        self.carried: list[tuple[Check, str]] = []
        self.skipped: dict[str, str] = {}
        self.told: dict[str, Told] = {}

    @property
    def survey_id(self) -> int | None:
        return self.sight.survey.pk if self.sight.survey else None

    def sort(self, jobs: list[tuple[Check, str]], changed: bool):
        """Which checks look anew, which stand as they were, and which cannot look."""
        self.jobs = jobs
        earlier = self._earlier() if changed else {}
        patches = LandUsePatch.objects.filter(survey=self.sight.survey).exists() if self.sight.survey else False
        for check, layer in jobs:
            why = self._blind(check, layer, patches)
            stands = earlier.get(_named(check, layer))
            if why:
                self.skipped[_named(check, layer)] = why
            elif (
                stands is not None
                and not check.always
                and all(stands.get(name) == self.versions.get(name) for name in check.revisions(layer))
            ):
                self.carried.append((check, layer))
            else:
                self.looked.append((check, layer))

    def _earlier(self) -> dict[str, dict]:
        """For each check and layer the versions of the tables when it last looked, by the checks of today."""
        found: dict[str, dict] = {}
        runs = CheckRun.objects.filter(
            district=self.sight.district, survey=self.sight.survey, edition=self.edition
        ).order_by("-pk")
        for looked, versions in runs.values_list("looked", "versions")[:RUNS_BACK]:
            for name in looked:
                found.setdefault(name, versions)
        return found

    def _blind(self, check: Check, layer: str, patches: bool) -> str:
        """Why the check cannot look at the layer; empty where it can."""
        if self.sight.survey is None and OF_SURVEY & {layer, *check.reads}:
            return _("no survey of the district is loaded")
        if check.code in NEEDS_BOUNDARY and self.sight.boundary is None:
            return _("the boundary of the district was never delivered")
        if check.code in NEEDS_PATCHES and not patches:
            return _("the survey holds no patches")
        return ""

    def look(self, check: Check, layer: str):
        """Ask one check of one layer, and give each fault its identity."""
        faults = list(LOOK[check.code](self.sight, layer))
        shapes = [fault.shape for fault in faults]
        there = [at for at, shape in enumerate(shapes) if shape is not None]
        plane: list = [None] * len(faults)
        for at, moved in zip(there, self.sight.plane.metres([shapes[at] for at in there]), strict=True):
            plane[at] = moved
        survey = self.survey_id if check.of_survey(layer) else None
        times: Counter = Counter()
        for fault, moved in zip(faults, plane, strict=True):
            if fault.seen is not None:
                print_ = hashlib.sha256(fault.seen.encode()).hexdigest()
            else:
                print_ = fingerprint(moved) if moved is not None else ""
            if fault.row:
                profile, field, file_layer = fault.row
                identity = row_identity(self.survey_id, profile, check.code, field, fault.subjects[0], file_layer)
            else:
                subjects = () if check.of_place else fault.subjects
                identity = shape_identity(survey, layer, check.code, subjects, print_ if fault.seen is None else "")
            times[identity] += 1
            if times[identity] > 1:
                identity = hashlib.sha256(f"{identity}|{times[identity]}".encode()).hexdigest()
            self.told[identity] = Told(check, layer, fault, identity, print_, moved)

    def settle(self, began: float) -> dict:
        """Write the run, its findings and what became of the earlier ones; the counts."""
        authored(self.cursor, self.by, source="validate")
        run = CheckRun.objects.create(
            district=self.sight.district,
            survey=self.sight.survey,
            codes=sorted({check.code for check, _layer in self.jobs}),
            looked=[_named(*job) for job in self.looked],
            skipped=self.skipped,
            edition=self.edition,
            versions=self.versions,
            checked=sum(self._sizes().values()),
            ran_at=self.now,
            ran_by=self.by,
        )
        bound = {"run": run.pk, "now": self.now, "district": self.sight.district.code, "survey": self.survey_id}
        self._keep_identities()
        self.cursor.execute(question("told"))
        self._copy()
        self.cursor.execute(question("wake"), bound)
        missed = self._missed()
        self.cursor.execute(question("settle"), bound)
        Finding.objects.filter(pk__in=missed).update(state=Finding.State.RESOLVED, resolved_at=self.now, run=run)
        self.cursor.execute(question("carried"), bound | _columns(self.carried))
        if self.sight.survey and self.sight.survey.state == Survey.State.IN_FORCE:
            self.cursor.execute(question("retired"), bound)
        self.cursor.execute("DROP TABLE pg_temp.told")
        result = self._result(run)
        run.counts = {name: result[name] for name in ("new", "open", "resolved", "waived", "errors")}
        run.by_code = result["by_code"]
        run.seconds = result["seconds"] = round(time.monotonic() - began, 3)
        run.save(update_fields=["counts", "by_code", "seconds"])
        return result

    def _sizes(self) -> dict[str, int]:
        """How many records of each layer were looked at, and of those that were read beside them."""
        names = {layer for _check, layer in self.looked} | self.sight.layers.keys()
        return {name: self.sight.size(name) for name in sorted(names)}

    def _keep_identities(self):
        """A fault that differs from a known one of its survey by noise alone keeps that one's identity."""
        looked = _columns(self.looked)
        known = Finding.objects.filter(
            Q(survey__isnull=True) | Q(survey=self.sight.survey),
            district=self.sight.district,
            code__in=set(looked["codes"]),
            geom__isnull=False,
        ).unresolved()
        waiting = defaultdict(list)
        for identity, code, layer, subjects, print_, geom in known.values_list(
            "identity", "code", "layer", "subjects", "fingerprint", "geom"
        ):
            if identity not in self.told:
                subjects = () if CHECKS[code].of_place else tuple(sorted(subjects))
                waiting[code, layer, subjects].append((identity, print_, geom))
        before = set(Finding.objects.filter(district=self.sight.district).values_list("identity", flat=True))
        for told in list(self.told.values()):
            if told.identity in before or told.fault.seen is not None or told.plane is None:
                continue
            subjects = () if told.check.of_place else tuple(sorted(told.fault.subjects))
            ones = waiting.get((told.check.code, told.layer, subjects), [])
            for one in ones:
                if same_shape(self.sight.plane.metres(shapely.from_wkb(bytes(one[2].wkb)))[0], told.plane):
                    ones.remove(one)
                    del self.told[told.identity]
                    told.identity, told.fingerprint = one[:2]
                    self.told[told.identity] = told
                    break

    def _copy(self):
        """Put what was told into the temporary relation `told`; sentences in the language of the site."""
        with (
            translation.override(settings.LANGUAGE_CODE),
            connection.connection.cursor() as cursor,
            cursor.copy(
                "COPY told (identity, code, layer, severity, subjects, street_id, survey_id, sentence, fix, measure,"
                " uom, details, fingerprint, geom, shaped) FROM STDIN"
            ) as copy,
        ):
            for told in self.told.values():
                fault = told.fault
                words = in_english(told.check)
                kept = {
                    "sentence": fault.sentence or words[0],
                    "fix": words[1],
                    "parts": fault.parts,
                    "words": list(fault.words),
                }
                details = {"told": kept} | fault.details
                if fault.row:
                    details["name"] = fault.row[1]
                place = None
                if fault.shape is not None:
                    place = shapely.to_wkb(shapely.set_srid(fault.shape, STORAGE_SRID), include_srid=True, hex=True)
                survey = self.survey_id if told.check.of_survey(told.layer) else None
                copy.write_row(
                    (
                        told.identity,
                        told.check.code,
                        told.layer,
                        fault.severity or told.check.severity_in(told.layer),
                        list(fault.subjects),
                        fault.street,
                        survey,
                        said(kept),
                        advised(kept),
                        fault.measure,
                        fault.uom,
                        Jsonb(details),
                        told.fingerprint,
                        place,
                        fault.seen is None,
                    )
                )

    def _missed(self) -> list[int]:
        """Ids of the findings that are resolved: looked for and not seen.

        What only an import has told is resolved where the record is stored and its value is well now; a row that was
        refused is not among the stored ones, and its finding stays.
        """
        looked = _columns(self.looked)
        self.cursor.execute(
            question("missed"), looked | {"district": self.sight.district.code, "survey": self.survey_id}
        )
        found, of_import = [], defaultdict(list)
        for pk, code, layer, subject, by_import, field in self.cursor.fetchall():
            if not by_import:
                found.append(pk)
            elif field in values.TAKEN_OVER.get(code, {}).get(layer, ("", ()))[1]:
                of_import[layer].append((pk, subject))
        for layer, rows in of_import.items():
            stored = self._stored(layer, {subject for _pk, subject in rows})
            found += [pk for pk, subject in rows if subject in stored]
        return found

    def _stored(self, layer: str, subjects: set[str]) -> set[str]:
        """Which of these codes are stored in a layer that imports tell of."""
        survey, district = {"survey": self.sight.survey}, {"district": self.sight.district}
        model, column, where = {
            "patches": (LandUsePatch, "bsm", survey),
            "parcels": (Parcel, "code", survey),
            "legacy": (LegacyLand, "code", district),
            "control-areas": (ControlArea, "code", district),
        }[layer]
        rows = model.objects.filter(**where, **{f"{column}__in": subjects})
        return set(rows.values_list(column, flat=True))

    def _result(self, run: CheckRun) -> dict:
        totals, errors = Counter(), 0
        by_code = {code: {"new": 0, "open": 0, "resolved": 0, "waived": 0} for code in run.codes}
        self.cursor.execute(question("counts"), {"run": run.pk, "today": timezone.localdate()})
        for code, severity, state, waived, count in self.cursor.fetchall():
            name = "waived" if waived and state != Finding.State.RESOLVED else state
            totals[name] += count
            by_code.setdefault(code, {"new": 0, "open": 0, "resolved": 0, "waived": 0})[name] += count
            errors += count if severity == "error" and name in ("new", "open") else 0
        alone = Finding.objects.filter(
            Q(survey__isnull=True) | Q(survey=self.sight.survey) | ~Q(layer__in=OF_SURVEY),
            district=self.sight.district,
            delivery__isnull=False,
            run__isnull=True,
        ).unresolved()
        return {
            "run": run.pk,
            "district": self.sight.district.code,
            "survey": self.sight.survey.year if self.sight.survey else None,
            "checked": run.checked,
            "layers": self._sizes(),
            **{name: totals[name] for name in ("new", "open", "resolved", "waived")},
            "errors": errors,
            "by_code": by_code,
            "carried": [_named(*job) for job in self.carried],
            "skipped": self.skipped,
            "deliveries": {
                "open": alone.count(),
                "errors": alone.filter(severity=Finding.Severity.ERROR).unwaived(timezone.localdate()).count(),
            },
        }


def in_english(check: Check) -> tuple[str, str]:
    """The msgids of a check's sentence and fix."""
    with translation.override(None):
        return str(check.sentence), str(check.fix)


def _named(check: Check, layer: str) -> str:
    return f"{check.code} {layer}"


def _columns(jobs: list[tuple[Check, str]]) -> dict[str, list]:
    return {
        "codes": [check.code for check, _layer in jobs],
        "layers": [layer for _check, layer in jobs],
        "of_survey": [check.of_survey(layer) for check, layer in jobs],
    }
