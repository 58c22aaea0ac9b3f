"""Noisy particles: laws known in closed form, noise that is the same to the bit, and what is refused."""

import re

import numpy as np
import pytest

from mfcourse import problems, stochastic
from mfcourse.beyond.fokker_planck import Grid, cells
from mfcourse.beyond.langevin import NOISE, cooling, noise, noisy, noisy_descent
from mfcourse.flows import FlowDiverged, flow, forward_backward, gradient, velocity
from mfcourse.losses import Squared
from mfcourse.problems import Problem, from_data
from mfcourse.results import NotFinite
from mfcourse.risks import FeatureRisk
from mfcourse.runs import Run
from mfcourse.stochastic import begin

HUGE = 10**400
KAPPA, R, TAU, Y, FROM = 3.0, 1.0, 0.2, 1.0, -2.0
MEAN = KAPPA * Y / (KAPPA + R)
X = np.linspace(-2, 2, 8)
TARGET = 3 * (0.6 * np.tanh(3 * X) - 0.4 * np.tanh(0.7 * X))


class Place:
    """The feature map phi(theta) = theta on the line: F is quadratic, and particles stay Gaussian."""

    size, dimension, period, homogeneity = 1, 1, None, 0

    def push(self, w, theta):
        return (w[..., None] * theta).mean(axis=-2)

    def pull(self, residual, theta):
        return residual * theta[..., 0], np.broadcast_to(residual[..., None, :], theta.shape).copy()

    def push_pull(self, w, theta, respond):
        prediction = self.push(w, theta)
        return prediction, *self.pull(respond(prediction), theta)


QUADRATIC = Problem(FeatureRisk(Place(), Squared(np.array([Y]), 1 / KAPPA)), 0.0)
TANH = from_data(X[:, None], TARGET, "tanh", bias=False)


def in_one_point(runs, m, weight=1.0, at=FROM):
    return begin(np.full((*runs, m), weight), np.full((*runs, m, 1), at))


def same(one, other):
    for part, twin in zip(one, other, strict=True):
        np.testing.assert_array_equal(part, twin)


# The law of the noise


def mean_law(m, step, k):
    """Mean and variance of the mean of m particles after k steps from one point: an AR(1) process."""
    a = 1 - step * (KAPPA + R)
    return MEAN + a**k * (FROM - MEAN), 2 * step * TAU / m * (1 - a ** (2 * k)) / (1 - a**2)


def apart_law(m, step, k):
    """Variance of a particle around the mean of all, the other AR(1) process."""
    a = 1 - step * R
    return (1 - 1 / m) * 2 * step * TAU * (1 - a ** (2 * k)) / (1 - a**2)


@pytest.mark.parametrize(("m", "one"), [(5, 0.18092105), (20, 0.203125)])
def test_particles_have_the_variance_of_the_closed_form_early_and_late(m, one):
    """Band 1 %: more than four standard errors of 20,000 copies."""
    step, copies = 0.1, 20_000

    def slope(theta):
        theta = theta.reshape(copies, m)
        return (KAPPA * (theta.mean(axis=1, keepdims=True) - Y) + R * theta).ravel()

    theta, done = np.full(copies * m, FROM), 0
    for k in (3, 60):
        theta = noisy_descent(slope, step, TAU, theta, k - done, first=done)
        done, means = k, theta.reshape(copies, m).mean(axis=1)
        centre, spread = mean_law(m, step, k)
        assert means.mean() == pytest.approx(centre, abs=5 * np.sqrt(spread / copies))
        assert means.var() == pytest.approx(spread, rel=0.045)
        assert theta.var() == pytest.approx(apart_law(m, step, k) + spread, rel=0.01 if m > 5 else 0.015)
    at_rest = TAU / (m * (KAPPA + R) * (1 - step * (KAPPA + R) / 2))
    assert at_rest + (1 - 1 / m) * TAU / (R * (1 - step * R / 2)) == pytest.approx(one, rel=1e-7)
    assert apart_law(m, step, 400) + mean_law(m, step, 400)[1] == pytest.approx(one, rel=1e-7)


