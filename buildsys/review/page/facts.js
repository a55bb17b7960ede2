// What stands beside the picture: why it was made again, what was asked for otherwise, how far it is away.

function showFacts(change) {
  const panel = by("facts");
  panel.scrollTop = 0;
  panel.replaceChildren(
    ...why(change), ...differs(change), ...measured(change), ...both(change), ...texts(change), ...said(change));
}

const heading = words => el("h3", {}, words);

function why(change) {
  const notes = change.notes.map(note => el("li", {}, prose(note)));
  const causes = change.causes.map(cause => el("span", {}, cause));
  return [
    ...(causes.length ? [heading("Made again for"), el("div", {className: "why"}, ...causes)] : []),
    ...(notes.length ? [el("ul", {className: "notes"}, ...notes)] : []),
  ];
}

function differs(change) {
  if (!change.fields.length) return [];
  return [heading("What differs"), ...change.fields.map(field)];
}

function field({name, before, after, words}) {
  const shown = words.length ? words.map(([text, state]) => word(text, state))
    : [word(before, "gone"), " → ", word(after, "new")];
  return el("div", {className: "field"}, el("b", {}, plain(name)), el("p", {className: "words"}, ...shown));
}

/** A screen reader hears what the colours tell. */
function word(text, state) {
  if (state === "same") return prose(text);
  const spoken = el("span", {className: "sr"}, state === "new" ? " now: " : " before: ");
  const own = text.trimEnd();
  const made = el(state === "new" ? "ins" : "del", {}, spoken, prose(own));
  if (own.length === text.length) return made;
  return el("span", {}, made, text.slice(own.length));
}

function measured(change) {
  if (!change.measures.length) return [];
  const rows = change.measures.map(([name, value, meaning]) =>
    el("tr", {title: meaning}, el("th", {scope: "row"}, name), el("td", {}, value)));
  return [heading("Measured"), el("table", {}, el("tbody", {}, ...rows))];
}

function both({before, after}) {
  const old = new Map(before?.facts ?? []), now = new Map(after?.facts ?? []);
  const rows = [...new Set([...old.keys(), ...now.keys()])].map(name => {
    const differs = before && after && old.get(name) !== now.get(name) ? "differs" : "";
    const cells = [[before, old], [after, now]].filter(([side]) => side)
      .map(([, facts]) => el("td", {className: differs}, plain(facts.get(name) ?? "—")));
    return el("tr", {}, el("th", {scope: "row"}, name), ...cells);
  });
  const heads = [before && "before", after && "after"].filter(Boolean)
    .map(words => el("th", {scope: "col"}, words));
  const top = el("thead", {}, el("tr", {}, el("td"), ...heads));
  return [heading("The pictures"), el("table", {}, top, el("tbody", {}, ...rows))];
}

function texts({before, after, fields}) {
  const told = new Set(fields.map(({name}) => name));
  return (after ?? before).texts.filter(([name]) => !told.has(name))
    .flatMap(([name, text]) => [heading(name), el("p", {className: "plain"}, prose(text))]);
}

function said(change) {
  if (!change.mark) {
    return [heading("Mark"), el("p", {className: "faint"}, change.after
      ? "It was changed by hand, so it can't be marked: adopt it or build it first."
      : "It is gone, so there is no picture to approve.")];
  }
  const note = el("textarea", {
    value: markOf(change).note, id: "note", placeholder: "Goes along with the mark", "aria-label": "Note",
  });
  note.oninput = () => { setMark(change, {note: note.value}); showProgress(); };
  return [heading("Note"), note];
}
