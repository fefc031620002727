"use strict";
/* What the elements of the page do, and the first look. */

at("choose").addEventListener("click", () => at("files").click());
at("files").addEventListener("change", () => {
  take([...at("files").files]);
  at("files").value = "";  // so that the same file can be chosen again
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  at("drop").classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) at("drop").classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  at("drop").classList.remove("over");
  take([...event.dataTransfer.files]);
});
at("more-passwords").addEventListener("click", () => {
  const label = make("label", "", "Another password "), input = make("input", "password");
  input.type = "password";
  input.autocomplete = "off";
  label.append(input);
  at("passwords").append(label);
  input.focus();
});

at("key").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = at("key-text").value.trim();
  if (!/^[\x21-\x7e]+$/.test(text)) {  // a header holds nothing else
    put(at("key-why"), "A key holds letters, digits and signs of ASCII only, and no blank.");
    return;
  }
  at("key-text").value = "";
  at("key").hidden = true;
  at("other-key").hidden = false;
  useKey(text);
});
at("other-key").addEventListener("click", () => wantKey("Another key shows other jobs."));
at("other-key").hidden = !key;

at("more").addEventListener("click", showMore);
at("download-all").addEventListener("click", downloadAll);
at("close").addEventListener("click", closeResult);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && opened) closeResult();
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) lookNow(); });
addEventListener("online", lookNow);
addEventListener("beforeunload", (event) => { if (lanes || queue.length) event.preventDefault(); });

look();
