"use strict";

// Names and metadata are text of strangers: they become text nodes.
function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children.filter(child => child != null));
  return element;
}

const place = id => document.getElementById(id);
const none = text => make("p", { className: "none" }, text);
const digits = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const when = milliseconds =>
  new Date(milliseconds).toLocaleString("en-GB", { day: "numeric", month: "short", ...digits });
const clock = milliseconds => new Date(milliseconds).toLocaleTimeString("en-GB", digits);
const money = (minor, currency) =>
  `${minor < 0 ? "−" : ""}${(Math.abs(minor) / 100).toFixed(2)} ${(currency ?? "").toUpperCase()}`;
const json = value => JSON.stringify(value, null, 2);
const badge = word => make("span", { className: `status ${word}` }, word.replaceAll("_", " "));
const say = (text, isBad) => {
  place("said").className = isBad ? "bad" : "";
  place("said").textContent = text;
};

async function ask(method, path, body) {
  const options = body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(path, { method, ...options });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.detail ?? `${path} answered ${answer.status}`);
  return said;
}

// ── What can be chosen ─────────────────────────────

const MANNERS = {
  "twice": "twice at once",
  "other-id": "twice, with two ids",
  "twice-after-refund": "again after the refund",
  "late": "late",
  "out-of-order": "after the refund alone",
  "never": "never",
  "wrong-signature": "wrong signature",
  "old": "ten minutes old",
  "rolled": "rolled secret",
  "other-shop": "of another shop",
  "livemode": "of real money",
  "unknown-type": "unknown type",
  "cent-less": "one cent less",
  "cent-more": "one cent more",
  "other-currency": "other currency",
  "api-2019": "version of 2019",
  "api-2030": "version of 2030",
};

// A Map, since an object has names like numbers first.
const FAULTS = new Map([
  ["answer-lost", "answer lost"],
  ["slow", "answers late"],
  ["500", "500, again is fine"],
  ["500-kept", "500, kept for its key"],
  ["429", "429"],
  ["409", "409, key in use"],
  ["connection-refused", "connection refused"],
  ["refund-pending", "refund stays pending"],
]);

const CALLS = [
  "POST /v1/checkout/sessions",
  "GET /v1/checkout/sessions/{id}",
  "POST /v1/checkout/sessions/{id}/expire",
  "POST /v1/payment_intents",
  "POST /v1/payment_intents/{id}/cancel",
  "POST /v1/refunds",
  "GET /v1/refunds",
  "GET /v1/events",
];

const TYPES = [
  "checkout.session.completed",
  "checkout.session.expired",
  "checkout.session.async_payment_succeeded",
  "checkout.session.async_payment_failed",
  "payment_intent.succeeded",
  "payment_intent.payment_failed",
  "payment_intent.canceled",
  "refund.created",
  "refund.updated",
  "refund.failed",
  "charge.dispute.created",
  "charge.dispute.funds_withdrawn",
  "charge.dispute.funds_reinstated",
  "charge.dispute.closed",
];

const field = (label, input, kind = "") =>
  make("label", { className: `field ${kind}` }, make("span", {}, label), input);

function choice(label, options, kind) {
  const select = make("select", {}, ...options.map(([value, text]) => make("option", { value }, text)));
  return [field(label, select, kind), select];
}

// Checkboxes for the manners of delivering; `read` gives what a request has of them.
function manners(legend) {
  const boxes = Object.entries(MANNERS).map(([value, text]) => [make("input", { type: "checkbox", value }), text]);
  const seconds = make("input", { type: "number", min: 0, step: 1, placeholder: "5 or 600" });
  const element = make(
    "fieldset",
    {},
    make("legend", {}, legend),
    make("div", { className: "choices" }, ...boxes.map(([box, text]) => make("label", {}, box, text))),
    make("div", { className: "row" }, field("Seconds late or old", seconds)),
  );
  const read = () => {
    const deliver = boxes.filter(([box]) => box.checked).map(([box]) => box.value);
    return { deliver, ...(seconds.value && { seconds: Number(seconds.value) }) };
  };
  return { element, read };
}

