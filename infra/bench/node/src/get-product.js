import { z } from "zod";
import { cacheable, Problem, read, route, view } from "./shared.js";

const { OFFERS_TABLE, PRODUCTS_TABLE } = process.env;
const Id = z.uuid();

export const handler = route(async (event) => {
  const id = Id.safeParse(event.pathParameters?.id);
  if (!id.success) throw new Problem(404, "There is no such thing");
  const found = await read({ [PRODUCTS_TABLE]: { Keys: [{ id: id.data }] }, [OFFERS_TABLE]: { Keys: [{ offerId: id.data }] } });
  const [product] = found[PRODUCTS_TABLE] ?? [];
  const [offer] = found[OFFERS_TABLE] ?? [];
  if (!product?.isApproved || !offer) throw new Problem(404, "There is no such product");
  const { id: own, fileName, imageUrl, images } = product;
  const all = [...(product.morePictures ?? [])];
  all.splice(product.picturesBefore ?? 0, 0, { id: product.pictureId ?? own, fileName, imageUrl, images });
  const pictures = all.filter((one) => one.imageUrl).map(({ id, fileName, imageUrl, images }) => ({ id, fileName, imageUrl, images }));
  return cacheable(event, { ...view(product, offer), pictures });
});
