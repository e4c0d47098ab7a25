# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""python -m targets.asic_freepdk45 as a new user types it: small designs through real tools, and wrong options."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from targets.asic.options import make_parser
from targets.asic.run import parse_runs
from targets.asic.stages import STAGES
from targets.asic_freepdk45 import exit_code, main
from tests.helpers.asic_records import complete
from tests.helpers.builds import fresh_builds
from tests.helpers.commands import assert_one_line, run
from tests.helpers.needs import needs_asic

COMMAND = [sys.executable, "-m", "targets.asic_freepdk45"]
SPATIAL = ["--design", "spatial", "--neurons", "3", "--contexts", "2", "--steps", "20"]



@pytest.fixture
def flow(pdk, tmp_path, capsys):
    """Runs the command in this process, which spares its imports; returns the exit code and the JSON."""
    def call(*options):
        code = main([*map(str, options), "--output-dir", str(tmp_path/"out"), "--json", str(tmp_path/"run.json")])
        call.shown = capsys.readouterr()
        return code, json.loads((tmp_path/"run.json").read_text()) if code != 2 else None
    call.out = tmp_path/"out"
    return call

# Runs ----------------------------------------------------------------------------------------------

@needs_asic
def test_the_neuron_through_all_of_it(flow):
    code, record = flow("--design", "neuron")
    assert code == 0, flow.shown.err
    assert record["gatesim"]["mismatches"] == record["gatesim"]["state_mismatches"] == 0
    assert record["gatesim"]["steps"] >= 100_000 and record["gatesim"]["spikes"] > 0
    assert record["config"]["current_bits"] == 8 and set(record["timing"]) == {"typ", "slow", "fast"}
    assert record["area_um2"] == pytest.approx(sum(module["area_um2"] for module in record["modules"]))
    assert record["area_um2"] == pytest.approx(record["area_logic_um2"] + record["area_sram_um2"])
    power = record["power_mw"]
    assert power["total"] == pytest.approx(power["leakage"] + power["internal"] + power["switching"] + power["sram"])
    assert set(record["energy_pj"]) == {"step", "neuron_update", "spike"}
    assert set(record["tools"]) == {"yosys", "opensta", "verilator"} and all(record["tools"].values())
    assert {path.name for path in flow.out.iterdir()} == {"report.md", "report.json", "modules.png", "path.png",
        "netlist.v", "constraint.sdc", "activity.saif.gz", "power.tcl"}
    assert json.loads((flow.out/"report.json").read_text()) == record
    # The second time nothing is done again, and all is the same.
    assert flow("--design", "neuron")[1] | {"stages": 0} == record | {"stages": 0}
    again = flow("--design", "neuron")[1]
    assert again["stages"].keys() == record["stages"].keys()
    assert all(each["cached"] for each in again["stages"].values())


@needs_asic
def test_the_papers_architecture_on_a_recording(flow):
    code, record = flow(*SPATIAL, "--rate", "0.2")
    assert code == 0, flow.shown.err
    run = record["gatesim"]
    assert run["mismatches"] == run["state_mismatches"] == 0 and run["steps"] == run["clocks"] == 20
    assert run["neuron_updates"] == 60 and run["spikes"] > 0 and run["inferences"] == 1
    assert record["weights"] | {"area_um2": 0, "power_mw": 0} == {"in_design": False, "bits": 8*3*(3 + 3 + 2),
        "area_um2": 0, "power_mw": 0}
    assert record["energy_pj"]["step"] == pytest.approx(3*record["energy_pj"]["neuron_update"])
    assert record["energy_with_weights_pj"]["step"] > record["energy_pj"]["step"]
    assert "synthetic 0" in run["recordings"] and record["real_time"]["step_us"] == 5000


@needs_asic
def test_silence(flow):
    code, record = flow(*SPATIAL, "--rate", "0")
    assert code == 0 and record["gatesim"]["spikes"] == 0 and "spike" not in record["energy_pj"]


@needs_asic
def test_slack(flow):
    neuron = ["--design", "neuron", "--frequency", "3000", "--until", "sta"]
    code, record = flow(*neuron)
    assert code == 0 and record["slack_ns"] < 0 and "**-" in (flow.out/"report.md").read_text()
    assert flow(*neuron, "--strict")[0] == 1


