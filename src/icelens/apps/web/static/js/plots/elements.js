// Small pieces of pages that plots are made of.

/** An element with a class and a text. */
export function make(name, className, text = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/** A small button that says in its label what it does. */
export function button(text, help, onClick) {
  const made = make("button", "plot-button", text);
  made.type = "button";
  made.title = help;
  made.setAttribute("aria-label", help);
  made.addEventListener("click", onClick);
  return made;
}
