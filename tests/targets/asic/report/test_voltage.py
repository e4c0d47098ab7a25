# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A design at other supplies: clock, slack, leakage and energies by the rule; tables, and the plot."""

import json
import math

import pytest

from targets.asic.report.record import QUANTITIES
from targets.asic.report.sheet import ABSENT
from targets.asic.report.studies import STUDIES, in_corners, json_rows, study_figures, study_sheets
from targets.asic.report.voltage import at_supplies
from targets.asic.scaling.rule import BIT_CELL, Point, Rule
from tests.helpers.asic_records import complete, synthesised
from tests.helpers.terminals import WIDTHS, assert_fits, assert_whole, shown

ARC, CELL = "INV_X1, A to ZN", "INV_X1"


def point(voltage, delay, energy, leakage, bit, process="nom", temperature=25.0):
    """One arc, one cell, and the bit cell where it has one."""
    return Point(process, voltage, temperature, {ARC: (delay, 3*delay)}, {ARC: energy},
        {CELL: leakage} | ({BIT_CELL: bit} if bit else {}))


# At 0.8 V twice as slow, half the energy, a quarter of the leakage, a third of that of bit cells.
RULE = Rule({"ngspice": "ngspice-1"}, 4.0,
    [point(0.8, 20.0, 5.0, 2.5, 3.0), point(1.1, 10.0, 10.0, 10.0, 9.0), point(1.2, 8.0, 12.0, 20.0, 18.0)],
    {"typ": point(1.1, 10.0, 10.0, 10.0, 9.0), "slow": point(0.95, 20.0, 7.0, 10.0, 9.0, "ss", 125.0),
        "fast": point(1.25, 8.0, 13.0, 40.0, 36.0, "ff", 0.0)},
    {"typ": point(1.1, 11.0, 10.0, 8.0, None), "slow": point(0.95, 44.0, 7.0, 8.0, None),
        "fast": point(1.25, 5.5, 13.0, 40.0, None)})


def seen(record, voltage):
    """The record at a supply."""
    return next(each for each in at_supplies(record, RULE) if each["voltage_v"] == voltage)


def test_nothing_changes_at_the_supply_of_the_typical_corner():
    record = complete()
    same   = seen(record, 1.1)
    assert same["fmax_mhz"] == pytest.approx(record["fmax_mhz"]) and same["slack_ns"] == pytest.approx(6.5)
    assert same["energy_pj"] == pytest.approx(record["energy_pj"])
    assert same["energy_logic_pj"] == pytest.approx(record["energy_logic_pj"])
    assert same["power_mw"] == pytest.approx(record["power_mw"])
    assert same["kept"]["energy_pj"] == pytest.approx(record["energy_pj"])


def test_power_and_energy_at_a_lower_supply():
    """10 mW: 1 leaks in logic and 1 in SRAM, 5 and 3 are their activity."""
    low = seen(complete(), 0.8)
    assert low["power_mw"] == pytest.approx({"leakage": 0.25, "internal": 1.5, "switching": 1.0, "sram": 1/3 + 1.5,
        "sram_leakage": 1/3, "standby": 0.25 + 1/3, "total": 0.25 + 2.5 + 1/3 + 1.5})
    # 1000 clocks of 10 ns for 4000 updates.
    assert QUANTITIES["neuron_update_pj"].of(low) == pytest.approx((0.25 + 2.5 + 1/3 + 1.5)*10_000/4000)
    # The SRAM with its 4 mW at 1.1 V.
    assert low["kept"]["energy_pj"]["neuron_update"] == pytest.approx((0.25 + 2.5 + 4)*10_000/4000)


def test_at_the_highest_clock_what_leaks_leaks_for_less_time():
    low   = seen(complete(), 0.8)
    clock = 1000/3.5/2
    assert low["fmax_mhz"] == pytest.approx(clock)
    leaks, active = 0.25 + 1/3, 2.5 + 1.5
    assert QUANTITIES["fastest_update_pj"].of(low) == pytest.approx(active*10_000/4000 + leaks*1e6/clock/4000)


