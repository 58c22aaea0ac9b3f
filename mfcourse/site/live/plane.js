/**
 * ReLU neurons in the plane and their exact population risk: `risks.PopulationRisk`, `flows.gradient`, c = 0.
 *
 * A student f = (1/m) sum_i w_i relu(theta_i . x) learns a teacher f* = sum_j a_j relu(theta_j . x), x ~ N(0, I_2), by
 * going down R = (1/2) E (f - f*)^2. With t the angle of theta and theta' (Cho and Saul 2009),
 * E relu(theta . x) relu(theta' . x) = |theta||theta'| (sin t + (pi - t) cos t) / (2 pi), so R is a sum over pairs.
 * Shapes: weights w (m), positions theta (2 m): x and y of a neuron beside each other. A state is { w, theta }.
 */

const TURN = 2 * Math.PI;

/** The problem of a teacher, masses (m0) and directions (m0, 2) as lists; `nothing` is R(0) = E f*^2 / 2. */
export function problem({ weights, positions }) {
  const teacher = { masses: Float64Array.from(weights), theta: Float64Array.from(positions.flat()) };
  return { ...teacher, nothing: risk(teacher, { w: [], theta: [] }).value };
}

/** R, its potential eta (m) at the neurons and the slope of eta (2 m) there; each pair of neurons is looked at once. */
export function risk(problem, { w, theta }) {
  const all = difference(problem, w, theta);
  const { x, y, length, angle, masses } = all;
  const number = masses.length;
  const slope = new Float64Array(2 * number); // E phi'(theta_k) (f - f*), times 2 pi
  for (let k = 0; k < number; k++) {
    add(slope, k, masses[k] * length[k] * Math.PI, x[k], y[k]); // each neuron with itself: t = 0
    for (let l = 0; l < k; l++) {
      const sine = Math.abs(x[k] * y[l] - y[k] * x[l]);
      const rest = opposite(angle[k] - angle[l]);
      const [pull, back] = [masses[l] * length[l], masses[k] * length[k]];
      add(slope, k, pull, sine * x[k] + rest * x[l], sine * y[k] + rest * y[l]);
      add(slope, l, back, sine * x[l] + rest * x[k], sine * y[l] + rest * y[k]);
    }
  }
  let value = 0;
  const potential = new Float64Array(number);
  for (let k = 0; k < number; k++) {
    for (const c of [2 * k, 2 * k + 1]) slope[c] = length[k] > 0 ? slope[c] / TURN : 0;
    potential[k] = length[k] * (x[k] * slope[2 * k] + y[k] * slope[2 * k + 1]); // Euler: eta = theta . grad eta
    value += (masses[k] * potential[k]) / 2;
  }
  // Near the teacher the difference of large terms is all rounding, which may be negative: the risk is not.
  return { value: Math.max(value, 0), potential: potential.slice(0, w.length), slope: slope.slice(0, 2 * w.length) };
}

/** eta in the directions of these angles (q) in [0, 2 pi]: by homogeneity the unit circle says it all. */
export function potential(problem, { w, theta }, angles) {
  const { x, y, length, angle, masses } = difference(problem, w, theta);
  return Float64Array.from(angles, (direction) => {
    const [right, up] = [Math.cos(direction), Math.sin(direction)];
    let total = 0;
    for (let l = 0; l < masses.length; l++) {
      const cosine = right * x[l] + up * y[l];
      const sine = Math.abs(right * y[l] - up * x[l]);
      total += masses[l] * length[l] * (sine + opposite(direction - angle[l]) * cosine);
    }
    return total / TURN;
  });
}

/** The velocity of Prop. 2.3: w' = -eta (m), theta' = -w grad eta (2 m), and R where it was taken. */
export function velocity(problem, { w, theta }) {
  const { value, potential, slope } = risk(problem, { w, theta });
  return { value, w: potential.map((eta) => -eta), theta: slope.map((part, c) => -w[c >> 1] * part) };
}

