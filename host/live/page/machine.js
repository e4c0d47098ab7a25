// This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

// How the machine fares, as names and values.

import { setText } from "./now.js";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

function bytes(count) {
  if (count < 1e4) return `${whole.format(count)} B`;
  const [unit, size] = count < 1e6 ? ["kB", 1e3] : count < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  return `${(count / size).toFixed(count / size < 10 ? 2 : count / size < 100 ? 1 : 0)} ${unit}`;
}

const milliseconds = (time) => (time < 1e4 ? `${time.toFixed(0)} ms` : `${(time / 1e3).toFixed(1)} s`);

// Key; name; text; whether it is bad news. `m` is the frame's machine, `f` the facts, `p` the page's own numbers.
const ROWS = [
  ["steps", "Steps", (m) => whole.format(m.steps)],
  ["speed", "Steps a second", (m) => m.steps_per_second.toFixed(1)],
  ["real-time", "Real time", (m, f) => `\u00d7 ${(m.steps_per_second * f.bin_us / 1e6).toFixed(2)}`],
  ["lag", "Lag behind the source", (m) => milliseconds(m.lag_ms)],
  ["clocks", "Clocks a step", (m) => m.clocks_per_step.toFixed(0)],
  ["bound", "Their bound", (m) => (m.bound_per_step
    ? `${m.bound_per_step.toFixed(0)} \u00d7 ${(m.clocks_per_step / m.bound_per_step).toFixed(3)}` : "\u2013")],
  ["compared", "Compared with the model", (m, f) => (f.compare ? whole.format(m.compared) : "no")],
  ["mismatches", "Mismatches", (m) => whole.format(m.mismatches), (m) => m.mismatches],
  ["out", "Link, out", (m) => bytes(m.bytes_out)],
  ["in", "Link, in", (m) => bytes(m.bytes_in)],
  ["retries", "Retries", (m) => whole.format(m.retries)],
  ["errors", "CRC errors", (m) => whole.format(m.crc_errors)],
  ["resets", "Device began anew", (m) => whole.format(m.resets), (m) => m.resets],
  ["dropped-steps", "Dropped steps", (m) => whole.format(m.dropped_steps), (m) => m.dropped_steps],
  ["dropped-events", "Dropped events", (m) => whole.format(m.dropped_events), (m) => m.dropped_events],
  ["late-events", "Late events", (m) => whole.format(m.late_events), (m) => m.late_events],
  ["pictures", "Pictures a second here", (m, f, p) => p.rate.toFixed(0)],
  ["missed", "Pictures missed here", (m, f, p) => whole.format(p.missed), (m, f, p) => p.missed],
];

// Rows that begin a group: what was compared, the line, what got lost, and this page.
const FIRST = ["compared", "out", "dropped-steps", "pictures"];

export class Machine {
  constructor(list) {
    this.values = ROWS.map(([key, name]) => {
      const term = document.createElement("dt");
      const value = document.createElement("dd");
      term.textContent = name;
      value.id = `machine-${key}`;
      for (const each of [term, value]) each.classList.toggle("first", FIRST.includes(key));
      list.append(term, value);
      return value;
    });
  }

  write(machine, facts, page) {
    ROWS.forEach(([, , text, bad], index) => {
      setText(this.values[index], text(machine, facts, page));
      this.values[index].classList.toggle("bad", Boolean(bad?.(machine, facts, page)));
    });
  }
}
