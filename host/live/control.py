# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a viewer may ask of a live run: commands, checked as they come and executed between two steps."""

import queue
from collections.abc import Callable

from accel.errors import QCLIFError

# Neurons whose states are shown side by side.
WATCH_MAX = 4

Command = tuple[str, object]


class Control:
    """Commands of all viewers, in the order in which they came.

    Parameters
    ----------
    neurons, contexts : of the network, which bound what may be asked.
    """

    # Commands that wait; who asks for more does so faster than steps are computed.
    LIMIT = 64

    def __init__(self, neurons: int, contexts: int) -> None:
        self._neurons, self._contexts = neurons, contexts
        self._commands: queue.Queue[Command] = queue.Queue(self.LIMIT)
        self._checks: dict[str, Callable[[object], object]] = {
            "pause": self._nothing, "resume": self._nothing, "step": self._nothing, "reset": self._nothing,
            "cue": self._cue, "watch": self._watch, "record": self._record,
        }

    def ask(self, name: object, value: object = None) -> None:
        """Ask for a command.

        Parameters
        ----------
        name, value : "pause", "resume", "step" (one, while paused) and "reset" (states and logits to 0) without a
            value; "cue", a context source or -1 for none; "watch", a list of up to WATCH_MAX neurons; "record", true or
            false.

        Raises
        ------
        QCLIFError : it is none of these, or too many wait.
        """
        if not isinstance(name, str) or name not in self._checks:
            raise QCLIFError(f"command {str(name)[:40]!r}: known are {', '.join(self._checks)}")
        command = name, self._checks[name](value)
        try:
            self._commands.put_nowait(command)
        except queue.Full:
            raise QCLIFError(f"{self.LIMIT} commands wait already: ask more slowly") from None

    def taken(self) -> list[Command]:
        """The commands that came since the last call."""
        commands = []
        while True:
            try:
                commands.append(self._commands.get_nowait())
            except queue.Empty:
                return commands

    # Values ---------------------------------------------------------------------------------------

    def _nothing(self, value: object) -> None:
        if value is not None:
            raise QCLIFError(f"value {str(value)[:40]!r}: this command has none")

    def _cue(self, value: object) -> int:
        if type(value) is not int or not -1 <= value < self._contexts:
            limits = f"-1 to {self._contexts - 1}" if self._contexts else "-1 alone: the network has no context sources"
            raise QCLIFError(f"cue {str(value)[:40]!r}: the limits are {limits}")
        return value

    def _watch(self, value: object) -> tuple[int, ...]:
        if not isinstance(value, list) or len(value) > WATCH_MAX or any(type(each) is not int for each in value):
            raise QCLIFError(f"watch {str(value)[:40]!r}: a list of up to {WATCH_MAX} neurons is needed")
        for neuron in value:
            if not 0 <= neuron < self._neurons:
                raise QCLIFError(f"neuron {neuron}: the limits are 0 to {self._neurons - 1}")
        return tuple(sorted(set(value)))

    def _record(self, value: object) -> bool:
        if type(value) is not bool:
            raise QCLIFError(f"record {str(value)[:40]!r}: true or false is needed")
        return value
