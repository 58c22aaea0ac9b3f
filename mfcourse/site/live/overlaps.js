/**
 * SGD of one neuron in high dimension (chapter 13): twenty paths of two numbers, over the curve that they follow as the
 * dimension grows, and the curve of gradient flow, which they do not follow. The numbers come from chain.js.
 */

import { axes } from "./axes.js";
import { chainStep, END, FOLD, follow, kept, LEAVES, lost, radii } from "./chain.js";
import { randomStarts, rate, samples, TIMES } from "./chain.js";
import { button, drag, loop, menu, picture, short, slider, stage } from "./stage.js";

const PATHS = 20;
const NEAR = 0.01; // squared distance from the teacher, or its opposite, that counts as found
const HELP =
  "SGD on (θ·x)² learns (v·x)², twenty times over, from a start (m, s) that you choose by the sliders, or by a drag " +
  "in the first picture. Predict, then run: which curve will the paths follow, that of gradient flow (dashed), or " +
  "the solid one, which knows c? What does a larger N change, and what a larger c?";

/** Paths before their first step, from as many starts, with both curves from the start whose |m| is the median. */
export function begin(c, dimension, starts, seed) {
  const typical = [...starts].sort((u, v) => Math.abs(u[0]) - Math.abs(v[0]))[starts.length >> 1];
  const curves = { effective: follow(typical, c), flow: follow(typical, 0) };
  return { c, dimension, sample: samples(dimension, seed), curves, steps: 0, history: [starts] };
}

/** The paths one frame later. */
export function advance(run) {
  const { c, dimension, sample, history } = run;
  const steps = Math.round((TIMES[history.length] * dimension) / c);
  let now = history.at(-1);
  for (let k = run.steps; k < steps; k++)
    now = now.map((u) => (lost(u) ? u : kept(chainStep(u, c, dimension, sample()))));
  return { ...run, steps, history: [...history, now] };
}

const found = ([m, s]) => (Math.abs(m) - 1) ** 2 + s < NEAR;

/** What can be said of the paths, in words. */
export function sentence({ c, dimension, steps, history }) {
  const now = history.at(-1);
  const [good, gone] = [found, lost].map((is) => now.filter(is).length);
  const time = TIMES[history.length - 1].toFixed(2);
  const words = `t = ${time}, ${steps} steps in N = ${dimension}: ${good} paths found v or −v, ${gone} got lost`;
  const beyond =
    c < LEAVES
      ? "is below 1/6: in the limit ±v attract"
      : c < FOLD
        ? "is beyond 1/6: in the limit ±v repel, and so does the radius that is left at m = 0"
        : "is beyond the fold: in the limit only 0 and ±v stand still, and all three repel";
  return `${words}. c = ${c.toFixed(3)} ${beyond}.`;
}

