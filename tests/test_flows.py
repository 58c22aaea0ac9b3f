"""Flows: every step against the mathematics it discretises, and a loop that records, stops, resumes and fails well."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from mfcourse import convex, experiments, flows, motion, penalties, problems, starts
from mfcourse.certificates import gap
from mfcourse.losses import Squared
from mfcourse.problems import Problem
from mfcourse.risks import FeatureRisk

A, B = 2 / 15, 6e-6  # the recipe for lambda = 2


@pytest.fixture(scope="module")
def problem():
    return problems.spikes(0)


def random_particles(m, seed=0, dimension=1):
    rng = np.random.default_rng(seed)
    return rng.normal(size=m), rng.uniform(size=(m, dimension))


@pytest.mark.parametrize(
    ("m", "steps", "energy"), [(6, 200, 10.512065048095), (10, 200, 5.101392662213), (100, 100, 5.134568275593)]
)
def test_forward_backward_reproduces_the_reference_energies(problem, m, steps, energy):
    run = flows.flow(problem, flows.forward_backward(problem, A, B), starts.grid_start(m), steps)
    assert run.energy[-1] == pytest.approx(energy, abs=1e-11)


def test_soft_threshold_is_the_proximal_map_of_the_absolute_value():
    x, level = np.linspace(-3, 3, 41), 0.7
    trial = np.linspace(-4, 4, 800_001)
    cost = [trial[np.argmin((trial - y) ** 2 / 2 + level * np.abs(trial))] for y in x]
    np.testing.assert_allclose(penalties.soft_threshold(x, level), cost, atol=1.1e-5)


@pytest.mark.parametrize("dimension", [1, 2])
def test_velocity_is_minus_m_times_the_gradient_of_the_energy(dimension):
    problem = problems.spikes(1, dimension=dimension)
    w, theta = random_particles(5, dimension=dimension)
    speed_w, speed_theta = flows.velocity(problem, w, theta)
    h, m = 1e-6, len(w)
    for i in range(m):
        e = np.eye(m)[i] * h
        slope = (problem.energy(w + e, theta) - problem.energy(w - e, theta)) / (2 * h)
        assert speed_w[i] == pytest.approx(-m * slope, rel=1e-6, abs=1e-6)
        for j in range(dimension):
            e = np.zeros(theta.shape)
            e[i, j] = h
            slope = (problem.energy(w, theta + e) - problem.energy(w, theta - e)) / (2 * h)
            assert speed_theta[i, j] == pytest.approx(-m * slope, rel=1e-5, abs=1e-4)


def test_a_particle_of_weight_zero_waits_until_the_potential_leaves_the_band(problem):
    w, theta = np.zeros(200), starts.grid_start(200)[1]
    eta = problem.risk.potential(w, theta, theta)
    speed_w, speed_theta = flows.velocity(problem, w, theta)
    inside = np.abs(eta) <= 1
    assert 0 < inside.sum() < 200
    assert (speed_w[inside] == 0).all()
    np.testing.assert_allclose(np.abs(speed_w[~inside]), np.abs(eta[~inside]) - 1)
    assert (speed_theta == 0).all()


@pytest.mark.parametrize("start_w", [0.0, 0.3])
def test_energy_never_increases_along_small_forward_backward_steps(problem, start_w):
    _, theta = starts.grid_start(12)
    step = flows.forward_backward(problem, A / 4, B / 4)
    run = flows.flow(problem, step, (np.full(12, start_w), theta), 1500, record=range(1501))
    assert (np.diff(run.energy) <= 1e-12).all()
    assert run.energy[-1] < 0.6 * run.energy[0]


@pytest.mark.parametrize("name", ["forward_backward", "gradient"])
def test_steps_converge_to_the_gradient_flow_of_an_adaptive_integrator(problem, name):
    """One unit of time of u' = v(u), w by (a, b) -> (h, h r); away from w = 0, where both are smooth."""
    w, theta = random_particles(4, seed=3)
    w += np.sign(w)
    ratio, end, m = B / A, 0.02, 4

    def field(_, u):
        speed_w, speed_theta = flows.velocity(problem, u[:m], u[m:, None])
        return np.r_[speed_w, ratio * speed_theta[:, 0]]

    exact = solve_ivp(field, (0, end), np.r_[w, theta[:, 0]], rtol=1e-11, atol=1e-12).y[:, -1]
    errors = []
    for number in (200, 400):
        h = end / number
        run = flows.flow(problem, getattr(flows, name)(problem, h, ratio * h), (w, theta), number)
        errors.append(np.abs(np.r_[run.state[0], run.state[1][:, 0]] - exact).max())
    assert errors[0] < 1e-2
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)


