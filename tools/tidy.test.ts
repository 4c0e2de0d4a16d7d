import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { errorStatus } from "../src/core/errors.ts";

// What ESLint and the import rules cannot see: the shape of the house as a whole. Each list is empty in a tidy house.
const root = fileURLToPath(new URL("..", import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const list = (...patterns: string[]): string[] => globSync(patterns, { cwd: root }).sort();
const lineCount = (file: string): number => read(file).trimEnd().split("\n").length;

const code = list("{src,bench,tools,bin,migrations,examples}/**/*.{ts,mts,js,mjs,cjs,sql}");
const isTest = (file: string): boolean => file.endsWith(".test.ts") || file.startsWith("src/testing/") || file.includes("/fixtures/");
const production = code.filter((file) => file.startsWith("src/") && file.endsWith(".ts") && !isTest(file));

/** Source text of production code, SQL included, without comments: prose may name a table next to a verb. */
const statements = (file: string): string => read(file).replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*(\/\/|--|\*).*$/gm, "");

describe("names", () => {
  it("of files and folders are kebab-case", () => {
    const kebab = /^[a-z0-9]+(-[a-z0-9]+)*((\.[a-z0-9-]+)?\.test|\.d)?\.[a-z]+$/;
    const folder = /^[a-z0-9]+(-[a-z0-9]+)*$/;
    const odd = code.filter((file) => !kebab.test(basename(file)) || file.split("/").slice(0, -1).some((part) => !folder.test(part)));
    expect(odd).toEqual([]);
  });

  it("say what is inside", () => {
    const drawer = /^(utils?|helpers?|common|lib|types?|misc|shared)(\.|$)/;
    expect(code.filter((file) => file.split("/").some((part) => drawer.test(part)))).toEqual([]);
  });

  it("of change notes are <slug>.<feature|fix|change|removal>.md", () => {
    const notes = list("changes/*").filter((file) => file !== "changes/README.md");
    expect(notes.filter((file) => !/^changes\/[a-z0-9]+(-[a-z0-9]+)*\.(feature|fix|change|removal)\.md$/.test(file))).toEqual([]);
  });
});

describe("sizes", () => {
  it("of production files stay at 300 lines or less, half of them below 100", () => {
    const sizes = production.map((file) => ({ file, lines: lineCount(file) })).sort((a, b) => a.lines - b.lines);
    expect(sizes.filter(({ lines }) => lines > 300)).toEqual([]);
    expect(sizes[Math.floor(sizes.length / 2)]?.lines).toBeLessThan(100);
  });

  it("of a room's README stay at 15 lines or less, and every room has one", () => {
    const notRooms = ["bin", "contracts", "core", "http", "stores", "testing"];
    const rooms = list("src/*/index.ts").map((file) => file.split("/")[1] ?? "").filter((name) => !notRooms.includes(name));
    const missing = rooms.filter((room) => !existsSync(join(root, `src/${room}/README.md`)));
    expect({ missing, long: list("src/*/README.md").filter((file) => lineCount(file) > 15) }).toEqual({ missing: [], long: [] });
  });
});

describe("tables", () => {
  const owners = list("migrations/*/*.sql").flatMap((file) => tablesOf(file));

  it("have an owner, named on the first line of the migration that makes them", () => {
    const unsigned = list("migrations/*/*.sql").filter((file) => !/^--! owner: [a-z0-9-]+/.test(read(file)));
    expect(unsigned).toEqual([]);
    expect(owners.length).toBeGreaterThan(0);
  });

  it("belong to a room that exists", () => {
    expect(owners.filter(({ room }) => !existsSync(join(root, "src", room)))).toEqual([]);
  });

  it.each([
    ["insert into link (a) values (1)", true],
    ["INSERT INTO link\n select 1", true],
    ["update link as l set a = 1", true],
    ["delete from only link where a = 1", true],
    ["history.insert(\"link\", rows)", true],
    ["history.insertBinary(\"link\", columns, rows, write)", true],
    ["history.deleteRows(\"link\", condition, params)", true],
    ["select * from link for update", false],
    ["insert into link_b select * from link", false],
    ["on conflict do update set a = excluded.a", false],
  ])("are written by %j: %s", (statement, expected) => {
    expect(writes("link").test(statement)).toBe(expected);
  });

  it("are written only in the room that owns them", () => {
    const files = [...production, ...list("src/**/*.sql")];
    const texts = files.map((file) => ({ file, room: file.split("/")[1], text: statements(file) }));
    const strangers = owners.flatMap(({ table, room }) =>
      texts.filter((source) => source.room !== room && writes(table).test(source.text)).map(({ file }) => `${file} writes ${table} of ${room}`));
    expect(strangers).toEqual([]);
  });
});

describe("words", () => {
  it("that promise later work are not left in the code", () => {
    // Written apart, or this file would be the first to be found.
    const marks = new RegExp(`\\b(${["FIX" + "ME", "X" + "XX", "HA" + "CK"].join("|")})\\b`);
    const texts = [...code, ...list("*.{js,cjs,ts,json,md}", "docs/**/*.md", "changes/*.md", "src/**/*.md")];
    expect(texts.filter((file) => marks.test(read(file)))).toEqual([]);
  });

  it("of the API's errors are all explained in docs/api.md", () => {
    expect(existsSync(join(root, "docs/api.md")), "docs/api.md does not exist: it explains every error code of src/core/errors.ts").toBe(true);
    const text = read("docs/api.md");
    expect(Object.keys(errorStatus).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

/** `--! owner: access, log_partition:stores` gives one table to the stores and the file's others to access. */
function tablesOf(file: string): { file: string; table: string; room: string }[] {
  const [first = "", ...rest] = read(file).split("\n");
  const [, fallback = "", exceptions = ""] = /^--! owner: ([a-z0-9-]+)(.*)$/.exec(first) ?? [];
  const rooms = new Map<string, string>();
  for (const [, tables = "", room = ""] of exceptions.matchAll(/([a-z0-9_,\s]+):\s*([a-z0-9-]+)/g)) {
    for (const table of tables.split(/[,\s]+/).filter(Boolean)) rooms.set(table, room);
  }
  const made = [...rest.join("\n").matchAll(/^\s*create\s+table\s+(?:if\s+not\s+exists\s+)?"?([a-z0-9_]+)/gim)].map(([, table = ""]) => table);
  return [...new Set([...made, ...rooms.keys()])].map((table) => ({ file, table, room: rooms.get(table) ?? fallback }));
}

/** A statement, or a call of the history client, that changes the rows of a table. */
function writes(table: string): RegExp {
  const name = `(?:only\\s+)?(?:\\w+\\.)?"?${table}"?\\b`;
  return new RegExp([
    `\\b(?:insert|merge)\\s+into\\s+${name}`,
    `\\bdelete\\s+from\\s+${name}`,
    `\\bupdate\\s+${name}\\s+(?:(?:as\\s+)?\\w+\\s+)?set\\b`,
    `\\btruncate\\s+(?:table\\s+)?${name}`,
    `\\bcopy\\s+${name}\\s*(?:\\([^)]*\\)\\s*)?from\\b`,
    `\\balter\\s+table\\s+${name}\\s+(?:update|delete)\\b`,
    `\\.(?:insert(?:Binary)?|deleteRows)\\(\\s*["'\`]${table}["'\`]`,
  ].join("|"), "i");
}