def test_a_noisy_flow_of_particles_has_it_too():
    """Forty runs of 100 particles, at rest for 1,000 steps that forget within ten or so: bands of five errors."""
    step, m = 0.1, 100
    run = flow(QUADRATIC, noisy(QUADRATIC, step, TAU, R), in_one_point((40,), m), 1060, record=range(60, 1061, 20))
    theta = run.theta[1:, ..., 0]
    assert theta.mean() == pytest.approx(MEAN, abs=0.003)
    assert theta.var(axis=-1).mean() == pytest.approx(apart_law(m, step, 1000), rel=0.015)
    assert theta.mean(axis=-1).var() == pytest.approx(mean_law(m, step, 1000)[1], rel=0.16)


def test_a_weight_is_shaken_like_a_position():
    """eta = kappa (E w theta - y) theta with theta = 1 frozen is the same quadratic in w, and w has its own noise."""
    step, m = 0.1, 100
    state = begin(np.full((10, m), FROM), np.ones((10, m, 1)))
    move = noisy(QUADRATIC, step, TAU, R, weights=True)
    weights = []
    for k in range(500):
        w, _, number = move(*state)
        state = w, np.ones_like(state[1]), number
        if k >= 60 and k % 20 == 0:
            weights.append(w)
    assert np.mean(weights) == pytest.approx(MEAN, abs=0.01)
    assert np.var(weights, axis=-1).mean() == pytest.approx(apart_law(m, step, 1000), rel=0.05)


def test_noise_of_weights_and_of_positions_is_independent():
    w, theta, _ = noisy(QUADRATIC, 0.5, 1.0, weights=True)(*in_one_point((), 4000, 0.0, 0.0))
    assert np.corrcoef(w, theta[:, 0])[0, 1] == pytest.approx(0, abs=5 / np.sqrt(4000))
    assert w.std() == pytest.approx(1, abs=5 / np.sqrt(8000))
    assert theta.std() == pytest.approx(1, abs=5 / np.sqrt(8000))


def test_predictions_of_a_hundred_particles_fluctuate_as_the_gibbs_law_of_all_of_them_says():
    """m E |f_m - f*|^2 / n = tr C (1 + C / (n tau))^-1 / n with the covariance C of phi, 1/50 of independent draws."""
    tau, r, m, n = 0.05, 0.05, 100, 8
    places, width = cells(-8, 8, 400)
    grid = Grid(3 * np.tanh(np.outer(places, X)), Squared(TARGET, n), r / 2 * places**2, width, tau)
    best = grid.optimum()
    centred = grid.features - grid.push(best)
    covariance = (width * best[:, None] * centred).T @ centred
    law = np.trace(covariance @ np.linalg.inv(np.eye(n) + covariance / (n * tau))) / n
    run = flow(TANH, noisy(TANH, 0.05, tau, r), in_one_point((16,), m, 3.0, 3.0), 1600, record=range(500, 1601, 20))
    predictions = 3 * np.tanh(run.theta[1:] * X).mean(axis=-2)
    measured = m * ((predictions - grid.push(best)) ** 2).mean()
    assert measured == pytest.approx(law, rel=0.25)
    assert np.trace(covariance) / n == pytest.approx(3.786, abs=5e-4)
    assert law == pytest.approx(0.07326, abs=5e-6)


def test_without_noise_it_is_gradient_descent_with_weight_decay():
    w, theta = starts = np.array([1.0, -2.0, 0.5]), np.array([[0.3], [1.0], [-1.0]])
    for weights in (False, True):
        still = noisy(TANH, 0.1, 0.0, 0.5, weights=weights)(*begin(*starts))
        speed_w, speed_theta = velocity(TANH, w, theta)
        np.testing.assert_allclose(still[1], theta + 0.1 * (speed_theta - 0.5 * theta), rtol=1e-14)
        np.testing.assert_allclose(still[0], w + 0.1 * weights * (speed_w - 0.5 * w), rtol=1e-14)
    plain = flow(TANH, gradient(TANH, 0, 0.1), starts, 30)
    calm = flow(TANH, noisy(TANH, 0.1, 0.0), begin(*starts), 30)
    same(plain.state, calm.state[:2])


