"""Diffs are taken apart as git and patch understand them."""

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb.frames.diff_view import DiffView
from codex_nb.frames.patch import changes

RENAME = """\
diff --git a/old name.txt b/new name.txt
similarity index 90%
rename from old name.txt
rename to new name.txt
--- a/old name.txt
+++ b/new name.txt
@@ -1,2 +1,2 @@ def f():
 same
-a
+b
"""
TRICKY = """\
--- a/x.sql
+++ b/x.sql
@@ -1,3 +1,2 @@
--- a comment that goes
-diff --git a/no b/no
+++ an increment that comes
 @@ -1 +1 @@
"""
BINARY = """\
diff --git a/pic.png b/pic.png
new file mode 100644
index 0000000..1111111
Binary files /dev/null and b/pic.png differ
"""
DELETED = """\
diff --git a/x b/x
deleted file mode 100644
--- a/x
+++ /dev/null
@@ -1 +0,0 @@
-x
\\ No newline at end of file
"""
MODE = "diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n"
QUOTED = r"""diff --git "a/caf\303\251.txt" "b/caf\303\251.txt"
--- "a/caf\303\251.txt"
+++ "b/caf\303\251.txt"
@@ -1 +1 @@
-a
+b
"""


@pytest.mark.parametrize(
    ("diff", "facts"),
    [
        (RENAME, ("new name.txt", "old name.txt", "renamed", False, 1, 1)),
        (TRICKY, ("x.sql", None, "modified", False, 1, 2)),
        (BINARY, ("pic.png", None, "added", True, 0, 0)),
        (DELETED, ("x", None, "deleted", False, 0, 1)),
        (MODE, ("run.sh", None, "modified", False, 0, 0)),
        (QUOTED, ("café.txt", None, "modified", False, 1, 1)),
    ],
)
def test_a_file_of_a_diff(diff, facts):
    """Renamed, binary, deleted, quoted, or with lines that look like headers."""
    (change,) = changes(diff)
    assert (change.path, change.old_path, change.change, change.binary, change.added, change.removed) == facts
    assert change.text == diff


def test_files_of_one_diff_are_apart():
    """And together are the whole."""
    diff = RENAME + BINARY + DELETED + MODE + QUOTED
    found = changes(diff)
    assert [change.path for change in found] == ["new name.txt", "pic.png", "x", "run.sh", "café.txt"]
    assert "".join(change.text for change in found) == diff
    assert [change.path for change in changes(TRICKY + TRICKY)] == ["x.sql", "x.sql"]


@given(
    st.lists(st.tuples(*[st.lists(st.text(max_size=6).filter(lambda t: "\n" not in t), max_size=8)] * 2), max_size=4)
)
def test_lines_are_counted_as_difflib_made_them(pairs):
    """For any texts, marks and headers at their beginnings included; line ends of all kinds stay."""
    diff, wanted = "", []
    for number, (old, new) in enumerate(pairs):
        lines = [
            line if line.endswith("\n") else f"{line}\n"
            for line in difflib.unified_diff(
                [f"{line}\n" for line in old], [f"{line}\n" for line in new], f"a/{number}", f"b/{number}"
            )
        ]
        if lines:
            body = lines[2:]
            wanted.append((str(number), *(sum(line[0] == mark for line in body) for mark in "+-")))
            diff += "".join(lines)
    found = changes(diff)
    assert [(change.path, change.added, change.removed) for change in found] == wanted
    assert "".join(change.text for change in found) == diff


@given(st.text(max_size=200), st.sampled_from([RENAME, TRICKY, BINARY, QUOTED]), st.integers(0, 100))
def test_any_text_is_taken(text, diff, cut):
    """What is no diff changes nothing; torn ones neither break it nor reach the page unescaped."""
    torn = diff[:cut] + text + diff[cut:]
    found = changes(torn)
    html = DiffView([(change.path, 1, f"{change.text}<script>") for change in found])._repr_html_()
    assert "<script" not in html
