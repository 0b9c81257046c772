"""Its hook returns an object that raises when it is looked at."""

from typing import NoReturn

from exwire.hookspecs import hookimpl


class Treacherous:
    @property
    def __class__(self) -> NoReturn:
        raise LookupError("do not look")


@hookimpl
def exwire_venue() -> Treacherous:
    return Treacherous()
