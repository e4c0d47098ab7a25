# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The simulator's line, life and cache, with the Verilated default SoC; an echo firmware stands in for ours."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import serial

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.common.folders import ROOT
from targets.sim.build import build_simulator
from targets.sim.options import SimOptions
from targets.sim.simulator import SimulatedSoC
from targets.tools.builds import locked
from tests.helpers.echo import connect, echo_firmware, line_of, receive

OPTIONS = SimOptions()

# Another one, that no other tests use: here it is built again, and its signals are traced.
TRACED = SimOptions(config=QCLIFConfig(neurons=1, inputs=1, contexts=0, lanes=1, outputs=0), with_accelerator=False,
    opt_level="O0", trace="vcd")


@pytest.fixture(scope="module")
def build():
    return build_simulator(OPTIONS)


@pytest.fixture(scope="module")
def traced():
    return build_simulator(TRACED)


@pytest.fixture(scope="module")
def echo_rom(build, tmp_path_factory):
    return echo_firmware(build, tmp_path_factory.mktemp("software"))


@pytest.fixture
def echo(echo_rom):
    with SimulatedSoC(OPTIONS, rom_init=echo_rom) as soc:
        yield soc


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.01)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False

# Line ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["port", "pty"])
def test_bytes_of_all_values_pass_both_ways(echo, name):
    data = line_of(bytes(range(256))*8 + random.Random(1).randbytes(4096))
    with serial.serial_for_url(getattr(echo, name), timeout=20) as port:
        port.write(data)
        assert port.read(len(data)) == data
    assert echo.counters.unplugged == 0


@pytest.mark.parametrize("name", ["port", "pty"])
def test_a_slow_client_loses_nothing(echo, name):
    """Both directions fill up, the SoC waits, and every byte arrives."""
    data = line_of(random.Random(2).randbytes(120_000))
    if name == "port":
        client = connect(echo, receive_buffer=4096)
        write, read = client.sendall, client.recv
    else:
        client = serial.serial_for_url(echo.pty, timeout=20)
        write, read = client.write, client.read
    with client:
        writer = threading.Thread(target=write, args=(data,))
        writer.start()
        wait_for(lambda: echo.counters.waited > 10_000, seconds=60)
        received = bytearray()
        while len(received) < len(data) and (part := read(min(1000, len(data) - len(received)))):
            received += part
        writer.join()
    assert received == data
    assert echo.counters.unplugged == echo.counters.skipped == 0


def test_bytes_of_a_client_that_left_still_arrive(echo):
    client = connect(echo)
    data = line_of(bytes(5000))
    client.sendall(data)
    client.shutdown(socket.SHUT_WR)
    wait_for(lambda: echo.counters.received == echo.counters.sent == len(data))
    client.close()
    with connect(echo) as client:
        client.sendall(data := line_of(b"next"))
        assert receive(client, len(data)) == data


def test_without_a_client_bytes_are_dropped(echo):
    pty = serial.serial_for_url(echo.pty)
    data = line_of(bytes(3000))
    pty.write(data)
    pty.flush()
    pty.close()
    wait_for(lambda: echo.counters.sent == len(data))
    assert echo.counters.unplugged > 0
    with connect(echo) as client:
        client.sendall(data := line_of(b"fresh"))
        assert receive(client, len(data)) == data


def test_every_client_hears_the_line(echo):
    with connect(echo) as client, serial.serial_for_url(echo.pty, timeout=10) as pty, connect(echo) as last:
        last.sendall(data := line_of(b"from the socket"))
        for read in (lambda n: receive(client, n), pty.read, lambda n: receive(last, n)):
            assert read(len(data)) == data
        pty.write(data := line_of(b"from the pty"))
        for read in (lambda n: receive(client, n), pty.read, lambda n: receive(last, n)):
            assert read(len(data)) == data


def test_an_older_client_cannot_hold_up_the_newest(echo):
    data = line_of(random.Random(3).randbytes(120_000))
    with connect(echo, receive_buffer=4096), connect(echo) as newest:
        writer = threading.Thread(target=newest.sendall, args=(data,))
        writer.start()
        assert receive(newest, len(data)) == data
        writer.join()
    assert echo.counters.skipped > 0


def test_too_many_clients_are_refused_with_text(echo):
    clients = [connect(echo) for _ in range(8)]
    wait_for(lambda: echo.clocks > 50_000)
    with connect(echo) as refused:
        assert b"too many clients" in refused.recv(100)
        assert refused.recv(100) == b""
    for client in clients:
        client.close()


def test_reset_keeps_the_clients(echo):
    with connect(echo) as client:
        client.sendall(data := line_of(b"before"))
        assert receive(client, len(data)) == data
        echo.reset()
        start = echo.clocks
        wait_for(lambda: echo.clocks > start + 5000)
        client.sendall(data := line_of(b"after"))
        assert receive(client, len(data)) == data

# Life ---------------------------------------------------------------------------------------------

def listening_addresses(pid):
    """Local addresses of the TCP sockets that a process listens on, as /proc has them."""
    inodes = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()}
    return [line.split()[1] for name in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{name}").read_text()
        .splitlines()[1:] if line.split()[3] == "0A" and f"socket:[{line.split()[9]}]" in inodes]


def test_listens_on_the_loopback_interface_alone(echo):
    port = int(echo.port.rsplit(":", 1)[1])
    assert listening_addresses(echo.pid) == [f"0100007F:{port:04X}"]


def test_starts_at_once_and_leaves_nothing(build, echo_rom):
    stages = []
    start  = time.monotonic()
    with SimulatedSoC(OPTIONS, rom_init=echo_rom, progress=stages.append) as soc:
        assert time.monotonic() - start < 3
        assert stages == []
        pid, directory = soc.pid, os.readlink(f"/proc/{soc.pid}/cwd")
        assert alive(pid)
        # Not even files that a killed process could leave behind.
        assert directory.endswith("(deleted)")
    assert not alive(pid)


