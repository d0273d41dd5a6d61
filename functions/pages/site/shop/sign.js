// Ways in: signing in with a password, a second factor or another company's account, opening an account, confirming
// it, and a new password.

import { $, fill } from "../common/dom.js";
import { Problem, send } from "../common/api.js";
import { authenticatorCode, field, form } from "../common/form.js";
import { current, go, link } from "../common/router.js";
import { answerChallenge, beginSocial, isSignedIn, signIn as enter } from "../common/session.js";
import { notice, toast } from "../common/ui.js";
import { has, t } from "../common/words.js";
import { takeAlong } from "./basket.js";
import { settings } from "./settings.js";

// Only a page of this shop.
const target = () => {
  const to = current().query.get("to") ?? "/";
  return /^\/(?!\/)/.test(to) ? to : "/";
};
const withTo = path => {
  const to = current().query.get("to");
  return link(to ? `${path}${path.includes("?") ? "&" : "?"}to=${encodeURIComponent(to)}` : path);
};

const frame = (title, ...children) => ({
  title,
  element: $("div.wrap.view", $("div.tiny.stack.sign", $("h1", title), children)),
});

export async function arrived(to = target()) {
  for (const note of await takeAlong())
    toast(t(has(`merge.${note}`) ? `merge.${note}` : "merge.other"), { kind: "bad" });
  return go(to, { replace: true });
}

const nameField = value =>
  field({
    name: "name",
    label: t("sign.name"),
    autocomplete: "username",
    autocapitalize: "none",
    spellcheck: "false",
    required: true,
    maxLength: 254,
    value,
  });
const passwordField = (name, label, autocomplete, options = {}) =>
  field({ name, kind: "password", label, autocomplete, required: true, maxLength: 256, ...options });
export const newPassword = (name = "password") =>
  passwordField(name, t("sign.newPassword"), "new-password", {
    minLength: 8,
    hint: t("sign.passwordHint"),
    check: value => (/[a-z]/.test(value) && /\d/.test(value) ? null : t("sign.passwordHint")),
  });
export const codeField = (name = "confirmationCode") =>
  field({
    name,
    label: t("sign.emailCode"),
    autocomplete: "one-time-code",
    inputmode: "numeric",
    required: true,
    maxLength: 12,
  });

function social() {
  if (!settings.providers.length) return null;
  return $(
    "div.stack",
    $("p.or", $("span", t("sign.or"))),
    settings.providers.map(provider =>
      $(
        "button.secondary.wide-button",
        { type: "button", onclick: () => beginSocial(provider, "/") },
        t(has(`sign.with.${provider}`) ? `sign.with.${provider}` : "sign.with"),
      ),
    ),
  );
}

// Why somebody came back from a provider without being signed in, until they were told.
let refused = null;
export function refuse(reason) {
  const key = `social.${reason === "sign-in-ended" ? "expired" : reason}`;
  refused = t(has(key) ? key : "social.failed");
}

export function signIn({ query }) {
  // A link that begins with another company's account, as from its own pages.
  const by = query.get("with");
  if (settings.providers.includes(by) && !isSignedIn()) beginSocial(by, "/");
  if (isSignedIn()) {
    go(target(), { replace: true });
    return $("div");
  }
  const place = $("div.stack");
  const element = form({
    fields: [nameField(), passwordField("password", t("sign.password"), "current-password")],
    yes: t("sign.in"),
    onsubmit: async ({ name, password }) => {
      const challenge = await enter({ name, password });
      if (!challenge) return arrived();
      fill(place, second(challenge));
      place.querySelector("input").focus();
    },
  });
  fill(place, refused && notice("bad", $("p", refused)), element, social());
  refused = null;
  return frame(
    t("sign.in"),
    place,
    $("p.small", $("a", { href: withTo("/forgot-password") }, t("sign.forgot"))),
    $("p.small", t("sign.noAccount"), " ", $("a", { href: withTo("/sign-up") }, t("sign.up"))),
    $("p.small", $("a", { href: withTo("/confirm") }, t("sign.haveCode"))),
  );
}

function second(challenge) {
  const code = authenticatorCode(8);
  return form({
    fields: [code],
    yes: t("sign.in"),
    onsubmit: async values => {
      try {
        await answerChallenge({ ...challenge, code: values.code });
      } catch (problem) {
        if (problem instanceof Problem && problem.code === "code-mismatch") return code.fail(problem.message);
        throw problem;
      }
      return arrived();
    },
  });
}

