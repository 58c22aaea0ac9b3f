"""Measures are known by their integrals: closed forms, Jordan parts, merging, and the operators h1 and h2."""

import copy
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN

from mfcourse.measures import Measure, h1, h2

few = settings(deadline=None, max_examples=60)
TWO = Measure([3.0, -1.0], [[0.5], [2.0]])


def empty(dimension=1):
    return Measure(np.zeros(0), np.zeros((0, dimension)))


def measures(dimension=1, max_size=12):
    """Signed measures with ties, zero masses and no rounding: all numbers are multiples of 1/8."""
    mass, coordinate = st.integers(-16, 16), st.integers(-12, 12)
    rows = st.lists(st.tuples(mass, *[coordinate] * dimension), max_size=max_size)
    return rows.map(lambda rows: np.array(rows, float).reshape(-1, 1 + dimension) / 8).map(
        lambda table: Measure(table[:, 0], table[:, 1:])
    )


def particles(max_size=8):
    """Particles (w, theta) in d = 2, multiples of 1/8, some of them at the origin."""
    return st.lists(st.tuples(*[st.integers(-16, 16)] * 3), min_size=1, max_size=max_size).map(
        lambda rows: (np.array(rows)[:, 0] / 8, np.array(rows)[:, 1:] / 8)
    )


def masses_by_position(measure):
    """{position: mass} without zero masses: two measures are equal if and only if these are."""
    found = {}
    for mass, position in zip(measure.weights, measure.positions, strict=True):
        found[tuple(position)] = found.get(tuple(position), 0) + mass
    return {position: mass for position, mass in found.items() if mass != 0}


def circle_distance(x, y):
    return np.abs(x - y - np.round(x - y))


# Integrals


@pytest.mark.parametrize(
    ("function", "integral"),
    [
        (lambda x: x[:, 0], 3 * 0.5 - 2),
        (lambda x: x[:, 0] ** 2, 3 * 0.25 - 4),
        (lambda x: np.ones(len(x)), 2),
        (lambda x: np.c_[x, x**2, 0 * x + 1], [-0.5, -3.25, 2]),
        (lambda x: (x[:, 0] > 1).astype(int), -1),
    ],
)
def test_integral_is_the_weighted_sum_of_values(function, integral):
    np.testing.assert_allclose(TWO.integral(function), integral, rtol=1e-15)


def test_integral_of_the_uniform_grid_is_a_riemann_sum():
    n = 1000
    grid = Measure(np.full(n, 1 / n), (np.arange(n)[:, None] + 0.5) / n)
    assert grid.integral(lambda x: x[:, 0] ** 2) == pytest.approx(1 / 3 - 1 / (12 * n**2), rel=1e-12)
    assert grid.integral(lambda x: np.cos(2 * np.pi * x[:, 0])) == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("function", [lambda x: 1.0, lambda x: x[:1, 0], lambda x: x.T])
def test_integral_needs_one_value_for_each_position(function):
    with pytest.raises(ValueError, match=r"^function must return one value for each of 2 positions"):
        TWO.integral(function)


@few
@given(measures(dimension=2), measures(dimension=2), st.integers(-8, 8))
def test_integral_is_linear_in_the_measure(mu, nu, factor):
    def f(x):
        return x[:, 0] * x[:, 1] + 1

    assert (mu + nu).integral(f) == mu.integral(f) + nu.integral(f)
    assert (mu - nu).integral(f) == mu.integral(f) - nu.integral(f)
    assert (factor * mu).integral(f) == (mu * factor).integral(f) == factor * mu.integral(f)
    assert (-mu).integral(f) == -mu.integral(f)


@pytest.mark.parametrize("factor", [2, 2.0, np.float64(2), np.float32(2), np.int64(2)])
def test_any_real_number_scales_a_measure_from_both_sides(factor):
    for scaled in (factor * TWO, TWO * factor):
        assert isinstance(scaled, Measure)
        assert scaled.weights.tolist() == [6, -2]


# Mass, total variation, Jordan decomposition


