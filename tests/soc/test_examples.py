# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The examples of soc/examples, as their users start them."""

import contextlib
import ctypes
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import time

import pytest

from accel.config import SPACE_PARAMETERS, QCLIFConfig
from accel.registers import IDENTITY, REGISTER_LAYOUT, registers
from firmware import FOLDER
from firmware.header import write_headers
from host import c_network, remote
from host.common.folders import ROOT
from soc.examples.bios import SOFTWARE
from targets.tools.verilator import runtime
from tests.helpers.commands import assert_one_line, call
from tests.helpers.naive_contract import Reference
from tests.helpers.needs import needs_simulator, needs_verilator
from tests.helpers.register_model import RegisterModel
from tests.helpers.strategies import random_network

# A build that Verilator is soon done with, and so few steps that a bridge is.
SIZES = ("--neurons", "3", "--inputs", "8", "--contexts", "0", "--lanes", "2")
SHORT = ("--bin-us", "250000", "--lockstep")

# Where LiteX's makefiles find meson.
ENVIRONMENT = {**os.environ, "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])}

START_SECONDS = 500

# Processes ----------------------------------------------------------------------------------------

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def make_flags():
    """Variables for LiteX's makefiles: of its modules for simulations only two are compiled; Verilator's output is one
    file, as each takes a second for its headers, without optimisation, which takes longer than what runs; its own C++,
    which takes longest, is compiled once for all.
    """
    variables = {"MODULES": ["clocker", "serial2tcp"], "INC_DIR": ["--output-split", "100000"], "OPT_FAST": ["-O0"],
        "VM_GLOBAL_FAST": [], "LOADLIBES": runtime(["--threads", "1", "--trace"])}
    return " ".join(f"{name}=" + "\\ ".join(map(str, values)) for name, values in variables.items())


@contextlib.contextmanager
def serving(port, log, *command):
    """A process that serves a TCP port, until the block ends."""
    with open(log, "w") as output:
        process = subprocess.Popen([sys.executable, *map(str, command)], stdout=output, stderr=subprocess.STDOUT,
            cwd=ROOT, env={**ENVIRONMENT, "MAKEFLAGS": make_flags()}, start_new_session=True)
    try:
        deadline = time.monotonic() + START_SECONDS
        while f":{port:04X} " not in open("/proc/net/tcp").read():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.1)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def bridged(example, folder, *sizes):
    """An example in Verilator and litex_server at its bridge: options of host.remote."""
    line, server = free_port(), free_port()
    with serving(line, folder/"sim.log", "-m", f"soc.examples.{example}", "--port", line, "--output-dir",
            folder/"build", *sizes), serving(server, folder/"server.log", "-m", "litex.tools.litex_server", "--uart",
            "--uart-port", f"socket://localhost:{line}", "--bind-ip", "127.0.0.1", "--bind-port", server):
        yield "--csr-csv", folder/"build"/"csr.csv", "--host", "127.0.0.1", "--port", server


def assert_exact(done):
    assert done.returncode == 0 and "exact" in done.stdout, done.stdout + done.stderr

# A target of litex-boards -------------------------------------------------------------------------

def test_a_board(tmp_path):
    subprocess.run([sys.executable, "-m", "soc.examples.board", "--build", "--no-compile", "--output-dir", tmp_path],
        cwd=ROOT, env=ENVIRONMENT, check=True, capture_output=True)
    exports = (tmp_path/"csr.csv").read_text()
    assert "csr_base,qclif," in exports and "constant,config_qclif_neurons,64," in exports
    assert "constant,qclif_interrupt," in exports
    # LiteX's versions differ in what they put before it.
    assert "core_population_" in (tmp_path/"gateware"/"radiona_ulx3s.v").read_text()

# Bridges ------------------------------------------------------------------------------------------

@needs_verilator
def test_without_a_cpu(tmp_path):
    with bridged("without_cpu", tmp_path, *SIZES) as options:
        assert_exact(call(remote.main, *options, *SHORT))
        # The accelerator is found where another program left it; what is not an accelerator is told.
        assert_exact(call(remote.main, *options, *SHORT, "--seed", "1"))
        assert_one_line(call(remote.main, *options, "--name", "ctrl"),
            "an accelerator of register layout", "see that the bridge answers, and that the address")


@needs_verilator
def test_the_page_for_integrators(tmp_path, monkeypatch, capsys):
    """The Python of accel/README.md, as it stands there, on the SoC of its command: what it prints is what the page
    says."""
    page    = (ROOT/"accel"/"README.md").read_text().split("## In a SoC of your own")[1]
    command = re.search(r"python -m soc\.examples\.without_cpu (.*)", page)[1]
    _, network, program = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    printed = re.search(r"^prints\n\n((?:    .*\n)+)", page, re.MULTILINE)[1]
    monkeypatch.chdir(tmp_path)
    exec(network, {})
    with bridged("without_cpu", tmp_path, *command.split()) as (_, csr_csv, _, host, _, port):
        client, where = 'RemoteClient(csr_csv="build/sim/csr.csv")', f"{host!r}, {port}, csr_csv={str(csr_csv)!r}"
        assert client in program
        capsys.readouterr()
        exec(program.replace(client, f"RemoteClient({where})"), {})
    assert capsys.readouterr().out == textwrap.dedent(printed)


