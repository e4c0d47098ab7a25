#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Run a network on the accelerator of any LiteX SoC, through litex_server, and compare it with the golden model.

The SoC needs neither our firmware nor a CPU: a bridge to its bus is enough (UART, JTAG, Ethernet, PCIe).

examples:
  litex_server --uart --uart-port /dev/ttyUSB1 &                     a bridge over a UART
  python -m host.remote --csr-csv build/csr.csv                      a random network of the build's sizes
  python -m host.remote --csr-csv build/csr.csv --name qclif1 --network net.npz --events FILE --lockstep
"""

import argparse
import csv
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from litex.tools.litex_client import RemoteClient

from accel.errors import EXIT_MISMATCH, QCLIFError, guarded
from host.cli.network_choice import check_recordings, choose_network
from host.cli.options import add_input_args, encode_samples, read_samples
from host.common.console import progress_bars, table_console
from host.common.tables import TextTable
from host.events.sample import Sample
from host.link.remote import RemoteAccelerator
from host.network.network import Network
from host.runs.comparison import Compared, compare


def base_address(path: Path, name: str) -> int:
    """Address of a peripheral's registers, of LiteX's csr.csv. Raises QCLIFError where it is not in there."""
    try:
        rows = [row for row in csv.reader(path.read_text().splitlines()) if len(row) > 2 and row[0] == "csr_base"]
    except (OSError, UnicodeDecodeError) as error:
        raise QCLIFError(f"--csr-csv {path}: {getattr(error, 'strerror', None) or 'not text'}: name the csr.csv of the "
            "SoC's build") from error
    bases = {row[1]: int(row[2], 16) for row in rows}
    if name not in bases:
        raise QCLIFError(f"--name {name}: {path} has {', '.join(bases) or 'no peripherals'}: name the accelerator")
    return bases[name]


@contextmanager
def opened(host: str, port: int, path: Path, base: int) -> Iterator[RemoteAccelerator]:
    """The accelerator behind a litex_server, in the SoC of a csr.csv. Raises QCLIFError where nobody serves there, or
    stops doing so.
    """
    client = RemoteClient(host, port, csr_csv=str(path))
    try:
        client.open()
        # A write has no answer, so that the packet behind it would wait.
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        yield RemoteAccelerator(client, base)
    except OSError as error:
        raise QCLIFError(f"litex_server at {host}:{port}: {error.strerror or error}: start one, as litex_server --uart "
            "--uart-port PORT") from error
    finally:
        client.close()


def compare_each(accelerator: RemoteAccelerator, network: Network, samples: list[Sample],
        lockstep: bool) -> Iterator[Compared]:
    """Each recording as it came back, against the golden model."""
    from host.network.golden import GoldenModel
    golden = GoldenModel(network)
    for sample in samples:
        expected, = golden.run([sample.steps], states=True)
        yield compare(sample, accelerator.run(sample, lockstep), expected, network, accelerator.config, lockstep)


def row(each: Compared) -> tuple[str, ...]:
    """A recording in the table."""
    wrong = each.mismatches + each.state_mismatches
    counts = (len(each.run.inputs.sources), len(each.run.spikes), len(each.run.spikes.sources),
        each.run.counters["busy"])
    return (each.sample.name, *map(str, counts), f"{wrong} differ" if wrong else "exact")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m host.remote", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    bridge = parser.add_argument_group("bridge")
    bridge.add_argument("--csr-csv", type=Path, required=True, metavar="FILE", help="csr.csv of the SoC's build")
    bridge.add_argument("--name", default="qclif", help="of the accelerator in the SoC (default: %(default)s)")
    bridge.add_argument("--host", default="localhost", help="where litex_server runs (default: %(default)s)")
    bridge.add_argument("--port", type=int, default=1234, help="of litex_server (default: %(default)s)")
    parser.add_argument("--lockstep", action="store_true",
        help="compare V_a and V_s after every step, not only at the end of each recording")
    add_input_args(parser, samples=1)
    args = parser.parse_args(argv)

    def work() -> int:
        base    = base_address(args.csr_csv, args.name)
        samples = read_samples(args)
        check_recordings(args, samples)
        with opened(args.host, args.port, args.csr_csv, base) as accelerator, progress_bars() as progress:
            choice  = choose_network(args, samples, accelerator.config)
            network = choice.network
            accelerator.load(network, progress)
            encoded = encode_samples(samples, network.encoder, network.contexts, args)
            results = list(compare_each(accelerator, network, encoded, args.lockstep))
        console = table_console(None)
        console.print(TextTable(("sample", "inputs", "steps", "spikes", "core clocks", "match"), map(row, results)))
        for each in results:
            if each.divergence:
                console.print(str(each.divergence), highlight=False, soft_wrap=True)
        return EXIT_MISMATCH if any(each.divergence for each in results) else 0
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
