"use strict";
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const LEAST = 0.03;  // weights below have no arc
const SPACELESS = ["Han", "Hiragana", "Katakana", "Thai", "Khmer", "Lao", "Myanmar"].map((script) => `\\p{Script=${script}}`).join("");
const TOKEN = new RegExp(`\\s+|[${SPACELESS}]\\p{M}*|[^\\s${SPACELESS}]+`, "gu");  // a word, or the space between two
const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** How opaque a weight is drawn: steeply up to a fifth, so that this is seen, and then evenly to 1; as in mt/views/shade.py. */
export const darkness = (weight) => Math.max(0, Math.min(2.2 * weight, 0.3 + 0.7 * weight, 1));

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

/** Colour an element by a weight. */
function shade(element, weight) {
  element.style.setProperty("--weight", weight);
  element.style.setProperty("--dark", darkness(weight));
}

/** Return the parts of a text; words that the other text has not in this order are marked. */
export function differing(text, other) {
  const parts = text.match(TOKEN) ?? [], isWord = (part) => part.trim() !== "";
  const [left, right] = [parts.filter(isWord), (other.match(TOKEN) ?? []).filter(isWord)];
  const length = left.map(() => right.map(() => 0));
  const at = (row, column) => length[row]?.[column] ?? 0;
  for (let row = left.length - 1; row >= 0; row -= 1)
    for (let column = right.length - 1; column >= 0; column -= 1)
      length[row][column] = left[row] === right[column] ? 1 + at(row + 1, column + 1) : Math.max(at(row + 1, column), at(row, column + 1));
  let row = 0, column = 0;
  return parts.map((part) => {
    if (!isWord(part)) return part;
    while (column < right.length && part !== right[column] && at(row, column + 1) >= at(row + 1, column)) column += 1;
    const same = part === right[column];
    row += 1;
    if (same) column += 1;
    return same ? part : make("mark", {}, part);
  });
}

/** Return a translation beside its reference; what differs is marked. */
export function beside(translation, reference) {
  const side = (name, text, other) => make("div", {}, make("h3", {}, name),
    make("p", { dir: "auto" }, ...(text ? differing(text, other) : ["(no text)"])));
  return make("div", { className: "beside" }, side("Translation", translation, reference), side("Reference", reference, translation));
}

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
  shade(td, weight);
  td.tabIndex = row || column ? -1 : 0;
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
  const table = make("table", { role: "grid" },
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
    const path = { d, "stroke-width": 1 + 7 * weight, "stroke-opacity": 0.2 + 0.8 * darkness(weight), "data-row": row, "data-column": column };
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
  if (spot === null) return ["Point at a word, or move the focus to one; arrow keys go on from there."];
  const columns = columnsOf(sentence);
  const [word, words, weights] = "row" in spot
    ? [sentence.target_words[spot.row], columns, sentence.weights[spot.row]]
    : [columns[spot.column], sentence.target_words, sentence.weights.map((row) => row[spot.column])];
  const heaviest = words.map((partner, index) => [partner, weights[index]])
    .filter(([, weight]) => weight >= 50).sort((left, right) => right[1] - left[1]).slice(0, 4);
  const here = "row" in spot && "column" in spot
    ? [isolated(columns[spot.column]), ` ${Math.round(weights[spot.column] / 10)} %; most at `] : [];
  return [isolated(word), "row" in spot ? " looks at " : " is seen by ", ...here,
    ...heaviest.flatMap(([partner, weight], index) =>
      [index ? ", " : "", isolated(partner), ` ${Math.round(weight / 10)} %`]),
    heaviest.length ? "" : "nothing above 5 %",
    "row" in spot && spot.row in (sentence.checks ?? {}) ? `; check it: wrong with ${sentence.checks[spot.row]} %` : ""];
}

/** What an element stands for: { row }, { column }, of a cell both, or null. */
function spotOf(element) {
  const found = element.closest("[data-row], [data-column]")?.dataset;
  return found ? { ...found } : null;
}

