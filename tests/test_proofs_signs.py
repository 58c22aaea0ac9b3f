"""What the proofs of Thm 3.5, Prop. C.4, Theorem R and Theorem T use: wedges, signs, escape, touching, a torn fence."""

import functools

import numpy as np
import pytest
from scipy.optimize import linprog

from mfcourse import certificates, flows, motion, problems
from mfcourse.measures import Measure, h1
from mfcourse.risks import PopulationRisk

# ---------------------------------------------------------------- wedges: one feature, and an average of features


def direction(angle):
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def slope_distance(angle):
    """|T_e - T_e'| in L2, T_e = x 1{e.x > 0}, x normal in the plane, for two directions at this angle.

    The gradient of the potential of one neuron at b is E T_e relu(b.x), up to a sign; its derivative in b is E T_e T_b.
    """
    step, inner = 1e-5, 0.0
    e, b = direction(0.0), direction(angle)
    for k in range(2):
        there = [
            PopulationRisk(Measure([-1.0], [b + sign * step * np.eye(2)[k]]), "relu").field([0.0], [[1.0, 0.0]], [e])[1]
            for sign in (1, -1)
        ]
        inner += (there[0] - there[1])[0, k] / (2 * step)
    return np.sqrt(2 * (1 - inner))  # |T_e|^2 = 1


def exponent(sizes, angles):
    return np.polyfit(np.log(angles), np.log(sizes), 1)[0]


def test_the_slope_of_a_neuron_is_hoelder_one_half_and_the_velocity_is_lipschitz():
    angles = np.geomspace(0.01, 0.3, 6)
    sizes = [slope_distance(t) for t in angles]
    np.testing.assert_allclose(sizes, np.sqrt(2 * angles / np.pi), rtol=1e-5)
    assert exponent(sizes, angles) == pytest.approx(0.5, abs=1e-4)
    teacher = problems.relu_teacher(4)
    w, theta = np.array([0.3, -0.2]), np.array([[0.2, 0.1], [-0.1, 0.4]])
    slopes = teacher.risk.field(w, theta, direction(np.r_[0.7, 0.7 + angles]))[1]
    moved = np.linalg.norm(slopes[1:] - slopes[0], axis=-1)
    assert exponent(moved, angles) == pytest.approx(1, abs=0.1)


def test_a_half_turn_in_n_wedges_has_a_fixed_sum_of_squares_which_no_lipschitz_map_has():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 2))
    sums = []
    for n in (8, 64, 512):
        t = (direction(0.3 + np.pi * np.arange(n + 1) / n) @ x.T > 0).astype(float)
        changes = (np.diff(t, axis=0) ** 2).sum(axis=0)
        assert (changes == 1).all()  # each sample changes sides once, in one wedge, by a full step
        sums.append(n * slope_distance(np.pi / n) ** 2)
    np.testing.assert_allclose(sums, 2, rtol=1e-3)  # E |x|^2
    lipschitz = [n * (np.pi / n) ** 2 for n in (8, 64, 512)]
    assert lipschitz[-1] < lipschitz[0] / 60  # what it would have to be below


def bounded_lipschitz(masses, positions):
    """The largest integral of a function with |psi| <= 1 and slopes <= 1 against a measure with these atoms."""
    n = len(masses)
    first, second = np.triu_indices(n, 1)
    rows = np.zeros((len(first), n))
    rows[np.arange(len(first)), first], rows[np.arange(len(first)), second] = 1, -1
    far = np.linalg.norm(positions[first] - positions[second], axis=-1)
    found = linprog(-masses, np.r_[rows, -rows], np.r_[far, far], bounds=(-1, 1))
    return -found.fun


