"""What the paper's figures run: the problems, the starts, the steps and their sizes."""

import numpy as np

from mfcourse import checks, problems
from mfcourse.experiments.sweeps import Experiment
from mfcourse.flows import at_rest, flow, forward_backward, gradient, heavy_ball, until_settled
from mfcourse.losses import Squared
from mfcourse.starts import grid_start, sphere_start
from mfcourse.stochastic import begin, stochastic

SEEDS = (0, 1, 2, 3, 4)
SIZES = {"figure1": (6, 10, 100), "figure2": (5, 10, 100)}  # too few particles, enough, many
FLOW_SIZES = {
    "spikes": (5, 6, 7, 8, 10, 15, 20, 50, 100, 200),
    "relu": (10, 15, 20, 25, 30, 40, 50, 100, 200),
    "sigmoid": (10, 15, 20, 25, 30, 40, 50, 100, 200),
}
FIXED_SIZES = (10, 20, 50, 100, 200, 500, 1000)
PATIENCE = 100_000  # steps after which a run of spikes that is neither certified nor at rest is given up
PLANE_STEPS, RELU_STEPS, SIGMOID_STEPS = 20_000, 2500, 4000  # of networks, which are not stopped before


def spike_steps(problem, metric="euclidean"):
    """Step sizes (a, b) for masses and positions of spikes, in any dimension and in the units of the data.

    a = lambda / |phi|^2 is the inverse of the curvature of the risk in w. b = .18 lambda / (|phi'| s)^2, where
    s = |y| / |phi| is the mass of one spike as strong as the data, leaves room for weights that are several times
    larger: with b five times as large the flow does not blow up, it jumps for ever between two wrong measures (seed 0,
    m = 10), or parks near one. In the conic metric the weights drop out, and b = 1.5 lambda / (|phi'|^2 s).
    For a stack b is an array. Raises ValueError for other losses, or features that do not know |phi| and |phi'|.
    """
    checks.one_of("metric", metric, ("euclidean", "conic"))
    checks.having("problem", problem, "a Problem", "risk")
    features, loss = (getattr(problem.risk, name, None) for name in ("features", "loss"))
    missing = [name for name in ("norm_squared", "slope_squared") if not hasattr(features, name)]
    if missing or not isinstance(loss, Squared):
        raise ValueError(
            f"problem must have a squared loss and features that know {' and '.join(missing or ['|phi|'])} for steps "
            "of its own; else name step sizes: flows.forward_backward(problem, step_w, step_theta)"
        )
    energy = np.vecdot(loss.target, loss.target) / features.norm_squared
    mass = np.sqrt(np.where(energy > 0, energy, 1.0))
    b = 0.179 / mass**2 if metric == "euclidean" else 1.54 / mass
    return loss.scale / features.norm_squared, b * loss.scale / features.slope_squared


def spike_flow(problem, m, metric="euclidean", progress=False):
    """Forward-backward from weights 0 on a uniform grid of m positions (Sec. 4.1), until certified or stuck: a Run.

    Raises ValueError if positions do not live on a torus.
    """
    if checks.having("problem", problem, "a Problem", "risk").risk.period is None:
        raise ValueError("problem must live on a torus for a grid all around it; else give spike_run a start")
    w, theta = grid_start(m, problem.risk.dimension)
    return spike_run(problem, (w, problem.risk.period * theta), metric, progress)


def spike_run(problem, start, metric="euclidean", progress=False):
    """The same from any start (w, theta), of one run or of a stack."""
    step = forward_backward(problem, *spike_steps(problem, metric), metric)
    return flow(problem, step, start, PATIENCE, stop=until_settled(problem, metric=metric), progress=progress)


def grid_of(seed, m):
    """The start of the spikes: weights 0 on a grid, the same for every seed."""
    checks.count("seed", seed, at_least=0)
    return grid_start(m)


def plane_teacher(seed):
    """Figure 2: four ReLU neurons in the plane."""
    return problems.relu_teacher(seed, 2, 4)


def small_sphere_plane(seed, m):
    """Start on a small sphere in the plane, |w| = |theta| = .1, both signs."""
    return sphere_start(m, _rng(seed, m), 2)


def _rng(seed, m):
    return np.random.default_rng([checks.count("seed", seed, at_least=0), checks.count("m", m)])


def plain_run(problem, start):
    """Gradient descent with the exact risk, steps of .25."""
    return flow(problem, gradient(problem, 0.25, 0.25), start, PLANE_STEPS)


def sgd_run(problem, start):
    """The same steps on mini-batches of 100 fresh samples."""
    return flow(problem, stochastic(problem, 0.25, 0.25, 100), begin(*start), PLANE_STEPS)


def relu_teacher(seed):
    """Figure 3 (b): 20 ReLU neurons in d = 100."""
    return problems.relu_teacher(seed, 100, 20)


def small_sphere(seed, m):
    """Start on a small sphere in d = 100, |w| = |theta| = .1, both signs."""
    return sphere_start(m, _rng(seed, m), 100)


def relu_run(problem, start):
    """Gradient descent with momentum .9, steps of .1."""
    return flow(problem, heavy_ball(problem, 0.1, 0.1), at_rest(*start), RELU_STEPS, record=())


def sigmoid_teacher(seed):
    """Figure 3 (c): 20 probit sigmoids in d = 100."""
    return problems.sigmoid_teacher(seed, 100, 20)


def wide_sphere(seed, m):
    """Start at |theta| = 10, as long as the teacher's, and w = +-30: not a start that Thm 3.5 covers."""
    return sphere_start(m, _rng(seed, m), 100, radius=10, weight=30)


def sigmoid_run(problem, start):
    """Gradient descent with momentum .9, steps of .3."""
    return flow(problem, heavy_ball(problem, 0.3, 0.3), at_rest(*start), SIGMOID_STEPS, record=())


SPIKES = Experiment("spikes", "flow", problems.spikes, grid_of, spike_run, PATIENCE)
PLANE = Experiment("relu", "flow", plane_teacher, small_sphere_plane, plain_run, PLANE_STEPS)
PLANE_SGD = Experiment("relu", "sgd", plane_teacher, small_sphere_plane, sgd_run, PLANE_STEPS)
RELU = Experiment("relu", "flow", relu_teacher, small_sphere, relu_run, RELU_STEPS)
SIGMOID = Experiment("sigmoid", "flow", sigmoid_teacher, wide_sphere, sigmoid_run, SIGMOID_STEPS)
FIGURES = {"figure1": (SPIKES,), "figure2": (PLANE, PLANE_SGD), "figure3": (SPIKES, RELU, SIGMOID)}


def moving_sizes(name, experiment, sizes=None):
    """Numbers of particles that move in a figure: `sizes`, or the figure's own if that is None."""
    return SIZES.get(name, FLOW_SIZES[experiment.problem]) if sizes is None else sizes
