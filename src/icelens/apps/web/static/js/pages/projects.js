// Open another project; the frame goes to its start page when the server says that it changed.
import { send } from "../api.js";

const problem = document.getElementById("folder-problem");

async function open(folder) {
  try {
    await send("POST", "/api/project", { folder });
    location.assign("/");
  } catch (error) {
    problem.textContent = error.message;
    document.getElementById("folder").focus();
  }
}

document.getElementById("open-project")?.addEventListener("submit", (event) => {
  event.preventDefault();
  problem.textContent = "";
  open(document.getElementById("folder").value.trim());
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-open]");
  if (button) open(button.dataset.open);
});
