// Brings the bytes of a recording to the kernel: in pieces, each with its place; sent again until the kernel has them.
const CHUNK = 1 << 20;
const WINDOW = 4 * CHUNK; // bytes under way at once
const PATIENCE = 3000; // milliseconds without an answer

// SHA-256 piece by piece. The browser's own wants the whole at once, and does not exist on insecure pages.
const K = new Uint32Array(64);
const H = new Uint32Array(8);
for (let n = 2, i = 0; i < 64; n++) {
  let prime = true;
  for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
  if (!prime) continue;
  const fraction = (x) => ((x - Math.floor(x)) * 2 ** 32) >>> 0;
  if (i < 8) H[i] = fraction(Math.sqrt(n));
  K[i++] = fraction(Math.cbrt(n));
}

class Sha256 {
  state = H.slice();
  block = new Uint8Array(64);
  words = new Uint32Array(64);
  length = 0;

  update(bytes) {
    let at = 0;
    const held = this.length % 64;
    this.length += bytes.length;
    if (held) {
      at = Math.min(64 - held, bytes.length);
      this.block.set(bytes.subarray(0, at), held);
      if (held + at < 64) return this;
      this.mix(this.block, 0);
    }
    for (; at + 64 <= bytes.length; at += 64) this.mix(bytes, at);
    this.block.set(bytes.subarray(at));
    return this;
  }

  mix(bytes, at) {
    const w = this.words;
    for (let i = 0; i < 16; i++, at += 4)
      w[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15], y = w[i - 2];
      const s = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const t = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = w[i - 16] + s + w[i - 7] + t;
    }
    let [a, b, c, d, e, f, g, h] = this.state;
    for (let i = 0; i < 64; i++) {
      const s = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const one = (h + s + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      const t = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const two = (t + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => (this.state[i] += value));
  }

  hex() {
    const bits = this.length * 8, held = this.length % 64;
    const tail = new Uint8Array(held < 56 ? 64 - held : 128 - held);
    tail[0] = 0x80;
    const view = new DataView(tail.buffer);
    view.setUint32(tail.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(tail.length - 4, bits >>> 0);
    this.update(tail);
    return [...this.state].map((word) => word.toString(16).padStart(8, "0")).join("");
  }
}

class Upload {
  constructor(send, { blob = new Blob([]), type = blob.type, name = "" } = {}, changed = () => {}) {
    Object.assign(this, { send, blob, type, name, changed });
    this.id = [...crypto.getRandomValues(new Uint8Array(8))].map((n) => n.toString(16).padStart(2, "0")).join("");
    this.acked = this.sent = this.hashed = this.asked = this.failures = 0;
    this.sha = new Sha256();
    this.ended = this.endSent = this.whole = this.closed = false;
    this.refused = null;
    this.heard = Date.now();
    this.patience = PATIENCE;
    this.ask();
    this.timer = setInterval(() => this.look(), 500);
  }

  get silent() { return !this.whole && this.behind && Date.now() - this.heard > 2 * PATIENCE; }
  get behind() { return this.ended || this.acked < this.blob.size; }

  append(bytes) {
    if (!this.behind) this.heard = Date.now();
    this.blob = new Blob([this.blob, bytes], { type: this.type });
    this.pump();
  }

  end(seconds = null) {
    this.seconds = seconds;
    this.ended = true;
    this.heard = Date.now();
    this.pump();
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

  ask() {
    this.post({ kind: "begin", type: this.type, name: this.name, asked: ++this.asked });
  }

  look() {
    if (this.closed || this.whole) return this.close();
    if (this.behind && Date.now() - Math.max(this.heard, this.tried ?? 0) > this.patience) {
      this.tried = Date.now();
      this.patience = Math.min(this.patience * 1.6, 20000);
      this.ask();
    }
    this.changed();
  }

  async pump() {
    if (this.pumping) return;
    this.pumping = true;
    try {
      while (!this.closed && this.sent < this.blob.size && this.sent - this.acked < WINDOW) {
        const at = this.sent;
        const bytes = new Uint8Array(await this.blob.slice(at, at + CHUNK).arrayBuffer());
        if (at !== this.sent) continue; // the kernel asked for an earlier place meanwhile
        const end = at + bytes.length;
        if (at <= this.hashed && end > this.hashed) {
          this.sha.update(bytes.subarray(this.hashed - at));
          this.hashed = end;
        }
        this.sent = end;
        this.post({ kind: "chunk", at }, [bytes.buffer]);
      }
      if (this.ended && !this.endSent && this.sent === this.blob.size) {
        this.endSent = true;
        this.digest ??= this.sha.hex();
        this.post({ kind: "end", size: this.blob.size, sha256: this.digest, seconds: this.seconds, asked: this.asked });
      }
    } catch (error) {
      this.refused = { text: `The file cannot be read: ${error.message}`, hint: "Choose it again." };
    } finally {
      this.pumping = false;
    }
  }

  receive(message) {
    if (message.id !== this.id || this.closed) return;
    this.heard = Date.now();
    this.patience = PATIENCE;
    if (message.kind === "refused") {
      this.refused = message;
    } else if (message.kind === "have") {
      this.refused = null;
      if (message.whole) {
        this.whole = true;
        this.acked = this.blob.size;
        this.close();
      } else if (message.asked === this.asked) {
        // An answer to our question: go on from there. After an `end`, bytes were missing or damaged.
        if (this.endSent && message.have === 0 && ++this.failures > 3)
          this.refused = { text: "The recording did not arrive as it was sent.", hint: "Save it from here." };
        this.acked = this.sent = message.have;
        this.endSent = false;
      } else {
        this.acked = Math.max(this.acked, message.have);
      }
      if (this.failures <= 3) this.pump();
    }
    this.changed();
  }
}
