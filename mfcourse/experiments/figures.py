"""The paper's three figures, composed from the pictures of `plots`: runs and records in, a Figure out."""

import matplotlib.pyplot as plt
import numpy as np

from mfcourse import checks, plots
from mfcourse.certificates import certify
from mfcourse.experiments.paper import FIGURES
from mfcourse.measures import Measure, h1

SHOWN = (4, 7, 8)  # seeds whose Figure 2 shows best what all of them show


def draw(name, records, runs):
    """The Figure of what `experiments.figure(name)` returned; of one of its instances where it shows one.

    Raises ValueError if there is no such figure, or nothing to draw, as the functions below do.
    """
    checks.one_of("name", name, tuple(FIGURES))
    if name == "figure3":
        return figure3(records)
    _demand(records, "records")
    seeds = list(dict.fromkeys(r["seed"] for r in records))
    shown = next((seed for seed in SHOWN if seed in seeds and name == "figure2"), seeds[0])
    problem = FIGURES[name][0].make(shown)
    chosen = {(method, m): run for (_, method, seed, m), run in sorted(runs.items()) if seed == shown}
    if name == "figure1":
        return figure1(problem, {m: run for (_, m), run in chosen.items()})
    return figure2(problem, chosen, shown)


def figure1(problem, runs):
    """The paper's Figure 1 with a certificate under each run: {m: Run} on one problem -> Figure."""
    _demand(runs, "runs")
    fig, axes = plt.subplots(2, len(runs), figsize=(3.6 * len(runs), 5.6), sharex=True, squeeze=False)
    for (top, bottom), (m, run) in zip(axes.T, runs.items(), strict=True):
        measure = h1(*run.state)
        certificate = certify(problem, measure)
        plots.particle_paths(top, run, problem.truth)
        plots.certificate_picture(bottom, problem, measure, problem.truth)
        word = "optimal" if certificate.optimal else "stuck" if run.reason == "at rest" else "unfinished"
        top.set(xlabel="", title=f"m = {m}: {word}")
        bottom.set_title(f"gap {certificate.gap:.1e}, max |η| = {certificate.max_potential:.4g}", fontsize=10)
    for ax in axes[:, 1:].flat:
        ax.set_ylabel("")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    more = axes[1, 0].get_legend_handles_labels()
    shown = dict(zip(labels + more[1], handles + more[0], strict=True))
    fig.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=len(shown))
    return fig


def figure2(problem, runs, seed):
    """The paper's Figure 2: {("flow" or "sgd", m): Run} for one teacher in the plane -> Figure.

    Above the exact population risk, below mini-batches of SGD; at the right the relative risk along the runs.
    """
    _demand(runs, "runs")
    sizes = sorted({m for _, m in runs})
    for pair in ((method, m) for method, _ in runs for m in sizes):
        if pair not in runs:
            raise ValueError(f"runs must hold every method with every m, but {pair} is missing")
    methods = [(key, name) for key, name in (("flow", "exact gradient"), ("sgd", "SGD")) if (key, sizes[0]) in runs]
    fig, axes = plt.subplots(
        len(methods), len(sizes) + 1, figsize=(3.2 * len(sizes) + 3.9, 3.3 * len(methods)), squeeze=False
    )
    whole = problem.objective(Measure(np.zeros(0), np.zeros((0, 2))))
    for row, (key, name) in zip(axes, methods, strict=True):
        for k, (ax, m) in enumerate(zip(row, sizes, strict=False)):
            run = runs[key, m]
            plots.neuron_paths(ax, run, problem.truth)
            ax.set_title(f"{name}, m = {m}: risk {run.energy[-1] / whole:.1e}", fontsize=11)
            curve = np.maximum(run.energy / whole, 1e-12)
            row[-1].plot(run.steps + 1, curve, ("-", "--", "-.", ":")[k % 4], color=plots.POTENTIAL, label=f"m = {m}")
        row[-1].set(xscale="log", yscale="log", xlabel="step + 1", ylabel="risk / risk of no network")
        row[-1].set_title(f"{name}: risk", fontsize=11)
        row[-1].legend()
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=len(labels), title=f"teacher of seed {seed}")
    return fig


def figure3(records):
    """The paper's Figure 3 from its records: excess against m, of particles that move and positions that stay.

    Raises ValueError unless every problem has records of both, and each m the same number of them.
    """
    titles = {"spikes": ("spikes, d = 1", 5), "relu": ("ReLU, d = 100", 20), "sigmoid": ("sigmoid, d = 100", 20)}
    curves = {problem: _curves(records, problem) for problem in titles}
    fig, axes = plt.subplots(1, len(titles), figsize=(4.1 * len(titles), 3.9), sharey=True)
    for ax, (problem, (title, n_atoms)) in zip(axes, titles.items(), strict=True):
        plots.excess_against_m(ax, curves[problem], n_atoms)
        ax.set(title=title, ylabel="")
    axes[0].set_ylabel("relative excess")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return fig


def _curves(records, problem):
    """{name: (sizes, excess of shape (seeds, sizes))} of one problem, for `plots.excess_against_m`."""
    curves = {}
    for method, name in (("flow", "particles move"), ("fixed", "positions fixed")):
        chosen = [r for r in records if (r["problem"], r["method"]) == (problem, method)]
        sizes = sorted({r["m"] for r in chosen})
        excess = [[r["excess"] for r in chosen if r["m"] == m] for m in sizes]
        if len({len(row) for row in excess}) != 1:
            wrong = "they are not" if excess else "there are none"
            raise ValueError(f"records of {problem}, {method} must be as many for each m, but {wrong}")
        curves[name] = sizes, np.array(excess).T
    return curves


def _demand(data, name):
    if not data:
        raise ValueError(f"{name} must hold something to draw, but there is nothing in them")
