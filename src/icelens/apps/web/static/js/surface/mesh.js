// Meshes from the server: bytes to arrays.

import { getBinary } from "../api.js";

/** Fetch a mesh: positions and normals (x, y, z), values or null, triangles, and facts about them. */
export async function fetchMesh({ file, level, colour, box, isDark, hideDust }, signal) {
  const query = new URLSearchParams({ file, box, is_dark: isDark, hide_dust: hideDust });
  if (level !== null) query.set("level", level);
  if (colour) query.set("colour", colour);
  const { headers, buffer } = await getBinary(`/api/surface/mesh?${query}`, { signal });
  return unpacked(JSON.parse(headers.get("X-Shape")), buffer);
}

/** The arrays of a mesh, as views into its bytes. */
export function unpacked(facts, buffer) {
  const { vertices, triangles, is_coloured: isColoured } = facts;
  let offset = 0;
  const take = (Type, count) => {
    const part = new Type(buffer, offset, count);
    offset += part.byteLength;
    return part;
  };
  return {
    facts,
    positions: take(Float32Array, vertices * 3),
    normals: take(Float32Array, vertices * 3),
    values: isColoured ? take(Float32Array, vertices) : null,
    triangles: take(Uint32Array, triangles * 3),
  };
}
