"""Session descriptions of WebRTC: the answer that a media server would give to an offer."""

from __future__ import annotations

import hashlib
from typing import Final

TURNED: Final = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
# Attributes of a section that an answer repeats as they are.
REPEATED: Final = ("mid", "sctp-port", "max-message-size", "rtcp-mux", "rtpmap", "fmtp", "rtcp-fb", "extmap")


def answer_to(offer: str) -> str | None:
    """Return the answer to an offer, None for a text that is none. The same offer has the same answer."""
    lines = [line for line in offer.replace("\r\n", "\n").split("\n") if line]
    if not lines or lines[0] != "v=0" or not any(line.startswith("m=") for line in lines):
        return None
    if any(len(line) < 2 or line[1] != "=" for line in lines):
        return None
    digest = hashlib.sha256(offer.encode()).hexdigest()
    starts = [at for at, line in enumerate(lines) if line.startswith("m=")]
    ends = [*starts[1:], len(lines)]
    answer = ["v=0", f"o=- {int(digest[:12], 16)} 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    answer += [line for line in lines[: starts[0]] if line.startswith(("a=group:", "a=msid-semantic"))]
    for start, end in zip(starts, ends, strict=True):
        answer += _section(lines[start:end], digest)
    return "\r\n".join([*answer, ""])


def _section(lines: list[str], digest: str) -> list[str]:
    found = [*lines[:1], "c=IN IP4 127.0.0.1"]
    for line in lines[1:]:
        name, _, value = line.removeprefix("a=").partition(":")
        if not line.startswith("a="):
            continue
        if name in TURNED:
            found.append(f"a={TURNED[name]}")
        elif name == "setup":
            found.append(f"a=setup:{'passive' if value == 'active' else 'active'}")
        elif name in REPEATED:
            found.append(line)
    fingerprint = ":".join(digest[at : at + 2].upper() for at in range(0, 64, 2))
    return [*found, f"a=ice-ufrag:{digest[:8]}", f"a=ice-pwd:{digest[8:32]}", f"a=fingerprint:sha-256 {fingerprint}"]
