import { expect, test } from "vitest";
import { tracingSettings } from "./tracing-settings.ts";

const to = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

test.each([
  ["nothing", {}],
  ["a service name alone", { OTEL_SERVICE_NAME: "cdp" }],
  ["an empty endpoint", { OTEL_EXPORTER_OTLP_ENDPOINT: " " }],
  ["OTEL_SDK_DISABLED", { ...to, OTEL_SDK_DISABLED: "TRUE", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }],
  ["OTEL_TRACES_EXPORTER=none", { ...to, OTEL_TRACES_EXPORTER: "none" }],
])("%s exports no traces", (_, env) => {
  const problems: string[] = [];
  expect([tracingSettings(env, problems), problems]).toEqual([undefined, []]);
});

test.each([
  ["an endpoint", to, "parentbased_always_on", 1],
  ["an endpoint for traces", { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://collector:4318/v1/traces" }, "parentbased_always_on", 1],
  ["a sampler", { ...to, OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.01" }, "traceidratio", 0.01],
  ["the protocol it speaks", { ...to, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json", OTEL_TRACES_EXPORTER: "otlp" }, "parentbased_always_on", 1],
])("%s exports traces", (_, env, sampler, ratio) => {
  const problems: string[] = [];
  expect([tracingSettings(env, problems), problems]).toEqual([{ sampler, ratio }, []]);
});

test.each([
  ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"],
  ["OTEL_TRACES_EXPORTER", "zipkin"],
  ["OTEL_TRACES_SAMPLER", "sometimes"],
  ["OTEL_TRACES_SAMPLER_ARG", "2"],
])("%s=%s is refused, because nobody would get what was meant", (name, value) => {
  const problems: string[] = [];
  tracingSettings({ ...to, [name]: value }, problems);
  expect(problems).toEqual([expect.stringContaining(`${name}: `)]);
});
