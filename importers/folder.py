"""Load a folder of deliveries in the order in which one needs the other."""

from contextlib import ExitStack
from pathlib import Path

from django.utils.translation import gettext as _

from importers import opening
from importers.inspecting import inspected
from importers.loading import BOOK, load
from importers.profiles import best, profiles
from units.errors import GeoinvError, InputUnreadable, NotFound, UsageError
from units.models import District

ORDER = (
    "district",
    "dltb",
    "zd",
    "building",
    "control",
    "legacy",
    "enterprise",
    "enterprise_year",
    "occupancy",
    "contract",
)
DELIVERED = (".zip", ".shp", ".gpkg", ".gdb", ".xlsx", ".xls", ".txt", ".rar", ".7z", ".mdb", ".vct")
COUNTS = ("rows", "taken", "changed", "unchanged", "refused", "deleted", "gone")


def load_folder(folder, district: str, year: int, *, replace: bool = False, by=None, progress=None) -> dict:
    """Load every delivery of the folder that is recognised; one report of all.

    Each delivery is a transaction of its own. Where one is refused whole, the loading stops and says so; those before
    it stay. `progress(step, steps, name, done, total)` is called as rows are read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(_("%(path)s is no folder.") % {"path": folder}, _("Name the folder of the deliveries."))
    if not District.objects.filter(pk=district).exists():
        raise NotFound(
            _("There is no district %(code)s.") % {"code": district},
            _("Found it first: manage.py found_district --district %(code)s.") % {"code": district},
        )
    told: dict = {"folder": str(folder), "district": district, "survey": year, "deliveries": [], "not_read": []}
    told["stopped"] = None
    with ExitStack() as stack:
        steps = _steps(folder, stack, told["not_read"])
        if not steps:
            raise InputUnreadable(
                _("The folder %(path)s holds no delivery that is recognised.") % {"path": folder},
                _("inspect_layer says of one file what it is."),
            )
        for number, (name, container, layer) in enumerate(steps):
            title = f"{container.path.name} · {layer}" if layer else container.path.name

            def moved(done, total, number=number, title=title):
                progress(number, len(steps), title, done, total)

            try:
                result = load(
                    container.path,
                    name,
                    district,
                    year,
                    layer=layer,
                    replace=replace,
                    by=by,
                    progress=moved if progress else None,
                    container=container,
                )
            except GeoinvError as error:
                told["stopped"] = {
                    "file": container.path.name,
                    "layer": layer,
                    "profile": name,
                    "code": error.code,
                    "message": str(error).strip(),
                    "left": len(steps) - number - 1,
                }
                break
            told["deliveries"] += result.pop("layers", [result])
    told |= {count: sum(one[count] for one in told["deliveries"]) for count in COUNTS}
    told["seconds"] = round(sum(one["seconds"] for one in told["deliveries"]), 3)
    return told


def _steps(folder: Path, stack: ExitStack, not_read: list[dict]) -> list[tuple[str, opening.Container, str | None]]:
    """What is to be loaded, in order: (profile, container, layer), None for a whole workbook of enterprises."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or (path.is_dir() and not (path / opening.GEODATABASE).is_file()):
            continue
        if path.suffix[1:].casefold() in opening.PARTS[1:]:  # of a loose shapefile, which its .shp stands for
            continue
        try:
            container = stack.enter_context(opening.opened(path))
        except InputUnreadable as error:
            if path.suffix.casefold() in DELIVERED or path.is_dir():
                not_read.append({"file": path.name, "layer": None, "why": str(error).strip()})
            continue
        seen = []
        for layer in container.layers:
            name = _profile(layer)
            if name is None:
                not_read.append({"file": path.name, "layer": layer.place, "why": _("No profile fits the layer.")})
            else:
                seen.append((name, layer.place))
        if sum(name in BOOK for name, _place in seen) > 1 and any(name == BOOK[0] for name, _place in seen):
            found.append((BOOK[0], container, None))
            seen = [one for one in seen if one[0] not in BOOK]
        found += [(name, container, place) for name, place in seen]
    return sorted(found, key=lambda one: ORDER.index(one[0]))


def _profile(layer: opening.Layer) -> str | None:
    """The profile of a layer: by its name, else by its columns."""
    for one in profiles().values():
        if layer.name.upper() in {name.upper() for name in one.layers}:
            return one.name
    try:
        found = best(layer.name, [column.name for column in inspected(layer).table.columns])
    except InputUnreadable:
        return None
    return found.profile.name if found and not found.missing else None
