"""Predictions: a question before a cell is run, answered in the notebook by choosing, or by writing a number down.

The control is `predict.js`, through anywidget. A wrong answer is told what is wrong with it; the right one unfolds the
result, which is the output of the next cell with code. Where no kernel runs, on a page or on paper, each choice is a
line that unfolds to its reply.
"""

from html import escape
from math import isfinite
from pathlib import Path

import anywidget
import traitlets

from mfcourse import checks

FOLDER = Path(__file__).parent
FOLD = "<details>\n<summary>{words}</summary>\n<p>{reply}</p>\n</details>"


class Prediction(anywidget.AnyWidget):
    """A question in a notebook, and what stands for it where no kernel runs: lines that unfold."""

    _esm = FOLDER / "predict.js"
    _css = FOLDER / "predict.css"
    question = traitlets.Dict().tag(sync=True)

    def __init__(self, question, folds):
        self._folds = folds
        super().__init__(question=question)

    def _repr_mimebundle_(self, **settings):
        data, metadata = super()._repr_mimebundle_(**settings)
        lines = [FOLD.format(words=escape(words), reply=escape(reply)) for words, reply in self._folds.items()]
        page = "\n".join(['<div class="mf-predict">', *lines, "</div>"])
        return data | {"text/plain": "\n".join(self._folds), "text/html": page}, metadata


def choice(choices, right):
    """Ask for one of several answers.

    choices: a dict of two to four answers, in the order in which they are shown, and for each what is said to it: why
    it is right, or why one may think so and what is wrong. right: the answer that is. Text is plain. Raises ValueError
    if there are fewer or more answers, one or its reply is not text or empty, or `right` is none of them.
    """
    if not isinstance(choices, dict) or not 2 <= len(choices) <= 4:
        raise ValueError(f"choices must be a dict of two to four answers and replies, not {choices!r:.80}")
    for words, reply in choices.items():
        _text("an answer in choices", words)
        _text(f"the reply to {words!r}", reply)
    checks.one_of("right", right, tuple(choices))
    said = {words: f"{'Yes' if words == right else 'No'}. {reply}" for words, reply in choices.items()}
    return Prediction({"choices": list(said.items()), "right": right}, said)


def number(value, within, because, slips=None):
    """Ask for a number, which is right if it is nearer to `value` than `within`.

    because: what is said when it is right. slips: a dict of wrong numbers and what is said to each, if it is nearer
    than `within`; to any other, that it is too small or too large. Raises ValueError if a number is not finite, if
    `within` is not positive, if a slip would pass for right, or if a text is empty.
    """
    value, within = checks.finite("value", value).item(), checks.positive("within", within)
    _text("because", because)
    slips = {} if slips is None else slips
    for slip, reply in slips.items():
        if not isfinite(slip) or abs(slip - value) <= within:
            raise ValueError(f"slips must be wrong numbers, but {slip!r} is within {within:g} of {value:g}")
        _text(f"the reply to {slip!r}", reply)
    question = {"value": value, "within": within, "because": because, "slips": list(slips.items())}
    return Prediction(question, {"A number: write it down, then look": f"{value:g}. {because}"})


def _text(name, words):
    if not isinstance(words, str) or not words.strip():
        raise ValueError(f"{name} must be text, and not empty; it is {words!r:.80}")
