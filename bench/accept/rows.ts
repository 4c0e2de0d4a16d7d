/** A request body whose rows get a new id and a new time before each sending, written over in place. */
export interface Body {
  bytes: Buffer;
  /** Writes a fresh id and `time` into every row. Ids never repeat within a process; `run` keeps processes apart. */
  renew(time: string): void;
}

const idDigits = 12;
const secondsLength = "2026-01-01T00:00:00".length;
let lastId = 0;

const pages = ["https://www.example.com/garden/chairs/folding-chair-oak", "https://www.example.com/kitchen/pans/cast-iron-28-cm", "https://www.example.com/"];
const names = ["page_view", "product_viewed", "add_to_cart", "search", "page_view", "page_view", "product_viewed", "video_played"];

/** One event of about 600 bytes as a client sends it; one in ten says what is known of the customer, one in fifty buys. */
function row(n: number, run: string): object {
  const person = (n * 7919) % 200_000;
  const who = {
    userId: `user-${person}`, deviceId: `device-${(person * 31).toString(16).padStart(8, "0")}-mobile`, sessionId: `session-${person}-${n % 7}`,
    eventId: `${run}-${"0".repeat(idDigits)}`, timestamp: `2026-01-01T00:00:00.${String(n % 1000).padStart(3, "0")}Z`, source: "web",
  };
  const context = { page: { url: pages[n % 3], title: "Example shop" }, userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", locale: "en-GB", ip: `10.1.${n % 255}.7` };
  if (n % 10 === 0) {
    const customFields = { shirt: "L", newsletter: true, referredBy: `user-${(person + 1) % 200_000}` };
    return { type: "identify", ...who, traits: { email: `user-${person}@example.com`, name: `Person ${person}`, plan: "pro", country: "DE", age: 20 + (n % 60), customFields }, context };
  }
  if (n % 50 === 1) {
    const items = [{ productId: `SKU-${n % 5000}`, quantity: 2, price: 24.995, name: "Folding chair, oak" }];
    return { type: "purchase", ...who, properties: { orderId: `order-${n}`, amount: 49.99, currency: "EUR", items }, context };
  }
  const properties = { productId: `SKU-${n % 5000}`, category: "garden", price: 24.995, position: n % 40, listName: "Recommended for you", inStock: true, tags: ["oak", "outdoor"] };
  return { type: names[n % names.length], ...who, properties, context };
}

function placesOf(text: string, pattern: RegExp): number[] {
  return [...text.matchAll(pattern)].map(({ index, 1: before = "" }) => index + before.length);
}

/** Bodies of `batch` rows each; with batch 0 one row that is the body itself. All text is ASCII. */
export function makeBodies(count: number, batch: number, run: string): Body[] {
  return Array.from({ length: count }, (_, i) => {
    const rows = Array.from({ length: Math.max(batch, 1) }, (_unused, j) => row(i * Math.max(batch, 1) + j, run));
    const text = JSON.stringify(batch === 0 ? rows[0] : { events: rows });
    const bytes = Buffer.from(text, "latin1");
    const ids = placesOf(text, new RegExp(`("eventId":"${run}-)`, "g"));
    const times = placesOf(text, /("timestamp":")/g);
    return {
      bytes,
      renew(time) {
        const seconds = time.slice(0, secondsLength);
        for (const place of ids) bytes.write(String(++lastId).padStart(idDigits, "0"), place, "latin1");
        for (const place of times) bytes.write(seconds, place, "latin1");
      },
    };
  });
}
