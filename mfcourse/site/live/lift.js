/**
 * The lift, to take in hand. (a) A ReLU neuron (w, theta) moves along its fibre (w / r, r theta): its measure and its
 * prediction stay, its price changes (chapter 3). (b) Two measures, mixed and moved (chapter 5): J is convex along the
 * mixture, not along the displacement. Its measures are { weights (k), positions (k) }, with masses as weights.
 */

import { axes } from "./axes.js";
import { objective } from "./circle.js";
import { measure, network, price } from "./plane.js";
import { drag, element, loop, picture, slider, stage } from "./stage.js";

const NEURON = { w: Float64Array.of(3), theta: Float64Array.of(0.5, 0.5) };
const STRETCHES = Float64Array.from({ length: 401 }, (_, k) => -1 + k / 100); // log2 r
const DEGREES = Float64Array.from({ length: 361 }, (_, k) => k);
const CIRCLE = DEGREES.map((degrees) => (degrees * Math.PI) / 180);
const FRAMES = 200; // from t = 0 to t = 1
const TIMES = Float64Array.from({ length: FRAMES + 1 }, (_, k) => k / FRAMES);
const SLIVER = 1e-12; // mass that is nothing but rounding
const HELP =
  "A neuron may be divided by r in its weight w and multiplied by r in its position θ: these are the points of its " +
  "fibre. Predict: do its measure and its prediction change? Where is its price least, and why there? Then move it " +
  "with the slider, or drag the disc.";
const WAYS =
  "Two measures of equal mass (grey), and two ways from one to the other. Predict, then run: J is convex along the " +
  "mixture. Is it along the displacement?";

/** The point (w / r, r theta) of the fibre of particles, r = 2^log2. */
export function stretched({ w, theta }, log2) {
  const r = 2 ** log2;
  return { w: w.map((weight) => weight / r), theta: theta.map((part) => r * part) };
}

/** log2 of the stretch r whose point (w, |theta|) of the fibre is nearest to a weight and a length. */
export function nearest(weight, length) {
  const distances = STRETCHES.map((log2) => {
    const [w, far] = place(stretched(NEURON, log2));
    return Math.hypot(w - weight, far - length);
  });
  return STRETCHES[distances.indexOf(Math.min(...distances))];
}

/** (1 - t) mu + t nu: mass fades out here and in there, nothing moves. */
export function mixture(mu, nu, t) {
  const weights = [...mu.weights.map((mass) => (1 - t) * mass), ...nu.weights.map((mass) => t * mass)];
  return { weights, positions: [...mu.positions, ...nu.positions] };
}

/** The W_2 geodesic on the line from mu to nu, non-negative and of equal mass: quantiles move at constant speed. */
export function displacement(mu, nu, t) {
  const [from, to] = [mu, nu].map(({ weights, positions }) => {
    const atoms = weights.map((mass, k) => ({ mass, at: positions[k] }));
    return atoms.sort((p, q) => p.at - q.at);
  });
  const moved = { weights: [], positions: [] };
  while (from.length && to.length) {
    const mass = Math.min(from[0].mass, to[0].mass);
    moved.weights.push(mass);
    moved.positions.push((1 - t) * from[0].at + t * to[0].at);
    for (const side of [from, to]) {
      side[0].mass -= mass;
      if (side[0].mass < SLIVER) side.shift();
    }
  }
  return moved;
}

/** Particles w (k), theta (k) that stand for a measure. */
export function particles({ weights, positions }) {
  return { w: weights.map((mass) => mass * weights.length), theta: positions };
}

/** What there is to say of the neuron, and of the two ways: J mixed, moved and on the chord. */
export function sentences(state, t, [mixed, moved, chord], crossed) {
  const [w, length] = place(state);
  const mass = measure(state).masses[0];
  const cost = `price ${price(state).toFixed(2)} (the least, ${mass.toFixed(2)}, is where w = |θ|)`;
  const heights = `J = ${mixed.toFixed(2)} mixed, ${moved.toFixed(2)} moved, ${chord.toFixed(2)} on the chord`;
  const word = crossed ? ". The displacement went above its chord: J is not convex along it" : "";
  return [
    `The neuron: w = ${w.toFixed(2)}, |θ| = ${length.toFixed(2)}, mass ${mass.toFixed(2)}, ${cost}.`,
    `The ways, at t = ${t.toFixed(2)}: ${heights}${word}.`,
  ];
}

