// Addresses that are told what happens, and what each was told.

import { $ } from "../common/dom.js";
import { get } from "../common/api.js";
import { field, group } from "../common/form.js";
import { number } from "../common/format.js";
import { badge, notice, section, table, toast } from "../common/ui.js";
import { go } from "../common/router.js";
import { t } from "../common/words.js";
import { a, act, asking, change, done, facts, filter, head, pager, saving, state, when } from "./kit.js";

// As the contract names them, by what they are about.
const TYPES = {
  order: [
    "placed",
    "paid",
    "shipped",
    "delivered",
    "parcel-sent",
    "parcel-refused",
    "cancelled",
    "claimed",
    "refunded",
    "refund-failed",
  ],
  product: ["listed", "submitted", "approved", "rejected", "cleared", "deleted", "ran-low", "restocked", "rated"],
  review: ["posted", "edited", "removed", "hidden", "shown", "answered"],
  store: ["opened", "published", "deactivated"],
  user: ["signed-up", "signed-in", "password-changed", "profile-changed", "role-changed"],
};
const STATUSES = ["pending", "delivered", "failed", "stopped"];

const standing = webhook =>
  webhook.isActive
    ? badge("good", t("admin.on"))
    : badge(webhook.offBecause === "by_admin" ? "" : "bad", t(`admin.webhook.${webhook.offBecause ?? "by_admin"}`));

export async function webhooks({ signal }) {
  const { webhooks } = await get("/webhooks", { signal });
  return {
    title: t("admin.webhooks"),
    element: $(
      "div",
      head(t("admin.webhooks"), $("a.primary", { href: "#/webhooks/new" }, t("admin.newWebhook"))),
      $("p.lead", t("admin.webhooks.lead")),
      table({
        caption: t("admin.webhooks"),
        rows: webhooks,
        empty: t("admin.noWebhooks"),
        columns: [
          { title: t("admin.url"), value: webhook => a(`/webhooks/${webhook.id}`, webhook.url) },
          { title: t("admin.status"), value: standing },
          { title: t("admin.about"), value: webhook => t("admin.kinds", { n: webhook.types.length }) },
          { title: t("admin.description"), value: webhook => webhook.description ?? "–" },
        ],
      }),
    ),
  };
}

