// The account: profile, addresses, sign-in and second factor, what one is told, and what is kept of one.

import { $, busyWhile, fill, icon } from "../common/dom.js";
import { get, request, send } from "../common/api.js";
import { authenticatorCode, field, form } from "../common/form.js";
import { withFreshSignIn } from "../common/fresh.js";
import { dateTime, list } from "../common/format.js";
import { go, link, reload } from "../common/router.js";
import { forget, isSignedIn, person, take } from "../common/session.js";
import { ask, badge, explain, notice, toast } from "../common/ui.js";
import { choose as chooseLanguage, language, LANGUAGES, t } from "../common/words.js";
import { addressFields, addressGrid, addressLines, addressOf } from "./address.js";
import { leave } from "./leave.js";
import { page, signInFirst } from "./parts.js";
import { codeField, newPassword } from "./sign.js";

const PARTS = { profile, addresses, security, notifications, data };

export default async function account({ params, signal, path }) {
  if (!isSignedIn()) return signInFirst(path);
  const name = PARTS[params.part] ? params.part : "profile";
  const place = $("div.stack");
  const title = t(`account.${name}`);
  fill(place, await PARTS[name](signal));
  return {
    title,
    element: page(
      title,
      $(
        "div.account",
        $(
          "nav.side-nav",
          { "aria-label": t("account.title") },
          $(
            "ul",
            Object.keys(PARTS).map(part =>
              $(
                "li",
                $(
                  "a",
                  { href: link(`/account/${part}`), "aria-current": part === name ? "page" : null },
                  t(`account.${part}`),
                ),
              ),
            ),
            $("li", $("a", { href: link("/orders") }, t("orders.title"))),
            $("li", $("a", { href: link("/sell") }, t("sell.title"))),
            $("li", $("button.link", { type: "button", onclick: leave }, t("sign.out"))),
          ),
        ),
        place,
      ),
    ),
  };
}

const read = async signal => request("GET", "/users/me", { signal });
const failed = problem => toast(explain(problem), { kind: "bad" });
const action = (kind, words, task) =>
  $(
    `button.${kind}`,
    { type: "button", onclick: event => busyWhile(event.currentTarget, () => task().catch(failed)) },
    words,
  );

async function profile(signal) {
  const { body: me, etag } = await read(signal);
  const fields = [
    field({
      name: "fullName",
      label: t("sign.fullName"),
      autocomplete: "name",
      required: true,
      maxLength: 100,
      value: me.fullName,
    }),
    field({
      name: "phone",
      kind: "tel",
      label: t("address.phone"),
      autocomplete: "tel",
      maxLength: 40,
      value: me.phone,
    }),
    field({
      name: "locale",
      kind: "select",
      label: t("account.language"),
      hint: t("account.languageHint"),
      optional: false,
      value: (me.locale ?? language()).slice(0, 2),
      options: LANGUAGES,
    }),
  ];
  const email = form({
    fields: [
      field({
        name: "email",
        kind: "email",
        label: t("account.newEmail"),
        autocomplete: "email",
        required: true,
        maxLength: 254,
      }),
    ],
    yes: t("sign.mailCode"),
    onsubmit: async values => {
      const answer = await withFreshSignIn(() => send("POST", "/users/me/email", values, { access: true, tries: 1 }));
      if (!answer) return;
      const code = form({
        fields: [codeField()],
        yes: t("sign.confirm"),
        onsubmit: async given => {
          await send("POST", "/users/me/email/confirm", given, { access: true });
          toast(t("form.saved"));
          reload();
        },
      });
      fill(place, notice("info", $("p", t("account.emailMailed", { email: values.email }))), code);
    },
  });
  const place = $("div.stack", email);
  return [
    $(
      "section.card",
      $("dl.facts", $("dt", t("sign.email")), $("dd", me.email), $("dt", t("sign.username")), $("dd", me.username)),
      form({
        fields,
        yes: t("button.save"),
        onsubmit: async values => {
          await send(
            "PUT",
            "/users/me",
            { fullName: values.fullName, phone: values.phone || null, locale: values.locale },
            { ifMatch: etag },
          );
          toast(t("form.saved"));
          if (values.locale !== language()) return chooseLanguage(values.locale);
          return reload();
        },
      }),
    ),
    $("section.card", $("details", $("summary", t("account.changeEmail")), place)),
  ];
}

