"""Optimal transport against linear programs, closed forms and the axioms; geodesics; the continuity equation."""

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment, linprog
from scipy.special import ndtri
from scipy.stats import wasserstein_distance

from mfcourse import plans, transport
from mfcourse.flows import flow, forward_backward, gradient
from mfcourse.measures import Measure
from mfcourse.problems import Problem, spikes
from mfcourse.transport import continuity_defect, displacement, mixture, optimal_plan, wasserstein

few = settings(deadline=None, max_examples=40)
POWERS = [1, 1.5, 2, 4]
SPACES = {"line": (1, None), "circle": (1, 1), "plane": (2, None), "torus": (2, 1)}
every_space = pytest.mark.parametrize(("dimension", "period"), SPACES.values(), ids=SPACES.keys())


def probabilities(dimension=1, max_size=7):
    """Measures of mass 1 with zero masses and ties: positions are multiples of 1/8, on the torus and off it."""
    rows = st.lists(st.tuples(st.integers(0, 5), *[st.integers(-3, 10)] * dimension), min_size=1, max_size=max_size)
    tables = rows.map(lambda rows: np.array(rows, float)).filter(lambda table: table[:, 0].sum() > 0)
    return tables.map(lambda table: Measure(table[:, 0] / table[:, 0].sum(), table[:, 1:] / 8))


def random_probability(rng, m, dimension=1):
    weights = rng.uniform(0, 1, m)
    return Measure(weights / weights.sum(), rng.uniform(0, 1, (m, dimension)))


def distances(x, y, period):
    apart = np.abs(x[:, None] - y)
    if period is not None:
        apart = apart % period
        apart = np.minimum(apart, period - apart)
    return np.linalg.norm(apart, axis=-1)


def linear_program(mu, nu, p, period=None):
    """W_p by the Kantorovich linear program, solved by scipy."""
    m, n = len(mu), len(nu)
    rows = np.kron(np.eye(m), np.ones(n))
    columns = np.kron(np.ones(m), np.eye(n))
    cost = distances(mu.positions, nu.positions, period) ** p
    marginals = np.r_[mu.weights, nu.weights[:-1]]  # the last one follows from the others
    solution = linprog(cost.ravel(), A_eq=np.r_[rows, columns[:-1]], b_eq=marginals)
    assert solution.success
    return max(solution.fun, 0) ** (1 / p)


def masses_at(positions, masses, period):
    """{position: mass} for positions that are multiples of 1/8, on the torus if there is one."""
    found = {}
    for place, mass in zip(positions if period is None else positions % period, masses, strict=True):
        key = tuple(np.round(8 * place).astype(int) % (8 * period if period else 10**6))
        found[key] = found.get(key, 0) + mass
    return {key: mass for key, mass in found.items() if mass > 1e-12}


def shifted(measure, vector):
    return Measure(measure.weights, measure.positions + vector)


# Against other solvers


@pytest.mark.parametrize("p", POWERS)
@every_space
@few
@given(data=st.data())
def test_distances_solve_the_kantorovich_problem(dimension, period, p, data):
    mu, nu = data.draw(probabilities(dimension)), data.draw(probabilities(dimension))
    # a rounding error of 1e-16 in the cost is one of 1e-16^(1/p) in the distance, hence powers
    assert wasserstein(mu, nu, p, period) ** p == pytest.approx(linear_program(mu, nu, p, period) ** p, abs=1e-9)


@few
@given(probabilities(max_size=12), probabilities(max_size=12))
def test_w1_on_the_line_is_that_of_scipy(mu, nu):
    expected = wasserstein_distance(mu.positions[:, 0], nu.positions[:, 0], mu.weights, nu.weights)
    assert wasserstein(mu, nu, 1) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("p", POWERS)
@pytest.mark.parametrize("period", [None, 1])
@pytest.mark.parametrize("sizes", [(40, 40), (30, 50), (1, 20)])
def test_larger_measures_agree_with_pot(sizes, period, p):
    rng = np.random.default_rng(0)
    mu, nu = (random_probability(rng, m) for m in sizes)
    cost = distances(mu.positions, nu.positions, period) ** p
    assert wasserstein(mu, nu, p, period) ** p == pytest.approx(ot.emd2(mu.weights, nu.weights, cost), rel=1e-9)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("seed", range(5))
