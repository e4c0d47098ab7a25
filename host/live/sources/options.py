# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a user says of the source of a live run."""

import argparse
import dataclasses
import math
from dataclasses import dataclass

from accel.errors import QCLIFError
from host.cli.reading_options import add_reading_args, reading_from_args
from host.data.synthetic import GESTURES
from host.events.reading import Reading
from host.live.sources.camera import MAKERS
from host.live.sources.gestures import ALL
from host.live.sources.live_steps import GRACE_S, MAX_LAG_S
from host.live.sources.source import DROP, WAIT
from host.live.sources.wire import BINARY, FORMATS, TEXT

SYNTHETIC, CAMERA = "synthetic", "camera"

SPEED_MIN, SPEED_MAX = 0.001, 1000.0

LAG_MAX_S = 60.0


@dataclass(frozen=True)
class SourceOptions:
    """The source of a live run, and who waits for whom.

    Parameters
    ----------
    source : as --source takes it.
    speed : times the own pace of a file, 0.001 to 1000.
    loop : a file begins again after its end.
    late : DROP or WAIT; None: as the source has it.
    max_lag_s : seconds that a step may wait before it is late, 0 to 60.
    grace_s : seconds that events may take from the sensor to here, 0 to 60.
    wire : format of a stream, one of host.live.sources.wire.FORMATS; None: as the source has it.
    seed : of the synthetic camera.
    gestures : that the synthetic camera shows, indices of GESTURES; empty: all.
    reading : what files and streams leave open; its note is called with each line that a user should know.

    Raises
    ------
    QCLIFError : a value out of its limits.
    """
    source:    str = SYNTHETIC
    speed:     float = 1.0
    loop:      bool = False
    late:      str | None = None
    max_lag_s: float = MAX_LAG_S
    grace_s:   float = GRACE_S
    wire:      str | None = None
    seed:      int = 0
    gestures:  tuple[int, ...] = ()
    reading:   Reading = dataclasses.field(default_factory=Reading)

    def __post_init__(self) -> None:
        for name, value, low, high in (("speed", self.speed, SPEED_MIN, SPEED_MAX),
                ("max-lag", 1e3*self.max_lag_s, 0, 1e3*LAG_MAX_S), ("grace", 1e3*self.grace_s, 0, 1e3*LAG_MAX_S)):
            if not (math.isfinite(value) and low <= value <= high):
                raise QCLIFError(f"--{name} {value:g}, the limits are {low:g} to {high:g}: choose another")
        for name, value, known in (("late", self.late, (DROP, WAIT)), ("wire", self.wire, FORMATS)):
            if value not in (None, *known):
                raise QCLIFError(f"--{name} {value}: known are {', '.join(known)}")


def add_source_args(parser: argparse.ArgumentParser, seed: bool = True) -> None:
    """Add the options; without --seed where a command has it already."""
    group = parser.add_argument_group("source of events")
    group.add_argument("--source", default=SYNTHETIC, metavar="SOURCE",
        help=f"{SYNTHETIC}: gestures made up here, one after another; a recording's file, of any format; {CAMERA}, "
            f"{CAMERA}:MAKER ({', '.join(MAKERS)}) or {CAMERA}:SERIAL; udp:HOST:PORT to listen at, tcp:HOST:PORT to "
            "connect to; - for standard input (default: %(default)s)")
    group.add_argument("--speed", type=float, default=SourceOptions.speed, metavar="N",
        help="play a file N times as fast as it was recorded (default: %(default)s)")
    group.add_argument("--loop", action="store_true", help="play a file again and again")
    group.add_argument("--late", choices=(DROP, WAIT), help=f"what becomes of steps that wait too long: {DROP} drops "
        f"and counts them; {WAIT} holds the source up, where it can be (default: {WAIT} for a file and standard input, "
        f"{DROP} for others)")
    group.add_argument("--max-lag", type=float, default=1e3*MAX_LAG_S, metavar="MS",
        help="ms that a step may wait before it is late (default: %(default)g)")
    group.add_argument("--grace", type=float, default=1e3*GRACE_S, metavar="MS",
        help="ms that events of cameras and streams may take to come: a silent one's step ends so much later "
            "(default: %(default)g)")
    group.add_argument("--wire", choices=FORMATS,
        help=f"format of a stream (default: {TEXT} for standard input, {BINARY} for others)")
    if seed:
        group.add_argument("--seed", type=int, default=SourceOptions.seed,
            help="of the synthetic camera's gestures (default: %(default)s)")
    group.add_argument("--gestures", type=int, nargs="+", choices=ALL, default=(), metavar="K",
        help="that the synthetic camera shows: {} (default: all)".format(
            ", ".join(f"{k} {name}" for k, name in enumerate(GESTURES))))
    add_reading_args(group)


def source_from_args(args: argparse.Namespace) -> SourceOptions:
    """What the options say. Raises QCLIFError for a value out of its limits."""
    return SourceOptions(args.source, args.speed, args.loop, args.late, 1e-3*args.max_lag,
        1e-3*args.grace, args.wire, args.seed, tuple(dict.fromkeys(args.gestures)), reading_from_args(args))
