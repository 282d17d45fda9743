// The stop button of an answer that is under way: it asks the front end to interrupt the kernel, because a kernel that
// is busy with a cell does not read messages of widgets.
async function interrupt(model) {
  const kernel = model.widget_manager?.kernel ?? model.widget_manager?.context?.sessionContext?.session?.kernel;
  if (kernel) return kernel.interrupt();
  const api = document.body.dataset.baseUrl ?? "/";
  const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? "";
  const id = globalThis.Jupyter?.notebook?.kernel?.id;
  if (!id) throw new Error("use the notebook's own stop button");
  const reply = await fetch(`${api}api/kernels/${id}/interrupt`, { method: "POST", headers: { "X-XSRFToken": xsrf } });
  if (!reply.ok) throw new Error(`the server answered ${reply.status}`);
}

function render({ model, el }) {
  const button = document.createElement("button");
  button.className = "codex-nb-stop";
  button.textContent = "Stop";
  button.title = model.get("title");
  const clock = document.createElement("span");
  const began = Date.now();
  const tick = () => (clock.textContent = ` ${Math.round((Date.now() - began) / 1000)} s`);
  const timer = setInterval(tick, 1000);
  button.onclick = async () => {
    button.disabled = true;
    button.textContent = "Stopping…";
    try {
      await interrupt(model);
    } catch (error) {
      button.textContent = `Stop failed: ${error.message}`;
    }
  };
  el.classList.add("codex-nb-line");
  el.append(button, clock);
  return () => clearInterval(timer);
}

export default { render };
