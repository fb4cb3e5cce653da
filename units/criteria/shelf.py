"""Draft, check, approve and retire criteria sets, beside the sets that are files."""

import difflib
import json
import time
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from units.criteria import judging, sets
from units.criteria.places import Places
from units.criteria.sets import At, Criteria, Source
from units.errors import CriteriaError, NotAllowed, NotFound, Refused, Stale, Unfit, UnknownName, UsageError
from units.models import CriteriaEdition, CriteriaText, District, Document, FlagRun, Move, Street, User
from units.rights import Grant, Role, may, view

DRAFTERS = frozenset({Role.OFFICE})
APPROVERS = (Role.DISTRICT, Role.BUREAU)  # the lead and co departments write, these consent (NJ023)
SAID = {True: "yes", False: "no", None: "unknown"}  # as cases write it
MOST_WAITED = "2s"  # for the cases of one text
LONGEST = 2000  # characters of a reason

Status = CriteriaText.Status


# --- reading ------------------------------------------------------------------------------------------------------


def listed(grants: Iterable[Grant], district: str | None = None) -> list[dict]:
    """Every set that someone with these grants sees: all files, and the texts of his districts."""
    rows = view(grants, "criteria", ()).rows
    if rows.never:
        return []
    texts = CriteriaText.objects.filter(rows.q()).select_related("made_by", "edited_by", "approved_by", "document")
    texts = {row.name: row for row in texts.defer("text", "whole")}
    used = FlagRun.objects.filter(rows.q()).values("edition__name").annotate(last=Max("ran_at"))
    used = {run["edition__name"]: run["last"] for run in used}
    found = []
    for heading in sets.headings():
        row = texts.get(heading.name)
        if heading.file or row is not None and district in (None, row.district_id):
            found.append(_line(heading, None if heading.file else row, used.get(heading.name)))
    return found


def _line(heading: sets.Heading, row: CriteriaText | None, used) -> dict:
    line = {
        "name": heading.name,
        "title": sets.in_words(heading.title, heading.title_en),
        "status": heading.status,
        "official": heading.official,
        "example": heading.example,
        "district": heading.district,
        "parent": heading.parent,
        "digest": heading.digest,
        "valid_from": heading.valid_from,
        "file": heading.file,
        "flags": heading.flags,
        "faults": heading.faults,
        "used": used,
    }
    for name in ("made_by", "edited_by", "approved_by"):
        person = getattr(row, name) if row else None
        line[name] = (person.get_full_name() or person.username) if person else ""
    for name in ("made_at", "edited_at", "approved_at", "retired_at", "version"):
        line[name] = getattr(row, name) if row else None
    line["reason"] = row.reason if row else ""
    line["document"] = str(row.document) if row and row.document else ""
    return line


def seen(name: str, grants: Iterable[Grant]) -> CriteriaText | None:
    """The text of that name, None where it is a file; NotFound when there is none that these grants see."""
    rows = view(grants, "criteria", ()).rows
    if not rows.never:
        if name in sets.shipped():
            return None
        row = CriteriaText.objects.filter(rows.q(), name=name).first()
        if row is not None:
            return row
    raise NotFound(_("There is no criteria set “%(name)s”.") % {"name": name}, _("See the list of criteria sets."))


def text_of(name: str) -> str:
    """What the set itself says, without its parents."""
    row = CriteriaText.objects.filter(name=name).first() if name not in sets.shipped() else None
    if row is not None:
        return row.text
    return sets.load(name).text.split(f"{sets.MARK}{name}\n", 1)[1]


def edition(digest: str) -> Criteria:
    """The set that a run was judged by, whatever became of its file since."""
    row = CriteriaEdition.objects.filter(digest=digest).first()
    if row is None:
        raise NotFound(_("No run was judged by an edition of this digest."), _("A digest has 64 digits and letters."))
    return sets.restore(row.text)


def free_name(name: str) -> str:
    """A name for a set that is made from this one."""
    taken = set(sets.available())
    stem = name[: sets.MAX_NAME - 8].rstrip("-")
    return next(made for number in range(1, 1000) if (made := f"{stem}-v{number}") not in taken)


