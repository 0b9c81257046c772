"""Builds the descriptor set that the plugin ships, from the ``.proto`` files beside this script; ``grpcio-tools`` brings the protoc for it.

``python build.py`` writes it in its place, ``python build.py FILE`` elsewhere. The same sources give the same bytes: files are listed by
name, and neither comments nor positions are kept.
"""

# ruff: noqa: INP001 - a script, in no package

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from grpc_tools import protoc  # type: ignore[import-untyped]  # it ships none

_HERE: Final = Path(__file__).resolve().parent
_SHIPPED: Final = _HERE.parent / "src" / "exwire_mexc" / "spot" / "push.binpb"


def build(target: Path) -> int:
    """Write the descriptor set; return protoc's exit status."""
    sources = sorted(each.name for each in _HERE.glob("*.proto"))
    status: int = protoc.main(["protoc", f"--proto_path={_HERE}", f"--descriptor_set_out={target}", *sources])
    return status


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1]) if len(sys.argv) > 1 else _SHIPPED))
