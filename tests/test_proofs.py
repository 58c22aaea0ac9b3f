"""The identities and inequalities that the proofs on the page of statements use, each on real runs of the library.

The names of the tests say which; the proofs are in book/statements.md, beside the statements.
"""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize

from mfcourse import certificates, experiments, flows, problems, starts, topology, transport
from mfcourse.flows import velocity
from mfcourse.measures import Measure, h1, h2
from mfcourse.risks import PopulationRisk

SPIKES = problems.spikes(seed=0)


def with_penalty(problem, c):
    return problems.Problem(problem.risk, c, problem.truth)


TEACHER = problems.relu_teacher(seed=11)
RELU = with_penalty(TEACHER, 0.05)  # 2-homogeneous in u = (w, theta), a point of R^3


def polar(angle, radius=1.0):
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)


def points(w, theta):
    """Particles as points u = (w, theta), shape (m, 1 + d)."""
    return np.concatenate([w[:, None], theta], axis=1)


def mean_square(w, theta):
    return (w**2 + (theta**2).sum(axis=-1)).mean()


def field(problem, state, u):
    """The velocity at points u (q, 1 + d), which need not be particles, of the measure of `state`; no kink at them."""
    w, theta = u[:, 0], u[:, 1:]
    return points(*problem.descent(w, theta, *problem.risk.field(*state, theta)))


def variation(problem, state, u):
    """F'(mu) at points u (q, 1 + d) for the measure mu of `state`."""
    w, theta = u[:, 0], u[:, 1:]
    return w * problem.risk.potential(*state, theta) + problem.penalty * problem.form.value(w, theta)


def recorded(problem, state, time, steps):
    """The states before each of so many explicit steps along the velocity, and the last one."""
    h, way = time / steps, []
    for _ in range(steps):
        way.append(state)
        speed = velocity(problem, *state)
        state = state[0] + h * speed[0], state[1] + h * speed[1]
    return way, state


def euler(problem, state, time, steps):
    return recorded(problem, state, time, steps)[1]


def some_spikes(m=40, seed=0):
    """Particles of both signs, some of weight 0."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=m) * (rng.random(m) < 0.7), rng.uniform(size=(m, 1))


def some_neurons(m=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=m), rng.normal(size=(m, 2))


def halves(errors, about=0.25):
    """Whether each error is half of the one before."""
    return all(abs(large / small - 2) < about for large, small in pairwise(errors))


# Stability


def constants(radius, bound):
    """C of the proof of stability for the spikes problem on |w| <= radius, where |R'| <= bound: M L + B^2 Lambda."""
    features, here = SPIKES.risk.features, np.zeros((1, 1))
    size, slope, bend = (
        np.linalg.norm(features.push(np.ones(1), here)),
        *(np.linalg.norm(derivative) for derivative in derivatives_of_phi()),
    )
    largest = np.linalg.norm([[0, slope], [slope, radius * bend]], 2)  # of the second differential of w phi(theta)
    steepest = max(size, radius * slope)  # phi and phi' are orthogonal, as |phi| is constant
    return bound * largest + steepest**2 / SPIKES.risk.loss.scale


def derivatives_of_phi():
    """phi' and phi'' at 0, by differences: |phi'| and |phi''| are the same at all positions."""
    h, push = 1e-4, SPIKES.risk.features.push
    before, at, after = (push(np.ones(1), np.array([[x]])) for x in (-h, 0.0, h))
    return (after - before) / (2 * h), (after - 2 * at + before) / h**2


def test_pairs_of_two_flows_part_no_faster_than_the_constant_of_the_proof_allows():
    rng = np.random.default_rng(1)
    first, second = some_spikes(), some_spikes()
    second = second[0] + 0.02 * rng.normal(size=40), second[1] + 0.01 * rng.normal(size=(40, 1))
    record = []
    for _ in range(200):
        apart = points(*first) - points(*second)
        speeds = [points(*velocity(SPIKES, *state)) for state in (first, second)]
        distance, growth = (apart**2).sum(1).mean(), 2 * (apart * (speeds[0] - speeds[1])).sum(1).mean()
        radius = max(np.abs(first[0]).max(), np.abs(second[0]).max())
        bound = max(np.sqrt(2 * SPIKES.energy(*state) / SPIKES.risk.loss.scale) for state in (first, second))
        record.append(growth / distance / (2 * constants(radius, bound)))
        first, second = (euler(SPIKES, state, 1e-3, 1) for state in (first, second))
    assert max(record) <= 1
    assert max(record) > 0.01  # the bound is not empty, though far too large


