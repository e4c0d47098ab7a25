// This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

// What is now: event picture, logits, answer, and the shares of answers before and since the cue changed.

import { cueName, expected } from "./model.js";
import { colours } from "./strip.js";

// Milliseconds that an answer stands before a screen reader is told.
const SPOKEN_AFTER = 600;

// So few classes have higher rows.
const FEW = 4;

// Share of the bars' length that stays from frame to frame when logits become smaller.
const SHRINK = 0.985;

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setLabel(element, text) {
  if (element.getAttribute("aria-label") !== text) element.setAttribute("aria-label", text);
}

export const percent = (share) => `${Math.round(100 * share)} %`;

/** Red, green and blue of a colour #rrggbb. */
const parts = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

/** ON and OFF events of a frame; each covers half of what is left of the ground. */
export class Picture {
  constructor(canvas, [width, height]) {
    canvas.width = width;
    canvas.height = height;
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.image = this.context.createImageData(width, height);
    this.recolour();
  }

  recolour() {
    const { on, off, field } = colours();
    const ground = parts(field);
    this.palette = new Uint32Array(256);
    for (let value = -128; value < 128; value++) {
      const ink = parts(value > 0 ? on : off);
      const cover = value ? 1 - 0.45 * 0.5 ** (Math.abs(value) - 1) : 0;
      const [r, g, b] = ground.map((each, index) => Math.round(each + (ink[index] - each) * cover));
      this.palette[value & 255] = 0xff000000 | b << 16 | g << 8 | r;
    }
    if (this.shown) this.draw(this.shown);
  }

  draw(picture) {
    this.shown = picture;
    const pixels = new Uint32Array(this.image.data.buffer);
    for (let n = 0; n < pixels.length; n++) pixels[n] = this.palette[picture[n] & 255];
    this.context.putImageData(this.image, 0, 0);
  }
}

/** Rows of the classes. */
export class Logits {
  constructor(body, names) {
    document.body.classList.toggle("few", names.length <= FEW);
    this.scale = 1;
    this.rows = names.map((name) => {
      const row = document.createElement("tr");
      row.innerHTML = `<th scope="row"></th><td><span class="bar"><span></span></span></td><td class="logit"></td>
        <td class="share before"></td><td class="share since"></td>`;
      const header = row.querySelector("th");
      header.textContent = header.title = name;
      return row;
    });
    body.replaceChildren(...this.rows);
    this.bars = this.rows.map((row) => row.querySelector(".bar span"));
    this.values = this.rows.map((row) => row.querySelector(".logit"));
  }

  draw(logits, answer) {
    this.scale = Math.max(1, this.scale * SHRINK, ...logits.map(Math.abs));
    logits.forEach((value, index) => {
      this.bars[index].style.transform = `scaleX(${value / this.scale})`;
    });
    this.rows.forEach((row, index) => row.classList.toggle("answered", index === answer));
  }

  write(logits) {
    logits.forEach((value, index) => setText(this.values[index], String(value)));
  }

  writeShares(shares) {
    this.rows.forEach((row, index) => {
      for (const when of ["before", "since"]) {
        setText(row.querySelector(`.${when}`), percent(shares[when].counts[index] / Math.max(1, shares[when].steps)));
      }
    });
  }
}

/** How often each answer was given, before and since the cue changed. */
export class Shares {
  constructor(classes) {
    this.classes = classes;
    this.before = this.empty();
    this.since = this.empty();
  }

  empty() {
    return { steps: 0, counts: new Array(this.classes).fill(0), cue: null };
  }

  add(record) {
    if (record.changed) {
      this.before = this.since;
      this.since = this.empty();
    }
    this.since.cue = record.cue;
    if (record.answer < 0) return;
    this.since.steps += 1;
    this.since.counts[record.answer] += 1;
  }

  /** Whether there is something to compare. */
  get both() {
    return this.before.steps > 0;
  }
}

/** The answer: large at once, to screen readers when it stands. */
export class Answer {
  constructor(page, facts) {
    Object.assign(this, { page, facts });
    // Letters of the longest name, which is as wide as the window allows.
    page.answer.style.setProperty("--letters", Math.max(10, ...facts.classes.map((each) => each.length)));
  }

  /** Returns whether it is another than before: then numbers beside it must not be old. */
  draw(frame) {
    const { page, facts } = this;
    const name = facts.classes[frame.answer] ?? "No readout";
    const changed = name !== this.name;
    if (changed) {
      this.name = name;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => setText(page.spoken, name), SPOKEN_AFTER);
    }
    setText(page.answer, name);
    page["confidence-meter"].firstElementChild.style.transform = `scaleX(${frame.confidence})`;
    // A source that tells sometimes keeps the line's place.
    page["label-line"].hidden &&= !frame.label;
    page["label-line"].classList.toggle("empty", !frame.label);
    setText(page.label, frame.label);
    page["cue-line"].hidden = frame.cue < 0;
    setText(page["cue-shown"], cueName(facts, frame.cue));
    const right = expected(facts, frame.label, frame.cue);
    page.agrees.hidden = right === null;
    setText(page.agrees, right === name ? "\u2713 the answer agrees" : "\u2717 the answer differs");
    page.agrees.classList.toggle("same", right === name);
    return changed;
  }

  write(frame) {
    setText(this.page.confidence, percent(frame.confidence));
    this.page["confidence-meter"].setAttribute("aria-valuenow", Math.round(100 * frame.confidence));
  }
}
