// The review, as it stands in the page, and how elements are made of it: every text by `textContent`.

const review = JSON.parse(document.getElementById("review").textContent);
const changes = review.changes;
const by = id => document.getElementById(id);

/** An element with properties, `data` and `aria` attributes, and children, of which texts are only texts. */
function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("aria-") || key === "role" || key === "scope") made.setAttribute(key, value);
    else if (key === "data") Object.assign(made.dataset, value);
    else made[key] = value;
  }
  made.append(...children.filter(child => child !== null && child !== undefined && child !== ""));
  return made;
}

/** What would turn the order of letters, or is none, spelled out: a name must read as it is written. */
function plain(text) {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, letter =>
    "\\u" + letter.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** The same for a text of several lines. */
const prose = text => text.split("\n").map(plain).join("\n");

const say = text => { by("status").textContent = text; };
const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
const still = matchMedia("(prefers-reduced-motion: reduce)");