function button(text, act, properties = {}) {
  const element = make("button", { type: "button", ...properties }, text);
  element.addEventListener("click", async () => {
    element.disabled = true;
    try {
      await act();
    } catch (error) {
      say(error.message, true);
    }
    element.disabled = false;
  });
  return element;
}

const minor = input => (input.value ? { amount: Math.round(Number(input.value) * 100) } : {});

// ── The page to pay on ─────────────────────────────

async function till() {
  const id = location.pathname.split("/").pop(),
    path = `/local/stripe/sessions/${encodeURIComponent(id)}`;
  const how = manners("How the shop is told: once, unless");
  let state;

  const act = (what, told, after) => async () => {
    await ask("POST", path, { do: what, ...how.read() });
    say(told);
    if (after) {
      location.assign(after);
      return;
    }
    await show(true);
  };

  function ways(session) {
    const pay = `Pay ${money(session.amount_total, session.currency)}`;
    const back = text =>
      session.cancel_url ? make("a", { className: "button", href: session.cancel_url }, text) : null;
    const home = make("a", { className: "button", href: session.back_to }, "To the shop");
    switch (session.state) {
      case "open":
        return [
          button(pay, act("pay", "Paid. Back to the shop …", session.back_to), { className: "good" }),
          make(
            "div",
            { className: "pair" },
            button("Decline", act("decline", "The card was declined. Another try may do.")),
            button("Pay by debit (later)", act("pay-later", "The debit is ordered. Its money comes or fails below.")),
          ),
          make(
            "div",
            { className: "pair" },
            back("Back") ?? make("span"),
            button("Expire now", act("expire", "The session is over.")),
          ),
        ];
      case "processing":
        return [
          make(
            "div",
            { className: "pair" },
            button("Money came", act("arrive", "The money came."), { className: "good" }),
            button("Money failed", act("fail", "The debit failed.")),
          ),
          home,
        ];
      case "paid":
        return [home];
      default:
        return [back("Back to the shop") ?? home];
    }
  }

  const words = {
    open: "Waits to be paid.",
    processing: "A debit is under way.",
    paid: "Paid.",
    failed: "The debit failed.",
    expired: "This session is over, and can no longer be paid.",
  };

  async function show(isFocused) {
    const session = await ask("GET", path);
    if (session.state === state) return;
    state = session.state;
    const line = one =>
      make(
        "tr",
        {},
        make("td", {}, one.quantity > 1 ? `${one.quantity} × ${one.name}` : one.name),
        make("td", { className: "number" }, money(one.amount, session.currency)),
      );
    const heads = make(
      "thead",
      {},
      make("tr", {}, make("th", {}, "For"), make("th", { className: "number" }, "Amount")),
    );
    const heading = make("p", { className: "sum", tabIndex: -1 }, money(session.amount_total, session.currency));
    place("till").replaceChildren(
      heading,
      make(
        "p",
        {},
        badge(state),
        ` ${words[state]} `,
        state === "open" ? `Until ${when(session.expires_at * 1000)}.` : "",
      ),
      make("table", {}, heads, make("tbody", {}, ...session.line_items.map(line))),
      make("div", { className: "buttons" }, ...ways(session)),
      ["open", "processing"].includes(state)
        ? make("details", {}, make("summary", {}, "How the shop is told"), how.element)
        : "",
    );
    // What was pressed is gone.
    if (isFocused) heading.focus();
  }

  await show();
  setInterval(() => {
    if (!document.hidden) show().catch(error => say(error.message, true));
  }, 2000);
}

// ── Payments, with a Dashboard in small ────────────────────────

function statusOf({ session, charge, refunds, disputes, intent }) {
  const dispute = disputes[0];
  if (dispute && dispute.status !== "won") return dispute.status === "lost" ? "lost" : "disputed";
  if (charge?.refunded) return "refunded";
  if (refunds.some(refund => refund.status !== "failed")) return "partly refunded";
  if (session)
    return session.status === "complete"
      ? session.payment_status === "paid"
        ? "paid"
        : (charge?.status ?? "unpaid")
      : session.status;
  return intent.status;
}

