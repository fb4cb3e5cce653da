"""Tell at which line and column of a criteria file a table, a key or a character of a value stands."""

import bisect
import json
import re

BARE = re.compile(r"[A-Za-z0-9_-]+")
BLANK = re.compile(r"[ \t]*")
SKIPPED = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
FOLDED = re.compile(r"\\[ \t]*\n\s*")
TOKEN_END = re.compile(r"[,\]\}\n#]")

Path = tuple[str | int, ...]


class Places:
    """The places of a text that is good TOML with line feeds: `("rule", 2, "when")` is the condition of the third."""

    def __init__(self, text: str):
        self.text = text
        self.lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self.keys: dict[Path, int] = {}
        self.values: dict[Path, int] = {}
        self.ends: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}
        self._read()

    def place(self, path: Path, character: int | None = None) -> tuple[int, int] | None:
        """(line, column), both from 1, of what the path names, else of the nearest table above it that is there.

        With `character` the place of that character (from 0) of the text that stands there.
        """
        for length in range(len(path), 0, -1):
            found = path[:length]
            if length == len(path) and character is not None and found in self.values:
                return self.at(self.character(found, character))
            if found in self.keys:
                return self.at(self.keys[found])
        return None

    def at(self, offset: int) -> tuple[int, int]:
        line = bisect.bisect_right(self.lines, offset)
        return line, offset - self.lines[line - 1] + 1

    def character(self, path: Path, wanted: int) -> int:
        """Where the character stands in the text, escapes and the quotes before it counted."""
        start = self.values[path]
        quote, offset = self._quote(start)
        if not quote:
            return start
        if len(quote) == 3 and self.text.startswith("\n", offset):
            offset += 1
        end = self.ends[path] - len(quote)
        offset = self._unfolded(offset, quote)
        for _each in range(wanted):
            if offset >= end:
                break
            offset = self._unfolded(offset + self._step(offset, quote), quote)
        return offset

    def _step(self, offset: int, quote: str) -> int:
        """How many characters of the text one character of the value takes."""
        if quote[0] == "'" or self.text[offset] != "\\":
            return 1
        return {"u": 6, "U": 10}.get(self.text[offset + 1], 2)

    def _unfolded(self, offset: int, quote: str) -> int:
        """The place behind a line that is folded: it gives no character."""
        found = FOLDED.match(self.text, offset) if quote == '"""' else None
        return found.end() if found else offset

    def _quote(self, offset: int) -> tuple[str, int]:
        for quote in ('"""', "'''", '"', "'"):
            if self.text.startswith(quote, offset):
                return quote, offset + len(quote)
        return "", offset

    def _read(self) -> None:
        offset, table = SKIPPED.match(self.text).end(), ()
        while offset < len(self.text):
            if self.text[offset] == "[":
                many = self.text.startswith("[[", offset)
                start = offset
                names, offset = self._names(offset + 1 + many)
                offset += 1 + many
                table = self._resolved(names, many)
                self.keys[table] = start
            else:
                offset = self._pair(offset, table)
            offset = SKIPPED.match(self.text, offset).end()

    def _resolved(self, names: list[str], many: bool) -> Path:
        """The path of a header: each list of tables on the way stands for its last one."""
        path: Path = ()
        for place, name in enumerate(names):
            path += (name,)
            if many and place == len(names) - 1:
                self.counts[path] = self.counts.get(path, -1) + 1
            if path in self.counts:
                path += (self.counts[path],)
        return path

    def _names(self, offset: int) -> tuple[list[str], int]:
        names = []
        while True:
            offset = BLANK.match(self.text, offset).end()
            quote, start = self._quote(offset)
            if quote:
                end = self._string_end(offset)
                raw = self.text[start : end - len(quote)]
                names.append(json.loads(f'"{raw}"', strict=False) if quote == '"' and "\\U" not in raw else raw)
                offset = end
            else:
                found = BARE.match(self.text, offset)
                names.append(found[0])
                offset = found.end()
            offset = BLANK.match(self.text, offset).end()
            if not self.text.startswith(".", offset):
                return names, offset
            offset += 1

    def _pair(self, offset: int, table: Path) -> int:
        start = offset
        names, offset = self._names(offset)
        path = (*table, *names)
        for length in range(len(table) + 1, len(path) + 1):
            self.keys.setdefault(path[:length], start)
        offset = BLANK.match(self.text, offset + 1).end()  # after the sign of equality
        return self._value(offset, path)

    def _value(self, offset: int, path: Path) -> int:
        self.values[path] = offset
        self.ends[path] = end = self._value_end(offset, path)
        return end

    def _value_end(self, offset: int, path: Path) -> int:
        opening = self.text[offset]
        if opening in "\"'":
            return self._string_end(offset)
        if opening == "[":
            offset, place = SKIPPED.match(self.text, offset + 1).end(), 0
            while self.text[offset] != "]":
                self.keys[(*path, place)] = offset
                offset = SKIPPED.match(self.text, self._value(offset, (*path, place))).end()
                place += 1
                if self.text[offset] == ",":
                    offset = SKIPPED.match(self.text, offset + 1).end()
            return offset + 1
        if opening == "{":
            offset = SKIPPED.match(self.text, offset + 1).end()
            while self.text[offset] != "}":
                offset = SKIPPED.match(self.text, self._pair(offset, path)).end()
                if self.text[offset] == ",":
                    offset = SKIPPED.match(self.text, offset + 1).end()
            return offset + 1
        found = TOKEN_END.search(self.text, offset)
        end = found.start() if found else len(self.text)
        return offset + len(self.text[offset:end].rstrip())

    def _string_end(self, offset: int) -> int:
        quote, offset = self._quote(offset)
        while not self.text.startswith(quote, offset):
            offset += 2 if quote[0] == '"' and self.text[offset] == "\\" else 1
        offset += len(quote)
        if len(quote) == 3:  # up to two quotes may stand before the closing ones
            while offset < len(self.text) and self.text[offset] == quote[0]:
                offset += 1
        return offset
