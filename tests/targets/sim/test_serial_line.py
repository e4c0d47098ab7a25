# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A serial line bit by bit: its two ends alone, then LiteX's PHY, the compiled firmware and a host over it."""

import ctypes
import functools
import random
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.cli import options as host_options
from host.events.encoder import Encoder
from host.events.formats import read_files
from host.events.sample import Sample
from host.link.link import Link
from host.network.random_network import random_network
from host.runs.run import execute
from targets.sim import __main__ as sim
from targets.sim.build import build_simulator
from targets.sim.options import LINE_BIT_CLOCKS, LINE_TOLERANCE, PHY_BIT_CLOCKS, SimOptions
from targets.sim.simulator import SimulatedSoC
from tests.helpers.echo import connect, echo_firmware, line_of, receive
from tests.helpers.needs import needs_simulator

MODULE = Path(sim.__file__).resolve().parent/"modules"/"qclif_uart"

NONE, FRAMING = -1, 0x100


# A whole number of clocks neither a bit nor a byte: 16.7 and 166.7.
BAUDRATE = 3_000_000
ENCODER  = Encoder(grid=(4, 4))
SIZES    = QCLIFConfig(neurons=16, inputs=32, contexts=2, lanes=4, outputs=3)
OPTIONS  = SimOptions(SIZES, registered=True, soc={"uart_name": "serial", "uart_baudrate": BAUDRATE})

# What the simulated line holds for a client at least, as its line.h has it.
LINE_BYTES = 16384

# Time steps of a real recording.
STEPS = 40

# The two ends alone -------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def rs232(tmp_path_factory):
    library = tmp_path_factory.mktemp("rs232")/"rs232.so"
    subprocess.run(["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fsanitize=undefined",
        "-fno-sanitize-recover", MODULE/"rs232.c", "-o", library], check=True)
    loaded = ctypes.CDLL(str(library))
    loaded.rs232_send.argtypes    = [ctypes.c_char_p, ctypes.c_uint64, ctypes.c_int]
    loaded.rs232_receive.argtypes = [ctypes.c_char_p, ctypes.c_uint64, ctypes.c_int]
    loaded.rs232_free.argtypes    = [ctypes.c_char_p, ctypes.c_uint64]
    return loaded


class End:
    """Sender and receiver of one end, with their state."""
    def __init__(self, library, baudrate):
        self.library, self.sender, self.receiver = library, ctypes.create_string_buffer(64), \
            ctypes.create_string_buffer(64)
        library.rs232_start(self.sender, self.receiver, baudrate)

    def free(self, now):
        return self.library.rs232_free(self.sender, now)

    def send(self, now, byte=NONE):
        return self.library.rs232_send(self.sender, now, byte)

    def receive(self, now, level):
        return self.library.rs232_receive(self.receiver, now, level)


