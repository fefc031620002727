"use strict";
/* What the page says: plain words for states, failures and problems.
   Touches no element and asks nothing. */

const MIB = 1024 * 1024;
const OPEN = ["queued", "running"];
const UNREACHABLE = "The service cannot be reached.";

const STATES = { queued: "queued", running: "reading", done: "done", failed: "failed",
  cancelled: "cancelled" };

const FAILURES = {
  encrypted: "It is encrypted, and no password opens it. Give one under Options and send it again.",
  malformed: "It is damaged: no engine can read it. Open it in a viewer, or get it again.",
  not_pdf: "It is not a PDF.",
  unreadable: "The service could not open it.",
  changed: "It changed while it was read. Send it again.",
  timeout: "It took longer than the service allows.",
  memory_limit: "It needs more memory than the service has for one file.",
  crashed: "The engine crashed. Another engine may read it.",
  engine_error: "The engine failed. Another engine may read it.",
  too_large: "It has more pages or text than the service takes.",
  store: "The service could not reach its store. Send it again.",
  cancelled: "It was stopped while it was read.",
};

/* For answers that are not problem documents, such as those of a proxy. */
const STATUSES = {
  413: "It is larger than the service, or a proxy before it, takes.",
  502: "The proxy cannot reach the service.",
  503: "The service is not available.",
  504: "The service did not answer its proxy in time.",
};

function wordsOfProblem(problem, status) {
  const errors = Array.isArray(problem?.errors) ? problem.errors : [];
  const words = [problem?.title, problem?.detail, ...errors.map((e) => `${e.where}: ${e.what}`)];
  return words.filter(Boolean).join(": ")
    || STATUSES[status] || `The service answered with status ${status}.`;
}

/* Seconds of a Retry-After, which is a number or a date (RFC 9110, 10.2.3). */
function secondsOf(retryAfter) {
  if (!retryAfter) return 0;
  const seconds = Number(retryAfter);
  const wait = Number.isNaN(seconds) ? (Date.parse(retryAfter) - Date.now()) / 1000 : seconds;
  return Math.min(Math.max(Math.ceil(wait) || 0, 0), 600);
}

/* [3, 4, 5, 9] as "3–5, 9". */
function ranges(numbers) {
  const found = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && number === last[1] + 1) last[1] = number;
    else found.push([number, number]);
  }
  const words = found.slice(0, 20).map(([a, b]) => (a === b ? `${a}` : `${a}–${b}`));
  return words.join(", ") + (found.length > 20 ? ", …" : "");
}

function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/* What a job counts as: open, ok, partial, failed or cancelled. */
function kindOf(job) {
  if (OPEN.includes(job.state)) return "open";
  if (job.state !== "done") return job.state;
  return job.report?.status === "partial" ? "partial" : "ok";
}

function wordsOfState(job) {
  if (kindOf(job) === "partial") return "done in part";
  const word = STATES[job.state] ?? job.state;
  if (job.state === "failed" && job.report?.failure) return `${word} (${job.report.failure})`;
  return OPEN.includes(job.state) && job.attempts > 1 ? `${word}, try ${job.attempts}` : word;
}

function wordsOfReason(job) {
  const report = job.report ?? {}, lost = report.failed_pages ?? [], words = [];
  if (lost.length) words.push(`${counted(lost.length, "page is", "pages are")} lost: ${ranges(lost)}.`);
  if (job.state === "failed" || lost.length) {
    words.push(job.state === "failed" ? FAILURES[report.failure] ?? report.failure : "");
    if (report.message) words.push(`(${report.message})`);
  }
  const hook = job.webhook;
  if (hook?.state === "failed") words.push(`The webhook failed: ${hook.message}`);
  return words.filter(Boolean).join(" ");
}

function wordsOfPages(job) {
  const { pages_done: done, total_pages: total } = job.progress;
  if (!total) return "";
  const byOcr = job.report?.ocr_pages ? `, ${job.report.ocr_pages} by OCR` : "";
  return (done === total ? `${total}` : `${done} of ${total}`) + byOcr;
}
