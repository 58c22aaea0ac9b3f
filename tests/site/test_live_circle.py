"""The numbers behind the live spikes: circle.js, run in a browser, against the library from the same start."""

import itertools

import numpy as np
import pytest
import scipy.stats

from mfcourse import flows, problems, starts
from mfcourse.certificates import certify
from mfcourse.convex import certified_optimum
from mfcourse.experiments import spike_steps
from mfcourse.features import Fourier
from mfcourse.losses import Squared
from mfcourse.measures import Measure, h1
from mfcourse.penalties import soft_threshold
from mfcourse.problems import Problem
from mfcourse.risks import FeatureRisk
from mfcourse.site import live
from mfcourse.transport import wasserstein

INSTANCES = live.instances("spikes")
METRICS = ("euclidean", "conic")
SCRIPT = """async ([code, x]) => {
  const [m, demo, many] = await Promise.all(["circle", "spikes", "many"].map((name) => import(`/${name}.js`)));
  const state = ({ w, theta }) => ({ w: Float64Array.from(w), theta: Float64Array.from(theta) });
  return JSON.parse(JSON.stringify(eval(code), (_, part) => (ArrayBuffer.isView(part) ? Array.from(part) : part)));
}"""


@pytest.fixture
def js(module_page):
    """Evaluates JavaScript in the browser: `m` is circle.js, `demo` spikes.js, `many` many.js, `x` the argument."""
    return lambda code, x=None: module_page.evaluate(SCRIPT, [code, x])


def plain(state):
    """A state (m,), (m, 1) of the library as circle.js has it."""
    w, theta = state
    return {"w": w.tolist(), "theta": theta[:, 0].tolist()}


def some_states(seed):
    """Particles scattered over several turns, particles of weight 0, and a run that comes close to its optimum."""
    rng = np.random.default_rng(seed)
    problem = problems.spikes(seed)
    yield rng.normal(size=7), rng.uniform(-2, 3, size=(7, 1))
    yield starts.grid_start(5)
    step = flows.forward_backward(problem, *spike_steps(problem, "conic"), "conic")
    run = flows.flow(problem, step, starts.grid_start(20), 150, record=(10, 40, 90, 150))
    yield from zip(run.w[1:], run.theta[1:], strict=True)


def test_the_instances_give_the_observation_of_the_library(js):
    for instance in INSTANCES:
        for lam, noise in ((2.0, 0.1), (0.5, 0.0), (5.0, 0.5)):
            library = problems.spikes(instance["seed"], lam=lam, noise=noise).risk.loss
            found = js("m.spikes(...x)", [instance, lam, noise])
            assert found["lambda"] == library.scale
            np.testing.assert_allclose(found["y"], library.target, rtol=0, atol=1e-13)


def test_step_sizes_are_those_of_the_experiments(js):
    for metric, lam, seed in itertools.product(METRICS, (0.5, 2.0, 5.0), (0, 6)):
        problem = problems.spikes(seed, lam=lam)
        found = js("m.stepSizes(x[0], x[1])", [{"y": problem.risk.loss.target.tolist(), "lambda": lam}, metric])
        assert (found["a"], found["b"]) == pytest.approx(spike_steps(problem, metric), rel=1e-14)
    found = js("m.stepSizes({ y: Array(15).fill(0), lambda: 2 })")
    zero = Problem(FeatureRisk(Fourier(7), Squared(np.zeros(15), 2.0)), 1.0)
    assert (found["a"], found["b"]) == pytest.approx(spike_steps(zero), rel=1e-14)


def test_push_and_pull_are_those_of_the_features(js):
    rng = np.random.default_rng(0)
    features, w, theta, residual = Fourier(7), rng.normal(size=9), rng.uniform(-2, 3, (9, 1)), rng.normal(size=15)
    potential, slope = features.pull(residual, theta)
    found = js("m.push(x)", plain((w, theta)))
    np.testing.assert_allclose(found, features.push(w, theta), rtol=0, atol=1e-13)
    found = js("m.pull(...x)", [residual.tolist(), theta[:, 0].tolist()])
    np.testing.assert_allclose(found["potential"], potential, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found["slope"], slope[:, 0], rtol=0, atol=1e-10)
    found = js("x[1].map((t) => m.pullAt(x[0], t).curvature)", [residual.tolist(), theta[:, 0].tolist()])
    np.testing.assert_allclose(found, features.hessian(residual, theta)[:, 0, 0], rtol=0, atol=1e-8)


def test_two_hundred_steps_are_those_of_the_library(js):
    code = """x.map(([instance, metric, start]) => {
      const problem = m.spikes(instance);
      const { a, b } = m.stepSizes(problem, metric);
      let now = state(start);
      for (let k = 0; k < 200; k++) now = m.step(problem, now, a, b, metric);
      return { ...now, objective: m.objective(problem, now) };
    })"""
    for metric, size in itertools.product(METRICS, (6, 10, 100)):
        start = starts.grid_start(size)
        found = js(code, [[instance, metric, plain(start)] for instance in INSTANCES])
        for instance, end in zip(INSTANCES, found, strict=True):
            problem = problems.spikes(instance["seed"])
            step = flows.forward_backward(problem, *spike_steps(problem, metric), metric)
            w, theta = flows.flow(problem, step, start, 200, record=()).state
            np.testing.assert_allclose(end["w"], w, rtol=0, atol=1e-9 * np.abs(w).max())
            np.testing.assert_allclose(end["theta"], theta[:, 0], rtol=1e-9)
            assert end["objective"] == pytest.approx(problem.energy(w, theta), rel=1e-12)


