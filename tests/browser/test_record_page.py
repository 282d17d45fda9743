"""``codex-nb record`` in a real browser whose microphone plays human speech."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from codex_nb.local import LocalBackend, Script
from tests.browser.test_recorder import HEAR, SAID, SHOWN, chromium, decoded_seconds  # noqa: F401

RECORDER = ".codex-nb-recorder"


@pytest.fixture
def record(tmp_path):
    """A running command and the address that it shows."""
    with LocalBackend(Script(transcripts=[SAID] * 3)) as backend:
        command = [sys.executable, "-m", "codex_nb.cli", "record", "--no-browser", "--language", "en"]
        process = subprocess.Popen(
            [*command, "-b", backend.url, "--bearer", "made-up", "--save", str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        process.url = re.search(r"http://\S+", process.stderr.readline())[0]
        process.backend = backend
        yield process
        process.kill()
        process.communicate()


def open_page(browser, url, *, dark=False):
    """Return the page at an address, with what its console complained of."""
    page = browser.new_context(
        color_scheme="dark" if dark else "light", viewport={"width": 800, "height": 600}
    ).new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
    page.goto(url)
    page.wait_for_selector(SHOWN.format("idle"), timeout=30_000)
    return page


def picture(page, name):
    """Keep what is shown for people to look at."""
    if folder := os.environ.get("CODEX_NB_PICTURES"):
        page.screenshot(path=Path(folder) / f"page-{name}.png")


def test_record_on_a_page_of_its_own(chromium, record, tmp_path):  # noqa: F811
    """Recorded, on the disk, transcribed: the text stands in the page, in a file and on standard output."""
    page = open_page(chromium, record.url)
    assert page.url.endswith("/")
    picture(page, "light-1-idle")
    page.keyboard.press(" ")
    page.wait_for_selector(SHOWN.format("recording"))
    time.sleep(2)
    (part,) = tmp_path.glob("*.webm.part")
    assert decoded_seconds(part) > 0.5
    picture(page, "light-2-recording")
    page.keyboard.press(" ")
    page.wait_for_selector(SHOWN.format("done"))
    assert page.get_by_label("Transcript").input_value() == SAID
    assert not page.get_by_role("button", name="Ask Codex").is_visible()
    assert record.stdout.readline() == f"{SAID}\n"
    (path,) = tmp_path.glob("*.webm")
    assert path.with_suffix(".txt").read_text() == f"{SAID}\n"
    assert b'name="language"\r\n\r\nen\r\n' in record.backend.requests[-1].content
    picture(page, "light-3-done")
    page.emulate_media(color_scheme="dark")
    page.reload()  # the cookie is enough; what was recorded is still there to be heard
    page.wait_for_selector(SHOWN.format("done"))
    picture(page, "dark-4-reloaded")
    page.get_by_label("Play").click()
    page.wait_for_function("() => document.querySelector('.codex-nb-recorder audio').currentTime > 0.3")
    assert page.complaints == []
    check_that_nobody_else_is_let_in(record, page)
    record.send_signal(2)
    assert record.wait(20) == 0
    page.get_by_text("The recorder has ended").wait_for()
    page.context.close()


def check_that_nobody_else_is_let_in(record, page):
    """Not by the address, which is used up; not under another name; not from another page of this machine."""
    address = record.url.partition("?")[0]
    (cookie,) = page.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    ours = {"Cookie": f"{cookie['name']}={cookie['value']}", "Origin": address.rstrip("/")}
    message = {"message": '{"kind": "begin", "id": "ab"}'}

    def status(path, method="GET", **headers):
        return httpx.request(method, address + path, headers=headers, params=message).status_code

    assert httpx.get(record.url).status_code == 403
    assert status("recorder.js") == status("state") == 403
    assert status("messages", "POST", Origin=ours["Origin"]) == 403
    assert status("messages", "POST", **{**ours, "Origin": "http://127.0.0.1:1"}) == 403
    assert status("messages", "POST", Cookie=ours["Cookie"]) == 403
    assert status("recorder.js", Cookie=ours["Cookie"], Host="evil.example") == 403
    assert status("page.html", Cookie=ours["Cookie"]) == 404
    assert httpx.post(f"{address}messages", headers=ours, params={"message": "[]"}).status_code == 400
    assert httpx.post(f"{address}messages", headers=ours, params=message, content=b"x" * 2_000_000).status_code == 413
    page_headers = httpx.get(address, headers=ours).headers
    assert "script-src 'self'" in page_headers["Content-Security-Policy"]
    assert not {name for name in page_headers if name.startswith("access-control")}


def test_a_failed_transcription_is_told_on_both_sides(chromium, record, tmp_path):  # noqa: F811
    """The page offers another try; the terminal names the file."""
    from codex_nb.local import Fault

    record.backend.inject(Fault.cloudflare(path="/backend-api/transcribe"))
    page = open_page(chromium, record.url, dark=True)
    page.get_by_role("button", name="Record").click()
    page.wait_for_selector(SHOWN.format("recording"))
    time.sleep(1)
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector(SHOWN.format("failed"))
    picture(page, "dark-5-failed")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector(SHOWN.format("done"))
    record.send_signal(2)
    _, told = record.communicate(timeout=20)
    assert "Cloudflare" in told
    (path,) = tmp_path.glob("*.webm")
    assert f"It is kept in {path}." in told
    page.context.close()
