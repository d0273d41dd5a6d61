// The admin's own second factor: where the shop asks for one, nothing can be changed without.

import { $ } from "../common/dom.js";
import { get, request } from "../common/api.js";
import { authenticatorCode } from "../common/form.js";
import { badge, notice, toast } from "../common/ui.js";
import { withFreshSignIn } from "../common/fresh.js";
import { accessToken, forget, person } from "../common/session.js";
import { t } from "../common/words.js";
import { act, facts, head, saving } from "./kit.js";

// These take the access token, since the one of Cognito's own calls needs it.
const totp = (method, body) =>
  request(method, "/users/me/totp", { body, anonymous: true, headers: { authorization: `Bearer ${accessToken()}` } });

function confirming({ secret, uri }) {
  const code = authenticatorCode(6);
  return $(
    "div.card.narrow",
    $("h2", t("admin.totp.scan")),
    $("p", t("admin.totp.text")),
    $("code.secret", secret.match(/.{1,4}/g).join(" ")),
    // An authenticator app on this device opens it; `address` of dom.js takes no such scheme.
    /^otpauth:\/\//.test(uri) && openApp(uri),
    saving({
      fields: [code],
      yes: t("admin.totp.on"),
      send: async values => {
        await totp("PUT", values);
        // Only a sign-in with the code makes a token with which things can be changed.
        toast(t("admin.totp.done"));
        forget();
      },
    }),
  );
}

function openApp(uri) {
  const link = $("a", t("admin.totp.open"));
  link.href = uri;
  return $("p", link);
}

export async function security({ signal }) {
  const me = await get(`/users/${person().userId}`, { signal }),
    place = $("div");
  const begin = act(
    t(me.hasSecondFactor ? "admin.totp.move" : "admin.totp.begin"),
    async button => {
      const begun = await withFreshSignIn(() => totp("POST"));
      if (!begun) return;
      button.closest(".buttons").hidden = true;
      place.replaceChildren(confirming(begun.body));
      place.querySelector("input").focus();
    },
    "primary",
  );
  return {
    title: t("admin.security"),
    element: $(
      "div",
      head(t("admin.security")),
      !me.hasSecondFactor && notice("warn", t("admin.totp.why")),
      facts([
        [t("admin.email"), me.email],
        [
          t("admin.secondFactor.name"),
          me.hasSecondFactor ? badge("good", t("admin.on")) : badge("warn", t("admin.off")),
        ],
      ]),
      $("div.buttons", begin),
      place,
    ),
  };
}
