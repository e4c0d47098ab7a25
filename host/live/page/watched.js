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
    this.wished = [];
    this.strips = [];
  }

  /** Show the neurons of a frame. Returns whether they are others than before. */
  take(neurons) {
    if (neurons.join() === this.shown.join()) return false;
    this.shown = neurons;
    // The newest wish stands last, whatever order frames have.
    this.wished = [...this.wished.filter((each) => neurons.includes(each)),
      ...neurons.filter((each) => !this.wished.includes(each))];
    this.strips.forEach((strip) => strip.close());
    this.page.traces.replaceChildren();
    this.strips = neurons.map((neuron) => this.trace(neuron));
    this.page.marks.replaceChildren(...neurons.map((neuron) => this.mark(neuron)));
    return true;
  }

  trace(neuron) {
    const box = document.createElement("article");
    box.className = "trace";
    box.innerHTML = `<header><h3>Neuron ${neuron}</h3><p>V<sub>a</sub><b class="v-a"></b> V<sub>s</sub><b
      class="v-s"></b> threshold<b>${this.facts.thresholds[neuron]}</b></p><button type="button" data-acts
      aria-label="Stop watching neuron ${neuron}">\u2715</button></header><div class="strip"><canvas role="img"
      aria-label="V_a, V_s and spikes of neuron ${neuron}"></canvas></div>`;
    box.querySelector("button").addEventListener("click", () => this.toggle(neuron));
    this.page.traces.append(box);
    return new Strip(box.querySelector("canvas"), this.history, this.facts.bin_us, () => HEIGHT,
      tracePainter(this.facts, neuron));
  }

  mark(neuron) {
    const item = document.createElement("li");
    item.textContent = neuron;
    item.style.top = `${(neuron + 0.5) / this.facts.neurons * neuronsHeight(this.facts)}px`;
    return item;
  }

  /** Watch a neuron, in the place of the oldest where there are enough; or no longer, where it is watched. */
  toggle(neuron) {
    const others = this.wished.filter((each) => each !== neuron);
    this.wished = this.wished.includes(neuron) ? others : [...others.slice(1 - MOST), neuron];
    this.ask(this.wished);
  }

  draw() {
    this.strips.forEach((strip) => strip.draw());
  }

  redraw() {
    this.strips.forEach((strip) => strip.redraw());
  }

  write() {
    const last = this.history.at(this.history.end - 1);
    [...this.page.traces.children].forEach((box, index) => {
      const neuron = this.shown[index];
      const values = last?.states[neuron];
      [".v-a", ".v-s"].forEach((name, which) => setText(box.querySelector(name), String(values?.[which] ?? "")));
    });
  }
}
