/** The view of what `mt diagnose` found, with the way to the report. */

import { make, scrolling } from "./attention.js";
import { ask, askText, hasToken, path } from "./api.js";
import { button, fill, section } from "./parts.js";
import { saveText } from "./save.js";

const ORDER = ["broken", "look", "fine", "not applicable"];

function found(name, diagnosis) {
  if (!diagnosis.split) return [make("p", {}, `${name} was not diagnosed with these weights: `, make("code", {}, "mt diagnose RUN"), " does it.")];
  const list = diagnosis.summary.length
    ? make("ol", {}, ...diagnosis.summary.map((line) => make("li", {}, line))) : make("p", {}, "Nothing is conspicuous.");
  const findings = [...diagnosis.findings].sort((left, right) => ORDER.indexOf(left.verdict) - ORDER.indexOf(right.verdict));
  const rows = findings.map((one) => make("tr", {}, make("th", { scope: "row" }, one.name), make("td", {}, one.verdict), make("td", {}, one.says)));
  const heads = ["question", "verdict", "answer"].map((text) => make("th", { scope: "col" }, text));
  return [list, scrolling(`All questions to ${name}`, make("table", { className: "findings" },
    make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows)))];
}

/** Return the way to the report; where a token is needed a link cannot bear it, so the report is saved. */
function reporting(runs) {
  const address = `/report?${new URLSearchParams(runs.map(({ name }) => ["run", name]))}`;
  const outcome = make("span", {});
  const save = () => fill(outcome, "Writing the report …", async () => {
    saveText("report.html", await askText(address), "text/html");
    return [make("span", {}, "Saved.")];
  });
  const link = hasToken() ? "The report of these runs" : make("a", { href: address, id: "report" }, "The report of these runs");
  return make("div", { className: "bar" }, link, button("Save it", save), outcome);
}

export function diagnosisView(runs) {
  const cards = runs.map((run) => {
    const body = make("div", {});
    fill(body, "Reading …", async () => found(run.name, await ask(path("/api/diagnosis", { run: run.name }))));
    return section(`${run.name}: what it suffers from, worst first`, body);
  });
  return make("div", {}, reporting(runs), ...cards);
}
