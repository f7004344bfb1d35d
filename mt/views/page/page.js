
"use strict";
const sentences = JSON.parse(document.getElementById("data").textContent);
const main = document.getElementById("main");
const choice = document.getElementById("sentence");
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/** Return a new element; children that are strings become text, never markup. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const isolated = (word) => make("bdi", {}, word);
const isRightToLeft = (text) => RIGHT_TO_LEFT.test(text.match(/\p{L}/u)?.[0] ?? "");

/** The kind of gold link between two words of a sentence: "sure", "possible" or "". */
const linkKind = (sentence, row, column) =>
  ["sure", "possible"].find((kind) => sentence[kind]?.some(([source, target]) => source === column && target === row)) ?? "";

/** Return a card with the words of one side as buttons; `axis` is what their number means in the matrix. */
function wordsCard(heading, text, words, axis, checks = {}) {
  const list = make("div", { className: "words", dir: isRightToLeft(text) ? "rtl" : "ltr" });
  words.forEach((word, index) => {
    const button = make("button", { type: "button", className: index in checks ? "check" : "" }, isolated(word));
    button.dataset[axis] = index;
    list.append(button);
  });
  const card = make("section", {}, make("h2", {}, heading), list);
  card.setAttribute("aria-label", heading);
  return card;
}

function textCard(heading, text) {
  return make("section", {}, make("h2", {}, heading), make("p", { dir: "auto" }, text || "(no text)"));
}

function cell(sentence, row, column) {
  const weight = sentence.weights[row][column] / 1000;
  const td = make("td", { className: linkKind(sentence, row, column) }, String(Math.round(100 * weight)));
  td.style.setProperty("--weight", weight);
  td.dataset.row = row;
  td.dataset.column = column;
  return td;
}

function heading(word, axis, index) {
  const th = make("th", { scope: axis === "row" ? "row" : "col", title: word }, isolated(word));
  th.dataset[axis] = index;
  return th;
}

function matrixCard(sentence, columns) {
  const entry = (kind, text) => make("span", {}, make("i", { className: kind }), text);
  const legend = make("p", { id: "legend" }, entry("scale", "weight, 0 to 100 percent"));
  if (sentence.checks) legend.append(entry("check", "word to check"));
  if (sentence.sure) legend.append(entry("sure", "sure gold link"), entry("possible", "possible gold link"));
  const rows = sentence.target_words.map((word, row) =>
    make("tr", {}, heading(word, "row", row), ...columns.map((_, column) => cell(sentence, row, column))));
  const table = make("table", {},
    make("thead", {}, make("tr", {}, make("td"), ...columns.map((word, column) => heading(word, "column", column)))),
    make("tbody", {}, ...rows));
  const scroll = make("div", { className: "scroll", tabIndex: 0 }, table);
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "Weights: a row for each target word, a column for each source word");
  return make("section", {}, make("h2", {}, "Weights"), scroll, legend);
}

/** Draw sentence `number`, counted from 1. */
function draw(number) {
  const sentence = sentences[number - 1];
  choice.value = number;
  document.getElementById("previous").disabled = number === 1;
  document.getElementById("next").disabled = number === sentences.length;
  if (!sentence.weights.length) {
    main.replaceChildren(textCard("Source", sentence.source), textCard("Target", sentence.target));
    return;
  }
  const columns = [...sentence.source_words, "</s>"];
  const reading = make("p", { id: "reading" });
  reading.setAttribute("role", "status");
  const target = wordsCard("Target", sentence.target, sentence.target_words, "row", sentence.checks);
  target.append(reading);
  main.replaceChildren(wordsCard("Source", sentence.source, columns, "column"), target, matrixCard(sentence, columns));
  for (const end of main.querySelectorAll(`[data-column="${columns.length - 1}"]:is(button, th)`)) end.classList.add("end");
  light(null);
}

/** Light up a row of the matrix, { row }, or a column, { column }, and the words it gives weight to; null: none. */
function light(spot) {
  const sentence = sentences[choice.value - 1];
  const lit = (element) => spot !== null &&
    ("row" in spot ? element.dataset.row === spot.row : element.dataset.column === spot.column);
  main.querySelector("table")?.classList.toggle("active", spot !== null);
  for (const element of main.querySelectorAll("td, th")) element.classList.toggle("lit", lit(element));
  for (const button of main.querySelectorAll("button")) {
    const { row = spot?.row, column = spot?.column } = button.dataset;
    const partner = spot !== null && !lit(button) && row !== undefined && column !== undefined;
    const weight = partner ? sentence.weights[row][column] / 1000 : 0;
    const kind = partner ? linkKind(sentence, Number(row), Number(column)) : "";
    button.style.setProperty("--weight", weight);
    button.dataset.percent = weight >= 0.015 ? Math.round(100 * weight) : "";
    button.classList.toggle("current", lit(button));
    button.classList.toggle("sure", kind === "sure");
    button.classList.toggle("possible", kind === "possible");
  }
  read(sentence, spot);
}

