"""Claims of chapter 7 about runs: cones and rays, the kinetic identity, and starts that meet every ray."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from mfcourse import certificates, flows, problems, topology
from mfcourse.measures import h1


def polar(angle, radius):
    return np.asarray(radius)[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def balanced(angle, radius):
    """Particles of both signs at these angles and radii, |w| = |theta|."""
    return np.append(radius, -radius), np.tile(polar(angle, radius), (2, 1))


def plane(seed, penalty):
    teacher = problems.relu_teacher(seed)
    return problems.Problem(teacher.risk, penalty, teacher.truth)


def first_variation(problem, w, theta):
    """F'(mu)(w_i, theta_i), with V = (w^2 + |theta|^2) / 2, at the particles of mu themselves."""
    at_home = problem.risk.potential(w, theta, theta)
    return w * at_home + problem.penalty * (w**2 + (theta**2).sum(axis=-1)) / 2


def path(problem, w, theta, times):
    """The true flow, by an adaptive integrator: w (T, m) and theta (T, m, 2)."""
    m = len(w)

    def motion(_, u):
        speed_w, speed_theta = flows.velocity(problem, u[:m], u[m:].reshape(m, 2))
        return np.append(speed_w, speed_theta)

    span = times[0], times[-1]
    u = solve_ivp(motion, span, np.append(w, theta), "DOP853", times, rtol=1e-10, atol=1e-12).y.T
    return u[:, :m], u[:, m:].reshape(-1, m, 2)


