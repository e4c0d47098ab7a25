# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What is told of runs of the FreePDK45 flow: energies, tables beside the paper's figures, plots, sweeps."""

import io
import json
import re

import matplotlib
import pytest
from rich.console import Console

from accel.errors import QCLIFError
from host.plots.style import save
from targets.asic.options import arguments, read_sweep, shipped, varied
from targets.asic.report import paper, plots
from targets.asic.report.comparisons import compare_sheets, macros_sheet
from targets.asic.report.record import ENERGIES, QUANTITIES, area_of, energies, energy_of, in_corner, power_of
from targets.asic.report.sheet import ABSENT, UNKNOWN, Bad, Sheet, number, slack
from targets.asic.report.studies import STUDIES, rows_of, study_figures, study_of, study_sheets
from targets.asic.report.tables import name_of, sheets, write_report
from targets.asic.sta.path import path_stages, summarised
from tests.helpers.asic_records import complete, routed, stages, synthesised
from tests.helpers.terminals import WIDTHS, assert_fits, assert_whole, shown

matplotlib.use("Agg")


def text_of(sheet):
    """What a terminal shows, without colours."""
    console = Console(file=io.StringIO(), width=200)
    sheet.show(console)
    return console.file.getvalue()


def row_of(sheet, name):
    """Cells of the row that begins so."""
    return next(row for row in sheet.rows if row[0].startswith(name))


@pytest.mark.parametrize("width", WIDTHS)
def test_tables_fit_terminals_and_pipes(width):
    runs = [complete(), routed("spatial"), complete("neuron", slack=-123.456), {"error": "no such file: /a b/c"*4}]
    made = [sheet for record in runs[:3] for sheet in sheets(record)]
    made += [*compare_sheets(runs[:2]), *study_sheets("corners", STUDIES["corners"],
        [{"design": each} for each in ("core", "spatial", "neuron", "failed")], runs)]
    for sheet in made:
        text = shown(sheet.show, width)
        if width is not None:
            assert_fits(text, width)
        # Never a number cut, nor a name where one has to know it, nor a reason or a command.
        words = [n for n in range(len(sheet.rows[0])) if n in sheet.texts and any(sheet.columns)]
        for row in sheet.rows:
            assert_whole(text, [cell for n, cell in enumerate(row) if n not in words and any(sheet.columns)])
            if any(sheet.columns):
                continue
            assert set(f"{row[0]} {row[1]}".split()) <= set(text.split())
        assert width is not None or not re.search("[│┃─━…]", text)

# Energies ------------------------------------------------------------------------------------------

def test_energies_are_power_times_time_over_what_happened():
    record = complete()
    assert record["energy_pj"] == pytest.approx({"step": 5000, "neuron_update": 25, "sop": 5, "spike": 2000,
        "inference": 50_000})
    # 4 of 10 mW are in macros, 3 of these in those of the weights.
    assert record["energy_logic_pj"]["sop"] == pytest.approx(3)
    assert record["energy_without_weights_pj"]["sop"] == pytest.approx(3.5)
    assert list(record["energy_pj"]) == list(ENERGIES)


def test_what_did_not_happen_has_no_energy():
    assert energies(10.0, {"clocks": 1000, "steps": 20, "spikes": 0}, 10.0) == {"step": 5000}
    assert "sop" not in complete("neuron")["energy_pj"] and "inference" not in complete("neuron")["energy_pj"]


def test_without_power_or_simulation_there_is_no_energy():
    assert not any(name.startswith("energy") for name in synthesised())


def test_the_time_between_steps_leaks():
    # A step of 50 clocks, half a us, in 100 us: 5000 pJ, and 2 mW for 99.5 us.
    assert complete()["real_time"] == pytest.approx({"step_us": 100, "busy": 0.005, "step_pj": 5000 + 2000*99.5})


