# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Libraries that decode files, in a process of their own: damaged files end it, exhaust it or keep it busy, not us.

The process stays for the next file. It has as much memory and time as whoever asks finds plausible for a file.
"""

import atexit
import importlib
import json
import math
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from accel.errors import QCLIFError
from host.common.folders import ROOT

# Memory beside what a file unpacks to: libraries, and working copies of one part.
WORKING_BYTES = 2**27

PROGRAM = f"import {__name__} as it; it.serve()"

# Called with the path, its name for messages, and further arguments. Yields facts, as JSON has them, and arrays of
# numbers, texts or structures.
Decoder = Callable[..., Iterator[dict | np.ndarray]]

_child: subprocess.Popen | None = None
_lock = threading.Lock()


class DamagedError(Exception):
    """A file that cannot be decoded; says why."""


def decode(decoder: str, path: Path, *arguments: object, unpacked: int, cpu_s: int) -> list[dict | np.ndarray]:
    """What a decoder yields of a file.

    Parameters
    ----------
    decoder : "module:function" of a Decoder.
    unpacked : most bytes of its arrays.
    cpu_s : most seconds that it may compute.

    Raises
    ------
    QCLIFError : the decoder raised one.
    DamagedError : it failed in another way, ended its process, or took too much.
    """
    request = {"decoder": decoder, "path": str(path.resolve()), "name": str(path), "arguments": arguments,
        "memory": unpacked + WORKING_BYTES, "cpu_s": cpu_s}
    with _lock:
        child, parts, left, finished = _running(), [], unpacked, False
        try:
            child.stdin.write(json.dumps(request).encode() + b"\n")
            child.stdin.flush()
            for message in map(json.loads, iter(child.stdout.readline, b"")):
                match message:
                    case {"facts": facts}:
                        parts.append(facts)
                    case {"array": dtype, "shape": shape}:
                        dtype = np.dtype(dtype if isinstance(dtype, str) else [*map(tuple, dtype)])
                        size  = dtype.itemsize*math.prod(shape)
                        left -= size
                        if left < 0:
                            raise DamagedError(f"it unpacks to more than {unpacked} bytes")
                        parts.append(_received(child.stdout, size, dtype, shape))
                    case {"end": _}:
                        finished = True
                        return parts
                    case {"refused": text}:
                        finished = True
                        raise QCLIFError(text)
                    case {"failed": text}:
                        finished = True
                        raise DamagedError(" ".join(text.split())[:200])
        except (BrokenPipeError, EOFError, ValueError):
            pass
        finally:
            # What is left of an answer would be taken for the next one's.
            ended = None if finished else _ended(child)
        raise DamagedError("it keeps the decoder busy" if ended == -signal.SIGXCPU else "it ends the decoder")


def _received(pipe: BinaryIO, size: int, dtype: np.dtype, shape: list[int]) -> np.ndarray:
    content = bytearray(size)
    if pipe.readinto(content) < size:
        raise EOFError
    return np.frombuffer(content, dtype).reshape(shape) if size else np.zeros(shape, dtype)


def _ended(child: subprocess.Popen) -> int:
    """End the process, where it has not ended itself; returns its status."""
    try:
        # One that ended its answer early is about to.
        return child.wait(timeout=0 if sys.exception() else 5)
    except subprocess.TimeoutExpired:
        return 0
    finally:
        close()


def close() -> None:
    """End the process, if there is one; the next file starts another."""
    global _child
    if _child is not None and _child.owner == os.getpid():
        _child.kill()
        _child.wait()
        for pipe in (_child.stdin, _child.stdout):
            try:
                pipe.close()
            except OSError:
                # What it was sent and never read.
                pass
    _child = None


atexit.register(close)


def _running() -> subprocess.Popen:
    global _child
    # A process that was forked has no share in it.
    if _child is None or _child.owner != os.getpid() or _child.poll() is not None:
        close()
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        # Threads of numpy's would need address space that is limited here.
        _child = subprocess.Popen([sys.executable, "-P", "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": paths})
        _child.owner = os.getpid()
    return _child

# In the process -----------------------------------------------------------------------------------

def serve() -> None:
    """Answer requests from standard input, a line each, until that is closed."""
    # Ctrl-C is for the one who asks; standard output is the answers' alone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin.buffer:
        _answer(json.loads(line), out)
        out.flush()


def _answer(request: dict, out: BinaryIO) -> None:
    def say(**message: object) -> None:
        out.write(json.dumps(message).encode() + b"\n")

    module, _, function = request["decoder"].partition(":")
    try:
        decoder = getattr(importlib.import_module(module), function)
        _limit(request["memory"], request["cpu_s"])
        for part in decoder(Path(request["path"]), request["name"], *request["arguments"]):
            if isinstance(part, dict):
                say(facts=part)
            else:
                say(array=part.dtype.descr if part.dtype.names else part.dtype.str, shape=part.shape)
                out.write(part.tobytes())
        say(end=True)
    except QCLIFError as error:
        say(refused=str(error))
    except ModuleNotFoundError as error:
        say(refused=f"{request['name']}: the package {error.name} is missing: pip install {error.name}")
    # Panics of faery's Rust are no Exception.
    except BaseException as error:
        say(failed=str(error) or type(error).__name__)


def _limit(memory: int, cpu_s: int) -> None:
    """No more than these bytes and seconds from now on."""
    try:
        used = int(Path("/proc/self/statm").read_text().split()[0])*resource.getpagesize()
    except OSError:
        # Elsewhere than on Linux, address space cannot be limited.
        return
    spent = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    for what, value in ((resource.RLIMIT_AS, used + memory), (resource.RLIMIT_CPU, int(spent) + cpu_s)):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
