"""Lab D: sound maps and answers earn all points, however written; each usual mistake loses its part, and hears why."""

from types import SimpleNamespace

import numpy as np
import pytest
from judging import judge

from mfcourse.exercises import lab_d
from mfcourse.features import Fourier, Neurons

SAID = dict.fromkeys(lab_d.RUNS, "trapped") | {"points": 1000}


def push(w, theta, x, s, mean=True):
    total = np.einsum("...m,...mn->...n", w, np.exp(-(((theta - x) / s) ** 2) / 2))
    return total / w.shape[-1] if mean else total


def one_run(w, theta, x, s):
    pairs = list(zip(w.ravel(), theta.ravel(), strict=True))
    return sum(a * np.exp(-((x - t) ** 2) / 2 / s**2) for a, t in pairs) / len(pairs)


def pull(residual, theta, x, s, sign=1, inner=True, shared=True):
    away = x - theta
    bumps = np.exp(-(away**2) / (2 * s**2))
    r = residual[..., None, :] if shared or residual.ndim == 1 else residual.mean(axis=0)
    return (bumps * r).sum(axis=-1), sign * (bumps * away * r).sum(axis=-1, keepdims=True) / (s**2 if inner else 1)


def audit(features, w, theta, residual, step=1e-6, coordinates=None, particles=None, mean=True):
    potential, gradient = features.pull(residual, theta)
    weighed = w @ potential / (len(w) if mean else 1)
    worst = []
    for k in range(coordinates or features.dimension):
        for i in range(particles or len(w)):
            moved = theta.copy()
            moved[i, k] += step
            rise = features.pull(residual, moved)[0][i] - potential[i]
            worst.append(abs(rise / step - gradient[i, k]))
    return np.array([residual @ features.push(w, theta) - weighed, max(worst)])


def hypotheses(features, walls=None, scale=(1e3, 1e6), highest=2, sides=2, **said):
    at = np.random.default_rng(3).choice([-1, 1], (9, features.dimension)) * np.linspace(0.7, 1.3, 9)[:, None]
    phi = [features.push(np.ones((9, 1)), r * at[:, None]) for r in (1, 3, *scale)]
    degree = [p for p in range(1, highest + 1) if np.allclose(phi[1], 3**p * phi[0])]
    edge = np.allclose(phi[2], phi[3])
    if walls:
        edge = not features.pull(np.eye(features.size), np.array(walls[:sides])[:, None] * 1.0)[1].round(9).any()
    bounded = bool(walls) or abs(phi[3]).max() < 100
    return {"degree": (degree or [None])[0], "bounded": bounded, "edge": edge} | said


def on_lines_only(features, walls=None):
    """Right for d = 1, and not made for more."""
    if features.dimension > 1:
        raise ValueError("positions must have shape (m, 2)")
    return hypotheses(features, walls)


def without_walls(features, walls=None):
    return hypotheses(features, walls) if walls is None or features.homogeneity == 1 else walls + 1


def dual_bound(problem, w, theta, grid, reach, slope, penalty=True, sign=1, factor=1.0, shift=0.0, size=abs):
    loss, features = problem.risk.loss, problem.risk.features
    r = sign * (loss.target - features.push(w, theta)) / loss.scale
    top = size(r @ features.matrix(grid)).max() + reach * slope * np.linalg.norm(r)
    q = factor * r * min(1, (problem.penalty if penalty else 1) / top)
    return [q, shift - loss.conjugate(-q)]


def shrunk(y, level, one_sign=False):
    values, vectors = np.linalg.eigh(y)
    kept = np.maximum(values - level, 0) - (0 if one_sign else np.maximum(-values - level, 0))
    return sum(a * np.outer(v, v) for a, v in zip(kept, vectors.T, strict=True))


def hard(y, level):
    values, vectors = np.linalg.eigh(y)
    return vectors * np.where(abs(values) > level, values, 0) @ vectors.T


