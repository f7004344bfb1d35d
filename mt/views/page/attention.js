"use strict";
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const LEAST = 0.03;  // weights below have no arc

/** Return a new element; children that are strings become text, never markup. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Return a new element of SVG. */
export function makeSvg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export const isolated = (word) => make("bdi", {}, word);
const isRightToLeft = (text) => RIGHT_TO_LEFT.test(text.match(/\p{L}/u)?.[0] ?? "");
const columnsOf = (sentence) => [...sentence.source_words, "</s>"];

/** The kind of gold link between two words of a sentence: "sure", "possible" or "". */
const linkKind = (sentence, row, column) =>
  ["sure", "possible"].find((kind) => sentence[kind]?.some(([source, target]) => source === column && target === row)) ?? "";

/** Return words as buttons; `axis` is what their number means in the matrix. */
function wordsList(text, words, axis, checks = {}) {
  const list = make("div", { className: "words", dir: isRightToLeft(text) ? "rtl" : "ltr" });
  words.forEach((word, index) => {
    const button = make("button", { type: "button", className: index in checks ? "check" : "" }, isolated(word));
    button.dataset[axis] = index;
    list.append(button);
  });
  return list;
}

function card(heading, name, ...children) {
  const section = make("section", {}, make("h2", {}, heading), ...children);
  section.setAttribute("aria-label", name ? `${heading}, ${name}` : heading);
  return section;
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

function legend(sentence) {
  const entry = (kind, text) => make("span", {}, make("i", { className: kind }), text);
  const line = make("p", { className: "legend" }, entry("scale", "weight, 0 to 100 percent"));
  if (sentence.checks) line.append(entry("check", "word to check"));
  if (sentence.sure) line.append(entry("sure", "sure gold link"), entry("possible", "possible gold link"));
  return line;
}

/** Return what scrolls by itself, also from the keyboard. */
export function scrolling(label, ...children) {
  const scroll = make("div", { className: "scroll", tabIndex: 0 }, ...children);
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", label);
  return scroll;
}

function matrixCard(sentence, columns, name) {
  const rows = sentence.target_words.map((word, row) =>
    make("tr", {}, heading(word, "row", row), ...columns.map((_, column) => cell(sentence, row, column))));
  const table = make("table", {},
    make("thead", {}, make("tr", {}, make("td"), ...columns.map((word, column) => heading(word, "column", column)))),
    make("tbody", {}, ...rows));
  const label = `Weights: a row for each target word, a column for each source word${name ? ` (${name})` : ""}`;
  return make("section", {}, make("h2", {}, "Weights"), scrolling(label, table), legend(sentence));
}

/** Draw an arc for each weight between two lines of words, wherever these stand now. */
function drawArcs(svg, sentence, source, target) {
  const box = svg.getBoundingClientRect();
  const middle = (button) => {
    const { left, width } = button.getBoundingClientRect();
    return left + width / 2 - box.left;
  };
  const [down, up] = [source, target].map((list) => [...list.children].map(middle));
  svg.replaceChildren(...sentence.weights.flatMap((weights, row) => weights.flatMap((thousandths, column) => {
    const weight = thousandths / 1000;
    if (weight < LEAST) return [];
    const d = `M${down[column]} 0 C${down[column]} ${box.height / 2} ${up[row]} ${box.height / 2} ${up[row]} ${box.height}`;
    const path = { d, "stroke-width": 1 + 7 * weight, "stroke-opacity": 0.2 + 0.8 * weight, "data-row": row, "data-column": column };
    return [makeSvg("path", path)];
  })));
}

function arcsCard(sentence, columns, name) {
  const source = wordsList(sentence.source, columns, "column");
  const target = wordsList(sentence.target, sentence.target_words, "row", sentence.checks);
  const svg = makeSvg("svg", { class: "arcs", "aria-hidden": "true" });
  const lines = make("div", { className: "lines" }, source, svg, target);
  new ResizeObserver(() => drawArcs(svg, sentence, source, target)).observe(lines);
  return card("Source above, target below", name, scrolling(`Words and the arcs between them${name ? ` (${name})` : ""}`, lines), legend(sentence));
}

/** Say in words what is lit: the word and its partners, the heaviest first. */
function read(sentence, spot) {
  if (spot === null) return ["Point at a word, or move the focus to one."];
  const columns = columnsOf(sentence);
  const [word, words, weights] = "row" in spot
    ? [sentence.target_words[spot.row], columns, sentence.weights[spot.row]]
    : [columns[spot.column], sentence.target_words, sentence.weights.map((row) => row[spot.column])];
  const heaviest = words.map((partner, index) => [partner, weights[index]])
    .filter(([, weight]) => weight >= 50).sort((left, right) => right[1] - left[1]).slice(0, 4);
  return [isolated(word), "row" in spot ? " looks at " : " is seen by ",
    ...heaviest.flatMap(([partner, weight], index) =>
      [index ? ", " : "", isolated(partner), ` ${Math.round(weight / 10)} %`]),
    heaviest.length ? "" : "nothing above 5 %",
    "row" in spot && spot.row in (sentence.checks ?? {}) ? `; check it: wrong with ${sentence.checks[spot.row]} %` : ""];
}

/** The row (of a cell too) or else the column that an element stands for, or null. */
function spotOf(element) {
  const { row, column } = element.closest("[data-row], [data-column]")?.dataset ?? {};
  return row !== undefined ? { row } : column !== undefined ? { column } : null;
}

/** Light up a row of the matrix, { row }, or a column, { column }, and the words it gives weight to; null: none. */
function light(root, sentence, spot) {
  const lit = (element) => spot !== null &&
    ("row" in spot ? element.dataset.row === spot.row : element.dataset.column === spot.column);
  root.querySelector("table")?.classList.toggle("active", spot !== null);
  root.querySelector(".arcs")?.classList.toggle("active", spot !== null);
  for (const element of root.querySelectorAll("td, th, .arcs path")) element.classList.toggle("lit", lit(element));
  for (const button of root.querySelectorAll(".words button")) {
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
  root.querySelector(".reading").replaceChildren(...read(sentence, spot));
}

/** Scroll the matrix, and not the page, to the heaviest of the lit cells. */
function bringIntoView(root) {
  const weightOf = (td) => Number(td.style.getPropertyValue("--weight"));
  const [cell] = [...root.querySelectorAll("td.lit")].sort((left, right) => weightOf(right) - weightOf(left));
  if (!cell) return;
  const scroll = cell.closest(".scroll");
  scroll.scrollTop = cell.offsetTop - scroll.clientHeight / 2;
  scroll.scrollLeft = cell.offsetLeft - (cell.parentElement.firstChild.offsetWidth + scroll.clientWidth) / 2;
}

/** Let what was pointed at or focused last be lit; when the pointer leaves, what has the focus is lit again. */
function listen(root, sentence) {
  let focused = null;
  const show = (spot) => light(root, sentence, spot);
  root.addEventListener("pointerover", (event) => {
    show(spotOf(event.target) ?? focused);
    if (event.target.closest("button")) bringIntoView(root);
  });
  root.addEventListener("pointerleave", () => show(focused));
  root.addEventListener("focusin", (event) => {
    show(focused = spotOf(event.target));
    bringIntoView(root);
  });
  root.addEventListener("focusout", () => show(focused = null));
  root.addEventListener("click", (event) => show(focused = spotOf(event.target)));  // a finger moves no focus
  root.addEventListener("keydown", (event) => {
    const list = event.target.closest(".words");
    if (!list || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const forward = (event.key === "ArrowRight") === (list.dir === "ltr");
    event.target[forward ? "nextElementSibling" : "previousElementSibling"]?.focus();
    event.preventDefault();
  });
  show(null);
}

/**
 * Return what shows the attention of a sentence: its words, and the matrix as a table, or arcs between the words.
 *
 * A sentence has `source`, `target`, their words, `weights` (a row for each target word, in thousandths, the last column
 * that of </s>), and may have gold links, `sure` and `possible`, and `checks`, by target word in percent.
 * `name`: what tells it from others on the page.
 */
export function showAttention(sentence, { arcs = false, name = "" } = {}) {
  const text = (heading, content) => card(heading, name, make("p", { dir: "auto" }, content || "(no text)"));
  if (!sentence.weights.length) return make("div", {}, text("Source", sentence.source), text("Target", sentence.target));
  const columns = columnsOf(sentence);
  const reading = make("p", { className: "reading" });
  reading.setAttribute("role", "status");
  const target = () => card("Target", name, wordsList(sentence.target, sentence.target_words, "row", sentence.checks), reading);
  const source = () => card("Source", name, wordsList(sentence.source, columns, "column"));
  const cards = arcs ? [arcsCard(sentence, columns, name)] : [source(), target(), matrixCard(sentence, columns, name)];
  if (arcs) cards[0].append(reading);
  const root = make("div", { className: "attention" }, ...cards);
  for (const end of root.querySelectorAll(`[data-column="${columns.length - 1}"]:is(button, th)`)) end.classList.add("end");
  listen(root, sentence);
  return root;
}
