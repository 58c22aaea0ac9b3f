"""Checks for lab D, a feature map of one's own: any object that keeps the contract of `mfcourse.features`."""

import functools
import math
from types import SimpleNamespace

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import norm

from mfcourse import flows
from mfcourse.exercises import as_array, as_number
from mfcourse.exercises.grading import task
from mfcourse.features import Fourier, Neurons
from mfcourse.intervals import Cosines
from mfcourse.losses import Squared
from mfcourse.problems import Problem
from mfcourse.risks import FeatureRisk

RUNS = ("line", "left half", "left third", "three")
MEMBERS = ("push", "pull", "push_pull", "size", "dimension", "period", "homogeneity", "grid", "reach", "slope")
SMALL, LARGE = 1e-3, 1e-2  # a defect that is rounding, and one that is a mistake
NUDGE = 1e-5  # of difference quotients


@task("D1", 2)
def check_predictions(predictions):
    """`predictions()` is complete and possible; whether it comes true is not judged."""
    said = predictions()
    assert isinstance(said, dict), "predictions returns a dictionary."
    possible = {str(said.get(name)) for name in RUNS} <= {"global", "trapped"}
    yield 1, possible, f'For each of {", ".join(RUNS)}: "global" or "trapped".'
    assert set(said) == {*RUNS, "points"}, "One entry for each start, one for 'points', and no other."
    points = as_number(said["points"], "'points' is a number")
    yield 1, points == round(points) and points >= 2, "'points' is a whole number, at least two."


@task("D2", 3)
def check_push(push, seed=0):
    """`push(w, theta, x, s)` is (1/m) sum_i w_i phi(theta_i) for Gaussian bumps, for one run and for stacks."""
    rng = np.random.default_rng(seed)
    x, s = rng.uniform(size=6), rng.uniform(0.1, 0.3)
    hints = (
        "One particle of weight w predicts w phi(theta), a number for each sample.",
        "Many particles predict the mean of what each of them predicts, with its weight: a mean, not a sum.",
        "Axes before the last ones are independent runs, and stay apart.",
    )
    for shape, hint in zip(((1,), (5,), (2, 3, 4)), hints, strict=True):
        w, theta = rng.normal(size=shape), rng.uniform(size=(*shape, 1))
        given = as_array(push(w.copy(), theta.copy(), x, s), "push returns an array", (*shape[:-1], 6))
        yield 1, np.allclose(given, (w[..., None] * _bump(x, theta, s)).mean(axis=-2)), hint


@task("D3", 3)
def check_pull(pull, seed=0):
    """`pull(residual, theta, x, s)`: <r, phi(theta_i)> and its gradient, by a sum and by difference quotients."""
    rng = np.random.default_rng(seed)
    x, s, theta, r = rng.uniform(size=6), rng.uniform(0.1, 0.3), rng.uniform(size=(3, 5, 1)), rng.normal(size=(3, 6))

    def potential(residual, theta):
        return (_bump(x, theta, s) * residual[..., None, :]).sum(axis=-1)

    given = functools.partial(_pulled, lambda *args: pull(*args, x, s))

    value, gradient = given(r[0], theta[0])
    yield 1, np.allclose(value, potential(r[0], theta[0])), "The potential at theta_i is the sum of r_b phi_b(theta_i)."
    right = _near(gradient[:, 0], _quotient(lambda at: potential(r[0], at), theta[0], 1))
    yield 1, right, "Differentiate the potential in theta, not in x; mind the inner derivative. No weight w enters."
    (values, gradient), (shared, _) = given(r, theta), given(r, theta[0])
    right = np.allclose(values, potential(r, theta)) and np.allclose(shared, potential(r, theta[0]))
    right = right and all(np.allclose(gradient[k], given(r[k], theta[k])[1]) for k in range(3))
    yield 1, right, "Row k of a stack of residuals goes with row k of the positions, or with the same ones for all."


