/**
 * Thm 2.6 at work (chapter 5): one flow with 10, 100 and 1000 particles side by side, and how far the few are from the
 * many. The steps are those of circle.js, in the Euclidean metric and with short ways for positions.
 */

import { axes } from "./axes.js";
import { distance, gridStart, largest, names, randomStart, spikes, step, stepSizes, turn } from "./circle.js";
import { loop, menu, picture, short, stage } from "./stage.js";

const SIZES = [10, 100, 1000];
const MARKS = [4, 2.5, 1.5]; // how large particles are drawn
const STEPS = 200;
const COLUMNS = "repeat(auto-fit, minmax(max(min(100%, 12rem), 30%), 1fr))"; // of pictures: three, or one on a phone
const STARTS = {
  grid: { words: "grid", make: (m) => gridStart(m) },
  random: { words: "independent random positions", make: randomStart },
};
const HELP =
  "One flow, with 10, 100 and 1000 particles. Predict, then run: do a hundred draw the same curve as a thousand? How " +
  "many times as far from it are ten? And if all start at random positions instead of a grid?";

/** Three runs before their first step, from starts { w, theta } with 10, 100 and 1000 particles. */
export function begin(problem, starts) {
  return measured({ problem, states: starts, number: 0, distances: [[], []] });
}

/** The runs after one more step. */
export function advance(run) {
  const { a } = stepSizes(run.problem);
  const b = 1e-6 * run.problem.lambda;
  const states = run.states.map((state) => step(run.problem, state, a, b));
  return measured({ ...run, states, number: run.number + 1 });
}

/** The runs with two more distances to m = 1000: that of m = 10 and that of m = 100. */
function measured(run) {
  const distances = run.distances.map((past, k) => [...past, distance(run.states[k], run.states[2])]);
  return { ...run, distances };
}

/** What can be said of the runs, in words. */
export function sentence({ number, distances }) {
  const [ten, hundred] = distances.map((past) => past.at(-1));
  const facts = `distance to m = 1000 is ${short(ten)} for m = 10, ${short(hundred)} for m = 100`;
  return `Step ${number} of ${STEPS}: ${facts}, a ratio of ${short(ten / hundred)}.`;
}

function render({ model, el }) {
  const instances = model.get("data");
  const scene = stage(el, "Many particles", HELP);
  const chosen = { start: "grid", instance: instances[0] };
  let run, reach;

  const choose = (change) => {
    Object.assign(chosen, change);
    clock.pause();
    reset();
    clock.redraw();
  };
  const starts = Object.entries(STARTS).map(([name, { words }]) => [name, words]);
  menu(scene.controls, "Start", starts, chosen.start, (start) => choose({ start }));
  const pick = (seed) => choose({ instance: instances.find((instance) => instance.seed === Number(seed)) });
  menu(scene.controls, "Instance", names(instances), chosen.instance.seed, pick);

  scene.pictures.style.gridTemplateColumns = COLUMNS;
  const clouds = SIZES.map((m) => picture(scene.pictures, `m = ${m}`));
  const plan = "matched in the order of the starts (W₂ is at most that)";
  const apart = picture(scene.pictures, `Distance to m = 1000, ${plan}`, 220);
  apart.canvas.parentElement.style.gridColumn = "1 / -1";

  function reset() {
    const { start, instance } = chosen;
    run = begin(spikes(instance), SIZES.map((m) => STARTS[start].make(m, instance.seed)));
    reach = 5;
  }

  function draw() {
    reach = Math.max(reach, ...run.states.map(({ w }) => 1.1 * largest(w)));
    run.states.forEach(drawCloud);
    drawDistances();
    scene.say(sentence(run));
    if (scene.root.dataset.state !== "running") describe();
  }

  function drawCloud({ w, theta }, k) {
    const labels = { xlabel: "position θ", ylabel: "weight w" };
    const pen = axes(clouds[k].canvas, { x: [0, 1], y: [-reach, reach], ...labels });
    w.forEach((weight, i) => pen.mark(turn(theta[i]), weight, weight, MARKS[k]));
  }

  function drawDistances() {
    const labels = { xlabel: "step", ylabel: "distance", logarithmic: true };
    const pen = axes(apart.canvas, { x: [0, STEPS], y: [1e-2, 1e2], ...labels });
    run.distances.forEach((past, k) => {
      const steps = past.map((_, number) => number);
      pen.curve(steps, past, "ink", { dash: k ? [6, 4] : [] });
    });
    pen.words(0, 50, "solid: m = 10, dashed: m = 100");
  }

  function describe() {
    run.states.forEach(({ w }, k) => {
      const [up, down] = [1, -1].map((sign) => w.filter((weight) => sign * weight > 0).length);
      const counts = `${up} have positive weight, ${down} negative, ${w.length - up - down} none`;
      clouds[k].describe(`Of ${w.length} particles ${counts}; the largest weight is ${short(largest(w))}.`);
    });
    const ways = run.distances.map((past) => `from ${short(past[0])} to ${short(past.at(-1))}`);
    apart.describe(`In ${run.number} steps that of m = 10 goes ${ways[0]}, that of m = 100 ${ways[1]}.`);
  }

  const clock = loop(scene, {
    advance() {
      if (run.number < STEPS) run = advance(run);
      return run.number < STEPS;
    },
    draw,
    reset,
  });
  reset();
  draw();
  return clock.close;
}


export default { render };
