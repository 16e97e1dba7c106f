// All about one bit, field or register.

// Releases and values as a table: equal neighbours share a row.
function stretches(releases, values) {
  const rows = [];
  releases.forEach((release, at) => {
    const last = rows.at(-1);
    if (last && last.value === values[at]) last.to = release;
    else rows.push({ from: release, to: release, value: values[at] });
  });
  return rows;
}

const span = ({ from, to }) => (from === to ? from : `${from} to ${to}`);

// "since 6.12.117", "in all 3", "never".
function since(releases, values) {
  const first = values.findIndex((value) => value !== null);
  if (first < 0) return "no pinned release";
  const last = values.findLastIndex((value) => value !== null);
  const until = last < releases.length - 1 ? `, gone after ${releases[last]}` : "";
  return (first === 0 ? `${releases[0]} or before` : `since ${releases[first]}`) + until;
}

function namesTable(bit) {
  const rows = [];
  for (const project of PROJECTS) {
    const values = namesOf(bit, project.id);
    const kept = stretches(project.releases, values);
    const value = (one) => {
      if (one.value === null) return el("span", { class: "quiet" }, "does not know it");
      return project.id === "kvm" && !bit.kvmName.includes(one.value) ? one.value : el("code", {}, one.value);
    };
    if (bit.kind && project.id !== "linux") continue;
    kept.forEach((one, at) => rows.push([at ? "" : project.title, span(one), value(one), at ? "" : since(project.releases, values)]));
  }
  return table(["project", "releases", "name, or what KVM does", "known"], rows, "Who knows it");
}

function placesTable(bit) {
  const rows = [];
  const add = (title, releases, values, code = true) => {
    if (values.every((value) => value === null)) return;
    for (const one of stretches(releases, values)) {
      rows.push([title, span(one), one.value === null ? el("span", { class: "quiet" }, "none") : code ? el("code", {}, one.value) : one.value]);
    }
  };
  add("/proc/cpuinfo", FACTS.linux, bit.flag);
  add("number in Linux", FACTS.linux, bit.kernel);
  add("KVM's set-up", FACTS.linux, bit.caps);
  return rows.length ? table(["what", "releases", "value"], rows, "In Linux") : null;
}

function needsList(bit) {
  const states = (need) => [need.linux.length ? "Linux" : null, need.qemu.length ? "QEMU" : null].filter(Boolean).join(" and ");
  const direct = bit.needs.map((need) =>
    el("li", {}, need.needs.length > 1 ? "one of " : "", listed(need.needs.map(bitLink)), el("span", { class: "quiet" }, ` (${states(need)})`)));
  const named = bit.needs.flatMap((need) => need.needs);
  const further = [...closure(bit.key)].filter((key) => !named.includes(key));
  if (!direct.length && !bit.neededBy.length) return null;
  return el("section", {}, el("h3", {}, "Dependencies"),
    direct.length ? el("p", {}, "It needs:") : null, direct.length ? el("ul", {}, direct) : null,
    further.length ? el("p", {}, "Through these also: ", listed(further.map(bitLink)), ".") : null,
    bit.neededBy.length ? el("p", {}, "Needed by: ", listed(bit.neededBy.map(bitLink)), ".") : null);
}

function modelsList(bit) {
  const with_ = modelsWith(bit);
  if (bit.kind || !newest(bit.qemu)) return null;
  return el("section", {}, el("h3", {}, `CPU models with it: ${with_.length} of ${FACTS.models.length}`),
    with_.length ? el("p", { class: "models" }, listed(with_.map((model) => el("a", { href: `#model/${model.name}` }, model.name)))) : null);
}

const KNOWN_HEAD = ["kind", "about", "first side", "second side", "verdict", "reason"];

function knownList(indices) {
  if (!indices.length) return null;
  const items = indices.map((index) => {
    const [kind, subject, left, right, verdict, reason] = FACTS.known[index];
    return el("li", {}, el("strong", {}, verdict), ` ${kind}: ${subject}: `, el("code", {}, left), " | ", el("code", {}, right), `. ${reason}.`);
  });
  return el("section", {}, el("h3", {}, "What verify says"), el("ul", {}, items));
}

