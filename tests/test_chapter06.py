"""What chapter 6 says in words or derives by hand: the wrong sign, slopes, landscapes, bounds, and rest."""

import numpy as np
import pytest

from mfcourse import certificates, convex, experiments, flows, problems, starts
from mfcourse.measures import Measure, h1


def cloud(seed, m=40):
    rng = np.random.default_rng(seed)
    return 3 * rng.normal(size=m), rng.uniform(size=(m, 1))


def variation(problem, w, theta, at_w, at):
    """F'(mu)(w, theta) = w eta(theta) + c |w| of the cloud (w, theta), at points of Omega."""
    return at_w * problem.risk.potential(w, theta, at) + problem.penalty * np.abs(at_w)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_particle_of_the_wrong_sign_moves_to_0_at_a_speed_above_2c_plus_l(seed, sign):
    problem = problems.spikes(seed)
    w, theta = cloud(seed, m=400)
    excess = -(problem.penalty + sign * problem.risk.potential(w, theta, theta))  # l, over the bad set of this sign
    wrong = (excess > 0) & (sign * w < 0)
    speed, _ = flows.velocity(problem, w, theta)
    assert wrong.sum() > 20
    assert (sign * speed[wrong] > 2 * problem.penalty + excess[wrong] * (1 - 1e-12)).all()


@pytest.mark.parametrize("sign", [-1, 1])
def test_on_the_edge_of_the_bad_set_the_wrong_sign_moves_out_and_the_right_one_in(sign):
    problem, state = problems.spikes(5), cloud(5)
    places = np.linspace(0, 1, 4001)[:, None]
    value = problem.penalty + sign * problem.risk.potential(*state, places)
    (edge,) = np.nonzero(np.diff(np.sign(value)))
    outwards = np.sign(value[edge + 1] - value[edge])  # the side on which the value is positive
    _, slope = problem.risk.field(*state, (places[edge] + places[edge + 1]) / 2)
    assert len(edge) >= 4
    for weight in (-2.0, 2.0):
        motion = -weight * slope[:, 0]
        assert (np.sign(motion) == (outwards if sign * weight < 0 else -outwards)).all()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("w0", [1.0, -1.0, 0.25, 3.0])
def test_over_the_bad_set_the_wrong_sign_dies_out_in_time_and_none_enters(seed, w0):
    """From one line across the strip, with eta moving as it does; in steps of h each takes off more than 2 c h."""
    problem = problems.spikes(seed)
    alpha, beta = experiments.spike_steps(problem)
    alpha, beta, wanted = alpha / 4, beta / 12, -np.sign(w0)
    steps = int(np.ceil(abs(w0) / (2 * problem.penalty * alpha) - 1e-9))
    start = np.full(200, w0), starts.grid_start(200)[1]
    run = flows.flow(problem, flows.forward_backward(problem, alpha, beta), start, steps, record=range(steps + 1))
    over = [1 + wanted * problem.risk.potential(w, theta, theta) < 0 for w, theta in zip(run.w, run.theta, strict=True)]
    wrong = np.array(over) & (wanted * run.w < 0)
    assert wrong[0].any()
    assert np.array_equal(wrong[0], over[0])
    assert not (wrong[1:] & ~wrong[:-1]).any()
    assert not wrong[-1].any()
    assert over[-1].any()


def test_from_weight_1_on_seed_5_nobody_is_where_negative_mass_helps_at_first_and_in_time_all_over_there_are():
    problem = problems.spikes(5)
    alpha, beta = experiments.spike_steps(problem)
    start = np.ones(200), starts.grid_start(200)[1]
    run = flows.flow(problem, flows.forward_backward(problem, alpha, beta / 3), start, 4, record=range(5))
    counts = []
    for w, theta in zip(run.w, run.theta, strict=True):
        over = problem.risk.potential(w, theta, theta) > 1
        counts.append((int(over.sum()), int((w[over] <= 0).sum())))
    assert counts == [(68, 0), (59, 10), (53, 32), (50, 49), (50, 50)]
    assert certificates.certify(problem, h1(*experiments.spike_run(problem, start).state)).optimal


def test_from_weight_16_on_seed_5_nobody_is_where_mass_helps():
    """Positive mass helps nowhere, negative mass in most places, and nobody has w <= 0."""
    problem, start = problems.spikes(5), (np.full(200, 16.0), starts.grid_start(200)[1])
    eta = problem.risk.potential(*start, np.linspace(0, 1, 2000)[:, None])
    assert eta.min() > 0
    assert (eta > 1).mean() > 0.9


