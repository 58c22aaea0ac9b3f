/**
 * Particles look for spikes on the circle (chapter 9): how many are enough, and from which start? A certificate follows
 * the run, and a particle may be added where it says that mass would help. The numbers come from circle.js.
 */

import { axes } from "./axes.js";
import { certificate, dissipation, gridStart, largest, names, places, pull, pullAt, push } from "./circle.js";
import { randomStart, residual, spikes, step, stepSizes, turn, withParticle } from "./circle.js";
import { button, loop, menu, picture, short, slider, stage } from "./stage.js";

const TOLERANCE = 1e-8; // relative gap below which a measure is called optimal (certificates.TOLERANCE)
const STILL = 1e-17; // relative dissipation below which nothing will happen any more (flows.STILL)
const CLOSE = 1e-6; // relative gap below which a slow run is on its last steps, and not stuck
const PATIENCE = 20000; // steps after which a run is given up
const COLUMNS = "repeat(auto-fit, minmax(max(min(100%, 19rem), 34%), 1fr))"; // of pictures: two, or one on a phone
const METRIC = "conic"; // heavy particles do not slow the others down
const CIRCLE = Float64Array.from({ length: 401 }, (_, k) => k / 400);
const STARTS = {
  grid: { words: "grid", make: (m) => gridStart(m) },
  random: { words: "random positions", make: randomStart },
  arc: { words: "arc of length 0.2", make: (m) => gridStart(m, 0.2) },
};
const HELP =
  "Particles of weight 0 look for the spikes of a measure, the dotted stems; all they see is a blurred noisy signal. " +
  "Predict, then run: how few particles find all spikes? Do a hundred find them from an arc? And if a run is stuck, " +
  "where would one more particle help?";

/** A run before its first step. */
export function begin(problem, start) {
  return judged({ problem, state: start, number: 0, history: [], added: null });
}

/** The run after that many steps. */
export function advance(run, steps) {
  const { a, b } = stepSizes(run.problem, METRIC);
  let { state } = run;
  for (let k = 0; k < steps; k++) state = step(run.problem, state, a, b, METRIC);
  return judged({ ...run, state, number: run.number + steps, added: null });
}

/** The run with one more particle of weight 0, in the middle of its way. */
export function add(run, at) {
  const eta = pullAt(residual(run.problem, run.state), at).value;
  return judged({ ...run, state: withParticle(run.state, at), added: { at, eta } });
}

/**
 * A run with its certificate and a verdict: "optimal" (the gap is closed), "stuck" (nothing moves, but mass would
 * help), "slow" (given up, yet moving) or "moving". Its history keeps ever rarer records, some 250 in all.
 */
function judged(run) {
  const found = certificate(run.problem, run.state);
  const still = found.gap > CLOSE && dissipation(run.problem, run.state) <= STILL;
  const late = run.number > 0 && run.number % PATIENCE === 0;
  const verdict = found.gap <= TOLERANCE ? "optimal" : still ? "stuck" : late ? "slow" : "moving";
  const { w, theta } = run.state;
  const now = { number: run.number, ...found, masses: w.map((weight) => weight / w.length), theta };
  const early = run.number < 1.03 * run.history.at(-1)?.number;
  return { ...run, now, verdict, history: early ? run.history : [...run.history, now] };
}

/** The verdict on a run in words. */
export function sentence({ number, now, verdict, state, added }) {
  const facts = `Step ${number}, m = ${state.w.length}: J = ${now.objective.toPrecision(6)}, gap ${short(now.gap)}.`;
  const exceeds = `|η| exceeds its bound by ${short(now.top - 1)} at ${hundredths(now.at)}`;
  const words = {
    optimal: `Optimal: no measure is better by more than this share of J. Places with mass: ${places(state).length}.`,
    stuck: `Stuck: nothing moves any more, yet ${exceeds}. Mass there would help: add a particle.`,
    slow: "Slow: something still moves. No measure is better by more than this share of J. Press Run to go on.",
    moving: `${number ? "On its way" : "Ready"}: ${now.top > 1 + TOLERANCE ? exceeds : "|η| keeps its bound"}.`,
  };
  return `${facts} ${words[verdict]}${added ? ` ${welcome(added)}` : ""}`;
}

/** What a particle of weight 0 can expect where it was added: it waits as long as |eta| keeps its bound there. */
function welcome({ at, eta }) {
  const fate = Math.abs(eta) > 1 ? "so it will gain mass when you run on" : "so it will wait";
  return `The new particle is at ${hundredths(at)}, where |η| = ${short(Math.abs(eta))}, ${fate}.`;
}

