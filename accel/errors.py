# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What goes wrong for a user, as one line that names the value, the limit and the remedy; and how commands end then."""

import os
import signal
import sys
from collections.abc import Callable

EXIT_MISMATCH, EXIT_ERROR, EXIT_INTERRUPTED = 1, 2, 130


class QCLIFError(Exception):
    """An error whose text is meant for the user: commands print it and fail."""


def check_integer(name: str, value: object, low: int, high: int) -> None:
    """Raise QCLIFError where a value is no integer from low to high; a boolean is none."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise QCLIFError(f"{name} is {value!r}: an integer from {low} to {high} is needed")


def guarded(work: Callable[[], int]) -> int:
    """Exit code of work(), or that of what went wrong.

    Commands set SIGINT to its default action while they import, so that Ctrl-C then shows no traceback; from
    here on it is an exception again, and everything that was started is ended.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return work()
    except QCLIFError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read standard output has gone, as `head` does: what is left of it goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
