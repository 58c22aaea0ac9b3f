/**
 * Forgetting on request (chapter 15), for the mean of samples in R^d. Noisy descent has learnt from all of them, and
 * goes on without those that are forgotten; one number mu certifies how well (Theorem U). Public samples, which nobody
 * asks to forget, share the weight omega: that lowers mu (U4), and costs what they are off by (U5). All is in closed
 * form, as in `beyond.unlearning`. A case is an instance of the library with { unlearn, others, shift, weight }, which
 * are K, the number of public samples, b and omega.
 */

import { axes } from "./axes.js";
import { button, loop, picture, short, slider, stage } from "./stage.js";

const MOST = 120; // unlearning steps
const LINE = Float64Array.from({ length: 481 }, (_, k) => -4 + k / 40);
const WEIGHTS = Float64Array.from({ length: 201 }, (_, k) => k / 200);
const NUMBERS = Float64Array.from({ length: 101 }, (_, k) => 10 ** (1 + k / 25)); // of public samples
const HELP =
  "Ten of a thousand private samples are to be forgotten: noisy descent goes on without them, and with public " +
  "samples that have the weight ω together. Predict, then run: how many steps K until it looks as if trained anew? " +
  "What makes it private, the number of public samples or their weight? And which weight is best if they are off by b?";

/** The normal distribution function: a series in the middle, a continued fraction in the tails. */
export function ndtr(x) {
  const [far, density] = [Math.abs(x), Math.exp(-(x ** 2) / 2) / Math.sqrt(2 * Math.PI)];
  if (far > 5) {
    let tail = far;
    for (let k = 40; k > 0; k--) tail = far + k / tail;
    return x > 0 ? 1 - density / tail : density / tail;
  }
  let [term, sum] = [x, x];
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
    term *= x ** 2 / k;
    sum += term;
  }
  return 0.5 + density * sum;
}

/** The most by which the gradients with and without the forgotten samples differ. */
export const gradientGap = ({ diameter, forgotten, samples }, weight) =>
  ((1 - weight) * diameter * forgotten) / samples;

/** mu of Theorem U after long learning: the mean square has the Hessian 1, so a step contracts by 1 - step. */
export function certificate({ step, temperature, ...instance }, weight, unlearn) {
  const c = 1 - step;
  return c ** unlearn * gradientGap(instance, weight) * Math.sqrt((1 - c ** 2) / (2 * step * temperature));
}

/** No attack has a larger area under its curve. */
export const attackBound = (mu) => ndtr(mu / Math.SQRT2);

/** The least delta with which mu allows for this epsilon. */
export const delta = (mu, epsilon) =>
  mu ? ndtr(mu / 2 - epsilon / mu) - Math.exp(epsilon) * ndtr(-mu / 2 - epsilon / mu) : 0;

/** The least epsilon >= 0 for this delta, by halving. */
export function epsilon(mu, wanted) {
  let [low, high] = [0, mu * (mu / 2 + 10)];
  if (delta(mu, 0) <= wanted) return 0;
  for (let k = 0; k < 60; k++) {
    const middle = (low + high) / 2;
    if (delta(mu, middle) > wanted) low = middle;
    else high = middle;
  }
  return high;
}

/** A and B: what trusting public and private samples costs, with the noise that the certificate `demand` asks for. */
export function costs({ dimension, variance, samples, step, demand, unlearn, others, shift, ...instance }) {
  const noise = ((1 - step) ** unlearn * gradientGap({ samples, ...instance }, 0)) / demand;
  return {
    a: shift ** 2 / 2 + (dimension * variance) / (2 * others),
    b: (dimension * (variance / samples + noise ** 2)) / 2,
  };
}

/** The excess risk to be expected at a weight; it is least, A B / (A + B), at `bestWeight`. */
export const excess = ({ a, b }, weight) => weight ** 2 * a + (1 - weight) ** 2 * b;
export const bestWeight = ({ a, b }) => b / (a + b);

/** The weight of public samples that count as much as private ones do. */
export const equalWeight = ({ others, samples }) => others / (others + samples);

/** What can be said of a case, in words. */
export function sentence(now) {
  const { unlearn, weight, epsilon: promised, delta: share } = now;
  const mu = certificate(now, weight, unlearn);
  const price = costs(now);
  const facts = `K = ${unlearn}, ω = ${weight.toFixed(2)}: μ = ${short(mu)}`;
  const bound = `no attack has an AUC above ${attackBound(mu).toFixed(3)}`;
  const pair = `ε = ${short(epsilon(mu, share))} at δ = ${share}`;
  const cost = `With noise enough for ε = ${promised} the excess risk is ${short(excess(price, weight))}`;
  const best = bestWeight(price);
  const least = `ω = ${best.toFixed(2)} would be best, ${short(excess(price, best))}`;
  return `${facts}; ${bound}, and ${pair}. ${cost}; ${least}.`;
}

