// What the reviewer said of each picture. A mark names the picture: it holds in the next review of the same
// project, too, as long as the picture is the same.

const KEY = `artlock-marks:${review.project}`;
const MARKS = ["approved", "rejected"];
let kept = true;

const marks = (() => {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) || "{}");
    return found && typeof found === "object" && !Array.isArray(found) ? found : {};
  } catch {
    return {};
  }
})();

const markKey = change => `${change.mark} ${change.name}`;
const NONE = Object.freeze({mark: "", note: ""});

function markOf(change) {
  const found = change.mark && Object.hasOwn(marks, markKey(change)) ? marks[markKey(change)] : NONE;
  return {mark: MARKS.includes(found.mark) ? found.mark : "", note: typeof found.note === "string" ? found.note : ""};
}

function setMark(change, values) {
  if (!change.mark) return;
  const next = {...markOf(change), ...values};
  if (next.mark || next.note) marks[markKey(change)] = next;
  else delete marks[markKey(change)];
  try {
    localStorage.setItem(KEY, JSON.stringify(marks));
    kept = true;
  } catch {
    kept = false;
  }
}

/** Those of this review, as `artlock approve --from` reads them. */
function exported() {
  const found = changes.map(change => [change, markOf(change)]).filter(([, {mark}]) => mark);
  return {
    artlock: "marks",
    version: 1,
    marks: found.map(([{name, mark: pixels}, {mark, note}]) => ({name, pixels, mark, note})),
  };
}

/** Take over the marks of a file, and say how many of them are of pictures that are here. */
function taken(text) {
  let found;
  try { found = JSON.parse(text); } catch { found = null; }
  if (found?.artlock !== "marks" || found.version !== 1 || !Array.isArray(found.marks)) return null;
  const here = new Map(changes.filter(change => change.mark).map(change => [markKey(change), change]));
  let number = 0;
  for (const said of found.marks) {
    const change = here.get(`${said?.pixels} ${said?.name}`);
    if (!change || !MARKS.includes(said.mark)) continue;
    setMark(change, {mark: said.mark, note: typeof said.note === "string" ? said.note : ""});
    number += 1;
  }
  return {number, of: found.marks.length};
}

function download() {
  const address = URL.createObjectURL(
    new Blob([JSON.stringify(exported(), null, 2) + "\n"], {type: "application/json"}));
  el("a", {href: address, download: "artlock-marks.json"}).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
