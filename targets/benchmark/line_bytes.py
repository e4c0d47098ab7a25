# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Bytes that raw events take on the line towards the device: all frames of a sample, counted by the link itself."""

import dataclasses
from pathlib import Path

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware import protocol
from host.data import synthetic
from host.events.encoder import Encoder
from host.events.formats import read_files
from host.events.reading import Reading
from host.events.sample import Sample
from host.link.framing import Frame, decode_frame, encode_frame
from host.link.link import Link
from host.link.sample_exchange import SampleExchange
from host.network.network import Network
from host.network.random_network import random_network
from targets.tools.progress import StageDisplay

# Steps that the recordings are cut into.
STEPS_US = (5000, 1000)


class SilentPort:
    """A port on a line without faults, at whose other end every request is taken and none has a result.

    Parameters
    ----------
    config : of the build, as HELLO tells it.
    """
    name = "silent"

    def __init__(self, config: QCLIFConfig) -> None:
        sizes = {name: getattr(config, name) for name in protocol.HELLO_SIZES}
        rest  = dict.fromkeys(("engines", "ram_bytes", "network_accel", "network_cpu", "previous", "sample_open"), 0)
        self._hello = protocol.pack("HELLO", status=protocol.OK, protocol=protocol.PROTOCOL_VERSION,
            firmware=protocol.FIRMWARE_VERSION, clock_hz=1, **rest, **sizes)
        self._answers = b""

    def write(self, data: bytes) -> None:
        """Answer these frames, which are whole."""
        for frame in map(decode_frame, filter(None, data.split(b"\0"))):
            payload = self._hello if frame.type == protocol.REQUESTS["HELLO"] else bytes([protocol.OK])
            self._answers += encode_frame(Frame(frame.type | protocol.RESPONSE, frame.sequence, frame.session, payload))

    def read(self) -> bytes:
        """Answers that were not read."""
        answers, self._answers = self._answers, b""
        return answers

    def wait(self, seconds: float) -> None:
        """There is nothing to wait for."""

    def now(self) -> float:
        """No time goes on."""
        return 0.0

    def close(self) -> None:
        """Nothing is held."""


def line_bytes(sample: Sample, network: Network, config: QCLIFConfig) -> dict[str, int]:
    """What a recording takes, encoded on the device: bytes of its words, of all its frames as they are on the line,
    and how many frames; from BEGIN to the last that asks for states and logits.

    Raises
    ------
    QCLIFError : a sensor larger than the firmware's tables.
    """
    with Link(SilentPort(config)) as link:
        before = dataclasses.replace(link.stats)
        words  = 0

        def requests():
            nonlocal words
            for kind, payload, _ in SampleExchange(sample, network, link, encode="device", lockstep=False).requests():
                words += len(payload)*(kind == "RAW")
                yield kind, payload

        for _ in link.exchange(requests()):
            pass
        return {"words": words, "line": link.stats.bytes_tx - before.bytes_tx,
            "frames": link.stats.frames - before.frames}


def bench_bytes(progress: StageDisplay, events: list[Path] | None = None, reading: Reading | None = None
        ) -> list[dict[str, object]]:
    """Bytes an event towards a device that encodes: of its words, and on the line with all that is around them."""
    samples = read_files(events, reading) if events else synthetic.recordings(len(synthetic.GESTURES))
    config  = QCLIFConfig()
    rows    = []
    for sample in samples:
        if sample.events is None or not len(sample.events):
            raise QCLIFError(f"{sample.name}: holds no raw events: give others with --events")
        for step_us in STEPS_US:
            progress(f"{sample.name} in steps of {step_us} us")
            encoder = Encoder(sample.size, bin_us=step_us)
            encoded = sample.encoded(encoder, config.contexts)
            network = random_network(config, encoder, [encoded.steps], classes=synthetic.GESTURES)
            taken   = line_bytes(encoded, network, config)
            count   = len(sample.events)
            seconds = int(sample.events["t"][-1] - sample.events["t"][0])/1e6
            rows.append({"recording": sample.name, "events": count,
                "events_per_second": round(count/seconds) if seconds else None, "step_us": step_us,
                "frames": taken["frames"], "words_per_event": round(taken["words"]/count, 3),
                "line_per_event": round(taken["line"]/count, 3)})
    return rows
