import { expect, test } from "vitest";
import { runAttacks } from "./run-attacks.ts";

/** No attack begins after this; with the last one and the checks of all histories it is a good minute. */
const attackMs = 45_000;

test("attacks in an order that the printed seed decides, for a minute: everything holds", async () => {
  const violations = await runAttacks({ seed: Date.now() % 1_000_000, ms: attackMs, short: true, only: [], print: (line) => console.log(line) });
  expect(violations).toEqual([]);
}, 240_000);