def test_weights_that_must_not_be_negative_are_not():
    problem = problems.spikes(0)
    problem = Problem(problem.risk, 1.0, positive=True)
    run = flow(problem, noisy(problem, 0.01, 0.1, weights=True), begin(np.zeros(50), np.linspace(0, 1, 50)[:, None]), 9)
    assert run.w.min() == 0 < run.w.max()


# The same bits


@pytest.mark.parametrize("weights", [False, True])
def test_a_stack_of_runs_is_the_runs_with_seeds_that_follow_each_other(weights):
    rng = np.random.default_rng(0)
    w, theta = rng.normal(size=(2, 3, 7)), rng.normal(size=(2, 3, 7, 1))
    whole = flow(TANH, noisy(TANH, 0.1, 0.05, 0.05, seed=4, weights=weights), begin(w, theta), 40)
    for r, (i, j) in enumerate(np.ndindex(2, 3)):
        step = noisy(TANH, 0.1, 0.05, 0.05, seed=4 + r, weights=weights)
        same(flow(TANH, step, begin(w[i, j], theta[i, j]), 40).state[:2], (whole.state[0][i, j], whole.state[1][i, j]))


@pytest.mark.parametrize("temperature", [0.05, cooling(0.1, 0.002, 0.9)])
def test_a_saved_run_resumes_to_the_same_bits(temperature, tmp_path):
    start = in_one_point((2,), 9, 3.0, 3.0)
    settings = TANH, 0.1, temperature, 0.05, 3
    whole = flow(TANH, noisy(*settings), start, 60)
    flow(TANH, noisy(*settings), start, 23).save(tmp_path / "run.npz")
    same(flow(TANH, noisy(*settings), Run.load(tmp_path / "run.npz"), 60).state, whole.state)
    assert whole.state[2] == 60
    assert (flow(TANH, noisy(*settings[:-1], 4), start, 60).state[1] != whole.state[1]).all()


def test_noise_depends_on_seed_step_and_run_and_on_nothing_else():
    draws = noise(5, 8, (3, 2), (2, 2))
    np.testing.assert_array_equal(draws[1, 0], np.random.default_rng([7, 8, NOISE]).standard_normal((3, 2)))
    np.testing.assert_array_equal(noise(7, 8, (3, 2)), draws[1, 0])
    for other in (noise(5, 9, (3, 2), (2, 2)), np.random.default_rng([5, 8, stochastic.BATCHES]).normal(size=(3, 2))):
        assert (other != draws[0, 0]).all()
    assert noise(0, 0, (3,), (0, 2)).shape == (0, 2, 3)
    assert np.isfinite(noise(HUGE, 2**60, (3,))).all()


def test_a_descent_continues_to_the_same_bits_and_is_the_same_in_a_stack():
    start, settings = np.random.default_rng(0).normal(size=(2, 3, 4)), {"seed": 3, "radius": 2.0}
    call = (np.sin, 0.3, cooling(0.5, 0.01, 0.9))
    whole = noisy_descent(*call, start, 20, **settings)
    half = noisy_descent(*call, start, 9, **settings)
    np.testing.assert_array_equal(noisy_descent(*call, half, 11, first=9, **settings), whole)
    alone = noisy_descent(*call, start[1, 2], 20, seed=3 + 5, radius=2.0)
    np.testing.assert_array_equal(alone, whole[1, 2])
    plain = noisy_descent(*call, start, 9)
    np.testing.assert_array_equal(plain, noisy_descent(*call, start, 9, seed=0, first=0))


def test_a_descent_of_no_steps_is_a_copy_of_its_start():
    start = np.ones(3)
    assert noisy_descent(np.sin, 0.1, 0.1, start, 0) is not start
    np.testing.assert_array_equal(noisy_descent(np.sin, 0.1, 0.1, start, 0), start)