# --- checking -----------------------------------------------------------------------------------------------------


def check(text: str, *, name: str = "", district: str = "") -> dict:
    """Read a text as a set would be read and prove its cases; nothing else is run, nothing is written.

    Its parents are kept from the last time. Result: {faults[], criteria or None, digest, milliseconds}; a fault is
    {file, place, line, column, rule, key, at, message, hint, meant}.
    """
    began = time.monotonic()
    criteria, faults = None, []
    try:
        name = name or _named(text)
        found = sets.read(sets.above(Source(name, text)))
        faults = [*_unproved(found, text), *_elsewhere(found, text, district)]
        criteria = None if faults else found
    except CriteriaError as error:
        faults = error.details.get("faults") or [sets.fault_of(error)]
    except UnknownName as error:  # a parent of another district, or one that went meanwhile
        faults = [sets.fault_of(error)]
    return {
        "faults": faults,
        "criteria": criteria,
        "digest": criteria.digest if criteria else "",
        "milliseconds": round((time.monotonic() - began) * 1000, 1),
    }


def _named(text: str) -> str:
    """The id that the text gives itself; where none can be read any name does, for the text is refused."""
    try:
        found = tomllib.loads(sets.canonical(text[: sets.MAX_TEXT]))["criteria"]["id"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return "draft"
    return found if isinstance(found, str) and sets.SET_NAME.fullmatch(found) else "draft"


def _unproved(criteria: Criteria, text: str) -> list[dict]:
    """The cases of the set's own rules that PostgreSQL answers otherwise; those of its parents were proved before."""
    own = replace(criteria, rules=tuple(rule for rule in criteria.rules if rule.origin == criteria.id))
    found = []
    for rule, case, expected, answered in _answers(own):
        if expected is None and answered == "":
            fault = _("The database cannot work it out: a value is too large.")
        else:
            fault = _("expected is %(expected)s, the rule says %(answered)s.") % {
                "expected": SAID[expected],
                "answered": SAID[answered],
            }
        path = _path_of(text, rule, case)
        at = At(f"{rule.origin}.toml", f"rule {rule.id}, case “{case}”", path, rule.id)
        found.append(at.wrong(fault, _("Put the rule or the case right.")))
    return sets.faults_of(found, text)


def _answers(own: Criteria) -> list:
    """(rule, case, expected, answered) of the cases that fail."""
    try:
        return _asked(own)
    except DataError:
        found = []
        for rule in own.written:  # which one is it?
            try:
                found += _asked(replace(own, rules=(rule,), areas=()))
            except DataError:
                found.append((rule, rule.cases[0].name, None, ""))
        return found


def _asked(own: Criteria) -> list:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, TRUE)", [MOST_WAITED])
        found = judging.failing_cases(cursor, own)
        cursor.execute("SELECT set_config('statement_timeout', '0', TRUE)")
        return found


def _path_of(text: str, rule: sets.Rule, case: str) -> tuple[str | int, ...]:
    """Where the case stands in the tables of the text."""
    tables, before = tomllib.loads(sets.canonical(text)), ()
    if rule.area:
        place = next(place for place, area in enumerate(tables["area"]) if area["id"] == rule.area)
        tables, before = tables["area"][place], ("area", place)
    for place, table in enumerate(tables.get("rule", ())):
        if table["id"] == rule.id:
            number = next(number for number, one in enumerate(table["case"]) if one["name"] == case)
            return (*before, "rule", place, "case", number)
    return ()


