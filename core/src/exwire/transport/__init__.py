"""The socket seam: how frames come in and go out. Each name is loaded when it is first used, so nothing here costs asyncio at import."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exwire.transport.choice import create_transport as create_transport
    from exwire.transport.scripted import ScriptedTransport as ScriptedTransport
    from exwire.transport.seam import Receiver as Receiver
    from exwire.transport.seam import Transport as Transport

_HOMES = {
    "Receiver": "exwire.transport.seam",
    "ScriptedTransport": "exwire.transport.scripted",
    "Transport": "exwire.transport.seam",
    "create_transport": "exwire.transport.choice",
}

__all__ = ["Receiver", "ScriptedTransport", "Transport", "create_transport"]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'exwire.transport' has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
