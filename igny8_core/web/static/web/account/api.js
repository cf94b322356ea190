// Calls the REST API. Where it asks who it is once more, the person is asked, and the request goes on.
import { confirmItIsYou } from "./confirming.js";
import { send } from "./send.js";

export { GivenUp, Lost, Refusal } from "./send.js";

// call("POST", "billing/credits/purchase/", {…}, key) → { data, message, count, next, previous }.
// `key`: one click is one deed (Idempotency-Key), see keyOf in forms.js.
export async function call(method, path, body, key = "") {
  const headers = key ? { "Idempotency-Key": key } : {};
  try {
    return await send(method, path, body, headers);
  } catch (problem) {
    if (problem.code !== "confirmation_required") throw problem;
    await confirmItIsYou();
    return send(method, path, body, headers);
  }
}

export const read = (path) => call("GET", path);

// All rows of a list, page after page.
export async function readAll(path) {
  const rows = [];
  for (let page = 1, more = true; more; page += 1) {
    const { data, next } = await read(`${path}${path.includes("?") ? "&" : "?"}page_size=100&page=${page}`);
    rows.push(...data);
    more = Boolean(next);
  }
  return rows;
}
