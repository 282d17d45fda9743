// Plays a recording, with a bar to seek in; saves it from the page, and deletes it when told twice.
class Player {
  constructor(tape, changed) {
    Object.assign(this, { tape, changed });
    this.audio = make("audio", { onended: changed, onpause: changed, onplay: changed });
    this.play = make("button", { type: "button", className: "play", onclick: () => this.playOrPause() }, make("span"));
    this.seek = make("input", { type: "range", min: 0, value: 0, step: 0.01, "aria-label": "Position", oninput: () => this.jump() });
    this.at = make("span", { className: "at" });
    this.remove = button("Delete", () => this.askDelete());
    this.root = make("div", { className: "row player" },
      this.play, this.seek, this.at, button("Download", () => this.save()), this.remove, this.audio);
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

  // Another recording takes this one's place.
  forget() {
    this.audio.pause();
    URL.revokeObjectURL(this.audio.src);
    this.audio.removeAttribute("src");
    this.audio.load(); // its length and place are forgotten too
    this.loaded = null;
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
    if (this.sure) { clearTimeout(this.sure); this.sure = null; this.forget(); this.tape.discard(); }
    else this.sure = setTimeout(() => { this.sure = null; this.changed(); }, 4000);
    this.changed();
  }

  paint() {
    this.play.classList.toggle("playing", !this.audio.paused);
    this.play.setAttribute("aria-label", this.audio.paused ? "Play" : "Pause");
    this.remove.textContent = this.sure ? "Really delete?" : "Delete";
    this.remove.classList.toggle("danger", Boolean(this.sure));
  }

  beat() {
    const length = this.length, at = Math.min(this.audio.currentTime, length || 0);
    this.seek.max = length || 1;
    if (document.activeElement !== this.seek || !this.audio.paused) this.seek.value = at;
    this.at.textContent = `${clock(at)} / ${length ? clock(length) : "–"}`;
  }

  close() {
    clearTimeout(this.sure);
    this.audio.pause();
    URL.revokeObjectURL(this.audio.src);
  }
}
