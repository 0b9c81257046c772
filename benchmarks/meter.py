"""How things are timed: rounds of pytest-benchmark, and contenders taking turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, final

from benchmarks.report import Bar, Row

__all__ = ["Benchmark", "Meter"]

_SCALES: Final = {"µs": 1e6, "ms": 1e3}


class Benchmark(Protocol):
    """pytest-benchmark's fixture, as far as it is used here (it carries no annotations of its own)."""

    stats: Any

    @property
    def enabled(self) -> bool:
        """False under ``--benchmark-disable``: everything runs once and nothing is timed."""
        ...

    def pedantic(
        self,
        target: Callable[..., object],
        args: tuple[object, ...] = (),
        *,
        setup: Callable[[], object] | None = None,
        rounds: int = 1,
        warmup_rounds: int = 0,
        iterations: int = 1,
    ) -> object:
        """Time ``iterations`` calls in each of so many rounds."""
        ...


@final
class Meter:
    """Times one test's subject and keeps the rows.

    A p95 over rounds of one call is that of a call; rounds of several calls are for what is too short for the clock (0.05 µs here).
    """

    def __init__(self, benchmark: Benchmark, rows: list[Row]) -> None:
        self._benchmark = benchmark
        self._rows = rows

    @property
    def enabled(self) -> bool:
        """False when everything runs once, as a test."""
        return self._benchmark.enabled

    def time(
        self,
        name: str,
        function: Callable[..., object],
        *args: object,
        rounds: int = 10_000,
        calls: int = 1,
        per: int = 1,
        setup: Callable[[], object] | None = None,
        unit: str = "µs",
        bar: Bar | None = None,
    ) -> None:
        """Time a function. calls: in each round; per: how many of the thing named one call does; setup: before each round, not timed."""
        self._benchmark.pedantic(function, args, setup=setup, rounds=rounds, warmup_rounds=max(1, rounds // 10), iterations=calls)
        if self.enabled:
            scale = _SCALES[unit] / per
            self._rows.append(Row(name, [seconds * scale for seconds in self._benchmark.stats.stats.data], unit, bar))

    def run(self, function: Callable[[], object], *, rounds: int = 1) -> None:
        """Run what takes its times itself; ``add`` reports them."""
        self._benchmark.pedantic(function, rounds=rounds)

    def together(self, contenders: Mapping[str, Callable[[], float]], *, rounds: int) -> Mapping[str, Sequence[float]]:
        """Let contenders take turns, so that whatever else the machine does meets all alike; return what each returned, round by round."""
        taken: dict[str, list[float]] = {name: [] for name in contenders}

        def one_round() -> None:
            for name, contender in contenders.items():
                taken[name].append(contender())

        warm_up = max(1, rounds // 10)
        self._benchmark.pedantic(one_round, rounds=rounds, warmup_rounds=warm_up)
        return {name: results[warm_up:] if self.enabled else results for name, results in taken.items()}

    def add(
        self,
        name: str,
        samples: Sequence[float],
        *,
        unit: str = "µs",
        bar: Bar | None = None,
        note: str = "",
        baseline: Sequence[float] = (),
    ) -> None:
        """Report what was timed by other means. The arguments are those of Row."""
        if self.enabled:
            self._rows.append(Row(name, samples, unit, bar, note, baseline))