function render({ model, el }) {
  const instances = model.get("data");
  const scene = stage(el, "Spikes on the circle", HELP);
  const chosen = { instance: instances[0], m: 100, lambda: 2, noise: 0.1, start: "grid", place: 0.5 };
  let run, observed, reach, board;
  const choose = (change) => {
    Object.assign(chosen, change);
    clock.pause();
    reset();
    clock.redraw();
  };
  const insert = (at) => {
    run = add(run, at);
    clock.redraw();
  };
  slider(scene.controls, "Particles m", { min: 1, max: 200, step: 1, value: chosen.m }, (m) => choose({ m }));
  const strengths = { min: 0.5, max: 5, step: 0.1, value: chosen.lambda };
  slider(scene.controls, "Regularisation λ", strengths, (lambda) => choose({ lambda }));
  slider(scene.controls, "Noise", { min: 0, max: 0.5, step: 0.05, value: chosen.noise }, (noise) => choose({ noise }));
  const starts = Object.entries(STARTS).map(([name, { words }]) => [name, words]);
  menu(scene.controls, "Start", starts, chosen.start, (start) => choose({ start }));
  const pick = (seed) => choose({ instance: instances.find((instance) => instance.seed === Number(seed)) });
  menu(scene.controls, "Instance", names(instances), chosen.instance.seed, pick);
  slider(scene.controls, "Place", { min: 0, max: 0.99, step: 0.01, value: chosen.place, show: hundredths }, (place) => {
    chosen.place = place;
    clock.redraw();
  });
  button(scene.controls, "Add a particle there", () => insert(chosen.place));

  scene.pictures.style.gridTemplateColumns = COLUMNS;
  const cloud = picture(scene.pictures, "Particles and their paths; dotted: places of the truth (click to add a particle)");
  cloud.canvas.parentElement.style.gridColumn = "1 / -1";
  cloud.canvas.style.cursor = "crosshair";
  cloud.canvas.addEventListener("click", (event) => {
    const [at] = board.at(event);
    if (at >= 0 && at < 1) insert(at);
  });
  const potential = picture(scene.pictures, "Potential −η and its band", 200);
  const measure = picture(scene.pictures, "Their measure, and the true one, dotted", 200);
  const signal = picture(scene.pictures, "Signal: observed, dotted, and fitted, grey", 200);
  const record = picture(scene.pictures, "J and gap, step by step", 200);

  function reset() {
    const { instance, m, lambda, noise, start } = chosen;
    run = begin(spikes(instance, lambda, noise), STARTS[start].make(m, instance.seed));
    observed = pull(run.problem.y, CIRCLE).potential;
    reach = 3 / m;
  }

  function draw() {
    drawCloud();
    drawMeasure();
    drawSignal();
    drawPotential();
    drawRecord();
    scene.say(sentence(run));
    if (scene.root.dataset.state !== "running") describe();
  }

  /** Dotted stems of the truth; the marker of one that is too tall for the axes sits at their edge. */
  function drawTruth(pen, edge) {
    const { weights, positions } = chosen.instance;
    weights.forEach((mass, j) => {
      const up = Math.sign(mass) * Math.min(Math.abs(mass), 0.92 * edge);
      pen.curve([positions[j], positions[j]], [0, up], "truth", { dash: [2, 3] });
      pen.mark(positions[j], up, mass, 5, "truth");
    });
  }

  function drawCloud() {
    const { masses, theta } = run.now;
    reach = Math.max(reach, 1.15 * largest(masses));
    board = axes(cloud.canvas, { x: [0, 1], y: [-reach, reach], xlabel: "position θ", ylabel: "mass w/m" });
    board.curve([0, 1], [0, 0], "context", { thickness: 0.8 });
    board.curve([chosen.place, chosen.place], [-reach, reach], "context", { dash: [6, 4], thickness: 1 });
    board.curve(...paths([...run.history, run.now]), "context", { thickness: 0.8 });
    drawTruth(board, reach);
    masses.forEach((mass, i) => board.mark(turn(theta[i]), mass, mass));
  }

  function drawMeasure() {
    const found = places(run.state);
    const edge = 1.15 * Math.max(largest(chosen.instance.weights), largest(found.map(({ mass }) => mass)));
    const pen = axes(measure.canvas, { x: [0, 1], y: [-edge, edge], xlabel: "position θ", ylabel: "mass a" });
    pen.curve([0, 1], [0, 0], "context", { thickness: 0.8 });
    drawTruth(pen, edge);
    for (const { mass, at } of found) {
      pen.curve([at, at], [0, mass], mass > 0 ? "positive" : "negative", { thickness: 2 });
      pen.mark(at, mass, mass);
    }
  }

  function drawSignal() {
    const edge = 1.2 * largest(observed);
    const pen = axes(signal.canvas, { x: [0, 1], y: [-edge, edge], xlabel: "position θ", ylabel: "signal" });
    pen.curve(CIRCLE, pull(push(run.state), CIRCLE).potential, "context", { thickness: 3.5 });
    pen.curve(CIRCLE, observed, "truth", { dash: [2, 3], thickness: 2 });
  }

  function drawPotential() {
    const eta = residual(run.problem, run.state);
    const edge = [1.5, 3, 6, 12, 25, 50, 100].find((height) => height > 1.05 * run.now.top);
    const pen = axes(potential.canvas, { x: [0, 1], y: [-edge, edge], xlabel: "position θ", ylabel: "potential −η" });
    pen.band(-1, 1, "context");
    pen.curve(CIRCLE, pull(eta, CIRCLE).potential.map((value) => -value), "certificate");
    const heights = pull(eta, run.state.theta).potential;
    run.now.masses.forEach((mass, i) => pen.mark(turn(run.state.theta[i]), -heights[i], mass, 3));
  }

  function drawRecord() {
    const past = [...run.history, run.now];
    const steps = past.map(({ number }) => number);
    const x = [0, Math.max(100, run.number)];
    const pen = axes(record.canvas, { x, y: [1e-9, 1e3], xlabel: "step", ylabel: "J, gap", logarithmic: true });
    pen.curve(steps, past.map(({ objective }) => objective), "ink");
    pen.curve(steps, past.map(({ gap }) => Math.max(gap, 1e-12)), "certificate", { dash: [6, 4] });
    pen.words(0, 2e2, "J (solid)");
    pen.words(0, 1e-8, "gap (dashed)", "certificate");
  }

  function describe() {
    const { masses, top, at, objective, gap } = run.now;
    const list = (atoms) => atoms.map(({ mass, at }) => `${hundredths(mass)} at ${hundredths(at)}`).join(", ");
    const found = places(run.state).sort((p, q) => p.at - q.at);
    const truth = chosen.instance.weights.map((mass, j) => ({ mass, at: chosen.instance.positions[j] }));
    const missing = largest(pull(push(run.state), CIRCLE).potential.map((value, k) => value - observed[k]));
    const heavy = masses.filter((mass) => mass);
    cloud.describe(`m = ${masses.length}, of which ${heavy.length} have mass, up to ${short(largest(heavy))}.`);
    const mass = found.length > 12 ? `at ${found.length} places` : list(found) || "none";
    measure.describe(`Mass: ${mass}. The truth: ${list(truth)}.`);
    signal.describe(`They differ by ${short(missing)} at most; the observed one is ${short(largest(observed))} high.`);
    potential.describe(`|η| is largest at ${hundredths(at)}, where it is ${top.toFixed(3)}; its bound is 1.`);
    record.describe(`J goes from ${short(run.history[0].objective)} to ${short(objective)}, the gap to ${short(gap)}.`);
  }

  const clock = loop(scene, {
    advance() {
      if (["optimal", "stuck"].includes(run.verdict)) return false;
      const frame = Math.min(50, 1 + Math.floor(run.number / 60), PATIENCE - (run.number % PATIENCE));
      run = advance(run, scene.root.dataset.state === "running" ? frame : 1);
      return run.verdict === "moving";
    },
    draw,
    reset,
  });
  reset();
  draw();
  return clock.close;
}

/** The paths of all particles in (position, mass), one after the other: two lists, with NaN where the pen is lifted. */
function paths(records) {
  const points = [];
  for (let i = 0; i < records.at(-1).masses.length; i++) {
    const since = records.filter(({ masses }) => i < masses.length);
    for (const { masses, theta } of since) {
      const at = turn(theta[i]);
      if (Math.abs(at - points.at(-1)?.[0]) > 0.5) points.push([NaN, NaN]); // across the seam
      points.push([at, masses[i]]);
    }
    points.push([NaN, NaN]);
  }
  return [points.map(([at]) => at), points.map(([, mass]) => mass)];
}

const hundredths = (value) => value.toFixed(2);

export default { render };
