// The slider through pictures of a training: the old picture stays until the new one is there.
document.addEventListener("input", (event) => {
  const figure = event.target.closest("[data-series]");
  if (!figure || event.target.type !== "range") return;
  const chosen = figure.querySelectorAll("li")[Number(event.target.value)];
  figure.querySelector("output").textContent = chosen.dataset.step;
  event.target.setAttribute("aria-valuetext", chosen.dataset.step);
  show(figure, chosen);
});

function show(figure, chosen) {
  const [link, image] = [figure.querySelector("a"), figure.querySelector("img")];
  figure.dataset.wanted = chosen.dataset.url;
  const next = new Image();
  next.onload = () => {
    if (figure.dataset.wanted !== chosen.dataset.url) return;
    image.src = chosen.dataset.url;
    image.alt = image.alt.replace(/[\d\u2009]+$/, chosen.dataset.step);
    link.href = chosen.dataset.url;
  };
  next.src = chosen.dataset.url;
}

// a picture that cannot be shown leaves its name rather than a broken frame
document.addEventListener("error", (event) => {
  if (event.target.matches?.(".picture img")) event.target.closest(".picture").classList.add("broken");
}, true);
