"use strict";

// Everything shown is text of strangers: it becomes text nodes, and mail a frame in which nothing runs.
function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children.filter(child => child != null));
  return element;
}

const place = id => document.getElementById(id);
const none = text => make("p", { className: "none" }, text);
const digits = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const when = time => time ? new Date(time).toLocaleString("en-GB", { day: "numeric", month: "short", ...digits }) : "";
const clock = time => time ? new Date(time).toLocaleTimeString("en-GB", { ...digits, fractionalSecondDigits: 3 }) : "";
const money = (minor, currency) => `${(minor / 100).toFixed(2)} ${currency ?? ""}`;
const json = value => JSON.stringify(value, null, 2);

async function read(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

function table(columns, rows) {
  const heads = columns.map(([title, , kind]) => make("th", { className: kind ?? "" }, title));
  const cells = row => columns.map(([, value, kind]) => make("td", { className: kind ?? "" }, value(row)));
  return make("table", {}, make("thead", {}, make("tr", {}, ...heads)),
    make("tbody", {}, ...rows.map(row => make("tr", {}, ...cells(row)))));
}

// A line that opens; what is inside is made when it is opened for the first time.
function item(summary, inside) {
  const details = make("details", { className: "item" }, make("summary", {}, ...summary));
  details.addEventListener("toggle", async () => {
    if (!details.open || details.children.length > 1) return;
    const body = details.appendChild(make("div", { className: "body" }));
    body.append(...await inside());
  });
  return details;
}

// ── Mail ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

function rendered(html) {
  // No scripts and no forms; links open beside this page. Of the same origin, so that its height can be asked for.
  const frame = make("iframe", { title: "The email as HTML" });
  frame.setAttribute("sandbox", "allow-same-origin allow-popups allow-popups-to-escape-sandbox");
  frame.srcdoc = html.replace(/<head>/i, '<head><base target="_blank">');
  frame.addEventListener("load", () => {
    const page = frame.contentDocument?.documentElement;
    if (page) frame.style.height = `${Math.min(page.scrollHeight + 2, 1600)}px`;
  });
  return frame;
}

function letter(mail) {
  return [mail.html ? rendered(mail.html) : null, mail.text ? make("h3", {}, "As text") : null,
    mail.text ? make("pre", {}, mail.text) : null].filter(part => part);
}

function email(mail) {
  const summary = [make("span", {}, when(mail.sentAt)), make("b", {}, mail.subject), make("span", { className: "soft" }, mail.to)];
  return Object.assign(item(summary, () => letter(mail)), { id: `${mail.sentAt} ${mail.to}` });
}

function preview(mail) {
  const subject = new DOMParser().parseFromString(mail.html, "text/html").title;
  const link = ending => make("a", { href: `/local/previews/${mail.name}.${ending}`, target: "_blank" }, `${mail.name}.${ending}`);
  const summary = [make("span", {}, mail.name.replace(/-.*/, "")), make("b", {}, subject),
    make("span", { className: "soft" }, mail.name.replace(/^[a-z]+-/, "").replace("-", " "))];
  return item(summary, () => [make("p", { className: "links" }, link("html"), mail.text ? link("txt") : null), ...letter(mail)]);
}

// ── Orders ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function step(one) {
  const took = one.exitedAt ? `${new Date(one.exitedAt) - new Date(one.enteredAt)} ms` : "";
  const failures = one.failures.map(failure => make("div", { className: "bad" }, `${clock(failure.at)} ${failure.error}: ${failure.cause}`));
  const data = make("details", {}, make("summary", {}, "input and output"), make("pre", {}, json(one.input)), make("pre", {}, json(one.output)));
  return make("tr", {}, make("td", {}, make("b", {}, one.state), " ", make("span", { className: "soft" }, one.type)),
    make("td", {}, clock(one.enteredAt)), make("td", { className: "wide" }, clock(one.exitedAt)),
    make("td", { className: "number" }, took), make("td", {}, one.tries > 1 ? `${one.tries} tries` : null, ...failures, data));
}

