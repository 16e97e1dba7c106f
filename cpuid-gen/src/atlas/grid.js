// A register as a grid of its bits, the highest first. Each bit is a link; a field of several bits is one cell, or one for
// each row that it has a part of.

const WIDE = matchMedia("(min-width: 62rem)");
const MIDDLE = matchMedia("(min-width: 38rem)");
const columnsNow = () => (WIDE.matches ? 16 : MIDDLE.matches ? 8 : 4);

const WHO = {
  all: "Linux, KVM, QEMU and others", both: "Linux or KVM, and QEMU", linux: "Linux or KVM, not QEMU", qemu: "QEMU, not Linux or KVM",
  other: "other projects alone", field: "only Linux's cpuid.csv", none: "nobody",
};

function registerTitle(one) {
  const words = one.words;
  const names = words ? [newest(perRelease(words.linux, FACTS.linux)), newest(perRelease(words.qemu, FACTS.qemu))] : [];
  return el("h3", {}, el("a", { href: hrefOf(one.key) }, one.name ? `${one.key.slice(0, -3)}${one.name.toUpperCase()}` : one.key),
    el("span", { class: "quiet" }, names.filter(Boolean).join(" · ")));
}

// The grid of a register. `lit`: a value whose bits are marked, or null.
function grid(one, lit = null) {
  const columns = columnsNow();
  const label = `${one.key}, bits ${one.width - 1} to 0`;
  const cells = [];
  for (let bit = one.width - 1; bit >= 0; ) {
    const field = one.bits[bit] ? null : fieldAt(one, bit);
    const low = field ? lowestOf(one, field, bit, columns) : bit;
    cells.push(field && field.high > field.low ? fieldCell(one, field, bit, low, lit) : bitCell(one, bit, field, lit));
    bit = low - 1;
  }
  cells[0].tabIndex = 0;
  return el("div", { class: "grid", role: "group", "aria-label": label, style: `--columns: ${columns}`, onkeydown: moveInGrid }, cells);
}

// The lowest bit of a field's cell that begins at `high`: whole rows are one cell, else the cell ends with its row, and in
// any case where a bit of its own begins.
function lowestOf(one, field, high, columns) {
  const own = one.bits.findLastIndex((bit, index) => bit && index < high);
  const end = Math.max(field.low, own + 1);
  const rows = (high + 1) % columns === 0 ? Math.floor((high + 1 - end) / columns) : 0;
  return rows > 0 ? high + 1 - rows * columns : Math.max(end, high - (high % columns));
}

function bitCell(one, index, field, lit) {
  const bit = one.bits[index];
  const who = bit ? whoClass(bit) : field ? "field" : "none";
  const name = bit ? labelOf(bit) : field?.name ?? "";
  const by = bit ? knownBy(bit) : [];
  const on = lit !== null && hasBit(lit, index);
  const known = by.length ? `known to ${by.map((project) => project.title).join(", ")}` : field ? WHO.field : "unknown";
  const state = lit === null ? "" : on ? "; set" : "; clear";
  return el("a", {
    class: `bit ${who}${on ? " on" : ""}`, href: hrefOf(bit?.key ?? `${one.key}[${index}]`), tabindex: "-1",
    "data-key": bit?.key ?? `${one.key}[${index}]`, "aria-label": `bit ${index}${name && `: ${name}`}; ${known}${state}`, title: name || null,
  },
  el("span", { class: "number" }, String(index)), el("span", { class: "label" }, name),
  by.length && who !== "all" ? el("span", { class: "marks", "aria-hidden": "true" }, by.map((project) => project.mark).join("")) : null);
}

function fieldCell(one, field, high, low, lit) {
  const value = lit === null ? null : (lit >> BigInt(field.low)) & ((1n << BigInt(field.high - field.low + 1)) - 1n);
  const shown = high === field.high ? `${field.name}${value === null ? "" : ` = ${value}`}` : "";
  return el("a", {
    class: `bit field${value ? " on" : ""}${high === field.high ? "" : " more"}`, href: hrefOf(`${one.key}[${field.high}:${field.low}]`), tabindex: "-1",
    "data-key": `${one.key}[${field.high}:${field.low}]`, style: `grid-column: span ${Math.min(high - low + 1, columnsNow())}`,
    "aria-label": `bits ${field.high} to ${field.low}: ${field.name}${value === null ? "" : `; value ${value}`}`, title: field.name,
  },
  el("span", { class: "number" }, high === low ? String(high) : `${high}–${low}`), el("span", { class: "label" }, shown));
}

// The arrow keys move between the cells of a grid, Home and End to its ends.
function moveInGrid(event) {
  const cells = [...event.currentTarget.children];
  const at = cells.indexOf(document.activeElement);
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columnsNow(), ArrowDown: columnsNow(), Home: -at, End: cells.length - 1 - at }[event.key];
  const next = cells[at + step];
  if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const target = next ?? neighbour(event.currentTarget, step > 0);
  if (!target) return;
  // Each grid keeps one stop of the tab key.
  [...target.parentElement.children].forEach((cell) => { cell.tabIndex = -1; });
  target.tabIndex = 0;
  target.focus();
}

// The nearest cell of the grid below or above.
function neighbour(from, below) {
  const all = [...document.querySelectorAll(".grid")].filter((one) => one.offsetParent);
  const other = all[all.indexOf(from) + (below ? 1 : -1)];
  return other ? (below ? other.firstElementChild : other.lastElementChild) : null;
}

// A section for each group, drawn in small pieces, so that the first screen is there at once.
function groupTitle(group) {
  return /^(0x|\d)/.test(group) ? `Leaf ${group}` : group;
}

function drawGroup(section, group) {
  const registers = GROUPS.get(group);
  fill(section, 
    el("h2", {}, el("a", { href: hrefOf(group) }, groupTitle(group)), el("span", { class: "quiet" }, LEAF_TITLES.get(group) ?? "")),
    ...registers.flatMap((one) => [registerTitle(one), grid(one)]));
  section.dataset.drawn = "1";
}

function drawGrids() {
  const sections = [...GROUPS.keys()].map((group) => el("section", { class: "group", "data-group": group }));
  fill(byId("grids"), ...sections);
  let next = 0;
  const some = (until) => {
    for (; next < sections.length && performance.now() < until; next += 1) {
      if (!sections[next].dataset.drawn) drawGroup(sections[next], sections[next].dataset.group);
    }
    if (next < sections.length) setTimeout(() => some(performance.now() + 12));
    else { applyFilter(); document.body.dataset.ready = "1"; }
  };
  some(performance.now() + 30);
}

// The section of a group, drawn now if it is not yet.
function sectionOf(group) {
  const section = [...byId("grids").children].find((one) => one.dataset.group === group);
  if (section && !section.dataset.drawn) drawGroup(section, group);
  return section ?? null;
}
