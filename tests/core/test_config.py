"""What a user may set: endpoints, secrets, flags."""

from __future__ import annotations

import copy
import hashlib
import hmac
import pickle
from pathlib import Path

import msgspec
import pytest

from exwire.config import Credentials, Endpoints, Secret, TransportChoice, cache_dir, check_url, flag
from exwire.errors import ConfigError, UnknownNameError

VALUE = "s3cr3t-value"


@pytest.mark.parametrize(
    "url", ["wss://api.example/ws", "https://api.example", "ws://127.0.0.1:1/x", "http://localhost:8080", "ws://[::1]:5/"]
)
def test_secure_urls_and_plain_ones_on_this_machine_are_accepted(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url", ["ws://api.example/ws", "http://10.0.0.1/", "ftp://x/y", "nonsense", "wss://", "ws://127.0.0.1.evil.example/"]
)
def test_everything_else_is_refused(url: str) -> None:
    """TLS has no off switch outside 127.0.0.1."""
    with pytest.raises(ConfigError):
        Endpoints(ws={"spot": url})
    with pytest.raises(ConfigError):
        Endpoints(rest=url)


def test_a_secret_signs() -> None:
    assert Secret(VALUE).signer("sha512")(b"text") == hmac.new(VALUE.encode(), b"text", hashlib.sha512).hexdigest()


def test_a_secret_is_never_shown() -> None:
    secret = Secret(VALUE)
    credentials = Credentials("key", secret)

    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>40}", repr(credentials), str(vars(type(secret)))]
    assert not any(VALUE in each for each in shown)


@pytest.mark.parametrize("escape", [copy.copy, copy.deepcopy, pickle.dumps, msgspec.json.encode])
def test_a_secret_cannot_be_copied_or_serialised(escape: object) -> None:
    with pytest.raises(TypeError):
        escape(Secret(VALUE))  # type: ignore[operator]  # each of these takes one object


def test_an_unknown_digest_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="sha512"):
        Secret(VALUE).signer("sha521")


@pytest.mark.parametrize(
    ("value", "choice"),
    [
        ("", TransportChoice.AUTO),
        ("picows", TransportChoice.PICOWS),
        (" WebSockets ", TransportChoice.WEBSOCKETS),
        ("auto", TransportChoice.AUTO),
    ],
)
def test_a_flag_is_read_from_the_environment(value: str, choice: TransportChoice) -> None:
    assert flag("EXWIRE_TRANSPORT", TransportChoice, TransportChoice.AUTO, {"EXWIRE_TRANSPORT": value}) is choice


def test_an_unknown_flag_value_lists_the_valid_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"EXWIRE_TRANSPORT.*'picow'.*picows.*auto, websockets"):
        flag("EXWIRE_TRANSPORT", TransportChoice, TransportChoice.AUTO, {"EXWIRE_TRANSPORT": "picow"})


def test_the_cache_folder_follows_the_environment() -> None:
    assert cache_dir({"EXWIRE_CACHE_DIR": "here"}) == Path("here")
    assert cache_dir({"XDG_CACHE_HOME": "there"}) == Path("there/exwire")
    assert cache_dir({}).parts[-2:] == (".cache", "exwire")
