"""Sweeps: the same bits for any number of processes, on a cluster, and after an interruption."""

import joblib
import numpy as np
import pytest

from mfcourse import experiments, problems, sweeps
from mfcourse.runs import Run
from mfcourse.sweeps import Experiment, cut_stacks, sweep


def short_run(problem, start):
    """A few steps of SGD: its state has a memory, the number of the batch."""
    from mfcourse.flows import flow
    from mfcourse.stochastic import begin, stochastic

    return flow(problem, stochastic(problem, 0.25, 0.25, 20), begin(*start), 30)


PLANE = Experiment("relu", "sgd", experiments.plane_teacher, experiments.small_sphere_plane, short_run, 30)


def same(one, two):
    assert one.keys() == two.keys()
    for key, run in one.items():
        np.testing.assert_array_equal(run.w, two[key].w)
        np.testing.assert_array_equal(run.theta, two[key].theta)
        np.testing.assert_array_equal(run.energy, two[key].energy)


def test_stacks_hold_equal_sizes_the_largest_first_and_every_pair_once():
    stacks = cut_stacks(range(13), (5, 100, 300, 5))
    assert [m for _, m in stacks] == sorted((m for _, m in stacks), reverse=True)
    pairs = [(seed, m) for seeds, m in stacks for seed in seeds]
    assert sorted(pairs) == sorted((seed, m) for seed in range(13) for m in (5, 100, 300))
    for seeds, m in stacks:
        assert len(seeds) <= sweeps.STACK
        assert len(seeds) == 1 or len(seeds) * m <= sweeps.PARTICLES


def test_a_run_of_a_stack_is_the_run_alone():
    runs = sweep(PLANE, range(4), (5, 8))
    for (seed, m), run in runs.items():
        alone = short_run(PLANE.make(seed), PLANE.start(seed, m))
        np.testing.assert_allclose(run.w, alone.w, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(run.theta, alone.theta, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(run.energy, alone.energy, rtol=1e-10, atol=1e-14)
        assert run.state[2] == 30


def test_results_do_not_depend_on_the_number_of_processes():
    same(sweep(experiments.SPIKES, (0, 1), (6, 10)), sweep(experiments.SPIKES, (0, 1), (6, 10), jobs=2))


def test_records_do_not_depend_on_it_either():
    one, _ = experiments.figure("figure3", (0, 1), (10,), jobs=1)
    two, _ = experiments.figure("figure3", (0, 1), (10,), jobs=2)
    assert [{**record, "seconds": 0} for record in one] == [{**record, "seconds": 0} for record in two]


@pytest.mark.filterwarnings("default")  # of the cluster's own housekeeping
def test_a_sweep_moves_to_a_cluster_and_gives_the_same_bits():
    distributed = pytest.importorskip("distributed")
    here = sweep(experiments.SPIKES, (0, 1), (6, 10))
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, distributed.Client(cluster) as client, joblib.parallel_config(backend="dask"):
        same(here, sweep(experiments.SPIKES, (0, 1), (6, 10)))
        done = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.task_prefixes))
    assert done > 0  # the work was done there


def test_an_interrupted_sweep_keeps_what_was_finished_and_goes_on(tmp_path, monkeypatch):
    folder = tmp_path / "unfinished"
    task, done = sweeps.run_stack, []

    def interrupted(*arguments):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(arguments)
        return task(*arguments)

    monkeypatch.setattr(sweeps, "run_stack", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sweep(PLANE, (0,), (5, 8, 10), unfinished=folder)
    assert sorted(path.name for path in folder.iterdir()) == ["relu-sgd-m10-seeds0.npz", "relu-sgd-m8-seeds0.npz"]
    monkeypatch.setattr(sweeps, "run_stack", task)
    before = Run.load(folder / "relu-sgd-m8-seeds0.npz")
    runs = sweep(PLANE, (0,), (5, 8, 10), unfinished=folder)
    assert runs[0, 8].seconds == before.seconds  # read back, not run again
    same(runs, sweep(PLANE, (0,), (5, 8, 10)))


def test_a_kept_run_of_another_instance_is_not_taken_for_this_one(tmp_path):
    path = tmp_path / "spikes-flow-m6-seeds0.npz"
    for other in ((3,), 6), ((0,), 5):
        sweeps.run_stack(experiments.SPIKES, *other)[2].save(path)
        with pytest.raises(
            ValueError, match=r"must be the run of seeds \(0,\) with m = 6, but it is another one; delete"
        ):
            sweep(experiments.SPIKES, (0,), (6,), unfinished=tmp_path)


def test_a_half_written_run_file_is_named(tmp_path):
    (tmp_path / "spikes-flow-m6-seeds0.npz").write_bytes(b"PK half")
    with pytest.raises(ValueError, match=r"spikes-flow-m6-seeds0\.npz must be a run saved by mfcourse"):
        sweep(experiments.SPIKES, (0,), (6,), unfinished=tmp_path)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="seeds must be"):
        sweep(experiments.SPIKES, (-1,), (6,))
    with pytest.raises(ValueError, match="sizes must be"):
        sweep(experiments.SPIKES, (0,), (0,))
    with pytest.raises(ValueError, match="problems must be one or more of the same kind"):
        problems.stack([problems.spikes(0), problems.relu_teacher(0)])
