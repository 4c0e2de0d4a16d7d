import { inspect, isDeepStrictEqual } from "node:util";
import type { CanonicalEvent } from "../../contracts/canonical-event.ts";
import { eventKey } from "../../core/event-key.ts";
import { defaultTenantSettings } from "../../core/tenant-defaults.ts";
import type { Accepted } from "../reference-components.ts";
import { type ReferenceProfile, referenceProfiles } from "../reference-model.ts";
import { until } from "../server-process.ts";
import { doors } from "./draft.ts";
import { expectEvent, type Lateness } from "./expect-event.ts";
import { ledgerKey, pepperBytes, type Sent, type Tenant } from "./open-tenant.ts";
import { checkLookups, checkNumbers } from "./check-identities.ts";
import { type EventShown, type HeldShown, readProfiles } from "./read-tenant.ts";

/** What was found to be wrong, in sentences, and how much was looked at. */
export interface Findings {
  violations: string[];
  events: number;
  profiles: number;
}

const shownMax = 5;
/** A row's time of arrival lies between its sending and its answer, but for the two clocks' rounding. */
const clockMs = 20;

/** Compares everything that the API shows of a tenant, of which nothing is under way any more, with what must be true. */
export async function checkTenant(tenant: Tenant, lateness: Lateness, numbers: Map<number, string>): Promise<Findings> {
  const violations: string[] = [];
  const complain = (what: string, cases: readonly unknown[]): void => {
    if (cases.length === 0) return;
    violations.push(`${tenant.name}: ${cases.length} × ${what}: ${cases.slice(0, shownMax).map((one) => inspect(one, { depth: 6, breakLength: 200 })).join("\n    ")}`);
  };
  const { client, ledger } = tenant;
  const history = await client.list<EventShown>("/api/cdp/events");
  const held = await client.list<HeldShown>("/api/cdp/quarantine");
  const rows = byLedgerKey(tenant, history);
  const heldRows = byLedgerKey(tenant, held);

  complain("in history more than once", [...rows].filter(([, own]) => own.length > 1).map(([key]) => key));
  complain("in history and never sent", [...rows.keys()].filter((key) => !ledger.has(key)));
  complain("in history and in quarantine", [...rows.keys()].filter((key) => heldRows.has(key)));
  complain("accepted and lost", [...ledger].filter(([key, sent]) => sent.answeredAt !== undefined && !rows.has(key) && !heldRows.has(key)).map(([key]) => key));
  complain("dead-lettered", held.filter((row) => row.status !== "quarantined"));

  const { accepted, astray, misjudged, changed } = judge(tenant, lateness, rows, heldRows);
  complain("arrived at another time than it was sent", astray);
  complain("held though it was in time, or applied though it was late", misjudged);
  complain("not as it was sent", changed);

  const expected = referenceProfiles(accepted, defaultTenantSettings, pepperBytes);
  const profiles = await readProfiles(tenant, history);
  const live = [...profiles.values()].sort((x, y) => (x.identifiers.join() < y.identifiers.join() ? -1 : 1));
  complain("another profile than the reference makes", compareProfiles(live, expected));
  complain("an identifier that leads elsewhere", await checkLookups(tenant, profiles));
  complain("a number given twice", checkNumbers(tenant, profiles, numbers));
  complain("totals", await checkTotals(tenant, accepted.length));
  return { violations, events: accepted.length + heldRows.size, profiles: profiles.size };
}

