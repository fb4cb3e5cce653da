"""Load a folder of deliveries in the order in which one needs the other."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.translation import gettext as _

from importers import opening
from importers.beside import Beside
from importers.inspecting import recognised
from importers.loading import BOOK, load
from units.errors import GeoinvError, InputUnreadable, NotFound, UsageError
from units.models import District

ORDER = (
    "district",
    "dltb",
    "zd",
    "building",
    "control",
    "czcdyd",
    "cjdcq",
    "dltb2",
    "dcdytb",
    "hebei_lowuse",
    "legacy",
    "enterprise",
    "enterprise_year",
    "occupancy",
    "contract",
    "benchmark",
    "sector_list",
    "violation",
    "use_state",
)
COUNTS = ("rows", "taken", "changed", "unchanged", "refused", "deleted", "gone")
MACOS = "__MACOSX"


@dataclass(frozen=True)
class Step:
    """One loading: a layer of a container by its profile, or the sheets (profile, place) of a workbook together."""

    name: str
    container: opening.Container
    file: str
    layer: opening.Layer | None = None
    sheets: tuple[tuple[str, opening.Layer], ...] = ()

    @property
    def title(self) -> str:
        return f"{self.file} · {self.layer.place}" if self.layer else self.file

    @property
    def layers(self) -> tuple[tuple[str, opening.Layer], ...]:
        return self.sheets or ((self.name, self.layer),)


def load_folder(folder, district: str, year: int, *, replace: bool = False, by=None, progress=None) -> dict:
    """Load every delivery of the folder that is recognised; one report of all.

    Each delivery is a transaction of its own. Where one is refused whole, the loading stops and says so; those before
    it stay. Sub-folders are looked into. A layer or sheet is known by its name, else by its columns; what came in
    several files is one delivery, none of which takes the rows of another away. `not_read` lists every other file,
    layer, sheet and member of a zip, with the reason.
    `progress(step, steps, name, done, total)` is called as rows are read.
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
        others = _others(steps)
        for number, step in enumerate(steps):

            def moved(done, total, number=number, title=step.title):
                progress(number, len(steps), title, done, total)

            try:
                result = load(
                    step.container.path,
                    step.name,
                    district,
                    year,
                    layer=step.layer and step.layer.place,
                    replace=replace,
                    by=by,
                    progress=moved if progress else None,
                    container=step.container,
                    sheets=[(name, layer.place) for name, layer in step.sheets] or None,
                    beside=others(step),
                )
            except GeoinvError as error:
                told["stopped"] = {
                    "file": step.file,
                    "layer": step.layer and step.layer.place,
                    "profile": step.name,
                    "code": error.code,
                    "message": str(error).strip(),
                    "left": len(steps) - number - 1,
                }
                break
            told["deliveries"] += result.pop("layers", [result])
    told |= {count: sum(one[count] for one in told["deliveries"]) for count in COUNTS}
    told["seconds"] = round(sum(one["seconds"] for one in told["deliveries"]), 3)
    return told


def _steps(folder: Path, stack: ExitStack, not_read: list[dict]) -> list[Step]:
    """What is to be loaded, in order; the sheets of a workbook of enterprises are one step."""
    found = []
    for path in containers_in(folder):
        file = path.relative_to(folder).as_posix()
        if path.is_symlink():
            not_read.append({"file": file, "layer": None, "why": _("It is a link, which is not followed.")})
            continue
        try:
            container = stack.enter_context(opening.opened(path))
        except InputUnreadable as error:
            not_read.append({"file": file, "layer": None, "why": str(error).strip()})
            continue
        not_read += [{"file": file, "layer": name, "why": why} for name, why in container.unread]
        seen = []
        for layer in container.layers:
            name, why = recognised(layer)
            if name is None:
                not_read.append({"file": file, "layer": layer.place, "why": why})
            else:
                seen.append((name, layer))
        book = tuple(one for name in BOOK for one in seen if one[0] == name)
        if len(book) > 1 and book[0][0] == BOOK[0]:
            found.append(Step(BOOK[0], container, file, sheets=book))
            seen = [one for one in seen if one not in book]
        found += [Step(name, container, file, layer) for name, layer in seen]
    return sorted(found, key=lambda one: ORDER.index(one.name))


def containers_in(folder: Path) -> Iterator[Path]:
    """The files of a folder and of those in it, and the geodatabases, which are folders.

    Links are among them, whatever they lead to, for somebody to be told of; none is followed.
    """
    entries = sorted(folder.iterdir())
    stems = {one.stem.casefold() for one in entries if one.suffix.casefold() == ".shp" and not one.is_symlink()}
    for path in entries:
        if opening.is_leftover(path.name) or path.name == MACOS:
            continue
        if path.is_symlink():
            yield path
        elif opening.is_companion(path.name, stems):
            continue
        elif not path.is_dir() or path.suffix.casefold() == ".gdb" or (path / opening.GEODATABASE).is_file():
            yield path
        else:
            yield from containers_in(path)


def _others(steps: list[Step]):
    """For a step, the layers of the other files that fill the same tables, with the digests of those files."""
    digest = cache(lambda path: opening.digest(next(one.container for one in steps if one.container.path == path)))
    of_profile = defaultdict(list)
    for step in steps:
        for name, layer in step.layers:
            of_profile[name].append((step, layer))

    def others(step: Step) -> list[Beside]:
        return [
            Beside(name, layer, digest(other.container.path))
            for name in dict.fromkeys(name for name, _layer in step.layers)
            for other, layer in of_profile[name]
            if other is not step
        ]

    return others
