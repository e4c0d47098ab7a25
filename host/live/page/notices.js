// This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

// How the run stands, in words: the status, a red line for what is wrong, and a quiet one for what is to be known.

import { setText } from "./now.js";

// Milliseconds that a notice stands while the run goes on; what says why it does not stays.
const NOTICE_MS = 8000;

const STATUS = {
  running: "Running", paused: "Paused", ended: "The source has ended", lost: "The device does not answer",
  mismatch: "Mismatch", failed: "Ended with an error", disconnected: "Connection lost", connecting: "Connecting",
};

// In these, a difference that was found before is still to be seen.
const OVER = ["ended", "failed", "lost"];

export class Notices {
  constructor(page) {
    this.page = page;
    this.last = "";
    this.timer = 0;
  }

  /** What a frame says. */
  take({ status, paused, notice, recording, machine }) {
    this.status(status, [paused && status !== "paused" && "paused", recording && `recording to ${recording}`]);
    const differs = status === "mismatch" || (OVER.includes(status) && machine.mismatches > 0);
    document.body.classList.toggle("differs", differs);
    this.alert(differs ? `Mismatch: ${status === "mismatch" && notice
      || `${machine.mismatches} of ${machine.compared} steps differ from the golden model's`}` : "");
    // Frames repeat their notice; it is news once.
    if (notice === this.last) return;
    this.last = notice;
    if (notice && status !== "mismatch") this.say(notice);
    else if (!this.timer) this.page.notice.hidden = true;
  }

  status(status, more = []) {
    document.body.dataset.status = status;
    setText(this.page.status, [STATUS[status], ...more.filter(Boolean)].join(", "));
  }

  alert(text) {
    this.page.alert.hidden = !text;
    setText(this.page.alert, text);
  }

  say(text) {
    this.page.notice.hidden = false;
    setText(this.page.notice, text);
    clearTimeout(this.timer);
    this.timer = OVER.includes(document.body.dataset.status) ? 0 : setTimeout(() => {
      this.timer = 0;
      this.page.notice.hidden = true;
    }, NOTICE_MS);
  }

  /** The line is down; the next try follows in so many milliseconds. */
  lost(why, wait) {
    this.status("disconnected");
    this.last = "";
    const what = why ? `The program refuses: ${why}.` : "Connection lost: is the program still running?";
    this.alert(`${what} The next try follows in ${wait < 1000 ? "a moment" : `${wait / 1000} s`}.`);
  }
}