def test_distances_on_the_circle_are_those_of_pot(seed, p):
    rng = np.random.default_rng(seed)
    mu, nu = random_probability(rng, 15), random_probability(rng, 10)
    expected = ot.wasserstein_circle(mu.positions, nu.positions, mu.weights, nu.weights, p=p)
    assert wasserstein(mu, nu, p, period=1) ** p == pytest.approx(expected.item(), abs=1e-5)


# Closed forms


@pytest.mark.parametrize(("mean", "deviation"), [(3.0, 1.0), (0.0, 2.5), (-1.0, 0.2)])
def test_gaussians_have_the_distance_of_the_closed_form(mean, deviation):
    n = 4000
    z = ndtri((np.arange(n) + 0.5) / n)[:, None]
    mu, nu = Measure(np.full(n, 1 / n), z), Measure(np.full(n, 1 / n), mean + deviation * z)
    assert wasserstein(mu, nu) ** 2 == pytest.approx(mean**2 + (1 - deviation) ** 2, rel=2e-3)


@pytest.mark.parametrize("p", POWERS)
@every_space
def test_two_atoms_are_as_far_apart_as_their_positions(dimension, period, p):
    x, y = np.full((1, dimension), 0.9), np.full((1, dimension), 0.2)
    expected = (0.3 if period else 0.7) * dimension**0.5
    assert wasserstein(Measure([2.0], x), Measure([2.0], y), p, period) == pytest.approx(2 ** (1 / p) * expected)


@pytest.mark.parametrize("p", POWERS)
@every_space
def test_a_translation_costs_its_length(dimension, period, p):
    rng = np.random.default_rng(0)
    narrow = random_probability(rng, 12, dimension)
    narrow = Measure(narrow.weights, 0.9 + 0.2 * narrow.positions)  # across the cut of the torus
    vector = rng.standard_normal(dimension)
    vector *= 0.25 / np.linalg.norm(vector)
    for turns in (0, 3) if period else (0,):
        assert wasserstein(narrow, shifted(narrow, vector + turns), p, period) == pytest.approx(0.25, rel=1e-9)


@pytest.mark.parametrize("p", POWERS)
@pytest.mark.parametrize("period", [1, 2.5])
def test_on_the_circle_the_short_way_is_taken(period, p):
    a, b = Measure([1.0], [[0.01]]), Measure([1.0], [[period - 0.01]])
    assert wasserstein(a, b, p, period) == pytest.approx(0.02, rel=1e-9)
    assert wasserstein(a, b, p) == pytest.approx(period - 0.02, rel=1e-12)
    opposite = Measure([1.0], [[0.01 + period / 2]])
    assert wasserstein(a, opposite, p, period) == pytest.approx(period / 2, rel=1e-9)


@pytest.mark.parametrize("p", POWERS)
@pytest.mark.parametrize("turn", [0.1, 0.5, 0.77, -4.3])
def test_the_distance_on_the_circle_does_not_change_under_rotations(turn, p):
    rng = np.random.default_rng(1)
    mu, nu = random_probability(rng, 9), random_probability(rng, 7)
    expected = wasserstein(mu, nu, p, period=1)
    assert wasserstein(shifted(mu, turn), shifted(nu, turn), p, period=1) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("p", POWERS)
@every_space
@pytest.mark.parametrize("factor", [1e-8, 7.0])
def test_the_cost_is_proportional_to_the_mass_and_to_a_power_of_the_length(dimension, period, p, factor):
    rng = np.random.default_rng(2)
    mu, nu = random_probability(rng, 6, dimension), random_probability(rng, 8, dimension)
    distance = wasserstein(mu, nu, p, period)
    assert wasserstein(factor * mu, factor * nu, p, period) == pytest.approx(factor ** (1 / p) * distance, rel=1e-9)
    stretched = [Measure(x.weights, factor * x.positions) for x in (mu, nu)]
    side = None if period is None else factor * period
    assert wasserstein(*stretched, p, side) == pytest.approx(factor * distance, rel=1e-9)