@needs_verilator
def test_two_accelerators(tmp_path):
    with bridged("two_accelerators", tmp_path, *SIZES) as options:
        for name, steps in (("left", "250000"), ("right", "200000"), ("left", "500000")):
            assert_exact(call(remote.main, *options, "--name", name, "--bin-us", steps))


def test_remote_without_a_server(tmp_path):
    (tmp_path/"csr.csv").write_text("csr_base,qclif,0xf0000000,,\ncsr_base,ctrl,0xf0000800,,\n"
        "constant,config_csr_data_width,32,,\nconstant,config_bus_address_width,32,,\n")
    for arguments, told in (
        (("--csr-csv", tmp_path/"none.csv"), "none.csv: No such file or directory: name the csr.csv"),
        (("--csr-csv", tmp_path/"csr.csv", "--name", "x"), "csr.csv has qclif, ctrl: name the accelerator"),
        (("--csr-csv", tmp_path/"csr.csv", "--port", free_port()), "start one, as litex_server"),
    ):
        assert_one_line(call(remote.main, *arguments), told)

# LiteX's BIOS -------------------------------------------------------------------------------------

def until(client, pattern, again=b""):
    """What comes until there is a match in it; `again` is sent where nothing comes for some seconds."""
    said, deadline = b"", time.monotonic() + 120
    client.settimeout(5)
    while not re.search(pattern, said):
        assert time.monotonic() < deadline, said
        try:
            said += client.recv(4096)
        except TimeoutError:
            client.sendall(again)
    return said


@needs_simulator
def test_a_command_of_the_bios(tmp_path):
    port = free_port()
    with serving(port, tmp_path/"sim.log", "-m", "soc.examples.bios", "--port", port, "--output-dir",
            tmp_path/"build", *SIZES), socket.create_connection(("127.0.0.1", port)) as bios:
        # The BIOS may have said its prompt, which is in colours, before we came: asked, it says it again.
        until(bios, rb"litex\S*> $", again=b"\n")
        bios.sendall(b"qclif\n")
        said = until(bios, rb": right|WRONG|does not answer")
    assert b"3 neurons, 8 inputs; spikes 1, 0, states 0x260032, errors 0x0: right" in said, said

# The driver alone, and interrupts -----------------------------------------------------------------

# As main.c of the example has them.
STEPS, MOST_EVENTS = 12, 4


@needs_simulator
def test_interrupts(tmp_path):
    """Both accelerators, with a network that fires, against the naive reference; twice, so that a reset is one."""
    config  = QCLIFConfig(neurons=6, inputs=8, contexts=2, lanes=2)
    network = random_network(config, 3, "excited")
    network.save(tmp_path/"net.npz")
    done = call(c_network.main, "--network", tmp_path/"net.npz", "--lanes", 2)
    assert done.returncode == 0, done.stderr
    (tmp_path/"network.h").write_text(done.stdout)
    told, totals = [], []
    references = [Reference(network), Reference(network)]
    events = spikes = [0, 0]
    for step in range(STEPS):
        for side, name in enumerate(("left", "right")):
            sources = [(5*step + 3*side + 7*i) % config.sources for i in range((step + side) % (MOST_EVENTS + 1))]
            fired   = references[side].step(sources)
            events  = [count + len(sources)*(side == each) for each, count in enumerate(events)]
            spikes  = [count + len(fired)*(side == each) for each, count in enumerate(spikes)]
            told.append(" ".join([name, *map(str, fired)]))
    for side, name in enumerate(("left", "right")):
        totals.append(rf"{name}: steps, events, spikes {STEPS} {events[side]} {spikes[side]}, interrupts (\d+), "
            "errors 0")
    assert min(spikes) > STEPS
    port = free_port()
    with serving(port, tmp_path/"sim.log", "-m", "soc.examples.interrupts", "--port", port, "--output-dir",
            tmp_path/"build", "--network", tmp_path/"network.h", "--neurons", 6, "--inputs", 8, "--contexts", 2,
            "--lanes", 2), socket.create_connection(("127.0.0.1", port)) as program:
        for _ in range(2):
            program.sendall(b"x")
            lines = until(program, rb"right: [^\n]*\nPress a key\r\n").decode().split("\r\n")
            lines = [line for line in lines if line not in ("", "Press a key")]
            assert lines[:-2] == told
            left, right = (int(re.fullmatch(total, line)[1]) for total, line in zip(totals, lines[-2:], strict=True))
            # The left one has an interrupt for each beat that comes alone, the right one has one a step.
            assert left >= STEPS and right == STEPS