def test_finer_grids_approach_one_flow_of_measures(problem):
    """Thm 2.6: at a fixed time the distance to the limit is of order 1/m for grids; bounded by the coupling of equal
    starts, which is a plan."""
    step, fine = flows.forward_backward(problem, A, B / 3), 4096
    w_limit, theta_limit = flows.flow(problem, step, starts.grid_start(fine), 30, record=()).state
    distance = []
    for m in (64, 128, 256, 512):
        w, theta = (
            np.repeat(part, fine // m, axis=0) for part in flows.flow(problem, step, starts.grid_start(m), 30).state
        )
        distance.append(np.sqrt(np.mean((w - w_limit) ** 2 + (2 * np.pi * (theta - theta_limit)[:, 0]) ** 2)))
    np.testing.assert_allclose(np.divide(distance[:-1], distance[1:]), 2, rtol=0.1)


def test_the_conic_metric_moves_positions_regardless_of_mass(problem):
    w, theta = random_particles(6)
    _, _, slope = problem.risk(w, theta)
    _, moved = flows.forward_backward(problem, A, 1e-5, metric="conic")(w, theta)
    np.testing.assert_allclose(moved - theta, -1e-5 * np.sign(w)[:, None] * slope, rtol=1e-9)


def test_conic_mirror_descent_is_a_gradient_step_on_the_square_root_of_the_weight(problem):
    """With w = s r^2, r' = -dJ/dr / 2 ... gives w' = -4 w (c + s eta): compared with its exponential."""
    w, theta = random_particles(6)
    eta, small = problem.risk(w, theta)[1], 1e-7
    scaled, _ = flows.conic_mirror(problem, small, 1e-5)(w, theta)
    np.testing.assert_allclose((scaled - w) / small, -4 * w * (1 + np.sign(w) * eta), rtol=1e-4)


def test_conic_mirror_descent_keeps_every_sign_and_so_fails_with_one_sign_missing():
    problem = problems.spikes(0)  # its spikes have both signs
    _, theta = starts.grid_start(60)
    step = flows.conic_mirror(problem, 2 / 150, 1e-4)
    run = flows.flow(problem, step, (np.full(60, 0.25), theta), 3000)
    assert (run.state[0] > 0).all()
    assert gap(problem, *run.state) > 0.1


def test_conic_mirror_descent_succeeds_from_pairs_of_signs(problem):
    _, theta = starts.grid_start(50)
    start = (np.r_[np.full(50, 0.25), np.full(50, -0.25)], np.r_[theta, theta])
    run = flows.flow(problem, flows.conic_mirror(problem, 2 / 75, 6e-5), start, 2000)
    assert gap(problem, *run.state) < 1e-6


@pytest.mark.parametrize("weight", [0.25, 1.0, -1.0])
def test_the_euclidean_flow_succeeds_from_one_sign_since_its_start_still_separates(problem, weight):
    _, theta = starts.grid_start(60)
    step = flows.forward_backward(problem, A, B)
    run = flows.flow(problem, step, (np.full(60, weight), theta), 30_000, stop=flows.until_settled(problem))
    assert gap(problem, *run.state) <= 1e-8


def test_energy_decreases_at_the_rate_of_the_dissipation(problem):
    """d/dt F_m = -(1/m) sum |u'|^2 (Prop. 2.3), by the trapezoidal rule along a fine Euler run."""
    w, theta = random_particles(5, seed=2)
    w += np.sign(w)
    h = 1e-7
    run = flows.flow(problem, flows.gradient(problem, h, h), (w, theta), 200, record=range(201))
    rates = np.array([flows.dissipation(problem, *state) for state in zip(run.w, run.theta, strict=True)])
    lost = h * (rates[1:] + rates[:-1]).sum() / 2
    assert run.energy[0] - run.energy[-1] == pytest.approx(lost, rel=1e-3)


@pytest.mark.parametrize("make", [flows.forward_backward, flows.gradient, flows.conic_mirror])
def test_a_stack_with_its_own_problem_and_steps_for_each_run_equals_a_loop(make):
    seeds, scale = range(3), np.array([1.0, 0.5, 0.25])
    singles = [problems.spikes(seed) for seed in seeds]
    starts = [random_particles(7, seed) for seed in seeds]
    start = tuple(np.stack(part) for part in zip(*starts, strict=True))
    together = problems.stack(singles)
    run = flows.flow(together, make(together, A * scale / 4, B * scale), start, 50)
    for k in seeds:
        step = make(singles[k], A * scale[k] / 4, B * scale[k])
        alone = flows.flow(singles[k], step, starts[k], 50)
        np.testing.assert_allclose(run.state[0][k], alone.state[0], rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(run.state[1][k], alone.state[1], rtol=1e-12)
        np.testing.assert_allclose(run.energy[:, k], alone.energy, rtol=1e-12)


@pytest.mark.parametrize("step_w", [np.full(6, A), np.full((6, 6), A)])
def test_step_sizes_that_would_turn_a_run_into_a_stack_are_refused(problem, step_w):
    with pytest.raises(ValueError, match=r"step sizes must be of the runs \(\) of w"):
        flows.flow(problem, flows.forward_backward(problem, step_w, B), random_particles(6), 5)


def test_the_callers_arrays_and_the_run_are_kept_apart(problem):
    w, theta = random_particles(5)
    run = flows.flow(problem, flows.forward_backward(problem, A, B), (w, theta), 0)
    w[:] = 99
    assert run.state[0].max() < 99
    assert run.w.max() < 99


def test_float32_particles_stay_float32(problem):
    w, theta = (part.astype(np.float32) for part in random_particles(10))
    run = flows.flow(problem, flows.forward_backward(problem, A, B), (w, theta), 5)
    assert run.state[0].dtype == run.state[1].dtype == np.float32


def test_a_paused_run_goes_on_to_the_same_bits(problem):
    step, times = flows.forward_backward(problem, A, B), range(0, 101, 10)
    whole = flows.flow(problem, step, starts.grid_start(10), 100, record=times)
    half = flows.flow(problem, step, starts.grid_start(10), 40, record=times)
    resumed = flows.flow(problem, step, half, 100, record=times)
    for name in ("steps", "w", "theta", "energy"):
        assert (getattr(resumed, name) == getattr(whole, name)).all()
    assert all((a == b).all() for a, b in zip(resumed.state, whole.state, strict=True))
    assert flows.flow(problem, step, resumed, 100) is resumed


def test_the_first_and_the_last_state_are_recorded_and_the_start_is_not_touched(problem):
    w, theta = random_particles(5)
    kept = w.copy(), theta.copy()
    run = flows.flow(problem, flows.forward_backward(problem, A, B), (w, theta), 7, record=[3])
    assert run.steps.tolist() == [0, 3, 7]
    assert (run.w[0] == w).all()
    assert (run.w[-1] == run.state[0]).all()
    assert (w == kept[0]).all()
    assert (theta == kept[1]).all()
    np.testing.assert_allclose(run.energy, [problem.energy(*s) for s in zip(run.w, run.theta, strict=True)])


def test_log_spaced_times_are_increasing_and_hold_both_ends():
    times = flows.log_spaced(10_000, 50)
    assert times[0] == 0
    assert times[-1] == 10_000
    assert len(times) <= 52
    assert (np.diff(times) > 0).all()
    assert flows.log_spaced(0).tolist() == [0]


def test_a_flow_stops_on_its_certificate(problem):
    step = flows.forward_backward(problem, A, B)
    stop = flows.until_settled(problem, 1e-6)
    run = flows.flow(problem, step, starts.grid_start(10), 5000, stop=stop, check_every=10)
    assert run.stopped
    assert gap(problem, *run.state) <= 1e-6
    before = flows.flow(problem, step, starts.grid_start(10), int(run.steps[-1]) - 10)
    assert gap(problem, *before.state) > 1e-6


def test_a_stuck_flow_stops_too_and_stands_still(problem):
    step = flows.forward_backward(problem, A, B)
    run = flows.flow(problem, step, starts.grid_start(6), 50_000, stop=flows.until_settled(problem))
    assert run.stopped
    assert gap(problem, *run.state) > 0.5
    later = flows.flow(problem, step, run, int(run.steps[-1]) + 2000)
    assert later.energy[-1] == pytest.approx(run.energy[-1], rel=1e-8)


def test_a_step_too_large_for_the_weights_raises_flow_diverged_with_a_finite_past(problem):
    step = flows.forward_backward(problem, 40.0, B)
    with pytest.raises(flows.FlowDiverged, match="diverged at step") as caught:
        flows.flow(problem, step, random_particles(10), 5000)
    error = caught.value
    assert all(np.isfinite(part).all() for part in error.state)
    assert np.isfinite(error.run.energy).all()
    assert error.run.steps[-1] <= error.step
    assert error.run.steps[-1] == error.step - 1
    assert (error.run.w[-1] == error.state[0]).all()
    again = flows.flow(problem, step, random_particles(10), error.step - 1)
    assert all((a == b).all() for a, b in zip(again.state, error.state, strict=True))


def test_a_progress_bar_can_be_shown(problem, capsys):
    flows.flow(problem, flows.forward_backward(problem, A, B), starts.grid_start(4), 3, progress=True)
    assert "0/3" in capsys.readouterr().err


def test_without_a_progress_bar_a_flow_is_silent(problem, capsys):
    flows.flow(problem, flows.forward_backward(problem, A, B), starts.grid_start(4), 3)
    assert capsys.readouterr() == ("", "")


def test_the_grid_start_is_uniform_in_every_dimension():
    w, theta = starts.grid_start(9, dimension=2)
    assert (w == 0).all()
    assert {tuple(point) for point in (theta * 6).round(9)} == {(i, j) for i in (1, 3, 5) for j in (1, 3, 5)}
    _, arc = starts.grid_start(10, arc=0.2)
    np.testing.assert_allclose(arc[:, 0], 0.4 + 0.2 * (np.arange(10) + 0.5) / 10)


def test_the_random_start_is_seeded_and_on_the_torus():
    w, theta = starts.random_start(50, np.random.default_rng(1), dimension=2)
    assert (w == 0).all()
    assert theta.shape == (50, 2)
    assert ((theta >= 0) & (theta < 1)).all()
    assert (theta == starts.random_start(50, np.random.default_rng(1), dimension=2)[1]).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda p: flows.forward_backward(p, 0, 0), "step_w and step_theta must not both be 0"),
        (lambda p: flows.forward_backward(p, A, -1), "step_theta must be >= 0"),
        (lambda p: flows.gradient(p, True, B), "step_w must be >= 0"),
        (lambda p: flows.gradient(p, [], B), "step_w must be >= 0"),
        (lambda p: flows.gradient(p, np.nan, B), "step_w must be finite"),
        (lambda p: flows.conic_mirror(p, [A, 0], [B, 0]), "step_w and step_theta must not both be 0"),
        (lambda p: flows.forward_backward(p, A, B, metric="flat"), "metric must be one of 'euclidean', 'conic'"),
        (lambda p: starts.grid_start(0), "m must be a whole number >= 1"),
        (lambda p: starts.grid_start(10, dimension=2), "m must be the power 2"),
        (lambda p: starts.grid_start(10, arc=1.5), "arc must be in"),
        (lambda p: starts.random_start(0, np.random.default_rng(0)), "m must be"),
        (lambda p: flows.until_settled(p, 0), "tolerance must be"),
        (lambda p: flows.flow(p, None, starts.grid_start(4), -1), "steps must be"),
        (lambda p: flows.flow(p, None, starts.grid_start(4), 5, check_every=0), "check_every must be"),
        (lambda p: flows.flow(p, None, starts.grid_start(4), 5, record=[0.5]), "record must be a whole number"),
        (lambda p: flows.flow(p, None, starts.grid_start(4), 5, record=[-1]), "record must be a whole number"),
        (lambda p: flows.flow(p, None, None, 5), "start must be"),
        (lambda p: flows.flow(p, None, [np.zeros(3)], 5), "start must be"),
        (lambda p: starts.grid_start(4, arc="wide"), "arc must be"),
        (lambda p: flows.log_spaced(-3), "steps must be"),
        (lambda p: flows.flow(p, None, (np.zeros(0), np.zeros((0, 1))), 5), "m >= 1"),
        (lambda p: flows.flow(p, None, (np.zeros(3), np.zeros((4, 1))), 5), "theta must have shape"),
        (lambda p: flows.flow(p, None, (np.array([np.nan]), np.zeros((1, 1))), 5), "w must be finite"),
        (lambda p: flows.flow(p, None, (np.zeros(1), np.full((1, 1), np.inf)), 5), "theta must be finite"),
        (lambda p: flows.flow(p, None, (np.zeros(3), np.zeros((3, 2))), 5), "theta must have shape"),
    ],
)
def test_bad_input_is_named_before_any_work(problem, call, words):
    with pytest.raises(ValueError, match=words):
        call(problem)


