"""Comparisons as a picture: one small bar chart for each measure, readable on light and dark pages."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from tests.bench.report import Row

WIDTH: Final = 880
COLUMNS: Final = 2
PANEL_WIDTH: Final = WIDTH // COLUMNS
MARGIN: Final = 20
NAMES: Final = 118
NUMBERS: Final = 62
BAR: Final = 16
STEP: Final = 22
ABOVE: Final = 22
"""What the title of a panel takes."""

_STYLE: Final = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.page { fill: #ffffff }
.note { fill: #59636e; font-size: 11px; font-weight: 400 }
.bar { fill: #9aa4af }
.own { fill: #1a7f64 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .page { fill: #0d1117 }
  .note { fill: #9198a1 }
  .bar { fill: #59636e }
  .own { fill: #3fb58e }
}
"""


@dataclass(frozen=True, slots=True)
class Panel:
    """One measure: a number for everything that has it."""

    title: str
    note: str
    numbers: Mapping[str, float]


def beside(rows: Sequence[Row], by: str, measure: str) -> dict[str, float]:
    """For each row a bar of ours and one of its peer, whose column is called `bare …`."""
    numbers: dict[str, float] = {}
    for row in rows:
        name = f"{row[by]:,}"
        numbers |= {name: float(row[measure]), f"{name}, bare": float(row[f"bare {measure}"])}
    return numbers


def draw(panels: Sequence[Panel], own: Collection[str]) -> str:
    """An SVG; the bars named `own` stand out."""
    tall = ABOVE + STEP * max(len(panel.numbers) for panel in panels) + MARGIN
    height = -(-len(panels) // COLUMNS) * tall + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' width="{WIDTH}" height="{height}" role="img">',
        f"<style>{_STYLE}</style>",
        '<rect class="page" width="100%" height="100%" rx="6"/>',
    ]
    for number, panel in enumerate(panels):
        x, y = number % COLUMNS * PANEL_WIDTH + MARGIN, number // COLUMNS * tall + MARGIN
        parts += [f'<g transform="translate({x} {y})">', *_panel(panel, own), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, own: Collection[str]) -> list[str]:
    longest = max(panel.numbers.values(), default=1) or 1
    room = PANEL_WIDTH - 2 * MARGIN - NAMES - NUMBERS
    note = f'<tspan class="note">{escape(panel.note)}</tspan>'
    lines = [f'<text class="title" x="0" y="10">{escape(panel.title)} {note}</text>']
    for place, (name, number) in enumerate(panel.numbers.items()):
        y = ABOVE + place * STEP
        length = max(1.0, number / longest * room)
        kind = "own" if name in own else "bar"
        lines += [
            f'<text x="{NAMES - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{kind}" x="{NAMES}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>',
            f'<text x="{NAMES + length + 6:.1f}" y="{y + 12}">{readable(number)}</text>',
        ]
    return lines


def readable(number: float) -> str:
    """Three digits, more only before the point."""
    if number >= 100 or number == int(number):
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}"
