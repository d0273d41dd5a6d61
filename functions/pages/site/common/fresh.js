// What asks for a sign-in of the last ten minutes: it is asked for when the API says so, then the task is done.
//
//   await withFreshSignIn(task) → what the task gives; null where the person thought better of it

import { $ } from "./dom.js";
import { Problem } from "./api.js";
import { authenticatorCode, field, form } from "./form.js";
import { answerChallenge, person, signIn } from "./session.js";
import { t } from "./words.js";

export async function withFreshSignIn(task) {
  try {
    return await task();
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.code !== "sign-in-too-old") throw problem;
    return (await again()) ? task() : null;
  }
}

function again() {
  return new Promise(done => {
    let isDone = false,
      challenge = null;
    const close = () => dialog.close();
    const password = field({
      name: "password",
      kind: "password",
      label: t("sign.password"),
      autocomplete: "current-password",
      required: true,
    });
    const code = authenticatorCode(8);
    const body = $("div");
    const name = person()?.email ?? "";
    const known = $("input.visually-hidden", {
      type: "email",
      autocomplete: "username",
      value: name,
      tabindex: -1,
      "aria-hidden": "true",
    });
    const finish = () => {
      isDone = true;
      close();
    };
    const second = () =>
      form({
        fields: [code],
        yes: t("sign.in"),
        no: [t("button.cancel"), close],
        onsubmit: async values => {
          await answerChallenge({ ...challenge, code: values.code });
          finish();
        },
      });
    body.append(
      known,
      form({
        fields: [password],
        yes: t("sign.in"),
        no: [t("button.cancel"), close],
        onsubmit: async values => {
          challenge = await signIn({ name, password: values.password });
          if (!challenge) return finish();
          body.replaceChildren(second());
          code.input.focus();
        },
      }),
    );
    const dialog = $(
      "dialog.dialog",
      {
        "aria-label": t("sign.again"),
        onclose: () => {
          dialog.remove();
          done(isDone);
        },
      },
      $("h2", t("sign.again")),
      $("p.soft", t("sign.againText")),
      body,
    );
    document.body.append(dialog);
    dialog.showModal();
    password.input.focus();
  });
}