@pytest.mark.parametrize("p", POWERS)
@few
@given(data=st.data())
def test_measures_on_a_line_in_the_plane_are_transported_along_it(p, data):
    mu, nu = data.draw(probabilities()), data.draw(probabilities())
    flat = [Measure(x.weights, np.c_[x.positions, 0 * x.positions]) for x in (mu, nu)]
    assert wasserstein(*flat, p) ** p == pytest.approx(wasserstein(mu, nu, p) ** p, abs=1e-12)


# A metric


@pytest.mark.parametrize("p", [1, 2])
@every_space
@few
@given(data=st.data())
def test_distances_are_a_metric(dimension, period, p, data):
    a, b, c = (data.draw(probabilities(dimension, max_size=5)) for _ in range(3))
    ab, bc, ac = (wasserstein(x, y, p, period) for x, y in ((a, b), (b, c), (a, c)))
    # masses are fractions with denominators <= 25 and positions multiples of 1/8: distinct measures are far apart
    near = 1e-6
    assert abs(ab - wasserstein(b, a, p, period)) < near
    assert ac <= ab + bc + near
    one, other = (masses_at(x.positions, x.weights, period) for x in (a, b))
    same = one.keys() == other.keys() and all(abs(one[key] - other[key]) < 1e-12 for key in one)
    assert (ab < near) == same


@pytest.mark.parametrize("p", POWERS)
@every_space
def test_the_order_and_the_splitting_of_atoms_do_not_matter(dimension, period, p):
    mu = random_probability(np.random.default_rng(3), 6, dimension)
    split = 0.25 * mu + 0.75 * Measure(mu.weights[::-1], mu.positions[::-1])
    assert wasserstein(mu, split, p, period) ** p == pytest.approx(0, abs=1e-12)


@few
@given(probabilities(), probabilities())
def test_w1_is_at_most_w2_and_the_circle_is_shorter_than_the_line(mu, nu):
    assert wasserstein(mu, nu, 1) <= wasserstein(mu, nu, 2) + 1e-9
    wrapped = [Measure(x.weights, x.positions % 1) for x in (mu, nu)]
    assert wasserstein(mu, nu, 2, period=1) <= wasserstein(*wrapped, 2) + 1e-7


# Plans


@pytest.mark.parametrize("p", [1, 2])
@every_space
@few
@given(data=st.data(), factor=st.sampled_from([1, 0.5, 8]))
def test_a_plan_moves_one_measure_onto_the_other(dimension, period, p, data, factor):
    mu, nu = (factor * data.draw(probabilities(dimension)) for _ in range(2))
    plan = optimal_plan(mu, nu, p, period)
    assert (plan.mass > 0).all()
    assert plan.source.shape == plan.target.shape == (len(plan.mass), dimension)
    for measure, end in ((mu, plan.source), (nu, plan.target)):
        wanted = masses_at(measure.positions, measure.weights, period)
        found = masses_at(end, plan.mass, period)
        assert found.keys() == wanted.keys()
        assert all(found[key] == pytest.approx(wanted[key], abs=1e-12) for key in wanted)


@few
@given(probabilities(), probabilities())
def test_on_the_line_mass_never_crosses_mass(mu, nu):
    plan = optimal_plan(mu, nu)
    assert (np.diff(plan.source[:, 0]) >= 0).all()
    assert (np.diff(plan.target[:, 0]) >= 0).all()


@every_space
def test_mass_takes_the_shortest_way(dimension, period):
    rng = np.random.default_rng(4)
    plan = optimal_plan(random_probability(rng, 20, dimension), random_probability(rng, 20, dimension), 2, period)
    ways = np.linalg.norm(plan.target - plan.source, axis=1)
    np.testing.assert_allclose(ways, np.diag(distances(plan.source, plan.target, period)), atol=1e-12)


# Interpolations


