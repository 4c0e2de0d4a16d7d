import { afterAll, beforeAll, expect, test } from "vitest";
import { openArena } from "./arena.ts";
import { checkTenant, type Findings } from "./check-tenant.ts";
import { createFigures } from "./figures.ts";
import { type Sent, type Tenant } from "./open-tenant.ts";
import { createRandom } from "./random.ts";

let arena: Awaited<ReturnType<typeof openArena>>;
beforeAll(async () => {
  arena = await openArena({ random: createRandom(1), short: true, figures: createFigures() });
  await arena.begin({ tenants: 1 });
  await arena.send(arena.write(80));
  await arena.settle();
});
afterAll(() => arena.close());

/** What the checks find in the tenant of the arena once its books are changed by `lie`. */
async function findingsAfter(lie: (ledger: Map<string, Sent>, applied: [string, Sent]) => void): Promise<Findings> {
  const [honest] = arena.tenants as [Tenant];
  const ledger = new Map([...honest.ledger].map(([key, sent]) => [key, { ...sent, draft: { ...sent.draft } }]));
  const applied = [...ledger].find(([, { draft }]) => draft.door === "import" && draft.ts !== undefined && draft.kind === "track");
  if (!applied) throw new Error("nothing was imported");
  lie(ledger, applied);
  return await checkTenant({ ...honest, ledger }, arena.lateness, new Map());
}

test("honest books pass the checks", async () => {
  expect(await findingsAfter(() => undefined)).toMatchObject({ violations: [], events: 80 });
});

test.each<[string, (ledger: Map<string, Sent>, applied: [string, Sent]) => void, RegExp]>([
  ["an event that was lost", (ledger, [, sent]) => ledger.set("api ghost", { ...sent, draft: { ...sent.draft, door: "api", eventId: "ghost" } }), /accepted and lost: 'api ghost'/],
  ["an event that nobody sent", (ledger, [key]) => ledger.delete(key), /in history and never sent/],
  ["content that is not the first accepted", (_, [, sent]) => (sent.draft.properties = { of: "somebody else" }), /not as it was sent/],
  ["another time", (_, [, sent]) => (sent.draft.ts = (sent.draft.ts ?? 0) - 1), /not as it was sent.*timestamp/s],
  ["an event that belongs to somebody else", (_, [, sent]) => (sent.draft.identifiers = [{ kind: "external_id", value: "nobody" }]), /another profile than the reference makes/],
  ["an arrival before the sending", (_, [, sent]) => (sent.firstSentAt += 60_000), /arrived at another time/],
])("the checks find %s", async (_, lie, violation) => {
  const { violations } = await findingsAfter(lie);
  expect(violations.join("\n")).toMatch(violation);
});

test("the checks find late events that were applied", async () => {
  const [tenant] = arena.tenants as [Tenant];
  const { violations } = await checkTenant(tenant, { windowMs: 0, graceMs: 0 }, new Map());
  expect(violations.join("\n")).toMatch(/held though it was in time, or applied though it was late/);
});