/** Scroll the matrix, and not the page, to the heaviest of the lit cells. */
function bringIntoView() {
  const weightOf = (td) => Number(td.style.getPropertyValue("--weight"));
  const [cell] = [...main.querySelectorAll("td.lit")].sort((left, right) => weightOf(right) - weightOf(left));
  if (!cell) return;
  const scroll = main.querySelector(".scroll");
  scroll.scrollTop = cell.offsetTop - scroll.clientHeight / 2;
  scroll.scrollLeft = cell.offsetLeft - (cell.parentElement.firstChild.offsetWidth + scroll.clientWidth) / 2;
}

/** Say in words what is lit: the word and its partners, the heaviest first. */
function read(sentence, spot) {
  const reading = document.getElementById("reading");
  if (!reading) return;
  if (spot === null) {
    reading.replaceChildren("Point at a word, or move the focus to one.");
    return;
  }
  const columns = [...sentence.source_words, "</s>"];
  const [word, words, weights] = "row" in spot
    ? [sentence.target_words[spot.row], columns, sentence.weights[spot.row]]
    : [columns[spot.column], sentence.target_words, sentence.weights.map((row) => row[spot.column])];
  const heaviest = words.map((partner, index) => [partner, weights[index]])
    .filter(([, weight]) => weight >= 50).sort((left, right) => right[1] - left[1]).slice(0, 4);
  reading.replaceChildren(isolated(word), "row" in spot ? " looks at " : " is seen by ",
    ...heaviest.flatMap(([partner, weight], index) =>
      [index ? ", " : "", isolated(partner), ` ${Math.round(weight / 10)} %`]),
    heaviest.length ? "" : "nothing above 5 %",
    "row" in spot && spot.row in (sentence.checks ?? {}) ? `; check it: wrong with ${sentence.checks[spot.row]} %` : "");
}

/** The row (of a cell too) or else the column that an element stands for, or null. */
function spotOf(element) {
  const { row, column } = element.closest("[data-row], [data-column]")?.dataset ?? {};
  return row !== undefined ? { row } : column !== undefined ? { column } : null;
}

// What was pointed at or focused last is lit; when the pointer leaves, what has the focus is lit again.
let focused = null;
main.addEventListener("pointerover", (event) => {
  light(spotOf(event.target) ?? focused);
  if (event.target.closest("button")) bringIntoView();
});
main.addEventListener("pointerleave", () => light(focused));
main.addEventListener("focusin", (event) => {
  light(focused = spotOf(event.target));
  bringIntoView();
});
main.addEventListener("focusout", () => light(focused = null));
main.addEventListener("click", (event) => light(focused = spotOf(event.target)));  // a finger moves no focus

main.addEventListener("keydown", (event) => {
  const list = event.target.closest(".words");
  if (!list || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  const forward = (event.key === "ArrowRight") === (list.dir === "ltr");
  event.target[forward ? "nextElementSibling" : "previousElementSibling"]?.focus();
  event.preventDefault();
});

/** Draw the sentence that the address names, e.g. #12, so that it can be linked to and the browser's "back" works. */
function drawAddressed() {
  const number = Number(location.hash.slice(1));
  if (sentences.length) draw(Number.isInteger(number) && sentences[number - 1] ? number : 1);
}

function start() {
  const shortened = (text) => (text.length > 90 ? `${text.slice(0, 90)}…` : text);
  choice.append(...sentences.map(({ source }, index) =>
    make("option", { value: index + 1 }, `${index + 1}. ${shortened(source)}`)));
  document.querySelector("nav").hidden = sentences.length < 2;
  choice.addEventListener("change", () => { location.hash = choice.value; });
  document.getElementById("previous").addEventListener("click", () => { location.hash = Number(choice.value) - 1; });
  document.getElementById("next").addEventListener("click", () => { location.hash = Number(choice.value) + 1; });
  addEventListener("hashchange", drawAddressed);
  drawAddressed();
}

start();
