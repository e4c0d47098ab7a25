# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""NIR: our networks out and back bit for bit, and files that are damaged or no NIR."""

import json
import os
import subprocess
import sys

import h5py
import nir
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import QCLIFConfig
from accel.errors import EXIT_SILENT, QCLIFError
from host.common.folders import ROOT
from host.exchange.compare import random_inputs
from host.exchange.dialect import DT
from host.exchange.export import exported_lif, from_graph, inexpressible, to_graph, typical_gates
from host.exchange.graph_file import read_graph, write_graph
from host.exchange.graph_lif import lif_network
from host.exchange.leak import linear_leak
from host.network.golden import GoldenModel
from host.network.network import Network
from tests.helpers.nir_graphs import assert_same, broken, command, lif, plain_network, refuse
from tests.helpers.strategies import configs, networks, random_network

# Export -------------------------------------------------------------------------------------------

@settings(max_examples=30)
@given(st.data())
def test_export_and_import_give_the_same_integers(tmp_path_factory, data):
    network = data.draw(networks(data.draw(configs())))
    if data.draw(st.booleans()):
        network.readout = None
    network.classes = data.draw(st.lists(st.text(max_size=5), min_size=network.outputs, max_size=network.outputs))
    folder = tmp_path_factory.mktemp("nir")
    write_graph(folder/"net.nir", to_graph(network, DT))
    assert_same(from_graph(read_graph(folder/"net.nir")), network)
    assert [each.name for each in folder.iterdir()] == ["net.nir"]


def test_commands_there_and_back(tmp_path, capsys):
    random_network(QCLIFConfig(neurons=9, inputs=6, contexts=2)).save(tmp_path/"a.npz")
    assert command("export", tmp_path/"a.npz", tmp_path/"a.nir", "--json", tmp_path/"a.json") == 0
    printed = capsys.readouterr().out
    listed  = json.loads((tmp_path/"a.json").read_text())["inexpressible"]
    for word in ("apical compartment", "multiplication by V_a", "linear leak", "saturation", "reset"):
        assert f"- {word}" in printed and any(line.startswith(word) for line in listed)
    assert command("import", tmp_path/"a.nir", tmp_path/"b.npz") == 0
    assert (tmp_path/"a.npz").read_bytes() == (tmp_path/"b.npz").read_bytes()


def test_strict_refuses_and_writes_nothing(tmp_path, capsys):
    random_network(QCLIFConfig(neurons=2, inputs=2, contexts=1)).save(tmp_path/"a.npz")
    assert command("export", tmp_path/"a.npz", tmp_path/"a.nir", "--strict") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --strict: NIR cannot express apical compartment") and error.count("\n") == 1
    assert not (tmp_path/"a.nir").exists()


def test_graph_holds_the_true_integers():
    network = plain_network()
    nodes = to_graph(network, DT).nodes
    np.testing.assert_array_equal(nodes["sensory"].weight.T, network.w_sensory)
    np.testing.assert_array_equal(nodes["sensory"].bias, network.bias_soma)
    np.testing.assert_array_equal(nodes["recurrent"].weight.T, network.w_recurrent_soma)
    np.testing.assert_array_equal(nodes["readout"].weight.T, network.readout)
    soma = nodes["soma"]
    # V_s is current*V_a >> product_shift: a step of r = 1 raises the potential by dt/tau of a current.
    np.testing.assert_allclose(soma.v_threshold*soma.tau/DT*100/2**6, 150)
    assert (soma.r == 1).all()
    np.testing.assert_allclose(linear_leak(1 - DT/soma.tau, network.threshold), network.leak_soma, rtol=1e-6)


def test_graph_has_one_time_constant_and_one_threshold():
    """As snnTorch and SpikingJelly want it: the weights of a neuron carry its own."""
    network = plain_network(thresholds=(50, 100, 200), leaks=(5, 20))
    made    = to_graph(network, DT)
    for name in ("tau", "v_threshold", "r"):
        assert len(np.unique(getattr(made.nodes["soma"], name))) == 1
    lif = exported_lif(made, network)
    np.testing.assert_allclose(lif.sensory/lif.threshold*network.threshold, network.w_sensory*100/2**6, rtol=1e-5)
    np.testing.assert_allclose(lif.recurrent/lif.threshold*network.threshold, network.w_recurrent_soma*100/2**6,
        rtol=1e-5, atol=1e-9)


