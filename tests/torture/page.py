"""The report of a torture run: one HTML page with a chart, which needs nothing else (pure)."""

import statistics
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import Final

from tests.torture.cluster import Hit
from tests.torture.run import Result

WIDTH: Final = 1040
LEFT: Final = 150
RIGHT: Final = 16
RATES: Final = 170
LANE: Final = 22

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1f2328; --quiet: #59636e; --page: #ffffff; --line: #d1d9e0; --ok: #1a7f64;
  --bad: #b3261e; --kill: #b3261e; --freeze: #4b6fb5; --net: #a06a00; --rate: #9ac7b8 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --quiet: #9198a1; --page: #0d1117; --line: #30363d;
  --ok: #3fb58e; --bad: #ff8a80; --kill: #ff8a80; --freeze: #8fb0f0; --net: #e0a83a; --rate: #2b6a57 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 1080px;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem; margin: 1.5rem 0 }
dt { color: var(--quiet); font-size: .85rem } dd { margin: 0; font-size: 1.6rem; font-variant-numeric: tabular-nums }
dd.ok { color: var(--ok) } dd.bad, li.bad { color: var(--bad) }
table { border-collapse: collapse }
th, td { padding: .3rem .8rem; border-bottom: 1px solid var(--line); text-align: right }
th:first-child, td:first-child { text-align: left; padding-left: 0 } th { font-weight: 600 }
figure { margin: 1rem 0; overflow-x: auto } figcaption { color: var(--quiet); font-size: .85rem }
svg { min-width: 720px; width: 100%; height: auto } svg text { font: 12px system-ui, sans-serif; fill: var(--ink) }
svg .quiet { fill: var(--quiet) } svg .grid { stroke: var(--line) } svg .rate { fill: var(--rate) }
svg .kill { fill: var(--kill) } svg .freeze { fill: var(--freeze) } svg .net { fill: var(--net) }
"""


def page(result: Result) -> str:
    """The whole page."""
    verdict = "Nothing was lost" if not result.wrong else f"{len(result.wrong)} things are wrong"
    size = result.size
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Torture run, seed {result.seed}</title><style>{_STYLE}</style></head><body>",
        f"<h1>Torture run: {escape(verdict)}</h1>",
        f"<p>{size.documents} documents, each written by {size.editors} editors on sockets and 2 autosaves over REST, "
        "on 2 api and 2 collab processes, a pipeline worker, Postgres, Valkey, S3 and Prefect. Again: "
        f"<code>{escape(result.again)}</code></p>",
        f"<dl>{''.join(_numbers(result))}</dl>",
        f"<figure>{draw(result)}<figcaption>Above: acknowledged edits a second. Below: what happened to whom; "
        "a bar lasts until the service was well again.</figcaption></figure>",
        "<h2>Until it is well again</h2>",
        _table(result.hits),
    ]
    if result.wrong:
        parts += [
            "<h2>What is wrong</h2><ul>",
            *(f'<li class="bad">{escape(line)}</li>' for line in result.wrong),
            "</ul>",
        ]
    return "\n".join([*parts, "</body></html>", ""])


def recoveries(hits: Sequence[Hit]) -> Iterator[tuple[str, int, list[float]]]:
    """What happened to what, how often, and the seconds until each was well again."""
    kinds: dict[str, list[float]] = {}
    counts: dict[str, int] = {}
    for hit in hits:
        name = (
            f"{hit.fault.kind} {hit.fault.target}" if hit.fault.kind in ("kill", "freeze") else f"{hit.fault.kind} link"
        )
        counts[name] = counts.get(name, 0) + 1
        kinds.setdefault(name, []).extend([hit.recovery] if hit.recovery is not None else [])
    for name in sorted(kinds):
        yield name, counts[name], kinds[name]


def longest_silence(promises: Sequence[float]) -> float:
    """The longest time without any acknowledgement, in seconds."""
    ordered = sorted(promises)
    return max((after - before for before, after in pairwise(ordered)), default=0.0)


def draw(result: Result) -> str:
    """The chart, as SVG."""
    lanes = sorted({_lane(hit) for hit in result.hits})
    end = max([1.0, *result.promises, *(hit.at + (hit.recovery or 0) for hit in result.hits)])
    height = RATES + 36 + LANE * len(lanes) + 8
    scale = (WIDTH - LEFT - RIGHT) / end
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            'aria-label="Acknowledged edits a second, and faults, over time">',
            *_rates(result.promises, end, scale),
            *_axis(end, scale, height),
            *_lanes(result.hits, lanes, scale),
            "</svg>",
        ]
    )


def _numbers(result: Result) -> Iterator[str]:
    kills = sum(hit.fault.kind == "kill" for hit in result.hits)
    drained = "never" if result.drained is None else f"{result.drained:.1f} s"
    for name, value, mark in (
        ("seed", f"{result.seed}", ""),
        ("kills", f"{kills:,}", ""),
        ("other faults", f"{len(result.hits) - kills:,}", ""),
        ("edits acknowledged", f"{result.acknowledged:,}", ""),
        ("lost", f"{result.lost:,}", "bad" if result.lost else "ok"),
        ("wrong", f"{len(result.wrong):,}", "bad" if result.wrong else "ok"),
        ("updates in the journal", f"{result.updates:,}", ""),
        ("longest without an answer", f"{longest_silence(result.promises):.1f} s", ""),
        ("pipeline through after", drained, ""),
        ("took", f"{result.seconds:,.0f} s", ""),
    ):
        yield f'<div><dt>{name}</dt><dd class="{mark}">{value}</dd></div>'


def _table(hits: Sequence[Hit]) -> str:
    rows = []
    for name, count, seconds in recoveries(hits):
        middle = f"{statistics.median(seconds):.1f}" if seconds else "–"
        most = f"{max(seconds):.1f}" if seconds else "–"
        rows.append(f"<tr><td>{escape(name)}</td><td>{count}</td><td>{middle}</td><td>{most}</td></tr>")
    head = "<tr><th>fault</th><th>times</th><th>median s</th><th>longest s</th></tr>"
    return f"<table>{head}{''.join(rows)}</table>"


def _rates(promises: Sequence[float], end: float, scale: float) -> Iterator[str]:
    step = max(1.0, end / 400)
    bins = [0] * (int(end / step) + 1)
    for moment in promises:
        bins[max(0, int(moment / step))] += 1
    most = max(bins) / step or 1.0
    for place, count in enumerate(bins):
        tall = count / step / most * (RATES - 30)
        x, wide = LEFT + place * step * scale, max(step * scale - 0.5, 0.5)
        yield f'<rect class="rate" x="{x:.1f}" y="{RATES - tall:.1f}" width="{wide:.1f}" height="{tall:.1f}"/>'
    yield f'<text x="{LEFT - 8}" y="34" text-anchor="end">{most:,.0f}/s</text>'
    yield f'<text x="{LEFT - 8}" y="{RATES}" text-anchor="end">0</text>'
    yield '<text class="quiet" x="0" y="34">acknowledged</text>'


def _axis(end: float, scale: float, height: int) -> Iterator[str]:
    step = next(step for step in (5, 10, 30, 60, 300, 600, 1800, 7200) if end / step <= 12)
    for second in range(0, int(end) + 1, step):
        x = LEFT + second * scale
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{RATES}" y2="{height}"/>'
        label = f"{second} s" if step < 60 else f"{second // 60} min"
        yield f'<text class="quiet" x="{x:.1f}" y="{RATES + 18}" text-anchor="middle">{label}</text>'


def _lanes(hits: Sequence[Hit], lanes: Sequence[str], scale: float) -> Iterator[str]:
    for place, lane in enumerate(lanes):
        y = RATES + 36 + place * LANE
        yield f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(lane)}</text>'
        for hit in hits:
            if _lane(hit) == lane:
                kind = hit.fault.kind if hit.fault.kind in ("kill", "freeze") else "net"
                wide = max((hit.recovery or 0) * scale, 2)
                about = f"{hit.fault.kind} {hit.fault.target} at {hit.at:.1f} s, {hit.recovery or 0:.1f} s"
                yield (
                    f'<rect class="{kind}" opacity=".75" x="{LEFT + hit.at * scale:.1f}" y="{y}" '
                    f'width="{wide:.1f}" height="{LANE - 7}"><title>{escape(about)}</title></rect>'
                )


def _lane(hit: Hit) -> str:
    fault = hit.fault
    return fault.target if fault.kind in ("kill", "freeze") else f"network: {fault.kind}"
