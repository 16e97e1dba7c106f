// Locations as people write them: each form gives the key of a register, a bit or a leaf, or null.

const REGISTER = "e[abcd]x";

// A number: decimal, 0x..., or ...h.
function number(text) {
  if (/^0x[0-9a-f]+$/i.test(text)) return parseInt(text, 16);
  if (/^[0-9a-f]+h$/i.test(text)) return parseInt(text, 16);
  return /^\d+$/.test(text) ? parseInt(text, 10) : null;
}

const leafKey = (leaf) => (leaf < 10 ? String(leaf) : `0x${leaf.toString(16)}`);
const registerKey = (leaf, subleaf, name) => `${leafKey(leaf)}.${subleaf}.${name.toLowerCase()}`;

// The forms of a register, without its bits: 7.0.ebx, CPUID.(EAX=7,ECX=0):EBX, CPUID.07H.0H:EBX, CPUID.07H:EBX,
// CPUID[eax=07h,ecx=00h].EBX, Fn8000_0008_EBX, MSR 0x10a, MSR(10AH).
function registerOf(text) {
  const folded = text.toLowerCase().replace(/\s/g, "");
  let found = folded.match(new RegExp(`^(?:cpuid)?[.:]?\\(?\\[?(?:eax=)?(0x[0-9a-f]+|[0-9a-f]+h|\\d+)(?:[,.:](?:ecx=)?(0x[0-9a-f]+|[0-9a-f]+h|\\d+))?[\\])]*[.:](${REGISTER})$`));
  if (found) return registerKey(number(found[1]), found[2] ? number(found[2]) : 0, found[3]);
  found = folded.match(new RegExp(`^(?:cpuid)?fn([0-9a-f]{4})_([0-9a-f]{4})_(${REGISTER})(?:_x([0-9a-f]+))?$`));
  if (found) return registerKey(parseInt(found[1] + found[2], 16), found[4] ? parseInt(found[4], 16) : 0, found[3]);
  found = folded.match(/^msr[(:]?(0x[0-9a-f]+|[0-9a-f]+h|\d+)\)?$/);
  return found && number(found[1]) !== null ? `MSR 0x${number(found[1]).toString(16)}` : null;
}

// Every bit that a text names by its place, such as a warning of QEMU.
function bitsNamed(text) {
  const warning = /(CPUID[.[(]\S*?[.:]E[ABCD]X|MSR\([0-9A-F]+H\))(?:\.([\w.|-]+))? \[bit (\d+)\]/gi;
  const warned = [...text.matchAll(warning)].flatMap(([, place, name, bit]) => {
    const at = registerOf(place);
    return at ? [withSubleaf(`${at}[${bit}]`, place, name)] : [];
  });
  if (warned.length) return warned;
  const plain = text.trim().match(/^(.+?)\s*\[\s*(?:bit\s*)?(\d+)\s*\]$/i);
  const at = plain && (registerOf(plain[1]) ?? registerOf(`MSR ${plain[1]}`));
  return at && Number(plain[2]) < (at.startsWith("MSR") ? 64 : 32) ? [`${at}[${plain[2]}]`] : [];
}

// QEMU before 10.1 leaves the subleaf out: there the name says which one it is.
function withSubleaf(key, written, name) {
  if (!name || /ecx=/i.test(written) || key.startsWith("MSR")) return key;
  const [place, index] = splitKey(key);
  const [leaf, , register_] = place.split(".");
  const wanted = fold(name.split("|")[0]);
  const here = (bit) => bit.place?.startsWith(`${leaf}.`) && bit.place.endsWith(register_) && bit.index === index;
  return [...BITS.values()].find((bit) => here(bit) && [...searchNames(bit)].some((known) => fold(known) === wanted))?.key ?? key;
}

// The key of a field that a text names by its bits: `1.eax[11:8]`.
function fieldNamed(text) {
  const [, place, high, low] = text.trim().match(/^(.+?)\s*\[(\d+):(\d+)\]$/) ?? [];
  const at = place && registerOf(place);
  return at ? `${at}[${high}:${low}]` : null;
}

// A register with a value: `7.0.ebx=0x20`, `MSR 0x10a = 0x69`.
function valueOf(text) {
  const found = text.match(/^(.+?)\s*=\s*(0x[0-9a-f]+)$/i);
  const at = found && registerOf(found[1]);
  if (!at) return null;
  const value = BigInt(found[2]);
  return value < 1n << (at.startsWith("MSR") ? 64n : 32n) ? { at, value } : null;
}

// A bit of Linux's words in the newest release: `9*32+5`.
function linuxBit(text) {
  const found = text.replace(/[\s()]/g, "").match(/^(\d+)\*32\+(\d+)$/);
  if (!found) return null;
  const place = `${Number(found[1])}*32+${Number(found[2])}`;
  return [...BITS.values()].find((bit) => bit.kind !== "bug" && bit.kind !== "vmx" && bit.kernel.at(-1) === place) ?? null;
}
