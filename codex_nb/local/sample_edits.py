"""The changes that the made-up tasks have made: files added, changed and deleted."""

from __future__ import annotations

from typing import Final

from codex_nb.local.diffs import Edit

DATES: Final = Edit(
    "tests/test_dates.py",
    """\
import pytest
from datetime import date


def test_today():
    assert today() == date.today()
""",
    """\
import pytest
from datetime import date


def test_today():
    frozen = date(2026, 10, 24)
    with freeze(frozen):
        assert today() == frozen
""",
)
RETRY: Final = Edit(
    "src/widgets/retry.py",
    None,
    """\
import time


def retry(call, times=3, pause=0.2):
    for left in reversed(range(times)):
        try:
            return call()
        except OSError:
            if not left:
                raise
            time.sleep(pause)
            pause *= 2
""",
)
CLIENT: Final = Edit(
    "src/widgets/client.py",
    """\
import httpx


def fetch(url):
    return httpx.get(url).json()
""",
    """\
import httpx

from widgets.retry import retry


def fetch(url):
    return retry(lambda: httpx.get(url, timeout=10).json())
""",
)
# Two other ways to the same end, as attempts beside the first.
RETRY_UNTIL: Final = Edit(
    "src/widgets/retry.py",
    None,
    """\
import time


def retry(call, seconds=10.0, pause=0.2):
    until = time.monotonic() + seconds
    while True:
        try:
            return call()
        except OSError:
            if time.monotonic() + pause > until:
                raise
            time.sleep(pause)
""",
)
TRANSPORT: Final = Edit(
    "src/widgets/client.py",
    CLIENT.before,
    """\
import httpx

client = httpx.Client(transport=httpx.HTTPTransport(retries=3), timeout=10)


def fetch(url):
    return client.get(url).json()
""",
)
# Lines that look like a diff's own once their sign stands before them.
LEGACY: Final = Edit("src/widgets/legacy.sql", "-- kept for 1.x\nSELECT 1;\n-- and this\nSELECT 0;\n", None)
README: Final = Edit(
    "README.md",
    "# Widgets\n\nA library",
    "# Widgets\n\nA library of widgets.\n\n++ and -- both work.\n",
)
ATLAS: Final = Edit(
    "atlas/projection.py",
    "from math import cos, radians\n\n\ndef scale(latitude):\n    return cos(latitude)\n",
    "from math import cos, radians\n\n\ndef scale(latitude):\n    return cos(radians(latitude))\n",
)
ATLAS_TEST: Final = Edit(
    "tests/test_projection.py",
    None,
    """\
from math import isclose

from atlas.projection import scale


def test_scale_at_sixty_degrees():
    assert isclose(scale(60), 0.5)
""",
)
LABELS: Final = Edit("atlas/labels.py", 'CITY = "Lodz"\n', 'CITY = "Łódź"\n')
