// Charts of a run: curves on a canvas that is drawn anew when numbers come, never by the hundred thousand.
import { el } from "../page/dom.js";

const POINTS = 300; // of a curve, about as many as a chart has pixels; as BUCKETS in mmgan/runs/history.py
const HEIGHT = 190, LEFT = 46, RIGHT = 12, TOP = 10, BOTTOM = 24, SMOOTH = 0.12;
export const SHOWN = [
  { name: "losses", curves: ["generator", "discriminator"], smooth: true },
  { name: "accuracy", curves: ["image_accuracy", "audio_accuracy", "both"], share: true },
  { name: "penalty", curves: ["penalty"], smooth: true, zero: true },
  { name: "meaning", curves: ["contrastive", "generator_contrastive", "latents"], smooth: true, zero: true },
  { name: "speed", curves: ["pairs_per_second"], smooth: true, zero: true },
];

const colours = (element) => {
  const style = getComputedStyle(element);
  return (name) => style.getPropertyValue(`--mm-${name}`).trim();
};

function ticks(low, high, count) {
  const raw = (high - low || 1) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((m) => m * power >= raw) * power;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) found.push(Number(value.toPrecision(10)));
  return found;
}

// The points of a curve as they come. Where there are more than can be seen, neighbours are put together as the server
// does it, as mean, least and most of ``width`` steps, so that a page that is open for days stays small and quick.
export class Curve {
  constructor() { Object.assign(this, { x: [], y: [], low: [], high: [], width: 1 }); }

  take({ x, y, low = y, high = y }) {
    x.forEach((step, i) => this.add(step, y[i], low[i], high[i]));
    if (this.x.length <= 2 * POINTS) return;
    const all = { x: this.x, y: this.y, low: this.low, high: this.high };
    const groups = () => new Set(all.x.map((step) => this.group(step))).size;
    while (groups() > POINTS) this.width *= 2;
    Object.assign(this, { x: [], y: [], low: [], high: [] });
    all.x.forEach((step, i) => this.add(step, all.y[i], all.low[i], all.high[i]));
  }

  group(step) { return Math.ceil(step / this.width); }

  add(step, y, low, high) {
    const last = this.x.length - 1, first = (this.group(step) - 1) * this.width;
    if (last < 0 || this.x[last] <= first || this.x[last] >= step) {
      this.x.push(step);
      this.y.push(y);
      this.low.push(low);
      this.high.push(high);
      return;
    }
    // A point stands for the steps since the one before it, and counts by their number.
    const before = this.x[last] - Math.max(first, this.x[last - 1] ?? first), more = step - this.x[last];
    this.x[last] = step;
    this.y[last] = (before * this.y[last] + more * y) / (before + more);
    this.low[last] = Math.min(this.low[last], low);
    this.high[last] = Math.max(this.high[last], high);
  }
}

const living = new Set(); // charts on the page, which follow its colours; one observer for all of them
function live(chart) {
  living.add(chart);
  live.observer ??= new MutationObserver(() => living.forEach((each) => each.draw()));
  live.observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
}

// Curves ({label, x, y, low, high, hidden}) over one axis of steps. Text beside a cursor tells the values there.
export class Chart {
  constructor(tab, { title, note, share = false, smooth = false, zero = false }) {
    Object.assign(this, { tab, title, share, smooth, zero, curves: [] });
    this.hidden = new Set();
    this.canvas = el("canvas", { role: "img", tabindex: 0, height: HEIGHT });
    this.tip = el("div", { class: "mt-tip", hidden: true });
    this.legend = el("div", { class: "mt-legend" });
    this.empty = el("p", { class: "mt-chart-empty" }, tab.say("chart_empty"));
    this.element = el("figure", { class: "mt-panel mt-chart" }, el("header", {}, el("h3", {}, title), this.legend),
      el("div", { class: "mt-plot" }, this.canvas, this.tip, this.empty), note && el("figcaption", {}, note));
    this.canvas.addEventListener("pointermove", (event) => { this.at = event.offsetX; this.draw(); });
    this.canvas.addEventListener("pointerleave", () => { this.at = null; this.draw(); });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("blur", () => { this.at = null; this.draw(); });
    this.sizes = new ResizeObserver(() => (this.element.isConnected ? this.draw() : this.end())); // it tells of leaving the page too
    this.sizes.observe(this.canvas.parentElement);
    live(this);
  }

