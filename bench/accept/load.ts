import { setTimeout as pause } from "node:timers/promises";
import { openConnection, type Connection } from "./connection.ts";
import type { Load, LoadResult } from "./load-result.ts";
import { makeBodies, type Body } from "./rows.ts";

const poolEvents = 6_400;
const ok = 202;

async function sendFresh(connection: Connection, body: Body): Promise<void> {
  body.renew(new Date().toISOString());
  const status = await connection.send(body.bytes);
  if (status !== ok) throw new Error(`answered ${status}`);
}

/** Every connection sends its next request as soon as the last is answered. */
async function sendFlatOut(connections: Connection[], bodies: Body[], ms: number): Promise<number[]> {
  const latencies: number[] = [];
  const end = performance.now() + ms;
  await Promise.all(connections.map(async (connection, i) => {
    for (let n = i; performance.now() < end; n += connections.length) {
      const sentAt = performance.now();
      await sendFresh(connection, bodies[n % bodies.length] as Body);
      latencies.push(performance.now() - sentAt);
    }
  }));
  return latencies;
}

/** Requests are due at even distances whatever the answers do; one that finds no free connection waits, and that counts. */
async function sendPaced(connections: Connection[], bodies: Body[], ms: number, rate: number): Promise<number[]> {
  const latencies: number[] = [];
  const start = performance.now();
  const total = Math.floor(rate * ms / 1000);
  let next = 0;
  await Promise.all(connections.map(async (connection, i) => {
    for (let own = i; next < total; own += connections.length) {
      const due = start + next++ * 1000 / rate;
      // A timer rounds up to the next millisecond, which would be counted as the server's: what is due within it goes out now.
      const early = due - performance.now();
      if (early >= 1) await pause(Math.floor(early));
      await sendFresh(connection, bodies[own % bodies.length] as Body);
      latencies.push(Math.max(0, performance.now() - due));
    }
  }));
  return latencies;
}

const load = JSON.parse(process.argv[2] ?? "") as Load;
const bodyCount = Math.max(load.connections, Math.floor(poolEvents / Math.max(load.batch, 1)));
// A body is rewritten in place, so that no two connections may share one at a time: each index belongs to one of them.
const bodies = makeBodies(bodyCount - (bodyCount % load.connections), load.batch, `run${process.pid}${Date.now() % 1_000_000}`);
const connections = await Promise.all(Array.from({ length: load.connections }, () => openConnection(load.port, load.path, load.key)));
const cpuBefore = process.cpuUsage();
const start = performance.now();
const latencies = await (load.rate === undefined ? sendFlatOut(connections, bodies, load.ms) : sendPaced(connections, bodies, load.ms, load.rate));
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
for (const connection of connections) connection.close();

latencies.sort((a, b) => a - b);
const at = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
const result: LoadResult = {
  requests: latencies.length, events: latencies.length * Math.max(load.batch, 1), seconds, p50: at(0.5), p99: at(0.99), max: latencies.at(-1) ?? 0,
  cpuSeconds: (user + system) / 1e6,
};
process.stdout.write(JSON.stringify(result));
