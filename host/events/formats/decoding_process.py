# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Libraries that decode files, in a process of their own: damaged files end it, exhaust it or keep it busy, not us.

The process stays for the next file. It has as much memory and time as the file's size makes plausible.
"""

import atexit
import importlib
import json
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
from host.events.formats.found import DECODED, Found, joined, unpacked_max

# Seconds of computing for a file, and bytes more for which there is one more.
CPU_S, BYTES_PER_S = 20, 2**20

# Memory beside what the file unpacks to: working copies of one packet.
WORKING_BYTES = 2**27

# What the process runs.
PROGRAM = "import {0} as it; it.serve()"

# A decoder yields facts (sensor_size, notes), then events of dtype DECODED in parts; arguments are as JSON has them.
Decoder = Callable[..., Iterator[dict | np.ndarray]]

_child: subprocess.Popen | None = None
_lock = threading.Lock()


def decode(decoder: str, path: Path, *arguments: object) -> Found:
    """What a decoder finds in a file.

    Parameters
    ----------
    decoder : "module:function" of a Decoder; it is called with the path and the arguments.

    Raises
    ------
    QCLIFError : the decoder raised one, or it failed in another way, ended its process, or took too much.
    """
    # A missing file is not the decoder's to report.
    size = path.stat().st_size
    with _lock:
        child   = _running()
        request = {"decoder": decoder, "path": str(path.resolve()), "name": str(path), "arguments": arguments}
        facts, parts, left = {}, [], unpacked_max(size)
        try:
            child.stdin.write(json.dumps(request).encode() + b"\n")
            child.stdin.flush()
            for message in map(json.loads, iter(child.stdout.readline, b"")):
                match message:
                    case {"facts": facts}:
                        pass
                    case {"bytes": count}:
                        left -= count
                        if left < 0:
                            raise _unreadable(path, f"it unpacks to more than {unpacked_max(size)} bytes")
                        parts.append(np.frombuffer(_read(child.stdout, count), DECODED))
                    case {"end": _}:
                        return Found(joined(parts), sensor_size=_pair(facts.get("sensor_size")),
                            notes=tuple(facts.get("notes", ())))
                    case {"refused": text}:
                        raise QCLIFError(text)
                    case {"failed": text}:
                        raise _unreadable(path, text)
        except (BrokenPipeError, EOFError, ValueError):
            pass
        except QCLIFError:
            if left < 0:
                close()
            raise
        except BaseException:
            # What is left of its answer would be taken for the next one's.
            close()
            raise
        try:
            reason = child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            reason = None
        close()
        raise _unreadable(path, "it keeps the decoder busy" if reason == -signal.SIGXCPU else "it ends the decoder")


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
        # Threads of numpy's would need address space that is limited here.
        _child = subprocess.Popen([sys.executable, "-c", PROGRAM.format(__name__)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
        _child.owner = os.getpid()
    return _child


def _read(pipe: BinaryIO, count: int) -> bytes:
    data = pipe.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _pair(size: list[int] | None) -> tuple[int, int] | None:
    return None if size is None else (int(size[0]), int(size[1]))


def _unreadable(path: Path, reason: str) -> QCLIFError:
    return QCLIFError(f"{path}: it cannot be decoded ({' '.join(reason.split())[:200]}): it is damaged or cut")

# In the process -----------------------------------------------------------------------------------

def serve() -> None:
    """Answer requests from standard input, a line each, until that is closed."""
    # Ctrl-C is for the one who asks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        _answer(json.loads(line), out)
        out.flush()


def _answer(request: dict, out: BinaryIO) -> None:
    def say(**message: object) -> None:
        out.write(json.dumps(message).encode() + b"\n")

    module, _, function = request["decoder"].partition(":")
    try:
        decoder = getattr(importlib.import_module(module), function)
        with open(request["path"], "rb") as file:
            _limit(os.fstat(file.fileno()).st_size)
        for part in decoder(Path(request["path"]), request["name"], *request["arguments"]):
            if isinstance(part, dict):
                say(facts=part)
            else:
                say(bytes=part.nbytes)
                out.write(part.tobytes())
        say(end=True)
    except QCLIFError as error:
        say(refused=str(error))
    except ModuleNotFoundError as error:
        say(refused=f"{request['name']}: the package {error.name} is missing: pip install {error.name}")
    # Panics of faery's Rust are no Exception.
    except BaseException as error:
        say(failed=str(error) or type(error).__name__)


def _limit(size: int) -> None:
    """No more than is plausible for a file of `size` bytes from now on."""
    try:
        used = int(Path("/proc/self/statm").read_text().split()[0])*resource.getpagesize()
    except OSError:
        # Elsewhere than on Linux, address space cannot be limited.
        return
    spent = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    for what, value in ((resource.RLIMIT_AS, used + unpacked_max(size) + WORKING_BYTES),
            (resource.RLIMIT_CPU, int(spent) + CPU_S + size//BYTES_PER_S)):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
