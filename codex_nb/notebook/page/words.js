// What was said, to be corrected, copied, put into a cell or asked with.
class Words {
  constructor(tape, model, el) {
    Object.assign(this, { tape, model, el });
    this.text = make("textarea", { "aria-label": "Transcript", rows: 1, spellcheck: "false", oninput: () => this.grow() });
    this.copied = button("Copy", () => this.say(this.copied, copy(this.text.value), "Copied"));
    this.cell = button("To cell", () => this.toCell(), "A new cell with this text, to be edited and run");
    this.ask = button("Ask Codex", () => this.askCodex(), "Send this text; the answer comes below");
    this.ask.classList.add("main");
    this.root = make("div", { className: "result" }, this.text,
      make("div", { className: "row" }, this.copied, this.cell, this.ask));
    this.cell.hidden = this.ask.hidden = !model.get("kernel"); // a page of its own has no cells
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
    if (this.tape.asking) return;
    this.tape.asking = true;
    this.tape.send({ kind: "ask", id: this.tape.shown.id, text: this.text.value });
    this.tape.changed();
  }

  grow() {
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight + 2}px`;
  }

  paint({ id, text }) {
    if (this.written !== id + text) {
      this.written = id + text;
      this.text.value = text || "";
      this.text.placeholder = "Nothing was said.";
      requestAnimationFrame(() => this.grow());
    }
    this.ask.disabled = Boolean(this.tape.asking);
    this.ask.textContent = this.tape.asking ? "Asking …" : "Ask Codex";
  }
}
