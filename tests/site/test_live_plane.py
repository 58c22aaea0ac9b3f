"""The live ReLU neurons and the lift: what the browser computes is what the library computes."""

import numpy as np
import pytest

from mfcourse import flows, penalties, problems, transport
from mfcourse.certificates import certify
from mfcourse.features import Neurons
from mfcourse.measures import Measure, h1, h2
from mfcourse.site import live
from mfcourse.starts import sphere_start

EMPTY = Measure(np.zeros(0), np.zeros((0, 2)))
RISK = """async ({ teacher, w, theta, angles }) => {
  const plane = await import("/plane.js");
  const problem = plane.problem(teacher);
  const state = { w: Float64Array.from(w), theta: Float64Array.from(theta) };
  const { value, potential, slope } = plane.risk(problem, state);
  return {
    value, potential: [...potential], slope: [...slope], nothing: problem.nothing,
    around: [...plane.potential(problem, state, angles)], ...plane.dissipation(problem, state),
  };
}"""
FLOW = """async ({ runs, steps }) => {
  const plane = await import("/plane.js");
  return runs.map(({ teacher, w, theta }) => {
    const problem = plane.problem(teacher);
    let state = { w: Float64Array.from(w), theta: Float64Array.from(theta) };
    for (let k = 0; k < steps; k++) state = plane.step(problem, state, 0.25, 0.25);
    return { w: [...state.w], theta: [...state.theta], value: plane.risk(problem, state).value };
  });
}"""


def start(seed, m):
    return sphere_start(m, np.random.default_rng([seed, m]), 2)


def spoken(problem, w, theta):
    """A problem and its particles as lists."""
    teacher = {"weights": problem.truth.weights.tolist(), "positions": problem.truth.positions.tolist()}
    return {"teacher": teacher, "w": w.tolist(), "theta": theta.ravel().tolist()}


def test_the_data_are_the_teachers_of_the_library():
    for seed, data in zip(live.SEEDS, live.instances("relu"), strict=True):
        truth = problems.relu_teacher(seed).truth
        assert data == {"seed": seed, "weights": truth.weights.tolist(), "positions": truth.positions.tolist()}


@pytest.mark.parametrize("seed", [0, 4])
def test_value_potential_and_slope_are_those_of_the_population_risk(module_page, seed):
    problem, rng = problems.relu_teacher(seed), np.random.default_rng(seed)
    w, theta = rng.standard_normal(7), rng.standard_normal((7, 2))
    theta[1], theta[2], theta[3], theta[4] = theta[0], -2 * theta[0], 0, problem.truth.positions[2]
    angles = rng.uniform(0, 2 * np.pi, 50)
    angles[:3] = 0, np.pi, 2 * np.pi
    found = module_page.evaluate(RISK, spoken(problem, w, theta) | {"angles": angles.tolist()})
    value, potential, slope = problem.risk(w, theta)
    around = problem.risk.potential(w, theta, np.stack([np.cos(angles), np.sin(angles)], axis=-1))
    assert found["value"] == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(found["potential"], potential, atol=1e-12)
    np.testing.assert_allclose(found["slope"], slope.ravel(), atol=1e-12)
    np.testing.assert_allclose(found["around"], around, atol=1e-12)
    assert found["rate"] == pytest.approx(flows.dissipation(problem, w, theta), rel=1e-12)
    speed_w, speed_theta = flows.velocity(problem, w, theta)
    squares = ((part**2).sum() / len(w) for part in (w, speed_w, theta, speed_theta))
    size_w, fast_w, size_theta, fast_theta = squares
    relative = (size_w * fast_w + size_theta * fast_theta) / value**2
    assert found["relative"] == pytest.approx(relative, rel=1e-12)


