"""Runs of spikes that the checks of labs A and B compare answers with: each of them is made once."""

import functools

import numpy as np

from mfcourse import experiments, flows, problems, starts
from mfcourse.measures import h1


def instance(seed):
    """The problem, forward-backward steps, and conic mirror steps."""
    problem = problems.spikes(seed)
    lam = problem.risk.loss.scale
    forward = flows.forward_backward(problem, *experiments.spike_steps(problem))
    return problem, forward, flows.conic_mirror(problem, lam / 150, 5e-5 * lam)


def one_sign(sign):
    """A hundred particles of this sign: a start that cannot succeed with conic steps."""
    return np.full(100, sign * 0.25), starts.grid_start(100)[1]


def run(problem, step, start, steps=4000, metric="euclidean"):
    """The state (w, theta) in which a flow settles, or that after so many steps."""
    return flows.flow(problem, step, start, steps, record=(), stop=flows.until_settled(problem, metric=metric)).state


@functools.cache
def end(seed, m, steps=4000, sign=0):
    """The end of a run from the grid; with a sign, of a run with conic steps from particles of this sign."""
    problem, forward, mirror = instance(seed)
    if sign:
        return run(problem, mirror, one_sign(sign), metric="conic")
    return run(problem, forward, starts.grid_start(m), steps)


@functools.cache
def best(seed):
    """J of the certified optimum."""
    return experiments.optimum("spikes", problems.spikes(seed))


@functools.cache
def finished(seed, m):
    """The number of steps of the flow of Figure 3, and J at its end."""
    flow = experiments.spike_flow(problems.spikes(seed), m)
    return flow.steps[-1], problems.spikes(seed).objective(h1(*flow.state))
