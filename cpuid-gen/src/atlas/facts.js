"use strict";
// The facts: bits, registers, fields, models, each by its key. Nothing here touches the page.

const FACTS = JSON.parse(document.getElementById("facts").textContent);

// The projects that may know a bit. `from` is the field of a bit with one value for each release.
const PROJECTS = [
  { id: "linux", title: "Linux", mark: "L", releases: FACTS.linux },
  { id: "kvm", title: "KVM", mark: "K", releases: FACTS.linux },
  { id: "qemu", title: "QEMU", mark: "Q", releases: FACTS.qemu },
];
// The other projects: their marks are the letters that no other one has.
const MARKS = { xen: "X", libvirt: "V", freebsd: "F", llvm: "C", gcc: "G" };
for (const one of FACTS.witnesses) PROJECTS.push({ ...one, mark: MARKS[one.id] });

// One value for each release, from a value that all have or an array.
function perRelease(value, releases) {
  return Array.isArray(value) ? value : releases.map(() => value ?? null);
}

const newest = (values) => values.findLast((value) => value !== null) ?? null;
const fold = (name) => name.toLowerCase().replace(/[-_. ]/g, "");

function readBit(row, kind) {
  const linux = perRelease(row.linux, FACTS.linux);
  const kvmOnly = perRelease(row.kvm_only, FACTS.linux);
  const kernel = perRelease(row.kernel, FACTS.linux);
  // Of the kernel's macros, KVM's own are not Linux's.
  const own = kind ? kernel.map((at) => (at === null ? null : row.name)) : linux.map((name, at) => (kvmOnly[at] ? null : name));
  const bit = {
    key: row.at, kind, name: row.name ?? null, kernel,
    flag: perRelease(row.flag, FACTS.linux),
    linux: own,
    kvmName: linux.map((name, at) => (kvmOnly[at] ? name : null)),
    kvm: perRelease(row.kvm, FACTS.linux),
    caps: perRelease(row.caps, FACTS.linux),
    qemu: perRelease(row.qemu, FACTS.qemu),
    ...Object.fromEntries(FACTS.witnesses.map((one) => [one.id, perRelease(row[one.id], one.releases)])),
    known: row.known ?? [], needs: [], neededBy: [],
  };
  [bit.place, bit.index] = kind ? [null, null] : splitKey(row.at);
  return bit;
}

// `7.0.ebx[5]` as its register and its bit.
function splitKey(key) {
  const [, place, index] = key.match(/^(.*)\[(\d+)\]$/);
  return [place, Number(index)];
}

// A project's names for a bit, one for each release; for KVM a name of its own or a treatment.
function namesOf(bit, project) {
  if (project !== "kvm") return bit[project];
  return bit.kvm.map((treatment, at) => bit.kvmName[at] ?? (treatment === null ? null : FACTS.treatments[treatment]));
}

const knows = (bit, project) => namesOf(bit, project).some((name) => name !== null);
const knownBy = (bit) => PROJECTS.filter((project) => knows(bit, project.id));

// The name to show in a small cell.
function labelOf(bit) {
  const qemu = newest(bit.qemu);
  const own = newest(bit.flag) ?? (newest(bit.linux) ?? newest(bit.kvmName))?.toLowerCase();
  const others = FACTS.witnesses.map((one) => newest(bit[one.id])).filter(Boolean);
  return (bit.kind ? own : qemu?.split("|")[0] ?? own ?? newest(bit.libvirt) ?? others[0]?.toLowerCase() ?? bit.name) ?? "";
}

// All names that people may search for.
function searchNames(bit) {
  const all = [bit.name, ...bit.linux, ...bit.kvmName, ...bit.flag, ...FACTS.witnesses.flatMap((one) => bit[one.id])];
  bit.qemu.forEach((name) => all.push(...(name ?? "").split("|")));
  return new Set(all.filter(Boolean));
}

// The class that gives a cell its colour.
function whoClass(bit) {
  const by = new Set(knownBy(bit).map((project) => project.id));
  const kernel = by.has("linux") || by.has("kvm");
  if (["linux", "kvm", "qemu"].every((id) => by.has(id)) && by.size > 3) return "all";
  if (kernel && by.has("qemu")) return "both";
  if (kernel) return "linux";
  if (by.has("qemu")) return "qemu";
  return by.size ? "other" : "none";
}

