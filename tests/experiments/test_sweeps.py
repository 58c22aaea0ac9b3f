"""Sweeps: the same bits for any number of processes, on a cluster, and after an interruption."""

import errno

import joblib
import numpy as np
import pytest

from mfcourse import __version__, experiments, flows, problems
from mfcourse.experiments import sweeps
from mfcourse.experiments.sweeps import Experiment, cut_stacks, sweep
from mfcourse.runs import Run


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


def seven(problem, start):
    """A flow that is given up after seven steps."""
    return flows.flow(problem, flows.forward_backward(problem, *experiments.spike_steps(problem)), start, 7)


seven.__module__, seven.__qualname__ = experiments.spike_run.__module__, experiments.spike_run.__qualname__
SEVEN = experiments.SPIKES._replace(run=seven)  # it says of itself that it is the experiment of Figure 1
STACK = "spikes-flow-m6-seeds0.npz"


def save_seven_steps(path):
    sweeps.run_stack(SEVEN, (0,), 6)[2].save(path)


def keep_seven_steps(path):
    sweep(SEVEN, (0,), (6,), unfinished=path.parent)


def keep_fewer_steps(path):
    sweep(SEVEN._replace(steps=7), (0,), (6,), unfinished=path.parent)


def keep_other_steps(path):
    sweep(experiments.SPIKES._replace(run=experiments.plain_run, steps=20), (0,), (6,), unfinished=path.parent)


def keep_other_seed(path):
    sweep(SEVEN._replace(steps=7), (3,), (6,), unfinished=path.parent)
    (path.parent / "spikes-flow-m6-seeds3.npz").rename(path)


def keep_other_size(path):
    sweep(SEVEN._replace(steps=7), (0,), (5,), unfinished=path.parent)
    (path.parent / "spikes-flow-m5-seeds0.npz").rename(path)


def change(path, **changes):
    """A kept stack whose file was changed by somebody."""
    if not path.exists():
        sweep(experiments.SPIKES, (0,), (6,), unfinished=path.parent)
    with np.load(path) as file:
        arrays = dict(file) | {name: changed(file) for name, changed in changes.items()}
    np.savez(path, **arrays)


def change_version(path):
    change(path, origin=lambda file: str(file["origin"]).replace(f"mfcourse {__version__}", "mfcourse 0.0.9"))


def change_code(path):
    change(path, origin=lambda file: str(file["origin"]).replace(sweeps.code(), "12345678"))


def change_format(path):
    change(path, format=lambda file: "mfcourse run 1")


def change_start(path):
    change(path, theta=lambda file: np.concatenate([file["theta"][:1] + 0.25, file["theta"][1:]]))


def change_end(path):
    change(path, state0=lambda file: 2 * file["state0"])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (save_seven_steps, "holds a run of no known origin, wanted is spikes, flow, seeds 0, m = 6 by .*100000 steps"),
        (keep_seven_steps, "holds a run that was not finished: it ends after 7 steps, wanted are 100000"),
        (keep_fewer_steps, "holds .* at most 7 steps.* wanted is .* at most 100000 steps"),
        (keep_other_steps, r"holds .*experiments\.paper\.plain_run, .* wanted is .*experiments\.paper\.spike_run"),
        (keep_other_seed, "holds .* seeds 3, .* wanted is .* seeds 0, "),
        (keep_other_size, "holds .* m = 5 .* wanted is .* m = 6 "),
        (change_version, f"holds .* mfcourse 0.0.9 .* wanted is .* mfcourse {__version__} "),
        (change_code, "holds .* code 12345678, wanted is .* code [0-9a-f]{8}; delete"),
        (change_format, "its format is 'mfcourse run 1', not 'mfcourse run 2'"),
        (change_start, r"does not begin, or end, as its seeds \(0,\) and m = 6 say"),
        (change_end, r"does not begin, or end, as its seeds \(0,\) and m = 6 say"),
    ],
)
def test_a_kept_run_is_taken_only_if_this_sweep_would_have_written_it(tmp_path, make, words):
    path = tmp_path / STACK
    make(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=words) as raised:
        sweep(experiments.SPIKES, (0,), (6,), unfinished=tmp_path)
    assert str(raised.value).startswith(f"{path} ")
    assert "delete it" in str(raised.value)
    assert path.read_bytes() == before


def test_the_code_that_a_run_depends_on_has_a_name_of_its_own(tmp_path, monkeypatch):
    """A changed step is another code, the same files elsewhere are the same."""
    names = {}
    for place, text in (("here", "step = 1"), ("there", "step = 1"), ("later", "step = 2")):
        (tmp_path / place).mkdir()
        (tmp_path / place / "flows.py").write_text(text, encoding="utf-8")
        monkeypatch.setattr(sweeps, "PACKAGE", tmp_path / place)
        names[place] = sweeps.code.__wrapped__()
    assert names["here"] == names["there"] != names["later"]