def test_single_precision_stays_single():
    for weights in (False, True):
        step = noisy(TANH, 0.1, 0.05, 0.05, weights=weights)
        w, theta, _ = step(*(part.astype(np.float32) for part in in_one_point((), 5)[:2]), 0)
        assert w.dtype == theta.dtype == np.float32
    assert noisy_descent(np.sin, 0.1, 0.05, np.ones(3, np.float32), 3).dtype == np.float32


# Balls and schedules


def test_every_step_of_a_descent_ends_in_the_ball():
    free = noisy_descent(np.zeros_like, 0.1, 0.2, np.zeros((50, 2)), 1, seed=1)
    kept = noisy_descent(np.zeros_like, 0.1, 0.2, np.zeros((50, 2)), 1, seed=1, radius=0.2)
    length = np.linalg.norm(free, axis=1, keepdims=True)
    assert (length < 0.2).any()
    assert (length > 0.2).any()
    np.testing.assert_allclose(kept, free * np.minimum(1, 0.2 / length), rtol=1e-14)


def test_a_particle_in_a_ball_with_no_slope_ends_spread_evenly():
    """In d dimensions the share of a uniform ball within radius s is s^d; short steps see the ball as it is."""
    x = noisy_descent(np.zeros_like, 1e-3, 1.0, np.zeros((400, 1, 2)), 400, radius=1.0)
    share = (np.linalg.norm(x, axis=-1) <= 0.7).mean()
    assert share == pytest.approx(0.49, abs=0.13)  # five standard errors of 400 draws


def test_cooling_falls_by_its_factor_until_it_meets_the_floor():
    tau = cooling(0.1, 0.002, 0.97)
    assert [tau(0), tau(1), tau(10**6)] == [0.1, 0.1 * 0.97, 0.002]
    assert tau(100) == pytest.approx(0.1 * 0.97**100, rel=1e-14)
    assert cooling(1, 0, 0.5)(10**5) == 0


def test_a_temperature_that_changes_is_asked_at_every_step():
    asked = []

    def tau(k):
        asked.append(k)
        return 0.1 / (1 + k)

    flow(TANH, noisy(TANH, 0.1, tau), in_one_point((), 3), 4)
    noisy_descent(np.sin, 0.1, tau, np.ones(2), 3, first=7)
    assert asked == [0, 1, 2, 3, 7, 8, 9]


# What is refused


def test_steps_too_large_are_a_divergence():
    with pytest.raises(FlowDiverged):
        flow(QUADRATIC, noisy(QUADRATIC, 50.0, TAU, R), in_one_point((), 3), 500)
    with pytest.raises(NotFinite, match="step must be small enough for x to stay finite"):
        noisy_descent(lambda x: x, 50.0, TAU, np.ones(3), 500)
    with pytest.raises(NotFinite, match="step must be small enough"):
        noisy_descent(lambda x: 1e200 * x, 1.0, TAU, np.ones(3), 500, radius=1.0)


NOISY = {"problem": TANH, "step": 0.1, "temperature": 0.1}
DESCENT = {"gradient": np.sin, "step": 0.1, "temperature": 0.1, "start": np.ones(3), "steps": 5}


