/** The film: how the alignment of some validation sentences was learned, one frame for each validation. */

import { isolated, make, showAttention } from "./attention.js";
import { ask, path } from "./api.js";
import { button, fill, labelled, select, status } from "./parts.js";
import { go, read, within } from "./state.js";

const PAUSE = 900;  // milliseconds between two frames

/** Return a sentence as one validation saw it, in pieces, as the renderer wants it. */
function seenAt({ source, target, source_pieces, target_pieces }, { attention }) {
  return { source, target, source_words: source_pieces.slice(0, -1), target_words: target_pieces, weights: attention ?? [] };
}

/** Return the player of one sentence, at a frame. */
function player({ sentences, frames }, chosen, first) {
  const picture = make("div", {}), says = status("", { id: "frame-says" });
  const slider = make("input", { type: "range", min: 0, max: frames.length - 1, value: first });
  let timer = null;
  const draw = (at) => {
    const { update, epoch, sentences: seen } = frames[at];
    slider.value = at;
    slider.setAttribute("aria-valuetext", `update ${update}`);
    says.replaceChildren(`Update ${update}, epoch ${epoch}; it would translate: `, isolated(seen[chosen].translation || "(nothing)"));
    picture.replaceChildren(showAttention(seenAt(sentences[chosen], seen[chosen])));
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  };
  const play = button("Play", () => {
    if (timer) return stop();
    if (Number(slider.value) === frames.length - 1) draw(0);
    play.textContent = "Pause";
    timer = setInterval(() => {
      if (!play.isConnected) return stop();
      draw(Number(slider.value) + 1);
      if (Number(slider.value) === frames.length - 1) stop();
    }, PAUSE);
  }, { id: "play", className: "main" });
  slider.addEventListener("input", () => draw(Number(slider.value)));
  slider.addEventListener("change", () => go({ frame: slider.value }));
  draw(first);
  return [make("div", { className: "bar" }, play, labelled("Frame", slider, "frame")), says, picture];
}

export function filmView(runs) {
  const state = read(), run = runs.find(({ name }) => name === state.get("run")) ?? runs[0];
  const body = make("div", {});
  fill(body, "Reading the film …", async () => {
    const film = await ask(path("/api/film", { run: run.name }));
    if (!film.frames.length) return [make("p", {}, `${run.name} has no film: train with `, make("code", {}, "train.film=4"), ", and each validation keeps a frame.")];
    const { sentences, frames } = film, chosen = within(state, "sentence", sentences.length - 1);
    const choice = select(sentences.map(({ source }, index) => [index, source]), chosen, (value) => go({ sentence: value }));
    return [labelled("Sentence", choice, "sentence"), ...player(film, chosen, within(state, "frame", frames.length - 1))];
  });
  const choice = runs.length > 1
    ? [labelled("Run", select(runs.map(({ name }) => [name, name]), run.name, (name) => go({ run: name, frame: null })), "run")] : [];
  return make("div", {}, ...choice, body);
}
