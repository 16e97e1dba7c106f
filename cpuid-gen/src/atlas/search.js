// The search box: names, locations, warnings, values; a combobox whose list holds the answers.

const SEARCHED = [...BITS.values()].flatMap((bit) => [...searchNames(bit)].map((name) => ({ name, folded: fold(name), bit })));
const MOST = 12;

// What a query means, best first: { title, detail, href }.
function find(query) {
  const text = query.trim();
  if (!text) return [];
  const exact = placesIn(text);
  if (exact.length) return exact;
  const wanted = fold(text.replace(/^(X86_FEATURE_|CPUID_|feature::|[+-])/, ""));
  const ranks = [(name) => name === wanted, (name) => name.startsWith(wanted), (name) => name.includes(wanted)];
  const seen = new Set();
  const found = [];
  for (const matches of ranks) {
    for (const { name, folded, bit } of SEARCHED) {
      if (wanted && matches(folded) && !seen.has(bit.key)) {
        seen.add(bit.key);
        found.push(bitResult(bit, name));
      }
    }
    if (matches === ranks[0]) found.push(...modelResults(wanted));
  }
  found.push(...fieldResults(wanted), ...leafResults(text.toLowerCase()));
  return found.slice(0, MOST);
}

function bitResult(bit, name) {
  const by = knownBy(bit).map((project) => project.title).join(", ");
  const at = bit.kind ? (bit.place ? `${bit.place}[${bit.index}]` : "older releases") : bit.key;
  return { title: name && fold(name) !== fold(labelOf(bit)) ? `${name} = ${labelOf(bit)}` : labelOf(bit) || name, detail: `${at} · ${by}`, href: hrefOf(bit.key) };
}

// Locations, values and warnings.
function placesIn(text) {
  const value = valueOf(text);
  if (value && REGISTERS.has(value.at)) {
    return [{ title: text, detail: "lights up its bits", href: `${hrefOf(value.at)}=0x${value.value.toString(16)}` }];
  }
  const bits = bitsNamed(text);
  if (bits.length) {
    return bits.map((key) => (BITS.has(key) ? bitResult(BITS.get(key)) : { title: key, detail: "no name", href: hrefOf(key) }));
  }
  const field = fieldNamed(text);
  if (field && detailOf(field)) return [{ title: field, detail: "field", href: hrefOf(field) }];
  const at = registerOf(text);
  if (at && REGISTERS.has(at)) return [{ title: at, detail: "register", href: hrefOf(at) }];
  const own = linuxBit(text);
  if (own) return [bitResult(own, text)];
  const leaf = number(text);
  if (leaf !== null && GROUPS.has(leafKey(leaf))) return leafResults(leafKey(leaf));
  const bare = text.match(/^0x[0-9a-f]{3,16}$/i);
  return bare ? valueResults(BigInt(text)) : [];
}

// A value without a register: the registers in which most of its bits have a name, the chosen register first.
function valueResults(value) {
  const set = [...Array(64).keys()].filter((index) => hasBit(value, index));
  const rows = [...REGISTERS.values()].filter((one) => one.words && value < 1n << BigInt(one.width)).map((one) => {
    const named = set.filter((index) => one.bits[index]).length;
    return { one, named: named + (one.key === chosenRegister ? 100 : 0), shown: named };
  });
  rows.sort((a, b) => b.named - a.named);
  return rows.slice(0, MOST).map(({ one, shown }) => ({
    title: `${one.key} = 0x${value.toString(16)}`, detail: `${shown} of ${set.length} set bits have a name`, href: `${hrefOf(one.key)}=0x${value.toString(16)}`,
  }));
}

function modelResults(wanted) {
  const names = [...MODELS.keys(), ...ALIASES.keys()].filter((name) => wanted.length > 2 && fold(name).startsWith(wanted));
  return names.slice(0, 6).map((name) => ({ title: name, detail: "CPU model", href: `#model/${ALIASES.get(name) ?? name}` }));
}

function fieldResults(wanted) {
  const rows = [...REGISTERS.values()].flatMap((one) => one.fields.map((field) => ({ one, field })));
  return rows.filter(({ field }) => wanted.length > 1 && fold(field.name).includes(wanted)).slice(0, 6).map(({ one, field }) => {
    const key = field.high === field.low ? `${one.key}[${field.low}]` : `${one.key}[${field.high}:${field.low}]`;
    return { title: field.name, detail: `${key} · field`, href: hrefOf(key) };
  });
}

function leafResults(text) {
  const groups = [...GROUPS.keys()].filter((group) => group.toLowerCase() === text || (LEAF_TITLES.get(group) ?? "").toLowerCase().includes(text));
  return groups.map((group) => ({ title: groupTitle(group), detail: LEAF_TITLES.get(group) ?? "", href: hrefOf(group) }));
}

// The box itself.
function startSearch() {
  const [box, list] = [byId("query"), byId("results")];
  let chosen = -1;
  const close = () => {
    list.hidden = true;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  };
  const choose = (index) => {
    const options = [...list.children].filter((option) => option.dataset.href);
    chosen = options.length ? (index + options.length) % options.length : -1;
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    if (options[chosen]) {
      box.setAttribute("aria-activedescendant", options[chosen].id);
      options[chosen].scrollIntoView({ block: "nearest" });
    }
  };
  const go = (href) => {
    close();
    location.hash = href;
  };
  const show = () => {
    const found = find(box.value);
    fill(list, ...found.map((one, at) => el("li", {
      id: `result-${at}`, role: "option", "aria-selected": "false", "data-href": one.href, onmousedown: (event) => { event.preventDefault(); go(one.href); },
    }, el("span", {}, one.title), el("span", { class: "quiet" }, one.detail))));
    if (!found.length && box.value.trim()) list.append(el("li", { class: "quiet", role: "option", "aria-disabled": "true", "aria-selected": "false" }, "No match: neither a name, a location nor a value of this page"));
    list.hidden = !box.value.trim();
    box.setAttribute("aria-expanded", String(!list.hidden));
    choose(0);
  };
  box.addEventListener("input", show);
  box.addEventListener("focus", show);
  box.addEventListener("blur", close);
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) show();
      else choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Escape") {
      close();
    }
  });
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const option = list.querySelector("[aria-selected=true]");
    if (option) go(option.dataset.href);
  });
}
