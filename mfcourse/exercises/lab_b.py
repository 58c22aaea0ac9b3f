"""Checks for lab B: how many particles, counted by a class."""

import contextlib
import math
import numbers
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import binom, linregress

from mfcourse.classroom import pooling
from mfcourse.exercises import as_array, as_number, as_parts, shown, spike_runs
from mfcourse.exercises.grading import as_dictionary, complete, task

TAIL = 0.025  # what an interval of 95 % may miss on each side
EXACT = 1e-4  # how well a tail must be hit
INVENTED = {"flow": {5: 9, 20: 14, 7: 11, 10: 12}, "fixed": {10: 8, 50: 13}}  # runs by method and size, invented


@task("B1", 2)
def check_predictions(predictions):
    """`predictions()` is complete and possible; whether it comes true is not judged."""
    names = ("six", "ten", "grid")
    said = as_dictionary(predictions(), "predictions returns a dictionary")
    yield 1, *complete(said, names)
    given = [as_number(said[name], f"{name!r} is a number") for name in names if name in said]
    possible = all(n == round(n) for n in given) and all(0 <= n <= 100 for n in given[:2])
    hint = "Give whole numbers: two counts out of 100 instances, and a number of positions, at least 1."
    yield 1, len(given) == 3 and possible and given[2] >= 1, hint


@task("B2", 4)
def check_one_run(one_run, seed=1000):
    """`one_run(seed, m)` is a record: its optimum is the certified one, J and gap are those of a finished flow."""
    many, few = (as_dictionary(one_run(seed, m), "one_run returns a dictionary") for m in (12, 3))
    told, hint = complete(many, pooling.KEYS) if set(many) == set(few) else complete(few, pooling.KEYS)
    for m, r in ((12, many), (3, few)):
        last, end = spike_runs.finished(seed, m)
        told = told and [r[key] for key in pooling.KEYS[:4]] == ["spikes", "flow", seed, m]
        told = told and isinstance(r["steps"], numbers.Integral) and isinstance(r["objective"], float)
        told = told and (r["steps"] == last or not np.isclose(r["objective"], end))  # another run is judged below
    yield 1, told, f"{hint} First 'spikes', 'flow', seed, m; steps is a whole number, the last of run.steps."
    # What is missing costs this point, and those that ask for its value.
    many, few = ({k: as_number(r.get(k, -1), f"{k} is a number") for k in pooling.KEYS[4:8]} for r in (many, few))
    best = spike_runs.best(seed)
    above = [(r["objective"] - r["optimum"]) / r["optimum"] for r in (many, few)]
    right = all(np.isclose(r["optimum"], best, rtol=1e-8, atol=0) for r in (many, few))
    right = right and np.allclose([many["excess"], few["excess"]], above, rtol=1e-6, atol=1e-9)
    yield 1, right, "The optimum is J of convex.certified_optimum for this seed; the excess is relative to it."
    solved, failed = abs(many["objective"] - best) <= 1e-5 * best, few["objective"] > best * (1 + 1e-3)
    hint = "Twelve particles should end at the optimum: J belongs to the measure h1(w, theta) at the end of the run."
    yield 1, solved and failed, "Three particles cannot be five spikes: does your run use m?" if solved else hint
    # The gap bounds what is left: (J - J*) / J <= gap, and it closes at the optimum.
    honest = all(r["objective"] - best <= (r["gap"] + 1e-8) * r["objective"] for r in (many, few))
    closed = -1e-9 <= many["gap"] < 1e-4 and few["gap"] < 1 + 1e-9
    yield 1, honest and closed, "The gap is the certificate's, of the same measure: certificates.certify(...).gap."


@task("B3", 3)
def check_hand_in(hand_in, team="red-3"):
    """`hand_in(folder, team, runs)` leaves team-NAME.json there, whole and readable, or raises and changes nothing."""
    good, bad = _record(7), _record(8) | {"excess": math.nan}
    with tempfile.TemporaryDirectory() as home, contextlib.chdir(home):
        folder = Path(home) / "results"
        folder.mkdir()
        file = folder / f"team-{team}.json"
        path = hand_in(folder, team, [good])
        names = [path.name for path in Path(home).rglob("*") if path.is_file()]
        placed = names == [file.name] and file.exists()
        told = isinstance(path, str | Path) and Path(path).resolve() == file.resolve()
        hint = "One file, in the given folder: team- and the name, then .json"
        yield 1, placed and told, "Return the path." if placed else hint
        yield 1, _read(file) == (team, [good]), "pooling.read_results must find the team and its runs in the file."
        raised = False
        try:
            hand_in(folder, team, [good, bad])
        except ValueError:
            raised = True
        hint = "A run with an excess of NaN must raise ValueError and leave the old file as it was."
        yield 1, raised and _read(file) == (team, [good]), hint


