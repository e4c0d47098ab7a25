// This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

// Brings it together: what comes over the line goes into the history, and from there onto the page.

import { Connection } from "./connection.js";
import { Controls } from "./controls.js";
import { Machine } from "./machine.js";
import { cueName, History } from "./model.js";
import { Notices } from "./notices.js";
import { Answer, Logits, Picture, setLabel, setText, Shares } from "./now.js";
import { inputsHeight, inputsPainter, lanesPainter, neuronsHeight, neuronsPainter } from "./painters.js";
import { save } from "./snapshot.js";
import { mostSteps, Strip } from "./strip.js";
import { Watched } from "./watched.js";

// Milliseconds between two changes of numbers, which are to be read; pictures, bars and the answer change at once.
const NUMBERS_MS = 200;

// The same of strips, for people whom movement makes ill.
const CALM_MS = 1000;

const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((element) => [element.id, element]));
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const notices = new Notices(page);
const machine = new Machine(page.machine);

let facts = null;
let history = null;
let view = null;
let frame = null;
// Of the last frame that had steps.
let logits = [];
let picture = null;
const counted = { rate: 0, missed: 0, times: [] };

// The line ---------------------------------------------------------------------------------------

const connection = new Connection({
  hello(told) {
    const same = facts && JSON.stringify(told) === JSON.stringify(facts);
    facts = told;
    setText(page.source, facts.source);
    setText(page.device, facts.device);
    setText(page.network, facts.network);
    if (!same) {
      history = new History(facts, mostSteps(facts.bin_us));
      controls.facts(facts);
      build();
    }
    notices.alert("");
  },
  rights(allowed) {
    controls.may(allowed, true);
  },
  notice: (text) => notices.say(text),
  dropped(frames) {
    counted.missed += frames;
  },
  frame: take,
  lost(why, wait) {
    controls.may(false, false);
    notices.lost(why, wait);
  },
});

const controls = new Controls(page, (command, value) => connection.ask(command, value), {
  save: () => frame && save(page, facts, frame),
  watch: (neuron) => view?.watched.toggle(neuron),
});

page.neurons.addEventListener("click", (event) => {
  if (controls.allowed && view) {
    view.watched.toggle(Math.floor(event.offsetY / page.neurons.clientHeight * facts.neurons));
  }
});

// What is shown ----------------------------------------------------------------------------------

/** Everything of a run that depends on its facts. */
function build() {
  const names = facts.classes;
  view?.strips.forEach((strip) => strip.close());
  view?.watched.strips.forEach((strip) => strip.close());
  page.traces.replaceChildren();
  page.marks.replaceChildren();
  document.body.classList.toggle("no-readout", !names.length);
  const rows = () => page.classes.clientHeight;
  view = {
    picture: new Picture(page.picture, facts.picture_size),
    logits: new Logits(page.classes, names),
    shares: new Shares(names.length),
    answer: new Answer(page, facts),
    watched: new Watched(page, facts, history, (neurons) => connection.ask("watch", neurons)),
  };
  view.strips = [
    new Strip(page.inputs, history, facts.bin_us, () => inputsHeight(facts), inputsPainter(facts)),
    new Strip(page.lanes, history, facts.bin_us, rows, lanesPainter(facts)),
    new Strip(page.neurons, history, facts.bin_us, () => neuronsHeight(facts), neuronsPainter(facts)),
  ];
  page["lane-names"].replaceChildren(...names.map((name) => {
    const item = document.createElement("li");
    item.append(document.createElement("span"));
    item.firstChild.textContent = name;
    item.style.height = `${100 / names.length}%`;
    return item;
  }));
}

function take(next) {
  frame = next;
  const count = frame.inputs.length;
  if (count) {
    logits = frame.logits.at(-1);
    picture = frame.picture;
  }
  let from = history.end;
  if (history.add(frame)) {
    // Another run.
    view.shares = new Shares(facts.classes.length);
    from = 0;
  }
  for (let step = Math.max(from, history.end - count); step < history.end; step++) view.shares.add(history.at(step));
  notices.take(frame);
  controls.take(frame);
  if (view.watched.take(frame.watch)) controls.enable();
  draw();
  write();
}

/** `work` at the next picture of the screen, or as soon as `pause()` milliseconds are over since it was done last. */
function paced(pause, work) {
  let asked = false;
  let done = 0;
  return () => {
    if (asked || !view) return;
    asked = true;
    const wait = done + pause() - performance.now();
    const go = () => requestAnimationFrame(() => {
      asked = false;
      done = performance.now();
      work();
    });
    if (wait > 0) setTimeout(go, wait);
    else go();
  };
}

const scroll = paced(() => (calm.matches ? CALM_MS : 0), () => {
  view.strips.forEach((strip) => strip.draw());
  view.watched.draw();
});

const drawNow = paced(() => 0, () => {
  const now = performance.now();
  counted.times.push(now);
  while (counted.times[0] < now - 1000) counted.times.shift();
  counted.rate = counted.times.length;
  if (picture) view.picture.draw(picture);
  view.logits.draw(logits, frame.answer);
  if (view.answer.draw(frame)) writeAnswer();
});

function writeAnswer() {
  view.logits.write(logits);
  view.answer.write(frame);
}

function draw() {
  scroll();
  drawNow();
}

const write = paced(() => NUMBERS_MS, () => {
  const last = history.at(history.end - 1);
  const seconds = `${view.strips[0].pace.seconds.toFixed(1)} s`;
  writeAnswer();
  machine.write(frame.machine, facts, counted);
  view.watched.write();
  const { shares } = view;
  page.table.classList.toggle("changed", shares.both);
  page.shares.hidden = page["shares-help"].hidden = !shares.both;
  if (shares.both) {
    setText(page["share-before"], cueName(facts, shares.before.cue));
    setText(page["share-since"], cueName(facts, shares.since.cue));
    view.logits.writeShares(shares);
  }
  setText(page["inputs-now"], last ? `${last.inputs.length} of ${facts.inputs + facts.contexts} in this step` : "");
  setText(page["neurons-now"], last ? `${last.spikes.length} of ${facts.neurons} fire` : "");
  setText(page["axis-begin"], `${seconds} ago`);
  setLabel(page.inputs, `Raster of the inputs: ${facts.inputs} in the last ${seconds}`);
  setLabel(page.neurons, `Raster of the neurons: ${facts.neurons} in the last ${seconds}`);
  setLabel(page.lanes, `Answer over time: the last ${seconds}, now ${page.answer.textContent}`);
  setLabel(page.picture, `Event picture: ${facts.picture_size.join(" times ")} pixels`);
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
new MutationObserver(recolour).observe(document.body, { attributeFilter: ["class"] });

function recolour() {
  view?.picture.recolour();
  view?.strips.forEach((strip) => strip.redraw());
  view?.watched.redraw();
}
