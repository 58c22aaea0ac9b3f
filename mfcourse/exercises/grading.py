"""Tasks of the labs: checked like exercises, and paid part by part.

The check of a task is a generator. For each part it yields (points, holds, hint): what the part is worth, whether the
answer has it, and a sentence that helps if not, which gives away no result. The function that `task` makes of it prints
what was earned and returns the points, a number in which nbgrader sees partial credit.
"""

import contextlib
import functools
import io
import warnings


def as_dictionary(value, expected, keys=None):
    """The learner's value, which must be a dictionary, with these keys and no others if they are named.

    Raises AssertionError with `expected`, a sentence like "predictions returns a dictionary", otherwise.
    """
    assert isinstance(value, dict), f"{expected}."
    holds, hint = (True, "") if keys is None else complete(value, keys)
    assert holds, f"{expected}. {hint}"
    return value


def complete(answer, keys):
    """(holds, hint): whether the dictionary has these keys and no others, and what is missing or too much."""
    lacking, more = ([key for key in a if key not in b] for a, b in ((keys, answer), (answer, keys)))
    hint = f"One entry for each of {', '.join(keys)}, and no other."
    hint += f" Yours lacks {', '.join(lacking)}." if lacking else ""
    hint += f" Too much: {', '.join(map(str, more)):.60}." if more else ""
    return not lacking and not more, hint


def task(name, points):
    """Decorate the check of task `name`, a generator of parts (answer, ...) -> (points, holds, hint), `points` in all.

    The check never raises: an answer that is not written yet, or fails, keeps the parts before it and earns no more.
    What it writes to stderr is dropped, since nbgrader would take it for an error.
    """

    def decorate(parts):
        @functools.wraps(parts)
        def check(answer, *instance):
            earned, hints = 0, []
            try:
                with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
                    warnings.simplefilter("ignore")
                    if not callable(answer):
                        raise AssertionError("Hand over the function itself, not what it returns.")
                    for worth, holds, hint in parts(answer, *instance):
                        earned += worth if holds else 0
                        hints += [] if holds else [hint]
            except NotImplementedError:
                if not earned and not hints:
                    print(f"Task {name}: not solved yet, 0 of {points} points")
                    return 0
                hints.append("A part is not written yet.")
            except AssertionError as error:
                hints.append(str(error))
            except Exception as error:
                hints.append(f"It raised {type(error).__name__}: {error}")
            print("\n  ".join([f"Task {name}: {earned:g} of {points} points", *hints]))
            return earned

        return check

    return decorate
