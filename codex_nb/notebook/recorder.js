// The recorder as people see it. `Tape` is what is recorded, one a widget; views show it, and may come and go.
const LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "nb", "fi", "cs", "tr", "uk", "ru", "ar", "hi", "ja", "ko", "zh"];
const FILES = "Choose an audio file, or drop one here.";

const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
const megabytes = (n) => (n < 1e6 ? `${Math.round(n / 1000)} kB` : `${(n / 1e6).toFixed(1)} MB`);

function make(tag, { className, text, ...rest } = {}, ...children) {
  const node = Object.assign(document.createElement(tag), className && { className }, text !== undefined && { textContent: text });
  for (const [name, value] of Object.entries(rest))
    name.startsWith("on") ? node.addEventListener(name.slice(2), value) : node.setAttribute(name, value);
  node.append(...children);
  return node;
}

class Tape {
  phase = "idle"; // asking, recording, paused: what the microphone does
  views = new Set();
  device = "";
  pieces = [];

  constructor(model) {
    this.model = model;
    this.take = (message, buffers) => this.receive(message, buffers);
    this.changed = () => this.views.forEach((view) => view.paint());
    model.on("msg:custom", this.take);
    model.on("change:shown", this.changed);
    this.leave = (event) => {
      if (this.busy) event.preventDefault();
    };
    globalThis.addEventListener("beforeunload", this.leave);
  }

  get shown() { return this.model.get("shown") ?? {}; }
  get busy() { return this.phase !== "idle" || Boolean(this.upload && !this.upload.whole); }
  send(message, buffers) { this.model.send(message, undefined, buffers); }

  get stage() {
    if (this.phase !== "idle") return this.phase;
    if (this.upload && !this.upload.whole) return this.upload.refused ? "refused" : this.upload.silent ? "silent" : "sending";
    const phase = this.shown.phase;
    if (phase === "arriving") return this.upload ? "transcribing" : "lost";
    return phase ?? "idle";
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

  forget() {
    if (this.upload && !this.upload.whole) return;
    this.upload = this.sound = null;
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
    this.stop();
    globalThis.removeEventListener("beforeunload", this.leave);
    this.model.off("msg:custom", this.take);
    this.model.off("change:shown", this.changed);
  }
}

// Put text into a new cell below this widget's. Returns whether the front end could.
function intoCell(model, el, text) {
  const source = `%%codex${text.includes("{{") ? " --no-interpolate" : ""}\n${text}`;
  const id = model.model_id ?? el.closest("[data-model-id]")?.dataset.modelId;
  const shared = model.widget_manager?.context?.model?.sharedModel;
  if (shared?.insertCell) {
    const node = el.closest(".jp-Cell");
    const own = [...(node?.parentElement?.querySelectorAll(":scope > .jp-Cell") ?? [])];
    let at = shared.cells.findIndex((cell) => JSON.stringify(cell.toJSON().outputs ?? "").includes(`"${id}"`));
    if (at < 0) at = own.indexOf(node);
    shared.insertCell(at < 0 ? shared.cells.length : at + 1, { cell_type: "code", source, metadata: {} });
    return true;
  }
  const classic = globalThis.Jupyter?.notebook;
  if (!classic?.insert_cell_below) return false;
  const at = classic.get_cell_elements().index(el.closest(".cell"));
  classic.insert_cell_below("code", at).set_text(source);
  return true;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", { text });
    document.body.append(area);
    area.select();
    document.execCommand("copy"); // the only way on pages without https
    area.remove();
  }
}

const SAYS = {
  idle: ["Ready", "Space records and stops"],
  asking: ["Waiting for the microphone …", "The browser may ask for your leave"],
  recording: ["Recording", "Space stops, P pauses; all of it is being saved"],
  paused: ["Paused", "P goes on, Space stops"],
  sending: ["Saving …", ""],
  silent: ["Waiting for the kernel …", "The recording is safe in this page, and is sent when the kernel answers. You can download it now."],
  transcribing: ["Listening to it …", ""],
  done: ["", ""],
};

