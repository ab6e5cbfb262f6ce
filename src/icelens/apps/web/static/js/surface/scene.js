// One surface in a canvas: lights, camera, and turning it by mouse, touch and keys.

import * as THREE from "../../vendor/three/three.module.min.js";
import { OrbitControls } from "../../vendor/three/OrbitControls.js";
import { pngOf } from "../downloads.js";
import { PLAIN, vertexColours } from "./colours.js";

const TURN = Math.PI / 24;
const FIELD_OF_VIEW = 28;

/** Whether this browser can draw in three dimensions. */
export function canDraw() {
  try {
    const context = document.createElement("canvas").getContext("webgl2");
    context?.getExtension("WEBGL_lose_context")?.loseContext();
    return Boolean(context);
  } catch {
    return false;
  }
}

export class Scene {
  /** Draws into `element`; `onTurn(scene)` is called when the user moves the camera. */
  constructor(element, label, onTurn) {
    this.element = element;
    this.renderer = new THREE.WebGLRenderer({ antialias: true, alpha: true });
    this.canvas = this.renderer.domElement;
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", label);
    element.append(this.canvas);
    this.scene = new THREE.Scene();
    this.camera = new THREE.PerspectiveCamera(FIELD_OF_VIEW, 1, 0.1, 1000);
    this.scene.add(this.camera);
    this.addLights();
    this.controls = new OrbitControls(this.camera, this.canvas);
    this.controls.addEventListener("change", () => {
      this.draw();
      if (!this.isFollowing) onTurn(this);
    });
    this.material = new THREE.MeshStandardMaterial({ color: PLAIN, roughness: 0.62, metalness: 0, side: THREE.DoubleSide });
    this.mesh = new THREE.Mesh(new THREE.BufferGeometry(), this.material);
    this.scene.add(this.mesh);
    this.isFramed = false;
    this.isFollowing = false;
    this.frame = 0;
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(element);
  }

  /** The lights turn with the camera, as if one turned the map in one's hand. */
  addLights() {
    this.camera.add(new THREE.HemisphereLight(0xffffff, 0x5a5a66, 1.5));
    const key = new THREE.DirectionalLight(0xffffff, 2.1);
    key.position.set(-0.45, 0.6, 1);
    const fill = new THREE.DirectionalLight(0xffffff, 0.5);
    fill.position.set(0.8, -0.2, 0.6);
    this.camera.add(key, fill);
  }

  /** Show a mesh from `fetchMesh`; the first one decides where the camera stands. */
  show(mesh) {
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(mesh.positions, 3));
    geometry.setAttribute("normal", new THREE.BufferAttribute(mesh.normals, 3));
    geometry.setIndex(new THREE.BufferAttribute(mesh.triangles, 1));
    this.mesh.geometry.dispose();
    this.mesh.geometry = geometry;
    this.values = mesh.values;
    this.setColours(mesh.facts.colour);
    if (!this.isFramed && mesh.facts.vertices) this.home();
    this.draw();
  }

  /** Colour by the values between low and high, or plainly. */
  setColours(range) {
    const isColoured = Boolean(this.values && range);
    if (isColoured) {
      const colours = vertexColours(this.values, range.low, range.high);
      this.mesh.geometry.setAttribute("color", new THREE.BufferAttribute(colours, 3));
    }
    this.material.vertexColors = isColoured;
    this.material.color.set(isColoured ? 0xffffff : PLAIN);
    this.material.needsUpdate = true;
    this.draw();
  }

  /** All of the surface in view, from the front: x to the right, y up. */
  home() {
    const { geometry } = this.mesh;
    if (!geometry.getAttribute("position")?.count) return;
    geometry.computeBoundingSphere();
    const { center, radius } = geometry.boundingSphere;
    const narrow = Math.min(1, this.camera.aspect);
    const distance = (1.08 * radius) / Math.sin((FIELD_OF_VIEW / 2) * (Math.PI / 180)) / narrow;
    this.radius = radius;
    this.controls.target.copy(center);
    this.camera.position.set(center.x, center.y, center.z + distance);
    this.camera.up.set(0, 1, 0);
    this.camera.near = Math.max(distance / 100, distance - 6 * radius);
    this.camera.far = distance + 20 * radius;
    this.camera.updateProjectionMatrix();
    this.controls.minDistance = radius / 10;
    this.controls.maxDistance = 12 * radius;
    this.isFramed = true;
    this.controls.update();
    this.draw();
  }

  /** Look as another scene does, about this one's own middle. */
  follow(other) {
    if (!this.isFramed || !other.isFramed) return;
    this.isFollowing = true;
    const scale = this.radius / other.radius;
    const offset = other.camera.position.clone().sub(other.controls.target);
    this.camera.position.copy(this.controls.target).addScaledVector(offset, scale);
    this.camera.up.copy(other.camera.up);
    this.controls.update();
    this.isFollowing = false;
    this.draw();
  }

  /** Arrows turn, + and - come nearer and go away, Home returns. */
  key(event) {
    const turns = { ArrowLeft: [-TURN, 0], ArrowRight: [TURN, 0], ArrowUp: [0, -TURN], ArrowDown: [0, TURN] };
    const zooms = { "+": 0.88, "=": 0.88, "-": 1.14 };
    const offset = this.camera.position.clone().sub(this.controls.target);
    if (turns[event.key]) {
      const around = new THREE.Spherical().setFromVector3(offset);
      around.theta += turns[event.key][0];
      around.phi += turns[event.key][1];
      offset.setFromSpherical(around.makeSafe());
    } else if (zooms[event.key]) offset.multiplyScalar(zooms[event.key]);
    else if (event.key === "Home") this.home();
    else return;
    event.preventDefault();
    if (event.key !== "Home") this.camera.position.copy(this.controls.target).add(offset);
    this.controls.update();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width || !height) return;
    this.renderer.setPixelRatio(Math.min(2, window.devicePixelRatio));
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.render();
  }

  /** Draw before the next picture of the screen. */
  draw() {
    this.frame ||= requestAnimationFrame(() => this.render());
  }

  render() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.renderer.render(this.scene, this.camera);
  }

  /** A PNG of what is seen, on a ground of the given colour. */
  async png(ground) {
    this.scene.background = new THREE.Color(ground);
    this.render();
    const blob = await pngOf(this.canvas);
    this.scene.background = null;
    this.render();
    return blob;
  }
}