async function addresses(signal) {
  const { body: me, etag } = await read(signal);
  const save = async all => {
    await send("PUT", "/users/me", { addresses: all.length ? all : null }, { ifMatch: etag });
    toast(t("form.saved"));
    reload();
  };
  const place = $("div.stack");
  const edit = at => {
    const fields = addressFields(me.addresses[at] ?? { name: me.fullName }, `addresses.${at}.`);
    const first = field({
      name: "isDefault",
      kind: "checkbox",
      label: t("account.default"),
      value: me.addresses[at]?.isDefault ?? !me.addresses.length,
    });
    const element = form({
      fields: [...fields, first],
      yes: t("button.save"),
      no: [t("button.cancel"), show],
      layout: () => [addressGrid(fields), first.element],
      onsubmit: values => {
        const one = { ...addressOf(values.addresses[at]), ...(values.isDefault && { isDefault: true }) };
        const others = me.addresses.map(each => ({ ...each, isDefault: values.isDefault ? false : each.isDefault }));
        return save(at < others.length ? others.with(at, one) : [...others, one]);
      },
    });
    fill(
      place,
      $("section.card", $("h2", t(me.addresses[at] ? "account.editAddress" : "account.newAddress")), element),
    );
    fields[0].input.focus();
  };
  function show() {
    fill(
      place,
      $(
        "div.grid-2",
        me.addresses.map((one, at) =>
          $(
            "section.card",
            one.isDefault && badge("info", t("account.isDefault")),
            addressLines(one),
            $(
              "div.row",
              $(
                "button.link",
                { type: "button", "aria-label": `${t("button.edit")}: ${one.line1}`, onclick: () => edit(at) },
                t("button.edit"),
              ),
              $(
                "button.link.bad",
                {
                  type: "button",
                  "aria-label": `${t("button.delete")}: ${one.line1}`,
                  onclick: async () => {
                    if (
                      await ask({
                        title: t("account.deleteAddress"),
                        text: list([one.name, one.line1, one.city]),
                        yes: t("button.delete"),
                        danger: true,
                      })
                    ) {
                      await save(me.addresses.toSpliced(at, 1)).catch(failed);
                    }
                  },
                },
                t("button.delete"),
              ),
            ),
          ),
        ),
      ),
      !me.addresses.length && $("p.soft", t("account.noAddresses")),
      $(
        "div",
        $(
          "button.secondary",
          { type: "button", onclick: () => edit(me.addresses.length) },
          icon("plus"),
          t("account.newAddress"),
        ),
      ),
    );
  }
  show();
  return place;
}

async function security() {
  const password = form({
    fields: [
      field({
        name: "previousPassword",
        kind: "password",
        label: t("account.oldPassword"),
        autocomplete: "current-password",
        required: true,
      }),
      newPassword("proposedPassword"),
    ],
    yes: t("account.changePassword"),
    layout: all => [
      // By which a browser knows whose password it keeps.
      $("input.visually-hidden", {
        type: "email",
        autocomplete: "username",
        value: person()?.email,
        tabindex: -1,
        "aria-hidden": "true",
      }),
      all.map(one => one.element),
    ],
    onsubmit: async values => {
      const answer = await send("POST", "/change-password", values, { access: true });
      if (answer.tokens) take(answer.tokens);
      else {
        forget();
        go("/sign-in");
      }
      toast(t("account.passwordChanged"));
      password.reset();
    },
  });
  const place = $(
    "div.stack",
    $("p.soft", t("account.secondText")),
    $("div.row", action("secondary", t("account.secondOn"), begin), action("secondary", t("account.secondOff"), end)),
  );
  async function begin() {
    const key = await withFreshSignIn(() => send("POST", "/users/me/totp", undefined, { access: true }));
    if (!key) return;
    const code = authenticatorCode(8);
    fill(
      place,
      $(
        "ol.stack",
        $("li", t("account.secondStep1"), $("p.code.secret", key.secret.match(/.{1,4}/g).join(" "))),
        $("li", t("account.secondStep2")),
      ),
      form({
        fields: [code],
        yes: t("account.secondOn"),
        onsubmit: async values => {
          await withFreshSignIn(() => send("PUT", "/users/me/totp", values, { access: true }));
          fill(place, notice("good", $("p", t("account.secondIsOn"))));
        },
      }),
    );
    code.input.focus();
  }
  async function end() {
    if (
      !(await ask({
        title: t("account.secondOffTitle"),
        text: t("account.secondOffText"),
        yes: t("account.secondOff"),
        danger: true,
      }))
    )
      return;
    await withFreshSignIn(() => send("DELETE", "/users/me/totp", undefined, { access: true }));
    toast(t("account.secondIsOff"));
  }
  return [
    $("section.card", $("h2", t("account.changePassword")), password),
    $("section.card", $("h2", t("sign.second")), place),
  ];
}

