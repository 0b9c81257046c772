"""Which transport a connection gets."""

from __future__ import annotations

import logging
from importlib.util import find_spec

from exwire.config import TransportChoice, flag
from exwire.errors import ConfigError, UnknownNameError
from exwire.transport.seam import Transport

__all__ = ["create_transport"]

_log = logging.getLogger("exwire.transport")


def create_transport(choice: str | None = None) -> Transport:
    """Return a transport that is not open yet.

    choice: a value of ``TransportChoice``, None for what ``EXWIRE_TRANSPORT`` says. Raises UnknownNameError for other values, ConfigError
    when the chosen library is missing or of an unsupported version.
    """
    chosen = flag("EXWIRE_TRANSPORT", TransportChoice, TransportChoice.AUTO) if choice is None else _parse(choice)
    if chosen is TransportChoice.PICOWS:
        return _picows()
    if chosen is TransportChoice.AUTO and find_spec("picows") is not None:
        try:
            return _picows()
        except ConfigError as error:
            _log.info("%s; using websockets instead", error)
    from exwire.transport.websockets import WebSocketsTransport  # noqa: PLC0415 - only the chosen library is loaded

    return WebSocketsTransport()


def _picows() -> Transport:
    from exwire.transport.picows import PicowsTransport  # noqa: PLC0415 - only the chosen library is loaded

    return PicowsTransport()


def _parse(choice: str) -> TransportChoice:
    try:
        return TransportChoice(choice.strip().lower())
    except ValueError:
        raise UnknownNameError("transport", choice, [each.value for each in TransportChoice]) from None
