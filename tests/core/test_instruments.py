"""The instruments on disk: when they are used, when not, and that the disk can never hurt."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exwire.errors import TransportError
from exwire.instruments import load_instruments
from exwire.model import Instrument, InstrumentStatus

DAY_NS = 86_400 * 10**9


def instrument(symbol: str = "BTC/USDT", tick: str = "0.01") -> Instrument:
    base, _, quote = symbol.partition("/")
    return Instrument(
        venue="shop",
        symbol=symbol,
        venue_symbol=base + quote,
        base=base,
        quote=quote,
        status=InstrumentStatus.TRADING,
        tick_size=Decimal(tick),
        lot_size=Decimal("1E-8"),
        min_notional=Decimal(3),
    )


class Listing:
    """A venue that lists what it is given and counts how often it was asked."""

    def __init__(self, *listed: Instrument, base_url: str = "https://shop.invalid/api") -> None:
        self.base_url = base_url
        self.listed = list(listed) or [instrument()]
        self.asked = 0

    async def instruments(self) -> list[Instrument]:
        self.asked += 1
        return self.listed


class Unreachable(Listing):
    """A venue that does not answer."""

    async def instruments(self) -> list[Instrument]:
        raise TransportError("nobody answers")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that holds the files."""
    monkeypatch.setenv("EXWIRE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "instruments"


def only_file(cache: Path) -> Path:
    (file,) = cache.iterdir()
    return file


def edit(file: Path, **fields: object) -> None:
    """Change fields of a stored file."""
    content: dict[str, Any] = msgspec.json.decode(file.read_bytes())
    file.write_bytes(msgspec.json.encode(content | fields))


async def load(rest: Listing, **options: Any) -> dict[str, Instrument]:
    return dict(await load_instruments(rest, venue="shop", market="spot", **options))


async def test_the_second_program_does_not_ask_the_venue(cache: Path) -> None:
    """What it reads is what the first one heard, exact to the last digit."""
    first, second = Listing(instrument("BTC/USDT"), instrument("ETH/USDT", "0.10")), Listing()
    heard = await load(first)
    read = await load(second)

    assert read == heard == {"BTC/USDT": instrument("BTC/USDT"), "ETH/USDT": instrument("ETH/USDT", "0.10")}
    assert str(read["ETH/USDT"].tick_size) == "0.10"
    assert (first.asked, second.asked) == (1, 0)
    assert only_file(cache).name.startswith("shop-spot-")


async def test_refresh_asks_and_keeps_the_answer() -> None:
    """For whoever knows that the venue has news."""
    await load(Listing(instrument(tick="0.01")))
    refreshed = await load(Listing(instrument(tick="0.05")), refresh=True)

    assert refreshed["BTC/USDT"].tick_size == Decimal("0.05")
    assert await load(Listing()) == refreshed


@pytest.mark.parametrize("age_ns", [DAY_NS + 10**9, -60 * 10**9])
async def test_a_file_older_than_a_day_or_from_the_future_is_not_used(cache: Path, age_ns: int) -> None:
    """Tick sizes change; and a clock that was wrong says nothing about age."""
    await load(Listing(instrument(tick="0.01")))
    asked_at: int = msgspec.json.decode(only_file(cache).read_bytes())["asked_at"]
    edit(only_file(cache), asked_at=asked_at - age_ns)
    rest = Listing(instrument(tick="0.05"))

    assert (await load(rest))["BTC/USDT"].tick_size == Decimal("0.05")
    assert rest.asked == 1
    assert (await load(Listing()))["BTC/USDT"].tick_size == Decimal("0.05")


async def test_the_age_limit_is_the_callers(cache: Path) -> None:
    """An hour for one, a day for another."""
    await load(Listing())
    asked_at: int = msgspec.json.decode(only_file(cache).read_bytes())["asked_at"]
    edit(only_file(cache), asked_at=asked_at - DAY_NS // 2)
    strict, lax = Listing(), Listing()
    await load(lax)
    await load(strict, max_age_s=3600)

    assert (lax.asked, strict.asked) == (0, 1)


async def test_every_endpoint_and_market_has_its_own_file(cache: Path) -> None:
    """The rules of a test network, or of an exchange in a box, are never taken for those of the venue."""
    live, test = Listing(instrument(tick="0.01")), Listing(instrument(tick="0.5"), base_url="https://test.shop.invalid/api")
    await load(live)
    await load(test)
    futures = Listing(instrument("BTC/USDT:USDT"))
    await load_instruments(futures, venue="shop", market="futures")

    assert (test.asked, futures.asked) == (1, 1)
    assert (await load(live))["BTC/USDT"].tick_size == Decimal("0.01")
    assert (await load(test))["BTC/USDT"].tick_size == Decimal("0.5")
    assert len(list(cache.iterdir())) == 3


async def test_a_file_that_names_another_endpoint_is_not_used(cache: Path) -> None:
    """Somebody copied it there."""
    await load(Listing())
    edit(only_file(cache), base_url="https://elsewhere.invalid")
    rest = Listing()
    await load(rest)

    assert rest.asked == 1


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda file: file.write_bytes(b""),
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:-20]),
    "no JSON": lambda file: file.write_bytes(b"\x00\xff"),
    "bad text": lambda file: file.write_bytes(file.read_bytes().replace(b"BTC", b"B\xffC")),
    "null": lambda file: file.write_bytes(b"null"),
    "nested": lambda file: file.write_bytes(b"[" * 100_000),
    "another format": lambda file: edit(file, format=0),
    "unknown status": lambda file: file.write_bytes(file.read_bytes().replace(b'"trading"', b'"dancing"')),
    "a rule that is no number": lambda file: file.write_bytes(file.read_bytes().replace(b'"0.01"', b'"cheap"')),
    "writable by others": lambda file: file.chmod(0o666),
}


