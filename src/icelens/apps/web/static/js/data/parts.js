// Parts of the data page: thumbnails, facts of a set in a few words, problems with their fix.
import { element } from "../files/rows.js";
import { count, digits } from "../quantities.js";

const MOST_PROBLEMS = 20;

/** The middle of a tomogram; it opens in View. */
export function thumbnail(row) {
  if (!row.picture) return element("span", "no-thumb", "no volume");
  const link = document.createElement("a");
  link.href = `/view/slices?file=${encodeURIComponent(row.picture)}`;
  const picture = element("img", "thumb");
  picture.loading = "lazy";
  picture.width = 64;
  picture.height = 64;
  picture.alt = `Middle slice of ${row.name}; open in View`;
  picture.src = `/files/thumbnail?size=128&file=${encodeURIComponent(row.picture)}`;
  picture.addEventListener("error", () => link.replaceWith(element("span", "no-thumb", "cannot be read")));
  link.append(picture);
  return link;
}

/** Count, sampling and optics of a list of tomograms. */
export function factsOf({ count: number, rows }) {
  const of = (values, unit) => {
    const known = values.filter((value) => value !== null);
    if (!known.length) return "";
    const [low, high] = [Math.min(...known), Math.max(...known)];
    return `${low === high ? digits(low) : `${digits(low)} to ${digits(high)}`} ${unit}`;
  };
  const cells = (name) => rows.map((row) => row.cells[name]);
  const texts = [
    `${count(number)} ${number === 1 ? "tomogram" : "tomograms"}`,
    of(cells("pixel_size"), "Å/px"),
    cells("defocus").some(Boolean) ? `defocus ${of(cells("defocus").map((value) => value / 1e4), "µm")}` : "no defocus",
    of(rows.map((row) => row.voltage), "kV"),
  ];
  const problems = rows.reduce((sum, row) => sum + row.problems.length, 0);
  if (problems) texts.push(`⚠ ${problems} ${problems === 1 ? "problem" : "problems"}`);
  return texts.filter(Boolean).map((text) => element("span", "chip", text));
}

/** Problems of all rows; those with a fix have it as a button beside them. */
export function problemList(rows, onFix) {
  const found = rows.flatMap((row) => row.problems.map((problem) => [row, problem]));
  if (!found.length) return [];
  const list = element("ul", "problems");
  list.setAttribute("aria-label", "Problems found");
  for (const [row, problem] of found.slice(0, MOST_PROBLEMS)) list.append(line(row, problem, onFix));
  if (found.length > MOST_PROBLEMS) list.append(element("li", "muted", `${found.length - MOST_PROBLEMS} more`));
  return [list];
}

function line(row, problem, onFix) {
  const item = element("li");
  item.append(element("span", "", `${row.name}: ${problem.text}`));
  if (problem.fix && document.documentElement.dataset.readOnly !== "yes") {
    const button = element("button", "button small", problem.fix.fix);
    button.type = "button";
    button.addEventListener("click", () => { button.disabled = true; onFix(row, problem.fix); });
    item.append(button);
  } else if (!problem.fix && problem.text.includes("does not exist")) {
    const link = element("a", "button small", "List again");
    link.href = "/jobs/new?job=restore.prepare";
    item.append(link);
  }
  return item;
}