def test_slack_is_exact_of_one_path_and_less_than_that_of_several():
    # A path between registers of 3.5 ns.
    assert seen(complete(), 0.8)["slack_ns"] == pytest.approx(10 - 2*3.5)
    # At 10 ns a path to an output is the slowest, 0.5 ns of 8; at the shortest period one between registers, 4 ns.
    record = complete()
    record["timing"]["typ"] |= {"slack_ns": min(8 - 2.5, 10 - 4), "fmax_mhz": 250.0}
    low    = seen(record, 0.8)["slack_ns"]
    assert 0 < low <= min(8 - 2*2.5, 10 - 2*4)
    # A clock that is just met.
    record["timing"]["typ"] |= {"slack_ns": 0.0, "fmax_mhz": 100.0}
    assert seen(record, 0.8)["slack_ns"] == pytest.approx(-10)


def test_a_clock_that_is_not_reached_has_no_energy_but_a_highest_clock():
    low = seen(complete(slack=4.0), 0.8)
    assert low["slack_ns"] == pytest.approx(-2) and low["fmax_mhz"] == pytest.approx(1000/12)
    assert QUANTITIES["neuron_update_pj"].of(low) is None and "kept" not in low
    assert QUANTITIES["fastest_update_pj"].of(low) > 0 and QUANTITIES["leakage_mw"].of(low) > 0


def test_the_corners_say_what_the_clock_may_be_at_worst():
    """The design's shortest period of 3.5 ns is 6.5 in the slow corner, where the rule's own simulation doubles."""
    low   = seen(complete(), 0.8)
    power = math.log(6.5/3.5)/math.log(2.0)
    clock = 1000/3.5/2.0**power
    assert low["cautious"]["frequency_mhz"] == pytest.approx(clock) and clock > low["fmax_mhz"]
    assert low["cautious"]["energy_pj"]["neuron_update"] == pytest.approx((4 + (0.25 + 1/3)*100/clock)*10_000/4000)
    record = complete()
    del record["timing"]["slow"]
    assert "cautious" not in seen(record, 0.8)


def test_the_typical_corner_is_what_is_scaled():
    """Whatever corner the run has been asked for."""
    record = complete() | {"corner": "slow", "slack_ns": 3.5, "fmax_mhz": 1000/6.5}
    record["power_mw"] = record["powers_mw"]["slow"]
    assert seen(record, 1.1)["fmax_mhz"] == pytest.approx(1000/3.5)
    assert seen(record, 1.1)["power_mw"]["total"] == pytest.approx(10)


def test_what_was_not_timed_has_no_supplies():
    assert at_supplies(synthesised(), RULE) == [] and at_supplies({"error": "no macro"}, RULE) == []


@pytest.fixture
def tables(monkeypatch):
    """All tables of three designs and one that failed."""
    monkeypatch.setattr(Rule, "load", classmethod(lambda cls: RULE))
    records = [complete(), complete("spatial", neurons=10), complete("neuron", slack=4.0), {"error": "no macro"}]
    records[2]["powers_mw"]["typ"] |= {"leakage": 2.0, "sram_leakage": 0.0}
    runs    = [{"design": name} for name in ("core", "spatial", "neuron", "failed")]
    return list(study_sheets("voltage", STUDIES["voltage"], runs, records))


