"""Medians of a row's rounds with their spread, ratios to the baselines, bars, the growth with the data, the table."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.bench.end_to_end.loads import Measured

# CPU of all processes a message, the rendition apart, as a multiple of a baseline's: 1.5 x of the largest median over
# all sizes in a whole run on two idle cores, so that a loss of a half is noticed. History and home had one apart.
BARS: Final[Mapping[str, Mapping[str, float]]] = {
    "checkin-single": {"lean": 3.3, "bare": 4.7},
    "checkin-array": {"lean": 3.2, "bare": 4.7},
    "voice": {"lean": 5.7, "bare": 15.1},
    "voice-slow": {"lean": 3.3, "bare": 13.2},
    "voice-full": {"lean": 2.7, "bare": 16.4},
    "voice-down": {"lean": 3.9, "bare": 10.9},
    "voice-down-full": {"lean": 3.8, "bare": 12.3},
    "hello": {"lean": 3.6, "bare": 4.5},
    "sos": {"lean": 11.1, "bare": 36.6},
    "sos-again": {"lean": 4.8, "bare": 14.0},
    "history": {"lean": 3.2},
    "children": {"lean": 4.8},
    "sync": {"lean": 5.4},
    "latest": {"lean": 3.8},
    "home": {"lean": 2.6},
    "transcoding": {"bare": 1.7},
    "storm": {"lean": 4.1, "bare": 4.5},
}
# By how much a ratio may grow until the row fails.
_TOLERANCE: Final = 1.5
# CPU a message with 10 or 100 times the data, as a multiple of that with once the data.
GROWTH_BAR: Final = 1.2


def short(measured: Measured) -> str:
    """Return one round of one side in a few words."""
    cpu_us = sum(cost for name, cost in measured.cpu_us_each().items() if name != "rendition")
    return (
        f"{measured.each_s:.0f}/s p50 {measured.percentile_ms(0.5):.1f} ms {cpu_us:.0f} us"
        + f", {measured.faults} faults" * bool(measured.faults)
    )


def summary(rounds: Sequence[Measured]) -> dict[str, Any]:
    """Return the medians of the rounds, each with the least and the largest."""
    parts = sorted({name for measured in rounds for name in measured.cpu_s})
    each = [measured.cpu_us_each() for measured in rounds]
    totals = [sum(cost for name, cost in of.items() if name != "rendition") for of in each]
    return {
        "each_s": _spread([measured.each_s for measured in rounds]),
        "p50_ms": _spread([measured.percentile_ms(0.5) for measured in rounds]),
        "p99_ms": _spread([measured.percentile_ms(0.99) for measured in rounds]),
        "cpu_us": _spread(totals),
        "cpu_us_each": {name: round(statistics.median([of.get(name, 0.0) for of in each]), 1) for name in parts},
        "statements_each": _spread([measured.statements / max(1, measured.count) for measured in rounds]),
        "commits_each": _spread([measured.commits / max(1, measured.count) for measured in rounds]),
        "rounds": len(rounds),
        "count": sum(measured.count for measured in rounds),
        "faults": sum(measured.faults for measured in rounds),
    }


def _spread(values: Sequence[float]) -> list[float]:
    return [round(statistics.median(values), 2), round(min(values), 2), round(max(values), 2)]


def ratios(result: Mapping[str, Any]) -> dict[str, float]:
    """Return the CPU of the product as a multiple of each baseline's."""
    return {
        side: round(result["product"]["cpu_us"][0] / max(result[side]["cpu_us"][0], 1.0), 1)
        for side in ("lean", "bare") if side in result and "cpu_us" in result[side]
    }  # fmt: skip


def exceeded(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is wrong: rows that failed, faults, ratios beyond their bars, and figures that grow with the data."""
    wrong = []
    least: dict[str, float] = {}
    for result in results:
        name = label(result)
        if "error" in result:
            wrong.append(f"{name}: failed with {result['error']}")
            continue
        if "product" not in result or "cpu_us" not in result["product"]:
            continue
        if faults := result["product"]["faults"]:
            wrong.append(f"{name}: {faults} faults")
        if not result["product"]["count"]:
            wrong.append(f"{name}: nothing was counted")
        for side, ratio in ratios(result).items():
            bar = BARS.get(result["row"], {}).get(side)
            if bar is not None and ratio > bar:
                wrong.append(f"{name}: {ratio} x {side}, at most {bar}")
        # The least of the rounds: what else the machine does adds to the others.
        cpu_us = result["product"]["cpu_us"][1]
        first = least.setdefault(result["row"], cpu_us)
        if cpu_us > GROWTH_BAR * first:
            wrong.append(f"{name}: {cpu_us / first:.2f} x the CPU with once the data, at most {GROWTH_BAR}")
    return wrong


def suggested_bars(results: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the bars that follow from these results: 1.5 x of the largest ratio of each row over all sizes."""
    bars: dict[str, dict[str, float]] = {}
    for result in results:
        if "product" in result and "cpu_us" in result["product"]:
            of_row = bars.setdefault(result["row"], {})
            for side, ratio in ratios(result).items():
                of_row[side] = max(of_row.get(side, 0.0), round(_TOLERANCE * ratio, 1))
    return bars


def label(result: Mapping[str, Any]) -> str:
    """Return the name of a row with its size."""
    return f"{result['row']} {result['times']}x" if result.get("times") else str(result["row"])


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the table in Markdown; every figure is `median [least..largest]`."""
    lines = [
        "| row | side | a second | p50 ms | p99 ms | statements | commits | CPU us a message | by part |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        if "error" in result:
            lines.append(f"| {label(result)} | failed: {result['error']} | | | | | | | |")
        for side in ("product", "lean", "bare"):
            of = result.get(side)
            if of is None:
                continue
            if "cpu_ms" in of:
                lines.append(f"| {label(result)} | {side} | | | | | | | ms of CPU: {of['cpu_ms']} |")
                continue
            if "bytes_each" in of:
                lines.append(f"| {label(result)} | {side} | | | | | | | bytes a watch: {of['bytes_each']} |")
                continue
            figures = [
                f"{of[key][0]:g} [{of[key][1]:g}..{of[key][2]:g}]"
                for key in ("each_s", "p50_ms", "p99_ms", "statements_each", "commits_each", "cpu_us")
            ]
            cpu = ", ".join(f"{name} {value:.0f}" for name, value in of["cpu_us_each"].items() if value)
            lines.append(f"| {label(result)} | {side} | {' | '.join(figures)} | {cpu} |")
        if "product" in result and (found := ratios(result)):
            bars = BARS.get(result["row"], {})
            shown = ", ".join(
                f"{ratio} x {side}" + (f" (at most {bars[side]})" if side in bars else "")
                for side, ratio in found.items()
            )
            lines.append(f"| {label(result)} | CPU ratio | | | | | | {shown} | |")
    return "\n".join([*lines, "", *_growth(results)])


def _growth(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a table of the product's CPU by size of the data, as multiples of the first."""
    sizes: dict[str, dict[int, float]] = {}
    for result in results:
        if result.get("times") and "product" in result:
            sizes.setdefault(result["row"], {})[result["times"]] = result["product"]["cpu_us"][1]
    lines = ["| row | least CPU us a message | growth |", "|---|---|---|"]
    for row, costs in sizes.items():
        first = next(iter(costs.values()))
        shown = ", ".join(f"{times}x {cost:.0f}" for times, cost in costs.items())
        grown = ", ".join(f"{times}x {cost / max(first, 0.1):.2f}" for times, cost in costs.items())
        lines.append(f"| {row} | {shown} | {grown} |")
    return lines if len(lines) > 2 else []
