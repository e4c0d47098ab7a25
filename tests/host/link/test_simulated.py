# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The simulated SoC that a command starts for itself: what its user sees, and that nothing is left of it.

A script says here what python -m targets.sim --serve says; tests/host/evaluation runs the real one.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.link import simulated
from host.link.simulated import COMMAND, simulated_port

UP = """
print("The SoC is up; Ctrl-C ends it. For host/stream.py (or litex_term), one of:")
print("  --port socket://127.0.0.1:4711")
print("  --port /dev/pts/9", flush=True)
"""

WAIT = "import time; time.sleep(60)"


@pytest.fixture
def server(monkeypatch, tmp_path):
    """Puts a script in the place of the server; it writes its process and arguments to a file, which is returned."""
    def replace(script):
        note = tmp_path/"note"
        head = f"import os, sys; open({str(note)!r}, 'w').write(f'{{os.getpid()}} ' + ' '.join(sys.argv[1:]))\n"
        (tmp_path/"server.py").write_text(head + script)
        monkeypatch.setattr(simulated, "COMMAND", (*COMMAND[:4], str(tmp_path/"server.py")))
        return note
    return replace


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_for_end(pid):
    deadline = time.monotonic() + 10
    while runs(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_port_and_stages(server, capfd):
    """The stages of the build are shown, the instructions for its user are not; then the server ends."""
    note = server("import sys; print('compiling ...', file=sys.stderr, flush=True)\n"
        "print('compiling: done, 1.0 s', file=sys.stderr, flush=True)\n" + UP + WAIT)
    with simulated_port(QCLIFConfig()) as port:
        assert port == "socket://127.0.0.1:4711"
        pid, *_ = note.read_text().split()
        assert runs(pid)
    assert not runs(pid)
    out, err = capfd.readouterr()
    assert out == "" and err.split("\n")[:2] == ["compiling ...", "compiling: done, 1.0 s"] and "Ctrl-C" not in err


def test_every_size_is_asked_for(server):
    config = QCLIFConfig(neurons=37, contexts=0, lanes=4, weight_bits=4, step_events=99, uart_fifo=8192)
    note   = server(UP + WAIT)
    with simulated_port(config):
        _, *options = note.read_text().split()
    given = dict(option.removeprefix("--").split("=") for option in options)
    assert QCLIFConfig(**{name.replace("-", "_"): int(value) for name, value in given.items()}) == config


@pytest.mark.parametrize(("script", "words"), [
    ("import sys; print('stage ...\\nerror: no compiler: install one\\nlog, line 1', file=sys.stderr); sys.exit(2)",
        "no compiler: install one\nlog, line 1"),
    ("import sys; sys.exit(3)", "status 3"),
])
def test_a_server_that_does_not_come_up(server, script, words):
    server(script)
    with pytest.raises(QCLIFError, match=words), simulated_port(QCLIFConfig()):
        pass


def test_a_server_that_ends_in_mid_run(server):
    """Its own words tell more than those of the link that was cut."""
    server(UP + "import sys; print('error: the simulator has ended', file=sys.stderr); sys.exit(2)")
    with pytest.raises(QCLIFError, match="the simulator has ended"), simulated_port(QCLIFConfig()):
        raise QCLIFError("the port was closed")


def test_an_error_beside_a_server_that_is_up(server):
    server(UP + WAIT)
    with pytest.raises(QCLIFError, match="does not fit"), simulated_port(QCLIFConfig()):
        raise QCLIFError("the network does not fit")


def test_a_server_that_does_not_want_to_end(server, monkeypatch):
    monkeypatch.setattr(simulated, "END_SECONDS", 0.2)
    note = server("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + UP + WAIT)
    with simulated_port(QCLIFConfig()):
        pid = note.read_text().split()[0]
    assert not runs(pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_command(server, tmp_path, number):
    """Whatever ends it, and wherever it was: here while the SoC is built."""
    note    = server(WAIT)
    program = ("from host.link import simulated; from accel.config import QCLIFConfig\n"
        f"simulated.COMMAND = {simulated.COMMAND!r}\n"
        "with simulated.simulated_port(QCLIFConfig()): pass")
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL) as command:
        while not (note.exists() and note.read_text()):
            time.sleep(0.01)
        pid = note.read_text().split()[0]
        command.send_signal(number)
        command.wait(10)
    wait_for_end(pid)


def test_without_setpriv(monkeypatch):
    monkeypatch.setattr(simulated, "COMMAND", ("no-such-program",))
    with pytest.raises(QCLIFError, match="util-linux"), simulated_port(QCLIFConfig()):
        pass


def test_imports_of_the_server(monkeypatch, tmp_path):
    """From any folder, and past one that has the name of a package of ours."""
    (tmp_path/"targets").mkdir()
    (tmp_path/"targets"/"__init__.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(simulated, "COMMAND", (*COMMAND, "--tcp-port", "70000"))
    with pytest.raises(QCLIFError, match="70000"), simulated_port(QCLIFConfig()):
        pass
    assert os.environ.get("PYTHONPATH") is None or str(tmp_path) not in os.environ["PYTHONPATH"]
