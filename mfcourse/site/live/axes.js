/**
 * Axes on a canvas, in the course's colours: positive mass an orange disc, negative mass a blue square, the truth
 * dotted, the potential purple, history thin and grey. Lengths are CSS pixels; the canvas is as sharp as its screen.
 */

const MARGIN = { left: 52, right: 10, top: 8, bottom: 38 };
const FONT = "12px system-ui, sans-serif";

/** The colour that the style sheet gives to "positive", "negative", "truth", "certificate", "context" or "ink". */
export const colour = (canvas, name) => getComputedStyle(canvas).getPropertyValue(`--mf-${name}`).trim();

/**
 * Clear the canvas and draw axes: `x` and `y` are [from, to], `xlabel` and `ylabel` their names, `logarithmic` says
 * that y is drawn by its logarithm, `xlogarithmic` the same of x; `equal` widens one of them until a unit is as long
 * on both. Returns the pen that draws on them.
 */
export function axes(canvas, { x, y, xlabel, ylabel, logarithmic = false, xlogarithmic = false, equal = false }) {
  const [width, height, sharp] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio || 1];
  canvas.width = Math.round(width * sharp);
  canvas.height = Math.round(height * sharp);
  const context = canvas.getContext("2d");
  context.scale(sharp, sharp);
  context.font = FONT;
  const across = width - MARGIN.left - MARGIN.right;
  const down = height - MARGIN.top - MARGIN.bottom;
  if (equal) [x, y] = widened(x, y, across / down);
  const scale = logarithmic ? Math.log10 : (value) => value;
  const xscale = xlogarithmic ? Math.log10 : (value) => value;
  const [low, high] = y.map(scale);
  const [left, right] = x.map(xscale);
  const px = (value) => MARGIN.left + (across * (xscale(value) - left)) / (right - left);
  const py = (value) => MARGIN.top + (down * (high - scale(value))) / (high - low);

  const ink = colour(canvas, "ink");
  context.strokeStyle = ink;
  context.fillStyle = ink;
  context.lineWidth = 1;
  context.strokeRect(MARGIN.left, MARGIN.top, across, down);
  context.textAlign = "center";
  for (const tick of xlogarithmic ? powers(left, right) : ticks(left, right)) {
    const words = xlogarithmic ? power(tick) : number(tick);
    stroke(context, px(tick), height - MARGIN.bottom, px(tick), height - MARGIN.bottom + 4);
    const furthest = width - context.measureText(words).width / 2; // a long number at the end is not cut off
    context.fillText(words, Math.min(px(tick), furthest), height - MARGIN.bottom + 16);
  }
  context.fillText(xlabel, MARGIN.left + across / 2, height - 5);
  context.textAlign = "right";
  for (const tick of logarithmic ? powers(low, high) : ticks(low, high)) {
    stroke(context, MARGIN.left - 4, py(tick), MARGIN.left, py(tick));
    context.fillText(logarithmic ? power(tick) : number(tick), MARGIN.left - 7, py(tick) + 4);
  }
  context.save();
  context.translate(11, MARGIN.top + down / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.fillText(ylabel, 0, 0);
  context.restore();
  context.beginPath();
  context.rect(MARGIN.left, MARGIN.top, across, down);
  context.clip();

  return {
    /** The point of the axes below a mouse or a finger. */
    at: (event) => {
      const box = canvas.getBoundingClientRect();
      const [right, below] = [event.clientX - box.left - MARGIN.left, event.clientY - box.top - MARGIN.top];
      return [x[0] + (right / across) * (x[1] - x[0]), high - (below / down) * (high - low)];
    },
    /** A curve through points; a NaN lifts the pen. `dash` as for a canvas: [2, 3] is dotted. */
    curve(xs, ys, name, { thickness = 1.5, dash = [] } = {}) {
      Object.assign(context, { strokeStyle: colour(canvas, name), lineWidth: thickness });
      context.setLineDash(dash);
      context.beginPath();
      let drawing = false;
      for (let k = 0; k < xs.length; k++) {
        const [right, below] = [px(xs[k]), py(ys[k])];
        if (Number.isFinite(right + below)) context[drawing ? "lineTo" : "moveTo"](right, below);
        drawing = Number.isFinite(right + below);
      }
      context.stroke();
      context.setLineDash([]);
    },
    /** A small arrow that begins at a point; `along` and `up` say where to, `length` is in pixels. */
    arrow(right, above, [along, up], name, length = 10) {
      const [x, y] = [px(right), py(above)];
      const [dx, dy] = [px(right + along) - x, py(above + up) - y];
      const [a, b] = [dx, dy].map((part) => (part * length) / (Math.hypot(dx, dy) || 1));
      Object.assign(context, { strokeStyle: colour(canvas, name), lineWidth: 1, globalAlpha: 0.5 });
      stroke(context, x, y, x + a, y + b);
      for (const side of [0.3, -0.3])
        stroke(context, x + a, y + b, x + 0.6 * a - side * b, y + 0.6 * b + side * a);
      context.globalAlpha = 1;
    },
    /** The area between a curve and the height 0. */
    area(xs, ys, name) {
      Object.assign(context, { fillStyle: colour(canvas, name), globalAlpha: 0.2 });
      context.beginPath();
      context.moveTo(px(xs[0]), py(0));
      xs.forEach((right, k) => context.lineTo(px(right), py(ys[k])));
      context.lineTo(px(xs.at(-1)), py(0));
      context.fill();
      context.globalAlpha = 1;
    },
    /** The horizontal band between two heights. */
    band(from, to, name) {
      Object.assign(context, { fillStyle: colour(canvas, name), globalAlpha: 0.2 });
      context.fillRect(MARGIN.left, py(to), across, py(from) - py(to));
      context.globalAlpha = 1;
    },
    /** A marker: a disc for a positive, a square for a negative, a small ring for a zero `sign`. */
    mark(right, up, sign, size = 4, name = sign > 0 ? "positive" : sign < 0 ? "negative" : "context") {
      Object.assign(context, { fillStyle: colour(canvas, name), strokeStyle: colour(canvas, name), lineWidth: 1 });
      context.beginPath();
      if (sign < 0) context.rect(px(right) - size, py(up) - size, 2 * size, 2 * size);
      else context.arc(px(right), py(up), sign ? size : size / 2, 0, 2 * Math.PI);
      context[sign ? "fill" : "stroke"]();
    },
    /** Words at a point, to the right of it, or to the left. */
    words(right, up, text, name = "ink", side = "right") {
      Object.assign(context, { fillStyle: colour(canvas, name), textAlign: side === "left" ? "right" : "left" });
      context.fillText(text, px(right) + (side === "left" ? -6 : 6), py(up) + 4);
    },
  };
}

