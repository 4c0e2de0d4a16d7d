import type { EventKind } from "../contracts/canonical-event.ts";
import type { TenantSettings } from "../contracts/directory.ts";

/** Spellings of one field; any of them will do. */
type Field = readonly string[];

const product: Field = ["productId", "product_id", "sku"];
const price: Field = ["price", "value", "amount"];
const quantity: Field = ["quantity"];
const category: Field = ["category", "category_id", "categoryId"];
const products: Field = ["products", "items"];
const currency: Field = ["currency"];
const location: Field = ["url", "path", "page"];
const query: Field = ["query", "searchTerm", "search_term"];
const campaign: Field = ["campaignId", "campaign_id", "campaign"];
const link: Field = ["url", "link", "href"];
const form: Field = ["formId", "form_id", "formName", "form_name", "form"];

/** What a semantic event should carry, by its name without case, spaces, `_` and `-`. */
const byName = new Map<string, readonly Field[]>([
  ["pageview", [location]],
  ["pageviewed", [location]],
  ["productview", [product, category, price]],
  ["productviewed", [product, category, price]],
  ["viewitem", [product, category, price]],
  ["productclicked", [product]],
  ["addtocart", [product, price, quantity]],
  ["productadded", [product, price, quantity]],
  ["removefromcart", [product, quantity]],
  ["productremoved", [product, quantity]],
  ["cartviewed", [products]],
  ["checkoutstarted", [products, price, currency]],
  ["productssearched", [query]],
  ["search", [query]],
  ["productlistviewed", [category, products]],
  ["emailopen", [campaign]],
  ["emailopened", [campaign]],
  ["emailclick", [campaign, link]],
  ["emaillinkclicked", [campaign, link]],
  ["formsubmit", [form]],
  ["formsubmitted", [form]],
]);

export type ExpectedFieldsSettings = Pick<TenantSettings, "purchaseEvents" | "refundEvents" | "revenueProperties" | "orderIdProperties">;

/** Fields expected of an event, each as its spellings; none for an event that is not semantic. */
export function expectedFields(event: { kind: EventKind; name: string }, settings: ExpectedFieldsSettings): readonly Field[] {
  if (settings.purchaseEvents.includes(event.name)) return [settings.revenueProperties, settings.orderIdProperties, currency, products];
  if (settings.refundEvents.includes(event.name)) return [settings.revenueProperties, settings.orderIdProperties, currency];
  if (event.kind === "page") return [location];
  return event.kind === "track" ? ofTrack(event.name) : [];
}

const nothing: readonly Field[] = [];
const namesKnownMax = 1000;
const known = new Map<string, readonly Field[]>();

/** A source has a handful of names, each spelt the same way every time. */
function ofTrack(name: string): readonly Field[] {
  const fields = known.get(name) ?? byName.get(name.toLowerCase().replace(/[\s_-]/g, "")) ?? nothing;
  if (known.size < namesKnownMax && name.length < 100) known.set(name, fields);
  return fields;
}
