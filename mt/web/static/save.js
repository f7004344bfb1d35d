/** Matrices and answers as files: SVG, PNG and JSON. */

import { darkness, make, makeSvg } from "./attention.js";
import { button } from "./parts.js";

const CELL = 24, LETTER = 7.5, LONGEST = 18;

/** Return a matrix as a picture that needs no style sheet. */
export function draw(sentence) {
  const short = (word) => (word.length > LONGEST ? `${word.slice(0, LONGEST)}…` : word);
  const columns = [...sentence.source_words, "</s>"].map(short), rows = sentence.target_words.map(short);
  const longest = (words) => 12 + LETTER * Math.max(1, ...words.map((word) => word.length));
  const left = longest(rows), top = longest(columns);
  const width = left + CELL * columns.length + 4, height = top + CELL * rows.length + 4;
  const svg = makeSvg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "font-family": "sans-serif", "font-size": 13 });
  svg.append(makeSvg("rect", { width, height, fill: "#fff" }));
  const middle = (index) => CELL * (index + 0.5) + 4;
  columns.forEach((word, index) => svg.append(makeSvg("text",
    { transform: `translate(${left + middle(index)} ${top - 6}) rotate(-90)`, fill: "#14171f" }, word)));
  rows.forEach((word, index) => svg.append(makeSvg("text",
    { x: left - 6, y: top + middle(index), "text-anchor": "end", fill: "#14171f" }, word)));
  sentence.weights.forEach((weights, row) => weights.forEach((weight, column) => svg.append(makeSvg("rect", {
    x: left + CELL * column, y: top + CELL * row, width: CELL - 1, height: CELL - 1,
    fill: "#1f5fd6", "fill-opacity": darkness(weight / 1000).toFixed(3), stroke: "#dfe3ea", "stroke-width": 0.5,
  }))));
  return svg;
}

function download(name, blob) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function saveText(name, text, type) {
  download(name, new Blob([text], { type }));
}

async function savePng(name, svg) {
  const text = new XMLSerializer().serializeToString(svg), scale = 2;
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = make("canvas", { width: scale * image.width, height: scale * image.height });
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.drawImage(image, 0, 0);
  canvas.toBlob((blob) => download(name, blob));
}

/** Return buttons that save what is shown: the matrix as a picture, the answer as JSON. */
export function saving(name, sentence, answer) {
  const bar = make("div", { className: "bar" });
  if (sentence?.weights.length) {
    bar.append(
      button("Save PNG", () => savePng(`${name}.png`, draw(sentence))),
      button("Save SVG", () => saveText(`${name}.svg`, new XMLSerializer().serializeToString(draw(sentence)), "image/svg+xml")));
  }
  bar.append(button("Save JSON", () => saveText(`${name}.json`, JSON.stringify(answer, null, 1), "application/json")));
  return bar;
}
