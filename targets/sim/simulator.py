# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A simulated SoC as a context manager: built when needed, booted, and gone without a trace at the end."""

import contextlib
import ctypes
import json
import mmap
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware.protocol import NOTICES
from targets.sim.build import SimBuild, build_simulator
from targets.sim.options import ROM_INIT, SimOptions
from targets.tools.process import started
from targets.tools.progress import StageProgress, no_stage

# Seconds from the start of the simulator until it has opened its ports, and from a request to its end.
START_SECONDS  = 30
FINISH_SECONDS = 10


class LineCounters(ctypes.Structure):
    """`struct status` of modules/qclif_uart, field by field: counters of the simulated UART, and two requests to it.

    clocks, bytes the SoC received and sent, clocks in which it had to wait for a slow client, bytes dropped
    because there was no client, bytes that older clients lost because they did not read; where the SoC has pins, bytes
    from it with a wrong start or stop bit, and bytes from it that the newest client lost because it did not read.
    Each change of `reset` resets the SoC, `finish` ends the simulation.
    """
    _fields_ = [(name, ctypes.c_uint64) for name in ("clocks", "received", "sent", "waited", "unplugged", "skipped",
        "framing", "overruns", "reset", "finish")]


class SimulatedSoC:
    """The SoC under Verilator, alive inside a `with` block.

    The simulator also ends when this process does, however that ends; it must be started by a thread that
    lives as long as it is needed.

    Parameters
    ----------
    options       : SimOptions, or a QCLIFConfig alone.
    output_dir    : directory of the build; None: the cache's.
    jobs          : compiler processes at a time.
    tcp_port      : on 127.0.0.1; 0: a free one.
    trace_window  : first and last picosecond of the trace, -1: to the end.
    rom_init      : memory file (a hexadecimal word a line) to boot from in place of our firmware.
    line_baudrate : bits a second of what is at the SoC's pins; None: exactly the SoC's.
    progress      : called with the name of each stage of a build that has to run.

    Attributes
    ----------
    port : "socket://127.0.0.1:N", as pyserial opens it.
    pty  : "/dev/pts/N", the same UART as a serial port.

    Raises
    ------
    QCLIFError : it cannot be built or started; the text says why.
    """
    def __init__(self, options: SimOptions | QCLIFConfig, output_dir: str | Path | None = None,
        jobs: int | None = None, tcp_port: int = 0, trace_window: tuple[int, int] = (0, -1),
        rom_init: str | Path | None = None, line_baudrate: int | None = None,
        progress: StageProgress = no_stage):
        if not 0 <= tcp_port < 2**16:
            raise QCLIFError(f"TCP port {tcp_port}: 1 to {2**16 - 1} are possible, 0 for a free one")
        self.options       = options if isinstance(options, SimOptions) else SimOptions(config=options)
        self.output_dir    = output_dir
        self.jobs          = jobs
        self.tcp_port      = tcp_port
        self.trace_window  = trace_window
        self.rom_init      = rom_init
        self.line_baudrate = line_baudrate or self.options.baudrate
        self.progress      = progress
        self.port          = self.pty = None
        self._built        = self._process = self._status = None
        if line_baudrate is not None:
            self.options.check_line(line_baudrate)

    # Life -----------------------------------------------------------------------------------------

    def build(self) -> SimBuild:
        """Build the simulator when needed; entering the `with` block does so too."""
        if self._built is None:
            self._built = build_simulator(self.options, self.output_dir, self.progress, self.jobs)
        return self._built

    def __enter__(self) -> "SimulatedSoC":
        self.build()
        with contextlib.ExitStack() as stack:
            self._start(stack)
            self._life = stack.pop_all()
        return self

    def __exit__(self, *_) -> None:
        self._life.close()
        self._process = None

    def _start(self, stack: contextlib.ExitStack) -> None:
        """Start the simulator; `stack` ends it, keeps its trace and removes its directory."""
        self._directory = Path(tempfile.mkdtemp(prefix="qclif-sim-"))
        stack.callback(shutil.rmtree, self._directory, ignore_errors=True)
        stack.callback(self._keep_trace)
        report     = self._directory/"line.json"
        self._populate(report)
        start, end = map(str, self.trace_window)
        self._log  = stack.enter_context(tempfile.TemporaryFile("w+"))
        # Ctrl-C is for us to handle: the simulator is in a session of its own.
        self._process = stack.enter_context(started([self._built.simulator], self._directory,
            {"QCLIF_TRACE_START": start, "QCLIF_TRACE_END": end}, stdin=subprocess.DEVNULL, stdout=self._log,
            stderr=subprocess.STDOUT))
        stack.callback(self._end)
        self._wait_for(report.exists)
        with open(self._directory/"status", "r+b") as status:
            self._status = LineCounters.from_buffer(mmap.mmap(status.fileno(), ctypes.sizeof(LineCounters)))
        line      = json.loads(report.read_text())
        self.port = f"socket://127.0.0.1:{line['port']}"
        self.pty  = line["pty"]
        # Once it runs it has opened all its files. Without them nothing is left even where we are killed.
        self._wait_for(lambda: self.clocks > 0)
        if not self.options.trace:
            shutil.rmtree(self._directory)

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise QCLIFError(f"the simulator does not run after {START_SECONDS} s: {self._last_words()}")
            time.sleep(0.005)

    def _populate(self, report: Path) -> None:
        """What the simulator opens below its working directory: memory contents, modules, configuration."""
        gateware, directory = self._built.gateware, self._directory
        for path in [*gateware.glob("*.init"), *gateware.glob("*.bin")]:
            own = self.rom_init if self.rom_init and path.name == ROM_INIT else path
            (directory/path.name).symlink_to(Path(own).resolve())
        (directory/"modules").mkdir()
        for name in ("clocker.so", "qclif_uart.so"):
            (directory/"modules"/name).symlink_to(gateware/"modules"/name)
        if not self.options.trace:
            # LiteX's tracer writes its header in any case.
            (directory/"sim.vcd").symlink_to(os.devnull)
        sim_config = json.loads((gateware/"sim_config.js").read_text())
        for module in sim_config:
            if module.get("module") == "qclif_uart":
                module["args"] = {"port": self.tcp_port, "report": str(report),
                    "status": str(directory/"status"), "parent": os.getpid(),
                    "baudrate": self.line_baudrate or 0, "notices": min(NOTICES.values())}
        (directory/"sim_config.js").write_text(json.dumps(sim_config))

    def _end(self) -> None:
        if self.options.trace and self._status is not None:
            self._status.finish = 1
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(FINISH_SECONDS)
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    def _keep_trace(self) -> None:
        for trace in self._directory.glob("sim.[vf][cs][dt]"):
            if not trace.is_symlink():
                shutil.move(trace, self._built.directory/trace.name)

    # While it runs --------------------------------------------------------------------------------

    @property
    def pid(self) -> int | None:
        """Process of the simulator."""
        return self._process.pid if self._process else None

    @property
    def counters(self) -> LineCounters:
        """Counters of the simulated UART and its clock."""
        return LineCounters.from_buffer_copy(self._status)

    @property
    def clocks(self) -> int:
        """Simulated clocks since the start."""
        return self._status.clocks

    def reset(self) -> None:
        """Press the board's reset button: CPU and FIFOs start anew, memories and clients stay."""
        self._status.reset += 1

    def check(self) -> None:
        """Raise a QCLIFError when the simulator has ended by itself."""
        status = self._process.poll()
        if status is not None:
            raise QCLIFError(f"the simulator has ended (status {status}): {self._last_words()}")

    def _last_words(self) -> str:
        self._log.seek(0)
        return "\n".join(self._log.read().splitlines()[-3:])

    def wait(self) -> None:
        """Wait until the simulator ends by itself, which is an error."""
        self._process.wait()
        self.check()
