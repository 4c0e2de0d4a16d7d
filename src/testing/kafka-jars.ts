import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import pRetry from "p-retry";

/** Paths below a Maven repository, and the SHA-256 of what has to be there. */
const list = new URL("./kafka-jars.json", import.meta.url);
const mavenCentral = "https://repo1.maven.org/maven2";
const atOnce = 6;

const sumOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

async function fetchJar(path: string, sum: string, dir: string, base: string): Promise<void> {
  const file = join(dir, basename(path));
  const kept = await readFile(file).catch(() => undefined);
  if (kept !== undefined && sumOf(kept) === sum) return;
  const bytes = await pRetry(async () => {
    const answer = await fetch(`${base}/${path}`);
    if (!answer.ok) throw new Error(`${base}/${path} answered ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  }, { retries: 3 });
  if (sumOf(bytes) !== sum) throw new Error(`${base}/${path} is not the file that it should be`);
  const making = `${file}.${process.pid}`;
  await writeFile(making, bytes);
  await rename(making, file);
}

/** The directory with the jars of Apache Kafka 4.2.1; brings those that are missing from MAVEN_URL, by default Maven Central. */
export async function fetchKafkaJars(): Promise<string> {
  const base = (process.env["MAVEN_URL"] ?? mavenCentral).replace(/\/+$/, "");
  const dir = join(tmpdir(), "tributary-kafka-4.2.1");
  await mkdir(dir, { recursive: true });
  const waiting = Object.entries(JSON.parse(await readFile(list, "utf8")) as Record<string, string>);
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await fetchJar(next[0], next[1], dir, base);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return dir;
}
