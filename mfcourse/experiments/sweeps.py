"""Sweeps: one experiment on many instances (seeds) with many numbers of particles m.

Runs of equal m are stacked and move together; stacks are spread over processes with one BLAS thread each. How stacks
are cut depends on seeds and m only, so that results are the same to the bit for any number of processes, or on a
cluster: `with joblib.parallel_config(backend="dask"):` around a sweep moves it there.
"""

import functools
import hashlib
import threading
import warnings
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from mfcourse import __version__, checks, problems
from mfcourse.endings import end_with_parent
from mfcourse.files import PACKAGE, writable_folder
from mfcourse.flows import BLAS
from mfcourse.runs import Run

STACK = 10  # most runs in a stack,
PARTICLES = 256  # and about the most particles


class Experiment(NamedTuple):
    """What a sweep repeats; its functions live in a module, so that other processes find them.

    problem: its name in the figures' data; method: "flow" or "sgd"; make: seed -> Problem; start: (seed, m) ->
    (w, theta); run: (problem, (w, theta)) -> Run, for one problem or a stack; steps: how many it makes if no stopping
    rule ends it.
    """

    problem: str
    method: str
    make: callable
    start: callable
    run: callable
    steps: int


def sweep(experiment, seeds, sizes, jobs=None, unfinished=None, progress=False):
    """{(seed, m): Run} for each seed in `seeds` and each number of particles in `sizes`; repetitions count once.

    jobs: processes, None for what `joblib.parallel_config` says. unfinished: a folder that keeps every finished stack,
    so that an interrupted sweep goes on where it stopped. Raises ValueError for bad arguments, or if a kept file is
    damaged or not what this sweep would write, before any work; Ctrl-C ends all processes before it is passed on.
    """
    stacks, kept, done = cut_stacks(seeds, sizes), {}, {}
    jobs = None if jobs is None else checks.count("jobs", jobs)
    if unfinished is not None:
        folder = writable_folder("unfinished", unfinished)
        kept = {stack: folder / file_name(experiment, *stack) for stack in stacks}
        done = {stack: _read(experiment, *stack, path) for stack, path in kept.items() if path.exists()}
    tasks = [(experiment, *stack) for stack in stacks if stack not in done]
    title = f"{experiment.problem} {experiment.method}"
    for chosen, m, run in spread(run_stack, tasks, jobs, title, progress):
        done[chosen, m] = run
        if kept:
            run.save(kept[chosen, m], origin(experiment, chosen, m))
    return {(seed, m): done[chosen, m].one(k) for chosen, m in stacks for k, seed in enumerate(chosen)}


def cut_stacks(seeds, sizes):
    """Stacks (seeds, m) of a sweep, the largest m first: the longest runs should not be the last to begin."""
    seeds, stacks = checks.counts("seeds", seeds, at_least=0), []
    for m in sorted(checks.counts("sizes", sizes), reverse=True):
        height = min(STACK, max(1, PARTICLES // m))
        stacks += [(tuple(seeds[k : k + height]), m) for k in range(0, len(seeds), height)]
    return stacks


def file_name(experiment, seeds, m):
    """Where a finished stack is kept."""
    return f"{experiment.problem}-{experiment.method}-m{m}-seeds{'_'.join(map(str, seeds))}.npz"


def origin(experiment, seeds, m):
    """A line on what makes a stack: kept with it, as nothing that was made otherwise may take its place."""
    what = f"{experiment.problem}, {experiment.method}, seeds {' '.join(map(str, seeds))}, m = {m}"
    how = f"{experiment.run.__module__}.{experiment.run.__qualname__}, at most {experiment.steps} steps"
    return f"{what} by {how}, mfcourse {__version__} with code {code()}"


@functools.cache
def code():
    """Eight letters and digits that change with the code of the course: between two versions steps may change too."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def run_stack(experiment, seeds, m):
    """Run one stack: (seeds, m, Run)."""
    tqdm.set_lock(threading.RLock())  # the default lock leaves a semaphore behind when its process is killed
    return seeds, m, experiment.run(problems.stack(map(experiment.make, seeds)), _start(experiment, seeds, m))


def spread(function, tasks, jobs=None, title="", progress=False):
    """Results of function(*task) for every task, as they come, from `jobs` processes; a bar shows how many are done.

    No more processes are started than there are tasks. They end at once if the work is given up, by an error or
    Ctrl-C, and by themselves if this process is killed.
    """
    jobs = jobs and max(1, min(jobs, len(tasks)))
    parallel = Parallel(n_jobs=jobs, return_as="generator_unordered", initializer=end_with_parent)
    work = parallel(delayed(on_one_thread)(function, task) for task in tasks)
    with tqdm(total=len(tasks), desc=title, unit="stack", leave=False, disable=not progress) as bar:
        try:
            for result in work:
                bar.update()
                yield result
        except BaseException:
            with warnings.catch_warnings(action="ignore", category=UserWarning):  # joblib counts what is given up
                work.close()
            raise


def on_one_thread(function, task):
    """function(*task) with one BLAS thread: as fast on small products, and to the same bits in any process."""
    with BLAS.limit(limits=1):
        return function(*task)


def _start(experiment, seeds, m):
    return tuple(np.stack(part) for part in zip(*(experiment.start(seed, m) for seed in seeds), strict=True))


def _read(experiment, seeds, m, path):
    """The Run kept at `path`, if it is what this sweep would have written; ValueError otherwise."""
    run, start = Run.load(path, origin(experiment, seeds, m)), _start(experiment, seeds, m)
    made = int(run.steps[-1])
    if made != experiment.steps and not (run.stopped and made < experiment.steps):
        raise ValueError(
            f"{path} holds a run that was not finished: it ends after {made} steps, wanted are {experiment.steps} or a "
            "reason to stop; delete it, or name another folder"
        )
    begins = all(np.array_equal(kept[0], part) for kept, part in zip((run.w, run.theta), start, strict=True))
    problem = problems.stack(map(experiment.make, seeds))
    if not begins or not np.allclose(problem.energy(*run.state[:2]), run.energy[-1], rtol=1e-9):
        raise ValueError(
            f"{path} holds a run that does not begin, or end, as its seeds {seeds} and m = {m} say; delete it, or name "
            "another folder"
        )
    return run
