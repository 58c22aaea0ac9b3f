"""Cosines on [0, 1]: closed forms, the folded circle, finite differences, walls, and certificates that are exact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfcourse import convex, flows, intervals
from mfcourse.certificates import certify, gap
from mfcourse.features import Fourier
from mfcourse.intervals import Cosines, kept_inside
from mfcourse.losses import Squared
from mfcourse.measures import Measure, h1
from mfcourse.problems import Problem
from mfcourse.risks import FeatureRisk

LISTS = [range(8), 0.9 * np.arange(8), np.arange(5) + 0.5, [2.0], [0.0], [3, 0.25, 7.7]]
every_list = pytest.mark.parametrize("frequencies", LISTS, ids=str)


def example(frequencies, runs=(), m=5, seed=0):
    rng = np.random.default_rng(seed)
    features = Cosines(frequencies)
    w, theta = rng.standard_normal((*runs, m)), rng.uniform(0, 1, (*runs, m, 1))
    return features, w, theta, rng.standard_normal((*runs, features.size))


def spikes_on(frequencies, masses, positions, lam=1.0):
    features, truth = Cosines(frequencies), Measure(masses, np.array(positions)[:, None])
    return Problem(FeatureRisk(features, Squared(features.push(*truth.particles()), lam)), 1.0, truth)


def highest(risk, w, theta):
    """The largest |eta|, where it is, and whether that is proved."""
    values, at, proof = risk.peaks(w, theta)
    best = np.abs(values).argmax()
    return abs(values[best]), at[best], proof


@every_list
def test_push_and_matrix_are_the_formula(frequencies):
    features, w, theta, _ = example(frequencies)
    columns = [np.where(f > 0, 2**0.5, 1) * np.cos(np.pi * f * theta[:, 0]) for f in np.asarray(frequencies, float)]
    np.testing.assert_allclose(features.matrix(theta), columns, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(features.push(w, theta), np.array(columns) @ w / len(w), rtol=1e-12, atol=1e-12)


@every_list
@pytest.mark.parametrize("runs", [(), (3,), (2, 3)])
def test_push_and_pull_are_adjoint_and_push_pull_is_both(frequencies, runs):
    features, w, theta, residual = example(frequencies, runs)
    potential, gradient = features.pull(residual, theta)
    assert potential.shape == w.shape
    assert gradient.shape == theta.shape
    pushed = features.push(w, theta)
    np.testing.assert_allclose(np.vecdot(pushed, residual), (w * potential).mean(axis=-1), rtol=1e-9, atol=1e-12)
    both = features.push_pull(w, theta, lambda f: residual)
    for one, other in zip(both, (pushed, potential, gradient), strict=True):
        np.testing.assert_array_equal(one, other)


@every_list
def test_gradients_are_finite_differences(frequencies):
    features, _, theta, residual = example(frequencies)
    h = 1e-6
    difference = (features.pull(residual, theta + h)[0] - features.pull(residual, theta - h)[0]) / (2 * h)
    np.testing.assert_allclose(features.pull(residual, theta)[1][:, 0], difference, rtol=1e-6, atol=1e-6)


def test_with_whole_frequencies_the_interval_is_a_folded_circle():
    features, w, theta, _ = example(range(8))
    both = np.concatenate([w, w]), np.concatenate([theta, -theta]) / 2
    seen = Fourier(7).push(*both)
    np.testing.assert_allclose(seen[:8], features.push(w, theta), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(seen[8:], 0, atol=1e-12)


@every_list
def test_the_slope_vanishes_at_both_walls_exactly_for_whole_frequencies(frequencies):
    features = Cosines(frequencies)
    slopes = features.pull(np.eye(features.size), np.array([[0.0], [1.0]]))[1][..., 0]
    assert not slopes[:, 0].any()
    assert (np.abs(slopes[:, 1]).max() < 1e-12) == (np.asarray(frequencies) % 1 == 0).all()


def test_float32_particles_stay_float32():
    features, w, theta, residual = (x.astype(np.float32) if hasattr(x, "astype") else x for x in example(range(4)))
    assert {x.dtype for x in features.push_pull(w, theta, lambda f: residual)} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("frequencies", "words"),
    [
        ([], "n >= 1"),
        ([[1, 2]], r"its shape is \(1, 2\)"),
        ([1, -2], "must be >= 0"),
        ([1, 1.0], "different from each other"),
        ([1, np.nan], "must be finite"),
        ("two", "real numbers"),
    ],
)
def test_frequencies_that_make_no_sense_are_refused(frequencies, words):
    with pytest.raises(ValueError, match=words):
        Cosines(frequencies)


def test_wrong_shapes_are_refused():
    features, w, theta, residual = example(range(4))
    with pytest.raises(ValueError, match="theta must have shape"):
        features.push(w, theta[:, 0])
    with pytest.raises(ValueError, match="coordinates on the last axis"):
        features.pull(residual, np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"residual must have shape \(\.\.\., 4\)"):
        features.pull(residual[:3], theta)


def test_walls_hold_positions_and_leave_weights_alone():
    w, theta = np.array([1.0, -2.0, 3.0]), np.array([[0.4], [0.9], [0.1]])
    moved = kept_inside(lambda w, theta: (w + 1, theta + np.array([[0.1], [0.3], [-0.4]])))(w, theta)
    np.testing.assert_array_equal(moved[0], w + 1)
    np.testing.assert_allclose(moved[1][:, 0], [0.5, 1.0, 0.0])


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from(LISTS))
def test_the_maximum_on_the_interval_is_that_of_brute_force(seed, frequencies):
    features, w, theta, y = example(frequencies, seed=seed)
    risk = FeatureRisk(features, Squared(y))
    top, worst, exact = highest(risk, w, theta)
    assert exact
    assert 0 <= worst[0] <= 1
    assert abs(risk.potential(w, theta, worst[None])[0]) == pytest.approx(top, rel=1e-12)
    dense = np.abs(risk.potential(w, theta, np.linspace(0, 1, 20_001)[:, None])).max()
    assert dense <= top * (1 + 1e-12)
    assert top == pytest.approx(dense, rel=1e-5)


def test_high_frequencies_alone_are_looked_at_closely_enough():
    for seed in range(20):
        features, w, theta, y = example([40, 33.3, 41.5], seed=seed)
        top, _, _ = highest(FeatureRisk(features, Squared(y)), w, theta)
        risk = FeatureRisk(features, Squared(y))
        dense = np.abs(risk.potential(w, theta, np.linspace(0, 1, 20_001)[:, None])).max()
        assert top == pytest.approx(dense, rel=1e-4)


def test_a_particle_outside_the_walls_gets_no_certificate():
    risk = FeatureRisk(Cosines(0.9 * np.arange(8)), Squared(np.ones(8)))
    with pytest.raises(ValueError, match=r"theta must lie on the interval \[0, 1\], but it runs from 0.5 to 1.1"):
        highest(risk, np.ones(2), np.array([[0.5], [1.1]]))


def test_a_maximum_at_a_wall_and_a_constant_potential_are_found():
    for frequencies, place in (([1.0], None), ([0.5, 1.5], 0.0), ([0.0], None)):
        risk = FeatureRisk(Cosines(frequencies), Squared(np.ones(len(frequencies))))
        top, worst, _ = highest(risk, np.zeros(1), np.zeros((1, 1)))
        assert top == pytest.approx(sum(2**0.5 if f else 1 for f in frequencies), rel=1e-12)
        assert place is None or worst[0] == place


@every_list
def test_bounds_on_phi_and_its_slopes(frequencies):
    features, t = Cosines(frequencies), np.linspace(0, 1, 4001)[:, None]
    phi = features.matrix(t)
    slopes = np.gradient(phi, t[:, 0], axis=1)
    assert features.norm_squared == pytest.approx((phi**2).sum(axis=0).max(), rel=1e-12)
    assert features.slope_squared >= (slopes**2).sum(axis=0).max() - 1e-20
    if len(features.frequencies) == 1:
        assert features.slope_squared == pytest.approx((slopes**2).max(), rel=1e-4, abs=1e-20)


@every_list
def test_the_search_is_told_how_fast_the_potential_bends(frequencies, monkeypatch):
    """The bound is reached where the cosines are all 1 and the residual is of one sign: at the wall."""
    told, features = [], Cosines(frequencies)
    search = intervals.search.on_curve
    monkeypatch.setattr(intervals.search, "on_curve", lambda *args: told.append(args[2]) or search(*args))
    residual = np.arange(1.0, features.size + 1)
    features.peaks(residual)
    h = 1e-3
    (low, middle, high), _ = features.pull(residual, np.array([[0.0], [h], [2 * h]]))
    assert told[0] == pytest.approx(-(low - 2 * middle + high) / h**2, rel=1e-2, abs=1e-9)


def test_the_highest_frequency_that_is_allowed():
    assert Cosines([2.0**20]).size == 1
    with pytest.raises(ValueError, match="at most 1048576"):
        Cosines([2.0**20 + 1])


def run_with_walls(problem, m, steps):
    frequencies, lam = problem.risk.features.frequencies, problem.risk.loss.scale
    a = lam / (2 * len(frequencies) - 1)
    b = 0.033 * lam / (2 * np.pi**2 * (frequencies**2).sum())
    step = kept_inside(flows.forward_backward(problem, a, b))
    start = np.zeros(m), np.linspace(0, 1, m)[:, None]
    return flows.flow(problem, step, start, steps, stop=flows.until_settled(problem))


def test_the_neumann_condition_decides_between_success_and_an_emptied_wall():
    ends = {}
    for stretch in (1.0, 0.9):
        problem = spikes_on(stretch * np.arange(8), [3.0, -1.0], [0.9, 1.0])
        run = run_with_walls(problem, 40, 5000)
        certificate = certify(problem, h1(*run.state))
        assert certificate.proof
        assert certificate.gap == pytest.approx(float(gap(problem, *run.state)), abs=1e-12)
        best = problem.objective(convex.fixed_positions(problem, np.linspace(0, 1, 101)[:, None]))
        assert certificate.dual <= best
        ends[stretch] = certificate, run.state[1].max(), run.energy[-1] / best
    assert ends[1.0][0].optimal
    assert ends[1.0][1] == 1
    assert ends[0.9][0].max_potential > 2
    assert ends[0.9][0].worst[0] == pytest.approx(1, abs=1e-9)
    assert ends[0.9][1] < 0.97
    assert ends[0.9][2] > 1.05


def test_under_neumann_a_particle_at_the_wall_has_no_speed():
    problem = spikes_on(range(8), [3.0, -1.0], [0.9, 1.0])
    rng = np.random.default_rng(0)
    _, speed = flows.velocity(problem, rng.normal(size=4), np.array([[0.0], [1.0], [0.3], [0.7]]))
    np.testing.assert_allclose(speed[:2], 0, atol=1e-10)
    assert (np.abs(speed[2:]) > 1e-3).all()
