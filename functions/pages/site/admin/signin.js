// Signing in: the password, and then the code of those who have a second factor.
//
//   signing(then) → an element that asks for both; then() is called once an admin is signed in

import { $, fill } from "../common/dom.js";
import { authenticatorCode, field, form } from "../common/form.js";
import { notice } from "../common/ui.js";
import { answerChallenge, forget, person, signIn } from "../common/session.js";
import { t } from "../common/words.js";

export function signing(then) {
  const place = $("div.stack"),
    told = $("div");
  const isIn = async () => {
    if (!person()?.isAdmin) {
      forget();
      fill(told, notice("bad", t("admin.noAdmin")));
      return password();
    }
    return then();
  };
  function password() {
    const fields = [
      field({
        name: "name",
        label: t("sign.name"),
        required: true,
        autocomplete: "username",
        autocapitalize: "off",
        spellcheck: "false",
      }),
      field({
        name: "password",
        label: t("sign.password"),
        kind: "password",
        required: true,
        autocomplete: "current-password",
      }),
    ];
    fill(
      place,
      form({
        fields,
        yes: t("sign.in"),
        label: t("sign.in"),
        onsubmit: async values => {
          fill(told);
          const wanted = await signIn(values);
          if (wanted) code(wanted);
          else await isIn();
        },
      }),
    );
    fields[0].input.focus();
  }
  function code(wanted) {
    const one = authenticatorCode(6);
    fill(
      place,
      form({
        fields: [one],
        yes: t("button.continue"),
        no: [t("button.back"), password],
        label: t("sign.second"),
        onsubmit: async values => {
          await answerChallenge({ ...wanted, code: values.code });
          await isIn();
        },
      }),
    );
    one.input.focus();
  }
  queueMicrotask(password);
  return $("div.stack", told, place);
}
