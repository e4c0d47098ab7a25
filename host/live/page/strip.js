// This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

// A canvas whose time runs from right to left: each step is drawn once, then only moved.

// Seconds that a strip shows, or about that many: a step is whole pixels wide, or a pixel whole steps.
const SECONDS = 5;
const NARROW_SECONDS = 3;
const NARROW = 600;

/** Colours of the page's style. */
export function colours() {
  const style = getComputedStyle(document.body);
  const names = ["ink", "quiet", "accent", "on", "off", "mark", "context", "told", "va", "vs", "threshold", "grid",
    "gap", "paper", "card", "field", "line"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** How wide a step is in a strip of a width. */
export class Pace {
  constructor(binUs, width) {
    this.binUs = binUs;
    const pixels = width / ((width < NARROW ? NARROW_SECONDS : SECONDS) * 1e6 / binUs);
    this.pixels = pixels >= 1 ? Math.round(pixels) : 1;
    this.steps = pixels >= 1 ? 1 : Math.max(1, Math.round(1 / pixels));
    this.window = Math.ceil(width / this.pixels) * this.steps;
  }

  /** First pixel of a step, counted from that of step 0. */
  column(step) {
    return Math.floor(step / this.steps) * this.pixels;
  }

  get seconds() {
    return this.window * this.binUs / 1e6;
  }

  /** Whether a whole second of the run begins with a step. */
  beginsSecond(step) {
    return Math.floor(step * this.binUs / 1e6) !== Math.floor((step - 1) * this.binUs / 1e6);
  }
}

/** Steps that a viewer can show at most, of all widths. */
export function mostSteps(binUs) {
  return Math.max(64, Math.ceil(2 * SECONDS * 1e6 / binUs));
}

export class Strip {
  /** `paint(context, marks, size)` draws steps: marks are {x, column, record, before}: x is where a step begins, column
      the same counted from step 0, before the record of the step before or null. size has the width of a step, the
      height of the strip, and the colours. `height()` is in pixels. */
  constructor(canvas, history, binUs, height, paint) {
    Object.assign(this, { canvas, history, binUs, height, paint });
    this.context = canvas.getContext("2d");
    this.observer = new ResizeObserver(() => this.layout());
    this.observer.observe(canvas.parentElement);
    this.layout();
  }

  close() {
    this.observer.disconnect();
  }

  /** Take the size of the page, and draw everything. */
  layout() {
    const width = Math.max(1, Math.floor(this.canvas.parentElement.clientWidth));
    const height = Math.max(1, Math.round(this.height()));
    const scale = devicePixelRatio >= 1.5 ? 2 : 1;
    if (this.width !== width || this.rows !== height || this.scale !== scale) {
      Object.assign(this, { width, rows: height, scale, pace: new Pace(this.binUs, width) });
      this.canvas.width = width * scale;
      this.canvas.height = height * scale;
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    this.redraw();
  }

  redraw() {
    this.colours = colours();
    this.drawn = null;
    this.draw();
  }

  /** Move what is there, add the steps that came. */
  draw() {
    const { context, history, pace, scale } = this;
    const end = history.end ? pace.column(history.end - 1) + pace.pixels : 0;
    const begin = Math.max(history.begin, history.end - pace.window);
    const shift = this.drawn === null ? this.width : end - this.at;
    let from = this.drawn;
    context.setTransform(1, 0, 0, 1, 0, 0);
    if (shift >= this.width || shift < 0 || from < begin) {
      context.clearRect(0, 0, this.canvas.width, this.canvas.height);
      from = begin;
    } else if (shift) {
      context.globalCompositeOperation = "copy";
      context.drawImage(this.canvas, -shift * scale, 0);
      context.globalCompositeOperation = "source-over";
    }
    this.at = end;
    this.drawn = history.end;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    const marks = [];
    for (let step = from; step < history.end; step++) {
      const x = this.width - (end - pace.column(step));
      const record = history.at(step);
      if (record === null) {
        context.fillStyle = this.colours.gap;
        context.fillRect(x, 0, pace.pixels, this.rows);
        continue;
      }
      if (pace.beginsSecond(step)) {
        context.fillStyle = this.colours.grid;
        context.fillRect(x, 0, 1, this.rows);
      }
      marks.push({ x, column: pace.column(step), record, before: step > history.begin ? history.at(step - 1) : null });
    }
    if (marks.length) this.paint(context, marks, { step: pace.pixels, height: this.rows, colours: this.colours });
  }
}