@task("D4", 3)
def check_audit(audit, seed=0):
    """`audit(features, w, theta, residual)`: two defects, of adjointness and of the gradient, that tell maps apart."""
    rng = np.random.default_rng(seed)
    cosines, torus, neurons = Cosines(range(4)), Fourier(2, 2), Neurons(rng.normal(size=(6, 3)), "tanh")

    def defects(features, push=lambda p: p, pull=lambda v, g: (v, g)):
        changed = SimpleNamespace(size=features.size, dimension=features.dimension)
        changed.push = lambda w, theta: push(features.push(w, theta))
        changed.pull = lambda r, theta: pull(*features.pull(r, theta))
        particles = rng.normal(size=5), rng.uniform(size=(5, features.dimension))
        answer = audit(changed, *particles, rng.normal(size=features.size))
        return np.abs(as_array(answer, "audit returns two numbers, as a tuple or an array", (2,)))

    sound = [defects(features) for features in (cosines, torus, neurons)]
    torn = [defects(neurons, lambda p: 5 * p), defects(cosines, pull=lambda v, g: (2 * v, 2 * g))]
    told = all(a < SMALL for a, _ in sound) and all(a > LARGE and b < SMALL for a, b in torn)
    yield 1, told, "First: <r, push(w, theta)> against the mean of w_i pull(r, theta)_i, whatever the gradient is."
    steep = [defects(features, pull=lambda v, g: (v, -g)) for features in (cosines, neurons)]
    told = all(b < SMALL for _, b in sound) and all(b > LARGE for _, b in steep)
    yield 1, told, "Second: the gradient of pull against difference quotients of its potential, whatever push is."
    first, last = np.eye(5)[:, :1], np.eye(5)[:, 4:]
    steep = [defects(torus, pull=lambda v, g: (v, g[..., ::-1]))]
    steep += [defects(neurons, pull=lambda v, g, part=part: (v, g * part)) for part in ([1, 1, 0], first, last)]
    yield 1, sound[1][1] < SMALL and all(b > LARGE for _, b in steep), "Try each coordinate, and every particle."


@task("D5", 4)
def check_hypotheses(hypotheses, seed=0):
    """`hypotheses(features, walls)`: degree, bounded, edge, as far as numbers can say; a constant earns nothing."""
    rng = np.random.default_rng(seed)
    whole, walls, x = Cosines(range(5)), (0, 1), rng.uniform(0.5, 2, (6, 1)) * [[1], [-1], [1], [-1], [1], [-1]]
    tanh, relu, square = (Neurons(x, name) for name in ("tanh", "relu", "signed_square_relu"))

    def asked(name, *cases):
        answers = [hypotheses(*case) for case in cases]
        assert {type(answer) for answer in answers} == {dict}, "hypotheses returns a dictionary."
        return [answer.get(name, f"no entry {name}") for answer in answers]

    plane = Neurons(rng.normal(size=(6, 2)), "signed_square_relu")
    degrees = asked("degree", (whole, None), (tanh, None), (relu, None), (square, None), (plane, None))
    hint = "degree: a whole number p >= 1 with phi(r theta) = r^p phi(theta) for all theta and all r > 0, or None."
    yield 1, degrees == [None, None, 1, 2, 2], hint
    bounded = asked("bounded", (whole, None), (tanh, None), (relu, None), (plane, None), (relu, walls))
    yield 1, bounded == [True, True, False, False, True], "bounded: does phi grow, in some direction, on its domain?"
    broken = Cosines([0, 0.9, 1.8])
    flat = asked("edge", (whole, walls), (broken, walls), (tanh, walls), (square, walls), (square, (-1, 0)))
    yield 1, flat == [True] + 4 * [False], "edge, with walls: has every entry of phi slope zero, at both of them?"
    settled = asked("edge", (whole, None), (tanh, None), (relu, None))
    yield 1, settled == [False, True, False], "edge, without walls: does phi tend to something far out, on each side?"