@pytest.mark.parametrize("seed", live.SEEDS)
def test_the_risk_of_nothing_is_half_the_mean_square_of_the_teacher(module_page, seed):
    problem = problems.relu_teacher(seed)
    found = module_page.evaluate(RISK, spoken(problem, np.zeros(1), np.zeros((1, 2))) | {"angles": []})
    # relu(cos) products over the circle by the trapezoidal rule; E |x|^2 = 2
    angles = 2 * np.pi * np.arange(100_000) / 100_000
    taught = problem.risk.taught(np.stack([np.cos(angles), np.sin(angles)], axis=-1))
    assert found["nothing"] == pytest.approx(np.mean(taught**2), rel=1e-8)
    assert found["nothing"] == found["value"] == pytest.approx(problem.objective(EMPTY), rel=1e-12)


@pytest.mark.parametrize("m", [5, 10, 100])
def test_two_hundred_steps_from_one_start_end_where_the_library_ends(module_page, m):
    teachers = [problems.relu_teacher(seed) for seed in live.SEEDS]
    starts = [start(seed, m) for seed in live.SEEDS]
    found = module_page.evaluate(
        FLOW, {"runs": [spoken(*one) for one in zip(teachers, *zip(*starts, strict=True), strict=True)], "steps": 200}
    )
    for problem, begin, end in zip(teachers, starts, found, strict=True):
        run = flows.flow(problem, flows.gradient(problem, 0.25, 0.25), begin, 200, record=())
        w, theta = run.state
        np.testing.assert_allclose(end["w"], w, rtol=0, atol=1e-9 * np.abs(w).max())
        np.testing.assert_allclose(end["theta"], theta.ravel(), rtol=0, atol=1e-9 * np.abs(theta).max())
        assert end["value"] == pytest.approx(run.energy[-1], rel=1e-9)


RUN = """async ({ teacher, m, signs, draw, most }) => {
  const { begin, advance } = await import("/relu.js");
  let run = begin(teacher, m, signs, draw);
  const start = { w: [...run.state.w], theta: [...run.state.theta] };
  while (run.verdict === "moving" && run.number < most) run = advance(run);
  const { number, relative, top, at, sign, half, verdict, state } = run;
  return {
    start, number, relative, top, at, sign, half, verdict, w: [...state.w], theta: [...state.theta],
  };
}"""


def live_run(page, seed, m, signs="both", draw=1, most=40_000):
    """What the demo says of a run, its problem, its start and its end."""
    choice = {"m": m, "signs": signs, "draw": draw, "most": most}
    said = page.evaluate(RUN, {"teacher": live.instances("relu")[seed], **choice})
    particles = [(np.array(one["w"]), np.array(one["theta"]).reshape(-1, 2)) for one in (said.pop("start"), said)]
    return said, problems.relu_teacher(seed), *particles


def test_a_start_lies_on_small_spheres_and_depends_on_what_was_chosen_only(module_page):
    _, _, (w, theta), _ = live_run(module_page, 0, 200, most=0)
    np.testing.assert_allclose(np.linalg.norm(theta, axis=1), 0.1, rtol=1e-12)
    np.testing.assert_array_equal(np.abs(w), 0.1)
    assert 60 < (w > 0).sum() < 140
    counts, _ = np.histogram(np.arctan2(*theta.T), bins=4, range=(-np.pi, np.pi))
    assert counts.min() > 25
    _, _, again, _ = live_run(module_page, 0, 200, most=0)
    np.testing.assert_array_equal(again[1], theta)
    for other in ({"seed": 1}, {"draw": 2}):
        _, _, (_, moved), _ = live_run(module_page, **({"seed": 0, "m": 200, "most": 0} | other))
        assert np.abs(moved - theta).max() > 0.1
    _, _, (w, theta), _ = live_run(module_page, 0, 50, "one", most=0)
    np.testing.assert_array_equal(w, 1)
    np.testing.assert_allclose(np.linalg.norm(theta, axis=1), 0.1, rtol=1e-12)


