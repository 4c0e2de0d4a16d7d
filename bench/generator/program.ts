import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createWorkload, type Workload } from "../workload.ts";

export interface GeneratorTask {
  url: string;
  key: string;
  profiles: number;
  seed: number;
  /** Part of the event ids. */
  run: string;
  rowsPerRequest: number;
  connections: number;
}

/** What it says every second; counts are since its start. */
export interface GeneratorReport {
  accepted: number;
  /** Requests that were answered 503 and sent again after `Retry-After`. */
  turnedAway: number;
  cpuS: number;
}

const reportMs = 1_000;
/** A sender that was held up makes up for that much, or the rate would be another for long after. */
const behindMsMax = 1_000;
const retryAfterSDefault = 1;

interface Answer {
  status: number;
  retryAfterS: number;
  body: string;
}

function post({ url, key }: GeneratorTask, agent: Agent, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(`${url}/api/cdp/events/batch`, {
      method: "POST", agent, headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "content-length": Buffer.byteLength(body) },
    }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk)).on("error", reject).on("end", () => {
        resolve({ status: answer.statusCode ?? 0, retryAfterS: Number(answer.headers["retry-after"] ?? retryAfterSDefault), body: text });
      });
    });
    call.on("error", reject).end(body);
  });
}

/** Sends batches at the rate that was last told, evenly spaced, from one loop per connection. */
function startGenerator(task: GeneratorTask, workload: Workload) {
  const agent = new Agent({ keepAlive: true, maxSockets: task.connections });
  const counts = { accepted: 0, turnedAway: 0 };
  let rate = 0;
  let dueMs = performance.now();

  async function send(body: string): Promise<void> {
    for (;;) {
      const answer = await post(task, agent, body);
      if (answer.status === 202) return void (counts.accepted += task.rowsPerRequest);
      if (answer.status !== 503) throw new Error(`the server answered ${answer.status}: ${answer.body.slice(0, 500)}`);
      counts.turnedAway++;
      await sleep(answer.retryAfterS * 1000);
    }
  }
  /** Waits for the next turn: turns are given out one after the other, so that any number of connections keep to one rate. */
  async function turn(): Promise<void> {
    while (rate === 0) await sleep(20);
    const mine = Math.max(dueMs, performance.now() - behindMsMax);
    dueMs = mine + (task.rowsPerRequest / rate) * 1000;
    if (mine > performance.now()) await sleep(mine - performance.now());
  }
  async function loop(): Promise<void> {
    for (;;) {
      await turn();
      await send(workload.body(task.rowsPerRequest, Date.now()));
    }
  }
  for (let n = 0; n < task.connections; n++) void loop();
  return {
    setRate(perS: number): void {
      rate = perS;
      dueMs = performance.now();
    },
    report(): GeneratorReport {
      const { user, system } = process.cpuUsage();
      return { ...counts, cpuS: (user + system) / 1e6 };
    },
  };
}

const task = JSON.parse(process.argv[2] as string) as GeneratorTask;
const generator = startGenerator(task, createWorkload({ profiles: task.profiles, seed: task.seed, run: task.run }));
process.on("message", (message: { rate: number }) => generator.setRate(message.rate));
process.once("disconnect", () => process.exit(0));
setInterval(() => process.send?.(generator.report()), reportMs);
process.send?.(generator.report());