@pytest.mark.parametrize("seed", range(4))
def test_predictions_and_potentials_differ_by_no_more_than_the_measures_do(seed):
    rng = np.random.default_rng(seed)
    at = direction(rng.uniform(0, 2 * np.pi, 6))
    nearby = direction(np.arctan2(at[:, 1], at[:, 0]) + 0.05 * rng.standard_normal(6))
    masses = rng.standard_normal(6)
    both, places = np.r_[masses, -masses], np.r_[at, nearby]
    distance = bounded_lipschitz(both, places)
    assert distance <= 0.4 * np.abs(masses).sum()
    x = rng.standard_normal((200, 2))
    difference = np.maximum(x @ places.T, 0) @ both
    assert (np.abs(difference) <= np.linalg.norm(x, axis=-1) * distance * (1 + 1e-9)).all()
    circle = direction(np.linspace(0, 2 * np.pi, 400))
    risk = PopulationRisk(Measure(-both, places), "relu")
    eta, slope = risk.field([0.0], [[1.0, 0.0]], circle)
    turned = np.vecdot(slope, circle @ np.array([[0, 1], [-1, 0]]))
    assert max(np.abs(eta).max(), np.abs(turned).max()) <= 2 / np.pi * distance * (1 + 1e-9)


# ---------------------------------------------------------------- Theorem R: the potential and the flow on the cones


def residual_on_circle(problem, w, theta, angle):
    """(f - f*)(e(angle)) / pi: what Step 1 calls Q for normal samples."""
    x, truth = direction(angle), problem.truth
    f = np.maximum(x @ theta.T, 0) @ w / len(w)
    return (f - np.maximum(x @ truth.positions.T, 0) @ truth.weights) / np.pi


@pytest.mark.parametrize("seed", [4, 7])
def test_eta_is_a_mean_over_half_a_circle_and_twice_differentiable(seed):
    problem = problems.relu_teacher(seed)
    rng = np.random.default_rng(seed)
    w, theta = rng.standard_normal(5), rng.standard_normal((5, 2))

    def eta(angle):
        return problem.risk.potential(w, theta, direction(angle))

    q = functools.partial(residual_on_circle, problem, w, theta)
    phi = rng.uniform(0, 2 * np.pi, 20)
    t = (np.arange(4000) + 0.5) / 4000 * np.pi - np.pi / 2
    values = np.stack([q(p + t) for p in phi])
    np.testing.assert_allclose(eta(phi), (values * np.cos(t)).mean(axis=1) * np.pi, atol=1e-6)
    first = (values * np.sin(t)).mean(axis=1) * np.pi
    np.testing.assert_allclose((eta(phi + 1e-5) - eta(phi - 1e-5)) / 2e-5, first, atol=1e-6)
    second = q(phi + np.pi / 2) + q(phi - np.pi / 2) - eta(phi)
    np.testing.assert_allclose((eta(phi + 1e-3) - 2 * eta(phi) + eta(phi - 1e-3)) / 1e-6, second, atol=3e-3)


def test_energy_on_the_cones_falls_as_radii_and_angles_say_and_second_moments_as_touching_says():
    teacher = problems.relu_teacher(4)
    problem = problems.Problem(teacher.risk, 0.05, teacher.truth)
    rng = np.random.default_rng(1)
    b, s = rng.standard_normal((12, 2)), np.repeat([1.0, -1.0], 6)
    r = np.linalg.norm(b, axis=-1)
    w, h = s * r, 1e-5
    eta, slope = problem.risk.field(w, b, b / r[:, None])
    turned = np.vecdot(slope, (b / r[:, None]) @ np.array([[0, 1], [-1, 0]]))
    new_w, new_b = flows.conic_sphere(problem, h, h)(w, b)
    falls = -(r**2 * (2 * (0.05 + s * eta) ** 2 + turned**2)).mean()
    assert (problem.energy(new_w, new_b) - problem.energy(w, b)) / h == pytest.approx(falls, rel=1e-3)
    moment = ((new_w**2).mean() - (w**2).mean()) / (2 * h)
    assert moment == pytest.approx(-(r**2 * (0.05 + s * eta)).mean(), rel=1e-3)


