// The four texts that the shop's owner writes (site/texts/*.txt): a line of # begins a heading, an empty line a
// paragraph. They are text and nothing else.

import { $ } from "../common/dom.js";
import { request } from "../common/api.js";
import { t } from "../common/words.js";

export default async function text({ path, signal }) {
  const name = path.slice(1);
  const { body } = await request("GET", new URL(`../texts/${name}.txt`, import.meta.url).pathname, {
    anonymous: true,
    signal,
  });
  const blocks = String(body ?? "")
    .trim()
    .split(/\n\s*\n/)
    .map(block => block.trim());
  return {
    title: t(`text.${name}`),
    element: $(
      "div.wrap.view",
      $(
        "article.narrow.prose",
        $("h1", t(`text.${name}`)),
        blocks.map(block => {
          if (block.startsWith("## ")) return $("h3", block.slice(3));
          if (block.startsWith("# ")) return $("h2", block.slice(2));
          return $("p.pre", block);
        }),
      ),
    ),
  };
}
