"""Certificates of networks: exact on the circle, a search elsewhere that says so, weak duality."""

import numpy as np
import pytest

from mfcourse import convex, flows, problems, starts
from mfcourse.certificates import bounds, certify, gap
from mfcourse.losses import Squared
from mfcourse.measures import Measure, h1
from mfcourse.problems import Problem
from mfcourse.risks import FeatureRisk
from mfcourse.search import climb


def highest(risk, w, theta):
    """The largest |eta|, where it is, and whether that is proved."""
    values, at, proof = risk.peaks(w, theta)
    best = np.abs(values).argmax()
    return abs(values[best]), at[best], proof


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
    values, ends = climb(lambda points: problem.risk.field(w, theta, points), at, sphere=True)
    np.testing.assert_allclose(np.linalg.norm(ends, axis=1), 1, rtol=1e-12)
    assert (np.abs(values) >= np.abs(problem.risk.potential(w, theta, at)) - 1e-15).all()


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


@pytest.mark.parametrize("activation", ["relu", "probit"])
def test_a_stack_is_certified_like_its_runs(activation):
    make = problems.relu_teacher if activation == "relu" else problems.sigmoid_teacher
    singles = [Problem(make(seed, 2, 3).risk, 0.1, make(seed, 2, 3).truth) for seed in range(3)]
    rng = np.random.default_rng(0)
    w, theta = rng.normal(size=(3, 6)), rng.normal(size=(3, 6, 2))
    stacked = bounds(problems.stack(singles), w, theta)
    for k, problem in enumerate(singles):
        alone = bounds(problem, w[k], theta[k])
        np.testing.assert_allclose([part[k] for part in stacked[:3]], alone[:3], rtol=1e-9)
        assert stacked[4] == alone[4] == (activation == "relu")


class Bumps:
    """Three Gaussian bumps on a circle of length 2, felt at samples: a map of one's own, without `peaks`."""

    dimension, homogeneity, size = 1, 0, 7

    def __init__(self, period):
        self.period, self.centres = period, np.linspace(0.1, 1.9, 7)

    def _wave(self, theta):
        phase = np.pi * (theta - self.centres)  # periodic with period 2
        values = np.exp(3 * (np.cos(phase) - 1))
        return values, -3 * np.pi * np.sin(phase) * values

    def push(self, w, theta):
        return (w[..., None] * self._wave(theta)[0]).mean(axis=-2)

    def pull(self, residual, theta):
        values, slopes = self._wave(theta)
        return (values @ residual[..., None])[..., 0], slopes @ residual[..., None]

    def push_pull(self, w, theta, respond):
        prediction = self.push(w, theta)
        return prediction, *self.pull(respond(prediction), theta)


@pytest.mark.parametrize("period", [2, None])
def test_a_map_of_ones_own_is_certified_by_climbing_with_a_period_or_without(period):
    features = Bumps(period)
    problem = Problem(FeatureRisk(features, Squared(np.sin(np.arange(7)))), 0.05)
    w, theta = np.array([1.0, -2.0]), np.array([[0.3], [1.2]])
    certificate = certify(problem, h1(w, theta))
    dense = np.abs(problem.risk.potential(w, theta, np.linspace(0, 2, 4001)[:, None])).max()
    assert certificate.max_potential * 0.05 == pytest.approx(dense, rel=1e-5)
    assert not certificate.proof


def test_measures_of_another_dimension_are_refused():
    with pytest.raises(ValueError, match="measure must be a Measure with d = 2"):
        certify(in_the_plane("exact", 0, 1.0), nothing(3))


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
