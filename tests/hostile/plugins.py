"""Puts the plugins of this folder into a site directory, the way an installer leaves them."""

from __future__ import annotations

import importlib
import shutil
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exwire import discovery

HOSTILE = Path(__file__).parent


def names() -> list[str]:
    """Every plugin of this folder."""
    return sorted(each.parent.name for each in HOSTILE.glob("*/pyproject.toml"))


def install(name: str, site: Path) -> None:
    """Copy a plugin's modules and write its metadata: what ``pip install --target`` does, in a millisecond instead of seconds."""
    project = tomllib.loads((HOSTILE / name / "pyproject.toml").read_text())["project"]
    for module in (HOSTILE / name).glob("*.py"):
        shutil.copy(module, site)
    metadata = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir()
    lines = (f"{entry} = {target}" for entry, target in project["entry-points"]["exwire"].items())
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    (metadata / "entry_points.txt").write_text("\n".join(["[exwire]", *lines, ""]))


@contextmanager
def on_path(site: Path) -> Iterator[Path]:
    """Put a site directory on ``sys.path``; afterwards what was imported from it is forgotten."""
    sys.path.insert(0, str(site))
    importlib.invalidate_caches()
    try:
        yield site
    finally:
        sys.path.remove(str(site))
        for name in [each for each in sys.modules if each.startswith("hostile_")]:
            del sys.modules[name]
        for claim in [each for each in discovery._loaded if each.distribution.startswith("hostile-")]:
            del discovery._loaded[claim]
