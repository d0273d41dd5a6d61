// Selling: how it goes, my products, my stores, and orders to send.

import { $, busyWhile, fill, icon, picture } from "../common/dom.js";
import { get, newKey, pages, request, send, upload } from "../common/api.js";
import { field, form } from "../common/form.js";
import { date, money, number } from "../common/format.js";
import { go, link, reload } from "../common/router.js";
import { isSignedIn } from "../common/session.js";
import { ask, badge, explain, more, notice, section, say, table, toast } from "../common/ui.js";
import { t } from "../common/words.js";
import { addressLines } from "./address.js";
import { crumbs, page, signInFirst } from "./parts.js";
import { settings } from "./settings.js";

const PICTURES = "image/png,image/jpeg,image/webp,image/gif,image/avif";
const LARGEST = 5 * 1024 * 1024;
const failed = problem => toast(explain(problem), { kind: "bad" });
const action = (kind, words, task, given) =>
  $(
    `button.${kind}`,
    {
      type: "button",
      ...given,
      onclick: event =>
        busyWhile(event.currentTarget, async () => {
          try {
            await task();
          } catch (problem) {
            failed(problem);
          }
        }),
    },
    words,
  );

const PARTS = [
  ["/sell", "sell.summary"],
  ["/sell/products", "sell.products"],
  ["/sell/orders", "sell.orders"],
  ["/sell/store", "sell.store"],
];
function frame(title, path, ...children) {
  return {
    title,
    element: page(
      title,
      $(
        "nav.sub-nav",
        { "aria-label": t("sell.title") },
        $(
          "ul",
          PARTS.map(([to, words]) =>
            $("li", $("a", { href: link(to), "aria-current": to === path ? "page" : null }, t(words))),
          ),
        ),
      ),
      children,
    ),
  };
}
const forSellers = view => async given => (isSignedIn() ? view(given) : signInFirst(given.path));

// ── How it goes ──────────────────────────────────────────────────────────────────────────────────────────────────────

export const summary = forSellers(async ({ signal }) => {
  const is = await get("/seller/summary", { signal });
  const figure = (words, value, note, to) =>
    $(
      "li",
      $("a.figure", { href: link(to) }, $("span.soft", words), $("b", value), note && $("span.small.soft", note)),
    );
  return frame(
    t("sell.title"),
    "/sell",
    $(
      "ul.figures",
      figure(
        t("sell.today"),
        money(is.today.revenue, is.currency ?? settings.currency),
        t("sell.orderCount", { n: is.today.orders }),
        "/sell/orders",
      ),
      figure(
        t("sell.month"),
        money(is.last30Days.revenue, is.currency ?? settings.currency),
        t("sell.orderCount", { n: is.last30Days.orders }),
        "/sell/orders",
      ),
      figure(t("sell.toSend"), number(is.toSend), null, "/sell/orders"),
      figure(t("sell.toApprove"), number(is.toApprove), null, "/sell/products"),
      figure(t("sell.lowStock"), number(is.lowStock), null, "/sell/products"),
    ),
    $(
      "div.row",
      $("a.primary", { href: link("/sell/products/new") }, icon("plus"), t("sell.new")),
      $("a.secondary", { href: link("/sell/store") }, icon("store"), t("sell.store")),
    ),
  );
});

// ── Products ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function state(product) {
  if (product.rejectionReason) return badge("bad", t("sell.rejected"));
  if (product.isApproved)
    return product.quantity > 0 ? badge("good", t("sell.forSale")) : badge("warn", t("stock.none"));
  if (product.waitingPicture || product.imageUrl) return badge("info", t("sell.waits"));
  return badge("warn", t(product.imageRejection ? "sell.pictureRejected" : "sell.noPicture"));
}

const shown = product => (product.imageUrl ? product : (product.waitingPicture ?? product));

