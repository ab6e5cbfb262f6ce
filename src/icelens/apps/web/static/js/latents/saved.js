// Where something was saved, and the command that goes on from there, with a button that copies it.
import { copy } from "../toast.js";

/** Show a file and a command in an element. */
export function showSaved(element, file, command) {
  element.replaceChildren();
  const line = document.createElement("p"), code = document.createElement("code"), button = document.createElement("button");
  line.textContent = `Saved ${file}`;
  code.textContent = command;
  button.type = "button";
  button.className = "button small";
  button.textContent = "Copy command";
  button.addEventListener("click", () => copy(command, "command copied"));
  element.append(line, code, button);
}
