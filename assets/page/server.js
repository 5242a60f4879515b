// Questions to the server's routes.

export const address = (path) => new URL(path, document.baseURI).href;

// The JSON of an answer; what the server refuses is a sentence in its ``error``. Rejects where no answer comes.
export async function ask(method, path, question, more = {}) {
  const body = question === undefined ? {} : { body: JSON.stringify(question), headers: { "content-type": "application/json" } };
  const answer = await fetch(address(path), { method, ...body, ...more });
  if (!answer.ok && answer.headers.get("content-type")?.startsWith("text/plain")) return { error: await answer.text() }; // at the door
  const found = await answer.json();
  if (!answer.ok && !found.error) throw new Error(`status ${answer.status}`);
  return found;
}

// Saves what comes from there; gives "", or the sentence that comes instead, ``lost`` where nothing comes.
export async function download(path, lost) {
  try {
    const answer = await fetch(address(path));
    if (!answer.ok) return (await answer.json()).error;
    const name = /filename\*=UTF-8''(\S+)/.exec(answer.headers.get("content-disposition"))?.[1] ?? "mmgan.zip";
    const href = URL.createObjectURL(await answer.blob());
    Object.assign(document.createElement("a"), { href, download: decodeURIComponent(name) }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
    return "";
  } catch (error) {
    return lost;
  }
}