@task("B4", 4)
def check_chance_interval(chance_interval, n=30):
    """`chance_interval(k, n)` has tails of 2.5 % at its ends, wherever 0 < k < n, and the closed forms elsewhere."""
    inner = {k: _ends(chance_interval(k, n)) for k in range(1, n)}
    fits = all(0 <= low < k / n < high <= 1 for k, (low, high) in inner.items())
    yield 1, fits, "Return (low, high): k / n lies between them, and both lie in [0, 1]."
    tails = [binom.sf(k - 1, n, low) for k, (low, _) in inner.items()]
    hint = "At the lower end, k or more successes in n have probability 2.5 %. binom.sf(j, ...) counts from j + 1 on."
    yield 1, np.allclose(tails, TAIL, rtol=0, atol=EXACT), hint
    tails = [binom.cdf(k, n, high) for k, (_, high) in inner.items()]
    hint = "At the upper end, k or fewer successes in n have a probability of 2.5 %."
    yield 1, np.allclose(tails, TAIL, rtol=0, atol=EXACT), hint
    (floor, none), (every, ceiling) = _ends(chance_interval(0, n)), _ends(chance_interval(n, n))
    tails = [(1 - none) ** n, every**n]
    hint = "For k = 0 nothing speaks against P = 0, for k = n nothing against P = 1; the other end is as before."
    yield 1, (floor, ceiling) == (0, 1) and np.allclose(tails, TAIL, rtol=0, atol=EXACT), hint


@task("B5", 4)
def check_median_interval(median_interval, seed=0):
    """`median_interval(values)` ends at order statistics whose ranks miss the median by 2.5 % or less on each side."""
    rng = np.random.default_rng(seed)
    samples = [rng.lognormal(sigma=3, size=n) for n in (9, 10, 17, 30, 41, 100)]
    ends = [_ends(median_interval(values.copy())) for values in samples]
    pairs = list(zip(samples, ends, strict=True))
    there = all(low in x and high in x and low <= np.median(x) <= high for x, (low, high) in pairs)
    yield 1, there, "Both ends are values of the sample, one at or below its median and one at or above."
    # The r-th smallest value lies above the true median if fewer than r of n values are below it.
    ranks = [(len(x), (x <= low).sum(), (x >= high).sum()) for x, (low, high) in pairs]
    safe = all(binom.cdf(r - 1, n, 0.5) <= TAIL for n, *both in ranks for r in both)
    hint = "An end misses too often: count how many values may lie below the true median, each with probability 1/2."
    yield 1, there and safe, hint
    tight = all(binom.cdf(r, n, 0.5) > TAIL for n, *both in ranks for r in both)
    yield 1, there and tight, "It can be shorter: move each end inwards as far as 2.5 % on its side allow."
    few = rng.normal(size=6)
    five, six = _ends(median_interval(few[:5])), _ends(median_interval(few))
    mapped = [_ends(median_interval(np.log(values))) for values in samples]
    moves = np.allclose(mapped, np.log(np.maximum(ends, 1e-300)), rtol=1e-9)
    hint = "Five values are too few, (-inf, inf), six are enough; and logarithms of values map ends to ends."
    yield 1, five == (-np.inf, np.inf) and six == (min(few), max(few)) and moves, hint


@task("B6", 3)
def check_bands(bands, seed=0):
    """`bands(runs, method, interval)` has sizes in order, the medians of that method, and the interval's two ends."""
    runs, values = _invented(seed)

    def spread(excesses):  # no interval for a median, but one that is easily told from others
        return float(np.min(excesses)) / 2, float(np.max(excesses)) * 3

    found = [[], [], [], []]
    for method in INVENTED:
        hint = "bands returns four arrays: sizes, low, middle, high"
        answer = as_parts(bands([dict(run) for run in runs], method, spread), 4, hint)
        sizes = sorted(INVENTED[method])
        ends = np.array([spread(values[method][m]) for m in sizes])
        true = sizes, ends[:, 0], [np.median(values[method][m]) for m in sizes], ends[:, 1]
        answer = [as_array(part, hint) for part in answer]
        for part, (mine, right) in enumerate(zip(answer, true, strict=True)):
            found[part].append(mine.shape == np.shape(right) and np.allclose(mine, right, rtol=1e-12, atol=0))
    sizes, low, middle, high = (all(part) for part in found)
    yield 1, sizes, "Each number m of this method once, from the smallest to the largest; the other method stays out."
    yield 1, middle, "In the middle stands the median excess of all runs with this m, however many there are."
    hint = "low and high are what the function `interval`, handed to you, says of the excesses at this m."
    yield 1, low and high, hint