@few
@given(measures())
def test_mass_is_the_integral_of_one_and_total_variation_that_of_the_sign(mu):
    assert mu.mass == mu.integral(lambda x: np.ones(len(x)))
    assert mu.total_variation == mu.integral(lambda x: np.sign(mu.weights))
    assert type(mu.mass) is type(mu.total_variation) is float


@few
@given(measures())
def test_a_measure_is_the_difference_of_its_jordan_parts(mu):
    assert (mu.positive.weights > 0).all()
    assert (mu.negative.weights > 0).all()
    assert masses_by_position(mu.positive - mu.negative) == masses_by_position(mu)
    assert mu.positive.mass - mu.negative.mass == mu.mass
    assert mu.positive.mass + mu.negative.mass == mu.total_variation


@few
@given(measures(), measures())
def test_total_variation_is_a_norm(mu, nu):
    assert (mu + nu).total_variation <= mu.total_variation + nu.total_variation
    assert (-2 * mu).total_variation == 2 * mu.total_variation
    assert mu.total_variation >= abs(mu.mass)


@pytest.mark.parametrize("operation", [lambda mu, nu: mu + nu, lambda mu, nu: mu - nu])
def test_only_measures_on_the_same_space_are_added(operation):
    with pytest.raises(ValueError, match=r"^measures must share d to be added, but d is 1 and 2"):
        operation(empty(1), empty(2))


# Sampling


@pytest.mark.parametrize("size", [1, 10, 1000])
def test_a_sample_keeps_the_mass_and_the_support(size):
    mu = Measure([2.0, 0.0, 0.5], [[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]])
    drawn = mu.sample(size, np.random.default_rng(0))
    assert len(drawn) == size
    assert np.unique(drawn.weights).size == 1
    assert drawn.mass == pytest.approx(mu.mass, rel=1e-12)
    assert {tuple(x) for x in drawn.positions} <= {(0, 0), (2, 0)}


@pytest.mark.parametrize("size", [16, 256])
def test_the_error_of_a_sample_is_of_order_one_over_root_n(size):
    rng = np.random.default_rng(1)
    mu = Measure(rng.uniform(0, 1, 20), rng.uniform(0, 1, (20, 1)))
    p, values = mu.weights / mu.mass, np.cos(2 * np.pi * mu.positions[:, 0])
    variance = p @ values**2 - (p @ values) ** 2
    errors = [
        mu.sample(size, rng).integral(lambda x: np.cos(2 * np.pi * x[:, 0])) - mu.mass * (p @ values)
        for _ in range(1000)
    ]
    expected = mu.mass**2 * variance / size  # of the squared error; its mean over 1000 samples is good to 5 %
    assert np.mean(np.square(errors)) == pytest.approx(expected, rel=0.2)
    assert np.mean(errors) == pytest.approx(0, abs=5 * np.sqrt(expected / 1000))


def test_samples_follow_from_the_seed():
    mu = Measure(np.ones(50), np.arange(50.0)[:, None])
    one, same, other = (mu.sample(20, np.random.default_rng(seed)).positions for seed in (0, 0, 1))
    assert (one == same).all()
    assert (one != other).any()


@pytest.mark.parametrize("mu", [TWO, -1.0 * TWO.positive, 0.0 * TWO, empty()], ids=["signed", "-", "0", "empty"])
def test_only_non_negative_measures_with_mass_are_sampled(mu):
    with pytest.raises(ValueError, match=r"^only a non-negative measure with mass can be sampled"):
        mu.sample(3, np.random.default_rng(0))


@pytest.mark.parametrize("size", [0, -1, 2.5])
def test_sample_refuses_a_size_that_is_no_number_of_atoms(size):
    with pytest.raises(ValueError, match=r"^size must be a whole number >= 1"):
        TWO.positive.sample(size, np.random.default_rng(0))


# Pruning and merging


@few
@given(measures(), st.integers(0, 16))
def test_prune_keeps_the_atoms_above_the_threshold(mu, eighths):
    kept = mu.prune(eighths / 8)
    atoms = list(zip(mu.weights, mu.positions[:, 0], strict=True))
    left = list(zip(kept.weights, kept.positions[:, 0], strict=True))
    assert left == [(a, x) for a, x in atoms if abs(a) > eighths / 8]
    assert masses_by_position(mu.prune()) == masses_by_position(mu)


