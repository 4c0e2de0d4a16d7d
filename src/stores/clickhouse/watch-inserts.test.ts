import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestHistory } from "../../testing/test-history.ts";

let opened: Awaited<ReturnType<typeof openTestHistory>>;
beforeAll(async () => {
  opened = await openTestHistory();
});
afterAll(() => opened.drop());

test.each([
  ["an insert", () => opened.history.insert("nowhere", [{ id: 1 }])],
  ["a query", () => opened.history.query("select * from nowhere")],
])("after %s that failed the engine is unwell while it cannot write", async (_, fail) => {
  const { history } = opened;
  await expect(fail()).rejects.toThrow();
  await expect(history.check()).resolves.toBeUndefined();

  await history.command("rename table write_probe to away");
  await expect(fail()).rejects.toThrow();
  await expect(history.check()).rejects.toThrow(/write_probe/);
  await expect(history.check()).rejects.toThrow(/write_probe/);
  await history.command("rename table away to write_probe");
  await expect(history.check()).resolves.toBeUndefined();
});

test("an insert that succeeds ends the doubt", async () => {
  const { history } = opened;
  await history.command("rename table write_probe to away");
  await expect(history.query("select * from nowhere")).rejects.toThrow();
  await expect(history.check()).rejects.toThrow(/write_probe/);
  await history.insert("identity_profile", [{ tenant: 1, identity: 1, profile: 1, version: 1 }]);
  await expect(history.check()).resolves.toBeUndefined();
});
