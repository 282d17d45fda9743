"""A login file on a scripted backend, and what the backend saw of it."""

import json
import stat

from codex_nb import CodexAuth

TOKEN_PATH = "/oauth/token"
EXTRA = {"a_key_of_tomorrow": {"kept": [1, None]}, "agent_identity": None}


class LoginFile:
    """``auth.json`` with keys that nobody here knows."""

    def __init__(self, folder, backend, *, lifetime=-10, **changes):
        self.path = folder / "auth.json"
        self.backend = backend
        self.sign_in(lifetime=lifetime, **changes)

    def sign_in(self, *, lifetime=-10, **changes):
        """Write a fresh login."""
        login = self.backend.auth_json(lifetime=lifetime)
        self.write({**login, **EXTRA, "tokens": {**login["tokens"], "login_owner_id": "owner", **changes}})

    def write(self, content):
        """Write the file as it is given."""
        self.path.write_text(json.dumps(content))
        self.path.chmod(0o600)

    @property
    def content(self):
        """The file's JSON."""
        return json.loads(self.path.read_bytes())

    @property
    def tokens(self):
        """The tokens in the file."""
        return self.content["tokens"]

    @property
    def auth(self):
        """A login that reads and renews the file."""
        return CodexAuth(self.path)

    def refuse(self, reason):
        """Let the refresh token fail."""
        self.backend.state.tokens.refuse(self.tokens["refresh_token"], reason)

    def assert_whole(self):
        """The file is JSON, for its owner alone, with the keys of others."""
        content = self.content
        assert {name: content[name] for name in EXTRA} == EXTRA
        assert content["tokens"]["login_owner_id"] == "owner"
        assert stat.S_IMODE(self.path.stat().st_mode) == 0o600

    def others(self):
        """What lies beside the file, except the lock."""
        return sorted(
            found.name for found in self.path.parent.iterdir() if found.name not in {"auth.json", "auth.lock"}
        )


def refreshes(backend):
    """Return the requests to the token endpoint."""
    return [request for request in backend.requests if request.path == TOKEN_PATH]


def asked(backend):
    """Return the other requests."""
    return [request for request in backend.requests if request.path != TOKEN_PATH]
