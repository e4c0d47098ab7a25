# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The accelerator's C driver, compiled for the host, against the model of its registers: two, and in our firmware."""

import ctypes
import dataclasses
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import SPACE_STATE, QCLIFConfig
from accel.errors import QCLIFError
from accel.image import image
from firmware import FOLDER
from firmware.header import write_headers
from firmware.network_header import network_header
from host.events.sample import Sample
from host.events.spike_train import SpikeTrain
from host.link.device import Device
from host.link.link import Link
from tests.helpers.firmware_port import FLAGS, FirmwareDevice, FirmwarePort, RegisterBus, compiled
from tests.helpers.naive_contract import Reference
from tests.helpers.register_bench import ERRORS, Registers, build_source
from tests.helpers.register_model import RegisterModel
from tests.helpers.strategies import inputs_of, networks, random_network

BASES = (0x1000, 0x2000)
BUILD = QCLIFConfig(neurons=9, inputs=7, contexts=2, lanes=10, weight_bits=8, spike_fifo=9)
OTHER = QCLIFConfig(neurons=3, inputs=4, contexts=0, lanes=1, weight_bits=3)


class Driver:
    """The driver of an accelerator at an address, as C code calls it."""
    def __init__(self, library, base, config):
        self.library, self.base, self.config = library, ctypes.c_void_p(base), config

    def call(self, name, *arguments):
        function = getattr(self.library, name)
        function.restype = ctypes.c_uint32
        return function(self.base, *arguments) & (1 if name in ("qclif_init", "qclif_configure", "library_step",
            "library_busy") else 0xffffffff)

    def load(self, network):
        for space, address, words in image(network, self.config):
            words = np.ascontiguousarray(words, dtype=np.uint32)
            self.call("qclif_load", space, address, words.ctypes.data_as(ctypes.c_void_p), len(words))
            again = np.zeros_like(words)
            self.call("qclif_fetch", space, address, again.ctypes.data_as(ctypes.c_void_p), len(words))
            assert again.tolist() == words.tolist()
        return self.call("qclif_configure", network.neurons, network.apical_shift, network.product_shift)

    def step(self, sources):
        neurons, spikes = (ctypes.c_uint16*self.config.neurons)(), ctypes.c_uint32()
        assert self.call("library_step", (ctypes.c_uint16*len(sources))(*sources), len(sources), neurons,
            self.config.neurons, ctypes.byref(spikes))
        return list(neurons)[:spikes.value]

    def states(self, count):
        words = (ctypes.c_uint32*count)()
        self.call("qclif_fetch", SPACE_STATE, 0, words, count)
        return list(words)


@pytest.fixture(scope="module")
def library():
    return ctypes.CDLL(str(compiled(BUILD, with_accel=True)))


@settings(max_examples=15)
@given(data=st.data())
def test_two_accelerators(library, data):
    """Of different builds, with a step of the one between those of the other."""
    configs = (BUILD, OTHER)
    bus     = RegisterBus(library, {base: RegisterModel(config, latency=5)
        for base, config in zip(BASES, configs, strict=True)})
    drivers = [Driver(library, base, config) for base, config in zip(BASES, configs, strict=True)]
    nets    = [data.draw(networks(config)) for config in configs]
    steps   = [data.draw(inputs_of(network, steps=4, events=6)) for network in nets]
    for driver, network in zip(drivers, nets, strict=True):
        assert driver.call("qclif_init") and driver.load(network)
        driver.call("library_reset_accelerator")
    references = [Reference(network) for network in nets]
    for number in range(4):
        for driver, network, reference, inputs in zip(drivers, nets, references, steps, strict=True):
            if number < len(inputs):
                spikes = driver.step([build_source(s, network, driver.config) for s in inputs[number]])
                assert spikes == reference.step(inputs[number])
                assert driver.states(network.neurons) == [a | s << 16 for a, s in
                    zip(reference.v_a, reference.v_s, strict=True)]
    for driver, inputs in zip(drivers, steps, strict=True):
        counters = (ctypes.c_uint32*8)()
        driver.call("qclif_counters", counters)
        assert list(counters)[:2] == [len(inputs), sum(map(len, inputs))]
        assert driver.call("library_errors") == 0
    assert not bus.failed


