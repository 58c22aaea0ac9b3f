"""Every recurring picture of the course, one function each. They draw on the axes they are given and return them.

Colours mean the same everywhere, and a shape or a line style says it again: positive mass is an orange disc, negative
mass a blue square, the ground truth black and dotted, the potential (the certificate) a purple line, context grey.
Each raises ValueError for a run, a measure or a problem of another dimension than it draws.
"""

import numpy as np

from mfcourse import checks, pictured, results, style
from mfcourse.measures import Measure
from mfcourse.style import CONTEXT, POTENTIAL, SIGNED, SIGNS, TRUTH

use_course_style, POSITIVE, NEGATIVE = style.use_course_style, style.POSITIVE, style.NEGATIVE
ALMOST_ZERO = 1e-9  # masses below this are drawn as no mass


def truth_lines(ax, truth, period=1):
    """The positions of the true spikes, as dotted vertical lines; on an interval the period is None."""
    pictured.in_dimension(1, truth=truth)
    for k, t in enumerate(_on_the_axis(truth.positions[:, 0], checks.optional_period(period))):
        ax.axvline(t, color=TRUTH, linestyle=":", linewidth=1.2, zorder=1, label="true spikes" if k == 0 else None)
    return ax


def particle_paths(ax, run, truth=None, last=None):
    """Paths of the particles (theta_i, w_i) of one run on the circle, and where they are at record `last` (the end)."""
    pictured.in_dimension(1, run=run)
    end = len(run.steps) if last is None else checks.count("last", last, 0, len(run.steps) - 1) + 1
    w, theta = run.w[:end], run.theta[:end, :, 0]
    if truth is not None:
        truth_lines(ax, truth)
    ax.axhline(0, color=CONTEXT, linewidth=0.8, zorder=0)
    for path_t, path_w in zip(*_cut_at_the_seam(theta, w), strict=True):
        ax.plot(path_t, path_w, color=CONTEXT, linewidth=0.9, zorder=2)
    for sign, colour, marker, name in (*SIGNS, (0, CONTEXT, "|", "weight 0")):
        chosen = np.sign(w[-1]) == sign
        at = np.mod(theta[-1, chosen], 1)
        ax.plot(at, w[-1, chosen], marker, color=colour, markersize=5, markeredgewidth=1.5, zorder=3, label=name)
    ax.set(xlim=(0, 1), xlabel="position θ", ylabel="weight w")
    return ax


def certificate_picture(ax, problem, measure, truth=None, points=2000):
    """The potential -eta over the circle with its band [-c, c], and the atoms of the measure sitting on it.

    The measure is optimal iff the curve stays in the band and touches it, on the side of its sign, at every atom
    (Prop. 3.1). The sign is turned so that positive mass sits at the top. A non-negative problem asks for -eta <= c
    only: its band has no lower edge.
    """
    pictured.in_dimension(1, problem=problem, measure=measure, truth=measure if truth is None else truth)
    t = np.linspace(0, 1, pictured.places(points))
    if truth is not None:
        truth_lines(ax, truth, problem.risk.period)
    eta = problem.risk.potential(*measure.particles(), t[:, None])
    _potential_with_band(ax, problem, t, eta)
    atoms = measure.prune(ALMOST_ZERO)
    if len(atoms):
        height = -problem.risk.potential(*measure.particles(), atoms.positions)
        _atoms_by_sign(ax, atoms.weights, _on_the_axis(atoms.positions[:, 0], problem.risk.period), height)
    ax.set(xlim=(0, 1), xlabel="position θ", ylabel="potential −η")
    return ax


def direction_certificate(ax, problem, measure, points=1440):
    """The same for ReLU in the plane, where the directions are the circle: -eta over the angle, in degrees.

    By homogeneity the unit circle says it all. Without penalty the band is a line, and optimal means -eta = 0.
    """
    pictured.by_directions(problem, measure)
    degrees = np.linspace(0, 360, pictured.places(points))
    angles = np.deg2rad(degrees)
    eta = problem.risk.potential(*measure.particles(), np.stack([np.cos(angles), np.sin(angles)], axis=-1))
    _potential_with_band(ax, problem, degrees, eta)
    cost = np.abs(measure.weights) * np.linalg.norm(measure.positions, axis=1)
    atoms = Measure(measure.weights[cost > ALMOST_ZERO], measure.positions[cost > ALMOST_ZERO])
    if len(atoms):
        direction = atoms.positions / np.linalg.norm(atoms.positions, axis=1, keepdims=True)
        height = -problem.risk.potential(*measure.particles(), direction)
        at = np.rad2deg(np.arctan2(direction[:, 1], direction[:, 0])) % 360
        _atoms_by_sign(ax, atoms.weights, at, height)
    ax.set(xlim=(0, 360), xlabel="direction of θ in degrees", ylabel="potential −η")
    ax.set_xticks(range(0, 361, 90))
    return ax


