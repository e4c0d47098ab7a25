# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A design at other supplies: the figures of its typical corner by the rule of targets.asic.scaling, and its error.

Memories are taken for logic, but for their leakage, which is that of bit cells: what they are made of is not known
(fakeram45 has a Liberty file of one corner, and no transistors), and whether they work at 0.8 V is not asked.
"""

from collections.abc import Iterator, Sequence

from targets.asic.platform.pdk import CORNERS
from targets.asic.report.record import Record, add_energies, at, in_corner
from targets.asic.report.sheet import ABSENT, Sheet, number, slack
from targets.asic.report.tables import name_of
from targets.asic.scaling.rule import NOMINAL_V, Factors, Rule

# Corners that the rule is checked in.
CHECKED = tuple(name for name in CORNERS if name != "typ")

# Power of logic that comes with its activity.
DYNAMIC = ("internal", "switching")


def at_supplies(record: Record, rule: Rule) -> list[Record]:
    """What is told of a timed netlist at each supply of the rule, from the lowest; none where it was not timed."""
    return [_at_supply(in_corner(record, "typ"), rule, voltage) for voltage in rule.voltages] \
        if "typ" in record.get("timing", {}) else []


def figures_at_supplies(record: Record, rule: Rule) -> list[Record]:
    """The figures alone of at_supplies(), as JSON takes them."""
    kinds = ("kept", "fastest", "cautious")
    return [_figures(seen) | {name: _figures(seen[name]) for name in kinds if name in seen}
        for seen in at_supplies(record, rule)]


def _figures(seen: Record) -> Record:
    names = ("voltage_v", "frequency_mhz", "slack_ns", "fmax_mhz", "power_mw", "energy_pj", "energy_logic_pj")
    return {name: seen[name] for name in names if name in seen}


def _at_supply(typical: Record, rule: Rule, voltage: float) -> Record:
    """At the clock that was asked for, if it is reached; "fastest": at the highest clock; "cautious": at the highest
    one by the corners; "kept": at the clock asked for, with memories at 1.1 V."""
    factors = rule.at(voltage)
    period  = 1000/typical["frequency_mhz"]
    least   = 1000/typical["fmax_mhz"]
    same    = {name: value for name, value in typical.items() if name not in ("power_mw", "slack_ns", "fmax_mhz")
        and not name.startswith("energy")}
    seen    = same | {"voltage_v": voltage, "fmax_mhz": typical["fmax_mhz"]/factors.delay,
        "slack_ns": _slack(typical["slack_ns"], period, least, factors.delay)}
    given   = {corner: typical["fmax_mhz"]/typical["timing"][corner]["fmax_mhz"] for corner in CHECKED
        if corner in typical["timing"]}
    clocks  = {"fastest": seen["fmax_mhz"]}
    if len(given) == len(CHECKED):
        clocks["cautious"] = typical["fmax_mhz"]/rule.corner_delay(voltage, given)
    for name, clock in clocks.items():
        seen[name] = same | {"frequency_mhz": clock}
    if "power_mw" in typical:
        power = typical["power_mw"]
        seen["power_mw"] = _power(power, factors, factors, 1.0)
        if seen["slack_ns"] >= 0:
            add_energies(seen)
            seen["kept"] = same | {"power_mw": _power(power, factors, rule.at(NOMINAL_V), 1.0)}
            add_energies(seen["kept"])
        for name, clock in clocks.items():
            seen[name]["power_mw"] = _power(power, factors, factors, clock/typical["frequency_mhz"])
            add_energies(seen[name])
    return seen


def _slack(slack_ns: float, period: float, least: float, delay: float) -> float:
    """Slack, ns, with delays `delay` times as long: it is linear in them for each path, and it is known where they are
    as they are, and 0 where the shortest period becomes the period. Where other paths are the slowest in between, this
    is less than it has."""
    return slack_ns*(period - least*delay)/(period - least) if period != least else least*(1 - delay)


def _power(power: Record, logic: Factors, memories: Factors, faster: float) -> Record:
    """Power, mW, with factors for logic and memories, at a clock that is `faster` times as fast."""
    parts = {"leakage": power["leakage"]*logic.leakage, **{name: power[name]*logic.energy*faster for name in DYNAMIC},
        "sram_leakage": power["sram_leakage"]*memories.bit_leakage}
    parts["sram"]    = parts["sram_leakage"] + (power["sram"] - power["sram_leakage"])*memories.energy*faster
    parts["standby"] = parts["leakage"] + parts["sram_leakage"]
    parts["total"]   = parts["leakage"] + parts["sram"] + sum(parts[name] for name in DYNAMIC)
    return parts

# Tables --------------------------------------------------------------------------------------------

def voltage_sheets(records: Sequence[Record], rule: Rule) -> Iterator[Sheet]:
    """A table of supplies for each design, and the rule beside the flow's own corners."""
    yield from (_supplies(record, found) for record in records if (found := at_supplies(record, rule)))
    rows = [row for record in records for row in _checked(record, rule)]
    yield Sheet("The rule beside Liberty's corners: factors from the typical corner to another one", ("design",
        "corner", "of", "rule", "flow", "error"), rows, (
        "The rule's own simulations with the process and temperature of the corner. Leakage and energy are those of "
        "logic: memories have one corner, whose delays are in the flow's highest clock.",), texts=(0, 1, 2))


