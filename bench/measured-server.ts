import { get } from "node:http";
import { createUsageMeter, memoryOf, postgresPids, type Usage } from "./processes.ts";
import { adminKey, makeDataDirectory, startServer, type StartedServer } from "./start-server.ts";

/** What the server says and uses at one moment. */
export interface Sample {
  atMs: number;
  /** Accepted and not in state. */
  backlog: number;
  /** In state, duplicates left out. */
  processed: number;
  accepted: number;
  server: Usage;
  postgres: Usage;
}

export interface MeasuredServer {
  readonly dataDir: string;
  /** Where it listens; only after its start. */
  url(): string;
  start(): Promise<void>;
  sample(): Promise<Sample>;
  /** Memory of the server and of PostgreSQL in bytes, shared pages counted once (PSS). Looking costs the process some milliseconds. */
  memory(): { server: number; postgres: number };
  meter(name: string): Promise<number>;
  /** Ends everything and removes the data directory. */
  remove(): Promise<void>;
}

/** A server of the real command with the settings it is shipped with, on a new data directory, not started yet. */
export async function createMeasuredServer(env: Record<string, string> = {}): Promise<MeasuredServer> {
  const data = await makeDataDirectory("server");
  let started: StartedServer | undefined;
  const serverPids = (): number[] => (started ? [started.pid] : []);
  const usage = { server: createUsageMeter(serverPids), postgres: createUsageMeter(() => postgresPids(data.dir)) };
  const url = (): string => {
    if (!started) throw new Error("the server was not started");
    return started.url;
  };
  return {
    dataDir: data.dir,
    url,
    async start() {
      started = await startServer(data.dir, env);
    },
    async sample() {
      const found = await readMeters(url());
      const of = (name: string): number => found.get(name) ?? Number.NaN;
      return {
        atMs: performance.now(), backlog: of("cdp_backlog_events"), processed: of("cdp_events_processed"), accepted: of("cdp_events_accepted"),
        server: usage.server.read(), postgres: usage.postgres.read(),
      };
    },
    memory: () => ({ server: sumOf(serverPids()), postgres: sumOf(postgresPids(data.dir)) }),
    meter: async (name) => (await readMeters(url())).get(name) ?? Number.NaN,
    async remove() {
      await started?.stop();
      await data.remove();
    },
  };
}

const sumOf = (pids: number[]): number => pids.reduce((sum, pid) => sum + memoryOf(pid), 0);

async function readMeters(url: string): Promise<Map<string, number>> {
  const text = await new Promise<string>((resolve, reject) => {
    get(`${url}/metrics`, { headers: { authorization: `Bearer ${adminKey}` } }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => (body += chunk)).on("end", () => resolve(body));
    }).on("error", reject);
  });
  return new Map(text.split("\n").map((line) => line.split(" ")).map(([name = "", value]) => [name, Number(value)]));
}