export const products = forSellers(async ({ signal }) => {
  const rows = [];
  const place = $("div");
  const reader = pages("/users/me/products", "products", { query: { limit: 50 }, signal });
  const draw = () =>
    fill(
      place,
      table({
        caption: t("sell.products"),
        rows,
        columns: [
          {
            title: t("sell.picture"),
            isBare: true,
            value: one =>
              $(
                "a.thumb-link",
                { href: link(`/sell/products/${one.id}`), tabindex: -1, "aria-hidden": "true" },
                picture({ images: shown(one).images, imageUrl: shown(one).imageUrl, alt: "", sizes: "4rem" }),
              ),
          },
          {
            title: t("order.product"),
            value: one => $("a", { href: link(`/sell/products/${one.id}`), dir: "auto" }, one.productName),
          },
          { title: t("sell.state"), value: state },
          { title: t("order.price"), kind: "number", value: one => money(one.productPrice, one.currency) },
          { title: t("sell.stock"), kind: "number", value: one => number(one.quantity) },
        ],
      }),
    );
  const element = more(
    reader,
    items => {
      rows.push(...items);
      draw();
      return [];
    },
    {
      into: place,
      empty: $(
        "div.empty",
        icon("box"),
        $("p", t("sell.none")),
        $("a.primary", { href: link("/sell/products/new") }, t("sell.new")),
      ),
      signal,
    },
  );
  await element.ready;
  return frame(
    t("sell.products"),
    "/sell/products",
    $("div.row", $("a.primary", { href: link("/sell/products/new") }, icon("plus"), t("sell.new"))),
    element,
  );
});

function fileField(given = {}) {
  return field({
    name: "file",
    kind: "file",
    label: t("sell.picture"),
    hint: t("sell.pictureHint"),
    accept: PICTURES,
    required: true,
    ...given,
    check: files => {
      const file = files[0];
      if (!file) return null;
      if (!PICTURES.includes(file.type)) return t("sell.pictureType");
      return file.size > LARGEST ? t("sell.pictureLarge") : null;
    },
  });
}

// Names of files are Latin for the API, and what is in a picture's name is nobody's business.
const described = file => ({
  fileName: `picture.${file.type.split("/")[1].replace("jpeg", "jpg")}`,
  fileType: file.type,
  fileSize: file.size,
});

function previewOf(file) {
  const place = $("div.preview");
  file.input.addEventListener("change", () => {
    const chosen = file.input.files[0];
    if (!chosen) return fill(place);
    // As data, since the policy lets no blob be shown.
    const reading = new FileReader();
    reading.addEventListener("load", () => fill(place, $("img", { src: reading.result, alt: t("sell.preview") })));
    reading.readAsDataURL(chosen);
  });
  return place;
}

async function sent(url, file, place) {
  const bar = $("progress", { max: 1, value: 0, "aria-label": t("sell.uploading") });
  fill(place, $("p.small", { role: "status" }, t("sell.uploading")), bar);
  await upload(url, file, part => {
    bar.value = part;
  });
  fill(place, $("p.small", { role: "status" }, t("sell.checking")));
}

// Until the picture was looked at; it takes a moment.
async function looked(id, before, signal) {
  for (let tried = 0; tried < 20; tried++) {
    await new Promise(done => setTimeout(done, 700));
    if (signal?.aborted) return null;
    const own = await get(`/users/me/products/${id}`, { signal });
    if (own.version !== before) return own;
  }
  return null;
}

