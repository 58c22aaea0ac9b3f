"""Certificates rest on Prop. 3.1 and Fenchel duality: they are checked by brute force and by theorems."""

import functools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfcourse import convex, flows, problems, starts
from mfcourse.certificates import Certificate, bounds, certify, gap
from mfcourse.features import Fourier
from mfcourse.losses import Logistic
from mfcourse.measures import Measure
from mfcourse.problems import Problem
from mfcourse.risks import FeatureRisk, NotFinite

SPIKES = Measure(
    [0.34064464, 1.13661714, 1.22589593, -0.91577431, -1.01730024],
    np.array([[0.02561918], [0.17776107], [0.54013663], [0.72747379], [0.86467513]]),
)
OPTIMUM = 5.101390015260


def random_measure(rng, dimension=1, atoms=4):
    return Measure(rng.normal(size=atoms), rng.uniform(size=(atoms, dimension)))


def test_the_reference_optimum_is_certified_and_has_the_reference_value():
    problem = problems.spikes(0)
    certificate = certify(problem, SPIKES)  # positions and masses are known to 8 digits
    assert certificate.objective == pytest.approx(OPTIMUM, abs=1e-10)
    assert certificate.gap < 1e-6
    assert certificate.dual <= OPTIMUM
    assert certify(problem, convex.certified_optimum(problem)).optimal


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(0, 5))
def test_the_dual_value_never_exceeds_the_optimum_nor_the_optimum_the_objective(seed, instance):
    problem = problems.spikes(instance)
    certificate = certify(problem, random_measure(np.random.default_rng(seed)))
    best = problem.objective(convex.certified_optimum(problem))
    assert certificate.dual <= best * (1 + 1e-12)
    assert best <= certificate.objective * (1 + 1e-12)
    assert certificate.gap >= (certificate.objective - best) / certificate.objective - 1e-12


@pytest.mark.parametrize(("dimension", "side"), [(1, 200_000), (2, 700)])
def test_the_largest_potential_is_that_of_brute_force(dimension, side):
    rng = np.random.default_rng(5)
    features = Fourier(7 if dimension == 1 else 3, dimension)
    residual = rng.normal(size=features.size)
    grid = np.indices((side,) * dimension).reshape(dimension, -1).T / side
    brute = np.abs(features.pull(residual, grid)[0]).max()
    values, at, proof = features.peaks(residual)
    assert proof is True
    top = np.abs(values).max()
    assert brute <= top * (1 + 1e-12)
    assert top == pytest.approx(brute, rel=1e-3 if dimension == 2 else 1e-8)
    assert np.abs(features.pull(residual, at)[0]).max() == pytest.approx(top, rel=1e-12)


@pytest.mark.parametrize("dimension", [1, 2])
def test_peaks_are_critical_points(dimension):
    features = Fourier(4, dimension)
    residual = np.random.default_rng(1).normal(size=features.size)
    _, at, _ = features.peaks(residual)
    slope = features.pull(residual, at)[1]
    assert np.abs(slope).max() < 1e-6 * np.abs(residual).sum()


@pytest.mark.parametrize("cutoff", [2, 5, 10])
@pytest.mark.parametrize("trough", [0.0, 0.5 / 32])
def test_two_near_peaks_with_a_trough_between_them_are_both_seen(cutoff, trough):
    """1 - (sin^2(pi (t - t0)) - e)^2 is 1 where sin^2 = e, on both sides of t0, and never more."""
    features, e = Fourier(cutoff), 0.01
    t = np.arange(4 * cutoff) / (4 * cutoff)
    values = 1 - (np.sin(np.pi * (t - trough / cutoff)) ** 2 - e) ** 2
    residual = features.push(values, t[:, None])  # quadrature is exact for polynomials of this degree
    assert np.abs(features.peaks(residual)[0]).max() == pytest.approx(1, abs=1e-13)


@pytest.mark.parametrize("shift", [0.0, 0.01, 0.237])
def test_the_top_of_a_plane_wave_in_two_dimensions_is_found(shift):
    """cos(2 pi (K x + K y + shift)) has a whole line of maxima, all of them 1."""
    features = Fourier(4, dimension=2)
    side = 16
    grid = np.indices((side, side)).reshape(2, -1).T / side
    wave = np.cos(2 * np.pi * (4 * grid.sum(axis=1) + shift))
    residual = features.push(wave, grid)
    assert np.abs(features.peaks(residual)[0]).max() == pytest.approx(1, abs=1e-12)


