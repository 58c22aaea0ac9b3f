"""Particle gradient flow: minimise a convex function of a measure by moving its atoms (Defs. 2.2 and 2.4).

Particles (w, theta) stand for mu = (1/m) sum_i w_i delta_{theta_i}. A step, from `steps`, is a function of the state
(w, theta) that returns the next state; the loop `flow` does not know which step it runs, and recording is separate from
stepping. Shapes: w (..., m), theta (..., m, d); leading axes are independent runs.
"""

import time
import warnings
from contextlib import suppress

import numpy as np
from threadpoolctl import ThreadpoolController
from tqdm.auto import tqdm

from mfcourse import checks
from mfcourse.motion import balance, dissipation, until_settled, velocity
from mfcourse.risks import NotFinite
from mfcourse.runs import Run
from mfcourse.steps import at_rest, conic_mirror, conic_sphere, forward_backward, gradient, heavy_ball

__all__ = [
    "BLAS",
    "FlowDiverged",
    "SilentNeurons",
    "at_rest",
    "balance",
    "conic_mirror",
    "conic_sphere",
    "dissipation",
    "flow",
    "forward_backward",
    "gradient",
    "heavy_ball",
    "log_spaced",
    "until_settled",
    "velocity",
]

BLAS = ThreadpoolController()  # a flow runs on one thread: faster on small products, the same on every machine


class FlowDiverged(ArithmeticError):
    """Particles left the finite numbers. step: the first step that failed; state: the last finite (w, theta);
    run: what was recorded until then."""

    def __init__(self, step, state, run):
        super().__init__(f"the flow diverged at step {step}: its particles are no longer finite; take smaller steps")
        self.step, self.state, self.run = step, state, run

    def __reduce__(self):
        return FlowDiverged, (self.step, self.state, self.run)


class SilentNeurons(RuntimeWarning):
    """All neurons of a run have died during a flow: f = 0 on all samples, and no gradient."""


def log_spaced(steps, number=100):
    """About `number` whole numbers from 0 to `steps`, dense at the start, where a flow is fast."""
    steps, number = checks.count("steps", steps, at_least=0), checks.count("number", number)
    times = np.geomspace(1, max(steps, 1), number).round().astype(int)
    return np.unique(np.r_[0, np.minimum(times, steps)])


def flow(problem, step, start, steps, record=None, stop=None, check_every=50, progress=False):
    """Repeat `step` from `start` until the step number is `steps`, or until the rule `stop` says so.

    start: a state (w, theta), or a Run to continue, to the same bits as if it had never paused; step numbers count
    from the first start. record: step numbers to keep, `log_spaced(steps)` if None; those beyond `steps` never come,
    and the first and last state are kept in any case. stop: (w, theta) -> a reason to stop such as "certified", or "",
    for a stack an array of them (True and False will do); it is asked every `check_every` steps, and a stack stops as a
    whole. While a flow runs, the process uses one BLAS thread.

    Returns a Run. Raises FlowDiverged if particles become infinite or NaN, ValueError for bad arguments; warns, by
    SilentNeurons, if all neurons of a run have died on the way.
    """
    steps, check_every = checks.count("steps", steps, at_least=0), checks.count("check_every", check_every)
    progress = checks.flag("progress", progress)
    wanted = {checks.count("record", k, 0) for k in np.ravel(log_spaced(steps) if record is None else record).tolist()}
    run = start if isinstance(start, Run) else _unmoved(problem, start)
    state, done = run.state, int(run.steps[-1])
    if steps <= done:
        return run
    finite, reached, kept, clock = state, done, [], time.perf_counter()
    unasked = _reasons("", state[0].shape[:-1])
    quiet = np.errstate(over="ignore", invalid="ignore")  # a divergence is noticed by the risk, and raised
    with quiet, BLAS.limit(limits=1), tqdm(total=steps - done, leave=False, disable=not progress) as bar:
        try:
            for number in range(done + 1, steps + 1):
                new = step(*state)
                finite, state, reached = state, new, number
                if number == done + 1:
                    _demand_same(state, finite)
                asked = stop is not None and number % check_every == 0
                reasons = _reasons(stop(*state[:2]), unasked.shape) if asked else unasked
                stopped = asked and (reasons != "steps").all()
                if number in wanted or number == steps or stopped:
                    kept.append((number, *state[:2], problem.energy(*state[:2])))
                bar.update()
                if stopped:
                    break
        except NotFinite:
            if reached > done + 1 and (not kept or kept[-1][0] < reached - 1):
                with suppress(NotFinite):  # a mini-batch may have been finite where the problem itself is not
                    kept.append((reached - 1, *finite[:2], problem.energy(*finite[:2])))
            reasons = np.full(unasked.shape, "diverged")[()]
            recorded = run.extended(kept, finite, reasons, time.perf_counter() - clock)
            raise FlowDiverged(reached, finite, recorded) from None
    _warn_of_silence(problem, run.state, state)
    return run.extended(kept, state, reasons[()], time.perf_counter() - clock)


def _warn_of_silence(problem, start, end):
    """A network that has died learns nothing any more: better to hear of it than to take its risk for a result."""
    if problem.risk.homogeneity and (died := _silent(problem, *end[:2]) & ~_silent(problem, *start[:2])).any():
        runs = f"{died.sum()} of {died.size} runs" if died.ndim else "the network"
        warnings.warn(
            f"all neurons of {runs} are silent on all samples, and nothing moves them any more: scale the samples, "
            "x = (x - x.mean(axis=0)) / x.std(axis=0), or take smaller steps",
            SilentNeurons,
            stacklevel=3,
        )


def _silent(problem, w, theta):
    """Runs (...) in which no particle feels a risk that is not 0."""
    value, potential, gradient = problem.risk(w, theta)
    return (value > 0) & (potential == 0).all(axis=-1) & (gradient == 0).all(axis=(-1, -2))


def _reasons(answer, runs):
    """Why each run ends, an array of strings of shape `runs`; "steps" stands for no reason but their number."""
    answer = np.broadcast_to(answer, runs)
    words = np.where(answer, "stopped", "") if answer.dtype == bool else answer
    return np.where(words == "", "steps", words)


def _unmoved(problem, start):
    """The run of no steps, with copies of the start."""
    if not isinstance(start, tuple | list) or len(start) < 2:
        raise ValueError(f"start must be (w, theta) or a Run, but it is {start!r:.80}")
    w, theta = checks.particles(checks.finite("w", start[0]).copy(), checks.finite("theta", start[1]).copy())
    energy = problem.energy(w, theta)
    if energy.shape != w.shape[:-1]:
        raise ValueError(
            f"start must have one run for each problem of the stack, w of shape {(*energy.shape, w.shape[-1])}, but it "
            f"is {w.shape}: np.repeat(w[None], {energy.shape[0]}, axis=0) makes them, and theta alike"
        )
    columns = (np.array([0]), w[None], theta[None], energy[None])
    return Run(*columns, (w, theta, *start[2:]), _reasons(False, w.shape[:-1])[()], 0.0)


def _demand_same(state, before):
    for name, new, old in zip(("w", "theta"), state, before, strict=False):
        if new.shape != old.shape or new.dtype != old.dtype:
            raise ValueError(
                f"step must keep {name} of shape {old.shape}, {old.dtype}, but makes it {new.shape}, {new.dtype}"
            )
