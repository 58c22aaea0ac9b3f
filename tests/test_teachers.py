"""Teachers and your own data: recipes, reference numbers, what is refused."""

import numpy as np
import pytest

from mfcourse import flows, problems, starts
from mfcourse.losses import Logistic
from mfcourse.measures import Measure


def of_nothing(problem):
    return problem.objective(Measure(np.zeros(0), np.zeros((0, problem.risk.dimension))))


def test_the_teacher_in_the_plane_is_the_one_of_the_recipe():
    problem = problems.relu_teacher(0, 2, 4)
    assert f"{of_nothing(problem):.10f}" == "2.4339220180"
    lines = np.sort(np.arctan2(*problem.truth.positions.T[::-1]) % np.pi)
    assert np.diff(lines, append=lines[0] + np.pi).min() >= np.pi / 8
    start = starts.sphere_start(10, np.random.default_rng([0, 10]), 2)
    run = flows.flow(problem, flows.gradient(problem, 0.25, 0.25), start, 200, record=[50, 200])
    assert [f"{energy / of_nothing(problem):.10f}" for energy in run.energy[1:]] == ["0.0027054876", "0.0003986591"]


def test_teachers_in_a_hundred_dimensions_have_the_reference_norm():
    assert f"{2 * of_nothing(problems.relu_teacher(0, 100, 20)):.10f}" == "15.3137629600"
    assert f"{2 * of_nothing(problems.sigmoid_teacher(0, 100, 20)):.10f}" == "16.7007856860"


@pytest.mark.parametrize("make", [problems.relu_teacher, problems.sigmoid_teacher])
def test_a_teacher_is_the_optimum_of_its_problem(make):
    for seed in (0, 5):
        problem = make(seed, 6, 5)
        assert problem.truth.positions.shape == (5, 6)
        assert problem.objective(problem.truth) < 1e-14 < 1e-3 < of_nothing(problem)
        length = 1 if make is problems.relu_teacher else 10
        np.testing.assert_allclose(np.linalg.norm(problem.truth.positions, axis=1), length, rtol=1e-14)


def test_norms_of_seed_zero_agree_with_samples():
    for problem in (problems.relu_teacher(0, 2, 4), problems.sigmoid_teacher(0, 100, 20)):
        squares = problem.risk.taught(np.random.default_rng(0).standard_normal((20_000, problem.risk.dimension))) ** 2
        assert abs(squares.mean() - 2 * of_nothing(problem)) <= 5 * squares.std() / 20_000**0.5


def test_data_of_your_own_becomes_a_problem_with_the_penalty_that_fits():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    problem = problems.from_data(x, y, "relu", penalty=0.1)
    w, theta = rng.normal(size=7), rng.normal(size=(7, 5))
    prediction = np.maximum(np.c_[x, np.ones(30)] @ theta.T, 0) @ w / 7
    decay = 0.1 * (w**2 + (theta**2).sum(axis=1)).mean() / 2
    assert problem.energy(w, theta) == pytest.approx(((prediction - y) ** 2).mean() / 2 + decay, rel=1e-12)
    labels = np.sign(y)
    problem = problems.from_data(x, labels, "tanh", "logistic", penalty=0.1, bias=False)
    prediction = np.tanh(x @ theta[:, :4].T) @ w / 7
    expected = np.log1p(np.exp(-labels * prediction)).mean() + 0.1 * np.abs(w).mean()
    assert problem.energy(w, theta[:, :4]) == pytest.approx(expected, rel=1e-12)
    assert isinstance(problem.risk.loss, Logistic)


def test_a_stack_of_teachers_runs_as_each_alone():
    singles = [problems.relu_teacher(seed, 2, 4) for seed in range(3)]
    begin = [starts.sphere_start(6, np.random.default_rng([seed, 6]), 2) for seed in range(3)]
    stacked = problems.stack(singles)
    start = tuple(np.stack(part) for part in zip(*begin, strict=True))
    run = flows.flow(stacked, flows.gradient(stacked, 0.25, 0.25), start, 40)
    for k, problem in enumerate(singles):
        alone = flows.flow(problem, flows.gradient(problem, 0.25, 0.25), begin[k], 40)
        np.testing.assert_allclose(run.theta[:, k], alone.theta, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: problems.relu_teacher(-1), "seed must be"),
        (lambda: problems.relu_teacher(0, 2, 7), "n_neurons must be at most 6 in d = 2"),
        (lambda: problems.relu_teacher(0, 0), "d must be"),
        (lambda: problems.sigmoid_teacher(0, 100, 0), "n_neurons must be"),
        (lambda: problems.sigmoid_teacher(1.5), "seed must be"),
        (lambda: problems.from_data(np.ones((3, 2)), np.ones(4), "relu"), r"y must have shape \(n,\)"),
        (lambda: problems.from_data(np.ones((3, 2)), np.ones((3, 1)), "relu"), r"y must have shape \(n,\)"),
        (lambda: problems.from_data(np.ones((2, 3, 2)), np.ones(3), "relu"), r"y must have shape \(n,\)"),
        (lambda: problems.from_data(np.ones((0, 2)), np.ones(0), "relu"), "x must have shape"),
        (lambda: problems.from_data(np.full((3, 2), np.inf), np.ones(3), "relu"), "x must be finite"),
        (lambda: problems.from_data(np.ones((3, 2)), [1, np.nan, 2], "relu"), "y must be finite"),
        (lambda: problems.from_data(np.ones((3, 2)), np.arange(3), "relu", "logistic"), "y must be -1 or 1"),
        (lambda: problems.from_data(np.ones((3, 2)), np.ones(3), "step"), "activation must be one of"),
        (lambda: problems.from_data(np.ones((3, 2)), np.ones(3), "relu", "hinge"), "loss must be one of"),
        (lambda: problems.from_data(np.ones((3, 2)), np.ones(3), "relu", penalty=-1), "penalty must be"),
        (
            lambda: problems.stack([problems.relu_teacher(0), problems.relu_teacher(0, 3)]),
            "problems must be one or more",
        ),
        (lambda: problems.stack([problems.from_data(np.ones((3, 2)), np.ones(3), "relu")]), "problems must be"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
