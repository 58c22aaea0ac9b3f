/**
 * A measure on a line with noise (chapter 14), as `beyond.fokker_planck` and `beyond.langevin` have it: the free energy
 * L(mu) = F(mu) + tau int mu log mu, F(mu) = |int phi dmu - y|^2 / (2 n) + int V dmu, with neurons phi(theta) =
 * height tanh(theta x) at n samples and V = confinement theta^2 / 2. A measure is a density (q,) on equal cells, or
 * particles theta (m,), all of the mass 1/m; one step moves either.
 */

/** The problem of an instance, with its cells. */
export function problem({ x, y, height, confinement, low, high, cells }) {
  const width = (high - low) / cells;
  const at = Float64Array.from({ length: cells }, (_, k) => low + width * (k + 0.5));
  const features = x.map((sample) => at.map((theta) => height * Math.tanh(theta * sample)));
  const bowl = at.map((theta) => (confinement * theta ** 2) / 2); // V
  return { x, y, height, confinement, width, at, features, bowl };
}

const dot = (p, q) => p.reduce((sum, value, k) => sum + value * q[k], 0);
const least = (values) => values.reduce((low, value) => Math.min(low, value));

/** R'(int phi dmu) for a density: (n,). */
export function residual({ features, y, width }, density) {
  return y.map((value, j) => (width * dot(features[j], density) - value) / y.length);
}

/** The same for particles. */
export function particleResidual({ x, y, height }, theta) {
  const push = (sample) => theta.reduce((sum, t) => sum + Math.tanh(t * sample), 0) / theta.length;
  return y.map((value, j) => (height * push(x[j]) - value) / y.length);
}

/** F'(mu) = <R', phi> + V at the cells (q,). */
export function variation({ features, bowl }, residual) {
  return bowl.map((height, k) => residual.reduce((sum, part, j) => sum + part * features[j][k], height));
}

/** F'(mu) and its slope at one position. */
export function variationAt({ x, height, confinement }, residual, theta) {
  let [value, slope] = [(confinement * theta ** 2) / 2, confinement * theta];
  x.forEach((sample, j) => {
    const bent = Math.tanh(theta * sample);
    value += residual[j] * height * bent;
    slope += residual[j] * height * sample * (1 - bent ** 2);
  });
  return { value, slope };
}

const risk = (residual) => (dot(residual, residual) * residual.length) / 2;

/** The logarithm of the Gibbs measure exp(-potential / tau) / Z at the cells (q,). */
export function logGibbs(potential, width, tau) {
  const bottom = least(potential);
  const exponent = potential.map((value) => (bottom - value) / tau);
  const total = Math.log(width * exponent.reduce((sum, value) => sum + Math.exp(value), 0));
  return exponent.map((value) => value - total);
}

/** What there is to know of a density: `energy` F, `free` L, its `gibbs` measure, and the duality `gap`. */
export function judge(problem, density, tau) {
  const { width, bowl } = problem;
  const pull = residual(problem, density);
  const potential = variation(problem, pull);
  const log = logGibbs(potential, width, tau);
  const logs = density.map((value) => (value > 0 ? Math.log(value) : 0));
  const energy = risk(pull) + width * dot(bowl, density);
  const free = energy + tau * width * dot(density, logs);
  const gap = tau * Math.max(width * density.reduce((sum, value, k) => sum + value * (logs[k] - log[k]), 0), 0);
  return { energy, free, gap, potential, gibbs: log.map(Math.exp) };
}

/**
 * The same of particles without noise, where L = F and the gap is what is left of it for tau -> 0: int F' dmu - min F'.
 * `lowest` is where on the cells F' is least, and `speed` the largest of a particle.
 */
export function judgeParticles(problem, theta) {
  const { confinement, at } = problem;
  const pull = particleResidual(problem, theta);
  const potential = variation(problem, pull);
  const bottom = least(potential);
  const here = Array.from(theta, (t) => variationAt(problem, pull, t));
  const energy = risk(pull) + (confinement * dot(theta, theta)) / 2 / theta.length;
  const gap = here.reduce((sum, { value }) => sum + value, 0) / theta.length - bottom;
  const speed = here.reduce((most, { slope }) => Math.max(most, Math.abs(slope)), 0);
  return { energy, free: energy, gap, lowest: at[potential.indexOf(bottom)], speed };
}

/**
 * The density after an implicit step of d_t mu = div(mu grad potential) + tau lap mu (Scharfetter and Gummel): mass
 * passes through the walls of cells at rates that leave the Gibbs measure of the potential where it is. Elimination
 * adds and multiplies numbers >= 0 only, so that no density is ever negative.
 */
export function step(density, potential, width, tau, time) {
  const speed = (tau * time) / width ** 2;
  const last = density.length - 1;
  const [pivot, left, moved] = [0, 0, 0].map(() => new Float64Array(last + 1));
  let [stays, right] = [1, 0]; // what is left of a cell's own mass, and the rate at which it passes the wall behind it
  for (let k = 0; k <= last; k++) {
    const fed = k ? right * moved[k - 1] : 0;
    if (k) stays = 1 + (left[k - 1] * stays) / pivot[k - 1];
    const height = k < last ? (potential[k + 1] - potential[k]) / tau : 0;
    right = k < last ? speed / exprel(height) : 0;
    left[k] = k < last ? speed / exprel(-height) : 0; // from cell k + 1 to cell k
    pivot[k] = stays + right;
    moved[k] = (density[k] + fed) / pivot[k];
  }
  for (let k = last - 1; k >= 0; k--) moved[k] += (left[k] / pivot[k]) * moved[k + 1];
  const lost = sum(density) / sum(moved); // by rounding
  return moved.map((value) => value * lost);
}

/** (e^x - 1) / x. */
const exprel = (x) => (x ? Math.expm1(x) / x : 1);
const sum = (values) => values.reduce((total, value) => total + value);

/** Particles (m,) after a noisy step: theta - time F'(mu)'(theta) + sqrt(2 tau time) xi, with xi from `normal()`. */
export function particleStep(problem, theta, tau, time, normal) {
  const pull = particleResidual(problem, theta);
  const shake = Math.sqrt(2 * tau * time);
  return theta.map((t) => t - time * variationAt(problem, pull, t).slope + (shake && shake * normal()));
}
