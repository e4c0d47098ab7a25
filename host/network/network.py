# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The network file: load, save and validate the integers that the golden model, the SoC and the CPU run."""

import json
import math
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from accel.config import LIMITS, SHIFT_MAX, QCLIFConfig
from accel.errors import QCLIFError, check_integer
from host.common.npz import NpzArrays, save_npz
from host.events.encoder import Encoder

FORMAT_VERSION = 1

# Array: (sizes of its axes, kind of its values). Rows are presynaptic sources, columns neurons.
ARRAYS = {
    "w_sensory":          ("IN", "weight"),
    "w_context":          ("CN", "weight"),
    "w_recurrent_soma":   ("NN", "weight"),
    "w_recurrent_apical": ("NN", "weight"),
    "bias_soma":          ("N",  "weight"),
    "bias_apical":        ("N",  "weight"),
    "leak_apical":        ("N",  "leak"),
    "leak_soma":          ("N",  "leak"),
    "threshold":          ("N",  "threshold"),
    "readout":            ("NO", "readout"),
}

# Numbers of the file's config: (lowest, highest).
NUMBERS = {name: LIMITS[name][:2] for name in ("weight_bits", "state_bits", "current_bits")} | {
    "apical_shift": (0, SHIFT_MAX), "product_shift": (0, SHIFT_MAX)}

# Sizes that LIMITS bounds, by their letter.
SIZES = {"N": "neurons", "I": "inputs", "C": "contexts", "O": "outputs"}

# Most bytes that a file's array can have, of up to 64 bits a value; the config is a page of text.
BYTES_MAX = {"config": 2**22} | {name: 2**10 + 8*math.prod(LIMITS[SIZES[axis]][1] for axis in axes)
    for name, (axes, _) in ARRAYS.items()}


@dataclass(eq=False)
class Network:
    """A qCLIF network: int32 arrays as in the file (ARRAYS gives their shapes), and its numbers.

    Parameters
    ----------
    readout : int32 [N, O], or None for a network without classes.
    weight_bits, state_bits, current_bits : widths of the contract.
    apical_shift, product_shift : right shifts, 0 to 31.

    Attributes
    ----------
    neurons, inputs, contexts, outputs : N; I, sensory sources; C, context sources; O, 0 without a readout.
    state_max : V_max.
    """
    w_sensory:          np.ndarray
    w_context:          np.ndarray
    w_recurrent_soma:   np.ndarray
    w_recurrent_apical: np.ndarray
    bias_soma:          np.ndarray
    bias_apical:        np.ndarray
    leak_apical:        np.ndarray
    leak_soma:          np.ndarray
    threshold:          np.ndarray
    readout:            np.ndarray | None = None
    weight_bits:        int = 8
    state_bits:         int = 8
    current_bits:       int = 12
    apical_shift:       int = 0
    product_shift:      int = 6
    encoder:            Encoder = field(default_factory=Encoder)
    classes:            list[str] = field(default_factory=list)

    @property
    def neurons(self) -> int:
        return self.w_sensory.shape[1]

    @property
    def inputs(self) -> int:
        return self.w_sensory.shape[0]

    @property
    def contexts(self) -> int:
        return self.w_context.shape[0]

    @property
    def outputs(self) -> int:
        return 0 if self.readout is None else self.readout.shape[1]

    @property
    def state_max(self) -> int:
        return 2**self.state_bits - 1

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays that the network has, by name, in the file's order."""
        return {name: getattr(self, name) for name in ARRAYS if getattr(self, name) is not None}

    def config(self) -> dict[str, object]:
        """The file's config, as JSON takes it."""
        return {"format_version": FORMAT_VERSION} | {name: getattr(self, name) for name in NUMBERS} | {
            "encoder": self.encoder.to_dict(), "classes": list(self.classes)}

    def limits(self, name: str) -> tuple[int, int]:
        """Lowest and highest value of an array."""
        half = 2**(self.weight_bits - 1)
        return {"weight": (-half, half - 1), "leak": (0, self.state_max), "threshold": (1, self.state_max),
            "readout": (-2**31, 2**31 - 1)}[ARRAYS[name][1]]

    # File -----------------------------------------------------------------------------------------

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Network":
        """Read and validate a network file; raises QCLIFError with one line where anything is wrong."""
        return network_from_file(NpzArrays(path, "network", BYTES_MAX), f"network {path}")

    def save(self, path: str | os.PathLike) -> None:
        """Validate and write the file, whole or not at all; equal networks give equal bytes."""
        self.validate()
        save_npz(path, self.arrays() | {"config": np.array(json.dumps(self.config()))})

    # Checks ---------------------------------------------------------------------------------------

    def validate(self) -> None:
        """Check every shape, type and value, and make all arrays int32. Raises QCLIFError, which names the first
        array or number that is wrong, its value, and the limits.
        """
        for name, (low, high) in NUMBERS.items():
            check_integer(name, getattr(self, name), low, high)
        for name, array in self.arrays().items():
            if not isinstance(array, np.ndarray) or array.ndim != len(ARRAYS[name][0]):
                raise QCLIFError(f"{name} has shape {list(np.shape(array))}: [{', '.join(ARRAYS[name][0])}] is "
                    f"needed")
        sizes = {"I": self.inputs, "C": self.contexts, "N": self.neurons, "O": self.outputs}
        for letter, size in sizes.items():
            low, high, _ = LIMITS[SIZES[letter]]
            if not low <= size <= high:
                raise QCLIFError(f"{SIZES[letter]} {letter} is {size}, the limits are {low} to {high}: "
                    f"build the network within them")
        for name, array in self.arrays().items():
            shape = [sizes[letter] for letter in ARRAYS[name][0]]
            if list(array.shape) != shape:
                raise QCLIFError(f"{name} has shape {list(array.shape)}: {shape} is needed beside w_sensory of "
                    f"shape {list(self.w_sensory.shape)} (rows are sources, columns neurons)")
            setattr(self, name, self._checked_values(name, array))
        if self.encoder.inputs != self.inputs:
            raise QCLIFError(f"w_sensory has {self.inputs} rows, the encoder gives {self.encoder.inputs} inputs "
                f"({self.encoder.grid[0]}x{self.encoder.grid[1]}x{self.encoder.polarities}): make them agree")
        if self.classes and len(self.classes) != self.outputs:
            raise QCLIFError(f"classes has {len(self.classes)} names, readout {self.outputs} columns: make them "
                f"agree")

    def _checked_values(self, name: str, array: np.ndarray) -> np.ndarray:
        if array.dtype.kind not in "iu":
            raise QCLIFError(f"{name} is of type {array.dtype}: integers are needed; quantise the network first")
        low, high = self.limits(name)
        # Compared as they are: a cast first would wrap what is out of range.
        bad = np.argwhere((array < low) | (array > high))
        if len(bad):
            index = tuple(int(i) for i in bad[0])
            raise QCLIFError(f"{name}{list(index)} is {int(array[index])}, the limits are {low} to {high} "
                f"(weight_bits {self.weight_bits}, state_bits {self.state_bits}): quantise it to them")
        return np.ascontiguousarray(array, np.int32)

    def check_fits(self, config: QCLIFConfig) -> None:
        """Raise QCLIFError, with both sizes, where a build cannot run this network."""
        needs = {name: getattr(self, name) for name in (*SIZES.values(), "weight_bits")}
        for name, size in needs.items():
            if size > getattr(config, name):
                raise QCLIFError(f"the network has {size} {name}, the build {getattr(config, name)}: build with "
                    f"--{name.replace('_', '-')} {size}, or take a smaller network")
        # Other widths of states and currents saturate elsewhere: they would change results.
        for name in ("state_bits", "current_bits"):
            if getattr(self, name) != getattr(config, name):
                raise QCLIFError(f"the network has {name} {getattr(self, name)}, the build "
                    f"{getattr(config, name)}: they must be equal; build with --{name.replace('_', '-')} "
                    f"{getattr(self, name)}")


