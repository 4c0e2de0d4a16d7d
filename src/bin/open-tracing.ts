import type { Context, Tracer } from "@opentelemetry/api";
import type { Sampler } from "@opentelemetry/sdk-trace";
import type { Logger } from "../contracts/logger.ts";
import type { DoneWork, Tracing } from "../contracts/tracing.ts";
import type { TracingSettings } from "./tracing-settings.ts";

interface OpenTracing extends Tracing {
  /** Sends what has not been sent, for 2 s at most. */
  close(): Promise<void>;
}

const flushMsMax = 2_000;

/** Loaded for those alone who collect traces: the packages take 26 MB and 0.2 s. */
const load = async () => ({
  api: await import("@opentelemetry/api"),
  core: await import("@opentelemetry/core"),
  resources: await import("@opentelemetry/resources"),
  sdk: await import("@opentelemetry/sdk-trace"),
  exporter: await import("@opentelemetry/exporter-trace-otlp-http"),
});
type Loaded = Awaited<ReturnType<typeof load>>;

function createSampler({ sdk }: Loaded, { sampler, ratio }: TracingSettings): Sampler {
  const root = sampler.endsWith("traceidratio") ? new sdk.TraceIdRatioBasedSampler(ratio)
    : sampler.endsWith("always_off") ? new sdk.AlwaysOffSampler() : new sdk.AlwaysOnSampler();
  return sampler.startsWith("parentbased_") ? new sdk.ParentBasedSampler({ root }) : root;
}

function createRecord({ api, core }: Loaded, tracer: Tracer): Tracing["record"] {
  const callers = new core.W3CTraceContextPropagator();
  const parentOf = (headers: DoneWork["askedBy"]): Context =>
    headers ? callers.extract(api.ROOT_CONTEXT, headers, api.defaultTextMapGetter) : api.ROOT_CONTEXT;

  return function record({ name, kind, fromMs, toMs, attributes, failed, askedBy, stages = [] }) {
    const kinds = { request: api.SpanKind.SERVER, internal: api.SpanKind.INTERNAL };
    const span = tracer.startSpan(name, { kind: kinds[kind], startTime: fromMs, attributes }, parentOf(askedBy));
    if (failed) span.setStatus({ code: api.SpanStatusCode.ERROR });
    const within = api.trace.setSpan(api.ROOT_CONTEXT, span);
    for (const stage of stages) tracer.startSpan(stage.name, { startTime: stage.fromMs }, within).end(stage.toMs);
    span.end(toMs);
  };
}

/** Exports traces over OTLP/HTTP; nothing waits for it, and what a collector does not take is dropped. */
export async function openTracing(settings: TracingSettings, version: string, logger: Logger): Promise<OpenTracing> {
  const loaded = await load();
  const { api, resources, sdk, exporter } = loaded;
  const tell = (message: string): void => logger.warn({ message: message.slice(0, 500) }, "traces could not be exported");
  const silent = (): void => undefined;
  api.diag.setLogger({ error: tell, warn: tell, info: silent, debug: silent, verbose: silent }, api.DiagLogLevel.WARN);
  const detected = resources.detectResources({ detectors: [resources.envDetector] });
  const provider = new sdk.TracerProvider({
    resource: resources.defaultResource().merge(resources.resourceFromAttributes({ "service.name": "tributary", "service.version": version })).merge(detected),
    sampler: createSampler(loaded, settings),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new exporter.OTLPTraceExporter() })],
  });
  return {
    record: createRecord(loaded, provider.getTracer("tributary", version)),
    async close() {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, flushMsMax);
      await Promise.race([provider.shutdown().catch((error: unknown) => tell(String(error))), late]);
      clearTimeout(timer);
    },
  };
}
