// Change the title of a job in its place: Enter or leaving the field keeps it, Escape does not.
import { send } from "../api.js";
import { attempt } from "../toast.js";

document.addEventListener("click", (event) => {
  if (event.target.closest("#rename")) edit(document.getElementById("title"));
});

function edit(heading) {
  if (heading.querySelector("input")) return;
  const before = heading.textContent;
  const input = document.createElement("input");
  input.value = before;
  input.maxLength = 200;
  input.className = "title-input";
  input.setAttribute("aria-label", "Title");
  input.dataset.editing = "yes";
  heading.replaceChildren(input);
  input.select();
  let isOver = false;
  const finish = async (isKept) => {
    if (isOver) return;
    isOver = true;
    const wanted = input.value.trim();
    heading.textContent = before;
    if (!isKept || !wanted || wanted === before) return;
    heading.textContent = wanted;
    const number = document.getElementById("job").dataset.number;
    const answer = await attempt(() => send("PATCH", `/api/jobs/${number}`, { title: wanted }));
    heading.textContent = answer?.title ?? before;
  };
  input.addEventListener("blur", () => finish(true));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") finish(true);
    if (event.key === "Escape") finish(false);
  });
}
