/**
 * Noise in place of a good start (chapter 14): a density on a line and particles beside it follow the flow of the free
 * energy, at a temperature that may be changed on the way; a duality gap says how far they are. The numbers come from
 * line.js.
 */

import { axes } from "./axes.js";
import { judge, judgeParticles, logGibbs, particleStep, problem, step } from "./line.js";
import { loop, menu, normals, picture, short, slider, stage, uniforms } from "./stage.js";

const PARTICLES = 200;
const SHOWN = 25; // of which this many have their paths drawn
const POINT = 3; // where they start
const NARROW = 0.09; // variance of the density there
const TIME = 0.1; // of a step
const MOST = 4000; // steps after which a run is given up
const CLOSED = 1e-8; // a duality gap that counts as closed
const STILL = 1e-9; // speed of particles at rest
export const LEAST = 0.06398; // min F without noise, of two atoms (test_live_noise)
const COLUMNS = "repeat(auto-fit, minmax(max(min(100%, 19rem), 34%), 1fr))"; // of pictures: two, or one on a phone
const HELP =
  "Neurons θ on a line start at 3, all of them: a density (curve) and 200 particles (discs). Noise of temperature τ " +
  "shakes them. Predict, then run: where do they end with noise, and where without? Is F, what we wanted to be " +
  "small, smaller for a larger τ or for a smaller one? You may change τ on the way: cool slowly, or at once.";

/** A run before its first step. tau = 0 means no noise: then there is no density, only particles. */
export function begin(problem, tau, seed = 1) {
  const theta = new Float64Array(PARTICLES).fill(POINT);
  const density = logGibbs(problem.at.map((t) => (t - POINT) ** 2 / 2), problem.width, NARROW).map(Math.exp);
  return judged({ problem, tau, theta, density, number: 0, history: [], normal: normals(uniforms(seed)) });
}

/** The run at another temperature tau > 0. */
export const heated = (run, tau) => judged({ ...run, tau, history: run.history.slice(0, -1) });

/** The run after that many steps. */
export function advance(run, steps) {
  const { problem, tau, normal } = run;
  let { theta, density, now } = run;
  for (let k = 0; k < steps; k++) {
    theta = particleStep(problem, theta, tau, TIME, normal);
    if (!tau) continue;
    density = step(density, now.potential, problem.width, tau, TIME);
    now = judge(problem, density, tau);
  }
  return judged({ ...run, theta, density, number: run.number + steps });
}

/** A run with its numbers and a verdict: "closed" (the gap is), "stuck" (nothing moves), "slow" or "moving". */
function judged(run) {
  const { problem, tau, theta, density, number } = run;
  const cloud = judgeParticles(problem, theta);
  const now = { ...(tau ? judge(problem, density, tau) : cloud), cloud, theta, time: number * TIME };
  const still = !tau && cloud.speed < STILL;
  const verdict = now.gap < CLOSED ? "closed" : still ? "stuck" : number >= MOST ? "slow" : "moving";
  return { ...run, now, verdict, history: [...run.history, now] };
}

/** The verdict on a run in words. */
export function sentence({ tau, now, verdict }) {
  const { time, energy, free, gap, cloud } = now;
  const start = `t = ${time.toFixed(1)}, ${tau ? `τ = ${tau.toFixed(3)}` : "no noise"}: F = ${energy.toFixed(4)}`;
  if (!tau) {
    const facts = `${start}, gap ${short(gap)}`;
    if (verdict !== "stuck") return `${facts}. All particles go the same way.`;
    return `${facts}. Stuck: all particles are in one place, and mass at ${cloud.lowest.toFixed(1)} would lower F.`;
  }
  const facts = `${start} (${cloud.energy.toFixed(4)} for the particles), L = ${free.toFixed(4)}, gap ${short(gap)}`;
  const price = `its F is ${short(energy - LEAST)} above min F`;
  const words = {
    closed: `Closed: the density is its own Gibbs measure, and no measure has less L; ${price}`,
    slow: "Given up: still moving",
    moving: `No measure has L below ${(free - gap).toFixed(4)}`,
  };
  return `${facts}. ${words[verdict]}.`;
}

