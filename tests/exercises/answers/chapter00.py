"""Wrong answers to chapter 0, and the hints they must meet."""

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
]