def test_from_a_spiral_of_both_signs_the_price_is_paid_in_full_and_the_certificate_closes():
    teacher = problems.relu_teacher(4)
    problem = problems.Problem(teacher.risk, 0.05, teacher.truth)
    angle = 2 * np.pi * np.arange(30) / 30
    spiral = direction(angle) * np.geomspace(0.05, 0.5, 30)[:, None]  # meets every ray, and separates nothing
    r = np.linalg.norm(spiral, axis=-1)
    run = flows.flow(problem, flows.conic_sphere(problem, 0.6, 0.6), (np.r_[r, -r], np.r_[spiral, spiral]), 2500)
    w, theta = run.state
    touching = (w**2 * (0.05 + np.sign(w) * problem.risk.potential(w, theta, theta) / np.abs(w))).mean()
    assert abs(touching) < 1e-6 * run.energy[-1]
    certificate = certificates.certify(problem, h1(w, theta))
    assert certificate.proof
    assert certificate.gap < 1e-6


# ---------------------------------------------------------------- Thm 3.5 and Prop. C.4: signs over the bad set

SPIKES = problems.spikes(5)
LAM = SPIKES.risk.loss.scale


def bad_set(problem, w, theta, sign, at, level=0.0):
    return problem.penalty + sign * problem.risk.potential(w, theta, at) < -level


def test_separation_gives_somebody_over_the_bad_set_first_with_the_wrong_sign_and_soon_with_the_right_one():
    m = 200
    start = np.ones(m), ((np.arange(m) + 0.5) / m)[:, None]
    run = flows.flow(SPIKES, flows.forward_backward(SPIKES, LAM / 15, 3e-6 * LAM), start, 8, record=range(9))
    over, right = [], []
    for w, theta in zip(run.w, run.theta, strict=True):
        bad = bad_set(SPIKES, w, theta, -1, theta)
        over.append(bad.sum())
        right.append((w[bad] <= 0).sum())
    assert over[0] == 68
    assert [right[k] for k in (0, 1, 3)] == [0, 10, 49]
    assert over[3] == 50
    assert right[4:] == over[4:]


@functools.cache
def trap():
    """Six particles at rest, far from optimal, and a sign for which there is a bad set."""
    start = np.zeros(6), ((np.arange(6) + 0.5) / 6)[:, None]
    run = flows.flow(SPIKES, flows.forward_backward(SPIKES, LAM / 15, 3e-6 * LAM), start, 3000)
    values, _, _ = SPIKES.risk.peaks(*run.state)
    worst = values[np.abs(values).argmax()]
    assert abs(worst) > 2
    return (*run.state, -float(np.sign(worst)))


def with_newcomers(weights, positions):
    """The trap with particles added: as many copies of mass as it takes to leave its measure what it was."""
    w, theta, _ = trap()
    m = len(w) + len(weights)
    return np.r_[w * m / len(w), weights], np.concatenate([theta, positions])


def edges(level):
    """Places where c + s eta crosses -level, and the slope of s eta there."""
    w, theta, s = trap()
    grid = np.arange(200_000)[:, None] / 200_000
    bad = bad_set(SPIKES, w, theta, s, grid, level)
    at = grid[np.flatnonzero(bad != np.roll(bad, -1))]
    return at, s * SPIKES.risk.field(w, theta, at)[1][:, 0]


def test_over_the_bad_set_wrong_signs_shrink_faster_than_2c_and_newcomers_grow():
    w, theta, s = trap()
    level = 0.5
    grid = np.arange(400)[:, None] / 400
    inside = grid[bad_set(SPIKES, w, theta, s, grid, level)]
    assert len(inside) > 5
    for weight, least in ((-1e-6, 2 + level), (0.0, level), (1e-6, level)):
        state = with_newcomers(np.full(len(inside), s * weight), inside)
        speed = s * motion.velocity(SPIKES, *state)[0][6:]
        assert (speed > least - 1e-3).all()


def test_at_the_edge_the_wanted_sign_goes_in_and_the_other_goes_out():
    at, slope = edges(0.5)
    s = trap()[2]
    assert len(at) >= 2
    for sign in (1, -1):
        state = with_newcomers(np.full(len(at), 1e-6 * s * sign), at)
        moves = motion.velocity(SPIKES, *state)[1][6:, 0]
        assert (np.sign(moves * slope) == -sign).all()  # c + s eta falls for the wanted sign: it goes in


