"""The report of a check: lines for a terminal, JSON for programs, one HTML file for people."""

from __future__ import annotations

import html
import json
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.device_sim.conformance.frames import Frame
from services.device_sim.conformance.verdicts import Outcome, Verdict, Verdicts
from services.protocol import limits

_WIDTH: Final = 100
_TRACE_LINES: Final = 2_000


@dataclass(frozen=True)
class Report:
    """A check that has ended. `subject` names what was checked, `trace` what went over the wire."""

    title: str
    subject: str
    ended_at: datetime
    verdicts: Verdicts
    trace: Sequence[Frame]

    @property
    def is_clean(self) -> bool:
        """Whether no sentence was broken."""
        return not self.verdicts.with_outcome(Outcome.BROKEN)

    def _counts(self) -> str:
        counted = [f"{len(self.verdicts.with_outcome(outcome))} {outcome}" for outcome in Outcome]
        return f"{', '.join(counted)}; {self.verdicts.seen_share:.0%} of {len(self.verdicts.all())} sentences were seen"

    def as_lines(self) -> list[str]:
        """Return lines for a terminal: what is broken in full, the rest by number."""
        lines = [f"{self.title}: {self.subject}", self._counts()]
        for verdict in self.verdicts.with_outcome(Outcome.BROKEN):
            lines += ["", *_wrapped(f"BROKEN {verdict.sentence.number}  ", plain(verdict.sentence.text))]
            lines += _wrapped("  came      ", verdict.came) + _wrapped("  expected  ", verdict.expected)
            if verdict.frame:
                lines += _wrapped("  frame     ", verdict.frame)
            lines.append(f"  step      {verdict.step}")
        for outcome in (Outcome.HELD, Outcome.NOT_SEEN):
            numbers = [verdict.sentence.number for verdict in self.verdicts.with_outcome(outcome)]
            if numbers:
                lines += ["", *_wrapped(f"{outcome}: ", " ".join(numbers))]
        return lines

    def as_json(self) -> str:
        """Return the report as JSON text."""
        return json.dumps(self._values(), ensure_ascii=False, indent=2) + "\n"

    def _values(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "subject": self.subject,
            "ended_at": self.ended_at.isoformat(),
            "protocol": limits.PROTOCOL_MAX,
            "seen_share": round(self.verdicts.seen_share, 3),
            "counts": {outcome.value: len(self.verdicts.with_outcome(outcome)) for outcome in Outcome},
            "sentences": [
                {
                    "number": verdict.sentence.number,
                    "text": verdict.sentence.text,
                    "outcome": verdict.outcome.value,
                    "step": verdict.step,
                    "came": verdict.came,
                    "expected": verdict.expected,
                    "frame": verdict.frame,
                }
                for verdict in self.verdicts.all()
            ],
        }

    def as_html(self) -> str:
        """Return one HTML file without anything from elsewhere."""
        order = [Outcome.BROKEN, Outcome.NOT_SEEN, Outcome.HELD]
        rows = "".join(_row(verdict) for outcome in order for verdict in self.verdicts.with_outcome(outcome))
        bars = "".join(
            f'<span class="{outcome.name.lower()}" style="flex:{len(self.verdicts.with_outcome(outcome))}"></span>'
            for outcome in Outcome
        )
        return _PAGE.format(
            title=html.escape(f"{self.title}: {self.subject}"),
            counts=html.escape(self._counts()),
            ended=self.ended_at.strftime("%Y-%m-%d %H:%M %Z"),
            version=limits.PROTOCOL_MAX,
            bars=bars,
            rows=rows,
            trace=html.escape("\n".join(_trace_lines(self.trace))),
        )


def _trace_lines(trace: Sequence[Frame]) -> list[str]:
    began_s = trace[0].at_s if trace else 0.0
    return [f"{frame.at_s - began_s:8.2f} s  {frame.shown()}" for frame in trace[-_TRACE_LINES:]]


def plain(markdown: str) -> str:
    """Return a sentence without its Markdown."""
    return markdown.replace("`", "")


def _wrapped(head: str, text: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False
    ) or [head.rstrip()]


def _row(verdict: Verdict) -> str:
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(verdict.sentence.text))
    details = ""
    if verdict.outcome is Outcome.BROKEN:
        parts = (("came", verdict.came), ("expected", verdict.expected), ("frame", verdict.frame))
        details = "".join(f"<dt>{name}</dt><dd>{html.escape(value)}</dd>" for name, value in parts if value)
        details = f"<dl>{details}</dl>"
    where = html.escape(verdict.step)
    return (
        f'<tr class="{verdict.outcome.name.lower()}"><th>{verdict.sentence.number}</th>'
        f"<td><b>{verdict.outcome}</b></td><td>{text}{details}</td><td>{where}</td></tr>\n"
    )


_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title>
<style>
body{{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1c2430;background:#fff}}
h1{{font-size:1.4rem;margin:0 0 .2rem}} p{{margin:.2rem 0 1rem;color:#4a5568}}
.bars{{display:flex;height:.8rem;border-radius:.4rem;overflow:hidden;margin:.8rem 0 1.4rem}}
.bars .held{{background:#2f855a}} .bars .broken{{background:#c53030}} .bars .not_seen{{background:#cbd5e0}}
table{{border-collapse:collapse;width:100%}} th,td{{text-align:left;vertical-align:top;padding:.45rem .6rem}}
tr{{border-top:1px solid #e2e8f0}} tbody th{{white-space:nowrap}} td:nth-child(2){{white-space:nowrap}}
.broken td:nth-child(2) b{{color:#c53030}} .held td:nth-child(2) b{{color:#2f855a}} .not_seen b{{color:#718096}}
.broken{{background:#fff5f5}} td:nth-child(4){{color:#718096;font-size:.85rem;width:14rem}}
code,pre,dd{{font-family:ui-monospace,monospace;font-size:.85em}} dt{{color:#718096}}
dl{{display:grid;grid-template-columns:5rem 1fr;margin:.5rem 0 0}} dd{{margin:0;overflow-wrap:anywhere}}
pre{{overflow:auto;background:#f7fafc;padding:1rem;max-height:40rem}}
@media print{{pre{{max-height:none;overflow:visible;white-space:pre-wrap}}}}
</style>
<h1>{title}</h1>
<p>{counts}. Protocol version {version}. {ended}</p>
<div class="bars">{bars}</div>
<table><thead><tr><th>No.</th><th>Outcome</th><th>Sentence of the contract</th><th>Step</th></tr></thead><tbody>
{rows}</tbody></table>
<details><summary>What went over the wire</summary><pre>{trace}</pre></details>
</html>
"""
