/** One run's translation of a sentence: what it says, how sure it is, and what it looked at. */

import { differing, isolated, make, showAttention } from "./attention.js";
import { ask } from "./api.js";
import { othersOf } from "./others.js";
import { button, fill, labelled, percent, section } from "./parts.js";
import { saving } from "./save.js";
import { go, number, numbers } from "./state.js";
import { showTree } from "./tree.js";
import { showWhatIf } from "./whatif.js";

export const LOOKS = { matrix: "Matrix", arcs: "Arcs", tree: "Beam", whatif: "What if" };

/** Return an alignment of the service as the renderer wants it. */
export function sentenceOf(source, target, alignment, checks = null) {
  const { source_words = [], target_words = [], words = [] } = alignment ?? {};
  const weights = words.map((row) => row.map((weight) => Math.round(1000 * weight)));
  return { source, target, source_words, target_words, weights, ...(checks ? { checks } : {}) };
}

/** The words to check, by their number, in percent; they fit where the alignment is in words. */
function checksOf({ confidence, alignment }) {
  if (!confidence || confidence.words.length !== alignment?.target_words.length) return null;
  return Object.fromEntries(confidence.words.flatMap(({ check, wrong }, index) => (check ? [[index, Math.round(100 * wrong)]] : [])));
}

function marked(translation) {
  const line = make("bdi", {}), { text, confidence } = translation;
  let end = 0;
  for (const { span: [start, stop], check, wrong } of confidence?.words ?? []) {
    const word = text.slice(start, stop);
    line.append(text.slice(end, start), check ? make("u", { className: "check", title: `wrong with ${percent(wrong)}` }, word) : word);
    end = stop;
  }
  line.append(text.slice(end));
  return line;
}

function facts(translation) {
  const { text, score, confidence, cut, pieces } = translation;
  const told = [`score ${score.toFixed(3)}`, `${pieces.length} ${pieces.length > 1 ? "pieces" : "piece"} with </s>`];
  if (!text) told.unshift("it says nothing");
  if (cut) told.push("ended by the limit on its length");
  if (confidence) told.push(`expected TER ${confidence.ter.toFixed(0)}`,
    `good enough (TER at most ${confidence.bound}) with ${percent(confidence.good)}`);
  return make("p", { className: "facts" }, told.join(" · "));
}

const drafts = new Map();  // what was written and not yet asked for, by run and translation: a new look does not lose it

/** Return a box in which the translation can be written anew: the model goes on from it, or reads it off as it is. */
function editing(run, translation) {
  const draft = JSON.stringify([run.name, translation.text]);
  const box = make("textarea", { rows: 2, value: drafts.get(draft) ?? translation.text, required: true });
  box.addEventListener("input", () => drafts.set(draft, box.value));
  const upToCursor = () => box.value.slice(0, box.selectionEnd);
  const proceed = () => go({ prefix: null, forced: null, begin: upToCursor(), own: null, posterior: null, weights: null });
  const readOff = (posterior) => {
    if (box.reportValidity()) go({ own: box.value, posterior, prefix: null, forced: null, begin: null, weights: null, ...(posterior ? { layer: null } : {}) });
  };
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) proceed();
  });
  return make("details", { className: "editing", open: drafts.has(draft) }, make("summary", {}, "Write it otherwise"),
    labelled("Your translation", box, `own-${run.name}`),
    make("div", { className: "bar" },
      button("Go on from the cursor", proceed, { id: `continue-${run.name}` }),
      button("Read it off as it is", () => readOff(null), { id: `read-${run.name}` }),
      button("Which source explains it (posterior)", () => readOff(1), { id: `explain-${run.name}` })));
}

function looks(run, state, names) {
  const chosen = names.includes(state.get("look")) ? state.get("look") : names[0];
  return make("div", { className: "bar looks" }, ...names.map((name) => {
    const made = button(LOOKS[name], () => go({ look: name }), { className: name === chosen ? "chosen" : "", id: `look-${name}-${run.name}` });
    made.setAttribute("aria-pressed", String(name === chosen));
    made.dataset.look = name;
    return made;
  }));
}

function looksAt({ trace, alignment }) {
  return Object.keys(LOOKS).filter((name) => (name === "tree" ? trace : alignment));
}