def test_a_step_size_of_zero_freezes_weights_or_positions_and_the_rest_still_descends():
    problem = problems.spikes(0)
    start = starts.grid_start(12)
    at = start[1]
    masses = flows.flow(problem, flows.forward_backward(problem, 0.5 / 15, 0), start, 3000)
    assert (masses.state[1] == at).all()
    best = convex.fixed_positions(problem, at)
    assert masses.energy[-1] == pytest.approx(problem.objective(best), rel=1e-8)
    moved = flows.flow(problem, flows.gradient(problem, 0, 1e-7), (masses.state[0], at), 200, record=range(201))
    assert (moved.state[0] == masses.state[0]).all()
    assert (moved.state[1] != at).any()
    assert (np.diff(moved.energy) <= 1e-12).all()


def test_step_sizes_keep_the_precision_of_the_particles():
    stacked = problems.stack([problems.spikes(0), problems.spikes(1)])
    w, theta = np.zeros((2, 9), np.float32), np.tile(starts.grid_start(9)[1].astype(np.float32), (2, 1, 1))
    for make in (flows.forward_backward, flows.gradient, flows.conic_mirror):
        new_w, new_theta = make(stacked, np.array([0.1, 0.2]), np.array([1e-3, 2e-3]))(w, theta)
        assert new_w.dtype == new_theta.dtype == np.float32