def test_ten_neurons_find_the_teacher_and_the_library_certifies_the_same_numbers(module_page):
    said, problem, start, end = live_run(module_page, 4, 10)
    assert said["verdict"] == "found"
    run = flows.flow(problem, flows.gradient(problem, 0.25, 0.25), start, said["number"], record=())
    np.testing.assert_allclose(end[1], run.state[1], atol=1e-6)
    certificate = certify(problem, h1(*end))
    assert said["relative"] == pytest.approx(certificate.gap, rel=1e-6)
    assert certificate.gap < 1e-6
    assert said["top"] == pytest.approx(certificate.max_potential, rel=1e-3)


def test_without_a_negative_weight_the_run_stands_still_far_from_the_teacher(module_page):
    said, problem, _, end = live_run(module_page, 7, 20, "one")
    assert said["verdict"] == "stuck"
    assert flows.until_settled(problem)(*end) == "at rest"
    assert (end[0] > 0).all()
    assert said["relative"] > 0.9
    certificate = certify(problem, h1(*end))
    assert said["relative"] == pytest.approx(certificate.gap, rel=1e-9)
    assert said["top"] == pytest.approx(certificate.max_potential, rel=1e-3)
    direction = np.array([[np.cos(said["at"]), np.sin(said["at"])]])
    assert direction[0] @ certificate.worst > 0.999
    mass = -0.01 * said["sign"]  # what the demo asks for lowers the risk
    assert problem.objective(h1(*end) + Measure([mass], direction)) < problem.objective(h1(*end))


def test_a_slow_run_is_not_called_stuck(module_page):
    said, problem, _, end = live_run(module_page, 2, 10)
    assert (said["verdict"], said["number"]) == ("slow", 40_000)
    assert flows.until_settled(problem)(*end) == ""
    rate = flows.dissipation(problem, *end)
    assert said["half"] == pytest.approx(problem.energy(*end) / rate / 2 / 0.25, rel=1e-3)


FIBRE = """async ({ w, theta, stretches, angles, ways }) => {
  const [plane, lift] = [await import("/plane.js"), await import("/lift.js")];
  const neuron = { w: Float64Array.from(w), theta: Float64Array.from(theta) };
  return stretches.map((log2) => {
    const state = lift.stretched(neuron, log2);
    const { masses, angles: at } = plane.measure(state);
    return {
      w: [...state.w], theta: [...state.theta], masses: [...masses], at: [...at],
      network: [...plane.network(state, angles)], price: plane.price(state),
    };
  });
}"""


def test_along_fibres_measure_and_prediction_stay_and_the_price_is_that_of_the_library(module_page):
    rng = np.random.default_rng(5)
    w, theta, angles = rng.standard_normal(3), rng.standard_normal((3, 2)), rng.uniform(0, 2 * np.pi, 40)
    network = Neurons(np.stack([np.cos(angles), np.sin(angles)], axis=-1), "relu")
    sent = {"w": w.tolist(), "theta": theta.ravel().tolist(), "angles": angles.tolist(), "stretches": [-1, 0, 0.7, 3]}
    for log2, point in zip(sent["stretches"], module_page.evaluate(FIBRE, sent), strict=True):
        there = w / 2**log2, theta * 2**log2
        np.testing.assert_allclose(point["w"], there[0], rtol=1e-14)
        np.testing.assert_allclose(point["theta"], there[1].ravel(), rtol=1e-14)
        np.testing.assert_allclose(point["network"], network.push(w, theta), atol=1e-13)
        np.testing.assert_allclose(point["network"], network.push(*there), atol=1e-13)
        assert point["price"] == pytest.approx(penalties.SquaredNorm.value(*there).mean(), rel=1e-13)
        assert point["price"] == pytest.approx(h2(*there).mass / 2, rel=1e-13)
        # On the sphere of u a neuron of mass |u|^2 at u / |u| has the mass w |theta| at its direction, on every fibre.
        sphere = h2(*there)
        length = np.linalg.norm(sphere.positions[:, 1:], axis=1)
        np.testing.assert_allclose(point["masses"], sphere.weights * sphere.positions[:, 0] * length, rtol=1e-12)
        direction = np.stack([np.cos(point["at"]), np.sin(point["at"])], axis=-1)
        np.testing.assert_allclose(direction, theta / np.linalg.norm(theta, axis=1)[:, None], atol=1e-12)