/** One step of gradient descent: a for the weights, b for the positions. A new state. */
export function step(problem, state, a, b) {
  const speed = velocity(problem, state);
  return {
    w: speed.w.map((part, i) => state.w[i] + a * part),
    theta: speed.theta.map((part, c) => state.theta[c] + b * part),
  };
}

/**
 * (1/m) sum_i |u_i'|^2, the `rate` at which R falls along the flow (Prop. 2.3); the same in units of R and of the
 * particles' own size, `relative` (`flows.until_settled`); and R, the `value`.
 */
export function dissipation(problem, state) {
  const speed = velocity(problem, state);
  const square = (parts) => parts.reduce((total, part) => total + part * part, 0) / state.w.length;
  const [w, theta] = [square(speed.w), square(speed.theta)];
  const relative = (square(state.w) * w + square(state.theta) * theta) / (speed.value || 1) ** 2;
  return { rate: w + theta, relative, value: speed.value };
}

/** |w| = `weight`, |theta| = `radius`, directions at random; `signs` are those to draw from (`starts.sphere_start`). */
export function sphereStart(m, uniform, { radius = 0.1, weight = 0.1, signs = [-1, 1] } = {}) {
  const theta = new Float64Array(2 * m);
  for (let i = 0; i < m; i++) {
    const angle = TURN * uniform();
    theta.set([radius * Math.cos(angle), radius * Math.sin(angle)], 2 * i);
  }
  return { w: Float64Array.from({ length: m }, () => weight * signs[Math.floor(signs.length * uniform())]), theta };
}

/** f(x) of a state at x = (cos, sin) of these angles (q). */
export function network({ w, theta }, angles) {
  return Float64Array.from(angles, (angle) => {
    const [x, y] = [Math.cos(angle), Math.sin(angle)];
    let sum = 0;
    for (let i = 0; i < w.length; i++) sum += w[i] * Math.max(theta[2 * i] * x + theta[2 * i + 1] * y, 0);
    return sum / w.length;
  });
}

/** The measure of a state on the circle of directions: masses w_i |theta_i| / m (m) at angles in [0, 2 pi) (m). */
export function measure({ w, theta }) {
  const { length, angle } = polar(theta);
  return { masses: Float64Array.from(w, (weight, i) => (weight * length[i]) / w.length), angles: angle };
}

/** What the particles cost on average, V = (w^2 + |theta|^2) / 2: never less than |w||theta|. */
export function price({ w, theta }) {
  const { length } = polar(theta);
  return w.reduce((sum, weight, i) => sum + (weight ** 2 + length[i] ** 2) / 2, 0) / w.length;
}

/** mu - teacher, as directions (x, y), lengths, angles and masses (m + m0). */
function difference(problem, w, theta) {
  const masses = new Float64Array(w.length + problem.masses.length);
  for (let i = 0; i < w.length; i++) masses[i] = w[i] / w.length;
  problem.masses.forEach((mass, j) => (masses[w.length + j] = -mass));
  const positions = new Float64Array(2 * masses.length);
  positions.set(theta);
  positions.set(problem.theta, theta.length);
  return { masses, ...polar(positions) };
}

/** Unit vectors x and y, lengths and angles in [0, 2 pi) of positions (2 m); a zero vector has the direction 0. */
function polar(positions) {
  const number = positions.length / 2;
  const [x, y, length, angle] = [0, 1, 2, 3].map(() => new Float64Array(number));
  for (let k = 0; k < number; k++) {
    const [right, up] = [positions[2 * k], positions[2 * k + 1]];
    length[k] = Math.hypot(right, up);
    if (length[k] > 0) [x[k], y[k]] = [right / length[k], up / length[k]];
    angle[k] = (Math.atan2(up, right) + TURN) % TURN;
  }
  return { x, y, length, angle };
}

/** pi - t in [0, pi], where t is the angle between two directions whose angles in [0, 2 pi] differ by `turn`. */
function opposite(turn) {
  return Math.abs(Math.PI - Math.abs(turn));
}

function add(sums, k, factor, right, up) {
  sums[2 * k] += factor * right;
  sums[2 * k + 1] += factor * up;
}
