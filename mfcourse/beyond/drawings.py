"""The pictures of the experiments after the paper: records of `measurements` in, a Figure out."""

import matplotlib.pyplot as plt
import numpy as np

from mfcourse.style import CONTEXT, NEGATIVE, POSITIVE, POTENTIAL, TRUTH

MARKS = ("o", "s", "^", "D")


def sgd(records):
    """Chapter 13: distances against N, the floor against c, the share of lost runs against c."""
    fig, (left, middle, right) = plt.subplots(1, 3, figsize=(13.2, 3.9))
    n, (near, far) = _medians(records, "paths", "dimension", ("distance", "distance_from_flow"))
    left.plot(n, far, "s--", color=CONTEXT, label="from the gradient flow")
    left.plot(n, near, "o-", color=POTENTIAL, label="from the effective equation")
    left.plot(n, near[0] * np.sqrt(n[0] / n), ":", color=TRUTH, label="1 / √N")
    left.set(xscale="log", yscale="log", xlabel="dimension N", ylabel="distance of the overlaps")
    left.set_xticks(n[::2], [f"{size:g}" for size in n[::2]])
    left.set_yticks([0.05, 0.1, 0.2], ["0.05", "0.1", "0.2"])
    left.minorticks_off()
    left.set_title("noise enters the drift")
    c, (risk,) = _medians(records, "floor", "c", ("risk",))
    (noise,) = {record["predicted"] * (2 - record["c"]) / record["c"] for record in records if record["c"] == c[0]}
    fine = np.linspace(0, 1.9, 200)
    middle.plot(fine, fine * noise / (2 - fine), ":", color=TRUTH, label="c τ² / (2 − c)")
    middle.plot(c, risk, "o", color=POTENTIAL, label="SGD, in the mean")
    middle.axvline(2, color=CONTEXT, linestyle="--", label="no limit from c = 2 on")
    middle.set(xlabel="c, for steps c / N", ylabel="|θ − v|² at the end", title="noisy labels leave a floor")
    sizes = sorted({record["dimension"] for record in records if record["method"] == "lost"})
    for n, marker, colour in zip(sizes, MARKS, (NEGATIVE, POSITIVE), strict=False):
        of_n = [record for record in records if record["dimension"] == n]
        c, (share,) = _medians(of_n, "lost", "c", ("share",))
        right.plot(c, share, f"{marker}-", color=colour, label=f"N = {n}")
    right.axvline(1 / 6, color=TRUTH, linestyle=":", label="c = 1/6")
    right.axvline((np.sqrt(10) - 1) / 12, color=CONTEXT, linestyle="--", label="(√10 − 1) / 12")
    right.set(xlabel="c, for steps c / N", ylabel="share of lost runs", title="from 1/6 on runs are lost")
    for ax in (left, middle, right):
        ax.legend()
    return fig


def noise(records):
    """Chapter 14: the price of noise against tau, the free energy between its bounds, errors against m."""
    fig, (left, middle, right) = plt.subplots(1, 3, figsize=(13.2, 3.9))
    tau, (price,) = _medians(records, "optimum", "temperature", ("price",))
    left.plot(tau, price, "o-", color=POTENTIAL, label="F(μ*) − min F")
    left.plot(tau, tau / 2, ":", color=TRUTH, label="τ / 2")
    left.set(xscale="log", yscale="log", xlabel="temperature τ", ylabel="excess of F", title="what noise costs")
    t, (excess, gap, lower) = _medians(records, "flow", "time", ("excess", "gap", "lower"))
    middle.plot(t, gap, "--", color=POTENTIAL, label="the certificate τ KL(μ | p)")
    middle.plot(t, excess, "-", color=TRUTH, label="L(μ) − min L")
    middle.plot(t, lower, ":", color=CONTEXT, label="τ KL(μ | μ*)")
    middle.set(yscale="log", xlabel="time", ylabel="free energy above its minimum", title="between two bounds")
    for method, marker, colour, name in (
        ("independent", "s--", CONTEXT, "independent draws"),
        ("particles", "o-", POTENTIAL, "noisy particles"),
    ):
        m, (error,) = _medians(records, method, "m", ("error",))
        right.plot(m, error, marker, color=colour, label=name)
    right.set(xscale="log", yscale="log", xlabel="number of particles m", ylabel="square error of the prediction")
    right.set_title("both like 1 / m, and fifty times apart")
    for ax in (left, middle, right):
        ax.legend()
    return fig


def forgetting(records):
    """Chapter 15: attacks below their bounds, the divergence against the data, accuracy against public images."""
    fig, (left, middle, right) = plt.subplots(1, 3, figsize=(13.2, 3.9))
    for public, marker, colour in zip((0, 200, 1000), MARKS, (TRUTH, NEGATIVE, POSITIVE), strict=False):
        of_these = [record for record in records if record["method"] == "attack" and record["public"] == public]
        steps, (bound, attack) = _medians(of_these, "attack", "steps", ("bound", "attack"))
        left.plot(steps, bound, f"{marker}:", color=colour, fillstyle="none")
        left.plot(steps, attack, f"{marker}-", color=colour, label=f"{public} public")
    left.plot([], [], ":", color=CONTEXT, label="no attack can do better")
    left.set(ylim=(0.4, 1.03), xlabel="steps of unlearning K", ylabel="AUC of the attack", title="attack and bound")
    public, (divergence,) = _medians(records, "leak", "public", ("divergence",))
    private = next(record["private"] for record in records if record["method"] == "leak")
    some, law = public[1:], divergence[0] / (1 + public[1:] / private) ** 2
    middle.plot(some, divergence[1:], "o", color=POTENTIAL, label="exact")
    middle.plot(some, law, ":", color=TRUTH, label="(1 + public / private)⁻²")
    middle.plot(some[-4:], law[-1] * (some[-1] / some[-4:]) ** 2, "--", color=CONTEXT, label="slope −2", zorder=1)
    middle.set(xscale="log", yscale="log", xlabel="public samples", ylabel="Rényi divergence of order 2")
    middle.set_title("ridge: before any unlearning")
    public, (accuracy,) = _medians(records, "price", "public", ("accuracy",))
    right.plot(public, accuracy, "o-", color=POTENTIAL, label="with the noise that is needed")
    right.axhline(_best_accuracy(records), color=CONTEXT, linestyle="--", label="with hardly any noise")
    right.set(xlabel="public images", ylabel="accuracy on test images", title="the same promise, at another price")
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    for ax in (middle, right):
        ax.legend()
    return fig


def _best_accuracy(records):
    """The median over seeds of the accuracy with most public images, without the noise that a promise asks for."""
    attacks = [record for record in records if record["method"] == "attack"]
    most = max(record["public"] for record in attacks)
    return float(np.median([record["accuracy"] for record in attacks if record["public"] == most]))


def _medians(records, method, key, names):
    """Values of `key` (k,), and for each name the median over seeds there (k,)."""
    chosen = [record for record in records if record["method"] == method]
    values = sorted({record[key] for record in chosen})
    columns = [[np.median([r[name] for r in chosen if r[key] == value]) for value in values] for name in names]
    return np.array(values), np.array(columns)


DRAWINGS = {"sgd": sgd, "noise": noise, "forgetting": forgetting}
