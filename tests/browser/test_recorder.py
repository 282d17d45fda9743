"""The recorder in a real browser, whose microphone plays human speech."""

import hashlib
import os
import shutil
import time
from difflib import SequenceMatcher
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest

from codex_nb.local import LocalBackend, Turn
from codex_nb.notebook.page import FOLDER, recorder_script
from tests.browser.conftest import FLAGS
from tests.requirements_gate import require
from tests.rooms import room

# What the microphone plays, over and over.
TRUTH = "it was the best of times it was the worst of times it was the age of wisdom it was the age of foolishness"
SAID = "It was the best of times, it was the worst of times."
HEAR = ["--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"]
DENY = ["--use-fake-device-for-media-stream", "--deny-permission-prompts"]
SHOWN = ".codex-nb-recorder[data-stage={}]"
SECONDS = 4


def speech():
    """Return a file of human speech."""
    spec = find_spec("moonshine_voice")
    require("speech", None if spec else "the package moonshine-voice is missing (group browser)")
    return Path(spec.origin).parent / "assets" / "two_cities.wav"


@pytest.fixture
def chromium(request):
    """Swap the browser of `open_notebook` for one with other flags."""
    flags = getattr(request, "param", None)
    if flags is None:
        flags = [*HEAR, "--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={speech()}"]
    playwright = request.getfixturevalue("browser").browser_type
    found = playwright.launch(executable_path=shutil.which("chromium"), args=[*FLAGS, *flags])
    yield found
    found.close()


@pytest.fixture
def open_recorder(chromium, server, tmp_path, request):
    """Return what opens a notebook with a recorder in its second cell."""
    from tests.browser.conftest import opener

    host = getattr(request, "param", "127.0.0.1")
    with LocalBackend("sphinx") as backend, opener(server, chromium, host) as open_notebook:
        backend.add(Turn(text="A novel of *Dickens*."))

        def open_(name, front="lab", *, dark=False, kind="codex_nb.Recorder"):
            node = nbformat.v4.new_notebook()
            connect = f"_ = codex_nb.connect({backend.url!r}, auth=codex_nb.Bearer('made-up'))"
            node.cells = [
                nbformat.v4.new_code_cell(f"%load_ext codex_nb\nimport codex_nb\n{connect}"),
                nbformat.v4.new_code_cell(f"r = {kind}(save={str(tmp_path)!r})\nr"),
                nbformat.v4.new_code_cell("(await r.result()).text"),
            ]
            opened = open_notebook(node, name, front=front, dark=dark)
            opened.backend = backend
            opened.run(0)
            opened.run(1)
            opened.page.wait_for_selector(SHOWN.format("idle"), timeout=60_000)
            return opened

        yield open_


def picture(opened, name):
    """Keep what is shown for people to look at, in the folder that CODEX_NB_PICTURES names."""
    folder = os.environ.get("CODEX_NB_PICTURES")
    if folder:
        opened.page.locator(".codex-nb-recorder").screenshot(path=Path(folder) / f"recorder-{name}.png")


def stage(opened, name):
    """Wait until the recorder is at a stage."""
    opened.page.wait_for_selector(SHOWN.format(name), timeout=60_000)


