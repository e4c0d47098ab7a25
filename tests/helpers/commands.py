# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Commands as a user types them, and what is seen of them: in a process of their own, or in this one, which has
imported already what takes a command seconds."""

import contextlib
import io
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence

from host.common.folders import ROOT


def run(command: Sequence[object], *options: object, timeout: float = 300) -> subprocess.CompletedProcess:
    """What becomes of a command in a process of its own, which runs at the top of the checkout."""
    return subprocess.run([*map(str, command), *map(str, options)], capture_output=True, text=True, timeout=timeout,
        cwd=ROOT)


def call(main: Callable[[list[str]], int], *options: object) -> subprocess.CompletedProcess:
    """What becomes of a command's main() in this process."""
    arguments = [str(option) for option in options]
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            status = main(arguments)
        except SystemExit as end:
            status = end.code
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def file_limit(size: int) -> Iterator[None]:
    """The most bytes that a file can have in this process, as a full disk would; as before when the block ends."""
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))


def assert_one_line(done: subprocess.CompletedProcess, *words: object) -> None:
    """It failed with one line for the user, which holds these words."""
    assert done.returncode not in (0, None)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    for word in words:
        assert str(word) in errors[0]
