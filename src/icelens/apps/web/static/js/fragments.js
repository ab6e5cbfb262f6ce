// Fetch pieces of pages that the server made; scripts in them never run.
export async function fetchPiece(url, options) {
  const answer = await fetch(url, options);
  if (!answer.ok) throw new Error(`the server said ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html").body;
}

/** Call a function once a while after the last of many calls; calls while it works are kept for after. */
export function settled(action, milliseconds) {
  let timer = 0;
  let isWorking = false;
  let isAsked = false;
  const run = async () => {
    if (isWorking) {
      isAsked = true;
      return;
    }
    isWorking = true;
    try {
      await action();
    } catch {
      // the next change asks again; a lost connection is said elsewhere
    } finally {
      isWorking = false;
    }
    if (isAsked) {
      isAsked = false;
      ask();
    }
  };
  const ask = () => {
    clearTimeout(timer);
    timer = setTimeout(run, milliseconds);
  };
  return ask;
}