def _elsewhere(criteria: Criteria, text: str, district: str) -> list[dict]:
    """What does not fit the district: a parent of another one, and streets that are not there."""
    file, errors = f"{criteria.id}.toml", []
    if district and criteria.parent:
        of = CriteriaText.objects.filter(name=criteria.parent).values_list("district_id", flat=True).first()
        if of not in (None, district):
            at = At(file, "[criteria] parent", ("criteria", "parent"))
            errors.append(at.wrong(_("The parent is of another district (%(district)s).") % {"district": of}))
    streets = {street for area in criteria.areas for street in area.streets}
    rows = Street.objects.filter(code__in=streets)
    known = set((rows.filter(district=district) if district else rows).values_list("code", flat=True))
    for place, area in enumerate(one for one in criteria.areas if one.origin == criteria.id):
        for street in area.streets:
            if street not in known:
                at = At(file, f"area {area.id} streets", ("area", place, "streets"))
                fault = _("There is no street %(street)s in the district.") % {"street": street}
                errors.append(at.wrong(fault, _("The rules of the area would never run.")))
    return sets.faults_of(errors, text)


# --- writing ------------------------------------------------------------------------------------------------------


@transaction.atomic
def draft(
    name: str,
    *,
    district: str,
    by: User,
    reason: str,
    parent: str = "",
    copy_of: str = "",
    title: str = "",
    values: Mapping[str, str] | None = None,
) -> CriteriaText:
    """A new draft of a district: on top of a parent, from which it differs in `values` alone, or a copy of a set.

    Raises UsageError for a name that is taken or none, UnknownName for a set or parameter that is not there, NotAllowed
    for who is not of the task-force office.
    """
    place = District.objects.filter(code=district).first()
    if place is None:
        raise UnknownName(district, District.objects.values_list("code", flat=True), _("district"))
    _allowed(by, DRAFTERS, district, _("Only the task-force office of the district drafts criteria."))
    reason = _reason(reason)
    _storable(title)
    if not sets.SET_NAME.fullmatch(name) or len(name) > sets.MAX_NAME:
        raise UsageError(_("“%(name)s” is no name of a set.") % {"name": name}, _("Names are like “nankai-2024”."))
    if name in sets.available():
        raise UsageError(
            _("There is a criteria set “%(name)s” already.") % {"name": name},
            _("Give it another name, such as “%(free)s”.") % {"free": free_name(name)},
        )
    if bool(parent) == bool(copy_of):
        raise UsageError(_("Name either a parent, to refine it, or a set to copy."))
    base = sets.load(parent or copy_of)
    if base.district not in ("", district):
        raise Refused(
            _("The criteria set “%(name)s” is of another district.") % {"name": base.id}, _("Copy the file of it.")
        )
    base = base.with_values(dict(values or {}))
    # A title of one's own stands for both languages, so that no reader takes the draft for the set it is based on.
    title_en = "" if title or not base.title_en else f"{base.title_en}: {name}"[:200]
    title = title or _title(base, name)
    titles = (title, title_en)
    changed = {key: base.params[key] for key in values or {}}
    text = _refining(name, titles, base, changed, reason) if parent else _copied(name, titles, base, changed, reason)
    row = CriteriaText(
        name=name,
        district=place,
        text=text,
        reason=reason,
        based_on=sets.load(parent or copy_of).digest,
        made_by=by,
        edited_by=by,
    )
    _checked(row)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:  # somebody took the name between the look and the write
        raise UsageError(_("There is a criteria set “%(name)s” already.") % {"name": name}) from None
    return row


@transaction.atomic
def save(name: str, text: str, *, by: User, version: int | None) -> CriteriaText:
    """Keep what was written, with what is wrong with it. Stale when somebody else saved since `version`."""
    row = _locked(name, by, DRAFTERS, _("Only the task-force office of the district drafts criteria."))
    _still_a_draft(row)
    _current(row, version)
    if len(text) > sets.MAX_TEXT:
        raise UsageError(
            _("The file has %(length)d characters; at most %(limit)d may be.")
            % {"length": len(text), "limit": sets.MAX_TEXT}
        )
    _storable(text)
    row.text, row.version, row.edited_by = text, row.version + 1, by
    _checked(row)
    row.save()
    return row


@transaction.atomic
def discard(name: str, *, by: User, version: int | None = None) -> None:
    """Delete a draft; its versions stay in the history."""
    row = _locked(name, by, DRAFTERS, _("Only the task-force office of the district drafts criteria."))
    _still_a_draft(row)
    _current(row, version)
    row.delete()


