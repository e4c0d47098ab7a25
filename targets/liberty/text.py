# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Liberty as text: groups and attributes, plain or compressed, without what a reader does not ask for."""

import gzip
import re
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from accel.errors import QCLIFError

GZIP_MAGIC = b"\x1f\x8b"

_SPACE     = re.compile(r"(?:[\s\\;]|/\*.*?\*/|//[^\n]*)*", re.DOTALL)
_STATEMENT = re.compile(r"""
    (?P<name>[A-Za-z_][\w.\[\]]*)\s*
    (?: :\s*(?P<value>"[^"]*"|[^;\n{}"]*)
      | \((?P<args>(?:"[^"]*"|[^()"{}])*)\)(?P<group>\s*\{)?
    )""", re.VERBOSE)
_ARGUMENT  = re.compile(r'"[^"]*"|[^\s,"\\]+')
_CONTINUED = re.compile(r"\s*\\?\n\s*")
_BRACE     = re.compile(r'"[^"]*"|/\*.*?\*/|[{}]', re.DOTALL)


@dataclass
class Group:
    """A group of a Liberty file: `kind (args) { ... }`.

    Attributes
    ----------
    simple : `name : value;`, without quotes; of a repeated one, the last.
    complex : `name (args);`, without quotes; of a repeated one, the last.
    repeated : all of these, in their order.
    groups : groups inside, in their order.
    line, path : where it begins, in which file.
    """
    kind:    str
    args:    tuple[str, ...]
    line:    int
    path:    Path
    simple:  dict[str, str] = field(default_factory=dict)
    complex: dict[str, tuple[str, ...]] = field(default_factory=dict)
    repeated: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    groups:  list["Group"] = field(default_factory=list)

    def of(self, kind: str) -> Iterator["Group"]:
        """Groups of a kind."""
        return (group for group in self.groups if group.kind == kind)

    def number(self, name: str, otherwise: float | None = None) -> float | None:
        """A number among its attributes, `otherwise` where it has none of this name."""
        text = self.simple.get(name)
        try:
            return otherwise if text is None else float(text)
        except ValueError as error:
            raise self.error(f"{name} of {self.kind} ({', '.join(self.args)}) is {text!r}, not a number") from error

    def error(self, what: str) -> QCLIFError:
        """An error that names the group's place and what is wrong with its content."""
        return QCLIFError(f"{self.path}:{self.line}: {what}: fetch the file again")


def read_content(path: Path) -> bytes:
    """Content of a file, unpacked where it is packed.

    Raises
    ------
    QCLIFError : it cannot be read, or its packing is damaged.
    """
    try:
        content = Path(path).read_bytes()
        return gzip.decompress(content) if content.startswith(GZIP_MAGIC) else content
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise QCLIFError(f"{path}: cannot be read ({reason}): fetch the file again") from error


def parse_liberty(path: Path, skip: frozenset[str] = frozenset()) -> Group:
    """The library group of a file.

    Parameters
    ----------
    path : plain or gzip.
    skip : kinds of groups that are left out, with all that is in them.

    Raises
    ------
    QCLIFError : it cannot be read, or is no Liberty; the line is named.
    """
    return _Parser(Path(path), skip).library()


class _Parser:
    """Position in a file's text."""
    def __init__(self, path: Path, skip: frozenset[str]):
        self.path  = path
        self.skip  = skip
        self.text  = read_content(path).decode("latin-1")
        self.place = 0
        self.ends  = [match.start() for match in re.finditer("\n", self.text)]

    def library(self) -> Group:
        group = self._statement(Group("", (), 1, self.path))
        if group is None or group.kind != "library":
            raise self._error(self.place, "a group library () is expected")
        if self._after_space() < len(self.text):
            raise self._error(self.place, "nothing is expected after the library")
        return group

    def _statement(self, into: Group) -> Group | None:
        """Read one statement; the group that it is, else None."""
        start = self._after_space()
        match = _STATEMENT.match(self.text, start)
        if match is None:
            raise self._error(start, "no statement" if start < len(self.text) else f"the file ends within "
                f"{into.kind or 'nothing'} ({', '.join(into.args)}) of line {into.line}")
        self.place = match.end()
        name, value, args, group = match.group("name", "value", "args", "group")
        if value is not None:
            into.simple[name] = _unquoted(value)
        elif group is None:
            into.complex[name] = _arguments(args)
            into.repeated.append((name, into.complex[name]))
        elif name in self.skip:
            self._skip(start)
        else:
            inner = Group(name, _arguments(args), self._line_of(start), self.path)
            into.groups.append(inner)
            while not self.text.startswith("}", self._after_space()):
                self._statement(inner)
            self.place += 1
            return inner
        return None

    def _after_space(self) -> int:
        self.place = _SPACE.match(self.text, self.place).end()
        return self.place

    def _skip(self, start: int) -> None:
        """Go behind the brace that closes the one before the place."""
        depth = 1
        for match in _BRACE.finditer(self.text, self.place):
            depth += {"{": 1, "}": -1}.get(match[0], 0)
            if not depth:
                self.place = match.end()
                return
        raise self._error(start, "this group is not closed")

    def _line_of(self, place: int) -> int:
        return bisect_left(self.ends, place) + 1

    def _error(self, place: int, what: str) -> QCLIFError:
        rest = self.text[place:].splitlines()
        seen = f" at {rest[0].strip()[:40]!r}" if rest else ""
        return QCLIFError(f"{self.path}:{self._line_of(place)}: not Liberty, {what}{seen}: fetch the file again")


def _arguments(text: str) -> tuple[str, ...]:
    return tuple(map(_unquoted, _ARGUMENT.findall(text)))


def _unquoted(text: str) -> str:
    return _CONTINUED.sub(" ", text.strip().strip('"')).strip()