def test_the_certificate_is_that_of_the_library(js):
    smallest = 1.0
    for seed in live.SEEDS:
        problem, states = problems.spikes(seed), list(some_states(seed))
        observed = problem.risk.loss.target.tolist()  # to the bit: the last digits of J - D depend on those of y
        code = "x[1].map((now) => m.certificate({ y: x[0], lambda: 2 }, now))"
        found = js(code, [observed, [plain(state) for state in states]])
        for state, certificate in zip(states, found, strict=True):
            library = certify(problem, h1(*state))
            smallest = min(smallest, library.gap)
            assert certificate["objective"] == pytest.approx(library.objective, rel=1e-12)
            assert certificate["dual"] == pytest.approx(library.dual, rel=1e-12)
            assert certificate["gap"] == pytest.approx(library.gap, rel=1e-9)
            assert certificate["top"] == pytest.approx(library.max_potential, rel=1e-9)
            height = np.abs(problem.risk.potential(*state, np.array([[certificate["at"]]])))
            assert height == pytest.approx(library.max_potential, rel=1e-9)
    assert 1e-6 < smallest < 1e-5  # below, rounding of J is a larger part of J - D


def test_the_best_measure_of_one_spike_is_certified_to_rounding(js):
    """One spike of mass a at t, no noise: the optimum is the soft threshold of a, and eta touches its bound there."""
    one = {"weights": [1.2], "positions": [0.3], "noise": [0] * 15}
    best = soft_threshold(1.2, 2 / 15)
    found = js("m.certificate(m.spikes(x[0], 2), { w: [x[1]], theta: [0.3] })", [one, best])
    assert abs(found["gap"]) < 1e-14
    assert found["top"] == pytest.approx(1, rel=1e-14)
    assert found["at"] == pytest.approx(0.3, abs=1e-9)


def test_the_dissipation_is_that_of_the_conic_flow_in_its_own_units(js):
    """Conic flow: w' as in Prop. 2.3, theta' = -sign(w) grad eta, and J falls by w'^2 + |w| |theta'|^2 on average."""
    for instance in INSTANCES[:3]:
        problem = problems.spikes(instance["seed"])
        for w, theta in some_states(instance["seed"]):
            found = js("m.dissipation(m.spikes(x[0]), x[1])", [instance, plain((w, theta))])
            speed, slope = flows.velocity(problem, w, theta)[0], problem.risk(w, theta)[2][:, 0]
            falls = (speed**2).mean() + (np.abs(w) * slope**2).mean() / problem.energy(w, theta)
            assert found == pytest.approx(falls, rel=1e-9, abs=1e-12)


def test_starts_on_the_grid_and_on_an_arc_are_those_of_the_library(js):
    for m, arc in ((1, 1.0), (6, 1.0), (100, 0.2), (7, 0.5)):
        found, library = js("m.gridStart(...x)", [m, arc]), plain(starts.grid_start(m, arc=arc))
        assert found["w"] == library["w"]
        assert found["theta"] == pytest.approx(library["theta"], abs=1e-15)


def test_a_random_start_depends_on_its_seed_only_and_is_in_order(js):
    first, again, other = (js("m.randomStart(200, x)", seed) for seed in (3, 3, 4))
    assert first == again
    assert first["theta"] != other["theta"]
    theta = np.array(first["theta"])
    assert (np.diff(theta) > 0).all()
    assert (theta >= 0).all()
    assert (theta < 1).all()
    assert scipy.stats.kstest(theta, "uniform").pvalue > 0.01
    assert not any(first["w"])


def test_one_more_particle_of_weight_zero_leaves_the_measure_and_its_value(js):
    for instance in INSTANCES[:3]:
        problem = problems.spikes(instance["seed"])
        for w, theta in some_states(instance["seed"]):
            new = js("m.withParticle(state(x), 0.31)", plain((w, theta)))
            assert len(new["w"]) == len(w) + 1
            np.testing.assert_allclose(np.array(new["w"]) / len(new["w"]), np.append(w, 0) / len(w), rtol=1e-14)
            assert new["theta"] == [*theta[:, 0], 0.31]
            energy = problem.energy(np.array(new["w"]), np.array(new["theta"])[:, None])
            assert energy == pytest.approx(problem.energy(w, theta), rel=1e-12)


def test_places_are_the_atoms_of_the_measure_once_its_particles_have_met(js):
    for instance in INSTANCES[:3]:
        state = list(some_states(instance["seed"]))[-1]
        atoms = h1(*state).prune(1e-9).merge(0.001, period=1)
        found = js("m.places(x)", plain(state))
        assert sorted(place["mass"] for place in found) == pytest.approx(sorted(atoms.weights), rel=1e-12)
        assert sorted(place["at"] for place in found) == pytest.approx(sorted(atoms.positions[:, 0] % 1), abs=1e-3)