@pytest.mark.parametrize("damage", DAMAGE)
async def test_a_damaged_file_is_replaced_without_a_word(cache: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    """It costs one question to the venue, nothing else."""
    await load(Listing(instrument(tick="0.01")))
    DAMAGE[damage](only_file(cache))
    rest = Listing(instrument(tick="0.05"))

    assert (await load(rest))["BTC/USDT"].tick_size == Decimal("0.05")
    assert (await load(Listing()))["BTC/USDT"].tick_size == Decimal("0.05")
    assert not [record for record in caplog.records if record.levelname != "DEBUG"]


async def test_a_pipe_in_place_of_the_file_does_not_hold_us_up(cache: Path) -> None:
    """Opening one waits for a writer."""
    await load(Listing())
    file = only_file(cache)
    file.unlink()
    os.mkfifo(file)
    rest = Listing()
    await load(rest)

    assert rest.asked == 1
    assert stat.S_ISREG(file.stat().st_mode)


async def test_a_folder_in_place_of_the_file_leaves_nothing_behind(cache: Path) -> None:
    """It cannot be replaced, so there is no cache; nor is there rubbish."""
    await load(Listing())
    file = only_file(cache)
    file.unlink()
    file.mkdir()
    (file / "kept").touch()

    assert "BTC/USDT" in await load(Listing())
    assert only_file(cache) == file


async def test_a_disk_that_cannot_be_used_only_means_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only file system, no home, a full disk: the same."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("EXWIRE_CACHE_DIR", str(tmp_path / "file" / "below"))
    first, second = Listing(), Listing()
    await load(first)
    await load(second)

    assert (first.asked, second.asked) == (1, 1)


async def test_a_user_without_a_home_only_means_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Services often have none."""
    for name in ("EXWIRE_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "~")
    rest = Listing()
    await load(rest)
    await load(rest)

    assert rest.asked == 2


async def test_the_file_belongs_to_its_owner_alone(cache: Path) -> None:
    """Orders are rounded by what it says, so nobody else may write it."""
    await load(Listing())

    assert stat.S_IMODE(only_file(cache).stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.stat().st_mode) & 0o077 == 0


async def test_age_zero_leaves_the_disk_alone(cache: Path) -> None:
    """An exchange in a box lives no longer than the program."""
    rest = Listing()
    await load(rest, max_age_s=0)
    await load(rest, max_age_s=0)

    assert rest.asked == 2
    assert not cache.exists()


async def test_what_nobody_renewed_for_a_week_is_removed(cache: Path) -> None:
    """Endpoints come and go; what is not ours stays."""
    cache.mkdir(parents=True)
    old, note, young = cache / "shop-spot-0000.json", cache / "note.txt", cache / "shop-spot-1111.json"
    for file in (old, note, young):
        file.touch()
    for file in (old, note):
        os.utime(file, (1_000_000_000, 1_000_000_000))
    await load(Listing())

    assert not old.exists()
    assert note.exists()
    assert young.exists()


async def test_an_empty_list_is_not_kept(cache: Path) -> None:
    """A venue in maintenance would be empty for a day."""
    rest = Listing()
    rest.listed = []

    assert await load(rest) == {}
    assert not cache.exists()


async def test_a_venue_that_fails_is_not_hidden_by_an_old_file(cache: Path) -> None:
    """Rules beyond their age are not rules."""
    await load(Listing())
    edit(only_file(cache), asked_at=0)

    with pytest.raises(TransportError):
        await load(Unreachable())
