type Env = Record<string, string | undefined>;

/** How traces are sampled, by OpenTelemetry's names; `ratio` is of those that end in `traceidratio`. */
export interface TracingSettings {
  sampler: SamplerName;
  ratio: number;
}

const samplers = ["always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"] as const;
export type SamplerName = (typeof samplers)[number];

/**
 * Whether, and how, traces are exported, by the standard variables. Where to, with which headers, certificates and limits
 * OpenTelemetry's exporter reads by itself.
 */
export function tracingSettings(env: Env, problems: string[]): TracingSettings | undefined {
  const read = (...names: string[]): string | undefined => names.map((name) => env[name]?.trim()).find((value) => value);
  if (read("OTEL_SDK_DISABLED")?.toLowerCase() === "true" || read("OTEL_TRACES_EXPORTER") === "none") return undefined;
  if (!read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")) return undefined;

  const expect = (name: string, found: string | undefined, allowed: readonly string[]): void => {
    if (found !== undefined && !allowed.includes(found)) problems.push(`${name}: found ${JSON.stringify(found.slice(0, 100))}, expected ${allowed.join(" or ")}`);
  };
  expect("OTEL_TRACES_EXPORTER", read("OTEL_TRACES_EXPORTER"), ["otlp", "none"]);
  expect("OTEL_EXPORTER_OTLP_PROTOCOL", read("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"), ["http/json"]);
  const sampler = read("OTEL_TRACES_SAMPLER") ?? "parentbased_always_on";
  expect("OTEL_TRACES_SAMPLER", sampler, samplers);
  const ratio = Number(read("OTEL_TRACES_SAMPLER_ARG") ?? 1);
  if (!(ratio >= 0 && ratio <= 1)) problems.push("OTEL_TRACES_SAMPLER_ARG: expected a number from 0 to 1");
  return { sampler: sampler as SamplerName, ratio };
}
