"""The contenders for networks: one gradient step on samples, and one look at the exact population risk of ReLU.

Each maker returns a function without arguments; the steps return the new (w, theta), the risks (potential, gradient).
"""

import functools

import numpy as np

from mfcourse import features, flows, losses, problems, risks

STEP, DIMENSION = 1e-2, 100
SHAPES = ((100, 100), (1000, 100), (1000, 1000), (10_000, 1000))  # particles x samples
TARGETS = {  # ours / contender for some of the shapes in float64, and for the population risk from m = 1000
    "relu": {(100, 100): {"jax": 1.1}, (1000, 1000): {"two products": 1.35, "torch": 0.85, "jax": 1.0}},
    "sigmoid": {(100, 100): {"jax": 1.1}, (1000, 1000): {"jax": 1.1}},
    "risk": {"torch": 0.3, "jax": 0.3},
}


def batch(m, size, dtype):
    """Random samples x, y and particles w, theta."""
    rng = np.random.default_rng(0)
    shapes = (size, DIMENSION), (size,), (m,), (m, DIMENSION)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def ours(activation, x, y, w, theta):
    risk = risks.FeatureRisk(features.Neurons(x, activation), losses.Squared(y, len(y)))
    step = flows.gradient(problems.Problem(risk, 0.0), STEP, STEP)
    return lambda: step(w, theta)


def two_products(activation, x, y, w, theta):
    """The limit: nothing but theta x^T and a table of this shape times x."""
    table, gradient = np.empty((len(w), len(x)), x.dtype), np.empty_like(theta)

    def products():
        np.matmul(theta, x.T, out=table)
        return w, np.matmul(table, x, out=gradient)

    return products


def torch_autograd(activation, x, y, w, theta):
    """Autograd and a step of SGD with the particle scaling."""
    import torch

    torch.set_num_threads(1)
    sigma, m = getattr(torch, activation), len(w)
    x, y, w, theta = map(torch.tensor, (x, y, w, theta))

    def step():
        a, b = w.clone().requires_grad_(), theta.clone().requires_grad_()
        (((sigma(x @ b.T) @ a / m - y) ** 2).mean() / 2).backward()
        return w - STEP * m * a.grad, theta - STEP * m * b.grad

    return step


def jax_jit(activation, x, y, w, theta):
    import jax

    sigma, m = getattr(jax.nn, activation), len(w)
    x, y, w, theta = map(jax.numpy.array, (x, y, w, theta))
    slope = jax.grad(lambda a, b: ((sigma(x @ b.T) @ a / m - y) ** 2).mean() / 2, (0, 1))

    @jax.jit
    def step(a, b):
        slope_a, slope_b = slope(a, b)
        return a - STEP * m * slope_a, b - STEP * m * slope_b

    return lambda: jax.block_until_ready(step(w, theta))


STEPS = {"ours": ours, "two products": two_products, "torch": torch_autograd, "jax": jax_jit}


def our_risk(teacher, w, theta):
    risk = risks.PopulationRisk(teacher, "relu")
    return lambda: risk(w, theta)[1:]


def quadratic_form(xp, clip, masses, theta, count):
    """Half the arc-cosine kernel's quadratic form, times m: its gradients are those of the particles."""
    length = xp.sqrt((theta * theta).sum(-1))
    cosine = clip(theta @ theta.T / (length[:, None] * length))
    angle = xp.arccos(cosine)
    kernel = length[:, None] * length * (xp.sin(angle) + (np.pi - angle) * cosine) / (2 * np.pi)
    return count * (masses @ kernel @ masses) / 2


def torch_risk(teacher, w, theta):
    import torch

    torch.set_num_threads(1)
    taught, there, w, theta = map(torch.tensor, (-teacher.weights, teacher.positions, w, theta))
    clip = functools.partial(torch.clamp, min=-1 + 1e-14, max=1 - 1e-14)

    def look():
        a, b = w.clone().requires_grad_(), theta.clone().requires_grad_()
        masses, positions = torch.cat([a / len(w), taught]), torch.cat([b, there])
        quadratic_form(torch, clip, masses, positions, len(w)).backward()
        return a.grad, b.grad / w[:, None]

    return look


def jax_risk(teacher, w, theta):
    import jax
    import jax.numpy as xp

    taught, there, w, theta = map(xp.array, (-teacher.weights, teacher.positions, w, theta))
    clip = functools.partial(xp.clip, min=-1 + 1e-14, max=1 - 1e-14)

    def value(a, b):
        masses, positions = xp.concatenate([a / len(w), taught]), xp.concatenate([b, there])
        return quadratic_form(xp, clip, masses, positions, len(w))

    slope = jax.jit(jax.grad(value, (0, 1)))

    def look():
        slope_a, slope_b = jax.block_until_ready(slope(w, theta))
        return slope_a, slope_b / w[:, None]

    return look


RISKS = {"ours": our_risk, "torch": torch_risk, "jax": jax_risk}
