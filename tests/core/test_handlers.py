"""The template from a frame to a callback."""

from __future__ import annotations

import logging

import pytest

from exwire.errors import KEPT_FRAME_BYTES, DecodeError
from exwire.handlers import AnySymbol
from exwire.model import Trade
from toy import ToyHandler

TRADE = b'{"topic":"trades BTC-USDT"}'


@pytest.fixture
def handler() -> ToyHandler:
    handler = ToyHandler()
    handler.symbols["BTC-USDT"] = "BTC/USDT"
    return handler


def test_a_frame_is_counted_and_handled(handler: ToyHandler) -> None:
    seen: list[Trade] = []
    handler.on_trade = seen.append
    handler.feed(TRADE, True, 7)

    assert (handler.frames, seen[0].ts_recv) == (1, 7)


def test_one_frame_in_sixty_four_is_timed(handler: ToyHandler) -> None:
    for _ in range(640):
        handler.feed(TRADE, True, 1)

    assert handler.handling.count == 10


def test_an_unset_callback_is_a_no_op(handler: ToyHandler) -> None:
    handler.feed(TRADE, True, 1)

    assert (handler.decode_errors, handler.callback_errors) == (0, 0)


def test_the_last_sixteen_bad_frames_are_kept_each_up_to_64_kib(handler: ToyHandler) -> None:
    errors: list[DecodeError] = []
    handler.on_error = errors.append
    for number in range(20):
        handler.feed(b"%d" % number + b"x" * 100_000, True, 1)

    assert len(errors) == handler.decode_errors == 20
    assert [error.frame[:2] for error in handler.errors] == [b"%dx" % number if number < 10 else b"%d" % number for number in range(4, 20)]
    assert {len(error.frame) for error in handler.errors} == {KEPT_FRAME_BYTES}
    assert handler.errors[-1].size == 100_002


def test_a_callback_that_keeps_raising_is_reported_ever_more_rarely(handler: ToyHandler, caplog: pytest.LogCaptureFixture) -> None:
    """The 1st, 2nd, 4th … time: a broken callback at 10,000 messages a second must not fill the disk."""

    def fragile(_: Trade) -> None:
        raise ZeroDivisionError

    handler.on_trade = fragile
    with caplog.at_level(logging.ERROR, logger="exwire"):
        for _ in range(100):
            handler.feed(TRADE, True, 1)

    assert handler.callback_errors == 100
    assert [record.args[2] for record in caplog.records if isinstance(record.args, tuple)] == [1, 2, 4, 8, 16, 32, 64]


def test_without_a_subscription_every_symbol_of_the_form_can_be_accepted() -> None:
    handler = ToyHandler()
    symbols = AnySymbol(handler.symbol)

    assert symbols["ETH-USDT"] == "ETH/USDT"
    assert len(symbols) == 0, "what is met is not kept"


def test_a_symbol_without_the_form_is_unknown_even_then() -> None:
    def refuse(_: str) -> str:
        raise ValueError

    with pytest.raises(KeyError):
        AnySymbol(refuse)["?"]
