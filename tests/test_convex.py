"""The convex side: optima by certificate, closed forms and scikit-learn's own conditions."""

from dataclasses import replace

import numpy as np
import pytest

from mfcourse import convex, problems
from mfcourse.certificates import certify
from mfcourse.features import Fourier
from mfcourse.losses import Logistic, Squared
from mfcourse.measures import Measure
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
    with pytest.raises(ValueError, match="problem must have a penalty > 0"):
        convex.certified_optimum(Problem(spikes.risk, 0.0))


def off_recipe(**settings):
    return problems.spikes(**({"noise": 0.1} | settings))


@pytest.mark.parametrize(
    "problem",
    [
        off_recipe(seed=94, lam=0.01914604834018232, noise=0.01, n_spikes=4),
        off_recipe(seed=217, lam=0.018030847731186937, cutoff=13, n_spikes=3),
        off_recipe(seed=96, lam=0.5647308848661026, cutoff=5, n_spikes=3, dimension=2),
        off_recipe(seed=0, lam=0.023193765460734247, cutoff=12),
        off_recipe(seed=4, lam=0.03630001902585217, cutoff=19),
        off_recipe(seed=6, lam=0.03852839079213133, cutoff=18),
    ],
    ids=["seed 94", "seed 217", "plane", "seed 0", "seed 4", "seed 6"],
)
def test_close_atoms_of_one_sign_do_not_stop_the_search(problem):
    """Each of these ended in a RuntimeError: merging two true atoms of one sign spoiled the measure for good."""
    assert certify(problem, convex.certified_optimum(problem)).gap <= 1e-11


def test_equal_close_and_symmetric_spikes_are_certified():
    features = Fourier(7)
    at = np.array([[0.2], [0.2], [0.5], [0.503], [0.8]])
    for positions in (at, np.concatenate([at, -at])):
        w = np.resize([1.0, 1.0, -0.7, -0.9, 0.6], len(positions))
        for lam in (0.02, 0.3, 5.0):
            problem = Problem(FeatureRisk(features, Squared(features.push(w, positions), lam)), 1.0)
            assert certify(problem, convex.certified_optimum(problem)).gap <= 1e-11


@pytest.mark.parametrize("dimension", [1, 2])
def test_where_only_the_mass_is_seen_one_atom_anywhere_is_optimal(dimension):
    """All gains but the first are 0, so that phi has no slope: J = (a - 1)^2 / (2 lambda) + |a|, a = 1 - lambda."""
    features = Fourier(1, dimension, gains=np.eye(3**dimension)[0])
    target = features.push(np.ones(1), np.zeros((1, dimension)))
    problem = Problem(FeatureRisk(features, Squared(target, 0.5)), 1.0)
    optimum = convex.certified_optimum(problem)
    assert len(optimum) == 1
    assert optimum.mass == pytest.approx(0.5, abs=1e-12)


def test_a_tiny_lambda_is_answered_as_well_as_rounding_allows():
    problem = problems.spikes(0, lam=1e-6)
    assert certify(problem, convex.certified_optimum(problem)).optimal


def test_a_gap_that_does_not_close_is_named(monkeypatch):
    monkeypatch.setattr(convex, "ROUNDS", 2)
    with pytest.raises(RuntimeError, match=r"could not be certified: the relative gap stays at \d\.\de-\d\d"):
        convex.certified_optimum(problems.spikes(0, lam=0.02, cutoff=12))


def test_the_best_non_negative_measure_is_that_of_a_fine_grid():
    problem = replace(problems.spikes(2), positive=True)
    optimum = convex.certified_optimum(problem)
    grid = convex.fixed_positions(problem, grid_start(2000)[1])
    assert (optimum.weights > 0).all()
    assert (grid.weights >= 0).all()
    assert problem.objective(optimum) <= problem.objective(grid) <= problem.objective(optimum) * (1 + 1e-4)


@pytest.mark.parametrize("penalty", [0.0, 0.002])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_non_negative_masses_on_fixed_positions_satisfy_the_optimality_conditions(loss, penalty):
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(60, 2)), rng.choice([-1.0, 1.0], 60)
    problem = replace(problems.from_data(x, y, "relu", loss, penalty), positive=True)
    positions = rng.normal(size=(12, 3))
    measure = convex.fixed_positions(problem, positions)
    assert (measure.weights >= 0).all()
    eta = problem.risk.potential(*measure.particles(), positions) + penalty * np.linalg.norm(positions, axis=1)
    assert eta.min() >= -1e-5
    assert np.abs(eta[measure.weights > 0]).max() <= 1e-5
    assert 0 < (measure.weights > 0).sum() < 12


def test_with_gains_the_optimum_is_that_of_the_filtered_spikes():
    """A Gaussian point-spread function: the certificate of the optimum holds on a dense grid, and without noise and
    penalty the atoms are the true ones."""
    gains = np.exp(-(np.r_[np.arange(8), np.arange(1, 8)] ** 2) / 40)
    features = Fourier(7, gains=gains)
    truth = Measure([1.0, -0.8], [[0.3], [0.7]])
    problem = Problem(FeatureRisk(features, Squared(features.push(*truth.particles()), 1e-3)), 1.0)
    optimum = convex.certified_optimum(problem)
    eta = problem.risk.potential(*optimum.particles(), np.linspace(0, 1, 10_001)[:, None])
    assert np.abs(eta).max() <= 1 + 1e-9
    np.testing.assert_allclose(np.sort(optimum.positions[:, 0]), [0.3, 0.7], atol=1e-4)
    np.testing.assert_allclose(np.sort(optimum.weights), [-0.8, 1.0], atol=1e-3)


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
