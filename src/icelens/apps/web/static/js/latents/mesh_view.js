// A surface that can be turned: three.js, loaded when the first volume comes; says so where there is no WebGL.
const PALE = 0xc9d6e6;

export class MeshView {
  constructor(element) {
    this.element = element;
  }

  /** Load what draws; false where the browser has no WebGL. */
  async start() {
    if (this.isReady !== undefined) return this.isReady;
    this.isReady = false;
    const three = await import("../../vendor/three/three.module.min.js");
    const { OrbitControls } = await import("../../vendor/three/OrbitControls.js");
    let renderer;
    try {
      renderer = new three.WebGLRenderer({ antialias: true, alpha: true, preserveDrawingBuffer: true });
    } catch {
      return false;
    }
    this.three = three;
    this.renderer = renderer;
    this.scene = new three.Scene();
    this.camera = new three.PerspectiveCamera(30, 1, 1, 10000);
    const light = new three.DirectionalLight(0xffffff, 2.2);
    light.position.set(0.4, 0.7, 1);
    this.camera.add(light);
    this.scene.add(this.camera, new three.HemisphereLight(0xffffff, 0x556070, 1.1));
    this.material = new three.MeshStandardMaterial({ color: PALE, roughness: 0.75, side: three.DoubleSide });
    this.mesh = new three.Mesh(new three.BufferGeometry(), this.material);
    this.scene.add(this.mesh);
    renderer.domElement.tabIndex = 0;
    renderer.domElement.setAttribute("aria-label", "Surface; arrow keys turn it");
    this.element.append(renderer.domElement);
    this.controls = new OrbitControls(this.camera, renderer.domElement);
    this.controls.addEventListener("change", () => this.draw());
    renderer.domElement.addEventListener("keydown", (event) => this.turn(event));
    new ResizeObserver(() => this.resize()).observe(this.element);
    this.isReady = true;
    this.resize();
    return true;
  }

  /** Show positions and normals (Float32Array, xyz, Å) and triangles (Uint32Array). */
  show({ positions, normals, triangles }) {
    const { three } = this, geometry = new three.BufferGeometry();
    geometry.setAttribute("position", new three.BufferAttribute(positions, 3));
    geometry.setAttribute("normal", new three.BufferAttribute(normals, 3));
    geometry.setIndex(new three.BufferAttribute(triangles, 1));
    this.mesh.geometry.dispose();
    this.mesh.geometry = geometry;
    // the first volume says where to look from; all others are seen from there, so that they can be compared
    if (!this.isAimed && positions.length) this.aim(geometry);
    this.draw();
  }

  aim(geometry) {
    geometry.computeBoundingSphere();
    const { center, radius } = geometry.boundingSphere;
    this.isAimed = true;
    this.controls.target.copy(center);
    this.camera.position.set(center.x, center.y, center.z + radius * 4.6);
    this.camera.near = radius / 50;
    this.camera.far = radius * 60;
    this.camera.updateProjectionMatrix();
    this.controls.update();
  }

  turn(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const { three, camera } = this;
    const { target } = this.controls;
    const place = new three.Spherical().setFromVector3(camera.position.clone().sub(target));
    place.theta += 0.15 * way[0];
    place.phi = Math.min(3.0, Math.max(0.1, place.phi + 0.15 * way[1]));
    camera.position.setFromSpherical(place).add(target);
    camera.lookAt(target);
    this.draw();
  }

  resize() {
    const { width, height } = this.element.getBoundingClientRect();
    if (!this.isReady || width < 1 || height < 1) return;
    this.renderer.setPixelRatio(window.devicePixelRatio || 1);
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.draw();
  }

  draw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      this.renderer.render(this.scene, this.camera);
    });
  }
}