def transfer(library, data, sender_baud, receiver_baud, clock=20_000_000):
    """What the receiver makes of bytes that follow each other, and when the last one was over, in bits."""
    period, now, received  = 10**15//clock, 0, []
    sender, receiver, todo = End(library, sender_baud), End(library, receiver_baud), list(data)
    receiver.receive(now, sender.send(now))
    while todo or not sender.free(now):
        level = sender.send(now, todo.pop(0) if todo and sender.free(now) else NONE)
        if (byte := receiver.receive(now, level)) != NONE:
            received.append(byte)
        now += period
    bits = now*sender_baud/10**15
    for _ in range(4*clock//sender_baud):
        if (byte := receiver.receive(now, sender.send(now))) != NONE:
            received.append(byte)
        now += period
    return received, bits


@settings(max_examples=30)
@given(data=st.binary(min_size=1, max_size=12), mismatch=st.floats(-0.04, 0.04))
def test_bytes_survive_a_mismatch(rs232, data, mismatch):
    received, bits = transfer(rs232, data, 1_000_000, round(1_000_000*(1 + mismatch)))
    assert bytes(received) == data
    # Neither drifts nor leaves gaps: one clock is a twentieth of a bit.
    assert 10*len(data) <= bits < 10*len(data) + 0.11


@pytest.mark.parametrize("mismatch", [-0.08, 0.08])
def test_a_large_mismatch_is_seen(rs232, mismatch):
    data = bytes(range(0, 256, 5))
    received, _ = transfer(rs232, data, 1_000_000, round(1_000_000*(1 + mismatch)))
    assert bytes(byte & 0xff for byte in received) != data
    assert any(byte & FRAMING for byte in received)


def test_a_line_that_stays_low_is_one_framing_error(rs232):
    end = End(rs232, 1_000_000)
    levels = [1]*20 + [0]*300 + [1]*40
    found  = [byte for now, level in enumerate(levels) if (byte := end.receive(now*10**15//10_000_000, level)) != NONE]
    assert found == [FRAMING]


def test_a_start_bit_that_is_over_too_early_is_a_framing_error(rs232):
    end = End(rs232, 1_000_000)
    levels = [1]*20 + [0]*3 + [1]*200
    found  = [byte for now, level in enumerate(levels) if (byte := end.receive(now*10**15//10_000_000, level)) != NONE]
    assert found == [FRAMING]


def test_a_line_that_is_low_from_the_beginning_is_no_byte(rs232):
    end = End(rs232, 1_000_000)
    assert all(end.receive(now*10**15//10_000_000, 0) == NONE for now in range(300))

# The SoC ------------------------------------------------------------------------------------------

@pytest.fixture
def recording(qclif_data):
    """The first steps of a real gesture."""
    sample = next(read_files([qclif_data/"dvs128_gesture"/"00_hand_clapping.npz"]))
    events = sample.events[sample.events["t"] - sample.events["t"][0] < STEPS*ENCODER.bin_us]
    return Sample("clapping", events, None, sample.label, sample.sensor_size).encoded(ENCODER, SIZES.contexts)


@needs_simulator
@pytest.mark.parametrize("mismatch", [0, LINE_TOLERANCE, -LINE_TOLERANCE])
@pytest.mark.parametrize("encode", ["host", "device"])
def test_every_spike_over_a_real_line(recording, mismatch, encode):
    """Firmware, host and protocol are those of every other run."""
    network = random_network(SIZES, ENCODER, [recording.steps])
    line    = round(BAUDRATE*(1 + mismatch))
    with SimulatedSoC(OPTIONS, line_baudrate=line) as soc:
        # Requests that are sent again are those that were damaged, not those that a busy machine answers late.
        with Link(soc.port, timeout=60) as link:
            start = soc.clocks
            run   = execute(link, network, [recording], encode=encode, lockstep=encode == "host")
        counters = soc.counters
        clocks   = counters.clocks - start
    assert run.mismatches == 0, [str(each.divergence) for each in run.compared]
    assert len(run.compared[0].run.spikes) == STEPS and len(run.compared[0].run.spikes.sources) > 0
    assert link.stats.retries == link.stats.crc_errors == run.stats["rx_errors"] == run.stats["rx_overflows"] == 0
    assert counters.framing == counters.overruns == counters.waited == 0
    assert counters.received == link.stats.bytes_tx
    # Ten bits a byte, at the line's own pace.
    assert clocks >= 10*run.stats["rx_bytes"]*OPTIONS.sys_clk_freq/line


@needs_simulator
@pytest.mark.parametrize("mismatch", [0.08, -0.08])
def test_a_mismatch_that_is_too_large_is_one_line(mismatch, monkeypatch, capsys):
    monkeypatch.setattr(host_options, "Link", functools.partial(Link, timeout=0.2, tries=2))
    assert sim.main([*sizes(), "--uart-name", "serial", "--uart-baudrate", str(BAUDRATE), "--line-baudrate",
        str(round(BAUDRATE*(1 + mismatch))), "--network", "random", "--samples", "1"]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: no answer from the device") and f"{mismatch:+.1%} from the SoC's 3000000" in error


@needs_simulator
def test_what_the_command_says_of_the_line(capsys):
    assert sim.main([*sizes(), "--uart-name", "serial", "--uart-baudrate", str(BAUDRATE), "--line-baudrate", "3050000",
        "--network", "random", "--samples", "1"]) == 0
    assert "3000000 baud, the other end's +1.7%; of the SoC's" in capsys.readouterr().out


def sizes():
    return ["--registered", *(f"--{name}={getattr(SIZES, name)}" for name in ("neurons", "inputs", "contexts", "lanes",
        "outputs"))]


@pytest.fixture(scope="module")
def echo_rom(tmp_path_factory):
    return echo_firmware(build_simulator(OPTIONS), tmp_path_factory.mktemp("software"))


@needs_simulator
def test_bytes_of_all_values_pass_both_ways(echo_rom):
    data = line_of(bytes(range(256))*8)
    with SimulatedSoC(OPTIONS, rom_init=echo_rom) as soc, connect(soc) as client:
        client.sendall(data)
        assert receive(client, len(data)) == data
        assert soc.counters.framing == 0


@needs_simulator
def test_what_a_slow_client_loses_is_counted(echo_rom):
    """Pins do not wait."""
    source, data, copy = random.Random(1), bytearray(), bytearray()
    # Another one sends: TCP itself may halt for seconds where one that does not read has something to say.
    with SimulatedSoC(OPTIONS, rom_init=echo_rom) as soc, connect(soc) as sender, \
            connect(soc, receive_buffer=4096) as client:
        while not soc.counters.overruns:
            data += (part := line_of(source.randbytes(4000)))
            sender.sendall(part)
            while (counters := soc.counters).sent + counters.overruns < len(data):
                soc.check()
                time.sleep(0.01)
            copy += receive(sender, counters.sent - len(copy))
        received = receive(client, LINE_BYTES)
    assert counters.waited == counters.skipped == counters.framing == 0
    assert counters.sent + counters.overruns == len(data) and copy[:LINE_BYTES] == data[:LINE_BYTES]
    # From when it was noticed, and without a gap.
    assert len(received) == LINE_BYTES and received in copy

# What cannot be ------------------------------------------------------------------------------------

def test_baud_rates_that_the_clock_does_not_allow():
    with pytest.raises(QCLIFError, match=f"--uart-baudrate is 6000000: 1 to 5000000 .* {PHY_BIT_CLOCKS} clocks a bit"):
        SimOptions(soc={"uart_name": "serial", "uart_baudrate": 6_000_000})
    with pytest.raises(QCLIFError, match=f"--line-baudrate is 13000000: .* {LINE_BIT_CLOCKS} clocks a bit"):
        SimulatedSoC(OPTIONS, line_baudrate=13_000_000)


def test_baud_rates_without_a_line():
    with pytest.raises(QCLIFError, match="--uart-baudrate has no effect on the UART sim: add --uart-name serial"):
        SimOptions(soc={"uart_baudrate": 115200})
    with pytest.raises(QCLIFError, match="--line-baudrate is 115200, but the UART sim has no baud rate"):
        SimulatedSoC(SimOptions(), line_baudrate=115200)


def test_a_uart_that_is_not_simulated():
    with pytest.raises(QCLIFError, match="--uart-name is jtag_uart: the simulated SoC has sim"):
        SimOptions(soc={"uart_name": "jtag_uart"})