def test_memory_of_the_weights_counted_or_not():
    core, spatial, neuron = complete(), complete("spatial"), complete("neuron")
    assert (area_of(core, True), area_of(core, False)) == (600_000, 350_000)
    assert (area_of(spatial, True), area_of(spatial, False)) == (700_000, 600_000)
    assert (area_of(neuron, True), area_of(neuron, False)) == (None, 600_000)
    assert (energy_of(core, "sop", True), energy_of(core, "sop", False)) == pytest.approx((5, 3.5))
    assert (energy_of(spatial, "sop", True), energy_of(spatial, "sop", False)) == pytest.approx((5.5, 5))
    assert (power_of(core, True), power_of(core, False)) == (10, 7)
    assert (power_of(spatial, True), power_of(spatial, False)) == (11, 10)
    assert (power_of(neuron, True), power_of(neuron, False)) == (None, 10)
    assert area_of({}, True) is None and energy_of({}, "sop", True) is None


def test_a_netlist_in_another_corner():
    record = complete()
    slow   = in_corner(record, "slow")
    assert (slow["slack_ns"], slow["power_mw"]["total"], slow["corner"]) == (3.5, 5.0, "slow")
    assert slow["energy_pj"]["sop"] == pytest.approx(2.5) and record["energy_pj"]["sop"] == pytest.approx(5)
    assert "power_mw" not in in_corner(synthesised(), "slow") and "slack_ns" not in in_corner(synthesised(), "slow")


def test_synapses_are_the_papers():
    sizes = complete("spatial")
    assert sizes["synapses"] == paper.QUOTED["synapses"] == 82_000
    assert complete()["synapses"] == 200*(512 + 10 + 400)
    assert "synapses" not in complete("neuron")

# Numbers -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("value, text", [(None, ABSENT), (12_345, "12,345"), (0.0, "0"), (1234.56, "1,235"),
    (0.00012345, "0.000123"), (9.5, "9.5"), (17.94, "17.9"), (-0.5, "-0.5"), (1e-9, "0.000000001"), (99.96, "100")])
def test_numbers(value, text):
    assert number(value) == text


def test_negative_slack_is_red():
    assert not isinstance(slack(0.0), Bad) and not isinstance(slack(None), Bad) and isinstance(slack(-0.001), Bad)
    sheet   = Sheet("title", ("a", "b"), [("slack", slack(-1.5))])
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard")
    sheet.show(console)
    assert "\x1b[31m-1.500\x1b[0m" in console.file.getvalue()
    assert "| slack | **-1.500** |" in sheet.markdown()

# Report --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("record", [synthesised(), synthesised("neuron"), complete(), complete("spatial"),
    complete("neuron"), complete(slack=-0.5)], ids=lambda record: f"{record['design']}{len(record)}")
def test_a_report_tells_what_was_computed_and_nothing_else(record, tmp_path):
    tables = {sheet.title.split(",")[0].split(" ")[0]: sheet for sheet in sheets(record)}
    shown  = "".join(text_of(sheet) for sheet in tables.values())
    assert all(len(row) == len(sheet.columns) for sheet in tables.values() for row in sheet.rows)
    assert ("Energy" in tables) == ("Power" in tables) == ("energy_pj" in record)
    assert ("Corners" in tables) == ("Critical" in tables) == ("timing" in record)
    assert "Layout" not in tables and "None" not in shown and "nan" not in shown
    write_report(list(tables.values()), [tmp_path/"area.png"], name_of(record), tmp_path/"report.md")
    written = (tmp_path/"report.md").read_text()
    assert written.startswith(f"# {name_of(record)}\n") and "![area](area.png)" in written
    assert all(f"## {sheet.title}" in written for sheet in tables.values())


def test_the_papers_figures_are_quoted_and_what_it_does_not_say_is_unknown():
    beside = next(sheet for sheet in sheets(complete()) if sheet.title.startswith("Beside"))
    assert row_of(beside, "synapses")[1:] == ("82,000", "184,400")
    assert row_of(beside, "area without")[1:] == ("1.86", "0.35")
    assert row_of(beside, "area with it")[1:] == (UNKNOWN, "0.6")
    assert row_of(beside, "energy a neuron update")[1:] == ("17.9 ?", "25")
    neuron = next(sheet for sheet in sheets(complete("neuron")) if sheet.title.startswith("Beside"))
    assert row_of(neuron, "area of a neuron")[1:] == ("900", "600,000")