function dashboard({ session, intent, charge, refunds, disputes }) {
  const subject = session ? `/local/stripe/sessions/${session.id}` : `/local/stripe/intents/${intent.id}`;
  const does = (path, act, told) => async () => {
    await ask("POST", path, act());
    say(told);
    await refresh();
  };
  const amount = make("input", { type: "number", min: 0.01, step: 0.01, placeholder: "all of it" });
  const rows = [];
  if (session?.status === "open")
    rows.push(make("a", { className: "button", href: `/local/stripe/pay/${session.id}` }, "To the page to pay on"));
  if (!session && intent.status === "requires_payment_method") {
    for (const [what, text] of [
      ["pay", "Pay"],
      ["decline", "Decline"],
      ["pay-later", "Pay by debit (later)"],
    ]) {
      rows.push(
        button(
          text,
          does(subject, () => ({ do: what }), `${text}: done.`),
        ),
      );
    }
  }
  if (intent?.status === "processing") {
    rows.push(
      button(
        "Money came",
        does(subject, () => ({ do: "arrive" }), "The money came."),
      ),
    );
    rows.push(
      button(
        "Money failed",
        does(subject, () => ({ do: "fail" }), "The debit failed."),
      ),
    );
  }
  if (charge?.status === "succeeded") {
    rows.push(field(`Amount, ${charge.currency.toUpperCase()}`, amount));
    if (!charge.refunded)
      rows.push(
        button(
          "Refund",
          does(subject, () => ({ do: "refund", ...minor(amount) }), "Refunded."),
        ),
      );
    if (!disputes.length)
      rows.push(
        button(
          "Open a dispute",
          does(subject, () => ({ do: "dispute", ...minor(amount) }), "Disputed."),
        ),
      );
  }
  for (const dispute of disputes.filter(one => one.status === "needs_response")) {
    rows.push(
      button(
        "Dispute won",
        does(`/local/stripe/disputes/${dispute.id}`, () => ({ do: "win" }), "The dispute was won."),
      ),
    );
    rows.push(
      button(
        "Dispute lost",
        does(`/local/stripe/disputes/${dispute.id}`, () => ({ do: "lose" }), "The dispute was lost."),
      ),
    );
  }
  for (const refund of refunds.filter(one => one.status !== "failed")) {
    const path = `/local/stripe/refunds/${refund.id}`,
      text = money(refund.amount, refund.currency);
    if (refund.status === "pending")
      rows.push(
        button(
          `Refund of ${text} succeeds`,
          does(path, () => ({ do: "succeed" }), "The refund succeeded."),
        ),
      );
    rows.push(
      button(
        `Refund of ${text} fails`,
        does(path, () => ({ do: "fail" }), "The refund failed."),
      ),
    );
  }
  return rows.length ? make("div", { className: "row" }, ...rows) : none("Nothing can be done about it any more.");
}

function payment(one) {
  const { session, intent, charge, refunds, disputes } = one,
    about = session ?? intent;
  const amount = money(session?.amount_total ?? intent.amount, about.currency);
  const shop = about.metadata.order_id ?? about.metadata.payment_id ?? about.client_reference_id ?? about.id;
  const status = statusOf(one);
  const summary = [
    make("span", {}, when(about.created * 1000)),
    make("span", {}, make("b", {}, amount), " ", make("span", { className: "id" }, shop)),
    badge(status),
  ];
  const rows = [
    ...refunds.map(refund => ["Refund", refund, refund.reason ?? "in the Dashboard"]),
    ...disputes.map(dispute => ["Dispute", dispute, dispute.reason]),
  ].map(([what, object, why]) =>
    make(
      "tr",
      {},
      make("td", {}, what),
      make("td", {}, badge(object.status)),
      make("td", { className: "wide-only" }, why),
      make("td", { className: "number" }, money(-object.amount, object.currency)),
    ),
  );
  return item(summary, () => [
    make("h3", {}, "Dashboard"),
    dashboard(one),
    rows.length ? headed([["What"], ["Status"], ["Why", "wide-only"], ["Amount", "number"]], rows) : "",
    make(
      "details",
      {},
      make("summary", {}, "as the API shows it"),
      ...[session, intent, charge, ...refunds, ...disputes]
        .filter(object => object)
        .map(object => make("pre", {}, json(object))),
    ),
  ]);
}

