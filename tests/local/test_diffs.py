"""Diffs that git accepts, and their counts."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb.local.diffs import Edit, diff_of, stats_of
from codex_nb.local.sample_edits import ATLAS, ATLAS_TEST, CLIENT, DATES, LABELS, LEGACY, README, RETRY

SAMPLES = [ATLAS, ATLAS_TEST, CLIENT, DATES, LABELS, LEGACY, README, RETRY]
LINES = st.lists(st.sampled_from(["x", "-- y", "++ z", "@@ -1 +1 @@", "diff --git a/x b/x", ""]), max_size=6)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("edits", [[each] for each in SAMPLES] + [SAMPLES])
def test_git_applies_them(tmp_path, edits):
    """Added, changed and deleted files, with and without a last newline."""
    for edit in edits:
        if edit.before is not None:
            (tmp_path / edit.path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / edit.path).write_bytes(edit.before.encode())
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=diff_of(edits).encode(), check=True)
    for edit in edits:
        path = tmp_path / edit.path
        assert (path.read_bytes().decode() if path.exists() else None) == edit.after


@given(LINES, LINES)
def test_counts_explain_the_difference(before, after):
    """Lines added less lines removed are how much longer a file is, whatever its lines look like."""
    edit = Edit("f.txt", *("".join(f"{line}\n" for line in lines) for lines in (before, after)))
    stats = stats_of(edit.diff())
    assert stats["files_modified"] == 1
    assert stats["lines_added"] - stats["lines_removed"] == len(after) - len(before)


def test_counts_of_several_files():
    """Signs within lines do not count twice."""
    assert stats_of(diff_of([LEGACY, README])) == {"files_modified": 2, "lines_added": 3, "lines_removed": 5}
    assert stats_of("") == {"files_modified": 0, "lines_added": 0, "lines_removed": 0}
