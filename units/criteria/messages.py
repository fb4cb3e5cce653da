"""Turn a message template of a rule into SQL that fills in measures and parameters, and nothing else."""

import re
from dataclasses import dataclass
from string import Formatter

from django.utils.translation import gettext as _

from units.criteria.compiler import Compiled, Param, bindings, meant, nearest
from units.criteria.measures import BOOLEAN, MEASURES, NUMBER
from units.errors import CriteriaError

FORM = re.compile(r"\.(\d)([f%])")


@dataclass(frozen=True)
class Words:
    """What a message puts in the place of truth values, of what is unknown and between the items of a list."""

    key: str  # of the rule, which holds the template
    yes: str
    no: str
    unknown: str
    between: str


CHINESE = Words("message", "是", "否", "未知", "、")
ENGLISH = Words("message_en", "yes", "no", "unknown", ", ")


def compile_message(
    template: str, params: dict[str, Param], prefix: str, where: str, words: Words = CHINESE, measures=MEASURES
) -> Compiled:
    """The SQL of a text. `{far:.2f}` shows two decimals, `{share:.1%}` per cent, `{far_min}` the number as it is.

    Raises CriteriaError for an unknown name or another form.
    """
    parts: list[str] = []
    literals: dict[str, object] = {}
    used: dict[str, None] = {}
    used_params: dict[str, None] = {}

    def literal(text: str) -> str:
        key = f"{prefix}t{len(literals)}"
        literals[key] = text
        return f"%({key})s::text"

    try:
        fields = list(Formatter().parse(template))
    except ValueError as error:
        raise _fault(where, words, template, "", str(error)) from None
    for text, name, form, conversion in fields:
        if text:
            parts.append(literal(text))
        if name is None:
            continue
        if name in measures:
            kind, sql = measures[name].type, f"m.{name}"
            used[name] = None
        elif name in params:
            param = params[name]
            used_params[name] = None
            kind = param.type
            if param.many:
                items = ", ".join(f"%({key})s" for key in bindings({name: param}))
                kind, sql = "list", f"concat_ws({literal(words.between)}, {items})"
            else:
                sql = f"%(p_{name})s"
        else:
            known = [*measures, *params]
            fault = _("“%(name)s” is neither a measure nor a parameter.") % {"name": name}
            raise _fault(where, words, template, name, fault, meant(name, known), nearest(name, known))
        found = FORM.fullmatch(form or "")
        if conversion or (form and (kind != NUMBER or not found)):
            fault = _("“{%(name)s:%(form)s}” is no form.") % {"name": name, "form": form or ""}
            raise _fault(where, words, template, name, fault, _("Write {name}, {name:.2f} or {name:.1%}."))
        parts.append(_shown(sql, kind, found, words, literal))
    return Compiled(f"concat({', '.join(parts)})", literals, tuple(used), tuple(used_params))


def _fault(
    where: str, words: Words, template: str, name: str, fault: str, hint: str = "", near_to: str = ""
) -> CriteriaError:
    """The error for one place of a message."""
    column = max(0, template.find("{" + name)) + 1
    return CriteriaError(f"{where}, {words.key}: {fault}", hint, where=where, column=column, fault=fault, meant=near_to)


def _shown(sql: str, kind: str, form, words: Words, literal) -> str:
    if kind == NUMBER:
        value = f"({sql})::numeric"
        if form is None:
            text = f"trim_scale({value})::text"
        elif form[2] == "f":
            text = f"round({value}, {form[1]})::text"
        else:
            text = f"(round({value} * 100, {form[1]})::text || {literal('%')})"
    elif kind == BOOLEAN:
        text = f"CASE WHEN {sql} THEN {literal(words.yes)} WHEN NOT {sql} THEN {literal(words.no)} END"
    else:
        text = f"({sql})::text"
    return f"COALESCE({text}, {literal(words.unknown)})"
