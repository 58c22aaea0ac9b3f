"""Certificates of networks: exact on the circle, a search elsewhere that says so, weak duality."""

import numpy as np
import pytest

from mfcourse import convex, flows, problems, starts
from mfcourse.certificates import bounds, certify, gap
from mfcourse.measures import Measure, h1
from mfcourse.problems import Problem
from mfcourse.search import climb, highest


def nothing(d):
    return Measure(np.zeros(0), np.zeros((0, d)))


def in_the_plane(kind, seed, penalty=0.0):
    rng = np.random.default_rng(seed)
    if kind == "exact":
        return Problem(problems.relu_teacher(seed, 2, 4).risk, penalty)
    return problems.from_data(rng.normal(size=(40, 2)), rng.normal(size=40), "relu", penalty=penalty, bias=False)


def on_data(activation, penalty, d=5, n=60, seed=0):
    rng = np.random.default_rng(seed)
    return problems.from_data(rng.normal(size=(n, d)), rng.choice([-1.0, 1.0], n), activation, penalty=penalty)


@pytest.mark.parametrize("kind", ["exact", "samples"])
@pytest.mark.parametrize("seed", range(4))
def test_on_the_circle_the_maximum_is_found_up_to_rounding(kind, seed):
    risk = in_the_plane(kind, seed).risk
    rng = np.random.default_rng(seed)
    w, theta = rng.normal(size=5), rng.normal(size=(5, 2))
    top, worst, exact = highest(risk, w, theta)
    assert exact
    assert abs(risk.potential(w, theta, worst[None])[0]) == pytest.approx(top, rel=1e-12)
    assert np.linalg.norm(worst) == pytest.approx(1, rel=1e-12)
    t = np.linspace(0, 2 * np.pi, 100_001)
    dense = np.abs(risk.potential(w, theta, np.stack([np.cos(t), np.sin(t)], axis=-1))).max()
    assert dense <= top * (1 + 1e-12)
    assert top <= dense * (1 + 1e-4)  # a kink may lie between two points of the dense grid


@pytest.mark.parametrize("activation", ["relu", "signed_square_relu", "sigmoid", "tanh"])
def test_elsewhere_the_maximum_is_attained_no_random_direction_beats_it_and_it_is_called_no_proof(activation):
    problem = on_data(activation, penalty=0.01)
    w, theta = starts.sphere_start(20, np.random.default_rng(0), 6, radius=1.0, weight=1.0)
    certificate = certify(problem, h1(w, theta))
    assert not certificate.proof
    assert certificate.max_potential > 1
    eta = problem.risk.potential(w, theta, certificate.worst[None])[0]
    assert abs(eta) / 0.01 == pytest.approx(certificate.max_potential, rel=1e-12)
    at = np.random.default_rng(1).normal(size=(10_000, 6))
    at /= np.linalg.norm(at, axis=1, keepdims=True)
    assert np.abs(problem.risk.potential(w, theta, at)).max() <= abs(eta)


def test_climbing_never_goes_down_and_stays_on_the_sphere():
    problem = on_data("relu", penalty=0.01)
    w, theta = starts.sphere_start(20, np.random.default_rng(0), 6)
    at = theta / 0.1
    ends, values = climb(problem.risk, w, theta, at)
    np.testing.assert_allclose(np.linalg.norm(ends, axis=1), 1, rtol=1e-12)
    assert (values >= np.abs(problem.risk.potential(w, theta, at)) - 1e-15).all()


def test_the_dual_value_is_below_what_any_measure_on_the_circle_achieves():
    for kind in ("exact", "samples"):
        problem = in_the_plane(kind, 3, penalty=0.05)
        start = starts.sphere_start(40, np.random.default_rng(0), 2)
        run = flows.flow(problem, flows.gradient(problem, 0.05, 0.05), start, 3000, record=())
        certificate = certify(problem, h1(*run.state))
        assert certificate.proof
        assert certificate.gap == pytest.approx(1 - certificate.dual / certificate.objective, rel=1e-12)
        t = 2 * np.pi * np.arange(48) / 48
        best = convex.fixed_positions(problem, np.stack([np.cos(t), np.sin(t)], axis=-1))
        assert certificate.dual <= problem.objective(best)
        assert problem.objective(best) <= certificate.objective * 1.05
        assert gap(problem, *run.state) == pytest.approx(certificate.gap, rel=1e-9)


def test_nothing_is_optimal_when_the_penalty_is_large_and_that_is_certified():
    for problem, proof in ((in_the_plane("exact", 0, 50.0), True), (on_data("tanh", 50.0), False)):
        certificate = certify(problem, nothing(problem.risk.dimension))
        assert certificate.optimal
        assert certificate.max_potential < 1
        assert certificate.proof is proof
        assert ("no proof" in certificate.verdict) is not proof


def test_without_penalty_the_gap_is_the_relative_risk():
    problem = problems.relu_teacher(0, 5, 3)
    measure = Measure(np.ones(2), np.eye(5)[:2])
    certificate = certify(problem, measure)
    assert certificate.gap == pytest.approx(problem.objective(measure) / problem.objective(nothing(5)), rel=1e-12)
    assert certificate.dual == 0
    assert certificate.verdict.startswith("not optimal: ")
    assert "of the risk of nothing is left" in certificate.verdict
    assert certify(problem, problem.truth).verdict.startswith("optimal: ")
    assert certify(problem, problem.truth).max_potential < 1e-7
    stacked = problems.stack([problem, problems.relu_teacher(1, 5, 3)])
    w, theta = np.ones((2, 2)) * 2, np.stack([measure.positions] * 2)
    assert gap(stacked, w, theta)[0] == pytest.approx(certificate.gap, rel=1e-12)


def test_stacks_and_measures_of_another_dimension_are_refused():
    problem = in_the_plane("exact", 0, 1.0)
    with pytest.raises(ValueError, match=r"w must have shape \(m,\): without a period, measures are certified one run"):
        bounds(problem, np.ones((2, 3)), np.ones((2, 3, 2)))
    with pytest.raises(ValueError, match="measure must be a Measure with d = 2"):
        certify(problem, nothing(3))


def test_on_a_line_lengths_of_all_sizes_are_looked_at():
    x = np.concatenate([-np.linspace(0.5, 2, 10), np.linspace(0.5, 2, 10)])[:, None]
    y = np.tanh(6 * x[:, 0]) - 2 * np.tanh(0.8 * x[:, 0])
    problem = problems.from_data(x, y, "tanh", penalty=0.01, bias=False)
    particles = (
        np.zeros(2),
        np.array([[0.4], [-0.4]]),
    )  # a random direction of a line is that of a particle, or its image
    run = flows.flow(problem, flows.forward_backward(problem, 0.3, 0.1), particles, 5000, record=())
    everywhere = np.abs(problem.risk.potential(*run.state, np.linspace(-200, 200, 40_001)[:, None])).max()
    top, _, exact = highest(problem.risk, *run.state)
    assert top >= everywhere * (1 - 1e-9) > 2 * problem.penalty
    assert not exact
