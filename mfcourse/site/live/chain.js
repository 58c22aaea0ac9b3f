/**
 * SGD of one neuron in high dimension (chapter 13): (theta . x)^2 learns (v . x)^2 from fresh Gaussian samples in R^N,
 * with steps c / N. Of its N numbers two count, the overlaps u = [m, s], m = theta . v and s = |theta|^2 - m^2, and
 * they are a Markov chain, in which a step costs the same for every N. As N grows it follows u' = drift + c corrector.
 * Both are those of `beyond.overlaps` for SQUARE.
 */

import { normals, uniforms } from "./stage.js";

export const END = 6; // of the time t = c k / N after k steps
const FRAME = 0.02; // time of a frame
const FINER = 40; // steps of Runge and Kutta in a frame
const FAR = 1e4; // |theta|^2 beyond which a path is lost (neurons.FAR)
export const LEAVES = 1 / 6; // from this c on the teacher does not attract
export const FOLD = (Math.sqrt(10) - 1) / 12; // at this c the two radii without overlap meet, and are gone
/** The times of the frames. */
export const TIMES = Array.from({ length: Math.round(END / FRAME) + 1 }, (_, k) => k * FRAME);

/** A step of SGD of size c / N, for a sample with v . x = b, z along what is left of theta, and |x|^2 = rest beyond. */
export function chainStep([m, s], c, dimension, { b, z, rest }) {
  const r = Math.sqrt(s);
  const a = m * b + r * z;
  const g = (c / dimension) * (a ** 2 - b ** 2) * 2 * a;
  return [m - g * b, (r - g * z) ** 2 + g ** 2 * rest];
}

/** A source of samples for that step; |x|^2 beyond the plane of theta and v has N - 2 degrees of freedom. */
export function samples(dimension, seed) {
  const uniform = uniforms(seed);
  const normal = normals(uniform);
  const rest = chiSquared(dimension - 2, uniform, normal);
  return () => ({ b: normal(), z: normal(), rest: rest() });
}

/** A source of chi-squared numbers with at least 2 degrees of freedom (Marsaglia and Tsang, for Gamma(k / 2)). */
function chiSquared(degrees, uniform, normal) {
  const shape = degrees / 2 - 1 / 3;
  return () => {
    for (;;) {
      const x = normal();
      const v = (1 + x / Math.sqrt(9 * shape)) ** 3;
      if (v > 0 && Math.log(1 - uniform()) < x ** 2 / 2 + shape * (1 - v + Math.log(v))) return 2 * shape * v;
    }
  };
}

/** Starts on the sphere |theta| = 1, in independent random directions. */
export function randomStarts(number, dimension, seed) {
  const uniform = uniforms(seed);
  const normal = normals(uniform);
  const others = chiSquared(dimension - 1, uniform, normal);
  return Array.from({ length: number }, () => {
    const first = normal();
    const square = first ** 2 / (first ** 2 + others());
    return [Math.sign(first) * Math.sqrt(square), 1 - square];
  });
}

/** u' = drift + c corrector in closed form; c = 0 is gradient flow on the population risk. */
export function rate([m, s], c) {
  const rho = m ** 2 + s;
  const corrector = 15 * rho ** 3 - 6 * rho ** 2 - 24 * rho * m ** 2 + 3 * rho + 12 * m ** 2;
  return [6 * m * (1 - rho), 4 * (c * corrector - s * (3 * rho - 1))];
}

/** The solution of u' = rate(u, c) at TIMES; infinite from where it leaves for ever. */
export function follow(start, c) {
  const h = FRAME / FINER;
  const path = [start];
  while (path.length < TIMES.length) {
    let u = path.at(-1);
    for (let k = 0; k < FINER; k++) {
      const at = (slope, length) => rate([u[0] + length * slope[0], u[1] + length * slope[1]], c);
      const first = rate(u, c);
      const second = at(first, h / 2);
      const third = at(second, h / 2);
      const last = at(third, h);
      u = kept(u.map((part, i) => part + (h / 6) * (first[i] + 2 * second[i] + 2 * third[i] + last[i])));
    }
    path.push(u);
  }
  return path;
}

/** Overlaps, infinite if they are farther away than FAR; a path that is lost stays there. */
export const kept = (u) => (u[0] ** 2 + u[1] <= FAR ? u : [Infinity, Infinity]);

/** |theta|^2 of the two points with m = 0 where the limit stands still, the lower one first; NaN beyond FOLD. */
export function radii(c) {
  const root = Math.sqrt(9 - 24 * c - 144 * c ** 2);
  return [-root, root].map((part) => (6 * c + 3 + part) / (30 * c));
}

export const lost = (u) => u[1] === Infinity;