def test_what_the_driver_refuses(library):
    bus    = RegisterBus(library, {BASES[0]: RegisterModel(BUILD)})
    driver = Driver(library, BASES[0], BUILD)
    assert driver.call("qclif_init")
    assert not Driver(library, BASES[1], BUILD).call("qclif_init")   # There is none.
    for wrong in [(0, 0, 0), (10, 0, 0), (9, 32, 0), (9, 0, 32)]:
        assert not driver.call("qclif_configure", *wrong)
    assert driver.call("library_errors") == 0 and bus.models[BASES[0]].neurons == 9
    driver.call("qclif_load", SPACE_STATE, 0, (ctypes.c_uint32*1)(), 1)
    assert driver.call("library_errors") == ERRORS["read_only"]
    assert driver.call("qclif_init") and driver.call("library_errors") == 0


FIELDS  = ("inputs", "contexts", "lanes", "weight_bits", "state_bits", "current_bits", "neurons", "apical_shift",
    "product_shift")


class Words(ctypes.Structure):
    _fields_ = [*((name, ctypes.c_uint32) for name in ("space", "address", "count")), ("words", ctypes.c_void_p)]


class CNetwork(ctypes.Structure):
    _fields_ = [*((name, ctypes.c_uint32) for name in FIELDS), ("chunks", ctypes.POINTER(Words)),
        ("count", ctypes.c_uint32)]


def c_network(network, config, folder):
    """A network as the compiled header of it has it."""
    write_headers(config, folder/"generated")
    (folder/"network.c").write_text(network_header(network, config) +
        "\nconst struct qclif_network *theirs(void);\nconst struct qclif_network *theirs(void) { return &network; }\n")
    subprocess.run(["gcc", *FLAGS, f"-I{folder}", f"-iquote{FOLDER}", folder/"network.c", "-o", folder/"network.so"],
        check=True)
    library = ctypes.CDLL(str(folder/"network.so"))
    library.theirs.restype = ctypes.POINTER(CNetwork)
    return library, library.theirs()


def test_a_network_as_a_header(library, tmp_path):
    """Loaded in one call, computed exactly; and refused where the build is another."""
    network = random_network(BUILD, 2, "excited", (5, 6, 1))
    owner, theirs = c_network(network, BUILD, tmp_path)
    bus     = RegisterBus(library, {BASES[0]: RegisterModel(BUILD)})
    driver  = Driver(library, BASES[0], BUILD)
    load    = library.qclif_load_network
    load.restype = ctypes.c_bool
    assert driver.call("qclif_init") and load(driver.base, theirs)
    reference = Reference(network)
    for sources in ([0, 6], [], [5, 5, 1], [2]):
        assert driver.step([build_source(s, network, BUILD) for s in sources]) == reference.step(sources)
    assert reference.v_s != [0]*5 and driver.call("library_errors") == 0
    for name in FIELDS[:-2]:
        kept = getattr(theirs.contents, name)
        copy = CNetwork.from_buffer_copy(theirs.contents)
        setattr(copy, name, 10 if name == "neurons" else kept + 1)
        assert not load(driver.base, ctypes.byref(copy)), name
    # Nothing was written.
    assert driver.call("library_errors") == 0 and load(driver.base, theirs) and not bus.failed
    chunk  = Words.from_buffer_copy(theirs.contents.chunks[0])
    chunk.address = 2**20
    broken = CNetwork.from_buffer_copy(theirs.contents)
    broken.chunks, broken.count = ctypes.pointer(chunk), 1
    assert not load(driver.base, ctypes.byref(broken)) and driver.call("library_errors") & ERRORS["address"]
    assert owner


def test_interrupts(library):
    bus    = RegisterBus(library, {BASES[0]: RegisterModel(BUILD)})
    driver = Driver(library, BASES[0], BUILD)
    driver.call("qclif_init")
    driver.call("library_interrupt_on", 0b010)
    assert bus.models[BASES[0]].ev_enable == 0b010
    driver.step([0])
    assert driver.call("library_interrupts") == 0b010
    assert driver.call("library_interrupts") == 0
    assert not driver.call("library_busy")


