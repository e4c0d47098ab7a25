# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Import what other frameworks export today, and compare: too slow for every day, and each needs its own environment.

For each framework: an environment, a network of each kind that it trains on scikit-learn's 8x8 digits as 25 steps of
spikes, its export to NIR, `python -m host.nir import --framework` of that, and a line of the table: the spikes of the
framework itself against those of the real-number model that was read from the graph, and accuracies. Then each loads
a recurrent network that we export, and runs it. Prints Markdown.

examples:
  python -m tests.host.exchange.frameworks --environments DIR
  python -m tests.host.exchange.frameworks --environments DIR --framework snntorch --kind recurrent
"""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from host.common.folders import ROOT
from host.common.npz import NpzArrays
from host.events.event_array import EVENT
from host.exchange.compare import random_inputs
from host.exchange.dialect import DT, FRAMEWORKS
from host.exchange.export import exported_lif, to_graph
from host.exchange.graph_file import read_graph, write_graph
from host.exchange.graph_lif import lif_network
from tests.helpers.nir_graphs import plain_network
from tests.helpers.nir_peers import KINDS

# What each environment needs beside its framework.
PACKAGES = ("torch==2.13.0", "nir", "nirtorch")

PEERS    = ROOT/"tests/helpers/nir_peers.py"
STEPS    = 25
STEP_US  = 5000
TRAINED  = 1297
CALIBRATED = 200

# Exit code of the peer for a kind that its framework cannot export.
CANNOT_SAY = 3

COLUMNS = ("framework", "network", "spikes, of them equal in real numbers", "accuracy there", "in real numbers here",
    "in integers (8/8/12 bits)", "remarks")


def environment(folder: Path, framework: str) -> Path:
    """The Python of a framework's environment, made where it is not there yet."""
    home   = folder/f"venv-{framework}"
    python = home/("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        venv.create(home, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES, framework], check=True)
    return python


def digits(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Spikes bool [samples, STEPS, 64], as likely as a pixel is bright, and labels; in random order."""
    from sklearn.datasets import load_digits

    data   = load_digits()
    rng    = np.random.default_rng(seed)
    bright = data.images.reshape(len(data.images), -1)/16
    spikes = rng.random((len(bright), STEPS, bright.shape[1])) < bright[:, None]/2
    # A recording begins with its first event and ends with its last.
    ends, top = np.arange(len(bright)), bright.argmax(axis=1)
    spikes[ends, 0, top] = spikes[ends, -1, top] = True
    order = rng.permutation(len(bright))
    return spikes[order], data.target[order]


def save_recordings(path: Path, spikes: np.ndarray, labels: np.ndarray) -> None:
    """Spikes of samples as a file of recordings, an event each."""
    sample, step, source = np.nonzero(spikes)
    events = np.zeros(len(sample), EVENT)
    events["x"], events["t"] = source, step*STEP_US
    offsets = np.searchsorted(sample, np.arange(len(spikes) + 1))
    np.savez(path, events=events, offsets=offsets, labels=labels, sensor_size=(spikes.shape[2], 1))


def row(python: Path, framework: str, kind: str, folder: Path) -> list[str]:
    """A line of the table; `folder` has the data and gets the rest."""
    done = subprocess.run([python, "-P", PEERS, framework, kind, folder/"digits.npz", folder], capture_output=True,
        text=True)
    if done.returncode == CANNOT_SAY:
        return [framework, kind, "", "", "", "", f"not exported: {done.stdout.strip()}"]
    if done.returncode:
        raise SystemExit(f"{framework}, {kind}: {done.stderr}")
    peer    = NpzArrays(folder/"peer.npz", "spikes")
    command = ["import", "graph.nir", "net.npz", "--framework", framework, "--calibrate", "calibration.npz", "--events",
        "test.npz", "--json", "report.json"]
    subprocess.run([sys.executable, ROOT/"host/nir.py", *command], check=True, cwd=folder, stdout=subprocess.DEVNULL)
    report  = json.loads((folder/"report.json").read_text())["spikes"]

    data    = NpzArrays(folder/"digits.npz", "digits")
    dialect = FRAMEWORKS[framework]
    network = lif_network(read_graph(folder/"graph.nir"), dialect)
    theirs  = np.concatenate([peer[f"spikes{index}"] for index in range(len(network.populations))], axis=2)
    ours    = np.array([network.run(sample, dialect.reset)[0] for sample in data["test"]])
    spikes, equal = int(theirs.sum()), int((ours & (theirs > 0)).sum())
    extra   = int((ours & (theirs == 0)).sum())
    exact   = f"{spikes}, all" if spikes == equal and not extra else f"{spikes}, {equal} and {extra} others"
    accuracy = float(np.mean(peer["classes"] == data["test_labels"]))
    return [f"{framework} {peer['version']}", kind, exact, f"{accuracy:.1%}", f"{report['float_accuracy']:.1%}",
        f"{report['integer_accuracy']:.1%}", ""]


def load_row(python: Path, framework: str, folder: Path) -> list[str]:
    """A line of the table: a recurrent network of ours as the framework loads and runs it."""
    network = plain_network(neurons=40, inputs=20, seed=5, thresholds=(90, 180))
    graph   = to_graph(network, DT)
    write_graph(folder/"graph.nir", graph)
    counts  = random_inputs(network.inputs, 0.3, 1)[0].dense(network.inputs)
    np.savez(folder/"inputs.npz", inputs=counts)
    kind    = "ours, loaded"
    done    = subprocess.run([python, "-P", PEERS, framework, "load", folder/"inputs.npz", folder], capture_output=True,
        text=True)
    if done.returncode == CANNOT_SAY:
        return [framework, kind, "", "", "", "", f"not tried: {done.stdout.strip()}"]
    if done.returncode:
        raise SystemExit(f"{framework}, {kind}: {done.stderr}")
    spikes  = exported_lif(graph, network).run(counts)[0]
    theirs  = np.load(folder/"outputs.npy")
    equal   = np.isclose(theirs, spikes @ network.readout, rtol=1e-4, atol=1e-2).all(axis=1)
    return [framework, kind, f"{int(spikes.sum())}", "", "", "",
        f"outputs of {int(equal.sum())} of {len(equal)} steps are equal"]


def rows(environments: Path, frameworks: list[str], kinds: list[str]) -> Iterator[list[str]]:
    """Lines of the table, one framework after another."""
    spikes, labels = digits()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train, test = slice(TRAINED), slice(TRAINED, None)
        np.savez(folder/"digits.npz", train=spikes[train], train_labels=labels[train], test=spikes[test],
            test_labels=labels[test])
        save_recordings(folder/"calibration.npz", spikes[:CALIBRATED], labels[:CALIBRATED])
        save_recordings(folder/"test.npz", spikes[test], labels[test])
        for framework in frameworks:
            python = environment(environments, framework)
            for kind in kinds:
                yield row(python, framework, kind, folder)
            yield load_row(python, framework, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", type=Path, required=True, metavar="DIR",
        help="folder of the environments venv-FRAMEWORK; those that are missing are made there with pip")
    parser.add_argument("--framework", choices=FRAMEWORKS, nargs="+", default=list(FRAMEWORKS))
    parser.add_argument("--kind", choices=KINDS, nargs="+", default=list(KINDS))
    args = parser.parse_args()
    print(f"| {' | '.join(COLUMNS)} |")
    print("| --- " * len(COLUMNS) + "|")
    for line in rows(args.environments.absolute(), args.framework, args.kind):
        print(f"| {' | '.join(line)} |", flush=True)


if __name__ == "__main__":
    main()
