import { make, showAttention } from "./attention.js";

const sentences = JSON.parse(document.getElementById("data").textContent);
const main = document.getElementById("main");
const choice = document.getElementById("sentence");

const inPieces = document.getElementById("pieces");

/** Return a sentence as it is shown: in words, or, where that is chosen, in the pieces that the model reads. */
function shown({ pieces, ...sentence }) {
  inPieces.hidden = !pieces;
  if (!pieces || inPieces.getAttribute("aria-pressed") === "false") return sentence;
  const { source, target, reference } = sentence;
  return { source, target, ...(reference === undefined ? {} : { reference }), ...pieces };
}

/** Draw sentence `number`, counted from 1. */
function draw(number) {
  choice.value = number;
  document.getElementById("previous").disabled = number === 1;
  document.getElementById("next").disabled = number === sentences.length;
  main.replaceChildren(showAttention(shown(sentences[number - 1])));
}

/** Draw the sentence that the address names, e.g. #12, so that it can be linked to and the browser's "back" works. */
function drawAddressed() {
  const number = Number(location.hash.slice(1));
  if (sentences.length) draw(Number.isInteger(number) && sentences[number - 1] ? number : 1);
}

function start() {
  const shortened = (text) => (text.length > 90 ? `${text.slice(0, 90)}…` : text);
  choice.append(...sentences.map(({ source }, index) =>
    make("option", { value: index + 1 }, `${index + 1}. ${shortened(source)}`)));
  document.querySelector("nav").hidden = sentences.length < 2;
  choice.addEventListener("change", () => { location.hash = choice.value; });
  document.getElementById("previous").addEventListener("click", () => { location.hash = Number(choice.value) - 1; });
  document.getElementById("next").addEventListener("click", () => { location.hash = Number(choice.value) + 1; });
  inPieces.addEventListener("click", () => {
    inPieces.setAttribute("aria-pressed", String(inPieces.getAttribute("aria-pressed") === "false"));
    drawAddressed();
  });
  addEventListener("hashchange", drawAddressed);
  drawAddressed();
}

start();
