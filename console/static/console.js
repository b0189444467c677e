// Progress, streaming and drafts. Every page works without it.

const policy = window.trustedTypes
  ? window.trustedTypes.createPolicy("quiver", { createHTML: (html) => html })
  : { createHTML: (html) => html };

const POLL_MS = 1000;
const RETRIES = 5;
const AT_ONCE = 3; // uploads
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const text = (template, values) => Object.entries(values).reduce((t, [name, value]) => t.replaceAll(`{${name}}`, value), template);

document.documentElement.classList.add("scripted");

// Only answers of this console's own routes are put into a page as HTML: the server has escaped them.
function put(element, html) {
  element.innerHTML = policy.createHTML(html);
  prepare(element);
}

class SignedOut extends Error {}

function signIn() {
  location.assign(`/sign-in?over=1&next=${encodeURIComponent(location.pathname + location.search)}`);
}

async function ask(url, options = {}) {
  const response = await fetch(url, { ...options, headers: { accept: "application/json", ...options.headers } });
  if (response.status === 401 || response.redirected) { // a page in place of a part: the sign-in
    signIn();
    throw new SignedOut();
  }
  return response;
}

// Times in the reader's own zone -----------------------------------------------------------------------------------

function localTimes(root) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  for (const each of all("time", root)) each.textContent = format.format(new Date(each.dateTime));
}

// What is written stays when a session ends ------------------------------------------------------------------------

// By the form, and for an answer by its model and question: each has a draft of its own.
function draftName(field) {
  const { question, model } = field.form.elements;
  const subject = question && question !== field ? `${model.value}:${question.value}` : "";
  return `draft:${new URL(field.form.action).pathname}:${subject}:${field.name}`;
}

function keepDrafts(root) {
  for (const field of all("[data-draft]", root)) {
    if (!field.value) field.value = sessionStorage.getItem(draftName(field)) ?? "";
    field.addEventListener("input", () => sessionStorage.setItem(draftName(field), field.value));
  }
}

function dropDrafts(form) {
  for (const field of all("[data-draft]", form)) sessionStorage.removeItem(draftName(field));
}

// After a word on what was done, other forms' drafts are done with; after a sign-out all are.
function dropAllDrafts(kept) {
  for (const name of Object.keys(sessionStorage)) if (name.startsWith("draft:") && !name.startsWith(kept)) sessionStorage.removeItem(name);
}

// Regions that change while something is in work -------------------------------------------------------------------

const shown = new WeakMap(); // the HTML of each region

async function refresh(region) {
  if (region.contains(document.activeElement) && region.querySelector("details[open]")) return;
  const response = await ask(region.dataset.region, { headers: { accept: "text/html" } });
  if (!response.ok) return;
  const html = await response.text();
  if (html === shown.get(region)) return;
  const focus = document.activeElement?.getAttribute("aria-label") || document.activeElement?.textContent;
  const within = region.contains(document.activeElement);
  put(region, html);
  shown.set(region, html);
  if (within) all("a, button, summary, input", region).find((each) => (each.getAttribute("aria-label") || each.textContent) === focus)?.focus();
}

async function follow(region) {
  for (;;) {
    await wait(POLL_MS);
    if (document.hidden || !region.querySelector('[data-busy="1"]')) continue;
    try { await refresh(region); } catch (error) { if (error instanceof SignedOut) return; }
  }
}

// Uploads ----------------------------------------------------------------------------------------------------------

function send(url, form, onProgress) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("accept", "application/json");
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.addEventListener("load", () => done(request));
    request.addEventListener("error", failed);
    request.addEventListener("abort", failed);
    request.send(form);
  });
}

// What a service or a proxy said; empty for what is not JSON.
function said(text) {
  try { return JSON.parse(text); } catch { return {}; }
}

// True once the file is ready.
async function upload(form, file, words) {
  const item = document.createElement("li");
  const line = document.createElement("span");
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.setAttribute("aria-label", file.name);
  item.append(line, bar);
  document.querySelector("[data-uploads]")?.append(item);
  const status = document.querySelector("[data-said]");
  const say = (template, values = {}) => { line.textContent = text(template, { name: file.name, ...values }); };
  const end = (template, reason = "") => {
    line.textContent = text(template, { name: file.name }) + (reason ? `: ${reason}` : "");
    if (template !== words.ready) line.className = "reason";
    if (status) status.textContent = line.textContent;
    bar.remove();
    return template === words.ready;
  };
  const body = new FormData();
  body.append("purpose", "assistants");
  body.append("file", file, file.name);
  for (let attempt = 1; attempt <= RETRIES; attempt += 1) {
    say(words.sending, { percent: 0 });
    try {
      const answer = await send(form.action, body, (part) => { bar.value = part; say(words.sending, { percent: Math.round(part * 100) }); });
      if (answer.status === 401) { signIn(); return false; }
      if (answer.status < 300) {
        bar.remove();
        say(words.working);
        const [ready, reason] = await outcome(form.dataset.store, said(answer.responseText).id);
        return end(ready ? words.ready : words.failed, reason);
      }
      if (answer.status < 500) return end(words.failed, said(answer.responseText).error ?? String(answer.status));
    } catch (error) { if (error instanceof SignedOut) return false; }
    say(words.again);
    await wait(attempt * POLL_MS);
  }
  return end(words.lost);
}

// Whether a document has become ready, and else why not.
async function outcome(store, id) {
  for (;;) {
    try {
      const response = await ask(`/documents/${store}/${id}/state`);
      const state = said(await response.text());
      if (response.status < 500 && !response.ok) return [false, state.error ?? ""]; // somebody has deleted it
      if (response.ok && state.status !== "in_progress") return [state.status === "completed", state.fault];
    } catch (error) { if (error instanceof SignedOut) throw error; }
    await wait(POLL_MS / 3);
  }
}

