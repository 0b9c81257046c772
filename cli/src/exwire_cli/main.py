"""The ``exwire`` command: its sub-commands are modules, imported when they are used or helped with."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from exwire.errors import ExwireError
from exwire_cli.output import warn

__all__ = ["app", "main"]

_INTERRUPTED: Final = 130
_PIPE_CLOSED: Final = 141
"""What a shell reports of a program that SIGINT or SIGPIPE ended: 128 and the signal's number."""

_MODULES: Final[Mapping[str, str]] = {
    "list": "list",
    "info": "info",
    "instruments": "instruments",
    "watch": "watch",
    "test": "check",
    "decode": "decode",
    "serve": "serve",
    "demo": "demo",
    "doctor": "doctor",
}


class _Commands(TyperGroup):
    """The commands, and the one place where their failures become a line on stderr and an exit status."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        names: dict[str, Any] = dict.fromkeys(_MODULES)
        self.commands = names  # typer suggests from them; get_command fills them in

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_MODULES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _MODULES:
            return None
        alone = typer.Typer(add_completion=False)
        alone.command(cmd_name)(import_module(f"exwire_cli.{_MODULES[cmd_name]}").command)
        return typer.main.get_command(alone)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ExwireError as error:
            warn(str(error))
            raise typer.Exit(1) from error
        except KeyboardInterrupt:
            raise typer.Exit(_INTERRUPTED) from None
        except BrokenPipeError:  # nothing is left to flush at exit: every line is flushed as it is printed
            raise typer.Exit(_PIPE_CLOSED) from None


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"exwire {version('exwire')} (command line {version('exwire-cli')})")
        raise typer.Exit


@app.callback()
def exwire(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the versions and end.")] = False,
) -> None:
    """Connect to crypto exchanges: list what is installed, watch its data, test it, serve it from this machine."""


def main() -> None:
    """Run the command line."""
    app(prog_name="exwire")
