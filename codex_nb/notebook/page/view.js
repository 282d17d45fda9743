// The recorder as people see it: the head with its red button, and what stands below it at each stage.
const LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "nb", "fi", "cs", "tr", "uk", "ru", "ar", "hi", "ja", "ko", "zh"];
const SAYS = {
  idle: ["Ready", "Space records and stops"],
  asking: ["Waiting for the microphone …", "The browser may ask for your leave"],
  recording: ["Recording", "Space stops, P pauses; all of it is being saved"],
  paused: ["Paused", "P goes on, Space stops"],
  listening: ["Recording", "By the kernel's own microphone; Space stops, all of it is being saved"],
  sending: ["Saving …", ""],
  silent: ["Waiting for an answer …", "The recording is safe in this page, and is sent as soon as it is taken. Was the kernel started anew? Run this cell again. Or download it now."],
  moved: ["Handed on", "The kernel was started anew; the recording went to the recorder that it has now."],
  transcribing: ["Listening to it …", ""],
  done: ["Ready", ""],
};
const LIVE = ["recording", "paused", "listening"];
const HELD = ["sending", "silent", "refused", "transcribing", "done", "failed", "lost"];

class View {
  constructor(tape, el, model) {
    Object.assign(this, { tape, el, model });
    this.build();
    tape.views.add(this);
    this.frame = requestAnimationFrame(() => this.beat());
    this.paint();
  }

  build() {
    const { tape } = this;
    this.record = make("button", { type: "button", className: "record", onclick: () => this.toggle() }, make("span"));
    this.state = make("span", { className: "state", role: "status", "aria-live": "polite" });
    this.time = make("span", { className: "time", role: "timer" });
    this.meter = make("div", { className: "meter", role: "meter", "aria-label": "Level", "aria-valuemin": 0, "aria-valuemax": 100 }, make("div"));
    this.pause = make("button", { type: "button", text: "Pause", onclick: () => tape.pause() });
    this.device = make("select", { "aria-label": "Microphone", onchange: () => (tape.device = this.device.value) });
    this.language = this.languages();
    this.hint = make("div", { className: "hint" });
    this.problem = make("div", { className: "problem", role: "alert" });
    this.file = make("input", { type: "file", accept: "audio/*,video/*,.silk,.amr,.caf", "aria-label": "Audio file", hidden: "", onchange: () => tape.choose(this.file.files[0]) });
    this.choose = button("Choose a file", () => this.file.click(), "Choose an audio file, or drop one here.");
    this.kernel = button("Use the kernel's microphone", () => tape.listen(), "The machine that the kernel runs on records");
    this.again = button("Try again", () => tape.send({ kind: "retry", id: tape.shown.id }));
    this.finish = button("Transcribe it", () => tape.send({ kind: "finish", id: tape.shown.id }));
    this.player = new Player(tape, () => this.paint());
    this.words = new Words(tape, this.model, this.el);
    // The same text stands beside the widget, for notebooks that are opened without a kernel.
    const name = this.model.get("kept"), kept = name ? [make("style", { text: `.${name} { display: none; }` })] : [];
    const now = make("div", { className: "now" }, make("div", { className: "line" }, this.state, this.time), this.meter);
    this.root = make("div", {
      className: "codex-nb-recorder", role: "group", "aria-label": "Recorder", tabindex: 0,
      "data-lm-suppress-shortcuts": "true", // the notebook's own keys
      onkeydown: (event) => this.key(event),
      ondragover: (event) => { event.preventDefault(); this.root.classList.add("over"); },
      ondragleave: () => this.root.classList.remove("over"),
      ondrop: (event) => this.drop(event),
    },
      make("div", { className: "row head" }, this.record, now, this.pause,
        make("div", { className: "choices" }, this.device, this.language)),
      ...kept, this.hint, this.problem, this.player.root,
      make("div", { className: "row" }, this.again, this.finish, this.kernel, this.choose, this.file), this.words.root);
    this.el.append(this.root);
  }