def test_spikes_that_are_wrong_are_bad_news():
    record = complete()
    record["gatesim"]["mismatches"] = 3
    summary = next(iter(sheets(record)))
    assert isinstance(row_of(summary, "netlist's spikes")[1], Bad)


def test_a_layout_that_was_only_prepared_is_told_how_to_run():
    record = synthesised() | {"layout": {"command": "sh run.sh"}, "notes": ["all is ready"]}
    tables = list(sheets(record))
    assert "all is ready" in tables[0].notes
    layout = next(sheet for sheet in tables if sheet.title.startswith("Layouts that are ready"))
    assert layout.rows == [("core, N = 200", "sh run.sh")]


def test_a_report_that_cannot_be_written(tmp_path):
    (tmp_path/"file").touch()
    with pytest.raises(QCLIFError, match=r"cannot write to .*/file: "):
        write_report([], [], "title", tmp_path/"file"/"report.md")

# Comparison ----------------------------------------------------------------------------------------

def test_the_papers_row_stands_above_ours():
    without, counted = compare_sheets([complete("spatial"), complete(), complete("spatial", slack=-1.0)])
    assert [row[0] for row in without.rows] == ["paper", "spatial", "core, I = 512, P = 8", "spatial"]
    assert [row[0] for row in counted.rows] == ["spatial", "core, I = 512, P = 8", "spatial"]
    place = {name: number for number, name in enumerate(without.columns)}
    assert [row[place["mm2"]] for row in without.rows] == ["1.86", "0.6", "0.35", "0.6"]
    assert [row[place["mm2"]] for row in counted.rows] == ["0.7", "0.6", "0.7"]
    assert [row[place["mW"]] for row in without.rows] == [UNKNOWN, "10", "7", "10"]
    assert [row[place["mW"]] for row in counted.rows] == ["11", "10", "11"]
    assert isinstance(without.rows[3][place["slack, ns"]], Bad)
    # Nothing was routed.
    assert not any("routed" in name for name in without.columns)


def test_a_routed_design_has_its_columns():
    without, counted = compare_sheets([routed("spatial"), routed()])
    columns = ("routed, mm2", "routed slack, ns", "routed, mW", "routed, pJ/update")
    assert without.columns[-4:] == counted.columns[-4:] == columns
    # Latches for the weights are added to the spatial design; how much of the core's layout weights are is not known.
    assert [row[-4:] for row in without.rows] == [(ABSENT,)*4, ("0.9", "4.000", "12", "30"),
        (ABSENT, "4.000", ABSENT, ABSENT)]
    assert [row[-4:] for row in counted.rows] == [("1", "4.000", "13", "32.5"), ("0.9", "4.000", "12", "30")]


def test_what_was_routed_stands_beside_what_was_synthesised():
    record = routed("spatial")
    tables = {sheet.title.partition(" (")[0]: sheet for sheet in sheets(record)}
    beside, layout = tables["Beside the paper"], tables["Layout"]
    assert beside.columns == ("", "paper", "this run", "routed")
    assert row_of(beside, "area without")[1:] == ("1.86", "0.6", "0.9")
    assert row_of(beside, "slack at 100")[1:] == (UNKNOWN, "6.500", "4.000")
    assert row_of(beside, "power")[1:] == (UNKNOWN, "10", "12")
    assert row_of(beside, "energy a neuron update")[1:] == ("17.9 ?", "27.5", "32.5")
    assert row_of(layout, "area of cells")[1:] == ("600,000", "900,000")
    assert row_of(layout, "slack slow")[1:] == ("3.500", "1.000")
    assert row_of(layout, "energy a neuron update")[1:] == ("25", "30")
    assert row_of(layout, "DRC errors")[1:] == (ABSENT, "0")
    assert row_of(layout, "power at the activity that OpenROAD")[1:] == (ABSENT, "20")
    assert row_of(layout, "part of the core")[1:] == (ABSENT, "0.9")
    # What is not known of a layout has no row.
    assert not any(row[0].startswith("die") for row in layout.rows)
    record["layout"] |= {"drc_errors": 2, "gatesim": record["gatesim"] | {"mismatches": 1}}
    layout = next(sheet for sheet in sheets(record) if sheet.title == "Layout")
    assert all(isinstance(row_of(layout, name)[2], Bad) for name in ("DRC errors", "spikes that the golden"))