def certificate_map(ax, problem, measure, truth=None, points=200):
    """The potential -eta on the torus in d = 2 as a map; lines where it leaves the band, dashed below -c.

    Inside a line mass would lower J; for a non-negative problem there are no dashed ones. The atoms are drawn by sign,
    the truth as dotted rings. Needs a penalty > 0.
    """
    pictured.on_torus(problem, measure, measure if truth is None else truth)
    t = np.linspace(0, 1, pictured.places(points, most=2**13))
    at = np.stack(np.meshgrid(t, t, indexing="ij"), axis=-1).reshape(-1, 2)
    height = -problem.risk.potential(*measure.particles(), at).reshape(points, points).T
    c = problem.penalty
    levels = np.linspace(-3 * c, 3 * c, 31)  # what is beyond is drawn like the last level: the lines matter
    ax.contourf(t, t, height, levels, cmap=SIGNED, vmin=-5 * c, vmax=5 * c, extend="both")
    for level, line in ((c, "-"), (-c, "--"))[: 1 if problem.positive else 2]:
        ax.contour(t, t, height, [level * (1 + 1e-4)], colors=POTENTIAL, linestyles=line, linewidths=1.4)
    if truth is not None:
        rings = np.mod(truth.positions, 1)
        ax.scatter(*rings.T, s=170, facecolors="none", edgecolors=TRUTH, linestyles=":", linewidths=1.4, label="true")
    atoms = measure.prune(ALMOST_ZERO)
    _atoms_by_sign(ax, atoms.weights, *np.mod(atoms.positions, 1).T)
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="position θ₁", ylabel="position θ₂")
    return ax


def measure_stems(ax, measure, truth=None):
    """Atoms of a measure on the circle as stems, with the true spikes as dotted ones."""
    pictured.in_dimension(1, measure=measure, truth=measure if truth is None else truth)
    ax.axhline(0, color=CONTEXT, linewidth=0.8, zorder=0)
    if truth is not None:
        ax.vlines(np.mod(truth.positions[:, 0], 1), 0, truth.weights, color=TRUTH, linestyle=":", zorder=3)
        ax.plot(np.mod(truth.positions[:, 0], 1), truth.weights, "x", color=TRUTH, zorder=4, label="true spikes")
    for sign, colour, marker, name in SIGNS:
        atoms = measure.positive if sign > 0 else -measure.negative
        at = np.mod(atoms.positions[:, 0], 1)
        ax.vlines(at, 0, atoms.weights, color=colour, zorder=1)
        ax.plot(at, atoms.weights, marker, color=colour, zorder=2, label=name)
    ax.set(xlim=(0, 1), xlabel="position θ", ylabel="mass a")
    return ax


def observed_signal(ax, problem, points=1000):
    """What is seen of the spikes: the observation y as a function on the circle, <y, phi(t)>."""
    pictured.by_target(problem)
    t = np.linspace(0, 1, pictured.places(points))
    signal, _ = problem.risk.features.pull(problem.risk.loss.target, t[:, None])
    ax.axhline(0, color=CONTEXT, linewidth=0.8, zorder=0)
    ax.plot(t, signal, color=TRUTH)
    ax.set(xlim=(0, 1), xlabel="position θ", ylabel="signal")
    return ax


def excess_against_m(ax, curves, n_atoms=None, floor=1e-12):
    """Relative excess against the number of particles: a line of medians, and a point for each seed.

    curves: name -> (sizes, array (seeds, sizes)). Values below `floor` are drawn at the floor, whose tick says so.
    """
    floor, curves = pictured.lowest(floor), pictured.curves(curves)
    looks = {0: (POTENTIAL, "o", "-"), 1: (CONTEXT, "D", "--")}
    for k, (name, (sizes, excess)) in enumerate(curves.items()):
        colour, marker, line = looks[k % 2]
        shown = np.maximum(excess, floor)
        ax.plot(np.tile(sizes, (len(shown), 1)).T, shown.T, marker, color=colour, markersize=4, alpha=0.5)
        ax.plot(sizes, np.median(shown, axis=0), line, color=colour, label=name)
    if n_atoms is not None:
        n_atoms = checks.count("n_atoms", n_atoms, at_most=checks.MOST)
        ax.axvline(n_atoms, color=TRUTH, linestyle=":", linewidth=1.2, label="m₀, atoms of the truth")
    ax.set(xscale="log", yscale="log", xlabel="number of particles m", ylabel="excess J / J* − 1")
    every = np.unique(np.concatenate([sizes for sizes, _ in curves.values()]))
    round_ones = [m for m in every if str(m)[0] in "125" and set(str(m)[1:]) <= {"0"}]
    ticks = round_ones if len(round_ones) > 2 else every
    ax.set_xticks(ticks, [str(m) for m in ticks])
    powers = np.arange(round(np.log10(floor)), 3, 3)
    ax.set_yticks(10.0**powers, [f"$\\leq 10^{{{powers[0]}}}$", *(f"$10^{{{k}}}$" for k in powers[1:])])
    ax.minorticks_off()
    return ax