def test_many_nearly_equal_peaks_in_two_dimensions_are_all_candidates():
    """A product of two waves with a small bump added: one of hundreds of peaks is the largest."""
    features = Fourier(10, dimension=2)
    side = 64
    grid = np.indices((side, side)).reshape(2, -1).T / side
    wave = np.cos(2 * np.pi * (9 * grid[:, 0] + 0.1)) * np.cos(2 * np.pi * (9 * grid[:, 1] + 0.3))
    residual = features.push(wave + 1e-3 * np.cos(2 * np.pi * (grid[:, 0] - 0.37)), grid)
    top = np.abs(features.peaks(residual)[0]).max()
    fine = np.indices((400, 400)).reshape(2, -1).T / 400
    assert np.abs(features.pull(residual, fine)[0]).max() <= top * (1 + 1e-12)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_no_random_point_lies_above_the_peaks(seed, cutoff):
    rng = np.random.default_rng(seed)
    features = Fourier(cutoff)
    residual = rng.normal(size=features.size)
    top = np.abs(features.peaks(residual)[0]).max()
    assert np.abs(features.pull(residual, rng.uniform(size=(5000, 1)))[0]).max() <= top * (1 + 1e-12)


def test_a_constant_potential_is_its_own_maximum():
    features = Fourier(3)
    values, _, _ = features.peaks(np.eye(7)[0] * -2.5)
    np.testing.assert_allclose(values, -2.5)


def bump_on_a_wave(cutoff, dimension, bump=1e-3):
    """Product of cosines of frequency K - 1, with K the cutoff, and a bump that makes one of its (2 K - 2)^d / 2 peaks
    the tallest: that one which is placed worst on a grid of 16 K points, half a spacing off it on every axis."""
    k, side = cutoff - 1, 4 * cutoff
    t = np.arange(side) / side
    peak = np.arange(2 * k) / (2 * k)
    off = np.abs(peak * 16 * cutoff - np.rint(peak * 16 * cutoff))
    place = peak[off.argmax()]
    waves = np.cos(2 * np.pi * k * t) * np.sign(np.cos(2 * np.pi * k * place))
    bumps = (1 + np.cos(2 * np.pi * (t - place))) / 2
    grid = functools.reduce(np.multiply.outer, [waves] * dimension)
    grid = grid + bump * functools.reduce(np.multiply.outer, [bumps] * dimension)
    basis = Fourier(cutoff).matrix(t[:, None]) / side
    for axis in range(dimension):  # quadrature, one axis after the other
        grid = np.moveaxis(np.tensordot(basis, grid, axes=(1, axis)), 0, axis)
    return grid.ravel(), np.full(dimension, place)


@pytest.mark.parametrize(("cutoff", "dimension"), [(33, 2), (48, 2), (9, 3)])
def test_the_tallest_of_thousands_of_peaks_is_found_wherever_the_grid_lies(cutoff, dimension):
    features = Fourier(cutoff, dimension)
    residual, place = bump_on_a_wave(cutoff, dimension)
    top = abs(features.pull(residual, place[None])[0][0])
    assert top == pytest.approx(1.001, rel=1e-12)
    values, _, proof = features.peaks(residual)
    assert np.abs(values).max() >= top * (1 - 1e-13)  # one point is evaluated otherwise than thousands
    assert proof is True


def test_mass_at_the_worst_point_lowers_the_objective_where_the_certificate_is_violated():
    problem = problems.spikes(3)
    measure = random_measure(np.random.default_rng(0))
    certificate = certify(problem, measure)
    assert certificate.max_potential > 1
    (eta,) = problem.risk.potential(*measure.particles(), certificate.worst[None])
    added = Measure([-1e-4 * np.sign(eta)], certificate.worst[None])
    assert problem.objective(measure + added) < problem.objective(measure)


def test_at_the_optimum_the_potential_touches_the_band_on_the_side_of_each_sign():
    problem = problems.spikes(2)
    optimum = convex.certified_optimum(problem)
    eta = problem.risk.potential(*optimum.particles(), optimum.positions)
    np.testing.assert_allclose(eta, -np.sign(optimum.weights), atol=1e-7)


def test_the_zero_measure_is_optimal_for_a_large_lambda():
    certificate = certify(problems.spikes(0, lam=100.0), Measure(np.zeros(0), np.zeros((0, 1))))
    assert certificate.optimal
    assert certificate.max_potential < 1
    assert certificate.gap >= -1e-15


def test_gaps_of_a_stack_are_those_of_its_runs():
    singles = [problems.spikes(seed) for seed in range(4)]
    rng = np.random.default_rng(2)
    w, theta = rng.normal(size=(4, 9)), rng.uniform(size=(4, 9, 1))
    stacked = bounds(problems.stack(singles), w, theta)
    for k, problem in enumerate(singles):
        *numbers, worst = bounds(problem, w[k], theta[k])[:4]
        for part, alone in zip(stacked[:3], numbers, strict=True):
            np.testing.assert_allclose(part[k], alone, rtol=1e-12)
        np.testing.assert_allclose(stacked[3][k], worst, atol=1e-8)  # a summit is flat: its place is known by half
    np.testing.assert_allclose(gap(problems.stack(singles), w, theta), 1 - stacked[1] / stacked[0], rtol=1e-12)