function render({ el }) {
  const scene = stage(el, "SGD in high dimension", HELP);
  const chosen = { c: 0.1, dimension: 200, start: [0.3, 0.6], draw: 0 }; // draw: of random starts, 0 for the chosen one
  let run, board;
  const choose = (change) => {
    Object.assign(chosen, change);
    clock.pause();
    reset();
    clock.redraw();
  };
  const place = (start) => {
    bySlider.forEach(({ set }, k) => set(start[k]));
    choose({ start, draw: 0 });
  };
  const thousandths = (c) => c.toFixed(3);
  const sizes = { min: 0.02, max: 0.2, step: 0.002, value: chosen.c, show: thousandths };
  slider(scene.controls, "Step size c", sizes, (c) => choose({ c }));
  const dimensions = [50, 200, 800].map((dimension) => [dimension, String(dimension)]);
  menu(scene.controls, "Dimension N", dimensions, 200, (dimension) => choose({ dimension: Number(dimension) }));
  const [m, s] = chosen.start;
  const bySlider = [
    slider(scene.controls, "Start m", { min: -1.2, max: 1.2, step: 0.01, value: m, show: hundredths }, (m) =>
      place([m, chosen.start[1]]),
    ),
    slider(scene.controls, "Start s", { min: 0, max: 1.6, step: 0.01, value: s, show: hundredths }, (s) =>
      place([chosen.start[0], s]),
    ),
  ];
  button(scene.controls, "Random directions", () => choose({ draw: chosen.draw + 1 }));
  const plane = picture(scene.pictures, "Paths (grey), limit (solid), gradient flow (dashed); |θ| = 1 is dotted", 320);
  plane.canvas.parentElement.style.gridColumn = "1 / -1";
  const time = picture(scene.pictures, "The same in time");
  const circles = picture(scene.pictures, "Where |θ|² stands still at m = 0");
  drag(plane.canvas, (event) => {
    const limits = [
      [-1.2, 1.2],
      [0, 1.6],
    ];
    place(board.at(event).map((at, k) => Math.min(Math.max(Math.round(100 * at) / 100, limits[k][0]), limits[k][1])));
  });

  function reset() {
    const { c, dimension, start, draw } = chosen;
    const starts = draw ? randomStarts(PATHS, dimension, 1000 * draw + dimension) : Array(PATHS).fill(start);
    run = begin(c, dimension, starts, 1 + draw);
  }

  function draw() {
    drawPlane();
    drawTime();
    drawCircles();
    scene.say(sentence(run));
    if (scene.root.dataset.state !== "running") describe();
  }

  /** All paths and both curves, as far as they have come; `up` is what is drawn of an overlap u. */
  function drawPaths(pen, along, up) {
    for (let i = 0; i < PATHS; i++) {
      const path = run.history.map((now) => now[i]);
      pen.curve(path.map(along), path.map(up), "context", { thickness: 0.8 });
    }
    const { effective, flow } = run.curves;
    pen.curve(flow.map(along), flow.map(up), "ink", { thickness: 2, dash: [7, 4] });
    pen.curve(effective.map(along), effective.map(up), "certificate", { thickness: 2.5 });
  }

  function drawPlane() {
    const labels = { xlabel: "m = θ·v", ylabel: "s = |θ|² − m²" };
    board = axes(plane.canvas, { x: [-1.3, 1.3], y: [-0.06, 1.7], ...labels });
    for (let m = -1.2; m < 1.3; m += 0.2)
      for (let s = 0.05; s < 1.7; s += 0.2) board.arrow(m, s, rate([m, s], run.c), "context");
    const ms = Array.from({ length: 201 }, (_, k) => -1 + k / 100);
    board.curve(ms, ms.map((m) => 1 - m ** 2), "truth", { dash: [2, 3] });
    drawPaths(board, ([m]) => m, ([, s]) => s);
    for (const teacher of [-1, 1]) board.mark(teacher, 0, 1, 6, "truth");
    for (const [m, s] of run.history.at(-1)) board.mark(m, s, 1, 3);
    if (!chosen.draw) board.mark(...chosen.start, -1, 4, "ink");
  }

  function drawTime() {
    const pen = axes(time.canvas, { x: [0, END], y: [0, 1.3], xlabel: "time t = c k / N", ylabel: "|m|" });
    pen.curve([0, END], [1, 1], "truth", { dash: [2, 3] });
    const moments = (_, k) => TIMES[k];
    drawPaths(pen, moments, ([m]) => Math.abs(m));
  }

  function drawCircles() {
    const pen = axes(circles.canvas, { x: [0, 0.21], y: [0, 3], xlabel: "step size c", ylabel: "|θ|²" });
    const cs = Array.from({ length: 201 }, (_, k) => 0.001 + ((FOLD - 0.001) * k) / 200);
    for (const edge of [LEAVES, FOLD]) pen.curve([edge, edge], [0, 3], "truth", { dash: [2, 3] });
    pen.words(LEAVES, 2.7, "1/6", "ink", "left");
    pen.words(FOLD, 2.7, "fold");
    pen.words(0.003, 0.6, "attracts");
    pen.words(0.105, 2, "repels");
    [[], [7, 4]].forEach((dash, k) => pen.curve(cs, cs.map((c) => radii(c)[k]), "certificate", { dash }));
    pen.curve([run.c, run.c], [0, 3], "context");
    for (const rho of radii(run.c)) if (rho > 0) pen.mark(run.c, rho, 1, 5, "certificate");
  }

  function describe() {
    const now = run.history.at(-1);
    const { effective, flow } = run.curves;
    const spot = (u) => (lost(u) ? "lost" : `at m = ${hundredths(u[0])}, s = ${hundredths(u[1])}`);
    const ends = `the limit, when it ends, is ${spot(effective.at(-1))}, gradient flow ${spot(flow.at(-1))}`;
    plane.describe(`${now.length} paths, of which ${now.filter(found).length} are at the teacher; ${ends}.`);
    const reached = now.filter((u) => !lost(u) && Math.abs(u[0]) > 0.5).length;
    time.describe(`From |m| = ${hundredths(Math.abs(effective[0][0]))} on; |m| is above 0.5 in ${reached} paths now.`);
    const [low, high] = radii(run.c).map(short);
    circles.describe(
      run.c < FOLD
        ? `At c = ${run.c.toFixed(3)} there are two radii, ${low} and ${high}.`
        : `Both meet at c = 0.180; at c = ${run.c.toFixed(3)} there is none.`,
    );
  }

  const clock = loop(scene, {
    advance() {
      if (run.history.length < TIMES.length) run = advance(run);
      return run.history.length < TIMES.length;
    },
    draw,
    reset,
  });
  reset();
  draw();
  return clock.close;
}

const hundredths = (value) => value.toFixed(2);

export default { render };
