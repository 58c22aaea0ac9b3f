"""What the proofs of chapter 5 use: steps of W_2 go down the first variation, two flows part no faster than e^Ct."""

import numpy as np
import pytest
from scipy.optimize import minimize

from mfcourse import experiments, flows, problems, starts, transport
from mfcourse.measures import Measure


def cloud(seed, m=20):
    rng = np.random.default_rng(seed)
    return rng.normal(size=m) * rng.choice([0, 1, 3], m), rng.uniform(size=(m, 1))


def neighbours(w, theta, seed, way):
    """The same particles, moved a little: some weights cross 0, and some arrive there."""
    rng = np.random.default_rng(seed)
    moved = w + way * rng.normal(size=w.shape)
    return np.where(rng.uniform(size=w.shape) < 0.2, 0, moved), theta + way / 100 * rng.normal(size=theta.shape)


def as_measure(w, theta):
    return Measure(np.full(len(w), 1 / len(w)), np.column_stack([w, theta]))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("way", [1e-3, 0.1, 1.0])
def test_squared_distances_of_two_flows_grow_at_most_in_proportion_to_themselves(seed, way):
    """D' <= C D with the constant of the proof: place, measure, and a price that only brings particles nearer."""
    problem = problems.spikes(seed)
    features, scale = problem.risk.features, problem.risk.loss.scale
    (w, theta), (v, tau) = cloud(seed), neighbours(*cloud(seed), seed, way)
    speed_w, speed_theta = flows.velocity(problem, w, theta)
    speed_v, speed_tau = flows.velocity(problem, v, tau)
    parted = np.mean((w - v) ** 2 + (theta - tau)[:, 0] ** 2)
    growth = 2 * np.mean((w - v) * (speed_w - speed_v) + ((theta - tau) * (speed_theta - speed_tau))[:, 0])
    r = max(np.abs(w).max(), np.abs(v).max())
    frequencies = 2 * np.pi * np.arange(1, 8)
    bend = np.sqrt(2 * (frequencies**4).sum())  # |phi''|; |phi| and |phi'| are known to the features
    slope = np.sqrt(features.norm_squared + r**2 * features.slope_squared)  # at most |dPhi|, and the slope of Phi
    force = np.linalg.norm(features.push(w, theta) - problem.risk.loss.target) / scale  # |R'|
    place = force * (np.sqrt(features.slope_squared) + r * bend)
    assert growth <= 2 * (place + slope**2 / scale) * parted


@pytest.mark.parametrize("seed", range(4))
def test_the_price_only_brings_particles_nearer(seed):
    problem = problems.spikes(seed)
    (w, theta), (v, tau) = cloud(seed), neighbours(*cloud(seed), seed, 0.5)
    from_price = []
    for weights, places in ((w, theta), (v, tau)):
        _, eta, _ = problem.risk(weights, places)
        from_price.append(flows.velocity(problem, weights, places)[0] + eta)
    assert (np.abs(from_price) <= 1 + 1e-9).all()
    assert ((w - v) * (from_price[0] - from_price[1]) <= 1e-9).all()


def test_one_short_step_of_w2_moves_mass_at_minus_the_slope_of_the_first_variation():
    """Minimised over all moves of the particles, with W_2 by a linear program: half the step, half the difference."""
    problem, m = problems.spikes(1), 5
    alpha, beta = experiments.spike_steps(problem)
    unit = np.sqrt(beta / alpha)  # of length, so that weights and positions move alike
    _, theta = starts.grid_start(m)
    w = np.array([2.0, -1.0, 3.0, -2.0, 1.0])
    speed_w, speed_theta = flows.velocity(problem, w, theta)
    velocity = np.append(speed_w, unit * speed_theta)
    start, gaps = as_measure(w, theta / unit), []
    for tau in (0.01, 0.005):

        def paid(move, tau=tau):
            y, places = w + move[:m], theta + unit * move[m:, None]
            fall_w, fall_theta = flows.velocity(problem, y, places)
            value = (move**2).sum() / (2 * tau) + m * problem.energy(y, places)
            return value, move / tau - np.append(fall_w, unit * fall_theta)

        move = minimize(paid, np.zeros(2 * m), jac=True, tol=1e-10).x
        end = as_measure(w + move[:m], theta / unit + move[m:, None])
        assert np.isclose(transport.wasserstein(start, end) ** 2, (move**2).sum() / m, rtol=1e-6)
        gaps.append(np.abs(move / tau - velocity).max())
    assert 1.7 < gaps[0] / gaps[1] < 2.2
    assert gaps[1] < 0.05 * np.abs(velocity).max()


def test_a_grid_is_nearer_to_the_uniform_density_than_independent_draws_by_the_root_of_their_number():
    """W_2 is 1 / (sqrt(12) m) from a grid; its square is about 1 / (6 m) in the mean from draws on a line."""
    fine = Measure(np.full(4096, 1 / 4096), (np.arange(4096)[:, None] + 0.5) / 4096)
    for m in (16, 64):
        grid = Measure(np.full(m, 1 / m), starts.grid_start(m)[1])
        assert np.isclose(transport.wasserstein(grid, fine), 1 / (np.sqrt(12) * m), rtol=1e-3)
        rng = np.random.default_rng(m)
        squares = []
        for _ in range(300):
            draws = Measure(np.full(m, 1 / m), starts.random_start(m, rng)[1])
            squares.append(transport.wasserstein(draws, fine) ** 2)
        assert abs(6 * m * np.mean(squares) - 1) < 0.2
