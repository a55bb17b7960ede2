// The stage: how large pictures are drawn, on which ground, and how they are moved about.

const MODES = [["two", "2-up"], ["swipe", "Swipe"], ["onion", "Onion skin"], ["heat", "Difference"], ["blink", "Blink"]];
const ZOOMS = ["fit", 1, 2, 4, 8, 16];
const GROUNDS = ["checker", "black", "white"];
const FINEST = 16;
const HINT = "Keys 1 to 5 compare, j and k go on, a and r mark, ? tells all";

const look = {mode: "two", zoom: "fit", ground: "checker", framed: false, alike: null};
let open = null;
let drawn = 0;

const usable = side => Boolean(side?.file && !side.broken);
const hasBoth = change => usable(change.before) && usable(change.after);
const ratio = ([width, height]) => width / height;

/** Whether both are drawn at the new one's size: unless asked, where only the number of pixels differs. */
function alike({before, after}) {
  if (look.alike !== null) return look.alike;
  return Math.abs(ratio(before.size) / ratio(after.size) - 1) < 0.01;
}

/** Put `change` on the stage, once the browser knows the sizes of its pictures. */
async function showStage(change) {
  const turn = ++drawn;
  stopBlinking();
  await Promise.all([change.before, change.after].map(sized));
  if (turn !== drawn) return;
  // Not before: until then the stage has the pictures of the one that was open, and may be laid anew.
  open = change;
  draw();
}

/** The size as it really is: of a file that was changed by hand, the lock does not know it. */
async function sized(side) {
  if (!side?.file || side.known) return;
  const image = picture(side, "");
  try {
    await image.decode();
    side.size = [image.naturalWidth, image.naturalHeight];
  } catch {
    side.lost = "the browser can't read this picture";
    side.broken = true;
  }
  side.known = true;
}

function draw() {
  stopBlinking();
  by("control").replaceChildren(hasBoth(open) ? HINT : "");
  const mode = hasBoth(open) ? look.mode : "two";
  const panes = mode === "two" ? sidesOf(open).map(single) : [paired(mode)];
  by("stage").replaceChildren(...panes);
  by("stage").dataset.mode = mode;
  lay();
  if (panes.length === 2) together(panes.map(pane => pane.querySelector(".view")).filter(Boolean));
  press("modes", mode);
  for (const button of by("modes").children) button.disabled = button.value !== "two" && !hasBoth(open);
  by("box").disabled = !open.box;
  by("box").setAttribute("aria-pressed", String(look.framed));
  const differ = hasBoth(open) && String(open.before.size) !== String(open.after.size);
  by("align").hidden = !differ;
  if (differ) by("align").setAttribute("aria-pressed", String(alike(open)));
}

const sidesOf = change => [["Before", change.before], ["After", change.after]].filter(([, side]) => side);

function single([words, side]) {
  const size = usable(side) ? `${side.size[0]} x ${side.size[1]}` : "";
  const head = el("h3", {}, el("b", {}, words), size);
  if (!usable(side)) return el("div", {className: "pane"}, head, missing(words, side));
  const plate = el("div", {className: "plate"}, whole(words, side));
  if (side === open.after || !open.after) plate.append(...frame());
  return el("div", {className: "pane"}, head, view(plate, words));
}

const missing = (words, side) => el("p", {className: "missing"}, `No picture: ${prose(side.lost)}`);

/** The picture on its plate, which is as large as it, or as the larger of both where they are laid over. */
function whole(words, side, className = "") {
  return picture(side, `${words}: ${plain(open.name)}, ${side.size[0]} x ${side.size[1]} pixels`, className);
}

function view(plate, words) {
  const made = el("div", {className: "view", tabIndex: 0, role: "region", "aria-label": `${words}, scrolls`}, plate);
  if (!plate.classList.contains("swipe")) pans(made);
  made.onwheel = event => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoomBy(event.deltaY < 0 ? 1 : -1);
  };
  return made;
}

function frame() {
  if (!look.framed || !open.box) return [];
  return [el("div", {className: "frame", "aria-hidden": "true"})];
}