export const newProduct = forSellers(async ({ signal }) => {
  const [categories, stores] = await Promise.all([
    get("/categories", { query: { limit: 100 }, signal }).catch(() => []),
    get("/users/me/stores", { signal }).catch(() => ({ stores: [] })),
  ]);
  const options = categories.map(one => [one.categoryName, one.categoryName]);
  const file = fileField();
  const own = stores.stores.filter(one => one.status !== "deactivated");
  const fields = [
    file,
    field({ name: "productName", label: t("sell.name"), required: true, maxLength: 120 }),
    field({
      name: "description",
      kind: "textarea",
      label: t("sell.description"),
      required: true,
      rows: 6,
      maxLength: 2000,
    }),
    field({
      name: "productPrice",
      kind: "money",
      label: t("sell.price", { currency: settings.currency }),
      required: true,
      min: 0.01,
    }),
    field({
      name: "quantity",
      kind: "number",
      label: t("sell.stock"),
      required: true,
      min: 0,
      max: 1_000_000,
      value: 1,
    }),
    options.length
      ? field({
          name: "category",
          kind: "select",
          label: t("search.category"),
          required: true,
          options: [["", t("sell.choose")], ...options],
        })
      : field({ name: "category", label: t("search.category"), required: true, maxLength: 60 }),
    field({ name: "sku", label: t("product.sku"), hint: t("sell.skuHint"), maxLength: 64 }),
    own.length > 0 &&
      field({
        name: "storeId",
        kind: "select",
        label: t("search.store"),
        hint: t("sell.storeHint"),
        optional: false,
        options: [["", t("sell.noStore")], ...own.map(one => [one.id, one.name])],
        value: own[0].id,
      }),
  ].filter(Boolean);
  const progress = $("div.stack.tight");
  let created = null;
  const element = form({
    fields,
    yes: t("sell.list"),
    layout: all => [
      $(
        "div.split.even",
        $("div.stack", file.element, previewOf(file), progress),
        $(
          "div.stack",
          all.slice(1, 3).map(one => one.element),
          $(
            "div.grid-2",
            all.slice(3).map(one => one.element),
          ),
        ),
      ),
    ],
    onsubmit: async values => {
      const picked = values.file[0];
      const body = {
        ...described(picked),
        productName: values.productName,
        productPrice: values.productPrice,
        description: values.description,
        quantity: values.quantity,
        category: values.category,
        ...(values.sku && { sku: values.sku }),
        ...(values.storeId && { storeId: values.storeId }),
      };
      // What was recorded is not recorded again when its picture did not arrive.
      const sending = JSON.stringify(body);
      if (created?.sending !== sending) created = { sending, ...(await send("POST", "/products", body)) };
      await sent(created.uploadUrl, picked, progress);
      await looked(created.id, (await get(`/users/me/products/${created.id}`)).version, signal).catch(() => null);
      toast(t("sell.listed"));
      return go(`/sell/products/${created.id}`, { replace: true });
    },
  });
  return frame(t("sell.new"), "/sell/products", $("section.card", element));
});

export const product = forSellers(async ({ params, signal }) => {
  const { body: one, etag } = await request("GET", `/users/me/products/${encodeURIComponent(params.id)}`, { signal });
  const path = `/products/${one.id}`;
  const fields = [
    field({ name: "productName", label: t("sell.name"), required: true, maxLength: 120, value: one.productName }),
    field({
      name: "description",
      kind: "textarea",
      label: t("sell.description"),
      required: true,
      rows: 6,
      maxLength: 2000,
      value: one.description,
    }),
    field({
      name: "productPrice",
      kind: "money",
      label: t("sell.price", { currency: one.currency }),
      required: true,
      min: 0.01,
      value: one.productPrice,
    }),
    field({ name: "category", label: t("search.category"), required: true, maxLength: 60, value: one.category }),
    field({ name: "sku", label: t("product.sku"), maxLength: 64, value: one.sku }),
  ];
  const details = form({
    fields,
    yes: t("button.save"),
    onsubmit: async values => {
      const changes = Object.fromEntries(
        Object.entries(values).filter(([name, value]) => value !== (one[name] ?? "") && value !== ""),
      );
      if (!Object.keys(changes).length) return toast(t("form.saved"));
      await send("PUT", path, changes, { ifMatch: etag });
      toast(t("form.saved"));
      return reload();
    },
  });
  let key = newKey();
  const stock = form({
    fields: [
      field({
        name: "set",
        kind: "number",
        label: t("sell.pieces"),
        required: true,
        min: 0,
        max: 1_000_000,
        value: one.quantity,
        hint: one.promised > 0 ? t("sell.promised", { n: one.promised }) : null,
      }),
    ],
    yes: t("sell.setStock"),
    onsubmit: async ({ set }) => {
      try {
        await send("PUT", `${path}/stock`, { set, expected: one.quantity }, { key });
      } catch (problem) {
        key = newKey();
        throw problem;
      }
      toast(t("form.saved"));
      return reload();
    },
  });
  return frame(
    one.productName,
    "/sell/products",
    crumbs([[t("sell.products"), "/sell/products"], [one.productName]]),
    explained(one),
    $(
      "div.split.even",
      $("div.stack", section(t("sell.pictures"), pictures(one, path, signal)), section(t("sell.stock"), stock)),
      section(
        t("sell.details"),
        one.isApproved && $("p.small.soft", t("sell.reapprove")),
        details,
        $(
          "div.row",
          one.isApproved && $("a", { href: link(path) }, t("sell.inShop")),
          action("link.bad", t("sell.takeOut"), async () => {
            if (
              !(await ask({
                title: t("sell.takeOutTitle"),
                text: t("sell.takeOutText", { name: one.productName }),
                yes: t("sell.takeOut"),
                danger: true,
              }))
            )
              return;
            await send("DELETE", path);
            toast(t("sell.isOut"));
            await go("/sell/products");
          }),
        ),
      ),
    ),
  );
});