function render({ model, el }) {
  const line = problem(model.get("data")[0]);
  const scene = stage(el, "Noise on a line", HELP);
  const chosen = { tau: 0.05, noise: true };
  let run;

  const restart = (noise) => {
    chosen.noise = noise;
    clock.pause();
    reset();
    clock.redraw();
  };
  const heat = { min: 0.002, max: 0.1, step: 0.002, value: chosen.tau, show: (tau) => tau.toFixed(3) };
  slider(scene.controls, "Temperature τ", heat, (tau) => {
    chosen.tau = tau;
    if (!chosen.noise) {
      choice.value = "on";
      return restart(true);
    }
    run = heated(run, tau);
    clock.redraw();
  });
  const choices = [
    ["on", "on"],
    ["off", "off (starts again)"],
  ];
  const choice = menu(scene.controls, "Noise", choices, "on", (value) => restart(value === "on"));

  scene.pictures.style.gridTemplateColumns = COLUMNS;
  const shape = picture(scene.pictures, "Density, Gibbs measure (dashed)", 220);
  const paths = picture(scene.pictures, `Paths of ${SHOWN} particles`, 220);
  const values = picture(scene.pictures, "F, L (dashed) and L − gap", 220);
  const gaps = picture(scene.pictures, "Gap between L and its lower bound", 220);

  function reset() {
    run = begin(line, chosen.noise ? chosen.tau : 0);
  }

  function draw() {
    drawShape();
    drawPaths();
    drawValues();
    scene.say(sentence(run));
    if (scene.root.dataset.state !== "running") describe();
  }

  function drawShape() {
    const { density, now, tau, theta } = run;
    const peak = tau ? density.reduce((most, value) => Math.max(most, value)) : 1;
    const top = [1.5, 3, 6, 12].find((height) => height > 1.05 * peak) ?? 30;
    const pen = axes(shape.canvas, { x: [-5, 5], y: [-0.25 * top, top], xlabel: "position θ", ylabel: "density" });
    pen.curve([-5, 5], [0, 0], "context", { thickness: 0.8 });
    if (tau) {
      pen.area(line.at, density, "positive");
      pen.curve(line.at, density, "positive", { thickness: 2 });
      pen.curve(line.at, now.gibbs, "certificate", { thickness: 2, dash: [6, 4] });
    } else {
      pen.curve([theta[0], theta[0]], [0, top], "positive", { thickness: 2.5 });
      pen.curve([now.cloud.lowest, now.cloud.lowest], [0, top], "certificate", { thickness: 2, dash: [6, 4] });
    }
    theta.forEach((t, i) => pen.mark(t, -top * (0.03 + 0.19 * ((i * 0.618) % 1)), 1, 2));
  }

  /** From 0 to the present, or to 20 at least. */
  const times = () => [0, Math.max(20, 1.03 * run.now.time)];

  function drawPaths() {
    const pen = axes(paths.canvas, { x: times(), y: [-5, 5], xlabel: "time t", ylabel: "position θ" });
    const moments = run.history.map(({ time }) => time);
    for (let i = 0; i < SHOWN; i++) {
      pen.curve(moments, run.history.map(({ theta }) => theta[i]), "context", { thickness: 0.8 });
      pen.mark(run.now.time, run.theta[i], 1, 2.5);
    }
  }

  function drawValues() {
    const moments = run.history.map(({ time }) => time);
    const pen = axes(values.canvas, { x: times(), y: [-0.2, 0.6], xlabel: "time t", ylabel: "F, L, bound" });
    pen.curve(times(), [LEAST, LEAST], "truth", { dash: [2, 3] });
    pen.curve(moments, run.history.map(({ free, gap }) => free - gap), "certificate", { thickness: 2 });
    pen.curve(moments, run.history.map(({ free }) => free), "ink", { thickness: 2, dash: [6, 4] });
    pen.curve(moments, run.history.map(({ energy }) => energy), "ink", { thickness: 2 });
    const labels = { xlabel: "time t", ylabel: "gap", logarithmic: true };
    const below = axes(gaps.canvas, { x: times(), y: [1e-9, 1e2], ...labels });
    below.curve(times(), [CLOSED, CLOSED], "context", { dash: [2, 3] });
    below.curve(moments, run.history.map(({ gap }) => Math.max(gap, 1e-12)), "certificate", { thickness: 2 });
  }

  function describe() {
    const { density, now, tau, theta, history } = run;
    const left = theta.filter((t) => t < 0.5).length;
    const below = density.filter((_, k) => line.at[k] < 0.5).reduce((sum, value) => sum + value * line.width, 0);
    const share = tau ? below : left / PARTICLES;
    shape.describe(`A share of ${share.toFixed(2)} of the mass is at positions below 0.5; of the particles ${left}.`);
    const [low, high] = [Math.min, Math.max].map((end) => end(...theta.slice(0, SHOWN)).toFixed(1));
    paths.describe(`At time ${now.time.toFixed(1)} they are between ${low} and ${high}.`);
    values.describe(`F goes from ${short(history[0].energy)} to ${short(now.energy)}, L to ${short(now.free)}.`);
    gaps.describe(`It goes from ${short(history[0].gap)} to ${short(now.gap)}.`);
  }

  const clock = loop(scene, {
    advance() {
      if (["closed", "stuck"].includes(run.verdict) || run.number >= MOST) return false;
      run = advance(run, 2 + Math.floor(run.number / 100));
      return run.verdict === "moving";
    },
    draw,
    reset,
  });
  reset();
  draw();
  return clock.close;
}

export default { render };
