#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""How commands end: exit codes, errors as one line, Ctrl-C as a word."""

import os
import signal
import sys
from collections.abc import Callable

from accel.config import ConfigError
from host.errors import QCLIFError

EXIT_MISMATCH, EXIT_ERROR, EXIT_INTERRUPTED = 1, 2, 130


def guarded(work: Callable[[], int]) -> int:
    """Exit code of work(), or that of what went wrong.

    Commands set SIGINT to its default action while they import, so that Ctrl-C then shows no traceback; from
    here on it is an exception again, and everything that was started is ended.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return work()
    except (QCLIFError, ConfigError) as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read standard output has gone, as `head` does: what is left of it goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
