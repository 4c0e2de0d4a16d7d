import { expect, test } from "vitest";
import { createGate } from "./event-gate.ts";

/** Work that ends when the test says so. */
function createWork(log: string[]) {
  return function start(name: string) {
    const { promise, resolve } = Promise.withResolvers<string>();
    return {
      end: () => resolve(name),
      run: () => {
        log.push(name);
        return promise;
      },
    };
  };
}

test("so much runs at once, the rest in the order in which it came", async () => {
  const log: string[] = [];
  const work = createWork(log);
  const gate = createGate({ concurrencyMax: 2, waitingMax: 10, waitMsMax: 60_000 });
  const [a, b, c, d] = [work("a"), work("b"), work("c"), work("d")];
  const done = [a, b, c, d].map((one) => gate(one.run));
  expect(log).toEqual(["a", "b"]);
  b.end();
  expect(await done[1]).toBe("b");
  expect(log).toEqual(["a", "b", "c"]);
  for (const one of [a, c, d]) one.end();
  expect(await Promise.all(done)).toEqual(["a", "b", "c", "d"]);
});

test("work that fails makes room like any other", async () => {
  const gate = createGate({ concurrencyMax: 1, waitingMax: 1, waitMsMax: 60_000 });
  const failed = gate(() => Promise.reject(new Error("no")));
  const next = gate(async () => "done");
  await expect(failed).rejects.toThrow("no");
  expect(await next).toBe("done");
});

test("who finds too many waiting, or waits too long, is refused", async () => {
  const work = createWork([]);
  const gate = createGate({ concurrencyMax: 1, waitingMax: 1, waitMsMax: 1 });
  const long = work("long");
  const first = gate(long.run);
  const waits = gate(async () => "never");
  await expect(gate(async () => "never")).rejects.toMatchObject({ code: "overloaded", status: 503 });
  await expect(waits).rejects.toMatchObject({ code: "overloaded" });
  long.end();
  expect(await first).toBe("long");
  expect(await gate(async () => "again")).toBe("again");
});
