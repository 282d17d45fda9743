// Brings the bytes of a recording to the kernel: in pieces, each with its place; sent again until the kernel has them.
const CHUNK = 1 << 20;
const WINDOW = 4 * CHUNK; // bytes under way at once
const PATIENCE = 3000; // milliseconds without an answer

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
