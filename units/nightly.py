"""The night: flag and check every district with a survey in force, and say what somebody has to do in the morning."""

import json
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from units.checks.folders import made
from units.checks.reporting import report
from units.checks.validating import validate
from units.criteria import sets
from units.errors import Busy, GeoinvError, UsageError
from units.flagging import flag
from units.models import CheckRun, District, FlagRun, Measurement, Survey
from units.suspecting import suspects

LOCK = "geoinv nightly"
FULL_EVERY = timedelta(days=6, hours=12)  # so that it is every week, though a night begins minutes earlier


def nightly(told: Callable[[str], None] = lambda text: None) -> dict:
    """Do the night's work under a lock, and leave its artefacts in a folder of its own.

    A district that fails stops no other. The folder holds `summary.txt` for the person in charge, `summary.json`, and
    for each district the results and the report of the checks. Raises Busy while another night runs, and UsageError
    where GEOINV_CRITERIA or GEOINV_RUNS_DIR is no good, before anything is done.
    """
    began, started = time.monotonic(), timezone.now()
    with held():
        chosen = criteria_chosen(settings.NIGHTLY_CRITERIA)
        folder = opened(made(Path(settings.RUNS_DIR)))
        districts = []
        in_force = District.objects.filter(surveys__state=Survey.State.IN_FORCE).order_by("code")
        for district in in_force:
            told(f"{district.code} {district.name}")
            districts.append(one_district(district, chosen, folder / district.code))
        result = {
            "id": folder.name,
            "folder": str(folder),
            "started": started.isoformat(),
            "districts": districts,
            "errors": sum(one["checks"]["errors"] for one in districts if one["checks"]),
            "failed": [one["district"] for one in districts if one["failed"]],
            "todo": [sentence for one in districts for sentence in one["todo"]],
            "seconds": round(time.monotonic() - began, 3),
        }
        kept(folder / "summary.json", result)
        (folder / "summary.txt").write_text(summary(result) + "\n", encoding="utf-8")
    return result


@contextmanager
def held() -> Iterator[None]:
    """Hold the night of this database until it is over; Busy where another process does. It ends with the session."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s), 0)", [LOCK])
        if not cursor.fetchone()[0]:
            raise Busy(_("Another nightly run is at work."), _("Wait until it has ended."))
        try:
            yield
        finally:
            if connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s), 0)", [LOCK])


def criteria_chosen(setting: str) -> dict[str, str]:
    """GEOINV_CRITERIA as district → set; the set for all districts stands under "".

    Raises UsageError for anything else, and where it names a district that is not here.
    """
    chosen: dict[str, str] = {}
    for part in filter(None, (one.strip() for one in setting.split(","))):
        district, sign, name = part.rpartition("=")
        if not name or (sign and not district) or district in chosen:
            raise UsageError(
                _("GEOINV_CRITERIA cannot be read at “%(part)s”.") % {"part": part},
                _("Write a set for all districts, or 120104=nankai-2024,320106=nanjing-2019."),
            )
        sets.load(name)
        chosen[district] = name
    here = set(District.objects.values_list("code", flat=True))
    for district in filter(None, chosen):
        if district not in here:
            raise UsageError(
                _("GEOINV_CRITERIA names the district %(district)s, which is not here.") % {"district": district},
                _("Known are: %(known)s.") % {"known": ", ".join(sorted(here))},
            )
    return chosen


def criteria_of(district: District, chosen: dict[str, str]) -> str | None:
    """By which set a district is flagged: as set for it, for all, or as it was last flagged; None where nobody said."""
    last = FlagRun.objects.filter(district=district).order_by("-pk").values_list("edition__name", flat=True).first()
    return chosen.get(district.code) or chosen.get("") or last


def opened(runs: Path) -> Path:
    """A new folder of this night's own."""
    name = timezone.localtime().strftime("%Y%m%dT%H%M%S")
    for number in range(1, 1000):
        folder = runs / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            continue
    raise FileExistsError(runs / name)