@every_space
@few
@given(data=st.data(), s=st.floats(0, 1), t=st.floats(0, 1))
def test_a_displacement_is_a_geodesic_of_constant_speed(dimension, period, data, s, t):
    mu, nu = data.draw(probabilities(dimension, max_size=5)), data.draw(probabilities(dimension, max_size=5))
    at_s, at_t = (displacement(mu, nu, time, period) for time in (s, t))
    expected = abs(s - t) * wasserstein(mu, nu, 2, period)
    assert wasserstein(at_s, at_t, 2, period) == pytest.approx(expected, abs=1e-6)


@every_space
def test_a_displacement_starts_and_ends_where_it_should(dimension, period):
    rng = np.random.default_rng(5)
    mu, nu = random_probability(rng, 5, dimension), random_probability(rng, 8, dimension)
    assert wasserstein(displacement(mu, nu, 0, period), mu, 2, period) ** 2 == pytest.approx(0, abs=1e-12)
    assert wasserstein(displacement(mu, nu, 1, period), nu, 2, period) ** 2 == pytest.approx(0, abs=1e-12)


@few
@given(probabilities(2), probabilities(2), st.floats(0, 1))
def test_integrals_are_linear_along_mixtures(mu, nu, t):
    def f(x):
        return np.cos(x[:, 0]) + x[:, 0] * x[:, 1]

    expected = (1 - t) * mu.integral(f) + t * nu.integral(f)
    assert mixture(mu, nu, t).integral(f) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("t", [0, 0.25, 0.5, 0.9, 1])
@pytest.mark.parametrize("p", POWERS)
def test_between_two_atoms_a_mixture_splits_and_a_displacement_moves(t, p):
    a, b = Measure([1.0], [[0.0]]), Measure([1.0], [[3.0]])
    assert wasserstein(a, mixture(a, b, t), p) == pytest.approx(3 * t ** (1 / p), abs=1e-12)
    middle = displacement(a, b, t)
    assert middle.positions.tolist() == [[3 * t]]
    assert wasserstein(a, middle, p) == pytest.approx(3 * t, abs=1e-12)


def test_signed_measures_mix_but_are_not_transported():
    mu, nu = Measure([-1.0], [[0.0]]), Measure([1.0], [[1.0]])
    assert mixture(mu, nu, 0.25).mass == pytest.approx(-0.5)
    with pytest.raises(ValueError, match=r"^transport needs non-negative measures"):
        displacement(mu, nu, 0.25)


# What is refused

ATOM = Measure([1.0], [[0.0]])
FLAT = Measure([1.0], [[0.0, 0.0]])


@pytest.mark.parametrize("compute", [optimal_plan, wasserstein, lambda mu, nu: displacement(mu, nu, 0.5)])
@pytest.mark.parametrize(
    ("mu", "nu", "message"),
    [
        (ATOM, Measure([2.0, -1.0], [[0.0], [1.0]]), "transport needs non-negative measures with positive mass"),
        (-ATOM, -ATOM, "transport needs non-negative measures with positive mass"),
        (0 * ATOM, 0 * ATOM, "transport needs non-negative measures with positive mass"),
        (ATOM, Measure([], np.zeros((0, 1))), "transport needs non-negative measures with positive mass"),
        (ATOM, 1.001 * ATOM, "transport needs equal masses, but they are"),
        (ATOM, FLAT, "measures must share d, but d is"),
    ],
)
def test_only_comparable_measures_are_transported(compute, mu, nu, message):
    for one, other in ((mu, nu), (nu, mu)):
        with pytest.raises(ValueError, match=f"^{message}"):
            compute(one, other)


@pytest.mark.parametrize("mu", [ATOM, FLAT], ids=["d=1", "d=2"])
@pytest.mark.parametrize("period", [None, 1])
@pytest.mark.parametrize("p", [0.5, 0, -1, np.nan, np.inf])
def test_powers_are_finite_numbers_from_one(mu, period, p):
    with pytest.raises(ValueError, match=r"^p must be"):
        wasserstein(mu, mu, p, period)


@pytest.mark.parametrize("mu", [ATOM, FLAT], ids=["d=1", "d=2"])
@pytest.mark.parametrize("period", [0, -1, np.nan, np.inf])
def test_the_side_of_the_torus_is_a_positive_number(mu, period):
    for compute in (lambda: wasserstein(mu, mu, 2, period), lambda: displacement(mu, mu, 0.5, period)):
        with pytest.raises(ValueError, match=r"^period must be a finite number > 0"):
            compute()


