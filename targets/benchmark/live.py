# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The live run as its users start it: real time with a viewer, and hours of faults without growth."""

import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import websockets
from websockets.sync.client import connect

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.common.folders import ROOT
from targets.sim.simulator import SimulatedSoC
from targets.tools.process import started
from targets.tools.progress import StageDisplay

Rows = list[dict[str, object]]

PAGE = re.compile(r"http://([\d.]+:\d+)/")

# Of the line of the soak, bytes with a bit inverted and bytes lost.
FAULT_RATE = 2e-5

# Viewers of the soak at a time, and seconds that each looks at most.
VIEWERS, VIEW_SECONDS = 3, 20.0

# Seconds of a soak before memory counts, since the synthetic camera keeps its gestures; over which what it begins with
# and ends with are medians, since a viewer who takes nothing costs a few MiB for some seconds; and between two looks.
WARM_UP, BEGINNING, LOOK_EVERY = 300.0, 300.0, 10.0


class Viewers:
    """Who looks at a page: one that stays, and others that come, go, and break off without a word.

    Parameters
    ----------
    page : address of the page, "HOST:PORT".
    guests : how many come and go at a time.
    """

    def __init__(self, page: str, guests: int = 0) -> None:
        self._page = page
        self._end  = threading.Event()
        self._lock = threading.Lock()
        self.frames = self.visits = 0
        self.seconds = 0.0
        works = [(self._stay, ())] + [(self._come_and_go, (seed,)) for seed in range(guests)]
        self._threads = [threading.Thread(target=work, args=rest, daemon=True) for work, rest in works]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """All leave."""
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _connect(self):
        # Who does not read does not answer, either.
        return connect(f"ws://{self._page}/live", origin=f"http://{self._page}", max_size=None, ping_interval=None)

    def _stay(self) -> None:
        start = time.monotonic()
        with suppress(OSError, websockets.WebSocketException), self._connect() as socket:
            while not self._end.is_set():
                with suppress(TimeoutError):
                    self.frames += isinstance(socket.recv(timeout=0.5), bytes)
                self.seconds = time.monotonic() - start

    def _come_and_go(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self._end.is_set():
            # Not more often than a person would.
            self._end.wait(chance.uniform(0, 2))
            with suppress(OSError, websockets.WebSocketException, TimeoutError):
                socket  = self._connect()
                with self._lock:
                    self.visits += 1
                leaving = time.monotonic() + chance.uniform(0, VIEW_SECONDS)
                # Some read, some take nothing and hold the line.
                reads   = chance.random() < 0.7
                while time.monotonic() < leaving and not self._end.is_set():
                    if reads:
                        socket.recv(timeout=1)
                    else:
                        time.sleep(0.2)
                if chance.random() < 0.5:
                    socket.socket.close()
                else:
                    socket.close()


class Run(NamedTuple):
    """The command, with a page: its process, the page's address, the file that its measures come to, and what it
    says."""
    process:  subprocess.Popen
    page:     str
    measures: Path
    said:     list[str]


@contextmanager
def live_run(folder: Path, seconds: float, *options: object) -> Iterator[Run]:
    """A run of `seconds`, with a page."""
    measures = folder/"live.json"
    command  = [sys.executable, "-m", "host.live", "--seconds", round(seconds), "--json", measures, *options]
    with started(command, ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True) as process:
        said = []
        for line in process.stderr:
            said.append(line)
            if match := PAGE.search(line):
                break
        else:
            raise QCLIFError(f"host.live did not start: {''.join(said).strip()}")
        # Whatever else it says must not fill the pipe.
        threading.Thread(target=said.extend, args=(process.stderr,), daemon=True).start()
        yield Run(process, match[1], measures, said)


def finish(run: Run) -> dict:
    """Wait for the end of a run: its measures."""
    status = run.process.wait()
    if not run.measures.exists():
        raise QCLIFError(f"host.live ended with status {status}: {run.said[-1].strip()}")
    return json.loads(run.measures.read_text())


def bench_live(progress: StageDisplay, minutes: float = 1.0) -> Rows:
    """The default live run, synthetic camera and simulated SoC, compared, with a viewer: real time is 200 steps a
    second (goal), the lag's goal 100 ms in 99 % of the steps."""
    with tempfile.TemporaryDirectory() as folder:
        progress(f"live run of {minutes:g} minutes")
        with live_run(Path(folder), 60*minutes) as run:
            viewers = Viewers(run.page)
            found   = finish(run)
            viewers.end()
    return [{"steps": found["steps"], "steps_per_second": round(found["steps"]/found["seconds"], 1),
        "lag_p50_ms": found["lag_ms"]["p50"], "lag_p99_ms": found["lag_ms"]["p99"], "compared": found["compared"],
        "mismatches": found["mismatches"], "dropped_steps": found["source"]["dropped_steps"],
        "pictures_per_second": round(viewers.frames/max(viewers.seconds, 1e-3), 1)}]


def memory_mib(process: int) -> float:
    """Memory that a process has written, in MiB. What it only reads, as libraries, is its own or shared as other
    programs that use it come and go."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    return sum(int(value) for value in re.findall(r"^(?:Private_Dirty|Swap): +(\d+) kB", text, re.MULTILINE))/1024


def bench_soak(progress: StageDisplay, minutes: float = 60.0) -> Rows:
    """A live run over a line with faults, viewers that come and go, and a SoC that is killed and started again twice:
    no wrong spike, every loss counted, memory at its most within 5 % (goal) of its median in the five minutes
    after the warm-up; beside it, its median in the last five."""
    seconds = 60*minutes
    memory: list[float] = []
    # One port for all three, as a board has.
    with SimulatedSoC(QCLIFConfig(), progress=progress) as first:
        port = int(first.port.rpartition(":")[2])
    with tempfile.TemporaryDirectory() as folder:
        progress(f"live run of {minutes:g} minutes under faults")
        start = time.monotonic()
        soc   = SimulatedSoC(QCLIFConfig(), tcp_port=port)
        soc.__enter__()
        try:
            with live_run(Path(folder), seconds, "--port", f"socket://127.0.0.1:{port}", "--line-flip", FAULT_RATE,
                    "--line-drop", FAULT_RATE) as run:
                process = run.process
                viewers = Viewers(run.page, VIEWERS)
                kills   = [seconds/3, 2*seconds/3]
                while process.poll() is None:
                    elapsed = time.monotonic() - start
                    if kills and elapsed > kills[0]:
                        kills.pop(0)
                        soc.__exit__(None, None, None)
                        soc = SimulatedSoC(QCLIFConfig(), tcp_port=port)
                        soc.__enter__()
                    if elapsed > min(WARM_UP, seconds/4):
                        with suppress(OSError):
                            memory.append(memory_mib(process.pid))
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(LOOK_EVERY)
                found = finish(run)
                viewers.end()
        finally:
            soc.__exit__(None, None, None)
    looks = round(BEGINNING/LOOK_EVERY)
    begun = statistics.median(memory[:looks])
    return [{"minutes": minutes, "steps": found["steps"], "compared": found["compared"],
        "mismatches": found["mismatches"], "retries": found["link"]["retries"], "resets": found["resets"],
        "lost_steps": found["lost_steps"], "dropped_steps": found["source"]["dropped_steps"],
        "visits": viewers.visits, "memory_mib": round(begun, 1),
        "end_mib": round(statistics.median(memory[-looks:]), 1), "most_mib": round(max(memory), 1),
        "growth": round(max(memory)/begun - 1, 3)}]
