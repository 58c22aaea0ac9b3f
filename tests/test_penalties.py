"""Penalties: proximal maps minimise, velocities descend, and the form fits the homogeneity of the features."""

import numpy as np
import pytest
from scipy.optimize import minimize

from mfcourse import flows, problems
from mfcourse.features import Neurons
from mfcourse.losses import Squared
from mfcourse.penalties import PENALTIES, soft_threshold
from mfcourse.problems import Problem
from mfcourse.risks import FeatureRisk

every_form = pytest.mark.parametrize("degree", [0, 1, 2])
NAMES = ("tanh", "relu", "signed_square_relu")


def example(degree, penalty=0.3):
    rng = np.random.default_rng(0)
    risk = FeatureRisk(Neurons(rng.normal(size=(8, 2)), NAMES[degree]), Squared(rng.normal(size=8), 8))
    w = rng.choice([-1.0, 1.0], 5) * (1 if degree == 2 else rng.uniform(0.5, 2, 5))
    return Problem(risk, penalty), w, rng.normal(size=(5, 2))


@every_form
def test_the_proximal_map_minimises_the_penalty_plus_the_squared_distance(degree):
    form, (_, w, theta) = PENALTIES[degree], example(degree)
    level = 0.4
    moved = form.proximal(w, theta, level, level)

    def cost(x):
        new_w, new_theta = (w if degree == 2 else x[:5]), x[5:].reshape(5, 2)
        near = ((new_w - w) ** 2).sum() + ((new_theta - theta) ** 2).sum()
        return near / 2 + level * form.value(new_w, new_theta).sum()

    x = np.r_[moved[0], moved[1].ravel()]
    best = minimize(cost, x + 0.1, method="Powell", options={"xtol": 1e-10, "ftol": 1e-14, "maxiter": 10**5})
    assert cost(x) <= best.fun + 1e-9


@every_form
def test_the_velocity_is_minus_m_times_the_slope_of_the_energy(degree):
    problem, w, theta = example(degree)
    speed_w, speed_theta = flows.velocity(problem, w, theta)
    h = 1e-6
    for i, e in enumerate(np.eye(5)):
        slope = (problem.energy(w + h * e, theta) - problem.energy(w - h * e, theta)) / (2 * h)
        assert speed_w[i] == (0 if degree == 2 else pytest.approx(-5 * slope, abs=1e-7))
    for where in np.ndindex(theta.shape):
        step = np.zeros(theta.shape)
        step[where] = h
        slope = (problem.energy(w, theta + step) - problem.energy(w, theta - step)) / (2 * h)
        assert speed_theta[where] == pytest.approx(-5 * slope, abs=1e-7)


def test_at_weight_zero_a_particle_waits_until_the_potential_exceeds_the_penalty():
    form, theta = PENALTIES[0], np.zeros((3, 1))
    force = np.array([0.5, -0.5, 3.0])
    speed, _ = form.velocity(1.0, np.zeros(3), theta, force, theta)
    np.testing.assert_array_equal(speed, [0, 0, -2.0])


@every_form
def test_no_particles_of_a_measure_cost_less_than_the_measure(degree):
    problem, w, theta = example(degree)
    assert problem.least_energy(w, theta) <= problem.energy(w, theta) + 1e-14
    if degree == 1:  # the same neurons, balanced: |w| = |theta|
        size = np.sqrt(np.abs(w) * np.linalg.norm(theta, axis=1))
        theta = theta * (size / np.linalg.norm(theta, axis=1))[:, None]
        assert problem.energy(np.sign(w) * size, theta) == pytest.approx(
            problem.least_energy(w, example(1)[2]), rel=1e-12
        )
    else:
        assert problem.energy(w, theta) == pytest.approx(problem.least_energy(w, theta), rel=1e-14)


def test_the_form_follows_from_the_features():
    assert [
        problem.form for problem in (problems.spikes(0), problems.relu_teacher(0), problems.sigmoid_teacher(0))
    ] == [
        PENALTIES[0],
        PENALTIES[1],
        PENALTIES[0],
    ]


def test_a_threshold_of_zero_moves_nothing_and_each_run_may_have_its_own():
    x = np.array([[-2.0, 0.5, 0.0], [3.0, -0.25, 1.0]])
    np.testing.assert_array_equal(soft_threshold(x, 0), x)
    np.testing.assert_array_equal(soft_threshold(x, [[0.0], [1.0]]), [x[0], [2, 0, 0]])