# The continuity equation

TIME, RATIO = 0.1, 4e-4  # so short that no weight changes sign; step_theta / step_w


def cosine(w, theta):
    """psi(w, theta) = w^2 cos(2 pi theta), and its derivatives."""
    angle = 2 * np.pi * theta
    slope = -2 * np.pi * w[..., None] ** 2 * np.sin(angle)
    return w**2 * np.cos(angle[..., 0]), 2 * w * np.cos(angle[..., 0]), slope


def constant(w, theta):
    return np.ones_like(w), np.zeros_like(w), np.zeros_like(theta)


def summed_defect(steps, method=forward_backward, psi=cosine, pace=1.0, runs=(), every=1, problem=None):
    """Sum of |defect| over a flow of fixed duration in `steps` steps; `pace` falsifies the speed of the positions."""
    problem = problem or spikes(0)
    rng = np.random.default_rng(0)
    start = rng.choice([-2.0, 2.0], (*runs, 8)), rng.uniform(0, 1, (*runs, 8, 1))
    a, b = TIME / steps, RATIO * TIME / steps
    run = flow(problem, method(problem, a, b), start, steps, record=range(0, steps + 1, every))
    assert (np.sign(run.w) == np.sign(start[0])).all()
    defect = continuity_defect(problem, run, psi, a, pace * b)
    assert defect.shape == (len(run.steps) - 1, *runs)
    return np.abs(defect).sum(axis=0)


@pytest.mark.parametrize("method", [forward_backward, gradient])
@pytest.mark.parametrize("runs", [(), (3,)])
def test_halving_the_steps_of_a_flow_halves_its_continuity_defect(method, runs):
    coarse, fine = (summed_defect(steps, method, runs=runs) for steps in (100, 200))
    assert (coarse > 0).all()
    np.testing.assert_allclose(fine / coarse, 0.5, rtol=0.1)


def test_a_wrong_velocity_leaves_a_defect_that_does_not_vanish():
    coarse, fine = (summed_defect(steps, pace=2.0) for steps in (100, 200))
    assert fine > 0.9 * coarse
    assert fine > 10 * summed_defect(200)


@pytest.mark.parametrize("pace", [1.0, 2.0])
def test_the_mass_of_the_lifted_measure_stays(pace):
    assert summed_defect(20, psi=constant, pace=pace) == 0


def test_the_defect_does_not_depend_on_how_often_a_flow_is_recorded():
    assert summed_defect(400, every=4) == pytest.approx(summed_defect(400), rel=0.05)


def test_without_penalty_the_velocity_is_that_of_the_risk():
    problem = Problem(spikes(0).risk, 0)
    assert summed_defect(200, problem=problem) == pytest.approx(summed_defect(100, problem=problem) / 2, rel=0.1)


def equal(x):
    return Measure(np.full(len(x), 1 / len(x)), np.asarray(x, float))


def by_assignment(x, y, p, period=None):
    """W_p of n atoms of mass 1/n: a permutation. Costs that no optimal one pays are cut off, to keep the precision."""
    way = x[:, None] - y
    way = way if period is None else way - period * np.round(way / period)
    lengths, cap, best = np.linalg.norm(way, axis=-1), np.inf, np.inf
    for _ in range(60):
        cap = min(cap, lengths.max())
        paid = lengths[linear_sum_assignment((np.minimum(lengths, cap) / cap) ** p)]
        best = min(best, paid.max() * np.mean((paid / paid.max()) ** p) ** (1 / p))
        if paid.max() >= cap:
            return best
        cap = paid.max()
    raise AssertionError


