"""Realtime calls (``session.realtime``), and what a program needs to open a realtime socket of its own."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlencode

from codex_nb.auth.bearer import LoginAuth
from codex_nb.client._faces import F, Resource, endpoint
from codex_nb.errors import InvalidOption, MalformedStream, NotSignedIn, UnsupportedParameter
from codex_nb.types.realtime import RealtimeCall
from codex_nb.wire.call import Call, Flow

if TYPE_CHECKING:
    from codex_nb.client._core import Core
    from codex_nb.wire.call import Reply

__all__ = ["Realtime", "RealtimeCalls", "RealtimeSockets"]

SDP: Final = "application/sdp"
# What the present form of the endpoint is asked with.
QUERY: Final = {"intent": "quicksilver", "architecture": "avas"}
OLDER_SESSION: Final = "quicksilver"
ID_ALLOWED: Final = re.compile(r"[\w-]{1,200}", re.ASCII)


class RealtimeCalls(Resource[F]):
    """``session.realtime.calls``."""

    @endpoint
    def create(
        self,
        *,
        sdp: str,
        session: Mapping[str, Any] | object | None = None,
        extra_headers: Mapping[str, str] | None = None,
        extra_query: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
    ) -> Flow[RealtimeCall]:
        """Send a WebRTC offer; return the answer (``.text``, ``.content``) and the call's id (``.call_id``).

        Without ``session`` the offer goes alone. With one (a dict or a pydantic model: model, instructions, audio …)
        it goes in the service's present form; fields of ``extra_body`` stand beside ``sdp``. That a call is created
        does not say that the account may use it: the data channel tells.

        Raises:
            BadRequestError: the service does not understand the offer, or does not know the model or a field.
            UnsupportedParameter: the session has an ``id``; the service gives it.
            MalformedStream: the reply is no SDP answer, or does not name the call.

        """
        if not sdp:
            raise InvalidOption("sdp is empty.", hint="Pass the offer of a peer connection.")
        headers, query = {"accept": SDP}, dict[str, str]()
        if session is None and not extra_body:
            described: dict[str, Any] = {"content": _Whole(sdp.encode("utf-8", "replace"))}
            headers["content-type"] = SDP
        else:
            described = {"json": {"sdp": sdp, **(extra_body or {})}}
        if session is not None:
            described["json"]["session"] = asked = _plain(session)
            headers |= self._present(asked)
            query |= QUERY
        reply: Reply = yield Call(
            "POST",
            "codex/realtime/calls",
            params={**query, **(extra_query or {})} or None,
            headers={**headers, **{name.lower(): value for name, value in (extra_headers or {}).items()}},
            **described,
        )
        return _call(reply)

    def _present(self, session: Mapping[str, Any]) -> dict[str, str]:
        """Return the headers that the present form needs."""
        version = "v1" if session.get("type") == OLDER_SESSION else "v2"
        who = str(uuid.uuid4())
        return {"openai-alpha": f"quicksilver={version}", "session-id": who, "thread-id": who}


class Realtime(Resource[F]):
    """``session.realtime``."""

    @cached_property
    def calls(self) -> RealtimeCalls[F]:
        """Voice calls by WebRTC."""
        return RealtimeCalls(self._core, self._driver)


class RealtimeSockets:
    """What a program needs to open a realtime socket by itself; a part of both faces."""

    _core: Core

    def realtime_websocket_url(self, *, model: str) -> str:
        """Return the address of the realtime socket for ``model``.

        Raises:
            UnsupportedByBackend: the backend has no platform part.

        """
        if not model:
            raise InvalidOption("model is empty.", hint="Name a realtime model.")
        address = self._core.settings.backend.url("platform/realtime")
        return f"ws{address.removeprefix('http')}?{urlencode({'model': model})}"

    def realtime_websocket_headers(self, *, session_id: str | None = None) -> dict[str, str]:  # noqa: ARG002 - the name is the contract
        """Return the headers for the realtime socket. They hold the platform key: do not show them.

        ``session_id`` is taken for compatibility and says nothing.

        Raises:
            NotSignedIn: no platform key is stored with the login.

        """
        auth = self._core.transport.auth
        key = auth.api_key() if isinstance(auth, LoginAuth) else None
        if key is None:
            raise NotSignedIn(
                "A realtime socket needs a platform key, and none is stored with the login.",
                hint="Sign in again (session.login() asks for one), or open Session(auth=Bearer(...)) with a key.",
                reason="no_api_key",
            )
        return {"Authorization": f"Bearer {key}", "OpenAI-Beta": "realtime=v1"}


@dataclass(frozen=True, slots=True)
class _Whole:
    """A short body that is no JSON."""

    content: bytes = field(repr=False)

    @property
    def size(self) -> int:
        return len(self.content)

    def chunks(self) -> Iterator[bytes]:
        yield self.content


def _plain(session: Any) -> dict[str, Any]:
    """Return a session as JSON values."""
    if hasattr(session, "model_dump"):
        session = session.model_dump(mode="json", exclude_unset=True)
    if not isinstance(session, Mapping):
        raise InvalidOption("session is no dict and no pydantic model.", hint='Example: {"model": "gpt-live-1-codex"}.')
    found = dict(cast("Mapping[str, Any]", session))
    if found.get("id") is not None:
        raise UnsupportedParameter(
            "The service gives a realtime session its id.", hint="Leave it out of session.", parameter="session.id"
        )
    return found


def _call(reply: Reply) -> RealtimeCall:
    if not reply.content.lstrip().startswith(b"v="):
        raise MalformedStream(
            "The service answered with something that is no SDP answer.",
            hint="Check the backend's address, and whether a proxy or sign-in page is in the way.",
            content_type=reply.headers.get("content-type", ""),
        )
    name = reply.headers.get("location", "").partition("?")[0].rpartition("/")[2]
    if not ID_ALLOWED.fullmatch(name) or not (_is_uuid(name) or (name.startswith("rtc_") and name != "rtc_")):
        raise MalformedStream(
            "The service opened a call and does not say its id.",
            hint="The service may have changed; look for a newer codex_nb.",
            content_type=reply.headers.get("content-type", ""),
        )
    return RealtimeCall(name, reply.content)


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