def one_district(district: District, chosen: dict[str, str], folder: Path) -> dict:
    """Flag and check one district; what was found, what failed, and what somebody has to do."""
    folder.mkdir()
    found = {
        "district": district.code,
        "name": district.name,
        "criteria": criteria_of(district, chosen),
        "flags": None,
        "suspects": None,
        "checks": None,
        "report": [],
        "failed": [],
        "todo": [],
    }
    if found["criteria"]:
        found["flags"] = attempted(found, folder, "flag", lambda: flagged(district.code, found["criteria"], found))
        if found["flags"]:
            found["suspects"] = attempted(found, folder, "suspect", lambda: suspects(district.code, found["criteria"]))
    else:
        found["todo"].append(
            _("%(name)s: nobody said by which criteria it is flagged. Set GEOINV_CRITERIA, or run flag once.")
            % {"name": district.name}
        )
    found["checks"] = attempted(found, folder, "validate", lambda: validate(district.code))
    checks = found["checks"]
    if checks:
        run = CheckRun.objects.get(pk=checks["run"])
        found["report"] = attempted(found, folder, "report", lambda: [str(path) for path in report(run, folder)]) or []
        if checks["errors"]:
            found["todo"].append(
                _(
                    "%(name)s: %(errors)d errors are open (%(new)d findings are new since the last run). Look at "
                    "/findings/ or the report, have the data mended, or let the task-force office waive them."
                )
                % {"name": district.name, **checks}
            )
        if checks["deliveries"]["errors"]:
            found["todo"].append(
                _(
                    "%(name)s: %(errors)d errors that imports told are open, of rows that were refused. Look at "
                    "/findings/ and at the delivery's refused rows, and have the mended rows delivered."
                )
                % {"name": district.name, "errors": checks["deliveries"]["errors"]}
            )
        for why in dict.fromkeys(checks["skipped"].values()):
            blind = ", ".join(one for one, reason in checks["skipped"].items() if reason == why)
            found["todo"].append(
                _("%(name)s: %(why)s, so these could not look: %(checks)s.")
                % {"name": district.name, "why": why, "checks": blind}
            )
    return found


def flagged(district_code: str, criteria_id: str, found: dict) -> dict:
    """Flag by what was changed; after FULL_EVERY wholly besides, which proves that nothing was missed.

    Other measures, another layer or other rules make it a full run by itself. What a full run finds that the run of the
    changes just before it did not is told: it is a fault of this program, put right by then.
    """
    result = flag(district_code, criteria_id, changed=True)
    last = Measurement.objects.get(district_id=district_code)
    if result["measured"]["all"] or timezone.now() - last.full_at < FULL_EVERY:
        return result
    result = flag(district_code, criteria_id)
    if result["measured"]["changed"]:
        found["todo"].append(
            _(
                "%(name)s: the weekly full run measured %(changed)d subjects otherwise than the runs of the changes "
                "had. The flags are right now; tell those who maintain geoinv, with the artefacts of this night."
            )
            % {"name": found["name"], "changed": result["measured"]["changed"]}
        )
    return result


def attempted(found: dict, folder: Path, step: str, work: Callable):
    """The result of a step, kept in the folder; where it fails the others go on, and the failure is kept and told."""
    try:
        result = work()
    except Exception as error:  # whatever it is, the other districts are not to suffer from it
        if not connection.is_usable():
            raise
        found["failed"].append(step)
        said = str(error).strip()
        where = folder / f"{step}.error.txt"
        where.write_text(said if isinstance(error, GeoinvError) else traceback.format_exc(), encoding="utf-8")
        found["todo"].append(
            _("%(name)s: %(step)s failed: %(why)s Look at %(where)s, and run it again.")
            % {"name": found["name"], "step": step, "why": said.splitlines()[0] if said else "", "where": where}
        )
        return None
    if isinstance(result, dict):
        kept(folder / f"{step}.json", result)
    return result


def kept(path: Path, result: dict):
    """Write a result as JSON."""
    path.write_text(json.dumps(result, ensure_ascii=False, indent=1, cls=DjangoJSONEncoder) + "\n", encoding="utf-8")


def summary(result: dict) -> str:
    """What one person reads in the morning: what to do first, then what was found."""
    if not result["districts"]:
        return _("No district has a survey in force: there was nothing to flag or to check.")
    lines = [_("To do:"), *(f"- {one}" for one in result["todo"])] if result["todo"] else [_("Nothing is to be done.")]
    lines.append("")
    for one in result["districts"]:
        flags, checks = one["flags"], one["checks"]
        lines.append(f"{one['district']} {one['name']}")
        if flags:
            lines.append(
                _("  flagged by %(criteria)s: %(candidate)d candidates, %(undecided)d undecided, of %(subjects)d")
                % flags
            )
        if checks:
            lines.append(
                _("  checked: %(new)d new, %(open)d still open, %(resolved)d resolved, %(waived)d waived") % checks
            )
        lines += [f"  {path}" for path in one["report"]]
    lines += ["", _("Night %(id)s, %(seconds).1f s, in %(folder)s") % result]
    return "\n".join(lines)
