"""Any sound that a notebook holds, made ready for the service. Nothing here knows the network."""

from codex_nb.audio.clip import Clip, Limits
from codex_nb.audio.containers import Container
from codex_nb.audio.prepare import prepare, samples
from codex_nb.audio.sniff import sniff

__all__ = ["Clip", "Container", "Limits", "prepare", "samples", "sniff"]
