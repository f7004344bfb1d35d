/** The beam as a tree: a column for each step, the hypotheses that stayed above those that were dropped. */

import { make, makeSvg, scrolling } from "./attention.js";
import { button } from "./parts.js";

const MOST_DROPPED = 6;

/** Return the numbers of the pieces that lead to a branch of a step. */
export function pathTo(trace, step, branch) {
  const path = [];
  for (let at = step, one = branch; at >= 0; at -= 1) {
    path.unshift(one.number);
    if (at > 0) one = trace[at - 1].kept[one.parent];
  }
  return path;
}

function node(trace, step, branch, kind, best, { run, force }) {
  const path = pathTo(trace, step, branch);
  const own = kind === "kept" && path.every((piece, index) => piece === best[index]);
  const score = branch.log_probability.toFixed(2);
  const made = button(branch.piece, () => force(path), { className: `node ${kind}${own ? " best" : ""}`, id: `node-${run}-${path.join("-")}` });
  made.append(make("small", {}, score));
  made.title = `${kind}, log probability ${score}`;
  made.setAttribute("aria-label", `step ${step + 1}: ${branch.piece}, ${kind}${own ? ", in the best translation" : ""}, log probability ${score}`);
  made.parent = branch.parent;
  return made;
}

function ending(one) {
  const made = make("span", { className: "node left" }, "</s>", make("small", {}, one.score.toFixed(2)));
  made.title = `finished, score ${one.score.toFixed(3)}`;
  made.parent = one.parent;
  return made;
}

/** Draw a line from each node to its parent in the column before. */
function connect(svg, columns) {
  const box = svg.getBoundingClientRect();
  const paths = [];
  columns.slice(1).forEach((column, index) => {
    for (const child of column.querySelectorAll(".node")) {
      const parent = columns[index].querySelectorAll(".kept")[child.parent];
      if (!parent) continue;
      const [from, to] = [parent.getBoundingClientRect(), child.getBoundingClientRect()];
      const [x, y] = [from.right - box.left, from.top + from.height / 2 - box.top];
      const [left, top] = [to.left - box.left, to.top + to.height / 2 - box.top];
      const kind = child.classList.contains("best") ? "best" : child.classList.contains("dropped") ? "dropped" : "";
      paths.push(makeSvg("path", { class: kind, d: `M${x} ${y} C${(x + left) / 2} ${y} ${(x + left) / 2} ${top} ${left} ${top}` }));
    }
  });
  svg.replaceChildren(...paths);
}

/** Return the tree of a run's translation with its trace; `force` is given the pieces of what is clicked. */
export function showTree(run, translation, force) {
  const { trace, numbers } = translation, acting = { run, force };
  const columns = trace.map((selection, step) => {
    const kept = selection.kept.map((one) => node(trace, step, one, "kept", numbers, acting));
    const left = step ? selection.left.filter((one) => one.step === step - 1).map(ending) : [];
    const dropped = selection.dropped.slice(0, MOST_DROPPED).map((one) => node(trace, step, one, "dropped", numbers, acting));
    return make("li", {}, ...kept, ...left, ...dropped);
  });
  const svg = makeSvg("svg", { class: "edges", "aria-hidden": "true" });
  const list = make("ol", { className: "tree" }, ...columns);
  const tree = make("div", { className: "lines" }, svg, list);
  new ResizeObserver(() => connect(svg, columns)).observe(tree);
  const says = make("p", {}, "Each column is a step; a number is the log probability so far, of </s> the score. What was dropped is dashed. " +
    "Choose a piece, and the translation goes on from there.");
  return make("div", {}, says, scrolling("The steps of the search", tree));
}
