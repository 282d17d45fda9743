"""What a peer's script does with its scenes. Plain Python: nothing of us is in a peer's environment."""

import asyncio
import inspect
import json
import traceback


def play(scenes, *arguments):
    """Call every function with ``arguments``; print what each saw, or what it raised, as one line of JSON."""
    seen = {}
    for scene in scenes:
        try:
            result = scene(*arguments)
            seen[scene.__name__] = {"saw": asyncio.run(result) if inspect.isawaitable(result) else result}
        except Exception:  # noqa: BLE001 - it is told
            seen[scene.__name__] = {"raised": traceback.format_exc()}
    print(json.dumps(seen))
