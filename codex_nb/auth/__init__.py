"""Who you are: the login that the Codex CLI keeps, and how a request carries it."""
