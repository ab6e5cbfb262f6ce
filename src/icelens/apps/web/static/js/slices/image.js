// A plane as a picture that a canvas can draw: codes through a lookup table.

const TABLES = 24;
const tables = new Map();

/** Pixels of a plane; the picture is made anew only when plane or contrast changed. */
export class PlaneImage {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.plane = null;
    this.key = "";
  }

  /** Paint a plane with a table from `tableFor`. */
  paint(plane, key, table) {
    if (this.plane === plane && this.key === key) return;
    if (this.canvas.width !== plane.columns || this.canvas.height !== plane.rows) {
      this.canvas.width = plane.columns;
      this.canvas.height = plane.rows;
    }
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(plane.columns, plane.rows);
    const pixels = new Uint32Array(image.data.buffer);
    const { codes, rows, columns } = plane;
    // the first row of a plane is drawn last: rows go up
    for (let row = 0; row < rows; row += 1) {
      let source = (rows - 1 - row) * columns;
      const start = row * columns;
      for (let column = 0; column < columns; column += 1, source += 1) {
        pixels[start + column] = table[codes[source]];
      }
    }
    context.putImageData(image, 0, 0);
    this.plane = plane;
    this.key = key;
  }
}

/** A lookup table from a small cache; `make` is called where there is none. */
export function tableFor(key, make) {
  let table = tables.get(key);
  if (!table) {
    table = make();
    tables.set(key, table);
    if (tables.size > TABLES) tables.delete(tables.keys().next().value);
  }
  return table;
}
