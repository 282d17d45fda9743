"""``%codex_transcribe`` with files, and `transcribe`, in a shell of this process."""

import os

import pandas as pd
import pytest
from IPython.utils.capture import capture_output

import codex_nb
from codex_nb.local import Fault
from codex_nb.types.audio import Transcript
from tests.client.test_transcriptions import DICTATION, sound

COLUMNS = ["source", "text", "duration", "route", "error"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with three recordings, which the kernel is in."""
    (tmp_path / "day 1").mkdir()
    for name, seconds in [("one.wav", 1), ("two.wav", 2), ("day 1/it's.wav", 3)]:
        (tmp_path / name).write_bytes(sound(seconds))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(shell, line):
    """Run ``%codex_transcribe``; return its value, what it printed and what it raised."""
    with capture_output() as captured:
        result = shell.run_cell(f"%codex_transcribe {line}")
    return result.result, captured.stdout, result.error_before_exec or result.error_in_exec


def test_one_file_gives_a_transcript(shell, backend, folder):
    """It is shown, and in ``_transcript`` and the named variable."""
    backend.state.engine.transcripts.append("Good morning.")
    found, _, error = run(shell, '"day 1/it\'s.wav" -l en --prompt "names: Ada" -o talk')
    assert error is None
    assert isinstance(found, Transcript)
    assert found is shell.user_ns["talk"] is shell.user_ns["_transcript"]
    assert str(found) == "Good morning."
    assert found.source == "day 1/it's.wav"
    content = backend.requests[-1].content
    assert b'name="language"\r\n\r\nen\r\n' in content
    assert b'name="prompt"\r\n\r\nnames: Ada\r\n' in content


def test_a_transcript_shows_itself_harmlessly(backend):
    """Its text is somebody's speech, or a hostile service's."""
    shown = Transcript(text="<script>alert(1)</script>\x1b[31m", source="<b>.wav", route="codex", duration=2)
    assert "<script>" not in shown._repr_html_()
    assert "&lt;b&gt;.wav, by codex, 2.0 s" in shown._repr_html_()
    assert "\x1b" not in repr(shown)


def test_options_may_stand_between_files(shell, backend, folder):
    """Wherever they are, files keep their order."""
    found, _, error = run(shell, "two.wav -l en one.wav --prompt Ada two.wav -q -o mixed")
    assert (found, error) == (None, None)
    assert list(shell.user_ns["mixed"]["source"]) == ["two.wav", "one.wav", "two.wav"]
    _, _, error = run(shell, "two.wav -l en one.wav --lang")
    assert "does not know '--lang'" in str(error)


def test_an_engine_of_the_notebook(shell, backend, folder):
    """A variable that is callable; the service is not asked."""
    shell.user_ns["my_model"] = lambda samples, language: f"{len(samples) / 16_000:.0f} seconds of {language}."
    found, _, error = run(shell, "two.wav -r local --engine my_model -l en")
    assert (error, found.text, found.route) == (None, "2 seconds of en.", "local")
    frame, _, error = run(shell, "one.wav two.wav -r local --engine my_model -l en")
    assert list(frame["text"]) == ["1 seconds of en.", "2 seconds of en."]
    _, _, error = run(shell, "two.wav -r local --engine nothing_here")
    assert "'nothing_here' is no engine" in str(error)
    assert backend.requests == []


def test_several_files_give_a_table(shell, backend, folder):
    """Patterns, names with blanks and quotes; a bad file is a row with its error, and stops nothing."""
    (folder / "bad.wav").write_bytes(b"")
    found, _, error = run(shell, '*.wav "day 1/it\'s.wav" missing.mp3 -q -o talks -j 2')
    assert error is None
    assert found is None
    frame = shell.user_ns["talks"]
    assert list(frame.columns) == COLUMNS
    assert list(frame["source"]) == ["bad.wav", "one.wav", "two.wav", "day 1/it's.wav", "missing.mp3"]
    assert list(frame["error"].isna()) == [False, True, True, True, False]
    assert list(frame["text"].isna()) == [True, False, False, False, True]
    assert "missing.mp3" in frame["error"].iloc[4]
    assert str(frame["duration"].dtype) == "timedelta64[us]"
    assert frame.attrs["codex_nb"]["source"] == "audio/transcriptions"
    assert len(backend.requests) == 3


def test_a_failing_request_is_a_row(shell, backend, folder):
    """The others go on."""
    backend.inject(Fault.cloudflare(path=DICTATION, skip=1))
    found, _, error = run(shell, "one.wav two.wav one.wav -j 1")
    assert error is None
    assert list(found["error"].isna()) == [True, False, True]
    assert "Cloudflare" in found["error"].iloc[1]
    assert "route=" in found["error"].iloc[1]


def test_no_files_give_a_table_of_the_same_form(backend):
    """Empty and full frames have the same columns and dtypes."""
    empty, full = codex_nb.transcribe([]), codex_nb.transcribe([sound(), sound(2)])
    pd.testing.assert_series_equal(empty.dtypes, full.dtypes)
    assert (len(empty), len(full)) == (0, 2)


def test_transcribe_from_python(backend, folder):
    """A path, bytes, an open file."""
    backend.state.engine.transcripts.extend(["One.", "Two.", "Three."])
    with (folder / "one.wav").open("rb") as file:
        found = [codex_nb.transcribe(each, language="en") for each in ("one.wav", sound(), file)]
    assert [each.text for each in found] == ["One.", "Two.", "Three."]
    assert [each.source for each in found] == ["one.wav", "audio", "one.wav"]


def test_variables_are_recordings_too(shell, backend, folder):
    """A name that is no file is looked for in the notebook."""
    shell.user_ns["take"] = sound()
    backend.state.engine.transcripts.append("From memory.")
    assert str(run(shell, "take")[0]) == "From memory."
    shell.user_ns["takes"] = [sound(), "one.wav"]
    assert list(run(shell, "takes")[0]["source"]) == ["audio", "one.wav"]


def test_transcripts_are_saved_as_text(shell, backend, folder):
    """One file a recording, and none is written over."""
    backend.state.engine.transcripts.extend(["First.", "Second."])
    run(shell, "one.wav --save texts -q")
    run(shell, "one.wav --save texts -q")
    assert (folder / "texts/one.txt").read_text() == "First.\n"
    assert (folder / "texts/one-2.txt").read_text() == "Second.\n"


def test_progress_is_shown_unless_quiet(shell, backend, folder):
    """A bar on standard error, gone at the end."""
    with capture_output() as captured:
        shell.run_cell("%codex_transcribe one.wav two.wav")
    assert "transcribing" in captured.stderr
    assert "0/2" in captured.stderr
    assert captured.stderr.rsplit("\r", 2)[1].strip() == ""
    with capture_output() as captured:
        shell.run_cell("%codex_transcribe one.wav two.wav -q")
    assert captured.stderr == ""


@pytest.mark.skipif(os.name == "nt", reason="a folder that is worked in stays")
def test_a_working_folder_that_is_gone_is_one_line(shell, backend, folder, monkeypatch):
    """A pattern counts from it."""
    (folder / "gone").mkdir()
    monkeypatch.chdir(folder / "gone")
    (folder / "gone").rmdir()
    _, _, error = run(shell, "*.wav")
    assert isinstance(error, codex_nb.InvalidOption)
    assert "working folder is gone" in error.message


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("*.flac", "No file matches *.flac", "folder"),
        ('"one.wav', "A quote is not closed", ""),
        ("one.wav --languge en", "does not know '--languge'", "--language"),
        ("one.wav -o 1x", "cannot be a variable's name", ""),
        ("one.wav -r nowhere", "no route 'nowhere'", "codex"),
        ("gone.wav", "gone.wav is not there", ""),
    ],
)
def test_mistakes_are_one_line(shell, backend, folder, line, message, hint):
    """Each says what it is about; nothing is sent."""
    _, _, error = run(shell, line)
    assert isinstance(error, codex_nb.CodexError)
    assert message in error.message
    assert hint in error.hint
    assert backend.requests == []


def test_help(shell):
    """Every option, with examples."""
    _, printed, error = run(shell, "-h")
    assert error is None
    assert "--route" in printed
    assert "examples:" in printed


def test_an_interrupt_keeps_the_table_so_far(shell, backend, folder, monkeypatch):
    """What is done is in ``_transcript``."""
    backend.state.engine.transcripts.extend(["First.", "Second."])
    from tqdm import tqdm

    def interrupt(self, n=1):
        raise KeyboardInterrupt

    monkeypatch.setattr(tqdm, "update", interrupt)
    _, _, error = run(shell, "one.wav two.wav -j 1 -o kept")
    assert isinstance(error, codex_nb.Stopped)
    assert list(shell.user_ns["_transcript"]["text"].dropna()) == ["First."]
    assert list(shell.user_ns["kept"]["error"].dropna()) == ["Not begun."]


def test_bare_samples_are_read_by_their_format(shell, backend, folder):
    """``--pcm`` says what the bytes do not."""
    (folder / "bare.pcm").write_bytes(b"\x00\x10\x00\xf0" * 8000)
    backend.state.engine.transcripts.append("One second.")
    found, _, error = run(shell, "bare.pcm --pcm 16000:1:s16le")
    assert error is None
    assert (str(found), found.duration) == ("One second.", 1.0)
    assert b'filename="bare.' in backend.requests[-1].content
    _, _, error = run(shell, "bare.pcm --pcm 16000:one")
    assert isinstance(error, codex_nb.CodexError)
