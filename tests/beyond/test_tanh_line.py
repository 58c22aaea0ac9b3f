"""The example on a line: particles and grid have one energy, whose least value is that of two atoms."""

import numpy as np
import pytest

from mfcourse import flows
from mfcourse.beyond import tanh_line
from mfcourse.beyond.langevin import noisy
from mfcourse.stochastic import begin


def test_particles_and_the_grid_have_the_same_energy_and_the_same_potential():
    grid, problem = tanh_line.grid(0.1), tanh_line.problem()
    chosen = np.array([120, 200, 333])
    density = np.bincount(chosen, minlength=400) / (3 * tanh_line.WIDTH)
    w, theta = np.full(3, tanh_line.HEIGHT), tanh_line.POSITIONS[chosen, None]
    confined = tanh_line.CONFINEMENT / 2 * (theta**2).mean()
    assert grid.energy(density) == pytest.approx(problem.energy(w, theta) + confined, rel=1e-13)
    potential = tanh_line.HEIGHT * problem.risk.potential(w, theta, tanh_line.POSITIONS[:, None])
    np.testing.assert_allclose(grid.variation(density) - grid.confinement, potential, atol=1e-13)


def test_without_noise_the_best_measure_has_two_atoms():
    """Nothing is better, by the convexity of F: its first variation is nowhere below its mean over the two atoms."""
    least = tanh_line.least_energy()
    assert least == pytest.approx(0.0639767, abs=3e-6)  # 801 points find .06397672, 400 cells a little more
    grid = tanh_line.grid(1.0)
    left, right, share = -0.30, 1.66, 0.474
    atoms = np.abs(tanh_line.POSITIONS - np.array([[left], [right]])).argmin(axis=1)
    density = np.zeros(400)
    density[atoms] = np.array([share, 1 - share]) / tanh_line.WIDTH
    assert least <= grid.energy(density) <= least + 1e-3


def test_from_one_point_without_noise_all_particles_stay_one_atom_far_from_the_best():
    start = begin(np.full(5, tanh_line.HEIGHT), np.full((5, 1), 3.0))
    step = noisy(tanh_line.problem(), 0.05, 0.0, tanh_line.CONFINEMENT)
    run = flows.flow(tanh_line.problem(), step, start, 4000)
    assert np.ptp(run.theta[-1]) < 1e-12
    assert run.theta[-1, 0, 0] == pytest.approx(0.20821, abs=1e-5)
    energy = run.energy[-1] + tanh_line.CONFINEMENT / 2 * run.theta[-1, 0, 0] ** 2
    assert energy == pytest.approx(0.158777, abs=1e-6)
    assert energy > 2 * tanh_line.least_energy()