@pytest.mark.parametrize("scale", [1e-8, 1e-3, 3.0, 10.0, 1e8])
@pytest.mark.parametrize(("metric", "steps"), [("euclidean", 2350), ("conic", 250)])
def test_the_same_problem_in_other_units_takes_the_same_number_of_steps(scale, metric, steps):
    """y and lambda times s, masses times s: J is the same number of other units."""
    unit = problems.spikes(0)
    features, loss = unit.risk.features, unit.risk.loss
    scaled = Problem(FeatureRisk(features, Squared(loss.target * scale, loss.scale * scale)), 1.0)
    runs = [experiments.spike_flow(problem, 50, metric) for problem in (unit, scaled)]
    assert [run.reason for run in runs] == ["certified"] * 2
    assert [run.steps[-1] for run in runs] == [steps] * 2
    np.testing.assert_allclose(runs[1].state[0] / scale, runs[0].state[0], rtol=1e-6, atol=1e-9)


def test_a_run_says_why_it_ended():
    problem = problems.spikes(0)
    assert experiments.spike_flow(problem, 50).reason == "certified"
    assert experiments.spike_flow(problem, 6).reason == "at rest"
    step = flows.forward_backward(problem, *experiments.spike_steps(problem))
    few = flows.flow(problem, step, starts.grid_start(50), 100, stop=flows.until_settled(problem))
    assert few.reason == "steps"
    assert not few.stopped
    both = problems.stack([problems.spikes(0), problems.spikes(1)])
    start = tuple(np.stack([part] * 2) for part in starts.grid_start(50))
    run = experiments.spike_run(both, start)
    assert run.reason.tolist() == ["certified", "certified"]
    assert run.one(1).reason == "certified"
    with pytest.raises(flows.FlowDiverged) as caught:
        flows.flow(both, flows.forward_backward(both, 100, 1), start, 500)
    assert caught.value.run.reason.tolist() == ["diverged", "diverged"]
    assert caught.value.run.one(0).reason == "diverged"
    assert not caught.value.run.stopped


