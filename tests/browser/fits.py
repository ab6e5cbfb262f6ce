"""What a page must not do at any width: scroll sideways, or cut its words."""

WIDTHS = (820, 1280, 1600)
TOO_WIDE = """() => {
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  if (wide <= 0) return "";
  const guilty = [...document.querySelectorAll("body *")]
    .filter((each) => each.getBoundingClientRect().right > window.innerWidth + 0.5)
    .slice(-3).map((each) => `${each.tagName}.${each.className}`);
  return `${wide} px too wide: ${guilty.join(", ")}`;
}"""
CUT = """() => [...document.querySelectorAll(
    "main button, main .button, main label, main h1, main h2, .rail a")]
  .filter((each) => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1
    && getComputedStyle(each).overflow !== "visible" && !each.title
    && !each.closest(".visually-hidden"))
  .map((each) => each.textContent.trim().slice(0, 40))"""
"""Words that are cut, and have no title that says them whole."""