@pytest.mark.parametrize("bad", [-1, np.nan, np.inf, "0"])
def test_thresholds_and_radii_are_finite_and_not_negative(bad):
    with pytest.raises(ValueError, match=r"^threshold must be a finite number >= 0"):
        TWO.prune(bad)
    with pytest.raises(ValueError, match=r"^radius must be a finite number >= 0"):
        TWO.merge(bad)


@pytest.mark.parametrize("bad", [0, -1, np.nan, np.inf, "1"])
@pytest.mark.parametrize("mu", [TWO, empty()], ids=["two atoms", "empty"])
def test_a_torus_has_a_finite_side(mu, bad):
    with pytest.raises(ValueError, match=r"^period must be a finite number > 0"):
        mu.merge(0.1, period=bad)


def clusters(measure, radius, period):
    """The number of clusters that scikit-learn finds by chaining distances <= radius."""
    if len(measure) == 0:
        return 0
    apart = measure.positions[:, None] - measure.positions
    if period is not None:
        apart -= period * np.round(apart / period)
    labels = DBSCAN(eps=max(radius, 1e-12), min_samples=1, metric="precomputed").fit_predict(
        np.linalg.norm(apart, axis=-1)
    )
    return len(set(labels))


@few
@pytest.mark.parametrize("period", [None, 1, 2.5])
@pytest.mark.parametrize("dimension", [1, 2])
@given(data=st.data(), radius=st.sampled_from([0, 0.13, 0.3, 1.1]))
def test_merge_keeps_mass_and_total_variation_of_each_cluster(dimension, period, data, radius):
    mu = data.draw(measures(dimension))
    merged = mu.merge(radius, period)
    assert merged.mass == pytest.approx(mu.mass, abs=1e-12)
    assert merged.total_variation == pytest.approx(mu.total_variation, abs=1e-12)
    assert len(merged.positive) == clusters(mu.positive, radius, period)
    assert len(merged.negative) == clusters(mu.negative, radius, period)
    assert len(merged) == len(merged.positive) + len(merged.negative)


@few
@given(measures(dimension=2), st.sampled_from([0, 0.13, 0.3, 1.1]))
def test_merge_keeps_barycentres_on_the_plane(mu, radius):
    merged = mu.merge(radius)
    for part, whole in ((merged.positive, mu.positive), (merged.negative, mu.negative)):
        np.testing.assert_allclose(part.integral(lambda x: x), whole.integral(lambda x: x), atol=1e-12)


@few
@given(measures(dimension=2))
def test_merge_at_radius_zero_changes_no_integral(mu):
    assert masses_by_position(mu.merge(0)) == masses_by_position(mu)


@pytest.mark.parametrize(
    ("weights", "positions", "period", "mass", "where"),
    [
        ([1, 1], [0.99, 0.01], 1, 2, 0.0),
        ([1, 3], [0.98, 0.02], 1, 4, 0.01),
        ([-1, -1], [-0.01, 0.01], 1, -2, 0.0),
        ([1, 1], [2.99, 0.01], 3, 2, 0.0),
        ([1, 1], [5.01, -2.99], 1, 2, 0.01),
        ([1, 1], [-1e-20, 0.02], 1, 2, 0.01),
        ([1, 1, 1, 1], [0.96, 0.99, 0.02, 0.05], 1, 4, 0.005),
        ([1, 1, 1], [0.3, 0.34, 0.38], None, 3, 0.34),
    ],
)
def test_a_chain_of_atoms_becomes_one_atom_even_across_the_cut(weights, positions, period, mass, where):
    merged = Measure(weights, np.array(positions)[:, None]).merge(0.045, period)
    assert merged.weights.tolist() == [mass]
    apart = merged.positions[0, 0] - where
    assert (apart - (period or 0) * np.round(apart / (period or 1))) == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize(("positions", "period"), [([0.125, 0.375], None), ([0.125, 0.875], 1)])