def test_a_float32_run_is_certified_as_well_as_float32_allows():
    problem = problems.spikes(0)
    w, theta = (part.astype(np.float32) for part in starts.grid_start(50))
    run = experiments.spike_run(problem, (w, theta))
    assert run.reason == "certified"
    assert run.state[0].dtype == np.float32
    assert run.steps[-1] < 3000


def test_a_conic_run_is_judged_at_rest_by_its_own_metric():
    """From one sign, multiplied for ever by numbers below 1, weights stay on their way to 0: they are at rest."""
    problem = problems.spikes(12)
    start = np.full(100, 0.25), starts.grid_start(100)[1]
    step = flows.conic_mirror(problem, 2.0 / 150, 1e-4)
    run = flows.flow(problem, step, start, 40_000, stop=flows.until_settled(problem, metric="mirror"))
    assert run.reason == "at rest"
    later = flows.flow(problem, step, run, int(run.steps[-1]) + 2000)
    assert later.energy[-1] == pytest.approx(run.energy[-1], rel=1e-9)


def test_non_negative_weights_stay_so_in_every_kind_of_step():
    problem = replace(problems.spikes(0), positive=True)
    w, theta = np.full(20, 0.1), starts.grid_start(20)[1]
    for make in (flows.forward_backward, flows.gradient, flows.conic_mirror):
        run = flows.flow(problem, make(problem, 0.01, 1e-4), (w, theta), 500, record=range(501))
        assert run.w.min() >= 0
        assert run.energy[-1] < run.energy[0]
    run = flows.flow(problem, flows.heavy_ball(problem, 0.01, 1e-4), flows.at_rest(w, theta), 500, record=range(501))
    assert run.w.min() >= 0
    best = convex.certified_optimum(problem)
    settled = experiments.spike_flow(problem, 50)
    assert settled.reason == "certified"
    assert settled.energy[-1] == pytest.approx(problem.objective(best), rel=1e-7)


