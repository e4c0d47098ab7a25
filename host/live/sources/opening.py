# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Sources by what a user calls them."""

from collections.abc import Sequence
from pathlib import Path

from accel.errors import QCLIFError
from host.cli.reading_options import check_unused
from host.events.encoder import Encoder
from host.live.sources.files import FileSource
from host.live.sources.gestures import ALL
from host.live.sources.live_steps import LiveSteps
from host.live.sources.options import SYNTHETIC, SourceOptions
from host.live.sources.source import EventSource
from host.live.sources.synthetic import SyntheticCamera


def open_source(text: str, options: SourceOptions, encoder: Encoder, contexts: int | None = None,
        classes: Sequence[str] = ()) -> EventSource:
    """The source that a text names.

    Parameters
    ----------
    text : "synthetic", or the path of a file.
    encoder, contexts, classes : of the network; contexts None: any context of a file is taken.

    Raises
    ------
    QCLIFError : it cannot be opened, has another sensor than the network, or an option has no effect on it.
    """
    if text == SYNTHETIC:
        _check_no_file(text, options)
        check_unused(options.reading, f"--source {text}")
        return SyntheticCamera(encoder, options.seed, options.gestures or ALL)
    if options.gestures:
        raise QCLIFError(f"--gestures has no effect on --source {text}: leave it out")
    return FileSource(Path(text), encoder, options.reading, options.speed, options.loop, contexts, classes)


def open_steps(options: SourceOptions, encoder: Encoder, contexts: int | None = None,
        classes: Sequence[str] = ()) -> LiveSteps:
    """The steps of the source that the options name; arguments and errors as open_source()."""
    source = open_source(options.source, options, encoder, contexts, classes)
    return LiveSteps(source, encoder, options.late, options.max_lag_s)


def _check_no_file(text: str, options: SourceOptions) -> None:
    for option, given in (("speed", options.speed != 1), ("loop", options.loop)):
        if given:
            raise QCLIFError(f"--{option} has no effect on --source {text}: leave it out, or name a file")
