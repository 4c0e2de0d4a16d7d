import { setTimeout as pause } from "node:timers/promises";
import { valueOf } from "./crowd.ts";

/**
 * Sends live events of the crowd at a steady rate until it is ended, and waits where the server says so.
 * Run: node bench/read/send-events.ts URL KEY PERSONS EVENTS_PER_SECOND
 */
const [url = "", key = "", persons = "1", rate = "1000"] = process.argv.slice(2);
const batch = 200;
const everyMs = (batch / Number(rate)) * 1000;
const run = Date.now();
let number = 0;

function makeBatch(): string {
  const events = Array.from({ length: batch }, () => {
    const e = number++;
    // Skewed: a hundredth of the people bring about a tenth of the events.
    const person = Math.floor(Number(persons) * Math.random() ** 2);
    return {
      type: e % 20 === 0 ? "purchase" : "page_view", eventId: `live-${run}-${e}`, userId: valueOf("external_id", person),
      anonymousId: valueOf("anonymous_id", person),
      properties: { url: `https://shop.example.com/products/${e % 5000}`, title: `Product ${e % 5000}`, ...(e % 20 === 0 && { amount: 19.99, orderId: `o-${run}-${e}` }) },
      ...(e % 10 === 0 && { traits: { plan: e % 3 === 0 ? "pro" : "free" } }),
    };
  });
  return JSON.stringify({ events });
}

for (let next = performance.now(); ; next += everyMs) {
  await pause(Math.max(0, next - performance.now()));
  const response = await fetch(`${url}/api/cdp/events/batch`, {
    method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" }, body: makeBatch(),
  });
  await response.text();
  if (response.status === 503) await pause(1000);
  else if (response.status !== 202) throw new Error(`a batch was answered ${response.status}`);
}
