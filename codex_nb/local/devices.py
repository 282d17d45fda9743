"""Device sign-ins: codes that a person types into a page while the device asks again and again."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Outcome: TypeAlias = Literal["pending", "approved", "denied", "expired", "unknown"]

LIFETIME: Final = 900
INTERVAL: Final = 5
# Without letters and digits that look alike.
ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ23456789"


@dataclass(slots=True)
class Device:
    """One device that waits. ``redirect_uris`` are those that its code may be exchanged with."""

    id: str = field(repr=False)
    user_code: str
    ends: float
    redirect_uris: tuple[str, ...]
    outcome: Outcome = "pending"
    polls: int = 0
    verifier: str = field(default="", repr=False)
    code: str = field(default="", repr=False)


class Devices:
    """The devices that have asked. Thread-safe.

    With ``enabled`` false the service says that device sign-in is not allowed. ``interval`` is in whole seconds
    between two questions, ``lifetime`` in seconds until a code is worthless; both hold for later codes.
    """

    def __init__(self) -> None:
        self.enabled = True
        self.interval = INTERVAL
        self.lifetime: float = LIFETIME
        self._lock = threading.Lock()
        self._devices: dict[str, Device] = {}

    def all(self) -> list[Device]:
        """Return every device in the order of asking."""
        with self._lock:
            return list(self._devices.values())

    def begin(self, *redirect_uris: str) -> Device:
        """Take in a device."""
        letters = "".join(secrets.choice(ALPHABET) for _ in range(9))
        device = Device(
            f"deviceauth_{secrets.token_hex(16)}",
            f"{letters[:4]}-{letters[4:]}",
            time.time() + self.lifetime,
            redirect_uris,
        )
        with self._lock:
            self._devices[device.id] = device
        return device

    def poll(self, device_id: str, user_code: str) -> tuple[Device | None, Outcome]:
        """Count a question, and return the device with its state."""
        with self._lock:
            device = self._devices.get(device_id)
            if device is None or device.user_code != user_code:
                return None, "unknown"
            device.polls += 1
            return device, self._outcome(device)

    def decide(self, user_code: str, *, allow: bool) -> Outcome:
        """Approve or deny the device that shows a code, as typed; return its state then."""
        typed = user_code.strip().upper()
        with self._lock:
            device = next((each for each in self._devices.values() if each.user_code == typed), None)
            if device is None:
                return "unknown"
            if self._outcome(device) == "pending":
                device.outcome = "approved" if allow else "denied"
            return self._outcome(device)

    def _outcome(self, device: Device) -> Outcome:
        return "expired" if device.outcome == "pending" and device.ends <= time.time() else device.outcome
