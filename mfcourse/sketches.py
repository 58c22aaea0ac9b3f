"""Drawings of ideas, as SVG that takes its ink from the page: light or dark, on a screen or on paper."""

import itertools
import math

import numpy as np

from mfcourse import checks
from mfcourse.features import Fourier
from mfcourse.proof_sketches import bad_cone, fence
from mfcourse.style import NEGATIVE, POSITIVE
from mfcourse.svg import FAINT, INK, Sketch, arrow, curve, disc, element, frame, group, line, mass, words

__all__ = ["Sketch", "bad_cone", "deposits", "fade_or_glide", "fence", "light_to_curve", "where_we_are"]
CHAPTERS = (
    "Start here",
    "Measures",
    "Convex losses",
    "The particle lift",
    "The particle flow",
    "The Wasserstein flow",
    "Optimality",
    "Two-homogeneous problems",
    "Partially one-homogeneous",
    "Sparse spikes",
    "ReLU networks",
    "Sigmoid networks",
    "Particle complexity",
    "SGD in high dimension",
    "Noise",
    "Forget me",
)
PARTS = ("ideas", 0, 6), ("theorems", 7, 8), ("experiments", 9, 12), ("beyond", 13, 15)  # of the course


def where_we_are(chapter):
    """The course as a strip of its chapters, 0 to 15, with this one in a box; ValueError if there is none.

    Chapters before it are tinted, those after it are hollow.
    """
    chapter = checks.count("chapter", chapter, at_least=0, at_most=len(CHAPTERS) - 1)
    drawn = []
    for k, (part, first, last) in enumerate(PARTS):
        places = {i: 12 + 21.4 * i + 5 * k for i in range(first, last + 1)}
        left, right = places[first] - 9, places[last] + 9
        drawn += [line((left, 50), (right, 50), FAINT), words((left + right) / 2, 64, part, "middle", 12)]
        for i, x in places.items():
            drawn += _here(i, x) if i == chapter else _elsewhere(i, x, behind=i < chapter)
    seen = (
        "The course as a strip of chapters 0 to 15: ideas, theorems, experiments, and what came after the paper. "
        f"You are at chapter {chapter}, {CHAPTERS[chapter]}."
    )
    return Sketch(68, drawn, seen)


def _elsewhere(i, x, behind):
    """Another chapter of the strip: tinted if it lies behind us."""
    tint = {"fill": INK, "fill_opacity": "0.22"} if behind else {"fill": "none"}
    return [
        element("circle", cx=x, cy=33, r=9, stroke=INK, stroke_width=1, **tint),
        words(x, 37.2, f"{i}", "middle", 12),
    ]


def _here(i, x):
    """This chapter: a box, and its name above, which ends where the strip does."""
    at, anchor = (x - 10, None) if i < 5 else (x + 10, "end") if i > 10 else (x, "middle")
    number = words(x, 37.4, f"{i}", "middle", 12.5, "bold")
    return [frame(x - 10, 22, 20, 22, INK, 2.8), number, words(at, 13, CHAPTERS[i], anchor, 13.5, "bold")]


def light_to_curve():
    """A light at t becomes 15 numbers phi(t), and their product with phi(s), for every s, is its blurred picture."""
    features, t = Fourier(cutoff=7), 0.3
    numbers = features.matrix(np.array([[t]]))[:, 0]
    s = np.linspace(0, 1, 301)
    blurred = numbers @ features.matrix(s[:, None])
    left, right, at = 30, 330, 30 + 300 * t

    parts = [words(4, 14, f"A light stands at t = {t}."), line((left, 52), (right, 52)), disc(at, 52)]
    for angle in np.arange(1, 8) * math.pi / 8:
        x, y = math.cos(angle), math.sin(angle)
        parts += [line((at + 10 * x, 52 - 10 * y), (at + 16 * x, 52 - 16 * y), POSITIVE, 1.8)]
    parts += [words(x, 72, name, "middle", 12) for x, name in ((left, "0"), (at, "t"), (right, "1"))]
    parts += [arrow((180, 66), (180, 92))]

    zero, unit, step = 163, 26, 20
    bars = [
        element("rect", x=32 + step * j, y=zero - unit * max(b, 0), width=14, height=unit * abs(b), fill_opacity="0.75")
        for j, b in enumerate(numbers)
    ]
    parts += [words(4, 111, "15 waves, read off at t, are the numbers φ(t)."), group("bars", bars)]
    parts += [line((left - 4, zero), (right + 4, zero), width=1.2), arrow((180, 230), (180, 252))]
    for name, i, k in (("1", 0, 0), ("cos, k = 1 … 7", 1, 7), ("sin, k = 1 … 7", 8, 14)):
        x, y = 30 + step * i, 48 + step * k
        parts += [line((x, 208), (y, 208), FAINT), words((x + y) / 2, 222, name, "middle", 12)]

    ground, unit = 365, 5
    points = np.column_stack([left + (right - left) * s, ground - unit * blurred])
    parts += [words(4, 271, "φ(t) · φ(s), for every s: the light, blurred.")]
    parts += [line((left, ground), (right, ground), width=1.2)]
    parts += [line((at, 286), (at, ground), dash="1 4"), group("curve", [curve(points, width=2.4)])]
    parts += [words(at + 16, 298, f"height {numbers @ numbers:.0f} = |φ(t)|²", size=12)]
    parts += [words(x, 395, name, "middle", 12) for x, name in ((left, "0"), (at, "t"), (right, "1"))]
    parts += [words(250, 395, "s", "middle", 12)]
    seen = (
        f"Three steps, one below the other. A light at t = {t} on a circle of length 1. Its 15 numbers phi(t) as bars: "
        "a constant, seven cosines, seven sines. Their product with phi(s), drawn for every s: a curve with its peak, "
        "15, at s = t and small waves on both sides."
    )
    return Sketch(400, parts, seen)