function explained(one) {
  if (one.rejectionReason)
    return notice(
      "bad",
      $("p", $("b", t("sell.rejected"))),
      $("p", { dir: "auto" }, one.rejectionReason),
      $("p.small", t("sell.rejectedText")),
    );
  if (one.imageRejection) return notice("warn", $("p", $("b", t("sell.pictureRejected"))), $("p", one.imageRejection));
  return $("p.row", state(one), !one.isApproved && $("span.soft", t("sell.waitsText")));
}

function pictures(one, path, signal) {
  const all = one.pictures ?? [];
  const progress = $("div.stack.tight");
  const order = ids => send("PUT", `${path}/pictures`, { pictures: ids }).then(reload);
  const file = fileField({ label: t("sell.addPicture") });
  const adding = form({
    fields: [file],
    yes: t("sell.upload"),
    onsubmit: async values => {
      const picked = values.file[0];
      // Where its first picture never came, this is it.
      const isFirst = !one.imageUrl && !one.waitingPicture && all.length <= 1;
      const { uploadUrl } = await send("POST", `${path}/${isFirst ? "upload-url" : "pictures"}`, described(picked));
      const before = (await get(`/users/me/products/${one.id}`)).version;
      await sent(uploadUrl, picked, progress);
      await looked(one.id, before, signal).catch(() => null);
      return reload();
    },
  });
  return [
    $(
      "ul.own-pictures",
      all.map((each, at) => {
        const seen = each.imageUrl ? each : (each.waitingPicture ?? each);
        const label = t("product.picture", { n: at + 1, of: all.length });
        return $(
          "li",
          picture({ images: seen.images, imageUrl: seen.imageUrl, alt: label, sizes: "8rem" }),
          each.waitingPicture && badge("info", t("sell.waits")),
          each.imageRejection && $("p.small.bad-text", each.imageRejection),
          $(
            "div.row",
            at > 0 &&
              action(
                "bare",
                icon("left"),
                () =>
                  order(
                    all
                      .map(p => p.id)
                      .with(at, all[at - 1].id)
                      .with(at - 1, each.id),
                  ),
                { "aria-label": t("sell.earlier", { label }) },
              ),
            all.length > 1 &&
              action(
                "bare",
                icon("bin"),
                async () => {
                  if (
                    !(await ask({ title: t("sell.deletePicture"), text: label, yes: t("button.delete"), danger: true }))
                  )
                    return;
                  await send("DELETE", `${path}/pictures/${each.id}`);
                  reload();
                },
                { "aria-label": t("sell.deletePictureOf", { label }) },
              ),
          ),
        );
      }),
    ),
    all.length < 8 && adding,
    progress,
  ];
}

// ── Orders to send ───────────────────────────────────────────────────────────────────────────────────────────────────

const parcelBadge = status =>
  badge(
    { to_send: "warn", shipped: "info", delivered: "good", refused: "bad", cancelled: "bad" }[status] ?? "",
    t(`parcel.${status}`),
  );

