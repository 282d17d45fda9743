"""Speech recognition for other programs: the Whisper-compatible REST server, and the command line of files."""
