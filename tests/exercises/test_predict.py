"""Predictions: a question that is well posed, its lines that unfold, and what is said to a number."""

from html.parser import HTMLParser

import numpy as np
import pytest

from mfcourse.exercises import predict

CHOICES = {"it <falls>": "Masses fall & numbers grow.", "it stays 1": "Each counts.", "10": "Ten of them."}


class Folds(HTMLParser):
    """Collects the words of every summary and of every paragraph."""

    def __init__(self, page):
        super().__init__()
        self.found, self.inside = {"summary": [], "p": []}, None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.inside = tag

    def handle_data(self, data):
        if self.inside in self.found and data.strip():
            self.found[self.inside].append(data)


def page(prediction):
    return prediction._repr_mimebundle_()[0]["text/html"]


def test_without_a_kernel_each_choice_unfolds_to_its_reply():
    found = Folds(page(predict.choice(CHOICES, right="it stays 1"))).found
    assert found["summary"] == list(CHOICES)
    assert found["p"] == ["No. Masses fall & numbers grow.", "Yes. Each counts.", "No. Ten of them."]


def test_before_anything_unfolds_right_and_wrong_look_the_same():
    text = page(predict.choice(CHOICES, right="10"))
    lines = [line for line in text.splitlines() if not line.startswith(("<summary>", "<p>"))]
    assert lines == ['<div class="mf-predict">', *["<details>", "</details>"] * 3, "</div>"]


def test_choices_keep_their_order_even_if_they_are_numbers():
    """An object of JavaScript puts keys that are whole numbers first."""
    question = predict.choice(CHOICES, right="10").question
    assert [words for words, _ in question["choices"]] == list(CHOICES)


def test_a_number_unfolds_to_itself_and_its_reason():
    found = Folds(page(predict.number(0.25, 0.01, "Half of a half.", {0.5: "That is a half."}))).found
    assert found["p"] == ["0.25. Half of a half."]
    assert "0.25" not in found["summary"][0]


@pytest.mark.parametrize("choices", [{}, {"one": "reply"}, dict.fromkeys("abcde", "reply"), ["a", "b"], None])
def test_a_question_has_two_to_four_choices(choices):
    with pytest.raises(ValueError, match="choices must be a dict of two to four answers"):
        predict.choice(choices, right="a")


@pytest.mark.parametrize("choices", [{"a": "", "b": "c"}, {"a": "b", " ": "c"}, {"a": 3, "b": "c"}, {1: "b", "b": "c"}])
def test_no_choice_is_without_words_and_none_without_a_reply(choices):
    with pytest.raises(ValueError, match="must be text, and not empty"):
        predict.choice(choices, right="b")


def test_the_right_choice_is_one_of_them():
    with pytest.raises(ValueError, match="right must be one of"):
        predict.choice(CHOICES, right="it rises")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        *((("four", 0.1, "so"), "value must be"), ((np.nan, 0.1, "so"), "value must be finite")),
        *(((4, 0, "so"), "within must be"), ((4, 0.1, ""), "because must be text")),
        *(((4, 0.1, "so", {4.05: "no"}), "slips must be wrong"), ((4, 0.1, "so", {np.inf: "no"}), "slips must be")),
        ((4, 0.1, "so", {5: ""}), "the reply to 5 must be text"),
    ],
)
def test_a_number_is_asked_for_with_sense(arguments, words):
    with pytest.raises(ValueError, match=words):
        predict.number(*arguments)
