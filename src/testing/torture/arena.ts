import { fileURLToPath } from "node:url";
import { createClient, readMeter, untilProcessed } from "../server-client.ts";
import { createServerProcess, type ServerProcess, until } from "../server-process.ts";
import { checkStrangers } from "./check-identities.ts";
import { checkTenant } from "./check-tenant.ts";
import { doors, type Door, type Draft } from "./draft.ts";
import type { Lateness } from "./expect-event.ts";
import type { FaultOrder } from "./fault-orders.ts";
import { openTenant, pepper, type Tenant } from "./open-tenant.ts";
import type { Random } from "./random.ts";
import { createSender, type Sender } from "./send-events.ts";
import { createWriter, type Writer } from "./write-story.ts";
import type { Figures } from "./figures.ts";

const entry = fileURLToPath(new URL("./faulty-server.ts", import.meta.url));
const windowMs = 100;
const graceMsUsual = 120_000;
const hourMs = 3_600_000;

/** Where an attack takes place: a server, tenants on it that hear the same names and ids, and the books about both. */
export interface Arena {
  server: ServerProcess;
  random: Random;
  /** True when there is little time: a small form of the attack will do. */
  short: boolean;
  figures: Figures;
  sender: Sender;
  lateness: Lateness;
  /** What was found to be wrong. */
  violations: string[];
  /** Restarts the server with other settings, and with new tenants; earlier ones are checked again in the end. */
  begin(options?: { env?: Record<string, string>; graceMs?: number; tenants?: number; people?: number; ageMsMax?: number; doors?: readonly Door[] }): Promise<void>;
  tenants: Tenant[];
  /** New events for every tenant, not sent yet. */
  write(count: number): Draft[][];
  writers: Writer[];
  /** Sends to every tenant what was written for it, until it is answered. */
  send(drafts: readonly Draft[][]): Promise<void>;
  /** Tells the faulty server; what holds for longer than a process is told again at a start. */
  order(order: FaultOrder): void;
  /** Starts the server again after it died. */
  start(): Promise<void>;
  /** The same, and notes how long it took until all it had accepted was processed. */
  recover(): Promise<void>;
  /** Complains unless it holds. */
  demand(holds: boolean, what: string): void;
  /** Answers of `/api/cdp/health`. */
  health(): Promise<{ status: number; failing: string[]; accepting: boolean }>;
  /** Waits until everything is processed and checks this attack's tenants. */
  settle(): Promise<void>;
  /** Checks every tenant that there ever was. */
  checkAll(): Promise<void>;
}

type State = Pick<Arena, "random" | "short" | "figures">;

/** An arena whose server is not started yet. */
export async function openArena({ random, short, figures }: State): Promise<Arena & { close(): Promise<void> }> {
  const server = await createServerProcess({ TRIBUTARY_PEPPER: pepper, EVENT_PROCESSOR_WINDOW_SIZE: `${windowMs}ms`, LOG_LEVEL: "info" }, entry);
  const numbers = new Map<number, string>();
  const everyone: { tenant: Tenant; lateness: Lateness }[] = [];
  let env: Record<string, string> | undefined;
  let clock: Extract<FaultOrder, { kind: "clock" }> = { kind: "clock", offsetMs: 0 };
  let poison: Extract<FaultOrder, { kind: "poison" }> = { kind: "poison", on: false };

  async function start(): Promise<void> {
    server.launch(env);
    for (const order of [clock, poison]) server.tell(order);
    await server.ready();
  }
  async function startWith(wanted: Record<string, string>): Promise<void> {
    if (env !== undefined && JSON.stringify(env) === JSON.stringify(wanted)) return;
    if (env !== undefined) await server.stop();
    env = wanted;
    await start();
  }
  async function check(of: readonly { tenant: Tenant; lateness: Lateness }[]): Promise<void> {
    for (const { tenant, lateness } of of) {
      const found = await checkTenant(tenant, lateness, numbers);
      arena.violations.push(...found.violations);
      figures.add("histories compared");
      figures.add("events compared", found.events);
      figures.add("profiles compared", found.profiles);
    }
  }

  const arena: Arena = {
    server, random, short, figures, tenants: [], writers: [], violations: [],
    sender: createSender(),
    lateness: { windowMs, graceMs: graceMsUsual },
    async begin({ env: more = {}, graceMs = graceMsUsual, tenants = 2, people = 30, ageMsMax = 48 * hourMs, doors: open = doors } = {}) {
      await startWith({ EVENT_PROCESSOR_GRACE_PERIOD: `${graceMs}ms`, ...more });
      arena.lateness = { windowMs, graceMs };
      const names = Array.from({ length: tenants }, (_, i) => `tenant ${everyone.length + i + 1}`);
      arena.tenants = [];
      for (const name of names) arena.tenants.push(await openTenant(server.url, name));
      everyone.push(...arena.tenants.map((tenant) => ({ tenant, lateness: arena.lateness })));
      arena.writers = names.map((of) => createWriter(random, { of, people, ageMsMax, doors: open }));
    },
    write: (count) => arena.writers.map((writer) => writer.write(count, Date.now() + clock.offsetMs)),
    async send(drafts) {
      await Promise.all(drafts.map(async (own, i) => arena.sender.send(arena.tenants[i] as Tenant, own)));
    },
    order(order) {
      if (order.kind === "poison") poison = order;
      if (order.kind === "clock") {
        clock = order;
        for (const { clock: range } of arena.tenants) {
          Object.assign(range, { least: Math.min(range.least, order.offsetMs), most: Math.max(range.most, order.offsetMs) });
        }
      }
      server.tell(order);
    },
    start,
    async recover() {
      const began = performance.now();
      await start();
      await untilProcessed(server);
      figures.time("recovered after a kill", performance.now() - began);
    },
    demand(holds, what) {
      if (!holds) arena.violations.push(what);
    },
    async health() {
      const { status, body } = await createClient(server.url).get<{ failing?: string[]; accepting?: boolean }>("/api/cdp/health");
      return { status, failing: body.failing ?? [], accepting: body.accepting === true };
    },
    async settle() {
      await untilProcessed(server);
      await check(everyone.slice(-arena.tenants.length));
      for (const tenant of arena.tenants) {
        const seen = await checkStrangers(tenant, arena.tenants.filter((other) => other !== tenant));
        arena.demand(seen.length === 0, `seen by another tenant: ${JSON.stringify(seen)}`);
      }
      await noteMeters();
    },
    async checkAll() {
      await startWith({});
      await untilProcessed(server);
      await check(everyone);
    },
  };

  async function noteMeters(): Promise<void> {
    for (const [meter, figure] of [["cdp_dedup_conflicts", "duplicates of other content refused"], ["cdp_events_dropped", "late events held"]] as const) {
      figures.most(figure, await readMeter(server, meter));
    }
  }
  return Object.assign(arena, {
    async close() {
      arena.sender.abort();
      await server.remove();
    },
  });
}

/** Waits for what an attack demands; false when it does not come. */
export const comesTrue = (what: string, holds: () => boolean | Promise<boolean>, msMax: number): Promise<boolean> =>
  until(what, holds, msMax).then(() => true, () => false);
