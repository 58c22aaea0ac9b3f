"""The experiments of the chapters after the paper as data: plain dictionaries, one for each measurement.

`mfcourse reproduce sgd`, `noise` and `forgetting` write them. All take the same words: `seeds` repeat what is random,
`quick` does less of it, `jobs` are processes, on which no number depends.
"""

import numpy as np

from mfcourse import checks
from mfcourse.beyond import forgetful_digits, forgetful_ridge, overlaps, tanh_line
from mfcourse.beyond.fokker_planck import evolve, gibbs, kl
from mfcourse.beyond.langevin import noisy
from mfcourse.beyond.unlearning import attack, attack_bound, gradient_gap, temperature_needed
from mfcourse.experiments.sweeps import spread
from mfcourse.flows import flow
from mfcourse.stochastic import begin

PATHS, NOISY, START = 50, 0.5, (0.3, 0.6)  # runs of most records; of SGD: deviation of labels, overlaps at time 0
TIMES = np.linspace(0, 1, 21)
STATIONARY = np.arange(6.0, 12.5, 0.5)
TEMPERATURE, POINT = 0.05, 3.0  # of noise: tau, and the place where all begin
STEPS, PROMISED = (0, 20, 40, 60), 0.4  # of forgetting: steps of unlearning, and the mu that is to be reached


def sgd(seeds=None, quick=False, jobs=None, progress=False):
    """Chapter 13: how far the chain is from its limit, where risk ends with noisy labels, and which share is lost.

    Records have a "problem" and a "method", the step c / N as "c" and "dimension", a "seed", and what was measured.
    Problem "square", method "paths": the median over runs of the largest distance of the overlaps from the effective
    equation ("distance") and from the plain gradient flow ("distance_from_flow"), up to time 1. Problem "linear": the
    stationary |theta - v|^2 with noisy labels ("risk"), and what the limit predicts. Problem "square", method "lost":
    the share of random starts on the sphere that are lost by time 6 ("share").
    """
    seeds = _seeds(seeds, quick)
    dimensions = (50, 100, 200, 400) if quick else (50, 100, 200, 400, 800, 1600)
    tasks = [("paths", 0.1, n, seed) for seed in seeds for n in dimensions]
    tasks += [("floor", c, 100 if quick else 400, seed) for seed in seeds for c in (0.25, 0.5, 1.0, 1.5, 1.75)]
    steps = (0.1, 0.14, 1 / 6, 0.2) if quick else (0.1, 0.12, 0.14, 0.15, 0.16, 1 / 6, 0.18, 0.2)
    tasks += [("lost", c, n, seed) for seed in seeds for n in ((50, 200) if quick else (200, 800)) for c in steps]
    return _sorted(spread(_of_sgd, tasks, jobs, "sgd", progress), ("method", "seed", "dimension", "c"))


def _of_sgd(method, c, dimension, seed):
    measured = {"paths": _distances, "floor": _floor, "lost": _lost}[method](c, dimension, seed)
    problem = "linear" if method == "floor" else "square"
    return {"problem": problem, "method": method, "c": c, "dimension": dimension, "seed": seed, **measured}


def _distances(c, dimension, seed):
    path = overlaps.chain(overlaps.SQUARE, c, dimension, np.tile(START, (PATHS, 1)), TIMES, seed)
    limits = {"distance": c, "distance_from_flow": 0.0}
    found = {}
    for name, step in limits.items():
        limit = overlaps.follow(overlaps.effective(overlaps.SQUARE, step), START, TIMES)
        found[name] = float(np.median(np.abs(path - limit[:, None]).max(axis=(0, 2))))
    return found


def _floor(c, dimension, seed):
    neuron, limit = overlaps.LINEAR._replace(noise=NOISY), c * NOISY**2 / (2 - c)
    path = overlaps.chain(neuron, c, dimension, np.tile((1.0, limit), (4 * PATHS, 1)), STATIONARY, seed)
    risk = (1 - path[..., 0]) ** 2 + path[..., 1]
    return {"risk": float(risk.mean()), "predicted": limit, "runs": 4 * PATHS}


def _lost(c, dimension, seed):
    directions = np.random.default_rng([seed, dimension]).standard_normal((4 * PATHS, dimension))
    m = directions[:, 0] / np.linalg.norm(directions, axis=1)
    path = overlaps.chain(overlaps.SQUARE, c, dimension, np.stack([m, 1 - m**2], axis=-1), [6.0], seed)
    return {"share": float(overlaps.lost(path[-1]).mean()), "runs": 4 * PATHS}


def noise(seeds=None, quick=False, jobs=None, progress=False, sizes=(10, 100, 1000)):
    """Chapter 14: what noise costs, the flow of the free energy between its bounds, and how fast particles converge.

    Method "optimum": for each "temperature" the least "free_energy", the "energy" F there, its "price" F - min F, and
    the "gap" that certifies it. Method "flow": from a narrow start, after each "time", the "excess" of the free energy
    with its bounds, "gap" above and "lower" below. Methods "particles" and "independent": the mean square "error" of
    the prediction of m noisy particles, started in one point, and of m independent draws from the optimum.
    """
    seeds, sizes = _seeds(seeds, quick), checks.counts("sizes", sizes)
    least = tanh_line.least_energy()
    tasks = [("optimum", tau, least) for tau in (0.1, 0.05, 0.02, 0.01, 0.005, 0.002)] + [("flow",)]
    tasks += [("cloud", m, seed, 20 if quick else 100) for m in sizes for seed in seeds]
    found = spread(_of_noise, list(enumerate(tasks)), jobs, "noise", progress)
    return [record for _, records in sorted(found, key=lambda result: result[0]) for record in records]


