// A table that the reader pastes or drops: read, shown on the grids, and compared with the models. Nothing leaves the page.

// The pasted table: a value for each register's key; null before one is read.
let pasted = null;

const NAMES = ["eax", "ebx", "ecx", "edx"];
const REST = "\\s*[=:]\\s*(0x[0-9a-f]+|[0-9a-f]+)";
const registers = (between) => ["e?ax", "e?bx", "e?cx", "e?dx"].map((name) => name + REST).join(between);

// The forms of an entry: each gives leaf, subleaf, EAX, EBX, ECX, EDX; `decimal` where plain numbers are decimal.
const FORMS = [
  // cpuid -r, and kcpuid -r after its subleaves got their leaf: `0x00000007 0x00: eax=0x00000000 ebx=...`
  { form: `^[ \\t]*(0x[0-9a-f]+)(?:[ \\t]+(0x[0-9a-f]+))?:[ \\t]*${registers("[ ,]+")}` },
  // InstLatx64, AIDA64: `CPUID 00000007: 00000000-219C91A9-00000000-00000000 [SL 00]`
  { form: "^[ \\t]*CPUID ([0-9a-f]{8}): ([0-9a-f]{8})-([0-9a-f]{8})-([0-9a-f]{8})-([0-9a-f]{8})(?: \\[SL ([0-9a-f]+)\\])?", order: [1, 6, 2, 3, 4, 5] },
  // gdb, crash, strace: `function = 7, index = 0, flags = 1, eax = 0, ...`
  { form: `function\\s*=\\s*(\\w+),\\s*index\\s*=\\s*(\\w+),\\s*flags\\s*=\\s*[\\w|]+,\\s*${registers(",\\s*")}`, decimal: true },
  // trace-cmd: `kvm_cpuid: func 7 idx 0 rax 0 rbx 219c91a9 rcx 0 rdx 0`
  { form: "kvm_cpuid: func ([0-9a-f]+) idx ([0-9a-f]+) rax ([0-9a-f]+) rbx ([0-9a-f]+) rcx ([0-9a-f]+) rdx ([0-9a-f]+)" },
  // libvirt: `<cpuid eax_in='0x7' ecx_in='0x0' eax='0x0' .../>`
  { form: "<cpuid\\s+eax_in=.0x([0-9a-f]+).(?:\\s+ecx_in=.0x([0-9a-f]+).)?" + NAMES.map((name) => `\\s+${name}=.0x([0-9a-f]+).`).join("") },
  // KVM's entries: leaf, subleaf, flags, EAX, EBX, ECX, EDX in hexadecimal
  { form: "^[ \\t]*(?:vcpu\\d+ )?([0-9a-f]{1,8})[ \\t]+([0-9a-f]{1,8})[ \\t]+[0-9a-f]{1,8}" + "[ \\t]+([0-9a-f]{1,8})".repeat(4) + "[ \\t]*$" },
];

// kcpuid's subleaves on lines of their own get their leaf.
const withLeaves = (text) => text.replace(/^\s*(0x[0-9a-f]{8}): subleafs:\s*\n((?:\s*\d+: EAX=.*\n?)+)/gim, (_, leaf, rows) =>
  rows.replace(/^\s*(\d+):/gm, (__, subleaf) => `${leaf} 0x${Number(subleaf).toString(16)}:`));

// The entries of a text in its order, and what is left of it.
function entriesOf(text) {
  for (const { form, order: places = [1, 2, 3, 4, 5, 6], decimal } of FORMS) {
    const pattern = new RegExp(form, "gim");
    const entries = [...text.matchAll(pattern)].map((found) => {
      const [leaf, subleaf, ...values] = places.map((at) => (decimal ? Number(found[at]) : parseInt(found[at] ?? "0", 16)));
      return { leaf, subleaf, values };
    });
    if (entries.length) return { entries, rest: text.replace(pattern, "") };
  }
  return { entries: [], rest: text };
}