def test_a_kink_never_drives_two_particles_apart():
    w, theta = some_spikes(200)
    eta = SPIKES.risk.potential(w, theta, theta)
    g = -velocity(SPIKES, w, theta)[0] - eta  # the subgradient of |w| that the flow has chosen
    product = np.subtract.outer(g, g) * np.subtract.outer(w, w)
    assert (w == 0).sum() > 20
    assert product.min() > -1e-12
    assert product.max() > 1
    np.testing.assert_allclose(g[w == 0], np.clip(-eta[w == 0], -1, 1))  # the closest to the force: least norm


def test_the_distance_of_the_measures_is_below_that_of_the_pairs():
    first, second = some_spikes(12), some_spikes(12)
    second = second[0] + 0.05, second[1] + 0.02
    mass = np.full(12, 1 / 12)
    gaps = []
    for _ in range(6):
        paired = np.sqrt(((points(*first) - points(*second)) ** 2).sum(1).mean())
        best = transport.wasserstein(Measure(mass, points(*first)), Measure(mass, points(*second)))
        assert best <= paired + 1e-9
        gaps.append(paired - best)
        first, second = (euler(SPIKES, state, 0.1, 40) for state in (first, second))
    assert gaps[0] < 1e-9  # the start was paired in the best way
    assert max(gaps) > 1e-4  # later another pairing is better


@pytest.mark.parametrize("seed", [0, 1])
def test_all_particles_stay_where_gronwall_says(seed):
    w, theta = some_spikes(30, seed)
    bound = np.sqrt(2 * SPIKES.energy(w, theta) / SPIKES.risk.loss.scale)  # |R'(f)|^2 = 2 R(f) / lam, and R <= F_m
    size = np.linalg.norm(SPIKES.risk.features.push(np.ones(1), np.zeros((1, 1))))
    step_w, step_theta = (size / 10 for size in experiments.spike_steps(SPIKES))
    step = flows.forward_backward(SPIKES, step_w, step_theta)
    run = flows.flow(SPIKES, step, (w, theta), 200, range(201))
    slopes = [np.linalg.norm(SPIKES.risk.residual(*state)) for state in zip(run.w, run.theta, strict=True)]
    assert max(slopes) <= bound * (1 + 1e-9)
    rate = bound * size + 1  # |v_w| <= |R'| |phi| + c, whatever the position
    assert (np.abs(run.w).max(axis=1) <= np.abs(w).max() + rate * step_w * run.steps + 1e-9).all()
    assert np.abs(run.w).max() > np.abs(w).max() + 0.5


@pytest.mark.parametrize("problem", [SPIKES, RELU], ids=["spikes", "relu"])
def test_the_value_falls_at_the_rate_of_the_squared_speed(problem):
    state = some_spikes() if problem is SPIKES else some_neurons()
    rate, speed = flows.dissipation(problem, *state), velocity(problem, *state)
    assert rate == pytest.approx(mean_square(*speed), rel=1e-12)
    errors = []
    for h in np.array([4, 2, 1]) * (2.5e-7 if problem is SPIKES else 2.5e-5):
        after = euler(problem, state, h, 1)
        errors.append((problem.energy(*after) - problem.energy(*state)) / h + rate)
    assert halves(errors)


