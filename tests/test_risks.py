"""The contract of a risk: value, potential, gradient; stacks; convexity; and what is not finite."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mfcourse.features import Fourier
from mfcourse.losses import Logistic, Squared
from mfcourse.measures import Measure
from mfcourse.risks import FeatureRisk, NotFinite

few = settings(deadline=None, max_examples=40)
CUTOFF = {1: 4, 2: 2}
for_every_risk = pytest.mark.parametrize(
    ("loss", "dimension"), [("squared", 1), ("squared", 2), ("logistic", 1), ("logistic", 2)]
)


def a_risk(loss, dimension, runs=(), seed=0):
    rng = np.random.default_rng(seed)
    features = Fourier(CUTOFF[dimension], dimension)
    shape = (*runs, features.size)
    if loss == "squared":
        return FeatureRisk(features, Squared(3 * rng.standard_normal(shape), 0.7))
    return FeatureRisk(features, Logistic(rng.choice([-1.0, 1.0], shape)))


def a_state(dimension, runs=(), m=6, seed=1):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((*runs, m)), rng.uniform(0, 1, (*runs, m, dimension))


def one_run(risk, run):
    """The risk of one run of a stack."""
    loss = risk.loss
    single = Squared(loss.target[run], loss.scale) if isinstance(loss, Squared) else Logistic(loss.labels[run])
    return FeatureRisk(risk.features, single)


# Value, potential, gradient


@for_every_risk
@pytest.mark.parametrize("runs", [(), (3,), (2, 3)])
def test_a_risk_keeps_the_shapes_of_the_contract(loss, dimension, runs):
    risk = a_risk(loss, dimension, runs)
    w, theta = a_state(dimension, runs)
    value, potential, gradient = risk(w, theta)
    assert np.shape(value) == runs
    assert potential.shape == w.shape
    assert gradient.shape == theta.shape
    assert risk.residual(w, theta).shape == (*runs, risk.features.size)
    for q in (1, 7):
        assert risk.potential(w, theta, np.zeros((q, dimension))).shape == (*runs, q)
        assert risk.potential(w, theta, np.zeros((*runs, q, dimension))).shape == (*runs, q)


@for_every_risk
def test_the_potential_at_no_point_is_empty(loss, dimension):
    potential = a_risk(loss, dimension).potential(*a_state(dimension), np.zeros((0, dimension)))
    assert potential.shape == (0,)


@for_every_risk
def test_the_value_is_the_loss_of_the_integral_of_the_features(loss, dimension):
    risk = a_risk(loss, dimension)
    w, theta = a_state(dimension)
    prediction = Measure(w / len(w), theta).integral(lambda x: risk.features.matrix(x).T)
    if loss == "squared":
        expected = np.sum((risk.loss.target - prediction) ** 2) / (2 * 0.7)
    else:
        expected = np.mean(np.log(1 + np.exp(-risk.loss.labels * prediction)))
    assert risk(w, theta)[0] == pytest.approx(expected, rel=1e-12)


@for_every_risk
def test_the_potential_over_m_is_the_slope_of_the_value_in_a_weight(loss, dimension):
    risk = a_risk(loss, dimension)
    w, theta = a_state(dimension)
    _, potential, _ = risk(w, theta)
    h = 1e-4
    slopes = [(risk(w + step, theta)[0] - risk(w - step, theta)[0]) / (2 * h) for step in h * np.eye(len(w))]
    np.testing.assert_allclose(slopes, potential / len(w), atol=1e-7 * np.abs(potential).max())


@for_every_risk
def test_the_weighted_gradient_over_m_is_the_slope_of_the_value_in_a_position(loss, dimension):
    risk = a_risk(loss, dimension)
    w, theta = a_state(dimension)
    _, _, gradient = risk(w, theta)
    h = 1e-5
    for where in np.ndindex(theta.shape):
        step = np.zeros(theta.shape)
        step[where] = h
        slope = (risk(w, theta + step)[0] - risk(w, theta - step)[0]) / (2 * h)
        expected = w[where[0]] * gradient[where] / len(w)
        assert slope == pytest.approx(expected, abs=1e-6 * np.abs(gradient).max())


@for_every_risk
def test_the_potential_is_the_first_variation_of_the_risk(loss, dimension):
    risk = a_risk(loss, dimension)
    w, theta = a_state(dimension)
    at = np.random.default_rng(2).uniform(size=(5, dimension))
    mu = Measure(w / len(w), theta)
    h = 1e-4
    for point, eta in zip(at, risk.potential(w, theta, at), strict=True):
        more, less = (risk(*(mu + Measure([mass], [point])).particles())[0] for mass in (h, -h))
        assert (more - less) / (2 * h) == pytest.approx(eta, rel=1e-6, abs=1e-8)


@for_every_risk
@pytest.mark.parametrize("runs", [(), (3,)])
def test_the_potential_at_the_particles_is_that_of_the_particles(loss, dimension, runs):
    risk = a_risk(loss, dimension, runs)
    w, theta = a_state(dimension, runs)
    _, potential, _ = risk(w, theta)
    np.testing.assert_allclose(risk.potential(w, theta, theta), potential, rtol=1e-12, atol=1e-12)


@for_every_risk
def test_the_residual_pulled_back_is_the_potential(loss, dimension):
    risk = a_risk(loss, dimension)
    w, theta = a_state(dimension)
    at = np.random.default_rng(2).uniform(size=(5, dimension))
    expected = risk.residual(w, theta) @ risk.features.matrix(at)
    np.testing.assert_allclose(risk.potential(w, theta, at), expected, rtol=1e-12, atol=1e-12)


@for_every_risk
def test_results_outlive_the_next_call(loss, dimension):
    risk = a_risk(loss, dimension)
    w, theta = a_state(dimension)
    results = [*risk(w, theta), risk.potential(w, theta, theta), risk.residual(w, theta)]
    kept = [np.copy(array) for array in results]
    risk(*a_state(dimension, seed=5))
    risk.potential(*a_state(dimension, seed=5), theta)
    for array, copied in zip(results, kept, strict=True):
        np.testing.assert_array_equal(array, copied)


# Stacks


@for_every_risk
@pytest.mark.parametrize("runs", [(1,), (4,), (2, 3)])
def test_a_stack_is_a_loop(loss, dimension, runs):
    risk = a_risk(loss, dimension, runs)
    w, theta = a_state(dimension, runs)
    shared = np.random.default_rng(2).uniform(size=(5, dimension))
    own = np.random.default_rng(3).uniform(size=(*runs, 5, dimension))
    stacked = [*risk(w, theta), risk.potential(w, theta, shared), risk.potential(w, theta, own)]
    for run in np.ndindex(runs):
        single, state = one_run(risk, run), (w[run], theta[run])
        looped = [*single(*state), single.potential(*state, shared), single.potential(*state, own[run])]
        for array, expected in zip(stacked, looped, strict=True):
            scale = np.abs(expected).max()
            np.testing.assert_allclose(array[run], expected, rtol=1e-12, atol=1e-12 * scale)


# Convexity


@for_every_risk
@few
@given(data=st.data(), s=st.floats(0, 1))
def test_the_risk_is_convex_along_mixtures_of_measures(loss, dimension, data, s):
    risk = a_risk(loss, dimension)

    def draw():
        m = data.draw(st.integers(1, 4))
        masses = data.draw(arrays(float, m, elements=st.floats(-10, 10)))
        return Measure(masses, data.draw(arrays(float, (m, dimension), elements=st.floats(0, 1))))

    def value(measure):
        return risk(*measure.particles())[0]

    mu, nu = draw(), draw()
    chord = (1 - s) * value(mu) + s * value(nu)
    assert value((1 - s) * mu + s * nu) <= chord + 1e-12 * (1 + chord)


# What is refused

BAD = [np.nan, np.inf, -np.inf]


@for_every_risk
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", ["w", "theta"])
def test_particles_that_are_not_finite_are_named(loss, dimension, name, bad):
    risk, (w, theta) = a_risk(loss, dimension, (3,)), a_state(dimension, (3,))
    {"w": w, "theta": theta}[name].flat[-1] = bad
    with pytest.raises(NotFinite, match=f"^{name} must be finite, but its entry .* is {bad}"):
        risk(w, theta)


@for_every_risk
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", ["w", "theta"])
def test_the_potential_names_particles_that_are_not_finite(loss, dimension, name, bad):
    risk, (w, theta) = a_risk(loss, dimension), a_state(dimension)
    {"w": w, "theta": theta}[name].flat[-1] = bad
    with pytest.raises(NotFinite, match=f"^{name} must be finite"):
        risk.potential(w, theta, np.zeros((2, dimension)))


def test_an_infinite_weight_is_refused_even_where_the_loss_would_like_it():
    w, theta = np.array([np.inf]), np.array([[0.1]])  # all three features are positive there, and so are the labels
    with pytest.raises(NotFinite, match=r"^w must be finite"):
        FeatureRisk(Fourier(1), Logistic(np.ones(3)))(w, theta)


@pytest.mark.parametrize("weights", [[1e200, 1.0], [1e308, 1e308]])
def test_weights_so_large_that_the_risk_overflows_are_named(weights):
    risk, theta = a_risk("squared", 1), np.array([[0.1], [0.2]])
    with pytest.raises(NotFinite, match=r"^w must be small enough for the result to be finite, but it has entries up"):
        risk(np.array(weights), theta)


def test_a_potential_that_overflows_is_an_error_too():
    risk, theta = a_risk("squared", 1), np.array([[0.1], [0.1]])
    with pytest.raises(NotFinite, match=r"^w must be small enough"):
        risk.potential(np.array([1e308, 1e308]), theta, np.array([[0.3]]))


def test_not_finite_is_a_value_error():
    assert issubclass(NotFinite, ValueError)


@for_every_risk
@pytest.mark.parametrize("bad", BAD)
def test_points_that_are_not_finite_are_named(loss, dimension, bad):
    risk, at = a_risk(loss, dimension), np.zeros((3, dimension))
    at[1, 0] = bad
    with pytest.raises(ValueError, match=r"^at must be finite, but its entry \(1, 0\)"):
        risk.potential(*a_state(dimension), at)


@for_every_risk
@pytest.mark.parametrize("shape", [(), (6,), (6, 3), (6, 0)])
def test_points_of_a_wrong_shape_are_named(loss, dimension, shape):
    with pytest.raises(ValueError, match=r"^at must have shape"):
        a_risk(loss, dimension).potential(*a_state(dimension), np.zeros(shape))


@for_every_risk
@pytest.mark.parametrize(
    ("weights", "positions", "name"),
    [((), (1,), "w"), ((0,), (0, 1), "w"), ((6,), (6,), "theta"), ((6,), (5, 1), "theta"), ((6,), (6, 3), "theta")],
)
def test_particles_of_a_wrong_shape_are_named(loss, dimension, weights, positions, name):
    risk = a_risk(loss, dimension)
    w, theta = np.zeros(weights), np.zeros(positions)
    for compute in (risk, risk.residual, lambda w, theta: risk.potential(w, theta, np.zeros((1, dimension)))):
        with pytest.raises(ValueError, match=f"^{name} must have shape"):
            compute(w, theta)
