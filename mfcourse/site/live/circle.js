/**
 * Spikes on the circle R/Z: features, risk, a step of the flow and the certificate, as `features.Fourier(7)`,
 * `losses.Squared`, `flows` and `certificates` have them, for one run in d = 1. Particles are a state { w, theta }, two
 * Float64Arrays (m,), and stand for mu = (1/m) sum_i w_i delta_{theta_i}. A problem is { y, lambda }: R(f) =
 * |y - f|^2 / (2 lambda), and the penalty is the total variation, c = 1. Predictions, residuals and y have shape (15,).
 */

import { uniforms } from "./stage.js";

const CUTOFF = 7;
const SIZE = 2 * CUTOFF + 1; // |phi|^2
const SLOPE_SQUARED = 8 * Math.PI ** 2 * 140; // |phi'|^2
const GRID = 32 * CUTOFF; // points among which the maximum of |eta| is looked for
const NEWTON_STEPS = 40;
const ALMOST_ZERO = 1e-9; // masses below this are no mass (`plots`)

/** A position on the circle, in [0, 1). */
export const turn = (position) => position - Math.floor(position);

/** The largest absolute value of a list, 0 if it is empty. */
export const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** What a menu of instances lists: the seed, and the signs of the spikes. */
export const names = (instances) =>
  instances.map(({ seed, weights }) => [seed, `${seed}: ${weights.map((mass) => (mass > 0 ? "+" : "−")).join(" ")}`]);

const dot = (p, q) => p.reduce((sum, value, k) => sum + value * q[k], 0);

/** Proximal map of level |x|: moves x towards 0 by `level`, and stops there. */
export const softThreshold = (x, level) => x - Math.min(Math.max(x, -level), level);

/** The problem of an instance { weights, positions, noise } (`problems.spikes`): y = int phi dtruth + level * noise. */
export function spikes({ weights, positions, noise }, lambda = 2, level = 0.1) {
  const clean = push({ w: weights.map((mass) => mass * weights.length), theta: positions });
  return { y: clean.map((value, k) => value + level * noise[k]), lambda };
}

/** Prediction (1/m) sum_i w_i phi(theta_i), phi(t) = [1, sqrt2 cos(2 pi k t), sqrt2 sin(2 pi k t) for k = 1..7]. */
export function push({ w, theta }) {
  const prediction = new Float64Array(SIZE);
  for (let i = 0; i < w.length; i++) {
    const angle = 2 * Math.PI * (theta[i] - Math.round(theta[i]));
    const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
    let [c, s] = [cosine, sine];
    prediction[0] += w[i];
    for (let k = 1; k <= CUTOFF; k++) {
      prediction[k] += w[i] * c;
      prediction[k + CUTOFF] += w[i] * s;
      [c, s] = [c * cosine - s * sine, c * sine + s * cosine];
    }
  }
  return prediction.map((sum, k) => (sum * (k ? Math.SQRT2 : 1)) / w.length);
}

/** The potential <residual, phi(t)> at one point t: its value, slope and curvature. */
export function pullAt(residual, t) {
  const angle = 2 * Math.PI * (t - Math.round(t));
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  let [c, s] = [cosine, sine];
  let [value, slope, curvature] = [residual[0], 0, 0];
  for (let k = 1; k <= CUTOFF; k++) {
    const speed = 2 * Math.PI * k;
    const wave = Math.SQRT2 * (residual[k] * c + residual[k + CUTOFF] * s);
    value += wave;
    slope += Math.SQRT2 * speed * (residual[k + CUTOFF] * c - residual[k] * s);
    curvature -= speed ** 2 * wave;
    [c, s] = [c * cosine - s * sine, c * sine + s * cosine];
  }
  return { value, slope, curvature };
}

/** The potential <residual, phi(t)> and its slope at the points `at` (q,): two arrays (q,). */
export function pull(residual, at) {
  const [potential, slope] = [new Float64Array(at.length), new Float64Array(at.length)];
  for (let i = 0; i < at.length; i++) ({ value: potential[i], slope: slope[i] } = pullAt(residual, at[i]));
  return { potential, slope };
}

/** R'(int phi dmu) = (int phi dmu - y) / lambda, whose pull is the potential eta. */
export function residual({ y, lambda }, state) {
  return push(state).map((value, k) => (value - y[k]) / lambda);
}

/** J = R(int phi dmu) + (1/m) sum_i |w_i|, eq. (1). */
export function objective({ y, lambda }, state) {
  const missing = push(state).map((value, k) => value - y[k]);
  return dot(missing, missing) / (2 * lambda) + totalVariation(state);
}

const totalVariation = ({ w }) => w.reduce((sum, weight) => sum + Math.abs(weight), 0) / w.length;

/** Step sizes { a, b } for weights and positions (`experiments.spike_steps`); metric: "euclidean" or "conic". */
export function stepSizes({ y, lambda }, metric = "euclidean") {
  const mass = Math.sqrt(dot(y, y) / SIZE) || 1; // of one spike as strong as the data
  const b = metric === "euclidean" ? 0.179 / mass ** 2 : 1.54 / mass;
  return { a: lambda / SIZE, b: (b * lambda) / SLOPE_SQUARED };
}

/**
 * One step, explicit in the risk and implicit in the penalty (Sec. 4.1, Prop. 2.3): a new state. In the metric "conic"
 * a position moves at a speed that does not depend on its mass: sign(w) in place of w.
 */
export function step(problem, state, a, b, metric = "euclidean") {
  const { potential, slope } = pull(residual(problem, state), state.theta);
  const pace = metric === "conic" ? Math.sign : (weight) => weight;
  return {
    w: state.w.map((weight, i) => softThreshold(weight - a * potential[i], a)),
    theta: state.theta.map((t, i) => t - b * pace(state.w[i]) * slope[i]),
  };
}

