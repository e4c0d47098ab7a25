# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Runs other programs: one way for all of them, with their output in a log or as text.

    run_program(["make", "-C", folder], log=folder/"make.log").check("compiling the firmware")

Each runs in a process group of its own, which ends with this process's work: an interruption, or an error while the
output is read, leaves none of the program's own children behind, as Yosys's abc.
"""

import contextlib
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from accel.errors import QCLIFError

# Debian's packages of the programs that we run.
PACKAGES = {
    "verilator":               "verilator",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf",
    "make":                    "make",
    "g++":                     "g++",
}

# How programs tell of errors: our own, compilers (file:line:column: error:), the linker where memory is too small,
# Verilator, Yosys, OpenSTA and OpenROAD.
ERROR_LINE = re.compile(r"^(?:error|ERROR|Error|%Error[-\w]*|.*:\d+: (?:fatal )?error|.*:\d+: (?:ERROR|Error)): .*"
    r"|^\[ERROR [A-Z]+-\d+\].*|^\S*\bld: region .* overflowed by .*", re.MULTILINE)

# Open files that hold locks, of which each program gets a copy: what a killed build has left running still keeps
# others out. Kept by targets.tools.builds.locked().
held_locks: set[int] = set()

# Running ------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Finished:
    """What has become of a program.

    Attributes
    ----------
    status : its exit status; minus the number of the signal that has ended it.
    text : what it wrote to standard output and standard error, in this order in time.
    log : file with the text; None where it was given none.
    """
    status: int
    text:   str
    log:    Path | None = None

    @property
    def reason(self) -> str:
        """The line that says most of a failure: the first that tells of an error, else the last one."""
        match = ERROR_LINE.search(self.text)
        lines = [match[0]] if match else [line for line in self.text.splitlines() if line.strip()][-1:]
        return " ".join(lines[0].removeprefix("error: ").split()) if lines else f"status {self.status}"

    def check(self, stage: str) -> str:
        """The text of a program that has not failed.

        Raises
        ------
        QCLIFError : the status is not 0; one line with the stage's name, the reason, and where the log is.
        """
        if self.status:
            where = f"; its log is {self.log}" if self.log else ""
            raise QCLIFError(f"{stage} failed: {self.reason}{where}")
        return self.text


def run_program(command: Sequence[object], folder: Path | None = None, log: Path | None = None,
        environment: Mapping[str, str | None] | None = None,
        on_line: Callable[[str], None] | None = None) -> Finished:
    """Run a program to its end, without an input.

    Parameters
    ----------
    command : program and arguments, turned into text.
    folder : where it runs; None: where we are.
    log : file that its output goes to as it comes.
    environment : variables that differ from ours; None as a value: not set.
    on_line : called with each line of its output as it comes, with the line's end.

    Raises
    ------
    QCLIFError : there is no such program (with the command that installs it), or the log cannot be written.
    """
    try:
        output = open(log, "w+", errors="replace") if log else tempfile.TemporaryFile("w+", errors="replace")
    except OSError as error:
        raise QCLIFError(f"{log}: cannot be written ({error.strerror}): choose another --output-dir") from error
    # Without somebody to be told each line, the program writes the log itself: it may leave a child that does not end.
    stdout = subprocess.PIPE if on_line else output
    with output, started(command, folder, environment, stdin=subprocess.DEVNULL, stdout=stdout,
            stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        if on_line:
            for line in process.stdout:
                output.write(line)
                output.flush()
                on_line(line)
        status = process.wait()
        output.seek(0)
        return Finished(status, output.read(), log)


def pipe_through(command: Sequence[object], data: bytes, environment: Mapping[str, str | None] | None = None) -> bytes:
    """What a program makes of data: it reads them from standard input and writes its own to standard output.

    Raises
    ------
    QCLIFError : there is no such program, or its exit status is not 0.
    """
    with started(command, None, environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE) as process:
        output, errors = process.communicate(data)
    Finished(process.returncode, errors.decode(errors="replace")).check(Path(str(command[0])).name)
    return output


@contextlib.contextmanager
def started(command: Sequence[object], folder: Path | None = None,
        environment: Mapping[str, str | None] | None = None, **streams: object) -> Iterator[subprocess.Popen]:
    """A program in a process group of its own, which is killed where the block ends with an exception.

    Parameters
    ----------
    command, folder, environment : as run_program() has them.
    streams : subprocess.Popen's options of standard input and outputs.

    Raises
    ------
    QCLIFError : there is no such program.
    """
    changed = {**os.environ, **(environment or {})}
    process = None
    try:
        # An interruption in the middle of it would leave a program that nobody knows.
        with _signals_held():
            process = subprocess.Popen([*map(str, command)], cwd=folder, start_new_session=True,
                pass_fds=tuple(held_locks), env={name: value for name, value in changed.items() if value is not None},
                **streams)
        yield process
    except BaseException as error:
        if process is None and isinstance(error, OSError):
            program = str(command[0])
            # The same errors tell of the folder.
            if folder is not None and not os.access(folder, os.X_OK):
                why = f"cannot run {program} in {folder}: no such folder, or not ours to use"
            elif isinstance(error, FileNotFoundError):
                why = missing([program])
            else:
                why = f"{program}: cannot be run ({error.strerror})"
            raise QCLIFError(why) from error
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        if process is not None:
            # Waits, and closes the streams.
            process.__exit__(None, None, None)


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Let the signals that end a process come after the block; only the main thread gets any."""
    received, handlers = [], {}
    if threading.current_thread() is threading.main_thread():
        # What is ignored stays so, for the program, too.
        handlers = {number: handler for number in (signal.SIGINT, signal.SIGTERM)
            if callable(handler := signal.getsignal(number))}
    for number in handlers:
        signal.signal(number, lambda number, frame: received.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in received:
            signal.raise_signal(number)


def exit_on_sigterm() -> None:
    """End this process by SIGTERM as by sys.exit(), so that what it started is cleaned up."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))

# Programs -----------------------------------------------------------------------------------------

def missing(programs: Sequence[str], packages: Mapping[str, str] = PACKAGES) -> str:
    """What to tell where programs are missing: their names, and the command that installs their packages."""
    wanted = dict.fromkeys(packages.get(name, name) for name in programs)
    return f"{', '.join(programs)} not found: sudo apt-get install {' '.join(wanted)}"


def check_programs(programs: Sequence[str], headers: Mapping[str, str] = {}) -> None:
    """Raise a QCLIFError that names all that is missing, and the one command that installs it.

    Parameters
    ----------
    programs : names of programs that have to be on the PATH.
    headers : those that the C++ compiler has to find, with Debian's packages of them.
    """
    absent = [name for name in programs if shutil.which(name) is None]
    if headers and "g++" not in absent:
        absent += [name for name in headers
            if run_program(["g++", "-E", "-x", "c++", "-include", name, os.devnull]).status]
    if absent:
        raise QCLIFError(missing(absent, {**PACKAGES, **headers}))


@functools.cache
def version_of(*command: str) -> str:
    """First line of what a program says of its version, as version_of("verilator", "--version").

    It is "" where there is no such program, it fails, or says nothing.
    """
    if shutil.which(command[0]) is None:
        return ""
    done = run_program(command)
    return "" if done.status else next(iter(done.text.strip().splitlines()), "")
