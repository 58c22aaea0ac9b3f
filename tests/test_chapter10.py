"""What chapter 10 says of its runs: the price of a kink, starts that are no fence, and samples that tear one."""

import numpy as np
import pytest

from mfcourse import flows, problems, starts
from mfcourse.certificates import certify
from mfcourse.features import Neurons
from mfcourse.measures import Measure, h1

SAMPLES, LABELS, PENALTY = np.array([0, 0.6, 1.2]), np.array([1, 0.5, 1]), 0.01


def ray(angle):
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def around(n):
    return 2 * np.pi * np.arange(n) / n


def on_samples(width=0.0, copies=1):
    """The three samples, each smeared over +-width radians."""
    angles = SAMPLES[:, None] + np.linspace(-width, width, copies)
    return problems.from_data(ray(angles.ravel()), np.repeat(LABELS, copies), "relu", penalty=PENALTY, bias=False)


def from_two_circles(problem, n, radius, steps=3000):
    """The positive circle comes first."""
    start = np.repeat([radius, -radius], n), radius * ray(np.tile(around(n), 2))
    return flows.flow(problem, flows.conic_sphere(problem, 0.2, 0.2), start, steps, record=())


def seen(theta):
    """How many of the three samples each neuron sees."""
    return (theta @ ray(SAMPLES).T > 0).sum(axis=1)


def of_a_linear_function():
    """The least J of a linear function, which lies along the middle sample, and max |eta| / c there, by hand."""
    cosine = np.cos(0.6)
    a = (2 * cosine + 0.5 - 3 * PENALTY) / (2 * cosine**2 + 1)
    values = a * np.array([cosine, 1, cosine])
    return ((values - LABELS) ** 2).mean() / 2 + PENALTY * a, (1 - a * cosine) / 3 * np.sin(0.6) / PENALTY


@pytest.mark.parametrize("n", [50, 100])
@pytest.mark.parametrize("radius", [0.1, 0.001])
def test_on_three_samples_full_circles_end_as_a_linear_function_and_this_is_no_minimum(n, radius):
    problem = on_samples()
    run = from_two_circles(problem, n, radius)
    certificate = certify(problem, h1(*run.state))
    objective, potential = of_a_linear_function()
    assert np.isclose(certificate.objective, objective, atol=1e-8)
    assert np.isclose(certificate.max_potential, potential, atol=1e-5)
    assert certificate.proof
    assert certificate.gap > 0.6
    speed_w, speed_theta = flows.velocity(problem, *run.state)
    assert max(np.abs(speed_w).max(), np.abs(speed_theta).max()) < 1e-4


@pytest.mark.parametrize("n", [50, 100, 400])
def test_the_fence_tears_at_the_edge_of_the_dead_cone(n):
    """Those who see some sample come to see all, those who see none stay where they are."""
    problem = on_samples()
    start = seen(ray(around(n)))
    later = from_two_circles(problem, n, 0.1, steps=100).state[1][:n]
    assert (start == 0).any()
    assert ((start > 0) & (start < 3)).any()
    assert set(seen(later)[start > 0]) == {3}
    dead = later[start == 0]
    assert np.allclose(dead / np.linalg.norm(dead, axis=1, keepdims=True), ray(around(n))[start == 0])


def test_on_samples_the_velocity_jumps_and_on_the_mean_over_x_it_does_not():
    """Turned by less and less over the edge of the dead cone, the change stays |y|/3, or goes to 0 like the angle."""
    nobody = np.zeros(1), np.ones((1, 2))
    edge = 1.2 + np.pi / 2  # the last sample is seen below it, none above
    teacher = problems.relu_teacher(4)
    for turn in (1e-3, 1e-6):
        below, above = ray(np.array([[edge - turn], [edge + turn]]))
        jumps = []
        for problem in (on_samples(), teacher):
            _, slopes = problem.risk.field(*nobody, np.concatenate([below, above]))
            jumps.append(np.linalg.norm(slopes[1] - slopes[0]))
        assert np.isclose(jumps[0], 1 / 3, rtol=0.01)
        assert jumps[1] < 10 * turn


def test_smeared_samples_keep_stragglers_and_close_the_gap():
    problem = on_samples(width=0.1, copies=41)
    gaps = {}
    for n in (50, 100):
        run = from_two_circles(problem, n, 0.1)
        gaps[n] = certify(problem, h1(*run.state)).gap
        some = (seen(run.state[1][:n]) > 0) & (seen(run.state[1][:n]) < 3)
        assert some.sum() >= 2
    assert gaps[100] < 0.005 < 0.02 < gaps[50]


