/** What is shown, as the address says it after #, so that each state has a link and "back" works. */

export const read = () => new URLSearchParams(location.hash.slice(1));

/** Change some parts of the address; null takes one out, a list gives one several times. */
export function go(changes, { fresh = false } = {}) {
  const next = fresh ? new URLSearchParams() : read();
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    if (value !== null && value !== "") for (const one of [value].flat()) next.append(name, one);
  }
  location.hash = next.toString();
}

/** Return a whole number of the address, or null. */
export function number(state, name) {
  const value = Number(state.get(name));
  return state.has(name) && Number.isInteger(value) ? value : null;
}

/** Return the numbers that one part of the address lists. */
export const numbers = (state, name) => (state.get(name) || "").split(",").filter(Boolean).map(Number);