function show(run, state, asked, translation) {
  const look = state.get("look") ?? "matrix";
  const sentence = sentenceOf(asked.text, translation.text, translation.alignment, checksOf(translation));
  if (look === "tree") return showTree(run.name, translation, (path) => go({ prefix: path.join(","), forced: run.name, begin: null, own: null, weights: null }));
  if (!translation.alignment) return make("p", {}, `${run.name} has no attention to show (model.attention.score: none).`);
  if (look === "whatif" && state.has("uniform")) return make("p", {}, "Even attention replaces all weights: switch it off, to try others.");
  if (look === "whatif") {
    const given = state.has("weights") ? numbers(state, "weights") : null;
    const fits = given?.length === translation.alignment.source_pieces.length;
    const several = run.layers * run.heads > 1 && !(asked.layer && asked.head);
    return showWhatIf({ run: run.name, text: asked.text, layer: asked.layer, head: asked.head, beam: asked.beam, several }, translation,
      number(state, "step"), fits ? given : null);
  }
  return showAttention(sentence, { arcs: look === "arcs", name: run.name });
}

/** What the address asks of a run. */
function asking(run, state) {
  const layer = run.layers ? number(state, "layer") : null, head = run.layers ? number(state, "head") : null;
  return {
    run: run.name, text: state.get("text"), unit: state.get("unit") || null, layer, head,
    beam: number(state, "beam"), trace: true, confidence: run.confident,
  };
}

// Other runs have other pieces.
const isForced = (run, state) => state.has("prefix") && (state.get("forced") ?? run.name) === run.name;
const isFree = (run, state) => !isForced(run, state) && !state.has("begin") && !state.has("uniform");

/** Return the translation of a run, as the address asks for it: free, with a beginning, or with even attention. */
async function translate(run, state) {
  const { text, ...how } = asking(run, state);
  if (isFree(run, state))
    return (await ask("/api/translate", { ...how, texts: [text] })).translations[0];
  const prefix = isForced(run, state) ? numbers(state, "prefix") : state.get("begin") ?? "";
  const uniform = state.has("uniform") && run.layers > 0;
  return (await ask("/api/continue", { ...how, text, prefix, uniform })).translations[0];
}

/** Return what a run looks at while it reads your translation off. */
async function readOff(run, state) {
  const { text, unit, layer, head } = asking(run, state), own = state.get("own"), posterior = state.has("posterior");
  const pair = { source: text, target: own };
  const scored = await ask("/api/score", { run: run.name, pairs: [pair] });
  const told = [make("p", { className: "translation", dir: "auto" }, isolated(own)),
    make("p", { className: "facts" }, `yours · log probability ${scored.scores[0].log_probability.toFixed(2)}, ` +
      `${(scored.scores[0].log_probability / scored.scores[0].pieces.length).toFixed(2)} a piece`),
    ...(posterior ? [make("p", {}, "Shown is which source word explains each word once it is there (the posterior), not what predicted it.")] : [])];
  const back = make("div", { className: "bar" }, button("The model's own translation", () => go({ own: null, posterior: null })));
  if (!run.layers) return [...told, back, make("p", {}, `${run.name} has no attention to show.`)];
  const { alignment } = await ask("/api/align", { ...pair, run: run.name, unit, layer, head, posterior });
  const sentence = sentenceOf(text, own, alignment);
  return [...told, back, looks(run, state, ["matrix", "arcs"]),
    showAttention(sentence, { arcs: state.get("look") === "arcs", name: run.name }), saving(run.name, sentence, alignment)];
}

/** Return the card of a run; `first` is the promise of the first run's text, with which this one is compared. */
export function resultCard(run, state, texts) {
  const body = make("div", {});
  body.setAttribute("aria-busy", "true");  // also while it waits for those before it
  const card = section(`${run.name}: ${run.summary}`, body);
  card.classList.add("result");
  card.dataset.run = run.name;
  const work = async () => {
    if (state.has("own")) return readOff(run, state);
    const translation = await translate(run, state);
    texts.set(run.name, translation.text);
    const [[first, firstText]] = texts;
    const line = first === run.name ? [marked(translation)] : differing(translation.text, firstText);
    const says = line.some((part) => part.tagName === "MARK") ? [make("p", { className: "facts" }, make("mark", {}, "marked"), ` where ${first} says something else`)] : [];
    const sentence = sentenceOf(state.get("text"), translation.text, translation.alignment, checksOf(translation));
    return [make("p", { className: "translation", dir: "auto" }, ...line), ...says, facts(translation), editing(run, translation),
      ...(isFree(run, state) ? [othersOf(run.name, asking(run, state), translation, differing)] : []),
      looks(run, state, looksAt(translation)), show(run, state, asking(run, state), translation), saving(run.name, sentence, translation)];
  };
  return { card, ready: () => fill(body, "Translating …", work) };
}
