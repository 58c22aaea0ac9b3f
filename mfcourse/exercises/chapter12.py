"""Checks for chapter 12, particle complexity."""

import numpy as np

from mfcourse.exercises import as_number, exercise
from mfcourse.experiments import shipped


@exercise("12.1")
def check_seeds_needed(seeds_needed):
    """`seeds_needed(P)` is the least n with P^n <= .05: so many successes are needed, and one less is not enough."""
    for chance in (0.3, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 0.05, 0.01):  # for the last two one seed is enough
        answer = as_number(seeds_needed(chance), "seeds_needed returns a number of seeds")
        assert answer == max(1, round(answer)), (
            f"A number of seeds is whole and at least 1; for P = {chance} yours is {answer:g}."
        )
        luck = chance**answer
        assert luck <= 0.05, (
            f"For P = {chance}: a flow just below P succeeds {answer:.0f} times in a row with probability {luck:.3f}. "
            "That is more than 5 %: ask for more seeds."
        )
        assert chance ** (answer - 1) > 0.05, (
            f"For P = {chance}: one less would do, {answer - 1:.0f}, and you ask for {answer:.0f}. What is the "
            "probability that n runs succeed in a row?"
        )


def _invented():
    """Records where one early size is lucky, in an order that means nothing, with a second method among them."""
    excess = {2: (1e-9, 1e-9, 1e-9), 3: (1e-9, 2e-1, 1e-9), 5: (1e-6, 1e-8, 3e-5), 8: (1e-9, 1e-9, 1e-9)}
    records = [
        {"problem": "invented", "method": "flow", "seed": seed, "m": m, "excess": value}
        for m, values in excess.items()
        for seed, value in enumerate(values)
    ]
    others = [{"problem": "invented", "method": "fixed", "seed": 0, "m": m, "excess": 0.5} for m in (1, 8, 13)]
    return [(records + others)[k] for k in np.random.default_rng(0).permutation(len(records) + len(others))]


@exercise("12.2")
def check_enough(enough):
    """`enough(...)` has no bad seed at this size and all larger ones, and the next smaller size has one; else None."""
    sweep = shipped("figure3")
    cases = [(_invented(), "invented", "flow", level) for level in (1e-4, 3e-5, 1e-5, 1e-10)]
    cases += [(sweep, problem, "flow", 1e-4) for problem in ("spikes", "relu", "sigmoid")]
    cases += [(sweep, "relu", "flow", 3e-6), (sweep, "spikes", "fixed", 1e-2), (sweep, "sigmoid", "fixed", 1e-4)]
    for records, problem, method, level in cases:
        answer = enough([dict(r) for r in records], problem, method, level)
        worst = {}
        for r in records:
            if (r["problem"], r["method"]) == (problem, method):
                worst[r["m"]] = max(r["excess"], worst.get(r["m"], 0))
        case = f"{problem}, {method}, level {level:g}"
        if answer is None:
            assert worst[max(worst)] >= level, (
                f"{case}: yours is None, but at the largest m = {max(worst)} every seed is below the level."
            )
            continue
        answer = as_number(answer, "enough returns a number of particles, or None")
        assert answer in worst, f"{case}: yours is {answer:g}, which is no size of this problem and method."
        above = [m for m in worst if m >= answer and worst[m] >= level]
        assert not above, (
            f"{case}: you say {answer:g}, but at m = {above[0]} a seed has an excess of "
            f"{worst[above[0]]:.1e}. All seeds must be below the level, at every m from there on."
        )
        smaller = [m for m in worst if m < answer]
        assert not smaller or worst[max(smaller)] >= level, (
            f"{case}: you say {answer:g}, but from m = {max(smaller)} on all seeds are below the level too."
        )


@exercise("12.3")
def check_cheapest(cheapest):
    """`cheapest(steps, patience)` has the least cost per success, counting failures, over invented runs."""
    rng = np.random.default_rng(0)
    cases = [
        ({4: np.array([10.0, np.inf]), 8: np.array([10.0, 12.0])}, 1000),  # a failure is dear
        ({4: np.array([10.0, np.inf]), 80: np.array([10.0, 12.0])}, 50),  # and sometimes cheaper than many particles
        ({3: np.array([np.inf, np.inf]), 90: np.array([100.0, 90.0])}, 100),  # never is not cheap
        ({10: np.array([10.0, np.inf, np.inf, np.inf]), 24: np.array([20.0, 20.0, 20.0, 20.0])}, 20),
    ]
    for _ in range(20):
        sizes = (5, 8, 12, 20, 50)
        runs = {m: np.where(rng.uniform(size=10) < m / 20, rng.integers(50, 400, 10), np.inf) for m in sizes}
        cases.append((runs, int(rng.integers(400, 2000))))
    for steps, patience in cases:
        answer = as_number(
            cheapest({m: s.copy() for m, s in steps.items()}, patience), "cheapest returns a number of particles"
        )
        assert answer in steps, f"{answer:g} is none of the numbers of particles that were tried, {list(steps)}."
        price = {}
        for m, runs in steps.items():
            successes = np.isfinite(runs).sum()
            spent = m * (runs[np.isfinite(runs)].sum() + patience * (len(runs) - successes))
            price[m] = spent / successes if successes else np.inf
        best = min(price, key=price.get)
        assert price[answer] <= price[best] * (1 + 1e-9), (
            f"With a patience of {patience}, m = {answer:g} costs {price[answer]:.0f} per success and m = {best} only "
            f"{price[best]:.0f}. A step costs m; failed runs cost too, {patience} steps each; and what is paid is "
            "shared by the successes alone."
        )
