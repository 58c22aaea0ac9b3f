"""Sweeps: one experiment on many instances (seeds) with many numbers of particles m.

Runs of equal m are stacked and move together; stacks are spread over processes with one BLAS thread each. How stacks
are cut depends on seeds and m only, so that results are the same to the bit for any number of processes, or on a
cluster: `with joblib.parallel_config(backend="dask"):` around a sweep moves it there.
"""

import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor
from tqdm.auto import tqdm

from mfcourse import checks, problems
from mfcourse.flows import BLAS
from mfcourse.runs import Run

STACK = 10  # most runs in a stack,
PARTICLES = 256  # and about the most particles


class Experiment(NamedTuple):
    """What a sweep repeats; its functions live in a module, so that other processes find them.

    problem: its name in the figures' data; method: "flow" or "sgd"; make: seed -> Problem; start: (seed, m) ->
    (w, theta); run: (problem, (w, theta)) -> Run, for one problem or a stack.
    """

    problem: str
    method: str
    make: callable
    start: callable
    run: callable


def sweep(experiment, seeds, sizes, jobs=None, unfinished=None, progress=False):
    """{(seed, m): Run} for each seed in `seeds` and each number of particles in `sizes`.

    jobs: processes, None for what `joblib.parallel_config` says. unfinished: a folder that keeps every finished stack,
    so that an interrupted sweep goes on where it stopped. Raises ValueError if a kept file is damaged or of another
    sweep; Ctrl-C ends all processes before it is passed on.
    """
    stacks = cut_stacks(seeds, sizes)
    files = {stack: Path(unfinished or ".") / file_name(experiment, *stack) for stack in stacks}
    done = {s: _kept(experiment, *s, files[s]) for s in stacks if unfinished and files[s].exists()}
    tasks = [(experiment, *stack) for stack in stacks if stack not in done]
    title = f"{experiment.problem} {experiment.method}"
    for chosen, m, run in spread(run_stack, tasks, jobs, title, progress):
        done[chosen, m] = run
        if unfinished:
            files[chosen, m].parent.mkdir(exist_ok=True)
            run.save(files[chosen, m])
    return {(seed, m): done[chosen, m].one(k) for chosen, m in stacks for k, seed in enumerate(chosen)}


def cut_stacks(seeds, sizes):
    """Stacks (seeds, m) of a sweep, the largest m first: the longest runs should not be the last to begin."""
    seeds = [checks.count("seeds", seed, at_least=0) for seed in dict.fromkeys(seeds)]
    sizes = sorted((checks.count("sizes", m) for m in dict.fromkeys(sizes)), reverse=True)
    stacks = []
    for m in sizes:
        height = min(STACK, max(1, PARTICLES // m))
        stacks += [(tuple(seeds[k : k + height]), m) for k in range(0, len(seeds), height)]
    return stacks


def file_name(experiment, seeds, m):
    """Where a finished stack is kept."""
    return f"{experiment.problem}-{experiment.method}-m{m}-seeds{'_'.join(map(str, seeds))}.npz"


def run_stack(experiment, seeds, m):
    """Run one stack: (seeds, m, Run)."""
    tqdm.set_lock(threading.RLock())  # the default lock leaves a semaphore behind when its process is killed
    return seeds, m, experiment.run(problems.stack(map(experiment.make, seeds)), _start(experiment, seeds, m))


def spread(function, tasks, jobs=None, title="", progress=False):
    """Results of function(*task) for every task, as they come, from `jobs` processes; a bar shows how many are done."""
    work = Parallel(n_jobs=jobs, return_as="generator_unordered")(delayed(on_one_thread)(function, t) for t in tasks)
    with tqdm(work, total=len(tasks), desc=title, unit="stack", leave=False, disable=not progress) as bar:
        try:
            yield from bar
        except KeyboardInterrupt:
            if jobs and jobs > 1:
                get_reusable_executor().shutdown(wait=True, kill_workers=True)
            raise


def on_one_thread(function, task):
    """function(*task) with one BLAS thread: as fast on small products, and to the same bits in any process."""
    with BLAS.limit(limits=1):
        return function(*task)


def _start(experiment, seeds, m):
    return tuple(np.stack(part) for part in zip(*(experiment.start(seed, m) for seed in seeds), strict=True))


def _kept(experiment, seeds, m, path):
    """The Run kept at `path`, if it is the one of these seeds and m; ValueError otherwise."""
    run, start = Run.load(path), _start(experiment, seeds, m)
    begins = all(np.array_equal(kept[0], part) for kept, part in zip((run.w, run.theta), start, strict=True))
    problem = problems.stack(map(experiment.make, seeds))
    if not begins or not np.allclose(problem.energy(*run.state[:2]), run.energy[-1], rtol=1e-9):
        raise ValueError(f"{path} must be the run of seeds {seeds} with m = {m}, but it is another one; delete it")
    return run
