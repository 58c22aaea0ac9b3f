"""Particle gradient flow: minimise a convex function of a measure by moving its atoms (Defs. 2.2 and 2.4).

Particles (w, theta) stand for mu = (1/m) sum_i w_i delta_{theta_i}. A step is a function of the state (w, theta) that
returns the next state; the loop `flow` does not know which step it runs, and recording is separate from stepping.
Shapes: w (..., m), theta (..., m, d); leading axes are independent runs. A step size is a number > 0, or an array (...)
with one for each run; the size 0 freezes weights or positions, not both.
"""

import time
from contextlib import suppress

import numpy as np
from threadpoolctl import ThreadpoolController
from tqdm.auto import tqdm

from mfcourse import checks
from mfcourse.certificates import TOLERANCE, gap
from mfcourse.risks import NotFinite
from mfcourse.runs import Run

BLAS = ThreadpoolController()  # a flow runs on one thread: faster on small products, the same on every machine
STILL = 1e-17  # dissipation in the problem's own units below which nothing will happen: it goes like the squared gap


class FlowDiverged(ArithmeticError):
    """Particles left the finite numbers. step: the first step that failed; state: the last finite (w, theta);
    run: what was recorded until then."""

    def __init__(self, step, state, run):
        super().__init__(f"the flow diverged at step {step}: its particles are no longer finite; take smaller steps")
        self.step, self.state, self.run = step, state, run

    def __reduce__(self):
        return FlowDiverged, (self.step, self.state, self.run)


def velocity(problem, w, theta):
    """Velocity (..., m) and (..., m, d) of the particle gradient flow (Def. 2.2, Prop. 2.3).

    For V = |w|: u' = -(eta + c sign w, w grad eta); at w = 0, where |w| has a kink, the subgradient of least norm: a
    particle of weight 0 waits until |eta| exceeds c. For ReLU: u' = -(eta + c w, w grad eta + c theta).
    """
    w, theta = checks.particles(w, theta)
    _, potential, gradient = problem.risk(w, theta)
    return problem.descent(w, theta, potential, gradient)


def dissipation(problem, w, theta):
    """(1/m) sum_i |u_i'|^2, shape (...): the rate at which F_m decreases along the flow (Prop. 2.3)."""
    speed_w, speed_theta = velocity(problem, w, theta)
    return (speed_w**2 + (speed_theta**2).sum(axis=-1)).mean(axis=-1)


def balance(w, theta):
    """w^2 - |theta|^2 of every particle, shape (..., m): conserved by the flow of ReLU networks without penalty."""
    w, theta = checks.particles(w, theta)
    return w**2 - np.vecdot(theta, theta)


def forward_backward(problem, step_w, step_theta, metric="euclidean"):
    """A step explicit in the risk and implicit in the penalty (Sec. 4.1): Prop. 2.3, discretised.

    With the metric "conic", for bounded features, a position moves at a speed that does not depend on its mass: sign(w)
    in place of w.
    """
    a, b = step_sizes(step_w=step_w, step_theta=step_theta)
    checks.one_of("metric", metric, ("euclidean", "conic"))
    if metric == "conic":
        _demand_homogeneity(problem, 0)

    def step(w, theta):
        _, potential, gradient = problem.risk(w, theta)
        force_w, force_theta = problem.form.forces(w, potential, gradient)
        if metric == "conic":
            force_theta = np.sign(w)[..., None] * gradient
        return problem.proximal(w - a * force_w, theta - b * force_theta, a, b)

    return step


def gradient(problem, step_w, step_theta):
    """An explicit Euler step along the velocity of Prop. 2.3."""
    a, b = step_sizes(step_w=step_w, step_theta=step_theta)

    def step(w, theta):
        speed_w, speed_theta = velocity(problem, w, theta)
        return problem.allowed(w + a * speed_w), theta + b * speed_theta

    return step


def heavy_ball(problem, step_w, step_theta, momentum=0.9):
    """Gradient descent with memory: v <- momentum v + step * velocity, u <- u + v.

    Its state is (w, theta, v_w, v_theta), made by `at_rest`. Raises ValueError unless 0 <= momentum < 1.
    """
    a, b = step_sizes(step_w=step_w, step_theta=step_theta)
    if checks.positive("momentum", momentum, or_zero=True) >= 1:
        raise ValueError(f"momentum must be in [0, 1), but it is {momentum!r}")

    def step(w, theta, v_w=None, v_theta=None):
        if v_w is None or v_theta is None:
            raise ValueError(
                "start must be (w, theta, v_w, v_theta) for a heavy ball, as flows.at_rest(w, theta) makes it"
            )
        speed_w, speed_theta = velocity(problem, w, theta)
        v_w, v_theta = momentum * v_w + a * speed_w, momentum * v_theta + b * speed_theta
        return problem.allowed(w + v_w), theta + v_theta, v_w, v_theta

    return step


def at_rest(w, theta):
    """The state (w, theta, 0, 0) of a heavy ball before its first step."""
    return w, theta, np.zeros_like(w), np.zeros_like(theta)


def conic_mirror(problem, step_w, step_theta):
    """Conic mirror descent: w = s r^2 is multiplied by exp(-4 a (c + s eta)) and never changes its sign s.

    A weight 0 stays 0, so a start needs particles of both signs. For bounded features; ValueError otherwise.
    """
    a, b = step_sizes(step_w=step_w, step_theta=step_theta)
    _demand_homogeneity(problem, 0)

    def step(w, theta):
        _, potential, gradient = problem.risk(w, theta)
        sign = np.sign(w)
        scaled = w * np.exp(-4 * a * (problem.penalty + sign * potential))
        return scaled, theta - b * sign[..., None] * gradient

    return step


