// Brings the bytes of a recording to the kernel: in pieces, each with its place; sent again until the kernel has them.
const CHUNK = 1 << 20;
const WINDOW = 4 * CHUNK; // bytes under way at once
const PATIENCE = [500, 20000]; // milliseconds without an answer, at least and at most; between them, what answers take here
const SILENCE = 6000; // milliseconds until people are told

// Bytes that grow at the end, without copying those that are there.
class Growing {
  parts = [];
  size = 0;

  append(blob) {
    if (blob.size) this.parts.push({ at: this.size, blob });
    this.size += blob.size;
  }

  slice(from, to) {
    let i = this.parts.findLastIndex((part) => part.at <= from);
    const found = [];
    for (; i >= 0 && i < this.parts.length && this.parts[i].at < to; i++) {
      const { at, blob } = this.parts[i];
      found.push(blob.slice(Math.max(0, from - at), to - at));
    }
    return new Blob(found);
  }

  // The same object as long as nothing is added.
  whole(type) {
    if (this.made?.size !== this.size) this.made = new Blob(this.parts.map((part) => part.blob), { type });
    return this.made;
  }
}

class Upload {
  constructor(send, { blob, type = blob?.type ?? "", name = "" } = {}, changed = () => {}) {
    Object.assign(this, { send, type, name, changed });
    this.id = freshId();
    this.bytes = new Growing();
    if (blob) this.bytes.append(blob);
    this.acked = this.sent = this.hashed = this.asked = this.failures = 0;
    this.under = new Map(); // the places of pieces under way, and when they were sent
    this.holes = []; // what is to be sent again: [from, to]
    this.sha = new Sha256();
    this.ended = this.endSent = this.whole = this.closed = false;
    this.refused = null;
    this.heard = Date.now();
    this.takes = 750; // milliseconds that an answer takes
    this.waits = 0; // how often in a row there was none
    this.ask();
    this.timer = setInterval(() => this.look(), 250);
  }

  get size() { return this.bytes.size; }
  get blob() { return this.bytes.whole(this.type); }
  get silent() { return !this.whole && this.behind && Date.now() - this.heard > SILENCE; }
  get behind() { return this.ended || this.acked < this.size; }
  get patience() { return Math.min(Math.max(4 * this.takes, PATIENCE[0]) * 1.6 ** this.waits, PATIENCE[1]); }

  append(blob) {
    if (!this.behind) this.heard = Date.now();
    this.bytes.append(blob);
    this.pump();
  }

  end(seconds = null) {
    this.seconds = seconds;
    this.ended = true;
    this.heard = Date.now();
    this.pump();
  }

  // Go on by another way, to a kernel that has nothing of it yet.
  move(send, changed) {
    Object.assign(this, { send, changed, heard: Date.now(), waits: 0, failures: 0, refused: null });
    this.ask();
  }

  close() {
    this.closed = true;
    clearInterval(this.timer);
  }

  post(message, buffers) {
    try {
      this.send({ ...message, id: this.id }, buffers);
    } catch {
      // The connection is gone; `look` asks again.
    }
  }

  // Ask what has arrived; the answer says where to go on.
  ask() {
    this.post({ kind: "begin", type: this.type, name: this.name, asked: ++this.asked });
  }

  look() {
    if (this.closed || this.whole) return this.close();
    if (this.behind && Date.now() - Math.max(this.heard, this.tried ?? 0) > this.patience) {
      this.tried = Date.now();
      this.waits++;
      this.ask();
    }
    this.changed();
  }

  async pump() {
    if (this.pumping) return;
    this.pumping = true;
    try {
      while (!this.closed) {
        const hole = this.holes.shift();
        if (!hole && (this.sent >= this.size || this.sent - this.acked >= WINDOW)) break;
        const at = hole ? hole[0] : this.sent;
        const to = hole ? Math.min(hole[1], at + CHUNK) : at + CHUNK;
        const bytes = new Uint8Array(await this.bytes.slice(at, to).arrayBuffer());
        if (!hole && at !== this.sent) continue; // the kernel asked for an earlier place meanwhile
        if (hole && to < hole[1]) this.holes.unshift([to, hole[1]]);
        this.dispatch(at, bytes, Boolean(hole));
      }
      if (this.ended && !this.endSent && this.sent === this.size) {
        this.endSent = true;
        this.digest ??= this.sha.hex();
        this.post({ kind: "end", size: this.size, sha256: this.digest, seconds: this.seconds, asked: this.asked });
      }
    } catch (error) {
      this.refused = { text: `The file cannot be read: ${error.message}`, hint: "Choose it again." };
    } finally {
      this.pumping = false;
    }
  }

  dispatch(at, bytes, again) {
    const end = at + bytes.length;
    if (at <= this.hashed && end > this.hashed) {
      this.sha.update(bytes.subarray(this.hashed - at));
      this.hashed = end;
    }
    this.sent = Math.max(this.sent, end);
    this.under.set(at, { when: Date.now(), again });
    this.post({ kind: "chunk", at }, [bytes.buffer]);
  }

  // How long answers take here; of what was sent twice nobody knows which one is answered.
  learn(at) {
    const sent = this.under.get(at);
    this.under.delete(at);
    if (sent && !sent.again) this.takes += (Date.now() - sent.when - this.takes) / 4;
  }

  // What lies between the bytes that the kernel holds is lost, unless it was sent again a moment ago. Returns where they end.
  miss(have, holds) {
    let from = have;
    for (const [at, end] of holds) {
      const before = this.under.get(from);
      if (at > from && !(before?.again && Date.now() - before.when < this.patience)) {
        this.under.set(from, { when: Date.now(), again: true });
        this.holes.push([from, at]);
      }
      from = Math.max(from, end);
    }
    return from;
  }

  receive(message) {
    if (message.id !== this.id || this.closed) return;
    this.heard = Date.now();
    this.waits = 0;
    if (message.kind === "refused") {
      this.refused = message;
    } else if (message.kind === "have") {
      this.refused = null;
      if (message.whole) {
        this.whole = true;
        this.acked = this.size;
        this.close();
      } else if (message.asked === this.asked) {
        // An answer to our question: go on from there. After an `end`, bytes were missing or damaged.
        if (message.damaged && ++this.failures > 3)
          this.refused = { text: "The recording did not arrive as it was sent.", hint: "Save it from here." };
        this.acked = message.have;
        for (const [at, { again }] of this.under) if (!again) this.under.delete(at);
        this.holes = [];
        this.sent = this.miss(message.have, message.holds ?? []);
        this.endSent = false;
      } else {
        this.acked = Math.max(this.acked, message.have);
        this.learn(message.at);
        this.miss(this.acked, message.holds ?? []);
      }
      if (this.failures <= 3) this.pump();
    }
    this.changed();
  }
}
