"""Tables of what the service tells, as pandas DataFrames. An empty table has the columns and dtypes of a full one.

Each builder uses the shared session, or the one given as ``session``.
"""

from codex_nb.frames.account import models, usage

__all__ = ["models", "usage"]
