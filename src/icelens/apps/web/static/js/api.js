// Ask the server; what it refuses becomes an Error with its own line.
async function ask(method, url, body, options = {}) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  let answer;
  try {
    answer = await fetch(url, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the workbench does not answer; start it again with icelens serve");
  }
  if (!answer.ok) throw await mistake(answer);
  return answer;
}

async function mistake(answer) {
  let text = `the server said ${answer.status}`;
  try {
    text = (await answer.json()).error ?? text;
  } catch {
    // no JSON: the status must do
  }
  const error = new Error(text);
  error.status = answer.status;
  return error;
}

export async function getJson(url, options) {
  return (await ask("GET", url, undefined, options)).json();
}

export async function getBinary(url, options) {
  const answer = await ask("GET", url, undefined, options);
  return { headers: answer.headers, buffer: await answer.arrayBuffer() };
}

export async function send(method, url, body, options) {
  const answer = await ask(method, url, body, options);
  return answer.status === 204 ? null : answer.json();
}
