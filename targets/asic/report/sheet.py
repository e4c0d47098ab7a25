# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Tables that are shown in a terminal and written as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.console import Console
from rich.markup import escape

from host.common.tables import TextTable

# What is shown where a number was not computed, or could not be traced.
ABSENT  = "-"
UNKNOWN = "unknown"

# Significant digits of numbers that are no integers.
DIGITS = 3


class Bad(str):
    """A cell that is bad news: red in a terminal, bold in Markdown."""


@dataclass(frozen=True)
class Sheet:
    """A table.

    Attributes
    ----------
    title : of the table.
    columns : names; none for a table of names and values.
    rows : cells, as many as columns.
    notes : lines below it.
    texts : columns that hold words, by number; the others hold numbers.
    prose : columns among those that hold what must not be cut, as commands and reasons.
    """
    title:   str
    columns: tuple[str, ...]
    rows:    list[Sequence[str]]
    notes:   tuple[str, ...] = ()
    texts:   tuple[int, ...] = (0,)
    prose:   tuple[int, ...] = ()

    def without_empty(self) -> "Sheet":
        """The table without the columns in which no row has anything."""
        kept = [number for number in range(len(self.columns)) if any(row[number] != ABSENT for row in self.rows)]
        return replace(self, columns=tuple(self.columns[number] for number in kept),
            rows=[tuple(row[number] for number in kept) for row in self.rows],
            texts=tuple(place for place, number in enumerate(kept) if number in self.texts),
            prose=tuple(place for place, number in enumerate(kept) if number in self.prose))

    def _is_text(self, column: int) -> bool:
        return column in self.texts or not any(self.columns)

    def show(self, console: Console) -> None:
        """Print the table."""
        cells = [[f"[red]{escape(cell)}[/]" if isinstance(cell, Bad) else escape(cell) for cell in row]
            for row in self.rows]
        if any(self.columns):
            made = TextTable(self.columns, cells, escape(self.title), self.texts, self.prose, boxed=False)
        else:
            made = TextTable((), cells, escape(self.title), (), prose=(1,), whole=(0,), boxed=False)
        console.print(made)
        for note in self.notes:
            console.print(f"  {escape(note)}", highlight=False)
        console.print()

    def markdown(self) -> str:
        """The table as Markdown, with its title as a heading."""
        cells = [[f"**{cell}**" if isinstance(cell, Bad) else cell for cell in row] for row in self.rows]
        rule  = ["---" if self._is_text(number) else "--:" for number in range(len(self.columns))]
        lines = [f"## {self.title}", "", _line(self.columns), _line(rule), *map(_line, cells)]
        lines += ["", *(f"{note}  " for note in self.notes)] if self.notes else []
        return "\n".join([*lines, "", ""])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def number(value: float | None) -> str:
    """Text of a number with DIGITS significant digits, integers whole; ABSENT for none."""
    if value is None:
        return ABSENT
    if isinstance(value, int):
        return f"{value:,}"
    if value and abs(value) >= 10**(DIGITS - 1):
        return f"{value:,.0f}"
    text = f"{value:.{DIGITS}g}"
    # Never the notation with an exponent.
    return text if "e" not in text else f"{value:.{DIGITS + 6}f}".rstrip("0")


def mm2(area_um2: float | None) -> str:
    """Text of an area, in mm2."""
    return number(None if area_um2 is None else area_um2/1e6)


def errors(value: int | None) -> str:
    """Text of a number of errors, which is bad unless it is 0."""
    return Bad(number(value)) if value else number(value)


def slack(value: float | None) -> str:
    """Text of a slack in nanoseconds, which is bad where it is negative."""
    text = number(value) if value is None else f"{value:.3f}"
    return Bad(text) if value is not None and value < 0 else text