def test_table_of_a_design(tables):
    core, _, neuron, *_, failed = tables
    assert core.title.startswith("Supply, core: ") and failed.rows == [("4", "no macro")]
    low = dict(zip(core.columns, core.rows[0], strict=True))
    assert (low["V"], low["slack, ns"], low["highest, MHz"]) == ("0.80", "3.000", "143")
    assert (low["leakage, mW"], low["SRAM's, mW"], low["update, pJ"]) == ("0.25", "0.333", "11.5")
    assert (low["step, pJ"], low["logic's"], low["SRAM at 1.1 V"]) == ("2,292", "6.88", "16.9")
    assert core.notes[0].startswith("Least energy at 100 MHz: 0.80 V, the lowest that was simulated, 100 MHz, 11.5 pJ")
    # 11 pJ in 7 ns, 21.8 in 3.5, 26.8 in 2.8.
    assert core.notes[2] == "Least energy times delay at the highest clock: 1.20 V, 357 MHz, 26.8 pJ an update."
    # The neuron has no SRAM, and at 0.8 V not its clock; then 1.1 V is best.
    assert not {"SRAM's, mW", "SRAM at 1.1 V", "step, pJ"} & set(neuron.columns)
    low = dict(zip(neuron.columns, neuron.rows[0], strict=True))
    assert low["slack, ns"] == "-2.000" and low["update, pJ"] == ABSENT and low["fastest, pJ"] != ABSENT
    assert neuron.notes[0] == "Least energy at 100 MHz: 1.10 V, 100 MHz, 27.5 pJ an update."


def test_table_of_the_error(tables):
    rows = {row[:3]: row[3:] for row in tables[3].rows if row[0] == "core"}
    assert rows["core", "slow, 0.95 V, 125 C", "delay"] == ("2", "1.86", "+8 %")
    # The flow's power of the slow corner is half.
    assert rows["core", "slow, 0.95 V, 125 C", "leakage"] == ("1", "0.5", "+100 %")
    assert rows["core", "fast, 1.25 V, 0 C", "energy"] == ("1.3", "2", "-35 %")


def test_json_has_all_supplies(monkeypatch):
    monkeypatch.setattr(Rule, "load", classmethod(lambda cls: RULE))
    row, failed = json_rows(STUDIES["voltage"], [{"design": "core"}, {}], [complete(), {"error": "no macro"}])
    assert row["options"] == {"design": "core"} and row["power_mw"] == complete()["power_mw"]
    assert [each["voltage_v"] for each in row["supplies"]] == [0.8, 1.1, 1.2]
    assert row["supplies"][0]["fastest"]["frequency_mhz"] == row["supplies"][0]["fmax_mhz"]
    assert row["supplies"][0]["energy_pj"] == seen(complete(), 0.8)["energy_pj"]
    assert failed["supplies"] == [] and json.dumps(row["supplies"])
    plain, = json_rows(STUDIES["corners"], [{}], [complete()])
    assert plain == {"options": {}, **complete()}


@pytest.mark.parametrize("width", WIDTHS)
def test_tables_fit(tables, width):
    for sheet in tables[:4]:
        text = shown(sheet.show, width)
        if width is not None:
            assert_fits(text, width)
        numbers = [n for n in range(len(sheet.columns)) if n not in sheet.texts]
        for row in sheet.rows:
            assert_whole(text, [row[n] for n in numbers])


def test_plot_has_a_line_a_design(monkeypatch):
    monkeypatch.setattr(Rule, "load", classmethod(lambda cls: RULE))
    runs, records = [{"design": "core"}, {"design": "neuron"}], [complete(), complete("neuron", slack=4.0)]
    shown_runs, found = in_corners(STUDIES["voltage"], runs, records)
    assert len(shown_runs) == len(found) == 6
    figure, = study_figures(STUDIES["voltage"], runs, records)
    clock, _, energy, fastest = figure.axes
    assert clock.get_xlabel() == "supply, V"
    assert [list(line.get_xdata()) for line in clock.lines] == [[0.8, 1.1, 1.2]]*2
    # At 0.8 V the neuron does not reach its clock.
    assert [list(line.get_xdata()) for line in energy.lines] == [[0.8, 1.1, 1.2], [1.1, 1.2]]
    assert [len(line.get_xdata()) for line in fastest.lines] == [3, 3]
