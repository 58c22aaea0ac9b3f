"""The convex side: optima by certificate, closed forms and scikit-learn's own conditions."""

import numpy as np
import pytest

from mfcourse import convex, problems
from mfcourse.certificates import certify
from mfcourse.losses import Logistic
from mfcourse.penalties import soft_threshold
from mfcourse.problems import Problem
from mfcourse.risks import FeatureRisk
from mfcourse.starts import grid_start


@pytest.mark.parametrize("seed", range(50))
def test_every_instance_is_solved_to_a_certified_gap(seed):
    problem = problems.spikes(seed)
    optimum = convex.certified_optimum(problem)
    assert certify(problem, optimum).gap <= 1e-10
    assert len(optimum) == 5 or seed >= 20  # known for the first twenty
    assert ((optimum.positions >= 0) & (optimum.positions < 1)).all()


def test_the_first_instance_has_the_reference_optimum():
    problem = problems.spikes(0)
    optimum = convex.certified_optimum(problem)
    order = np.argsort(optimum.positions[:, 0])
    assert problem.objective(optimum) == pytest.approx(5.101390015260, abs=1e-10)
    masses = [0.34064464, 1.13661714, 1.22589593, -0.91577431, -1.01730024]
    np.testing.assert_allclose(optimum.weights[order], masses, atol=1e-8)
    positions = [0.02561918, 0.17776107, 0.54013663, 0.72747379, 0.86467513]
    np.testing.assert_allclose(optimum.positions[order, 0], positions, atol=1e-8)


@pytest.mark.parametrize("settings", [{"lam": 0.3}, {"lam": 10.0}, {"noise": 0.0}, {"cutoff": 12}, {"n_spikes": 7}])
def test_other_settings_are_solved_too(settings):
    problem = problems.spikes(4, **settings)
    assert certify(problem, convex.certified_optimum(problem)).gap <= 1e-10


@pytest.mark.parametrize(
    ("seed", "settings"),
    [
        (344, {"lam": 0.37258297463354234, "noise": 0.3, "cutoff": 10, "n_spikes": 6}),  # a spike of tiny mass
        (187, {"lam": 0.4871372667264943, "cutoff": 12, "n_spikes": 4}),
        (369, {"lam": 1.158739474903764, "dimension": 2}),
        (0, {"lam": 18.227708781765557 * 0.999}),  # just below the lambda from which on nothing is found
        (372, {"lam": 18.546366313229242, "noise": 1.0, "cutoff": 6, "n_spikes": 4}),
    ],
)
def test_delicate_instances_are_solved_too(seed, settings):
    problem = problems.spikes(seed, **settings)
    assert certify(problem, convex.certified_optimum(problem)).gap <= 1e-10


@pytest.mark.parametrize("seed", range(4))
def test_two_dimensions_are_solved_too(seed):
    problem = problems.spikes(seed, dimension=2)
    optimum = convex.certified_optimum(problem)
    assert certify(problem, optimum).gap <= 1e-10
    assert len(optimum) == 5


@pytest.mark.parametrize("lam", [0.5, 2.0, 9.0, 40.0])
def test_one_spike_without_noise_is_soft_thresholded(lam):
    """J(x delta_t) = 15 (a - x)^2 / (2 lam) + |x| is least at soft(a, lam / 15), and nothing beats one spike."""
    problem = problems.spikes(1, lam=lam, noise=0.0, n_spikes=1)
    a = problem.truth.weights[0]
    optimum = convex.certified_optimum(problem)
    assert optimum.weights.sum() == pytest.approx(soft_threshold(a, lam / 15), abs=1e-9)
    if len(optimum):
        assert optimum.positions[0, 0] == pytest.approx(problem.truth.positions[0, 0], abs=1e-9)


def test_without_noise_the_optimum_has_as_many_spikes_as_the_truth():
    for seed in range(5):
        assert len(convex.certified_optimum(problems.spikes(seed, noise=0.0))) == 5


@pytest.mark.parametrize("m", [10, 100])
def test_fixed_positions_satisfy_the_optimality_conditions_of_the_lasso(m):
    problem = problems.spikes(0)
    positions = grid_start(m)[1]
    measure = convex.fixed_positions(problem, positions)
    eta = problem.risk.potential(*measure.particles(), positions)
    chosen = measure.weights != 0
    assert np.abs(eta).max() <= 1 + 1e-5
    np.testing.assert_allclose(eta[chosen], -np.sign(measure.weights[chosen]), atol=1e-5)


def test_fixed_positions_at_the_optimum_recover_its_masses():
    problem = problems.spikes(5)
    optimum = convex.certified_optimum(problem)
    np.testing.assert_allclose(convex.fixed_positions(problem, optimum.positions).weights, optimum.weights, atol=1e-6)


def test_a_finer_grid_is_better_and_never_as_good_as_the_optimum():
    problem = problems.spikes(3)
    best = problem.objective(convex.certified_optimum(problem))
    values = [problem.objective(convex.fixed_positions(problem, grid_start(m)[1])) for m in (9, 27, 81)]
    assert values[0] > values[1] > values[2] > best


def test_only_single_penalised_least_squares_problems_on_the_torus_are_solved():
    spikes = problems.spikes(0)
    logistic = Problem(FeatureRisk(spikes.risk.features, Logistic(np.ones(15))), 1.0)
    for broken in (problems.stack([spikes, spikes]), logistic, problems.relu_teacher(0)):
        with pytest.raises(ValueError, match="problem must be a single one"):
            convex.certified_optimum(broken)
    with pytest.raises(ValueError, match="problem must live on the torus and have a penalty > 0"):
        convex.certified_optimum(Problem(spikes.risk, 0.0))


def test_fixed_positions_refuse_stacks_and_labels_that_are_all_the_same():
    spikes = problems.spikes(0)
    with pytest.raises(ValueError, match="problem must be a single one"):
        convex.fixed_positions(problems.stack([spikes, spikes]), np.zeros((3, 1)))
    for labels in (np.ones(15), np.ones((2, 15))):
        with pytest.raises(ValueError, match="problem must be a single one, with labels of both signs"):
            convex.fixed_positions(Problem(FeatureRisk(spikes.risk.features, Logistic(labels)), 1.0), np.zeros((3, 1)))


@pytest.mark.parametrize(
    "positions", [np.zeros(3), np.zeros((3, 2)), np.full((3, 1), np.nan), np.zeros((0, 1)), np.zeros((2, 3, 1))]
)
def test_positions_that_are_no_finite_table_are_refused(positions):
    with pytest.raises(ValueError, match="positions must"):
        convex.fixed_positions(problems.spikes(0), positions)


def test_an_optimum_that_cannot_be_certified_is_an_error_not_an_answer(monkeypatch):
    monkeypatch.setattr(convex, "ROUNDS", 0)
    with pytest.raises(RuntimeError, match="could not be certified"):
        convex.certified_optimum(problems.spikes(0))
