# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""NIR files of every kind of damage and oddity: a network or one line, never another exception, a hang or much memory.

Here for seconds; QCLIF_FUZZ_MINUTES=60 python -m pytest -n 0 tests/host/exchange/test_fuzz.py does it for an hour.
"""

import io
import os
import resource
import time
import warnings
from itertools import pairwise

import h5py
import nir
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host.exchange.dialect import DECAYS, FRAMEWORKS, IF_RS
from host.exchange.lif import RESETS
from host.network.network import Network
from tests.helpers.nir_graphs import graph, integrate, lif, weights

MINUTES = float(os.environ.get("QCLIF_FUZZ_MINUTES", 0))

# Files of each kind here; seconds of computing that one may take, and bytes that all may.
EXAMPLES, SECONDS, BYTES = 40, 30, 2**30

OPTIONS = st.lists(st.one_of(
    st.sampled_from(list(FRAMEWORKS)).map(lambda value: ("--framework", value)),
    st.sampled_from(DECAYS).map(lambda value: ("--decay", value)),
    st.sampled_from(IF_RS).map(lambda value: ("--if-r", value)),
    st.sampled_from(RESETS).map(lambda value: ("--reset", value)),
    st.sampled_from(["1e-6", "1e-4", "1e-3", "1", "1e300", "1e-320"]).map(lambda value: ("--dt", value)),
    st.sampled_from(["4", "8", "12", "16"]).map(lambda value: ("--state-bits", value)),
    st.sampled_from(["2", "4", "8"]).map(lambda value: ("--weight-bits", value)),
    st.sampled_from(["4", "12", "20"]).map(lambda value: ("--current-bits", value)),
    st.sampled_from(["yxp", "pyx"]).map(lambda value: ("--input-order", value)),
    st.just(("--drop-synapse",)), st.just(("--ignore-metadata",)), st.just(("--clip", "0.1"))), max_size=4)

# Graphs -------------------------------------------------------------------------------------------

NUMBERS = st.sampled_from([0.0, 1.0, -1.0, 1e-4, 1e4, 0.5, 2.0, 1e-30, 1e300, -1e300, np.inf, np.nan, 5e-324])
SIZES   = st.sampled_from([1, 2, 3, 4, 8, 64])


@st.composite
def values(draw, shape):
    """Ordinary numbers, now and then with an odd one, of another shape or type."""
    if draw(st.integers(0, 19)) == 0:
        shape = draw(st.sampled_from([(), (0,), (1,), (3,), (2, 3), (2, 2, 2), (1, 1, 3, 3)]))
    array = np.random.default_rng(draw(st.integers(0, 99))).normal(0, 1, shape)
    if draw(st.integers(0, 9)) == 0 and array.size:
        array = array.copy()
        array.flat[draw(st.integers(0, array.size - 1))] = draw(NUMBERS)
    if draw(st.integers(0, 19)) == 0:
        array = np.full(shape, draw(NUMBERS))
    if draw(st.integers(0, 29)) == 0:
        with np.errstate(all="ignore"):
            array = np.nan_to_num(array).astype(draw(st.sampled_from(["f4", "i8", "u1", "?", "c16", "S3", "f2"])))
    return array


@st.composite
def positive(draw, shape):
    array = draw(values(shape))
    return np.abs(array)*draw(st.sampled_from([1.0, 1e-3, 1e-4])) if array.dtype.kind == "f" else array


@st.composite
def nodes(draw):
    """A node of any type, of any parameters."""
    n, m = draw(SIZES), draw(SIZES)
    pair = st.sampled_from([np.array([1, 1]), np.array([2, 2]), np.array([1]), np.array([0, 3]), np.array(-1),
        np.array([2**40, 1]), np.array([1.5, 1])])
    size = draw(st.sampled_from([(), (1,), (n,), (n,)]))
    kind = draw(st.sampled_from([nir.Linear, nir.Affine, nir.LIF, nir.IF, nir.CubaLIF, nir.LI, nir.Scale, nir.Flatten,
        nir.Conv2d, nir.SumPool2d, nir.AvgPool2d, nir.Delay, nir.Threshold, nir.Conv1d, nir.I, nir.CubaLI, nir.Input,
        nir.Output, nir.NIRGraph]))

    def several(count, shape):
        return [draw(positive(shape)) for _ in range(count)]

    make = {
        nir.Linear:    lambda: kind(np.atleast_2d(draw(values((n, m))))),
        nir.Affine:    lambda: kind(np.atleast_2d(draw(values((n, m)))), draw(values((n,)))),
        nir.LIF:       lambda: kind(*several(2, size), draw(values(size)), draw(positive(size))),
        nir.IF:        lambda: kind(draw(positive(size)), draw(positive(size))),
        nir.CubaLIF:   lambda: kind(*several(3, size), draw(values(size)), draw(positive(size))),
        nir.LI:        lambda: kind(draw(positive(size)), draw(positive(size)), draw(values(size))),
        nir.Scale:     lambda: kind(draw(values((n,)))),
        nir.Flatten:   lambda: kind({"input": np.array([n, m])}, 0, -1),
        nir.Conv2d:    lambda: kind(None, draw(values((n, draw(SIZES), 3, 2))), draw(pair), draw(pair), draw(pair),
            draw(st.integers(-1, 3)), draw(values((n,)))),
        nir.SumPool2d: lambda: kind(draw(pair), draw(pair), draw(pair)),
        nir.AvgPool2d: lambda: kind(draw(pair), draw(pair), draw(pair)),
        nir.Delay:     lambda: kind(draw(values((n,)))),
        nir.Threshold: lambda: kind(draw(values((n,)))),
        nir.I:         lambda: kind(draw(values((n,)))),
        nir.CubaLI:    lambda: kind(*(draw(values((n,))) for _ in range(4))),
        nir.Conv1d:    lambda: kind(9, draw(values((n, m, 3))), 1, 0, 1, 1, draw(values((n,)))),
        nir.Input:     lambda: kind(draw(SHAPES)),
        nir.Output:    lambda: kind(np.array([n])),
        nir.NIRGraph:  lambda: draw(graphs()),
    }
    try:
        return make[kind]()
    except Exception:
        # nir itself refuses it.
        return lif(3)


SHAPES = st.sampled_from([np.array(shape) for shape in ([8], [3], [64], [2, 4, 4], [1, 8], [1, 5, 8], [2, 17, 17], [0],
    [-1], [2**31], [4096], [3, 2, 2], [1, 2, 4, 4], [2**62, 4])])


@st.composite
def graphs(draw):
    """Nodes in a row, mostly, with more edges anywhere."""
    names = [f"n{k}" for k in range(draw(st.integers(0, 5)))]
    made  = {"input": nir.Input(draw(SHAPES)), **{name: draw(nodes()) for name in names},
        "output": nir.Output(np.array([3]))}
    edges = list(pairwise(made))
    more  = draw(st.lists(st.tuples(st.sampled_from([*made, "gone"]), st.sampled_from(list(made))), max_size=3))
    if draw(st.integers(0, 9)) == 0 and edges:
        edges.pop(draw(st.integers(0, len(edges) - 1)))
    return nir.NIRGraph(made, edges + more, type_check=False,
        metadata=draw(st.sampled_from([{}, {}, {"dt": 1e-3}, {"dt": "x"}, {"dt": np.array([1, 2])}, {"qclif": 3}])))


@st.composite
def chains(draw):
    """Graphs whose sizes fit each other, so that most become a network."""
    sizes = draw(st.lists(SIZES, min_size=2, max_size=4))
    row   = {}
    for index, (sources, n) in enumerate(pairwise(sizes)):
        row[f"w{index}"] = nir.Affine(weights(n, sources, index), weights(1, n, index)[0])
        cuba = nir.CubaLIF(np.full(n, 1e-3), np.full(n, 1e-3), np.ones(n), np.zeros(n), np.ones(n))
        row[f"n{index}"] = draw(st.sampled_from([lif(n), integrate(n), lif(1), integrate(n, 1e-6), lif(n, tau=0.1),
            lif(n, v_leak=2.0), cuba]))
        if draw(st.booleans()):
            row[f"s{index}"] = nir.Scale(draw(values((n,))))
    return graph(row)


def written(made):
    """The file of a graph; None where nir cannot write it."""
    file = io.BytesIO()
    try:
        nir.write(file, made)
    except Exception:
        return None
    return file.getvalue()

# Files --------------------------------------------------------------------------------------------

def whole():
    """A recurrent network with a nested graph, and what is in most files."""
    inner = nir.NIRGraph({"input": nir.Input(np.array([5])), "lif": lif(5), "w": nir.Linear(weights(5, 5)),
        "output": nir.Output(np.array([5]))}, [("input", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "output")])
    return written(graph({"w": nir.Affine(weights(5, 8), np.zeros(5)), "n": inner, "r": nir.Linear(weights(3, 5))},
        metadata={"dt": 1e-4}))


@st.composite
def damaged(draw):
    """A whole file with some of its bytes changed, or an end cut off."""
    content = bytearray(WHOLE)
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, min(len(content), draw(st.sampled_from([2000, 8000, 10**6]))) - 1))
        width = draw(st.sampled_from([1, 2, 4, 8]))
        value = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1]))
        content[place:place + width] = (value % 2**(8*width)).to_bytes(width, "little")
    return bytes(content[:draw(st.integers(1, len(content)))] if draw(st.integers(0, 9)) == 0 else content)


@st.composite
def rewritten(draw):
    """A whole file with some of its arrays replaced by others, or taken away: large ones that compress well, too."""
    file = io.BytesIO(WHOLE)
    with h5py.File(file, "r+") as content:
        names = []
        content.visititems(lambda name, item: names.append(name))
        for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)):
            try:
                if name not in content:
                    continue
            except RuntimeError:
                # A link that leads to itself stands in the way.
                continue
            del content[name]
            match draw(st.sampled_from(["gone", "other", "large", "text", "link", "group", "loop"])):
                case "other":
                    content[name] = draw(values(draw(st.sampled_from([(), (5,), (5, 8), (3, 5), (5, 5), (1,)]))))
                case "large":
                    shape = draw(st.sampled_from([(2**12, 2**12), (2**25,), (1024, 4096), (2**14, 2**14), (2**40,)]))
                    content.create_dataset(name, shape, draw(st.sampled_from(["f8", "u1", "S9"])), compression="gzip",
                        chunks=tuple(min(size, 1024) for size in shape))
                case "text":
                    content[name] = draw(st.sampled_from(["LIF", "NIRGraph", "Input", "", "Unheard", "\N{SNOWMAN}"]))
                case "link":
                    content[name] = draw(st.sampled_from([h5py.SoftLink("/node"), h5py.SoftLink("/nowhere"),
                        h5py.ExternalLink("/dev/zero", "/")]))
                case "group":
                    content.create_group(name)
                case "loop" if "node" in content:
                    content[name] = content["node"]
    return file.getvalue()


WHOLE = whole()
KINDS = {"graphs": graphs().map(written), "chains": chains().map(written), "damaged": damaged(),
    "rewritten": rewritten()}


@pytest.mark.parametrize("kind", KINDS)
def test_any_file_becomes_a_network_or_one_line(tmp_path, capsys, kind, monkeypatch):
    from host.nir import main

    monkeypatch.setattr("host.exchange.compare.RANDOM_STEPS", 20)
    counts = {0: 0, 2: 0, 3: 0}

    def run(content, options):
        if content is None:
            return
        path, result = tmp_path/"a.nir", tmp_path/"a.npz"
        path.write_bytes(content)
        result.unlink(missing_ok=True)
        start = time.process_time()
        with warnings.catch_warnings():
            # They would stand on standard error beside the one line.
            warnings.simplefilter("error")
            code = main(["import", str(path), str(result), *(word for option in options for word in option)])
        took  = time.process_time() - start
        error = capsys.readouterr().err
        assert code in counts and took < SECONDS
        counts[code] += 1
        if code == 2:
            assert error.startswith("error: ") and error.count("\n") == 1 and not result.exists()
        else:
            Network.load(result)

    test = settings(max_examples=EXAMPLES if not MINUTES else 1000, deadline=None, database=None,
        suppress_health_check=list(HealthCheck))(given(KINDS[kind], OPTIONS)(run))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    end    = time.monotonic() + 60*MINUTES/len(KINDS)
    test()
    while time.monotonic() < end:
        test()
    # In KiB.
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)*1024 < BYTES
    # Not all of one kind, or nothing is tried.
    assert counts[2] if kind != "chains" else counts[0] + counts[3]
