"""What a step costs beside its peers, on one core in float64: `python tests/benchmarks/run.py [--quick]`.

The contenders of a case run in turn in one process, so that noise hits them alike, once their results agree with ours.
Ratios ours / peer are medians over the rounds, with quartiles: below 1 we are ahead. Peers come from the extra `bench`;
one that is not installed is skipped by name. The exit code is 1 if a result differs.

`python .ci/kernels.py haswell tests/benchmarks/run.py` is the same race without AVX-512, for the peers as well.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", NUMBA_NUM_THREADS="1")
os.environ.update(JAX_ENABLE_X64="1", JAX_PLATFORMS="cpu")
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
if os.environ.get("OPENBLAS_CORETYPE") == "Haswell":
    os.environ.update(NUMBA_CPU_NAME="haswell", ATEN_CPU_CAPABILITY="avx2", ONEDNN_MAX_CPU_ISA="AVX2")
    os.environ.update(MKL_ENABLE_INSTRUCTIONS="AVX2", XLA_FLAGS=os.environ["XLA_FLAGS"] + " --xla_cpu_max_isa=AVX2")

import argparse
import functools
import importlib.util
import itertools
import math
import sys
import time
import timeit
import tracemalloc

import networks
import numpy as np
import ot
import peers
from scipy.stats import wasserstein_distance

from mfcourse import convex, features, flows, losses, problems, risks, starts, transport
from mfcourse.certificates import certify
from mfcourse.measures import Measure

SECONDS, ROUNDS = 0.6, 5  # for each contender; at least so many rounds
SAMPLE = 0.02  # at least so long a sample: a flow makes thousands of steps in a row, with warm caches
PEERS = ("numba", "torch", "jax")
TARGETS = {  # ours / peer for m particles of d coordinates
    "few": {"naive exponentials": 1.0, "jax": 1.0},
    "many": {"numba": 1.3, "torch": 0.4, "jax": 0.3},
    "runs": {"numba": 1.5, "torch": 0.4, "jax": 0.3},
    "plane": {"numba": 1.0},
}
LASSO = 1000  # points of a grid on the circle
ROW = "{:27} {:19} {:>13} {:>11} {:>17}  {:19} {}"


def race(name, contenders, particles, before, targets=(), tolerance=1e-9):
    """Check each result, a tuple that was `before`, against ours; time all contenders in turn; print a row for each.

    targets: peer -> the ratio ours / peer to reach. Whatever is only "two products" is timed, not checked.
    """
    reference, repeats, samples = contenders["ours"](), {}, []
    for peer, run in contenders.items():
        for x, right, old in zip(run(), reference, before, strict=True):
            error = np.abs(np.asarray(x) - right).max()
            if not error <= tolerance * np.abs(right - old).max() and peer != "two products":
                sys.exit(f"{name}: the result of {peer} differs from ours")
        repeats[peer] = math.ceil(SAMPLE / timeit.timeit(run, number=1))
    end = time.perf_counter() + SECONDS * len(contenders)
    while len(samples) < ROUNDS or time.perf_counter() < end:
        samples.append([timeit.timeit(run, number=repeats[peer]) / repeats[peer] for peer, run in contenders.items()])
    for peer, times in zip(contenders, np.transpose(samples), strict=True):
        low, ratio, high = np.quantile(np.transpose(samples)[0] / times, (0.25, 0.5, 0.75))
        cells = [name if peer == "ours" else "", peer, f"{np.median(times) / particles * 1e9:.1f}", "", "", "", ""]
        if peer != "ours":
            cells[3:6] = f"{ratio:.3f}", f"{low:.3f} - {high:.3f}", "ours" if ratio <= 1 else peer
        if peer in targets:
            cells[6] = f"<= {targets[peer]}: {'met' if ratio <= targets[peer] else 'MISSED'}"
        print(ROW.format(*cells), flush=True)


def race_steps(name, missing, problem, *shape, targets=None):
    """One forward-backward step of `problem` from random particles theta of the given shape."""
    rng = np.random.default_rng(0)
    w, theta = rng.normal(size=shape[:-1]), rng.uniform(size=shape)
    makers = {"ours": peers.ours, "numba": peers.numba_fused, "torch": peers.torch_autograd, "jax": peers.jax_jit}
    if shape[-1] == 1:
        makers["naive exponentials"] = peers.exponentials
    if shape[-1] == 1 and shape[-2] <= 3000:
        makers["kernel matrices"] = functools.partial(peers.exponentials, kernels=True)
    contenders = {peer: make(problem, w, theta) for peer, make in makers.items() if peer not in missing}
    race(name, contenders, w.size, (0, theta), TARGETS.get(targets, ()))


def race_networks(missing, quick):
    """Steps of networks on samples, in both precisions, and the exact population risk of ReLU."""
    for activation, dtype in itertools.product(("relu", "sigmoid"), (np.float64, np.float32)):
        for m, size in networks.SHAPES[: 1 if quick else None]:
            data = networks.batch(m, size, dtype)
            makers = {peer: make for peer, make in networks.STEPS.items() if peer not in missing}
            contenders = {peer: make(activation, *data) for peer, make in makers.items()}
            targets = networks.TARGETS[activation].get((m, size), ()) if dtype == np.float64 else ()
            name = f"{activation} {m} x {size} {np.dtype(dtype)}"
            race(name, contenders, m, data[2:], targets, 1e-8 if dtype == np.float64 else 1e-2)
    teacher = problems.relu_teacher(0, networks.DIMENSION, 20).truth
    for m in (100,) if quick else (100, 1000, 3000):
        w, theta = networks.batch(m, 1, np.float64)[2:]
        contenders = {p: make(teacher, w, theta) for p, make in networks.RISKS.items() if p not in missing}
        targets = networks.TARGETS["risk"] if m >= 1000 else ()
        race(f"ReLU population risk, m = {m}", contenders, m, (0, 0), targets, 1e-6)


def race_transport(n):
    """W_1 of two random measures with n atoms of different masses."""
    rng = np.random.default_rng(0)
    x, y, a, b = *rng.normal(size=(2, n)), *rng.dirichlet(np.ones(n), 2)
    mu, nu = Measure(a, x[:, None]), Measure(b, y[:, None])
    contenders = {
        "ours": lambda: (transport.wasserstein(mu, nu, 1),),
        "POT emd2_1d": lambda: (ot.emd2_1d(x, y, a, b, metric="minkowski", p=1),),
        "POT wasserstein_1d": lambda: (ot.wasserstein_1d(x, y, a, b, p=1),),
        "scipy": lambda: (wasserstein_distance(x, y, a, b),),
    }
    race(f"W1 on the line, n = {n}", contenders, n, (0,))


def report_optima(seeds=range(10)):
    """Certified optima of the recipe's spikes; on the circle also the Lasso of scikit-learn, on a grid."""
    grid = starts.grid_start(LASSO)[1]
    for dimension, cutoff in ((1, 7), (1, 16), (2, 7), (2, 16)):
        looks = []
        for seed in seeds:
            problem = problems.spikes(seed, cutoff=cutoff, dimension=dimension)
            optimum, ours = timed(lambda problem=problem: convex.certified_optimum(problem))
            looks.append([ours, certify(problem, optimum).gap])
            if dimension == 1:
                lasso, theirs = timed(lambda problem=problem: convex.fixed_positions(problem, grid))
                looks[-1] += [theirs, problem.objective(lasso) / problem.objective(optimum) - 1]
        seconds, gap, *lasso = np.median(looks, axis=0)
        beside = "; Lasso on {}: {:.3f} s, J too large by {:.0e} of it".format(LASSO, *lasso) if lasso else ""
        print(f"certified optimum, d = {dimension}, K = {cutoff}: {seconds:.3f} s, gap {gap:.0e}{beside}", flush=True)


