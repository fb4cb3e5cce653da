"""Every error that geoinv raises on purpose, each with the exit code a command ends with."""

from django.utils.translation import gettext_lazy as _


class GeoinvError(Exception):
    """The base of all: a sentence that says what and where, and a hint that says what to do.

    `message` and `hint` are translated texts (lazy ones included); `code` is a stable name that programs read.
    """

    code = "error"
    exit_code = 1
    told: tuple[str, ...] = ()  # those of `details` that programs are told beside the sentence

    def __init__(self, message, hint="", *, code: str | None = None, **details):
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class Refused(GeoinvError):
    """The request is understood and may not be carried out: a rule of the house stands against it."""

    code = "refused"
    exit_code = 1


class Stale(Refused):
    """What is to be changed was changed by somebody else meanwhile; `details["theirs"]` is how it stands now.

    `details["base"]`, where it is known, is how it was when the caller began.
    """

    code = "stale"
    told = ("theirs", "base")


class Outdated(Stale):
    """The same, of a caller who made the version a condition of his request (If-Match)."""


class Impossible(Refused):
    """What was asked for cannot be done with these shapes; `details["at"]` is the place where, if there is one."""

    code = "reshape"
    told = ("at",)


class Unfit(Refused):
    """A record may not be stored as it is; `details["problems"]` says why, each with what to do."""

    code = "problems"
    told = ("problems",)


class NotAllowed(GeoinvError, PermissionError):
    """This user may not do or see this."""

    code = "not-allowed"
    exit_code = 1


class UsageError(GeoinvError, ValueError):
    """An argument, option or query parameter is wrong."""

    code = "usage"
    exit_code = 2


class UnknownName(UsageError, LookupError):
    """A name that stands for nothing here: a layer, a field, a check, a collection."""

    code = "unknown-name"

    def __init__(self, name: str, known, kind):
        known = sorted(map(str, known))
        super().__init__(
            _("There is no %(kind)s “%(name)s”.") % {"kind": kind, "name": name},
            _("Known are: %(known)s.") % {"known": ", ".join(known)},
            name=name,
            known=known,
        )

    __str__ = GeoinvError.__str__  # LookupError would quote the text


class CriteriaError(UsageError):
    """A criteria file that may not be loaded: which file, which rule, which place, and what was meant."""

    code = "criteria"


class NotFound(GeoinvError, LookupError):
    """No such record, or none that this user may see: the two are not told apart."""

    code = "not-found"
    exit_code = 2
    __str__ = GeoinvError.__str__


class InputUnreadable(GeoinvError, OSError):
    """A file that cannot be read as what it should be."""

    code = "unreadable"
    exit_code = 3
    __str__ = GeoinvError.__str__


class Broken(GeoinvError, RuntimeError):
    """A fault of geoinv itself, whatever it was given: what broke is in the log."""

    code = "broken"


class NoDatabase(GeoinvError, ConnectionError):
    """No database, or a library that is not there."""

    code = "no-database"
    exit_code = 4
    __str__ = GeoinvError.__str__


class Busy(GeoinvError, BlockingIOError):
    """Another run holds the lock."""

    code = "busy"
    exit_code = 75
    __str__ = GeoinvError.__str__
