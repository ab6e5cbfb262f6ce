// Hand files to the browser's downloads, and write what goes into them: cells of CSV, text of XML.
const KEPT_MS = 10000; // the browser reads the address after this turn

/** Offer a text or blob as a file. */
export function download(content, name, type) {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  downloadFrom(url, name);
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

/** Save what an address gives under a name. */
export function downloadFrom(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}

/** The PNG of a canvas as a blob. */
export function pngOf(canvas) {
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** A text as a cell of a CSV table. */
export function csvCell(text) {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const MARKS = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text that XML may hold: its marks replaced, characters that it forbids left out. */
export function xmlText(value) {
  return String(value)
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
    .replace(/[&<>"']/g, (mark) => MARKS[mark]);
}
