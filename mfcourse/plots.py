"""Every recurring picture of the course, one function each. They draw on the axes they are given and return them.

Colours mean the same everywhere, and a shape or a line style says it again: positive mass is an orange disc, negative
mass a blue square, the ground truth black and dotted, the potential (the certificate) a purple line, context grey.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from mfcourse.certificates import certify
from mfcourse.measures import Measure, h1

POSITIVE, NEGATIVE, TRUTH, POTENTIAL, CONTEXT = "#D55E00", "#0072B2", "#000000", "#882255", "#AAAAAA"
SIGNS = ((1, POSITIVE, "o", "positive"), (-1, NEGATIVE, "s", "negative"))
ALMOST_ZERO = 1e-9  # masses below this are drawn as no mass


def use_course_style():
    """Use the course's figure style from here on."""
    plt.style.use(Path(__file__).with_name("course.mplstyle"))


def truth_lines(ax, truth):
    """The positions of the true spikes, as dotted vertical lines."""
    for k, t in enumerate(np.mod(truth.positions[:, 0], 1)):
        ax.axvline(t, color=TRUTH, linestyle=":", linewidth=1.2, zorder=1, label="true spikes" if k == 0 else None)
    return ax


def particle_paths(ax, run, truth=None, last=None):
    """Paths of the particles (theta_i, w_i) of one run on the circle, and where they are at record `last` (the end)."""
    end = len(run.steps) if last is None else last + 1
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
    (Prop. 3.1). The sign is turned so that positive mass sits at the top.
    """
    t = np.linspace(0, 1, points)
    if truth is not None:
        truth_lines(ax, truth)
    eta = problem.risk.potential(*measure.particles(), t[:, None])
    ax.axhspan(-problem.penalty, problem.penalty, color=CONTEXT, alpha=0.25, linewidth=0, zorder=0)
    ax.plot(t, -eta, color=POTENTIAL, zorder=2, label="−η")
    outside = np.abs(eta) > problem.penalty * (1 + 1e-4)
    ax.fill_between(t, -eta, -np.sign(eta) * problem.penalty, where=outside, color=POTENTIAL, alpha=0.3, linewidth=0)
    atoms = measure.prune(ALMOST_ZERO)
    if len(atoms):
        height = -problem.risk.potential(*measure.particles(), atoms.positions)
        for sign, colour, marker, name in SIGNS:
            chosen = np.sign(atoms.weights) == sign
            at = np.mod(atoms.positions[chosen, 0], 1)
            ax.plot(at, height[chosen], marker, color=colour, markersize=5, zorder=3, label=name)
    margin = 1.1 * problem.penalty
    ax.set(xlim=(0, 1), xlabel="position θ", ylabel="potential −η")
    ax.set_ylim(1.1 * min(-margin, (-eta).min()), 1.1 * max(margin, (-eta).max()))
    return ax


def measure_stems(ax, measure, truth=None):
    """Atoms of a measure on the circle as stems, with the true spikes as dotted ones."""
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
    t = np.linspace(0, 1, points)
    signal, _ = problem.risk.features.pull(problem.risk.loss.target, t[:, None])
    ax.axhline(0, color=CONTEXT, linewidth=0.8, zorder=0)
    ax.plot(t, signal, color=TRUTH)
    ax.set(xlim=(0, 1), xlabel="position θ", ylabel="signal")
    return ax


def excess_against_m(ax, curves, n_atoms=None, floor=1e-12):
    """Relative excess against the number of particles: a line of medians, and a point for each seed.

    curves: name -> (sizes, array (seeds, sizes)). Values below `floor` are drawn at the floor, whose tick says so.
    """
    looks = {0: (POTENTIAL, "o", "-"), 1: (CONTEXT, "D", "--")}
    for k, (name, (sizes, excess)) in enumerate(curves.items()):
        colour, marker, line = looks[k % 2]
        shown = np.maximum(np.asarray(excess), floor)
        ax.plot(np.tile(sizes, (len(shown), 1)).T, shown.T, marker, color=colour, markersize=4, alpha=0.5)
        ax.plot(sizes, np.median(shown, axis=0), line, color=colour, label=name)
    if n_atoms is not None:
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


def figure1(problem, runs):
    """The paper's Figure 1 with a certificate under each run: {m: Run} on one problem -> Figure."""
    fig, axes = plt.subplots(2, len(runs), figsize=(3.6 * len(runs), 5.6), sharex=True, squeeze=False)
    for (top, bottom), (m, run) in zip(axes.T, runs.items(), strict=True):
        measure = h1(*run.state)
        certificate = certify(problem, measure)
        particle_paths(top, run, problem.truth)
        certificate_picture(bottom, problem, measure, problem.truth)
        word = "optimal" if certificate.optimal else "stuck" if run.stopped else "unfinished"
        top.set(xlabel="", title=f"m = {m}: {word}")
        bottom.set_title(f"gap {certificate.gap:.1e}, max |η| = {certificate.max_potential:.4g}", fontsize=10)
    for ax in axes[:, 1:].flat:
        ax.set_ylabel("")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    more = axes[1, 0].get_legend_handles_labels()
    shown = dict(zip(labels + more[1], handles + more[0], strict=True))
    fig.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=len(shown))
    return fig