async function execution(run) {
  const heading = make("h3", {}, "Execution ", make("span", { className: `status ${run.status}` }, run.status), ` ${when(run.startedAt)}`);
  const name = make("div", { className: "soft" }, run.name);
  const steps = await read(`/local/executions/${encodeURIComponent(run.name)}.json`).catch(() => []);
  if (!steps.length) return [heading, name, none("No steps are known.")];
  const heads = [["State"], ["Entered"], ["Left", "wide"], ["Took", "number"], ["What happened"]];
  const head = make("tr", {}, ...heads.map(([title, kind]) => make("th", { className: kind ?? "" }, title)));
  return [heading, name, make("table", { className: "steps" }, make("thead", {}, head), make("tbody", {}, ...steps.map(step)))];
}

// The short number of an order, as functions/orders/src/number.rs says.
function number(id) {
  const bits = BigInt(`0x${id.replaceAll("-", "")}`), half = 0xfffffn, all = ((bits >> 95n) & half) << 20n | bits & half;
  const digits = [35n, 30n, 25n, 20n, 15n, 10n, 5n, 0n].map(at => "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[all >> at & 31n]);
  return `C-${digits.slice(0, 4).join("")}-${digits.slice(4).join("")}`;
}

function order({ order, runs }) {
  const lines = order.lines ?? [];
  const what = lines.map(line => `${line.quantity} × ${line.productName}`).join(", ");
  const summary = [make("span", {}, when(order.createdAt)), make("span", {}, make("b", {}, what), ` ${money(order.total, order.currency)}`),
    make("span", { className: `status ${order.status}` }, order.status)];
  const line = table([["Product", line => line.productName], ["Pieces", line => line.quantity, "number"],
    ["Price", line => money(line.unitPrice, order.currency), "number"]], lines);
  const history = table([["Status", entry => entry.status], ["Since", entry => when(entry.at)], ["Why", entry => entry.reason ?? ""]], order.history ?? []);
  const element = item(summary, async () => [make("p", { className: "soft" }, `Order ${number(order.orderId)} (${order.orderId})`), line, make("h3", {}, "History"), history,
    ...(await Promise.all(runs.map(execution))).flat(),
    make("details", {}, make("summary", {}, "as it is stored"), make("pre", {}, json(order)))]);
  element.id = order.orderId;
  return element;
}

// ── Products ─────────────────────────────────────────────────────────────────────────────────────────────────────────

let token;

async function ask(method, path, body) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(path, { method, headers, body: JSON.stringify(body) });
  const said = await answer.json().catch(() => ({}));
  if (answer.status === 401) token = undefined;
  if (!answer.ok) throw new Error(said.detail ?? said.message ?? `The shop answered ${answer.status}.`);
  return said;
}

async function decide(product, decision, buttons, complaint) {
  for (const button of buttons) button.disabled = true;
  complaint.textContent = "";
  try {
    token ??= (await ask("POST", "/sign-in", { email: "admin@cartwright.test", password: "Cartwright-1" })).tokens.IdToken;
    await ask("PUT", `/products/${encodeURIComponent(product.id)}/approval`, decision);
    await refresh();
  } catch (error) {
    complaint.textContent = error.message;
    for (const button of buttons) button.disabled = false;
  }
}

function product(one) {
  const complaint = make("div", { className: "bad" });
  const approve = make("button", { className: "good", type: "button" }, "Approve");
  const reject = make("button", { type: "button" }, "Reject");
  const buttons = [approve, reject];
  approve.addEventListener("click", () => decide(one, { approved: true }, buttons, complaint));
  reject.addEventListener("click", () => {
    const reason = prompt("Why? The seller reads this.");
    if (reason) decide(one, { approved: false, reason }, buttons, complaint);
  });
  const waiting = [one, ...(one.morePictures ?? [])].map(it => it.waitingPicture?.placed.picture).filter(Boolean);
  const urls = waiting.length ? waiting.map(path => `/local/waiting/${path}`) : [one.imageUrl].filter(Boolean);
  const pictures = urls.map(url => make("img", { src: url, alt: "" }));
  const picture = pictures.length ? make("div", {}, ...pictures) : make("div", { className: "none" }, "no picture");
  const told = make("div", {}, make("b", {}, one.productName), ` ${money(one.productPrice, one.currency)}, ${one.quantity} pieces, ${one.category}`,
    make("div", { className: "soft" }, `${one.email ?? one.ownerId}, ${when(one.createdAt)}`), make("div", {}, one.description ?? ""), complaint);
  return make("div", { className: "product" }, picture, told, make("div", { className: "buttons" }, ...buttons));
}

