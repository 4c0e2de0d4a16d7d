/** A part of some work, in milliseconds since 1970, fractions included. */
export interface Stage {
  name: string;
  fromMs: number;
  toMs: number;
}

/** A piece of work that is done. Attributes never hold what a tenant sent, nor anything about a person. */
export interface DoneWork extends Stage {
  kind: "request" | "internal";
  attributes: Record<string, string | number>;
  failed: boolean;
  /** Headers that may name the trace of whoever asked for it. */
  askedBy?: Record<string, string | string[] | undefined>;
  /** What it consisted of. */
  stages?: Stage[];
}

/** Takes note of work for whoever collects traces. */
export interface Tracing {
  record(work: DoneWork): void;
}
