# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A simulated SoC for a command of the host, started as its user would start one: python -m targets.sim --serve."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.common.folders import ROOT

# setpriv sends SIGTERM to the server when this process dies, however that happens; -P keeps a folder `targets` of the
# user's out of its imports.
COMMAND = ("setpriv", "--pdeathsig", "TERM", sys.executable, "-P", "-m", "targets.sim", "--serve", "--non-interactive")

# How the server begins to tell that it is up, its port on the next line, and what went wrong.
UP, ERROR = "The SoC is up", "error: "

# Seconds in which the server ends when it is told to, and when its simulator is gone.
END_SECONDS, LOST_SECONDS = 10, 1


@contextmanager
def simulated_port(config: QCLIFConfig) -> Iterator[str]:
    """The port of a SoC of these sizes under Verilator, built first where it has to be; gone when the block ends.

    What the build is doing is shown on standard error. The server runs in a session of its own, so that Ctrl-C reaches
    this process alone, which then ends it.

    Yields
    ------
    "socket://127.0.0.1:N", as Link takes it.

    Raises
    ------
    QCLIFError : the SoC cannot be built or started, or ended by itself before the block did; the text is the server's.

    Examples
    --------
    >>> with simulated_port(QCLIFConfig(neurons=64)) as port, Link(port) as link:
    ...     print(link.info.config.neurons)
    64
    """
    sizes = [f"--{name.replace('_', '-')}={value}" for name, value in config.to_dict().items()]
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        server = subprocess.Popen([*COMMAND, *sizes], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)})
    except OSError as error:
        raise QCLIFError(f"{COMMAND[0]}: {error.strerror}: install util-linux, or start python -m targets.sim --serve "
            f"and name its port as --engine") from error
    with server:
        try:
            yield _wait_for_port(server)
        except QCLIFError as error:
            if said := _last_words(server):
                raise QCLIFError(said) from error
            raise
        finally:
            server.terminate()
            try:
                server.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)


def _wait_for_port(server: subprocess.Popen) -> str:
    """Show what the server says until it names its port."""
    console = Console(stderr=True)
    with console.status("starting the simulated SoC ...") as status:
        for line in server.stdout:
            if line.startswith(UP):
                return server.stdout.readline().split()[-1]
            if line.startswith(ERROR):
                raise QCLIFError((line + server.stdout.read()).removeprefix(ERROR).strip())
            if console.is_terminal and line.endswith(" ...\n"):
                status.update(line.strip())
            elif line.strip():
                console.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)
    raise QCLIFError(f"the simulated SoC ended without a word (status {server.wait()}): start python -m targets.sim "
        f"--serve to see more")


def _last_words(server: subprocess.Popen) -> str:
    """The error with which the server has ended by itself; empty where it has not, or has said it before."""
    try:
        server.wait(LOST_SECONDS)
    except subprocess.TimeoutExpired:
        return ""
    return server.stdout.read().partition(ERROR)[2].strip()
