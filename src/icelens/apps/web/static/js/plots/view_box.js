// Zoom and pan of an SVG that is larger than its frame, by its viewBox: drag, wheel and keys.

const LEAST_SCALE = 0.05;
const MOST_SCALE = 4;
const READABLE_SCALE = 0.85;

export class ViewBox {
  /** Take over an SVG whose `data-width` and `data-height` say how large its drawing is. */
  constructor(svg) {
    this.adopt(svg);
  }

  /** Go on with another SVG in the same place, looking at the same part. */
  adopt(svg) {
    this.svg = svg;
    this.full = { width: Number(svg.dataset.width), height: Number(svg.dataset.height) };
    svg.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    svg.addEventListener("pointerdown", (event) => this.onDown(event));
    svg.addEventListener("keydown", (event) => this.onKey(event));
    if (!this.scale) {
      this.begin();
      return;
    }
    if (this.height) svg.style.height = this.height;
    this.apply();
  }

  get frame() {
    return { width: this.svg.clientWidth || 1, height: this.svg.clientHeight || 1 };
  }

  /** The whole drawing if it is readable then, or its beginning. */
  begin() {
    this.scale = Math.min(1, Math.max(READABLE_SCALE, this.wholeScale()));
    const needed = Math.max(220, this.full.height * this.scale);
    if (needed < this.frame.height) this.height = `${needed}px`;
    if (this.height) this.svg.style.height = this.height;
    this.x = Math.min(0, (this.full.width - this.frame.width / this.scale) / 2);
    this.y = Math.min(0, (this.full.height - this.frame.height / this.scale) / 2);
    this.apply();
  }

  whole() {
    this.scale = Math.min(1, this.wholeScale());
    this.x = (this.full.width - this.frame.width / this.scale) / 2;
    this.y = (this.full.height - this.frame.height / this.scale) / 2;
    this.apply();
  }

  /** Put a place of the drawing into the middle. */
  centre(x, y) {
    this.x = x - this.frame.width / this.scale / 2;
    this.y = y - this.frame.height / this.scale / 2;
    this.apply();
  }

  wholeScale() {
    return Math.min(this.frame.width / this.full.width, this.frame.height / this.full.height);
  }

  /** Change the scale about a place of the frame in pixels, its middle by default. */
  zoom(factor, px = this.frame.width / 2, py = this.frame.height / 2) {
    const scale = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, this.scale * factor));
    this.x += px / this.scale - px / scale;
    this.y += py / this.scale - py / scale;
    this.scale = scale;
    this.apply();
  }

  apply() {
    const { width, height } = this.frame;
    this.svg.setAttribute("viewBox", `${this.x} ${this.y} ${width / this.scale} ${height / this.scale}`);
  }

  onWheel(event) {
    event.preventDefault();
    const box = this.svg.getBoundingClientRect();
    this.zoom(Math.exp(-event.deltaY / 500), event.clientX - box.left, event.clientY - box.top);
  }

  onDown(event) {
    if (event.button !== 0) return;
    const start = { x: this.x, y: this.y, px: event.clientX, py: event.clientY };
    let isDrag = false;
    const move = (next) => {
      const [dx, dy] = [next.clientX - start.px, next.clientY - start.py];
      isDrag = isDrag || Math.hypot(dx, dy) > 4;
      if (!isDrag) return;
      this.svg.classList.add("is-dragged");
      this.x = start.x - dx / this.scale;
      this.y = start.y - dy / this.scale;
      this.apply();
    };
    const end = () => {
      this.svg.classList.remove("is-dragged");
      window.removeEventListener("pointermove", move);
      // a drag that ends on a link must not follow it
      if (isDrag) window.addEventListener("click", (click) => click.preventDefault(), { capture: true, once: true });
    };
    event.target.closest("a")?.setAttribute("draggable", "false");
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end, { once: true });
  }

  onKey(event) {
    const steps = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, -60], ArrowDown: [0, 60] };
    if (steps[event.key] && event.target === this.svg) {
      this.x += steps[event.key][0] / this.scale;
      this.y += steps[event.key][1] / this.scale;
      this.apply();
    } else if (event.key === "+" || event.key === "=") this.zoom(1.25);
    else if (event.key === "-") this.zoom(0.8);
    else if (event.key === "0") this.whole();
    else return;
    event.preventDefault();
  }
}