@task("B7", 3)
def check_enough(enough, seed=0):
    """`enough(runs, level, target, interval)` trusts the lower end, at its m and at all larger ones, or is None."""
    rng = np.random.default_rng(seed)

    def interval(k, n):  # stands in for the one of task B4
        return max(0, k / n - 0.15), min(1, k / n + 0.15)

    def answer(counts, target, level=1e-6, failed=1e-5):
        table = [("flow", m, s, level / 10 if s < k else failed) for m, k in counts.items() for s in range(20)]
        table += [("fixed", 99, s, 0) for s in range(20)]
        return enough(_runs(table, rng), level, target, interval)

    sure = [answer({5: 2, 6: 14, 7: 16, 9: 19, 30: 20}, target) for target in (0.79, 0.6, 0.5)]
    hint = "The share of successes is not enough: the lower end of its interval must reach the target."
    yield 1, sure == [9, 7, 6], hint
    dips = [answer({20: 20, 5: 1, 7: 19, 10: 13, 12: 19}, 0.7), answer({8: 20, 5: 20, 6: 10}, 0.7)]
    yield 1, dips == [12, 8], "A size does not count if a larger one fails: the target holds from your m on."
    never = [answer({5: 18, 6: 17}, 0.8), answer({5: 0, 50: 16}, 0.9), answer({40: 20}, 0.8)] == [None, None, 40]
    levels = [answer({8: 20, 6: 10}, 0.7, level, level) for level in (1e-3, 1e-8)] == [8, 8]
    hint = "If not even the largest m reaches the target the answer is None; runs with fixed positions do not count."
    yield 1, never and levels, "A success is an excess below the `level` that you are handed." if never else hint


@task("B8", 3)
def check_positions_needed(positions_needed, seed=0):
    """`positions_needed(sizes, medians, level)` is (power, m) of the line fitted to the logarithms."""
    rng = np.random.default_rng(seed)
    sizes, powers = np.array([20, 50, 100, 200]), rng.uniform(0.3, 3, 4)
    exact = [_fit(positions_needed(sizes, 7.0 * sizes**-p, 1e-3)) for p in powers]
    found = np.allclose([power for power, _ in exact], -powers, rtol=1e-6)
    yield 1, found, "For excess = C m^p, exactly, return p. It is negative: logarithms make it the slope of a line."
    noisy = [sizes**-2.0 * rng.uniform(0.5, 2, 4) for _ in range(4)]
    lines = [linregress(np.log10(sizes), np.log10(y)) for y in noisy]
    fitted = [_fit(positions_needed(sizes, y, 1e-6)) for y in noisy]
    close = np.allclose(*np.abs([[power for power, _ in fitted], [line.slope for line in lines]]), rtol=1e-6)
    yield 1, close, "Fit all points by least squares in the logarithms of both, not through the first and last only."
    cases = [(-p, math.log10(7), 1e-3, m) for p, (_, m) in zip(powers, exact, strict=True)]
    cases += [(line.slope, line.intercept, 1e-6, m) for line, (_, m) in zip(lines, fitted, strict=True)]
    log_level = [(height + p * np.log10([m, max(m - 1, 1e-9)]), math.log10(level)) for p, height, level, m in cases]
    least = all(here <= level + 1e-9 and before > level - 1e-9 for (here, before), level in log_level)
    whole = all(m == round(m) and m >= 1 for *_, m in cases)
    yield 1, least and whole, "m is the smallest whole number at which the fitted line has come down to the level."


def _record(seed):
    """A record that could be true."""
    return dict(zip(pooling.KEYS, ("spikes", "flow", seed, 6, 0.5, 6.0, 4.0, 0.5, 50, 0.1), strict=True))


def _read(file):
    """The team and runs of a file, or None if it is not as it should be."""
    with contextlib.suppress(ValueError):
        return pooling.read_results(file)
    return None


def _ends(value):
    """What should be an interval, as two floats, which may be infinite."""
    try:
        low, high = (float(end) for end in value)
    except (OverflowError, TypeError, ValueError):
        raise AssertionError(f"Return two numbers, low and high; yours is {shown(value):.60}.") from None
    return low, high


def _fit(value):
    power, m = as_array(value, "positions_needed returns two numbers, the power and m", (2,))
    return float(power), float(m)


def _invented(seed):
    """Runs in an order that means nothing, and their excesses by method and size."""
    rng = np.random.default_rng(seed)
    values = {k: {m: rng.lognormal(sigma=4, size=n) for m, n in sizes.items()} for k, sizes in INVENTED.items()}
    table = [(k, m, s, float(x)) for k in values for m in values[k] for s, x in enumerate(values[k][m])]
    return _runs(table, rng), values


def _runs(table, rng):
    """Runs from rows (method, m, seed, excess), shuffled."""
    names = ("problem", "method", "m", "seed", "excess")
    return [dict(zip(names, ("spikes", *table[k]), strict=True)) for k in rng.permutation(len(table))]
