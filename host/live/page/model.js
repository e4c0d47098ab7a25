// This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

// What the server sends: decoded, and the steps of the last seconds.

const HEAD = 4;

/** A frame of a binary message: an object as host/live/feed.py tells, its picture as Int8Array. */
export function decodeFrame(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const frame = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, HEAD, length)));
  frame.picture = new Int8Array(buffer, HEAD + length);
  return frame;
}

/** Index of the first maximum, -1 of none. */
export function firstMaximum(values) {
  let best = -1;
  values.forEach((value, index) => {
    if (best < 0 || value > values[best]) best = index;
  });
  return best;
}

/** Lead of the greatest value over the second, as a share of what lies between the greatest and the least. */
export function lead(values) {
  if (values.length < 2) return 0;
  const ordered = [...values].sort((a, b) => b - a);
  const spread = ordered[0] - ordered.at(-1);
  return spread ? (ordered[0] - ordered[1]) / spread : 0;
}

/** Name of a cue, a context source or -1. */
export const cueName = (facts, cue) => (cue < 0 ? "off" : facts.cues[cue]);

/** What the answer should be, as far as the source tells: the class that it shows; of the two classes no and yes,
    whether it shows what the cue names; null where it does not tell. */
export function expected(facts, label, cue) {
  if (facts.classes.includes(label)) return label;
  if (facts.classes.join() !== "no,yes" || cue < 0 || !label) return null;
  return label === facts.cues[cue] ? "yes" : "no";
}

/** The last steps of a run by their number; null stands for a step that this viewer did not get. */
export class History {
  constructor(facts, limit) {
    this.facts = facts;
    this.limit = limit;
    this.clear();
  }

  clear() {
    this.begin = 0;
    this.steps = [];
    this.cue = null;
  }

  /** Number of the step that comes next. */
  get end() {
    return this.begin + this.steps.length;
  }

  at(number) {
    return this.steps[number - this.begin];
  }

  /** Take the steps of a frame. Returns whether the run began anew. */
  add(frame) {
    const count = frame.inputs.length;
    let anew = false;
    if (this.steps.length && frame.first < this.end && count) {
      // The newest frame is sent again to whom comes back.
      if (frame.first + count === this.end) return false;
      this.clear();
      anew = true;
    }
    if (!count) return anew;
    if (!this.steps.length) this.begin = frame.first;
    const missing = frame.first - this.end;
    if (missing > this.limit) {
      this.steps = new Array(this.limit).fill(null);
      this.begin = frame.first - this.limit;
    } else {
      for (let n = 0; n < missing; n++) this.steps.push(null);
    }
    for (let n = 0; n < count; n++) this.steps.push(this.record(frame, n));
    if (this.steps.length > 2 * this.limit) {
      const gone = this.steps.length - this.limit;
      this.steps.splice(0, gone);
      this.begin += gone;
    }
    return anew;
  }

  record(frame, n) {
    const logits = frame.logits[n] ?? [];
    const changed = this.cue !== null && frame.cue !== this.cue;
    this.cue = frame.cue;
    const states = {};
    for (const [neuron, values] of Object.entries(frame.states)) states[neuron] = values[n];
    return {
      inputs: frame.inputs[n], spikes: frame.spikes[n], states, cue: frame.cue, changed, answer: firstMaximum(logits),
      lead: lead(logits), expected: expected(this.facts, frame.label, frame.cue),
    };
  }
}