def test_an_error_in_the_block_leaves_nothing(echo_rom):
    with pytest.raises(KeyboardInterrupt), SimulatedSoC(OPTIONS, rom_init=echo_rom) as soc:
        pid = soc.pid
        raise KeyboardInterrupt
    assert not alive(pid)


def test_ends_with_its_parent(build):
    program = textwrap.dedent("""
        import time
        from accel.config import QCLIFConfig
        from targets.sim.simulator import SimulatedSoC
        with SimulatedSoC(QCLIFConfig()) as soc:
            print(soc.pid, flush=True)
            time.sleep(60)
    """)
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    wait_for(lambda: not alive(pid))


def children(pid):
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_serve_until_it_is_interrupted(build, number, status):
    command = [sys.executable, "-m", "targets.sim", "--serve", "--non-interactive"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        lines  = [server.stdout.readline() for _ in range(3)]
        port   = lines[1].split()[-1]
        assert port.startswith("socket://127.0.0.1:") and lines[2].split()[-1].startswith("/dev/pts/")
        pids = children(server.pid)
        assert pids and all(map(alive, pids))
        server.send_signal(number)
        _, errors = server.communicate(timeout=20)
    assert server.returncode == status
    assert "Traceback" not in errors
    assert not any(map(alive, pids))


def test_a_simulator_that_ends_is_reported(echo_rom):
    with SimulatedSoC(OPTIONS, rom_init=echo_rom) as soc:
        os.kill(soc.pid, signal.SIGKILL)
        with pytest.raises(QCLIFError, match="the simulator has ended"):
            soc.wait()


def test_a_port_that_is_taken(echo, echo_rom):
    port = int(echo.port.rsplit(":", 1)[1])
    with pytest.raises(QCLIFError, match="cannot listen on the TCP port"), \
            SimulatedSoC(OPTIONS, rom_init=echo_rom, tcp_port=port):
        pass

# Build --------------------------------------------------------------------------------------------

def test_exports_and_documentation(build):
    registers = json.loads((build.directory/"csr.json").read_text())["csr_registers"]
    assert {"frames_frame", "frames_send", "frames_sent", "qclif_push", "qclif_pop"} <= set(registers)
    names = {element.text for element in ElementTree.parse(build.directory/"csr.svd").iter("name")}
    assert {"FRAMES", "QCLIF"} <= names
    assert "frames_frame" in (build.directory/"csr.csv").read_text()
    assert "FRAMES_FRAME" in (build.directory/"doc"/"frames.rst").read_text()


def test_two_builds_of_one_soc_take_turns(build):
    stages = []
    with locked(build.directory/"lock", stages.append):
        other = threading.Thread(target=build_simulator, args=(OPTIONS, None, stages.append))
        other.start()
        wait_for(lambda: stages)
        assert other.is_alive()
    other.join(20)
    assert not other.is_alive()
    assert stages == ["waiting for another process that does the same"]


def change_record(build, **changes):
    """Let the record of what a build was made from say otherwise."""
    state = build.directory/"build.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), **changes}))


def test_gateware_that_comes_out_the_same_is_not_compiled_again(traced):
    """As where the firmware alone has changed, which is compiled, and read when the simulator starts."""
    change_record(traced, sources="another")
    binary, stages = traced.simulator.stat().st_mtime_ns, []
    firmware = traced.gateware/"sim_rom.init"
    content  = firmware.read_text()
    firmware.write_text("0\n")
    build_simulator(TRACED, progress=stages.append)
    assert stages == ["generating the SoC and its firmware"]
    assert traced.simulator.stat().st_mtime_ns == binary and firmware.read_text() == content
    build_simulator(TRACED, progress=stages.append)
    assert len(stages) == 1


def test_options_decide_the_build():
    names = {options.name for options in (OPTIONS, SimOptions(threads=2), SimOptions(trace="fst"),
        SimOptions(with_accelerator=False), SimOptions(config=QCLIFConfig(spike_fifo=1024)))}
    assert len(names) == 5
    assert SimOptions(config=QCLIFConfig()).name == OPTIONS.name


def test_a_clock_without_whole_picoseconds():
    with pytest.raises(QCLIFError, match="--sys-clk-freq is 30000000"):
        SimOptions(sys_clk_freq=30_000_000)


def test_missing_programs_are_named_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(QCLIFError, match=r"verilator.*sudo apt-get install verilator"):
        build_simulator(OPTIONS, tmp_path)


def test_missing_headers_are_named_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr("targets.sim.build.HEADERS", {"no/such.h": "libnosuch-dev"})
    with pytest.raises(QCLIFError, match=r"no/such\.h not found: sudo apt-get install libnosuch-dev"):
        build_simulator(OPTIONS, tmp_path)


def test_a_stage_that_fails_names_its_log(tmp_path):
    options = SimOptions(soc={"integrated_rom_size": 1024})
    with pytest.raises(QCLIFError, match=r"^generating the SoC and its firmware failed: .* bytes.*; its log is "):
        build_simulator(options, tmp_path)


def test_trace(traced):
    """A window of a small SoC's signals, complete although the simulator ran on."""
    with SimulatedSoC(TRACED, trace_window=(0, 10**6)) as soc:
        wait_for(lambda: soc.clocks > 1000)
    times = [int(line[1:]) for line in (traced.directory/"sim.vcd").read_text().splitlines() if line.startswith("#")]
    assert times[-1] <= 10**6
    assert len(times) > 50
