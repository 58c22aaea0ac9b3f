"""The paper's figures as functions that return plain data; drawing is left to `plots`, talking to `cli`.

Runs are independent of each other: they are spread over processes with one BLAS thread each, and their results do not
depend on how many processes there are.
"""

from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from mfcourse import checks, problems
from mfcourse.certificates import certify
from mfcourse.convex import certified_optimum, fixed_positions
from mfcourse.flows import flow, forward_backward, until_settled
from mfcourse.measures import h1
from mfcourse.runs import Run
from mfcourse.starts import grid_start

SIZES = (6, 10, 100)  # Figure 1: too few particles, enough, many
SEEDS = (0, 1, 2, 3, 4)
RUN_FILE = "spikes-flow-seed{}-m{}.npz"
PATIENCE = 100_000  # steps after which a run that is neither certified nor at rest is given up


def spike_steps(problem, metric="euclidean"):
    """Step sizes (a, b) for masses and positions of spikes, in any dimension.

    a = lambda / |phi|^2 is the inverse of the curvature of the risk in w. b = .033 lambda / |phi'|^2 leaves room for
    weights of size 10 or so: with b five times as large the flow does not blow up, it jumps for ever between two wrong
    measures (seed 0, m = 10), or parks near one. In the conic metric the weights drop out and b may be 20 times larger.
    """
    features, lam = problem.risk.features, problem.risk.loss.scale
    b = {"euclidean": 0.033, "conic": 0.66}[checks.one_of("metric", metric, ("euclidean", "conic"))]
    return lam / features.size, b * lam / features.slope_squared


def spike_flow(problem, m, metric="euclidean", progress=False):
    """Forward-backward from weights 0 on a uniform grid of m positions (Sec. 4.1), until certified or stuck: a Run."""
    step = forward_backward(problem, *spike_steps(problem, metric), metric)
    start = grid_start(m, problem.risk.features.dimension)
    return flow(problem, step, start, PATIENCE, stop=until_settled(problem), progress=progress)


def figure1(seeds=SEEDS, sizes=SIZES, jobs=None, unfinished=None, progress=False):
    """Figure 1: the flow with m particles for each m in `sizes`, on the instance `problems.spikes(seed)` of each seed.

    jobs: processes, None for what `joblib.parallel_config` says. unfinished: a folder that keeps every finished run, so
    that an interrupted call goes on where it stopped. Returns (records, runs): one record for each (seed, m), and the
    Run of each (seed, m).
    """
    seeds = [checks.count("seeds", seed, at_least=0) for seed in dict.fromkeys(seeds)]
    sizes = [checks.count("sizes", m) for m in dict.fromkeys(sizes)]
    keys = [(seed, m) for seed in seeds for m in sizes]
    files = {key: Path(unfinished or ".") / RUN_FILE.format(*key) for key in keys}
    runs = {key: _finished(*key, files[key]) for key in keys if unfinished and files[key].exists()}
    missing = [key for key in keys if key not in runs]
    work = Parallel(n_jobs=jobs, return_as="generator_unordered")(delayed(_spike_task)(*task) for task in missing)
    for seed, m, run in tqdm(work, total=len(missing), desc="figure 1", unit="run", disable=not progress):
        runs[seed, m] = run
        if unfinished:
            files[seed, m].parent.mkdir(exist_ok=True)
            run.save(files[seed, m])
    records = []
    for seed in seeds:
        problem = problems.spikes(seed)
        optimum = certified_optimum(problem)
        records += [_record(problem, problem.objective(optimum), seed, m, runs[seed, m]) for m in sizes]
    return records, runs


def excess_of_grids(problem, optimum, sizes):
    """Relative excess of the best measure on each fixed uniform grid (Lasso), one number for each m in `sizes`."""
    best = problem.objective(optimum)
    dimension = problem.risk.features.dimension
    fitted = [fixed_positions(problem, grid_start(m, dimension)[1]) for m in sizes]
    return np.array([problem.objective(measure) - best for measure in fitted]) / best


def _spike_task(seed, m):
    return seed, m, spike_flow(problems.spikes(seed), m)


def _record(problem, best, seed, m, run):
    """One entry of a figure's JSON: how far a run is from the optimum, and what its own certificate says."""
    certificate = certify(problem, h1(*run.state))
    return {
        "problem": "spikes",
        "method": "flow",
        "seed": seed,
        "m": m,
        "excess": (certificate.objective - best) / best,
        "objective": certificate.objective,
        "optimum": best,
        "gap": certificate.gap,
        "steps": int(run.steps[-1]),
        "seconds": run.seconds,
    }


def _finished(seed, m, path):
    """The Run kept at `path`, if it is the one of this seed and m; ValueError otherwise."""
    run = Run.load(path)
    problem, (w, theta) = problems.spikes(seed), grid_start(m)
    begins = run.w[0].shape == w.shape and (run.w[0] == w).all() and (run.theta[0] == theta).all()
    if not begins or not np.isclose(problem.energy(*run.state[:2]), run.energy[-1], rtol=1e-9):
        raise ValueError(f"{path} must be the run of seed {seed} with m = {m}, but it is another one; delete it")
    return run