export const sellerOrders = forSellers(async ({ query, signal }) => {
  const status = query.get("status") ?? "to_send";
  const list = $("ul.order-cards");
  const element = more(
    pages("/seller/orders", "orders", { query: { status: status === "all" ? "" : status, limit: 20 }, signal }),
    items =>
      items.map(one =>
        $(
          "li",
          $(
            "a.order-card",
            { href: link(`/sell/orders/${one.orderId}`) },
            $("span.row.apart", $("b.code", one.number), parcelBadge(one.status)),
            $(
              "span.clamp",
              { dir: "auto" },
              one.items.map(item => `${item.quantity} × ${item.productName}`).join(", "),
            ),
            $(
              "span.row.apart.soft.small",
              $("span", { dir: "auto" }, date(one.createdAt), one.buyer && ` · ${one.buyer.fullName}`),
              $("b.number", money(one.total, one.currency)),
            ),
          ),
        ),
      ),
    {
      into: list,
      empty: $("div.empty", icon("truck"), $("p", t(status === "to_send" ? "sell.nothingToSend" : "sell.noOrders"))),
      signal,
    },
  );
  await element.ready;
  return frame(
    t("sell.orders"),
    "/sell/orders",
    $(
      "div.row",
      [
        ["to_send", "sell.toSend"],
        ["all", "sell.allOrders"],
      ].map(([value, words]) =>
        $(
          "a.pill",
          { href: link(`/sell/orders?status=${value}`), "aria-current": value === status ? "page" : null },
          t(words),
        ),
      ),
    ),
    element,
  );
});

export const sellerOrder = forSellers(async ({ params, signal }) => {
  const one = await get(`/seller/orders/${encodeURIComponent(params.id)}`, { signal });
  const path = `/seller/orders/${one.orderId}/status`;
  const shipped = form({
    fields: [
      field({ name: "carrier", label: t("sell.carrier"), maxLength: 60 }),
      field({ name: "trackingNumber", label: t("sell.tracking"), maxLength: 60 }),
      field({
        name: "trackingUrl",
        label: t("sell.trackingUrl"),
        maxLength: 500,
        inputmode: "url",
        placeholder: "https://",
      }),
    ],
    yes: t("sell.isSent"),
    onsubmit: async values => {
      const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value));
      await send("PUT", path, { status: "shipped", ...given });
      toast(t("form.saved"));
      return reload();
    },
  });
  const refuse = async () => {
    const reason = field({ name: "reason", label: t("sell.reason"), hint: t("sell.reasonHint"), maxLength: 500 });
    const given = await ask({
      title: t("sell.refuseTitle"),
      text: t("sell.refuseText"),
      yes: t("sell.refuse"),
      danger: true,
      fields: [reason],
    });
    if (!given) return;
    await send("PUT", path, { status: "refused", ...(given.reason && { reason: given.reason }) });
    reload();
  };
  return frame(
    t("order.titled", { number: one.number }),
    "/sell/orders",
    crumbs([[t("sell.orders"), "/sell/orders"], [one.number]]),
    $("p.row", parcelBadge(one.status), $("span.soft", date(one.createdAt))),
    $(
      "div.split",
      $(
        "div.stack",
        $(
          "section.card",
          $("h2", t("order.items")),
          table({
            caption: t("order.items"),
            rows: one.items,
            columns: [
              { title: t("order.product"), value: item => $("span", { dir: "auto" }, item.productName) },
              { title: t("quantity"), kind: "number", value: item => number(item.quantity) },
              { title: t("amounts.total"), kind: "number", value: item => money(item.total, one.currency) },
            ],
          }),
        ),
        one.status === "to_send" &&
          $("section.card", $("h2", t("sell.send")), shipped, action("link.bad", t("sell.refuse"), refuse)),
        one.status === "shipped" &&
          $(
            "section.card",
            $("h2", t("sell.arrivedTitle")),
            $(
              "div",
              action("primary", t("sell.arrived"), async () => {
                await send("PUT", path, { status: "delivered" });
                toast(t("form.saved"));
                reload();
              }),
            ),
          ),
      ),
      $(
        "aside.stack",
        one.shippingAddress &&
          $(
            "section.card",
            $("h2", t("checkout.sendTo")),
            addressLines(one.shippingAddress),
            one.shippingMethod && $("p.small.soft", one.shippingMethod),
          ),
        one.buyer &&
          $(
            "section.card",
            $("h2", t("sell.buyer")),
            $("p", { dir: "auto" }, one.buyer.fullName),
            $("a", { href: `mailto:${one.buyer.email}` }, one.buyer.email),
          ),
      ),
    ),
  );
});