@needs_asic
def test_what_later_stages_would_compute_is_absent(flow):
    code, record = flow("--design", "neuron", "--until", "synth")
    assert code == 0 and list(record["stages"]) == ["rtl", "synth"]
    assert not {"slack_ns", "fmax_mhz", "timing", "gatesim", "power_mw", "energy_pj", "layout"} & record.keys()


@needs_asic
def test_a_sweep(flow, tmp_path):
    (tmp_path/"mine.json").write_text('[{"state-bits": [4, 8]}, {"design": "core", "sram": "flops"}]')
    code, content = flow("--sweep", tmp_path/"mine.json", "--design", "neuron", "--until", "sta", "--jobs", 1)
    assert code == 2
    content = json.loads((flow.out/"report.json").read_text())
    four, eight, failed = content["runs"]
    assert four["area_um2"] < eight["area_um2"] and four["slack_ns"] > eight["slack_ns"]
    assert four["options"] == {"state-bits": 4} and "flip-flops hold at most" in failed["error"]
    written = (flow.out/"report.md").read_text()
    assert "Runs that failed" in written and "flip-flops hold at most" in written
    assert (flow.out/"mine.png").exists()

# Missing parts -------------------------------------------------------------------------------------

@pytest.fixture
def without(monkeypatch, tmp_path):
    """Hides programs: PATH has links to all others, and Python's packages are not found."""
    def hide(*programs):
        folder = tmp_path/"programs"
        folder.mkdir()
        for place in reversed(os.environ["PATH"].split(os.pathsep)):
            for path in (os.scandir(place) if os.path.isdir(place) else ()):
                link = folder/path.name
                if path.name not in programs:
                    link.unlink(missing_ok=True)
                    link.symlink_to(path.path)
        return {**os.environ, "PATH": str(folder), "QCLIF_BUILD_DIR": str(fresh_builds(tmp_path/"build"))}
    return hide


def call(environment, *options):
    return subprocess.run([*COMMAND, *map(str, options)], capture_output=True, text=True, env=environment, check=False)


@needs_asic
def test_without_opensta_the_rest_is_done_and_the_gap_is_told(pdk, without, tmp_path):
    environment = without("sta", "openroad")
    done = call(environment, "--design", "neuron", "--output-dir", tmp_path/"out", "--json", "-")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert "timing" not in record and "power_mw" in record
    assert [note for note in record["notes"] if note.startswith("sta did not run") and "opensta" in note]
    # Whoever asks for it is told at once.
    done = call(environment, "--design", "neuron", "--until", "sta", "--output-dir", tmp_path/"out")
    assert_one_line(done, "sta", "apt-get install")


def test_a_chip_is_not_simulated_for_a_layout_that_cannot_be(pdk, without, tmp_path):
    environment = without("openroad")
    environment.pop("FLOW_HOME", None)
    done = call(environment, "--design", "soc", "--until", "layout", "--output-dir", tmp_path/"out")
    assert_one_line(done, "FLOW_HOME")

def test_without_verilator(pdk, without, tmp_path):
    done = call(without("verilator"), "--design", "neuron", "--until", "gatesim", "--output-dir", tmp_path/"out")
    assert_one_line(done, "verilator", "apt-get install verilator")


def test_without_a_compiler_for_the_chip(pdk, without, tmp_path):
    done = call(without("riscv64-unknown-elf-gcc"), "--design", "soc", "--until", "gatesim", "--output-dir",
        tmp_path/"out")
    assert_one_line(done, "riscv64-unknown-elf-gcc", "apt-get install gcc-riscv64-unknown-elf")

# Wrong options -------------------------------------------------------------------------------------

