# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Where a live run is looked at: a page, or the terminal."""

import argparse
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

from rich.console import Console

from accel.errors import QCLIFError
from host.cli.network_choice import SHIPPED
from host.data.synthetic import GESTURES
from host.live.connection import Connection
from host.live.control import Control
from host.live.feed import Feed, Frame, Hello
from host.live.keys import HELP, Keys
from host.live.picture import picture_size
from host.live.server import PageServer
from host.live.terminal import Terminal

# Its context sources are the gestures, in their order.
CUED = SHIPPED.with_name("cue11.npz")


@dataclass(frozen=True)
class View:
    """Takes the frames of a run.

    Attributes
    ----------
    show : takes each frame.
    opened : a block in which the run goes on: says on this console where to look.
    """
    show:   Callable[[Frame], None]
    opened: Callable[[Console], AbstractContextManager[None]]


def cue_names(args: argparse.Namespace, contexts: int) -> tuple[str, ...]:
    """Names of the context sources. Raises QCLIFError where those of the options are not one each."""
    if args.cue_names is None:
        known = args.network.resolve() == CUED
        return GESTURES[:contexts] if known else tuple(map(str, range(contexts)))
    if len(args.cue_names) != contexts:
        raise QCLIFError(f"--cue-names has {len(args.cue_names)} names, the network has {contexts} context sources: "
            "give one each")
    return tuple(args.cue_names)


def facts(args: argparse.Namespace, connection: Connection) -> Hello:
    """What viewers are told first."""
    network = connection.network
    return Hello(
        network      = args.network.stem,
        source       = args.source,
        device       = connection.name,
        picture_size = picture_size(network.encoder.sensor_size),
        bin_us       = network.encoder.bin_us,
        inputs       = network.inputs,
        contexts     = network.contexts,
        neurons      = network.neurons,
        state_max    = network.state_max,
        classes      = tuple(network.classes) or tuple(map(str, range(network.outputs))),
        cues         = cue_names(args, network.contexts),
        thresholds   = tuple(network.threshold.tolist()),
        decay        = args.decay,
        compare      = args.compare,
    )


@contextmanager
def open_view(args: argparse.Namespace, connection: Connection, control: Control, stop: threading.Event
        ) -> Iterator[View]:
    """The page or the terminal, as the options say.

    Raises
    ------
    QCLIFError : the page cannot be served at this address.
    """
    hello = facts(args, connection)
    if args.tui:
        terminal = Terminal(hello, Console())

        @contextmanager
        def shown(console: Console) -> Iterator[None]:
            console.print(HELP, highlight=False)
            with ExitStack() as stack:
                if args.source != "-":
                    stack.enter_context(Keys(control, stop.set).read())
                stack.enter_context(terminal)
                yield
        yield View(terminal.show, shown)
        return
    feed = Feed(hello)
    with PageServer(feed, control, args.page_host, args.page_port) as server:
        @contextmanager
        def told(console: Console) -> Iterator[None]:
            console.print(f"The page: {server.url}", soft_wrap=True, highlight=False)
            console.print("Ctrl-C ends the run.")
            yield
        yield View(feed.publish, told)
