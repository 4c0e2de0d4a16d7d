import { readdir } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { Attack } from "./attack.ts";
import { type Arena, openArena } from "./arena.ts";
import { createFigures } from "./figures.ts";
import { createRandom } from "./random.ts";
import { drawCurve, watchMemory } from "./watch-memory.ts";

export interface TortureOptions {
  seed: number;
  /** Begins no other attack after this. */
  ms: number;
  /** Small forms of the attacks. */
  short: boolean;
  /** Names; all when empty. */
  only: readonly string[];
  print(line: string): void;
}

/** Everything together has to run in 2 GB. */
const memoryMbMax = 2048;

/** An attack lasts some minutes at most; one that hangs must say so. */
const attackMsMax = 900_000;

const attacksFolder = new URL("./attacks/", import.meta.url);

/** All attacks, by the names of their files. */
async function findAttacks(): Promise<Attack[]> {
  const files = (await readdir(attacksFolder)).filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts")).sort();
  return await Promise.all(files.map(async (file) => ((await import(new URL(file, attacksFolder).href)) as { default: Attack }).default));
}

async function inTime(attack: Attack, arena: Arena): Promise<void> {
  const given = new AbortController();
  const hangs = pause(attackMsMax, undefined, { signal: given.signal }).then(() => {
    throw new Error(`${attack.name} hangs: it did not end in ${attackMsMax / 1000} s`);
  });
  await Promise.race([attack.run(arena), hangs]).finally(() => given.abort());
}

/** Attacks one server in one way after another. Resolves with what was violated. */
export async function runAttacks({ seed, ms, short, only, print }: TortureOptions): Promise<string[]> {
  const random = createRandom(seed);
  const figures = createFigures();
  const all = await findAttacks();
  const unknown = only.filter((name) => !all.some((attack) => attack.name === name));
  if (unknown.length > 0) throw new Error(`no such attack: ${unknown.join()}; there are ${all.map(({ name }) => name).join()}`);
  const attacks = all.filter(({ name }) => only.length === 0 || only.includes(name));
  print(`seed ${seed}: ${attacks.map(({ name }) => name).join(", ")}`);

  const began = performance.now();
  const elapsedS = (): string => `${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s`;
  const arena = await openArena({ random, short, figures });
  const memory = watchMemory(() => arena.server.pids());
  try {
    for (let done = false; !done; ) {
      for (const attack of random.shuffle(attacks)) {
        print(`${elapsedS()}  ${attack.name}: ${attack.does}`);
        const known = arena.violations.length;
        await inTime(attack, arena);
        figures.add("attacks");
        for (const violation of arena.violations.slice(known)) print(`        VIOLATED ${violation}`);
        done = performance.now() - began > ms;
        if (done) break;
      }
    }
    print(`${elapsedS()}  every history once more`);
    await arena.checkAll();
  } catch (error) {
    arena.violations.push(`the torture itself ended: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n${arena.server.output().slice(-3000)}`);
  } finally {
    memory.stop();
    await arena.close();
  }
  const mostMb = Math.max(0, ...memory.samples);
  arena.demand(mostMb <= memoryMbMax, `${mostMb} MB of memory were used, ${memoryMbMax} MB are allowed`);
  for (const [name, count] of Object.entries(arena.sender.figures)) figures.add(`events ${name}`, count);
  const violations = [...new Set(arena.violations)];
  for (const line of [...figures.lines(), `minutes: ${((performance.now() - began) / 60_000).toFixed(1)}`]) print(`  ${line}`);
  print(`  memory (PSS of server and PostgreSQL): ${mostMb} MB at most  ${drawCurve(memory.samples)}`);
  for (const violation of violations) print(`VIOLATED ${violation}`);
  print(violations.length === 0 ? `Everything held. Seed ${seed}.` : `${violations.length} violations. Seed ${seed}.`);
  return violations;
}