async function uploadAll(form, files) {
  const main = document.querySelector("form[data-sending]") ?? form;
  const region = document.querySelector("[data-region]");
  const waiting = [...files];
  const results = [];
  const worker = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      results.push(await upload(form, file, main.dataset));
      try { if (region) await refresh(region); } catch (error) { if (error instanceof SignedOut) return; }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (form.dataset.then && results.every(Boolean)) location.assign(form.dataset.then);
}

function prepareUpload(form) {
  const input = form.querySelector('input[type="file"]');
  if (form.classList.contains("drop")) {
    input.multiple = true;
    for (const name of ["dragover", "dragleave", "drop"]) form.addEventListener(name, (event) => { event.preventDefault(); form.classList.toggle("over", name === "dragover"); });
    form.addEventListener("drop", (event) => uploadAll(form, [...event.dataTransfer.files]));
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("change", () => { const files = [...input.files]; input.value = ""; uploadAll(form, files); });
}

// Chat -------------------------------------------------------------------------------------------------------------

const talks = new Map(); // the turns before, by column

async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    buffer += value;
    const parts = buffer.split("\n\n");
    buffer = parts.pop();
    for (const part of parts) {
      const [, name, data] = part.match(/^event: (.*)\ndata: (.*)$/s) ?? [];
      if (name) yield [name, JSON.parse(data)];
    }
  }
}

async function answer(column, question, contestant, form) {
  const before = talks.get(contestant) ?? [];
  const [model, documents] = contestant.split("|");
  const messages = [...before, { role: "user", content: question }].slice(-20);
  const body = JSON.stringify({ model, documents, messages });
  const shown = document.createElement("p");
  shown.className = "said";
  const fail = (reason) => { shown.textContent = reason; shown.className = "fault"; column.removeAttribute("aria-busy"); };
  for (let attempt = 1; attempt <= RETRIES; attempt += 1) {
    column.replaceChildren(shown);
    column.className = "answer";
    column.setAttribute("aria-busy", "true");
    shown.textContent = form.dataset.working;
    try {
      const response = await ask("/ask/stream", { method: "POST", body, headers: { "content-type": "application/json" } });
      if (response.status < 500 && !response.ok) { fail(said(await response.text()).error ?? String(response.status)); return; }
      if (!response.ok) throw new Error();
      let begun = false;
      for await (const [name, data] of events(response)) {
        if (name === "text") { shown.textContent = (begun ? shown.textContent : "") + data; begun = true; }
        if (name === "fault") { fail(data); return; }
        if (name === "done") {
          column.className = "";
          put(column, data.html);
          column.removeAttribute("aria-busy");
          dropDrafts(form);
          talks.set(contestant, [...messages, { role: "assistant", content: data.text }]);
          return;
        }
      }
    } catch (error) { if (error instanceof SignedOut) return; }
    shown.textContent = form.dataset.again;
    await wait(attempt * POLL_MS);
  }
  fail(form.dataset.stopped);
}

function prepareAsk(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const question = form.elements.question.value.trim();
    const contestants = [`${form.elements.model.value}|${form.elements.documents.value}`, form.elements.compare.value].filter(Boolean);
    document.querySelector("[data-empty]")?.remove();
    const turn = document.createElement("div");
    turn.className = "turn";
    const asked = document.createElement("p");
    asked.className = "question";
    asked.textContent = question;
    const columns = document.createElement("div");
    columns.className = "columns";
    turn.append(asked, columns);
    document.querySelector("[data-talk]").prepend(turn);
    form.elements.question.value = ""; // its draft stays until there is an answer
    for (const contestant of contestants) {
      const column = document.createElement("div");
      column.className = "answer";
      columns.append(column);
      answer(column, question, contestant, form);
    }
  });
  form.elements.question.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
  });
}

function prepareMark(mark) {
  mark.addEventListener("click", (event) => {
    const passage = mark.closest(".answer").querySelector(`[data-shown="${mark.dataset.passage}"]`);
    event.preventDefault();
    passage.classList.toggle("shown");
    if (passage.classList.contains("shown")) passage.focus();
    mark.setAttribute("aria-expanded", passage.classList.contains("shown"));
  });
}

function prepareRating(form) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    body.set("verdict", event.submitter.value);
    const status = form.querySelector('[role="status"]');
    try {
      const response = await ask("/ask/rating", { method: "POST", body });
      const answer = said(await response.text());
      status.textContent = response.ok ? answer.message : answer.error;
      if (response.ok) { dropDrafts(form); for (const each of all("details", form)) each.open = false; }
    } catch (error) { if (!(error instanceof SignedOut)) status.textContent = form.dataset.lost; }
  });
}

// ------------------------------------------------------------------------------------------------------------------

function prepare(root) {
  localTimes(root);
  keepDrafts(root);
  all("form[data-upload]", root).forEach(prepareUpload);
  all("[data-ask]", root).forEach(prepareAsk);
  all("[data-passage]", root).forEach(prepareMark);
  all("[data-rating]", root).forEach(prepareRating);
}

if (document.querySelector("main > .notice, section.card > .notice")) dropAllDrafts("draft:/ask");
prepare(document);
all("[data-sign-out]").forEach((form) => form.addEventListener("submit", () => dropAllDrafts("none")));
all("[data-region]").forEach(follow);
all("[data-back]").forEach((each) => each.addEventListener("click", (event) => { event.preventDefault(); window.history.back(); }));
document.querySelector("#cited")?.focus();