@pytest.mark.parametrize("bad", [-0.1, np.nan, np.inf, True, "hot", None, HUGE, [0.1]])
@pytest.mark.parametrize(
    ("call", "good", "name"),
    [
        (noisy, NOISY, "step"),
        (noisy, NOISY, "temperature"),
        (noisy, NOISY, "confinement"),
        (noisy_descent, DESCENT, "step"),
        (noisy_descent, DESCENT, "temperature"),
        (cooling, {"start": 0.1, "floor": 0.01, "factor": 0.5}, "start"),
        (cooling, {"start": 0.1, "floor": 0.01, "factor": 0.5}, "floor"),
        (cooling, {"start": 0.1, "floor": 0.01, "factor": 0.5}, "factor"),
    ],
)
def test_a_bad_number_is_named(call, good, name, bad):
    with pytest.raises(ValueError, match=f"^{name} must be a finite number >") as caught:
        call(**{**good, name: bad})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: noisy(TANH, 0, 0.1), "step must be a finite number > 0, but it is 0"),
        (lambda: noisy(None, 0.1, 0.1), "problem must be a Problem, but it is None"),
        (lambda: noisy(TANH, 0.1, 0.1, seed=-1), "seed must be a whole number >= 0"),
        (lambda: noisy(TANH, 0.1, 0.1, weights=1), "weights must be True or False, but it is 1"),
        (lambda: noisy(problems.spikes(0), 0.1, 0.1, 0.5), "confinement must be 0 for positions on a torus (period 1)"),
        (lambda: noisy(TANH, 0.1, lambda k: -k)(*in_one_point((), 3)[:2], 2), "temperature(2) must be a finite number"),
        (lambda: noisy(TANH, 0.1, 0.1)(np.ones(3), np.ones((3, 1))), "start must be (w, theta, k) for noisy particles"),
        (lambda: noisy(TANH, 0.1, 0.1)(np.ones(3), np.ones((3, 1)), 0.5), "k must be a whole number >= 0"),
        (lambda: noisy(TANH, 0.1, 0.1)(np.ones(3), np.ones((3, 2)), 0), "theta must have shape (..., m, 1)"),
        (lambda: noisy_descent(3, 0.1, 0.1, np.ones(3), 5), "gradient must be a function, but it is 3"),
        (lambda: noisy_descent(np.sin, 0.1, 0.1, 1.0, 5), "start must have shape (..., d) with d >= 1"),
        (lambda: noisy_descent(np.sin, 0.1, 0.1, np.zeros((3, 0)), 5), "start must have shape (..., d) with d >= 1"),
        (lambda: noisy_descent(np.sin, 0.1, 0.1, [1, np.nan], 5), "start must be finite, but its entry (1,) is nan"),
        (lambda: noisy_descent(np.sum, 0.1, 0.1, np.ones(3), 5), "gradient(x) must have the shape (3,) of x"),
        (lambda: noisy_descent(np.sin, 0.1, 0.1, np.ones(3), -1), "steps must be a whole number >= 0"),
        (lambda: noisy_descent(np.sin, 0.1, 0.1, np.ones(3), HUGE), "steps must be a whole number >= 0"),
        (lambda: noisy_descent(np.sin, 0.1, 0.1, np.ones(3), 5, first=2.5), "first must be a whole number >= 0"),
        (lambda: noisy_descent(np.sin, 0.1, 0.1, np.ones(3), 5, radius=0), "radius must be a finite number > 0"),
        (lambda: cooling(0.1, 0.2, 0.5), "floor must be at most start = 0.1, but it is 0.2"),
        (lambda: cooling(0.1, 0.0, 1.5), "factor must be in (0, 1], or it would heat, but it is 1.5"),
        (lambda: cooling(0.1, 0.0, 0), "factor must be a finite number > 0"),
        (lambda: cooling(0.1, 0.0, 0.5)(HUGE), "k must be a whole number >= 0"),
        (lambda: noise(0, 0, 3), "shape must be a tuple of whole numbers, but it is 3"),
        (lambda: noise(0, 0, (2.5,)), "shape must be a whole number >= 0, but it is 2.5"),
        (lambda: noise(0, True, (2,)), "k must be a whole number >= 0"),
        (lambda: noise(0, 0, (2**20, 2**20)), "runs and shape must make an array of at most"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match="^" + re.escape(words)):
        call()


def test_a_torus_needs_no_confinement():
    problem = problems.spikes(0)
    run = flow(problem, noisy(problem, 0.001, 0.1), begin(np.ones(5), np.full((5, 1), 0.5)), 5)
    assert np.isfinite(run.theta).all()
    plain = flow(problem, forward_backward(problem, 0, 0.001), (np.ones(5), np.full((5, 1), 0.5)), 5)
    assert (run.theta[-1] != plain.theta[-1]).all()
