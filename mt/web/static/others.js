/** The next best translations of a run, asked for when somebody opens the list. */

import { make } from "./attention.js";
import { ask } from "./api.js";
import { fill } from "./parts.js";

const MOST = 5;

/** Return a list to open; `asked` is what was asked for the best translation, `tell` makes a line of two texts. */
export function othersOf(run, asked, best, tell) {
  const body = make("div", {}), made = make("details", { className: "others", id: `others-${run}` });
  made.append(make("summary", {}, "Other translations"), body);
  made.addEventListener("toggle", () => {
    if (!made.open || body.hasChildNodes()) return;
    fill(body, "Searching …", async () => {
      const { text, ...how } = asked;
      const answer = await ask("/api/translate", { ...how, trace: false, confidence: false, alignments: false, n_best: MOST, texts: [text] });
      const others = answer.translations[0].others;
      if (!others.length) return [make("p", {}, "The search found no other one.")];
      return [make("ol", {}, ...others.map((one) => make("li", {}, make("bdi", {}, ...tell(one.text, best.text)),
        make("span", { className: "facts" }, ` score ${one.score.toFixed(3)}`))))];
    });
  });
  return made;
}
