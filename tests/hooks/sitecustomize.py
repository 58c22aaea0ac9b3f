"""Hooks of the tests: Python imports a module of this name by itself, in kernels and workers too.

With this folder on PYTHONPATH, MFCOURSE_HOOKS says what is done as soon as a module is imported. The library knows
nothing of it.

shake: a flow starts at (w, theta) times 1 + 1e-13 normal noise. That is a few hundred roundings, more than processors
differ by; what a notebook says or a test claims must not hang on it. Equal starts are shaken equally, as equal runs on
one machine are the same to the bit.

move: `interact` moves each control to its ends, out of sight, so that a notebook fails if a callback does.
"""

import functools
import os
import sys
from importlib import abc, util

SIZE = 1e-13


def shake(flows):
    """Replace what makes a run of no steps from a start."""
    import numpy as np

    unmoved = flows._unmoved

    def shaken(problem, start):
        rng = np.random.default_rng(0)
        w, theta, *memory = start
        w, theta = (part * (1 + SIZE * rng.standard_normal(np.shape(part))) for part in (w, theta))
        return unmoved(problem, (w, theta, *memory))

    flows._unmoved = shaken


def move(widgets):
    """Replace `interact`, which shows controls, by one that also moves them."""
    show = widgets.interact

    @functools.wraps(show)
    def interact(callback, **controls):
        import matplotlib.pyplot as plt
        from IPython.utils.capture import capture_output

        start = {name: control.value for name, control in controls.items()}
        before = set(plt.get_fignums())
        with capture_output():
            for name, control in controls.items():
                for value in extremes(control):
                    callback(**start | {name: value})
            for number in set(plt.get_fignums()) - before:
                plt.close(number)
        return show(callback, **controls)

    widgets.interact = interact


def extremes(control):
    """The first and last value of a slider, every choice of a menu, both states of a box."""
    if hasattr(control, "min"):
        return control.min, control.max
    if hasattr(control, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    return False, True


class Hook(abc.MetaPathFinder):
    """Finds one module, and has it changed as soon as it is there."""

    def __init__(self, name, change):
        self.name, self.change = name, change

    def find_spec(self, name, path, target=None):
        """What Python asks for every import; None, "look elsewhere", for all but one."""
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        spec = util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            self.change(module)

        spec.loader.exec_module = exec_module
        return spec


HOOKS = {"shake": Hook("mfcourse.flows", shake), "move": Hook("ipywidgets", move)}
sys.meta_path[:0] = [HOOKS[name] for name in os.environ.get("MFCOURSE_HOOKS", "").split()]
