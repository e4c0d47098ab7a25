# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A live run in a terminal: spikes in braille characters, logits, rates."""

import time
from collections import deque
from collections.abc import Sequence

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from host.live.feed import Frame, Hello

# Characters of a raster; each is two steps wide and four rows of dots high.
COLUMNS = 72
INPUT_ROWS, NEURON_ROWS = 5, 8

# Dots of a braille character, from its first: [step][row].
_DOTS  = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BLANK = 0x2800

# Pictures a second: what terminals draw without flicker.
REFRESH_HZ = 10

_COLOURS = {"running": "green", "paused": "yellow", "ended": "cyan", "lost": "yellow", "mismatch": "red",
    "failed": "red"}


class Raster:
    """The last steps of many sources, several of which share a row of dots where there are not enough.

    Parameters
    ----------
    sources : how many there are.
    rows, columns : of characters.
    """

    def __init__(self, sources: int, rows: int, columns: int) -> None:
        self._sources, self._rows, self._columns = sources, rows, columns
        self._steps: deque[np.ndarray] = deque(maxlen=2*columns)

    def take(self, steps: Sequence[np.ndarray]) -> None:
        """Add steps, each the sources that are active in it."""
        dots = 4*self._rows
        for step in steps:
            active = np.zeros(dots, bool)
            active[step[step < self._sources].astype(np.int64)*dots//self._sources] = True
            self._steps.append(active)

    def lines(self) -> list[str]:
        """The rows, the newest step at the right."""
        cells = np.full((self._rows, self._columns), _BLANK)
        first = 2*self._columns - len(self._steps)
        for at, active in enumerate(self._steps, first):
            bits = np.where(active.reshape(self._rows, 4), _DOTS[at % 2], 0).sum(axis=1)
            cells[:, at//2] |= bits
        return ["".join(map(chr, row)) for row in cells.tolist()]


class Terminal:
    """Shows frames, while it is open.

    Parameters
    ----------
    hello : the run's facts.
    console : where it shows them.
    """

    def __init__(self, hello: Hello, console: Console) -> None:
        self._hello  = hello
        self._inputs = Raster(hello.inputs + hello.contexts, INPUT_ROWS, COLUMNS)
        self._spikes = Raster(hello.neurons, NEURON_ROWS, COLUMNS)
        self._live   = Live(console=console, auto_refresh=False, screen=console.is_terminal)
        self._shown  = 0.0

    def __enter__(self) -> "Terminal":
        self._live.__enter__()
        return self

    def __exit__(self, *about: object) -> None:
        self._live.__exit__(*about)

    def show(self, frame: Frame) -> None:
        """Take a frame, and draw where it is time to."""
        self._inputs.take(frame.inputs)
        self._spikes.take(frame.spikes)
        now = time.monotonic()
        if now >= self._shown + 1/REFRESH_HZ:
            self._shown = now
            self._live.update(self.picture(frame), refresh=True)

    def picture(self, frame: Frame) -> Group:
        """What the terminal shows after this frame."""
        hello = self._hello
        return Group(
            Panel(Text("\n".join(self._inputs.lines()), style="cyan"), width=COLUMNS + 4,
                title=f"{hello.inputs + hello.contexts} inputs", title_align="left"),
            Panel(Text("\n".join(self._spikes.lines()), style="green"), width=COLUMNS + 4,
                title=f"{hello.neurons} neurons", title_align="left"),
            self._answer(frame),
            self._machine(frame),
        )

    def _answer(self, frame: Frame) -> Table:
        table = Table.grid(padding=(0, 1))
        last  = frame.logits[-1] if len(frame.logits) else np.zeros(len(self._hello.classes), np.int64)
        span  = max(1, int(np.abs(last).max(initial=0)))
        for output, name in enumerate(self._hello.classes):
            value = int(last[output])
            style = "bold green" if output == frame.answer else "cyan" if value >= 0 else "magenta"
            table.add_row(Text(name, style=style), Text(f"{value}", style=style, justify="right"),
                Text("█"*round(abs(value)/span*40), style=style))
        return table

    def _machine(self, frame: Frame) -> Group:
        hello, machine = self._hello, frame.machine
        answer = hello.classes[frame.answer] if 0 <= frame.answer < len(hello.classes) else "none"
        shown  = f", source shows {frame.label}" if frame.label else ""
        lines  = [
            Text.assemble((frame.status, _COLOURS[frame.status]), "  ", (answer, "bold"),
                f" ({frame.confidence:.0%} ahead{shown})" + (f", cue {frame.cue}" if frame.cue >= 0 else "")),
            Text(f"{machine.steps} steps, {machine.steps_per_second:.0f} a second (real time: "
                f"{1e6/hello.bin_us:.0f}), lag {machine.lag_ms:.0f} ms, {machine.clocks_per_step:.0f} clocks a step, "
                f"bound {machine.bound_per_step:.0f}"),
            Text(f"{machine.compared} compared, {machine.mismatches} mismatches; {machine.bytes_out} bytes out, "
                f"{machine.bytes_in} in, {machine.retries} retries, {machine.crc_errors} CRC errors, {machine.resets} "
                f"resets; dropped {machine.dropped_steps} steps, {machine.dropped_events} events; late "
                f"{machine.late_events}"),
        ]
        if frame.recording:
            lines.append(Text(f"recording {frame.recording}", style="red"))
        if frame.notice:
            lines.append(Text(frame.notice, style=_COLOURS[frame.status]))
        return Group(*lines)
