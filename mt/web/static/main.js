/** The page: which runs there are, which view the address asks for, and the token where one is needed. */

import { make } from "./attention.js";
import { ask, keepToken } from "./api.js";
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

/** Return the links between the views; the runs that are looked at stay. */
function links(current) {
  return Object.entries(VIEWS).map(([name, [text]]) => {
    const kept = new URLSearchParams(read().getAll("run").map((run) => ["run", run]));
    if (name !== "translate") kept.set("view", name);
    const link = make("a", { href: `#${kept}` }, text);
    if (name === current) link.setAttribute("aria-current", "page");
    return link;
  });
}

function tokenForm() {
  const box = make("input", { type: "password", autocomplete: "off" });
  const form = make("form", {}, labelled("Token", box, "token"), make("button", { className: "main" }, "Go on"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keepToken(box.value);
    start();
  });
  return section("This service asks for a token", make("p", {}, "Whoever runs it has set one (MT_TOKEN)."), form);
}

/** Draw the view of the address; what has the focus keeps it, if it is still there. */
function draw() {
  if (!runs) return;
  const name = read().get("view") in VIEWS ? read().get("view") : "translate";
  const focused = document.activeElement?.id;
  document.getElementById("views").replaceChildren(...links(name));
  main.replaceChildren(VIEWS[name][1](runs));
  main.dataset.state = location.hash;  // what is drawn, or on its way
  document.title = `${VIEWS[name][0]} · mt`;
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
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

addEventListener("token-wanted", () => main.replaceChildren(tokenForm()));
addEventListener("hashchange", draw);
start();
