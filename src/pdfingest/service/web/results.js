"use strict";
/* Shows the text of a job, and saves results as files. */

const SHOWN_BYTES = 2 * MIB;
const RESULTS = { JSONL: ["application/jsonl", "jsonl"], Markdown: ["text/markdown", "md"],
  Text: ["text/plain", "txt"] };
let opened = null;

/* Save a blob. A link with an address could not send the key. */
function save(blob, name) {
  const link = make("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/* What a result is called: without paths, control characters and those that turn what follows. */
function fileName(name, ending) {
  const stem = name.replace(/\.pdf$/i, "").replace(/[\p{Cc}\p{Bidi_Control}/\\]/gu, "_");
  return `${stem.slice(0, 150) || "result"}.${ending}`;
}

async function download(row, label) {
  const [accept, ending] = RESULTS[label];
  complain("");
  try {
    const take = (answer) => answer.blob();
    save(await ask(`${pathOf(row.job.id)}/result`, { accept, take }), fileName(row.label, ending));
  } catch (trouble) {
    if (trouble.status === 404) row.lose();
    complain(`${row.label}: ${explain(trouble)}`);
  }
}

/* Save all results that are shown, in as many archives as the service needs for them. */
async function downloadAll() {
  complain("");
  at("download-all").disabled = true;
  try {
    const ended = () => [...known].filter(([, row]) => ["done", "failed"].includes(row.job.state));
    await follow(ended().map(([id]) => id));  // one that is gone would refuse the whole archive
    const parts = [...chunks(ended().map(([id]) => id))];
    for (const [index, ids] of parts.entries()) {
      const take = (answer) => answer.blob();
      const blob = await ask(`v1/results?${queryOf(ids)}`, { accept: "application/zip", take });
      save(blob, parts.length === 1 ? "pdfingest.zip" : `pdfingest-${index + 1}.zip`);
    }
  } catch (trouble) { complain(explain(trouble)); }
  at("download-all").disabled = false;
}

/* Read the first records of a result, without keeping the rest of a large one. */
async function firstRecords(answer) {
  const reader = answer.body.getReader(), decoder = new TextDecoder();
  let text = "", bytes = 0, whole = false;
  while (bytes < SHOWN_BYTES) {
    const { done, value } = await reader.read();
    if (done) { whole = true; break; }
    bytes += value.length;
    text += decoder.decode(value, { stream: true });
  }
  if (!whole) await reader.cancel();
  const lines = text.split("\n");
  lines.pop();
  return { records: lines.map((line) => JSON.parse(line)), whole };
}

async function view(row) {
  opened = row;
  put(at("result-title"), row.label);
  at("text").replaceChildren();
  at("result").hidden = false;
  at("result").focus();
  try {
    const { records, whole } = await ask(`${pathOf(row.job.id)}/result`,
      { accept: "application/jsonl", take: firstRecords });
    if (opened !== row) return;
    for (const record of records) {
      const page = record.metadata?.page;
      if (page) at("text").append(make("h3", "", `Page ${page}`));
      at("text").append(make("pre", "", record.text));
    }
    if (!whole) at("text").append(make("p", "soft", "There is more. Download it to see all."));
    else if (!records.length) at("text").append(make("p", "soft", "It holds no text."));
  } catch (trouble) {
    if (opened === row) at("text").replaceChildren(make("p", "failed", explain(trouble)));
  }
}

function closeResult() {
  at("result").hidden = true;
  (opened?.line.isConnected ? opened.name : at("jobs-title")).focus();
  opened = null;
}
