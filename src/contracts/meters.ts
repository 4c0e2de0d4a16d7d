/** Every figure that `/metrics` shows, by name. The first five are STREAM's. None carries a tenant. */
export const meterHelp = {
  cdp_events_buffered: "Events waiting in the window (gauge)",
  cdp_events_processed: "Events processed into history and state",
  cdp_events_late: "Events that were older than the window when they arrived",
  cdp_events_dropped: "Events beyond the grace period that a quarantine policy held back",
  cdp_events_dedup_hits: "Duplicates recognised",
  cdp_events_accepted: "Events answered 2xx",
  cdp_events_rejected: "Rows refused at the door",
  cdp_events_dead_lettered: "Accepted events that no step could process",
  cdp_dedup_conflicts: "Duplicates whose content differs from the first",
  cdp_window_early_releases: "Events released early because the window was full",
  cdp_profiles_refolded: "Profiles folded anew from history",
  cdp_profiles_merged: "Profiles absorbed into another",
  cdp_links_refused: "Links refused by resolution",
  cdp_regions_frozen: "Identity regions too large to re-scan",
  cdp_log_bytes: "Size of the local event log (gauge)",
  cdp_backlog_events: "Accepted events not yet in state (gauge)",
  cdp_tick_failures: "Ticks that failed and will be tried again",
} as const;

export type MeterName = keyof typeof meterHelp;

export interface Meters {
  add(name: MeterName, by?: number): void;
  /** Registers how a gauge is read. */
  gauge(name: MeterName, read: () => number): void;
}
