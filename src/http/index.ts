export { createApp, type AppDeps } from "./app.ts";
export { checkedByRoute } from "./check-request.ts";
export { createMeters } from "./meters.ts";