@pytest.mark.parametrize("record", [(), (1,), (2,), (2, 3), range(10)])
def test_a_flow_that_diverges_keeps_its_last_good_state_once(record):
    """Weights grow a 10^60-fold in each step: after three, the risk is too large for a float."""
    problem = problems.spikes(0)

    def step(w, theta):
        problem.risk(w, theta)
        return w * 1e60, theta

    with pytest.raises(flows.FlowDiverged) as caught:
        flows.flow(problem, step, (np.ones(3), np.array([[0.1], [0.4], [0.8]])), 9, record=record)
    run = caught.value.run
    assert caught.value.step == 3
    assert run.steps.tolist() == sorted({0, *(k for k in record if k <= 2), 2})
    np.testing.assert_allclose(run.w[:, 0], 1e60 ** run.steps.astype(float), rtol=1e-12)
    np.testing.assert_array_equal(caught.value.state[0], run.w[-1])
    assert np.isfinite(run.energy).all()
    assert run.reason == "diverged"
    assert 0 <= run.seconds < 60


@pytest.mark.parametrize(
    ("step", "named"),
    [
        (lambda w, theta: (w[:-1], theta[:-1]), r"step must keep w of shape \(3,\), float32, but makes it \(2,\)"),
        (lambda w, theta: (w, theta.astype(np.float64)), r"step must keep theta .* makes it \(3, 1\), float64"),
        (lambda w, theta: (w, np.hstack([theta, theta])), r"step must keep theta .* makes it \(3, 2\), float32"),
    ],
)
def test_a_step_keeps_shapes_and_precision_from_the_first_one_on(step, named):
    start = np.ones(3, np.float32), np.array([[0.1], [0.4], [0.8]], np.float32)
    with pytest.raises(ValueError, match=named):
        flows.flow(problems.spikes(0), step, start, 1)


