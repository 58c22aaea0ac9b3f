"""What holds for every feature map, asked of a learner's one: gradients, a grid that covers, a flow that descends."""

import contextlib

import numpy as np
from scipy.spatial import cKDTree

from mfcourse import flows
from mfcourse.exercises import as_array, as_number, as_parts


def pulled(pull, residual, theta, part, *samples):
    """The potential (part 0) or its gradient (part 1), as pull returned them: an array of the right shape."""
    answer = as_parts(
        pull(residual.copy(), theta.copy(), *samples), 2, "pull returns two arrays, potential and gradient"
    )
    runs = np.broadcast_shapes(residual.shape[:-1], theta.shape[:-2])
    expected = ("The potential is an array", "The gradient is an array")[part]
    return as_array(answer[part], expected, (*runs, *theta.shape[-2:][: part + 1]))


def steep(gradient, potential, theta):
    """Whether the gradient (..., m, d) agrees with difference quotients of the potential, a function of theta."""
    slopes = np.stack([potential(theta + h) - potential(theta - h) for h in 1e-5 * np.eye(theta.shape[1])], -1) / 2e-5
    return np.allclose(gradient, slopes, rtol=1e-4, atol=1e-5 * np.abs(slopes).max())


def lowers(problem, step_w, step_theta, start):
    """Whether J falls in each of sixty forward-backward steps of these sizes."""
    with contextlib.suppress(flows.FlowDiverged):
        energy = flows.flow(problem, flows.forward_backward(problem, step_w, step_theta), start, 60, range(61)).energy
        return np.diff(energy).max() <= 1e-12 * energy[0] and energy[-1] < energy[0]


def covered(features, grid):
    """Are grid, reach and slope right, and what is wrong? It looks at the same places for every instance."""
    reach, slope = as_number(features.reach, "reach is a number"), as_number(features.slope, "slope is a number")
    rng, low, high, shape = np.random.default_rng(0), grid.min(0), grid.max(0), (400, features.dimension)
    at = rng.normal(size=shape) if features.homogeneity else rng.uniform(low, high, shape)
    at = np.concatenate([at, at + 1e-4 * rng.normal(size=shape), at[::-1]])
    at = at / np.linalg.norm(at, axis=1, keepdims=True) if features.homogeneity else np.clip(at, low, high)
    phi = features.push(np.ones((1200, 1)), at[:, None])
    apart, rise = (np.linalg.norm(v[400:].reshape(2, 400, -1) - v[:400], axis=-1) for v in (at, phi))
    steepest = (rise[apart > 1e-9] / apart[apart > 1e-9]).max()
    astray = features.homogeneity and not np.allclose(np.linalg.norm(grid, axis=1), 1)
    far = cKDTree(grid).query(at)[0].max() > reach * (1 + 1e-6)
    faults = {
        "The grid of a homogeneous map lies on the unit sphere.": astray,
        "Some points of Theta, a box or the unit sphere, are farther than reach from the grid.": far,
        "Somewhere phi is steeper than slope: |phi(a) - phi(b)| <= slope |a - b|.": slope < 0.97 * steepest,
        "slope is more than twenty times too large.": slope > 20 * steepest,
    }
    return not any(faults.values()), " ".join(fault for fault, found in faults.items() if found)
