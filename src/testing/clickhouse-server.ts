import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../tools/clickhouse/serve.ts", import.meta.url));
const outputMax = 20_000;

/** The name that `serve.ts` gives the cluster of itself. */
export const clusterAlone = "alone";

/** An engine behind ClickHouse's HTTP interface, a process of its own on a directory of its own. */
export interface ClickhouseServer {
  readonly port: number;
  /** With user and password. */
  readonly url: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** Makes inserts wait after their rows have come, before they write. */
  delayInserts(ms: number): Promise<void>;
  /** Ids of the statements that run. */
  running(): Promise<string[]>;
  /** Runs a statement with the words for replicas in it; their tables are made, but never become writable here. */
  runAsIs(sql: string): Promise<string>;
  /** Ends it and removes what it wrote. */
  remove(): Promise<void>;
}

const user = "tributary";
const password = "a pass:word/of tests";

export async function startClickhouseServer(): Promise<ClickhouseServer> {
  const dir = await mkdtemp(join(tmpdir(), "tributary-clickhouse-"));
  let child: ChildProcess | undefined;
  let port = 0;

  async function start(): Promise<void> {
    let output = "";
    const started = spawn(process.execPath, [program, dir, "--port", String(port), "--user", user, "--password", password], { stdio: ["ignore", "pipe", "pipe"] });
    child = started;
    await new Promise<void>((resolve, reject) => {
      for (const stream of [started.stdout, started.stderr]) {
        stream.on("data", (bytes: Buffer) => {
          output = (output + bytes.toString()).slice(-outputMax);
          const [, found] = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(output) ?? [];
          if (found === undefined) return;
          port = Number(found);
          resolve();
        });
      }
      started.once("exit", () => reject(new Error(`the server ended:\n${output}`)));
    });
  }
  async function kill(): Promise<void> {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, "exit");
    running.kill("SIGKILL");
    await gone;
  }
  const atExit = (): void => void child?.kill("SIGKILL");
  process.once("exit", atExit);
  const ask = async (path: string): Promise<string> => await (await fetch(`http://127.0.0.1:${port}/tests/${path}`)).text();

  async function runAsIs(sql: string): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${port}/tests/as-is`, { method: "POST", body: sql });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return text;
  }

  await start();
  return {
    runAsIs,
    get port() {
      return port;
    },
    get url() {
      return `http://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}`;
    },
    start,
    kill,
    delayInserts: async (ms) => void (await ask(`delay?ms=${ms}`)),
    running: async () => JSON.parse(await ask("running")) as string[],
    async remove() {
      await kill();
      process.off("exit", atExit);
      await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    },
  };
}
