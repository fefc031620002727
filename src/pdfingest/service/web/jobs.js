"use strict";
/* Follows what the page knows: each job that has not ended is asked for by its id, however many
   there are. Earlier jobs come in pages, the newest first. */

const LISTED = 50;          // earlier jobs in a page
const LIST_S = 10;          // seconds between two looks at the newest jobs
const HIDDEN_S = 10;        // seconds between two looks of a tab that nobody sees
const MOST_WAIT_S = 30;
let total = 0;              // jobs of this key, as the service counts them
let listedAt = -Infinity;   // when the newest jobs were asked for; in ms of `performance`
let listed = false;         // whether the list of this key was seen
let timer = 0, dueAt = 0, looking = false, lookAgain = false, missed = 0, denied = false;
let era = 0;                // counts keys: an answer to an earlier key is not shown

function complain(text) { put(at("problem"), text); }

/* Say what keeps the page from being up to date; nothing where it is. */
function disconnect(text) {
  at("connection").hidden = !text;
  put(at("connection"), text);
}

function wantKey(why) {
  put(at("key-why"), why);
  if (!at("key").hidden) return;
  at("key").hidden = false;
  at("key-text").focus();
}

/* Ask for a key where this trouble is about one. */
function explain(trouble) {
  if (trouble.wantsKey) {
    wantKey(key && trouble.status === 401 ? "This key is not known to the service."
      : trouble.status === 401 ? "This service needs an API key." : trouble.message);
  }
  return trouble.message;
}

/* Put a job in the place that its age gives it. */
function place(job) {
  const row = new Row(job.name);
  row.update(job);
  let before = at("rows").lastElementChild;
  while (before && Number(before.dataset.at) < Number(row.line.dataset.at)) {
    before = before.previousElementSibling;
  }
  if (before) before.after(row.line); else at("rows").prepend(row.line);
}

/* Show jobs of a list; gives how many of them are new here. */
function merge(jobs) {
  let added = 0;
  for (const job of jobs) {
    if (known.has(job.id)) known.get(job.id).update(job);
    else { place(job); added += 1; }
  }
  return added;
}

async function list(offset) {
  const asked = era;
  const answer = await ask(`v1/jobs?limit=${LISTED}&offset=${offset}`);
  if (asked !== era) return { added: 0, last: true };
  const added = merge(answer.jobs);
  listed = true;
  total = answer.total ?? known.size;
  return { added, last: answer.jobs.length < LISTED };
}

/* Show a further page. Where others sent jobs meanwhile, a gap is closed first or later. */
async function showMore() {
  at("more").disabled = true;
  const end = at("rows").lastElementChild;
  try {
    for (const start of [known.size, 0]) {
      for (let offset = start; ; offset += LISTED) {
        const { added, last } = await list(offset);
        if (added) return;
        if (last) break;
      }
    }
  } catch (trouble) { complain(explain(trouble)); } finally {
    at("more").disabled = false;
    summarise();
    end?.nextElementSibling?.querySelector("th").focus();
  }
}

/* Ask for jobs by their ids; those that are left out of the answer are gone. */
async function follow(ids) {
  for (const chunk of chunks(ids)) {
    const asked = era, ours = new Set(chunk);
    const { jobs } = await ask(`v1/jobs?limit=${ASKED}&${queryOf(chunk)}`);
    if (asked !== era) return;
    const found = new Set(jobs.map((job) => job.id));
    for (const job of jobs) known.get(job.id)?.update(job);
    // Who answers something else than what was asked does not say that the rest is gone.
    if (jobs.every((job) => ours.has(job.id))) {
      for (const id of chunk) if (!found.has(id)) known.get(id)?.lose();
    }
    summarise();
  }
}

function openIds() {
  return [...known].filter(([, row]) => kindOf(row.job) === "open").map(([id]) => id);
}

