"""What all commands share: one result on stdout as text or JSON, talk on stderr, the agreed exit codes."""

import json
import sys

from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError
from django.utils.translation import gettext
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from units.errors import GeoinvError, NoDatabase

INTERRUPTED = 130


class GeoinvCommand(BaseCommand):
    """A command that computes one plain dictionary in `run(**options)` and shows it by `text(result)`.

    `run` returns the result; when the result means findings or refusals it sets `self.exit_code = 1`.
    `example` is one line that can be pasted into a shell; it stands at the end of `--help`.
    Errors of `units.errors` end the command with their exit code and a sentence on stderr, never a traceback.
    """

    example = ""
    exit_code = 0
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name, subcommand, **kwargs):
        parser = super().create_parser(prog_name, subcommand, epilog=f"Example: {self.example}", **kwargs)
        parser.add_argument(
            "--format",
            choices=["text", "json"],
            default="text",
            help="How the result is printed on stdout (default: text).",
        )
        return parser

    def handle(self, *args, **options):
        try:
            result = self.run(*args, **options)
        except GeoinvError as error:
            self.fail(options["format"], error, error.exit_code)
        except OperationalError as error:
            self.fail(options["format"], error, NoDatabase.exit_code)
        except KeyboardInterrupt:
            self.stderr.write(gettext("Interrupted; nothing half-done was kept."))
            sys.exit(INTERRUPTED)
        if result is not None:
            if options["format"] == "json":
                self.stdout.write(json.dumps(result, ensure_ascii=False, cls=DjangoJSONEncoder))
            else:
                self.stdout.write(self.text(result))
        if self.exit_code:
            sys.exit(self.exit_code)

    def run(self, *args, **options) -> dict | None:
        raise NotImplementedError("a command says what it does in run()")

    def text(self, result: dict) -> str:
        """The result as a person reads it. The default is one `name: value` a line."""
        return "\n".join(f"{name}: {value}" for name, value in result.items())

    def fail(self, form: str, error: Exception, exit_code: int):
        """Say what went wrong on stderr (and, for programs, on stdout), then leave with the code."""
        self.stderr.write(str(error).strip())
        if form == "json":
            answer = {"error": getattr(error, "code", "no-database"), "message": str(error).strip()}
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
        sys.exit(exit_code)

    def progress(self) -> Progress:
        """A progress bar on stderr; it draws nothing where stderr is no terminal."""
        console = Console(stderr=True)
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