@pytest.mark.parametrize("penalty", [0.0, 0.2])
def test_what_is_not_balanced_dies_out_at_the_rate_2c(penalty):
    """(w^2 - |theta|^2)' = -2c (w^2 - |theta|^2), in three lines."""
    rng, times = np.random.default_rng(0), np.linspace(0, 3, 7)
    w, theta = path(plane(11, penalty), rng.normal(size=6), rng.normal(size=(6, 2)), times)
    left = flows.balance(w, theta)
    np.testing.assert_allclose(left, np.exp(-2 * penalty * times)[:, None] * left[0], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("penalty", [0.0, 0.2])
def test_half_the_second_moment_changes_at_the_rate_of_minus_twice_the_mean_first_variation(penalty):
    """d/dt (1/2) int |u|^2 dmu = -2 int F'(mu) dmu, by Euler's identity for degree two."""
    problem, h = plane(8, penalty), 1e-3
    rng = np.random.default_rng(1)
    w, theta = path(problem, rng.normal(size=9), rng.normal(size=(9, 2)), np.array([0, h, 2 * h]))
    half_moment = (w**2 + (theta**2).sum(axis=-1)).mean(axis=-1) / 2
    wanted = -2 * first_variation(problem, w[1], theta[1]).mean()
    assert abs(wanted) > 0.1
    assert (half_moment[2] - half_moment[0]) / (2 * h) == pytest.approx(wanted, rel=1e-4)


def test_on_a_ray_of_a_cone_the_first_variation_at_the_unit_vector_gives_the_rate_of_growth():
    """rho' = -2 rho G(omega), G the first variation: on the cones this is r' = -r (c + s eta(e))."""
    problem, rng = plane(2, 0.1), np.random.default_rng(2)
    s, angle, r = rng.choice([-1.0, 1.0], 30), rng.uniform(0, 2 * np.pi, 30), rng.uniform(0.1, 3, 30)
    w, theta = s * r, polar(angle, r)
    eta = problem.risk.potential(w, theta, polar(angle, np.ones(30)))
    unit_w, unit_theta = s / 2**0.5, polar(angle, np.full(30, 0.5**0.5))
    g = unit_w * problem.risk.potential(w, theta, unit_theta) + problem.penalty / 2
    np.testing.assert_allclose(g, (problem.penalty + s * eta) / 2, atol=1e-12)
    speed_w, speed_theta = flows.velocity(problem, w, theta)
    rho = 2**0.5 * r
    along = (w * speed_w + np.vecdot(theta, speed_theta)) / rho
    np.testing.assert_allclose(along, -2 * rho * g, atol=1e-12)


def test_along_a_flow_directions_of_a_plane_do_not_depend_on_radii_that_others_do_not_feel():
    """A ray moves as one: tiny particles in the same direction at very different radii stay in one direction."""
    problem = plane(11, 0.05)
    w, theta = balanced(np.linspace(0, 6, 20), np.full(20, 0.1))
    r = np.geomspace(1e-9, 1e-6, 4)
    start = np.append(w, -r), np.vstack([theta, polar(np.full(4, 1.0), r)])
    run = flows.flow(problem, flows.conic_sphere(problem, 0.5, 0.5), start, 20)
    last = run.theta[-1, -4:]
    angle = np.arctan2(last[:, 1], last[:, 0])
    np.testing.assert_allclose(angle, angle[0], atol=1e-9)
    assert abs(angle[0] - 1) > 0.05
    np.testing.assert_allclose(run.w[-1, -4:] / -r, run.w[-1, -1] / -r[-1], rtol=1e-9)


def test_every_direction_can_be_rewound_and_the_map_of_directions_keeps_their_order():
    """So a start that meets every ray meets every ray for ever: with 60 particles, gaps of more than half a turn."""
    problem, beta, steps = plane(11, 0.05), 0.5, 40
    start = balanced(2 * np.pi * np.arange(60) / 60, np.full(60, 0.1))
    run = flows.flow(problem, flows.conic_sphere(problem, 0.5, beta), start, steps, range(steps + 1))
    assert topology.followed_gaps(run.theta[:, topology.loop(*start, 1)]).max() > np.pi

    def turned(angle, k):
        _, slope = problem.risk.field(run.w[k], run.theta[k], polar(angle, 1.0)[None])
        return angle - np.arctan(beta * slope[0] @ polar(angle + np.pi / 2, 1.0))

    targets = np.linspace(0, 2 * np.pi, 25)
    begun = targets
    for k in reversed(range(steps)):
        begun = np.array([brentq(lambda x: turned(x, k) - a, a - np.pi / 2, a + np.pi / 2) for a in begun])  # noqa: B023
    assert (np.diff(begun) > 0).all()
    assert begun[-1] - begun[0] == pytest.approx(2 * np.pi)
    tiny = np.full(25, 1e-7)
    grown = np.sqrt(145 / 120)  # the others keep their masses w r / m
    more = np.append(grown * start[0], tiny), np.vstack([grown * start[1], polar(begun, tiny)])
    last = flows.flow(problem, flows.conic_sphere(problem, 0.5, beta), more, steps).theta[-1, -25:]
    np.testing.assert_allclose(last / np.linalg.norm(last, axis=1)[:, None], polar(targets, np.ones(25)), atol=1e-3)


@pytest.mark.parametrize("seed", [2, 8, 11, 12])
def test_spirals_meet_every_ray_separate_nothing_and_end_optimal(seed):
    """Of the start, only that it meets every ray is used (degree two)."""
    problem = plane(seed, 0.1)
    start = balanced(2 * np.pi * np.arange(60) / 60, np.linspace(0.05, 0.2, 60))
    step, settled = flows.conic_sphere(problem, 0.5, 0.5), flows.until_settled(problem)
    run = flows.flow(problem, step, start, 1500, (), settled)
    assert certificates.certify(problem, h1(*run.state)).optimal


@pytest.mark.parametrize("seed", [10, 12])
def test_quarter_circles_leave_out_too_many_rays_for_some_teachers(seed):
    problem = plane(seed, 0.1)
    start = balanced(np.pi / 2 * np.arange(60) / 60, np.full(60, 0.1))
    step, settled = flows.conic_sphere(problem, 0.5, 0.5), flows.until_settled(problem)
    run = flows.flow(problem, step, start, 1500, (), settled)
    certificate = certificates.certify(problem, h1(*run.state))
    assert run.stopped
    assert certificate.gap > 0.1
    assert certificate.max_potential > 1.1


def test_a_circle_run_there_and_back_winds_not_at_all_and_its_points_leave_no_ray_out():
    """The winding number is sufficient, not necessary: the points of the second way are those of the first."""
    circle = polar(2 * np.pi * np.arange(200) / 200, np.ones(200))
    both_ways = np.vstack([circle, circle[::-1]])
    assert topology.winding_number(circle) == 1
    assert topology.winding_number(both_ways) == 0
    assert {tuple(point) for point in both_ways} == {tuple(point) for point in circle}