@transaction.atomic
def approve(
    name: str, *, by: User, document: Document | Mapping, reason: str, version: int | None = None
) -> CriteriaText:
    """Put a draft in force: from now on neither its text nor that of its parents changes for it.

    Raises Unfit with the faults of a faulty one, Refused for who wrote it himself and for a parent that is a draft.
    """
    row = _locked(name, by, APPROVERS, _("Only the district government or the municipal bureau approves criteria."))
    _still_a_draft(row)
    _current(row, version)
    reason = _reason(reason)
    wrote = CriteriaText.pgh_event_model.objects.filter(pgh_obj=row.pk, edited_by=by.pk).exists()
    if wrote or by.pk in (row.made_by_id, row.edited_by_id):
        raise Refused(
            _("Who wrote the criteria does not approve them."), _("Another person of the district government does.")
        )
    checked = check(row.text, name=row.name, district=row.district_id)
    if checked["faults"]:
        raise Unfit(
            _("The criteria set “%(name)s” has faults: %(count)d.") % {"name": name, "count": len(checked["faults"])},
            _("Put them right; `criteria check` tells where they are."),
            problems=checked["faults"],
        )
    criteria = checked["criteria"]
    if criteria.example:
        raise Refused(
            _("An example is not approved."), _("Take “example” out of the text: then it is a set of the district.")
        )
    parent = CriteriaText.objects.filter(name=row.parent).first() if row.parent not in sets.shipped() else None
    if parent is not None and parent.status != Status.APPROVED:
        raise Refused(
            _("The parent “%(name)s” is not approved (%(status)s).") % {"name": parent.name, "status": parent.status},
            _("Approve the parent first."),
        )
    row.text = _rewritten(sets.canonical(row.text), ("criteria", "status"), '"approved"')
    row.whole = sets.read(sets.above(Source(name, row.text))).text
    row.digest = sets.restore(row.whole).digest
    row.document = _document(document, row, by)
    _move(row, Status.APPROVED, by, reason, row.document)
    row.status, row.approved_by, row.approved_at, row.approval = Status.APPROVED, by, timezone.now(), reason
    row.version, row.faults = row.version + 1, []
    row.save()
    return row


@transaction.atomic
def retire(
    name: str, *, by: User, reason: str, document: Document | Mapping | None = None, version: int | None = None
) -> CriteriaText:
    """Take an approved set out of force: nothing is flagged by it any more, and it stays readable."""
    row = _locked(name, by, APPROVERS, _("Only the district government or the municipal bureau retires criteria."))
    _current(row, version)
    if row.status != Status.APPROVED:
        raise Refused(
            _("The criteria set “%(name)s” is not approved (%(status)s).") % {"name": name, "status": row.status},
            _("A draft is discarded."),
        )
    reason = _reason(reason)
    _move(row, Status.RETIRED, by, reason, _document(document, row, by) if document else None)
    row.status, row.retired_by, row.retired_at, row.edited_by = Status.RETIRED, by, timezone.now(), by
    row.version += 1
    row.save(update_fields=["status", "retired_by", "retired_at", "edited_by", "edited_at", "version"])
    return row


def _locked(name: str, by: User, roles: Iterable[Role], words: str) -> CriteriaText:
    row = CriteriaText.objects.select_for_update().filter(name=name).first()
    if row is None:
        if name in sets.shipped():
            raise Refused(
                _("The criteria set “%(name)s” is a file and is not changed here.") % {"name": name},
                _("Make a draft on top of it."),
            )
        raise NotFound(_("There is no criteria set “%(name)s”.") % {"name": name}, _("See the list of criteria sets."))
    _allowed(by, roles, row.district_id, words)
    return row


def _allowed(by: User, roles: Iterable[Role], district: str, words: str) -> None:
    if not may(by.grants(), roles, district):
        raise NotAllowed(words)


