"""A handful of shapes as SVG text: what the drawings of ideas are made of, in the page's own ink.

Lengths are in units of the drawing, y grows downwards. Every number is rounded to a tenth, so that a drawing is the
same text on every computer. No shape has an id: any number of drawings can stand on one page.
"""

import html
import math

from mfcourse.style import NEGATIVE, POSITIVE

INK = "currentColor"  # dark on a light page, light on a dark one
FAINT = "#888888"  # context: style.CONTEXT is too pale for thin lines on white
PLUM = "#B5487F"  # the potential: style.POTENTIAL is too dark for a dark page
WIDE = 360  # units across a drawing: a phone shows a unit as about a pixel
HEAD = 8  # the length of an arrow's head


class Sketch:
    """A drawing, `svg`, and the `words` for those who do not see it: as wide as its place, up to 460 pixels."""

    def __init__(self, height, parts, words):
        self.words = words
        self.svg = element(
            "svg",
            *parts,
            xmlns="http://www.w3.org/2000/svg",
            class_="mf-sketch",
            viewBox=f"0 0 {number(WIDE)} {number(height)}",
            role="img",
            aria_label=words,
            style="display: block; width: 100%; max-width: 460px; height: auto; margin: 0.5em 0",
            font_family="system-ui, sans-serif",
            font_size=13,
            fill=INK,
        )

    def _repr_html_(self):
        return self.svg

    def __repr__(self):
        return self.words


def number(value):
    """A length as text, rounded to a tenth, without an idle end: 2, 0.5, -3.1."""
    return f"{round(float(value), 1) + 0.0:g}"  # + 0.0 makes -0.0 into 0.0


def element(tag, /, *inside, **attributes):
    """An element with these attributes: numbers are rounded, `stroke_width` is written stroke-width, None left out."""
    said = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items() if value is not None}
    texts = {name: value if isinstance(value, str) else number(value) for name, value in said.items()}
    opened = tag + "".join(f' {name}="{html.escape(text)}"' for name, text in texts.items())
    return f"<{opened}>{''.join(inside)}</{tag}>" if inside else f"<{opened}/>"


def group(name, parts):
    """Several shapes that belong together; the name says what they are."""
    return element("g", *parts, class_=name)


def line(start, end, ink=INK, width=1.5, dash=None):
    """A straight line; dash is the pattern of a dashed or dotted one, such as "1 4"."""
    (x1, y1), (x2, y2) = start, end
    cap = "round" if dash else None
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return element("line", **ends, stroke=ink, stroke_width=width, stroke_dasharray=dash, stroke_linecap=cap)


def curve(points, ink=INK, width=2.0):
    """A line through many points (k, 2)."""
    path = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)
    return element("path", d=path, fill="none", stroke=ink, stroke_width=width, stroke_linejoin="round")


def arrow(start, end, ink=INK, width=2.0, bend=0.0, dash=None):
    """An arrow; with a bend it swerves to the left of its way, by half of that."""
    (x1, y1), (x2, y2) = start, end
    away = bend / math.dist(start, end)
    x, y = (x1 + x2) / 2 + away * (y2 - y1), (y1 + y2) / 2 - away * (x2 - x1)  # the point that the shaft bends to
    way = math.hypot(x2 - x, y2 - y)
    dx, dy = HEAD * (x2 - x) / way, HEAD * (y2 - y) / way
    corners = (x2, y2), (x2 - dx - dy / 2, y2 - dy + dx / 2), (x2 - dx + dy / 2, y2 - dy - dx / 2)
    neck = x2 - 0.8 * dx, y2 - 0.8 * dy  # the shaft ends within the head
    shaft = "M{} {}Q{} {} {} {}".format(*map(number, (x1, y1, x, y, *neck)))
    drawn = element("path", d=shaft, fill="none", stroke=ink, stroke_width=width, stroke_dasharray=dash)
    return drawn + element("polygon", points=" ".join(f"{number(x)},{number(y)}" for x, y in corners), fill=ink)


def disc(x, y, radius=7.0, ink=POSITIVE, opacity=None):
    """A disc about (x, y): positive mass; opacity is a text, such as "0.5"."""
    return element("circle", cx=x, cy=y, r=radius, fill=ink, fill_opacity=opacity)


def square(x, y, half=6.0, ink=NEGATIVE):
    """A square about (x, y): negative mass."""
    return element("rect", x=x - half, y=y - half, width=2 * half, height=2 * half, fill=ink)


def ring(x, y, radius=5.5, width=1.8):
    """A hollow circle about (x, y)."""
    return element("circle", cx=x, cy=y, r=radius, fill="none", stroke=INK, stroke_width=width)


def mass(x, y, weight):
    """A disc, a square, or a ring for the weight 0."""
    return disc(x, y) if weight > 0 else square(x, y) if weight < 0 else ring(x, y)


def frame(x, y, width, height, ink=FAINT, line_width=1.0, tint=None):
    """A box with its least corner at (x, y), hollow or tinted."""
    filled = {"fill": tint, "fill_opacity": "0.2"} if tint else {"fill": "none"}
    return element("rect", x=x, y=y, width=width, height=height, **filled, stroke=ink, stroke_width=line_width)


def words(x, y, text, anchor=None, size=None, weight=None):
    """A line of text that starts at (x, y), or has its "middle" or "end" there."""
    said = html.escape(text, quote=False)
    return element("text", said, x=x, y=y, text_anchor=anchor, font_size=size, font_weight=weight)
