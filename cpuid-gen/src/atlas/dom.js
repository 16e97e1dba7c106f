// Making elements.

// An element with attributes and children; a null child is left out.
function el(tag, attributes = {}, ...children) {
  const one = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) one.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) one.setAttribute(name, value === true ? "" : value);
  }
  one.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return one;
}

// Replaces the contents of an element; a null child is left out.
function fill(one, ...children) {
  one.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
}

const byId = (id) => document.getElementById(id);
const hrefOf = (key) => `#${encodeURI(key).replace(/\[/g, "%5B").replace(/\]/g, "%5D")}`;
const link = (key, text) => el("a", { href: hrefOf(key) }, text ?? key);

// A link to a bit by its name and place.
function bitLink(key) {
  const bit = BITS.get(key);
  return bit ? el("a", { href: hrefOf(key), title: key }, labelOf(bit) || key) : link(key);
}

// Elements with a comma between them.
const listed = (items) => items.flatMap((item, at) => (at ? [", ", item] : [item]));

// A table from rows of cells; the first row is the head.
function table(head, rows, caption) {
  return el("div", { class: "scroll" }, el("table", {},
    caption ? el("caption", {}, caption) : null,
    el("thead", {}, el("tr", {}, head.map((cell) => el("th", { scope: "col" }, cell)))),
    el("tbody", {}, rows.map(([first, ...rest]) =>
      el("tr", {}, el("th", { scope: "row" }, first), rest.map((cell) => el("td", {}, cell)))))));
}

const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
