"""Flows of networks: what they conserve, where they end, and the starts from which they cannot succeed."""

import numpy as np
import pytest

from mfcourse import flows, problems, starts
from mfcourse.certificates import certify
from mfcourse.measures import Measure, h1
from mfcourse.problems import Problem
from mfcourse.stochastic import begin, stochastic


def teacher(seed=4, penalty=0.0):
    problem = problems.relu_teacher(seed, 2, 4)
    return Problem(problem.risk, penalty, problem.truth)


def small(m, seed=4, **settings):
    return starts.sphere_start(m, np.random.default_rng([seed, m]), 2, **settings)


def of_nothing(problem):
    return problem.objective(Measure(np.zeros(0), np.zeros((0, 2))))


def test_what_the_flow_conserves_drifts_in_proportion_to_the_step():
    problem, (w, theta) = teacher(), small(10)
    drift = []
    for step in (0.1, 0.05, 0.025):
        run = flows.flow(problem, flows.gradient(problem, step, step), (w, theta), round(20 / step), record=())
        drift.append(np.abs(flows.balance(*run.state) - flows.balance(w, theta)).max())
    assert 1.5 < drift[0] / drift[1] < 2.7
    assert 1.5 < drift[1] / drift[2] < 2.7
    assert drift[2] < 0.2 < np.abs(run.state[0]).max()


@pytest.mark.parametrize("seed", [2, 7, 8])
@pytest.mark.parametrize("m", [20, 100])
def test_with_one_sign_missing_a_teacher_of_both_signs_is_out_of_reach(seed, m):
    """w^2 - |theta|^2 = .99 is conserved, so that no weight can pass 0 (conserved up to the step; none does)."""
    problem = teacher(seed)
    assert {*np.sign(problem.truth.weights)} == {-1, 1}
    _, theta = small(m, seed)
    run = flows.flow(problem, flows.gradient(problem, 0.25, 0.25), (np.ones(m), theta), 4000)
    assert (run.energy > 5e-2 * of_nothing(problem)).all()
    assert (run.w > 0).all()


@pytest.mark.parametrize("seed", [2, 7, 8])
def test_with_both_signs_the_same_teachers_are_reached(seed):
    problem = teacher(seed)
    run = flows.flow(problem, flows.gradient(problem, 0.25, 0.25), small(100, seed), 4000, record=())
    assert run.energy[-1] < 1e-2 * of_nothing(problem)


def test_a_penalty_ends_where_the_certificate_says_optimal_or_close():
    """Weight decay on ReLU: F_m decreases, its limit is balanced, and the gap on the circle is a proof."""
    problem = teacher(penalty=0.05)
    run = flows.flow(problem, flows.gradient(problem, 0.1, 0.1), small(60), 20_000)
    assert (np.diff(run.energy) <= 1e-12).all()
    assert np.abs(flows.balance(*run.state)).max() < 1e-6
    certificate = certify(problem, h1(*run.state))
    assert certificate.proof
    assert 0 <= certificate.gap < 1e-3
    assert certificate.dual <= problem.objective(problem.truth)


def test_forward_backward_has_the_same_fixed_points_as_the_gradient():
    problem = teacher(penalty=0.05)
    step = flows.forward_backward(problem, 0.1, 0.1)
    run = flows.flow(problem, step, small(10), 20_000, record=())
    speed_w, speed_theta = flows.velocity(problem, *run.state)
    assert np.abs(speed_w).max() < 1e-5
    assert np.abs(speed_theta).max() < 1e-5


def test_the_heavy_ball_without_momentum_is_the_gradient_and_with_it_the_formula():
    problem, start = teacher(), small(10)
    plain = flows.flow(problem, flows.gradient(problem, 0.2, 0.1), start, 30)
    light = flows.flow(problem, flows.heavy_ball(problem, 0.2, 0.1, 0), flows.at_rest(*start), 30)
    np.testing.assert_allclose(light.theta, plain.theta, rtol=1e-13)
    heavy = flows.flow(problem, flows.heavy_ball(problem, 0.2, 0.1, 0.9), flows.at_rest(*start), 3, record=range(4))
    for k in (1, 2):
        speed_w, speed_theta = flows.velocity(problem, heavy.w[k], heavy.theta[k])
        expected = heavy.w[k] + 0.9 * (heavy.w[k] - heavy.w[k - 1]) + 0.2 * speed_w
        np.testing.assert_allclose(heavy.w[k + 1], expected, rtol=1e-12)
        expected = heavy.theta[k] + 0.9 * (heavy.theta[k] - heavy.theta[k - 1]) + 0.1 * speed_theta
        np.testing.assert_allclose(heavy.theta[k + 1], expected, rtol=1e-12)


def test_conic_steps_stay_on_the_cones_and_tend_to_the_gradient_flow():
    problem, start = teacher(penalty=0.01), small(10)
    ends = []
    for h in (0.02, 0.01):
        conic = flows.flow(problem, flows.conic_sphere(problem, h, h), start, round(10 / h))
        plain = flows.flow(problem, flows.gradient(problem, h, h), start, round(10 / h), record=())
        assert np.abs(flows.balance(*conic.state)).max() < 1e-12
        assert (np.sign(conic.w) == np.sign(start[0])).all()
        assert (np.diff(conic.energy) <= 1e-14).all()
        ends.append(np.abs(conic.state[1] - plain.state[1]).max())
    assert ends[1] < 0.7 * ends[0]
    assert ends[1] < 0.1 * np.abs(plain.state[1]).max()


