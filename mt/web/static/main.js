/** The page: which runs there are, which view the address asks for, and the token where one is needed. */

import { make } from "./attention.js";
import { ask, hasToken, keepToken } from "./api.js";
import { corpusView } from "./corpus.js";
import { diagnosisView } from "./diagnosis.js";
import { filmView } from "./film.js";
import { failure, labelled, section } from "./parts.js";
import { read } from "./state.js";
import { translateView } from "./translate.js";

const VIEWS = {
  translate: ["Translate", translateView], corpus: ["Corpus", corpusView],
  film: ["Film", filmView], diagnosis: ["Diagnosis", diagnosisView],
};
const main = document.getElementById("main");
let runs = null;
let wanted = null;  // the id of what had the focus before the view was drawn

/** Return the links between the views; the runs that are looked at stay. */
function links(current) {
  return Object.entries(VIEWS).map(([name, [text]]) => {
    const kept = new URLSearchParams(read().getAll("run").map((run) => ["run", run]));
    if (name !== "translate") kept.set("view", name);
    const link = make("a", { href: `#${kept}`, id: `view-${name}` }, text);
    if (name === current) link.setAttribute("aria-current", "page");
    return link;
  });
}

function tokenForm(isWrong) {
  const box = make("input", { type: "password", autocomplete: "off" });
  const form = make("form", {}, labelled("Token", box, "token"), make("button", { className: "main" }, "Go on"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keepToken(box.value);
    start();
  });
  const says = isWrong ? failure(new Error("This token is not the right one.")) : make("p", {}, "Whoever runs it has set one (MT_TOKEN).");
  return section("This service asks for a token", says, form);
}

/** Give the focus back to what had it, when that is drawn again; to the view, when all is drawn and it is not there. */
function refocus() {
  if (!wanted) return;
  if (document.activeElement === document.body) document.getElementById(wanted)?.focus({ preventScroll: true });
  if (document.activeElement === document.body && !main.querySelector("[aria-busy]")) main.focus({ preventScroll: true });
  if (document.activeElement !== document.body) wanted = null;
}

/** Return why a run that the address names is not shown, for each that is not served. */
const missing = () => [...new Set(read().getAll("run"))].filter((asked) => !runs.some(({ name }) => name === asked))
  .map((asked) => failure(new Error(`No run ${asked} is served here; there are ${runs.map(({ name }) => name).join(", ")}.`)));

/** Draw the view of the address. */
function draw() {
  if (!runs) return;
  const name = Object.hasOwn(VIEWS, read().get("view")) ? read().get("view") : "translate";
  const focused = document.activeElement;
  wanted = focused === document.body ? null : focused.id || main.id;
  document.getElementById("views").replaceChildren(...links(name));
  main.replaceChildren(...missing(), VIEWS[name][1](runs));
  main.dataset.state = location.hash;  // what is drawn, or on its way
  document.title = `${VIEWS[name][0]} · mt`;
  refocus();
}

async function start() {
  try {
    runs = await ask("/api/runs");
  } catch (error) {
    if (!main.querySelector("#token")) main.replaceChildren(failure(error));
    return;
  }
  draw();
}

addEventListener("token-wanted", () => {
  main.replaceChildren(tokenForm(hasToken()));
  document.getElementById("token").focus();
});
addEventListener("hashchange", draw);
new MutationObserver(refocus).observe(main, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-busy"] });
start();
