"""The figures' data: what the paper's Figure 1 claims holds, whatever the number of processes or interruptions."""

import numpy as np
import pytest

from mfcourse import convex, experiments, problems
from mfcourse.certificates import certify
from mfcourse.measures import h1
from mfcourse.runs import Run

KEYS = ["problem", "method", "seed", "m", "excess", "objective", "optimum", "gap", "steps", "seconds"]


@pytest.fixture(scope="module")
def figure1():
    return experiments.figure1(seeds=(0, 1, 4, 5))


def test_six_particles_fail_and_ten_and_a_hundred_succeed_instance_by_instance(figure1):
    records, _ = figure1
    assert len(records) == 12
    for record in records:
        assert list(record) == KEYS
        if record["m"] == 6:
            assert record["excess"] > 1e-2
            assert record["gap"] > 1e-2
        else:
            assert record["excess"] <= 1e-8
            assert record["gap"] <= 1e-6


def test_every_excess_lies_between_zero_and_what_the_gap_allows(figure1):
    for record in figure1[0]:
        assert -1e-12 <= record["objective"] / record["optimum"] - 1 <= record["gap"] / (1 - record["gap"]) + 1e-12
        assert record["excess"] == pytest.approx(record["objective"] / record["optimum"] - 1, abs=1e-12)


def test_runs_end_on_their_certificate_or_at_rest_and_not_on_a_number_of_steps(figure1):
    _, runs = figure1
    for run in runs.values():
        assert run.stopped
        assert run.steps[-1] < experiments.PATIENCE
    assert len({int(run.steps[-1]) for run in runs.values()}) > 6


def test_halving_the_position_step_does_not_free_the_stuck_runs():
    """A stuck run could be a step that is too large: it is not."""
    from mfcourse.flows import flow, forward_backward, until_settled
    from mfcourse.starts import grid_start

    for seed in (0, 1, 4, 5):
        problem = problems.spikes(seed)
        a, b = experiments.spike_steps(problem)
        step = forward_backward(problem, a, b / 2)
        run = flow(problem, step, grid_start(6), experiments.PATIENCE, stop=until_settled(problem))
        assert certify(problem, h1(*run.state)).gap > 0.1


def test_counts_of_success_are_the_reference_ones():
    """On seeds 0-19 the optimum is reached by 30 % of the runs with m = 6, and by all with m = 10."""
    for m, share in ((6, 0.3), (10, 1.0)):
        reached = [experiments.spike_flow(problems.spikes(seed), m) for seed in range(20)]
        certified = [certify(problems.spikes(seed), h1(*run.state)).optimal for seed, run in enumerate(reached)]
        assert np.mean(certified) == share


@pytest.mark.parametrize("arc", [0.2, 0.5])
def test_a_start_on_an_arc_fails_for_every_number_of_particles(arc):
    from mfcourse.flows import flow, forward_backward, until_settled
    from mfcourse.starts import grid_start

    for seed in (0, 1):
        problem = problems.spikes(seed)
        best = problem.objective(convex.certified_optimum(problem))
        step = forward_backward(problem, *experiments.spike_steps(problem))
        for m in (100, 400):
            run = flow(problem, step, grid_start(m, arc=arc), 30_000, stop=until_settled(problem))
            assert run.energy[-1] > 1.05 * best
            assert certify(problem, h1(*run.state)).max_potential > 1.5


def test_results_do_not_depend_on_the_number_of_processes():
    one = experiments.figure1(seeds=(0, 1), sizes=(6, 10), jobs=1)
    two = experiments.figure1(seeds=(0, 1), sizes=(6, 10), jobs=2)
    for first, second in zip(one[0], two[0], strict=True):
        assert {**first, "seconds": 0} == {**second, "seconds": 0}
    for key, run in one[1].items():
        assert (run.w == two[1][key].w).all()
        assert (run.theta == two[1][key].theta).all()


def test_an_interrupted_figure_keeps_what_was_finished_and_goes_on(tmp_path, monkeypatch):
    folder = tmp_path / "figure1.unfinished"
    task, done = experiments._spike_task, []

    def interrupted(seed, m):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append((seed, m))
        return task(seed, m)

    monkeypatch.setattr(experiments, "_spike_task", interrupted)
    with pytest.raises(KeyboardInterrupt):
        experiments.figure1(seeds=(0,), sizes=(6, 10, 20), unfinished=folder)
    assert sorted(path.name for path in folder.iterdir()) == ["spikes-flow-seed0-m10.npz", "spikes-flow-seed0-m6.npz"]
    monkeypatch.setattr(experiments, "_spike_task", task)
    before = Run.load(folder / "spikes-flow-seed0-m6.npz")
    _, runs = experiments.figure1(seeds=(0,), sizes=(6, 10, 20), unfinished=folder)
    assert runs[0, 6].seconds == before.seconds  # read back, not run again
    assert (runs[0, 6].w == before.w).all()


def test_a_kept_run_of_another_instance_is_not_taken_for_this_one(tmp_path):
    experiments.spike_flow(problems.spikes(3), 6).save(tmp_path / "spikes-flow-seed0-m6.npz")
    with pytest.raises(ValueError, match="must be the run of seed 0 with m = 6, but it is another one; delete it"):
        experiments.figure1(seeds=(0,), sizes=(6,), unfinished=tmp_path)
    experiments.spike_flow(problems.spikes(0), 5).save(tmp_path / "spikes-flow-seed0-m6.npz")
    with pytest.raises(ValueError, match="it is another one"):
        experiments.figure1(seeds=(0,), sizes=(6,), unfinished=tmp_path)


def test_a_half_written_run_file_is_named(tmp_path):
    (tmp_path / "spikes-flow-seed0-m6.npz").write_bytes(b"PK half")
    with pytest.raises(ValueError, match=r"spikes-flow-seed0-m6\.npz must be a run saved by mfcourse"):
        experiments.figure1(seeds=(0,), sizes=(6,), unfinished=tmp_path)


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


def test_fixed_grids_improve_like_a_power_of_m():
    problem = problems.spikes(0)
    excess = experiments.excess_of_grids(problem, convex.certified_optimum(problem), (50, 100, 500))
    assert (excess > 1e-5).all()
    slope = np.polyfit(np.log([50, 100, 500]), np.log(excess), 1)[0]
    assert -2.7 < slope < -1.5


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: experiments.figure1(seeds=(-1,)), "seeds must be"),
        (lambda: experiments.figure1(sizes=(0,)), "sizes must be"),
        (lambda: experiments.spike_steps(problems.spikes(0), "flat"), "metric must be"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
