/** Small elements that several views use. */

import { make } from "./attention.js";

/** Return a control with its label; `id` makes it known to tests and scripts. */
export function labelled(text, control, id) {
  control.id = id;
  return make("span", { className: "field" }, make("label", { htmlFor: id }, text), control);
}

export function button(text, act, properties = {}) {
  const made = make("button", { type: "button", ...properties }, text);
  made.addEventListener("click", act);
  return made;
}

/** Return a choice among [value, text]. */
export function select(options, chosen, act) {
  const made = make("select", {}, ...options.map(([value, text]) => make("option", { value }, text)));
  made.value = chosen;
  made.addEventListener("change", () => act(made.value));
  return made;
}

export function section(title, ...children) {
  const made = make("section", {}, make("h2", {}, title), ...children);
  made.setAttribute("aria-label", title);
  return made;
}

/** Return a line that a screen reader says when it changes. */
export function status(text = "", properties = {}) {
  const made = make("p", { className: "status", ...properties }, text);
  made.setAttribute("role", "status");
  return made;
}

export function failure(error) {
  const made = make("p", { className: "failure" }, error.message);
  made.setAttribute("role", "alert");
  return made;
}

export const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

/** Fill an element with what comes, or with why it does not; an answer that comes too late is dropped. */
export async function fill(element, wait, coming) {
  const turn = (element.turn = (element.turn ?? 0) + 1);
  element.setAttribute("aria-busy", "true");
  element.replaceChildren(status(wait));
  let children;
  try {
    children = [await coming()].flat();
  } catch (error) {
    children = [failure(error)];
  }
  if (element.turn !== turn) return;
  element.replaceChildren(...children);
  element.removeAttribute("aria-busy");
}
