"""Checks of what is to be drawn: a picture shows one dimension, one run, and numbers that have a place on its axes."""

import numpy as np

from mfcourse import checks

KINDS = {"run": ("a Run", "theta", "w", "steps"), "problem": ("a Problem", "risk", "penalty")}
MEASURE = "a Measure", "positions", "weights"


def in_dimension(d, **things):
    """ValueError unless each of the things, Measures, a `problem` or a single `run`, has d coordinates."""
    for name, thing in things.items():
        what, *members = KINDS.get(name, MEASURE)
        checks.having(name, thing, what, *members)
        if name == "run" and np.ndim(thing.w) != 2:
            raise ValueError(f"run must be a single one, no stack with w of shape {thing.w.shape}; take run.one(0)")
        found = thing.risk.dimension if name == "problem" else getattr(thing, members[0]).shape[-1]
        if found != d:
            raise ValueError(f"{name} must have d = {d}, as this picture shows d = {d}, but it has d = {found}")


def by_directions(problem, measure):
    """ValueError unless both live in the plane, and directions say it all, as for ReLU."""
    in_dimension(2, problem=problem, measure=measure)
    if problem.risk.homogeneity != 1:
        raise ValueError("problem must have ReLU features: only then directions say it all")


def on_torus(problem, measure, truth):
    """ValueError unless all live on the torus in d = 2, and there is a band to leave."""
    in_dimension(2, problem=problem, measure=measure, truth=truth)
    if problem.penalty <= 0 or problem.risk.period != 1:
        raise ValueError("problem must be one on the torus with a penalty > 0, for a map of where |eta| exceeds it")


def by_target(problem):
    """ValueError unless it is a single problem in d = 1 whose data are a target."""
    in_dimension(1, problem=problem)
    if np.ndim(getattr(getattr(problem.risk, "loss", None), "target", 0)) != 1:
        raise ValueError("problem must have a squared loss, and be no stack: what is drawn is its target")


def square(pixels):
    """Pixels (k^2,) as an image (k, k); ValueError if they do not fill a square."""
    pixels = checks.finite("pixels", pixels)
    side = round(pixels.size**0.5)
    if pixels.ndim != 1 or not side or side**2 != pixels.size:
        raise ValueError(f"pixels must have shape (k^2,) to fill a square, but their shape is {pixels.shape}")
    return pixels.reshape(side, side)


def lowest(floor):
    """The least excess that is shown, above 0 and at most 1; ValueError otherwise."""
    if checks.positive("floor", floor) > 1:
        raise ValueError(f"floor must be at most 1, but it is {floor:g}")
    return floor


def places(points, most=checks.MOST):
    """How many places a curve is drawn through: a whole number >= 2; ValueError otherwise."""
    return checks.count("points", points, at_least=2, at_most=most)


def curves(named):
    """name -> (sizes (k,), excess (seeds, k)); ValueError unless shapes fit and numbers are finite."""
    checked = {}
    for name, (sizes, excess) in checks.having("curves", named, "a dictionary", "items").items():
        sizes = [checks.count(f"sizes of {name}", m, at_most=checks.MOST) for m in sizes]
        excess = checks.finite(f"excess of {name}", excess)
        if excess.ndim != 2 or excess.shape[1] != len(sizes) or not excess.size:
            raise ValueError(f"excess of {name} must have shape (seeds, sizes), but it is {excess.shape}")
        checked[name] = sizes, excess
    if not checked:
        raise ValueError("curves must hold one curve or more, but it is empty")
    return checked


def loops(w, theta, two):
    """Particles of one run in the plane as arrays, and two lists of their numbers; ValueError otherwise."""
    w, theta = checks.particles(checks.finite("w", w), checks.finite("theta", theta), 2)
    if w.ndim != 1:
        raise ValueError(f"w must have shape (m,), as loops belong to one run, but its shape is {w.shape}")
    if len(two) != 2:
        raise ValueError(f"loops must be a positive and a negative one, but there are {len(two)}")
    return w, theta, [checks.indices("loops", order, len(w)) if len(order) else [] for order in two]