# Paths ---------------------------------------------------------------------------------------------

def test_a_path_is_told_in_the_designs_names():
    points = [("v_a[3]", "v_a[3]_reg/Q", 0.1), ("neuron", "_1_/ZN", 0.3), ("buffer_7", "buffer_7/Z", 0.4),
        ("neuron", "_2_/ZN", 0.6), ("product[1]", "_3_/S", 1.0), ("product[2]", "_4_/CO", 1.1),
        ("neuron", "_5_/Z", 1.3), ("adder", "_6_/Z", 1.5), ("v_s[0]", "v_s[0]_reg/D", 2.0)]
    assert path_stages(points, {"neuron", "adder"}) == [("v_a", 0.1), ("to product", pytest.approx(1.0)),
        ("neuron", pytest.approx(0.2)), ("to v_s", pytest.approx(0.7))]


def test_a_path_that_ends_without_a_name():
    assert path_stages([("in[0]", "in[0]", 2.0), ("sums", "_1_/Z", 2.5)], {"sums"}) == [("in", 2.0), ("sums", 0.5)]
    assert path_stages([("in[0]", "in[0]", 2.0), ("in[1]", "x", 2.25)], set()) == [("in", 2.25)]


def test_paths_of_any_neuron_have_the_same_stretches():
    stages = [("contexts", 2.0), ("to neuron0.apical.term26", 0.5), ("to neuron12.apical.sum3", 0.25),
        ("to neuron0.apical_total", 1.0), ("to neuron0.i_apical", 0.25), ("to neuron3.neuron.product", 2.0)]
    assert summarised(stages) == [("contexts", 2.0), ("to apical adders", 1.75), ("to i_apical", 0.25),
        ("to product", 2.0)]
    assert path_stages([], set()) == []

# Plots ---------------------------------------------------------------------------------------------

def test_bars_of_modules_and_paths(tmp_path):
    record = complete()
    figure = plots.modules(record, "title")
    assert [axes.get_xlabel() for axes in figure.axes] == ["area, um2", "power, mW"]
    assert [bar.get_width() for bar in figure.axes[0].patches] == [300_000, 300_000]
    many = record | {"modules": [{"text": f"m{n}", "area_um2": 20.0 - n} for n in range(plots.MODULES + 2)]}
    bars = [bar.get_width() for bar in plots.modules(many, "title").axes[0].patches]
    assert len(bars) == plots.MODULES + 1 and bars[-1] == 10 + 9
    axes = plots.paths({"typ": stages(), "slow": stages(2)}, "title", 10).axes[0]
    assert sum(bar.get_width() for bar in axes.patches) == pytest.approx(2.5 + 5.0)
    save(figure, tmp_path/"modules.png")
    with pytest.raises(QCLIFError, match="until sta"):
        plots.paths({"typ": []}, "title")


def test_a_figure_against_an_option():
    runs    = [{"lanes": lanes, "design": "core"} for lanes in (4, 8)] + [{"lanes": 8, "design": "spatial"}]
    records = [complete(), complete(slack=-1.0), complete("spatial")]
    figure  = plots.against(rows_of(runs, records), "lanes", "design", ("area_mm2", "slack_ns", "sop_pj"), "title")
    assert [axes.get_ylabel() for axes in figure.axes] == [QUANTITIES[name].text for name in ("area_mm2", "slack_ns",
        "sop_pj")]
    points = [line.get_xydata().tolist() for line in figure.axes[1].lines]
    assert points == [[[4, 6.5], [8, -1.0]], [[8, 6.5]]]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["core", "spatial"]