/** Light up a row of the matrix, { row } (of a cell too), or a column, { column }, and the words it gives weight to; null: none. */
function light(root, sentence, spot) {
  const lit = (element) => spot !== null &&
    ("row" in spot ? element.dataset.row === spot.row : element.dataset.column === spot.column);
  root.querySelector("table")?.classList.toggle("active", spot !== null);
  root.querySelector(".arcs")?.classList.toggle("active", spot !== null);
  for (const element of root.querySelectorAll("td, th, .arcs path")) element.classList.toggle("lit", lit(element));
  for (const button of root.querySelectorAll(".words button")) {
    const { row = spot?.row, column = "row" in (spot ?? {}) ? undefined : spot?.column } = button.dataset;
    const partner = spot !== null && !lit(button) && row !== undefined && column !== undefined;
    const weight = partner ? sentence.weights[row][column] / 1000 : 0;
    const kind = partner ? linkKind(sentence, Number(row), Number(column)) : "";
    shade(button, weight);
    button.dataset.percent = weight >= 0.015 ? Math.round(100 * weight) : "";
    button.classList.toggle("current", lit(button));
    button.classList.toggle("sure", kind === "sure");
    button.classList.toggle("possible", kind === "possible");
  }
  root.querySelector(".reading").replaceChildren(...read(sentence, spot));
}

/** Scroll the matrix, and not the page, to a cell, or to the heaviest of the lit ones. */
function bringIntoView(root, focused = null) {
  const weightOf = (td) => Number(td.style.getPropertyValue("--weight"));
  const [heaviest] = [...root.querySelectorAll("td.lit")].sort((left, right) => weightOf(right) - weightOf(left));
  const cell = focused?.closest("td") ?? heaviest;
  if (!cell) return;
  const scroll = cell.closest(".scroll");
  scroll.scrollTop = cell.offsetTop - scroll.clientHeight / 2;
  scroll.scrollLeft = cell.offsetLeft - (cell.parentElement.firstChild.offsetWidth + scroll.clientWidth) / 2;
}

/** Move the focus from a cell or a word to its neighbour; tell whether the key is one that does. */
function move(root, element, key) {
  const [down, right] = MOVES[key] ?? [0, 0];
  const list = element.closest(".words");
  if (list && right) {
    element[(right > 0) === (list.dir === "ltr") ? "nextElementSibling" : "previousElementSibling"]?.focus();
    return true;
  }
  if (list || !element.matches("td[data-row]") || !(key in MOVES)) return false;
  const [row, column] = [Number(element.dataset.row) + down, Number(element.dataset.column) + right];
  root.querySelector(`td[data-row="${row}"][data-column="${column}"]`)?.focus({ preventScroll: true });
  return true;
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
    bringIntoView(root, event.target);
    if (!event.target.matches("td")) return;
    for (const td of root.querySelectorAll("td[tabindex='0']")) td.tabIndex = -1;  // Tab leaves the matrix, and comes back here
    event.target.tabIndex = 0;
  });
  root.addEventListener("focusout", () => show(focused = null));
  root.addEventListener("click", (event) => show(focused = spotOf(event.target)));  // a finger moves no focus
  root.addEventListener("keydown", (event) => {
    if (move(root, event.target, event.key)) event.preventDefault();
  });
  show(null);
}

/**
 * Return what shows the attention of a sentence: its words, and the matrix as a table, or arcs between the words.
 *
 * A sentence has `source`, `target`, their words, `weights` (a row for each target word, in thousandths, the last column
 * that of </s>), and may have gold links, `sure` and `possible`, `checks`, by target word in percent, and a `reference`.
 * `name`: what tells it from others on the page.
 */
export function showAttention(sentence, { arcs = false, name = "" } = {}) {
  const text = (heading, content) => card(heading, name, make("p", { dir: "auto" }, content || "(no text)"));
  const compared = sentence.reference === undefined ? []
    : [card("Translation and reference: marked where they differ", name, beside(sentence.target, sentence.reference))];
  if (!sentence.weights.length) return make("div", {}, text("Source", sentence.source), text("Target", sentence.target), ...compared);
  const columns = columnsOf(sentence);
  const reading = make("p", { className: "reading" });
  reading.setAttribute("role", "status");
  const target = () => card("Target", name, wordsList(sentence.target, sentence.target_words, "row", sentence.checks), reading);
  const source = () => card("Source", name, wordsList(sentence.source, columns, "column"));
  const cards = arcs ? [arcsCard(sentence, columns, name)] : [source(), target(), ...compared, matrixCard(sentence, columns, name)];
  if (arcs) cards[0].append(reading);
  const root = make("div", { className: "attention" }, ...cards);
  for (const end of root.querySelectorAll(`[data-column="${columns.length - 1}"]:is(button, th)`)) end.classList.add("end");
  listen(root, sentence);
  return root;
}
