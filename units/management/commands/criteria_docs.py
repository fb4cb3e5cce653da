"""Write the documents of the criteria sets, or say which of them are not what the rules say."""

from django.utils import translation

from units.criteria.documenting import FOLDER, documents
from units.terminal import GeoinvCommand

LANGUAGE = "zh-hans"  # the documents are for the district


class Command(GeoinvCommand):
    help = (
        "Write units/criteria/docs/: every rule with its clause, condition in words and cases; --check only compares."
    )
    example = "python manage.py criteria_docs --check"

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true", help="Write nothing; end with 1 where a document differs.")

    def run(self, *args, **options):
        with translation.override(LANGUAGE):
            wanted = documents()
        found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
        differ = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        if not options["check"]:
            FOLDER.mkdir(exist_ok=True)
            for name in differ:
                if name in wanted:
                    (FOLDER / name).write_text(wanted[name], encoding="utf-8")
                else:
                    (FOLDER / name).unlink()
        self.exit_code = 1 if differ and options["check"] else 0
        return {"documents": sorted(wanted), "differ": differ, "written": not options["check"]}

    def text(self, result):
        return "\n".join(result["differ"]) or "\n".join(result["documents"])