// Lines beside entries that say nothing about CPUID: numbers of CPUs, titles, brackets, comments.
const BESIDE = /^(CPU( \d+)?:?|[\s{}[\](),;=\d/>-]*|#.*|<[!?/]?[a-z-]+[^<]*|.*(KVM_CREATE|padding|cpuid_nent|cpuid_entries|\[0x[0-9a-f]+\]).*|(basic|standard|extended).*leafs.*)$/i;

// A text as values by register: the entries of its first CPU, or flags of /proc/cpuinfo, or QEMU's warnings.
function readTable(text) {
  const { entries, rest } = entriesOf(withLeaves(text));
  const result = { values: new Map(), strange: [], cpus: 0, unknownFlags: [], kind: entries.length ? "entries" : FLAGS.test(rest) ? "flags" : "warnings" };
  const seen = new Set();
  for (const { leaf, subleaf, values } of entries) {
    const key = `${leaf}.${subleaf}`;
    if (key === "0.0") result.cpus += 1;
    // Later CPUs repeat the leaves of the first.
    if (!seen.has(key)) values.forEach((value, at) => result.values.set(registerKey(leaf, subleaf, NAMES[at]), BigInt(value)));
    seen.add(key);
  }
  for (const line of rest.split("\n").map((one) => one.trim()).filter(Boolean)) readLine(line, result);
  return result;
}

const FLAGS = /^[ \t]*(?:vmx )?flags[ \t]*:[ \t]*(.*)$/im;

function readLine(line, result) {
  if (result.kind === "entries") {
    if (!BESIDE.test(line) && !/^[\w ()/-]+\s*:.*$/.test(line)) result.strange.push(line);
  } else if (result.kind === "flags") {
    const flags = line.match(FLAGS);
    if (flags) readFlags(flags[1].split(/\s+/).filter(Boolean), result);
    else if (!/^[^:]+:/.test(line)) result.strange.push(line);
  } else {
    const known = bitsNamed(line).filter((key) => REGISTERS.has(splitKey(key)[0]));
    known.forEach((key) => addTo(result.values, ...splitKey(key)));
    if (!known.length) result.strange.push(line);
  }
}

const addTo = (values, place, index) => values.set(place, (values.get(place) ?? 0n) | (1n << BigInt(index)));

// Flags as the bits of their registers; a flag without a register is a bit of Linux's own words.
function readFlags(flags, result) {
  for (const flag of flags) {
    const bit = [...BITS.values()].find((one) => one.kind !== "bug" && one.flag.includes(flag));
    if (!bit) result.unknownFlags.push(flag);
    else if (bit.place) addTo(result.values, bit.place, bit.index);
  }
}

function drawTable() {
  const view = byId("view-table");
  if (view.childElementCount) return;
  const box = el("textarea", { id: "pasted", rows: "8", spellcheck: "false", "aria-label": "A table of CPUID", placeholder: "cpuid -r, kcpuid -r, InstLatx64, AIDA64, gdb, strace, trace-cmd, libvirt's <cpudata>, KVM's entries in hexadecimal, the flags of /proc/cpuinfo, or QEMU's warnings. kvm-cpuid convert makes these of other forms." });
  const read = () => showTable(box.value);
  const take = async (file) => {
    if (!file) return;
    box.value = await file.text();
    read();
  };
  box.addEventListener("input", read);
  view.addEventListener("dragover", (event) => event.preventDefault());
  view.addEventListener("drop", (event) => { event.preventDefault(); take(event.dataTransfer.files[0]); });
  fill(view, el("h2", {}, "My table"),
    el("p", {}, "Paste the CPUID table of a host or a guest, or drop a file. It stays in this page: the page cannot send anything."),
    box, el("p", {}, el("label", {}, "Or open a file ", el("input", { type: "file", id: "file", onchange: (event) => take(event.target.files[0]) }))),
    el("div", { id: "table-result", "aria-live": "polite" }));
}

function showTable(text) {
  const result = readTable(text);
  pasted = result.values.size ? result.values : null;
  const out = byId("table-result");
  if (!text.trim()) return fill(out);
  const strange = result.strange.length ? el("p", { class: "warning" }, `${count(result.strange.length, "line")} not understood, the first: `, el("code", {}, result.strange[0].slice(0, 100))) : null;
  const flags = result.unknownFlags.length ? el("p", { class: "warning" }, `Flags that no release has: ${result.unknownFlags.join(", ")}.`) : null;
  if (!pasted) return fill(out, strange, el("p", {}, "No entry of CPUID found."));
  const registers = [...pasted].filter(([key, value]) => value && REGISTERS.has(key)).map(([key]) => REGISTERS.get(key)).sort(order);
  const set = registers.flatMap((one) => one.bits.filter((bit) => bit && hasBit(pasted.get(one.key), bit.index)));
  const parts = [strange, flags, tableSummary(result, set), ...(result.kind === "warnings" ? [] : [unknownBits(registers), unmetNeeds(set), fitting()]),
    ...registers.flatMap((one) => [registerTitle(one), grid(one, pasted.get(one.key))])];
  return fill(out, parts);
}

function tableSummary(result, set) {
  const more = result.cpus > 1 ? ` It has ${result.cpus} CPUs; this is the first.` : "";
  if (result.kind === "warnings") return el("p", {}, "The bits that these lines name:");
  return el("p", {}, `${count(result.values.size, "register")}, ${count(set.length, "named bit")} set.${more}`);
}

// Only registers that are a word of a project can have unknown bits: others hold fields.
function unknownBits(registers) {
  const links = registers.filter((one) => one.words).flatMap((one) => bitsOf(pasted.get(one.key)).filter((index) => !one.bits[index] && !fieldAt(one, index)).map((index) => link(`${one.key}[${index}]`)));
  return links.length ? el("p", { class: "warning" }, "Set, and named by nobody: ", listed(links), ".") : null;
}

function unmetNeeds(set) {
  const has = (key) => { const bit = BITS.get(key); return !bit?.place || bit.kind !== "" || hasBit(pasted.get(bit.place) ?? 0n, bit.index); };
  const items = set.flatMap((bit) => bit.needs.filter((need) => !need.needs.some(has)).map((need) => el("li", {}, bitLink(bit.key), " needs ", listed(need.needs.map(bitLink)))));
  return items.length ? el("div", { class: "warning" }, el("p", {}, "Set without what it needs:"), el("ul", {}, items)) : null;
}

// The models of which the table has every bit of CPUID, those with the most bits first.
function fitting() {
  const lacks = (model) => Object.keys(latest(model).words).filter((place) => !place.startsWith("MSR")).reduce((sum, place) => sum + bitsOf(maskOf(latest(model), place) & ~(pasted.get(place) ?? 0n)).length, 0);
  const size = (model) => Object.keys(latest(model).words).reduce((sum, place) => sum + bitsOf(maskOf(latest(model), place)).length, 0);
  const all = FACTS.models.map((model) => ({ model, lacks: lacks(model), size: size(model) }));
  all.sort((a, b) => a.lacks - b.lacks || b.size - a.size);
  const items = all.slice(0, 5).map(({ model, lacks: number }) => el("li", {}, el("a", { href: `#compare/${encodeURIComponent(TABLE_NAME)}/${model.name}` }, model.name), number ? `: lacks ${count(number, "bit")}` : ": has all its CPUID bits"));
  return el("div", {}, el("p", {}, "Nearest CPU models:"), el("ol", {}, items));
}
