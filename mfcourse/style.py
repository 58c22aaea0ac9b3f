"""The look of the course: its colours, and Matplotlib's settings in scripts and notebooks."""

import os
import sys
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.colors import LinearSegmentedColormap

POSITIVE, NEGATIVE, TRUTH, POTENTIAL, CONTEXT = "#D55E00", "#0072B2", "#000000", "#882255", "#AAAAAA"
SIGNS = ((1, POSITIVE, "o", "positive"), (-1, NEGATIVE, "s", "negative"))
SIGNED = LinearSegmentedColormap.from_list("signed", [NEGATIVE, "#FFFFFF", POSITIVE])  # for maps and images
FILES_ONLY = ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template")  # Matplotlib's backends that show nothing


def use_course_style():
    """Use the course's figure style from here on; in a notebook, show figures below their cells.

    On many servers MPLBACKEND=Agg stands in the environment, for scripts; there a notebook would show no figure. What
    the notebook itself has chosen, by `%matplotlib`, is kept.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    named = os.environ.get("MPLBACKEND", "").lower()
    if hasattr(shell, "kernel") and named in FILES_ONLY and matplotlib.get_backend().lower() == named:
        shell.run_line_magic("matplotlib", "inline")
    plt.style.use(Path(__file__).with_name("course.mplstyle"))
