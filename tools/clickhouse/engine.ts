import { Session } from "chdb";

/** One statement as a request asks for it. */
export interface Statement {
  sql: string;
  /** Values of `{name:Type}`, as they stand in a URL. */
  params: ReadonlyMap<string, string>;
  settings: ReadonlyMap<string, string>;
  database: string;
  /** For an answer whose statement names none. */
  format: string;
}

export interface Engine {
  /** Runs a statement and resolves with its whole answer. */
  run(statement: Statement): Promise<Buffer>;
  /** Runs a statement that reads, and yields its answer piece by piece. What is wrong with it is thrown before the first piece, if it can be known then. */
  stream(statement: Statement): AsyncGenerator<Buffer>;
  close(): void;
}

interface Place {
  session: Session;
  database: string;
  settings: ReadonlyMap<string, string>;
}

/** chdb on one directory. A connection does one thing at a time, so there are several; a statement waits for a free one. */
export function openEngine(dir: string, connections: number, connectionArgs: string[]): Engine {
  const places = Array.from({ length: connections }, (): Place => ({ session: new Session(dir, { connectionArgs }), database: "default", settings: new Map() }));
  const free = [...places];
  const waiting: ((place: Place) => void)[] = [];

  const take = async (): Promise<Place> => free.pop() ?? (await new Promise((resolve) => waiting.push(resolve)));
  const giveBack = (place: Place): void => {
    const next = waiting.shift();
    if (next) next(place);
    else free.push(place);
  };

  return {
    async run(statement) {
      const place = await take();
      try {
        await prepare(place, statement);
        return bytesOf(await execute(place, statement));
      } finally {
        giveBack(place);
      }
    },
    async *stream(statement) {
      const place = await take();
      try {
        await prepare(place, statement);
        // The engine has one set of bound values for all its connections, so such statements run one after the other, as a whole.
        if (statement.params.size > 0) yield bytesOf(await execute(place, statement));
        else for await (const chunk of place.session.queryStream(statement.sql, { format: statement.format })) yield Buffer.from(chunk.raw());
      } finally {
        giveBack(place);
      }
    },
    close: () => places.forEach(({ session }) => session.close()),
  };
}

const execute = ({ session }: Place, { sql, params, format }: Statement) =>
  params.size === 0 ? session.queryAsync(sql, { format }) : session.queryBindAsync(sql, bound(sql, params), { format });

const bytesOf = (answer: { bytes(): Uint8Array }): Buffer => Buffer.from(answer.bytes());

/** Brings a connection to the database and the settings of a request: here they belong to the connection. */
async function prepare(place: Place, { database, settings }: Statement): Promise<void> {
  if (place.database !== database) await place.session.queryAsync(`use \`${database.replace(/[`\\]/g, "\\$&")}\``);
  place.database = database;
  const before = place.settings;
  // Until all are set, what is set is not known.
  place.settings = new Map([...before, ...settings]);
  for (const [name, value] of settings) if (before.get(name) !== value) await set(place, name, `'${value.replace(/[\\']/g, "\\$&")}'`);
  for (const name of before.keys()) if (!settings.has(name)) await set(place, name, "default");
  place.settings = settings;
}

async function set({ session }: Place, name: string, value: string): Promise<void> {
  if (!/^\w+$/.test(name)) throw new Error(`Code: 115. DB::Exception: Setting ${name} is neither a builtin setting nor started with the prefix 'SQL_'. (UNKNOWN_SETTING)`);
  await session.queryAsync(`set ${name} = ${value}`);
}

/** Texts are taken out of the escapes of the URL, because the binding puts them in again; of an array each of its texts. */
function bound(sql: string, params: ReadonlyMap<string, string>): Record<string, unknown> {
  return Object.fromEntries([...params].map(([name, value]) => {
    const type = new RegExp(`\\{\\s*${name}\\s*:([^}]*)\\}`).exec(sql)?.[1] ?? "";
    if (!value.includes("\\")) return [name, value];
    return [name, type.trim().startsWith("Array") ? elements(value) : unescaped(value)];
  }));
}

const elements = (value: string): string[] => [...value.matchAll(/'((?:[^'\\]|\\.)*)'/gs)].map(([, text = ""]) => unescaped(text));

const letters: Record<string, string> = { t: "\t", n: "\n", r: "\r", 0: "\0", b: "\b", f: "\f" };
const unescaped = (value: string): string => value.replace(/\\(.)/gs, (_, letter: string) => letters[letter] ?? letter);