def test_inputs_are_exported_as_frameworks_count_them():
    network = plain_network(inputs=30, grid=((5, 3), (5, 3), 2))
    made    = to_graph(network, DT)
    for p, y, x in np.ndindex(2, 3, 5):
        np.testing.assert_array_equal(made.nodes["sensory"].weight[:, (p*3 + y)*5 + x],
            network.w_sensory[(y*5 + x)*2 + p])
    lif = exported_lif(made, network)
    np.testing.assert_allclose(lif.sensory/lif.threshold*network.threshold, network.w_sensory*100/2**6, rtol=1e-5)


@pytest.mark.parametrize("networks", [dict(seed=2), dict(neurons=30, inputs=20, seed=5, thresholds=(90, 180))])
def test_snntorch_loads_what_is_exported(networks):
    """And computes what our reading of the graph does, recurrent weights and all."""
    reason = "needs another framework to load it: pip install snntorch nirtorch"
    load   = pytest.importorskip("snntorch.import_nir", reason=reason, exc_type=ImportError).import_from_nir
    network = plain_network(**networks)
    made    = to_graph(network, DT)
    made.metadata.clear()
    counts  = random_inputs(network.inputs, 0.3, 1)[0].dense(network.inputs)
    spikes, _, logits = exported_lif(made, network).run(counts)
    assert spikes.sum() > 100
    theirs, state, outputs = load(made), None, []
    with torch.no_grad():
        for row in torch.tensor(counts, dtype=torch.float32):
            output, state = theirs(row[None], state)
            outputs.append(output[0].numpy())
    np.testing.assert_allclose(np.array(outputs), spikes @ network.readout, atol=1e-3)
    np.testing.assert_allclose(logits, np.sum(outputs, axis=0), atol=1)


def test_export_tells_what_the_graph_still_computes(tmp_path, capsys):
    """The measures, computed again from the file without its metadata and the golden model."""
    network = plain_network(neurons=20, inputs=16, seed=3)
    network.save(tmp_path/"a.npz")
    assert command("export", tmp_path/"a.npz", tmp_path/"a.nir", "--random-rate", 0.2, "--seed", 4, "--json",
        tmp_path/"a.json") == 0
    printed  = capsys.readouterr().out
    measures = json.loads((tmp_path/"a.json").read_text())["spikes"]
    lif      = lif_network(read_graph(tmp_path/"a.nir"))
    real = integer = both = 0
    for steps in random_inputs(16, 0.2, 4):
        theirs   = lif.run(steps.dense(16))[0]
        ours     = GoldenModel(network).run([steps])[0].spikes.dense(20).astype(bool)
        real    += int(theirs.sum())
        integer += int(ours.sum())
        both    += int((theirs & ours).sum())
    assert (measures["float_spikes"], measures["integer_spikes"], measures["equal"]) == (real, integer, both)
    assert f"{measures['equal_share']:.1%} of those at which either fires" in printed and integer > 100
    assert f"{measures['class_agreement']:.1%}" in printed


def test_export_of_silence_is_told(tmp_path, capsys):
    network = plain_network()
    network.w_sensory[:] = network.w_recurrent_soma[:] = network.bias_soma[:] = 0
    network.save(tmp_path/"a.npz")
    assert command("export", tmp_path/"a.npz", tmp_path/"a.nir") == EXIT_SILENT
    assert "warning: neither network fires" in capsys.readouterr().out and (tmp_path/"a.nir").exists()


def test_plain_lif_lacks_less_than_a_contextual_one():
    assert inexpressible(random_network(QCLIFConfig(neurons=3, inputs=2, contexts=0)))[0].startswith("apical compart")
    lines = inexpressible(plain_network(thresholds=(50, 100)))
    assert not any(line.startswith("apical") for line in lines)
    assert any(line.startswith("linear leak") for line in lines) and any(line.startswith("thresh") for line in lines)
    lines = inexpressible(plain_network(leaks=(0,)))
    assert not any(line.startswith(("linear leak", "thresholds")) for line in lines)


def test_gate_of_a_contextual_network_is_its_mean():
    network = random_network(QCLIFConfig(neurons=6, inputs=5, contexts=2), seed=3)
    inputs  = random_inputs(7, 0.3, 1)
    states  = np.concatenate([each.v_a for each in GoldenModel(network).run(inputs, states=True)])
    np.testing.assert_allclose(typical_gates(network, inputs), states.mean(axis=0))
    np.testing.assert_array_equal(typical_gates(plain_network(), inputs), 100)


