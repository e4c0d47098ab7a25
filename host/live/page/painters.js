// This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

// What each strip draws of a step.

import { cueName } from "./model.js";

// Pixels that a spike covers at least, so that it is seen.
const DOT = 2;

// Pixels of a context source, and of all of them at most.
const CONTEXT_ROW = 3;
const CONTEXT_MOST = 30;

const contextHeight = (facts) => (facts.contexts ? Math.min(CONTEXT_ROW * facts.contexts, CONTEXT_MOST) + 4 : 0);

/** Pixels of a raster with so many rows: whole ones where they fit. */
function rasterHeight(rows, most) {
  return rows > most ? most : rows * Math.max(1, Math.floor(most / rows));
}

export function inputsHeight(facts) {
  return rasterHeight(facts.inputs, 128) + contextHeight(facts);
}

export function neuronsHeight(facts) {
  return rasterHeight(facts.neurons, 240);
}

/** Sensory sources, and below them those of the context. */
export function inputsPainter(facts) {
  return (context, marks, { step, height, colours }) => {
    const below = contextHeight(facts);
    const sensory = height - below;
    const width = Math.max(step, DOT);
    for (const { x, record } of marks) {
      context.fillStyle = colours.mark;
      const left = x + step - width;
      for (const source of record.inputs) {
        if (source < facts.inputs) {
          context.fillRect(left, Math.floor(source * sensory / facts.inputs), width, 1);
        }
      }
      context.fillStyle = colours.context;
      for (const source of record.inputs) {
        if (source >= facts.inputs) {
          const row = (source - facts.inputs) * (below - 4) / facts.contexts;
          context.fillRect(left, sensory + 4 + row, width, DOT);
        }
      }
    }
  };
}

export function neuronsPainter(facts) {
  return (context, marks, { step, height, colours }) => {
    const width = Math.max(step, DOT);
    const row = Math.max(DOT, Math.floor(height / facts.neurons) - 1);
    context.fillStyle = colours.mark;
    for (const { x, record } of marks) {
      for (const neuron of record.spikes) {
        context.fillRect(x + step - width, Math.floor(neuron * height / facts.neurons), width, row);
      }
    }
  };
}

/** A lane for each class: the answer, the stronger the surer; the right one; where the cue changed. */
export function lanesPainter(facts) {
  const names = facts.classes;
  return (context, marks, { step, height, colours }) => {
    const lane = height / names.length;
    for (const { x, record } of marks) {
      const shown = names.indexOf(record.expected);
      if (shown >= 0) {
        context.fillStyle = colours.told;
        context.fillRect(x, Math.round((shown + 1) * lane) - 3, step, 2);
      }
      if (record.answer >= 0) {
        context.globalAlpha = 0.25 + 0.75 * record.lead;
        context.fillStyle = colours.accent;
        context.fillRect(x, Math.round(record.answer * lane) + 3, step, Math.max(2, Math.round(lane) - 8));
        context.globalAlpha = 1;
      }
      if (record.changed) markCue(context, x, `cue ${cueName(facts, record.cue)}`, height, colours);
    }
  };
}

function markCue(context, x, text, height, colours) {
  context.font = `600 11px ${getComputedStyle(document.body).fontFamily}`;
  context.textAlign = "right";
  context.textBaseline = "top";
  const width = context.measureText(text).width;
  context.fillStyle = colours.context;
  context.fillRect(x - 1, 0, 2, height);
  context.fillRect(x - width - 9, 0, width + 8, 15);
  context.fillStyle = colours.card;
  context.fillText(text, x - 5, 2);
}

/** V_a, V_s and spikes of a neuron; its threshold is dashed. */
export function tracePainter(facts, neuron) {
  const name = String(neuron);
  return (context, marks, { step, height, colours }) => {
    const y = (value) => 7.5 + (1 - value / facts.state_max) * (height - 9);
    context.fillStyle = colours.threshold;
    for (const { x, column } of marks) {
      for (let n = 0; n < step; n++) {
        if ((column + n) % 8 < 5) context.fillRect(x + n, y(facts.thresholds[neuron]) - 0.5, 1, 1);
      }
    }
    context.lineWidth = 1.5;
    context.lineJoin = "round";
    ["va", "vs"].forEach((colour, which) => {
      context.strokeStyle = colours[colour];
      context.beginPath();
      let at = null;
      for (const { x, record, before } of marks) {
        // Below 0 stands for what nobody told: the line goes on from the last that is known.
        if (before === null) at = null;
        else if (before.states[name]?.[which] >= 0) at = { x: x - step / 2, y: y(before.states[name][which]) };
        if (!(record.states[name]?.[which] >= 0)) continue;
        const now = { x: x + step / 2, y: y(record.states[name][which]) };
        context.moveTo(at?.x ?? x - step / 2, at?.y ?? now.y);
        context.lineTo(now.x, now.y);
        at = now;
      }
      context.stroke();
    });
    context.fillStyle = colours.mark;
    for (const { x, record } of marks) {
      if (record.spikes.includes(neuron)) context.fillRect(x + step - Math.max(step, DOT), 0, Math.max(step, DOT), 6);
    }
  };
}