// ── Stores ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const storeFields = (one = {}) => [
  field({ name: "name", label: t("sell.storeName"), required: true, maxLength: 60, value: one.name }),
  field({
    name: "description",
    kind: "textarea",
    label: t("sell.storeDescription"),
    maxLength: 1000,
    value: one.description,
  }),
  field({
    name: "supportEmail",
    kind: "email",
    label: t("sell.supportEmail"),
    hint: t("sell.supportHint"),
    maxLength: 254,
    value: one.supportEmail,
  }),
];

export const store = forSellers(async ({ signal }) => {
  const { stores } = await get("/users/me/stores", { signal });
  const opening = form({
    fields: storeFields(),
    yes: t("sell.openStore"),
    onsubmit: async values => {
      await send("POST", "/stores", {
        name: values.name,
        ...(values.description && { description: values.description }),
        ...(values.supportEmail && { supportEmail: values.supportEmail }),
      });
      toast(t("sell.storeOpened"));
      return reload();
    },
  });
  return frame(
    t("sell.store"),
    "/sell/store",
    stores.map(one => ownStore(one)),
    stores.length < 3 &&
      (stores.length
        ? $("details.card", $("summary", t("sell.another")), opening)
        : $("section.card", $("p.soft", t("sell.storeText")), opening)),
  );
});

function ownStore(one) {
  const path = `/stores/${one.id}`;
  const details = form({
    fields: storeFields(one),
    yes: t("button.save"),
    onsubmit: async values => {
      await send(
        "PUT",
        path,
        { name: values.name, description: values.description || null, supportEmail: values.supportEmail || null },
        { ifMatch: one.version },
      );
      toast(t("form.saved"));
      return reload();
    },
  });
  const status = (to, reason) =>
    send("PUT", `${path}/status`, { status: to, ...(reason && { reason }) }).then(() => {
      say(t(`store.${to}`));
      return reload();
    });
  const closedByAdmin = one.deactivatedBy === "admin";
  return $(
    "section.card",
    $(
      "div.row.apart",
      $("h2", { dir: "auto" }, one.name),
      badge({ published: "good", draft: "warn", deactivated: "bad" }[one.status], t(`store.${one.status}`)),
    ),
    one.reason && notice("bad", $("p", { dir: "auto" }, one.reason)),
    $(
      "div.grid-2",
      ["logo", "banner"].map(which => storePicture(one, which, path)),
    ),
    $("details", $("summary", t("sell.details")), details),
    $(
      "div.row",
      one.status === "published" && $("a", { href: link(path) }, t("sell.inShop")),
      one.status !== "published" && !closedByAdmin && action("primary", t("sell.publish"), () => status("published")),
      one.status === "published" &&
        action("link.bad", t("sell.close"), async () => {
          if (await ask({ title: t("sell.closeTitle"), text: t("sell.closeText"), yes: t("sell.close"), danger: true }))
            await status("deactivated");
        }),
    ),
  );
}

function storePicture(one, which, path) {
  const progress = $("div.stack.tight");
  const url = one[`${which}Url`],
    rejection = one[`${which}Rejection`];
  const file = fileField({ label: t(`sell.${which}`) });
  return $(
    "div.stack.tight",
    $(
      `div.own-store-picture.${which}`,
      picture({ images: one[`${which}Images`], imageUrl: url, alt: t(`sell.${which}`), sizes: "16rem" }),
    ),
    rejection && $("p.small.bad-text", rejection),
    form({
      fields: [file],
      yes: t("sell.upload"),
      onsubmit: async values => {
        const picked = values.file[0];
        const { uploadUrl } = await send("POST", `${path}/upload-url`, { picture: which, ...described(picked) });
        await sent(uploadUrl, picked, progress);
        for (let tried = 0; tried < 15; tried++) {
          await new Promise(done => setTimeout(done, 700));
          const { stores } = await get("/users/me/stores");
          const now = stores.find(each => each.id === one.id);
          if (now?.[`${which}Url`] !== url || now?.[`${which}Rejection`] !== rejection) break;
        }
        return reload();
      },
    }),
    progress,
  );
}
