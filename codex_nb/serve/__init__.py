"""Speech recognition for other programs: the Whisper-compatible REST server, and the command line of files."""

from codex_nb.serve.config import ServerConfig
from codex_nb.serve.running import Running, start

__all__ = ["Running", "ServerConfig", "start"]