def test_a_smaller_start_on_smeared_samples_needs_more_neurons():
    problem = on_samples(width=0.2, copies=41)
    gaps = {n: certify(problem, h1(*from_two_circles(problem, n, 0.02).state)).gap for n in (25, 100)}
    assert gaps[100] < 0.005
    assert gaps[25] > 0.05


def test_two_circles_in_space_separate_nothing_and_a_sphere_does():
    """A path from 0 to infinity stays away from the circles; every path, straight or not, meets the sphere."""
    ring = 0.1 * ray(around(400))
    circles = np.concatenate([np.column_stack([np.full(400, w), ring]) for w in (1.0, -1.0)])
    path = np.linspace(0, 10, 1000)[:, None] * np.array([0.0, 1.0, 0.0])  # along the ray with w = 0
    assert np.linalg.norm(path[:, None] - circles, axis=-1).min() >= 1
    rng = np.random.default_rng(0)
    for _ in range(100):
        corners = np.concatenate(
            [np.zeros((1, 3)), rng.normal(size=(4, 3)), 9 * rng.normal(size=(1, 3)) + [[20, 0, 0]]]
        )
        steps = np.interp(np.linspace(0, 5, 5001), np.arange(6), np.arange(6))
        path = np.stack([np.interp(steps, np.arange(6), corner) for corner in corners.T], axis=-1)
        radius = np.linalg.norm(path, axis=1)
        assert (np.diff(radius > 1)).any()  # it is inside the unit sphere, then outside: somewhere it is on it


def test_one_circle_on_each_cone_meets_every_ray_of_it_and_the_flow_keeps_the_cones():
    problem = problems.relu_teacher(8)
    w, theta = np.repeat([0.1, -0.1], 100), 0.1 * ray(np.tile(around(100), 2))
    run = flows.flow(problem, flows.gradient(problem, 1e-3, 1e-3), (w, theta), 300, record=())
    assert np.abs(flows.balance(*run.state)).max() < 1e-4
    assert (np.sign(run.state[0]) == np.sign(w)).all()


def test_seed_8_is_not_learnt_from_two_circles_off_the_cones_and_is_from_a_sphere():
    problem = problems.relu_teacher(8)
    whole = problem.objective(Measure(np.zeros(0), np.zeros((0, 2))))
    w, theta = starts.sphere_start(100, np.random.default_rng([8, 100]), 2)
    u = np.random.default_rng(0).standard_normal((100, 3))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    even = np.repeat([1.0, -1.0], 50), 0.1 * ray(np.tile(around(50), 2))
    kinds = {"random circles": (np.sign(w), theta), "even circles": even, "sphere": (u[:, 0], u[:, 1:])}
    step, left = flows.gradient(problem, 0.25, 0.25), {}
    for name, start in kinds.items():
        left[name] = flows.flow(problem, step, start, 4000, record=()).energy[-1] / whole
    assert min(left["random circles"], left["even circles"]) > 0.01
    assert left["sphere"] < 1e-4


def slope_changes(turns):
    """|T_e - T_e'| in L2 for normal x in the plane, T_e(x) = x 1{e.x > 0}: E|x|^2 = 2 and the share of the wedges."""
    angles = ray(around(1_000_000) + 1e-7)
    return [np.sqrt(2 * ((angles @ ray(0.0) > 0) != (angles @ ray(turn) > 0)).mean()) for turn in turns]


def power(turns, changes):
    return np.polyfit(np.log(turns), np.log(changes), 1)[0]


def test_the_slope_of_a_neuron_changes_like_the_root_of_the_angle_and_the_velocity_like_the_angle():
    problem, student = problems.relu_teacher(4), starts.sphere_start(10, np.random.default_rng([4, 10]), 2)
    at, turns = around(360), np.logspace(-3, -1, 7)
    velocities = []
    for turn in turns:
        before, after = (problem.risk.field(*student, ray(at + shift))[1] for shift in (0, turn))
        velocities.append(np.linalg.norm(after - before, axis=1).max())
    assert abs(power(turns, slope_changes(turns)) - 0.5) < 0.01
    assert abs(power(turns, velocities) - 1) < 0.02
    worst = np.abs(Neurons(ray(at), "relu").push(*student) - problem.risk.taught(ray(at))).max()
    assert (np.array(velocities) <= worst * 2 * turns / np.pi * 1.001).all()
