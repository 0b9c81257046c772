"""Events and lifecycle as lines for people."""

from __future__ import annotations

from datetime import UTC, datetime

from exwire.lifecycle import BookInvalid, BookLive, Connected, Discarded, Disconnected, Gap, Lifecycle, Notice, Rejected, Subscribed
from exwire.model import BookDelta, BookSnapshot, BookTicker, Candle, Event, Trade

__all__ = ["event_line", "lifecycle_line"]


def event_line(event: Event) -> str:
    """Return one line: receipt time (UTC; the venue's time for what was never received), venue, symbol, type, numbers."""
    time = datetime.fromtimestamp((event.ts_recv or event.ts_event) // 1_000_000 / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    return f"{time} {event.venue} {event.symbol} {_words(event)}"


def _words(event: Event) -> str:
    if isinstance(event, Trade):
        return f"trade {event.side} {_number(event.qty)} @ {_number(event.price)}"
    if isinstance(event, BookTicker):
        return f"book_ticker bid {_level(event.bid_price, event.bid_qty)} ask {_level(event.ask_price, event.ask_qty)}"
    if isinstance(event, BookSnapshot):
        best = " ".join(f"{name} {_level(*side[0])}" for name, side in (("bid", event.bids), ("ask", event.asks)) if side)
        return f"book_snapshot id {event.last_id}, {len(event.bids)}+{len(event.asks)} levels {best}".rstrip()
    if isinstance(event, BookDelta):
        return f"book_delta ids {event.first_id}-{event.last_id}, {len(event.bids)}+{len(event.asks)} levels"
    if isinstance(event, Candle):
        prices = " ".join(_number(each) for each in (event.open, event.high, event.low, event.close))
        return f"candle {event.interval} open, high, low, close {prices}" + (" closed" if event.closed else "")
    return f"ticker last {_number(event.last)} change {event.change:+.2%} volume {_number(event.base_volume)}"


def lifecycle_line(event: Lifecycle) -> str:
    """Return what happened to a connection, without the time."""
    return f"{event.venue}: {_happening(event)}"


def _happening(event: Lifecycle) -> str:
    if isinstance(event, Connected):
        return f"connected to {event.url}" + (f", for the {event.opens}. time" if event.opens > 1 else "")
    if isinstance(event, Subscribed):
        return "confirmed " + ", ".join(f"{sub.channel} {sub.symbol}" for sub in event.subs)
    if isinstance(event, Rejected):
        return "refused " + ", ".join(f"{each.sub.channel} {each.sub.symbol} ({each.code} {each.message})" for each in event.refusals)
    if isinstance(event, Gap):
        return f"events of {'all symbols' if event.symbol == '*' else event.symbol} may be missing here: {event.reason}"
    if isinstance(event, Discarded):
        return f"{event.count} events were thrown away, because they were read too slowly"
    if isinstance(event, Notice):
        return f"announces {event.kind}: {event.message}"
    if isinstance(event, Disconnected):
        return event.reason + (f"; trying again in {event.retry_in_s:.1f} s" if event.retry_in_s is not None else "; not trying again")
    if isinstance(event, BookLive):
        return f"the book of {event.symbol} is live at {event.last_id}, after {event.not_live_s:.3f} s"
    if isinstance(event, BookInvalid):
        return f"the book of {event.symbol} is {event.state}: {event.reason}"
    return f"{event.count} frames could not be understood so far: {event.reason}"


def _level(price: float | None, qty: float) -> str:
    return "none" if price is None else f"{_number(price)} x {_number(qty)}"


def _number(value: float) -> str:
    return f"{value:.12g}"
