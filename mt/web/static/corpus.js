/** The view in which the sentences of a scored split are browsed, the worst first. */

import { differing, make, scrolling } from "./attention.js";
import { ask, path } from "./api.js";
import { button, fill, labelled, select } from "./parts.js";
import { go, read, within } from "./state.js";

const COLUMNS = {
  number: ["No.", 0, 1], chrf: ["chrF", 0, 1], ter: ["expected TER", 0, -1], words: ["words", 0, -1],
  log_probability: ["log probability", 2, 1], entropy: ["attention entropy", 2, -1], coverage: ["coverage deviation", 2, -1],
};
/* its heading, decimals, and 1 where the least is the worst, -1 where the greatest is */
const SHOWN = 50;

function row(corpus, sentence, columns) {
  const open = () => go({ view: null, run: corpus.run, text: sentence.source, split: corpus.split, number: sentence.number }, { fresh: true });
  const texts = make("td", { className: "texts" }, button(sentence.source, open, { className: "link" }),
    make("p", {}, make("bdi", {}, ...differing(sentence.hypothesis, sentence.reference))),
    make("p", { className: "reference" }, make("bdi", {}, ...differing(sentence.reference, sentence.hypothesis))));
  return make("tr", {}, ...columns.map((name) => make("td", {}, sentence[name].toFixed(COLUMNS[name][1]))), texts);
}

function table(corpus, by, state) {
  const known = Object.keys(COLUMNS).filter((name) => corpus.sentences.every((one) => one[name] !== null));
  const way = COLUMNS[by][2];
  const sorted = [...corpus.sentences].sort((left, right) => way * (left[by] - right[by]) || left.number - right.number);
  const last = Math.ceil(sorted.length / SHOWN) - 1, page = within(state, "page", last);
  const shown = sorted.slice(page * SHOWN, (page + 1) * SHOWN);
  const heads = known.map((name) => {
    const th = make("th", { scope: "col" }, button(COLUMNS[name][0], () => go({ sort: name, page: null }), { className: "link", id: `sort-${name}` }));
    if (name === by) th.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
    return th;
  });
  const head = make("tr", {}, ...heads, make("th", { scope: "col" }, "source, translation, reference"));
  const turn = (text, to) => button(text, () => go({ page: to }), { disabled: to < 0 || to > last, id: `page-${text}` });
  return [scrolling("Sentences", make("table", { className: "corpus" }, make("thead", {}, head),
    make("tbody", {}, ...shown.map((sentence) => row(corpus, sentence, known))))),
  make("div", { className: "bar" }, turn("Previous", page - 1), `page ${page + 1} of ${last + 1}`, turn("Next", page + 1))];
}

export function corpusView(runs) {
  const state = read(), run = runs.find(({ name }) => name === state.get("run")) ?? runs[0];
  const body = make("div", {});
  fill(body, `Reading the sentences that ${run.name} was scored on; the first time takes some seconds …`, async () => {
    const corpus = await ask(path("/api/corpus", { run: run.name, split: state.get("split") }));
    const sort = Object.hasOwn(COLUMNS, state.get("sort")) && corpus.sentences.every((one) => one[state.get("sort")] !== null) ? state.get("sort") : "chrf";
    const splits = labelled("Split", select(corpus.splits.map((name) => [name, name]), corpus.split, (split) => go({ split, page: null })), "split");
    const listed = corpus.sentences.length < corpus.of ? ` The first ${corpus.sentences.length} of ${corpus.of} are listed.` : "";
    const says = `${corpus.of} sentences, the worst first; a heading sorts; marked where translation and reference differ.${listed}`;
    return [make("div", { className: "bar" }, splits, says), ...table(corpus, sort, state)];
  });
  const choice = runs.length > 1
    ? [labelled("Run", select(runs.map(({ name }) => [name, name]), run.name, (name) => go({ run: name, page: null })), "run")] : [];
  return make("div", {}, ...choice, body);
}
