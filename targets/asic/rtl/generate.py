# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Verilog of the flow's designs, from Migen."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migen import ClockDomain, Module

from accel.core import QCLIFCore
from accel.errors import QCLIFError
from accel.verilog import core_ios
from targets.asic.design import AsicConfig, Rtl
from targets.asic.platform.pdk import Pdk
from targets.asic.rtl import soc_rtl
from targets.asic.rtl.hierarchy import ports_of, split
from targets.asic.rtl.memories import DESCRIPTIONS, MemoryFiles, core_parts
from targets.asic.rtl.single_neuron import SingleNeuron
from targets.asic.rtl.spatial import SpatialNetwork, SpatialNeuron, neuron_ports, output_ports, shared_ports

# What Verilator would pay for, in VexRiscv.
PUBLIC = "/* verilator public */"


def generate(config: AsicConfig, pdk: Pdk, folder: Path) -> Rtl:
    """Write a design's Verilog.

    Parameters
    ----------
    pdk : whose `macros` memories are made of.
    folder : where the files go; it is made where it does not exist.

    Raises
    ------
    QCLIFError : the folder cannot be written, or a memory cannot be built.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return {"neuron": _neuron, "spatial": _spatial, "core": _core, "soc": _soc}[config.design](config, pdk, folder)
    except OSError as error:
        raise QCLIFError(f"cannot write to {folder}: {error.strerror}; choose another --output-dir") from error


def _with_clock(module: Module) -> Module:
    module.cd_sys = ClockDomain("sys")
    return module


def _write(texts: dict[str, str], folder: Path) -> tuple[Path, ...]:
    for name, text in texts.items():
        (folder/f"{name}.v").write_text(text)
    return tuple(folder/f"{name}.v" for name in texts)

# Neuron -------------------------------------------------------------------------------------------

NEURON_INPUTS = ("step", "i_soma", "i_apical", "leak_soma", "leak_apical", "threshold")


def _neuron(config: AsicConfig, pdk: Pdk, folder: Path) -> Rtl:
    neuron = _with_clock(SingleNeuron(config.sizes, config.product_shift))
    ios    = ports_of(neuron, (*NEURON_INPUTS, *output_ports(config.sizes)))
    return Rtl("qclif_neuron", _write(split(neuron, "qclif_neuron", ios, {}), folder),
        modules={"qclif_neuron": "neuron: AC, MU, SC, TC"})

# Spatial ------------------------------------------------------------------------------------------

def _spatial(config: AsicConfig, pdk: Pdk, folder: Path) -> Rtl:
    """One neuron in three modules, and a top that holds N of it."""
    sizes   = config.sizes
    neuron  = _with_clock(SpatialNeuron(sizes, config.apical_shift, config.product_shift))
    network = _with_clock(SpatialNetwork(sizes, "qclif_spatial_neuron"))
    shared  = [*shared_ports(sizes), *neuron_ports(sizes), *output_ports(sizes)]
    texts   = split(network, "qclif_spatial", ports_of(network, shared), {})
    texts  |= split(neuron, "qclif_spatial_neuron", ports_of(neuron, ("spikes", *shared)), {
        "soma":   "qclif_synapses_soma",
        "apical": "qclif_synapses_apical",
        "neuron": "qclif_neuron",
    })
    return Rtl("qclif_spatial", _write(texts, folder), modules={
        "qclif_spatial":         "wiring of the neurons",
        "qclif_spatial_neuron":  "saturation of the sums",
        "qclif_synapses_soma":   "somatic AND gates and adder tree",
        "qclif_synapses_apical": "apical AND gates and adder tree",
        "qclif_neuron":          "neuron: AC, MU, SC, TC",
    })

# Core and SoC -------------------------------------------------------------------------------------

def _core(config: AsicConfig, pdk: Pdk, folder: Path) -> Rtl:
    """The core in its modules, with the ports of accel.verilog; every memory a module of its own."""
    core  = _with_clock(QCLIFCore(config.sizes, protect=config.protect, frugal=config.frugal))
    files = MemoryFiles(config, pdk)
    texts = split(core, "qclif_core", core_ios(core), core_parts(core, files))
    return _with_memories("qclif_core", texts, files, DESCRIPTIONS, folder)


def _with_memories(top: str, texts: dict[str, str], files: MemoryFiles, modules: dict[str, str], folder: Path) -> Rtl:
    return Rtl(top, _write(texts | files.sources, folder), _write(files.models, folder), dict(files.counts), modules)


@contextmanager
def _quiet() -> Iterator[None]:
    """LiteX tells of a SoC's parts in the log."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


def _soc(config: AsicConfig, pdk: Pdk, folder: Path) -> Rtl:
    """The SoC likewise, with its CPU's own Verilog."""
    files = MemoryFiles(config, pdk)
    with _quiet():
        soc   = soc_rtl.ASICSoC(config.sizes, 1e6*config.frequency_mhz, config.chip)
        texts = soc_rtl.soc_verilog(soc, files) | {Path(name).stem: Path(name).read_text().replace(PUBLIC, "")
            for name, *_ in soc.platform.sources}
    return _with_memories("qclif_soc", texts, files, soc_rtl.DESCRIPTIONS, folder)
