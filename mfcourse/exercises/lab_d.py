"""Checks for lab D, a feature map of one's own: any object that keeps the contract of `mfcourse.features`."""

import math
from types import SimpleNamespace

import numpy as np

from mfcourse import flows
from mfcourse.exercises import as_array, as_number, as_parts
from mfcourse.exercises.grading import as_dictionary, task
from mfcourse.exercises.identities import covered, lowers, pulled, steep
from mfcourse.features import Fourier, Neurons
from mfcourse.intervals import Cosines
from mfcourse.losses import Squared
from mfcourse.problems import Problem
from mfcourse.risks import FeatureRisk

RUNS = ("line", "left half", "left third", "three")
Waves = type("Waves", (Cosines,), {"_demand_inside": staticmethod(len)})  # on the whole line: walls are told apart
MEMBERS = ("push", "pull", "push_pull", "size", "dimension", "period", "homogeneity", "grid", "reach", "slope")
SMALL, LARGE = 1e-2, 3e-2  # a defect that is rounding, and one that is a mistake


@task("D1", 2)
def check_predictions(predictions):
    """`predictions()` is complete and possible; whether it comes true is not judged."""
    said = as_dictionary(predictions(), "predictions returns a dictionary")
    possible = {str(said.get(name)) for name in RUNS} <= {"global", "trapped"}
    yield 1, possible, f'For each of {", ".join(RUNS)}: "global" or "trapped".'
    as_dictionary(said, "predictions returns a dictionary", (*RUNS, "points"))
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
        yield 1, np.allclose(given, (w[..., None] * np.exp(-np.square((theta - x) / s) / 2)).mean(axis=-2)), hint


@task("D3", 3)
def check_pull(pull, seed=0):
    """`pull(residual, theta, x, s)`: <r, phi(theta_i)> and its gradient, by a sum and by difference quotients."""
    rng = np.random.default_rng(seed)
    x, s, theta, r = rng.uniform(size=6), rng.uniform(0.1, 0.3), rng.uniform(size=(3, 5, 1)), rng.normal(size=(3, 6))

    def potential(residual, theta):
        return (np.exp(-np.square((theta - x) / s) / 2) * residual[..., None, :]).sum(axis=-1)

    given = pulled(pull, r[0], theta[0], 0, x, s)
    yield 1, np.allclose(given, potential(r[0], theta[0])), "The potential at theta_i is the sum of r_b phi_b(theta_i)."
    right = steep(pulled(pull, r[0], theta[0], 1, x, s), lambda at: potential(r[0], at), theta[0])
    yield 1, right, "Differentiate the potential in theta, not in x; mind the inner derivative. No weight w enters."
    gradient = pulled(pull, r, theta, 1, x, s)
    right = all(np.allclose(pulled(pull, r, at, 0, x, s), potential(r, at)) for at in (theta, theta[0]))
    right = right and all(np.allclose(gradient[k], pulled(pull, r[k], theta[k], 1, x, s)) for k in range(3))
    yield 1, right, "Row k of a stack of residuals goes with row k of the positions, or with the same ones for all."


@task("D4", 3)
def check_audit(audit, seed=0):
    """`audit(features, w, theta, residual)`: two defects, of adjointness and of the gradient, that tell maps apart."""
    rng = np.random.default_rng(seed)
    cosines, torus, neurons = Waves(range(4)), Fourier(1, 2), Neurons(rng.normal(size=(6, 3)), "tanh")

    def defects(features, push=lambda p: p, pull=lambda v, g: (v, g)):
        changed = SimpleNamespace(size=features.size, dimension=features.dimension)
        changed.push = lambda w, theta: push(features.push(w, theta))
        changed.pull = lambda r, theta: pull(*features.pull(r, theta))
        particles = rng.normal(size=5), rng.uniform(size=(5, features.dimension))
        p = features.push(*particles)
        answer = audit(changed, *particles, rng.normal(size=features.size) + 3 * p / np.linalg.norm(p))
        return np.abs(as_array(answer, "audit returns two numbers, as a tuple or an array", (2,)))

    sound = [defects(features) for features in (cosines, torus, neurons)]
    torn = [defects(neurons, lambda p: 5 * p), defects(cosines, pull=lambda v, g: (2 * v, 2 * g))]
    told = all(a < SMALL for a, _ in sound) and all(a > LARGE for a, _ in torn)
    yield 1, told, "First: <r, push(w, theta)> against the mean of w_i pull(r, theta)_i, whatever the gradient is."
    steep = [defects(features, pull=lambda v, g: (v, -g)) for features in (cosines, neurons)]
    told = all(b < SMALL for _, b in sound + torn) and all(b > LARGE for _, b in steep)
    yield 1, told, "Second: the gradient of pull against difference quotients of its potential, whatever push is."
    steep = [defects(torus, pull=lambda v, g: (v, g[..., ::-1]))]
    parts = [1, 1, 0], *np.eye(5)[[0, 4], :, None]  # without the last coordinate; one particle's gradient alone
    steep += [defects(neurons, pull=lambda v, g, part=part: (v, g * part)) for part in parts]
    yield 1, sound[1][1] < SMALL and all(b > LARGE for _, b in steep), "Try each coordinate, and every particle."