// ── Events ─────────────────────────────────

function attempt(one) {
  const status = one.status
    ? make("b", { className: one.status < 300 ? "delivered" : "bad" }, one.status)
    : make("b", { className: "bad" }, "no answer");
  return make(
    "tr",
    {},
    make("td", { className: "short" }, clock(one.at)),
    make("td", { className: "short" }, status),
    make("td", { className: "short wide-only" }, `${one.took} ms`),
    make("td", { className: "id" }, one.answer),
  );
}

const headed = (heads, rows) =>
  make(
    "table",
    {},
    make(
      "thead",
      {},
      make("tr", {}, ...heads.map(([text, kind]) => make("th", { className: kind ?? "", scope: "col" }, text))),
    ),
    make("tbody", {}, ...rows),
  );
const attempts = tries => headed([["Sent"], ["Answer"], ["Took", "wide-only"], ["It said"]], tries.map(attempt));

function event({ event, deliveries }) {
  const states = deliveries.length
    ? deliveries.map(one => badge(one.state))
    : [make("span", { className: "soft" }, "not subscribed")];
  const summary = [
    make("span", {}, when(event.created * 1000)),
    make("b", {}, event.type),
    make("span", { className: "states" }, ...states),
  ];
  return item(summary, () => {
    const how = manners("Once, unless");
    const again = async () => {
      await ask("POST", `/local/stripe/events/${event.id}`, { do: "deliver", ...how.read() });
      say(`${event.type} is on its way.`);
      await refresh();
    };
    const { about, ...shown } = event;
    return [
      ...deliveries.flatMap(one => [
        make(
          "h3",
          {},
          badge(one.state),
          one.deliver.length ? ` ${one.deliver.map(how => MANNERS[how] ?? how).join(", ")}` : "",
        ),
        one.tries.length ? attempts(one.tries) : none("Not sent yet."),
      ]),
      make("details", {}, make("summary", {}, "Deliver it again"), how.element, button("Deliver", again)),
      make("details", {}, make("summary", {}, "as it is sent"), make("pre", {}, json(shown))),
    ];
  });
}

// ── What goes wrong next ─────────────────────────────

function next() {
  const of = () => make("input", { placeholder: "any: payment, order, session …" });
  const named = input => (input.value.trim() ? { of: input.value.trim() } : {});
  const [faultField, fault] = choice("In the next call", [...FAULTS]);
  const [callField, call] = choice("Which call", [["", "any"], ...CALLS.map(name => [name, name])], "wide");
  const faultOf = of(),
    switchOf = of(),
    how = manners("The next event comes");
  const [typeField, type] = choice(
    "Which event",
    [["", "any that is delivered"], ...TYPES.map(name => [name, name])],
    "wide",
  );
  const arm = (path, body) => async () => {
    await ask("POST", path, body());
    say("Armed.");
    await refresh();
  };
  const armFault = arm("/local/stripe/next-call", () => ({
    fault: fault.value,
    ...named(faultOf),
    ...(call.value && { call: call.value }),
  }));
  const armSwitch = arm("/local/stripe/next-delivery", () => ({
    ...how.read(),
    ...named(switchOf),
    ...(type.value && { type: type.value }),
  }));
  return [
    make("div", { className: "row" }, faultField, callField, field("Of", faultOf, "wide"), button("Arm", armFault)),
    how.element,
    make("div", { className: "row" }, typeField, field("Of", switchOf, "wide"), button("Arm", armSwitch)),
  ];
}

function armed({ faults, switches }) {
  const of = one => (one.of ? ` of ${one.of}` : "");
  const manner = one => one.deliver.map(how => MANNERS[how] ?? how).join(", ");
  const texts = [
    ...faults.map(one => `${FAULTS.get(one.fault)}${one.call ? ` in ${one.call}` : ""}${of(one)}`),
    ...switches.map(one => `${one.type ?? "an event"} ${manner(one)}${of(one)}`),
  ];
  if (!texts.length) return [none("Nothing is armed.")];
  const disarm = async () => {
    await ask("DELETE", "/local/stripe/next-call");
    say("Nothing goes wrong any more.");
    await refresh();
  };
  return [make("ul", {}, ...texts.map(text => make("li", {}, text))), button("Disarm all", disarm)];
}

