#!/usr/bin/env python
"""Run one geoinv command; the private database is started first when it is needed."""

import os
import sys
from pathlib import Path

LOCAL_DIR = Path(__file__).resolve().parent / ".local"
# These work without a database.
WITHOUT_DATABASE = {"", "help", "--help", "-h", "--version", "version", "makemessages", "compilemessages", "findstatic"}
# These have rows checked by processes of their own, which are loaded while Django is.
WITH_WORKERS = {"import_layer", "load_folder"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "geoinv.settings")
    try:
        import django
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from django.db import OperationalError

        from geoinv import database
        from units.errors import NoDatabase
    except ModuleNotFoundError as error:
        if error.name not in {"django", "psycopg"}:
            raise
        print("Django 还没有安装，请先运行 script/setup。 Django is not here: run script/setup.", file=sys.stderr)
        sys.exit(4)

    command = (sys.argv + [""])[1]
    try:
        if command in WITHOUT_DATABASE or {"--help", "-h"} & set(sys.argv[2:]):
            execute_from_command_line(sys.argv)
            return
        database.named(os.environ, LOCAL_DIR)
        if command in WITH_WORKERS:
            from importers import workers

            workers.ready()
        django.setup()  # from here on messages are translated
        database.ready(os.environ, LOCAL_DIR)
        execute_from_command_line(sys.argv)
    except (NoDatabase, ImproperlyConfigured) as error:
        print(error, file=sys.stderr)
        sys.exit(NoDatabase.exit_code)
    except OperationalError as error:
        print(database.unreachable(error), file=sys.stderr)
        sys.exit(NoDatabase.exit_code)


if __name__ == "__main__":
    main()
