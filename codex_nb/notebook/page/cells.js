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
