"""Loops: turns agree with crossings of a ray and survive what a flow may do; bad arcs hold their directions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcourse import flows, problems, topology
from mfcourse.measures import Measure, h1


def ring(n, radius=0.1, turns=1, shift=0.0):
    angle = 2 * np.pi * turns * (np.arange(n) + shift) / n
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def crossings(points):
    """The winding number by another method: signed crossings of the positive x-axis."""
    after = np.roll(points, -1, axis=0)
    up = (points[:, 1] < 0) & (after[:, 1] >= 0)
    down = (points[:, 1] >= 0) & (after[:, 1] < 0)
    cross = points[:, 0] * after[:, 1] - points[:, 1] * after[:, 0]
    return (up & (cross > 0)).sum() - (down & (cross < 0)).sum()


@given(st.integers(0, 10**6), st.integers(3, 40))
def test_angles_and_crossings_of_a_ray_count_the_same(seed, n):
    points = np.random.default_rng(seed).normal((0.3, -0.2), size=(n, 2))
    assert topology.winding_number(points) == crossings(points)


@pytest.mark.parametrize("turns", [-2, -1, 1, 3])
def test_a_circle_run_through_k_times_winds_k_times(turns):
    stack = np.stack([ring(40, turns=turns), ring(40, turns=turns) * 50])
    assert topology.winding_number(stack).tolist() == [turns, turns]
    assert topology.winding_number(ring(40, turns=turns) + np.array([0.2, 0])) == 0


def test_stretching_along_rays_and_turning_change_nothing_and_an_arc_winds_not_at_all():
    rng = np.random.default_rng(0)
    points = ring(30) * rng.uniform(0.01, 9, (30, 1))
    rotation = np.array([[0.6, -0.8], [0.8, 0.6]])
    assert topology.winding_number(points @ rotation) == topology.winding_number(points) == 1
    assert topology.winding_number(points @ np.diag([1, -1])) == -1
    assert topology.winding_number(ring(30)[:14]) == 0


def test_a_polygon_through_0_has_no_number():
    with pytest.raises(ValueError, match="has no direction"):
        topology.winding_number([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(ValueError, match="put a corner between"):
        topology.winding_number([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(ValueError, match="points must have shape"):
        topology.winding_number(np.ones((4, 3)))


def test_a_loop_lists_the_particles_of_its_sign_by_angle():
    w = np.array([1.0, -1.0, 2.0, 3.0, 0.0, -4.0])
    theta = np.array([[0.0, -1.0], [1.0, 0.0], [1.0, 1.0], [-1.0, 0.0], [1.0, 0.0], [0.0, 5.0]])
    assert topology.loop(w, theta, 1).tolist() == [2, 3, 0]
    assert topology.loop(w, theta, -1).tolist() == [1, 5]
    assert topology.loop(abs(w), theta, -1).tolist() == []
    with pytest.raises(ValueError, match="sign must be one of"):
        topology.loop(w, theta, 0)


def test_gaps_that_are_followed_exceed_half_a_turn_and_still_sum_to_a_whole_one():
    t = np.linspace(0, 1, 21)[:, None]
    angle = np.array([0.1, 2.0, 4.0]) + t * [-0.3, 2.0, 1.5]  # the first gap ends at 4.2 > pi
    paths = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * (1 + t[..., None])
    gaps = topology.followed_gaps(paths)
    np.testing.assert_allclose(gaps[:, :2], np.diff(angle, axis=1))
    np.testing.assert_allclose(gaps.sum(axis=1), 2 * np.pi)
    assert topology.winding_number(paths[0]) == 1
    assert topology.winding_number(paths[-1]) == 0  # the polygon takes the short side
    with pytest.raises(ValueError, match="recorded more often"):
        topology.followed_gaps(paths[::20])


def test_along_a_flow_with_both_circles_the_true_gaps_stay_ordered():
    teacher = problems.relu_teacher(10)
    problem = problems.Problem(teacher.risk, 0.05, teacher.truth)
    w, theta = np.repeat([0.1, -0.1], 40), np.concatenate([ring(40), ring(40)])
    run = flows.flow(problem, flows.conic_sphere(problem, 0.5, 0.5), (w, theta), 100, record=range(101))
    for sign in (1, -1):
        paths = run.theta[:, topology.loop(w, theta, sign)]
        gaps = topology.followed_gaps(paths)
        assert gaps.min() > -1e-12
        np.testing.assert_allclose(gaps.sum(axis=1), 2 * np.pi)
        resolved = gaps.max(axis=1) < np.pi - 1e-3
        assert resolved[:30].all()
        assert (topology.winding_number(paths[resolved]) == 1).all()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("level", [0.0, 0.02, 0.1])
def test_bad_arcs_are_where_the_first_variation_is_negative_and_directions_cannot_leave_them(sign, level):
    teacher = problems.relu_teacher(10)
    problem = problems.Problem(teacher.risk, 0.05, teacher.truth)
    measure = Measure(np.array([-1.0, 2.0]), np.array([[1.0, 0.2], [-0.3, 0.9]]))
    arcs = topology.bad_arcs(problem, measure, sign, level)
    assert len(arcs)
    angles = np.linspace(0, 2 * np.pi, 999)
    at = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    bad = problem.penalty + sign * problem.risk.potential(*measure.particles(), at) < -level
    inside = np.any([(angles - a) % (2 * np.pi) < b - a for a, b in arcs], axis=0)
    np.testing.assert_array_equal(bad, inside)
    for k, ends in enumerate(arcs.T):
        at = np.stack([np.cos(ends), np.sin(ends)], axis=-1)
        eta, slope = problem.risk.field(*measure.particles(), at)
        np.testing.assert_allclose(problem.penalty + sign * eta, -level, atol=1e-10)
        turning = -sign * (slope[:, 1] * at[:, 0] - slope[:, 0] * at[:, 1])
        assert (turning > 0 if k == 0 else turning < 0).all()


def test_an_arc_across_the_angle_0_is_listed_last_with_an_end_beyond_one_turn():
    teacher = problems.relu_teacher(12)
    problem = problems.Problem(teacher.risk, 0.05, teacher.truth)
    measure = Measure(np.array([-1.0, 2.0]), np.array([[1.0, 0.2], [-0.3, 0.9]]))
    arcs = topology.bad_arcs(problem, measure, 1)
    eta = problem.risk.potential(*measure.particles(), np.stack([np.cos(arcs), np.sin(arcs)], axis=-1).reshape(-1, 2))
    np.testing.assert_allclose(eta, -problem.penalty, atol=1e-10)
    assert (arcs[:, 0] < arcs[:, 1]).all()
    assert arcs[0, 1] < arcs[1, 0] < 2 * np.pi < arcs[1, 1]


@pytest.mark.parametrize("sign", [1, -1])
def test_where_the_risk_is_0_rounding_is_not_called_bad(sign):
    for seed in range(12):
        teacher = problems.relu_teacher(seed)
        assert topology.bad_arcs(teacher, teacher.truth, sign).shape == (0, 2)


def test_angles_of_single_precision_are_as_exact_as_their_points():
    through_zero = np.array([[-1, 0], [1, 0], [0, 1]], dtype=np.float32)
    with pytest.raises(ValueError, match="opposite directions"):
        topology.winding_number(through_zero)


def test_stacks_and_weights_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match=r"w must have shape \(m,\)"):
        topology.loop(np.ones((2, 3)), np.ones((2, 3, 2)), 1)
    with pytest.raises(ValueError, match="w must be finite"):
        topology.loop(np.array([1.0, np.nan, 1.0]), np.ones((3, 2)), 1)
    with pytest.raises(ValueError, match=r"paths must have shape \(T, n, 2\)"):
        topology.followed_gaps(np.ones((2, 5, 3, 2)))


def test_no_bad_arc_at_the_truth_and_the_whole_circle_if_all_is_bad():
    teacher = problems.relu_teacher(10)
    assert topology.bad_arcs(problems.Problem(teacher.risk, 0.05), teacher.truth, 1).shape == (0, 2)
    heavy = Measure(-50 * np.ones(8), ring(8, 1.0))
    assert topology.bad_arcs(teacher, heavy, 1).tolist() == [[0.0, 2 * np.pi]]
    with pytest.raises(ValueError, match="ReLU features in the plane"):
        topology.bad_arcs(problems.spikes(0), h1(np.ones(1), np.ones((1, 1))), 1)