@pytest.mark.parametrize("p", [1, 2, 4, 10, 50, 200, 540])
@pytest.mark.parametrize("kind", ["one far pair", "two far clouds", "nearly equal", "all sizes", "torus"])
def test_distances_in_the_plane_are_those_of_the_best_assignment_however_far_an_atom_is(p, kind):
    rng = np.random.default_rng(p)
    for far in (1, 1e2, 1e4, 1e8):
        x, y = rng.uniform(size=(2, 15, 2))
        if kind == "one far pair":
            x[-1] = y[-1] = far
        elif kind == "two far clouds":
            x[-3:] *= far
            y[-3:] *= far
        elif kind == "nearly equal":
            y = x + rng.standard_normal(x.shape) / far
        elif kind == "all sizes":
            x, y = x * far ** rng.uniform(size=(15, 1)), y * far ** rng.uniform(size=(15, 1))
        period = 1.0 if kind == "torus" else None
        found = transport.wasserstein(equal(x), equal(y[rng.permutation(15)]), p, period)
        assert found == pytest.approx(by_assignment(x, y, p, period), rel=1e-9)


def test_the_case_that_was_silently_wrong():
    rng = np.random.default_rng(0)
    for far, p, right in ((1e4, 2, 0.2513896941624), (1e4, 4, 0.2935292805561), (1e8, 2, 0.1952118757124)):
        x, y = (np.r_[rng.uniform(size=(20, 2)), [[far, far]]] for _ in range(2))
        assert transport.wasserstein(equal(x), equal(y), p) == pytest.approx(right, abs=1e-12)


@pytest.mark.parametrize("p", [2, 10, 50, 300, 5000])
@pytest.mark.parametrize("shift", [1e-3, 1e-9])
def test_a_short_translation_costs_its_length_though_its_powers_vanish(p, shift):
    rng = np.random.default_rng(7)
    for size in (2, 10, 25):
        x = rng.uniform(size=(size, 2))
        distance = wasserstein(equal(x), equal(rng.permutation(x) + np.array([shift, 0])), p)
        assert distance == pytest.approx(shift, rel=1e-6)


@pytest.mark.parametrize("p", [1, 2, 5, 50])
def test_masses_and_lengths_of_all_sizes_have_a_plan_that_is_proved(p):
    rng = np.random.default_rng(p)
    for _ in range(60):
        x, y = rng.uniform(size=(2, 15, 2)) * 10.0 ** rng.uniform(0, 8, (2, 15, 1))
        a, b = 10.0 ** rng.uniform(-12, 0, (2, 15))
        plan = optimal_plan(Measure(a / a.sum(), x), Measure(b / b.sum(), y), p)
        for end, points, masses in ((plan.source, x, a), (plan.target, y, b)):
            arrived = [plan.mass[np.isclose(end, point, rtol=1e-14, atol=1e-7).all(axis=1)].sum() for point in points]
            np.testing.assert_allclose(arrived, masses / masses.sum(), atol=1e-13)


def test_a_plan_that_is_not_proved_is_an_error_not_an_answer(monkeypatch):
    monkeypatch.setattr(plans, "CAPS", 1)
    rng = np.random.default_rng(0)
    x, y = (np.r_[rng.uniform(size=(20, 2)), [[1e8, 1e8]]] for _ in range(2))
    with pytest.raises(RuntimeError, match="the plan for p = 4 could not be proved to be the best one"):
        transport.wasserstein(equal(x), equal(y), 4)


@pytest.mark.parametrize("p", [1, 2, 100, 200, 540, 5000])
def test_large_powers_neither_overflow_nor_vanish(p):
    x, y = [[1.0], [2.0], [3.0], [54.0]], [[1.0], [2.0], [3.0], [4.0]]
    assert transport.wasserstein(equal(x), equal(y), p) == pytest.approx(50 * 0.25 ** (1 / p), rel=1e-13)
    plane = [np.c_[points, np.zeros(4)] for points in (x, y)]
    assert transport.wasserstein(*map(equal, plane), p) == pytest.approx(50 * 0.25 ** (1 / p), rel=1e-12)
    for period in (1.0, 300.0):  # a third of the mass goes a quarter around
        angles = np.array([[0.1], [0.4], [0.8]]) * period
        moved = angles + np.array([[0.0], [0.0], [0.25 * period]])
        distance = transport.wasserstein(equal(angles), equal(moved), p, period)
        assert distance <= 0.25 * period * 3 ** (-1 / p) * (1 + 1e-9)
        brute = min(
            np.mean((np.abs((angles[:, 0] - np.roll(moved[:, 0], k) + period / 2) % period - period / 2) / period) ** p)
            for k in range(3)
        )
        assert p > 300 or distance == pytest.approx(period * brute ** (1 / p), rel=1e-6)


