// The page: views by the address after #, filter, legend, keys, colours.

let chosenRegister = null;
let shownValue = null;

const VIEWS = ["atlas", "model", "compare", "table", "verify"];

function showView(name) {
  for (const view of VIEWS) byId(`view-${view}`).hidden = view !== name;
  for (const one of document.querySelectorAll("header nav a")) {
    if (one.dataset.view === name) one.setAttribute("aria-current", "page");
    else one.removeAttribute("aria-current");
  }
}

// #7.0.ebx[5], #7.0.ebx=0x20, #7, #model/NAME, #compare/A/B, #table, #verify, #find/TEXT
function route() {
  const hash = decodeURIComponent(location.hash.slice(1));
  const [view, ...rest] = hash.split("/");
  if (view === "main-view") return;
  if (view === "model") drawModel(rest.join("/"));
  else if (view === "compare") drawCompare(rest[0] ?? "", rest[1] ?? "");
  else if (view === "table") drawTable();
  else if (view === "verify") drawVerify();
  else { showView("atlas"); showPlace(hash); return; }
  showView(view);
  scrollTo(0, 0);
}

function showPlace(hash) {
  document.querySelectorAll(".chosen").forEach((one) => one.classList.remove("chosen"));
  if (shownValue) { const old = shownValue; shownValue = null; redraw(old); }
  if (!hash) return;
  if (hash.startsWith("find/")) {
    const [best] = find(hash.slice(5));
    if (best) location.replace(best.href);
    else fill(byId("detail"), el("p", { class: "warning" }, `No match for ${hash.slice(5)}.`));
    return;
  }
  const value = valueOf(hash);
  const key = value ? value.at : BITS.has(hash) || REGISTERS.has(hash) || GROUPS.has(hash) ? hash : bitsNamed(hash)[0] ?? fieldNamed(hash) ?? registerOf(hash) ?? hash;
  const place = BITS.get(key)?.place ?? key.replace(/\[.*$/, "");
  const one = REGISTERS.get(place) ?? GROUPS.get(place)?.[0];
  const content = value && one ? registerDetail(one, value.value) : REGISTERS.has(key) ? registerDetail(one, null) : detailOf(key);
  showDetail(content ?? (GROUPS.has(key) ? null : [el("p", { class: "warning" }, `There is nothing at ${hash}.`)]));
  if (!one) return;
  chosenRegister = one.key;
  const section = sectionOf(one.group);
  if (value) { shownValue = one; redraw(one, value.value); }
  reveal(section, GROUPS.has(key) ? section : section?.querySelector(`[data-key="${CSS.escape(key)}"]`) ?? gridOf(one));
}

const gridOf = (one) => sectionOf(one.group)?.querySelector(`[aria-label^="${CSS.escape(one.key)}, bits"]`);

// Draws a register again, with a value's bits marked.
function redraw(one, lit = null) {
  gridOf(one)?.replaceWith(grid(one, lit));
  applyFilter();
}

function showDetail(content) {
  const panel = byId("detail");
  panel.classList.toggle("open", content !== null);
  if (content) {
    const close = el("button", { type: "button", class: "close", onclick: () => { panel.classList.remove("open"); } }, "Close");
    fill(panel, close, content);
    panel.scrollTop = 0;
  }
}

// Brings a cell into view and marks it.
function reveal(section, target) {
  if (!target) return;
  const cell = target.classList.contains("bit") ? target : null;
  if (cell) {
    cell.classList.add("chosen");
    cell.setAttribute("aria-current", "true");
    cell.parentElement.querySelectorAll("[tabindex='0']").forEach((one) => { one.tabIndex = -1; });
    cell.tabIndex = 0;
  }
  const seen = target.getBoundingClientRect();
  const free = innerHeight * (WIDE.matches ? 1 : 0.45);
  if (seen.top < 110 || seen.bottom > free) {
    target.scrollIntoView({ block: target === section ? "start" : WIDE.matches ? "center" : "start" });
  }
}

// The legend names each colour; the filter takes for each project: any, knows the bit, does not.
const STATES = ["any", "knows", "lacks"];
const filter = new Map(PROJECTS.map((project) => [project.id, 0]));

function drawFilter() {
  fill(byId("legend"), el("ul", { "aria-label": "Colours: who knows a bit" }, Object.entries(WHO).map(([who, text]) =>
    el("li", {}, el("span", { class: `chip ${who}`, "aria-hidden": "true" }, " "), text))));
  fill(byId("filter"), "Show bits: ", ...PROJECTS.map((project) => {
    const button = el("button", { type: "button", "data-project": project.id, onclick: () => {
      filter.set(project.id, (filter.get(project.id) + 1) % STATES.length);
      label();
      applyFilter();
    } });
    const label = () => {
      const state = STATES[filter.get(project.id)];
      button.className = state;
      button.textContent = `${project.mark} ${project.title}: ${state}`;
    };
    label();
    return button;
  }));
}

const matchesFilter = (bit) => [...filter].every(([project, state]) => state === 0 || knows(bit, project) === (state === 1));

function applyFilter() {
  const active = [...filter.values()].some((state) => state > 0);
  const matching = active ? [...BITS.values()].filter(matchesFilter) : [];
  const keys = new Set(matching.map((bit) => bit.key));
  for (const cell of byId("grids").querySelectorAll(".bit")) cell.classList.toggle("dim", active && !keys.has(cell.dataset.key));
  const list = el("details", {}, el("summary", {}, count(matching.length, "bit matches", "bits match")), el("p", {}, listed(matching.map((bit) => bitLink(bit.key)))));
  fill(byId("filter-result"), ...(active ? [list] : []));
}

function drawLeaves() {
  const groups = [...GROUPS.keys()];
  fill(byId("leaves"), el("ul", {}, groups.map((group) => el("li", {}, el("a", { href: hrefOf(group), title: LEAF_TITLES.get(group) ?? "" }, groupTitle(group).replace("Leaf ", ""))))));
  fill(byId("jump"), el("option", { value: "" }, "choose …"), ...groups.map((group) => el("option", { value: group }, `${groupTitle(group)} ${LEAF_TITLES.get(group) ?? ""}`)));
  byId("jump").addEventListener("change", (event) => { location.hash = hrefOf(event.target.value); });
}

function drawVerify() {
  const view = byId("view-verify");
  if (view.childElementCount) return;
  const findings = FACTS.findings.map(([message, place, help]) => el("li", {}, el("code", {}, place ?? ""), ` ${message}`, help ? el("p", { class: "quiet" }, help) : null));
  const rows = FACTS.known.map(([kind, subject, left, right, verdict, reason], index) => {
    const about = [...BITS.values(), ...REGISTERS.values()].filter((one) => one.known.includes(index)).map((one) => (one.place !== undefined ? bitLink(one.key) : link(one.key)));
    return [kind, about.length ? listed(about) : "", subject, el("code", {}, left), el("code", {}, right), verdict, reason];
  });
  fill(view, el("h2", {}, "Differences"),
    el("p", {}, "What ", el("code", {}, "cpuid-gen verify"), " reports about these releases."),
    el("h3", {}, `Findings: ${findings.length}`), findings.length ? el("ul", {}, findings) : el("p", {}, "Every difference has a reviewed reason."),
    el("h3", {}, `Reviewed differences: ${rows.length}`), table(["kind", "bits", "about", "first side", "second side", "verdict", "reason"], rows));
}

function keys(event) {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    byId("query").focus();
    byId("query").select();
  } else if (event.key === "Escape" && !typing) {
    byId("detail").classList.remove("open");
  }
}

function startTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const button = byId("theme");
  const set = (on) => {
    document.documentElement.style.colorScheme = on ? "dark" : "light";
    button.setAttribute("aria-pressed", String(on));
  };
  button.setAttribute("aria-pressed", String(dark.matches));
  button.addEventListener("click", () => set(button.getAttribute("aria-pressed") !== "true"));
}

byId("releases").textContent = PROJECTS.filter((project) => project.id !== "kvm" && project.releases.length).map((project) => `${project.title} ${project.releases.join(", ")}`).join(" · ");
drawFilter();
drawLeaves();
drawGrids();
startSearch();
startTheme();
document.addEventListener("keydown", keys);
addEventListener("hashchange", route);
for (const query of [WIDE, MIDDLE]) query.addEventListener("change", () => { drawGrids(); route(); });
route();
