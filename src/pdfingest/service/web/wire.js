"use strict";
/* What the page asks the service, and what it does about answers that are none.

   All addresses are relative to the page, which a proxy may show under a path of its own. */

const ASKED = 200;  // ids in one request, as the service takes them

/* An answer that is no success, in words that can be shown. Status 0: no answer. */
class Trouble extends Error {
  constructor(words, status = 0, problem = null, wait = 0) {
    super(words);
    Object.assign(this, { status, problem, wait });
  }

  get wantsKey() { return wantsKey(this.status, this.problem); }
}

function wantsKey(status, problem) {
  return status === 401
    || (status === 403 && problem?.type === "urn:pdfingest:problem:not-for-this-key");
}

function sleep(seconds) { return new Promise((resolve) => setTimeout(resolve, 1000 * seconds)); }

/* The key lives as long as the tab. It is never part of an address, a cookie or a file. */
let key = "";
try { key = sessionStorage.getItem("key") ?? ""; } catch { /* the browser keeps nothing */ }

function keepKey(text) {
  key = text;
  try { sessionStorage.setItem("key", text); } catch { /* it is kept until the page is left */ }
}

function keyHeaders() { return key ? { "X-API-Key": key } : {}; }

/* Ask for something; `take` reads the body, which may break off as well. */
async function ask(path, { method = "GET", accept = "", take = (answer) => answer.json() } = {}) {
  let answer, problem;
  try {
    const headers = { ...keyHeaders(), ...(accept && { Accept: accept }) };
    answer = await fetch(path, { method, headers, cache: "no-store" });
    if (answer.ok) return await take(answer);
    problem = await answer.json().catch(() => null);
  } catch (error) {
    // The browser's own words are "Failed to fetch" or "network error", which help nobody.
    throw new Trouble(error instanceof SyntaxError
      ? "The answer was not understood. Is this the service, or a page that asks for a login?"
      : UNREACHABLE);
  }
  const { status } = answer;
  const wait = secondsOf(answer.headers.get("Retry-After"));
  throw new Trouble(wordsOfProblem(problem, status), status, problem, wait);
}

function pathOf(id) { return `v1/jobs/${encodeURIComponent(id)}`; }

function queryOf(ids) { return ids.map((id) => `id=${encodeURIComponent(id)}`).join("&"); }

function* chunks(list, size = ASKED) {
  for (let i = 0; i < list.length; i += size) yield list.slice(i, i + size);
}

/* A name that nobody else has. `randomUUID` is missing where the page came over plain HTTP. */
function newName() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/* Send a file. Gives {status, body, wait}; status 0 where no answer came. */
function post(row, onProgress) {
  return new Promise((resolve) => {
    const form = new FormData(), request = new XMLHttpRequest();  // fetch tells no progress
    for (const [name, value] of row.options) form.append(name, value);
    form.append("file", row.file);
    request.open("POST", "v1/jobs");
    request.responseType = "json";
    const headers = { ...keyHeaders(), "Idempotency-Key": row.sending };
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onProgress(event.loaded, event.total);
    request.onerror = request.onabort = () => resolve({ status: 0, body: null, wait: 0 });
    request.onload = () => resolve({ status: request.status, body: request.response,
      wait: secondsOf(request.getResponseHeader("Retry-After")) });
    row.abort = () => request.abort();
    request.send(form);
  });
}

/* Whether the service, or anything in its place, answers. */
async function answers() {
  try { await fetch("healthz", { cache: "no-store" }); return true; } catch { return false; }
}
