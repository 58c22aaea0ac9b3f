"""Exercises: an unsolved stub is reported, a solution passes, a plausible wrong answer fails with a hint."""

import numpy as np
import pytest

from mfcourse import certificates, penalties
from mfcourse.exercises import chapter09

CHECKS = [chapter09.check_one_spike, chapter09.check_rescue]


def rescue(problem, w, theta, rescale=True, where=None):
    values, positions = certificates.extremes(problem.risk.features, problem.risk.residual(w, theta))
    new = np.unique(positions[np.abs(values) > 1 + 1e-6], axis=0) if where is None else where
    m = len(w) + len(new)
    return np.append(w * (m / len(w) if rescale else 1), np.zeros(len(new))), np.vstack([theta, new])


RIGHT = [
    (chapter09.check_one_spike, lambda a, lam: penalties.soft_threshold(a, lam / 15)),
    (chapter09.check_rescue, rescue),
]
WRONG = [
    (chapter09.check_one_spike, lambda a, lam: a, "the certificate is open"),
    (chapter09.check_one_spike, lambda a, lam: penalties.soft_threshold(a, lam), "What does"),
    (chapter09.check_one_spike, lambda a, lam: a - np.sign(a) * lam / 15, "the certificate is open"),
    (chapter09.check_one_spike, lambda a, lam: None, "a number; yours is None"),
    (chapter09.check_one_spike, lambda a, lam: np.nan, "a number; yours is nan"),
    (chapter09.check_one_spike, lambda a, lam: [a, a], "yours has shape"),
    (chapter09.check_rescue, lambda p, w, t: None, "returns two arrays"),
    (chapter09.check_rescue, lambda p, w, t: (w, t, w), "returns two arrays"),
    (chapter09.check_rescue, lambda p, w, t: ("w", t), "arrays of numbers"),
    (chapter09.check_rescue, lambda p, w, t: (w, t), "more than 6 and at most 30"),
    (chapter09.check_rescue, lambda p, w, t: rescue(p, w, t, rescale=False), "the measure has changed"),
    (chapter09.check_rescue, lambda p, w, t: (w, t[:, 0]), "Return w of shape"),
    (chapter09.check_rescue, lambda p, w, t: rescue(p, w, t, where=t[:1]), "gets stuck again"),
    (chapter09.check_rescue, lambda p, w, t: rescue(p, w, t, where=np.zeros((40, 1))), "yours are 46"),
]


def stub(*arguments):
    raise NotImplementedError


@pytest.mark.parametrize("check", CHECKS)
def test_an_unsolved_stub_is_reported_in_one_line(check, capsys):
    assert check(stub) is False
    assert capsys.readouterr().out.endswith(": not solved yet\n")


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_a_right_answer_passes(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.endswith(": correct\n")


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_a_plausible_wrong_answer_fails_with_a_hint(check, answer, hint):
    with pytest.raises(AssertionError, match=hint):
        check(answer)


@pytest.mark.parametrize("check", CHECKS)
def test_handing_over_a_value_instead_of_the_function_is_explained(check):
    with pytest.raises(AssertionError, match="the function itself"):
        check(3.0)
