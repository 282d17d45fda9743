// Each widget's script is a module of its own: what the recorders of a page know of each other is kept here.
const TAPES = (globalThis.codexNbTapes ??= new Set());

// What is recorded, one a widget; views show it, and may come and go.
class Tape {
  phase = "idle"; // asking, recording, paused: what the microphone does
  views = new Set();
  device = "";
  pieces = [];

  constructor(model) {
    this.model = model;
    this.take = (message, buffers) => this.receive(message, buffers);
    this.changed = () => {
      if (this.upload?.silent) this.handOver();
      this.views.forEach((view) => view.paint());
    };
    model.on("msg:custom", this.take);
    model.on("change:shown", this.changed);
    this.leave = (event) => {
      if (this.busy) event.preventDefault();
    };
    globalThis.addEventListener("beforeunload", this.leave);
    const stop = obstacle();
    if (stop) this.problem = problemOf(stop);
    TAPES.add(this);
  }

  get shown() { return this.model.get("shown") ?? {}; }
  get busy() { return this.phase !== "idle" || Boolean(this.upload && !this.upload.whole); }
  send(message, buffers) { this.model.send(message, undefined, buffers); }

  get stage() {
    if (this.phase !== "idle") return this.phase;
    if (this.upload && !this.upload.whole) return this.upload.refused ? "refused" : this.upload.silent ? "silent" : "sending";
    if (this.moved) return "moved";
    const phase = this.shown.phase;
    if (phase === "arriving") return this.upload ? "transcribing" : "lost";
    return phase ?? "idle";
  }

  // How much was heard by now, and how loud it is.
  get heard() {
    if (this.stage === "listening") return { seconds: this.shown.seconds ?? 0, level: this.shown.level ?? 0 };
    return { seconds: this.microphone.seconds, level: this.phase === "paused" ? 0 : this.microphone.level() };
  }

  receive(message, buffers) {
    if (message.kind === "piece") return this.collect(message, buffers);
    if (message.kind === "answered") {
      this.asking = false;
      this.note = message.text ? `${message.text} ${message.hint}` : "";
      return this.changed();
    }
    this.upload?.receive(message);
  }

  begin(source) {
    this.forget();
    this.upload = new Upload((message, buffers) => this.send(message, buffers), source, this.changed);
    this.changed();
  }

  // A recording whose kernel is gone goes to the recorder that the notebook has from the kernel started after it.
  handOver() {
    const heir = [...TAPES].findLast((tape) => tape.model.widget_manager === this.model.widget_manager
      && tape.model.get("process") !== this.model.get("process") && tape.phase === "idle" && tape.stage === "idle");
    if (!heir || this.phase !== "idle") return;
    const upload = (heir.upload = this.upload);
    this.upload = null;
    this.moved = true;
    upload.move((message, buffers) => heir.send(message, buffers), heir.changed);
    heir.changed();
  }

  forget() {
    if (this.upload && !this.upload.whole) return;
    this.upload = this.sound = null;
    this.moved = false;
    this.pieces = [];
    this.note = "";
  }

  async record() {
    this.problem = null;
    const stop = obstacle();
    if (stop) return this.fail(stop);
    this.phase = "asking";
    this.changed();
    const microphone = new Microphone();
    try {
      await microphone.open(this.device);
    } catch (error) {
      microphone.close();
      return this.fail(error);
    }
    this.microphone = microphone;
    this.begin({ type: microphone.type });
    const upload = this.upload;
    microphone.start((blob) => upload.append(blob), () => this.stop());
    this.phase = "recording";
    this.devices = (await navigator.mediaDevices.enumerateDevices()).filter((d) => d.kind === "audioinput" && d.deviceId);
    this.changed();
  }

  // The kernel's own microphone, for pages that are given none.
  listen() {
    this.problem = null;
    this.upload = null;
    this.forget();
    this.send({ kind: "listen", id: freshId() });
  }

  fail(error) {
    this.phase = "idle";
    this.problem = problemOf(error);
    this.changed();
  }

  pause() {
    this.phase === "paused" ? this.microphone.resume() : this.microphone.pause();
    this.phase = this.phase === "paused" ? "recording" : "paused";
    this.changed();
  }

  async stop() {
    if (this.stage === "listening") return this.send({ kind: "hush", id: this.shown.id });
    if (!["recording", "paused"].includes(this.phase)) return;
    this.phase = "asking";
    this.upload.end(await this.microphone.stop());
    this.phase = "idle";
    this.changed();
  }

  choose(file) {
    if (!file || this.busy) return;
    this.problem = null;
    this.begin({ blob: file, type: file.type, name: file.name });
    this.upload.end();
  }

  discard() {
    const id = this.upload?.id ?? this.shown.id;
    this.upload?.close();
    this.upload = null;
    this.forget();
    if (id) this.send({ kind: "delete", id });
    this.changed();
  }

  // The sound: from this page, or fetched from the kernel when the page was opened anew.
  async blob() {
    if (this.upload) return this.upload.blob;
    if (this.sound) return this.sound;
    this.pieces = [];
    this.send({ kind: "fetch", id: this.shown.id, at: 0 });
    return new Promise((done) => (this.fetched = done));
  }

  collect({ id, at, size }, [bytes]) {
    if (id !== this.shown.id || at !== this.pieces.reduce((sum, piece) => sum + piece.byteLength, 0)) return;
    this.pieces.push(bytes);
    const next = at + bytes.byteLength;
    if (next < size) return this.send({ kind: "fetch", id, at: next });
    this.sound = new Blob(this.pieces);
    this.fetched?.(this.sound);
  }

  close() {
    TAPES.delete(this);
    this.stop();
    globalThis.removeEventListener("beforeunload", this.leave);
    this.model.off("msg:custom", this.take);
    this.model.off("change:shown", this.changed);
  }
}