async function look() {
  clearTimeout(timer);
  if (denied) return;
  if (looking) { lookAgain = true; return; }
  looking = true;
  const begun = performance.now(), asked = era;
  let wait;
  try {
    await follow(openIds());
    // Not while files are sent: a job might be listed before its own answer came.
    if (!isSending() && performance.now() - listedAt > 1000 * LIST_S) {
      listedAt = performance.now();
      await list(0);
    }
    missed = 0;
    disconnect("");
    // Where there are very many, the service is asked for at most a quarter of the time.
    wait = openIds().length ? Math.max(1, 3 * (performance.now() - begun) / 1000) : LIST_S;
    if (document.hidden) wait = Math.max(wait, HIDDEN_S);
  } catch (trouble) {
    listedAt = -Infinity;
    wait = asked === era ? lookedInVain(trouble) : 0;
  }
  summarise();
  if (lookAgain) wait = 0;
  looking = lookAgain = false;
  lookIn(wait);
}

function lookIn(seconds) {
  clearTimeout(timer);
  dueAt = performance.now() + 1000 * seconds;
  if (!denied) timer = setTimeout(look, 1000 * seconds);
}

/* Look within a second, as there is something new to follow. */
function lookSoon() { if (!looking && dueAt > performance.now() + 1000) lookIn(1); }

/* Say why nothing is up to date; gives the seconds until the next look. */
function lookedInVain(trouble) {
  missed += 1;
  if (!(trouble instanceof Trouble)) { console.error(trouble); trouble = new Trouble(UNREACHABLE); }
  const words = explain(trouble);
  if (trouble.wantsKey) {
    denied = true;
    disconnect("");
    for (const id of openIds()) known.get(id).doubt();
    return 0;
  }
  disconnect(`${words} Trying again…`);
  return Math.max(trouble.wait, Math.min(2 ** missed, MOST_WAIT_S));
}

/* Look at once, also at the newest jobs. */
function lookNow() { listedAt = -Infinity; look(); }

/* Cancel or delete what a row shows. */
async function cancel(row) {
  if (!row.job) { recall(row); summarise(); return; }
  const open = kindOf(row.job) === "open";
  if (!open && !confirm(`Delete ${row.label} and its text?`)) return;
  try {
    await ask(pathOf(row.job.id), { method: "DELETE", take: () => null });
    if (open) await follow([row.job.id]);
    else { row.remove(); total -= 1; }
  } catch (trouble) {
    if (trouble.status === 404) row.lose();
    else complain(`${row.label}: ${explain(trouble)}`);
  }
  summarise();
}

function remove(row) { row.remove(); summarise(); }

/* Figures of all files that are shown, and one sentence on how far they are. */
function summarise() {
  const sum = { Files: rows.size, Done: 0, "In part": 0, Failed: 0, Refused: 0, Open: 0, Pages: 0,
    "Need OCR": 0 };
  const names = { ok: "Done", partial: "In part", failed: "Failed", open: "Open" };
  for (const { job, phase } of rows) {
    if (phase === "refused") sum.Refused += 1;
    else if (phase === "waiting" || phase === "sending") sum.Open += 1;
    if (phase !== "job") continue;
    const name = names[kindOf(job)];
    if (name) sum[name] += 1;
    sum.Pages += job.report?.pages ?? 0;
    sum["Need OCR"] += job.report?.needs_ocr_pages ?? 0;
  }
  const shown = Object.entries(sum).filter(([name, count]) => count || name === "Files");
  const text = JSON.stringify(shown);
  if (at("totals").dataset.text !== text) {
    at("totals").dataset.text = text;
    at("totals").replaceChildren(...shown.map(([name, count]) => {
      const pair = make("div");
      pair.append(make("dt", "", name), make("dd", "", count.toLocaleString("en")));
      return pair;
    }));
  }
  at("totals").hidden = !rows.size;
  at("empty").hidden = rows.size > 0 || !listed;
  at("all").hidden = sum.Done + sum["In part"] === 0;
  at("paging").hidden = known.size >= total;
  put(at("shown"), `${known.size.toLocaleString("en")} of ${counted(total, "job")} shown.`);
  tell(sum.Open);
}

/* Tell those who hear the page how far it is, without a word for each file. */
let told = 0;
function tell(open) {
  const now = performance.now();
  if (open && now - told < 5000 && at("status").textContent) return;
  told = now;
  const sending = [...rows].filter(({ phase }) => phase === "waiting" || phase === "sending").length;
  const words = [sending && `${counted(sending, "file is", "files are")} still to be sent.`,
    open - sending && `${counted(open - sending, "job has", "jobs have")} not ended.`];
  put(at("status"), !rows.size ? "" : open ? words.filter(Boolean).join(" ") : "All have ended.");
}
