"""What several test files share."""

import matplotlib.pyplot as plt
import pytest

from mfcourse import plots


@pytest.fixture
def course_style():
    """The course's figure style; every figure that a test leaves open is closed."""
    with plt.style.context("default"):
        plots.use_course_style()
        yield
    plt.close("all")