def test_weights_of_signed_squares_never_move():
    rng = np.random.default_rng(0)
    problem = problems.from_data(rng.normal(size=(50, 3)), rng.normal(size=50), "signed_square_relu", penalty=0.01)
    w, theta = starts.sphere_start(12, rng, 4, radius=1.0, weight=1.0)
    for step in (flows.gradient(problem, 0.05, 0.05), flows.forward_backward(problem, 0.05, 0.05)):
        run = flows.flow(problem, step, (w, theta), 200)
        assert (run.w == w).all()
        assert run.energy[-1] < run.energy[0]


def test_steps_of_the_wrong_kind_and_bad_settings_are_refused():
    relu, spikes = teacher(penalty=1.0), problems.spikes(0)
    for make in (flows.conic_mirror, lambda p, a, b: flows.forward_backward(p, a, b, "conic")):
        with pytest.raises(ValueError, match=r"problem must have bounded features, as \|w\| is vacuous for others"):
            make(relu, 0.1, 0.1)
    with pytest.raises(ValueError, match="problem must have ReLU features"):
        flows.conic_sphere(spikes, 0.1, 0.1)
    for momentum in (-0.1, 1.0, np.nan):
        with pytest.raises(ValueError, match="momentum must be"):
            flows.heavy_ball(relu, 0.1, 0.1, momentum)
    with pytest.raises(ValueError, match="step_w must be >= 0"):
        flows.heavy_ball(relu, -0.1, 0.1)


def test_a_start_on_a_sphere_has_the_lengths_and_signs_asked_for():
    w, theta = starts.sphere_start(50, np.random.default_rng(0), 7, radius=2.0, weight=0.5)
    np.testing.assert_allclose(np.linalg.norm(theta, axis=1), 2, rtol=1e-14)
    assert {*w} == {-0.5, 0.5}
    assert {*starts.sphere_start(50, np.random.default_rng(0), 7, signs=(1.0,))[0]} == {0.1}
    for settings in ({"radius": 0}, {"weight": -1}, {"radius": np.inf}):
        with pytest.raises(ValueError, match="must be a finite number"):
            starts.sphere_start(5, np.random.default_rng(0), 2, **settings)
    with pytest.raises(ValueError, match="m must be"):
        starts.sphere_start(0, np.random.default_rng(0), 2)


@pytest.mark.parametrize("kind", ["gradient", "heavy ball", "cones", "mini-batches"])
def test_a_network_that_diverges_says_so_and_leaves_a_finite_record(kind):
    problem, start = teacher(), small(10)
    step, state = {
        "gradient": (flows.gradient(problem, 60, 60), start),
        "heavy ball": (flows.heavy_ball(problem, 60, 60), flows.at_rest(*start)),
        "cones": (flows.conic_sphere(problem, 60, 60), start),
        "mini-batches": (stochastic(problem, 60, 60, 10), begin(*start)),
    }[kind]
    with pytest.raises(flows.FlowDiverged, match="take smaller steps") as caught:
        flows.flow(problem, step, state, 2000)
    assert np.isfinite(caught.value.run.energy).all()
    assert np.isfinite(caught.value.state[1]).all()


def test_a_network_that_dies_on_raw_data_is_named_with_the_remedy_and_learns_on_scaled_data():
    """Samples far from 0 on one side: the first large step turns every ReLU off, for good."""
    rng = np.random.default_rng(0)
    x = 500 + 100 * rng.normal(size=(80, 3))
    y = np.where(x[:, 0] > 500, 1.0, -1.0)
    raw = problems.from_data(x, y, "relu", loss="logistic")
    start = starts.sphere_start(30, rng, 4, radius=1.0, weight=1.0)
    with pytest.warns(flows.SilentNeurons, match="all neurons of the network are silent.*scale the samples"):
        run = flows.flow(raw, flows.gradient(raw, 0.1, 0.1), start, 100)
    assert run.energy[-1] == pytest.approx(np.log(2), rel=1e-12)
    scaled = problems.from_data((x - x.mean(axis=0)) / x.std(axis=0), y, "relu", loss="logistic")
    assert flows.flow(scaled, flows.gradient(scaled, 0.1, 0.1), start, 500).energy[-1] < 0.2


def test_a_start_on_the_sphere_has_its_radius_and_weight_and_may_weigh_nothing():
    w, theta = starts.sphere_start(50, np.random.default_rng(0), 3)
    np.testing.assert_allclose(np.linalg.norm(theta, axis=1), 0.1)
    assert set(w) == {-0.1, 0.1}
    w, theta = starts.sphere_start(5, np.random.default_rng(0), 3, radius=2, weight=0)
    np.testing.assert_allclose(np.linalg.norm(theta, axis=1), 2)
    assert not w.any()
