"""Live demos: the flow runs where the reader looks, in JupyterLab through anywidget, on a web page without a kernel.

Each demo is an ES module in this folder, `NAME.js`, whose default export has the method `render({model, el})` that
anywidget asks for; it finds its instances, computed here by the library, in `model.get("data")`. On a page `page.js`
takes the place of anywidget. The steps a demo makes are those of `flows`, and tests hold them to it.
"""

import base64
import re
from pathlib import Path

import anywidget
import traitlets
from scipy.optimize import brentq

from mfcourse import checks, problems
from mfcourse.beyond import tanh_line, unlearning

FOLDER = Path(__file__).parent
NAMES = ("spikes", "relu", "many", "lift", "overlaps", "noise", "forgetting")
SEEDS = range(10)
IMPORT = re.compile(r'from "\./(\w+\.js)"')
FALLBACK = (
    '<div class="mf-live" data-demo="{name}">\n'
    "<p>The live picture needs JavaScript and a web server: <code>mfcourse site serve</code>, or in JupyterLab "
    "<code>live.{name}()</code>.</p>\n</div>"
)


class Demo(anywidget.AnyWidget):
    """A demo in a notebook. Where no kernel runs, an element that `page.js` brings to life takes its place."""

    _esm = traitlets.Unicode().tag(sync=True)
    _css = (FOLDER / "demo.css").read_text(encoding="utf-8")
    data = traitlets.List().tag(sync=True)

    def __init__(self, name):
        self._name = checks.one_of("name", name, NAMES)
        super().__init__(_esm=module(f"{name}.js"), data=instances(name))

    def _repr_mimebundle_(self, **settings):
        data, metadata = super()._repr_mimebundle_(**settings)
        plain = {"text/plain": f"live.{self._name}()", "text/html": FALLBACK.format(name=self._name)}
        return data | plain, metadata


def spikes():
    """Particles on the circle: m, lambda, noise and start are yours to choose; a certificate follows the run."""
    return Demo("spikes")


def relu():
    """ReLU neurons in the plane, on the exact population risk: do they find the directions of their teacher?"""
    return Demo("relu")


def many():
    """Thm 2.6: one flow with 10, 100 and 1000 particles, side by side."""
    return Demo("many")


def lift():
    """A neuron moves along its fibre and its measure stays; two measures, mixed and moved."""
    return Demo("lift")


def overlaps():
    """SGD of one neuron in high dimension: paths of two numbers, and the curve that they follow as N grows."""
    return Demo("overlaps")


def noise():
    """Noise in place of a good start: a density and particles on a line, at a temperature that is yours to change."""
    return Demo("noise")


def forgetting():
    """Unlearning with a certificate: steps, public samples, their weight and their mismatch are yours to choose."""
    return Demo("forgetting")


def module(file):
    """The source of an ES module as one text: what it imports from this folder travels inside, as data URLs."""
    text = (FOLDER / file).read_text(encoding="utf-8")
    return IMPORT.sub(lambda found: f'from "{_data_url(module(found[1]))}"', text)


def _data_url(text):
    return "data:text/javascript;base64," + base64.b64encode(text.encode()).decode()


def instances(name):
    """What a demo cannot compute by itself: the seeded problems of the library, as lists of numbers."""
    if name in ("spikes", "many"):
        return [_spikes(seed) for seed in SEEDS]
    if name == "relu":
        return [_relu(seed) for seed in SEEDS]
    alone = {"lift": _lift, "noise": _noise, "forgetting": _forgetting}
    return [alone[name]()] if name in alone else []


def _spikes(seed):
    """Masses and positions of the truth, and the noise in units of its level (15 numbers)."""
    problem = problems.spikes(seed, noise=1.0)
    clean = problem.risk.features.push(*problem.truth.particles())
    return {
        "seed": seed,
        "weights": problem.truth.weights.tolist(),
        "positions": problem.truth.positions[:, 0].tolist(),
        "noise": (problem.risk.loss.target - clean).tolist(),
    }


def _relu(seed):
    """Masses (4,) and unit directions (4, 2) of the teacher."""
    teacher = problems.relu_teacher(seed).truth
    return {"seed": seed, "weights": teacher.weights.tolist(), "positions": teacher.positions.tolist()}


def _lift():
    """Chapter 5: an observation of two lights (15 numbers), its lambda, and two measures of equal mass."""
    loss = problems.spikes(0, noise=0.0, n_spikes=2).risk.loss
    ends = {"mu": [0.2, 0.6], "nu": [0.45, 0.85]}
    measures = {name: {"weights": [0.6, 0.4], "positions": positions} for name, positions in ends.items()}
    return {"y": loss.target.tolist(), "lambda": loss.scale, **measures}


def _noise():
    """Chapter 14: samples (x, y) of a curve, for neurons height * tanh(theta x) on cells of a line."""
    x, cells = tanh_line.SAMPLES, len(tanh_line.POSITIONS)
    half = tanh_line.WIDTH * cells / 2
    particles = {"height": tanh_line.HEIGHT, "confinement": tanh_line.CONFINEMENT}
    return {"x": x.tolist(), "y": tanh_line.curve(x).tolist(), **particles, "low": -half, "high": half, "cells": cells}


def _forgetting():
    """Chapter 15: a mean of private samples of which some are forgotten, and the mu that (epsilon, delta) demands."""
    promise = {"epsilon": 1, "delta": 1e-3}
    demand = brentq(lambda mu: unlearning.epsilon(mu, promise["delta"]) - promise["epsilon"], 0.1, 1)
    data = {"samples": 1000, "forgotten": 10, "dimension": 10, "variance": 0.1, "diameter": 2}
    return {**data, "step": 0.025, "temperature": 2.5e-5, **promise, "demand": demand}
