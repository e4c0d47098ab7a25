# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Options about files: every command that reads recordings has them, and they reach the reader."""

import argparse
import json

import numpy as np
import pytest

import host.datasets
import host.evaluate
import host.nir
import host.plot
import host.stream
import host.sweep
import host.train
import targets.benchmark.__main__
import targets.post_synthesis
import targets.sim.__main__
from accel.errors import EXIT_ERROR
from host.cli import reading_options
from host.cli.network_choice import SHIPPED
from host.cli.options import add_recording_args, read_samples
from host.cli.reading_options import NOTES_MAX, add_reading_args, reading_from_args, tell
from host.events.reading import Reading
from targets.asic.options import make_parser
from tests.helpers import camera_files

OPTIONS = ("--sensor-size", "--chip", "--camera", "--time-unit", "--repair")

ROWS = [(3, 5, 1, 1000), (2, 1, 0, 1010), (0, 4, 1, 1003), (30, 9, 0, 20_000)]


@pytest.mark.parametrize("main", [host.stream.main, host.datasets.main, host.train.main, host.evaluate.main,
    host.sweep.main, host.plot.main, lambda argv: host.nir.main(["import", *argv]), targets.sim.__main__.main,
    targets.post_synthesis.main, lambda argv: make_parser("").parse_args(argv),
    pytest.param(lambda argv: targets.benchmark.__main__.main(), id="benchmark")])
def test_every_command_has_them(main, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["command", "--help"])
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    for option in OPTIONS:
        assert option in text


def parsed(*options):
    parser = argparse.ArgumentParser()
    add_reading_args(parser)
    return reading_from_args(parser.parse_args(options))


def test_what_they_tell():
    assert parsed() == Reading() and not parsed().given
    assert parsed("--repair") == Reading(repair_us=1000) and parsed("--repair", "20") == Reading(repair_us=20)
    assert parsed("--sensor-size", "34", "20", "--chip", "davis346", "--time-unit", "ns", "--camera", "1") == Reading(
        (34, 20), "DAVIS346", "ns", camera=1)


@pytest.mark.parametrize("options, text", [(["--sensor-size", "0", "5"], "--sensor-size is 0: an integer from 1"),
    (["--camera", "-1"], "--camera is -1: an integer from 0")])
def test_values_out_of_their_limits(options, text):
    with pytest.raises(Exception, match=text):
        parsed(*options)


def test_they_reach_the_reader(tmp_path, capsys):
    parser = argparse.ArgumentParser()
    add_recording_args(parser)
    np.savez(tmp_path/"a.npz", **{name: np.array(column) for name, column in zip("xypt", zip(*ROWS, strict=True),
        strict=True)})
    args = parser.parse_args(["--events", str(tmp_path/"a.npz"), "--sensor-size", "34", "34", "--repair"])
    args.samples = None
    sample, = read_samples(args)
    assert sample.sensor_size == (34, 34) and sample.events["t"].tolist() == [1000, 1003, 1010, 20_000]
    assert capsys.readouterr().err == f"note: {tmp_path/'a.npz'}: 1 of 4 events came late, sorted by their times " \
        "(--repair)\n"


def test_without_files_they_have_no_effect(capsys, tmp_path):
    for command in (["--sensor-size", "5", "5"], ["--repair"]):
        assert host.datasets.main(["--dataset", "synthetic", *command]) == EXIT_ERROR
        assert host.stream.main(["--port", str(tmp_path/"none"), *command]) == EXIT_ERROR
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4 and all("has no effect on" in line for line in lines)


def test_a_folder_of_notes_is_no_flood(capsys, monkeypatch):
    monkeypatch.setattr(reading_options, "_notes", 0)
    for number in range(100):
        tell(f"file {number}")
    assert capsys.readouterr().err.splitlines() == [*(f"note: file {number}" for number in range(NOTES_MAX)),
        "note: more such lines are left out"]


