"""The command that moves rows of any register from one state to the next."""

from datetime import date

from django.utils.translation import gettext as _

from units.errors import UnknownName, UsageError
from units.models import User
from units.moving import KINDS, move_all
from units.terminal import GeoinvCommand
from units.workflow import CHANGES, RECORD, REGISTERS, RESULTS


class Command(GeoinvCommand):
    help = "Move rows of a register to a state, all or none, as a person whose role and place allow it."
    example = 'manage.py move 120104DX000012 --to dropped --by office --reason "已拆除" --document "现场核查记录"'

    def add_arguments(self, parser):
        parser.add_argument("codes", nargs="+", metavar="CODE", help="Records, by their codes or those of their land.")
        parser.add_argument("--register", default=RECORD, choices=list(REGISTERS), help="Of which register they are.")
        parser.add_argument("--district", default="", help="The district, where two have the same code.")
        parser.add_argument("--to", required=True, metavar="STATE", help="The state to move to.")
        parser.add_argument("--by", required=True, help="Who moves: the name of an account.")
        parser.add_argument("--reason", default="", help="The written reason.")
        parser.add_argument("--comment", default="", help="What is to be mended, when a record is sent back.")
        parser.add_argument("--result", default="", choices=("", *RESULTS), help="The decision, when determining.")
        parser.add_argument("--subtype", default="", help="The sub-type of low-efficiency residential land.")
        parser.add_argument("--document", default="", metavar="TITLE", help="The paper it rests on.")
        parser.add_argument("--number", default="", help="The number of that paper.")
        parser.add_argument("--dated", default="", metavar="YYYY-MM-DD", help="The date of that paper.")
        parser.add_argument("--change", default="", choices=("", *CHANGES), help="Why a record is updated.")
        parser.add_argument("--plan", default="", help="The number of the plan item.")
        parser.add_argument(
            "--after",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="A value after redevelopment.",
        )
        parser.add_argument("--on", default="", metavar="YYYY-MM-DD", help="The day of a stage of a disposal.")
        parser.add_argument("--lead", default="", help="The lead department's code, when assigning without a campaign.")
        parser.add_argument("--due", default="", metavar="YYYY-MM-DD", help="When that form is due.")
        parser.add_argument(
            "--warned", action="append", default=[], choices=["idle"], help="Say that a warning was read."
        )

    def run(self, *args, **options) -> dict:
        by = User.objects.filter(username=options["by"], is_active=True).first()
        if by is None:
            raise UnknownName(options["by"], [], _("account"))
        told = {name: options[name] for name in ("reason", "comment", "result", "subtype", "warned", "change", "plan")}
        if options["document"]:
            dated = day(options["dated"]) if options["dated"] else None
            told["document"] = {"title": options["document"], "number": options["number"], "dated": dated}
        if options["on"]:
            told["on"] = day(options["on"])
        if options["after"]:
            told["after"] = dict(pair(one) for one in options["after"])
        if options["lead"]:
            told["form"] = {"lead": options["lead"], "due_on": day(options["due"])}
        about = {"register": options["register"], "district": options["district"]}
        result = move_all(options["codes"], options["to"], by, **about, **told)
        if result["refused"]:
            self.exit_code = 1
        return result | {"register": options["register"]}

    def text(self, result: dict) -> str:
        title = KINDS[result["register"]].title_of(result["to"])
        lines = [_("%(code)s: now “%(state)s”.") % {"code": code, "state": title} for code in result["moved"]]
        lines += [f"{one['code']}: {one['message']} {one['hint']}".strip() for one in result["refused"]]
        return "\n".join(lines)


def pair(text: str) -> tuple[str, str]:
    """NAME=VALUE; UsageError otherwise."""
    name, sign, value = text.partition("=")
    if not sign:
        raise UsageError(_("“%(name)s” is not what it should be.") % {"name": text[:40]}, "NAME=VALUE")
    return name, value


def day(text: str) -> date:
    """A day as YYYY-MM-DD; UsageError otherwise."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(_("“%(text)s” is no day.") % {"text": text[:20]}, _("Write it as 2027-01-31.")) from None
