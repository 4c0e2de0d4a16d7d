/** The SQLSTATEs that decide something in this code base, by name. */
export const sqlState = {
  uniqueViolation: "23505",
  serializationFailure: "40001",
  deadlockDetected: "40P01",
  duplicateDatabase: "42P04",
  lockNotAvailable: "55P03",
  queryCanceled: "57014",
  adminShutdown: "57P01",
  cannotConnectNow: "57P03",
} as const;

/** 08 connection, 53 resources (disk, memory, connections), 57 operator (shutdown, cancelled by a timeout), 58 system. */
const outageClasses = new Set(["08", "53", "57", "58"]);
const outageStates = new Set<string>([sqlState.lockNotAvailable, "25P03", "25P04"]);
const outageErrnos = new Set([
  "ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN",
]);
/** What the driver says without a code when a connection is lost or does not come about in time. */
const outageMessages = [
  "Connection terminated", "timeout exceeded when trying to connect", "timeout expired", "Query read timeout",
  "Client has encountered a connection error",
];

/** 21 cardinality, 22 data exception, 23 integrity constraint, 44 check option, 54 program limit. */
const badDataClasses = new Set(["21", "22", "23", "44", "54"]);

const causesMax = 4;

interface Link {
  code?: unknown;
  message?: unknown;
  syscall?: unknown;
}

/** The error and what caused it, nearest first. */
function withCauses(error: unknown): Link[] {
  const chain: Link[] = [];
  for (let at = error; typeof at === "object" && at !== null && chain.length < causesMax; at = (at as { cause?: unknown }).cause) {
    chain.push(at);
  }
  return chain;
}

/** The socket is not there; a missing file is something else. */
function isMissingSocket(error: Link): boolean {
  return error.code === "ENOENT" && error.syscall === "connect";
}

function codeOf(error: Link): string {
  return typeof error.code === "string" ? error.code : "";
}

/** Two transactions stood in each other's way; the same work may succeed when it is run again. */
export function isContention(error: unknown): boolean {
  return withCauses(error).some((one) => codeOf(one) === sqlState.deadlockDetected || codeOf(one) === sqlState.serializationFailure);
}

/** PostgreSQL cannot be reached, is starting or stopping, or did not answer in time: the same call may succeed later. */
export function isOutage(error: unknown): boolean {
  return withCauses(error).some((one) => {
    const code = codeOf(one);
    if (isMissingSocket(one) || outageErrnos.has(code) || outageStates.has(code)) return true;
    if (code.length === 5 && outageClasses.has(code.slice(0, 2))) return true;
    const { message } = one;
    return code === "" && typeof message === "string" && outageMessages.some((start) => message.startsWith(start));
  });
}

/** PostgreSQL refused the values it was given: the same call fails again, with other values it may not. */
export function isBadData(error: unknown): boolean {
  return withCauses(error).some((one) => codeOf(one).length === 5 && badDataClasses.has(codeOf(one).slice(0, 2)));
}
