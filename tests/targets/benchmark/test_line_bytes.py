# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Bytes that raw events take on the line: those that a device receives."""

import dataclasses

import pytest

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.data import synthetic
from host.events.encoder import Encoder
from host.events.sample import Sample
from host.link.device import Device
from host.link.link import Link
from host.network.random_network import random_network
from targets.benchmark import line_bytes as benchmark
from targets.benchmark.line_bytes import STEPS_US, bench_bytes, line_bytes
from tests.helpers.firmware_port import FirmwareDevice, FirmwarePort


def recordings(count):
    """Beginnings of synthetic gestures."""
    return [dataclasses.replace(sample, events=sample.events[:20_000]) for sample in synthetic.recordings(count)]


@pytest.mark.parametrize("step_us", STEPS_US)
def test_they_are_those_of_a_run_with_the_firmware(step_us):
    config  = QCLIFConfig()
    encoder = Encoder(bin_us=step_us)
    sample  = recordings(1)[0].encoded(encoder, config.contexts)
    network = random_network(config, encoder, [sample.steps], classes=synthetic.GESTURES)
    counted = line_bytes(sample, network, config)
    link    = Link(FirmwarePort(FirmwareDevice(config)))
    device  = Device(link)
    device.load(network, "cpu", encoder)
    bytes_before, frames_before = link.stats.bytes_tx, link.stats.frames
    device.run(sample, encode="device")
    assert counted["frames"] == link.stats.frames - frames_before > 50
    # Sessions are drawn: a zero more or less in a header or CRC can make a COBS block more or less.
    assert counted["line"] == pytest.approx(link.stats.bytes_tx - bytes_before, abs=counted["frames"]/10)
    # COBS, delimiter, header and CRC, but for the long blocks of COBS.
    assert 10*counted["frames"] < counted["line"] - counted["words"] < 13*counted["frames"]


def test_a_row_for_each_recording_and_step(monkeypatch):
    samples = recordings(2)
    monkeypatch.setattr(benchmark, "read_files", lambda files, reading: samples)
    rows = bench_bytes(lambda text: None, ["a file"])
    assert [(row["recording"], row["step_us"]) for row in rows] == [(sample.name, step_us) for sample in samples
        for step_us in STEPS_US]
    assert all(2 < row["words_per_event"] < row["line_per_event"] < 2.2 for row in rows)


def test_recordings_without_events(monkeypatch):
    monkeypatch.setattr(benchmark, "read_files", lambda *_: [Sample("inputs", sensor_size=(8, 8))])
    with pytest.raises(QCLIFError, match="inputs: holds no raw events: give others with --events"):
        bench_bytes(lambda text: None, ["a file"])
