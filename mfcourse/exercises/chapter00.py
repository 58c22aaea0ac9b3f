"""Checks for chapter 0, the first taste."""

import functools

from mfcourse import problems
from mfcourse.certificates import certify
from mfcourse.exercises import as_number, exercise
from mfcourse.experiments import spike_flow
from mfcourse.measures import h1


@functools.cache
def _is_found(seed, m):
    problem = problems.spikes(seed)
    return certify(problem, h1(*spike_flow(problem, m).state)).optimal


@exercise("0.1")
def check_enough(enough):
    """`enough(problem, most)` is the smallest m from 5 to `most` whose run is certified, None if there is none.

    The run with that m must be certified, and none of those before it.
    """
    for seed, most in ((0, 20), (1, 20), (6, 20), (0, 6), (0, 7)):  # 0 needs 7 and so does 1, 6 needs 6
        problem = problems.spikes(seed)
        answer = enough(problem, most)
        smaller = range(5, most + 1)
        if answer is not None:
            m = as_number(answer, "enough returns a whole number, or None")
            assert m in range(5, most + 1), f"m must be a whole number from 5 to {most}; yours is {m:g}."
            assert _is_found(seed, int(m)), (
                f"Seed {seed}: the run with m = {m:g} is not certified. Is it the certificate of its last state, "
                "h1(*run.state), that you ask for?"
            )
            smaller = range(5, int(m))
        found = [m for m in smaller if _is_found(seed, m)]
        assert not found, (
            f"Seed {seed}, most = {most}: the run with m = {found[0]} is certified too, and you answered {answer}. "
            "Begin with 5, stop at the first success, and try `most` itself as well."
        )
