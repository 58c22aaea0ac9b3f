"""Animations: whole in themselves, labelled, one picture for each frame."""

import re

import matplotlib.pyplot as plt
import pytest

from mfcourse.animations import moving_picture

SEEN = "A dot walks up; it is < 5 at first."


@pytest.fixture
def page():
    fig, ax = plt.subplots(figsize=(2, 2))

    def draw(height):
        ax.clear()
        ax.plot(0, height, "o")

    found = moving_picture(fig, draw, range(4), SEEN).data
    assert not plt.fignum_exists(fig.number)
    return found


def test_every_frame_is_in_the_page_and_they_differ(page):
    frames = re.findall(r'frames\[\d+\] = "data:image/png;base64,([^"]+)"', page)
    assert len(frames) == len(set(frames)) == 4


def test_nothing_is_fetched_and_every_button_has_a_text(page):
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "<i class" not in page
    buttons = re.findall(r"<button[^>]*>(.*?)</button>", page, re.S)
    assert len(buttons) == 9
    assert all(text.strip() for text in buttons)


def test_the_picture_and_its_slider_are_described(page):
    assert 'alt="A dot walks up; it is &lt; 5 at first."' in page
    assert 'aria-label="frame"' in page


@pytest.mark.parametrize(("frames", "alt", "argument"), [((), SEEN, "frames"), (range(2), " ", "alt")])
def test_a_picture_without_frames_or_words_is_refused(frames, alt, argument):
    fig = plt.figure()
    with pytest.raises(ValueError, match=argument):
        moving_picture(fig, print, frames, alt)
    plt.close(fig)