def test_atoms_exactly_one_radius_apart_become_one(positions, period):
    assert len(Measure(np.ones(2), np.array(positions)[:, None]).merge(0.25, period)) == 1


def test_a_far_cloud_merges_beside_an_atom_at_the_origin():
    far = Measure(np.ones(3), [[0.0, 0.0], [1e200, 1e200], [1e200, 1.001e200]]).merge(1e198)
    assert sorted(far.weights.tolist()) == [1, 2]


def test_atoms_around_a_corner_of_the_torus_become_one():
    corners = [[0.99, 0.98], [0.01, 0.98], [0.99, 0.02], [0.01, 0.02]]
    merged = Measure(np.ones(4), corners).merge(0.05, period=1)
    assert merged.weights.tolist() == [4]
    np.testing.assert_allclose(circle_distance(merged.positions, 0), 0, atol=1e-14)


def test_distant_atoms_opposite_signs_and_the_two_ends_of_a_line_do_not_merge():
    assert len(Measure([1, 1], [[0.0], [0.11]]).merge(0.1)) == 2
    assert len(Measure([1, -1], [[0.0], [0.0]]).merge(0.1)) == 2
    assert len(Measure([1, 1], [[0.99], [0.01]]).merge(0.1)) == 2
    assert len(Measure([1, 1], [[0.99, 0.5], [0.01, 0.2]]).merge(0.1, period=1)) == 2


@pytest.mark.parametrize("turn", [0.1, 0.37, 0.95, -3.2])
def test_merge_commutes_with_rotations(turn):
    rng = np.random.default_rng(0)
    mu = Measure(rng.choice([-1.0, 1.0, 2.0], 30), rng.uniform(0, 1, (30, 1)))
    turned = Measure(mu.weights, np.mod(mu.positions + turn, 1)).merge(0.02, period=1)
    merged = mu.merge(0.02, period=1)
    assert 5 < len(merged) < 30
    for frequency in (1, 2, 3):

        def wave(x, frequency=frequency):
            return np.exp(2j * np.pi * frequency * x[:, 0])

        expected = np.exp(2j * np.pi * frequency * turn) * merged.integral(wave)
        np.testing.assert_allclose(turned.integral(wave), expected, atol=1e-12)


def test_merge_drops_atoms_without_mass():
    assert len(Measure([0.0, 0.0], [[0.1], [0.7]]).merge(0.5)) == 0


# The zero measure


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_the_empty_measure_is_the_zero_measure(dimension):
    zero = empty(dimension)
    assert len(zero) == zero.mass == zero.total_variation == 0
    assert zero.dimension == dimension
    assert zero.integral(lambda x: x[:, 0]) == 0
    assert zero.integral(lambda x: x).tolist() == [0] * dimension
    same = [-zero, 3 * zero, zero + zero, zero - zero, zero.positive, zero.negative, zero.prune(1), zero.merge(1)]
    same += [zero.merge(1, period=1)]
    assert all(len(mu) == 0 and mu.dimension == dimension for mu in same)


@pytest.mark.parametrize("dimension", [1, 2])
def test_adding_the_empty_measure_changes_nothing(dimension):
    mu = Measure([1.0, -2.0], np.arange(2.0 * dimension).reshape(2, dimension))
    for total in (mu + empty(dimension), empty(dimension) + mu, mu - empty(dimension)):
        assert masses_by_position(total) == masses_by_position(mu)


def test_the_empty_measure_is_one_particle_of_weight_zero():
    w, theta = empty(3).particles()
    assert w.tolist() == [0]
    assert theta.shape == (1, 3)
    assert h1(w, theta).total_variation == 0


# Immutability


def test_a_measure_cannot_be_changed():
    mu = Measure([1.0], [[2.0]])
    for array in (mu.weights, mu.positions):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
    with pytest.raises(FrozenInstanceError):
        mu.weights = np.zeros(1)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda mu: pickle.loads(pickle.dumps(mu))])
def test_a_copy_of_a_measure_cannot_be_changed_either(duplicate):
    twin = duplicate(TWO)
    assert masses_by_position(twin) == masses_by_position(TWO)
    assert not twin.weights.flags.writeable
    assert not twin.positions.flags.writeable