def test_words_are_places_on_an_axis():
    rows   = [{"corner": name, "area_mm2": value} for name, value in (("slow", 3.0), ("typ", 100.0), ("fast", 1.0))]
    axes   = plots.against(rows, "corner", None, ("area_mm2",), "title").axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["slow", "typ", "fast"]
    assert axes.lines[0].get_xydata().tolist() == [[0, 3], [1, 100], [2, 1]]
    assert axes.get_yscale() == "log"
    axes.figure.draw_without_rendering()
    assert {"1", "10", "100"} <= {label.get_text() for label in axes.get_yticklabels()}

# Sweeps --------------------------------------------------------------------------------------------

def test_lists_are_all_combinations(tmp_path):
    file = tmp_path/"mine.json"
    file.write_text(json.dumps([{"design": "core", "lanes": [4, 8], "weight_bits": [4, 8]}, {"frequency": 200}]))
    assert read_sweep(str(file)) == [*({"design": "core", "lanes": p, "weight-bits": w} for p in (4, 8)
        for w in (4, 8)), {"frequency": 200}]
    toml = tmp_path/"mine.toml"
    toml.write_text('[[runs]]\ndesign = ["neuron", "spatial"]\n')
    assert read_sweep(str(toml)) == [{"design": "neuron"}, {"design": "spatial"}]
    assert varied(read_sweep(str(file))) == ["design", "lanes", "weight-bits", "frequency"]
    assert arguments({"lanes": 4, "test-split": True, "download": False}) == ["--lanes=4", "--test-split"]


@pytest.mark.parametrize("text, words", [("[", "not JSON"), ("{}", "list of option dictionaries"), ("[]", "list of"),
    ("[1]", "list of"), ("[{}]", "list of"), ('[{"lanes": {"a": 1}}]', "run 1: lanes is"),
    ('[{"lanes": []}]', "lanes is"), ('[{"lanes": 8}, {"json": "x"}]', "run 2: json is for the whole sweep")])
def test_a_broken_sweep(tmp_path, text, words):
    (tmp_path/"broken.json").write_text(text)
    with pytest.raises(QCLIFError, match=words) as raised:
        read_sweep(str(tmp_path/"broken.json"))
    assert "broken.json" in str(raised.value) and "\n" not in str(raised.value)


def test_a_sweep_that_is_not_there():
    with pytest.raises(QCLIFError, match=r"No such file.*compare"):
        read_sweep("nowhere.json")


def test_layouts_beside_each_other():
    ready = synthesised() | {"layout": {"command": "sh run.sh"}}
    sheet, others, _, failed = study_sheets("layout", STUDIES["layout"], [{}]*5, [routed("neuron"),
        routed("spatial", neurons=10), routed(neurons=16), ready, {"error": "no macro"}])
    assert others.rows == [("core, N = 200", "sh run.sh")] and failed.rows == [("5", "no macro")]
    assert sheet.columns == ("", "neuron", "routed", "spatial, N = 10", "routed", "core, N = 16", "routed")
    assert row_of(sheet, "area of cells")[1:] == ("600,000", "900,000")*3
    assert row_of(sheet, "DRC errors")[1:] == (ABSENT, "0")*3
    assert not any(row[0].startswith("die") for row in sheet.rows)


@pytest.mark.parametrize("name", sorted(shipped().keys() - {"layout"}))
def test_shipped_sweeps_are_shown(name, tmp_path):
    runs    = read_sweep(name)
    records = [complete(run.get("design", "core"), **{key.replace("-", "_"): value for key, value in run.items()
        if key in ("neurons", "lanes", "inputs", "weight-bits", "state-bits", "current-bits")}) for run in runs]
    tables  = list(study_sheets(name, STUDIES[name], runs, records))
    assert all(len(row) == len(sheet.columns) for sheet in tables for row in sheet.rows)
    assert tables.pop().title == f"Netlists of {len(runs)} runs against the golden model"
    runs_in = tables[0] if name == "sram" else tables[-1]
    # Of supplies, the last one is the rule beside two corners, of three quantities.
    assert len(runs_in.rows) == len(runs)*{"corners": 3, "voltage": 6}.get(name, 1)
    figures = list(study_figures(STUDIES[name], runs, records))
    assert figures
    save(figures[0], tmp_path/"plot.png")


