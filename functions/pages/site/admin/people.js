// The shop's people: who they are to the shop, and whether they are let in.

import { $ } from "../common/dom.js";
import { get } from "../common/api.js";
import { field } from "../common/form.js";
import { badge, notice, section, table } from "../common/ui.js";
import { person as me } from "../common/session.js";
import { t } from "../common/words.js";
import { a, asking, asks, change, done, facts, filter, head, pager, saving, state, when } from "./kit.js";

const ROLES = ["customer", "seller", "admin"];

export async function people({ query, signal }) {
  const asked = { email: query.get("email"), cursor: query.get("cursor") };
  const page = await get("/users", { query: asked, signal });
  const fields = [
    field({
      name: "email",
      label: t("admin.emailBegins"),
      kind: "search",
      value: asked.email,
      optional: false,
      maxLength: 254,
      autocapitalize: "off",
      spellcheck: "false",
    }),
  ];
  return {
    title: t("admin.people"),
    element: $(
      "div",
      head(t("admin.people")),
      filter("/people", fields),
      table({
        caption: t("admin.people"),
        rows: page.users,
        empty: t("admin.nobodyFound"),
        columns: [
          { title: t("admin.name"), value: user => a(`/people/${user.userId}`, user.fullName) },
          { title: t("admin.email"), value: user => user.email },
          { title: t("admin.role"), value: user => state("role", user.role) },
          { title: t("admin.status"), value: user => state("account", user.status) },
          { title: t("admin.joined"), value: user => when(user.createdAt) },
        ],
      }),
      pager("/people", asked, page.nextCursor),
    ),
  };
}

function roles(user) {
  const role = field({
    name: "role",
    label: t("admin.role"),
    kind: "select",
    value: user.role,
    optional: false,
    options: ROLES.map(role => [role, t(`admin.role.${role}`)]),
    hint: t("admin.role.hint"),
  });
  return saving({
    label: t("admin.role"),
    fields: [role],
    yes: t("admin.role.save"),
    send: async ({ role: wanted }) => {
      if (wanted === user.role) return;
      const named = { name: user.fullName, role: t(`admin.role.${wanted}`) };
      const given = await asks({
        title: t("admin.role.title", named),
        text: t(`admin.role.${wanted}.may`),
        yes: t("admin.role.save"),
        danger: wanted === "admin",
        send: () => change("PUT", `/users/${user.userId}/role`, { role: wanted }),
      });
      if (given) await done(t("admin.role.done", named));
      else role.set(user.role);
    },
  });
}

export async function person({ params, signal }) {
  const path = `/users/${encodeURIComponent(params.id)}`,
    user = await get(path, { signal });
  const named = { name: user.fullName },
    isMe = me()?.userId === user.userId;
  const close =
    user.status === "active" &&
    asking(
      t("admin.disable"),
      {
        title: t("admin.disable.title", named),
        text: t("admin.disable.text"),
        yes: t("admin.disable"),
        send: () => change("POST", `${path}/disable`),
      },
      () => done(t("admin.disable.done", named)),
    );
  const open =
    user.status === "disabled" &&
    asking(
      t("admin.enable"),
      {
        title: t("admin.enable.title", named),
        text: t("admin.enable.text"),
        yes: t("admin.enable"),
        danger: false,
        send: () => change("POST", `${path}/enable`),
      },
      () => done(t("admin.enable.done", named)),
    );
  return {
    title: user.fullName,
    element: $(
      "div",
      $("p.back", a("/people", t("admin.people"))),
      head(user.fullName, !isMe && [close, open]),
      isMe && notice("info", t("admin.yourself")),
      user.status === "deleting" && notice("warn", t("admin.isLeaving")),
      facts([
        [t("admin.email"), user.email],
        [t("admin.username"), user.username],
        [t("admin.role"), state("role", user.role)],
        [t("admin.status"), state("account", user.status)],
        [
          t("admin.secondFactor.name"),
          user.hasSecondFactor
            ? badge("good", t("admin.on"))
            : badge(user.role === "admin" ? "warn" : "", t("admin.off")),
        ],
        [t("admin.joined"), when(user.createdAt)],
        [t("admin.lastSignIn"), when(user.lastSignInAt)],
        [t("admin.isPending"), user.isPending && t("admin.isPending.text")],
      ]),
      !isMe && user.status !== "deleting" && section(t("admin.role"), roles(user)),
    ),
  };
}
