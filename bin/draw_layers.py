"""Draws the import layers from pyproject.toml: python3 bin/draw_layers.py > docs/images/layers.svg"""

import tomllib
from html import escape
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
# The heading of each panel, and the contract that it shows.
PANELS = {
    "Packages stand in one line": "igny8_core",
    "Inside billing: doors, services, helpers, models, errors": "igny8_core.business.billing",
    "Inside billing's services: classes for the shell, what comes in, what is done, what it is made of": (
        "igny8_core.business.billing.services"
    ),
}
# In pixels.
PANEL, MARGIN, LINE, LETTER, PADDING, GAP, HEAD = 400, 20, 18, 7.0, 9, 16, 48
STYLE = """
text { font: 13px ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.heading { font-weight: 600 }
rect { fill: #f6f8fa; stroke: #8c959f }
path { fill: none; stroke: #59636e; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } rect { fill: #212830; stroke: #656c76 } path { stroke: #9198a1 }
}
"""


def layers_of(contracts: list[dict[str, object]], name: str) -> list[list[str]]:
    """The layers of a contract, the highest first. Each layer is a list of its modules."""
    layers = next(contract["layers"] for contract in contracts if contract["name"] == name)
    assert isinstance(layers, list)
    return [[_short(module) for module in layer.split("|")] for layer in layers]


def drawn(pyproject: str) -> str:
    """The picture (SVG) of the contracts in the text of a pyproject.toml."""
    contracts = tomllib.loads(pyproject)["tool"]["importlinter"]["contracts"]
    parts: list[str] = []
    lowest = 0
    for number, (name, heading) in enumerate(PANELS.items()):
        panel, bottom = _panel(MARGIN + number * (PANEL + MARGIN), heading, layers_of(contracts, name))
        parts += panel
        lowest = max(lowest, bottom)
    width, height = MARGIN + len(PANELS) * (PANEL + MARGIN), lowest + MARGIN
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    arrow = '<marker id="head" markerWidth="8" markerHeight="8" refX="6" refY="4" orient="auto">'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            "<title>The layers of igny8_core. Imports go down only.</title>",
            f"<style>{STYLE}</style>",
            f'<defs>{arrow}<path d="M1 1 L6 4 L1 7"/></marker></defs>',
            *parts,
            "</svg>\n",
        ]
    )


def _panel(left: int, heading: str, layers: list[list[str]]) -> tuple[list[str], int]:
    """The SVG elements of one contract, drawn from x = `left`, and the y of its lower edge."""
    parts = [f'<text class="heading" x="{left}" y="28">{escape(heading)}</text>']
    top, middle = HEAD, left + PANEL // 2
    for number, modules in enumerate(layers):
        if number:
            parts.append(f'<path d="M{middle} {top - GAP + 2} V{top - 3}" marker-end="url(#head)"/>')
        lines = _lines(modules)
        height = len(lines) * LINE + 2 * PADDING
        parts.append(f'<rect x="{left}" y="{top}" width="{PANEL}" height="{height}" rx="6"/>')
        for row, line in enumerate(lines):
            baseline = top + PADDING + row * LINE + 13
            parts.append(f'<text x="{middle}" y="{baseline}" text-anchor="middle">{escape(line)}</text>')
        top += height + GAP
    return parts, top - GAP


def _lines(modules: list[str]) -> list[str]:
    """The modules of a layer, broken into lines that fit the panel."""
    lines, most = [""], int((PANEL - 2 * PADDING) / LETTER)
    for module in modules:
        longer = f"{lines[-1]} · {module}" if lines[-1] else module
        if lines[-1] and len(longer) > most:
            lines.append(module)
        else:
            lines[-1] = longer
    return lines


def _short(module: str) -> str:
    return module.strip().strip("()").removeprefix("igny8_core.")


if __name__ == "__main__":
    print(drawn(PROJECT.read_text(encoding="utf-8")), end="")
