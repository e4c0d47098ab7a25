// This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

// The websocket: comes back by itself, tells what it is told.

import { decodeFrame } from "./model.js";

// Milliseconds until the next try, the last for all further ones.
const WAITS = [300, 1000, 2000, 5000];

/** The line to the server. `heard` has a function for each: hello(facts), rights(allowed), notice(text),
    dropped(frames), frame(frame), lost(why, milliseconds). */
export class Connection {
  constructor(heard) {
    this.heard = heard;
    this.tries = 0;
    this.token = location.hash.slice(1);
    addEventListener("hashchange", () => {
      this.token = location.hash.slice(1);
      this.send({});
    });
    this.open();
  }

  open() {
    this.socket = new WebSocket(`ws://${location.host}/live`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = ({ data }) => this.hear(data);
    this.socket.onclose = ({ reason }) => {
      const wait = WAITS[Math.min(this.tries++, WAITS.length - 1)];
      this.heard.lost(reason, wait);
      setTimeout(() => this.open(), wait);
    };
  }

  hear(data) {
    if (data instanceof ArrayBuffer) {
      this.heard.frame(decodeFrame(data));
      return;
    }
    const message = JSON.parse(data);
    switch (message.kind) {
      case "hello":
        this.tries = 0;
        this.heard.hello(message.facts);
        // Without a command: is it the right token?
        this.send({});
        break;
      case "rights": this.heard.rights(message.commands); break;
      case "notice": this.heard.notice(message.text); break;
      case "dropped": this.heard.dropped(message.frames); break;
    }
  }

  ask(command, value = null) {
    this.send({ command, value });
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ token: this.token, ...message }));
  }
}
