"""Certified optima of random spikes off the recipe: `python tests/benchmarks/optima.py [--instances N] [--first I]`.

Instance i has d = 1 or 2, lambda .01 to 10 and a cutoff of 2 to 20, log-uniform, noise 0, .01 or .1, and one to eight
spikes: as in the recipe, in pairs as close as 1e-4, at equal places, symmetric, or all of one sign. In d = 2 beyond a
cutoff of 10 noise is no stronger than in the recipe, .05 lambda: what fits more has up to eight hundred atoms there.
None may fail, none may take more than five seconds of one core: the exit code is 1 otherwise.
"""

import argparse
import sys
import time
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from mfcourse.certificates import certify
from mfcourse.convex import certified_optimum
from mfcourse.features import Fourier
from mfcourse.losses import Squared
from mfcourse.problems import Problem
from mfcourse.risks import FeatureRisk

KINDS = ("apart", "close pairs", "equal pairs", "symmetric", "positive")
SECONDS = 5.0
HARDEST = 5  # instances to be named at the end


def instance(number):
    """Kind, dimension and problem of one instance."""
    rng = np.random.default_rng(number)
    kind, dimension = KINDS[number % len(KINDS)], 1 + number // len(KINDS) % 2
    cutoff = round(np.exp(rng.uniform(np.log(2), np.log(20))))
    lam, noise = 10 ** rng.uniform(-2, 1), rng.choice([0, 0.01, 0.1])
    if dimension == 2 and cutoff > 10:
        noise *= min(1, lam / 2)
    pairs = 1 + rng.integers(4)
    at, masses = rng.uniform(size=(pairs, dimension)), rng.choice([-1.0, 1.0], pairs) * rng.uniform(0.5, 1.5, pairs)
    partner = {
        "apart": rng.uniform(size=at.shape),
        "close pairs": at + 10 ** rng.uniform(-4, -1) * rng.standard_normal(at.shape),
        "equal pairs": at,
        "symmetric": -at,
        "positive": rng.uniform(size=at.shape),
    }[kind]
    others = masses if kind in ("symmetric", "equal pairs") else rng.permutation(masses)
    w, theta = np.concatenate([masses, others]), np.concatenate([at, partner])
    features = Fourier(cutoff, dimension)
    clean = features.push(np.abs(w) if kind == "positive" else w, theta)
    y = clean + noise / (2 * cutoff + 1) ** ((dimension - 1) / 2) * rng.standard_normal(features.size)
    problem = Problem(FeatureRisk(features, Squared(y, lam)), 1.0)
    return kind, dimension, replace(problem, positive=kind == "positive")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    results, bad = [], 0
    for number in tqdm(range(arguments.first, arguments.first + arguments.instances), unit="instance"):
        kind, dimension, problem = instance(number)
        started = time.process_time()
        try:
            optimum = certified_optimum(problem)
            outcome = f"{len(optimum)} atoms, gap {certify(problem, optimum).gap:.0e}"
        except RuntimeError as failure:
            outcome, bad = str(failure), bad + 1
        seconds = time.process_time() - started
        features, scale = problem.risk.features, problem.risk.loss.scale
        name = f"{number}: {kind}, d = {dimension}, K = {features.cutoff}, lambda = {scale:.3g}"
        results.append((seconds, name, outcome))
        bad += seconds > SECONDS and "gap stays" not in outcome
    seconds = np.array([row[0] for row in results])
    for row in sorted(results, reverse=True)[:HARDEST] + [row for row in results if "atoms" not in row[2]]:
        print("{:6.2f} s  {}: {}".format(*row))
    print(f"{len(results)} instances: median {np.median(seconds):.3f} s, most {seconds.max():.2f} s, {bad} missed")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
