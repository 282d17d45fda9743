"""Tables of what the service tells, as pandas DataFrames. An empty table has the columns and dtypes of a full one.

Each builder uses the shared session, or the one given as ``session``.
"""

import sys

from codex_nb.frames import accessor as accessor  # `.codex` on every frame
from codex_nb.frames.account import models, usage
from codex_nb.frames.calls import calls
from codex_nb.frames.cli import cli_sessions, cli_tokens
from codex_nb.frames.diffs import diffs
from codex_nb.frames.forecast import forecast
from codex_nb.frames.history import usage_history
from codex_nb.frames.places import environments, memories
from codex_nb.frames.tasks import task, tasks, turns
from codex_nb.frames.transcripts import transcripts
from codex_nb.frames.vectors.embeddings import embeddings

__all__ = [
    "calls",
    "cli_sessions",
    "cli_tokens",
    "diffs",
    "embeddings",
    "environments",
    "forecast",
    "memories",
    "models",
    "task",
    "tasks",
    "transcripts",
    "turns",
    "usage",
    "usage_history",
]

if "dask.dataframe" in sys.modules:
    from codex_nb.frames import dask as dask  # `.codex` on its frames, too
