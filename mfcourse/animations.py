"""A picture that moves, kept whole in the notebook: frames and buttons, nothing is fetched from elsewhere."""

import base64
import html
import io
import re

import matplotlib.pyplot as plt
from IPython.display import HTML
from matplotlib.animation import FuncAnimation
from PIL import Image

from mfcourse import checks

SHARPEST = 1000  # dots per inch
FONT_LINK = re.compile(r'<link rel="stylesheet"\s+href="[^"]*">')
FRAME = re.compile(r'(?<=data:image/png;base64,)[^"]+')
ICON = re.compile(r'<i class="fa fa-([a-z -]+)"></i>')
SYMBOLS = {
    "minus": "−",
    "fast-backward": "|◀",
    "step-backward": "◁|",
    "play fa-flip-horizontal": "◀",
    "pause": "❚❚",
    "play": "▶",
    "step-forward": "|▷",
    "fast-forward": "▶|",
    "plus": "+",
}


def moving_picture(fig, draw, frames, alt, dpi=60):
    """Frames of a figure one after the other, as an IPython HTML with buttons.

    draw: called with each entry of `frames`, it changes `fig`, which is closed at the end; alt: what is seen, in words.
    About 30 frames at dpi 60 make 300 kB. Raises ValueError if there is no frame or no alt text.
    """
    frames = list(frames)
    checks.count("number of frames", len(frames))
    if checks.positive("dpi", dpi) > SHARPEST:
        raise ValueError(f"dpi must be at most {SHARPEST}, but it is {dpi:g}")
    checks.having("fig", fig, "a figure of Matplotlib", "canvas", "savefig")
    checks.function("draw", draw)
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"alt must say in words what the picture shows, but it is {alt!r}")
    movie = FuncAnimation(fig, draw, frames=frames, interval=120, init_func=lambda: None)
    with plt.rc_context({"savefig.dpi": dpi, "animation.embed_limit": 5}):
        page = movie.to_jshtml(default_mode="once")
    plt.close(fig)
    page = FRAME.sub(_with_few_colours, page)
    page = ICON.sub(lambda icon: SYMBOLS[icon[1]], FONT_LINK.sub("", page))
    page = page.replace('<img id="_anim_img', f'<img alt="{html.escape(alt)}" id="_anim_img')
    return HTML(page.replace('type="range"', 'type="range" aria-label="frame"'))


def _with_few_colours(found):
    """The same PNG in base64 with a palette of 32 colours: a third of the size, and the eye sees no difference."""
    image = Image.open(io.BytesIO(base64.b64decode(found[0]))).convert("RGB").quantize(32)
    packed = io.BytesIO()
    image.save(packed, "png", optimize=True)
    return base64.b64encode(packed.getvalue()).decode()
