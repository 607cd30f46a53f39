/**
 * The name service by `node:dns`, alike on both runtimes. Name servers are asked one after the other
 * here, as Deno asks only the first of several.
 */
import { lookup, Resolver } from "node:dns/promises";
import type { NameAnswer, NameQuestion, Names, ServicePlace } from "./platform.ts";
import { clock, messageOf, textOf } from "./web.ts";

/** Codes of an answer that says: there is nothing. Others say that there is no answer, or so Bun does. */
const NOTHING: ReadonlySet<string> = new Set(["ENOTFOUND", "ENODATA", "NXDOMAIN"]);

export const names: Names = {
  addresses: ({ servers, ...question }, families) =>
    servers.length === 0
      ? bySystem(question, families)
      : byServers({ servers, ...question }, (resolver) => both(question.name, families, resolver)),

  services: (question) =>
    ofService(
      question,
      async (resolver) => (await resolver.resolveSrv(question.name)).map(placeOf),
    ),

  texts: (question) =>
    ofService(
      question,
      async (resolver) =>
        (await resolver.resolveTxt(question.name)).map((pieces) => pieces.join("")),
    ),

  servers: (question) =>
    ofService(
      question,
      async (resolver) => (await resolver.resolveNs(question.name)).map(dotless),
    ),

  aliases: (question) =>
    ofService(
      question,
      async (resolver) => (await resolver.resolveCname(question.name)).map(dotless),
    ),
};

/** Deno leaves the dot of the root at the end. */
function dotless(name: string): string {
  return name.replace(/\.$/, "");
}

/** Asks name servers and never the hosts file. */
function ofService<Item>(
  { servers, ...question }: NameQuestion,
  ask: (resolver: Resolver) => Promise<Item[]>,
): Promise<NameAnswer<Item>> {
  // An empty name stands for the servers of the system, which are the resolver's own.
  return byServers({ ...question, servers: servers.length === 0 ? [""] : servers }, ask);
}

function placeOf(
  { name, port, priority, weight }: { name: string } & Omit<ServicePlace, "host">,
): ServicePlace {
  return { host: name, port, priority, weight };
}

async function bySystem(
  { name, timeoutMs, signal }: Omit<NameQuestion, "servers">,
  families: readonly (4 | 6)[],
): Promise<NameAnswer<string>> {
  // The system's own function cannot be stopped; it ends unheard.
  const found = await asked(lookup(name, { all: true }), { timeoutMs, signal });
  if (found.kind !== "found") return found;
  const items = found.items
    .filter(({ family }) => families.some((wanted) => wanted === family))
    .map(({ address }) => address);
  if (items.length > 0) return { kind: "found", items };
  return { kind: "failed", detail: "no address of the family" };
}

/** Addresses of the families wanted. One family that has none is no matter while another has some. */
async function both(
  name: string,
  families: readonly (4 | 6)[],
  resolver: Resolver,
): Promise<string[]> {
  const results = await Promise.allSettled(families.map((family) => {
    return family === 4 ? resolver.resolve4(name) : resolver.resolve6(name);
  }));
  const found: string[] = [];
  let nothing: unknown;
  for (const result of results) {
    if (result.status === "fulfilled") {
      found.push(...result.value);
      continue;
    }
    const error: unknown = result.reason;
    // Half of an answer would make upstreams come and go with every packet that is lost.
    if (!NOTHING.has(textOf(error, "code"))) throw error;
    nothing = error;
  }
  if (found.length === 0 && nothing !== undefined) throw nothing;
  return found;
}

async function byServers<Item>(
  { servers, timeoutMs, signal }: NameQuestion,
  ask: (resolver: Resolver) => Promise<Item[]>,
): Promise<NameAnswer<Item>> {
  let last: NameAnswer<Item> = { kind: "failed", detail: "no name server" };
  for (const server of servers) {
    const resolver = new Resolver({ tries: 1, timeout: timeoutMs });
    try {
      if (server !== "") resolver.setServers([server]);
    } catch (error) {
      last = { kind: "failed", detail: messageOf(error) };
      continue;
    }
    last = await asked(ask(resolver), { timeoutMs, signal });
    resolver.cancel();
    if (last.kind !== "failed" || signal.aborted) return last;
  }
  return last;
}

/** The answer, or that it did not come in time. */
function asked<Item>(
  answer: Promise<Item[]>,
  { timeoutMs, signal }: Pick<NameQuestion, "timeoutMs" | "signal">,
): Promise<NameAnswer<Item>> {
  return new Promise((resolve) => {
    const settle = (result: NameAnswer<Item>): void => {
      stopTimer();
      signal.removeEventListener("abort", onAbort);
      resolve(result);
    };
    const late = { kind: "failed", detail: `no answer in ${timeoutMs} ms` } as const;
    const onAbort = (): void => settle({ kind: "failed", detail: "nobody waits any more" });
    const stopTimer = clock.after(timeoutMs, () => settle(late));
    signal.addEventListener("abort", onAbort, { once: true });
    answer.then(
      (items) =>
        settle(
          items.length > 0
            ? { kind: "found", items }
            : { kind: "failed", detail: "an empty answer" },
        ),
      (error: unknown) => settle({ kind: "failed", detail: messageOf(error) }),
    );
  });
}
