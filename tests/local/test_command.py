"""``codex-nb local`` in a process of its own."""

import argparse
import json
import signal
import subprocess
import sys

import httpx
import pytest

from codex_nb.local import command

MAIN = (
    "import argparse, sys; from codex_nb.local import command; p = argparse.ArgumentParser(); "
    "command.add_arguments(p); sys.exit(command.run(p.parse_args()))"
)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent differently there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(tmp_path, number):
    """It says where it listens and how to use it, serves, and ends without a traceback."""
    (tmp_path / "script.json").write_text(json.dumps({"turns": ["From a file."]}))
    argv = [sys.executable, "-c", MAIN, "--script", str(tmp_path / "script.json"), "--port", "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        first = process.stdout.readline()
        url = first.split("served at ")[1].split(",")[0]
        reply = httpx.post(
            url + "/v1/responses",
            json={"model": "gpt-5.5", "input": "x"},
            headers={"authorization": "Bearer x"},
            trust_env=False,
        )
        process.send_signal(number)
        process.wait(20)
        out, err = process.stdout.read(), process.stderr.read()
    assert reply.json()["output"][0]["content"][0]["text"] == "From a file."
    assert f'codex_nb.connect("{url}", auth=codex_nb.Bearer("local"))' in out
    assert "Codex CLI" in out
    assert (process.returncode, err) == (0, "")


@pytest.mark.parametrize(
    "argv",
    [
        ["--engine", "scripted", "--host", "192.168.1.5"],
        ["--script", "missing.json"],
        ["--engine", "llama", "--script", "x"],
        ["--engine", "scripted", "--port", "99999"],
    ],
)
def test_mistakes_are_one_line(capsys, argv):
    """What cannot be served is said in a sentence and a hint, with status 2."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert command.run(parser.parse_args(argv)) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