export function signUp() {
  const username = field({
    name: "username",
    label: t("sign.username"),
    hint: t("sign.usernameHint"),
    autocomplete: "username",
    autocapitalize: "none",
    spellcheck: "false",
    maxLength: 100,
    check: value => (value.includes("@") ? t("form.format") : null),
  });
  const extra = $("div", { hidden: true }, username.element);
  const fields = [
    field({ name: "fullName", label: t("sign.fullName"), autocomplete: "name", required: true, maxLength: 100 }),
    field({
      name: "email",
      kind: "email",
      label: t("sign.email"),
      autocomplete: "email",
      required: true,
      maxLength: 254,
    }),
    newPassword(),
    username,
    field({
      name: "",
      kind: "checkbox",
      required: true,
      label: t("sign.consent"),
      hint: $(
        "span",
        $("a", { href: link("/terms"), target: "_blank" }, t("text.terms")),
        " · ",
        $("a", { href: link("/privacy"), target: "_blank" }, t("text.privacy")),
      ),
    }),
  ];
  const element = form({
    fields,
    yes: t("sign.up"),
    layout: all => [all[0].element, all[1].element, all[2].element, extra, all[4].element],
    onsubmit: async ({ fullName, email, password, username: chosen }) => {
      try {
        await send(
          "POST",
          "/sign-up",
          { fullName, email, password, ...(chosen && { username: chosen }) },
          { anonymous: true },
        );
      } catch (problem) {
        // Another person of this name: they need a name of their own to sign in with.
        if (problem.code !== "name-taken") throw problem;
        extra.hidden = false;
        username.fail(t("sign.nameTaken"));
        return username.input.focus();
      }
      kept = { email, password };
      const to = current().query.get("to");
      return go(
        `/confirm?${new URLSearchParams({ ...(chosen ? { username: chosen } : { fullName }), ...(to && { to }) })}`,
      );
    },
  });
  return frame(
    t("sign.up"),
    element,
    social(),
    $("p.small", t("sign.hasAccount"), " ", $("a", { href: withTo("/sign-in") }, t("sign.in"))),
  );
}

// Between opening an account and confirming it, so that nobody has to type it twice. In memory alone.
let kept = null;

export function confirm({ query }) {
  const username = query.get("username");
  const fullName = query.get("fullName");
  const isKnown = Boolean(username ?? fullName);
  const name = field({
    name: "account",
    label: t("sign.accountName"),
    hint: t("sign.accountNameHint"),
    required: true,
    value: username ?? fullName ?? "",
    maxLength: 100,
  });
  const code = codeField();
  const account = () => (isKnown ? (username ? { username } : { fullName }) : { fullName: name.value() });
  const element = form({
    fields: isKnown ? [code] : [name, code],
    yes: t("sign.confirm"),
    onsubmit: async ({ confirmationCode }) => {
      await send("POST", "/confirm-sign-up", { ...account(), confirmationCode }, { anonymous: true });
      toast(t("sign.confirmed"));
      if (!kept)
        return go(`/sign-in${location.search.includes("to=") ? `?to=${encodeURIComponent(target())}` : ""}`, {
          replace: true,
        });
      const { email, password } = kept;
      kept = null;
      await enter({ name: email, password });
      return arrived();
    },
  });
  const again = $(
    "button.link",
    {
      type: "button",
      onclick: async () => {
        if (!isKnown && !name.check()) return;
        try {
          await send("POST", "/resend-code", account(), { anonymous: true });
          toast(t("sign.sentAgain"));
        } catch (problem) {
          element.fail(problem);
        }
      },
    },
    t("sign.sendAgain"),
  );
  return frame(
    t("sign.confirmTitle"),
    $("p.soft", kept ? t("sign.mailed", { email: kept.email }) : t("sign.confirmText")),
    element,
    $("p.small", again),
  );
}

export function forgotPassword() {
  const place = $("div.stack");
  const account = name => (name.includes("@") ? { email: name } : { username: name });
  const ask = form({
    fields: [nameField()],
    yes: t("sign.mailCode"),
    onsubmit: async ({ name }) => {
      await send("POST", "/forgot-password", account(name), { anonymous: true });
      const element = form({
        fields: [codeField(), newPassword("newPassword")],
        yes: t("sign.setPassword"),
        onsubmit: async values => {
          await send("POST", "/reset-password", { ...account(name), ...values }, { anonymous: true });
          toast(t("sign.passwordSet"));
          const challenge = await enter({ name, password: values.newPassword }).catch(() => ({}));
          return challenge ? go("/sign-in", { replace: true }) : arrived();
        },
      });
      fill(place, notice("info", $("p", t("sign.codeMailed"))), element);
      place.querySelector("input").focus();
    },
  });
  fill(place, $("p.soft", t("sign.forgotText")), ask);
  return frame(t("sign.forgotTitle"), place);
}
