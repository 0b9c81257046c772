"""Its hook returns something else."""

from exwire.hookspecs import hookimpl


@hookimpl
def exwire_venue() -> dict[str, str]:
    return {"name": "nonsense"}
