"""The steps of the proof of Thm 3.5 as chapter 8 tells them: the wrong sign dies out, and h1 alone is enough."""

import numpy as np
import pytest

from mfcourse import experiments, flows, problems, starts
from mfcourse.certificates import certify
from mfcourse.measures import h1
from mfcourse.penalties import soft_threshold

MARGIN, PIECE = 0.5, 0.01


@pytest.fixture(scope="module", params=[2, 5, 8])
def trap(request):
    """A problem and a run at rest that is not optimal: all particles began on an arc."""
    problem = problems.spikes(request.param)
    run = experiments.spike_run(problem, starts.grid_start(100, arc=0.2))
    assert not certify(problem, h1(*run.state)).optimal
    return problem, run.state


def over(trap, theta, sign, margin=MARGIN):
    """Which positions belong to K, where mass of this sign would help by the margin."""
    problem, state = trap
    return 1 + sign * problem.risk.potential(*state, theta) < -margin


def drift(trap, w, theta, steps):
    """Test particles in the field of the trap, which does not move: weights and positions at all times."""
    problem, state = trap
    step_w, step_theta = experiments.spike_steps(problem)
    path = [(w, theta)]
    for _ in range(steps):
        eta, slope = problem.risk.field(*state, theta)
        w, theta = (
            soft_threshold(w - PIECE * eta, PIECE),
            theta - PIECE * step_theta / step_w * w[:, None] * slope,
        )
        path.append((w, theta))
    return path


@pytest.mark.parametrize("sign", [1, -1])
def test_over_the_bad_set_the_wrong_sign_is_faster_than_2c_plus_the_margin_and_weight_0_than_the_margin(trap, sign):
    problem, (w, theta) = trap
    places = np.random.default_rng(0).uniform(size=(400, 1))
    places = places[over(trap, places, sign)]
    assert len(places) > 10
    for weight, least in ((-sign * 0.7, 2 + MARGIN), (0.0, MARGIN), (sign * 0.7, MARGIN)):
        eta = problem.risk.potential(w, theta, places)
        speed = problem.descent(np.full(len(places), weight), places, eta, np.zeros_like(places))[0]
        assert (sign * speed > least).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_after_the_time_of_the_lemma_all_over_the_bad_set_have_the_wanted_sign_and_none_entered_with_the_other(
    trap, sign
):
    _, grid = starts.grid_start(200)
    path = drift(trap, np.full(200, -sign * 1.0), grid, 100)
    inside = np.array([over(trap, theta, sign) for _, theta in path])
    wrong = sign * np.array([w for w, _ in path]) < 0
    late = int(np.ceil(1 / (2 + MARGIN) / PIECE))
    assert (inside[0] & wrong[0]).sum() > 10
    assert (inside[late:].sum(axis=1) > 10).all()
    assert not (inside & wrong)[late:].any()
    assert not (inside[1:] & ~inside[:-1] & wrong[:-1]).any()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_nobody_leaves_the_bad_cone_not_even_from_weight_0_and_weights_in_it_grow(trap, sign, weight):
    _, grid = starts.grid_start(200)
    path = drift(trap, np.full(200, sign * weight), grid, 150)
    inside = np.array([over(trap, theta, sign) for _, theta in path])
    assert not (inside[:-1] & ~inside[1:]).any()
    assert (sign * path[-1][0][inside[0]] > weight + 150 * PIECE * MARGIN).all()


def test_from_weight_1_nobody_is_in_the_bad_cone_at_first_and_everybody_over_it_after_four_steps():
    """Seed 5, 200 particles: "somebody is always there" is false, "sooner or later" is true."""
    problem = problems.spikes(5)
    step = flows.forward_backward(problem, *experiments.spike_steps(problem))
    w, theta = np.ones(200), starts.grid_start(200)[1]
    counts = []
    for _ in range(6):
        bad = problem.risk.potential(w, theta, theta) > 1
        counts.append((bad.sum(), (w[bad] <= 0).sum()))
        w, theta = step(w, theta)
    assert counts[0] == (68, 0)
    assert 0 < counts[1][1] < counts[2][1] < counts[3][1]
    assert counts[4][0] == counts[4][1] > 40
    assert counts[5][0] == counts[5][1] > 40


@pytest.mark.parametrize("weight", [0.0, 1.0, -1.0])
def test_the_squares_of_weights_change_at_minus_twice_the_integral_that_vanishes_at_the_end(weight):
    """d/dt (1/2) int w^2 dmu = -int (w eta + c |w|) dmu, and then the particles pay what their deposit costs."""
    problem = problems.spikes(5)
    run = experiments.spike_run(problem, (np.full(100, weight), starts.grid_start(100)[1]))
    for w, theta in zip(run.w, run.theta, strict=True):
        total = (w * problem.risk.potential(w, theta, theta) + problem.penalty * np.abs(w)).mean()
        speed, _ = flows.velocity(problem, w, theta)
        assert (w * speed).mean() == pytest.approx(-total, abs=1e-9)
    assert total == pytest.approx(0, abs=1e-4)
    deposit = h1(*run.state).merge(1e-3, period=1)
    assert np.abs(run.state[0]).mean() == pytest.approx(deposit.total_variation, rel=1e-4)


def test_far_out_a_sigmoid_moves_by_the_root_of_the_angle_so_3a_cannot_hold_for_every_f():
    """|1{e.x > 0} - 1{e'.x > 0}|^2 in L2 of a Gaussian x in the plane is angle / pi: Hoelder with exponent 1/2."""
    x = np.random.default_rng(0).standard_normal((200_000, 2))
    for angle in (0.4, 0.1, 0.025):
        moved = (x[:, 0] > 0) != (np.cos(angle) * x[:, 0] + np.sin(angle) * x[:, 1] > 0)
        assert moved.mean() == pytest.approx(angle / np.pi, rel=0.05)


def test_no_measure_on_the_line_reaches_the_infimum_that_mass_at_infinity_would_have():
    x, c = np.concatenate([-np.linspace(0.5, 2, 10), np.linspace(0.5, 2, 10)])[:, None], 0.3
    problem = problems.from_data(x, np.sign(x[:, 0]), "tanh", penalty=c, bias=False)
    rng = np.random.default_rng(0)
    least = c - c**2 / 2
    for size in (1.0, 5.0, 15.0):
        w, theta = rng.normal(size=(50, 4)), size * rng.normal(size=(50, 4, 1))
        assert (problem.energy(w, theta) > least).all()
    far = problem.energy(np.full(1, 1 - c), np.full((1, 1), 20.0))
    assert least < far < least + 1e-4