def _still_a_draft(row: CriteriaText) -> None:
    if row.status != Status.DRAFT:
        raise Refused(
            _("The criteria set “%(name)s” is %(status)s and does not change.")
            % {"name": row.name, "status": row.get_status_display()},
            _("Make a draft on top of it, or a copy under another name."),
        )


def _current(row: CriteriaText, version: int | None) -> None:
    if version is not None and version != row.version:
        raise Stale(
            _("Somebody else saved the draft “%(name)s” meanwhile.") % {"name": row.name},
            _("Read what they wrote, then save again."),
            theirs={"version": row.version, "text": row.text, "edited_by": row.edited_by.username},
        )


def _reason(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise UsageError(_("A reason is missing."))
    if len(reason) > LONGEST:
        raise UsageError(_("A reason has at most %(limit)d characters.") % {"limit": LONGEST})
    _storable(reason)
    return reason


def _storable(text: str) -> None:
    """Refuse what the database can hold no text of: NUL, and halves of characters."""
    if "\0" in text or any("\ud800" <= one <= "\udfff" for one in text):
        raise UsageError(_("A text may hold no NUL."))


def _checked(row: CriteriaText) -> None:
    """Keep beside the text what is wrong with it, and what it calls itself."""
    checked = check(row.text, name=row.name, district=row.district_id)
    row.faults = checked["faults"]
    try:
        head = tomllib.loads(sets.canonical(row.text)).get("criteria", {})
    except (ValueError, RecursionError):
        return  # a fault says so; title and parent stay what they were
    if isinstance(head, dict):
        title, parent = head.get("title"), head.get("parent", "")
        row.title = title[:200] if isinstance(title, str) else row.title
        row.parent = parent if isinstance(parent, str) and len(parent) <= sets.MAX_NAME else ""


def _document(given: Document | Mapping, row: CriteriaText, by: User) -> Document:
    """The paper of the decision: one that is kept, or a new one of the district."""
    if isinstance(given, Document):
        if given.district_id != row.district_id:
            raise UsageError(_("The document is of another district."))
        return given
    given = dict(given or {})
    if not str(given.get("title") or "").strip():
        raise UsageError(_("The document of the decision is missing."), _("Give at least its title."))
    unknown = set(given) - {"title", "number", "issuer", "dated"}
    if unknown:
        raise UnknownName(sorted(unknown)[0], ("title", "number", "issuer", "dated"), _("field"))
    return Document.objects.create(
        district_id=row.district_id, added_by=by, **{key: value for key, value in given.items() if value}
    )


def _move(row: CriteriaText, to: str, by: User, reason: str, document: Document | None) -> Move:
    role = next(role for role in APPROVERS if may(by.grants(), (role,), row.district_id))
    return Move.objects.create(
        register=Move.Register.CRITERIA,
        subject=row.name,
        district_id=row.district_id,
        from_state=row.status,
        to_state=to,
        by=by,
        role=role,
        document=document,
        comment=reason,
        details={"digest": row.digest},
    )


# --- texts --------------------------------------------------------------------------------------------------------


def written(value) -> str:
    """A value as TOML writes it."""
    if isinstance(value, tuple):
        return "[" + ", ".join(written(one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return json.dumps(value, ensure_ascii=False)


def _title(base: Criteria, name: str) -> str:
    return f"{base.title}：{name}"[:200]


def _refining(name: str, titles: tuple[str, str], base: Criteria, changed: Mapping, reason: str) -> str:
    lines = [
        "[criteria]",
        f"id = {written(name)}",
        f"title = {written(titles[0])}",
        *([f"title_en = {written(titles[1])}"] if titles[1] else []),
        f"parent = {written(base.id)}",
        f"valid_from = {timezone.localdate().isoformat()}",
        'status = "draft"',
        "official = false",
        "",
    ]
    return "\n".join(lines + [_param(param, reason) for param in changed.values()])


def _param(param: sets.Param, reason: str) -> str:
    lines = [
        f"[params.{param.name}]",
        f"value = {written(param.value)}",
        f"note = {written(param.note)}",
        *([f"note_en = {written(param.note_en)}"] if param.note_en else []),
        f"reason = {written(' '.join(reason.split()))}",
        "",
    ]
    return "\n".join(lines)


def _copied(name: str, titles: tuple[str, str], base: Criteria, changed: Mapping, reason: str) -> str:
    text = sets.canonical(text_of(base.id))
    title, title_en = titles
    head = {"id": name, "title": title, "title_en": title_en or title}
    for key, value in (head | {"status": "draft", "official": False, "example": False}).items():
        if ("criteria", key) in Places(text).values:
            text = _rewritten(text, ("criteria", key), written(value))
    for param in changed.values():
        path = ("params", param.name, "value")
        if path in Places(text).values:
            text = _rewritten(text, path, written(param.value))
        else:
            text += "\n" + _param(param, reason)
    return text


def _rewritten(text: str, path: tuple, value: str) -> str:
    """The text with another value at this place, all else as it was written."""
    places = Places(text)
    return text[: places.values[path]] + value + text[places.ends[path] :]


# --- comparing ----------------------------------------------------------------------------------------------------

RULE_FIELDS = ("effect", "categories", "subjects", "title", "basis", "confidence", "when", "message")
HEAD_FIELDS = ("id", "title", "parent", "valid_from", "status", "official", "example", "people")


def diff(one: Criteria | str, other: Criteria | str) -> dict:
    """What differs between two sets, given as they are, by name, or by the digest of an edition that was run."""
    a, b = _set(one), _set(other)
    params = [
        {"name": name, "a": _plain(a.params.get(name)), "b": _plain(b.params.get(name)), **_told(name, a, b)}
        for name in dict.fromkeys((*a.params, *b.params))
        if _plain(a.params.get(name)) != _plain(b.params.get(name))
    ]
    rules_a, rules_b = ({rule.id: rule for rule in criteria.rules} for criteria in (a, b))
    rules = []
    for name in dict.fromkeys((*rules_a, *rules_b)):
        before, after = rules_a.get(name), rules_b.get(name)
        if before is None or after is None:
            rules.append({"id": name, "change": "added" if before is None else "removed", "fields": {}})
            continue
        fields = {
            key: [getattr(before, key), getattr(after, key)]
            for key in RULE_FIELDS
            if getattr(before, key) != getattr(after, key)
        }
        if fields:
            rules.append({"id": name, "change": "changed", "fields": fields})
    areas_a, areas_b = ({area.id: area for area in criteria.areas} for criteria in (a, b))
    areas = [
        {"id": name, "change": "added" if name not in areas_a else "removed" if name not in areas_b else "changed"}
        for name in dict.fromkeys((*areas_a, *areas_b))
        if _of_area(areas_a.get(name)) != _of_area(areas_b.get(name))
    ]
    lines = difflib.unified_diff(a.text.splitlines(), b.text.splitlines(), a.id, b.id, lineterm="")
    return {
        "a": {"name": a.id, "digest": a.digest},
        "b": {"name": b.id, "digest": b.digest},
        "head": [
            {"name": key, "a": getattr(a, key), "b": getattr(b, key)}
            for key in HEAD_FIELDS
            if getattr(a, key) != getattr(b, key)
        ],
        "params": params,
        "rules": rules,
        "areas": areas,
        "text": "\n".join(lines),
    }


def _set(given: Criteria | str) -> Criteria:
    if isinstance(given, Criteria):
        return given
    is_digest = len(given) == 64 and set(given) <= set("0123456789abcdef")
    return edition(given) if is_digest else sets.load(given)


def _of_area(area: sets.Area | None):
    """What an area says itself, in any order."""
    return (area.title, sorted(area.streets), area.tables) if area else None


def _plain(param: sets.Param | None):
    if param is None:
        return None
    return list(param.value) if param.many else param.value


def _told(name: str, a: Criteria, b: Criteria) -> dict:
    param = b.params.get(name) or a.params[name]
    return {"uom": param.uom, "reason": param.reason}
