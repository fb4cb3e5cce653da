"""Write tables as .xlsx: one sheet a table, numbers as numbers, each with what it is of and how it was found."""

import io
import re
from collections.abc import Mapping

import xlsxwriter
from django.utils.translation import gettext as _

LONGEST_NAME = 31  # characters, by the format
FORMATS = {"count": "#,##0", "number": "#,##0.####", "share": "0.00%"}


def workbook(told: Mapping, facts: list[tuple[str, str]], groups: Mapping[str, str]) -> bytes:
    """The tables of `told` (see `statistics`); `facts` stand on the first sheet and on top of every other.

    Texts are written as texts: a name that begins with “=” is no formula and no link.
    """
    buffer = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        strong = book.add_format({"bold": True})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        forms = {kind: book.add_format({"num_format": form}) for kind, form in FORMATS.items()}
        last = {kind: book.add_format({"num_format": form, "bold": True, "top": 1}) for kind, form in FORMATS.items()}
        names: set[str] = set()
        front = book.add_worksheet(_name(_("Summary"), names))
        front.set_column(0, 0, 26)
        front.set_column(1, 1, 70)
        line = _head(front, 0, facts, strong) + 1
        for table in told["tables"]:
            sheet = book.add_worksheet(_name(f"{groups[table['group']]} {table['title']}", names))
            front.write_string(line, 0, sheet.get_name())
            front.write_string(line, 1, table["definition"], wrapped)
            line += 1
            _write(sheet, table, facts, strong, bold, wrapped, forms, last)
    return buffer.getvalue()


def _write(sheet, table: Mapping, facts, strong, bold, wrapped, forms, last) -> None:
    width = len(table["columns"])
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, width, 15)
    sheet.write_string(0, 0, table["title"], strong)
    line = _head(sheet, 1, facts, strong)
    sheet.write_string(line, 0, _("Definition"), strong)
    sheet.merge_range(line, 1, line, max(width, 2), table["definition"], wrapped)
    sheet.set_row(line, 60)
    line += 2
    sheet.write_string(line, 0, table["head"], bold)
    for number, column in enumerate(table["columns"], 1):
        title = f"{column['title']} ({column['uom']})" if column["uom"] else column["title"]
        sheet.write_string(line, number, title, bold)
    sheet.freeze_panes(line + 1, 1)
    for row in table["rows"]:
        line += 1
        _row(sheet, line, row, table["columns"], forms, None)
    if table["total"]:
        _row(sheet, line + 1, table["total"], table["columns"], last, strong)


def _head(sheet, line: int, facts: list[tuple[str, str]], strong) -> int:
    """Title and value, one a line; the next free line."""
    for title, value in facts:
        sheet.write_string(line, 0, str(title), strong)
        sheet.write_string(line, 1, str(value))
        line += 1
    return line


def _row(sheet, line: int, row: Mapping, columns: list[Mapping], forms: Mapping, label) -> None:
    sheet.write_string(line, 0, str(row["label"]), label)
    for number, column in enumerate(columns, 1):
        value = row.get(column["name"])
        if column["name"] in row.get("withheld", ()):
            sheet.write_string(line, number, _("withheld"))
        elif value is None:
            sheet.write_string(line, number, _("unknown"))
        else:
            sheet.write_number(line, number, value, forms[column["kind"]])


def _name(title: str, taken: set[str]) -> str:
    """A sheet's name: without the signs that the format refuses, short, and none twice."""
    plain = re.sub(r"[\[\]:*?/\\']", " ", title).strip() or "-"
    name, number = plain[:LONGEST_NAME], 2
    while name.lower() in taken:
        end = f" {number}"
        name, number = plain[: LONGEST_NAME - len(end)] + end, number + 1
    taken.add(name.lower())
    return name