def of(features, **changes):
    """A feature map of the library, or of this file, as a student's; some members changed."""
    names = set(lab_d.MEMBERS)
    members = {name: getattr(features, name) for name in names if hasattr(features, name)} | changes

    def push_pull(w, theta, respond):
        prediction = members["push"](w, theta)
        return prediction, *members["pull"](respond(prediction), theta)

    return lambda: SimpleNamespace(**({"push_pull": push_pull} | members))


def bumps(s=0.07, points=2001):
    x = np.linspace(0, 1, 25)
    return SimpleNamespace(
        push=lambda w, theta: push(w, theta, x, s),
        pull=lambda r, theta: pull(r, theta, x, s),
        size=25,
        dimension=1,
        period=None,
        homogeneity=0,
        grid=np.linspace(0, 1, points)[:, None],
        reach=0.5 / (points - 1),
        slope=5 * np.exp(-0.5) / s,
    )


def pulses(swapped=False):
    """Two shifted copies of a bump: position and distance."""
    one = bumps()

    def places(theta):
        return np.concatenate([theta[..., :1], theta.sum(axis=-1, keepdims=True)], axis=-1)

    def both(r, theta):
        values, slopes = zip(*(one.pull(r, places(theta)[..., k, None]) for k in (0, 1)), strict=True)
        slopes = np.concatenate([slopes[0] + slopes[1], slopes[1]], axis=-1)
        return values[0] + values[1], slopes[..., ::-1] if swapped else slopes

    grid = np.stack(np.meshgrid(np.linspace(0, 0.7, 141), np.linspace(0.1, 0.3, 41)), axis=-1).reshape(-1, 2)
    given = {"dimension": 2, "grid": grid, "reach": 0.0025 * 2**0.5, "slope": 3 * one.slope}
    summed = {"push": lambda w, theta: sum(one.push(w, places(theta)[..., k, None]) for k in (0, 1)), "pull": both}
    return SimpleNamespace(**(vars(one) | given | summed))


def matrices(scale=1):
    """theta theta^T in the plane: the unit circle as grid."""
    angles = np.linspace(0, 2 * np.pi, 500)

    def forms(r, theta):
        square = scale**2 * r.reshape(*r.shape[:-1], 2, 2)
        return (theta @ square * theta).sum(axis=-1), theta @ (square + square.mT)

    return SimpleNamespace(
        push=lambda w, theta: (
            np.einsum("...m,...mi,...mj->...ij", w, scale * theta, scale * theta).reshape(*w.shape[:-1], 4)
            / w.shape[-1]
        ),
        pull=forms,
        size=4,
        dimension=2,
        period=None,
        homogeneity=2,
        grid=np.stack([np.cos(angles), np.sin(angles)], axis=-1),
        reach=0.01,
        slope=2.0,
    )


def uphill(w, theta, respond):
    prediction = bumps().push(w, theta)
    return prediction, *bumps().pull(-respond(prediction), theta)


def flat(r, theta):
    potential, gradient = bumps().pull(r, theta)
    return potential, gradient[..., 0]