@pytest.mark.parametrize("options, words", [
    (["--design", "nueron"],            ["nueron", "neuron", "spatial"]),
    (["--corner", "hot"],               ["hot", "slow"]),
    (["--until", "gds"],                ["gds", *STAGES]),
    (["--frequency", "fast"],           ["frequency", "fast"]),
    (["--frequency", "1e9"],            ["frequency", "5000"]),
    (["--neurons", "5000"],             ["neurons", "5000", "1024"]),
    (["--sram", "flops"],               ["qclif_program", "--sram"]),
    (["--pdk", "/nowhere"],             ["/nowhere", "--download-pdk"]),
    (["--events", "/nowhere.npz"],      ["/nowhere.npz"]),
    (["--network", "/nowhere.npz"],     ["/nowhere.npz"]),
    (["--rate", "1.5"],                 ["rate", "1.5"]),
    (["--json", "/nowhere/run.json"],   ["/nowhere/run.json"]),
    (["--output-dir", "/dev/null/out"], ["/dev/null/out"]),
    (["--sweep", "nowhere"],            ["nowhere", "compare"]),
    (["--design", "soc", "--uart-baudrate", "20000000"], ["uart_baudrate", "20000000", "10000000"]),
    (["--design", "soc", "--program-bytes", "0"],        ["program_bytes", "1024", "1048576", "--program-bytes"]),
    (["--design", "soc", "--sram-bytes", "4098"],        ["sram_bytes", "4098", "--sram-bytes"]),
    (["--design", "soc", "--sram-bytes", "8192"],        ["sram_bytes", "8192", "--sram-bytes"]),
])
def test_a_wrong_option_is_one_line(pdk, tmp_path, capsys, options, words):
    assert main(["--output-dir", str(tmp_path), *options]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1 and all(word in errors[0] for word in words), errors


def test_without_a_pdk(monkeypatch, tmp_path, capsys):
    for name in ("FREEPDK45_HOME", "FLOW_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QCLIF_CACHE", str(tmp_path))
    assert main(["--output-dir", str(tmp_path)]) == 2
    assert "error: no PDK" in capsys.readouterr().err


def test_a_corner_that_the_pdk_lacks(pdk, tmp_path, capsys):
    folder = tmp_path/"pdk"
    (folder/"lib").mkdir(parents=True)
    shutil.copy(pdk.corner("typ").liberty, folder/"lib"/"NangateOpenCellLibrary_typical.lib")
    assert main(["--output-dir", str(tmp_path), "--design", "neuron", "--pdk", str(folder), "--corner", "slow"]) == 2
    assert "corner slow" in capsys.readouterr().err


def test_a_pdk_without_macros(pdk, tmp_path, capsys):
    folder = tmp_path/"pdk"
    (folder/"lib").mkdir(parents=True)
    shutil.copy(pdk.corner("typ").liberty, folder/"lib"/"NangateOpenCellLibrary_typical.lib")
    assert main(["--output-dir", str(tmp_path), "--pdk", str(folder), "--until", "synth"]) == 2
    assert "macro" in capsys.readouterr().err.splitlines()[-1]


def test_a_sweep_with_a_wrong_run_is_refused_before_any_runs(pdk, tmp_path, capsys):
    (tmp_path/"mine.json").write_text('[{"lanes": 4}, {"lane": 8}]')
    assert main(["--output-dir", str(tmp_path), "--sweep", str(tmp_path/"mine.json")]) == 2
    error, = capsys.readouterr().err.splitlines()
    assert "run 2 of 2" in error and "--lane" in error


def test_help_is_quick_and_teaches():
    done = run(COMMAND, "--help")
    assert done.returncode == 0 and "examples:" in done.stdout and "--sweep compare" in done.stdout


def test_runs_of_a_sweep_have_the_options_of_the_command_and_their_own():
    args = make_parser("").parse_args(["--lanes", "4", "--sweep", "x", "--steps", "5", "--frequency", "50"])
    runs = parse_runs(args, [{"lanes": 8}, {"frequency": 200.0, "design": "neuron"}], "x")
    assert [(run.lanes, run.frequency, run.design, run.steps) for run in runs] == [(8, 50.0, "soc", 5),
        (4, 200.0, "neuron", 5)]
    assert (args.lanes, args.frequency, args.design) == (4, 50.0, "soc")


def test_exit_codes():
    wrong = complete()
    wrong["gatesim"]["state_mismatches"] = 1
    wrong  = complete() | {"layout": {"gatesim": {"mismatches": 0, "state_mismatches": 1}}}
    assert exit_code([complete(), wrong], False) == 1
    routed = complete() | {"layout": {"slack_ns": -0.1}}
    assert [exit_code([record], strict) for record, strict in ((complete(), True), (complete(slack=-1.0), False),
        (complete(slack=-1.0), True), (routed, False), (routed, True), (wrong, False), ({"error": "no"}, True))] == [
        0, 0, 1, 0, 1, 1, 0]


def test_defaults_are_those_of_the_issue():
    args = make_parser("").parse_args([])
    assert (args.design, args.frequency, args.corner, args.sram, args.until, args.samples) == ("soc", 100.0, "typ",
        "fakeram45", None, 1)
