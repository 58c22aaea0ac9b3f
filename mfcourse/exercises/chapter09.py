"""Checks for chapter 9, sparse spikes."""

import numpy as np

from mfcourse import problems
from mfcourse.certificates import certify
from mfcourse.convex import certified_optimum
from mfcourse.exercises import as_array, as_measure, as_number, as_particles, exercise
from mfcourse.experiments import spike_flow, spike_steps
from mfcourse.flows import flow, forward_backward, until_settled
from mfcourse.measures import Measure, h1


@exercise("9.1")
def check_one_spike(one_spike):
    """`one_spike(a, lam)` is the mass of the minimiser of J for a single spike of mass a, observed without noise.

    The measure with that mass at the position of the spike must be certified, for small and large lam and both signs.
    """
    for seed, lam in ((0, 0.5), (1, 2.0), (2, 8.0), (3, 30.0)):
        problem = problems.spikes(seed, lam=lam, noise=0.0, n_spikes=1)
        a = float(problem.truth.weights[0])
        mass = as_number(one_spike(a, lam), "one_spike returns the mass, a number")
        certificate = certify(problem, Measure([mass], problem.truth.positions))
        assert certificate.gap <= 1e-9, (
            f"For a = {a:.3f} and lam = {lam:g} you answered {mass:.4f}, and the certificate is open: gap "
            f"{certificate.gap:.1e}, max |eta| = {certificate.max_potential:.3f}. Write J(x delta_t) as a function of "
            "the one number x; |phi(t)|^2 is 15. What does |x| do near 0?"
        )


@exercise("9.2")
def check_rescue(rescue):
    """`rescue(problem, w, theta)` adds particles to a stuck run: the same measure, from where the flow gets free."""
    for seed in (0, 4, 7):
        problem = problems.spikes(seed)
        w, theta = spike_flow(problem, 6).state
        new_w, new_theta = as_particles(rescue(problem, w.copy(), theta.copy()), "rescue")
        assert len(w) < len(new_w) <= 30, (
            f"Return more than {len(w)} and at most 30 particles: yours are {len(new_w)}. The list that "
            "problem.risk.peaks returns repeats an entry; np.unique(..., axis=0) drops repetitions."
        )
        before, after = problem.energy(w, theta), problem.energy(new_w, new_theta)
        assert _differ(h1(w, theta), h1(new_w, new_theta)) <= 1e-9 * np.abs(w).mean(), (
            f"J was {before:.4f} and is {after:.4f} before the flow has moved: the measure has changed. Masses are "
            "a_i = w_i / m, and you changed m. Mass may neither move nor grow before the flow starts."
        )
        step = forward_backward(problem, *spike_steps(problem))
        end = flow(problem, step, (new_w, new_theta), 20_000, stop=until_settled(problem)).state
        certificate = certify(problem, h1(*end))
        assert certificate.optimal, (
            f"On seed {seed} the flow gets stuck again, with max |eta| = {certificate.max_potential:.2f}. Put a "
            "particle of weight 0 at every local maximum of |eta| above 1; problem.risk.peaks finds them."
        )


def _differ(mu, nu):
    """The largest difference of Fourier coefficients, so many that they tell measures with 41 atoms in all apart."""
    k = np.arange(21)
    a, b = (np.exp(2j * np.pi * np.outer(k, part.positions[:, 0])) @ part.weights for part in (mu, nu))
    return np.abs(a - b).max()


@exercise("9.3")
def check_debias(debias):
    """`debias(problem, measure)` keeps the positions; no change of the masses brings the prediction closer to y."""
    for seed, lam, dimension in ((0, 2.0, 1), (3, 0.5, 1), (1, 4.0, 2)):
        problem = problems.spikes(seed, lam=lam, dimension=dimension)
        features, measure = problem.risk.features, certified_optimum(problem)
        answer = as_measure(debias(problem, measure), "debias returns a Measure")
        same = answer.positions.shape == measure.positions.shape and np.allclose(answer.positions, measure.positions)
        assert same, "Return a Measure on the positions of the one you were given, in the same order."
        rest = problem.risk.loss.target - features.push(*answer.particles())
        # At a least-squares fit the rest is orthogonal to phi at each position.
        slope = np.abs(features.pull(rest, measure.positions)[0]).max()
        assert slope <= 1e-6 * features.size, (
            f"Seed {seed}, lambda = {lam:g}: what is left of y, y - f, has a product of {slope:.2g} with phi at one of "
            "the positions, so changing the mass there would bring f closer to y. Is a price left in your problem?"
        )


@exercise("9.4")
def check_touch(touch):
    """`touch(positions, at)` is a trigonometric polynomial of degree <= 7, 1 at the positions, within [-1, 1]."""
    grid, fine = np.arange(64) / 64, (np.arange(2000) + 0.37) / 2000
    waves = np.exp(2j * np.pi * np.outer(fine, np.arange(8)))
    for positions in ([0.3], [0.5, 0.51], [0.1, 0.12, 0.9], np.arange(7) / 7 + 0.02, 0.4 + np.arange(7) / 50):
        positions = np.array(positions)
        many = np.r_[grid, fine, positions]
        answer = touch(positions.copy(), many.copy())
        answer = as_array(answer, "touch returns one value for each place in `at`, an array", many.shape)
        values, between, touching = np.split(answer, (64, 2064))
        assert np.allclose(touching, 1, rtol=0, atol=1e-9), (
            f"For {len(positions)} spikes your values at the spikes run from {touching.min():.4g} to "
            f"{touching.max():.4g}; they must all be 1."
        )
        largest = max(np.abs(values).max(), np.abs(between).max())
        assert largest <= 1 + 1e-9, (
            f"For {len(positions)} spikes your values leave the band: the largest size is {largest:.4g}."
        )
        apart = np.abs((grid[:, None] - positions + 0.5) % 1 - 0.5).min(axis=1) > 0.1
        assert (values[apart] < 1 - 1e-6).all(), (
            "Your values are 1 also away from the spikes: mass would be free there."
        )
        c = np.fft.rfft(values) / 64
        low = 2 * (waves @ c[:8]).real - c[0].real  # what the waves up to degree 7 make between the points of the grid
        high = max(np.abs(c[8:]).max(), np.abs(between - low).max())
        assert high <= 1e-9, (
            f"For {len(positions)} spikes your function oscillates faster than 7 times (amplitude {high:.1e}): the "
            "telescope does not keep this. A product of N terms of degree 1 has degree N."
        )
        place, top = _tops(fine, between)
        far = np.abs((place[:, None] - positions + 0.5) % 1 - 0.5).min(axis=1) > 0.02
        assert (top[far] < 1 - 1e-7).all(), (
            f"For {len(positions)} spikes your function is 1 near {place[far][top[far].argmax()]:.3f} too, where no "
            "spike is: mass would be free there. One factor for each spike, and no other."
        )


def _tops(places, values):
    """Places and heights of the local maxima, each from a parabola through three neighbours on a circle."""
    before, after = np.roll(values, 1), np.roll(values, -1)
    top = (values > before) & (values >= after)
    slope, bend = (after - before)[top] / 2, np.minimum((before + after - 2 * values)[top], -1e-15)
    return places[top], values[top] - slope**2 / (2 * bend)