def test_a_step_with_more_spikes_than_asked_for_is_not_stored(library):
    network = random_network(BUILD)
    for name in ("bias_soma", "bias_apical", "threshold"):
        setattr(network, name, np.full(9, 1 if name == "threshold" else 100))
    RegisterBus(library, {BASES[0]: RegisterModel(BUILD)})
    driver = Driver(library, BASES[0], BUILD)
    driver.load(network)
    neurons, spikes = (ctypes.c_uint16*5)(*[77]*5), ctypes.c_uint32()
    driver.call("library_step", None, 0, neurons, 4, ctypes.byref(spikes))
    assert spikes.value == 9 and list(neurons) == [0, 1, 2, 3, 77]


def test_the_header_has_the_registers_of_the_gateware(tmp_path):
    """Offsets of the compiled structure, of every register."""
    write_headers(BUILD, tmp_path/"generated")
    bench = Registers(BUILD)
    counters = [name for name in bench.addresses if name.startswith("counter_")]
    members  = [f"counters[{counters.index(name)}]" if name in counters else name for name in bench.addresses]
    program = tmp_path/"offsets.c"
    program.write_text('#include <stdio.h>\n#include <stddef.h>\n#include "qclif.h"\nint main(void) {\n' + "".join(
        f'printf("%zu\\n", offsetof(struct qclif, {member}));\n' for member in members) + "return 0; }\n")
    subprocess.run(["gcc", "-Wall", "-Werror", f"-I{tmp_path}", f"-iquote{FOLDER}", program, "-o", tmp_path/"offsets"],
        check=True)
    offsets = subprocess.run([tmp_path/"offsets"], capture_output=True, text=True, check=True).stdout.split()
    assert [*map(int, offsets)] == [4*number for number in bench.addresses.values()]


def reference_run(network, steps):
    reference = Reference(network)
    return [reference.step(steps.step(t).tolist()) for t in range(len(steps))]


@settings(max_examples=15)
@given(data=st.data())
def test_engine(data):
    """The firmware's engine, with steps that overlap, against the naive reference."""
    network = data.draw(networks(BUILD))
    samples = [Sample("x", steps=SpikeTrain.from_lists(steps)) for steps in
        data.draw(st.lists(inputs_of(network, events=12), min_size=1, max_size=3))]
    model  = RegisterModel(BUILD, latency=data.draw(st.sampled_from([0, 1, 30])))
    device = Device(Link(FirmwarePort(FirmwareDevice(BUILD, model))))
    device.load(network, "accel")
    for sample, run in zip(samples, device.run_many(samples), strict=True):
        spikes = reference_run(network, sample.steps)
        assert [run.spikes.step(t).tolist() for t in range(len(run.spikes))] == spikes
        assert run.counters["spikes"] == sum(map(len, spikes)) and run.counters["overflows"] == 0
    assert model.flags == set()


def test_sessions_follow_one_that_left_its_spikes():
    """A request ends in an error while two steps are in work, whose spikes fill the FIFO: the next sample begins."""
    network = random_network(BUILD)
    for name in ("bias_soma", "bias_apical", "threshold"):
        setattr(network, name, np.full(9, 1 if name == "threshold" else 100))
    for name in ("leak_soma", "leak_apical"):
        setattr(network, name, np.zeros(9, int))
    steps = SpikeTrain.from_lists([[0], [1, 2], []])
    model = RegisterModel(BUILD, latency=3)
    for _ in range(3):
        link   = Link(FirmwarePort(FirmwareDevice(BUILD, model)))
        device = Device(link)
        device.load(network, "accel")
        link.request("BEGIN")
        with pytest.raises(QCLIFError, match="source 99 is not one"):
            link.request("STEPS", bytes([3, 1, 0, 1, 0, 1, 99]))
        run = device.run(Sample("x", steps=steps))
        assert [run.spikes.step(t).tolist() for t in range(3)] == reference_run(network, steps)
    with pytest.raises(QCLIFError, match=r"^spike_fifo is 8: the spikes of one step of 9 neurons need 9; raise"):
        dataclasses.replace(BUILD, spike_fifo=8)