def _of_noise(number, task):
    method, *arguments = task
    measured = {"optimum": _optimum, "flow": _flow, "cloud": _cloud}[method](*arguments)
    return number, [{"problem": "tanh", **record} for record in measured]


def _optimum(temperature, least):
    grid = tanh_line.grid(temperature)
    density = grid.optimum()
    energy, gap = float(grid.energy(density)), float(grid.gap(density))
    free = {"free_energy": float(grid.free_energy(density)), "energy": energy, "price": energy - least}
    return [{"method": "optimum", "temperature": temperature, **free, "gap": gap}]


def _flow():
    grid = tanh_line.grid(TEMPERATURE)
    best = grid.optimum()
    start = gibbs((tanh_line.POSITIONS - POINT) ** 2 / 2, grid.width, 0.09)
    times, densities = evolve(grid, start, 0.1, 600, record=20)
    excess, gap = grid.free_energy(densities) - grid.free_energy(best), grid.gap(densities)
    lower = [TEMPERATURE * float(kl(density, best, grid.width)) for density in densities]
    rows = zip(times.tolist(), excess.tolist(), gap.tolist(), lower, strict=True)
    return [{"method": "flow", "time": t, "excess": e, "gap": g, "lower": low} for t, e, g, low in rows]


def _cloud(m, seed, time):
    """Errors in the mean over 16 runs and over `time`, after the particles have had 40 to settle."""
    problem, grid, size = tanh_line.problem(), tanh_line.grid(TEMPERATURE), 0.05
    best = grid.optimum()
    prediction = grid.push(best)
    spread_of_one = float((grid.width * best @ grid.features**2 - prediction**2).mean())
    start = begin(np.full((16, m), tanh_line.HEIGHT), np.full((16, m, 1), POINT))
    step = noisy(problem, size, TEMPERATURE, tanh_line.CONFINEMENT, seed=1000 * seed)
    settled, end = round(40 / size), round((40 + time) / size)
    run = flow(problem, step, start, end, record=range(settled, end, 10))
    seen = problem.risk.features.push(run.w[1:], run.theta[1:])
    error = float(((seen - prediction) ** 2).mean())
    common = {"m": m, "seed": seed, "temperature": TEMPERATURE}
    return [
        {"method": "particles", **common, "error": error},
        {"method": "independent", **common, "error": spread_of_one / m},
    ]


def forgetting(seeds=None, quick=False, jobs=None, progress=False):
    """Chapter 15: an attack beside its bound, what public samples are worth, and what a certificate costs.

    Method "attack", on digits: for each number of "public" images and of "steps" of unlearning the certificate "mu",
    the largest AUC it allows ("bound"), that of an "attack", and the "accuracy" after unlearning. Method "price": with
    as much noise as makes mu = 0.4 after 40 steps, its "temperature" and the "accuracy". Method "leak", on ridge
    regression: the exact "divergence", of Renyi's order 2, of unlearned from retrained before any unlearning.
    """
    seeds, number = _seeds(seeds, quick), 200 if quick else 400
    tasks = [("attack", public, number, seed) for public in (0, 200, 1000) for seed in seeds]
    tasks += [("price", public, PATHS, seed) for public in (0, 200, 400, 1000) for seed in seeds]
    tasks += [("leak", public, 0, 0) for public in (0, 25, 50, 100, 200, 400, 800, 1600, 6400, 25600)]
    found = spread(_of_forgetting, list(enumerate(tasks)), jobs, "forgetting", progress)
    return [record for _, records in sorted(found, key=lambda result: result[0]) for record in records]


def _of_forgetting(number, task):
    method, public, runs, seed = task
    if method == "leak":
        common = {"problem": "ridge", "method": method, "public": public, "private": 200}
        return number, [{**common, "divergence": forgetful_ridge.divergence(public)}]
    common = {
        "problem": "digits",
        "method": method,
        "public": public,
        "private": forgetful_digits.PRIVATE,
        "seed": seed,
    }
    measured = {"attack": _attacks, "price": _priced}[method](public, runs, seed)
    return number, [{**common, **record} for record in measured]


def _attacks(public, number, seed):
    unlearned, retrained = forgetful_digits.runs(public, STEPS, number=number, seed=seed)
    records = []
    for steps, first, second in zip(STEPS, unlearned, retrained, strict=True):
        mu = forgetful_digits.certified(public, steps)
        known = {"steps": steps, "mu": mu, "bound": float(attack_bound(mu)), "attack": attack(first, second)}
        records.append({**known, "accuracy": _accuracy(first, seed)})
    return records


def _priced(public, number, seed):
    gap = gradient_gap(forgetful_digits.FORGOTTEN, forgetful_digits.PRIVATE + public)
    step, factor, learn = forgetful_digits.STEP, forgetful_digits.FACTOR, forgetful_digits.LEARN
    temperature = float(temperature_needed(PROMISED, gap, step, factor, 40, learn))
    unlearned, _ = forgetful_digits.runs(public, (40,), temperature, number=number, seed=seed)
    return [{"steps": 40, "mu": PROMISED, "temperature": temperature, "accuracy": _accuracy(unlearned[0], seed)}]


def _accuracy(w, seed):
    """Share of test images that a run (R, 64) tells right, in the mean over runs."""
    _, _, x, y = forgetful_digits.data(seed=seed)
    return float((np.sign(w @ x.T) == y).mean())


def _seeds(seeds, quick):
    return (range(1) if quick else range(5)) if seeds is None else checks.counts("seeds", seeds, at_least=0)


def _sorted(records, keys):
    """Records in an order that does not depend on which process was first."""
    return sorted(records, key=lambda record: [record[key] for key in keys])


MEASUREMENTS = {"sgd": sgd, "noise": noise, "forgetting": forgetting}
