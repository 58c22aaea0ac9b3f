"""The data of the paper's figures, plain dictionaries: how far each run ends from the optimum.

An excess is (J - J*) / J* for spikes, with the certified optimum J*; for networks, whose J* is 0, it is the relative
risk R(mu) / R(0), where R(0) = E f*^2 / 2.
"""

import json
import time

import numpy as np

from mfcourse import checks
from mfcourse.certificates import certify
from mfcourse.convex import certified_optimum, fixed_positions
from mfcourse.experiments.paper import FIGURES, FIXED_SIZES, SEEDS, moving_sizes
from mfcourse.experiments.sweeps import cut_stacks, file_name, spread, sweep
from mfcourse.files import PACKAGE
from mfcourse.flows import BLAS
from mfcourse.measures import Measure, h1
from mfcourse.starts import grid_start


def figure(name, seeds=SEEDS, sizes=None, jobs=None, unfinished=None, progress=False):
    """The data of "figure1", "figure2" or "figure3": (records, runs).

    Figure 1: spikes with few, enough and many particles; Figure 2: ReLU in the plane, exact flow and SGD; Figure 3:
    excess against m, particles that move and particles that stay. seeds: instances, each taken once; sizes: numbers of
    particles in place of the figure's own; jobs, unfinished: as for `sweep`, which raises ValueError for what it cannot
    use. records: one dictionary for each run; runs: {(problem, method, seed, m): Run} of those that flow.
    """
    checks.one_of("name", name, tuple(FIGURES))
    seeds = checks.counts("seeds", seeds, at_least=0)
    sizes = None if sizes is None else checks.counts("sizes", sizes)
    records, runs = [], {}
    for experiment in FIGURES[name]:
        found = sweep(experiment, seeds, moving_sizes(name, experiment, sizes), jobs, unfinished, progress)
        optima = {seed: optimum(experiment.problem, experiment.make(seed)) for seed in seeds}
        for (seed, m), run in found.items():
            runs[experiment.problem, experiment.method, seed, m] = run
            end = experiment.make(seed), h1(*run.state[:2]), optima[seed]
            records.append(record(experiment, experiment.method, seed, m, *end, int(run.steps[-1]), run.seconds))
        if name == "figure3":
            tasks = [(experiment, seed, m, optima[seed]) for m in sizes or FIXED_SIZES for seed in seeds]
            records += spread(fixed, tasks, jobs, f"{experiment.problem} fixed", progress)
    order = [experiment.problem for experiment in FIGURES[name]]
    records.sort(key=lambda r: (order.index(r["problem"]), r["method"], r["seed"], r["m"]))
    return records, runs


def shipped(name):
    """Records of a figure that come with the course: `mfcourse reproduce NAME --seeds 0-19 --out mfcourse/data`."""
    path = PACKAGE / "data" / f"{checks.one_of('name', name, ('figure3',))}.json"
    return json.loads(path.read_text(encoding="utf-8"))["runs"]


def clear(name, seeds, sizes, unfinished):
    """Remove the kept stacks of a figure that is complete, and their folder if nothing else is in it."""
    for experiment in FIGURES[name]:
        for stack in cut_stacks(seeds, moving_sizes(name, experiment, sizes)):
            (unfinished / file_name(experiment, *stack)).unlink(missing_ok=True)
    if unfinished.exists() and not any(unfinished.iterdir()):
        unfinished.rmdir()


@BLAS.wrap(limits=1)
def optimum(name, problem):
    """The least J, certified for spikes; 0 for teachers, who reach it."""
    return problem.objective(certified_optimum(problem)) if name == "spikes" else 0.0


def fixed(experiment, seed, m, best):
    """The record of m positions that stay, with the best weights for them: a grid for spikes, else random neurons."""
    problem, clock = experiment.make(seed), time.perf_counter()
    _, positions = experiment.start(seed, m)
    if problem.risk.homogeneity == 1:
        positions = positions / np.linalg.norm(positions, axis=-1, keepdims=True)
    measure = fixed_positions(problem, positions)
    return record(experiment, "fixed", seed, m, problem, measure, best, None, time.perf_counter() - clock)


@BLAS.wrap(limits=1)
def record(experiment, method, seed, m, problem, measure, best, steps, seconds):
    """One entry of a figure's JSON: how far a measure is from the optimum, and what its own certificate says."""
    objective = problem.objective(measure)
    if problem.penalty:
        excess, gap = (objective - best) / best, certify(problem, measure).gap
    else:
        excess = gap = objective / problem.objective(Measure(np.zeros(0), np.zeros((0, measure.dimension))))
    numbers = {"excess": excess, "objective": objective, "optimum": best, "gap": gap, "steps": steps}
    return {"problem": experiment.problem, "method": method, "seed": seed, "m": m, **numbers, "seconds": seconds}


def excess_of_grids(problem, optimum, sizes):
    """Relative excess of the best measure on each fixed uniform grid (Lasso), one number for each m in `sizes`.

    Raises ValueError if there is no m, or one that is no number of points of a grid.
    """
    if not len(sizes):
        raise ValueError("sizes must hold at least one number of points, but there is none")
    best = problem.objective(optimum)
    dimension = problem.risk.features.dimension
    fitted = [fixed_positions(problem, grid_start(m, dimension)[1]) for m in sizes]
    return np.array([problem.objective(measure) - best for measure in fitted]) / best
