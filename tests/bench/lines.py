"""A line over time as a picture, readable on light and dark pages."""

from collections.abc import Sequence
from html import escape
from typing import Final

WIDTH: Final = 880
HEIGHT: Final = 220
MARGIN: Final = 40

_STYLE: Final = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.page { fill: #ffffff }
.axis { stroke: #d1d9e0 }
.line { fill: none; stroke: #1a7f64; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .page { fill: #0d1117 }
  .axis { stroke: #3d444d }
  .line { stroke: #3fb58e }
}
"""


def draw(title: str, points: Sequence[tuple[float, float]]) -> str:
    """An SVG of the points (x, y), from zero on both axes."""
    most_x, most_y = max(x for x, _ in points) or 1, max(y for _, y in points) or 1
    right, bottom = WIDTH - MARGIN, HEIGHT - MARGIN

    def place(x: float, y: float) -> str:
        return f"{MARGIN + x / most_x * (right - MARGIN):.1f},{bottom - y / most_y * (bottom - MARGIN):.1f}"

    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
            f' width="{WIDTH}" height="{HEIGHT}" role="img">',
            f"<style>{_STYLE}</style>",
            '<rect class="page" width="100%" height="100%" rx="6"/>',
            f'<text x="{MARGIN}" y="22" font-weight="600">{escape(title)}</text>',
            f'<path class="axis" d="M{MARGIN},{MARGIN}V{bottom}H{right}" fill="none"/>',
            f'<text x="{MARGIN - 6}" y="{MARGIN + 4}" text-anchor="end">{most_y:.1f}</text>',
            f'<text x="{MARGIN - 6}" y="{bottom + 4}" text-anchor="end">0</text>',
            f'<text x="{right}" y="{bottom + 18}" text-anchor="end">{most_x:.0f}</text>',
            f'<polyline class="line" points="{" ".join(place(x, y) for x, y in points)}"/>',
            "</svg>",
            "",
        ]
    )