  languages() {
    const own = this.model.get("language");
    const names = new Intl.DisplayNames(undefined, { type: "language" });
    const named = (code) => { try { return names.of(code); } catch { return code; } };
    const codes = [...new Set([own, ...LANGUAGES])].filter(Boolean);
    const select = make("select", { "aria-label": "Language", onchange: () => {
      this.model.set("language", select.value);
      this.model.save_changes();
    } }, make("option", { value: "", text: "Any language" }), ...codes.map((code) => make("option", { value: code, text: named(code) })));
    select.value = own;
    return select;
  }

  toggle() {
    const { tape } = this;
    if (LIVE.includes(tape.stage)) return tape.stop();
    if (!tape.busy && tape.stage !== "transcribing") { this.player.forget(); tape.record(); }
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

  // The state in a word or two, what there is to know about it, and what is wrong.
  says(stage) {
    const { shown, upload, problem, note } = this.tape;
    let [state, hint] = SAYS[stage] ?? ["", ""], trouble = null;
    if (stage === "sending" && upload.size > 2 * CHUNK) state = `Saving … ${megabytes(upload.acked)} of ${megabytes(upload.size)}`;
    if (stage === "lost") [state, hint] = ["Broken off", `The page went away in the middle. What it had recorded is in ${shown.path}.`];
    if (stage === "failed") [state, hint, trouble] = ["No text yet", shown.error.includes(shown.path) ? "The recording is kept." : `The recording is kept in ${shown.path}.`, { text: shown.error, hint: shown.hint }];
    if (stage === "refused") trouble = upload.refused;
    if (stage === "idle" && problem) [state, hint, trouble] = ["No microphone", "", problem];
    if (stage === "deaf") [state, hint, trouble] = ["No microphone", "", { text: shown.error, hint: shown.hint }];
    return [state, hint, trouble ? `${trouble.text}\n${trouble.hint ?? ""}` : note ?? ""];
  }

  paint() {
    const { tape } = this, { stage } = tape;
    const live = LIVE.includes(stage), empty = ["idle", "deaf", "moved"].includes(stage);
    this.root.dataset.stage = stage;
    this.record.disabled = !live && (tape.busy || stage === "transcribing");
    const act = live ? "Stop" : empty ? "Record" : "Record anew";
    this.record.title = act;
    this.record.setAttribute("aria-label", act);
    const [state, hint, problem] = this.says(stage);
    this.state.textContent = state;
    this.hint.textContent = hint;
    if (this.problem.textContent !== problem) this.problem.textContent = problem;
    this.problem.hidden = !problem;
    this.pause.hidden = !live || stage === "listening";
    this.pause.textContent = stage === "paused" ? "Go on" : "Pause";
    this.time.hidden = this.meter.hidden = !live;
    this.device.hidden = !(tape.devices?.length > 1) || live;
    this.list(tape.devices);
    this.language.hidden = live;
    this.player.root.hidden = !HELD.includes(stage);
    this.player.paint();
    this.again.hidden = stage !== "failed";
    this.finish.hidden = stage !== "lost";
    this.choose.hidden = !empty && stage !== "failed";
    this.kernel.hidden = !(this.model.get("kernel") && (stage === "deaf" || (stage === "idle" && tape.problem)));
    this.words.root.hidden = stage !== "done";
    if (stage === "done") this.words.paint(tape.shown);
  }

  list(devices) {
    if (!devices || this.listed === devices) return;
    this.listed = devices;
    this.device.replaceChildren(...devices.map((d, i) => make("option", { value: d.deviceId, text: d.label || `Microphone ${i + 1}` })));
    if (this.tape.device) this.device.value = this.tape.device;
  }

  // What moves: the time, the level, the place of the playback.
  beat() {
    this.frame = requestAnimationFrame(() => this.beat());
    const { tape } = this, heard = LIVE.includes(tape.stage) && tape.heard;
    if (heard) {
      const { seconds, level } = heard;
      this.time.textContent = clock(seconds);
      this.meter.firstChild.style.transform = `scaleX(${level})`;
      this.meter.setAttribute("aria-valuenow", Math.round(level * 100));
    } else if (!this.player.root.hidden) this.player.beat();
  }

  close() {
    cancelAnimationFrame(this.frame);
    this.player.close();
    this.tape.views.delete(this);
    if (!this.tape.views.size) this.tape.stop(); // a microphone that nobody sees is closed; what it heard is sent
  }
}