function stroke(context, x, y, right, below) {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(right, below);
  context.stroke();
}

/** The two ranges, the shorter one widened around its middle until their lengths have this ratio. */
function widened(x, y, ratio) {
  const around = ([from, to], length) => [(from + to - length) / 2, (from + to + length) / 2];
  const unit = Math.max((x[1] - x[0]) / ratio, y[1] - y[0]);
  return [around(x, unit * ratio), around(y, unit)];
}

/** About five round numbers between `from` and `to`. */
function ticks(from, to) {
  const rough = (to - from) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((digit) => digit * power >= rough * 0.99) ?? 10);
  const found = [];
  for (let k = Math.ceil(from / step - 1e-9); k * step <= to + 1e-9 * step; k++) found.push(k * step);
  return found;
}

/** At most six powers of ten between 10^low and 10^high. */
function powers(low, high) {
  const stride = Math.max(1, Math.ceil((high - low) / 6));
  const found = [];
  for (let k = Math.ceil(low); k <= high; k += stride) found.push(10 ** k);
  return found;
}

const number = (value) => String(Number(value.toPrecision(6))).replace("-", "−");

/** A power of ten: 10, or 10⁻⁷. */
function power(value) {
  const exponent = Math.round(Math.log10(value));
  if (Math.abs(exponent) < 2) return number(value);
  return `10${String(exponent).replace(/./g, (sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"["0123456789-".indexOf(sign)])}`;
}