def _supplies(record: Record, found: Sequence[Record]) -> Sheet:
    clock  = f"{number(record['frequency_mhz'])} MHz"
    update = ("energy_pj", "neuron_update")
    logic  = ("energy_logic_pj", "neuron_update")
    shown  = {
        "V":                  lambda seen: f"{seen['voltage_v']:.2f}",
        "slack, ns":          lambda seen: slack(seen["slack_ns"]),
        "highest, MHz":       lambda seen: number(seen["fmax_mhz"]),
        "by corners, MHz":    lambda seen: number(at("cautious", "frequency_mhz")(seen)),
        "leakage, mW":        lambda seen: number(at("power_mw", "leakage")(seen)),
        "SRAM's, mW":         lambda seen: number(at("power_mw", "sram_leakage")(seen) or None),
        "step, pJ":           lambda seen: number(at("energy_pj", "step")(seen)),
        "update, pJ":         lambda seen: number(at(*update)(seen)),
        "logic's":            lambda seen: number(at(*logic)(seen)),
        f"SRAM at {NOMINAL_V} V": _kept,
        "fastest, pJ":        lambda seen: number(at("fastest", *update)(seen)),
        "logic's, fastest":   lambda seen: number(at("fastest", *logic)(seen)),
    }
    if record["design"] == "neuron":
        # Of one neuron, a step is an update.
        del shown["step, pJ"]
    return Sheet(f"Supply, {name_of(record)}, at {clock} and at the highest clock", tuple(shown),
        [tuple(of(seen) for of in shown.values()) for seen in found], (*_best(found, clock),
        f"Energies at {clock} of a step, of a neuron update, of the logic alone, and with the SRAM's supply kept at "
        f"{NOMINAL_V} V; fastest: of a neuron update at the highest clock.",
        "By corners: the highest clock if all that the rule is off in a corner were the supply's doing.")
        ).without_empty()


def _kept(seen: Record) -> str:
    has_sram = at("power_mw", "sram")(seen)
    return number(at("kept", "energy_pj", "neuron_update")(seen)) if has_sram else ABSENT


def _best(found: Sequence[Record], clock: str) -> Iterator[str]:
    """Where the energy of a neuron update is least, and where its product with the time that it takes."""
    for what, kind, by_time in (
            (f"at {clock}",                                   (),             False),
            ("at the highest clock",                          ("fastest",),   False),
            ("times delay at the highest clock",              ("fastest",),   True),
            ("times delay at the highest clock, by corners",  ("cautious",),  True)):
        energy, mhz = at(*kind, "energy_pj", "neuron_update"), at(*kind, "frequency_mhz")
        known = [seen for seen in found if energy(seen) is not None]
        if known:
            best   = min(known, key=lambda seen: energy(seen)/(mhz(seen) if by_time else 1.0))
            lowest = ", the lowest that was simulated" if best is found[0] else ""
            yield f"Least energy {what}: {best['voltage_v']:.2f} V{lowest}, {number(mhz(best))} MHz, " \
                f"{number(energy(best))} pJ an update."


def _checked(record: Record, rule: Rule) -> Iterator[tuple[str, ...]]:
    timing, powers = record.get("timing", {}), record.get("powers_mw", {})
    for corner in CHECKED:
        ours  = rule.simulated(corner)
        pairs = []
        if {corner, "typ"} <= timing.keys():
            pairs.append(("delay", ours.delay, timing["typ"]["fmax_mhz"]/timing[corner]["fmax_mhz"]))
        if {corner, "typ"} <= powers.keys():
            leakage, dynamic = ([sum(powers[name][part] for part in parts) for name in (corner, "typ")]
                for parts in (("leakage",), DYNAMIC))
            pairs += [("leakage", ours.leakage, leakage[0]/leakage[1]), ("energy", ours.energy, dynamic[0]/dynamic[1])]
        yield from ((record["design"], f"{corner}, {CORNERS[corner]}", what, number(rules), number(flows),
            error(rules, flows)) for what, rules, flows in pairs)


def error(ours: float, theirs: float) -> str:
    """How far a figure is from another, as text."""
    return f"{100*(ours/theirs - 1):+.0f} %"
