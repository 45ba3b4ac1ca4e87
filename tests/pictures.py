# SPDX-License-Identifier: MIT
"""Draws what is on a terminal's screen (pyte's) as SVG, for the documentation."""
import xml.sax.saxutils

CELL_WIDTH, CELL_HEIGHT, MARGIN = 8.4, 18, 10
GROUND, TEXT = "#1d2021", "#ebdbb2"
COLORS = {"black": "#3c3836", "red": "#fb4934", "green": "#b8bb26", "brown": "#fabd2f", "yellow": "#fabd2f",
          "blue": "#83a598", "magenta": "#d3869b", "cyan": "#8ec07c", "white": "#ebdbb2"}


def color(name, default):
    name = name.removeprefix("bright")
    if name == "default":
        return default
    return COLORS.get(name, f"#{name}")


def colors(cell):
    ink, ground = color(cell.fg, TEXT), color(cell.bg, GROUND)
    return (ground, ink) if cell.reverse else (ink, ground)


def runs(line, columns):
    """Neighbouring cells that look the same: (first column, text, cell)."""
    start = 0
    for at in range(1, columns + 1):
        if at == columns or line[at]._replace(data="") != line[start]._replace(data=""):
            yield start, "".join(line[i].data for i in range(start, at)), line[start]
            start = at


def draw_run(row, column, text, cell):
    x, y = MARGIN + column * CELL_WIDTH, MARGIN + row * CELL_HEIGHT
    ink, ground = colors(cell)
    width = len(text) * CELL_WIDTH
    if ground != GROUND:
        yield f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{CELL_HEIGHT}" fill="{ground}"/>'
    if text.strip():
        style = (' font-weight="bold"' if cell.bold else "") + (' text-decoration="underline"' if cell.underscore else "")
        yield (f'<text x="{x:.1f}" y="{y + 13}" fill="{ink}" textLength="{width:.1f}" xml:space="preserve"{style}>'
               f"{xml.sax.saxutils.escape(text)}</text>")


def draw(screen, title):
    """The screen as one self-contained SVG document."""
    width, height = 2 * MARGIN + screen.columns * CELL_WIDTH, 2 * MARGIN + screen.lines * CELL_HEIGHT
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
             'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">',
             f"<title>{xml.sax.saxutils.escape(title)}</title>",
             f'<rect width="100%" height="100%" rx="6" fill="{GROUND}"/>']
    for row in range(screen.lines):
        for column, text, cell in runs(screen.buffer[row], screen.columns):
            parts += draw_run(row, column, text, cell)
    if not screen.cursor.hidden:
        x, y = MARGIN + screen.cursor.x * CELL_WIDTH, MARGIN + screen.cursor.y * CELL_HEIGHT
        parts.append(f'<rect x="{x:.1f}" y="{y}" width="{CELL_WIDTH}" height="{CELL_HEIGHT}" fill="{TEXT}" opacity="0.6"/>')
    return "\n".join(parts + ["</svg>"]) + "\n"
