// This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

// Buttons and keys.

import { setText } from "./now.js";

// Elements that a key is meant for.
const FIELDS = "input, textarea, select";
const PRESSED_BY_SPACE = "button, summary, input";

function key(text) {
  const element = document.createElement("kbd");
  element.ariaHidden = true;
  element.textContent = text;
  return element;
}

export class Controls {
  /** `ask(command, value)` sends; `act.save()` and `act.watch(neuron)` are the page's own. */
  constructor(page, ask, act) {
    Object.assign(this, { page, ask, act });
    this.paused = false;
    this.recording = false;
    this.allowed = false;
    this.contexts = 0;
    page.pause.addEventListener("click", () => ask(this.paused ? "resume" : "pause"));
    page.step.addEventListener("click", () => ask("step"));
    page.reset.addEventListener("click", () => ask("reset"));
    page.record.addEventListener("click", () => ask("record", !this.recording));
    page.save.addEventListener("click", () => act.save());
    page.watch.addEventListener("submit", (event) => {
      event.preventDefault();
      act.watch(page.neuron.valueAsNumber);
      page.neuron.value = "";
    });
    document.addEventListener("keydown", (event) => this.key(event));
    // A button that was clicked does not keep the space bar for itself; one that was reached by keys does.
    document.addEventListener("click", (event) => event.detail && event.target.closest?.("button")?.blur());
  }

  key(event) {
    const { page } = this;
    const target = event.target;
    if (!page["keys-act"].checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (target.matches?.(FIELDS) && target !== page["keys-act"]) return;
    if (event.key === " " && target.closest?.(PRESSED_BY_SPACE)) return;
    const buttons = { " ": page.pause, n: page.step, x: page.reset, r: page.record, s: page.save,
      o: page.cues.firstElementChild };
    const key = event.key.toLowerCase();
    if (key === "w") page.neuron.focus();
    else if (key === "?") page.keys.open = !page.keys.open;
    else if (/^[0-9]$/.test(key)) page.cues.children[Number(key) + 1]?.click();
    else if (buttons[key]) buttons[key].click();
    else return;
    event.preventDefault();
  }

  /** Buttons of a run's cues. */
  facts({ contexts, neurons, cues }) {
    const { page } = this;
    this.contexts = contexts;
    page.neuron.max = neurons - 1;
    page.cue.hidden = page["cue-keys"].hidden = page["cue-legend"].hidden = !contexts;
    page.neuron.placeholder = `0\u2013${neurons - 1}`;
    page.cues.replaceChildren(...Array.from({ length: contexts ? contexts + 1 : 0 }, (_, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.acts = "";
      const name = index ? cues[index - 1] : "off";
      button.textContent = name;
      button.setAttribute("aria-label", `Cue ${name}`);
      if (index <= 10) button.setAttribute("aria-keyshortcuts", index ? String(index - 1) : "o");
      // The key that stands for it, where its name does not tell.
      if (index && index <= 10 && name !== String(index - 1)) button.append(" ", key(index - 1));
      button.addEventListener("click", () => this.ask("cue", index - 1));
      return button;
    }));
    this.shown = null;
  }

  /** Whether commands are taken, and whether that is for want of a token or of a connection. */
  may(allowed, connected) {
    this.allowed = allowed;
    this.page.rights.hidden = allowed || !connected;
    document.body.classList.toggle("looks", !allowed);
    this.enable();
  }

  take({ paused, cue, recording }) {
    const { page } = this;
    const changed = paused !== this.paused;
    this.paused = paused;
    this.recording = Boolean(recording);
    setText(page.pause.firstElementChild, paused ? "Resume" : "Pause");
    page.record.setAttribute("aria-pressed", this.recording);
    if (cue !== this.shown) {
      this.shown = cue;
      [...page.cues.children].forEach((button, index) => button.setAttribute("aria-pressed", index - 1 === cue));
    }
    if (changed) this.enable();
  }

  enable() {
    for (const element of document.querySelectorAll("[data-acts]")) element.disabled = !this.allowed;
    if (!this.paused) this.page.step.disabled = true;
  }
}