/** Every event that was sent, against its row: what counts, and what is wrong with it. */
function judge(tenant: Tenant, lateness: Lateness, rows: ReadonlyMap<string, EventShown[]>, heldRows: ReadonlyMap<string, HeldShown[]>) {
  const [accepted, astray, misjudged, changed]: [Accepted[], object[], object[], object[]] = [[], [], [], []];
  for (const [key, sent] of tenant.ledger) {
    const [row, holding] = [rows.get(key)?.[0], heldRows.get(key)?.[0]];
    const shown = row ?? holding;
    if (!shown) continue;
    const receivedAt = Date.parse(shown.receivedAt);
    const event = expectEvent(tenant, sent, receivedAt, lateness);
    if (!arrivedWhenSent(tenant, sent, receivedAt)) astray.push({ key, receivedAt, ...sent });
    if ((holding !== undefined) !== (event.held !== undefined)) misjudged.push({ key, is: holding ? "held" : "applied", event });
    if (row) changed.push(...differences(row, event));
    if (row) accepted.push({ event, key: eventKey(tenant.tenantId, event.sourceId, event.eventId) });
  }
  return { accepted, astray, misjudged, changed };
}

function byLedgerKey<Row extends { sourceId: string | null; eventId: string }>(tenant: Tenant, rows: readonly Row[]): Map<string, Row[]> {
  const doorOf = new Map(doors.map((door) => [tenant.publicSourceIds[door], door]));
  return Map.groupBy(rows, (row) => ledgerKey(doorOf.get(row.sourceId ?? "") ?? "api", row.eventId));
}

function arrivedWhenSent({ clock }: Tenant, { firstSentAt, answeredAt = Infinity }: Sent, receivedAt: number): boolean {
  return receivedAt >= firstSentAt + clock.least - clockMs && receivedAt <= answeredAt + clock.most + clockMs;
}

const sorted = (list: readonly { value: string }[]): string[] => list.map((one) => JSON.stringify(one)).sort();

/** The fields of an event's row that are not what they must be. */
function differences(row: EventShown, event: CanonicalEvent): object[] {
  const must: [string, unknown, unknown][] = [
    ["type", row.type, event.name],
    ["kind", row.kind, event.kind],
    ["timestamp", Date.parse(row.timestamp), event.ts],
    ["properties", row.properties, event.properties],
    ["traits", row.traits, event.traits ?? null],
    ["identifiers", sorted(row.identifiers), sorted(event.identifiers.filter(({ kind }) => kind !== "profile").map(({ kind, value }) => ({ type: kind, value })))],
    ["sessionId", row.sessionId, event.sessionId ?? null],
    ["late", row.late, event.late],
    ["historical", row.historical, event.historical === true],
  ];
  return must.filter(([, is, should]) => !isDeepStrictEqual(is, should)).map(([field, is, should]) => ({ eventId: row.eventId, field, is, should }));
}

/** The first profiles that differ, each with the fields in which it does. */
function compareProfiles(live: readonly ReferenceProfile[], expected: readonly ReferenceProfile[]): object[] {
  const nameOf = (profile: ReferenceProfile): string => profile.identifiers.join();
  const should = new Map(expected.map((profile) => [nameOf(profile), profile]));
  const is = new Map(live.map((profile) => [nameOf(profile), profile]));
  const strangers = [...live.filter((one) => !should.has(nameOf(one))).map((one) => ({ is: one.identifiers, events: one.totalEvents })),
    ...expected.filter((one) => !is.has(nameOf(one))).map((one) => ({ should: one.identifiers, events: one.totalEvents }))];
  const twins = is.size < live.length ? [{ is: "two profiles of the same identifiers" }] : [];
  const others = live.flatMap((one) => {
    const other = should.get(nameOf(one));
    const fields = (Object.keys(one) as (keyof ReferenceProfile)[]).filter((field) => other && !isDeepStrictEqual(one[field], other[field]));
    return fields.map((field) => ({ profile: one.identifiers[0], field, is: one[field], should: other?.[field] }));
  });
  return [...twins, ...strangers, ...others];
}

/** Totals are kept for a moment, so they may come late. */
async function checkTotals({ client }: Tenant, events: number): Promise<object[]> {
  const read = () => client.read<{ totalEvents: number }>("/api/cdp/stats");
  const isRight = await until("totals are right", async () => (await read()).totalEvents === events, 5000).then(() => true, () => false);
  return isRight ? [] : [{ should: events, is: await read() }];
}