def test_the_logistic_loss_is_certified_with_its_own_conjugate():
    """Classify the signs of a signal: the flow's gap closes, so value, gradient and conjugate fit together."""
    features = Fourier(3)
    labels = np.sign(np.random.default_rng(0).normal(size=features.size))
    problem = Problem(FeatureRisk(features, Logistic(labels)), 0.05)
    step = flows.forward_backward(problem, 2.0, 0.02, metric="conic")
    run = flows.flow(problem, step, starts.grid_start(40), 20_000, stop=flows.until_settled(problem, 1e-7))
    w, theta = run.state
    assert gap(problem, w, theta) <= 1e-7
    assert np.abs(w).mean() > 0
    assert problem.energy(w, theta) < np.log(2)


def test_the_verdict_says_what_the_numbers_say():
    problem = problems.spikes(0)
    bad, good = certify(problem, problem.truth * 0.5), certify(problem, convex.certified_optimum(problem))
    assert bad.verdict.startswith("not optimal: |eta| exceeds its bound by")
    assert f"{bad.worst[0]:.3f}" in bad.verdict
    assert good.verdict.startswith("optimal: nothing is better by more than")
    heavy = certify(problem, convex.certified_optimum(problem) * 1.01)
    assert heavy.max_potential < 1
    assert heavy.verdict.startswith("not optimal: |eta| keeps its bound")


def test_without_a_penalty_the_gap_is_the_risk_in_units_of_that_of_nothing():
    """y of the spikes lies in the span of 15 features or more, so that their masses can bring the risk to 0."""
    problem = Problem(problems.spikes(0).risk, 0.0)
    nothing = problem.objective(Measure(np.zeros(0), np.zeros((0, 1))))
    certificate = certify(problem, problems.spikes(0).truth)
    assert certificate.gap == pytest.approx(problem.objective(problems.spikes(0).truth) / nothing, rel=1e-12)
    assert certificate.dual == 0
    assert not certificate.optimal
    fitted = convex.fixed_positions(problem, starts.grid_start(30)[1])
    assert certify(problem, fitted).optimal
    assert certify(problem, fitted).max_potential < 1e-10


def test_a_measure_from_another_dimension_is_refused():
    for strange in (problems.spikes(0, dimension=2).truth, (np.ones(1), np.zeros((1, 1)))):
        with pytest.raises(ValueError, match="measure must be a Measure with d = 1"):
            certify(problems.spikes(0), strange)


def test_a_measure_that_overflows_is_refused_not_certified():
    problem = problems.spikes(0)
    with pytest.raises(NotFinite, match="small enough"):
        certify(problem, Measure([1e200, 1.0], [[0.1], [0.2]]))
    with pytest.raises(NotFinite, match="w must be finite"):
        gap(problem, np.array([np.nan, 1.0]), np.zeros((2, 1)))


def test_a_float32_measure_is_certified_in_double_precision():
    """Rounding to float32 alone made certificates that do not hold."""
    for seed in range(10):
        problem = problems.spikes(seed)
        optimum = convex.certified_optimum(problem)
        w, theta = (part.astype(np.float32) for part in optimum.particles())
        single, double = gap(problem, w, theta), gap(problem, w.astype(np.float64), theta.astype(np.float64))
        assert single == double
        assert single >= -1e-14
        assert single >= 1 - problem.objective(optimum) / problem.energy(w.astype(np.float64), theta.astype(np.float64))


def test_a_one_sided_optimum_is_optimal_for_the_one_sided_problem_only():
    """Two positive spikes and a negative one: the best non-negative measure leaves |eta| > c where the negative was."""
    problem = problems.spikes(0)
    positive = replace(problem, positive=True)
    best = convex.certified_optimum(positive)
    assert (best.weights > 0).all()
    eta = problem.risk.potential(*best.particles(), np.linspace(0, 1, 20_001)[:, None])
    assert eta.min() >= -1 - 1e-9
    assert eta.max() > 1.3
    certificate = certify(positive, best)
    assert certificate.optimal
    assert certificate.positive
    assert certificate.max_potential == pytest.approx(1, abs=1e-9)
    assert certify(problem, best).gap > 0.1
    assert "-eta" in certify(positive, best * 0.5).verdict
    with pytest.raises(ValueError, match="w must be >= 0, as the problem is of non-negative measures"):
        certify(positive, problem.truth)


@pytest.mark.parametrize(("top", "words"), [(1.0, "keeps its bound"), (1 + 1e-12, "keeps its bound"), (1.1, "exceeds")])
def test_rounding_alone_is_not_said_to_exceed_a_bound(top, words):
    assert words in Certificate(2.0, 1.0, 0.5, top, np.zeros(1)).verdict


@pytest.mark.parametrize(("dimension", "place"), [(3, "0.000, 0.000, 0.000, mass"), (4, "0.000, 0.000, 0.000, ...,")])
def test_a_place_in_many_dimensions_is_cut_short(dimension, place):
    assert place in Certificate(2.0, 1.0, 0.5, 1.1, np.zeros(dimension)).verdict


@pytest.mark.parametrize(("left", "optimal"), [(0.0, True), (1e-8, True), (1.5e-8, False), (-1e-16, True)])
def test_a_measure_is_called_optimal_up_to_a_gap_of_a_hundred_millionth(left, optimal):
    assert Certificate(2.0, 2.0, left, 1.0, np.zeros(1)).optimal == optimal
