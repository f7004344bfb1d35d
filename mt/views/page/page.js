import { make, showAttention } from "./attention.js";

const sentences = JSON.parse(document.getElementById("data").textContent);
const main = document.getElementById("main");
const choice = document.getElementById("sentence");

/** Draw sentence `number`, counted from 1. */
function draw(number) {
  choice.value = number;
  document.getElementById("previous").disabled = number === 1;
  document.getElementById("next").disabled = number === sentences.length;
  main.replaceChildren(showAttention(sentences[number - 1]));
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
  addEventListener("hashchange", drawAddressed);
  drawAddressed();
}

start();