def neuron_paths(ax, run, truth):
    """Paths of |w_i| theta_i in the plane, from the start to where they are; the teacher's directions as dotted rays.

    The length of the rays means nothing: a teacher's neuron may be shared by many particles, or by one.
    """
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


def figure2(problem, runs, seed):
    """The paper's Figure 2: {("flow" or "sgd", m): Run} for one teacher in the plane -> Figure.

    Above the exact population risk, below mini-batches of SGD; at the right the relative risk along the runs.
    """
    sizes = sorted({m for _, m in runs})
    methods = [(key, name) for key, name in (("flow", "exact gradient"), ("sgd", "SGD")) if (key, sizes[0]) in runs]
    fig, axes = plt.subplots(
        len(methods), len(sizes) + 1, figsize=(3.2 * len(sizes) + 3.9, 3.3 * len(methods)), squeeze=False
    )
    whole = problem.objective(Measure(np.zeros(0), np.zeros((0, 2))))
    for row, (key, name) in zip(axes, methods, strict=True):
        for k, (ax, m) in enumerate(zip(row, sizes, strict=False)):
            run = runs[key, m]
            neuron_paths(ax, run, problem.truth)
            ax.set_title(f"{name}, m = {m}: risk {run.energy[-1] / whole:.1e}", fontsize=11)
            curve = np.maximum(run.energy / whole, 1e-12)
            row[-1].plot(run.steps + 1, curve, ("-", "--", "-.", ":")[k % 4], color=POTENTIAL, label=f"m = {m}")
        row[-1].set(xscale="log", yscale="log", xlabel="step + 1", ylabel="risk / risk of no network")
        row[-1].set_title(f"{name}: risk", fontsize=11)
        row[-1].legend()
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=len(labels), title=f"teacher of seed {seed}")
    return fig


def figure3(records):
    """The paper's Figure 3 from its records: excess against m, of particles that move and positions that stay."""
    titles = {"spikes": ("spikes, d = 1", 5), "relu": ("ReLU, d = 100", 20), "sigmoid": ("sigmoid, d = 100", 20)}
    fig, axes = plt.subplots(1, len(titles), figsize=(4.1 * len(titles), 3.9), sharey=True)
    for ax, (problem, (title, n_atoms)) in zip(axes, titles.items(), strict=True):
        curves = {}
        for method, name in (("flow", "particles move"), ("fixed", "positions fixed")):
            chosen = [r for r in records if (r["problem"], r["method"]) == (problem, method)]
            sizes = sorted({r["m"] for r in chosen})
            curves[name] = sizes, np.array([[r["excess"] for r in chosen if r["m"] == m] for m in sizes]).T
        excess_against_m(ax, curves, n_atoms)
        ax.set(title=title, ylabel="")
    axes[0].set_ylabel("relative excess")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return fig


def _cut_at_the_seam(theta, w):
    """Paths (m, points) of positions mod 1 and weights, with a NaN wherever a path crosses from 1 to 0 or back."""
    wrapped = np.mod(theta.T, 1)
    jump = np.abs(np.diff(wrapped, axis=1, append=wrapped[:, -1:])) > 0.5
    return np.where(jump, np.nan, wrapped), w.T