  end() {
    this.sizes.disconnect();
    living.delete(this);
  }

  key(event) {
    const width = this.canvas.clientWidth, move = { ArrowLeft: -12, ArrowRight: 12 }[event.key];
    if (!move) return;
    event.preventDefault();
    this.at = Math.min(width - RIGHT, Math.max(LEFT, (this.at ?? width / 2) + move));
    this.draw();
  }

  set(curves, missing) {
    this.curves = curves.filter((curve) => curve.x.length);
    this.empty.hidden = this.curves.length > 0;
    this.empty.textContent = missing || this.tab.say("chart_empty");
    const names = this.curves.map((curve) => curve.label).join("|");
    if (this.legend.dataset.names !== names) this.showLegend(names);
    const values = this.curves.map((curve) => `${curve.label} ${this.format(curve.y.at(-1))}`).join(", ");
    this.canvas.setAttribute("aria-label", this.tab.say("chart_label", { title: this.title, values }));
    this.draw();
  }

  showLegend(names) {
    this.legend.dataset.names = names;
    this.legend.replaceChildren(...this.curves.map((curve, i) => el("button", {
      type: "button", "aria-pressed": String(!this.hidden.has(curve.label)), style: `--c: var(--mm-curve-${i % 6})`,
      onclick: (event) => {
        this.hidden[this.hidden.has(curve.label) ? "delete" : "add"](curve.label);
        event.currentTarget.setAttribute("aria-pressed", String(!this.hidden.has(curve.label)));
        this.draw();
      },
    }, curve.label)));
  }

  format(value) {
    if (value === undefined) return "";
    if (Math.abs(value) >= 10000) return value.toLocaleString("en", { notation: "compact" });
    return this.share ? `${Math.round(value * 100)}%` : this.tab.number(value, Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0);
  }

