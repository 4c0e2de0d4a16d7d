/** What the generator process is told, as JSON in its first argument. */
export interface Load {
  port: number;
  path: string;
  key: string;
  connections: number;
  /** Rows a request; 0 sends the event itself, without the envelope of a batch. */
  batch: number;
  ms: number;
  /** Requests a second, evenly spaced; as many as the connections can carry when missing. */
  rate?: number | undefined;
}

/** What it prints, as JSON. Latencies are milliseconds; those of a paced run count from the moment a request was due. */
export interface LoadResult {
  requests: number;
  events: number;
  seconds: number;
  p50: number;
  p99: number;
  max: number;
  /** CPU seconds of the generator, to show that it does not decide. */
  cpuSeconds: number;
}