@task("D6", 4)
def check_dual_bound(dual_bound, seed=0):
    """`dual_bound(problem, w, theta, grid, reach, slope)`: any long q that a finer grid finds feasible, and D(q)."""
    rng, finest = np.random.default_rng(seed), np.linspace(0, 1, 20001)[:, None]
    formula, good = True, {}
    for c, n in ((1.0, 20001), (1.0, 17), (0.3, 20001), (0.3, 17)):
        problem, grid, reach = _spikes(rng, c), np.linspace(0, 1, n)[:, None], 0.5 / (n - 1)
        features, loss = problem.risk.features, problem.risk.loss
        slope = math.pi * math.sqrt(2) * float(np.linalg.norm(features.frequencies))
        start = np.zeros(30), np.linspace(0, 1, 30)[:, None]
        end = flows.flow(problem, flows.forward_backward(problem, 0.04, 1e-5), start, 600, record=()).state
        for w, theta in (end, (5 * rng.normal(size=5), rng.uniform(size=(5, 1)))):
            answer = dual_bound(problem, w.copy(), theta.copy(), grid.copy(), reach, slope)
            q, value = _two(answer, "dual_bound returns q and D")
            q, value = as_array(q, "q is a vector", (features.size,)), as_number(value, "D is a number")
            formula &= q.any() and math.isclose(value, loss.target @ q - loss.scale * q @ q / 2, rel_tol=1e-9)
            r = -problem.risk.residual(w, theta)
            most = np.abs(features.pull(r, grid)[0]).max() + slope * reach * np.linalg.norm(r)
            length = np.linalg.norm(r) / max(1, most / c)
            feasible = np.abs(features.pull(q, finest)[0]).max() <= c * (1 + 1e-6)
            good[c, n] = good.get((c, n), True) and feasible and q @ r > 0.97 * length * np.linalg.norm(r)
    yield 1, formula, "D(q) = <y, q> - lambda |q|^2 / 2, with the q that you return; q = 0 proves nothing."
    hint = "|<q, phi>| must keep its bound on all of Theta, and q be no shorter than that asks for."
    yield 1, good[1.0, 20001], f"On a fine grid: {hint} Which way does the residual point?"
    yield 1, good[1.0, 17], f"On a coarse grid: {hint} What can happen between two grid points?"
    yield 1, good[0.3, 20001] and good[0.3, 17], f"With another penalty c: {hint}"


@task("D7", 6)
def check_map(my_map, seed=0):
    """`my_map()` is a feature map: judged by identities, difference quotients and a flow, whatever map it is."""
    features, rng = my_map(), np.random.default_rng(seed)
    assert all(hasattr(features, name) for name in MEMBERS), f"my_map returns an object with {', '.join(MEMBERS)}."
    n, d = features.size, features.dimension
    grid = as_array(features.grid, "grid is an array of positions, one in each row", (len(features.grid), d))
    theta = grid[rng.choice(len(grid), 12)] + 1e-4 * rng.normal(size=(12, d))
    w, r, one = rng.normal(size=12), rng.normal(size=n), theta[:, None]

    def push(w, theta):
        return as_array(features.push(w, theta), "push returns an array", (*w.shape[:-1], n))

    phi = push(np.ones((12, 1)), one)
    assert np.linalg.matrix_rank(phi) > 1, "phi must take different values at different places."
    stack, alone = push(w.reshape(2, 6), theta.reshape(2, 6, d)), (w[:, None] * phi).reshape(2, 6, n).mean(axis=1)
    right = np.allclose(push(w, theta), w @ phi / 12) and np.allclose(stack, alone)
    yield 1, right, "push is the mean of w_i phi(theta_i), for one run and for a stack of runs."
    value, gradient = _pulled(features.pull, r, theta)
    yield 1, np.allclose(value, phi @ r), "push and pull are not adjoint: pull gives <r, phi(theta_i)>."
    slopes = [_quotient(lambda at: _pulled(features.pull, r, at)[0], theta, axis) for axis in np.eye(d)]
    right = _near(gradient, np.stack(slopes, axis=-1)) and gradient.any()
    yield 1, right, "The gradient of pull does not agree with difference quotients of its potential."
    scaled = [np.allclose(push(np.ones((12, 1)), 2 * one), 2**k * phi) for k in (1, 2)]
    right = scaled == [features.homogeneity == k for k in (1, 2)]
    right = right and (features.period is None or np.allclose(push(w, theta + 1), push(w, theta)))
    yield 1, right, "homogeneity is the degree, 1 or 2, or 0 for bounded maps; period is None, or 1 on a circle."
    hint = "reach: the grid comes so near to every point of Theta: of the box around it, or of the unit sphere"
    yield 1, _covered(features, grid, rng), f"{hint}. slope: |phi(a) - phi(b)| <= slope |a - b|, and not far too large."
    target, start = w @ phi / 12, (np.sign(w), 0.1 * theta) if features.homogeneity else (0 * w, theta)
    problem = Problem(FeatureRisk(features, Squared(target)), 0.1 * abs(phi @ target).max())
    steps = [flows.forward_backward(problem, 0.5 / (phi**2).sum(1).max(), b) for b in 10.0 ** -np.arange(2, 9)]
    energies = [flows.flow(problem, step, start, 60, record=range(61)).energy for step in steps]
    right = any(np.diff(energy).max() <= 1e-12 * energy[0] and energy[-1] < energy[0] for energy in energies)
    yield 1, right, "No flow on your map lowers J steadily, however short its steps. Does push_pull fit push and pull?"


