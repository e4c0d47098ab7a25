# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Every kind of port that pyserial has: the firmware behind it gives what it gives on any line, or one line is said."""

import contextlib
import functools
import pkgutil
import re
import socket

import numpy as np
import pytest
import serial.tools.list_ports
import serial.urlhandler
from serial.tools.list_ports_common import ListPortInfo

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.events.sample import Sample
from host.events.spike_train import SpikeTrain
from host.link.device import Device
from host.link.link import Link
from host.link.port import PORTS, SerialPort
from host.network.golden import GoldenModel
from host.stream import main
from tests.helpers.commands import assert_one_line, call
from tests.helpers.firmware_port import FirmwareDevice
from tests.helpers.firmware_servers import rfc2217, tcp, terminal
from tests.helpers.strategies import random_network

CONFIG = QCLIFConfig(neurons=40, inputs=64, contexts=4)

# Kinds of URL that pyserial has, and behind which no SoC of ours can be: an echo, and a chip on USB without a driver of
# the system's, which needs a package that is not among ours.
ECHO, NO_DRIVER = "loop", "cp2110"


@functools.cache
def network():
    return random_network(CONFIG, seed=3, style="excited")


@functools.cache
def sample():
    # The byte 255, which RFC 2217 doubles, is among what is sent: of an offset, a CRC or a session.
    rng = np.random.default_rng(7)
    return Sample("noise", steps=SpikeTrain.from_lists(rng.integers(0, 68, rng.integers(0, 30)) for _ in range(200)))


@contextlib.contextmanager
def served(kind, device, monkeypatch):
    """URL of this kind that leads to the firmware."""
    if kind in ("socket", "rfc2217"):
        with {"socket": tcp, "rfc2217": rfc2217}[kind](device) as address:
            yield f"{kind}://{address}"
        return
    with terminal(device) as path:
        if kind == "hwgrep":
            port = ListPortInfo(path)
            port.description = "qCLIF on a bench"
            # The machine's list of ports has no pseudo terminals.
            monkeypatch.setattr(serial.tools.list_ports, "comports", lambda *_: [ListPortInfo("/dev/none"), port])
        yield {"": path, "hwgrep": "hwgrep://qCLIF on a", "spy": f"spy://{path}",
            "alt": f"alt://{path}?class=VTIMESerial"}[kind]


KINDS = ("", "socket", "rfc2217", "hwgrep", "spy", "alt")


def test_help_names_the_kinds_that_work_and_no_other():
    handlers = {each.name.removeprefix("protocol_") for each in pkgutil.iter_modules(serial.urlhandler.__path__)}
    assert handlers == {*KINDS[1:], ECHO, NO_DRIVER}
    assert set(re.findall(r"(\w+)://", PORTS)) == set(KINDS[1:])


@pytest.mark.parametrize("kind", KINDS)
def test_the_firmware_behind_a_port(kind, monkeypatch, capfd):
    expected, = GoldenModel(network()).run([sample().steps])
    with served(kind, FirmwareDevice(CONFIG), monkeypatch) as url, Link(url) as link:
        device = Device(link)
        device.load(network(), "cpu")
        got = device.run(sample())
    assert got.inputs == sample().steps and got.spikes == expected.spikes and len(got.spikes.sources) > 100
    assert got.logits.tolist() == expected.logits.tolist()
    assert ("TX" in capfd.readouterr().err) == (kind == "spy")


@pytest.mark.parametrize("kind", ["socket", "rfc2217"])
def test_a_command_at_a_port(kind, monkeypatch, tmp_path):
    with served(kind, FirmwareDevice(CONFIG), monkeypatch) as url:
        done = call(main, "--port", url, "--network", "random", "--engine", "cpu",
            "--samples", 1)
    assert done.returncode == 0, done.stderr
    assert "exact" in done.stdout


def test_rfc2217_sets_the_baud_rate():
    settings = {}
    with rfc2217(FirmwareDevice(CONFIG), settings) as address, Link(f"rfc2217://{address}", baudrate=1_000_000):
        pass
    assert settings == {"baudrate": 1_000_000}


def test_bytes_that_rfc2217_escapes():
    class Echo:
        exchange = staticmethod(lambda data: data)

    sent = bytes(range(256))*8 + b"\xff"*100
    with rfc2217(Echo()) as address:
        port = SerialPort(f"rfc2217://{address}", 115200)
        port.write(sent)
        received = b""
        while len(received) < len(sent):
            port.wait(1)
            received += port.read()
        port.close()
    assert received == sent


@pytest.mark.parametrize("kind", ["socket", "rfc2217"])
def test_server_that_ends_in_mid_run(kind):
    with contextlib.ExitStack() as stack:
        address = stack.enter_context({"socket": tcp, "rfc2217": rfc2217}[kind](FirmwareDevice(CONFIG)))
        link    = Link(f"{kind}://{address}")
        stack.close()
        with pytest.raises(QCLIFError, match="closed in mid-run"):
            for _ in range(1000):
                link.request("STATS")
        link.close()


def test_a_loop_is_no_device():
    with pytest.raises(QCLIFError, match="no answer from the device on loop://"):
        Link("loop://", timeout=0.02, tries=3)


@pytest.mark.parametrize("url", ["cp2110://0001:0023:00", "hwgrep://[", "hwgrep://no such port", "hwgrep://x&n=a",
    "alt:///dev/null?class=os", "alt:///dev/null?class=none", "alt:///dev/null?mode=1", "loop://?logging=none",
    "spy:///dev/null?file=/none/file", "spy:///dev/none", "socket://127.0.0.1", "socket://127.0.0.1:x",
    "rfc2217://127.0.0.1", "rfc2217://127.0.0.1:99999", "rfc2217://127.0.0.1:1?timeout=x", "rfc2217://", "socket://",
    "http://127.0.0.1:80", "://", "/dev/null", "/", "a\0b"])
def test_ports_that_cannot_be_opened(url):
    assert_one_line(call(main, "--port", url, "--samples", 1), "cannot open port", url)


@pytest.mark.parametrize("baudrate", [0, -1, 2**40])
def test_baud_rates_that_cannot_be(baudrate):
    with terminal(FirmwareDevice(CONFIG)) as path, pytest.raises(QCLIFError, match=f"baudrate is {baudrate}"):
        SerialPort(path, baudrate)


def test_a_server_that_does_not_speak_rfc2217():
    with tcp(FirmwareDevice(CONFIG)) as address, pytest.raises(QCLIFError, match="cannot open port") as error:
        SerialPort(f"rfc2217://{address}?timeout=0.2", 115200)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("url", ["spy://{}?raw", "alt://{}?class=PosixPollSerial"])
def test_what_is_wrong_in_pyserial_is_one_line(url):
    # The first writes bytes to a text file, the second looks at what poll() did not give.
    with terminal(FirmwareDevice(CONFIG)) as path, pytest.raises(QCLIFError, match="failed or was closed") as error:
        Link(url.format(path))
    assert "\n" not in str(error.value)


def test_nobody_takes_what_is_sent(monkeypatch):
    monkeypatch.setattr("host.link.port._WRITE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = SerialPort(f"socket://127.0.0.1:{server.getsockname()[1]}", 115200)
        with pytest.raises(QCLIFError, match="failed or was closed"):
            port.write(bytes(50_000_000))
        port.close()
