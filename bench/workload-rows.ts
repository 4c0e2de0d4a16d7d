/** What every row has of its own. */
export interface Head {
  eventId: string;
  /** Event time in ms. */
  ts: number;
  random: () => number;
}

const plans = ["free", "basic", "pro", "team", "enterprise"];
const countries = ["US", "DE", "FR", "GB", "IN", "BR", "JP", "CA", "AU", "NL"];
const languages = ["en-US", "de-DE", "fr-FR", "en-GB", "pt-BR", "ja-JP"];
const trackNames = ["page_view", "product_viewed", "add_to_cart", "search", "button_clicked", "video_played", "form_submit", "feature_used"];
const channels = ["web", "app", "server"];

const runOfMs = 1_800_000;

/** One person in four is known by e-mail as well. */
const hasEmail = (person: number): boolean => person % 4 === 0;
const pick = <T>(list: readonly T[], { random }: Head): T => list[Math.floor(random() * list.length)] as T;
const below = (max: number, { random }: Head): number => Math.floor(random() * max);

let lastMs = Number.NaN;
let lastText = "";
/** Many rows share a millisecond, and writing a time out is dear. */
function isoTime(ms: number): string {
  if (ms !== lastMs) {
    lastMs = ms;
    lastText = new Date(ms).toISOString();
  }
  return lastText;
}

/** A device keeps what it says about itself, so the text is made once a device model. */
const contexts = Array.from({ length: 64 }, (_, n) =>
  `"userAgent":"Mozilla/5.0 (X11) Chrome/${110 + n}.0","locale":"${languages[n % languages.length]}","timezone":"Europe/Berlin",`
  + `"device":{"type":"desktop","model":"m-${n}"},"os":{"name":"Linux","version":"6.${n}"},"screen":{"width":1920,"height":1080}`);

const person = (number: number, { eventId, ts }: Head): string =>
  `"userId":"user-${number}","anonymousId":"anon-${number}","eventId":"${eventId}","timestamp":"${isoTime(ts)}","sessionId":"s-${number}-${Math.floor(ts / runOfMs)}"`;

function context(number: number, head: Head): string {
  const page = below(500, head);
  return `"source":"${channels[number % 3]}","context":{"ip":"10.${number & 255}.${(number >> 8) & 255}.7",${contexts[number % contexts.length]},`
    + `"page":{"url":"https://shop.example.com/c/${page % 20}/p/${page}","referrer":"https://www.example.org/"}}`;
}

/** What somebody did. */
export function track(number: number, head: Head): string {
  const product = below(5000, head);
  return `{"type":"${pick(trackNames, head)}",${person(number, head)},"properties":{"productId":"SKU-${product}","category":"c-${product % 40}",`
    + `"price":${product % 300}.95,"quantity":${1 + (product % 3)},"url":"https://shop.example.com/p/${product}","term":"t-${product % 700}"},${context(number, head)}}`;
}

/** What is known about somebody. */
export function identify(number: number, head: Head): string {
  const email = hasEmail(number) ? `"email":"person-${number}@example.com",` : "";
  return `{"type":"identify",${person(number, head)},"traits":{${email}"plan":"${pick(plans, head)}","country":"${countries[number % countries.length]}",`
    + `"name":"Person ${number}","company":"Company ${number % 5000}","language":"${languages[number % languages.length]}","seats":${below(200, head)},`
    + `"newsletter":${number % 2 === 0}},${context(number, head)}}`;
}

/** An order of its own. */
export function purchase(number: number, head: Head): string {
  const product = below(5000, head);
  return `{"type":"purchase",${person(number, head)},"properties":{"orderId":"o-${head.eventId}","amount":${product % 300}.95,"currency":"USD",`
    + `"items":[{"productId":"SKU-${product}","name":"Product ${product}","quantity":1,"price":${product % 300}.95}]},${context(number, head)}}`;
}

/** A first visit of somebody nobody knows. */
export function visit(visitor: string, head: Head): string {
  const page = below(500, head);
  return `{"type":"page","name":"Landing page","anonymousId":"${visitor}","eventId":"${head.eventId}","timestamp":"${isoTime(head.ts)}",`
    + `"properties":{"url":"https://shop.example.com/landing/${page}","title":"Welcome","campaign":"c-${page % 20}"},${context(page, head)}}`;
}

/** A visitor turns out to be somebody who is known. */
export function recognised(number: number, visitor: string, head: Head): string {
  return `{"type":"login","userId":"user-${number}","anonymousId":"${visitor}","eventId":"${head.eventId}","timestamp":"${isoTime(head.ts)}",`
    + `"sessionId":"s-${visitor}","properties":{"method":"password","form":"login","remember":true,"attempts":1},${context(number, head)}}`;
}