class View {
  constructor(tape, el, model) {
    Object.assign(this, { tape, el, model });
    this.build();
    tape.views.add(this);
    this.frame = requestAnimationFrame(() => this.beat());
    this.paint();
  }

  button(text, click, title = "") {
    return make("button", { type: "button", text, title, onclick: click });
  }

  build() {
    const { tape } = this;
    this.record = make("button", { type: "button", className: "record", onclick: () => this.toggle() }, make("span"));
    this.state = make("span", { className: "state", role: "status", "aria-live": "polite" });
    this.time = make("span", { className: "time", role: "timer" });
    this.meter = make("div", { className: "meter", role: "meter", "aria-label": "Level", "aria-valuemin": 0, "aria-valuemax": 100 }, make("div"));
    this.pause = this.button("Pause", () => tape.pause());
    this.device = make("select", { "aria-label": "Microphone", onchange: () => (tape.device = this.device.value) });
    this.language = make("select", { "aria-label": "Language", onchange: () => {
      this.model.set("language", this.language.value);
      this.model.save_changes();
    } });
    const own = this.model.get("language");
    const names = new Intl.DisplayNames(undefined, { type: "language" });
    const named = (code) => { try { return names.of(code); } catch { return code; } };
    this.language.append(make("option", { value: "", text: "Any language" }),
      ...[...new Set([own, ...LANGUAGES])].filter(Boolean).map((code) => make("option", { value: code, text: named(code) })));
    this.language.value = own;
    this.hint = make("div", { className: "hint" });
    this.file = make("input", { type: "file", accept: "audio/*,video/*,.silk,.amr,.caf", "aria-label": "Audio file", hidden: "", onchange: () => tape.choose(this.file.files[0]) });
    this.choose = this.button("Choose a file", () => this.file.click(), FILES);
    this.problem = make("div", { className: "problem", role: "alert" });

    this.audio = make("audio", { onended: () => this.paint(), onpause: () => this.paint(), onplay: () => this.paint() });
    this.play = make("button", { type: "button", className: "play", onclick: () => this.playOrPause() }, make("span"));
    this.seek = make("input", { type: "range", min: 0, value: 0, step: 0.01, "aria-label": "Position", oninput: () => this.jump() });
    this.at = make("span", { className: "at" });
    this.download = this.button("Download", () => this.save());
    this.remove = this.button("Delete", () => this.askDelete());
    this.player = make("div", { className: "row player" }, this.play, this.seek, this.at, this.download, this.remove);

    this.text = make("textarea", { "aria-label": "Transcript", rows: 1, spellcheck: "false", oninput: () => this.grow() });
    this.copied = this.button("Copy", () => this.say(this.copied, copy(this.text.value), "Copied"));
    this.cell = this.button("To cell", () => this.toCell(), "A new cell with this text, to be edited and run");
    this.ask = this.button("Ask Codex", () => this.askCodex(), "Send this text; the answer comes below");
    this.ask.classList.add("main");
    this.again = this.button("Try again", () => tape.send({ kind: "retry", id: tape.shown.id }));
    this.finish = this.button("Transcribe it", () => tape.send({ kind: "finish", id: tape.shown.id }));
    this.result = make("div", { className: "result" }, this.text,
      make("div", { className: "row" }, this.copied, this.cell, this.ask));

    this.root = make("div", {
      className: "codex-nb-recorder", role: "group", "aria-label": "Recorder", tabindex: 0,
      "data-lm-suppress-shortcuts": "true", // the notebook's own keys
      onkeydown: (event) => this.key(event),
      ondragover: (event) => { event.preventDefault(); this.root.classList.add("over"); },
      ondragleave: () => this.root.classList.remove("over"),
      ondrop: (event) => this.drop(event),
    },
      make("div", { className: "row head" }, this.record, make("div", { className: "now" }, make("div", { className: "line" }, this.state, this.time), this.meter), this.pause,
        make("div", { className: "choices" }, this.device, this.language)),
      this.hint, this.problem, this.player, make("div", { className: "row" }, this.again, this.finish, this.choose, this.file), this.result, this.audio);
    this.el.append(this.root);
  }

