// CPU models: one by itself, and two side by side. A pasted table can be one of the two.

const TABLE_NAME = "my table";

// A side of a comparison: its name, its masks by register, and its properties.
function sideOf(name, release) {
  if (name === TABLE_NAME) return pasted ? { name, mask: (place) => pasted.get(place) ?? 0n, registers: [...pasted.keys()], facts: [] } : null;
  const model = MODELS.get(ALIASES.get(name) ?? name);
  const definition = model && (definitionOf(model, release) ?? latest(model));
  if (!definition) return null;
  return { name: model.name, definition, mask: (place) => maskOf(definition, place), registers: Object.keys(definition.words), facts: modelFacts(definition) };
}

function modelFacts(definition) {
  const [family, model, stepping] = definition.signature;
  const [level, xlevel] = definition.levels;
  const rows = [
    ["QEMU", definition.qemu.map((at) => FACTS.qemu[at]).join(", ")], ["alias", definition.alias], ["note", definition.note],
    ["deprecated", definition.deprecated], ["brand", definition.model_id], ["vendor", definition.vendor],
    ["family, model, stepping", `${family}, ${model}, ${stepping}`], ["highest leaf", `0x${level.toString(16)}, 0x${xlevel.toString(16)}`],
    ["AVX10", definition.avx10 && `version ${definition.avx10}`],
    ["caches", definition.caches && Object.entries(definition.caches).map(([slot, [bytes, ways, line]]) => `${slot} ${bytes >= 1048576 ? `${bytes / 1048576} MB` : `${bytes / 1024} KB`}, ${ways} ways, lines of ${line} bytes`).join("; ")],
    ["other properties", definition.props && Object.entries(definition.props).map(([name, value]) => `${name}=${value}`).join(", ")],
  ];
  return rows.filter(([, value]) => value).map(([name, value]) => [name, String(value)]);
}

function modelChooser(id, label, chosen, onchange, withTable = false) {
  const names = [...(withTable ? [TABLE_NAME] : []), ...MODELS.keys()];
  return el("label", {}, `${label} `, el("select", { id, onchange }, el("option", { value: "" }, "choose …"), names.map((name) =>
    el("option", { value: name, selected: name === chosen }, name === TABLE_NAME ? name : optionText(name)))));
}

function optionText(name) {
  const alias = latest(MODELS.get(name)).alias;
  return alias ? `${name} (${alias})` : name;
}

function drawModel(name) {
  const view = byId("view-model");
  const chosen = ALIASES.get(name) ?? name;
  const head = [el("h2", {}, "CPU models of QEMU"), el("p", {}, modelChooser("model", "Model", chosen, (event) => { location.hash = `#model/${event.target.value}`; }))];
  const model = MODELS.get(chosen);
  if (!model) {
    fill(view, ...head, name ? el("p", { class: "warning" }, `There is no model ${name}.`) : el("p", { class: "quiet" }, `${count(MODELS.size, "version")} of models, newest definitions first. Choose one to see its bits, or compare two.`), ...(name ? [] : [modelsTable()]));
    return;
  }
  const definition = latest(model);
  const masks = sideOf(chosen, Math.max(...definition.qemu));
  const hidden = masks.registers.flatMap((place) => (REGISTERS.get(place)?.bits ?? []).filter((bit) => bit && hasBit(masks.mask(place), bit.index) && unoffered(bit)));
  fill(view, ...head,
    table(["property", "value"], modelFacts(definition)),
    model.definitions.length > 1 ? el("p", {}, `Older releases define it differently: ${model.definitions.filter((one) => one !== definition).map((one) => one.qemu.map((at) => FACTS.qemu[at]).join(", ")).join("; ")}. `, ...changesBetween(model, definition)) : null,
    hidden.length ? el("p", {}, `KVM of Linux ${FACTS.linux.at(-1)} does not advertise: `, listed(hidden.map((bit) => bitLink(bit.key))), ".") : null,
    el("p", {}, el("a", { href: `#compare/${chosen}/` }, "Compare it with another")),
    ...masks.registers.map((place) => REGISTERS.get(place)).filter(Boolean).sort(order).flatMap((one) => [registerTitle(one), grid(one, masks.mask(one.key))]));
}

const unoffered = (bit) => ["known, not advertised", "kept up to date, not advertised"].includes(FACTS.treatments[bit.kvm.at(-1)]);

// What the newest definition has or lacks against an older one.
function changesBetween(model, definition) {
  const before = model.definitions.find((one) => one !== definition);
  const places = new Set([...Object.keys(before.words), ...Object.keys(definition.words)]);
  const bits = [...places].flatMap((place) => (REGISTERS.get(place)?.bits ?? []).filter((bit) => bit && hasBit(maskOf(before, place) ^ maskOf(definition, place), bit.index)));
  return bits.length ? ["Bits that differ: ", ...listed(bits.map((bit) => bitLink(bit.key))), "."] : ["Their bits are the same."];
}

function modelsTable() {
  const rows = FACTS.models.map((model) => {
    const one = latest(model);
    const bits = Object.values(one.words).reduce((sum, mask) => sum + BigInt(`0x${mask}`).toString(2).replaceAll("0", "").length, 0);
    return [el("a", { href: `#model/${model.name}` }, model.name), one.alias ?? "", one.vendor, one.signature.join("/"), String(bits), one.note ?? ""];
  });
  return table(["model", "alias", "vendor", "family/model/stepping", "bits", "note"], rows);
}

function drawCompare(left, right) {
  const view = byId("view-compare");
  const newestRelease = FACTS.qemu.length - 1;
  const go = () => { location.hash = `#compare/${byId("left").value}/${byId("right").value}`; };
  const [a, b] = [sideOf(left, newestRelease), sideOf(right, newestRelease)];
  const head = [el("h2", {}, "Compare"), el("p", {}, modelChooser("left", "A", a?.name ?? left, go, true), " ", modelChooser("right", "B", b?.name ?? right, go, true))];
  if (!a || !b) {
    const lacks = [left, right].includes(TABLE_NAME) && !pasted;
    fill(view, ...head, el("p", { class: "quiet" }, lacks ? "Paste a table first: see My table." : "Choose two CPU models, or a model and the table that you pasted."));
    return;
  }
  const places = [...new Set([...a.registers, ...b.registers])].map((place) => REGISTERS.get(place)).filter((one) => one?.words).sort(order);
  const rows = places.map((one) => {
    const [x, y] = [a.mask(one.key), b.mask(one.key)];
    return [link(one.key), bitsIn(one, x & ~y), bitsIn(one, y & ~x), String(bitsOf(x & y).length)];
  });
  const facts = [...new Set([...a.facts, ...b.facts].map(([name]) => name))];
  const value = (side, name) => side.facts.find(([known]) => known === name)?.[1] ?? "";
  fill(view, ...head,
    facts.length ? table(["property", a.name, b.name], facts.map((name) => [name, value(a, name), value(b, name)])) : null,
    table(["register", `only in ${a.name}`, `only in ${b.name}`, "in both"], rows, "Bits"));
}

const bitsOf = (mask) => [...Array(64).keys()].filter((index) => hasBit(mask, index));

function bitsIn(one, mask) {
  return listed(bitsOf(mask).map((index) => (one.bits[index] ? bitLink(one.bits[index].key) : link(`${one.key}[${index}]`, `bit ${index}`))));
}
