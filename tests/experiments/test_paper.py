"""What the figures run: steps that fit any problem of spikes, starts that fail, and runs that are stuck for good."""

import numpy as np
import pytest

from mfcourse import convex, experiments, problems
from mfcourse.certificates import certify
from mfcourse.flows import flow, forward_backward, gradient, until_settled
from mfcourse.measures import h1
from mfcourse.starts import grid_start


def test_halving_the_position_step_does_not_free_the_stuck_runs():
    """A stuck run could be a step that is too large: it is not."""
    seeds = (0, 1, 4, 5)
    stack = problems.stack(map(problems.spikes, seeds))
    a, b = experiments.spike_steps(stack)
    start = tuple(np.stack([part] * len(seeds)) for part in grid_start(6))
    run = flow(stack, forward_backward(stack, a, b / 2), start, experiments.PATIENCE, stop=until_settled(stack))
    for k, seed in enumerate(seeds):
        assert certify(problems.spikes(seed), h1(*run.one(k).state)).gap > 0.1


@pytest.mark.parametrize("arc", [0.2, 0.5])
def test_a_start_on_an_arc_fails_for_every_number_of_particles(arc):
    for seed in (0, 1):
        problem = problems.spikes(seed)
        best = problem.objective(convex.certified_optimum(problem))
        step = forward_backward(problem, *experiments.spike_steps(problem))
        for m in (100, 400):
            run = flow(problem, step, grid_start(m, arc=arc), 30_000, stop=until_settled(problem))
            assert run.energy[-1] > 1.05 * best
            assert certify(problem, h1(*run.state)).max_potential > 1.5


def test_stuck_neurons_stay_stuck_when_the_step_is_halved():
    stack = problems.stack(map(experiments.PLANE.make, (4, 7, 8)))
    start = tuple(map(np.stack, zip(*(experiments.PLANE.start(seed, 5) for seed in (4, 7, 8)), strict=True)))
    run = flow(stack, gradient(stack, 0.125, 0.125), start, 40_000, record=())
    assert (run.energy[-1] > 5e-3 * run.energy[0]).all()


def test_steps_are_those_of_the_recipe_in_one_dimension():
    a, b = experiments.spike_steps(problems.spikes(0))
    assert a == pytest.approx(2 / 15)
    assert b == pytest.approx(6e-6, rel=0.01)
    _, conic = experiments.spike_steps(problems.spikes(0), "conic")
    assert conic == pytest.approx(1.2e-4, rel=0.01)


def test_the_conic_metric_needs_few_steps_for_every_number_of_particles():
    for m in (20, 200):
        run = experiments.spike_flow(problems.spikes(1), m, metric="conic")
        assert run.stopped
        assert run.steps[-1] <= 400


def test_spikes_in_two_dimensions_are_found_and_certified():
    problem = problems.spikes(0, dimension=2)
    run = experiments.spike_flow(problem, 144, metric="conic")
    assert certify(problem, h1(*run.state)).optimal


def test_a_run_on_its_way_to_its_certificate_is_not_called_at_rest():
    """The gap falls like the distance to the optimum, the dissipation like its square: a gap of 1e-8 is 1e-16 or so."""
    for seed, m, dimension in ((4, 10, 1), (3, 6, 1), (16, 20, 1), (10, 20, 1), (4, 64, 2)):
        run = experiments.spike_flow(problems.spikes(seed, dimension=dimension), m, "conic")
        assert run.reason == "certified"
    for seed, m in ((0, 6), (7, 5)):  # and one that is stuck is found to be so
        for metric in ("euclidean", "conic"):
            assert experiments.spike_flow(problems.spikes(seed), m, metric).reason == "at rest"
