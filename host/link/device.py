# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The SoC as an object: load a network, run samples, read its counters."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from accel.errors import QCLIFError
from accel.image import image, word_address, word_index
from firmware import protocol
from firmware.protocol import SPACE_CPU, SPACE_READOUT, DeviceInfo
from host.common.console import Progress, no_progress
from host.events.encoder import Encoder
from host.events.sample import Sample
from host.link.link import Link
from host.link.sample_exchange import SampleExchange, SampleRun
from host.network.network import Network, network_id

# Words that one VERIFY reads back: some 27,000 clocks, few enough for a simulator to answer in time.
_VERIFY_WORDS  = 1024
_UPLOAD_TRIES  = 3

# Memory space, address of the first word, words.
Chunk = tuple[int, int, np.ndarray]


def verify_sums(words: np.ndarray) -> bytes:
    """What VERIFY is to answer: Fletcher's sums of the words' halves."""
    sums = np.cumsum(words.astype("<u4").view("<u2"), dtype=np.uint64)
    return protocol.pack("SUMS", sum=int(sums[-1]) % 2**32, sums=int(sums.sum()) % 2**32)


class Device:
    """Typed requests over a Link."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._network: Network | None = None
        self._with_encoder = False

    @property
    def link(self) -> Link:
        """The link that requests go over."""
        return self._link

    @property
    def info(self) -> DeviceInfo:
        """Build and state of the device when the link was opened."""
        return self._link.info

    # Network --------------------------------------------------------------------------------------

    def load(self, network: Network, engine: str = "accel", encoder: Encoder | None = None,
            progress: Progress = no_progress) -> bool:
        """Load and verify a network and make it the one that samples run on.

        Parameters
        ----------
        encoder : for run(encode="device"); it has to be the network's.
        progress : is told of the stage "network", in words, while the network is sent.

        Returns
        -------
        bool : False where the engine had this network already, so that nothing was sent.

        Raises
        ------
        QCLIFError : the network does not fit, the engine is not there, or the memory does not hold what is written.
        """
        network.check_fits(self.info.config)
        if engine not in self.info.engines:
            raise QCLIFError(f"engine {engine} is not in this build, it has {' and '.join(self.info.engines)}: "
                "choose another --engine")
        if encoder is not None and encoder != network.encoder:
            raise QCLIFError(f"the device is to encode with {encoder}, the network needs {network.encoder}: "
                "use the network's encoder")
        identity = network_id(network)
        fresh = self.info.networks[engine] != identity
        if fresh:
            self._upload(network, engine, progress)
        self._link.request("CONFIGURE", protocol.pack("CONFIGURE", engine=protocol.ENGINES[engine],
            neurons=network.neurons, inputs=network.inputs, contexts=network.contexts, outputs=network.outputs,
            apical_shift=network.apical_shift, product_shift=network.product_shift, network_id=identity))
        self.info.networks[engine] = identity
        if encoder is not None:
            self._link.request("ENCODER", protocol.pack("ENCODER", width=encoder.sensor_size[0],
                height=encoder.sensor_size[1], grid_width=encoder.grid[0], grid_height=encoder.grid[1],
                polarities=encoder.polarities, bin_us=encoder.bin_us, count_threshold=encoder.count_threshold))
        self._network, self._with_encoder = network, encoder is not None
        return fresh

    def _upload(self, network: Network, engine: str, progress: Progress) -> None:
        for name in self.info.networks:
            # Each engine's network ends with the first word that is written over a part of it.
            if name == engine or network.outputs:
                self.info.networks[name] = 0
        chunks = [(SPACE_CPU, 0, cpu_image(network))] if engine == "cpu" else image(network, self.info.config)
        if network.outputs:
            chunks.append((SPACE_READOUT, 0, network.readout.astype("<i4").view("<u4").reshape(-1)))
        total = sum(len(words) for _, _, words in chunks)
        if engine == "cpu" and 4*len(chunks[0][2]) > self.info.ram_bytes:
            raise QCLIFError(f"the network takes {4*len(chunks[0][2])} bytes of RAM, the build has "
                f"{self.info.ram_bytes}: build with more RAM, or use --engine accel")
        done = 0
        for piece in itertools.chain.from_iterable(map(self._pieces, chunks)):
            self._store(piece)
            done += len(piece[2])
            progress("network", done, total)

    def _pieces(self, chunk: Chunk, most: int = _VERIFY_WORDS) -> Iterator[Chunk]:
        """The chunk in pieces of `most` words at most."""
        space, address, words = chunk
        first = word_index(space, address, self.info.config)
        for at in range(0, len(words), most):
            yield space, word_address(space, first + at, self.info.config), words[at:at + most]

    def _writes(self, piece: Chunk) -> Iterator[tuple[str, bytes]]:
        # Cut one by one: how long a request should be depends on how the last ones fared.
        while len(piece[2]):
            most = (self._link.payload_bytes - protocol.size("WRITE"))//4
            (space, address, words), *rest = itertools.islice(self._pieces(piece, most), 2)
            yield "WRITE", protocol.pack("WRITE", space=space, address=address) + words.astype("<u4").tobytes()
            piece = (space, rest[0][1] if rest else 0, piece[2][most:])

    def _store(self, piece: Chunk) -> None:
        """Write a piece and read it back until it is there."""
        space, address, words = piece
        verify = protocol.pack("VERIFY", space=space, address=address, count=len(words))
        expected = verify_sums(words)
        for _ in range(_UPLOAD_TRIES):
            *_, answer = self._link.exchange(itertools.chain(self._writes(piece), [("VERIFY", verify)]))
            if answer == expected:
                return
        raise QCLIFError(f"memory space {space} of the device does not hold what is written from address {address} on "
            f"({_UPLOAD_TRIES} tries): the build is faulty, look at its timing report")

    # Samples --------------------------------------------------------------------------------------

    def run(self, sample: Sample, encode: str = "host", lockstep: bool = False) -> SampleRun:
        """run_many() of one sample."""
        return next(self.run_many([sample], encode, lockstep))

    def run_many(self, samples: Iterable[Sample], encode: str = "host", lockstep: bool = False,
            progress: Progress = no_progress) -> Iterator[SampleRun]:
        """Run samples on the loaded network and yield their results in order.

        Frames of the next sample are on their way while one finishes, so that the device never waits.

        Parameters
        ----------
        samples : with `steps` for encode="host", with `events` for encode="device" (after load(encoder=...)).
        lockstep : read V_a and V_s after each step, not only after the last.
        progress : is told of the stage "time steps": how many of all samples have come back.

        Raises
        ------
        QCLIFError : no network is loaded, or anything that Link.exchange() raises.
        """
        if self._network is None:
            raise QCLIFError("no network is loaded: call load() before run()")
        if encode not in ("host", "device"):
            raise QCLIFError(f"encode is {encode!r}: host or device is needed")
        if encode == "device" and not self._with_encoder:
            raise QCLIFError("the device has no encoder: call load() with the network's encoder")
        return self._run_many(samples, encode, lockstep, progress)

    def _run_many(self, samples: Iterable[Sample], encode: str, lockstep: bool,
            progress: Progress) -> Iterator[SampleRun]:
        # What takes the next answer, and its sample; None for the taker ends the sample.
        takers: deque[tuple[Callable[[bytes], object] | None, SampleExchange]] = deque()
        finished = 0

        def requests() -> Iterator[tuple[str, bytes]]:
            for sample in samples:
                exchange = SampleExchange(sample, self._network, self._link, encode, lockstep)
                for kind, payload, take in exchange.requests():
                    takers.append((take, exchange))
                    yield kind, payload
                takers.append((None, exchange))

        for answer in self._link.exchange(requests()):
            take, exchange = takers.popleft()
            take(answer)
            progress("time steps", finished + exchange.steps, None)
            if takers and takers[0][0] is None:
                takers.popleft()
                finished += exchange.steps
                yield exchange.result()

    # Counters -------------------------------------------------------------------------------------

    def stats(self) -> dict[str, int]:
        """Link and timing counters of the device since its reset: protocol.STATS by name, modulo 2**32."""
        return dict(zip(protocol.STATS, np.frombuffer(self._link.request("STATS"), "<u4").tolist(), strict=True))


def stats_between(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """How far the counters of two Device.stats() went, through at most one overflow each."""
    return {name: (after[name] - before[name]) % 2**32 for name in after}


def cpu_image(network: Network) -> np.ndarray:
    """A network as the CPU engine (firmware/engine/engine_cpu.c) reads it from RAM.

    Words uint32 [n]: weights as int8, row by row (sensory, recurrent somatic, context, recurrent apical), padded to a
    word; then int32 [N] each: bias_soma, bias_apical, leak_apical, leak_soma, threshold.
    """
    weights = np.concatenate([matrix.astype(np.int8).reshape(-1) for matrix in (
        network.w_sensory, network.w_recurrent_soma, network.w_context, network.w_recurrent_apical)])
    padded = np.zeros(-(-len(weights)//4)*4, dtype=np.int8)
    padded[:len(weights)] = weights
    parameters = np.concatenate([
        network.bias_soma, network.bias_apical, network.leak_apical, network.leak_soma, network.threshold])
    return np.concatenate([padded.view("<u4"), parameters.astype("<i4").view("<u4")]).astype(np.uint32)
