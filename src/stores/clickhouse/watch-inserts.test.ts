import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestHistory } from "../../testing/test-history.ts";

let opened: Awaited<ReturnType<typeof openTestHistory>>;
beforeAll(async () => {
  opened = await openTestHistory();
});
afterAll(() => opened.drop());

test("after an insert that failed the engine is well while it can write, until one succeeds", async () => {
  const { history } = opened;
  const insert = (table: string): Promise<void> => history.insert(table, [{ tenant: 1, identity: 1, profile: 1, version: 1 }]);
  await expect(insert("nowhere")).rejects.toThrow();
  await expect(history.check()).resolves.toBeUndefined();

  await history.command("rename table write_probe to away");
  await expect(history.check()).rejects.toThrow(/write_probe/);
  await insert("identity_profile");
  await expect(history.check()).resolves.toBeUndefined();

  await expect(insert("nowhere")).rejects.toThrow();
  await expect(history.check()).rejects.toThrow(/write_probe/);
  await history.command("rename table away to write_probe");
  await expect(history.check()).resolves.toBeUndefined();
});