const BITS = new Map();
for (const row of FACTS.bits) BITS.set(row.at, readBit(row, ""));
for (const row of FACTS.kernel) BITS.set(row.at, readBit(row, row.at.split(":")[0]));
for (const need of FACTS.needs) {
  if (need.withdrawn) continue;
  BITS.get(need.at).needs.push(need);
  need.needs.forEach((key) => BITS.get(key)?.neededBy.push(need.at));
}

// Registers by their key, in the order in which the page shows them.
const REGISTERS = new Map();
const KERNEL_TITLES = { linux: "Linux word", bug: "Linux bug word", vmx: "Linux VMX word" };

function register(key) {
  if (!REGISTERS.has(key)) {
    const cpuid = key.match(/^(0x[0-9a-f]+|\d+)\.(\d+)\.(e[abcd]x)$/);
    const group = cpuid ? cpuid[1] : key;
    const leaf = cpuid ? Number(cpuid[1]) : null;
    REGISTERS.set(key, { key, group, leaf, subleaf: cpuid && Number(cpuid[2]), name: cpuid?.[3], width: 32, bits: [], fields: [], words: null, known: [] });
  }
  return REGISTERS.get(key);
}

function addBit(bit) {
  if (bit.kind) {
    const place = bit.kernel[bit.kernel.length - 1];
    if (place === null) return;
    const [word, index] = place.split("*32+").map(Number);
    [bit.place, bit.index] = [`${KERNEL_TITLES[bit.kind]} ${word}`, index];
  }
  const at = register(bit.place);
  at.bits[bit.index] = bit;
  if (bit.place.startsWith("MSR")) at.width = 64;
}

BITS.forEach(addBit);
for (const row of FACTS.registers) Object.assign(register(row.at), { words: row, known: row.known ?? [] });
for (const field of FACTS.fields) {
  field.names = perRelease(field.linux, FACTS.linux);
  register(field.at).fields.push(field);
}

function order(a, b) {
  const rank = (one) => (one.leaf !== null ? 0 : one.key.startsWith("MSR") ? 1 : 2);
  const number = (one) => Number(one.key.split(" ").at(-1));
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (rank(a) === 0) return a.leaf - b.leaf || a.subleaf - b.subleaf || (a.name < b.name ? -1 : 1);
  const [kindA, kindB] = [a, b].map((one) => one.key.replace(/ \S+$/, ""));
  return kindA < kindB ? -1 : kindA > kindB ? 1 : number(a) - number(b);
}

// Groups of registers: a leaf, an MSR, or a word of Linux.
const GROUPS = new Map();
for (const one of [...REGISTERS.values()].sort(order)) {
  if (!GROUPS.has(one.group)) GROUPS.set(one.group, []);
  GROUPS.get(one.group).push(one);
}
const LEAF_TITLES = new Map(FACTS.leaves);

// The field of a register that has a bit; wide fields only have no bit of their own there.
const fieldAt = (one, index) => one.fields.find((field) => field.low <= index && index <= field.high) ?? null;

// Models by name and alias; a definition has the indices of its releases of QEMU.
const MODELS = new Map(FACTS.models.map((model) => [model.name, model]));
const ALIASES = new Map();
for (const model of FACTS.models) {
  for (const definition of model.definitions) if (definition.alias) ALIASES.set(definition.alias, model.name);
}

const maskOf = (definition, place) => BigInt(`0x${definition.words[place] ?? 0}`);
const hasBit = (mask, index) => ((mask >> BigInt(index)) & 1n) === 1n;
const definitionOf = (model, release) => model.definitions.find((one) => one.qemu.includes(release)) ?? null;
const latest = (model) => model.definitions.reduce((a, b) => (Math.max(...a.qemu) >= Math.max(...b.qemu) ? a : b));

// The models whose newest definition has a bit.
function modelsWith(bit) {
  if (bit.kind) return [];
  return FACTS.models.filter((model) => hasBit(maskOf(latest(model), bit.place), bit.index));
}

// Every bit that a bit needs, directly or through others; alternatives are left out.
function closure(key, seen = new Set()) {
  for (const need of BITS.get(key)?.needs ?? []) {
    if (need.needs.length === 1 && !seen.has(need.needs[0])) {
      seen.add(need.needs[0]);
      closure(need.needs[0], seen);
    }
  }
  return seen;
}
