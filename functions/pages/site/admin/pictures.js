// What the shop shows at its top, and the categories that lead into it.

import { $, picture } from "../common/dom.js";
import { field } from "../common/form.js";
import { get } from "../common/api.js";
import { empty, section, toast } from "../common/ui.js";
import { reload } from "../common/router.js";
import { t } from "../common/words.js";
import { asking, change, done, fresh, head, pager, PICTURES, saving, sent } from "./kit.js";

const LARGEST = 5 * 1024 * 1024;

const file = () =>
  field({
    name: "file",
    label: t("admin.picture"),
    kind: "file",
    required: true,
    accept: PICTURES,
    hint: t("admin.picture.hint"),
    check: files => (files[0]?.size > LARGEST ? t("admin.picture.large") : null),
  });

// A picture that the shop has not looked at yet will be there in a moment.
const shown = isThere =>
  isThere ? done(t("admin.picture.done")) : (reload(), toast(t("admin.picture.later"), { kind: "" }));

function newBanner() {
  return saving({
    label: t("admin.newBanner"),
    fields: [file()],
    yes: t("admin.upload"),
    send: async ({ file: files }) => {
      let banner;
      const isThere = async ({ id }) => {
        banner = await get(`/banners/${id}`);
        return Boolean(banner.imageUrl || banner.imageRejection);
      };
      const isDone = await sent("/banners/upload-url", files, {}, isThere);
      if (banner?.imageRejection) return void toast(banner.imageRejection, { kind: "bad" });
      await shown(isDone);
    },
  });
}

function newCategory(before) {
  const name = field({
    name: "categoryName",
    label: t("admin.name"),
    required: true,
    maxLength: 100,
    hint: t("admin.category.hint"),
  });
  return saving({
    label: t("admin.newCategory"),
    fields: [name, file()],
    yes: t("admin.upload"),
    send: async ({ categoryName, file: files }) => {
      const old = before.find(one => one.categoryName === categoryName)?.imageUrl;
      const isThere = async () => {
        const { body } = await fresh("/categories", { query: { limit: 100 } });
        const now = body.find(one => one.categoryName === categoryName)?.imageUrl;
        return Boolean(now && now !== old);
      };
      await shown(await sent("/categories/upload-url", files, { categoryName }, isThere));
    },
  });
}

function tile(of, name, remove) {
  return $(
    "li.card.tile-picture",
    $("div.frame", picture({ images: of.images, imageUrl: of.imageUrl, alt: name, sizes: "20rem" })),
    $("div.row.apart", $("span", name), remove),
  );
}

// A list that is a bare array names its next page in the header Link alone.
const nextOf = headers =>
  new URLSearchParams(/<([^>]*)>;\s*rel="?next/.exec(headers.get("link") ?? "")?.[1]?.split("?")[1]).get("cursor");

export async function pictures({ query, signal }) {
  const asked = { banners: query.get("banners"), categories: query.get("categories") };
  const [banners, categories] = await Promise.all([
    fresh("/banners", { query: { cursor: asked.banners }, signal }),
    fresh("/categories", { query: { cursor: asked.categories, limit: 100 }, signal }),
  ]);
  const banner = one =>
    tile(
      one,
      t("admin.banner"),
      asking(
        t("button.delete"),
        {
          title: t("admin.deleteBanner.title"),
          text: t("admin.deleteBanner.text"),
          yes: t("admin.deleteBanner"),
          send: () => change("DELETE", `/banners/${one.id}`),
        },
        () => done(t("admin.deleteBanner.done")),
      ),
    );
  const category = one =>
    tile(
      one,
      one.categoryName,
      asking(
        t("button.delete"),
        {
          title: t("admin.deleteCategory.title", { name: one.categoryName }),
          text: t("admin.deleteCategory.text"),
          yes: t("admin.deleteCategory"),
          send: () => change("DELETE", `/categories/${encodeURIComponent(one.categoryName)}`),
        },
        () => done(t("admin.deleteCategory.done", { name: one.categoryName })),
      ),
    );
  const nextBanners = banners.body.nextCursor,
    nextCategories = nextOf(categories.headers);
  return {
    title: t("admin.pictures"),
    element: $(
      "div",
      head(t("admin.pictures")),
      $("p.lead", t("admin.pictures.lead")),
      section(
        t("admin.banners"),
        banners.body.banners.length
          ? $("ul.tiles-pictures", banners.body.banners.map(banner))
          : empty(t("admin.noBanners")),
        pager("/pictures", asked, nextBanners, "banners"),
        $("details.new", $("summary", t("admin.newBanner")), newBanner()),
      ),
      section(
        t("admin.categories"),
        categories.body.length ? $("ul.tiles-pictures", categories.body.map(category)) : empty(t("admin.noCategories")),
        pager("/pictures", asked, nextCategories, "categories"),
        $("details.new", $("summary", t("admin.newCategory")), newCategory(categories.body)),
      ),
    ),
  };
}
