// Two pictures laid over each other: swipe, onion skin, difference and blink. No pixel is read by a script:
// a page from a disk may not read those of files beside it, so the browser's own blending does the work.

const cuts = {swipe: 50, onion: 50};
let blinking = 0;

function paired(mode) {
  const {before, after} = open;
  const old = className => tagged(whole("Before", before, className), "before");
  const now = className => tagged(whole("After", after, className), "after");
  const plate = {swipe, onion, heat, blink}[mode](old, now);
  plate.append(...frame());
  const words = MODES.find(([name]) => name === mode)[1];
  return el("div", {className: "pane"}, view(plate, words));
}

function tagged(image, side) {
  image.dataset.side = side;
  return image;
}

function swipe(old, now) {
  const plate = el("div", {className: "plate swipe"}, old("old"), now("new"), el("div", {className: "edge"}));
  const input = slider("swipe", "before", "after", "Where before ends and after begins",
    value => plate.style.setProperty("--cut", `${value}%`));
  const follow = event => {
    const {left, width} = plate.getBoundingClientRect();
    input.value = String(Math.round((event.clientX - left) / width * 1000) / 10);
    input.oninput();
  };
  plate.onpointerdown = event => {
    if (event.button) return;
    plate.setPointerCapture(event.pointerId);
    follow(event);
    plate.onpointermove = follow;
  };
  plate.onpointerup = plate.onpointercancel = () => { plate.onpointermove = null; };
  return plate;
}

function onion(old, now) {
  const fade = el("div", {className: "fade"}, old("old"), now("new"));
  slider("onion", "before", "after", "How much of after is seen", value => fade.style.setProperty("--cut", value / 100));
  return el("div", {className: "plate"}, fade);
}

function slider(mode, first, last, words, set) {
  const input = el("input", {type: "range", min: 0, max: 100, step: 0.1, value: cuts[mode], "aria-label": words, id: "cut"});
  input.oninput = () => { cuts[mode] = Number(input.value); set(cuts[mode]); };
  input.oninput();
  by("control").replaceChildren(first, input, last);
  return input;
}

function moveCut(by_) {
  const input = by("cut");
  if (!input) return;
  input.value = String(Number(input.value) + by_);
  input.oninput();
}

/** Laid on black and on white, and the larger difference: what looks alike on both looks alike on every ground. */
function heat(old, now) {
  const flat = image => el("div", {className: "flat"}, image);
  const ground = color => el("div", {className: `ground ${color}`}, flat(old("")), flat(now("")));
  const sum = el("div", {className: "sum"}, ground("black"), ground("white"));
  for (const image of [...sum.querySelectorAll("img")].slice(1)) image.setAttribute("aria-hidden", "true");
  const under = old("under");
  under.setAttribute("aria-hidden", "true");
  const legend = el("span", {className: "legend", "aria-hidden": "true"});
  legend.style.background = `linear-gradient(90deg, ${[...Array(17).keys()].map(step => css(heatColor(step * 15 + 1))).join(", ")})`;
  by("control").replaceChildren("least", legend, "most difference; grey where none");
  return el("div", {className: "plate heat"}, under, sum);
}

const RAMP = [[75, 29, 143], [163, 41, 143], [240, 80, 60], [255, 176, 46], [255, 246, 200]];

/** The colour of a sum of differences, 1 to 255; small ones are spread, for they are what is overlooked. */
function heatColor(level) {
  const at = Math.sqrt(level / 255) * (RAMP.length - 1);
  const low = Math.min(Math.floor(at), RAMP.length - 2);
  return [0, 1, 2].map(part => Math.round(RAMP[low][part] + (RAMP[low + 1][part] - RAMP[low][part]) * (at - low)));
}

const css = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;

function prepareHeat() {
  const colors = [...Array(256).keys()].map(heatColor);
  ["R", "G", "B"].forEach((part, number) => {
    const table = colors.map(color => (color[number] / 255).toFixed(4)).join(" ");
    document.querySelector(`#heat feFunc${part}`).setAttribute("tableValues", table);
  });
}

function blink(old, now) {
  const plate = el("div", {className: "plate blink"}, old("old"), now("new"));
  const side = el("b", {}, "before");
  const button = el("button", {type: "button", id: "pause"});
  const turn = () => {
    side.textContent = plate.classList.toggle("turned") ? "after" : "before";
  };
  const run = on => {
    stopBlinking();
    if (on) blinking = setInterval(turn, 600);
    button.textContent = on ? "Stop" : "Blink";
  };
  button.onclick = () => run(!blinking);
  const hand = el("button", {type: "button", id: "turn"}, "Turn over");
  hand.onclick = () => { run(false); turn(); };
  by("control").replaceChildren(side, button, hand);
  run(!still.matches);
  return plate;
}

function stopBlinking() {
  clearInterval(blinking);
  blinking = 0;
}