RELU = Neurons(np.random.default_rng(0).normal(size=(20, 2)), "relu")
CIRCLE = {"grid": np.linspace(0, 1, 501)[:, None], "reach": 1e-3, "slope": Fourier(3).slope_squared ** 0.5}
ROUND = {"grid": matrices().grid, "reach": 0.01, "slope": np.linalg.norm(RELU.x)}
ANSWERS = [
    (lab_d.check_predictions, lambda: SAID, 2, ""),
    (lab_d.check_predictions, lambda: SAID | {"three": "perhaps"}, 1, "For each of"),
    (lab_d.check_predictions, lambda: SAID | {"points": 2.5}, 1, "a whole number"),
    (lab_d.check_predictions, lambda: {"points": 9}, 0, "One entry"),
    (lab_d.check_push, push, 3, ""),
    (lab_d.check_push, lambda *args: push(*args, mean=False), 1, "a mean, not a sum"),
    (lab_d.check_push, one_run, 2, "shape"),
    (lab_d.check_pull, pull, 3, ""),
    (lab_d.check_pull, lambda *args: pull(*args, sign=-1), 2, "in theta, not in x"),
    (lab_d.check_pull, lambda *args: pull(*args, inner=False), 2, "inner derivative"),
    (lab_d.check_pull, lambda *args: pull(*args, shared=False), 2, "Row k of a stack"),
    (lab_d.check_pull, lambda *args: (pull(*args)[0], pull(*args)[1][..., 0]), 1, "gradient is an array of shape"),
    (lab_d.check_pull, lambda *args: pull(*args)[0], 0, "two arrays"),
    (lab_d.check_pull, lambda r, *args: pull(2 * r, *args), 0, "potential at theta_i"),
    (lab_d.check_audit, audit, 3, ""),
    (lab_d.check_audit, lambda *args: audit(*args, mean=False), 2, "First: "),
    (lab_d.check_audit, lambda *args: audit(*args, coordinates=1), 2, "each coordinate"),
    (lab_d.check_audit, lambda *args: audit(*args, particles=1), 2, "every particle"),
    (lab_d.check_audit, lambda *args: audit(*args, step=0.1), 1, "Second: "),
    (lab_d.check_audit, lambda *args: (audit(*args)[0], 0), 1, "Second: "),
    (lab_d.check_audit, lambda *args: audit(*args)[::-1], 0, "First: "),
    (lab_d.check_audit, lambda *args: (0, 0), 0, "First: "),
    (lab_d.check_hypotheses, hypotheses, 4, ""),
    (lab_d.check_hypotheses, lambda *args: hypotheses(*args, highest=1), 3, "degree: "),
    (lab_d.check_hypotheses, lambda *args: hypotheses(*args, sides=1), 3, "at both of them"),
    (lab_d.check_hypotheses, lambda *args: hypotheses(*args, bounded=True), 3, "does phi grow"),
    (lab_d.check_hypotheses, lambda *args: hypotheses(*args, edge=True), 2, "far out"),
    (lab_d.check_hypotheses, lambda *args: hypotheses(args[0]), 2, "with walls"),
    (lab_d.check_hypotheses, on_lines_only, 2, "For d = 2 it raised ValueError"),
    (lab_d.check_hypotheses, without_walls, 3, "with walls.*For d = 1 it raised TypeError"),
    (lab_d.check_hypotheses, lambda *args: (None, True, True), 0, "a dictionary"),
    (lab_d.check_dual_bound, dual_bound, 4, ""),
    (lab_d.check_dual_bound, lambda *args: dual_bound(*args[:4], 0, args[5]), 2, "between two grid points"),
    (lab_d.check_dual_bound, lambda *args: dual_bound(*args, penalty=False), 3, "another penalty"),
    (lab_d.check_dual_bound, lambda *args: dual_bound(*args, sign=-1), 1, "Which way does the residual point"),
    (lab_d.check_dual_bound, lambda *args: dual_bound(*args, size=np.positive), 1, "Both signs count"),
    (lab_d.check_dual_bound, lambda *args: dual_bound(*args, factor=0.5), 1, "no shorter"),
    (lab_d.check_dual_bound, lambda *args: dual_bound(*args, shift=0.1), 3, "with the q that you return"),
    (lab_d.check_dual_bound, lambda *args: dual_bound(*args, factor=0), 0, "proves nothing"),
    (lab_d.check_map, of(bumps()), 6, ""),
    (lab_d.check_map, of(pulses()), 6, ""),
    (lab_d.check_map, of(matrices()), 6, ""),
    (lab_d.check_map, of(Fourier(3), **CIRCLE), 6, ""),
    (lab_d.check_map, of(RELU, **ROUND), 6, ""),
    (lab_d.check_map, of(pulses(swapped=True)), 5, "difference quotients"),
    (lab_d.check_map, of(matrices(), homogeneity=1), 5, "homogeneity is the degree"),
    (lab_d.check_map, of(bumps(), period=1), 5, "on a circle"),
    (lab_d.check_map, of(matrices(), slope=2**0.5), 6, ""),
    (lab_d.check_map, of(matrices(scale=30), slope=900 * 2**0.5), 6, ""),
    (lab_d.check_map, of(bumps(), slope=5.0), 5, "steeper than slope"),
    (lab_d.check_map, of(matrices(), slope=1.3), 5, "steeper than slope"),
    (lab_d.check_map, of(bumps(), slope=1e4), 5, "more than twenty times too large"),
    (lab_d.check_map, of(matrices(), grid=matrices().grid[:250]), 5, "farther than reach from the grid"),
    (lab_d.check_map, of(bumps(), reach=1e-4), 5, "farther than reach from the grid"),
    (lab_d.check_map, of(matrices(), grid=2 * matrices().grid, reach=2), 5, "lies on the unit sphere"),
    (lab_d.check_map, of(bumps(), pull=flat), 4, "gradient is an array of shape"),
    (lab_d.check_map, of(bumps(), pull=lambda r, t: bumps().pull(2 * r, t)), 5, "not adjoint"),
    (lab_d.check_map, of(bumps(), push=lambda w, t: w.shape[-1] * bumps().push(w, t)), 4, "push is the mean"),
    (lab_d.check_map, of(bumps(), push_pull=uphill), 5, "push_pull"),
    (lab_d.check_map, lambda: SimpleNamespace(size=3), 0, "an object with push, pull"),
    (lab_d.check_map, of(bumps(), push=lambda w, t: 0 * bumps().push(w, t)), 0, "different values"),
    (lab_d.check_shrunk, shrunk, 2, ""),
    (lab_d.check_shrunk, lambda *args: shrunk(*args, one_sign=True), 1, "both signs"),
    (lab_d.check_shrunk, hard, 0, "no eigenvalue beyond"),
    (lab_d.check_shrunk, hard, 0, "Positive eigenvalues"),
    (lab_d.check_shrunk, lambda y, level: y, 0, "wherever M is not 0"),
]