@pytest.mark.parametrize("seed", range(4))
def test_the_slope_along_a_mixture_is_a_difference_of_two_averages(seed):
    problem, mu, rho = problems.spikes(seed), cloud(seed), cloud(seed + 100)
    slope = variation(problem, *mu, *rho).mean() - variation(problem, *mu, *mu).mean()
    start, t = h1(*mu), 1e-6
    measured = (problem.objective((1 - t) * start + t * h1(*rho)) - problem.objective(start)) / t
    assert measured == pytest.approx(slope, rel=1e-3)


@pytest.mark.parametrize("problem", [problems.spikes(0), problems.spikes(3, lam=0.7)], ids=("2", ".7"))
def test_weight_squared_changes_at_the_rate_of_minus_the_integral_of_the_first_variation(problem):
    w, theta = cloud(1)
    w[::4] = 0
    speed, _ = flows.velocity(problem, w, theta)
    assert np.mean(w * speed) == pytest.approx(-variation(problem, w, theta, w, theta).mean(), rel=1e-12)


def test_for_two_homogeneous_problems_that_rate_is_twice_as_large():
    rng = np.random.default_rng(0)
    problem = problems.from_data(rng.normal(size=(30, 2)), rng.normal(size=30), "relu", penalty=0.3)
    w, theta = rng.normal(size=20), rng.normal(size=(20, 3))
    speed_w, speed_theta = flows.velocity(problem, w, theta)
    price = problem.penalty * (w**2 + (theta**2).sum(axis=1)) / 2
    first_variation = w * problem.risk.potential(w, theta, theta) + price
    rate = np.mean(w * speed_w + (theta * speed_theta).sum(axis=1))
    assert rate == pytest.approx(-2 * first_variation.mean(), rel=1e-10)


@pytest.mark.parametrize("seed", [0, 1, 4, 5])
def test_an_atom_bends_its_own_landscape_by_a_squared_slope_squared_over_lambda(seed):
    problem = problems.spikes(seed)
    w, theta = experiments.spike_flow(problem, 6).state
    bends = problem.risk.features.hessian(problem.risk.residual(w, theta), theta)[:, 0, 0]
    h = 1e-3
    for i in np.flatnonzero(w):
        moved = [problem.energy(w, theta + s * np.eye(len(w))[i][:, None]) for s in (-h, 0, h)]
        a = w[i] / len(w)
        formula = a * bends[i] + a**2 / problem.risk.loss.scale * 8 * np.pi**2 * 140
        assert (moved[0] - 2 * moved[1] + moved[2]) / h**2 == pytest.approx(formula, rel=2e-2)
        assert formula > 0


def test_of_the_six_at_rest_on_seed_0_three_rest_where_a_landscape_that_stands_still_would_let_them_go():
    problem = problems.spikes(0)
    w, theta = experiments.spike_flow(problem, 6).state
    bends = problem.risk.features.hessian(problem.risk.residual(w, theta), theta)[:, 0, 0]
    assert ((w * bends)[w != 0] < -100).sum() == 3
    assert (bends[w > 0] < -100).all()  # -eta has a valley at the positive particle


def test_with_one_vector_by_hand_no_measure_costs_less_than_4():
    """y = (3, 4), lambda = 2, phi the unit vector at an angle: the minimum by soft threshold is 5 - 1."""
    rng, y = np.random.default_rng(0), np.array([3.0, 4.0])
    for q, bound in ((np.array([1.0, 0.0]), 2.0), (np.array([0.6, 0.8]), 4.0)):
        assert y @ q - q @ q == pytest.approx(bound)
        for k in (1, 2, 5):
            masses, angles = 3 * rng.normal(size=k), rng.uniform(0, 7, size=k)
            f = np.stack([np.cos(angles), np.sin(angles)]) @ masses
            assert q @ f <= np.abs(masses).sum()
            assert ((y - f) ** 2).sum() / 4 + np.abs(masses).sum() >= bound
    best = 3 * y / 5
    assert ((y - best) ** 2).sum() / 4 + 3 == pytest.approx(4)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("lam", [0.5, 2.0])