def paired_errors(start, many, steps=30):
    """The distance of pairs after the steps of chapter 5, and at the start; positions in the unit of these steps."""
    size_w, size_theta = experiments.spike_steps(SPIKES)
    step, unit = flows.forward_backward(SPIKES, size_w, size_theta / 3), np.sqrt(3 * size_w / size_theta)
    errors = []
    for number in (steps, 0):
        ends = [flows.flow(SPIKES, step, begin, number, record=()).state for begin in (start, many)]
        few, all_ = ([np.repeat(part, len(many[0]) // len(part), axis=0) for part in end] for end in ends)
        errors.append(np.sqrt(mean_square(few[0] - all_[0], unit * (few[1] - all_[1]))))
    return errors[0] / unit, errors[1] / unit


def test_at_a_fixed_time_the_error_of_a_grid_is_its_error_at_the_start_times_one_factor():
    many = starts.grid_start(2048)
    sizes = np.array([64, 128, 256])
    later, begin = np.array([paired_errors(starts.grid_start(m), many) for m in sizes]).T
    np.testing.assert_allclose(begin, np.sqrt((1 / sizes**2 - 1 / 2048**2) / 12))  # of a cell, less that of a small one
    assert np.ptp(later / begin) < 0.05
    assert 1.1 < (later / begin).min() < 1.5


def test_at_a_fixed_time_independent_draws_lose_no_more_than_a_factor_for_every_m():
    many = starts.grid_start(2048)
    for m in (64, 256):
        for seed in range(4):
            theta = np.sort(np.random.default_rng([m, seed]).uniform(size=(m, 1)), axis=0)
            later, begin = paired_errors((np.zeros(m), theta), many)
            assert 0.9 < later / begin < 1.5


def test_the_squared_distance_of_independent_draws_is_one_over_six_m_in_mean():
    rng, m, fine = np.random.default_rng(0), 20, 2000
    line = Measure(np.full(fine, 1 / fine), (np.arange(fine)[:, None] + 0.5) / fine)
    squares, areas = [], []
    for _ in range(400):
        x = np.sort(rng.uniform(size=m))
        squares.append(transport.wasserstein(Measure(np.full(m, 1 / m), x[:, None]), line) ** 2)
        share = np.searchsorted(x, line.positions[:, 0], side="right") / m
        areas.append(((share - line.positions[:, 0]) ** 2).mean())
    np.testing.assert_allclose(squares, areas, atol=2e-4)  # the two ways to integrate over the region
    assert np.mean(squares) == pytest.approx(1 / (6 * m), rel=0.1)


# Steepest descent


def proximal_step(problem, y_w, y_theta, tau):
    """The particles that minimise F_m + |u - y|^2 / (2 m tau), by scipy; for smooth V."""
    m = len(y_w)
    y = points(y_w, y_theta)

    def objective(flat):
        u = flat.reshape(y.shape)
        speed = points(*velocity(problem, u[:, 0], u[:, 1:]))
        value = problem.energy(u[:, 0], u[:, 1:]) + ((u - y) ** 2).sum() / (2 * m * tau)
        return value * m, (-speed + (u - y) / tau).ravel()

    found = minimize(objective, y.ravel(), jac=True, method="BFGS", options={"gtol": 1e-10})
    return found.x.reshape(y.shape)


def test_a_jko_step_moves_each_particle_with_the_velocity_where_it_arrives():
    y_w, y_theta = some_neurons(6, seed=3)
    y, mass, errors = points(y_w, y_theta), np.full(6, 1 / 6), []
    for tau in (0.04, 0.02, 0.01, 0.005):
        u = proximal_step(RELU, y_w, y_theta, tau)
        moved = (u - y) / tau
        best = transport.wasserstein(Measure(mass, u), Measure(mass, y))
        assert best**2 == pytest.approx(((u - y) ** 2).sum(1).mean(), rel=1e-6)  # so this is the step for W_2
        np.testing.assert_allclose(moved, points(*velocity(RELU, u[:, 0], u[:, 1:])), atol=1e-6)
        errors.append(np.abs(moved - points(*velocity(RELU, y_w, y_theta))).max())
    assert halves(errors[1:])


def test_a_jko_step_with_a_kink_ends_where_a_subgradient_balances_it():
    tau, y_w, y_theta = 0.01, np.array([0.0, 0.0, 0.002, -0.6, 0.8]), np.array([[0.1], [0.62], [0.35], [0.55], [0.85]])
    m = len(y_w)

    def objective(flat):  # w = p - q with p, q >= 0 and |w| = p + q: no kink for the optimiser
        p, q, theta = flat[:m], flat[m : 2 * m], flat[2 * m :, None]
        value, eta, slope = SPIKES.risk(p - q, theta)
        pull_w, pull_theta = eta + (p - q - y_w) / tau, (p - q) * slope[:, 0] + (theta - y_theta)[:, 0] / tau
        far = ((p - q - y_w) ** 2).sum() + ((theta - y_theta) ** 2).sum()
        return m * value + (p + q).sum() + far / (2 * tau), np.r_[pull_w + 1, 1 - pull_w, pull_theta]

    begin = np.r_[np.maximum(y_w, 0), np.maximum(-y_w, 0), y_theta[:, 0]]
    bounds = [(0, None)] * (2 * m) + [(None, None)] * m
    found = minimize(objective, begin, jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 0, "gtol": 1e-9}).x
    w, theta = found[:m] - found[m : 2 * m], found[2 * m :, None]
    _, eta, slope = SPIKES.risk(w, theta)
    g = -eta - (w - y_w) / tau  # must be a subgradient of |w|
    assert np.abs(g).max() < 1 + 1e-4
    np.testing.assert_allclose(g[w != 0], np.sign(w[w != 0]), atol=1e-4)
    assert (w == 0).any()
    assert (w != 0).any()
    np.testing.assert_allclose((theta - y_theta)[:, 0] / tau, -w * slope[:, 0], atol=1e-3)


def test_no_field_of_the_same_length_goes_down_faster():
    state = some_neurons(8, seed=4)
    down, h = velocity(RELU, *state), 1e-6
    length = np.sqrt(mean_square(*down))

    def slope(field_w, field_theta):
        ahead, behind = ((state[0] + s * h * field_w, state[1] + s * h * field_theta) for s in (1, -1))
        return (RELU.energy(*ahead) - RELU.energy(*behind)) / (2 * h)

    steepest = slope(*down) / length
    assert steepest == pytest.approx(-length, rel=1e-6)
    rng = np.random.default_rng(0)
    for size in (0.1, 1, 10):
        other = down[0] + size * rng.normal(size=8), down[1] + size * rng.normal(size=(8, 2))
        assert slope(*other) / np.sqrt(mean_square(*other)) > steepest


# Optimality


@pytest.mark.parametrize("problem", [SPIKES, RELU], ids=["spikes", "relu"])
def test_the_first_variation_is_the_slope_of_a_mixture_and_the_value_lies_above_it(problem):
    make = some_spikes if problem is SPIKES else some_neurons
    state, value = make(12, 1), problem.energy(*make(12, 1))
    for seed in (2, 3, 4):
        other = make(12, seed)
        slope = variation(problem, state, points(*other)).mean() - variation(problem, state, points(*state)).mean()
        assert problem.energy(*other) > value + slope
        # the mixture (1 - t) mu + t nu with t = 1 / n, as particles: n - 1 copies of the first cloud, one of the second
        errors = []
        for n in (50, 100, 200):
            both = [np.concatenate([np.repeat(a, n - 1, axis=0), b]) for a, b in zip(state, other, strict=True)]
            errors.append(n * (problem.energy(*both) - value) - slope)
        assert halves(errors)


@pytest.mark.parametrize("c", [0.0, 0.1])
def test_second_moments_of_a_2_homogeneous_flow_change_by_twice_the_mean_of_the_first_variation(c):
    problem, state = with_penalty(TEACHER, c), some_neurons()
    u = points(*state)
    along = (u * points(*velocity(problem, *state))).sum(axis=1)
    np.testing.assert_allclose(along, -2 * variation(problem, state, u), atol=1e-10)  # Euler's identity, one by one
    errors = []
    for steps in (100, 200, 400):
        way, end = recorded(problem, state, 1.0, steps)
        means = [variation(problem, at, points(*at)).mean() for at in way]
        change = (mean_square(*end) - mean_square(*state)) / 2
        errors.append(change + 2 * np.mean(means))
    assert halves(errors)
    assert abs(change) > 10 * abs(errors[-1])


def test_second_moments_of_weights_change_by_the_mean_of_the_first_variation():
    errors, state = [], some_spikes()
    for steps in (100, 200, 400):
        way, end = recorded(SPIKES, state, 0.1, steps)
        means = [variation(SPIKES, at, points(*at)).mean() for at in way]
        change = ((end[0] ** 2).mean() - (state[0] ** 2).mean()) / 2
        errors.append(change + 0.1 * np.mean(means))
    assert halves(errors, 0.4)
    assert abs(change) > 10 * abs(errors[-1])


def test_where_the_second_moment_settles_the_mean_of_the_first_variation_is_zero():
    circle = polar(np.tile(2 * np.pi * np.arange(30) / 30, 2), 0.1)
    step = flows.conic_sphere(RELU, 0.5, 0.5)
    run = flows.flow(RELU, step, (np.repeat([0.1, -0.1], 30), circle), 1000, range(0, 1001, 5))
    means = [variation(RELU, state, points(*state)).mean() for state in zip(run.w, run.theta, strict=True)]
    assert abs(means[-1]) < 1e-6 < 1e-2 < max(np.abs(means))


# App. A


def test_w2_and_second_moments_control_predictions_and_values():
    rng, worst = np.random.default_rng(0), 0
    for scale in (0.1, 1, 10):
        for spread in (0.01, 0.3, 2):
            w, theta = (scale * part for part in some_neurons(15, 7))
            others = w + scale * spread * rng.normal(size=15), theta + scale * spread * rng.normal(size=(15, 2))
            mass = np.full(15, 1 / 15)
            distance = transport.wasserstein(Measure(mass, points(w, theta)), Measure(mass, points(*others)))
            moments = np.sqrt(mean_square(w, theta)) + np.sqrt(mean_square(*others))
            difference = np.sqrt(2 * PopulationRisk(h1(*others), "relu")(w, theta)[0])  # |f - f'| in L2
            # |w phi - w' phi'| <= |w - w'| |theta| / sqrt(2) + |w'| |theta - theta'|, as relu is Lipschitz
            worst = max(worst, difference / (np.sqrt(1.5) * moments * distance))
            price = abs(mean_square(w, theta) - mean_square(*others)) / 2
            assert price <= moments * distance * (0.5 + 1e-12)
    assert 0.05 < worst <= 1


def test_w2_controls_what_h2_integrates():
    rng = np.random.default_rng(1)
    first, second = some_neurons(15, 8), some_neurons(15, 9)
    mass = np.full(15, 1 / 15)
    distance = transport.wasserstein(Measure(mass, points(*first)), Measure(mass, points(*second)))
    moments = np.sqrt(mean_square(*first)) + np.sqrt(mean_square(*second))
    differences = []
    for _ in range(200):
        centre, sign = rng.normal(size=3), rng.choice([-1, 1])

        def psi(e, centre=centre, sign=sign):  # bounded by 1, with slopes at most 1
            return sign * np.clip(np.linalg.norm(e - centre / np.linalg.norm(centre), axis=1) - 1, -1, 1)

        differences.append(abs(h2(*first).integral(psi) - h2(*second).integral(psi)))
    assert 0.01 * moments * distance < max(differences) <= 3 * moments * distance


def test_the_velocity_depends_on_the_particles_only_through_h1_or_h2():
    w, theta = some_neurons(10)
    at, merged = points(*some_neurons(5, 6)), h2(w, theta)
    share = np.tile(np.sqrt([0.3, 1.7]), 10)  # two particles in the place of one: their squares are 0.3 and 1.7 of it
    unequal = share * np.repeat(w, 2), share[:, None] * np.repeat(theta, 2, axis=0)
    both = h2(*unequal).merge(1e-9)
    assert sorted(both.weights) == pytest.approx(sorted(merged.weights))
    radius = np.linspace(0.5, 3, 10)
    same_h1 = w * radius, theta / radius[:, None]  # the neuron is the same, w is larger and theta smaller
    for other in (unequal, same_h1):
        np.testing.assert_allclose(field(RELU, other, at), field(RELU, (w, theta), at), atol=1e-12)
    longer = 1.1 * w, 1.1 * theta
    assert np.abs(field(RELU, longer, at) - field(RELU, (w, theta), at)).max() > 1e-3


# Thm 3.3


def test_the_velocity_is_1_homogeneous_and_vanishes_towards_0():
    state, at = some_neurons(), points(*some_neurons(20, 5))
    for r in (1e-6, 0.3, 7.0):
        np.testing.assert_allclose(field(RELU, state, r * at), r * field(RELU, state, at), rtol=1e-9)


def played(states, h, u):
    for state in states:
        u = u + h * field(RELU, state, u)
    return u


def rewound(states, h, u):
    for state in reversed(states):
        before, after = u, u
        for _ in range(14):  # u_before + h v(u_before) = u_after: a contraction, as h times the slope of v is small
            before = after - h * field(RELU, state, before)
        u = before
    return u


def test_a_step_can_be_rewound_and_rays_come_from_rays():
    h, (states, _) = 0.02, recorded(RELU, some_neurons(30, 2), 1.6, 80)
    e = points(*some_neurons(12, 4))
    begin = rewound(states, h, e)
    np.testing.assert_allclose(played(states, h, begin), e, atol=1e-10)
    np.testing.assert_allclose(rewound(states, h, 5 * e), 5 * begin, rtol=1e-9)
    assert np.abs(begin - e).max() > 0.1
    assert np.linalg.norm(begin, axis=1).min() > 0


def test_whoever_stands_on_the_rewound_ray_is_carried_to_the_ray_asked_for():
    angle = 2 * np.pi * np.arange(120) / 120
    start = np.repeat([0.3, -0.3], 120), polar(np.tile(angle, 2), 0.3)
    h, (states, end) = 0.02, recorded(RELU, start, 1.6, 80)
    signs, asked = np.repeat([1.0, -1.0], 12), polar(np.tile(np.linspace(0, 2 * np.pi, 12, endpoint=False), 2))
    begin = rewound(states, h, points(signs, asked))
    size = np.linalg.norm(begin, axis=1, keepdims=True)
    carried = played(states, h, 0.3 * np.sqrt(2) * begin / size)  # another point of the same ray
    np.testing.assert_allclose(carried, points(signs, asked) * 0.3 * np.sqrt(2) / size, atol=1e-9)
    # so the particle nearest to the rewound ray is, at the end, not far from the ray asked for
    nearest = np.argmin(np.linalg.norm(points(*start)[:, None] - 0.3 * np.sqrt(2) * begin / size, axis=2), axis=0)
    ends = points(*end)[nearest] / np.linalg.norm(points(*end)[nearest], axis=1, keepdims=True)
    assert np.linalg.norm(ends - points(signs, asked) / np.sqrt(2), axis=1).max() < 0.2
    assert np.linalg.norm(begin / size - points(signs, asked) / np.sqrt(2), axis=1).max() > 0.4  # they had turned


def test_where_rays_merge_the_angle_function_still_takes_all_values():
    """V = |x y| is 2-homogeneous and semiconvex, with kinks on the axes: directions run into them and stay."""
    x = np.linspace(0, 2 * np.pi, 4001)
    angle, h = x.copy(), 1e-3
    for _ in range(600):  # e' = -grad V along the circle, V = |sin 2x| / 2; a step may not cross a kink
        moved = angle - h * np.cos(2 * angle) * np.sign(np.sin(2 * angle))
        axis = np.pi / 2 * np.round(angle / (np.pi / 2))
        angle = np.where(np.sign(np.sin(2 * (moved - axis))) * np.sign(np.sin(2 * (angle - axis))) <= 0, axis, moved)
    assert (np.abs(np.diff(angle)) < 1e-12).sum() > 1000  # many directions have merged: no way back
    assert angle[-1] - angle[0] == pytest.approx(2 * np.pi)
    assert np.diff(angle).min() >= 0
    assert np.diff(angle).max() < 0.02  # no jump, so every value between is taken


def test_a_spiral_separates_nothing_but_meets_every_ray_and_is_as_good():
    turn = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    spiral = polar(turn, 0.1 * (1 + turn / (2 * np.pi)))
    here = np.linspace(0, 1, 50)
    out = [polar(-0.3, 0.15 * here), polar(-0.3 + 0.6 * here, 0.15), polar(0.3, 0.15 + 0.15 * here)]
    path = np.concatenate(out)  # from 0, out below the gap, through it, and away
    assert np.linalg.norm(path[:, None] - spiral, axis=2).min() > 0.02
    assert np.linalg.norm(path[-1]) > 1.4 * np.linalg.norm(spiral, axis=1).max()
    start = np.repeat([1.0, -1.0], 100) * np.tile(np.linalg.norm(spiral, axis=1), 2), np.tile(spiral, (2, 1))
    step = flows.conic_sphere(RELU, 0.5, 0.5)
    run = flows.flow(RELU, step, start, 3000, (), flows.until_settled(RELU))
    assert certificates.certify(RELU, h1(*run.state)).optimal


def test_a_circle_run_forth_and_back_winds_0_times():
    circle = polar(2 * np.pi * np.arange(60) / 60)
    assert topology.winding_number(circle) == 1
    assert topology.winding_number(np.concatenate([circle, circle[:1], circle[::-1]])) == 0


def test_values_fall_and_so_late_values_of_many_particles_are_near_the_least():
    ends = {}
    for m in (10, 20, 40):
        circle = polar(np.tile(2 * np.pi * np.arange(m) / m, 2), 0.1)
        step = flows.conic_sphere(RELU, 0.5, 0.5)
        run = flows.flow(RELU, step, (np.repeat([0.1, -0.1], m), circle), 600, range(601))
        assert np.diff(run.energy).max() < 1e-12
        ends[m] = run.energy
    least = certificates.certify(RELU, h1(*run.state)).dual
    middle = [ends[m][30] for m in (10, 20, 40)]
    assert abs(middle[1] - middle[2]) < abs(middle[0] - middle[1])  # at a fixed time: towards one value
    assert all(least - 1e-9 <= ends[m][-1] <= ends[m][30] for m in ends)
    assert ends[40][-1] - least < 1e-4 * least


# Prop. C.1


@pytest.fixture(scope="module")
def trap():
    """Where the flow from one circle of positive particles ends: negative mass would help."""
    circle = polar(np.linspace(0, 2 * np.pi, 100, endpoint=False), 0.1)
    step = flows.conic_sphere(RELU, 0.5, 0.5)
    return flows.flow(RELU, step, (np.full(100, 0.1), circle), 3000, (), flows.until_settled(RELU)).state


def negative(angle, radius=1.0):
    """Points of the cone w = -|theta|."""
    return points(np.full(np.shape(angle), -radius), polar(angle, radius))


def height(state, angle):
    """F' on the circle of the negative copy: c - eta(e)."""
    return variation(RELU, state, negative(angle))


LEVEL = 0.05


def test_radii_change_at_minus_twice_the_first_variation(trap):
    angle = np.linspace(0, 2 * np.pi, 50)
    for radius in (1e-3, 1.0, 4.0):
        u = negative(angle, radius)
        size = np.linalg.norm(u, axis=1)
        speed = (u * field(RELU, trap, u)).sum(axis=1) / size
        np.testing.assert_allclose(speed, -2 * size * variation(RELU, trap, u / size[:, None]), rtol=1e-9, atol=1e-12)


def test_directions_run_down_the_first_variation_whatever_the_radius(trap):
    angle, h = np.linspace(0, 2 * np.pi, 50), 1e-5
    slope = (height(trap, angle + h) - height(trap, angle - h)) / (2 * h)
    for radius in (1e-3, 1.0, 4.0):
        move = field(RELU, trap, negative(angle, radius))[:, 1:] / radius
        np.testing.assert_allclose((move * polar(angle + np.pi / 2)).sum(axis=1), -slope, atol=1e-8)


def test_at_the_edge_of_a_bad_arc_the_level_falls_as_the_square_of_its_slope_also_for_measures_nearby(trap):
    first, last = topology.bad_arcs(RELU, h1(*trap), -1, LEVEL)[0]
    h, rng = 1e-5, np.random.default_rng(0)
    edge = np.array([first, last])
    np.testing.assert_allclose(height(trap, edge), -LEVEL, atol=1e-9)
    slope = (height(trap, edge + h) - height(trap, edge - h)) / (2 * h)
    assert slope[0] < -0.05
    assert slope[1] > 0.05
    near = trap[0] * (1 + 0.03 * rng.normal(size=100)), trap[1] * (1 + 0.03 * rng.normal(size=(100, 1)))
    change = height(near, edge + h) - height(near, edge - h) - height(trap, edge + h) + height(trap, edge - h)
    off = np.abs(change / (2 * h)).max()
    assert 0 < off < np.abs(slope).min() / 2
    for state, most in ((trap, 0.0), (near, off)):
        turning = (field(RELU, state, negative(edge))[:, 1:] * polar(edge + np.pi / 2)).sum(axis=1)
        assert turning[0] > 0 > turning[1]
        assert (slope * turning <= -np.abs(slope) * (np.abs(slope) - most) + 1e-8).all()
    exact = (field(RELU, trap, negative(edge))[:, 1:] * polar(edge + np.pi / 2)).sum(axis=1)
    np.testing.assert_allclose(slope * exact, -(slope**2), rtol=1e-6)


def test_a_difference_of_two_measures_moves_the_first_variation_and_its_slope_by_no_more_than_their_predictions(trap):
    rng, angle, h = np.random.default_rng(1), np.linspace(0, 2 * np.pi, 200), 1e-5
    near = trap[0] * (1 + 0.1 * rng.normal(size=100)), trap[1] * (1 + 0.1 * rng.normal(size=(100, 1)))
    apart = np.sqrt(2 * PopulationRisk(h1(*near), "relu")(*trap)[0])  # |f - f'|, and R' is f minus the teacher
    change = height(near, angle) - height(trap, angle)
    longest = 1 / np.sqrt(2)  # |phi(e)| and |phi'(e)| in L2, for a standard normal x
    assert np.abs(change).max() <= longest * apart * (1 + 1e-9)
    slopes = (height(near, angle + h) - height(near, angle - h)) - (height(trap, angle + h) - height(trap, angle - h))
    assert np.abs(slopes / (2 * h)).max() <= longest * apart * (1 + 1e-6)
    assert np.abs(change).max() > 0.3 * longest * apart


def test_a_speck_in_the_bad_cone_stays_there_and_its_mass_in_h2_grows_exponentially(trap):
    first, last = topology.bad_arcs(RELU, h1(*trap), -1, LEVEL)[0]
    angle = np.linspace(first, last, 9)[1:-1]
    more = np.sqrt((100 + 7) / 100)  # so that the old particles keep their masses
    w, theta = np.append(more * trap[0], np.full(7, -1e-5)), np.vstack([more * trap[1], polar(angle, 1e-5)])
    h, masses, spread = 0.02, [], []
    for _ in range(400):
        weights, sphere = (w[100:] ** 2 + (theta[100:] ** 2).sum(axis=1)) / 107, theta[100:]
        masses.append(weights.sum())
        spread.append(np.unwrap(np.r_[(first + last) / 2, np.arctan2(sphere[:, 1], sphere[:, 0])])[1:])
        w, theta = euler(RELU, (w, theta), h, 1)
    assert masses[-1] < 1e-3 * h2(*trap).mass  # the trap has not felt them yet
    inside = np.array(spread)
    assert ((inside - first) % (2 * np.pi) < last - first).all()
    growth = np.diff(np.log(masses)) / h
    assert growth.min() > 2 * LEVEL
    deepest = -2 * height(trap, np.linspace(first, last, 2000)).min()
    assert growth.max() < deepest * 1.01
