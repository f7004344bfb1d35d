/** What if attention had looked elsewhere: the weights of a step are changed, and the rest is translated anew. */

import { isolated, make } from "./attention.js";
import { ask } from "./api.js";
import { button, fill, labelled, percent, select, status } from "./parts.js";
import { go } from "./state.js";

const MOST = 8;

function bars(title, likely, before = {}) {
  const rows = likely.map(({ piece, number, probability }) => {
    const bar = make("td", { className: "bar-cell" }, percent(probability));
    bar.style.setProperty("--share", probability);
    const was = before[number];
    return make("tr", {}, make("th", { scope: "row" }, isolated(piece)), bar,
      ...(was === undefined ? [] : [make("td", {}, percent(was))]));
  });
  const heads = ["piece", "probability", ...(Object.keys(before).length ? ["with the model's own weights"] : [])];
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  return make("table", { className: "bars" }, make("caption", {}, title), make("thead", {}, head), make("tbody", {}, ...rows));
}

/** Return sliders for the weights of a step, and what follows from them. */
function sliders(asked, translation, step, given) {
  const { source_pieces: pieces, attention } = translation.alignment;
  const own = attention[step], weights = [...given ?? own];
  const named = (name) => `${name}-${asked.run}`;  // several runs may stand side by side
  const sum = status("", { id: named("sum") }), outcome = make("div", { id: named("outcome") });
  const inputs = pieces.map((piece, index) => {
    const input = make("input", { type: "range", min: 0, max: 1, step: 0.01, value: weights[index] });
    const shown = make("output", { htmlFor: named(`weight-${index}`) }, percent(weights[index]));
    input.addEventListener("input", () => set(index, Number(input.value)));
    const field = labelled(make("span", {}, isolated(piece)), input, named(`weight-${index}`));
    field.append(shown);
    return field;
  });
  const say = () => {
    sum.textContent = `The weights sum to ${weights.reduce((left, right) => left + right, 0).toFixed(2)}; the model's own sum to 1.`;
  };
  const set = (index, weight) => {
    weights[index] = weight;
    inputs[index].querySelector("output").textContent = percent(weight);
    say();
  };
  const all = (values) => values.forEach((weight, index) => {
    set(index, weight);
    inputs[index].querySelector("input").value = weight;
  });
  const largest = own.indexOf(Math.max(...own));
  const start = { run: asked.run, text: asked.text, layer: asked.layer, head: asked.head };
  const prefix = translation.numbers.slice(0, step);
  const foresee = () => fill(outcome, "Asking what comes next …", async () => {
    const common = { ...start, prefix, most: MOST };
    const clamped = { weights: { [step]: weights } };
    const [before, after, rest] = await Promise.all([ask("/api/next", { ...common, most: 100 }),
      ask("/api/next", { ...common, ...clamped }), ask("/api/continue", { ...start, beam: asked.beam, prefix, ...clamped })]);
    const was = Object.fromEntries(before.likely.map(({ number, probability }) => [number, probability]));
    return [bars(`What comes next at step ${step + 1}`, after.likely, was),
      make("p", { id: named("rest") }, "The rest, translated anew: ", isolated(rest.translations[0].text))];
  });
  const apply = () => go({ step, weights: weights.map((weight) => weight.toFixed(3)).join(",") });
  say();
  if (given) foresee();
  return make("div", {}, make("div", { className: "sliders" }, ...inputs), sum,
    make("div", { className: "bar" }, button("Apply", apply, { id: named("apply"), className: "main" }),
      button("Take the largest away", () => all(own.map((weight, index) => (index === largest ? 0 : weight)))),
      button("All equal", () => all(own.map(() => 1 / own.length)), { id: named("equal") }),
      button("Only the largest", () => all(own.map((_, index) => Number(index === largest)))),
      button("The model's own", () => all(own), { id: named("reset") })), outcome);
}

/** Return what changes the weights of a translation's steps; `given` are the weights that the address holds, or null. */
export function showWhatIf(asked, translation, step, given) {
  const pieces = translation.alignment.target_pieces;
  const at = Math.max(0, Math.min(step ?? 0, pieces.length - 1));
  const options = pieces.map((piece, index) => [index, `${index + 1}. ${piece}`]);
  const choose = (value) => go({ step: value, weights: null });
  const says = make("p", {}, "Change what the model looks at in one step. Weights are of pieces; without a choice of layer and head they " +
    "replace those of every layer and head." + (asked.several ? " The sliders begin at the mean of these, which is none of them." : ""));
  return make("div", {}, says, labelled("Step ", select(options, at, choose), `step-${asked.run}`),
    sliders(asked, translation, at, given));
}
