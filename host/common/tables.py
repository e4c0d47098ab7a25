# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Tables of what came out: whole in a pipe, and in a terminal of any width without a number or a verdict cut."""

import textwrap
from collections.abc import Collection, Iterable, Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

# Characters that a name keeps where it is cut, and least width of a column whose lines are broken at words.
NAME_MIN, PROSE_MIN = 12, 24

# Between columns, and before what belongs to the line above.
GAP, INDENT = "  ", "  "


class TextTable:
    """A table that knows what of it may be made narrower; `console.print()` takes it.

    Parameters
    ----------
    columns : names; none for a table without a head.
    rows : cells in rich's markup, as many as columns.
    texts : columns of names, by number, which are cut in the middle where there is no room, or go to a line of their
        own.
    prose : columns whose lines are broken at words.
    whole : columns of words that are never cut. All others hold numbers, which are not either.
    boxed : with lines, where they fit.
    """
    def __init__(self, columns: Iterable[str], rows: Iterable[Iterable[str]], title: str | None = None,
            texts: Collection[int] = (0,), prose: Collection[int] = (), whole: Collection[int] = (),
            boxed: bool = True) -> None:
        self._columns = list(columns)
        self._rows    = [[Text.from_markup(cell, emoji=False) for cell in row] for row in rows]
        self._title   = None if title is None else Text.from_markup(title, style="table.title", emoji=False)
        self._prose   = set(prose)
        self._names   = set(texts) - self._prose - set(whole)
        self._left    = set(texts) | self._prose | set(whole)
        self._boxed   = boxed
        numbers       = range(max([len(self._columns), *map(len, self._rows)]))
        # Of the cells, and of the heads in one line and with a word a line.
        self._cells   = [max([0, *(row[n].cell_len for row in self._rows)]) for n in numbers]
        self._heads   = [len(self._columns[n]) if self._columns else 0 for n in numbers]
        self._words   = [max([0, *map(len, self._columns[n].split())]) if self._columns else 0 for n in numbers]

    @property
    def row_count(self) -> int:
        """Rows without the head."""
        return len(self._rows)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        full = list(map(max, self._cells, self._heads))
        room = options.max_width
        if not console.is_terminal:
            yield from self._lines(full, console)
        elif self._boxed and sum(full) + 3*len(full) + 1 <= room:
            yield self._box()
        elif _length(full) <= room:
            yield from self._lines(full, console)
        elif (widths := self._narrowed(range(len(full)), room)) is not None:
            yield from self._lines(widths, console)
        else:
            kept   = [n for n in range(len(full)) if n not in self._names | self._prose]
            widths = self._narrowed(kept, room - len(INDENT)) if kept and kept[0] else None
            yield from self._records() if widths is None else self._two_lines(kept, widths)

    def _box(self) -> Table:
        made = Table(title=self._title)
        for n, name in enumerate(self._columns):
            made.add_column(Text(name), justify="left" if n in self._left else "right", no_wrap=True)
        for row in self._rows:
            made.add_row(*row)
        return made

    def _narrowed(self, columns: Sequence[int], room: int) -> list[int] | None:
        """Widths of these columns that fit, None where there are none: heads are broken at words first, then names are
        cut and prose is broken.
        """
        least = {n: NAME_MIN for n in self._names} | {n: PROSE_MIN for n in self._prose}
        widths = [max(min(self._cells[n], least.get(n, self._cells[n])), self._words[n]) for n in columns]
        spare  = room - _length(widths)
        if spare < 0:
            return None
        for _ in range(spare):
            short = [place for place, n in enumerate(columns) if widths[place] < self._cells[n]]
            if not short:
                break
            # What is cut most of all is given the next character.
            widths[max(short, key=lambda place: self._cells[columns[place]] - widths[place])] += 1
        return widths

    def _lines(self, widths: Sequence[int], console: Console) -> Iterator[Text]:
        """A line a row, and more of prose."""
        cut     = "…" if console.encoding.startswith("utf") else "..."
        columns = range(len(widths))
        if self._title is not None:
            yield self._title
        yield from self._head(columns, widths)
        for row in self._rows:
            yield from self._side_by_side([text.wrap(console, width) if n in self._prose and text.cell_len > width
                else [_shortened(text, width, cut)] for n, text, width in zip(columns, row, widths, strict=True)],
                columns, widths)

    def _head(self, columns: Sequence[int], widths: Sequence[int]) -> Iterator[Text]:
        if any(self._columns):
            names = [textwrap.wrap(self._columns[n], max(1, width), break_long_words=False) or [""]
                for n, width in zip(columns, widths, strict=True)]
            high  = max(map(len, names))
            yield from self._side_by_side([[Text(line, "table.header") for line in [""]*(high - len(each)) + each]
                for each in names], columns, widths)

    def _side_by_side(self, cells: Sequence[Sequence[Text]], columns: Sequence[int], widths: Sequence[int]
            ) -> Iterator[Text]:
        """Lines of cells of several lines each."""
        for line in range(max(map(len, cells))):
            parts = []
            for cell, n, width in zip(cells, columns, widths, strict=True):
                text = cell[line].copy() if line < len(cell) else Text()
                fill = width - text.cell_len
                text.pad_right(fill) if n in self._left else text.pad_left(fill)
                parts.append(text)
            made = Text(GAP).join(parts)
            made.rstrip()
            yield _whole(made)

    def _two_lines(self, kept: Sequence[int], widths: Sequence[int]) -> Iterator[Text]:
        """The names of a row in a line, and below it what is never cut."""
        if self._title is not None:
            yield self._title
        for line in self._head(kept, widths):
            yield _whole(Text(INDENT) + line)
        for row in self._rows:
            yield self._named(row)
            for line in self._side_by_side([[row[n]] for n in kept], kept, widths):
                yield _whole(Text(INDENT) + line)

    def _named(self, row: Sequence[Text]) -> Text:
        """Names and prose of a row, each but the first one with the name of its column."""
        parts = [row[n] if n == 0 or not self._columns else Text(f"{self._columns[n]} ") + row[n]
            for n in sorted(self._names | self._prose) if row[n]]
        return Text(", ").join(parts)

    def _records(self) -> Iterator[Text]:
        """A line a cell."""
        if self._title is not None:
            yield self._title
        for row in self._rows:
            for n, text in enumerate(row):
                named = self._columns and self._columns[n] and (n or n not in self._names)
                yield Text(INDENT if n else "") + Text(f"{self._columns[n]} " if named else "") + text


def _length(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP)*(len(widths) - 1)


def _whole(line: Text) -> Text:
    """A line that nobody breaks."""
    line = line.copy()
    line.no_wrap, line.overflow = True, "ignore"
    return line


def _shortened(text: Text, width: int, cut: str) -> Text:
    """The text, with `cut` in its middle where it is longer than that."""
    if text.cell_len <= width:
        return text
    kept  = width - len(cut)
    front = text.copy()
    front.truncate((kept + 1)//2, overflow="crop")
    back  = text[len(text) - kept//2:]
    # Wide characters take two places.
    while back.cell_len > kept//2:
        back = back[1:]
    return front + cut + back


def facts(rows: Iterable[tuple[str, str]]) -> TextTable:
    """A table of names and what they are."""
    return TextTable((), rows, prose=(1,), whole=(0,), boxed=False)