def test_a_program_for_another_build(tmp_path):
    random_network(QCLIFConfig(neurons=3, inputs=2, contexts=0), 1).save(tmp_path/"net.npz")
    for options, told in (
        (("--neurons", 2), "the network has 3 neurons, the build 2: build with --neurons 3"),
        (("--name", "a b"), "--name a b: not a name of C"),
        (("--state-bits", 9), "they must be equal"),
    ):
        assert_one_line(call(c_network.main, "--network", tmp_path/"net.npz", *options), told)

# C on Linux ---------------------------------------------------------------------------------------

FLAGS = ("-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", "-fno-sanitize-recover")

# The driver's registers are functions of the test.
ACCESSES = """
#include <stddef.h>
#include <stdint.h>
extern uint32_t (*register_get)(size_t);
extern void (*register_set)(size_t, uint32_t);
#define QCLIF_GET(q, name)        register_get((size_t)(q) + offsetof(struct qclif, name))
#define QCLIF_SET(q, name, value) register_set((size_t)(q) + offsetof(struct qclif, name), value)
"""


def compiled(folder, name, *options):
    write_headers(QCLIFConfig(), folder/"generated")
    subprocess.run(["gcc", *FLAGS, f"-I{folder}", f"-I{SOFTWARE}", f"-I{FOLDER}", *options, SOFTWARE/"tiny_network.c",
        FOLDER/"qclif.c", "-o", folder/name], check=True)
    return folder/name


BASE = 0x1000


class Answer(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("first", "second", "states", "errors")]


@pytest.mark.parametrize("sizes, answers", [
    ({"neurons": 1, "inputs": 1, "contexts": 0, "lanes": 1}, True),
    ({"neurons": 9, "inputs": 5, "contexts": 3, "lanes": 4}, True),
    ({"neurons": 30, "inputs": 5, "contexts": 3, "lanes": 9}, True),
    ({"neurons": 9, "inputs": 5, "contexts": 3, "lanes": 4, "weight_bits": 4}, False),
    ({"neurons": 9, "inputs": 5, "contexts": 3, "lanes": 4, "state_bits": 12}, False),
])
def test_the_network_of_one_neuron(sizes, answers, tmp_path):
    (tmp_path/"accesses.h").write_text(ACCESSES)
    (tmp_path/"accesses.c").write_text("uint32_t (*register_get)(size_t);\nvoid (*register_set)(size_t, uint32_t);\n")
    library = ctypes.CDLL(str(compiled(tmp_path, "tiny.so", "-shared", "-fPIC", "-include", tmp_path/"accesses.h",
        tmp_path/"accesses.c")))
    config  = QCLIFConfig(**sizes)
    model   = RegisterModel(config, latency=3)
    # What stood in the memories before does not matter; other neurons than the first one are not there.
    for space, words in model.memory.items():
        if space != SPACE_PARAMETERS:
            words[:] = [1]*len(words)
    names = [register.name for register in registers(config)] + ["ev_status", "ev_pending", "ev_enable"]

    def access(address, value=None):
        name   = names[(address - BASE)//4]
        result = model.read(name) if value is None else model.write(name, value)
        model.tick()
        return result or 0

    get = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_size_t)(access)
    put = ctypes.CFUNCTYPE(None, ctypes.c_size_t, ctypes.c_uint32)(lambda address, value:
        access(address, value) and None)
    ctypes.c_void_p.in_dll(library, "register_get").value = ctypes.cast(get, ctypes.c_void_p).value
    ctypes.c_void_p.in_dll(library, "register_set").value = ctypes.cast(put, ctypes.c_void_p).value
    library.tiny_network.restype = ctypes.c_bool
    answer = Answer()
    assert library.tiny_network(ctypes.c_void_p(BASE), ctypes.byref(answer)) is answers
    if answers:
        assert (answer.first, answer.second, answer.states, answer.errors) == (1, 0, 50 | 38 << 16, 0)


def test_the_program_for_linux(tmp_path):
    """At a file in the place of a device: it finds the registers, and says so where nothing answers."""
    program = compiled(tmp_path, "qclif", SOFTWARE/"linux_uio.c")
    device  = tmp_path/"device"
    values  = [getattr(QCLIFConfig(neurons=9), register.name.removeprefix("size_"))
        if register.name.startswith("size_") else 0 for register in registers(QCLIFConfig())]
    device.write_bytes(bytes(0x1800) + struct.pack(f"<{len(values)}I", IDENTITY << 16 | REGISTER_LAYOUT, *values[1:]) +
        bytes(0x1000))
    for arguments, told in (
        ((), "usage: "),
        ((tmp_path/"none",), "No such file or directory"),
        ((device, "0x800"), f"0 is there, an accelerator is {IDENTITY << 16 | REGISTER_LAYOUT:#x}"),
        ((device, "0x1800"), "9 neurons, 512 inputs, 8 lanes\nit does not answer"),
    ):
        done = subprocess.run([program, *arguments], capture_output=True, text=True)
        assert done.returncode == 1 and told in done.stdout + done.stderr, done
