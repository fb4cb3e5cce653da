"""The command that moves records of low-efficiency land from one state to the next."""

from datetime import date

from django.utils.translation import gettext as _

from units.errors import UnknownName, UsageError
from units.models import Determination, User
from units.moving import move_all
from units.terminal import GeoinvCommand
from units.workflow import RESULTS, STATES


class Command(GeoinvCommand):
    help = "Move records to a state, as a person whose role and place allow it; each step is kept for ever."
    example = 'manage.py move 120104DX000012 --to dropped --by office --reason "已拆除" --document "现场核查记录"'

    def add_arguments(self, parser):
        parser.add_argument("codes", nargs="+", metavar="CODE", help="Records, by their codes or those of their land.")
        parser.add_argument("--to", required=True, choices=STATES, help="The state to move to.")
        parser.add_argument("--by", required=True, help="Who moves: the name of an account.")
        parser.add_argument("--reason", default="", help="The written reason.")
        parser.add_argument("--comment", default="", help="What is to be mended, when a record is sent back.")
        parser.add_argument("--result", default="", choices=("", *RESULTS), help="The decision, when determining.")
        parser.add_argument("--subtype", default="", help="The sub-type of low-efficiency residential land.")
        parser.add_argument("--document", default="", metavar="TITLE", help="The paper it rests on.")
        parser.add_argument("--number", default="", help="The number of that paper.")
        parser.add_argument("--dated", default="", metavar="YYYY-MM-DD", help="The date of that paper.")
        parser.add_argument("--lead", default="", help="The lead department's code, when assigning without a campaign.")
        parser.add_argument("--due", default="", metavar="YYYY-MM-DD", help="When that form is due.")
        parser.add_argument(
            "--warned", action="append", default=[], choices=["idle"], help="Say that a warning was read."
        )

    def run(self, *args, **options) -> dict:
        by = User.objects.filter(username=options["by"], is_active=True).first()
        if by is None:
            raise UnknownName(options["by"], [], _("account"))
        told = {name: options[name] for name in ("reason", "comment", "result", "subtype", "warned")}
        if options["document"]:
            dated = day(options["dated"]) if options["dated"] else None
            told["document"] = {"title": options["document"], "number": options["number"], "dated": dated}
        if options["lead"]:
            told["form"] = {"lead": options["lead"], "due_on": day(options["due"])}
        result = move_all(options["codes"], options["to"], by, **told)
        if result["refused"]:
            self.exit_code = 1
        return result

    def text(self, result: dict) -> str:
        title = Determination.State(result["to"]).label
        lines = [_("%(code)s: now “%(state)s”.") % {"code": code, "state": title} for code in result["moved"]]
        lines += [f"{one['code']}: {one['message']} {one['hint']}".strip() for one in result["refused"]]
        return "\n".join(lines)


def day(text: str) -> date:
    """A day as YYYY-MM-DD; UsageError otherwise."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(_("“%(text)s” is no day.") % {"text": text[:20]}, _("Write it as 2027-01-31.")) from None