def network_from_file(file: Mapping[str, np.ndarray], what: str) -> Network:
    """The network of a file's arrays by name; raises QCLIFError, which begins with `what`, where anything is wrong."""
    missing = [name for name in (*ARRAYS, "config") if name not in file and name != "readout"]
    if missing:
        raise QCLIFError(f"{what}: {', '.join(missing)} missing: a network file has all of "
            f"{', '.join(name for name in ARRAYS if name != 'readout')} and config")
    arrays = {name: file[name] for name in (*ARRAYS, "config") if name in file}
    try:
        config  = _parse_config(arrays.pop("config"))
        network = Network(**arrays, **config)
        network.validate()
    except QCLIFError as error:
        raise QCLIFError(f"{what}: {error}") from error
    return network


def network_id(network: Network) -> int:
    """CRC-32 of everything that changes results, 1 to 2**32 - 1: 0 stands for no network."""
    crc = zlib.crc32(json.dumps(network.config(), sort_keys=True).encode())
    for name, array in network.arrays().items():
        crc = zlib.crc32(f"{name}{array.shape}".encode(), crc)
        crc = zlib.crc32(np.ascontiguousarray(array, "<i4").tobytes(), crc)
    return crc or 1


def _parse_config(array: np.ndarray) -> dict[str, object]:
    """Arguments of Network from the file's config."""
    try:
        config = json.loads(str(array.item()))
    except (ValueError, RecursionError) as error:
        raise QCLIFError(f"config is not JSON ({error}): write it with json.dumps") from error
    if not isinstance(config, dict):
        raise QCLIFError(f"config is {config!r}: a JSON object is needed")
    version = config.pop("format_version", None)
    if version != FORMAT_VERSION:
        raise QCLIFError(f"config has format_version {version!r}, this program reads {FORMAT_VERSION}: convert "
            f"the file, or take the program that fits")
    needed = {*NUMBERS, "encoder", "classes"}
    if needed - set(config):
        raise QCLIFError(f"config has no {', '.join(sorted(needed - set(config)))}: it is needed")
    classes = config["classes"]
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise QCLIFError(f"config has classes {classes!r}: a list of names is needed")
    # Other keys (how it was trained, for instance) are the owner's.
    return {name: config[name] for name in (*NUMBERS, "classes")} | {
        "encoder": Encoder.from_dict(config["encoder"])}


def predicted(logits: np.ndarray) -> int:
    """Class of logits [O]: their first maximum; -1 where O is 0."""
    return int(np.argmax(logits)) if len(logits) else -1