def neuron_paths(ax, run, truth):
    """Paths of |w_i| theta_i in the plane, from the start to where they are; the teacher's directions as dotted rays.

    The length of the rays means nothing: a teacher's neuron may be shared by many particles, or by one.
    """
    pictured.in_dimension(2, run=run, truth=truth)
    paths = np.abs(run.w)[..., None] * run.theta
    reach = 1.15 * max(np.abs(paths).max(), 1e-9)
    for k, (mass, position) in enumerate(zip(truth.weights, truth.positions, strict=True)):
        ray = np.stack([0 * position, position / np.linalg.norm(position) * reach])
        ax.plot(*ray.T, ":", color=TRUTH, linewidth=1.2, zorder=1, label="teacher's directions" if k == 0 else None)
        marker = "+" if mass > 0 else "_"
        ax.plot(*(0.97 * ray[1:]).T, marker, color=TRUTH, markersize=9, markeredgewidth=1.5, zorder=1)
    for path in paths.transpose(1, 2, 0):
        ax.plot(*path, color=CONTEXT, linewidth=0.9, zorder=2)
    for sign, colour, marker, name in SIGNS:
        ends = paths[-1, np.sign(run.w[-1]) == sign]
        ax.plot(*ends.T, marker, color=colour, markersize=5, zorder=3, label=name)
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="|w| θ₁", ylabel="|w| θ₂")
    return ax


def neuron_image(ax, pixels, scale, title=""):
    """The input weights of one particle as a square image: orange above 0, blue below, full colour at +-scale.

    pixels: shape (k^2,). Raises ValueError if they do not fill a square.
    """
    image, scale = pictured.square(pixels), checks.positive("scale", scale)
    ax.imshow(image, cmap=SIGNED, vmin=-scale, vmax=scale)
    ax.spines[:].set(visible=True, color=CONTEXT)
    ax.set(xticks=[], yticks=[], title=title)
    return ax


@results.quietly
def sign_loops(ax, w, theta, loops, power=0.25):
    """The loops of particles of each sign around 0: positive a solid line, negative a dashed one.

    loops: the indices of each loop in its order (see `topology.loop`), the positive one first. A particle is drawn in
    its direction, at the distance (|w||theta|)^power: a small power lets tiny particles show beside large ones.
    """
    (w, theta, loops), power = pictured.loops(w, theta, loops), checks.positive("power", power)
    length = np.linalg.norm(theta, axis=1)
    at = ((np.abs(w) * length) ** power / np.where(length > 0, length, 1))[:, None] * theta
    results.finite(at, w=w, theta=theta, power=power)
    for order, (_, colour, marker, name), line in zip(loops, SIGNS, ("-", "--"), strict=True):
        corners = at[np.append(order, order[:1]).astype(int)]
        ax.plot(*corners.T, line, color=colour, marker=marker, markersize=2.5, linewidth=1.2, zorder=2, label=name)
    ax.plot(0, 0, "+", color=TRUTH, markersize=9, markeredgewidth=1.5, zorder=3, label="the point 0")
    reach = 1.15 * max(np.abs(at).max(), 1e-9)
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="θ₁, rescaled", ylabel="θ₂, rescaled")
    return ax


def _on_the_axis(positions, period):
    return positions if period is None else np.mod(positions, period)


def _potential_with_band(ax, problem, x, eta):
    """-eta over x, the band [-c, c], or all below c, and what leaves it shaded; the axis holds both."""
    c, low = problem.penalty, 1.1 * min(-1.1 * problem.penalty, (-eta).min())
    edge = low if problem.positive else -c
    ax.axhspan(edge, c, color=CONTEXT, alpha=0.25, linewidth=2 if edge == c else 0, zorder=0)  # of no height: a line
    ax.plot(x, -eta, color=POTENTIAL, zorder=2, label="−η")
    outside = (-eta if problem.positive else np.abs(eta)) > c * (1 + 1e-4)
    ax.fill_between(x, -eta, -np.sign(eta) * c, where=outside, color=POTENTIAL, alpha=0.3, linewidth=0)
    ax.set_ylim(low, 1.1 * max(1.1 * c, (-eta).max()))


def _atoms_by_sign(ax, masses, x, y):
    """A mark (x, y) for each atom, an orange disc or a blue square."""
    for sign, colour, marker, name in SIGNS:
        chosen = np.sign(masses) == sign
        ax.plot(x[chosen], y[chosen], marker, color=colour, markersize=5, zorder=3, label=name)


def _cut_at_the_seam(theta, w):
    """Paths (m, points) of positions mod 1 and weights, with a NaN wherever a path crosses from 1 to 0 or back."""
    wrapped = np.mod(theta.T, 1)
    jump = np.abs(np.diff(wrapped, axis=1, append=wrapped[:, -1:])) > 0.5
    return np.where(jump, np.nan, wrapped), w.T