async function notifications(signal) {
  const { preferences, always } = await get("/users/me/preferences", { signal });
  const change = (kind, way) => async event => {
    const box = event.currentTarget,
      isOn = box.checked;
    try {
      await send("PUT", "/users/me/preferences", { [kind]: { [way]: isOn } });
      toast(t("form.saved"));
    } catch (problem) {
      box.checked = !isOn;
      failed(problem);
    }
  };
  const isFixed = (kind, way) => kind === "orders" && way === "email";
  return $(
    "section.card",
    $("p.soft", t("account.notifyText")),
    Object.entries(preferences).map(([kind, ways]) =>
      $(
        "fieldset.group.notify",
        $("legend", t(`notify.${kind}`)),
        $("p.small.soft", t(`notify.${kind}Text`)),
        $(
          "div.row",
          Object.entries(ways).map(([way, isOn]) =>
            $(
              "label.choice",
              $("input", {
                type: "checkbox",
                checked: isOn,
                disabled: isFixed(kind, way),
                onchange: change(kind, way),
              }),
              $("span", t(`notify.by.${way}`)),
            ),
          ),
        ),
      ),
    ),
    always.length > 0 &&
      $(
        "details",
        $("summary", t("account.always")),
        $(
          "ul",
          always.map(one => $("li", $("b", one.what), ": ", one.why)),
        ),
      ),
  );
}

async function data() {
  const place = $("div.stack");
  const exporting = action("secondary", t("account.export"), async () => {
    const answer = await withFreshSignIn(() => get("/users/me/export"));
    if (!answer) return;
    if (answer.status === "complete") return save(answer.data);
    if (answer.status === "ready") {
      return void fill(
        place,
        notice(
          "good",
          $("p", $("a", { href: answer.downloadUrl, download: true }, t("account.download"))),
          $("p.small", t("account.until", { time: dateTime(answer.availableUntil) })),
        ),
      );
    }
    return void fill(place, notice("info", $("p", answer.msg ?? t("account.building"))));
  });
  const deleting = action("danger", t("account.delete"), async () => {
    const word = field({
      name: "word",
      label: t("account.deleteWord", { word: t("account.deleteTheWord") }),
      required: true,
      autocomplete: "off",
      check: value =>
        value.toLowerCase() === t("account.deleteTheWord")
          ? null
          : t("account.deleteWord", { word: t("account.deleteTheWord") }),
    });
    if (
      !(await ask({
        title: t("account.deleteTitle"),
        text: t("account.deleteText"),
        yes: t("account.delete"),
        danger: true,
        fields: [word],
      }))
    )
      return;
    const answer = await withFreshSignIn(() => send("DELETE", "/users/me"));
    if (!answer) return;
    forget();
    toast(t("account.deleted"), { seconds: 15 });
    go("/");
  });
  return [
    $("section.card", $("h2", t("account.export")), $("p.soft", t("account.exportText")), place, $("div", exporting)),
    $("section.card", $("h2", t("account.delete")), $("p.soft", t("account.deleteText")), $("div", deleting)),
  ];
}

function save(data) {
  const url = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: "application/json" }));
  const anchor = $("a", { href: url, download: "export.json" });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