function render({ model, el }) {
  const [instance] = model.get("data");
  const { mu, nu } = instance;
  const value = (way, t) => objective(instance, particles(way(mu, nu, t)));
  const [mixtures, displacements] = [mixture, displacement].map((way) => TIMES.map((t) => value(way, t)));
  const scene = stage(el, "The particle lift", HELP);
  let log2 = 0;
  let t = 0;
  let reached = 0; // the largest t so far: J is drawn up to it
  let pen; // of the picture that can be dragged in

  const stretch = { min: -1, max: 3, step: 0.01, value: 0, show: (log2) => (2 ** log2).toFixed(2) };
  const bySlider = slider(scene.controls, "Stretch r", stretch, (value) => slide(value));
  const fibre = picture(scene.pictures, "A neuron on its fibre");
  const prices = picture(scene.pictures, "Its price V = (w² + |θ|²) / 2");
  const same = picture(scene.pictures, "Its measure and its prediction");
  const group = { class: "mf-controls", role: "group", "aria-label": "Two ways: controls" };
  const below = element("div", { ...group, style: "grid-column: 1 / -1" });
  below.append(element("p", { class: "mf-help", style: "flex-basis: 100%; margin: 0" }, WAYS));
  scene.pictures.append(below, scene.verdict); // its words belong to both halves
  const share = { min: 0, max: 1, step: 1 / FRAMES, value: 0, show: (t) => t.toFixed(2) };
  const byTime = slider(below, "Share of the way t", share, (value) => {
    clock.pause();
    go(value);
    clock.redraw();
  });

  const slide = (value) => {
    log2 = value;
    bySlider.set(value);
    clock.redraw();
  };
  const go = (value) => {
    t = value;
    reached = Math.max(reached, t);
    byTime.set(value);
  };
  const clock = loop(
    { root: scene.root, controls: below },
    {
      advance() {
        go(t < 1 ? (Math.round(t * FRAMES) + 1) / FRAMES : 0);
        return t < 1;
      },
      draw,
      reset() {
        reached = 0;
        go(0);
        slide(0);
      },
    },
  );
  const stems = ["Mixture: mass fades", "Displacement: mass moves"].map((words) => picture(scene.pictures, words, 200));
  const values = picture(scene.pictures, "J: mixture dashed, displacement solid", 200);

  drag(fibre.canvas, (event) => slide(nearest(...pen.at(event))));

  function draw() {
    const state = stretched(NEURON, log2);
    const [w, length] = place(state);
    drawFibre(w, length);
    drawPrices(price(state));
    drawSame(state);
    [mixture, displacement].forEach((way, k) => drawStems(stems[k], way(mu, nu, t)));
    const words = sentences(state, t, drawValues(), crossed());
    scene.say(scene.root.dataset.state === "running" ? words[1] : words.join(" "));
  }

  function drawFibre(w, length) {
    const points = [...STRETCHES].map((log2) => place(stretched(NEURON, log2)));
    pen = axes(fibre.canvas, { x: [0, 6.4], y: [0, 6.4], xlabel: "weight w", ylabel: "length |θ|" });
    pen.curve([0, 6.4], [0, 6.4], "context", { dash: [2, 3] });
    pen.words(4.2, 3.9, "w = |θ|");
    pen.curve(points.map(([w]) => w), points.map(([, length]) => length), "context");
    pen.mark(w, length, 1, 7);
    fibre.describe(`A disc at w = ${w.toFixed(2)}, |θ| = ${length.toFixed(2)}, on the hyperbola w|θ| = constant.`);
  }

  function drawPrices(cost) {
    const least = Math.log2(NEURON.w[0] / Math.hypot(...NEURON.theta)) / 2;
    const lowest = price(stretched(NEURON, least));
    const heights = STRETCHES.map((log2) => price(stretched(NEURON, log2)));
    const pen = axes(prices.canvas, { x: [-1, 3], y: [0, 20], xlabel: "log₂ of the stretch r", ylabel: "price V" });
    pen.curve(STRETCHES, heights, "ink");
    pen.curve([least, least], [0, lowest], "truth", { dash: [2, 3] });
    pen.words(0.45, 6.5, "least: w = |θ|");
    pen.mark(log2, cost, 1, 7);
    prices.describe(`A valley with its least, ${lowest.toFixed(2)}, where w = |θ|; the disc is at ${cost.toFixed(2)}.`);
  }

  function drawSame(state) {
    const { masses, angles } = measure(state);
    const at = (angles[0] * 180) / Math.PI;
    const labels = { xlabel: "direction of θ, or of x, in degrees", ylabel: "mass, or prediction" };
    const pen = axes(same.canvas, { x: [0, 360], y: [0, 2.6], ...labels });
    pen.curve(DEGREES, network(state, CIRCLE), "ink");
    pen.curve([at, at], [0, masses[0]], "positive", { thickness: 2.5 });
    pen.mark(at, masses[0], masses[0], 5);
    pen.words(at, masses[0], "mass w|θ|");
    pen.words(at + 60, masses[0] / 2, "prediction");
    const stem = `Mass ${masses[0].toFixed(2)} at ${at.toFixed(0)}°`;
    same.describe(`${stem}; the prediction is a bump of this height around the same direction.`);
  }

  function drawStems({ canvas, describe }, { weights, positions }) {
    const pen = axes(canvas, { x: [0, 1], y: [0, 0.7], xlabel: "position θ", ylabel: "mass a" });
    for (const end of [mu, nu])
      end.positions.forEach((at, k) => pen.curve([at, at], [0, end.weights[k]], "context", { dash: [2, 3] }));
    weights.forEach((mass, k) => {
      if (mass === 0) return;
      pen.curve([positions[k], positions[k]], [0, mass], "positive", { thickness: 2.5 });
      pen.mark(positions[k], mass, mass, 5);
    });
    describe(weights.map((mass, k) => `Mass ${mass.toFixed(2)} at ${positions[k].toFixed(2)}`).join(", "));
  }

  /** Whether J has been above the chord of the displacement up to the largest t so far. */
  function crossed() {
    const above = displacements.map((moved, k) => moved - mixtures[0] - TIMES[k] * (mixtures[FRAMES] - mixtures[0]));
    return above.some((height, k) => height > 0.01 && TIMES[k] <= reached);
  }

  /** J at t along the mixture, the displacement and their chord. */
  function drawValues() {
    const [mixed, moved] = [value(mixture, t), value(displacement, t)];
    const [start, end] = [mixtures[0], mixtures[FRAMES]];
    const chord = (1 - t) * start + t * end;
    const pen = axes(values.canvas, { x: [0, 1], y: [4.2, 7.3], xlabel: "share of the way t", ylabel: "J" });
    pen.curve([0, 1], [start, end], "truth", { dash: [2, 3] });
    const seen = TIMES.filter((time) => time <= reached);
    pen.curve(seen, mixtures, "context", { dash: [7, 4] });
    pen.curve(seen, displacements, "ink");
    pen.mark(t, mixed, 1, 5, "context");
    pen.mark(t, moved, 1, 5, "ink");
    pen.words(0.5, 6.95, "dotted: the chord");
    values.describe(`Mixed ${mixed.toFixed(2)}, moved ${moved.toFixed(2)}, on the chord ${chord.toFixed(2)}.`);
    return [mixed, moved, chord];
  }

  draw();
  return clock.close;
}

/** Where a particle is in the plane of its fibre: (w, |theta|). */
const place = ({ w, theta }) => [w[0], Math.hypot(...theta)];

export default { render };