  toggle() {
    const { tape } = this;
    if (["recording", "paused"].includes(tape.phase)) return tape.stop();
    if (!tape.busy && tape.stage !== "transcribing") { this.audio.pause(); this.loaded = null; tape.record(); }
  }

  key(event) {
    if (event.target.matches("textarea, select, input, button") && event.target !== this.record) return;
    if (event.key === " ") this.toggle();
    else if (event.key.toLowerCase() === "p" && ["recording", "paused"].includes(this.tape.phase)) this.tape.pause();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  drop(event) {
    event.preventDefault();
    event.stopPropagation();
    this.root.classList.remove("over");
    this.tape.choose(event.dataTransfer.files[0]);
  }

  async load() {
    const blob = await this.tape.blob();
    if (this.loaded === blob) return;
    this.loaded = blob;
    URL.revokeObjectURL(this.audio.src);
    this.audio.src = URL.createObjectURL(blob);
    await new Promise((done) => { this.audio.onloadedmetadata = done; this.audio.onerror = done; });
    if (this.audio.duration !== Infinity) return;
    // What a page records does not say how long it is; a jump beyond the end makes the browser look.
    this.audio.currentTime = 1e7;
    await new Promise((done) => { this.audio.ondurationchange = done; setTimeout(done, 2000); });
    this.audio.currentTime = 0;
  }

  get length() {
    const known = this.audio.duration;
    return Number.isFinite(known) ? known : this.tape.upload?.seconds ?? this.tape.shown.seconds ?? 0;
  }

  async playOrPause() {
    if (!this.audio.paused) return this.audio.pause();
    await this.load();
    await this.audio.play().catch(() => {});
  }

  async jump() {
    const to = Number(this.seek.value);
    await this.load();
    this.audio.currentTime = to;
  }

  async save() {
    const blob = await this.tape.blob();
    const name = this.tape.upload?.name || this.tape.shown.path?.split(/[\\/]/).pop().replace(/\.part$/, "") || "recording.webm";
    const link = make("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  askDelete() {
    if (this.sure) { clearTimeout(this.sure); this.sure = null; this.audio.pause(); this.loaded = null; this.tape.discard(); }
    else this.sure = setTimeout(() => { this.sure = null; this.paint(); }, 4000);
    this.paint();
  }

  async say(button, work, text) {
    const before = button.textContent;
    await work;
    button.textContent = text;
    setTimeout(() => (button.textContent = before), 1500);
  }

  async toCell() {
    if (intoCell(this.model, this.el, this.text.value)) return this.say(this.cell, null, "Below");
    await copy(this.text.value);
    this.say(this.cell, null, "Copied: paste it into a cell");
  }

  askCodex() {
    this.tape.asking = true;
    this.tape.send({ kind: "ask", id: this.tape.shown.id, text: this.text.value });
    this.tape.changed();
  }

  grow() {
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight + 2}px`;
  }

  paint() {
    const { tape } = this, { shown, upload } = tape, stage = tape.stage;
    const live = ["recording", "paused"].includes(stage);
    this.root.dataset.stage = stage;
    this.record.disabled = !live && (tape.busy || stage === "transcribing");
    const act = live ? "Stop" : stage === "idle" ? "Record" : "Record anew";
    this.record.title = act;
    this.record.setAttribute("aria-label", act);
    let [state, hint] = SAYS[stage] ?? ["", ""];
    if (stage === "sending" && upload.blob.size > 2 * CHUNK) state = `Saving … ${megabytes(upload.acked)} of ${megabytes(upload.blob.size)}`;
    if (stage === "done") [state, hint] = ["Ready", ""];
    if (stage === "lost") [state, hint] = ["Broken off", `The page went away in the middle. What it had recorded is in ${shown.path}.`];
    if (stage === "failed") [state, hint] = ["No text yet", `The recording is kept in ${shown.path}.`];
    if (tape.problem && stage === "idle") [state, hint] = ["No microphone", ""];
    this.state.textContent = state;
    this.hint.textContent = hint;
    const trouble = stage === "refused" ? upload.refused : stage === "failed" ? { text: shown.error, hint: shown.hint } : stage === "idle" ? tape.problem : null;
    const note = trouble ? `${trouble.text}\n${trouble.hint ?? ""}` : tape.note ?? "";
    if (this.problem.textContent !== note) this.problem.textContent = note;
    this.problem.hidden = !note;
    this.pause.hidden = !live;
    this.pause.textContent = stage === "paused" ? "Go on" : "Pause";
    this.time.hidden = this.meter.hidden = !live;
    this.device.hidden = !(tape.devices?.length > 1) || live;
    if (tape.devices && this.listed !== tape.devices) {
      this.listed = tape.devices;
      this.device.replaceChildren(...tape.devices.map((d, i) => make("option", { value: d.deviceId, text: d.label || `Microphone ${i + 1}` })));
      if (tape.device) this.device.value = tape.device;
    }
    this.language.hidden = live;
    const has = ["sending", "silent", "refused", "transcribing", "done", "failed", "lost"].includes(stage);
    this.player.hidden = !has;
    this.play.classList.toggle("playing", !this.audio.paused);
    this.play.setAttribute("aria-label", this.audio.paused ? "Play" : "Pause");
    this.remove.textContent = this.sure ? "Really delete?" : "Delete";
    this.remove.classList.toggle("danger", Boolean(this.sure));
    this.again.hidden = stage !== "failed";
    this.finish.hidden = stage !== "lost";
    this.choose.hidden = stage !== "idle" && stage !== "failed";
    this.result.hidden = stage !== "done";
    if (stage === "done" && this.written !== shown.id + shown.text) {
      this.written = shown.id + shown.text;
      this.text.value = shown.text || "";
      this.text.placeholder = "Nothing was said.";
      requestAnimationFrame(() => this.grow());
    }
    this.ask.disabled = Boolean(tape.asking);
    this.ask.textContent = tape.asking ? "Asking …" : "Ask Codex";
  }

  // What moves: the time, the level, the place of the playback.
  beat() {
    this.frame = requestAnimationFrame(() => this.beat());
    const { tape } = this;
    if (["recording", "paused"].includes(tape.phase)) {
      this.time.textContent = clock(tape.microphone.seconds);
      const level = tape.phase === "paused" ? 0 : tape.microphone.level();
      this.meter.firstChild.style.transform = `scaleX(${level})`;
      this.meter.setAttribute("aria-valuenow", Math.round(level * 100));
    } else if (!this.player.hidden) {
      const length = this.length, at = Math.min(this.audio.currentTime, length || 0);
      this.seek.max = length || 1;
      if (document.activeElement !== this.seek || !this.audio.paused) this.seek.value = at;
      this.at.textContent = `${clock(at)} / ${length ? clock(length) : "–"}`;
    }
  }

  close() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.sure);
    this.audio.pause();
    URL.revokeObjectURL(this.audio.src);
    this.tape.views.delete(this);
    if (!this.tape.views.size) this.tape.stop(); // a microphone that nobody sees is closed; what it heard is sent
  }
}

export default () => {
  let tape;
  return {
    initialize({ model }) {
      tape = new Tape(model);
      return () => tape.close();
    },
    render({ model, el }) {
      const view = new View(tape, el, model);
      return () => view.close();
    },
  };
};
