// Hear from the server what changed: one websocket for a page, closed while nobody looks at it.
const listeners = new Set();
let socket = null;
let wait = 500;
let missed = false;
let failures = 0;

function open() {
  if (socket || document.hidden) return;
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}/live`);
  socket.onopen = () => {
    wait = 500;
    say(0);
    if (missed) tell({ jobs: null });
    missed = false;
  };
  socket.onmessage = (event) => tell(JSON.parse(event.data));
  socket.onclose = () => {
    socket = null;
    missed = true;
    if (document.hidden) return;
    say(failures + 1);
    setTimeout(open, wait);
    wait = Math.min(wait * 2, 8000);
  };
}

function say(count) {
  failures = count;
  document.body.dispatchEvent(new CustomEvent("connection", { detail: failures }));
}

function tell(message) {
  for (const listener of listeners) listener(message);
  if ("jobs" in message) document.body.dispatchEvent(new CustomEvent("jobs-changed", { detail: message }));
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) socket?.close();
  else open();
});
open();

/** Call back with {jobs: [numbers] or null for all, ...}; returns what stops it. */
export function onChange(callback) {
  listeners.add(callback);
  return () => listeners.delete(callback);
}