@pytest.mark.parametrize("size", [1e-200, 1e-9, 1e200])
@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("periodic", [False, True])
def test_distances_have_the_units_of_the_positions(size, dimension, periodic):
    x, y = np.random.default_rng(0).uniform(size=(2, 6, dimension))
    for p in (1, 2, 3):
        one, other = (
            transport.wasserstein(equal(s * x), equal(s * y), p, s if periodic else None) / s for s in (1.0, size)
        )
        assert other == pytest.approx(one, rel=1e-9)


def test_a_plan_says_what_times_and_powers_there_are_and_how_much_masses_differ():
    plan = transport.optimal_plan(equal([[0.0]]), equal([[1.0]]))
    for t in (7, 1.001, -0.001, np.nan, "1", None, True):
        with pytest.raises(ValueError, match="t must be"):
            plan.at(t)
    for p in (-1, 0.5, np.nan, np.inf, "2", None):
        for call in (plan.cost, plan.distance, lambda p: transport.wasserstein(equal([[0.0]]), equal([[1.0]]), p)):
            with pytest.raises(ValueError, match="p must be"):
                call(p)
    far = transport.optimal_plan(equal([[0.0]]), equal([[1e10]]))
    with pytest.raises(ValueError, match=r"p must be so small that the cost is finite.*see `distance`"):
        far.cost(100)
    assert far.distance(100) == pytest.approx(1e10, rel=1e-14)
    with pytest.raises(ValueError, match=r"they are 2 and 2: they differ by 2e-08"):
        transport.wasserstein(Measure([2.0], [[0.0]]), Measure([2 + 2e-8], [[0.0]]))


@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("period", [None, 1.0])
def test_positions_farther_apart_than_any_float_are_named(dimension, period):
    ends = [Measure([1.0], np.full((1, dimension), x)) for x in (1.5e308, -1.5e308)]
    if period is None:
        with pytest.raises(ValueError, match=r"^positions must be so small that the ways between them are finite"):
            wasserstein(*ends)
    else:
        assert 0 <= wasserstein(*ends, 2, period) <= dimension**0.5 / 2


@pytest.mark.parametrize("dimension", [1, 2])
def test_a_small_torus_holds_what_lies_far_away(dimension):
    side = 1e-300
    one, other = (Measure([1.0], np.full((1, dimension), x)) for x in (1e10, 0.25 * side))
    apart = (1e10 % side) - 0.25 * side
    expected = min(abs(apart), side - abs(apart)) * dimension**0.5
    assert wasserstein(one, other, 2, side) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("dimension", [1, 2])
def test_a_distance_too_large_for_a_float_is_named_and_its_root_is_right(dimension):
    one, other = (Measure([1e300], np.full((1, dimension), x)) for x in (0.0, 1e100))
    with pytest.raises(ValueError, match=r"^the distance of mass 1e\+300 over .* is too large for a float"):
        wasserstein(one, other, 1)
    assert wasserstein(one, other, 2) == pytest.approx(1e250 * dimension**0.5, rel=1e-12)
    assert wasserstein(1e-300 * one, 1e-300 * other, 1e300) == pytest.approx(1e100 * dimension**0.5, rel=1e-12)


@pytest.mark.parametrize("pair", [(5, 3), (ATOM, 3), ("mu", ATOM), (None, None), (np.ones(2), np.ones(2))])
@pytest.mark.parametrize(
    "compute", [wasserstein, optimal_plan, lambda *x: displacement(*x, 0.5), lambda *x: mixture(*x, 0.5)]
)
def test_only_measures_are_mixed_or_transported(compute, pair):
    with pytest.raises(ValueError, match=r"^mu and nu must be Measures"):
        compute(*pair)


@pytest.mark.parametrize("t", [7, -0.1, np.nan, np.inf, "1", None, True, [0.5], np.array([0.1, 0.2])])
def test_times_lie_between_0_and_1(t):
    for compute in (mixture, displacement):
        with pytest.raises(ValueError, match=r"^t must be in \[0, 1\]"):
            compute(ATOM, ATOM, t)