def timed(function):
    """What the function returns, and its seconds."""
    start = time.perf_counter()
    return function(), time.perf_counter() - start


def report_success_2019():
    """success_deconv1D: cutoff 8, lambda .3, five positive spikes; m = 4..10 x 5 step ratios x 10 instances."""
    maps, stacked = features.Fourier(8), []
    for rng in map(np.random.default_rng, range(10)):
        y = maps.push(*Measure(rng.uniform(size=5), rng.uniform(size=(5, 1))).particles())
        stacked += [problems.Problem(risks.FeatureRisk(maps, losses.Squared(y, 0.3)), 1.0)] * 5
    problem, alpha, start = problems.stack(stacked), 0.002 * 0.3, time.perf_counter()
    step = flows.conic_mirror(problem, alpha, alpha / (2 * math.pi) ** 2 * np.tile(0.5 ** np.arange(5), 10))
    for m in range(4, 11):
        state = np.full((50, m), 0.25), np.tile(starts.grid_start(m)[1], (50, 1, 1))
        flows.flow(problem, step, state, 1000, record=())
    seconds = time.perf_counter() - start
    print(f"success_deconv1D of 2019, 350 runs of 1000 steps: {seconds:.2f} s (aim: about 1 s; 2 min as published)")


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description="Time our steps beside those of other libraries.")
    parser.add_argument("--quick", action="store_true", help="fewer and smaller cases")
    quick = parser.parse_args().quick
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    np.empty(31 * 2**17)  # a long flow keeps its memory: glibc returns none below twice the largest piece it has seen
    missing = [peer for peer in PEERS if importlib.util.find_spec(peer) is None]
    print("".join(f"{peer}: not installed, skipped\n" for peer in missing), end="")
    print(ROW.format("case", "contender", "ns / particle", "ours / peer", "quartiles", "ahead", "target"))
    for m in [10, 1000, 10**4] if quick else [10**k for k in range(1, 7)]:
        targets = "few" if m == 10 else "many" if m >= 10**4 else None
        race_steps(f"circle, m = {m}", missing, problems.spikes(0), m, 1, targets=targets)
    many = problems.stack([problems.spikes(i % 10) for i in range(350)])
    race_steps("circle, 350 runs of m = 10", missing, many, 350, 10, 1, targets="runs")
    for cutoff, m in itertools.product((7, 16), (100, 10**4) if quick else (100, 10**4, 10**5)):
        problem = problems.spikes(0, cutoff=cutoff, dimension=2)
        race_steps(f"torus, m = {m}, K = {cutoff}", missing, problem, m, 2, targets="plane" if m >= 10**4 else None)
    race_networks(missing, quick)
    for n in (1000,) if quick else (1000, 10**5):
        race_transport(n)
    for m, cutoff in ((10**5, 7), (10**6, 7), (10**6, 14)):
        step = peers.ours(problems.spikes(0, cutoff=cutoff), *starts.grid_start(m))
        tracemalloc.start()
        step()
        peak = tracemalloc.get_traced_memory()[1] / m
        tracemalloc.stop()
        print(f"peak extra memory of a step, m = {m}, K = {cutoff}: {peak:.0f} bytes per particle")
    report_optima(range(3) if quick else range(10))
    report_success_2019()


if __name__ == "__main__":
    main()
