// A line in the corner that goes by itself; mistakes stay until they are clicked away.
export function toast(text, kind = "") {
  const box = document.createElement("div");
  box.className = `toast ${kind}`;
  box.textContent = text;
  box.addEventListener("click", () => box.remove());
  document.getElementById("toasts").append(box);
  if (kind !== "failed") setTimeout(() => box.remove(), 6000);
  return box;
}

/** Do something; say what went wrong if it does. */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    if (error.name !== "AbortError") toast(error.message, "failed");
    return undefined;
  }
}

/** Put a text on the clipboard and say so. */
export async function copy(text, what = "copied") {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast(what);
}
