/** What the service is asked. Every failure is an Error with a sentence for people. */

const KEPT = "mt-token";
let token = sessionStorage.getItem(KEPT) ?? "";

export const hasToken = () => token !== "";

/** Keep what the service is sent from now on; a text that no header can bear is sent as a token that none has. */
export function keepToken(text) {
  token = /^[\x20-\x7e\xa0-\xff]*$/.test(text) ? text : "?";
  sessionStorage.setItem(KEPT, token);
}

async function send(path, options) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  try {
    return await fetch(path, { ...options, headers: { ...headers, ...options.headers } });
  } catch {
    throw new Error("The service does not answer: is `mt serve` still running?");
  }
}

async function answered(path, options = {}) {
  const response = await send(path, options);
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({ error: `the service answered ${response.status}` }));
  if (response.status === 401) dispatchEvent(new Event("token-wanted"));
  throw new Error(`${error}.`);
}

/** Return what a path gives; with a body it is posted. */
export async function ask(path, body) {
  const headers = { "content-type": "application/json" };
  const response = await answered(path, body === undefined ? {} : { method: "POST", headers, body: JSON.stringify(body) });
  return response.json();
}

/** Return what a path gives, as text. */
export async function askText(path) {
  return (await answered(path)).text();
}

/** Return a path with its query; what is null is left out. */
export function path(name, query) {
  return `${name}?${new URLSearchParams(Object.entries(query).filter(([, value]) => value !== null))}`;
}
