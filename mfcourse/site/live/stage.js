/**
 * The stage of a demo: controls that a keyboard reaches, words that are read out, and a loop that rests while nobody
 * looks. A demo builds its stage once, and then only answers: change of a control, advance by a frame, draw.
 */

const CALM = 600; // ms between two stills where the reader prefers no motion
const READING = 350; // ms that a sentence of the verdict stays while a run goes on
const STILL = 20; // frames that such a still is ahead of the one before

/** An HTML element with attributes and children. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * Put an empty stage into `el`: places for controls and pictures, and a verdict that screen readers announce.
 * `say(words)` puts a sentence there: at once if nothing runs, else not before the last one could be read.
 */
export function stage(el, title, help) {
  const controls = element("div", { class: "mf-controls", role: "group", "aria-label": `${title}: controls` });
  const pictures = element("div", { class: "mf-pictures" });
  const verdict = element("p", { class: "mf-verdict", role: "status" });
  const root = element("section", { class: "mf-demo", "aria-label": title });
  root.append(element("p", { class: "mf-help" }, help), controls, verdict, pictures);
  el.replaceChildren(root);
  // A key on a control is not one for JupyterLab, which would move to another cell, or add one.
  root.addEventListener("keydown", (event) => event.ctrlKey || event.metaKey || event.stopPropagation());
  let due = 0;
  function say(words) {
    const now = performance.now();
    if (root.dataset.state === "running" && now < due) return;
    verdict.textContent = words;
    due = now + READING;
  }
  return { root, controls, pictures, verdict, say };
}

/**
 * A labelled slider, with a button at each end of its number for those who want an exact one; `show` turns the number
 * into words, `change` is called with it.
 */
export function slider(place, label, { min, max, step, value, show = String }, change) {
  const input = element("input", { type: "range", min, max, step, value });
  const shown = element("output", {}, show(value));
  const say = (number) => {
    shown.textContent = show(number);
    input.setAttribute("aria-valuetext", show(number));
  };
  say(value);
  input.addEventListener("input", () => {
    say(input.valueAsNumber);
    change(input.valueAsNumber);
  });
  const group = element("div", { class: "mf-slider" }, element("label", {}, element("span", {}, label), input));
  const nudge = (words, name, way) => {
    const pressed = button(group, words, () => {
      input[way]();
      input.dispatchEvent(new Event("input"));
    });
    pressed.setAttribute("aria-label", `${label}: ${name}`);
  };
  nudge("−", "less", "stepDown");
  group.append(shown);
  nudge("+", "more", "stepUp");
  place.append(group);
  return {
    input,
    set(number) {
      input.value = number;
      say(number);
    },
  };
}

/** A labelled menu of [value, words]; `change` is called with the value. */
export function menu(place, label, choices, value, change) {
  const select = element("select");
  for (const [key, words] of choices) select.append(element("option", { value: key }, words));
  select.value = value;
  select.addEventListener("change", () => change(select.value));
  place.append(element("label", { class: "mf-menu" }, element("span", {}, label), select));
  return select;
}

/** A button. */
export function button(place, label, press) {
  const made = element("button", { type: "button" }, label);
  made.addEventListener("click", press);
  place.append(made);
  return made;
}

/** A canvas with a caption; `describe(words)` says what it shows to those who do not see it. */
export function picture(place, caption, height = 240) {
  const canvas = element("canvas", { role: "img", style: `height: ${height}px` });
  place.append(element("figure", {}, element("figcaption", {}, caption), canvas));
  const describe = (words) => canvas.setAttribute("aria-label", `${caption}. ${words}`);
  describe("");
  return { canvas, describe };
}

/**
 * A mouse, a pen or a finger drags on a canvas, or points at a place: `move` is called with each event. A finger that
 * sets out up or down scrolls the page, and means nothing else.
 */
export function drag(canvas, move) {
  let start; // where a finger went down, until it moves
  Object.assign(canvas.style, { touchAction: "pan-y", cursor: "grab" });
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    start = event.pointerType === "touch" && event;
  });
  const scrolls = ({ x, y }) => start && Math.abs(y - start.y) > Math.abs(x - start.x);
  canvas.addEventListener("pointermove", (event) => {
    if (scrolls(event)) canvas.releasePointerCapture(event.pointerId);
    start = null;
  });
  for (const name of ["pointermove", "pointerup"])
    canvas.addEventListener(name, (event) => canvas.hasPointerCapture(event.pointerId) && move(event));
}

/**
 * Run, Step and Reset, and the clock behind them. `advance()` makes one frame's steps and returns false once there is
 * nothing left to do, `draw()` shows the state, `reset()` goes back to the start. Nothing moves before Run is pressed,
 * nor off-screen, nor in a hidden tab; with reduced motion, Run shows a still now and then. `draw` is also called when
 * a run pauses or ends. Returns `redraw`, `pause` and `close`; the section's data-state is "paused", "running" or
 * "resting", data-fps the frames of the last second.
 */
export function loop({ root, controls }, { advance, draw, reset }) {
  const spoken = root.querySelector(".mf-verdict");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let wanted = false;
  let visible = true;
  let frame = 0;
  let frames = [];

  const run = button(controls, "Run", () => {
    wanted = !wanted;
    settle();
    draw();
  });
  run.classList.add("mf-run");
  button(controls, "Step", () => {
    pause();
    advance();
    draw();
  });
  button(controls, "Reset", () => {
    pause();
    reset();
    draw();
  });

  function settle() {
    const active = wanted && visible && !document.hidden;
    root.dataset.state = active ? "running" : wanted ? "resting" : "paused";
    run.textContent = wanted ? "Pause" : "Run";
    spoken.setAttribute("aria-live", active ? "off" : "polite"); // a screen reader hears how a run ends, not each step
    if (active && !frame) frame = requestAnimationFrame(tick);
    if (!active) {
      cancelAnimationFrame(frame);
      frame = 0;
    }
    if (!active) frames = [];
  }

  function tick(now) {
    frame = 0;
    const due = !calm.matches || !frames.length || now - frames.at(-1) >= CALM;
    if (due) {
      frames = [...frames.filter((time) => now - time < 1000), now];
      root.dataset.fps = frames.length;
      for (let k = 0; wanted && k < (calm.matches ? STILL : 1); k++) wanted = advance() !== false;
    }
    settle();
    if (due) draw();
  }

  function pause() {
    wanted = false;
    settle();
  }

  const seen = new IntersectionObserver((entries) => {
    visible = entries.at(-1).isIntersecting;
    settle();
  });
  const resized = new ResizeObserver(draw);
  const themed = new MutationObserver(() => requestAnimationFrame(draw)); // JupyterLab hides the page until then
  seen.observe(root);
  resized.observe(root);
  for (const page of [document.documentElement, document.body])
    themed.observe(page, { attributes: true, attributeFilter: ["data-theme", "data-jp-theme-light"] });
  document.addEventListener("visibilitychange", settle);
  settle();

  function close() {
    pause();
    for (const observer of [seen, resized, themed]) observer.disconnect();
    document.removeEventListener("visibilitychange", settle);
  }
  return { redraw: draw, pause, close };
}

/** Uniform random numbers in [0, 1) that depend on `seed` only (mulberry32). */
export function uniforms(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers, made of a source of uniform ones (Box and Muller). */
export const normals = (uniform) => () =>
  Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

/** A number in a sentence: two digits, or a power of ten if it is small or large. */
export function short(value) {
  const size = Math.abs(value);
  const words = !size || (size >= 1e-3 && size < 1e4) ? String(Number(value.toPrecision(2))) : value.toExponential(0);
  return words.replace(/^-/, "−");
}