def test_a_dragged_neuron_goes_to_the_nearest_point_of_its_fibre(module_page):
    targets = [[1.5, 1.5], [6.0, 0.0], [0.0, 5.0], [3.0, 0.8], [20.0, 0.0]]
    ask = """async (targets) => {
      const { nearest } = await import("/lift.js");
      return targets.map((target) => nearest(...target));
    }"""
    stretches = np.linspace(-1, 3, 401)
    curve = np.stack([3 / 2**stretches, np.sqrt(0.5) * 2**stretches])
    for target, log2 in zip(targets, module_page.evaluate(ask, targets), strict=True):
        assert log2 == pytest.approx(stretches[np.linalg.norm(curve.T - target, axis=1).argmin()])


WAYS = """async ({ instance, mu, nu, times }) => {
  const lift = await import("/lift.js");
  const { objective } = await import("/circle.js");
  return [lift.mixture, lift.displacement].map((way) =>
    times.map((t) => {
      const measure = way(mu, nu, t);
      return { ...measure, value: objective(instance, lift.particles(measure)) };
    }),
  );
}"""


def listed(measure):
    return {"weights": measure.weights.tolist(), "positions": measure.positions[:, 0].tolist()}


def test_the_data_of_the_lift_are_those_of_chapter_5():
    (instance,) = live.instances("lift")
    problem = problems.spikes(0, noise=0.0, n_spikes=2)
    np.testing.assert_array_equal(instance["y"], problem.risk.features.push(*problem.truth.particles()))
    assert instance["lambda"] == problem.risk.loss.scale
    assert instance["mu"] == {"weights": [0.6, 0.4], "positions": [0.2, 0.6]}
    assert instance["nu"] == {"weights": [0.6, 0.4], "positions": [0.45, 0.85]}


@pytest.mark.parametrize("case", ["chapter 5", "random"])
def test_both_ways_between_measures_and_the_objective_along_them_are_those_of_the_library(module_page, case):
    (instance,) = live.instances("lift")
    problem = problems.spikes(0, noise=0.0, n_spikes=2)
    if case == "chapter 5":
        mu, nu = (Measure(one["weights"], np.c_[one["positions"]]) for one in (instance["mu"], instance["nu"]))
    else:
        rng = np.random.default_rng(3)
        a, b = rng.uniform(0.1, 1, 4), rng.uniform(0.1, 1, 3)
        mu, nu = Measure(a, rng.uniform(size=(4, 1))), Measure(b * a.sum() / b.sum(), rng.uniform(size=(3, 1)))
    times = np.linspace(0, 1, 21)
    sent = {"instance": instance, "mu": listed(mu), "nu": listed(nu), "times": times.tolist()}
    for way, found in zip((transport.mixture, transport.displacement), module_page.evaluate(WAYS, sent), strict=True):
        for t, here in zip(times, found, strict=True):
            measure = way(mu, nu, t)
            assert here["value"] == pytest.approx(problem.objective(measure), rel=1e-12)
            np.testing.assert_allclose(here["weights"], measure.weights, atol=1e-12)
            np.testing.assert_allclose(here["positions"], measure.positions[:, 0], atol=1e-12)


def test_the_sentence_of_the_lift_says_not_convex_only_above_the_chord(module_page):
    ask = """async (heights) => {
      const { sentences, stretched } = await import("/lift.js");
      const neuron = { w: Float64Array.of(3), theta: Float64Array.of(0.5, 0.5) };
      return heights.map((three) => sentences(stretched(neuron, 0), 0.5, three, three[1] > three[2]));
    }"""
    (neuron, above), (_, below) = module_page.evaluate(ask, [[4, 6, 5], [4, 4.5, 5]])
    assert "w = 3.00, |θ| = 0.71, mass 2.12, price 4.75" in neuron
    assert "not convex" in above
    assert "not convex" not in below
