/**
 * ReLU neurons in the plane learn a teacher, step by step (chapter 10): paths of |w| theta, the potential on the circle
 * of directions, the relative risk. Steps and risk are those of plane.js.
 */

import { axes } from "./axes.js";
import { dissipation, measure, potential, problem, sphereStart, step } from "./plane.js";
import { button, loop, menu, picture, short, slider, stage, uniforms } from "./stage.js";

const SIZE = 0.25; // of a step, for weights and positions
const MOST = 40000; // steps after which a run is given up
const FOUND = 1e-6; // relative risk that counts as found
const STILL = 1e-17; // relative dissipation below which nothing will happen any more (flows.STILL)
const PAIRS = 1e6; // pairs of neurons that a frame has time for
const CIRCLE = Float64Array.from({ length: 721 }, (_, k) => (k * Math.PI) / 360);
const DEGREES = CIRCLE.map((angle) => (angle * 180) / Math.PI);
const STARTS = {
  both: { signs: [-1, 1] }, // |w| = |theta| = .1: on the cones that the flow keeps
  one: { signs: [1], weight: 1 }, // |w| > |theta|: no weight can pass 0
};
const HELP =
  "Neurons start close to 0 and learn a teacher of four, the dotted rays that end in a disc (plus) or a square " +
  "(minus). Orange discs have positive weights, blue squares negative ones. Predict, then run: how few neurons are " +
  "enough? Which rays get neurons of their sign? And if nobody starts with a negative weight?";

/** A run before its first step. `draw` numbers the random starts; they depend on teacher, m and `signs` as well. */
export function begin(teacher, m, signs, draw) {
  const state = sphereStart(m, uniforms(10000 * draw + 1000 * teacher.seed + m), STARTS[signs]);
  const run = { problem: problem(teacher), state, number: 0, signs: state.w.map(Math.sign) };
  return { ...run, ...judge(run.problem, state, 0) };
}

/** The run after the steps of one frame: one at first, more as time goes on, as many as there is time for. */
export function advance(run) {
  const m = run.state.w.length;
  const most = Math.max(1, Math.floor(PAIRS / (m + run.problem.masses.length) ** 2));
  const steps = Math.min(most, Math.ceil((run.number + 1) / 80), MOST - run.number);
  let { state } = run;
  for (let k = 0; k < steps; k++) state = step(run.problem, state, SIZE, SIZE);
  const number = run.number + steps;
  return { ...run, state, number, ...judge(run.problem, state, number) };
}

/**
 * What can be said of a state: `relative`, its risk over R(0); `top`, the largest |eta| on a grid of the circle, `at`
 * which angle and of which `sign`; `half`, the number of steps in which half of the risk would go at this speed; and
 * `verdict`: "found", "stuck" (nothing moves any more), "slow" (given up, yet moving) or "moving".
 */
export function judge(problem, state, number) {
  const { rate, relative: pace, value } = dissipation(problem, state);
  const eta = potential(problem, state, CIRCLE);
  const best = eta.reduce((k, height, l) => (Math.abs(height) > Math.abs(eta[k]) ? l : k), 0);
  const relative = value / problem.nothing;
  const still = pace <= STILL;
  const verdict = relative < FOUND ? "found" : still ? "stuck" : number >= MOST ? "slow" : "moving";
  const worst = { top: Math.abs(eta[best]), at: CIRCLE[best], sign: Math.sign(eta[best]) };
  return { relative, ...worst, eta, half: value / (2 * rate * SIZE), verdict };
}

/** The verdict on a run in words. */
export function sentence({ number, relative, top, at, sign, half, verdict, state, signs }) {
  const lost = state.w.filter((w, i) => w * signs[i] < 0).length;
  const flips = `${lost || "no"} ${lost === 1 ? "weight" : "weights"} changed sign`;
  const facts = `relative risk ${short(relative)}, max |η| ${short(top)}`;
  const wanted = `A neuron with w ${sign < 0 ? ">" : "<"} 0 at ${degrees(at)}° would lower the risk.`;
  const pace = `at this speed half of the risk goes in ${short(half)} steps.`;
  const words = {
    found: "found: what is left of the risk is less than a millionth.",
    stuck: `stuck: nothing moves any more. ${wanted}`,
    slow: `given up: ${pace} Slow or stuck? The speed does not tell.`,
    moving: pace,
  };
  return number ? `Step ${number}: ${facts}, ${flips}; ${words[verdict]}` : `Nothing has moved yet: ${facts}.`;
}

