"""One step of a flow, of every kind: a function of the state (w, theta) that returns the next state.

Shapes: w (..., m), theta (..., m, d); leading axes are independent runs. A step size is a number > 0, or an array (...)
with one for each run; the size 0 freezes weights or positions, not both.
"""

import numpy as np

from mfcourse import checks
from mfcourse.motion import velocity


def forward_backward(problem, step_w, step_theta, metric="euclidean"):
    """A step explicit in the risk and implicit in the penalty (Sec. 4.1): Prop. 2.3, discretised.

    With the metric "conic", for bounded features, a position moves at a speed that does not depend on its mass: sign(w)
    in place of w.
    """
    sizes = step_sizes(step_w=step_w, step_theta=step_theta)
    checks.one_of("metric", metric, ("euclidean", "conic"))
    if metric == "conic":
        _demand_homogeneity(problem, 0)

    def step(w, theta):
        a, b = sizes_for(w, sizes)
        _, potential, gradient = problem.risk(w, theta)
        force_w, force_theta = problem.form.forces(w, potential, gradient)
        if metric == "conic":
            force_theta = np.sign(w)[..., None] * gradient
        return problem.proximal(-a * force_w + w, -b * force_theta + theta, a, b)

    return step


def gradient(problem, step_w, step_theta):
    """An explicit Euler step along the velocity of Prop. 2.3."""
    sizes = step_sizes(step_w=step_w, step_theta=step_theta)

    def step(w, theta):
        a, b = sizes_for(w, sizes)
        speed_w, speed_theta = velocity(problem, w, theta)
        return problem.allowed(w + a * speed_w), theta + b * speed_theta

    return step


def heavy_ball(problem, step_w, step_theta, momentum=0.9):
    """Gradient descent with memory: v <- momentum v + step * velocity, u <- u + v.

    Its state is (w, theta, v_w, v_theta), made by `at_rest`. Raises ValueError unless 0 <= momentum < 1.
    """
    sizes = step_sizes(step_w=step_w, step_theta=step_theta)
    if checks.positive("momentum", momentum, or_zero=True) >= 1:
        raise ValueError(f"momentum must be in [0, 1), but it is {momentum!r}")

    def step(w, theta, v_w=None, v_theta=None):
        if v_w is None or v_theta is None:
            raise ValueError(
                "start must be (w, theta, v_w, v_theta) for a heavy ball, as flows.at_rest(w, theta) makes it"
            )
        a, b = sizes_for(w, sizes)
        speed_w, speed_theta = velocity(problem, w, theta)
        v_w, v_theta = momentum * v_w + a * speed_w, momentum * v_theta + b * speed_theta
        return problem.allowed(w + v_w), theta + v_theta, v_w, v_theta

    return step


def at_rest(w, theta):
    """The state (w, theta, 0, 0) of a heavy ball before its first step. Raises ValueError for a wrong shape."""
    w, theta = checks.particles(w, theta)
    return w, theta, np.zeros_like(w), np.zeros_like(theta)


def conic_mirror(problem, step_w, step_theta):
    """Conic mirror descent: w = s r^2 is multiplied by exp(-4 a (c + s eta)) and never changes its sign s.

    A weight 0 stays 0, so a start needs particles of both signs. For bounded features; ValueError otherwise.
    """
    sizes = step_sizes(step_w=step_w, step_theta=step_theta)
    _demand_homogeneity(problem, 0)

    def step(w, theta):
        a, b = sizes_for(w, sizes)
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
    sizes = step_sizes(step_r=step_r, step_direction=step_direction)
    _demand_homogeneity(problem, 1)

    def step(w, theta):
        a, b = sizes_for(w, sizes)
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
    """The sizes of the steps of weights and of positions: each a float, or an array (...) with one for each run.

    Raises ValueError unless both are >= 0, finite, and not both 0.
    """
    checked = []
    for name, value in sizes.items():
        value = checks.finite(name, value)
        if isinstance(sizes[name], bool) or value.size == 0 or (value < 0).any():
            raise ValueError(
                f"{name} must be >= 0, a number or one for each run, but it is {checks.shown(sizes[name])}"
            )
        checked.append(value if value.ndim else float(value))
    if np.any((np.asarray(checked[0]) == 0) & (np.asarray(checked[1]) == 0)):
        raise ValueError(f"{' and '.join(sizes)} must not both be 0: nothing would move")
    return checked


def sizes_for(w, sizes):
    """The two step sizes, as they multiply weights (..., m) and positions (..., m, d) in the precision of these.

    Raises ValueError for an array that is not of the runs of w.
    """
    fitted = []
    for axes, size in enumerate(sizes, start=1):
        if not isinstance(size, float):
            if size.shape != w.shape[:-1]:
                raise ValueError(f"step sizes must be of the runs {w.shape[:-1]} of w, but their shape is {size.shape}")
            size = size.astype(w.dtype, copy=False).reshape(*size.shape, *[1] * axes)
        fitted.append(size)
    return fitted