def test_a_place_may_lie_on_the_seam_and_signs_are_kept_apart(js):
    found = js("m.places({ w: [4, 8, -4, 0], theta: [-1.005, 1.001, 0.001, 0.5] })")
    assert found == [
        {"mass": pytest.approx(3), "at": pytest.approx(0.999)},
        {"mass": pytest.approx(-1), "at": pytest.approx(0.001)},
    ]


def test_the_distance_is_the_cost_of_one_plan_and_bounds_w2(js):
    rng = np.random.default_rng(1)
    few, many = ((rng.normal(size=m), np.sort(rng.uniform(size=(m, 1)), axis=0)) for m in (5, 20))
    found = js("m.distance(...x.map(state))", [plain(few), plain(many)])
    w, theta = (np.repeat(part, 4, axis=0) for part in few)
    squares = (w - many[0]) ** 2 + (2 * np.pi * (theta - many[1])[:, 0]) ** 2
    assert found == pytest.approx(np.sqrt(squares.mean()), rel=1e-12)
    clouds = (Measure(np.full(len(w), 1 / len(w)), np.c_[w, 2 * np.pi * theta]) for w, theta in (few, many))
    assert found >= wasserstein(*clouds)
    assert js("m.distance(x, x)", plain(many)) == 0


def test_a_hundred_particles_on_the_grid_reach_the_optimum(js):
    code = """x.map((instance) => {
      let run = demo.begin(m.spikes(instance), m.gridStart(100));
      while (run.verdict === "moving" && run.number < 1000) run = demo.advance(run, 10);
      return { verdict: run.verdict, objective: run.now.objective, words: demo.sentence(run) };
    })"""
    for instance, end in zip(INSTANCES, js(code, INSTANCES), strict=True):
        problem = problems.spikes(instance["seed"])
        assert end["verdict"] == "optimal"
        assert end["objective"] == pytest.approx(problem.objective(certified_optimum(problem)), rel=1e-8)
        assert "Places with mass: 5." in end["words"]


def test_stuck_on_an_arc_until_particles_are_added_where_the_certificate_says(js):
    code = """(() => {
      let run = demo.begin(m.spikes(x), m.gridStart(100, 0.2));
      const verdicts = [];
      do {
        if (verdicts.length) run = demo.add(run, run.now.at);
        do run = demo.advance(run, 10); while (run.verdict === "moving");
        verdicts.push([run.verdict, run.now.objective, demo.sentence(run)]);
      } while (run.verdict === "stuck" && verdicts.length < 9);
      return { verdicts, records: run.history.length };
    })()"""
    found = js(code, INSTANCES[0])
    names, objectives, sentences = zip(*found["verdicts"], strict=True)
    assert names == ("stuck", "stuck", "stuck", "stuck", "optimal")
    assert (np.diff(objectives) < 0).all()
    assert "exceeds its bound by 7.5 at 0.18" in sentences[0]
    assert found["records"] < 300


def test_a_particle_added_where_the_potential_keeps_its_bound_waits(js):
    code = """(() => {
      let run = demo.begin(m.spikes(x), m.gridStart(100));
      while (run.verdict === "moving") run = demo.advance(run, 10);
      const more = demo.add(run, 0.3);
      return { before: run.now, after: more.now, later: demo.advance(more, 10).state, words: demo.sentence(more) };
    })()"""
    found = js(code, INSTANCES[0])
    assert found["after"]["gap"] == pytest.approx(found["before"]["gap"], abs=1e-14)
    assert found["later"]["w"][-1] == 0
    assert found["later"]["theta"][-1] == 0.3
    assert "so it will wait" in found["words"]


def test_the_three_flows_side_by_side_are_those_of_the_library(js):
    code = """(() => {
      const starts = [10, 100, 1000].map((size) => m.gridStart(size));
      let run = many.begin(m.spikes(x), starts);
      for (let k = 0; k < 200; k++) run = many.advance(run);
      return { states: run.states, distances: run.distances };
    })()"""
    found = js(code, INSTANCES[0])
    problem = problems.spikes(0)
    step = flows.forward_backward(problem, spike_steps(problem)[0], 1e-6 * problem.risk.loss.scale)
    for size, end in zip((10, 100, 1000), found["states"], strict=True):
        w, theta = flows.flow(problem, step, starts.grid_start(size), 200, record=()).state
        np.testing.assert_allclose(end["w"], w, rtol=0, atol=1e-9 * np.abs(w).max())
        np.testing.assert_allclose(end["theta"], theta[:, 0], rtol=1e-9)
    ten, hundred = np.array(found["distances"])
    assert len(ten) == len(hundred) == 201
    assert ten[0] / hundred[0] == pytest.approx(10, rel=0.01)  # the starts: m of ten times the grid's width
    assert (ten > 4 * hundred).all()
