"""Wrong answers to chapter 12, and the hints they must meet."""

import numpy as np

from mfcourse.exercises import chapter12


def enough(records, problem, method, level, statistic=max, onwards=True):
    excess = {}
    for r in records:
        if r["problem"] == problem and method in (r["method"], None):
            excess.setdefault(r["m"], []).append(r["excess"])
    good = {m: statistic(values) < level for m, values in excess.items()}
    chosen = [m for m in good if good[m] and (not onwards or all(good[k] for k in good if k > m))]
    return min(chosen, default=None)


def cheapest(steps, cost):
    return min(steps, key=lambda m: cost(m, steps[m]))


def of_successes(m, steps):
    done = steps[np.isfinite(steps)]
    return m * done.mean() if len(done) else np.inf


WRONG = [
    (chapter12.check_seeds_needed, lambda p: np.log(0.05) / np.log(p), "whole and at least 1"),
    (chapter12.check_seeds_needed, lambda p: int(np.log(0.05) / np.log(p)) or 1, "ask for more seeds"),
    (chapter12.check_seeds_needed, lambda p: np.ceil(np.log(0.95) / np.log(p)), "ask for more seeds"),
    (chapter12.check_seeds_needed, lambda p: np.ceil(np.log(0.025) / np.log(p)), "would do"),
    (chapter12.check_seeds_needed, lambda p: np.ceil(3 / (1 - p)), "would do"),
    (chapter12.check_seeds_needed, lambda p: int(np.log(0.05) / np.log(p)) + 1, "one less would do, 1"),
    (chapter12.check_seeds_needed, lambda p: next(n for n in range(2, 9999) if p**n <= 0.05), "one less would do"),
    (chapter12.check_enough, lambda *a: enough(*a, statistic=np.mean), "All seeds must be below"),
    (chapter12.check_enough, lambda r, p, method, level: enough(r, p, method, 1e-4), "All seeds must be|on all seeds"),
    (chapter12.check_enough, lambda *a: enough(*a, onwards=False), "at every m from there on"),
    (chapter12.check_enough, lambda *a: enough(*a, statistic=np.median), "All seeds must be below"),
    (chapter12.check_enough, lambda r, p, method, level: enough(r, p, method, level * (1 + 1e-9)), "All seeds must be"),
    (chapter12.check_enough, lambda *a: None, "every seed is below the level"),
    (chapter12.check_enough, lambda *a: 7, "no size of this problem"),
    (chapter12.check_enough, lambda r, p, method, level: max(k["m"] for k in r if k["method"] == method), "too"),
    (chapter12.check_cheapest, lambda s, patience: cheapest(s, of_successes), "failed runs cost too"),
    (chapter12.check_cheapest, lambda s, patience: min(s), "costs inf per success|per success and"),
    (
        chapter12.check_cheapest,
        lambda s, patience: cheapest(s, lambda m, steps: m * np.minimum(steps, patience).sum()),
        "shared by the successes alone",
    ),
    (
        chapter12.check_cheapest,
        lambda s, patience: cheapest(s, lambda m, steps: np.minimum(steps, patience).sum() / np.isfinite(steps).mean()),
        "A step costs m|is none of",
    ),
    (
        chapter12.check_cheapest,
        lambda s, patience: cheapest(s, lambda m, steps: m * np.median(np.minimum(steps, patience))),
        "failed runs cost too",
    ),
    (chapter12.check_cheapest, lambda s, patience: 7, "none of the numbers"),
]