def test_no_wrong_sign_enters_and_after_the_time_of_the_lemma_none_is_left():
    w, theta, s = trap()
    level, largest, step = 0.5, 0.02, 1e-4
    places = (np.arange(100) + 0.5)[:, None] / 100
    over = bad_set(SPIKES, w, theta, s, places, level)
    state = with_newcomers(np.full(100, -s * largest), places)
    euler = flows.gradient(SPIKES, step, 2e-5)  # positions move slowly: here only weights matter
    steps = int(np.ceil(largest / (2 + level) / step)) + 1
    before = over
    for _ in range(steps):
        state = euler(*state)
        at = state[1][6:]
        now = bad_set(SPIKES, w, theta, s, at, level) & (s * state[0][6:] < 0)
        assert not (now & ~before).any()
        before = now
    still = bad_set(SPIKES, w, theta, s, state[1][6:], level)
    assert still.sum() > 3
    assert (s * state[0][6:][still] > 0).all()  # who is over the set has the wanted sign by now
    assert not (still & ~over).any()  # one at the edge may have left, with the wrong sign


def test_the_second_moment_of_the_weights_falls_as_the_touching_identity_says():
    rng = np.random.default_rng(3)
    w, theta = rng.standard_normal(40), rng.uniform(size=(40, 1))
    w[:3] = 0.0
    eta, h = SPIKES.risk.potential(w, theta, theta), 1e-7
    new_w, _ = flows.gradient(SPIKES, h, h)(w, theta)
    assert ((new_w**2).mean() - (w**2).mean()) / (2 * h) == pytest.approx(-(w * eta + np.abs(w)).mean(), rel=1e-4)


def test_at_the_end_eta_touches_the_band_at_all_mass_and_no_mass_of_particles_is_lost_in_h1():
    m = 60
    start = np.zeros(m), ((np.arange(m) + 0.5) / m)[:, None]
    run = flows.flow(SPIKES, flows.forward_backward(SPIKES, LAM / 15, 6e-5 * LAM, "conic"), start, 400)
    w, theta = run.state
    eta = SPIKES.risk.potential(w, theta, theta)
    assert (w * eta).mean() == pytest.approx(-np.abs(w).mean(), rel=1e-6)
    assert certificates.certify(SPIKES, h1(w, theta)).gap < 1e-6


# ---------------------------------------------------------------- Theorem T: on samples the fence tears

ANGLES = np.array([0.0, 0.6, 1.2])
LABELS = np.array([1.0, 0.5, 1.0])
SAMPLES = direction(ANGLES)
PRICE = 0.01
THREE = problems.from_data(SAMPLES, LABELS, "relu", penalty=PRICE, bias=False)


def circles(n, radius=0.1):
    """Full circles of both signs, symmetric to the middle sample."""
    theta = radius * direction(0.6 + 2 * np.pi * (np.arange(n) + 0.5) / n)
    return np.repeat([radius, -radius], n), np.concatenate([theta, theta])


def seen(theta):
    return (theta @ SAMPLES.T > 0).sum(axis=-1)


def one_linear_function():
    """J_1 and its radius: the best of those measures of which every neuron sees all samples or none."""
    c1 = np.cos(0.6)
    rho = (2 * c1 + 0.5 - 3 * PRICE) / (2 * c1**2 + 1)
    return ((SAMPLES @ (rho * SAMPLES[1]) - LABELS) ** 2).sum() / 6 + PRICE * rho, rho


@pytest.mark.parametrize(("n", "radius", "step", "steps"), [(50, 0.1, 0.2, 3000), (51, 4e-5, 0.05, 6000)])
def test_on_three_samples_two_full_circles_end_in_a_trap_and_the_fence_is_torn(n, radius, step, steps):
    moment = int(11.1 / step)
    run = flows.flow(THREE, flows.conic_sphere(THREE, step, step), circles(n, radius), steps, record=[moment])
    for w, theta in zip(run.w[1:], run.theta[1:], strict=True):
        assert set(seen(theta[w > 0]).tolist()) == {0, 3}
    assert {1, 2} <= set(seen(run.theta[0][run.w[0] > 0]).tolist())
    trapped, rho = one_linear_function()
    certificate = certificates.certify(THREE, h1(*run.state))
    assert certificate.proof
    assert certificate.objective == pytest.approx(trapped, rel=1e-7)
    assert round(trapped, 4) == 0.0577
    edge = (1 - rho * np.cos(0.6)) * np.sin(0.6) / 3 / PRICE  # eta where one outer sample is seen, and no other
    assert certificate.max_potential == pytest.approx(edge, rel=1e-4)
    assert round(edge, 2) == 4.88


