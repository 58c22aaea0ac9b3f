"""Shake every flow: with this folder on PYTHONPATH, a flow starts at (w, theta) times 1 + 1e-13 normal noise.

That is a few hundred roundings, more than processors differ by; what a notebook says or a test claims must not hang on
it. The library knows nothing of this: Python imports a module of this name by itself, in kernels and workers too. Equal
starts are shaken equally, as equal runs on one machine are the same to the bit.
"""

import sys
from importlib import abc, util

SIZE = 1e-13


class Shaker(abc.MetaPathFinder):
    """Finds mfcourse.flows, and has its starts shaken as soon as it is there."""

    def find_spec(self, name, path, target=None):
        """What Python asks for every import; None, "look elsewhere", for all but one."""
        if name != "mfcourse.flows":
            return None
        sys.meta_path.remove(self)
        spec = util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            shake(module)

        spec.loader.exec_module = exec_module
        return spec


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


sys.meta_path.insert(0, Shaker())