@pytest.mark.parametrize(("check", "answer", "points", "hint"), ANSWERS)
def test_an_answer_gets_its_points_and_the_sentence_that_helps(check, answer, points, hint, capsys):
    judge(capsys, check, answer, points, hint)


def remembered(answer):
    """The first results of `answer`, whatever is asked later."""
    kept = []

    def same(*arguments):
        kept.append(answer(*arguments))
        return kept[0]

    return same


@pytest.mark.parametrize(
    ("check", "answer", "points"),
    [
        (lab_d.check_push, push, 3),
        (lab_d.check_pull, pull, 3),
        (lab_d.check_audit, audit, 3),
        (lab_d.check_hypotheses, hypotheses, 4),
        (lab_d.check_dual_bound, dual_bound, 4),
        (lab_d.check_map, of(pulses()), 6),
        (lab_d.check_shrunk, shrunk, 2),
    ],
)
def test_other_instances_are_fair_and_see_what_is_remembered(check, answer, points):
    assert [check(answer, seed) for seed in (7, 8, 9)] == 3 * [points]
    if check is not lab_d.check_map:
        same = remembered(answer)
        check(same)
        assert check(same, 7) <= 1


def test_what_is_not_written_yet_gets_nothing(capsys):
    def stub(*arguments):
        raise NotImplementedError

    checks = [getattr(lab_d, name) for name in dir(lab_d) if name.startswith("check_")]
    assert [check(stub) for check in checks] == [0] * len(checks)
    assert capsys.readouterr().out.count("not solved yet") == len(checks) == 8
