"""Every benchmark reports into one table, printed at the end."""

from __future__ import annotations

import pytest

from benchmarks.meter import Benchmark, Meter
from benchmarks.report import Row, lines, machine

_ROWS = pytest.StashKey[list[Row]]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Our table takes the place of pytest-benchmark's, which has no percentiles (``--benchmark-verbose`` brings it back)."""
    config.stash[_ROWS] = []
    config.option.benchmark_quiet = True


@pytest.fixture
def meter(benchmark: Benchmark, request: pytest.FixtureRequest) -> Meter:
    """What times this test's subject."""
    return Meter(benchmark, request.config.stash[_ROWS])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table. A missed bar is shown and fails nothing: the machine may be busy."""
    rows = config.stash[_ROWS]
    if not rows:
        return
    terminalreporter.section("benchmarks")
    terminalreporter.write_line(machine())
    terminalreporter.write_line("")
    for text, over in lines(rows):
        terminalreporter.write_line(text, red=over)