@task("D5", 4)
def check_hypotheses(hypotheses, seed=0):
    """`hypotheses(features, walls)`: degree, bounded, edge, as far as numbers can say; a constant earns nothing."""
    rng = np.random.default_rng(seed)
    whole, walls, x = Waves(range(5)), (0, 1), np.kron(rng.uniform(0.5, 2, (3, 1)), [[1], [-1]])
    tanh, relu, square = (Neurons(x, name) for name in ("tanh", "relu", "signed_square_relu"))

    def asked(name, hint, expected, *cases):
        answers, trouble = [], ""
        for features, ends in cases:
            try:
                answer = as_dictionary(hypotheses(features, ends), "hypotheses returns a dictionary")
                answers.append(answer.get(name, "missing"))
            except (ArithmeticError, AttributeError, LookupError, NameError, TypeError, ValueError) as error:
                trouble = f" For d = {features.dimension} it raised {type(error).__name__}: {error}."
        return 1, answers == expected, f"{name}{hint}{trouble}"

    plane = Neurons(np.kron(rng.normal(size=(3, 2)), [[1], [-1]]), "signed_square_relu")  # grows in every direction
    cases = (whole, None), (tanh, None), (relu, None), (plane, None)
    hint = ": a whole number p >= 1 with phi(r theta) = r^p phi(theta) for all theta and r > 0, or None; for d = 2 too."
    yield asked("degree", hint, [None, None, 1, 2, 2], *cases, (square, None))
    hint = ": does phi grow, in some direction, on its domain? It is asked for d = 2 too."
    yield asked("bounded", hint, [True, True, False, False, True], *cases, (relu, walls))
    hint, broken = ", with walls: has every entry of phi slope zero, at both of them?", Waves([0, 0.9, 1.8])
    cases = (whole, walls), (broken, walls), (tanh, walls), (square, walls), (square, (-1, 0))
    yield asked("edge", hint, [True] + 4 * [False], *cases)
    hint = ", without walls: does phi tend to something far out, on each side?"
    yield asked("edge", hint, [False, True, False], (whole, None), (tanh, None), (relu, None))


@task("D6", 4)
def check_dual_bound(dual_bound, seed=0):
    """`dual_bound(problem, w, theta, grid, reach, slope)`: any long q that a finer grid finds feasible, and D(q)."""
    rng, finest = np.random.default_rng(seed), np.linspace(0, 1, 20001)[:, None]
    formula, good, features, slope = True, {}, Cosines(range(6)), math.pi * math.sqrt(2 * 55)
    for c, n in ((1.0, 20001), (1.0, 17), (0.3, 20001), (0.3, 17)):
        grid, reach = np.linspace(0, 1, n)[:, None], 0.5 / (n - 1)
        target = features.push(rng.uniform(2.5, 4.5, 3) * [1, -1, 1], rng.uniform(size=(3, 1)))
        problems = {sign: Problem(FeatureRisk(features, Squared(sign * target, 0.5)), c) for sign in (1, -1)}
        step, start = flows.forward_backward(problems[1], 0.04, 1e-5), (np.zeros(30), np.linspace(0, 1, 30)[:, None])
        states = [(w, rng.uniform(size=(5, 1))) for w in 5 * rng.normal(size=(2, 5))]
        lonely = np.array([25.0]), np.array([[15 / 32]])  # one-sided, and steep between two points of a coarse grid
        states += [lonely, flows.flow(problems[1], step, start, 600, record=()).state]
        for sign, (w, theta) in [(sign, state) for sign in problems for state in states]:  # as it is, and mirrored
            problem, w = problems[sign], sign * w
            q, value = as_parts(
                dual_bound(problem, w.copy(), +theta, +grid, reach, slope), 2, "dual_bound returns q and D"
            )
            q, value = as_array(q, "q is a vector", (features.size,)), as_number(value, "D is a number")
            formula &= q.any() and math.isclose(value, sign * target @ q - q @ q / 4, rel_tol=1e-9)
            r = -problem.risk.residual(w, theta)
            most = np.abs(features.pull(r, grid)[0]).max() + slope * reach * np.linalg.norm(r)
            feasible = np.abs(features.pull(q, finest)[0]).max() <= c * (1 + 1e-6)
            good[c, n] = good.get((c, n), True) and feasible and q @ r > 0.97 * r @ r / max(1, most / c)
    yield 1, formula, "D(q) = <y, q> - lambda |q|^2 / 2, with the q that you return; q = 0 proves nothing."
    hint = "|<q, phi>| must keep its bound on all of Theta, and q be no shorter than that asks for."
    yield 1, good[1.0, 20001], f"On a fine grid: {hint} Both signs count. Which way does the residual point?"
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
    right = np.allclose(pulled(features.pull, r, theta, 0), phi @ r)
    yield 1, right, "push and pull are not adjoint: pull gives <r, phi(theta_i)>."
    scaled = [np.allclose(push(np.ones((12, 1)), 2 * one), 2**k * phi) for k in (1, 2)]
    right = scaled == [features.homogeneity == k for k in (1, 2)]
    right = right and (features.period is None or np.allclose(push(w, theta + 1), push(w, theta)))
    yield 1, right, "homogeneity is the degree, 1 or 2, otherwise 0; period is None, or 1 on a circle."
    yield 1, *covered(features, grid)
    gradient = pulled(features.pull, r, theta, 1)
    right = steep(gradient, lambda at: pulled(features.pull, r, at, 0), theta) and gradient.any()
    yield 1, right, "The gradient of pull does not agree with difference quotients of its potential."
    target, start = w @ phi / 12, (np.sign(w), 0.1 * theta) if features.homogeneity else (0 * w, theta)
    problem = Problem(FeatureRisk(features, Squared(target)), 0.1 * abs(phi @ target).max())
    right = any(lowers(problem, 0.5 / (phi**2).sum(1).max(), b, start) for b in 10.0 ** -np.arange(2, 9))
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
        hint = "y - M has no eigenvalue beyond +-level, and reaches it, with its sign, wherever M is not 0."
        yield 1, optimal, f"{kind}: {hint}"