def fade_or_glide():
    """Two ways from a measure mu to nu: along the mixture atoms fade where they are, by transport they glide."""
    start, end = np.array([100, 134, 176]), np.array([226, 290, 330])
    above, below = (48, 98, 148), (226, 276, 326)  # heights of t = 0, 1/2 and 1
    parts = [words(4, 16, "Mixture (1 − t) μ + t ν: atoms fade, none moves.")]
    parts += [words(4, 194, "Transport: the same atoms glide from μ to ν.")]
    for rows in (above, below):
        for y, name in zip(rows, ("t = 0:  μ", "t = ½", "t = 1:  ν"), strict=True):
            parts += [words(4, y + 4, name, size=12.5), line((78, y), (352, y), FAINT, 1)]
    for x in (*start, *end):
        whole = above[0] if x in start else above[2]
        parts += [line((x, above[0]), (x, above[2]), FAINT, 1.5, "1 5"), disc(x, whole, 8)]
        parts += [disc(x, above[1], 8 / math.sqrt(2), opacity="0.65")]  # half the area
    places = [np.column_stack([(1 - t) * start + t * end, [y] * 3]) for t, y in zip((0, 0.5, 1), below, strict=True)]
    parts += [disc(x, y, 8) for row in places for x, y in row]
    for row, after in itertools.pairwise(places):
        gap = 10 * (after - row) / np.linalg.norm(after - row, axis=1, keepdims=True)
        parts += [arrow(*ends) for ends in zip(row + gap, after - gap, strict=True)]
    seen = (
        "Two ways from a measure mu, three atoms on the left, to a measure nu, three on the right. Above, the mixture: "
        "halfway all six atoms are there, each with half its mass. Below, transport: halfway there are three whole "
        "atoms, each in the middle of its way from mu to nu."
    )
    return Sketch(342, parts, seen)


def deposits():
    """Omega above Theta: each particle drops its weight onto Theta, and what lies there is h1."""
    columns = (  # where, the weights of the particles there, what they leave
        (88, {"+1": 1, "+½": 0.5}, "1 + ½ = 1½"),
        (168, {"+2": 2, "−1": -1}, "2 − 1 = 1"),
        (248, {"−1½": -1.5}, "−1½"),
        (322, {"+1": 1, "−1": -1}, "1 − 1 = 0"),
    )
    level, ground, unit = 102, 262, 32  # heights of w = 0 and of Theta, and of a weight 1
    parts = [words(4, 16, "Ω: each particle has a place θ and a weight w.")]
    parts += [frame(54, 26, 302, 142), line((54, level), (356, level), FAINT, 1.2)]
    parts += [words(48, y, name, "end", 12) for y, name in ((44, "w > 0"), (level + 4, "w = 0"), (162, "w < 0"))]
    parts += [line((54, ground), (356, ground)), words(48, ground + 4, "Θ", "end")]
    for x, weights, total in columns:
        deposit = sum(weights.values())
        top, tip = level - unit * max(weights.values()), ground - unit * deposit
        parts += [arrow((x, top), (x, min(tip, ground) - 10), FAINT, 1.6, dash="3 3")]
        for name, w in weights.items():
            parts += [mass(x, level - unit * w, w), words(x + 11, level - unit * w + 4, name, size=12)]
        if deposit:
            parts += [line((x, ground), (x, tip), POSITIVE if deposit > 0 else NEGATIVE, 3)]
        parts += [mass(x, tip, deposit), words(x, 330, total, "middle", 12)]
    parts += [words(4, 354, "Θ: what lies there is h₁ (each weight times 1/m).")]
    seen = (
        "Above, Omega: particles at places theta, discs where the weight w is positive, squares where it is negative. "
        "Below, Theta. Each particle drops its weight straight down: 1 and a half add up to one and a half, 2 and -1 "
        "leave 1, 1 and -1 leave nothing. The deposits are h1."
    )
    return Sketch(362, parts, seen)