// ── All of it ────────────────────────────────

// A line that opens; what is inside is made when it is opened for the first time.
function item(summary, inside) {
  const details = make("details", { className: "item" }, make("summary", {}, ...summary));
  details.addEventListener("toggle", () => {
    if (!details.open || details.children.length > 1) return;
    details.append(make("div", { className: "body" }, ...inside()));
  });
  return details;
}

const shown = {};

// Makes only what is new or changed. What was open is open again, and who was inside is at its line.
function show(id, values, key, element) {
  const before = shown[id] ?? new Map(),
    now = new Map();
  for (const value of values) {
    const text = JSON.stringify(value),
      old = before.get(key(value));
    if (old?.text === text) {
      now.set(key(value), old);
      continue;
    }
    const made = element(value);
    made.id = key(value);
    made.open = old?.element.open ?? false;
    now.set(key(value), { text, element: made, hadFocus: old?.element.contains(document.activeElement) });
  }
  shown[id] = now;
  const elements = [...now.values()].map(one => one.element),
    there = [...place(id).children];
  if (elements.length === there.length && elements.every((one, at) => one === there[at]) && there.length) return;
  place(id).replaceChildren(...(elements.length ? elements : [none("Nothing yet.")]));
  for (const one of now.values()) {
    if (one.hadFocus) one.element.querySelector("summary")?.focus();
    one.hadFocus = false;
  }
}

let armedBefore;

async function refresh() {
  const books = await ask("GET", "/local/stripe.json?limit=50");
  const [intents, charges] = [books.payment_intents, books.charges].map(
    list => new Map(list.map(one => [one.id, one])),
  );
  const of = (session, intent) => ({
    session,
    intent,
    charge: charges.get(intent?.latest_charge),
    refunds: books.refunds.filter(one => one.payment_intent === intent?.id),
    disputes: books.disputes.filter(one => one.payment_intent === intent?.id),
  });
  const sessions = books.sessions.map(session => of(session, intents.get(session.payment_intent)));
  const known = new Set(sessions.map(one => one.intent?.id));
  const own = books.payment_intents.filter(one => !known.has(one.id)).map(intent => of(null, intent));
  const created = one => (one.session ?? one.intent).created;
  const payments = [...sessions, ...own].sort((one, other) => created(other) - created(one)).slice(0, 50);
  show("payments", payments, one => (one.session ?? one.intent).id, payment);
  const events = books.events.map(event => ({
    event,
    deliveries: books.deliveries.filter(one => one.event === event.id),
  }));
  show("events", events, one => one.event.id, event);
  for (const name of ["api", "key", "webhook"])
    place(name).textContent = name === "api" ? books.api.url : books.api[name];
  const balance = Object.entries(books.balance).map(([currency, amount]) => money(amount, currency));
  place("balance").textContent = balance.join(", ") || "nothing";
  const text = json([books.faults, books.switches]);
  if (text !== armedBefore) place("armed").replaceChildren(...armed(books));
  armedBefore = text;
}

// One tenth of the time at most, and never for a page that nobody sees.
async function keepFresh() {
  const begun = performance.now();
  if (!document.hidden) await refresh().catch(error => say(error.message, true));
  setTimeout(keepFresh, Math.max(2000, 10 * (performance.now() - begun)));
}

// /local/stripe#<id> is a payment or an event.
function openLinked() {
  const linked = place(decodeURIComponent(location.hash.slice(1)));
  if (linked instanceof HTMLDetailsElement) {
    linked.open = true;
    linked.scrollIntoView();
  }
}

if (place("till")) {
  till().catch(error => say(error.message, true));
} else {
  place("next").append(...next());
  addEventListener("hashchange", openLinked);
  keepFresh().then(openLinked);
}
