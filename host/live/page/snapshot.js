// This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

// The page as a picture, made here in the browser.

import { colours } from "./strip.js";

const WIDTH = 1440;
const EDGE = 32;
const LEFT = 340;
const LINE = 26;

function text(context, value, x, y, { size = 16, weight = 400, colour, align = "left" }) {
  context.font = `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
  context.fillStyle = colour;
  context.textAlign = align;
  context.textBaseline = "alphabetic";
  context.fillText(value, x, y);
}

/** Names of the lanes, on them. */
function laneNames(context, names, left, top, height, { card, quiet }) {
  const lane = height / names.length;
  names.forEach((name, index) => {
    context.font = `11px ${getComputedStyle(document.body).fontFamily}`;
    context.fillStyle = card;
    context.fillRect(left, top + index * lane + 2, context.measureText(name).width + 8, lane - 4);
    text(context, name, left + 4, top + (index + 0.5) * lane + 4, { size: 11, colour: quiet });
  });
}

/** What the colours of a trace stand for, from the right. */
function traceLegend(context, right, y, { va, vs, threshold }) {
  for (const [name, colour] of [["threshold", threshold], ["V_s", vs], ["V_a", va]]) {
    text(context, name, right, y, { size: 14, colour, align: "right" });
    right -= context.measureText(name).width + 16;
  }
}

/** Draw what the page shows: `page` elements, `facts` of the run, and its newest frame. */
export function compose(page, facts, frame) {
  const strips = [...document.querySelectorAll(".strip canvas")].filter((each) => each.clientHeight).map((each) => ({
    canvas: each, name: each.getAttribute("aria-label").split(":")[0], height: each.clientHeight }));
  const canvas = document.createElement("canvas");
  const below = strips.reduce((sum, strip) => sum + strip.height + LINE + 10, 0);
  canvas.width = WIDTH;
  canvas.height = 2 * EDGE + 130 + below;
  const context = canvas.getContext("2d");
  const palette = colours();
  const { paper, card, ink, quiet, accent } = palette;
  context.fillStyle = paper;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false;

  text(context, page.answer.textContent, EDGE, EDGE + 50, { size: 56, weight: 700, colour: ink });
  text(context, `${page.confidence.textContent} confidence${frame.label ? `; the source shows ${frame.label}` : ""}`,
    EDGE, EDGE + 88, { size: 18, colour: quiet });
  text(context, `${facts.source} \u2192 ${facts.network} on ${facts.device}; step ${frame.machine.steps}`,
    WIDTH - EDGE, EDGE + 88, { size: 18, colour: quiet, align: "right" });

  const side = LEFT - EDGE;
  const ratio = page.picture.height / page.picture.width;
  context.drawImage(page.picture, EDGE, EDGE + 130, side, side * ratio);
  let y = EDGE + 130 + side * ratio + 2 * LINE;
  for (const row of page.classes.children) {
    const chosen = row.classList.contains("answered");
    const style = { size: 15, weight: chosen ? 700 : 400, colour: chosen ? accent : ink };
    text(context, row.querySelector("th").textContent, EDGE, y, style);
    text(context, row.querySelector(".logit").textContent, LEFT, y, { ...style, align: "right" });
    y += 22;
  }

  const left = LEFT + EDGE;
  y = EDGE + 130;
  for (const strip of strips) {
    text(context, strip.name, left, y + 15, { colour: ink, weight: 600 });
    y += LINE;
    context.fillStyle = card;
    context.fillRect(left, y, WIDTH - EDGE - left, strip.height);
    context.drawImage(strip.canvas, left, y, WIDTH - EDGE - left, strip.height);
    if (strip.canvas === page.lanes) laneNames(context, facts.classes, left, y, strip.height, palette);
    if (strip.canvas.closest(".trace")) traceLegend(context, WIDTH - EDGE, y - LINE + 15, palette);
    y += strip.height + 10;
  }
  return canvas;
}

/** Give it to the user as a file. */
export function save(page, facts, frame) {
  compose(page, facts, frame).toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `qclif-${String(frame.machine.steps).padStart(6, "0")}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}
