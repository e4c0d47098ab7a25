// This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

// States of the neurons that are watched: a strip each, and how they are chosen.

import { setText } from "./now.js";
import { neuronsHeight, tracePainter } from "./painters.js";
import { Strip } from "./strip.js";

const MOST = 4;
const HEIGHT = 64;

export class Watched {
  /** `ask(neurons)` wishes others; what is shown is what frames have. */
  constructor(page, facts, history, ask) {
    Object.assign(this, { page, facts, history, ask });
    this.shown = [];
    // Those that were chosen last stand last.
    this.order = [];
    this.traces = new Map();
  }

  get strips() {
    return [...this.traces.values()].map((trace) => trace.strip);
  }

  /** Show the neurons of a frame. Returns whether they are others than before. */
  take(neurons) {
    if (neurons.join() === this.shown.join()) return false;
    this.shown = neurons;
    for (const [neuron, { box, strip }] of this.traces) {
      if (neurons.includes(neuron)) continue;
      // Whoever goes through the page by keys is not thrown back to its beginning.
      if (box.contains(document.activeElement)) this.page.neuron.focus();
      strip.close();
      box.remove();
      this.traces.delete(neuron);
    }
    neurons.forEach((neuron, index) => {
      if (!this.traces.has(neuron)) this.trace(neuron, this.page.traces.children[index] ?? null);
    });
    this.page.marks.replaceChildren(...neurons.map((neuron) => this.mark(neuron)));
    return true;
  }

  trace(neuron, next) {
    const box = document.createElement("article");
    box.className = "trace";
    box.innerHTML = `<header><h3>Neuron ${neuron}</h3><p>V<sub>a</sub><b class="v-a"></b> V<sub>s</sub><b
      class="v-s"></b> threshold<b>${this.facts.thresholds[neuron]}</b></p><button type="button" data-acts
      aria-label="Stop watching neuron ${neuron}">\u2715</button></header><div class="strip"><canvas role="img"
      aria-label="V_a, V_s and spikes of neuron ${neuron}"></canvas></div>`;
    box.querySelector("button").addEventListener("click", () => this.toggle(neuron));
    this.page.traces.insertBefore(box, next);
    this.traces.set(neuron, { box, strip: new Strip(box.querySelector("canvas"), this.history, this.facts.bin_us,
      () => HEIGHT, tracePainter(this.facts, neuron)) });
  }

  mark(neuron) {
    const item = document.createElement("li");
    item.textContent = neuron;
    item.style.top = `${(neuron + 0.5) / this.facts.neurons * neuronsHeight(this.facts)}px`;
    return item;
  }

  /** Watch a neuron, in the place of the oldest where there are enough; or no longer, where it is watched. */
  toggle(neuron) {
    const known = this.order.filter((each) => this.shown.includes(each));
    const others = [...this.shown.filter((each) => !known.includes(each)), ...known].filter((each) => each !== neuron);
    this.order = [...others, neuron];
    this.ask(this.shown.includes(neuron) ? others : [...others.slice(1 - MOST), neuron]);
  }

  draw() {
    this.strips.forEach((strip) => strip.draw());
  }

  redraw() {
    this.strips.forEach((strip) => strip.redraw());
  }

  write() {
    const last = this.history.at(this.history.end - 1);
    for (const [neuron, { box }] of this.traces) {
      const values = last?.states[neuron];
      [".v-a", ".v-s"].forEach((name, which) => {
        setText(box.querySelector(name), values?.[which] >= 0 ? String(values[which]) : "\u2013");
      });
    }
  }
}