def test_macros_beside_each_other():
    """A row each, the smaller sizes first; figures that a macro does not have are absent."""
    record = complete()
    record["macro_figures"]["openram45_512x64"] = {"words": 512, "bits": 64, "area_um2": 65_536.0,
        "leakage_nw": 327_680.0, "access_pj": 6.4, "access_ns": 0.9, "min_period_ns": 1.2}
    record["macro_figures"]["openram45_64x32"] = {"words": 64, "bits": 32, "area_um2": 4096.0, "leakage_nw": 2048.0,
        "access_pj": 3.2}
    runs  = [{"sram": "openram", "frequency": 100}, {"sram": "openram", "frequency": 400}]
    table = list(study_sheets("sram", STUDIES["sram"], runs, [record, {"error": "no macros"}]))[1]
    assert [row[0] for row in table.rows] == ["openram45_64x32", "fakeram45_512x64", "openram45_512x64"]
    assert row_of(table, "openram45_512")[1:] == ("65,536", "2", "328", "10", "6.4", "100", "0.9", "1.2")
    assert row_of(table, "openram45_64")[-2:] == (ABSENT, ABSENT)
    assert any("placeholder" in note for note in table.notes)
    assert not any("placeholder" in note for note in macros_sheet(complete()["macro_figures"], "x").notes)


def test_accesses_of_srams_are_their_power_without_leakage():
    assert QUANTITIES["sram_dynamic_mw"].of(complete()) == 3.0
    assert QUANTITIES["sram_dynamic_mw"].of(complete("spatial")) is None


def test_throughput_of_an_area_is_that_of_the_runs_activity():
    """20 SOPs a clock, at a clock of 3.5 ns, of 0.6 mm2."""
    assert QUANTITIES["gsops_per_mm2"].of(complete()) == pytest.approx(20/3.5/0.6)
    assert QUANTITIES["gsops_per_mm2"].of(synthesised()) is None


def test_the_best_run_meets_its_clock():
    runs, study = [{"lanes": lanes} for lanes in (4, 8, 16)], STUDIES["lanes"]
    records = [complete(), complete(), complete(slack=-1.0)]
    records[1]["energy_pj"]["neuron_update"] = 20.0
    records[2]["energy_pj"]["neuron_update"] = 10.0
    table = next(iter(study_sheets("lanes", study, runs, records)))
    assert table.notes == ("Least energy a neuron update, pJ, of runs that meet their clock: 20, with lanes 8.",)


def test_wrong_netlists_of_a_sweep_are_named():
    """A table of figures must not hide that they are of something else than the golden model."""
    records = [complete(), {"error": "no such macro"}, complete(), synthesised()]
    records[2]["gatesim"] |= {"mismatches": 3, "state_mismatches": 0}
    *_, compared, _ = study_sheets("mine.json", study_of("mine.json", [{"lanes": 4}]*4), [{"lanes": 4}]*4, records)
    assert compared.rows == [("spikes", "100", "3"), ("states", "16,000", "0")]
    assert isinstance(compared.rows[0][2], Bad) and not isinstance(compared.rows[1][2], Bad)
    assert compared.title.startswith("Netlists of 2 runs") and compared.notes == ("Runs with mismatches: 3.",)


def test_a_run_that_failed_leaves_the_others():
    runs    = [{"lanes": 4, "frequency": 100}, {"lanes": 8, "frequency": 200}]
    records = [complete(), {"error": "no such macro"}]
    study   = study_of("mine.json", runs)
    assert (study.x, study.group) == ("lanes", "frequency")
    table, _, failed = study_sheets("mine.json", study, runs, records)
    assert len(table.rows) == 1 and failed.rows == [("2", "no such macro")]
    assert len(list(study_figures(study, runs, records))) == 1
    # Nothing at all worked: no plot, no table that could mislead.
    everything = list(study_sheets("compare", STUDIES["compare"], runs, [records[1]]*2))
    assert [len(sheet.rows) for sheet in everything] == [0, 2]
    assert not list(study_figures(STUDIES["compare"], runs, [records[1]]*2))
