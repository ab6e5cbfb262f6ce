// The surface of a decoded volume: three.js is loaded when the first one comes; says so where there is no WebGL.

export class MeshView {
  constructor(element) {
    this.element = element;
  }

  /** Load what draws; false where the browser has no WebGL. */
  async start() {
    if (this.isReady !== undefined) return this.isReady;
    this.isReady = false;
    const { Scene, canDraw } = await import("../surface/scene.js");
    if (!canDraw()) return false;
    this.scene = new Scene(this.element, "Surface; arrow keys turn it", () => {});
    this.isReady = true;
    return true;
  }

  /** Show a mesh; where the first one is looked at from, all others are, so that they can be compared. */
  show(mesh) {
    this.scene.show(mesh);
  }
}