def test_a_measure_is_itself_and_no_other():
    """Whether two measures are close is a question for a distance; as a key, a measure stands for itself."""
    assert len({TWO, TWO, Measure(TWO.weights, TWO.positions)}) == 2


def test_a_measure_and_its_arrays_go_separate_ways():
    weights, positions = np.ones(2), np.zeros((2, 1))
    mu = Measure(weights, positions)
    weights[:], positions[:] = 7, 7
    w, theta = mu.particles()
    w[:], theta[:] = 8, 8
    assert mu.weights.tolist() == [1, 1]
    assert mu.positions.tolist() == [[0], [0]]


def test_float32_stays_float32():
    mu = Measure(np.ones(2, np.float32), np.zeros((2, 1), np.float32))
    assert mu.weights.dtype == mu.positions.dtype == (-mu).weights.dtype == np.float32


# App. A: h1 and h2


@few
@given(particles())
def test_h1_carries_the_weights_to_the_positions(state):
    w, theta = state
    expected = (w * np.cos(theta[:, 0]) * theta[:, 1]).mean()
    got = h1(w, theta).integral(lambda x: np.cos(x[:, 0]) * x[:, 1])
    assert got == pytest.approx(expected, rel=1e-12, abs=1e-12)


@few
@given(particles())
def test_h2_carries_the_squared_norm_to_the_sphere(state):
    w, theta = state
    u = np.c_[w, theta]
    u = u[(u != 0).any(axis=1)]
    norms = np.linalg.norm(u, axis=1)
    on_sphere = h2(w, theta)
    np.testing.assert_allclose(np.linalg.norm(on_sphere.positions, axis=1), 1, rtol=1e-14)
    assert len(on_sphere) == len(u)

    def psi(x):
        return np.exp(x[:, 0]) * (1 + x[:, 1]) + x[:, 2]

    expected = (norms**2 * psi(u / norms[:, None])).sum() / len(w)
    assert on_sphere.integral(psi) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@few
@given(particles(), st.integers(-8, 8))
def test_a_network_depends_on_its_particles_only_through_h1_and_h2(state, eighths):
    w, theta = state
    x = np.array([1.0, eighths / 8])

    def neuron(u):
        return u[:, 0] * np.maximum(u[:, 1:] @ x, 0)

    prediction = neuron(np.c_[w, theta]).mean()
    assert h2(w, theta).integral(neuron) == pytest.approx(prediction, rel=1e-12, abs=1e-12)
    relu = h1(w, theta).integral(lambda theta: np.maximum(theta @ x, 0))
    assert relu == pytest.approx(prediction, rel=1e-12, abs=1e-12)


def test_particles_at_the_origin_carry_nothing_to_the_sphere():
    zero = h2(np.zeros(3), np.zeros((3, 2)))
    assert len(zero) == 0
    assert zero.dimension == 3
    assert h2([0.0, 1.0], [[0.0], [0.0]]).weights.tolist() == [0.5]


@few
@given(measures(dimension=2))
def test_particles_stand_for_the_measure_they_come_from(mu):
    assert masses_by_position(h1(*mu.particles())) == masses_by_position(mu)


@pytest.mark.parametrize("operator", [h1, h2])
@pytest.mark.parametrize(
    ("w", "theta", "name"), [((2, 3), (2, 3, 1), "w"), ((0,), (0, 1), "w"), ((3,), (2, 1), "theta")]
)
def test_h1_and_h2_take_one_run_with_one_position_for_each_weight(operator, w, theta, name):
    with pytest.raises(ValueError, match=f"^{name} must have shape"):
        operator(np.zeros(w), np.zeros(theta))


@pytest.mark.parametrize("operator", [h1, h2])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["w", "theta"])
def test_h1_and_h2_refuse_what_is_not_finite(operator, bad, where):
    state = {"w": np.ones(2), "theta": np.ones((2, 1))}
    state[where][0] = bad
    with pytest.raises(ValueError, match="must be finite"):
        operator(**state)


# What is refused