// ── All of it ────────────────────────────────────────────────────────────────────────────────────────────────────────

const shown = {};

// Makes only what is new or changed, so that what is open stays open.
function show(id, values, key, element) {
  const before = shown[id] ?? new Map(), now = new Map();
  for (const value of values) {
    const text = JSON.stringify(value), old = before.get(key(value));
    if (old?.text === text) { now.set(key(value), old); continue; }
    const made = element(value);
    if (old?.element.open) made.open = true;
    now.set(key(value), { text, element: made });
  }
  shown[id] = now;
  const elements = [...now.values()].map(one => one.element);
  const there = [...place(id).children];
  if (!there.length || elements.length !== there.length || elements.some((one, at) => one !== there[at])) {
    place(id).replaceChildren(...(elements.length ? elements : [none("Nothing yet.")]));
  }
}

let newestOrders = "?limit=50";

// The newest, and those to whom the page's own address names: a link may lead to an older one.
async function mails() {
  const newest = await read("/local/emails.json?limit=50"), to = decodeURIComponent(location.hash).split(" ")[1];
  if (!to?.includes("@")) return newest;
  return [...newest, ...await read(`/local/emails.json?limit=50&to=${encodeURIComponent(to)}`)];
}

const parts = [
  async () => show("pending", await read("/local/pending.json"), one => one.id, product),
  async () => show("emails", await mails(), mail => `${mail.sentAt} ${mail.to} ${mail.subject}`, email),
  async () => {
    const orders = await read(`/local/orders.json${newestOrders}`), runs = await read("/local/executions.json");
    const values = orders.map(order => ({ order, runs: runs.filter(run => run.orderId === order.orderId) }));
    show("orders", values, ({ order }) => order.orderId, order);
  },
  async () => {
    const texts = await read("/local/texts.json?limit=50");
    show("texts", texts.length ? [texts] : [], () => "texts", texts =>
      table([["Sent", text => when(text.sentAt)], ["To", text => text.to], ["Text", text => text.text]], texts));
  },
  async () => show("queues", [await read("/local/queues.json")], () => "queues", queues => {
    const count = queue => `${queue.waiting ?? "?"} waiting` + (queue.inWork ? `, ${queue.inWork} in work` : "");
    const isBad = queue => queue.name.includes("DeadLetter") && queue.waiting > 0;
    return make("div", { className: "queues" }, ...queues.map(queue =>
      make("span", { className: isBad(queue) ? "bad" : "" }, make("b", {}, queue.name), ` ${count(queue)}`)));
  }),
];

async function refresh() {
  let down = false;
  for (const part of parts) await part().catch(() => { down = true; });
  place("down").hidden = !down;
}

// /local#<order> is an order; #<sentAt> <to> is an email.
async function openLinked() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (!id) return;
  if (!place(id)) { newestOrders = ""; await refresh(); }
  const linked = place(id);
  if (linked instanceof HTMLDetailsElement) { linked.open = true; linked.scrollIntoView(); }
}

// One tenth of the time at most, and never for a page that nobody sees: the emulator has other things to do.
async function keepFresh() {
  const begun = performance.now();
  if (!document.hidden) await refresh();
  setTimeout(keepFresh, Math.max(2000, 10 * (performance.now() - begun)));
}

addEventListener("hashchange", openLinked);
read("/local/previews.json").then(previews => show("previews", previews, mail => mail.name, preview));
keepFresh().then(openLinked);