def test_with_the_best_masses_the_bound_is_at_most_two_j_over_the_largest_potential(seed, lam):
    problem = problems.spikes(seed, lam=lam)
    nothing = certificates.certify(problem, Measure(np.zeros(0), np.zeros((0, 1))))
    assert nothing.gap == pytest.approx((1 - 1 / nothing.max_potential) ** 2, rel=1e-9)
    for k in (1, 2, 3):
        measure = convex.fixed_positions(problem, problem.truth.positions[:k] + 0.003).prune(1e-9)
        found = certificates.certify(problem, measure)
        risk = found.objective - measure.total_variation
        by_hand = (measure.total_variation + 2 * risk) / found.max_potential - risk / found.max_potential**2
        assert found.max_potential > 1
        assert found.dual == pytest.approx(by_hand, rel=1e-6)
        assert found.gap >= 1 - 2 / found.max_potential


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_the_truth_costs_more_than_the_minimum_and_one_light_is_cut_by_the_soft_threshold(noise):
    problem = problems.spikes(0, noise=noise)
    best = convex.certified_optimum(problem)
    assert problem.objective(problem.truth) > problem.objective(best) + 0.4
    one = problems.spikes(0, noise=0.0, n_spikes=1)
    cut = convex.certified_optimum(one)
    lam, mass = one.risk.loss.scale, np.abs(one.truth.weights).item()
    assert np.abs(cut.weights).item() == pytest.approx(mass - lam / 15)
    assert one.objective(one.truth) - one.objective(cut) == pytest.approx(lam / 30)


def test_five_lights_that_overlap_are_each_cut_by_more_than_one():
    problem = problems.spikes(0, noise=0.0)
    basis, signs = problem.risk.features.matrix(problem.truth.positions), np.sign(problem.truth.weights)
    cut = problem.risk.loss.scale * np.linalg.solve(basis.T @ basis, signs) * signs  # at the true places
    assert (cut > problem.risk.loss.scale / 15).all()
    best = convex.certified_optimum(problem)
    masses = best.weights[best.positions[:, 0].argsort()]
    assert (np.abs(problem.truth.weights) - np.abs(masses) > problem.risk.loss.scale / 15).all()


@pytest.mark.parametrize(("seed", "needed"), [(0, 1), (1, 2), (4, 2), (5, 1), (7, 3), (9, 1)])
def test_six_particles_in_a_trap_need_one_newcomer_or_two_or_three(seed, needed):
    problem = problems.spikes(seed)
    step = flows.forward_backward(problem, *experiments.spike_steps(problem))
    w, theta = experiments.spike_flow(problem, 6).state
    for count in range(needed + 1):
        certificate = certificates.certify(problem, h1(w, theta))
        assert certificate.optimal == (count == needed)
        start = np.append(w * (len(w) + 1) / len(w), 0.0), np.vstack([theta, certificate.worst])
        w, theta = flows.flow(problem, step, start, 20_000, stop=flows.until_settled(problem)).state


@pytest.mark.parametrize("seed", range(6))
def test_the_truth_breaks_the_second_condition_only(seed):
    problem = problems.spikes(seed)
    judged = certificates.certify(problem, problem.truth)
    assert judged.max_potential < 1
    assert judged.gap > 0.5
    first_variation = variation(problem, *problem.truth.particles(), *problem.truth.particles())
    assert (first_variation > 0).all()


@pytest.mark.parametrize("q", [(0.6, 0.8), (1.0, 0.0), (-0.28, 0.96)])
def test_a_quarter_of_a_square_is_at_least_a_product_with_a_unit_vector_minus_1(q):
    x = 3 * np.random.default_rng(0).normal(size=(500, 2))
    length = np.linalg.norm(x, axis=1)
    assert (length**2 / 4 >= length - 1).all()
    assert (length >= x @ np.array(q)).all()


@pytest.mark.parametrize("sign", [-1, 1])
def test_over_the_bad_set_nobody_of_weight_0_becomes_of_the_wrong_sign(sign):
    problem, (w, theta) = problems.spikes(5), cloud(5, m=200)
    w[::2] = 0
    excess = -(problem.penalty + sign * problem.risk.potential(w, theta, theta))
    speed, _ = flows.velocity(problem, w, theta)
    at_the_foot = (w == 0) & (excess > 0)
    assert at_the_foot.sum() > 20
    assert sign * speed[at_the_foot] == pytest.approx(excess[at_the_foot])