// A secret is shown once: the question is closed by whoever has kept it.
function reveal(title, secret) {
  return new Promise(kept => {
    const copy = act(t("admin.copy"), async () => {
      await navigator.clipboard.writeText(secret);
      toast(t("admin.copied"));
    });
    const dialog = $(
      "dialog.dialog",
      {
        "aria-label": title,
        onclose: () => {
          dialog.remove();
          kept();
        },
      },
      $(
        "div.stack",
        $("h2", title),
        $("p", t("admin.secret.once")),
        $("code.secret", secret),
        $(
          "div.buttons",
          copy,
          $("button.primary", { type: "button", onclick: () => dialog.close() }, t("admin.secret.kept")),
        ),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

function editing(webhook, yes, send) {
  const chosen = new Set(webhook.types);
  const fields = [
    field({
      name: "url",
      label: t("admin.url"),
      kind: "url",
      required: true,
      value: webhook.url,
      maxLength: 500,
      hint: t("admin.url.hint"),
      placeholder: "https://",
    }),
    field({ name: "description", label: t("admin.description"), value: webhook.description, maxLength: 200 }),
    field({ name: "isActive", label: t("admin.webhook.isActive"), kind: "checkbox", value: webhook.isActive ?? true }),
  ];
  const boxes = Object.entries(TYPES).map(([about, kinds]) => [
    about,
    kinds.map(kind => {
      const type = `${about}.${kind}`;
      return [type, field({ label: kind, kind: "checkbox", value: chosen.has(type) })];
    }),
  ]);
  // What the API says of the types stands below all of them.
  const types = {
    name: "types",
    input: boxes[0][1][0][1].input,
    element: $("p.field-error", { role: "alert" }),
    value: () => undefined,
    check() {
      this.element.textContent = "";
      return true;
    },
    fail(text) {
      this.element.textContent = text;
    },
    clear() {},
  };
  const groups = boxes.map(([about, kinds]) =>
    $(
      "details",
      { open: kinds.some(([type]) => chosen.has(type)) },
      $("summary", t(`admin.about.${about}`), " ", $("span.soft", `(${number(kinds.length)})`)),
      group(
        $("span.visually-hidden", t(`admin.about.${about}`)),
        $("button.link", { type: "button", onclick: () => kinds.forEach(([, box]) => box.set(true)) }, t("admin.all")),
        kinds.map(([, box]) => box),
      ),
    ),
  );
  return saving({
    label: t("admin.webhook"),
    fields: [...fields, types],
    yes,
    layout: () => [
      fields[0].element,
      fields[1].element,
      $("fieldset.group", $("legend", t("admin.about")), $("p.hint", t("admin.about.hint")), groups, types.element),
      fields[2].element,
    ],
    send: ({ url, description, isActive }) =>
      send({
        url,
        description: description || null,
        isActive,
        types: boxes.flatMap(([, kinds]) => kinds.filter(([, box]) => box.value()).map(([type]) => type)),
      }),
  });
}

export async function newWebhook() {
  const form = editing({ types: [] }, t("admin.makeWebhook"), async body => {
    const made = await change("POST", "/webhooks", body);
    await reveal(t("admin.secret"), made.secret);
    await go(`/webhooks/${made.id}`);
    toast(t("admin.makeWebhook.done"));
  });
  return {
    title: t("admin.newWebhook"),
    element: $("div.narrow", $("p.back", a("/webhooks", t("admin.webhooks"))), head(t("admin.newWebhook")), form),
  };
}

const outcome = delivery => {
  const last = delivery.lastAttempt;
  return last
    ? $(
        "span",
        last.status ?? t(`admin.fault.${last.fault ?? "not_connected"}`),
        $("span.beside", t("admin.took", { ms: number(last.tookMillis) }), last.answer && ` ${last.answer}`),
      )
    : "–";
};

export async function webhook({ params, query, signal }) {
  const path = `/webhooks/${encodeURIComponent(params.id)}`,
    here = `/webhooks/${params.id}`,
    asked = { status: query.get("status"), cursor: query.get("cursor") };
  const [webhook, told] = await Promise.all([
      get(path, { signal }),
      get(`${path}/deliveries`, { query: asked, signal }),
    ]),
    ifMatch = webhook.version;
  const test = act(t("admin.test"), async () => {
    const delivery = await change("POST", `${path}/test`);
    toast(
      t(delivery.status === "delivered" ? "admin.test.good" : "admin.test.bad", {
        status: delivery.lastAttempt?.status ?? t(`admin.fault.${delivery.lastAttempt?.fault ?? "not_connected"}`),
      }),
      { kind: delivery.status === "delivered" ? "good" : "bad" },
    );
  });
  const rotate = asking(
    t("admin.rotate"),
    {
      title: t("admin.rotate.title"),
      text: t("admin.rotate.text"),
      yes: t("admin.rotate"),
      fields: [
        field({
          name: "keepOldForHours",
          label: t("admin.rotate.hours"),
          kind: "number",
          required: true,
          value: 24,
          min: 0,
          max: 168,
        }),
      ],
      send: values => change("POST", `${path}/rotate`, values, { ifMatch }),
    },
    async given => {
      await reveal(t("admin.secret"), given.secret);
      await done(t("admin.rotate.done"));
    },
    "secondary",
  );
  const remove = asking(
    t("button.delete"),
    {
      title: t("admin.deleteWebhook.title"),
      text: [webhook.url, t("admin.deleteWebhook.text")],
      yes: t("admin.deleteWebhook"),
      send: () => change("DELETE", path, undefined, { ifMatch }),
    },
    async () => {
      await go("/webhooks");
      toast(t("admin.deleteWebhook.done"));
    },
  );
  const again = delivery =>
    delivery.status !== "pending" &&
    act(
      t("admin.retry"),
      async () => {
        await change("POST", `/webhooks/deliveries/${delivery.id}/retry`);
        await done(t("admin.retry.done"));
      },
      "secondary.compact",
    );
  const status = field({
    name: "status",
    label: t("admin.status"),
    kind: "select",
    value: asked.status,
    optional: false,
    options: [["", t("admin.any")], ...STATUSES.map(status => [status, t(`admin.delivery.${status}`)])],
  });
  return {
    title: webhook.url,
    element: $(
      "div",
      $("p.back", a("/webhooks", t("admin.webhooks"))),
      head(t("admin.webhook"), test, rotate, remove),
      !webhook.isActive &&
        webhook.offBecause !== "by_admin" &&
        notice("bad", t(`admin.webhook.${webhook.offBecause}.why`)),
      facts([
        [t("admin.url"), webhook.url],
        [t("admin.status"), standing(webhook)],
        [t("admin.offSince"), when(webhook.offSince)],
        [t("admin.oldSecretUntil"), when(webhook.oldSecretUntil)],
        [t("admin.made"), when(webhook.createdAt)],
      ]),
      section(
        t("admin.deliveries"),
        filter(here, [status]),
        table({
          caption: t("admin.deliveries"),
          rows: told.deliveries,
          empty: told.nextCursor ? t("admin.emptyPage") : t("admin.noDeliveries"),
          columns: [
            { title: t("admin.event"), value: delivery => $("code", delivery.type) },
            { title: t("admin.status"), value: delivery => state("delivery", delivery.status) },
            { title: t("admin.lastAnswer"), value: outcome },
            { title: t("admin.attempts"), value: delivery => number(delivery.attempts), kind: "number" },
            { title: t("admin.at"), value: delivery => when(delivery.createdAt) },
            { title: t("admin.actions"), kind: "actions", value: again },
          ],
        }),
        pager(here, asked, told.nextCursor),
      ),
      section(
        t("admin.editWebhook"),
        editing(webhook, t("button.save"), async body => {
          await change("PUT", path, body, { ifMatch });
          await done(t("form.saved"));
        }),
      ),
    ),
  };
}
