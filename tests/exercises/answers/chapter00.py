"""Wrong answers to chapter 0, and the hints they must meet."""

from bisect import bisect_left

from mfcourse import experiments
from mfcourse.certificates import certify
from mfcourse.exercises import chapter00
from mfcourse.measures import h1


def certified(problem, m):
    return certify(problem, h1(*experiments.spike_flow(problem, m).state)).optimal


WRONG = [
    (chapter00.check_enough, lambda problem, most: 5, "is not certified"),
    (chapter00.check_enough, lambda problem, most: most, "certified too"),
    (chapter00.check_enough, lambda problem, most: 5.5, "a whole number from 5 to 20"),
    (chapter00.check_enough, lambda problem, most: None, "you answered None"),
    (
        chapter00.check_enough,
        lambda problem, most: next((m for m in range(most, 4, -1) if certified(problem, m)), None),
        "stop at the first success",
    ),
    (
        chapter00.check_enough,  # never tries `most` itself
        lambda problem, most: next((m for m in range(5, most) if certified(problem, m)), None),
        "most = 7: the run with m = 7 is certified too, and you answered None",
    ),
    (
        chapter00.check_enough,  # takes for granted that more are better: halves the range
        lambda problem, most: bisect_left(range(5, most + 1), True, key=lambda m: certified(problem, m)) + 5,
        "Seed 6, most = 20: the run with m = 6 is certified too, and you answered 8",
    ),
]