def likeness(said, truth):
    """Return how much of what was heard stands in the truth, from 0 to 1, by words in their order."""
    said, truth = said.lower().split(), truth.lower().split()
    blocks = SequenceMatcher(None, said, truth, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / max(len(said), SECONDS)


def decoded_seconds(path):
    """Return how long a file plays: a browser that the machine starves hears less, and leaves gaps in its times."""
    import av

    with av.open(str(path)) as file:
        *_, last = file.decode(audio=0)
    return float(last.pts * last.time_base) + last.samples / last.sample_rate


@pytest.mark.parametrize(("front", "dark"), [("lab", False), ("notebook", True)])
def test_record_and_read(open_recorder, tmp_path, front, dark):
    """Space records and stops, the file is as long as the clock said, and the text can be used."""
    opened = open_recorder(f"record-{front}", front, dark=dark)
    look = f"{front}-{'dark' if dark else 'light'}"
    picture(opened, f"{look}-1-idle")
    root = opened.page.locator(".codex-nb-recorder")
    root.focus()
    root.press(" ")
    stage(opened, "recording")
    time.sleep(SECONDS)
    opened.page.wait_for_function("() => document.querySelector('.codex-nb-recorder .meter').ariaValueNow > 20")
    picture(opened, f"{look}-2-recording")
    root.press("p")
    stage(opened, "paused")
    picture(opened, f"{look}-3-paused")
    (part,) = tmp_path.glob("*.part")
    assert decoded_seconds(part) > SECONDS / 2
    root.press("p")
    stage(opened, "recording")
    root.press(" ")
    stage(opened, "done")
    opened.run(2)
    said = opened.page.get_by_label("Transcript").input_value()
    assert opened.outputs(2)[0]["data"]["text/plain"] == repr(said)
    assert likeness(said, TRUTH) > 0.7
    (path,) = tmp_path.glob("*.webm")
    seconds = float(opened.printed("print(r.recording.duration)"))
    assert decoded_seconds(path) == pytest.approx(seconds, abs=0.3)
    opened.page.get_by_label("Play").click()
    opened.page.wait_for_function("() => document.querySelector('.codex-nb-recorder audio').currentTime > 0.3")
    picture(opened, f"{look}-4-done")
    opened.page.get_by_role("button", name="To cell").dblclick()
    opened.page.wait_for_function("() => window.jupyterapp.shell.currentWidget.content.widgets.length === 4")
    assert opened.evaluate("return panel.content.widgets[2].model.sharedModel.source") == f"%%codex\n{said}"
    opened.page.get_by_role("button", name="Ask Codex").dblclick()
    opened.page.wait_for_selector(".jp-RenderedMarkdown em >> text=Dickens", timeout=60_000)
    if os.environ.get("CODEX_NB_PICTURES"):
        opened.page.screenshot(path=Path(os.environ["CODEX_NB_PICTURES"]) / f"recorder-{look}-5-asked.png")
    assert [request.path for request in opened.backend.requests].count("/backend-api/codex/responses") == 1
    assert opened.evaluate("return panel.content.widgets.length") == 4
    check_saved(opened, look, said)


def check_saved(opened, look, said):
    """Look at the notebook as it is with a kernel, which shows a text once, and opened again without one."""
    kept = opened.page.locator("[class^=codex-nb-kept]", has_text=said)
    kept.wait_for(state="attached")
    assert not kept.is_visible()
    opened.save()
    opened.evaluate("await panel.sessionContext.shutdown(); return null")
    opened.page.reload()
    kept.wait_for(state="visible", timeout=60_000)
    assert kept.count() == 1
    assert not opened.page.locator(".codex-nb-recorder").count()
    if os.environ.get("CODEX_NB_PICTURES"):
        time.sleep(1)
        opened.page.screenshot(path=Path(os.environ["CODEX_NB_PICTURES"]) / f"recorder-{look}-6-saved.png")


# A recorder to which every fifth message is lost; ``came`` counts the kinds of those that are not.
LOSSY = """
import collections
class Lossy(codex_nb.Recorder):
    came = collections.Counter()
    def _take(self, widget, message, buffers=()):
        self.came["all"] += 1
        if self.came["all"] % 5:
            self.came[message["kind"]] += 1
            super()._take(widget, message, buffers)
"""


def test_large_file_arrives_whole(open_recorder, tmp_path):
    """Fifteen MiB dropped into it, every fifth message lost: the same bytes, and few of them sent twice."""
    opened = open_recorder("large", kind=f"exec({LOSSY!r}, globals()) or Lossy")
    sha256 = opened.evaluate(
        "const bytes = new Uint8Array(15 << 20); let x = 1;"
        "for (let i = 0; i < bytes.length; i++) bytes[i] = (x = (x * 1103515245 + 12345) & 0x7fffffff) >> 16;"
        "const files = new DataTransfer(); files.items.add(new File([bytes], 'long talk.webm'));"
        "const root = document.querySelector('.codex-nb-recorder');"
        "root.dispatchEvent(new DragEvent('drop', {dataTransfer: files, bubbles: true, cancelable: true}));"
        "const sum = await crypto.subtle.digest('SHA-256', bytes);"
        "return [...new Uint8Array(sum)].map(b => b.toString(16).padStart(2, '0')).join('')"
    )
    stage(opened, "failed")  # it is no sound, so nothing is heard in it; it is kept all the same
    (path,) = tmp_path.glob("*.webm")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    assert path.stat().st_size == 15 << 20
    chunks = opened.printed("print(r.came['chunk'])")
    assert 15 <= int(chunks) <= 20


@pytest.mark.parametrize(
    ("chromium", "sentence"),
    [(DENY, "does not let this page"), (HEAR, "There is no microphone")],
    indirect=["chromium"],
)
def test_without_a_microphone(open_recorder, request, sentence):
    """Each reason has its sentence, and a file can be chosen instead."""
    opened = open_recorder("without", dark="no microphone" in sentence)
    opened.page.get_by_role("button", name="Record", exact=True).click()
    problem = opened.page.locator(".codex-nb-recorder .problem")
    problem.wait_for()
    assert sentence in problem.inner_text()
    assert opened.page.get_by_role("button", name="Choose a file").is_visible()
    picture(opened, "no-microphone" if "no microphone" in sentence else "denied")


@pytest.mark.parametrize(
    ("chromium", "open_recorder"),
    [([*HEAR, "--host-resolver-rules=MAP lab.example 127.0.0.1"], "lab.example")],
    indirect=True,
)
def test_an_insecure_page_has_other_ways(open_recorder, tmp_path):
    """It says so at once; the kernel's own microphone records for it, and a file can be dropped."""
    with room(tmp_path) as environment:
        opened = open_recorder("insecure", dark=True)
        page = opened.page
        assert "neither https nor localhost" in page.locator(".codex-nb-recorder .problem").inner_text()
        picture(opened, "insecure-1")
        listen = page.get_by_role("button", name="Use the kernel's microphone")
        opened.execute("import os; os.environ['PULSE_SERVER'] = 'unix:/nowhere'")
        listen.click()
        page.get_by_text("The kernel's machine has no microphone").wait_for()
        picture(opened, "insecure-2-deaf")
        again = "import sounddevice; sounddevice._terminate(); sounddevice._initialize()"
        opened.execute(f"os.environ['PULSE_SERVER'] = {environment['PULSE_SERVER']!r}; {again}")
        listen.click()
        stage(opened, "listening")
        page.wait_for_function("() => document.querySelector('.codex-nb-recorder .meter').ariaValueNow > 50")
        picture(opened, "insecure-3-listening")
        page.get_by_role("button", name="Stop", exact=True).click()
        stage(opened, "done")
        page.get_by_label("Play").click()
        page.wait_for_function("() => document.querySelector('.codex-nb-recorder audio').currentTime > 0.1")
        picture(opened, "insecure-4-done")
    (path,) = tmp_path.glob("*-*.wav")
    assert decoded_seconds(path) > 0.2


def test_a_webview_without_a_microphone(chromium):
    """In frames that get none the recorder says which kind it is, and asks the kernel to record."""
    page = chromium.new_page(viewport={"width": 760, "height": 420})
    page.route("http://localhost/**", lambda route: route.fulfill(body="<body></body>", content_type="text/html"))
    page.goto("http://localhost/")
    for theme, sentence in (("vscode-dark", "VS Code gives"), ("", "The page around this notebook")):
        page.evaluate(WEBVIEW, [recorder_script(), (FOLDER / "recorder.css").read_text(), theme])
        frame = page.frame_locator("iframe")
        frame.get_by_text(sentence).wait_for()
        if folder := os.environ.get("CODEX_NB_PICTURES"):
            page.screenshot(path=Path(folder) / f"recorder-webview-{theme or 'frame'}.png")
        frame.get_by_role("button", name="Use the kernel's microphone").click()
        assert frame.locator("body").get_attribute("data-sent") == "listen"
    page.close()


# A frame as notebooks in VS Code have it: scripts, an origin of its own, no feature of the page around it.
WEBVIEW = """async ([script, style, theme]) => {
    document.body.replaceChildren();
    const frame = document.createElement('iframe');
    frame.setAttribute('sandbox', 'allow-scripts');
    frame.style.cssText = 'width: 720px; height: 380px; border: 0';
    const dark = theme ? 'background: #1f1f1f; color: #ccc; color-scheme: dark' : '';
    const model = `{ get: (name) => ({ shown: {}, language: '', kernel: true })[name], on() {}, off() {},
        send: (message) => (document.body.dataset.sent = message.kind) }`;
    frame.srcdoc = `<style>${style}</style><body ${theme && `data-vscode-theme-kind="${theme}"`} style="${dark}">
        <script type="module">${script.replace('export default', 'const widget =')}
        const own = widget(), model = ${model};
        own.initialize({ model });
        own.render({ model, el: document.body });</` + 'script>';
    document.body.append(frame);
}"""


def test_a_lost_page_and_a_dead_kernel(open_recorder, tmp_path):
    """A page opened anew takes up what the old one had sent; without a kernel the page keeps it and offers it."""
    opened = open_recorder("lost")
    page = opened.page
    page.on("dialog", lambda dialog: dialog.accept())
    opened.save()
    page.get_by_role("button", name="Record", exact=True).click()
    stage(opened, "recording")
    time.sleep(2)
    page.reload()
    opened.ready()
    stage(opened, "lost")
    picture(opened, "lost-page")
    page.get_by_role("button", name="Transcribe it").click()
    stage(opened, "done")
    (path,) = tmp_path.glob("*.webm")
    assert decoded_seconds(path) > 1
    page.get_by_label("Play").click()
    page.wait_for_function("() => document.querySelector('.codex-nb-recorder audio').currentTime > 0.3")
    page.get_by_role("button", name="Record anew").click()
    stage(opened, "recording")
    time.sleep(1)
    opened.evaluate(
        "panel.sessionContext.session.kernel.requestExecute({code: 'import os; os.kill(os.getpid(), 9)'}); return null"
    )
    time.sleep(2)
    page.locator(".codex-nb-recorder").evaluate("root => root.querySelector('.record').click()")
    stage(opened, "silent")
    page.wait_for_function("() => document.querySelector('.codex-nb-recorder .at').textContent === '0:00 / 0:03'")
    picture(opened, "dead-kernel")
    with page.expect_download() as download:
        page.locator(".codex-nb-recorder").evaluate(
            "root => [...root.querySelectorAll('button')].find(b => b.textContent === 'Download').click()"
        )
    kept = decoded_seconds(download.value.path())
    (part,) = tmp_path.glob("*.part")
    assert kept > 2
    assert kept >= decoded_seconds(part) > 0.4
    opened.run(0)  # by the kernel that Jupyter started anew
    opened.run(1)
    stage(opened, "done")
    (again,) = set(tmp_path.glob("*.webm")) - {path}
    assert decoded_seconds(again) == kept
    assert likeness(page.get_by_label("Transcript").input_value(), TRUTH) > 0.4
