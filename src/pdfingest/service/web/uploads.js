"use strict";
/* Sends files: each has a row at once, four are on their way at a time, and what the service
   refuses for the moment is sent again when it says so. */

const LANES = 4;
const BREAKS = 5;        // broken connections, with a service that answers, until a file is given up
const RETRIED = [429, 502, 503, 504];
const RETRY_S = 5;       // seconds where the service does not say when to come again
const queue = [];
let lanes = 0, heldUntil = 0, withoutKey = false, reaching = null, refusals = 0;

function isSending() { return lanes > 0; }

/* The options as they are now; later changes are for later files. */
function chosen() {
  const options = ["engine", "unit", "format"].map((name) => [name, at(name).value.trim()]);
  if (at("tables").checked) options.push(["tables", "true"]);
  if (at("ocr").checked) options.push(["ocr", "auto"]);
  for (const input of document.querySelectorAll("input.password")) options.push(["password", input.value]);
  return options.filter(([, value]) => value);
}

function take(files) {
  complain("");
  refusals = 0;
  const options = chosen();
  const taken = files.map((file) => {
    const row = new Row(file.name);
    row.line.dataset.at = Infinity;
    enqueue(row, file, options);
    return row;
  });
  at("rows").prepend(...taken.map((row) => row.line));
  drain();
  summarise();
}

function enqueue(row, file, options) {
  Object.assign(row, { file, options, recalled: false, abort: null, sending: newName() });
  row.show("waiting", "waits to be sent");
  queue.push(row);
}

/* Send a refused file again, with the options that are chosen now. */
function again(row) {
  complain("");
  enqueue(row, row.file, chosen());
  drain();
  summarise();
}

/* Stop to send a file. */
function recall(row) {
  row.recalled = true;
  if (queue.includes(row)) queue.splice(queue.indexOf(row), 1);
  row.abort?.();
  row.remove();
}

function drain() {
  while (lanes < LANES && queue.length && !withoutKey) {
    lanes += 1;
    send(queue.shift()).catch(console.error).finally(() => {
      lanes -= 1;
      drain();
      if (lanes) lookSoon(); else lookNow();
      summarise();
    });
  }
}

async function send(row) {
  // What a folder or a moved file gives looks like a broken connection, so it is tried first.
  const first = await row.file.slice(0, 1).arrayBuffer().catch(() => null);
  if (!first) return refuse(row, "The browser cannot read it: it is a folder, or was moved.");
  for (let breaks = 0; ;) {
    await untilAllowed(row);
    if (row.recalled) return;
    row.show("sending", "sending", { done: 0, total: row.file.size });
    const asked = era;
    const { status, body, wait } = await post(row, (done, total) => {
      row.show("sending", done < total ? "sending" : "sent, waits for the answer", { done, total });
    });
    if (row.recalled) return;
    if (status === 0) {
      breaks += 1;
      if (breaks === BREAKS) return refuse(row, `The connection broke ${BREAKS} times while it was sent.`);
      row.show("sending", "waits for the service");
      await untilReached();
    } else if (RETRIED.includes(status)) {
      row.reason = wordsOfProblem(body, status);
      heldUntil = Math.max(heldUntil, Date.now() + 1000 * (wait || RETRY_S));
    } else if (wantsKey(status, body)) {
      if (asked !== era) continue;  // another key came meanwhile
      return askForKey(row, new Trouble(wordsOfProblem(body, status), status, body));
    } else if (status < 300 && typeof body?.id === "string") {
      return adopt(row, body);
    } else {
      return refuse(row, status < 300 ? "The answer was not understood." : wordsOfProblem(body, status));
    }
  }
}

/* Wait as long as the service asked for; all lanes wait together. */
async function untilAllowed(row) {
  for (let left; (left = heldUntil - Date.now()) > 0 && !row.recalled;) {
    row.show("sending", `sent again in ${Math.ceil(left / 1000)} s`, { why: row.reason });
    await sleep(Math.min(left / 1000, 1));
  }
}

/* Wait until the service answers; all lanes wait for the same. */
function untilReached() {
  reaching ??= (async () => {
    for (let wait = 1; !(await answers()); wait = Math.min(2 * wait, MOST_WAIT_S)) {
      disconnect(`${UNREACHABLE} Trying again…`);
      await sleep(wait);
    }
    disconnect("");
    reaching = null;
  })();
  return reaching;
}

/* The service took a file: the row shows its job from now on. */
function adopt(row, job) {
  const other = known.get(job.id);
  if (other && other !== row) { row.remove(); other.update(job); }
  else {
    if (!other) total += 1;
    row.update(job);
    if (denied) row.doubt();
  }
  summarise();
}

function askForKey(row, trouble) {
  withoutKey = true;
  queue.unshift(row);
  row.show("waiting", "waits for an API key");
  explain(trouble);
}

function refuse(row, why) {
  row.show("refused", "refused", { why });
  refusals += 1;
  complain(refusals === 1 ? `${row.label}: ${why}`
    : `${refusals} files were refused. Each has the reason beside it.`);
  summarise();
}

/* Go on with another key; what belongs to the one before is not shown any more. */
function useKey(text) {
  era += 1;
  keepKey(text);
  for (const row of [...rows]) if (row.job) row.remove();
  total = 0;
  listed = false;
  withoutKey = denied = false;
  complain("");
  drain();
  lookNow();
}
