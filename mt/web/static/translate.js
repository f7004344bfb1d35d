/** The view in which a sentence is translated, by one run or by several side by side. */

import { beside, isolated, make, showAttention } from "./attention.js";
import { ask, path } from "./api.js";
import { button, fill, labelled, section, select } from "./parts.js";
import { resultCard, sentenceOf } from "./result.js";
import { go, number, read } from "./state.js";

const UNITS = ["words", "pieces", "characters", "tokens"];
const FORGOTTEN = { prefix: null, forced: null, begin: null, own: null, posterior: null, step: null, weights: null };

/** The runs that the address names, or the first. */
const chosenOf = (runs, state) => {
  const named = runs.filter(({ name }) => state.getAll("run").includes(name));
  return named.length ? named : runs.slice(0, 1);
};

function runChoice(runs, chosen, change) {
  const boxes = runs.map((run) => {
    const box = make("input", { type: "checkbox", checked: chosen.includes(run), value: run.name, id: `run-${run.name}` });
    box.addEventListener("change", () => {
      const names = boxes.map((label) => label.querySelector("input")).filter(({ checked }) => checked).map(({ value }) => value);
      change({ run: names });
    });
    const label = make("label", { className: "choice" }, box, run.name);
    return label;
  });
  return make("fieldset", {}, make("legend", {}, "Runs, side by side"), ...boxes);
}

/** Return the choice of layer and head, of as many as the run with the most has. */
function siteChoice(runs, state, change) {
  const [layers, heads] = [Math.max(...runs.map((run) => run.layers)), Math.max(...runs.map((run) => run.heads))];
  const range = (count, none, name) => [["", none], ...Array.from({ length: count }, (_, index) => [index + 1, `${name} ${index + 1}`])];
  const parts = [];
  if (layers > 1) parts.push(labelled("Layer", select(range(layers, "as the config says", "layer"), state.get("layer") ?? "",
    (value) => change({ layer: value || null })), "layer"));
  if (heads > 1) parts.push(labelled("Head", select(range(heads, "their mean", "head"), state.get("head") ?? "",
    (value) => change({ head: value || null })), "head"));
  return parts;
}

function form(runs, state) {
  const chosen = chosenOf(runs, state);
  const box = make("textarea", { rows: 2, value: state.get("text") ?? "", maxLength: 2000, lang: runs[0].source });
  const begin = (changes = {}) => go({ ...FORGOTTEN, text: box.value, split: null, number: null, ...changes });
  const change = (changes) => (box.value === (state.get("text") ?? "") ? go(changes) : begin(changes));  // what was typed stays
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    begin();
  });
  const beam = make("input", { type: "number", min: 1, max: 50, value: state.get("beam") ?? chosen[0].beam });
  beam.addEventListener("change", () => change({ beam: beam.value }));
  const even = make("input", { type: "checkbox", checked: state.has("uniform") });
  even.addEventListener("change", () => change({ uniform: even.checked ? 1 : null }));
  const unit = select(UNITS.map((name) => [name, name]), state.get("unit") ?? chosen[0].unit, (value) => change({ unit: value }));
  const options = [labelled("Beam", beam, "beam"), labelled("Alignment in", unit, "unit"), ...siteChoice(chosen, state, change)];
  if (chosen.some(({ layers }) => layers)) options.push(labelled("Even attention", even, "uniform"));
  const made = make("form", {}, labelled(`Sentence (${runs[0].source} to ${runs[0].target})`, box, "source"),
    make("div", { className: "bar" }, make("button", { className: "main", id: "translate" }, "Translate"), ...options),
    ...(runs.length > 1 ? [runChoice(runs, chosen, change)] : []));
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    begin();
  });
  return made;
}

/** Return what the corpus knows of the sentence, where the address names one of a split. */
function known(run, state) {
  const holder = make("div", {});
  fill(holder, "Looking the sentence up …", async () => {
    const query = { run: run.name, split: state.get("split"), number: state.get("number") };
    const [{ sentences }, told] = await Promise.all([ask(path("/api/corpus", { run: run.name, split: query.split })),
      ask(path("/api/sentence", query))]);
    const sentence = sentences[number(state, "number") - 1];
    const rows = [];
    if (told.nearest) rows.push([`Nearest training sentence (${told.nearest.shared} of ${told.nearest.words} words)`, told.nearest.source],
      ["Its translation in training", told.nearest.target]);
    if (told.missing) rows.push(["Training cannot be looked at", told.missing]);
    const list = make("dl", {}, ...rows.flatMap(([name, text]) => [make("dt", {}, name), make("dd", { dir: "auto" }, isolated(text))]));
    const texts = sentence ? beside(sentence.hypothesis, sentence.reference) : make("p", {}, "Its reference is not listed.");
    if (!told.aligned) return [texts, list];
    const gold = { ...sentenceOf(sentence.source, sentence.reference, told.aligned), sure: told.sure, possible: told.possible };
    return [texts, list, make("h3", {}, "The reference, read off, with its gold links"), showAttention(gold, { name: "reference" })];
  });
  return section(`Sentence ${state.get("number")} of ${state.get("split")}`, holder);
}

export function translateView(runs) {
  const state = read(), chosen = chosenOf(runs, state);
  const view = make("div", {}, form(runs, state));
  if (!state.get("text")?.trim()) {
    view.append(make("p", { className: "hint" }, "Type a sentence, and press Enter. Or pick one from the corpus."),
      button("Pick a sentence from the corpus", () => go({ view: "corpus" })));
    return view;
  }
  if (state.has("prefix") || state.has("begin") || state.has("uniform"))
    view.append(make("p", { className: "hint" }, "This is not the model's free translation: ",
      button("Let it translate freely", () => go({ ...FORGOTTEN, uniform: null }), { id: "free" })));
  const texts = new Map(), cards = chosen.map((run) => resultCard(run, state, texts));
  const results = make("div", { className: `results of-${Math.min(cards.length, 2)}` }, ...cards.map(({ card }) => card));
  view.append(results);
  if (state.has("split") && state.has("number")) view.append(known(chosen[0], state));
  (async () => {  // one after the other, so that the others are compared with the first
    for (const { ready } of cards) await ready();
    view.dataset.done = "";
  })();
  return view;
}
