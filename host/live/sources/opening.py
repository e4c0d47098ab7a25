# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Sources by what a user calls them."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from accel.errors import QCLIFError
from host.cli.reading_options import check_unused
from host.events.encoder import Encoder
from host.live.sources.camera import CameraSource
from host.live.sources.files import FileSource
from host.live.sources.gestures import ALL
from host.live.sources.live_steps import LiveSteps
from host.live.sources.options import CAMERA, SYNTHETIC, SourceOptions
from host.live.sources.sockets import TcpSource, UdpSource
from host.live.sources.source import EventSource, check_sensor
from host.live.sources.standard_input import StandardInput
from host.live.sources.synthetic import SyntheticCamera
from host.live.sources.wire import BINARY, TEXT


def open_source(text: str, options: SourceOptions, encoder: Encoder, contexts: int | None = None,
        classes: Sequence[str] = ()) -> EventSource:
    """The source that a text names.

    Parameters
    ----------
    text : "synthetic"; "camera", "camera:MAKER" or "camera:SERIAL"; "udp:HOST:PORT"; "tcp:HOST:PORT"; "-" for standard
        input; else the path of a file, which may begin with "./".
    encoder, contexts, classes : of the network; contexts None: any context of a file is taken.

    Raises
    ------
    QCLIFError : it cannot be opened, has another sensor than the network, or an option has no effect on it.
    """
    head, colon, _ = text.partition(":")
    kind   = text if text in (SYNTHETIC, CAMERA, "-") else head if colon and head in (CAMERA, "udp", "tcp") else "file"
    stream = kind in ("udp", "tcp", "-")
    _check_unused(text, wire=not stream and options.wire is not None,
        gestures=kind != SYNTHETIC and bool(options.gestures),
        **{} if kind == "file" else {"speed": options.speed != 1, "loop": options.loop})
    reading = options.reading
    if stream:
        # It does not tell its sensor: who gives it says that it is the network's.
        check_sensor(text, reading.sensor_size, encoder.sensor_size)
    if kind != "file":
        check_unused(dataclasses.replace(reading, sensor_size=None) if stream else reading, f"--source {text}")
    match kind:
        case "udp":
            return UdpSource(text, encoder, options.wire or BINARY, reading.note)
        case "tcp":
            return TcpSource(text, encoder, options.wire or BINARY, reading.note)
        case "-":
            return StandardInput(encoder, options.wire or TEXT, reading.note)
        case "camera":
            return CameraSource(text, encoder, reading.note)
        case "synthetic":
            return SyntheticCamera(encoder, options.seed, options.gestures or ALL)
    return FileSource(Path(text), encoder, reading, options.speed, options.loop, contexts, classes)


def open_steps(options: SourceOptions, encoder: Encoder, contexts: int | None = None,
        classes: Sequence[str] = ()) -> LiveSteps:
    """The steps of the source that the options name; arguments and errors as open_source()."""
    source = open_source(options.source, options, encoder, contexts, classes)
    return LiveSteps(source, encoder, options.late, options.max_lag_s, grace_s=options.grace_s)


def _check_unused(text: str, **given: bool) -> None:
    for option, is_given in given.items():
        if is_given:
            kind = "a stream" if option == "wire" else "a file"
            raise QCLIFError(f"--{option} has no effect on --source {text}: leave it out, or name {kind}")