/**
 * How fast J decreases along the flow with the metric "conic", as `flows.until_settled` measures it: over J^2, with
 * weights in units of J. At weight 0 a particle may wait.
 */
export function dissipation(problem, { w, theta }) {
  const { potential, slope } = pull(residual(problem, { w, theta }), theta);
  const value = objective(problem, { w, theta });
  const squares = w.map((weight, i) => {
    const speed = weight ? potential[i] + Math.sign(weight) : softThreshold(potential[i], 1);
    return speed ** 2 + (Math.abs(weight) * slope[i] ** 2) / (value || 1);
  });
  return squares.reduce((sum, square) => sum + square, 0) / w.length;
}

/**
 * What the first variation on the whole circle says (Prop. 3.1): objective J, a feasible dual value D, gap (J - D) / J,
 * and top = max |eta|, reached `at` a position in [0, 1). A top above 1 proves that mass put there lowers J.
 */
export function certificate(problem, state) {
  const eta = residual(problem, state);
  const { top, at } = highest(eta);
  const feasible = eta.map((value) => value / Math.max(top, 1));
  const value = objective(problem, state);
  const dual = -dot(problem.y, feasible) - (problem.lambda * dot(feasible, feasible)) / 2;
  return { objective: value, dual, gap: (value - dual) / (value || 1), top, at: turn(at) };
}

/** The maximum of |<residual, phi>|: Newton steps from all grid maxima that could belong to it (M. Riesz). */
function highest(residual) {
  const heights = Array.from({ length: GRID }, (_, i) => Math.abs(pullAt(residual, i / GRID).value));
  const rival = Math.cos(Math.PI / 32) * largest(heights);
  let best = { top: 0, at: 0 };
  heights.forEach((height, i) => {
    if (height < rival || height < heights.at(i - 1) || height < heights[(i + 1) % GRID]) return;
    const found = sharpened(residual, i / GRID);
    if (found.top > best.top) best = found;
  });
  return best;
}

/** Uphill from a grid maximum by Newton steps within reach, which is halved where a step led down. */
function sharpened(residual, at) {
  let reach = 1 / GRID;
  let here = pullAt(residual, at);
  for (let k = 0; k < NEWTON_STEPS; k++) {
    const newton = (Math.sign(here.value) * here.slope) / Math.max(Math.abs(here.curvature), Number.MIN_VALUE);
    const move = Math.min(Math.max(newton, -reach), reach);
    const there = pullAt(residual, at + move);
    if (Math.abs(there.value) > Math.abs(here.value)) [at, here] = [at + move, there];
    else reach = Math.min(reach, Math.abs(move)) / 2;
    if (Math.abs(move) <= 1e-9) break;
  }
  return { top: Math.abs(here.value), at };
}

/** Weights 0 on a uniform grid of the circle (Thm 3.5), or of an arc of this length around 1/2: `starts.grid_start`. */
export function gridStart(m, arc = 1) {
  const theta = Float64Array.from({ length: m }, (_, i) => 0.5 + arc * ((i + 0.5) / m - 0.5));
  return { w: new Float64Array(m), theta };
}

/** Weights 0 at independent uniform positions, in order; they depend on the seed and on m only. */
export function randomStart(m, seed) {
  const draw = uniforms(1000 * seed + m);
  return { w: new Float64Array(m), theta: Float64Array.from({ length: m }, draw).sort() };
}

/**
 * One more particle, of weight 0, at this position. A particle's mass is w/m and m has grown, so all weights grow by
 * (m + 1)/m: the measure stays what it was, and so does J.
 */
export function withParticle({ w, theta }, at) {
  const m = w.length;
  return { w: Float64Array.of(...w.map((weight) => (weight * (m + 1)) / m), 0), theta: Float64Array.of(...theta, at) };
}

/** Masses of one sign less than `width` apart count as one: a list of { mass, at }, with `at` in [0, 1). */
export function places({ w, theta }, width = 0.02) {
  const atoms = Array.from(w, (weight, i) => ({ mass: weight / w.length, at: turn(theta[i]) }));
  atoms.sort((p, q) => p.at - q.at);
  return [1, -1].flatMap((sign) => gathered(atoms.filter(({ mass }) => sign * mass > ALMOST_ZERO), width));
}

/** Atoms of one sign in their order around the circle, gathered into groups that are less than `width` wide. */
function gathered(atoms, width) {
  const groups = [];
  for (const { mass, at } of atoms) {
    const group = groups.at(-1);
    if (group && at - group.from < width) {
      group.mass += mass;
      group.moment += mass * at;
    } else groups.push({ from: at, mass, moment: mass * at });
  }
  if (groups.length > 1 && groups[0].from + 1 - groups.at(-1).from < width) {
    const last = groups.pop(); // it ends where the first begins, a turn further
    groups[0].mass += last.mass;
    groups[0].moment += last.moment - last.mass;
  }
  return groups.map(({ mass, moment }) => ({ mass, at: turn(moment / mass) }));
}

/**
 * Root mean square of dw^2 + (2 pi dtheta)^2 when particle i of m is matched with its block of M/m particles of `many`,
 * in the order of their starts (chapter 5): an upper bound of W_2 between the two clouds. M is a multiple of m.
 */
export function distance(few, many) {
  const block = many.w.length / few.w.length;
  const squares = many.w.map((weight, j) => {
    const i = Math.floor(j / block);
    return (few.w[i] - weight) ** 2 + (2 * Math.PI * (few.theta[i] - many.theta[j])) ** 2;
  });
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / many.w.length);
}