def test_three_neurons_are_better_than_the_trap_by_more_than_half_and_optimal():
    def objective(masses):
        a, b = masses
        f = np.array([np.sin(0.6) * a + np.cos(0.6) * b, b, np.sin(0.6) * a + np.cos(0.6) * b])
        return ((f - LABELS) ** 2).sum() / 6 + PRICE * (2 * a + b)

    s, c = np.sin(0.6), np.cos(0.6)
    rows = np.array([[2 * s * s, 2 * s * c], [2 * s * c, 2 * c * c + 1]])  # the slopes of J in a and b are 0
    a, b = np.linalg.solve(rows, np.array([2 * s, 2 * c + 0.5]) - 3 * PRICE * np.array([2, 1]))
    assert (round(a, 3), round(b, 3)) == (0.862, 0.558)
    best = Measure([a, b, a], direction(0.6 + np.pi / 2 * np.array([-1, 0, 1])))
    assert THREE.objective(best) == pytest.approx(objective([a, b]), rel=1e-12)
    certificate = certificates.certify(THREE, best)
    assert certificate.proof
    assert certificate.optimal  # nothing is better than this
    assert round(certificate.objective, 5) == 0.02431
    assert certificate.objective < one_linear_function()[0] / 2


def test_the_numbers_of_the_proof_of_theorem_t():
    gentle = 0.9 / 3 * np.sin(np.pi / 2 - 1.2)
    assert gentle > 0.1086
    assert 1.2 / gentle < 11.1
    largest = 4e-5 * np.exp((2.5 + 1.5 * 1.6e-9) / 3 * 11.1)
    assert largest**2 / 2 < 0.09
    psi = np.linspace(np.pi / 2 - 0.6, np.pi / 2, 100)
    quotient = np.cos(psi) / np.cos(psi - 0.6)
    assert (np.diff(quotient) < 0).all()
    assert quotient[0] == pytest.approx(1 / (2 * np.cos(0.6)))
    rho = (2 * np.cos(0.6) + 0.5) / (2 * np.cos(0.6) ** 2 + 1)
    assert rho > 0.91
    assert 2.3 * 2 * PRICE * 0.85 * rho > 2.7 * 2 * 1.6e-9


def test_the_field_jumps_at_the_edge_of_the_dead_cone_on_samples_and_not_for_normal_samples():
    edge = 1.2 + np.pi / 2
    dead, alive = THREE.risk.field([0.0], [[1.0, 0.0]], direction(edge + np.array([1e-9, -1e-9])))[1]
    assert (dead == 0).all()
    assert np.linalg.norm(alive) == pytest.approx(1 / 3)
    normal = problems.relu_teacher(4).risk.field([0.0], [[1.0, 0.0]], direction(edge + np.array([1e-9, -1e-9])))[1]
    assert np.linalg.norm(normal[0] - normal[1]) < 1e-7


def test_blurred_samples_let_the_same_start_nearly_reach_the_optimum():
    rng = np.random.default_rng(0)
    x = np.repeat(SAMPLES, 150, axis=0) + 0.2 * rng.standard_normal((450, 2))
    blurred = problems.from_data(x, np.repeat(LABELS, 150), "relu", penalty=PRICE, bias=False)
    run = flows.flow(blurred, flows.conic_sphere(blurred, 0.1, 0.1), circles(40), 4000)
    certificate = certificates.certify(blurred, h1(*run.state))
    assert certificate.proof
    assert certificate.gap < 5e-3