  draw() { // once a frame, and only where it can be seen
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.paint(); });
  }

  paint() {
    const width = this.canvas.parentElement.clientWidth, ratio = window.devicePixelRatio || 1;
    if (!width) return;
    const [w, h] = [Math.round(width * ratio), Math.round(HEIGHT * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
    this.canvas.style.height = `${HEIGHT}px`;
    const g = this.canvas.getContext("2d"), colour = colours(this.canvas);
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, HEIGHT);
    const shown = this.curves.map((curve, i) => ({ ...curve, i })).filter((curve) => !this.hidden.has(curve.label));
    this.tip.hidden = true;
    if (!shown.length) return;
    const range = this.range(shown), end = width - RIGHT;
    const px = (x) => LEFT + ((x - range.x0) / (range.x1 - range.x0 || 1)) * (end - LEFT);
    const py = (y) => HEIGHT - BOTTOM - ((y - range.y0) / (range.y1 - range.y0 || 1)) * (HEIGHT - TOP - BOTTOM);
    this.axes(g, colour, range, px, py, width);
    g.save();
    g.beginPath();
    g.rect(LEFT, 0, end - LEFT + 2, HEIGHT - BOTTOM + 2);
    g.clip();
    for (const curve of shown) this.line(g, colour(`curve-${curve.i % 6}`), curve, px, py);
    g.restore();
    if (this.at !== null && this.at !== undefined) this.point(g, colour, shown, range, px, py, width);
  }

  range(shown) {
    let x1 = 1, y0 = Infinity, y1 = -Infinity;
    for (const { x, y, low, high } of shown) {
      x1 = Math.max(x1, x[x.length - 1]);
      // A few points are often far from all others, which they would press flat: they may leave the chart.
      const least = [...(low ?? y)].sort((a, b) => a - b), most = [...(high ?? y)].sort((a, b) => a - b);
      const out = x.length < 8 ? 0 : Math.max(1, Math.floor(x.length * 0.02));
      y0 = Math.min(y0, least[out]);
      y1 = Math.max(y1, most[most.length - 1 - out]);
    }
    if (this.share) return { x0: 0, x1, y0: 0, y1: 1 };
    if (this.zero) y0 = Math.min(0, y0);
    const room = (y1 - y0) * 0.06 || Math.abs(y1) * 0.1 || 1;
    return { x0: 0, x1, y0: this.zero && y0 === 0 ? 0 : y0 - room, y1: y1 + room };
  }

  axes(g, colour, range, px, py, width) {
    g.font = "11px ui-sans-serif, system-ui, sans-serif";
    g.strokeStyle = colour("line");
    g.fillStyle = colour("quiet");
    g.lineWidth = 1;
    g.textAlign = "right";
    g.textBaseline = "middle";
    for (const y of ticks(range.y0, range.y1, 4)) {
      const at = Math.round(py(y)) + 0.5;
      g.beginPath();
      g.moveTo(LEFT, at);
      g.lineTo(width - RIGHT, at);
      g.stroke();
      g.fillText(this.format(y), LEFT - 7, at);
    }
    g.textBaseline = "top";
    g.textAlign = "center";
    for (const x of ticks(range.x0, range.x1, Math.max(2, Math.floor(width / 110)))) {
      const text = this.tab.number(x), half = g.measureText(text).width / 2;
      g.fillText(text, Math.min(width - half, Math.max(LEFT, px(x))), HEIGHT - BOTTOM + 8);
    }
  }

  line(g, ink, { x, y, low, high }, px, py) {
    const trace = (values) => {
      g.beginPath();
      for (let i = 0; i < x.length; i++) g.lineTo(px(x[i]), py(values[i]));
    };
    g.lineJoin = "round";
    if (low) { // where points were put together: how far they spread
      g.fillStyle = ink;
      g.globalAlpha = 0.13;
      g.beginPath();
      for (let i = 0; i < x.length; i++) g.lineTo(px(x[i]), py(high[i]));
      for (let i = x.length - 1; i >= 0; i--) g.lineTo(px(x[i]), py(low[i]));
      g.fill();
    }
    g.strokeStyle = ink;
    const smooth = this.smooth && x.length > 12;
    g.globalAlpha = smooth ? 0.3 : 1;
    g.lineWidth = smooth ? 1 : 2;
    trace(y);
    g.stroke();
    g.globalAlpha = 1;
    if (smooth) {
      let mean = y[0];
      g.lineWidth = 2;
      trace(y.map((value, i) => (mean += Math.max(SMOOTH, 1 / (i + 1)) * (value - mean))));
      g.stroke();
    }
    if (x.length < 2 || this.share) {
      g.fillStyle = ink;
      for (let i = x.length > 60 ? x.length : 0; i < x.length; i++) {
        g.beginPath();
        g.arc(px(x[i]), py(y[i]), 2.5, 0, 7);
        g.fill();
      }
    }
  }

  point(g, colour, shown, range, px, py, width) {
    const step = range.x0 + ((this.at - LEFT) / (width - RIGHT - LEFT)) * (range.x1 - range.x0);
    const lines = [];
    let place = null;
    for (const curve of shown) {
      let [low, high] = [0, curve.x.length - 1];
      while (low < high) { const middle = (low + high) >> 1; if (curve.x[middle] < step) low = middle + 1; else high = middle; }
      if (low > 0 && step - curve.x[low - 1] < curve.x[low] - step) low -= 1;
      place ??= curve.x[low];
      g.fillStyle = colour(`curve-${curve.i % 6}`);
      g.beginPath();
      g.arc(px(curve.x[low]), py(curve.y[low]), 4, 0, 7);
      g.fill();
      lines.push(`${curve.label} ${this.format(curve.y[low])}`);
    }
    this.tip.textContent = [this.tab.say("visit", { step: this.tab.number(place) }), ...lines].join("\n");
    this.tip.hidden = false;
    const left = Math.min(width - this.tip.offsetWidth - 4, Math.max(4, px(place) + 12));
    this.tip.style.left = `${px(place) + 12 + this.tip.offsetWidth > width ? Math.max(4, px(place) - this.tip.offsetWidth - 12) : left}px`;
  }
}

export const charts = {
  show(tab) {
    tab.drawn?.forEach(({ chart }) => chart.end());
    tab.drawn = SHOWN.map((spec) => ({ spec, chart: new Chart(tab, { ...spec, title: tab.say(`chart_${spec.name}`), note: tab.say(`chart_${spec.name}_note`) }) }));
    tab.charts.replaceChildren(...tab.drawn.map(({ chart }) => chart.element));
  },
  update(tab) {
    const judged = !tab.run.data || tab.known.form.judged.includes(tab.run.data);
    for (const { spec, chart } of tab.drawn ?? []) {
      const curves = spec.curves.filter((name) => tab.curves[name]).map((name) => ({ label: tab.say(`curve_${name}`), ...tab.curves[name] }));
      chart.set(curves, spec.share && !judged ? tab.say("chart_no_judge") : "");
    }
  },
};
