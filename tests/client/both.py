"""Stories told on either face: one coroutine, in which the synchronous calls simply do not wait."""

import asyncio
import inspect
from contextlib import asynccontextmanager


def tell(face, backend, story, **options):
    """Run the coroutine function ``story`` on a session's face; return what it returns."""
    if face.name == "sync":
        return face.run(backend, lambda session: asyncio.run(story(session)), **options)
    return face.run(backend, story, **options)


async def got(value):
    """Return the value, awaited where it must be."""
    return await value if inspect.isawaitable(value) else value


async def each(things):
    """Iterate in the way that ``things`` wants."""
    if hasattr(things, "__aiter__"):
        async for thing in things:
            yield thing
    else:
        for thing in things:
            yield thing


@asynccontextmanager
async def inside(stream):
    """Enter a stream in the way that it wants."""
    if hasattr(stream, "__aenter__"):
        async with stream:
            yield stream
    else:
        with stream:
            yield stream


def busy(one):
    """Return the connections of a session's face that neither wait in the pool nor are closed."""
    transport = one._core.transport
    clients = [transport._client, *transport._async_clients.values()]
    found = [c for client in clients if client for c in client._transport._pool.connections]
    return [c for c in found if not (c.is_idle() or c.is_closed())]
