// One request to the REST API with the cookie of who is signed in, and what became of it.
import { locale } from "../locale.js";
import { loginAddress, word } from "./words.js";

const API = "/api/v1/";
// "1 second", "30 seconds": the browser knows the forms of every language.
const seconds = new Intl.NumberFormat(locale, { style: "unit", unit: "second", unitDisplay: "long" });

// The API refused: `code`, `errors` by field, and `message` for people.
export class Refusal extends Error {
  constructor(status, answer, retryAfter) {
    super([answer.message, retryAfter && word("wait", { time: seconds.format(retryAfter) })].filter(Boolean).join(" "));
    Object.assign(this, { status, code: answer.code, errors: answer.errors ?? {}, retryAfter });
  }
}

// No answer came. What only reads can be asked again; what moves money is repeated with the same Idempotency-Key.
export class Lost extends Error {}

// The person left the question whether it is them: nothing is to be said about it.
export class GivenUp extends Error {}

function headersOf(method, body, more) {
  const headers = { Accept: "application/json", ...more };
  if (method !== "GET") headers["X-CSRFToken"] = document.querySelector("[name=csrfmiddlewaretoken]").value;
  if (body !== undefined && !(body instanceof FormData)) headers["Content-Type"] = "application/json";
  return headers;
}

// The envelope of a success. Throws Refusal or Lost; who is signed out is led to the login and back.
export async function send(method, path, body, more = {}) {
  const asked = { method, headers: headersOf(method, body, more), cache: "no-store" };
  if (body !== undefined) asked.body = body instanceof FormData ? body : JSON.stringify(body);
  let response;
  try {
    response = await fetch(path.startsWith("/") ? path : API + path, asked);
  } catch {
    throw new Lost(word("lost"));
  }
  const answer = await response.json().catch(() => null);
  if (response.status === 401 && answer?.code !== "invalid_credentials") return leaveToLogin();
  if (response.ok && answer) return answer;
  throw new Refusal(response.status, said(response, answer), response.headers.get("Retry-After"));
}

function said(response, answer) {
  if (!answer?.message) return { message: word("broken"), code: "" };
  if (response.status !== 500) return answer;
  return { ...answer, message: `${answer.message} ${word("number", { number: answer.request_id })}` };
}

function leaveToLogin() {
  location.assign(`${loginAddress}?next=${encodeURIComponent(location.pathname + location.search)}`);
  return new Promise(() => {}); // The page is gone before anybody gets an answer.
}
