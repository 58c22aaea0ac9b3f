"""Exercises: an unsolved stub is reported, a plausible wrong answer fails with a hint; notebooks run the solutions."""

import importlib
import inspect
import pkgutil
import re

import answers
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter

from mfcourse import exercises

FOUND = [module.name for module in pkgutil.iter_modules(exercises.__path__)]
CHAPTERS = [name for name in FOUND if name.startswith("chapter")]  # the labs have tests of their own
MODULES = [importlib.import_module(f"mfcourse.exercises.{name}") for name in CHAPTERS]
CHECKS = [c for module in MODULES for name, c in inspect.getmembers(module) if name.startswith("check_")]
LABS = [importlib.import_module(f"mfcourse.exercises.{name}") for name in FOUND if name.startswith("lab_")]
TASKS = [c for module in LABS for name, c in inspect.getmembers(module) if name.startswith("check_")]
TASKS = [check for check in TASKS if "ends" not in inspect.signature(check).parameters]  # that answer is no number
WRONG = [entry for name in CHAPTERS for entry in importlib.import_module(f"answers.{name}").WRONG]
HUGE = 10**400  # a whole number that no float can hold
USELESS = (None, "seven", [], float("nan"), (1.0, 2.0, 3.0, 4.0, 5.0), HUGE, np.array(-7.25))


def name_of(check):
    return check.__name__ if callable(check) else None


def stub(*arguments):
    raise NotImplementedError


def test_every_chapter_has_wrong_answers():
    assert [module.name for module in pkgutil.iter_modules(answers.__path__)] == CHAPTERS


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_an_unsolved_stub_is_reported_in_one_line(check, capsys):
    assert not check(stub)
    assert re.fullmatch(r"Exercise \d+\.\d: not solved yet\n", capsys.readouterr().out)


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG, ids=name_of)
def test_a_plausible_wrong_answer_meets_a_hint_in_one_line(check, answer, hint, capsys):
    assert not check(answer)
    said = capsys.readouterr().out
    assert re.match(r"Exercise \d+\.\d: not yet\. ", said)
    assert re.search(hint, said), said
    assert said.count("\n") == 1


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_every_check_meets_wrong_answers_of_its_own(check):
    assert sum(entry[0] is check for entry in WRONG) >= 2


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
@pytest.mark.parametrize("answer", USELESS, ids="{!s:.20}".format)
def test_an_answer_of_another_kind_is_told_what_was_expected(check, answer, capsys):
    assert not check(lambda *arguments: answer)
    assert re.search(r"not yet\. .*\w+ \w+", capsys.readouterr().out)


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_handing_over_a_value_instead_of_the_function_is_explained(check, capsys):
    assert not check(3.0)
    assert "the function itself" in capsys.readouterr().out


def test_a_notebook_shows_the_line_of_a_check_and_nothing_more(capsys):
    """IPython asks an object for `_ipython_display_` first, and shows no box for one that has it."""
    verdict = CHECKS[0](stub)
    said = capsys.readouterr().out
    shown, _ = DisplayFormatter().format(verdict)
    assert shown == {}
    assert capsys.readouterr().out == ""
    assert said.endswith("not solved yet\n")


@pytest.mark.parametrize("check", TASKS, ids=name_of)
@pytest.mark.parametrize(
    "answer", [HUGE, (HUGE, HUGE), [HUGE] * 4, np.array(-7.25)], ids=["one", "two", "four", "an array"]
)
def test_a_task_of_a_lab_says_in_its_own_words_what_it_cannot_take(check, answer, capsys):
    assert check(lambda *arguments: answer) == 0
    assert "It raised" not in capsys.readouterr().out
