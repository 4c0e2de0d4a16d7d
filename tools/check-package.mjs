#!/usr/bin/env node
// Packs the package and runs it by npx in an empty folder, as somebody does who has npm and nothing of this checkout.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { root, startServer } from "./run-server.mjs";

const seenMsMax = 60_000;
const folder = mkdtempSync(join(tmpdir(), "check-package-"));
const work = { tarball: join(folder, "tarball"), cache: join(folder, "cache"), empty: join(folder, "empty"), data: join(folder, "data") };
for (const dir of Object.values(work)) mkdirSync(dir);
// Root's PostgreSQL runs as another user, who must be able to pass.
chmodSync(folder, 0o711);

/** The caller's path without this checkout: what the package lacks must not be found there. */
const path = process.env.PATH.split(delimiter).filter((entry) => !entry.startsWith(root.replace(/\/$/, ""))).join(delimiter);
const run = (command) => execFileSync("bash", ["-c", command], { cwd: work.empty, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

/** npx installs into npm's cache: into one of our own, which shares what was downloaded. */
function shareDownloads() {
  const downloads = join(run("npm config get cache 2>/dev/null").trim(), "_cacache");
  mkdirSync(downloads, { recursive: true });
  symlinkSync(downloads, join(work.cache, "_cacache"));
}

async function sendAndSee({ url, key }) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const sent = await fetch(`${url}/api/cdp/events`, { method: "POST", headers, body: JSON.stringify({ type: "Tried", userId: "ada" }) });
  if (sent.status !== 202) throw new Error(`The event was answered ${sent.status}: ${await sent.text()}`);
  const startedAt = performance.now();
  for (;;) {
    const { status } = await fetch(`${url}/api/cdp/profiles/lookup?type=external_id&value=ada`, { headers });
    if (status === 200) return;
    if (performance.now() - startedAt > seenMsMax) throw new Error(`${seenMsMax / 1000} s later its profile is answered ${status}`);
    await pause(100);
  }
}

try {
  execFileSync("npm", ["pack", "--pack-destination", work.tarball, "--loglevel", "error"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  const [tarball] = readdirSync(work.tarball);
  shareDownloads();
  const npx = `cd "${work.empty}" && PATH="${path}" npm_config_cache="${work.cache}" npx --yes --loglevel error --package "file:${join(work.tarball, tarball)}"`;

  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const said = run(`${npx} tributary --version`).trim();
  if (said !== version) throw new Error(`tributary --version says ${JSON.stringify(said)}, not ${version}`);
  console.log(`ok   npx installs ${tarball}, and it says that it is ${said}`);

  const server = await startServer({ dataDir: work.data, command: `${npx} tributary start`, env: { EVENT_PROCESSOR_WINDOW_SIZE: "100ms" } });
  try {
    await sendAndSee(server);
  } finally {
    await server.stop();
  }
  console.log(`ok   npx starts it in ${(server.readyMs / 1000).toFixed(1)} s, an event gets into its profile, and it ends cleanly`);
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
}
