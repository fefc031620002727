"use strict";
/* One file as the table shows it: first a file that is sent, then a job of the service.

   Names come from strangers: whatever is shown goes through `textContent`. */

const rows = new Set();   // all that are shown
const known = new Map();  // those that the service knows, by the id of their job

function at(id) { return document.getElementById(id); }

function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/* Write only what changes, so that a screen reader or a selection is not disturbed. */
function put(element, text) { if (element.textContent !== text) element.textContent = text; }

class Row {
  job = null;
  file = null;
  phase = "waiting";  // waiting, sending, refused, job or lost

  constructor(name) {
    name = name.replace(/[\p{Cc}\p{Bidi_Control}]/gu, "\uFFFD");  // they turn the words behind
    this.label = name;
    this.line = make("tr");
    this.title = make("th");
    this.name = make("button", "name", name);
    this.why = make("p", "why");
    this.state = make("td", "state");
    this.word = make("span");
    this.bar = make("progress");
    this.pages = this.figure("Pages");
    this.ocr = this.figure("Need OCR");
    this.peak = this.figure("Peak");
    this.time = this.figure("Time");
    this.actions = make("td", "actions");
    this.title.scope = "row";
    this.title.tabIndex = -1;
    this.name.type = "button";
    this.name.disabled = true;
    this.name.addEventListener("click", () => view(this));
    this.bar.setAttribute("aria-label", `Progress of ${name}`);
    this.bar.hidden = true;
    this.title.append(this.name, this.why);
    this.state.append(this.word, this.bar);
    this.line.append(this.title, this.state, this.pages, this.ocr, this.peak, this.time,
      this.actions);
    rows.add(this);
  }

  figure(label) {
    const cell = make("td", "number");
    cell.dataset.label = label;
    return cell;
  }

  /* Show where a file is that is not yet a job. */
  show(phase, word, { why = "", done = null, total = 0 } = {}) {
    this.phase = phase;
    this.write(word, phase === "refused" ? "failed" : "", why);
    this.progress(done, total);
    this.offer(phase === "refused" ? { "Send again": again, Remove: remove } : { Cancel: cancel });
  }

  /* Show a job as the service describes it. */
  update(job) {
    if (this.job?.id !== job.id) { this.line.dataset.at = Date.parse(job.created_at) || 0; }
    const kind = kindOf(job), { report, progress } = job;
    Object.assign(this, { job, phase: "job", file: null });
    known.set(job.id, this);
    this.write(wordsOfState(job), kind === "ok" ? "done" : kind, wordsOfReason(job));
    const reads = job.state === "running";
    this.progress(reads ? progress.pages_done : null, progress.total_pages);
    put(this.pages, wordsOfPages(job));
    const ocr = report?.needs_ocr_pages ?? 0;
    put(this.ocr, ocr ? `${ocr}` : "");
    this.ocr.classList.toggle("ocr", ocr > 0);
    put(this.peak, report?.peak_rss_bytes ? `${(report.peak_rss_bytes / MIB).toFixed(1)} MiB` : "");
    put(this.time, report?.wall_s ? `${report.wall_s.toFixed(2)} s` : "");
    this.name.disabled = job.state !== "done";
    this.offer(kind === "open" ? { Cancel: cancel }
      : job.state === "done" ? { JSONL: download, Markdown: download, Text: download, Delete: cancel }
        : { Delete: cancel });
  }

  /* Say that the state of a job cannot be told, rather than what it was. */
  doubt() {
    this.write("sent", "", "This key may not read its state.");
    this.progress(null, 0);
  }

  lose() {
    this.forget();
    this.phase = "lost";
    this.name.disabled = true;
    this.write("no longer kept", "", "The service deleted it: by request, or as its time was over.");
    this.progress(null, 0);
    this.offer({ Remove: remove });
  }

  write(word, className, why) {
    put(this.word, word);
    this.word.className = className;
    put(this.why, why);
    this.why.hidden = !why;
  }

  progress(done, total) {
    this.bar.hidden = done === null;
    if (total) { this.bar.max = total; this.bar.value = done ?? 0; } else this.bar.removeAttribute("value");
  }

  /* Show buttons, and keep the keyboard's place where they change under it. */
  offer(actions) {
    const labels = Object.keys(actions).join();
    if (this.offered === labels) return;
    this.offered = labels;
    const focused = this.actions.contains(document.activeElement);
    this.actions.replaceChildren(...Object.entries(actions).map(([label, act]) => {
      const button = make("button", "", label);
      button.type = "button";
      button.setAttribute("aria-label", `${label} ${this.label}`);
      button.addEventListener("click", () => act(this, label));
      return button;
    }));
    if (focused) this.title.focus();
  }

  forget() {
    if (this.job && known.get(this.job.id) === this) known.delete(this.job.id);
  }

  remove() {
    const focused = this.line.contains(document.activeElement);
    const next = this.line.nextElementSibling ?? this.line.previousElementSibling;
    this.forget();
    rows.delete(this);
    this.line.remove();
    if (focused) (next?.querySelector("th") ?? at("jobs-title")).focus();
  }
}
