"""A question for each row of a frame: ``frame.codex.map``."""
