# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What goes wrong for a user, as one line that names the value, the limit and the remedy; and how commands end then."""

import codecs
import contextlib
import errno
import io
import os
import signal
import sys
import unicodedata
from collections.abc import Callable

# EXIT_SILENT: nothing fired, so that equality means nothing.
EXIT_MISMATCH, EXIT_ERROR, EXIT_SILENT, EXIT_INTERRUPTED = 1, 2, 3, 130

# What a write fails with where there is no room: on the disk, in the quota, in the size that a file may have.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# Of characters that Unicode does not take apart into some of ASCII: dashes, minus, mu, times, an arrow, a fraction's
# slash.
_NEAREST = str.maketrans("\u2013\u2014\u2212\u03bc\u00d7\u2192\u2044", "---ux>/")


class QCLIFError(Exception):
    """An error whose text is meant for the user: commands print it and fail."""


def check_integer(name: str, value: object, low: int, high: int) -> None:
    """Raise QCLIFError where a value is no integer from low to high; a boolean is none."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise QCLIFError(f"{name} is {value!r}: an integer from {low} to {high} is needed")


def _readable(error: UnicodeEncodeError) -> tuple[str, int]:
    """In the place of characters that an encoding has not: the nearest of ASCII, else the escape, as \\u4e2d."""
    found = []
    for character in error.object[error.start:error.end]:
        # The dots of a spinner turn many times a second.
        plain   = "*" if "\u2800" <= character <= "\u28ff" else unicodedata.normalize("NFKD", character)
        nearest = plain.translate(_NEAREST).encode("ascii", "ignore").decode()
        found.append(nearest or character.encode("ascii", "backslashreplace").decode())
    return "".join(found), error.end


def _show_anything() -> None:
    """Let standard output and error show what their encoding has no characters for: by others, not by a traceback."""
    codecs.register_error("qclif.readable", _readable)
    for stream in (sys.stdout, sys.stderr):
        # Tests have others in their place, and a daemon none at all.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="qclif.readable")


def guarded(work: Callable[[], int]) -> int:
    """Exit code of work(), or that of what went wrong.

    Commands set SIGINT to its default action while they import, so that Ctrl-C then shows no traceback; from
    here on it is an exception again, and everything that was started is ended.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _show_anything()
    try:
        status = work()
        if sys.stdout is not None:
            # A full disk is told of now, not when Python ends.
            sys.stdout.flush()
        return status
    except QCLIFError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read standard output has gone, as `head` does.
        _drop_output()
        return EXIT_ERROR
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        print(f"error: {error.filename or 'standard output, or a file,'} cannot be written ({error.strerror}): make "
            "room, or let it go elsewhere", file=sys.stderr)
        _drop_output()
        return EXIT_ERROR


def _drop_output() -> None:
    """What is left of standard output goes nowhere."""
    # What tests have in its place is no file.
    with contextlib.suppress(io.UnsupportedOperation):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
