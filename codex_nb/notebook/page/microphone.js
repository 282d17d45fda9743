// The microphone: what it hears, how loud it is, and how long it has been heard.
const BITS = 32000; // a second; speech needs no more
const SLICE = 250; // milliseconds: what a page that is lost may not have sent

const PROBLEMS = {
  NotAllowedError: ["The browser does not let this page use the microphone.",
    "Allow it by the icon in the address bar, then try again."],
  NotFoundError: ["There is no microphone.", "Plug one in, then try again."],
  NotReadableError: ["The microphone cannot be read; another program may be using it.",
    "Close that program, or choose another microphone, then try again."],
  insecure: ["The browser gives no microphone to this address, because it is neither https nor localhost.",
    "Open the notebook by https or at localhost (ssh -L brings a server there). Or record on your own machine with codex-nb record, and drop the file here."],
  vscode: ["VS Code gives notebooks no microphone.",
    "Record with the kernel's own microphone, or with codex-nb record in a terminal, whose page opens in your browser. A file can be dropped here."],
  missing: ["This front end gives notebooks no microphone.",
    "Record with the kernel's own microphone, or with codex-nb record in a terminal, whose page opens in your browser. A file can be dropped here."],
  policy: ["The page around this notebook lets it use no microphone.",
    "Open the notebook in a tab of its own. Or record with codex-nb record in a terminal, and drop the file here."],
};

function problemOf(error) {
  const [text, hint] = PROBLEMS[error] ?? PROBLEMS[error?.name] ??
    [`The microphone does not start: ${error?.message ?? error}`, "Try again, or choose another microphone."];
  return { text, hint };
}

// What stands in the way before anything is tried. Permissions are not asked for here: their answer is not reliable.
function obstacle() {
  if (location.protocol === "vscode-webview:" || document.body.dataset.vscodeThemeKind) return "vscode";
  if (!globalThis.isSecureContext) return "insecure";
  if (!navigator.mediaDevices?.getUserMedia || !globalThis.MediaRecorder) return "missing";
  return (document.permissionsPolicy ?? document.featurePolicy)?.allowsFeature("microphone") === false ? "policy" : null;
}

class Microphone {
  async open(device, processing = false) {
    const way = { echoCancellation: processing, noiseSuppression: processing, autoGainControl: processing };
    const audio = device ? { ...way, deviceId: { exact: device } } : way;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      if (error.name !== "OverconstrainedError") throw error;
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: way }); // the chosen one is gone
    }
    // Both containers play as far as they go when they are cut.
    const type = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus"].find((t) => MediaRecorder.isTypeSupported(t));
    this.recorder = new MediaRecorder(this.stream, { ...(type && { mimeType: type }), audioBitsPerSecond: BITS });
    this.type = this.recorder.mimeType || type || "audio/mp4";
    this.context = new AudioContext();
    this.ear = this.context.createAnalyser();
    this.ear.fftSize = 1024;
    this.context.createMediaStreamSource(this.stream).connect(this.ear);
    this.samples = new Float32Array(this.ear.fftSize);
    this.before = 0;
  }

  start(data, lost) {
    this.pending = Promise.resolve();
    this.recorder.ondataavailable = ({ data: blob }) => blob.size && data(blob);
    this.recorder.onerror = () => lost();
    this.stream.getTracks().forEach((track) => (track.onended = lost)); // unplugged, or taken back by the user
    this.recorder.start(SLICE);
    this.since = performance.now();
  }

  get paused() { return this.recorder.state === "paused"; }
  get seconds() { return (this.before + (this.since === null ? 0 : performance.now() - this.since)) / 1000; }

  pause() {
    this.recorder.pause();
    this.before += performance.now() - this.since;
    this.since = null;
  }

  resume() {
    this.recorder.resume();
    this.since = performance.now();
  }

  // Loudness from 0 to 1, on a scale of 60 dB.
  level() {
    this.ear.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, x) => sum + x * x, 0) / this.samples.length;
    return Math.min(1, Math.max(0, 1 + (10 * Math.log10(power + 1e-12)) / 60));
  }

  // Resolves with the seconds when the last piece was handed over.
  async stop() {
    const seconds = this.seconds;
    if (this.recorder.state !== "inactive") {
      const over = new Promise((done) => (this.recorder.onstop = done));
      this.recorder.stop();
      await over;
    }
    this.close();
    return seconds;
  }

  close() {
    this.stream?.getTracks().forEach((track) => { track.onended = null; track.stop(); });
    this.context?.close().catch(() => {});
  }
}