def test_a_flow_that_diverges_at_once_keeps_its_start_once():
    problem, start = problems.spikes(0), (np.ones(3), np.array([[0.1], [0.4], [0.8]]))
    for before in (start, flows.flow(problem, flows.gradient(problem, 0.01, 1e-5), start, 3, record=range(4))):
        done = 0 if before is start else 3
        with pytest.raises(flows.FlowDiverged) as caught:
            flows.flow(problem, lambda w, theta: (w * np.nan, theta), before, 9, record=range(10))
        assert caught.value.step == done + 1
        assert caught.value.run.steps.tolist() == list(range(done + 1))


def test_a_network_that_has_learnt_everything_is_not_called_silent():
    """Without a residual no neuron feels anything either: here all labels are 0, and so are the weights in the end."""
    x = np.random.default_rng(0).normal(size=(6, 2))
    problem = problems.from_data(x, np.zeros(6), "relu")
    start = starts.sphere_start(4, np.random.default_rng(1), problem.risk.dimension, radius=1.0, weight=1.0)
    run = flows.flow(problem, lambda w, theta: (0 * w, theta), start, 1)
    assert run.energy[-1] == 0


@pytest.mark.parametrize("metric", ["euclidean", "conic", "mirror"])
@pytest.mark.parametrize("scale", [1e-3, 7.0])
def test_when_a_flow_is_at_rest_does_not_hang_on_the_units_of_the_data(metric, scale):
    """Spikes: data, lambda and weights times s. A network: data and penalty times s, weights and positions sqrt s."""
    rng = np.random.default_rng(0)
    spikes = problems.spikes(0)
    loss, state = spikes.risk.loss, (rng.normal(size=5), rng.uniform(size=(5, 1)))
    other = Problem(FeatureRisk(spikes.risk.features, Squared(scale * loss.target, scale * loss.scale)), 1.0)
    x, y = rng.normal(size=(20, 2)), rng.normal(size=20)
    network, larger = (problems.from_data(x, s * y, "relu", penalty=0.1 * s) for s in (1.0, scale))
    particles = starts.sphere_start(6, rng, network.risk.dimension, radius=1.0, weight=1.0)
    for problem, here, same, there in (
        (spikes, state, other, (scale * state[0], state[1])),
        (network, particles, larger, tuple(scale**0.5 * part for part in particles)),
    ):
        share = motion._relative_dissipation(problem, *here, metric)
        assert share == pytest.approx(motion._relative_dissipation(same, *there, metric), rel=1e-10)


def test_one_step_size_of_many_below_zero_is_refused():
    stack = problems.stack([problems.spikes(0), problems.spikes(1)])
    with pytest.raises(ValueError, match="step_w must be >= 0"):
        flows.forward_backward(stack, [0.1, -0.1], 1e-3)