def test_changed_graph_is_not_mistaken_for_the_network_in_its_metadata(tmp_path, capsys):
    network = random_network(QCLIFConfig(neurons=4, inputs=3, contexts=0), seed=1)
    for change in ("weight", "node", "edge"):
        changed = to_graph(network, DT)
        if change == "weight":
            changed.nodes["sensory"].weight[1, 2] += 1
        elif change == "node":
            del changed.nodes["recurrent"]
        else:
            changed.edges.remove(("soma", "recurrent"))
        refuse(lambda: from_graph(changed), "changed after the export", "--ignore-metadata")  # noqa: B023
    changed = to_graph(network, DT)
    changed.nodes["sensory"].weight[1, 2] += 1
    write_graph(tmp_path/"a.nir", changed)
    assert command("import", tmp_path/"a.nir", tmp_path/"a.npz") == 2
    assert command("import", tmp_path/"a.nir", tmp_path/"b.npz", "--ignore-metadata") in (0, EXIT_SILENT)
    capsys.readouterr()
    assert Network.load(tmp_path/"b.npz").neurons == 4


@pytest.mark.parametrize("change, text", [({"threshold": None}, "threshold missing"), ({"config": "{"}, "not JSON"),
    ({"w_sensory": np.full((3, 4), 900)}, "w_sensory[0, 0] is 900"), (None, "a group is needed")])
def test_damaged_metadata(change, text):
    damaged = to_graph(random_network(QCLIFConfig(neurons=4, inputs=3, contexts=0)), DT)
    if change is None:
        damaged.metadata["qclif"] = "nothing"
    else:
        kept = damaged.metadata["qclif"] | change
        damaged.metadata["qclif"] = {name: value for name, value in kept.items() if value is not None}
    refuse(lambda: from_graph(damaged), "metadata qclif", text)


# Files --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_files_that_are_no_hdf5(tmp_path, content):
    (tmp_path/"a.nir").write_bytes(content)
    refuse(lambda: read_graph(tmp_path/"a.nir"), "a.nir: not an HDF5 file")


def test_files_that_are_not_there(tmp_path):
    refuse(lambda: read_graph(tmp_path/"a.nir"), "a.nir: No such file")
    refuse(lambda: read_graph(tmp_path), str(tmp_path))
    os.mkfifo(tmp_path/"pipe.nir")
    refuse(lambda: read_graph(tmp_path/"pipe.nir"), "pipe.nir: not an HDF5 file")
    refuse(lambda: write_graph(tmp_path/"no"/"a.nir", broken()), "No such file", "choose another file")


def test_hdf5_that_is_no_nir(tmp_path):
    with h5py.File(tmp_path/"a.nir", "w") as file:
        file["data"] = np.zeros(3)
    refuse(lambda: read_graph(tmp_path/"a.nir"), "without a NIR graph")
    nir.write(tmp_path/"a.nir", lif(3))
    refuse(lambda: read_graph(tmp_path/"a.nir"), "a single LIF")
    write_graph(tmp_path/"a.nir", broken())
    with h5py.File(tmp_path/"a.nir", "r+") as file:
        del file["node/nodes/n/type"]
        file["node/nodes/n/type"] = "Unheard"
    refuse(lambda: read_graph(tmp_path/"a.nir"), "node 'n' has type 'Unheard'")
    with h5py.File(tmp_path/"a.nir", "r+") as file:
        del file["node/nodes/n/type"]
    refuse(lambda: read_graph(tmp_path/"a.nir"), "not a readable NIR file")


@settings(max_examples=60)
@given(st.data())
def test_damaged_files_give_one_line_or_a_graph(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("nir")/"a.nir"
    write_graph(path, broken())
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[:data.draw(st.integers(1, len(content)))] if data.draw(st.booleans()) else content)
    try:
        lif_network(read_graph(path))
    except QCLIFError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("start", [["-m", "host.nir"], ["host/nir.py"]])
def test_both_ways_to_start_it(tmp_path, start):
    """The command has the name of the package that it imports."""
    (tmp_path/"a.nir").write_bytes(b"no graph")
    done = subprocess.run([sys.executable, *start, "import", str(tmp_path/"a.nir"), str(tmp_path/"a.npz")],
        capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "not an HDF5 file" in done.stderr