/** Sizes in pixels of the page, by the zoom. Of all panes the same, or they could not be compared. */
function lay() {
  const views = [...document.querySelectorAll("#stage .view")];
  if (!views.length) return;
  const sizes = sidesOf(open).filter(([, side]) => usable(side)).map(([, side]) => side.size);
  const both = hasBoth(open), same = both && alike(open);
  const widest = same ? open.after.size : [0, 1].map(axis => Math.max(...sizes.map(size => size[axis])));
  arrangePanes(views.length, widest);
  const scale = look.zoom === "fit" ? fitting(views, widest) : look.zoom;
  for (const plate of document.querySelectorAll("#stage .plate")) {
    const images = [...plate.querySelectorAll("img")];
    const alone = images.length === 1 && !same;
    const own = alone ? (images[0].src && sideOf(images[0]).size) : widest;
    measureTo(plate, own, scale);
    for (const image of images) measureTo(image, same ? widest : sideOf(image).size, scale);
    plate.classList.toggle("crisp", scale >= 1);
    plate.classList.remove(...GROUNDS);
    plate.classList.add(look.ground);
    const box = plate.querySelector(".frame");
    if (box) place(box, open.box.map(number => number * scale));
  }
  for (const view of views) view.classList.toggle("pans", view.scrollWidth > view.clientWidth || view.scrollHeight > view.clientHeight);
  press("zooms", String(look.zoom));
  press("grounds", look.ground);
  by("stage").dataset.scale = String(scale);
}

const sideOf = image => (image.alt.startsWith("Before") || image.dataset.side === "before" ? open.before : open.after);

function measureTo(element, [width, height], scale) {
  element.style.width = `${width * scale}px`;
  element.style.height = `${height * scale}px`;
}

function place(element, [left, top, width, height]) {
  Object.assign(element.style, {left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px`});
}

/** The largest scale at which all is seen: whole times where pictures are enlarged, so that pixels stay square. */
function fitting(views, [width, height]) {
  const room = Math.min(...views.map(view =>
    Math.min((view.clientWidth - 26) / width, (view.clientHeight - 26) / height)));
  return room >= 1 ? Math.min(FINEST, Math.floor(room)) : Math.max(room, 0.01);
}

/** Two panes side by side, or one above the other: by which of both pictures are larger. */
function arrangePanes(number, [width, height]) {
  const {clientWidth, clientHeight} = by("stage");
  const beside = Math.min(clientWidth / 2 / width, clientHeight / height);
  const above = Math.min(clientWidth / width, (clientHeight / 2 - 24) / height);
  by("stage").classList.toggle("stacked", number === 2 && above > beside);
}

function zoomBy(step) {
  const scale = Number(by("stage").dataset.scale) || 1;
  const numbers = ZOOMS.slice(1);
  const next = step > 0 ? numbers.find(zoom => zoom > scale) : numbers.findLast(zoom => zoom < scale);
  zoomTo(next ?? (step > 0 ? FINEST : 1));
}

/** Zoom, and keep the middle of what is seen in the middle. */
function zoomTo(zoom) {
  const views = [...document.querySelectorAll("#stage .view")];
  const middles = views.map(view => [
    (view.scrollLeft + view.clientWidth / 2) / view.scrollWidth,
    (view.scrollTop + view.clientHeight / 2) / view.scrollHeight,
  ]);
  look.zoom = zoom;
  lay();
  views.forEach((view, number) => {
    view.scrollLeft = middles[number][0] * view.scrollWidth - view.clientWidth / 2;
    view.scrollTop = middles[number][1] * view.scrollHeight - view.clientHeight / 2;
  });
}

/** Two views scroll as one. */
function together(views) {
  for (const view of views) {
    view.onscroll = () => {
      for (const other of views) {
        if (other === view) continue;
        if (other.scrollLeft !== view.scrollLeft) other.scrollLeft = view.scrollLeft;
        if (other.scrollTop !== view.scrollTop) other.scrollTop = view.scrollTop;
      }
    };
  }
}

/** Dragging moves what is seen. */
function pans(view) {
  let from = null;
  view.onpointerdown = event => {
    if (event.button || event.pointerType === "touch" || !view.classList.contains("pans")) return;
    if (event.offsetX > view.clientWidth || event.offsetY > view.clientHeight) return;
    from = [event.clientX + view.scrollLeft, event.clientY + view.scrollTop];
    view.setPointerCapture(event.pointerId);
    view.classList.add("held");
  };
  view.onpointermove = event => {
    if (from) view.scrollTo({left: from[0] - event.clientX, top: from[1] - event.clientY, behavior: "instant"});
  };
  view.onpointerup = view.onpointercancel = () => { from = null; view.classList.remove("held"); };
}

function press(group, value) {
  for (const button of by(group).children) button.setAttribute("aria-pressed", String(button.value === value));
}
