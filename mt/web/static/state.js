/** What is shown, as the address says it after #, so that each state has a link and "back" works. */

export const read = () => new URLSearchParams(location.hash.slice(1));

/** Change some parts of the address; null takes one out, a list gives one several times. What is asked for again is drawn anew. */
export function go(changes, { fresh = false } = {}) {
  const next = fresh ? new URLSearchParams() : read();
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    if (value !== null && value !== "") for (const one of [value].flat()) next.append(name, one);
  }
  if (next.toString() === location.hash.slice(1)) dispatchEvent(new Event("hashchange"));
  else location.hash = next.toString();
}

/** Return a whole number of the address, or null. */
export function number(state, name) {
  const value = Number(state.get(name));
  return state.has(name) && Number.isInteger(value) ? value : null;
}

/** Return a number of the address, from 0 to the last there is; 0 where it has none. */
export const within = (state, name, last) => Math.max(0, Math.min(number(state, name) ?? 0, last));

/** Return the numbers that one part of the address lists. */
export const numbers = (state, name) => (state.get(name) || "").split(",").filter(Boolean).map(Number);