@pytest.mark.parametrize(
    ("mass", "source", "target", "message"),
    [
        ([1.0], [[np.inf]], [[0.0]], "^positions must be finite"),
        ([1.0, 2.0], [[0.0]], [[0.0]], "^positions must have shape"),
        ([1.0], [[0.0]], [[0.0, 0.0]], "^a plan moves masses >= 0 between positions of one dimension"),
        ([-1.0], [[0.0]], [[0.0]], "^a plan moves masses >= 0"),
        (["a"], [[0.0]], [[0.0]], "^weights must be an array of real numbers"),
    ],
)
def test_a_plan_moves_masses_between_positions(mass, source, target, message):
    with pytest.raises(ValueError, match=message):
        plans.Plan(mass, source, target)
    assert plans.Plan([], np.zeros((0, 1)), np.zeros((0, 1))).cost(2) == 0


def test_the_continuity_equation_names_what_does_not_fit():
    problem, start = spikes(0), (np.ones(4), np.linspace(0, 0.9, 4)[:, None])
    run = flow(problem, forward_backward(problem, 1e-3, 1e-3), start, 2, record=range(3))

    def defect(problem=problem, run=run, psi=cosine, step_w=1e-3, step_theta=1e-3):
        return continuity_defect(problem, run, psi, step_w, step_theta)

    assert np.isfinite(defect()).all()
    assert np.isfinite(defect(step_theta=0)).all()
    cases = [
        ({"problem": 3}, "^problem must be a Problem"),
        ({"run": None}, "^run must be a Run"),
        ({"psi": 5}, "^psi must be a"),
    ]
    cases += [({name: bad}, f"^{name} must be") for name in ("step_w", "step_theta") for bad in (np.nan, -1, "1", None)]
    cases += [
        ({"psi": lambda w, theta: (w, w)}, "^psi must return its values, d psi / dw and d psi / dtheta"),
        ({"psi": lambda w, theta: (w, w, theta[..., 0])}, "^psi must return arrays of the shapes"),
        ({"psi": lambda w, theta: (1.0, w, theta)}, "^psi must return arrays of the shapes"),
        ({"psi": lambda w, theta: (w, np.nan * w, theta)}, "^what psi returns must be finite"),
        ({"step_w": 1e308}, "must be small enough for the result to be finite"),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError, match=message):
            defect(**arguments)


@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("numbers", [(3, 7), (1, 21), (200, 300)])
def test_equal_masses_in_float32_are_equal_as_far_as_float32_can_tell(dimension, numbers):
    clouds = [
        Measure(np.full(n, np.float32(1 / n)), np.full((n, dimension), k, np.float32)) for k, n in enumerate(numbers)
    ]
    assert wasserstein(*clouds) == pytest.approx(dimension**0.5, rel=1e-6)
    with pytest.raises(ValueError, match=r"^transport needs equal masses"):
        wasserstein(clouds[0], np.float32(1.00001) * clouds[1])


def test_a_plan_is_of_least_squares_unless_another_power_is_named():
    rng = np.random.default_rng(3)
    mu, nu = (random_probability(rng, 20, 2) for _ in range(2))
    squares, cubes = optimal_plan(mu, nu, 2).cost(2), optimal_plan(mu, nu, 3).cost(2)
    assert optimal_plan(mu, nu).cost(2) == squares < cubes


def test_atoms_without_mass_take_no_part():
    still = plans.Plan([1.0, 0.0], [[0.0], [5.0]], [[1.0], [9.0]])
    assert still.cost(2) == 1
    mu, nu = Measure([1.0, 0.0], [[0.0], [5.0]]), Measure([0.0, 1.0], [[7.0], [1.0]])
    for p in (1, 2):
        assert transport.wasserstein(mu, nu, p) == pytest.approx(1, rel=1e-12)
    plane = [Measure(x.weights, np.hstack([x.positions, x.positions])) for x in (mu, nu)]
    assert transport.wasserstein(*plane, 2) == pytest.approx(2**0.5, rel=1e-12)
