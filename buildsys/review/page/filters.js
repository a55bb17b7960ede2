// What is shown of the list: by search, by kind, cause, engine and mark, in an order.

const GROUPS = [
  ["Kind", change => [change.told]],
  ["Made again for", change => change.causes],
  ["Engine", change => [...new Set([change.before, change.after].filter(Boolean).map(side => side.engine))]],
  ["Mark", change => [markOf(change).mark || (change.mark ? "no mark yet" : "can't be marked")]],
];
const chosen = GROUPS.map(() => new Set());
const ORDERS = {
  attention: (a, b) => b.attention - a.attention,
  name: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  share: (a, b) => (b.share ?? -1) - (a.share ?? -1),
};

/** All that may be sought of a change, once. */
function haystack(change) {
  change.hay ??= [
    change.name, change.told, ...change.notes,
    ...change.fields.flatMap(({name, before, after}) => [name, before, after]),
    ...[change.before, change.after].filter(Boolean)
      .flatMap(side => [side.lost, ...side.facts.flat(), ...side.texts.flat()]),
  ].join("\n").toLowerCase();
  return change.hay;
}

function narrow() {
  const sought = by("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  visible = changes.filter(change => sought.every(text => haystack(change).includes(text))
    && GROUPS.every(([, values], number) => !chosen[number].size || values(change).some(value => chosen[number].has(value))));
  visible.sort(ORDERS[by("sort").value]);
  arrange();
  by("list").scrollTop = by("sheet").scrollTop = 0;
  const number = chosen.reduce((sum, values) => sum + values.size, 0);
  by("filtered").textContent = number ? ` (${number})` : "";
}

/** A button for each value that there is, with how many have it. */
function showChips() {
  const groups = GROUPS.map(([words, values], number) => {
    const counts = new Map();
    for (const change of changes) for (const value of values(change)) counts.set(value, (counts.get(value) ?? 0) + 1);
    for (const value of chosen[number]) if (!counts.has(value)) counts.set(value, 0);
    const buttons = [...counts].map(([value, sum]) => {
      const button = el("button", {type: "button", "aria-pressed": String(chosen[number].has(value))}, `${plain(value)} `, el("span", {className: "number"}, String(sum)));
      button.onclick = () => {
        if (!chosen[number].delete(value)) chosen[number].add(value);
        button.setAttribute("aria-pressed", String(chosen[number].has(value)));
        narrow();
      };
      return button;
    });
    return el("fieldset", {className: "chips"}, el("legend", {}, words), ...buttons);
  });
  by("chips").replaceChildren(...groups);
}

function showAll() {
  by("search").value = "";
  chosen.forEach(values => values.clear());
  showChips();
  narrow();
}