def test_statistics_of_files_that_do_not_tell(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("QCLIF_CACHE", str(tmp_path/"cache"))
    for name in ("a", "b"):
        (tmp_path/"own"/name).mkdir(parents=True)
        (tmp_path/"own"/name/"0.csv").write_bytes(camera_files.text(sorted(ROWS, key=lambda row: row[3])))
    command = ["--dataset", "files", "--data", str(tmp_path/"own"), "--json", "-"]
    assert host.datasets.main(command) == EXIT_ERROR
    assert "give --sensor-size W H" in capsys.readouterr().err
    assert host.datasets.main([*command, "--sensor-size", "34", "34"]) == 0
    assert json.loads(capsys.readouterr().out)["encoder"]["sensor_size"] == [34, 34]


@pytest.fixture
def wrong_sensor(tmp_path):
    """Recordings of 34x34 pixels; the network that comes with the program is for 128x128."""
    path = tmp_path/"a.es"
    path.write_bytes(camera_files.es(sorted(ROWS, key=lambda row: row[3]), (34, 34)))
    return path


def test_a_recording_that_does_not_fit_is_told_before_a_build(wrong_sensor, monkeypatch, capsys):
    monkeypatch.setattr("targets.sim.__main__.SimulatedSoC", lambda *_, **__: pytest.fail("a build"))
    status = targets.sim.__main__.main(["--network", str(SHIPPED), "--events", str(wrong_sensor)])
    assert status == EXIT_ERROR
    assert "recorded with 34x34 pixels, the network is for 128x128" in capsys.readouterr().err


@pytest.mark.parametrize("options, text", [(["--context", "99"], "context source 99, the limits are 0 to 9"),
    (["--bin-us", "1"], None)])
def test_options_that_do_not_fit_are_told_before_a_build(wrong_sensor, monkeypatch, capsys, options, text):
    class Built(Exception):
        pass

    def build(*_, **__):
        raise Built

    monkeypatch.setattr("targets.sim.__main__.SimulatedSoC", build)
    command = ["--events", str(wrong_sensor), *options]
    if text is None:
        with pytest.raises(Built):
            targets.sim.__main__.main(command)
        return
    assert targets.sim.__main__.main(command) == EXIT_ERROR
    assert text in capsys.readouterr().err


def test_recordings_of_two_sensors_are_told_before_a_build(wrong_sensor, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("targets.sim.__main__.SimulatedSoC", lambda *_, **__: pytest.fail("a build"))
    (tmp_path/"b.es").write_bytes(camera_files.es(sorted(ROWS, key=lambda row: row[3]), (64, 64)))
    assert targets.sim.__main__.main(["--events", str(wrong_sensor), str(tmp_path/"b.es")]) == EXIT_ERROR
    assert "b: recorded with 64x64 pixels, the network is for 34x34" in capsys.readouterr().err


def test_a_recording_that_does_not_fit_is_told_before_a_port_is_opened(wrong_sensor, monkeypatch, capsys):
    monkeypatch.setattr("host.stream.open_link", lambda *_: pytest.fail("a port"))
    command = ["--port", "/dev/none", "--network", str(SHIPPED), "--events", str(wrong_sensor)]
    assert host.stream.main(command) == EXIT_ERROR
    assert "recorded with 34x34 pixels, the network is for 128x128" in capsys.readouterr().err


def test_a_data_set_that_does_not_fit_is_told_before_a_build(tmp_path, wrong_sensor, monkeypatch, capsys):
    monkeypatch.setenv("QCLIF_CACHE", str(tmp_path/"cache"))
    monkeypatch.setattr("host.evaluate.simulated_port", lambda *_: pytest.fail("a build"))
    for name in ("a", "b"):
        (tmp_path/"own"/"train"/name).mkdir(parents=True)
        (tmp_path/"own"/"train"/name/"0.es").write_bytes(wrong_sensor.read_bytes())
    status = host.evaluate.main(["--network", str(SHIPPED), "--dataset", "files", "--data", str(tmp_path/"own"),
        "--split", "train", "--engine", "sim", "--output-dir", str(tmp_path/"plots")])
    assert status == EXIT_ERROR
    assert "files is recorded with 34x34 pixels" in capsys.readouterr().err


def test_a_data_set_that_does_not_fit_is_told_before_training(tmp_path, wrong_sensor, monkeypatch, capsys):
    """A network to start from is of other inputs."""
    monkeypatch.setenv("QCLIF_CACHE", str(tmp_path/"cache"))
    monkeypatch.setattr("host.training.trainer.Trainer.fit", lambda *_: pytest.fail("a training"))
    for name in ("a", "b"):
        (tmp_path/"own"/name).mkdir(parents=True)
        for number in range(2):
            (tmp_path/"own"/name/f"{number}.es").write_bytes(wrong_sensor.read_bytes())
    status = host.train.main(["--init", str(SHIPPED), "--dataset", "files", "--data", str(tmp_path/"own")])
    assert status == EXIT_ERROR
    assert "the network to start from has 512 inputs, this one 578" in capsys.readouterr().err