@pytest.mark.parametrize(
    ("weights", "positions", "message"),
    [
        (1.0, [[0.0]], "^weights must have shape"),
        ([[1.0]], [[0.0]], "^weights must have shape"),
        ([1.0], [0.0], r"^positions must have shape \(1, d\)"),
        ([1.0], [[0.0], [1.0]], r"^positions must have shape \(1, d\)"),
        ([1.0], np.zeros((1, 0)), r"^positions must have shape \(1, d\)"),
        ([1.0], np.zeros((1, 1, 1)), r"^positions must have shape \(1, d\)"),
        ([np.nan], [[0.0]], "^weights must be finite"),
        ([1.0], [[np.inf]], "^positions must be finite"),
        (["a"], [[0.0]], "^weights must be an array of real numbers"),
        ([1.0], [[1j]], "^positions must be an array of real numbers"),
    ],
)
def test_a_measure_refuses_what_is_no_measure(weights, positions, message):
    with pytest.raises(ValueError, match=message):
        Measure(weights, positions)


def test_a_measure_whose_mass_overflows_is_refused_and_so_is_a_function_that_is_not_finite():
    with pytest.raises(ValueError, match=r"weights must have a finite total variation, but the largest is 1e\+308"):
        Measure([1e308, 1e308], np.zeros((2, 1)))
    with pytest.raises(ValueError, match="weights must be finite"):
        Measure([1e200], [[0.0]]) * 1e200
    with pytest.raises(ValueError, match="function must be finite at every position, but one value is nan"):
        Measure([1.0, 2.0], [[0.0], [1.0]]).integral(lambda x: np.where(x[:, 0] > 0, np.nan, 1))
    with pytest.raises(ValueError, match="theta must be small enough"):
        h2(np.ones(1), np.full((1, 2), 1e200))


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (lambda: 10**400 * TWO, "^factor must be finite"),
        (lambda: np.nan * TWO, "^factor must be finite"),
        (lambda: TWO.integral(5), "^function must be a function"),
        (lambda: TWO.integral(lambda x: ["a", "b"]), "^what function returns must be an array of real numbers"),
        (lambda: TWO.integral(lambda x: [1, [2]]), "^what function returns must be an array of real numbers"),
        (lambda: TWO.integral(lambda x: np.full(2, 1.5e308)), "^function must be so small that its integral is finite"),
        (
            lambda: TWO.positive.sample(10**12, np.random.default_rng(0)),
            "^size and dimension must make an array of at most",
        ),
        (lambda: Measure([1e308, 0.0], [[0.0], [1.0]]).particles(), "^the weights of the particles must be finite"),
    ],
)
def test_what_overflows_or_is_no_number_is_named(compute, message):
    with pytest.raises(ValueError, match=message):
        compute()


@pytest.mark.parametrize("size", [1e-155, 1e-160, 1e-150, 1.0, 1e150])
def test_h2_stands_on_the_sphere_however_small_the_particles_are(size):
    u = size * np.array([[3.0, 4.0, 12.0], [-1.0, 2.0, 2.0]])
    np.testing.assert_allclose(
        h2(u[:, 0], u[:, 1:]).positions, [[3 / 13, 4 / 13, 12 / 13], [-1 / 3, 2 / 3, 2 / 3]], rtol=1e-14
    )


@pytest.mark.parametrize("period", [None, 2.0**10])
@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("exponent", [-400, 0, 600, 1000])
def test_merging_does_not_depend_on_the_units(period, dimension, exponent):
    """The unit is a power of 2, so that nothing is rounded; masses are as large as they can be."""
    rng = np.random.default_rng(0)
    mu = Measure(rng.uniform(size=40) * 2.0**1017, rng.uniform(0, 2**10, (40, dimension)))
    unit = 2.0**exponent
    merged = mu.merge(60.0, period)
    scaled = Measure(mu.weights, unit * mu.positions).merge(60.0 * unit, None if period is None else period * unit)
    assert 1 <= len(merged) < 40
    assert scaled.weights.tolist() == merged.weights.tolist()
    np.testing.assert_allclose(scaled.positions / unit, merged.positions, rtol=1e-12)
