# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Stages of the flow, each run once for all that it depends on: its inputs, its tools and its own source code."""

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from host.common.folders import build_root
from targets.tools.builds import digest, locked, source_digest, write_text
from targets.tools.progress import StageProgress, no_stage

# What each stage does, and what it brings.
STAGES: Mapping[str, tuple[str, str]] = {
    "rtl":     ("Verilog from Migen",           "the design and its macros"),
    "synth":   ("gates by Yosys",               "area, cells and flip-flops"),
    "sta":     ("timing by OpenSTA",            "slack, highest clock and critical path"),
    "gatesim": ("simulation of the gates",      "the netlist's spikes against the golden model's, and its activity"),
    "power":   ("power of the simulated activity", "power and energies"),
    "layout":  ("layout by OpenROAD's flow scripts", "area and timing with wires, GDS"),
}

# In a stage's folder: (the folder's name, the result, seconds), there only once the stage has ended.
DONE = "done.json"


@dataclass(frozen=True)
class Done:
    """A stage that has ended.

    Attributes
    ----------
    key : digest of all that its result depends on.
    folder : where its files are.
    result : what the stage's work returned.
    seconds : that it took when it ran.
    cached : whether it ran now, or before.
    """
    key:     str
    folder:  Path
    result:  object
    seconds: float
    cached:  bool


def stage(name: str, module: str, kind: type, inputs: object, work: Callable[[Path], object],
        progress: StageProgress = no_stage) -> Done:
    """Run a stage, or find what it gave before.

    Parameters
    ----------
    name : of the stage; how its folder's name begins.
    module : Python module that does the work: its source, and that of all it imports, is part of the key.
    kind : of the result: dataclasses, tuples, dictionaries, paths and numbers, which JSON keeps and is checked by.
    inputs : all else that the result depends on, as JSON takes it (other things by their repr()).
    work : gets an empty folder for its files and returns the result.
    progress : called with what is being waited for.

    Raises
    ------
    QCLIFError : the folder cannot be written; and whatever work() raises: then nothing counts as done.
    """
    key    = digest(json.dumps([source_digest(module), inputs], sort_keys=True, default=repr))
    folder = build_root()/"asic"/"stages"/f"{name}-{key[:20]}"
    with locked(folder.with_suffix(".lock"), progress):
        if (done := _read(folder, kind)) is not None:
            return Done(key, folder, *done, cached=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        start   = time.monotonic()
        result  = work(folder)
        seconds = time.monotonic() - start
        write_text(folder/DONE, msgspec.json.encode((folder, result, seconds), enc_hook=_plain))
    return Done(key, folder, result, seconds, cached=False)


def _read(folder: Path, kind: type) -> tuple[object, float] | None:
    """Result and seconds of a folder that holds a stage's end; None where it does not, or has been moved."""
    try:
        where, result, seconds = msgspec.json.decode((folder/DONE).read_bytes(), type=tuple[Path, kind, float],
            dec_hook=_made)
    except (OSError, msgspec.MsgspecError):
        return None
    # Results name files by their paths.
    return (result, seconds) if where == folder else None


def _plain(value: object) -> str:
    """What JSON has no kind of its own for."""
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} in the result of a stage: only what _made() makes again is kept")


def _made(kind: type, value: object) -> object:
    """The inverse of _plain()."""
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise ValueError(f"no {kind.__name__} can be made of {value!r}")
