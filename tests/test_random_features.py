"""Positions that stay: the best weights on random neurons, and what their optimality conditions say."""

import numpy as np
import pytest

from mfcourse import convex, problems
from mfcourse.measures import Measure
from mfcourse.problems import Problem


def directions(m, d, seed=99):  # not the seed of a teacher, whose directions are the same draws
    at = np.random.default_rng(seed).normal(size=(m, d))
    return at / np.linalg.norm(at, axis=1, keepdims=True)


def on_data(activation, loss, penalty=0.0, n=80):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 4)), rng.choice([-1.0, 1.0], n)
    return problems.from_data(x, y, activation, loss, penalty)


def slopes(problem, measure):
    return problem.risk.potential(*measure.particles(), measure.positions)


@pytest.mark.parametrize(
    "problem",
    [
        problems.relu_teacher(0, 5, 4),
        problems.sigmoid_teacher(0, 5, 4),
        on_data("relu", "squared"),
        on_data("tanh", "squared"),
    ],
)
def test_least_squares_leaves_no_slope_at_its_positions(problem):
    measure = convex.fixed_positions(problem, directions(30, 5))
    assert np.abs(slopes(problem, measure)).max() < 1e-10
    assert 0 < problem.objective(measure) < problem.objective(Measure(np.zeros(0), np.zeros((0, 5))))


def test_logistic_regression_leaves_no_slope_at_its_positions():
    problem = on_data("relu", "logistic")
    assert np.abs(slopes(problem, convex.fixed_positions(problem, directions(6, 5)))).max() < 1e-4


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("kind", ["squared", "logistic", "exact"])
@pytest.mark.parametrize("length", [0.4, 1.5])
def test_with_a_penalty_the_potential_keeps_its_bound_and_touches_it_under_the_mass(activation, kind, length):
    if kind == "exact":
        teacher = problems.relu_teacher(0, 5, 4) if activation == "relu" else problems.sigmoid_teacher(0, 5, 4)
        problem = Problem(teacher.risk, 0.05)
    else:
        problem = on_data(activation, kind, 0.02)
    positions = length * directions(30, 5)
    measure = convex.fixed_positions(problem, positions)
    bound = problem.penalty * length**problem.risk.homogeneity
    eta = slopes(problem, measure)
    tolerance = 1e-2 if kind == "logistic" else 1e-6  # liblinear stops early
    assert np.abs(eta).max() <= bound * (1 + tolerance)
    atoms = np.abs(measure.weights) > 1e-6
    assert 0 < atoms.sum() < 30
    np.testing.assert_allclose(eta[atoms], -bound * np.sign(measure.weights[atoms]), rtol=tolerance)


def test_random_features_in_a_hundred_dimensions_stay_far_from_the_teacher():
    problem = problems.relu_teacher(0, 100, 20)
    whole = problem.objective(Measure(np.zeros(0), np.zeros((0, 100))))
    for m, reference in ((100, 0.30), (400, 0.155)):
        excess = problem.objective(convex.fixed_positions(problem, directions(m, 100))) / whole
        assert excess == pytest.approx(reference, rel=0.15)  # of one draw


def test_more_positions_never_hurt_and_repeated_ones_do_no_harm():
    problem, at = problems.relu_teacher(1, 3, 4), directions(40, 3)
    values = [problem.objective(convex.fixed_positions(problem, at[:m])) for m in (5, 10, 20, 40)]
    assert (np.diff(values) <= 1e-12).all()
    twice = convex.fixed_positions(problem, np.concatenate([at, at]))
    assert problem.objective(twice) == pytest.approx(values[-1], rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("length", [1e-4, 1.0, 1e4])
def test_neurons_are_cones_of_any_length_repeated_or_alone(length):
    """A homogeneous neuron r theta of mass a is theta with r a: what can be reached does not depend on r."""
    problem, at = problems.relu_teacher(1, 3, 4), directions(10, 3)
    best = problem.objective(convex.fixed_positions(problem, at))
    twice = convex.fixed_positions(problem, length * np.concatenate([at, at]))
    assert problem.objective(twice) == pytest.approx(best, rel=1e-6)
    penalised = Problem(problem.risk, 0.05)
    one = [convex.fixed_positions(penalised, r * at[:1]) for r in (1.0, length)]
    assert one[1].weights * length == pytest.approx(one[0].weights, rel=1e-6)


@pytest.mark.parametrize("penalty", [0.0, 0.05])
@pytest.mark.parametrize("kind", ["squared", "logistic", "exact"])
@pytest.mark.parametrize("number", [1, 3])
def test_zero_neurons_reach_nothing(kind, penalty, number):
    problem = (
        on_data("relu", kind, penalty) if kind != "exact" else Problem(problems.relu_teacher(1, 5, 4).risk, penalty)
    )
    nothing = problem.objective(Measure(np.zeros(0), np.zeros((0, 5))))
    at = np.zeros((number, 5))
    assert problem.objective(convex.fixed_positions(problem, at)) == pytest.approx(nothing, rel=1e-12)


def test_the_teachers_own_positions_are_enough():
    problem = problems.relu_teacher(1, 3, 4)
    measure = convex.fixed_positions(problem, problem.truth.positions)
    np.testing.assert_allclose(measure.weights, problem.truth.weights, rtol=1e-9)
