"""Problems: the recipe of the seeded instances written out anew, reference values, stacks, and the objective."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mfcourse.measures import Measure, h1
from mfcourse.problems import Problem, spikes, stack

few = settings(deadline=None, max_examples=40)

# NUMBERS.md, section 1: seed 0, lambda = 2
OPTIMAL_MASSES = [0.34064464, 1.13661714, 1.22589593, -0.91577431, -1.01730024]
OPTIMAL_POSITIONS = [0.02561918, 0.17776107, 0.54013663, 0.72747379, 0.86467513]
OPTIMUM = 5.101390015260


def basis(t):
    k = np.arange(1, 8)
    return np.r_[1, 2**0.5 * np.cos(2 * np.pi * k * t), 2**0.5 * np.sin(2 * np.pi * k * t)]


def recipe(seed, noise):
    """The instance of NUMBERS.md, section 1: spikes (w, t) and the observation y."""
    rng = np.random.default_rng(seed)
    s = rng.choice([-1.0, 1.0], size=5)
    w = s * rng.uniform(0.5, 1.5, 5)
    while True:
        t = np.sort(rng.uniform(0, 1, 5))
        if np.diff(np.r_[t, t[0] + 1]).min() >= 0.1:
            break
    y = sum(mass * basis(place) for mass, place in zip(w, t, strict=True))
    return w, t, y + noise * rng.standard_normal(15)


def objective(y, lam, masses, positions):
    prediction = sum((a * basis(t) for a, t in zip(masses, positions, strict=True)), np.zeros(15))
    return np.sum((y - prediction) ** 2) / (2 * lam) + np.abs(masses).sum()


def observation(problem):
    return problem.risk.loss.target


# The instances


@pytest.mark.parametrize("seed", [*range(10), 12345])
@pytest.mark.parametrize("noise", [0, 0.1, 1])
def test_spikes_follow_the_recipe(seed, noise):
    w, t, y = recipe(seed, noise)
    problem = spikes(seed, noise=noise)
    np.testing.assert_array_equal(problem.truth.weights, w)
    np.testing.assert_array_equal(problem.truth.positions, t[:, None])
    np.testing.assert_allclose(observation(problem), y, rtol=1e-12, atol=1e-12)


def test_seed_0_is_the_instance_of_the_reference():
    problem = spikes(0)
    y = observation(problem)
    assert problem.penalty == 1
    assert problem.risk.loss.scale == 2
    assert y @ y == pytest.approx(81.289571075368, abs=1e-11)
    optimum = Measure(OPTIMAL_MASSES, np.array(OPTIMAL_POSITIONS)[:, None])  # given to 8 digits: enough for J to 1e-11
    assert problem.objective(optimum) == pytest.approx(OPTIMUM, abs=1e-11)


@pytest.mark.parametrize("dimension", [1, 2])
def test_the_same_arguments_give_the_same_instance(dimension):
    one, same, other = (spikes(seed, cutoff=3, dimension=dimension) for seed in (3, 3, 4))
    np.testing.assert_array_equal(observation(one), observation(same))
    np.testing.assert_array_equal(one.truth.positions, same.truth.positions)
    assert (observation(one) != observation(other)).any()


def test_spikes_leave_the_global_random_state_alone():
    state = np.random.get_state()  # noqa: NPY002
    spikes(0)
    np.testing.assert_array_equal(np.random.get_state()[1], state[1])  # noqa: NPY002


@pytest.mark.parametrize(("dimension", "distance"), [(1, 0.1), (2, 0.15), (3, 0.15)])
@pytest.mark.parametrize("n_spikes", [1, 2, 5, 6])
def test_spikes_are_separated_on_the_torus(dimension, distance, n_spikes):
    for seed in range(10):
        truth = spikes(seed, cutoff=1, n_spikes=n_spikes, dimension=dimension).truth
        assert truth.positions.shape == (n_spikes, dimension)
        assert ((truth.positions >= 0) & (truth.positions < 1)).all()
        assert ((np.abs(truth.weights) >= 0.5) & (np.abs(truth.weights) <= 1.5)).all()
        apart = np.abs(truth.positions[:, None] - truth.positions)
        far = np.linalg.norm(np.minimum(apart, 1 - apart), axis=-1) + np.eye(n_spikes)
        assert far.min() >= distance


@pytest.mark.parametrize("dimension", [1, 2])
def test_spikes_and_masses_do_not_depend_on_noise_lambda_or_cutoff(dimension):
    one = spikes(0, dimension=dimension)
    other = spikes(0, lam=0.3, noise=1, cutoff=2, dimension=dimension)
    np.testing.assert_array_equal(one.truth.weights, other.truth.weights)
    np.testing.assert_array_equal(one.truth.positions, other.truth.positions)


@pytest.mark.parametrize("dimension", [1, 2])
def test_without_noise_the_truth_explains_the_observation(dimension):
    problem = spikes(0, noise=0, dimension=dimension)
    assert problem.objective(problem.truth) == pytest.approx(problem.truth.total_variation, rel=1e-12)


@pytest.mark.parametrize(("dimension", "cutoff", "tolerance"), [(1, 7, 0.3), (2, 7, 0.1), (2, 3, 0.2)])
def test_the_noise_is_as_strong_in_any_dimension(dimension, cutoff, tolerance):
    strength = 0.5
    energies = []
    for seed in range(20):
        clean, noisy = (spikes(seed, noise=s, cutoff=cutoff, dimension=dimension) for s in (0, strength))
        energies.append(np.sum((observation(noisy) - observation(clean)) ** 2))
    expected = strength**2 * (2 * cutoff + 1)  # its mean over 20 seeds is good to sqrt(2 / (20 n))
    assert np.mean(energies) == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize("dimension", [1, 2])
def test_the_noise_is_proportional_to_its_argument(dimension):
    clean, little, much = (observation(spikes(0, noise=s, dimension=dimension)) for s in (0, 0.1, 0.3))
    np.testing.assert_allclose(much - clean, 3 * (little - clean), atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": 0.5}, "seed"),
        ({"seed": None}, "seed"),
        ({"lam": 0}, "lam"),
        ({"lam": -1}, "lam"),
        ({"lam": np.nan}, "lam"),
        ({"lam": np.inf}, "lam"),
        ({"noise": -0.1}, "noise"),
        ({"noise": np.nan}, "noise"),
        ({"noise": "loud"}, "noise"),
        ({"cutoff": 0}, "cutoff"),
        ({"cutoff": 1.5}, "cutoff"),
        ({"n_spikes": 0}, "n_spikes"),
        ({"n_spikes": -3}, "n_spikes"),
        ({"n_spikes": np.nan}, "n_spikes"),
        ({"dimension": 0}, "dimension"),
    ],
)
def test_spikes_refuse_what_makes_no_instance(arguments, name):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        spikes(**{"seed": 0, **arguments})


@pytest.mark.parametrize(("n_spikes", "dimension"), [(8, 1), (10, 1), (1000, 1), (1000, 2), (10**6, 3)])
def test_spikes_that_do_not_fit_are_an_error_and_no_endless_search(n_spikes, dimension):
    with pytest.raises(ValueError, match=f"^n_spikes = {n_spikes} spikes do not fit"):
        spikes(0, cutoff=1, n_spikes=n_spikes, dimension=dimension)


# The objective


@few
@given(
    seed=st.integers(0, 20),
    lam=st.floats(0.01, 100),
    masses=arrays(float, 3, elements=st.floats(-10, 10)),
    positions=arrays(float, 3, elements=st.floats(-1, 2)),
)
def test_the_objective_is_data_fit_plus_total_variation(seed, lam, masses, positions):
    problem = spikes(seed, lam=lam)
    expected = objective(recipe(seed, 0.1)[2], lam, masses, positions)
    got = problem.objective(Measure(masses, positions[:, None]))
    assert type(got) is float
    assert got == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("lam", [0.5, 2.0])
def test_the_objective_of_nothing_is_the_energy_of_the_observation(dimension, lam):
    problem = spikes(0, lam=lam, dimension=dimension)
    y = observation(problem)
    nothing = Measure(np.zeros(0), np.zeros((0, dimension)))
    assert problem.objective(nothing) == pytest.approx(y @ y / (2 * lam), rel=1e-12)


@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("m", [1, 10])
def test_the_energy_of_particles_is_the_objective_of_their_measure(dimension, m):
    problem = spikes(0, dimension=dimension)
    rng = np.random.default_rng(0)
    w, theta = rng.standard_normal((3, m)), rng.uniform(size=(3, m, dimension))
    energies = problem.energy(w, theta)
    assert energies.shape == (3,)
    for run in range(3):
        assert energies[run] == pytest.approx(problem.objective(h1(w[run], theta[run])), rel=1e-12)


@pytest.mark.parametrize("penalty", [0, 0.5, 3])
def test_the_penalty_multiplies_the_total_variation(penalty):
    risk = spikes(0).risk
    measure = Measure([1.0, -2.0], [[0.1], [0.6]])
    difference = Problem(risk, penalty).objective(measure) - Problem(risk, 0).objective(measure)
    assert difference == pytest.approx(3 * penalty, abs=1e-12)


@pytest.mark.parametrize("penalty", [-1, np.nan, np.inf, "1"])
def test_the_penalty_is_a_finite_number_that_is_not_negative(penalty):
    with pytest.raises(ValueError, match=r"^penalty must be a finite number >= 0"):
        Problem(spikes(0).risk, penalty)


def test_a_measure_on_another_torus_has_no_objective():
    with pytest.raises(ValueError, match=r"^theta must have shape"):
        spikes(0).objective(Measure([1.0], [[0.1, 0.2]]))


# Stacks


@pytest.mark.parametrize("dimension", [1, 2])
def test_a_stack_of_problems_is_a_loop(dimension):
    problems = [spikes(seed, cutoff=3, dimension=dimension) for seed in range(4)]
    together = stack(iter(problems))
    rng = np.random.default_rng(0)
    w, theta = rng.standard_normal((4, 6)), rng.uniform(size=(4, 6, dimension))
    assert together.truth is None
    assert together.penalty == 1
    energies, contract = together.energy(w, theta), together.risk(w, theta)
    for run, problem in enumerate(problems):
        np.testing.assert_allclose(energies[run], problem.energy(w[run], theta[run]), rtol=1e-12)
        for array, expected in zip(contract, problem.risk(w[run], theta[run]), strict=True):
            np.testing.assert_allclose(array[run], expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


def test_a_stack_of_one_keeps_its_axis():
    assert stack([spikes(0)]).energy(np.zeros((1, 3)), np.zeros((1, 3, 1))).shape == (1,)


@pytest.mark.parametrize("other", [{"lam": 1.0}, {"cutoff": 5}, {"dimension": 2}, "penalty"])
def test_only_problems_of_one_kind_are_stacked(other):
    second = Problem(spikes(1).risk, 0.5) if other == "penalty" else spikes(1, **other)
    with pytest.raises(ValueError, match=r"^problems must be one or more of the same kind, but 2 kinds were given"):
        stack([spikes(0), second])


def test_a_stack_needs_a_problem():
    with pytest.raises(ValueError, match=r"^problems must be one or more of the same kind, but 0 kinds were given"):
        stack([])
