// The page of its own: the recorder with a server on loopback where a notebook has a kernel.
import recorder from "./recorder.js";

class Model {
  facts = { shown: {}, language: "", kernel: false };
  told = {};
  posts = Promise.resolve();

  get(name) { return this.facts[name]; }
  set(name, value) { this.facts[name] = value; }
  save_changes() { this.send({ kind: "language", language: this.facts.language }); }
  on(name, take) { (this.told[name] ??= new Set()).add(take); }
  off(name, take) { this.told[name]?.delete(take); }
  tell(name, ...facts) { this.told[name]?.forEach((take) => take(...facts)); }

  // One after the other, so that they arrive in their order; what is lost is sent again by who sent it.
  send(message, _, buffers = []) {
    this.posts = this.posts.then(() => this.post(message, buffers)).catch(() => {});
  }

  async post(message, buffers) {
    const address = `/messages?message=${encodeURIComponent(JSON.stringify(message))}`;
    const reply = await fetch(address, { method: "POST", body: buffers[0] ?? "" });
    if (!reply.ok) return;
    const content = await reply.arrayBuffer();
    let at = 4 + new DataView(content).getUint32(0, true);
    for (const { bytes, ...fact } of JSON.parse(new TextDecoder().decode(new Uint8Array(content, 4, at - 4)))) {
      this.tell("msg:custom", fact, bytes ? [new DataView(content, at, bytes)] : []);
      at += bytes;
    }
  }

  async watch() {
    for (let number = "", failures = 0; ; ) {
      try {
        const reply = await fetch(`/state?after=${number}`);
        if (!reply.ok) throw new Error(reply.status);
        const news = await reply.json();
        failures = 0;
        number = news.number;
        this.facts.shown = news.state;
        if (!this.begun) this.begin(news);
        this.tell("change:shown");
      } catch {
        failures++;
        await new Promise((done) => setTimeout(done, 1000));
      }
      document.getElementById("gone").hidden = failures < 3;
    }
  }

  begin({ language }) {
    this.begun = true;
    this.facts.language = language;
    const widget = recorder();
    widget.initialize({ model: this });
    widget.render({ model: this, el: document.querySelector("main") });
    document.querySelector(".codex-nb-recorder").focus();
  }
}

history.replaceState(null, "", "/"); // the address has done its work
new Model().watch();
