// Pictures by digest: as data out of the page, or as files beside it. Thumbnails only while they are seen.

const SMALL = 96;

/** Where an image finds the picture `file`. Made when it is looked at: as text, a picture is a third larger. */
function address(file) {
  const kind = review.pictures[file];
  if (review.folder) return `${encodeURIComponent(review.folder)}/${file}.${kind}`;
  return `data:image/${kind};base64,${by("p-" + file).textContent}`;
}

function picture(side, words, className = "") {
  return el("img", {src: address(side.file), alt: words, className, draggable: false, decoding: "async"});
}

/** A place for a thumbnail, which has its picture only near what is seen of the page. */
function thumb(side) {
  const box = el("span", {className: "thumb"});
  box.side = side;
  if (side && side.file) seen.observe(box);
  else box.textContent = side ? "?" : "–";
  return box;
}

const seen = new IntersectionObserver(entries => {
  for (const {target, isIntersecting} of entries) {
    if (!isIntersecting) target.replaceChildren();
    else if (!target.firstChild) target.append(thumbnail(target.side));
    target.classList.toggle("full", isIntersecting);
  }
}, {rootMargin: "200px", scrollMargin: "200px"});

function thumbnail(side) {
  const image = picture(side, "");
  image.onload = () => {
    image.classList.toggle("small", Math.max(image.naturalWidth, image.naturalHeight) <= SMALL);
  };
  image.onerror = () => image.replaceWith("?");
  return image;
}
