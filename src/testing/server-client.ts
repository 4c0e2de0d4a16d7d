import { adminKey, type ServerProcess, until } from "./server-process.ts";

export interface Answer<Body = unknown> {
  status: number;
  headers: Headers;
  body: Body;
}

/** One page of a list. */
interface Page<Row> {
  data: Row[];
  meta: { nextCursor: string | null };
}

export interface EventRow {
  eventId: string;
  profileId: string | null;
  type: string;
  timestamp: string;
  properties: Record<string, unknown>;
  sourceId: string | null;
}

export interface ProfileRow {
  id: string;
  attributes: Record<string, unknown>;
  totalEvents: number;
  totalPurchases: number;
  totalRevenue: number;
  identifiers: { type: string; value: string | null }[];
}

/** The API of a running server as the holder of a key. */
export interface Client {
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  post<Body = unknown>(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer<Body>>;
  get<Body = unknown>(path: string): Promise<Answer<Body>>;
  /** `data` of an answer that must be 200. */
  read<Data>(path: string): Promise<Data>;
  /** All rows of a list, page by page. */
  list<Row>(path: string, limit?: number): Promise<Row[]>;
  /** The profile of an identifier, undefined when there is none. */
  lookup(type: string, value: string): Promise<ProfileRow | undefined>;
  statusOf(eventId: string): Promise<string>;
  /** The holder of the same key at another server. */
  at(url: string): Client;
}

/** What a body is sent as: text and bytes as they are, anything else as JSON. */
const payload = (body: unknown): string | Uint8Array<ArrayBuffer> =>
  typeof body === "string" ? body : body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body);

export function createClient(url: string, key: string = adminKey): Client {
  async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(url + path, {
      method,
      headers: { ...(key !== "" && { authorization: `Bearer ${key}` }), ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: payload(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    return { status: response.status, headers: response.headers, body: isJson ? (JSON.parse(text) as unknown) : text };
  }

  async function readPage<Body>(path: string): Promise<Body> {
    const { status, body } = await send("GET", path);
    if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${JSON.stringify(body)}`);
    return body as Body;
  }

  return {
    send,
    at: (other) => createClient(other, key),
    post: async <Body>(path: string, body: unknown, headers?: Record<string, string>) => (await send("POST", path, body, headers)) as Answer<Body>,
    get: async <Body>(path: string) => (await send("GET", path)) as Answer<Body>,
    read: async <Data>(path: string) => (await readPage<{ data: Data }>(path)).data,
    async list<Row>(path: string, limit = 1000) {
      const rows: Row[] = [];
      let cursor: string | null = "";
      while (cursor !== null) {
        const place: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
        const page: Page<Row> = await readPage(`${path}${path.includes("?") ? "&" : "?"}limit=${limit}${place}`);
        rows.push(...page.data);
        cursor = page.meta.nextCursor;
      }
      return rows;
    },
    async lookup(type, value) {
      const { status, body } = await send("GET", `/api/cdp/profiles/lookup?${new URLSearchParams({ type, value }).toString()}`);
      if (status === 404) return undefined;
      if (status !== 200) throw new Error(`looking up ${type} answered ${status}: ${JSON.stringify(body)}`);
      return (body as { data: ProfileRow }).data;
    },
    async statusOf(eventId) {
      const { status, body } = await send("GET", `/api/cdp/events/${encodeURIComponent(eventId)}`);
      return status === 200 ? (body as { data: { status: string } }).data.status : `answered ${status}`;
    },
  };
}

/** A meter of the process that runs now; counters begin at 0 with each start. */
export async function readMeter(server: Pick<ServerProcess, "url">, name: string): Promise<number> {
  const { status, body } = await createClient(server.url).get<string>("/metrics");
  if (status !== 200) throw new Error(`/metrics answered ${status}`);
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(body)?.[1]);
}

/** Waits until everything accepted is processed. */
export async function untilProcessed(server: Pick<ServerProcess, "url">, msMax = 120_000): Promise<void> {
  await until("the backlog is empty", async () => (await readMeter(server, "cdp_backlog_events")) === 0, msMax);
}