@task("D8", 2)
def check_shrunk(shrunk, seed=0):
    """`shrunk(y, level)` minimises |M - y|^2 / 2 + level * (sum of |eigenvalues|): judged by the dual conditions."""
    rng = np.random.default_rng(seed)
    for kind, signs in (("Positive eigenvalues", [1, 1, 1, 1]), ("Eigenvalues of both signs", [1, -1, 1, -1])):
        frame, level = np.linalg.qr(rng.normal(size=(4, 4)))[0], rng.uniform(0.7, 1)
        y = frame * (signs * np.array([3, 2, 0.6, 0.3])) @ frame.T
        matrix = as_array(shrunk(y.copy(), level), "shrunk returns a symmetric matrix, an array", (4, 4))
        rest, nuclear = y - matrix, np.linalg.norm(matrix, "nuc")
        optimal = np.linalg.norm(rest, 2) < level * (1 + 1e-9) and np.isclose((rest * matrix).sum(), level * nuclear)
        yield 1, optimal, f"{kind}: y - M has none beyond +-level, and reaches it, with its sign, wherever M is not 0."


def _bump(x, theta, s):
    return norm.pdf(theta, x, s) * s * math.sqrt(2 * math.pi)


def _two(answer, expected):
    assert isinstance(answer, tuple | list), f"{expected}."
    assert len(answer) == 2, f"{expected}."
    return answer


def _near(array, expected):
    return np.allclose(array, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def _quotient(function, theta, axis):
    return (function(theta + NUDGE * axis) - function(theta - NUDGE * axis)) / (2 * NUDGE)


def _pulled(pull, residual, theta):
    """What pull returned, as arrays of the right shapes."""
    answer = _two(pull(residual.copy(), theta.copy()), "pull returns two arrays, the potential and its gradient")
    runs = np.broadcast_shapes(residual.shape[:-1], theta.shape[:-2])
    potential = as_array(answer[0], "The potential is an array", (*runs, theta.shape[-2]))
    return potential, as_array(answer[1], "The gradient is an array", (*runs, *theta.shape[-2:]))


def _spikes(rng, c):
    """Two positive spikes and a negative one on the interval, seen by cosines, with penalty c."""
    features, w = Cosines(range(6)), rng.uniform(2.5, 4.5, 3) * [1, -1, 1]
    return Problem(FeatureRisk(features, Squared(features.push(w, rng.uniform(size=(3, 1))), 0.5)), c)


def _covered(features, grid, rng):
    """Does the grid reach every point of Theta, and is the slope a bound, and no more than twenty times too large?"""
    ways = rng.normal(size=(400, features.dimension))
    box, sphere = rng.uniform(grid.min(0), grid.max(0), ways.shape), ways / np.linalg.norm(ways, axis=1)[:, None]
    at, one = sphere if features.homogeneity else box, np.ones((400, 1))
    near = at + 1e-3 * ways
    rise = np.linalg.norm(features.push(one, near[:, None]) - features.push(one, at[:, None]), axis=1)
    steepest = (rise / np.linalg.norm(near - at, axis=1)).max()
    reach, slope = as_number(features.reach, "reach is a number"), as_number(features.slope, "slope is a number")
    where = not features.homogeneity or np.allclose(np.linalg.norm(grid, axis=1), 1)
    return (
        where and cKDTree(grid).query(at)[0].max() <= reach * (1 + 1e-6) and 0.97 * steepest <= slope <= 20 * steepest
    )
