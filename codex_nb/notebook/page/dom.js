// Elements, and what is written in them.
const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
const megabytes = (n) => (n < 1e6 ? `${Math.round(n / 1000)} kB` : `${(n / 1e6).toFixed(1)} MB`);
const freshId = () => [...crypto.getRandomValues(new Uint8Array(8))].map((n) => n.toString(16).padStart(2, "0")).join("");

function make(tag, { className, text, ...rest } = {}, ...children) {
  const node = Object.assign(document.createElement(tag), className && { className }, text !== undefined && { textContent: text });
  for (const [name, value] of Object.entries(rest))
    name.startsWith("on") ? node.addEventListener(name.slice(2), value) : node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// A button that does its work once, also for people who click everything twice.
function button(text, click, title = "") {
  return make("button", { type: "button", text, title, onclick: (event) => event.detail < 2 && click() });
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
