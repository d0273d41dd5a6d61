// Signing out, here and everywhere.

import { go } from "../common/router.js";
import { signOut } from "../common/session.js";
import { toast } from "../common/ui.js";
import { t } from "../common/words.js";

export async function leave() {
  await signOut().catch(() => {});
  toast(t("sign.isOut"));
  return go("/");
}