function render({ model, el }) {
  const teachers = model.get("data");
  const scene = stage(el, "ReLU neurons in the plane", HELP);
  const chosen = { teacher: teachers.find(({ seed }) => seed === 4), m: 10, signs: "both", draw: 1 };
  let run, history, reach;

  const choose = (change) => {
    Object.assign(chosen, change);
    clock.pause();
    reset();
    clock.redraw();
  };
  const names = teachers.map((teacher) => [teacher.seed, name(teacher)]);
  const pick = (seed) => choose({ teacher: teachers.find((teacher) => teacher.seed === Number(seed)), draw: 1 });
  menu(scene.controls, "Teacher", names, chosen.teacher.seed, pick);
  slider(scene.controls, "Neurons m", { min: 1, max: 200, step: 1, value: chosen.m }, (m) => choose({ m }));
  const starts = [
    ["both", "both signs, |w| = 0.1"],
    ["one", "only w = +1"],
  ];
  menu(scene.controls, "Start", starts, chosen.signs, (signs) => choose({ signs }));
  button(scene.controls, "Another start", () => choose({ draw: chosen.draw + 1 }));
  const plane = picture(scene.pictures, "Neurons |w| θ, and the teacher's directions", 300);
  const circle = picture(scene.pictures, "Potential −η: where it is 0, nothing is missing", 300);
  const curve = picture(scene.pictures, "What is left of the risk", 300);

  function reset() {
    run = begin(chosen.teacher, chosen.m, chosen.signs, chosen.draw);
    history = [];
    reach = { plane: 0, circle: 0 };
    remember();
  }

  /** Keep a point of the paths and of the curve, if the last one is long enough ago: some 150 in a run. */
  function remember() {
    const last = history.at(-1);
    if (last && run.number < 1.06 * last.number) return;
    history.push({ number: run.number, relative: run.relative, places: places(run.state) });
  }

  function draw() {
    const now = places(run.state);
    drawPlane(now);
    drawCircle();
    drawCurve();
    scene.say(sentence(run));
    if (scene.root.dataset.state !== "running") describe();
  }

  function drawPlane(now) {
    const { masses, theta } = run.problem;
    reach.plane = Math.max(reach.plane, 5, 1.05 * largest(now));
    const range = [-reach.plane, reach.plane];
    const pen = axes(plane.canvas, { x: range, y: range, xlabel: "|w| θ₁", ylabel: "|w| θ₂", equal: true });
    const [xs, ys] = [[], []]; // the paths one after the other; a NaN lifts the pen
    for (let i = 0; i < now.length; i += 2) {
      for (const { places } of [...history, { places: now }]) {
        xs.push(places[i]);
        ys.push(places[i + 1]);
      }
      xs.push(NaN);
      ys.push(NaN);
    }
    pen.curve(xs, ys, "context", { thickness: 0.8 });
    masses.forEach((mass, j) => {
      const [right, up] = [0.92 * reach.plane * theta[2 * j], 0.92 * reach.plane * theta[2 * j + 1]];
      pen.curve([0, right], [0, up], "truth", { dash: [2, 3] });
      pen.mark(right, up, mass, 6, "truth");
    });
    run.state.w.forEach((weight, i) => pen.mark(now[2 * i], now[2 * i + 1], weight));
  }

  function drawCircle() {
    reach.circle = Math.max(reach.circle, 1.1 * run.top);
    const y = [-reach.circle, reach.circle];
    const labels = { xlabel: "direction of θ in degrees", ylabel: "potential −η" };
    const pen = axes(circle.canvas, { x: [0, 360], y, ...labels });
    pen.curve([0, 360], [0, 0], "context");
    pen.curve(DEGREES, run.eta.map((eta) => -eta), "certificate");
    const { masses, angles } = measure(run.state);
    const heights = potential(run.problem, run.state, angles);
    masses.forEach((mass, i) => pen.mark((angles[i] * 180) / Math.PI, -heights[i], mass, 3));
  }

  function drawCurve() {
    const past = [...history, run];
    const x = [1, Math.max(100, run.number + 1)];
    const labels = { xlabel: "step + 1", ylabel: "relative risk" };
    const y = [Math.min(FOUND, run.relative) / 2, 2];
    const pen = axes(curve.canvas, { x, y, ...labels, logarithmic: true, xlogarithmic: true });
    pen.curve(x, [FOUND, FOUND], "context", { dash: [2, 3] });
    pen.curve(past.map(({ number }) => number + 1), past.map(({ relative }) => relative), "certificate");
  }

  function describe() {
    const { masses, angles } = measure(run.state);
    const teacher = measure({ w: run.problem.masses, theta: run.problem.theta });
    const signs = [...teacher.masses].map((mass) => (mass > 0 ? "plus" : "minus"));
    const rays = signs.map((sign, j) => `${sign} at ${degrees(teacher.angles[j])}°`).join(", ");
    const led = [...teacher.angles].filter((angle, j) =>
      angles.some((own, i) => masses[i] * teacher.masses[j] > 0 && Math.cos(own - angle) > Math.cos(Math.PI / 18)),
    );
    const positive = run.state.w.filter((w) => w > 0).length;
    const cloud = `${positive} neurons with positive and ${masses.length - positive} with negative weight`;
    plane.describe(`${cloud}; the teacher: ${rays}; near ${led.length} of these there is a neuron of their sign.`);
    circle.describe(`The largest |η| is ${short(run.top)}, at ${degrees(run.at)}°.`);
    curve.describe(`From ${short(history[0].relative)} to ${short(run.relative)} in ${run.number} steps.`);
  }

  const clock = loop(scene, {
    advance() {
      if (run.verdict !== "moving") return false;
      run = advance(run);
      remember();
      return run.verdict === "moving";
    },
    draw,
    reset,
  });
  reset();
  draw();
  return clock.close;
}

/** A teacher in the menu: its seed, and the signs of its neurons. */
function name({ seed, weights }) {
  const signs = weights.map((mass) => (mass > 0 ? "+" : "−"));
  return `${seed}: ${signs.join(" ")}${new Set(signs).size === 1 ? " (one sign)" : ""}`;
}

/** |w_i| theta_i of every neuron, shape (2 m). */
const places = ({ w, theta }) => theta.map((part, c) => Math.abs(w[c >> 1]) * part);
const largest = (parts) => parts.reduce((most, part) => Math.max(most, Math.abs(part)), 0);
const degrees = (angle) => Math.round((angle * 180) / Math.PI);

export default { render };
