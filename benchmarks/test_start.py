"""What a program pays before it does anything."""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.meter import Meter

SCRIPT = """
import json
from time import perf_counter
begin = perf_counter()
import exwire
imported = perf_counter()
venues = exwire.venues()
listed = perf_counter()
exwire.connect
connected = perf_counter()
assert any(venue.status == "ok" for venue in venues)
print(json.dumps([imported - begin, listed - imported, connected - listed]))
"""


def test_start(meter: Meter) -> None:
    """In a fresh interpreter: ``import exwire``, the first ``venues()``, loading what ``connect`` needs; the disk cache is warm."""
    seconds: list[list[float]] = []

    def one_round() -> None:
        answer = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True)
        seconds.append(json.loads(answer.stdout))

    meter.run(one_round, rounds=7)

    for place, name in enumerate(("import exwire", "the first venues()", "load what connect() needs")):
        meter.add(f"start: {name}", [each[place] * 1e3 for each in seconds], unit="ms")