function render({ model, el }) {
  const [instance] = model.get("data");
  const scene = stage(el, "Forget me", HELP);
  const start = { unlearn: 0, others: 1000, shift: 0.3, weight: 0 };
  let now = { ...instance, ...start };

  const choose = (change) => {
    now = { ...now, ...change };
    bySteps.set(now.unlearn);
    byWeight.set(now.weight);
    clock.redraw();
  };
  const still = (change) => {
    clock.pause();
    choose(change);
  };
  const steps = { min: 0, max: MOST, step: 1, value: now.unlearn };
  const bySteps = slider(scene.controls, "Unlearning steps K", steps, (unlearn) => still({ unlearn }));
  const power = { min: 1, max: 5, step: 0.1, value: Math.log10(now.others), show: (log10) => String(many(log10)) };
  slider(scene.controls, "Public samples", power, (log10) => still({ others: many(log10) }));
  const off = { min: 0, max: 1, step: 0.05, value: now.shift, show: (shift) => shift.toFixed(2) };
  slider(scene.controls, "They are off by b", off, (shift) => still({ shift }));
  const share = { min: 0, max: 0.99, step: 0.01, value: now.weight, show: (weight) => weight.toFixed(2) };
  const byWeight = slider(scene.controls, "Their weight ω", share, (weight) => still({ weight }));
  button(scene.controls, "Equal weights", () => still({ weight: equalWeight(now) }));
  button(scene.controls, "Best weight", () => still({ weight: bestWeight(costs(now)) }));
  const laws = picture(scene.pictures, "At worst they differ so: unlearned (solid), trained anew (dotted)", 220);
  laws.canvas.parentElement.style.gridColumn = "1 / -1";
  const divergence = picture(scene.pictures, "Public samples, all weights equal");
  const price = picture(scene.pictures, "Price: your weight (disc), equal ones (square), best (ring)");

  function draw() {
    drawLaws();
    drawDivergence();
    drawPrice();
    scene.say(sentence(now));
  }

  function drawLaws() {
    const mu = certificate(now, now.weight, now.unlearn);
    const labels = { xlabel: "what the best attack looks at", ylabel: "density" };
    const pen = axes(laws.canvas, { x: [-4, 8], y: [0, 0.5], ...labels });
    const bell = (mean) => LINE.map((x) => Math.exp(-((x - mean) ** 2) / 2) / Math.sqrt(2 * Math.PI));
    pen.area(LINE, bell(mu), "positive");
    pen.curve(LINE, bell(mu), "positive", { thickness: 2.5 });
    pen.curve(LINE, bell(0), "truth", { thickness: 2, dash: [2, 3] });
    pen.curve([0, mu], [0.43, 0.43], "certificate", { thickness: 2 });
    pen.words(mu, 0.43, `μ = ${short(mu)}`, "certificate");
    laws.describe(`Two bells of width 1, their tops ${short(mu)} apart.`);
  }

  function drawDivergence() {
    const labels = { xlabel: "public samples", ylabel: "μ²", logarithmic: true, xlogarithmic: true };
    const pen = axes(divergence.canvas, { x: [10, 1e5], y: [1e-8, 1e2], ...labels });
    const square = (others) => certificate(now, equalWeight({ ...now, others }), now.unlearn) ** 2;
    const [{ samples, others }, far] = [now, square(1e5)];
    pen.curve([10, 1e5], [far * 1e8, far], "truth", { dash: [2, 3] });
    pen.curve([samples, samples], [1e-8, 1e2], "context", { dash: [6, 4], thickness: 1 });
    pen.curve(NUMBERS, NUMBERS.map(square), "certificate", { thickness: 2 });
    pen.mark(others, square(others), 1, 6);
    const exponent = short(-2 * equalWeight(now));
    pen.words(10, 1e-7, `slope at the disc: ${exponent}`);
    divergence.describe(`It is ${short(square(others))} for ${others}, and falls with the slope ${exponent} there.`);
  }

  function drawPrice() {
    const both = costs(now);
    const labels = { xlabel: "weight ω of the public samples", ylabel: "excess risk", logarithmic: true };
    const pen = axes(price.canvas, { x: [0, 1], y: [3e-5, 2], ...labels });
    const [best, equal] = [bestWeight(both), equalWeight(now)];
    pen.curve([0, 1], [excess(both, best), excess(both, best)], "truth", { dash: [2, 3] });
    pen.curve(WEIGHTS, WEIGHTS.map((weight) => excess(both, weight)), "ink", { thickness: 2 });
    pen.mark(best, excess(both, best), 0, 14, "truth");
    pen.mark(equal, excess(both, equal), -1, 5);
    pen.mark(now.weight, excess(both, now.weight), 1, 5);
    pen.words(0, 1.6 * both.b, "B");
    pen.words(1, 1.6 * both.a, "A", "ink", "left");
    const ends = `from B = ${short(both.b)} at 0 to A = ${short(both.a)} at 1`;
    price.describe(`A valley ${ends}; its least, ${short(excess(both, best))}, is at ${best.toFixed(2)}.`);
  }

  const clock = loop(scene, {
    advance() {
      choose({ unlearn: now.unlearn < MOST ? now.unlearn + 1 : 0 });
      return now.unlearn < MOST;
    },
    draw,
    reset: () => choose(start),
  });
  draw();
  return clock.close;
}

const many = (log10) => Math.round(10 ** log10);

export default { render };