def test_a_half_written_run_file_is_named(tmp_path):
    (tmp_path / "spikes-flow-m6-seeds0.npz").write_bytes(b"PK half")
    with pytest.raises(ValueError, match=r"spikes-flow-m6-seeds0\.npz must be a run saved by mfcourse"):
        sweep(experiments.SPIKES, (0,), (6,), unfinished=tmp_path)


@pytest.mark.parametrize(
    ("seeds", "sizes", "settings", "words"),
    [
        ((-1,), (6,), {}, "seeds must be a whole number >= 0, but it is -1"),
        ((), (6,), {}, "seeds must hold at least one whole number >= 0"),
        (range(3, 3), (6,), {}, "seeds must hold at least one"),
        (0, (6,), {}, "seeds must be a list of whole numbers >= 0, but it is 0"),
        ("0-4", (6,), {}, "seeds must be a list of whole numbers >= 0, but it is '0-4'"),
        (None, (6,), {}, "seeds must be a list"),
        ((0, 0.5), (6,), {}, "seeds must be a whole number >= 0, but it is 0.5"),
        ((1, True), (6,), {}, "seeds must be a whole number >= 0, but it is True"),
        (np.zeros((1, 2), int), (6,), {}, "seeds must be a whole number"),
        ((0,), (0,), {}, "sizes must be a whole number >= 1, but it is 0"),
        ((0,), (), {}, "sizes must hold at least one whole number >= 1"),
        ((0,), np.array([]), {}, "sizes must hold at least one"),
        ((0,), 6, {}, "sizes must be a list of whole numbers >= 1, but it is 6"),
        ((0,), (6.0,), {}, "sizes must be a whole number >= 1"),
        ((0,), (6,), {"jobs": 1.5}, "jobs must be a whole number >= 1, but it is 1.5"),
        ((0,), (6,), {"jobs": 0}, "jobs must be a whole number >= 1, but it is 0"),
        ((0,), (6,), {"jobs": -1}, "jobs must be a whole number >= 1, but it is -1"),
        ((0,), (6,), {"jobs": True}, "jobs must be a whole number >= 1, but it is True"),
        ((0,), (6,), {"jobs": "2"}, "jobs must be a whole number >= 1, but it is '2'"),
        ((0,), (6,), {"unfinished": ""}, "unfinished must be a folder to write to, but it is empty"),
    ],
)
def test_bad_input_is_named_before_any_work_alone_and_in_a_figure(monkeypatch, seeds, sizes, settings, words):
    monkeypatch.setattr(sweeps, "run_stack", lambda *_: pytest.fail("work began"))
    with pytest.raises(ValueError, match=words):
        sweep(experiments.SPIKES, seeds, sizes, **settings)
    for name in experiments.FIGURES:
        with pytest.raises(ValueError, match=words):
            experiments.figure(name, seeds, sizes, **settings)


def test_a_file_where_the_unfinished_are_to_be_kept_is_named_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(sweeps, "run_stack", lambda *_: pytest.fail("work began"))
    (tmp_path / "figure1.unfinished").write_bytes(b"")
    with pytest.raises(ValueError, match=r"unfinished must be a folder .*figure1\.unfinished is a file"):
        sweep(experiments.SPIKES, (0,), (6,), unfinished=tmp_path / "figure1.unfinished")


def test_repetitions_count_once_and_seeds_may_come_from_anywhere():
    same(sweep(PLANE, [1, 0, 1], (5, 5)), sweep(PLANE, iter((1, 0)), np.array([5])))
    records, _ = experiments.figure("figure1", seeds=iter([0, 0]), sizes=iter([6]))
    assert [(record["seed"], record["m"]) for record in records] == [(0, 6)]


def test_no_more_processes_are_asked_for_than_there_are_stacks(monkeypatch):
    asked = []

    def parallel(n_jobs, **settings):
        asked.append(n_jobs)
        return joblib.Parallel(1, return_as="generator_unordered")

    monkeypatch.setattr(sweeps, "Parallel", parallel)
    sweep(PLANE, (0,), (5, 8), jobs=1000)
    assert asked == [2]


def test_a_full_disk_is_named_ends_the_work_in_silence_and_keeps_what_was_finished(tmp_path, monkeypatch, recwarn):
    save, saved = Run.save, []

    def save_one(run, path, origin):
        if saved:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        saved.append(path)
        save(run, path, origin)

    monkeypatch.setattr(Run, "save", save_one)
    with pytest.raises(OSError, match=r"No space left on device: .*\.npz"):
        sweep(PLANE, (0, 1), (5, 8, 200), jobs=2, unfinished=tmp_path)
    assert list(tmp_path.iterdir()) == saved
    assert [str(w.message) for w in recwarn] == []


def test_problems_of_different_kinds_are_no_stack():
    with pytest.raises(ValueError, match="problems must be one or more of the same kind"):
        problems.stack([problems.spikes(0), problems.relu_teacher(0)])