def conic_sphere(problem, step_r, step_direction):
    """Conic steps for ReLU on the cones w = s r, r = |theta|, that the flow keeps: r and the direction move apart.

    r is multiplied by exp(-a (c + s eta(direction))); the direction goes along -s grad eta on the unit sphere, at a
    speed that does not depend on r. Needs a balanced start, |w| = |theta|: the step takes r from theta and s from w.
    """
    a, b = step_sizes(step_r=step_r, step_direction=step_direction)
    _demand_homogeneity(problem, 1)

    def step(w, theta):
        r = np.sqrt(np.vecdot(theta, theta))
        sign, direction = np.sign(w), theta / np.where(r > 0, r, 1)[..., None]
        _, _, slope = problem.risk(sign * r, theta)
        eta = np.vecdot(direction, slope)  # Euler's identity; the slope itself does not depend on r
        r = r * np.exp(-a * (problem.penalty + sign * eta))
        direction = direction - b * sign[..., None] * (slope - eta[..., None] * direction)
        return sign * r, direction * (r / np.sqrt(np.vecdot(direction, direction)).clip(1e-300))[..., None]

    return step


def _demand_homogeneity(problem, degree):
    if problem.risk.homogeneity != degree:
        kind = ("bounded features, as |w| is vacuous for others", "ReLU features")[degree]
        raise ValueError(f"problem must have {kind}, but their degree of homogeneity is {problem.risk.homogeneity}")


def step_sizes(**sizes):
    """The two step sizes that multiply weights (..., m) and positions (..., m, d): floats, or arrays for a stack.

    Raises ValueError unless both are >= 0, finite, and not both 0.
    """
    checked = []
    for axes, (name, value) in enumerate(sizes.items(), start=1):
        value = checks.finite(name, value)
        if (value < 0).any():
            raise ValueError(f"{name} must be >= 0, but it is {value.min():g}")
        checked.append(float(value) if value.ndim == 0 else value.reshape(*value.shape, *[1] * axes))
    if np.any((np.asarray(checked[0])[..., None] == 0) & (np.asarray(checked[1]) == 0)):
        raise ValueError(f"{' and '.join(sizes)} must not both be 0: nothing would move")
    return checked


def until_settled(problem, tolerance=TOLERANCE, metric="euclidean"):
    """A stopping rule: every run is "certified", with a relative gap <= tolerance, or "at rest" (it is stuck).

    At rest is a run that hardly dissipates, in units of its own mass and energy and in the metric in which it moves. In
    single precision, tolerances are no smaller than it allows.
    """
    tolerance = checks.positive("tolerance", tolerance)
    checks.one_of("metric", metric, ("euclidean", "conic"))

    def settled(w, theta):
        rounding = float(np.finfo(w.dtype).eps)
        still = _relative_dissipation(problem, w, theta, metric) <= max(STILL, (16 * rounding) ** 2)
        closed = gap(problem, w, theta) <= max(tolerance, 32 * rounding)
        return np.where(closed, "certified", np.where(still, "at rest", ""))

    return settled


def _relative_dissipation(problem, w, theta, metric):
    """The dissipation over F_m^2, shape (...), with weights and positions counted in units that fit the problem.

    So it is the same number whatever units the data are in. The penalty c names the unit of mass, F_m / c; without it,
    particles are counted in units of their own size.
    """
    speed_w, speed_theta = velocity(problem, w, theta)
    energy, degree = problem.energy(w, theta), problem.risk.homogeneity
    if problem.penalty:
        unit_w = (energy / problem.penalty) ** (0.5 if degree else 1.0)
        unit_theta = unit_w if degree else np.full_like(unit_w, problem.risk.period or 1)
    else:
        unit_w, unit_theta = np.sqrt((w**2).mean(axis=-1)), np.sqrt(np.vecdot(theta, theta).mean(axis=-1))
    from_theta = np.vecdot(speed_theta, speed_theta)
    if metric == "conic":
        from_theta = from_theta * unit_w[..., None] / np.where(w != 0, np.abs(w), np.inf)
    total = unit_w**2 * (speed_w**2).mean(axis=-1) + unit_theta**2 * from_theta.mean(axis=-1)
    return total / np.where(energy > 0, energy, 1) ** 2


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

    Returns a Run. Raises FlowDiverged if particles become infinite or NaN, ValueError for bad arguments.
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
            recorded = run.extended(kept, finite, "diverged", time.perf_counter() - clock)
            raise FlowDiverged(reached, finite, recorded) from None
    return run.extended(kept, state, reasons[()], time.perf_counter() - clock)


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
    columns = (np.array([0]), w[None], theta[None], problem.energy(w, theta)[None])
    return Run(*columns, (w, theta, *start[2:]), _reasons(False, w.shape[:-1])[()], 0.0)


def _demand_same(state, before):
    for name, new, old in zip(("w", "theta"), state, before, strict=False):
        if new.shape != old.shape or new.dtype != old.dtype:
            raise ValueError(
                f"step must keep {name} of shape {old.shape}, {old.dtype}, but makes it {new.shape}, {new.dtype}; "
                "a step size is a number, or an array with one number for each run in the precision of the particles"
            )