function bitDetail(bit) {
  const by = knownBy(bit);
  const where = bit.kind ? `${bit.place ?? "in older releases"}${bit.place ? `[${bit.index}]` : ""}` : bit.key;
  return [
    el("h2", { "aria-live": "polite" }, `${labelOf(bit) || "bit"} `, el("code", {}, where)),
    el("p", {}, el("span", { class: `chip ${whoClass(bit)}` }, by.length ? `known to ${by.map((one) => one.title).join(", ")}` : "named by no release"),
      bit.name ? [" Constant ", el("code", {}, bit.kind ? bit.name : `feature::${bit.name}`)] : null),
    namesTable(bit), placesTable(bit), needsList(bit), modelsList(bit), knownList(bit.known),
    el("p", {}, el("a", { href: hrefOf(bit.key) }, "Link to this bit")),
  ];
}

function fieldDetail(one, field, key) {
  const rows = stretches(FACTS.linux, field.names).map((row) =>
    [span(row), row.value === null ? el("span", { class: "quiet" }, "does not have it") : el("code", {}, row.value)]);
  const subleaves = field.last ? el("p", {}, `The same in subleaves ${one.subleaf} to ${field.last === 4294967295 ? "the last" : field.last}.`) : null;
  return [
    el("h2", { "aria-live": "polite" }, `${field.name} `, el("code", {}, key)),
    el("p", {}, count(field.high - field.low + 1, "bit"), `, mask 0x${(((1n << BigInt(field.high - field.low + 1)) - 1n) << BigInt(field.low)).toString(16)}.`),
    subleaves, table(["Linux", "name in cpuid.csv"], rows, "Who knows it"), el("p", {}, el("a", { href: hrefOf(key) }, "Link to this field")),
  ];
}

function registerDetail(one, lit) {
  const named = one.bits.filter(Boolean);
  const rows = [];
  if (one.words) {
    stretches(FACTS.linux, perRelease(one.words.linux, FACTS.linux)).forEach((row) => rows.push(["Linux", span(row), row.value ?? "no word"]));
    stretches(FACTS.qemu, perRelease(one.words.qemu, FACTS.qemu)).forEach((row) => rows.push(["QEMU", span(row), row.value ?? "no word"]));
  }
  return [
    el("h2", { "aria-live": "polite" }, el("code", {}, one.key), lit === null ? "" : ` = 0x${lit.toString(16)}`),
    el("p", {}, `${count(named.length, "named bit")}, ${count(one.fields.length, "field")}.`),
    lit === null ? null : litSummary(one, lit),
    rows.length ? table(["project", "releases", "word"], rows, "Words") : null, knownList(one.known),
  ];
}

// What a value sets: names, unknown bits, fields.
function litSummary(one, lit) {
  const set = [...Array(one.width).keys()].filter((index) => hasBit(lit, index));
  const named = set.filter((index) => one.bits[index]);
  const unknown = set.filter((index) => !one.bits[index] && !fieldAt(one, index));
  const fields = one.fields.map((field) => `${field.name} = ${(lit >> BigInt(field.low)) & ((1n << BigInt(field.high - field.low + 1)) - 1n)}`);
  return el("div", {},
    el("p", {}, named.length ? ["Set: ", ...listed(named.map((index) => bitLink(one.bits[index].key))), "."] : "No named bit is set."),
    unknown.length ? el("p", { class: "warning" }, `Set and unknown: ${unknown.length === 1 ? "bit" : "bits"} ${unknown.join(", ")}.`) : null,
    fields.length ? el("p", {}, `Fields: ${fields.join(", ")}.`) : null);
}

// The contents of the panel for a key: a bit, `REGISTER[high:low]`, or a bit that nobody names.
function detailOf(key) {
  if (BITS.has(key)) return bitDetail(BITS.get(key));
  const [, place, high, low] = key.match(/^(.*)\[(\d+)(?::(\d+))?\]$/) ?? [];
  const one = REGISTERS.get(place);
  if (!one || Number(high) >= one.width) return null;
  const field = fieldAt(one, Number(high));
  if (field && (low === undefined ? field.low === field.high : Number(low) === field.low)) return fieldDetail(one, field, key);
  return [el("h2", { "aria-live": "polite" }, "Unnamed ", el("code", {}, key)),
    el("p", {}, field ? `Part of the field ${field.name}, bits ${field.high} to ${field.low}.` : "No release of the five projects in this page names this bit.")];
}
