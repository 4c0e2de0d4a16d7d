import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { chmod, mkdir, mkdtemp } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const key = "admin-key-of-the-benchmark";
const startMsMax = 60_000;
const ticksPerSecond = 100;
const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A server process under load, and where it takes events. */
export interface Target {
  name: string;
  port: number;
  key: string;
  paths: { single: string; batch: string };
  /** User and system CPU seconds of the process so far, all threads. Linux only. */
  cpuSeconds(): number;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

function readCpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

interface Start {
  name: string;
  args: string[];
  port: number;
  paths: Target["paths"];
  env?: Record<string, string>;
}

function run({ name, args, port, paths, env = {} }: Start): { target: Target; child: ChildProcess } {
  const child = spawn(process.execPath, args, { env: { PATH: process.env["PATH"] ?? "", ...env }, stdio: "ignore" });
  const kill = (): boolean => child.kill("SIGKILL");
  process.once("exit", kill);
  const ended = once(child, "exit");
  void ended.then(() => process.off("exit", kill));
  const target: Target = {
    name, port, key, paths,
    cpuSeconds: () => readCpuSeconds(child.pid ?? 0),
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
  return { target, child };
}

/** Asks until `good` answers a request, because a server's door may open long before everything behind it. */
async function untilOpen({ target, child }: { target: Target; child: ChildProcess }, path: string, good: (status: number) => boolean): Promise<void> {
  const endMs = performance.now() + startMsMax;
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${target.port}${path}`, { headers: { authorization: `Bearer ${key}` } }).catch(() => undefined);
    await response?.arrayBuffer();
    if (response && good(response.status)) return;
    if (child.exitCode !== null || performance.now() > endMs) throw new Error(`${target.name} did not start`);
    await pause(50);
  }
}

/**
 * Our server, whose database cannot be reached: a first start makes tenant and key, which are mirrored beside the log, a second
 * one finds no PostgreSQL. Then the door works as always, and nothing behind it processes what it takes.
 */
export async function startOurs(dir: string, env: Record<string, string> = {}): Promise<Target> {
  const port = await findFreePort();
  const start: Start = {
    name: "tributary", args: [fileOf("../../bin/tributary.js"), "start"], port, paths: { single: "/api/cdp/events", batch: "/api/cdp/events/batch" },
    env: { DATA_DIR: dir, PORT: String(port), TRIBUTARY_ADMIN_KEY: key, LOG_LEVEL: "error", ...env },
  };
  const first = run(start);
  await untilOpen(first, "/api/cdp/sources", (status) => status === 200);
  await first.target.stop();
  const second = run({ ...start, env: { ...start.env, DATABASE_URL: "postgres://127.0.0.1:1/nothing-listens-here" } });
  await untilOpen(second, "/metrics", (status) => status === 200);
  return second.target;
}

export async function startFloor(dir: string, env: Record<string, string> = {}): Promise<Target> {
  const port = await findFreePort();
  const floor = run({ name: "floor", args: [fileOf("floor-server.ts"), dir, String(port)], port, paths: { single: "/event", batch: "/batch" }, env });
  await untilOpen(floor, "/", (status) => status === 404);
  return floor.target;
}

/** A directory for one benchmark, removed when the process ends. PostgreSQL started by root runs as another user, who must be able to pass. */
export async function makeDirectory(): Promise<{ ours: string; floor: string; remove(): void }> {
  const dir = await mkdtemp(join(tmpdir(), "bench-accept-"));
  await chmod(dir, 0o711);
  const [ours, floor] = [join(dir, "ours"), join(dir, "floor")];
  for (const one of [ours, floor]) await mkdir(one, { mode: 0o755 });
  const remove = (): void => rmSync(dir, { recursive: true, force: true, maxRetries: 20 });
  process.once("exit", remove);
  return { ours, floor, remove };
}
