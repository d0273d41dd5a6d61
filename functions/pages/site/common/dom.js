// Elements without HTML: everything that is shown is text of strangers, and becomes text nodes.
//
//   $(what, properties?, ...children) → Element
//       what        "button", "p.soft", "div#list.card.wide"
//       properties  { onclick: function, disabled: true, href: "…", "aria-label": "…", value: "…", style: { "--x": 1 },
//                     data: { id } }. null, undefined and false leave a property out.
//       children    texts, numbers, nodes, arrays of them; null, undefined and false are nothing
//   svg(what, attributes?, ...children) → the same in SVG
//   icon(name) → a small drawing beside words, hidden from screen readers; ICONS has the names
//   fill(element, ...children)  replaces what is in it
//   id() → an id that no other element has
//   on(target, type, listener, signal?)  addEventListener, ended by the signal
//   picture({ images, imageUrl, alt, sizes, eager }) → an <img> in up to three sizes, or a drawn place for none
//   busyWhile(button, task) → what the task gives; the button cannot be pressed a second time meanwhile
//   debounce(milliseconds, task) → a function that waits until nobody called it for so long
//
// There is no way in to innerHTML here, and the page's Trusted Types policy has none either.

const SVG = "http://www.w3.org/2000/svg";
// These are properties that an attribute of the same name does not set again after a person has changed them.
const PROPERTIES = new Set(["value", "checked", "selected", "disabled", "indeterminate", "hidden", "open", "muted"]);
const ADDRESSES = new Set(["href", "src", "action", "formaction", "xlink:href"]);

let ids = 0;
export const id = () => `e${++ids}`;

// An address that a page may lead to: never a script.
export function address(text) {
  const value = String(text ?? "");
  if (/^(https?:\/\/|\/(?!\/)|[#?]|mailto:|tel:|blob:|data:image\/)/i.test(value) || /^[\w./-]+$/.test(value))
    return value;
  return "#";
}

function parts(what) {
  const [, name] = /^([\w-]*)/.exec(what);
  const found = { name: name || "div", classes: [], id: null };
  for (const [, sort, text] of what.slice(name.length).matchAll(/([.#])([\w-]+)/g)) {
    if (sort === ".") found.classes.push(text);
    else found.id = text;
  }
  return found;
}

function set(element, name, value) {
  if (value == null || (value === false && !PROPERTIES.has(name))) return;
  if (name.startsWith("on")) return element.addEventListener(name.slice(2), value);
  if (name === "class") return element.classList.add(...String(value).split(/\s+/).filter(Boolean));
  if (name === "style") return Object.entries(value).forEach(([key, text]) => element.style.setProperty(key, text));
  if (name === "data") return Object.assign(element.dataset, value);
  if (PROPERTIES.has(name) && name in element) {
    element[name] = value;
    return;
  }
  element.setAttribute(name, value === true ? "" : ADDRESSES.has(name) ? address(value) : String(value));
}

function build(element, found, properties, children) {
  if (found.id) element.setAttribute("id", found.id);
  if (found.classes.length) element.classList.add(...found.classes);
  const { value, ...others } = properties;
  for (const [name, one] of Object.entries(others)) set(element, name, one);
  add(element, children);
  // A choice can be made only once its options are there.
  if (value != null) set(element, "value", value);
  return element;
}

function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child == null || child === false || child === true) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

const isProperties = value => value && typeof value === "object" && !(value instanceof Node) && !Array.isArray(value);

export function $(what, ...rest) {
  const properties = isProperties(rest[0]) ? rest.shift() : {};
  const found = parts(what);
  return build(document.createElement(found.name), found, properties, rest);
}

export function svg(what, ...rest) {
  const properties = isProperties(rest[0]) ? rest.shift() : {};
  const found = parts(what);
  return build(document.createElementNS(SVG, found.name), found, properties, rest);
}

export function fill(element, ...children) {
  element.replaceChildren();
  add(element, children);
  return element;
}

export const on = (target, type, listener, signal) => target.addEventListener(type, listener, { signal });

// Drawn on a field of 24 by 24 with a stroke, in the colour of the words beside it.
export const ICONS = {
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM16.2 16.2 21 21",
  cart: "M3 4h2.5l2.2 11h10.6L21 7.5H6.4M9 20.2a.6.6 0 1 0 0-.01M17 20.2a.6.6 0 1 0 0-.01",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15ZM10 21h4",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM4.5 20.5c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6 6 18",
  check: "M5 12.5 10 17.5 19 7.5",
  minus: "M6 12h12",
  plus: "M6 12h12M12 6v12",
  left: "M14.5 5 7.5 12l7 7",
  right: "M9.5 5l7 7-7 7",
  bin: "M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 10.5v6M13.5 10.5v6",
  truck: "M3 6h11v10H3ZM14 9.5h4l3 3.5v3h-7M7 18.5a1.5 1.5 0 1 0 0-.01M17 18.5a1.5 1.5 0 1 0 0-.01",
  box: "M4 8l8-4 8 4v8.5l-8 4-8-4ZM4 8l8 4 8-4M12 12v8.5",
  store:
    "M4 10v10h16V10M3 10l2-6h14l2 6M3 10c0 3 4.5 3 4.5 0 0 3 4.5 3 4.5 0 0 3 4.5 3 4.5 0 0 3 4.5 3 4.5 0M10 20v-5h4v5",
  lock: "M6 11h12v9H6ZM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  picture: "M4 5h16v14H4ZM4 16l5-5 4 4 2.5-2.5L20 17M15.5 9a.8.8 0 1 0 0-.01",
  star: "M12 3.5l2.6 5.6 6 .7-4.5 4.1 1.2 6L12 17l-5.3 2.9 1.2-6L3.4 9.8l6-.7Z",
  warning: "M12 4 2.8 20h18.4ZM12 10v4.5M12 17.3v.2",
  out: "M14 5h5v5M19 5l-8 8M17 14v5H5V7h5",
  filter: "M4 6h16M7 12h10M10 18h4",
};

export function icon(name) {
  return svg(
    "svg.icon",
    { viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: ICONS[name] ?? "" }),
  );
}

// Widths of the three sizes that the shop makes of a picture.
const WIDTHS = { small: 320, medium: 960, large: 1920 };

export function picture({ images, imageUrl, alt = "", sizes = "100vw", eager = false } = {}) {
  const source = images?.medium ?? imageUrl;
  if (!source) return $("div.no-picture", { role: alt ? "img" : null, "aria-label": alt || null }, icon("picture"));
  const set =
    images &&
    Object.entries(WIDTHS)
      .filter(([size]) => images[size])
      .map(([size, width]) => `${address(images[size])} ${width}w`)
      .join(", ");
  const image = $("img", {
    srcset: set || null,
    sizes: set ? sizes : null,
    src: source,
    alt,
    decoding: "async",
    loading: eager ? "eager" : "lazy",
    fetchpriority: eager ? "high" : null,
  });
  // A picture that does not come leaves its place as it is, with its words.
  image.addEventListener("error", () => image.replaceWith(picture({ alt })), { once: true });
  return image;
}

export async function busyWhile(button, task) {
  if (button.getAttribute("aria-busy") === "true") return undefined;
  button.setAttribute("aria-busy", "true");
  button.setAttribute("aria-disabled", "true");
  try {
    return await task();
  } finally {
    button.removeAttribute("aria-busy");
    button.removeAttribute("aria-disabled");
  }
}

export function debounce(milliseconds, task) {
  let waiting;
  return (...given) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => task(...given), milliseconds);
  };
}
