"""List, read, check, draft, approve, retire and compare criteria sets."""

from pathlib import Path

from django.utils.translation import gettext as _

from units.criteria import sets, shelf
from units.errors import InputUnreadable, UnknownName, UsageError
from units.management.commands.flag import parsed
from units.models import CriteriaText, User
from units.rights import Grant, Role
from units.terminal import GeoinvCommand

OPERATOR = (Grant(Role.ANALYST),)  # who may run commands may read every set
NAMED = {"show": 1, "draft": 1, "save": 2, "discard": 1, "approve": 1, "retire": 1, "diff": 2}  # how many names
ACTIONS = ("list", "check", *NAMED)


class Command(GeoinvCommand):
    help = "List, read, check, draft, save, approve, retire and compare criteria sets, files and those of the database."
    example = "python manage.py criteria check nankai-2024"

    def add_arguments(self, parser):
        parser.add_argument(
            "action",
            choices=ACTIONS,
            help="list · check [NAME or FILE.toml …] · show NAME · diff NAME NAME (or digests of editions)"
            " · draft NAME · save NAME FILE.toml · discard NAME · approve NAME · retire NAME",
        )
        parser.add_argument("names", nargs="*", metavar="NAME", help="Names of sets; for check and save also files.")
        parser.add_argument("--district", default="", help="Code of the district (GB/T 2260), such as 120104.")
        parser.add_argument("--parent", default="", help="With draft: the set that it refines.")
        parser.add_argument("--copy-of", default="", help="With draft: the set that it is a copy of.")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            dest="overrides",
            help="With draft: another value of a parameter. May be given more than once; lists with commas.",
        )
        parser.add_argument("--by", default="", metavar="USER", help="Account of the person who does it.")
        parser.add_argument("--reason", default="", help="Why; kept for ever.")
        parser.add_argument("--document", default="", metavar="TITLE", help="With approve: the paper of the decision.")
        parser.add_argument("--number", default="", help="Number of the paper.")
        parser.add_argument("--issuer", default="", help="Who issued the paper.")

    def run(self, *args, action, names, **options):
        if action in NAMED and len(names) != NAMED[action]:
            raise UsageError(
                _("“criteria %(action)s” takes %(count)d names.") % {"action": action, "count": NAMED[action]}
            )
        return getattr(self, f"run_{action}")(names, options)

    def run_list(self, names, options):
        if names:
            raise UsageError(_("“criteria list” takes no names."))
        return {"action": "list", "sets": shelf.listed(OPERATOR, options["district"] or None)}

    def run_check(self, names, options):
        checked = [self.checked(name, options["district"]) for name in names or sets.available()]
        self.exit_code = 1 if any(one["faults"] for one in checked) else 0
        return {"action": "check", "sets": checked}

    def checked(self, name: str, district: str) -> dict:
        if name.endswith(".toml"):
            found = shelf.check(read(name), name=Path(name).stem, district=district)
        elif name in sets.shipped():
            found = shelf.check(shelf.text_of(name), name=name, district=district)
        else:
            row = shelf.seen(name, OPERATOR)
            found = shelf.check(row.text, name=name, district=row.district_id)
        criteria = found.pop("criteria")
        return {"name": name, "rules": len(criteria.rules) if criteria else None, **found}

    def run_show(self, names, options):
        criteria = sets.load(names[0])
        return {
            "action": "show",
            "name": criteria.id,
            "title": sets.in_words(criteria.title, criteria.title_en),
            "status": criteria.status,
            "official": criteria.official,
            "example": criteria.example,
            "district": criteria.district,
            "parent": criteria.parent,
            "digest": criteria.digest,
            "rules": [rule.id for rule in criteria.rules],
            "areas": [{"id": area.id, "streets": list(area.streets)} for area in criteria.areas],
            "changes": [
                {**one, "before": sayable(one["before"]), "after": sayable(one["after"])}
                for one in sets.changes(criteria)
            ],
            "text": shelf.text_of(names[0]),
        }

    def run_diff(self, names, options):
        return {"action": "diff", **shelf.diff(*names)}

    def run_draft(self, names, options):
        values = parsed(options["overrides"])
        row = shelf.draft(
            names[0],
            district=options["district"],
            by=person(options["by"]),
            reason=options["reason"],
            parent=options["parent"],
            copy_of=options["copy_of"],
            values=values,
        )
        return told("draft", row)

    def run_save(self, names, options):
        row = shelf.save(names[0], read(names[1]), by=person(options["by"]), version=None)
        self.exit_code = 1 if row.faults else 0
        return told("save", row)

    def run_discard(self, names, options):
        shelf.discard(names[0], by=person(options["by"]))
        return {"action": "discard", "name": names[0]}

    def run_approve(self, names, options):
        paper = {"title": options["document"], "number": options["number"], "issuer": options["issuer"]}
        row = shelf.approve(names[0], by=person(options["by"]), document=paper, reason=options["reason"])
        return told("approve", row)

    def run_retire(self, names, options):
        return told("retire", shelf.retire(names[0], by=person(options["by"]), reason=options["reason"]))

    def text(self, result):
        return "\n".join(getattr(self, f"text_{result['action']}", line)(result))

    def text_list(self, result):
        for one in result["sets"]:
            place = _("file") if one["file"] else one["district"]
            marks = [_("example")] if one["example"] else []
            marks += [_("%(count)d faults") % {"count": one["faults"]}] if one["faults"] else []
            status = str(CriteriaText.Status(one["status"]).label)
            told = "  ".join([one["name"], status, place, one["digest"][:12], *marks])
            yield f"{told}\n    {one['title']}"

    def text_check(self, result):
        for one in result["sets"]:
            if not one["faults"]:
                yield _("%(name)s: good, %(rules)d rules, %(digest)s") % {**one, "digest": one["digest"][:12]}
            for fault in one["faults"]:
                place = f"{fault['file']}:{fault['line']}:{fault['column']}" if fault["line"] else fault["file"]
                yield f"{place}: {fault['place']}: {fault['message']} {fault['hint']}".rstrip()

    def text_show(self, result):
        yield f"{result['name']}  {result['title']}  {result['status']}  {result['digest'][:12]}"
        for one in result["changes"]:
            yield f"    {one['name']}: {one['before']} → {one['after']}  ({one['reason']})"
        yield ""
        yield result["text"]

    def text_diff(self, result):
        for one in result["params"]:
            yield f"{one['name']}: {one['a']} → {one['b']}"
        for one in result["rules"]:
            yield f"{one['id']}: {CHANGES[one['change']]()}"
            yield from (f"    {key}: {before} → {after}" for key, (before, after) in one["fields"].items())
        if not result["params"] and not result["rules"]:
            yield _("The two sets have the same parameters and rules.")


CHANGES = {"added": lambda: _("added"), "removed": lambda: _("removed"), "changed": lambda: _("changed")}


def line(result: dict):
    """What was done to one text."""
    yield "  ".join(str(result[key]) for key in ("name", "status", "version", "digest") if result.get(key))
    for fault in result.get("faults", ()):
        yield f"    {fault['line'] or ''}: {fault['message']} {fault['hint']}".rstrip()


def told(action: str, row: CriteriaText) -> dict:
    found = {name: getattr(row, name) for name in ("name", "status", "version", "digest", "parent", "faults")}
    return {"action": action, "district": row.district_id, **found}


def sayable(value):
    return list(value) if isinstance(value, tuple) else value


def person(name: str) -> User:
    if not name:
        raise UsageError(_("Say with --by who does it."))
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None:
        raise UnknownName(name, (), _("account"))
    return found


def read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputUnreadable(_("%(path)s is not UTF-8.") % {"path": path}, _("Save it as UTF-8.")) from None
    except OSError as error:
        raise InputUnreadable(
            _("%(path)s cannot be read: %(fault)s") % {"path": path, "fault": error.strerror}
        ) from None
