/**
 * The upstreams of a route, in order of preference: an address, or a map with more to say about it.
 */
import * as v from "valibot";
import type { ConnectionRules, HostHeader, Upstream } from "../rules.ts";
import { isRange, readUpstream, type UpstreamPlace } from "./address.ts";
import { read, type Reading, refuse } from "./reading.ts";
import { about, either, keyed, leaf, list, pathTo, required, type Schema } from "./shape.ts";
import { UpstreamFields } from "./rewrite.ts";

/** An upstream that does not know its route yet. */
const CONNECTIONS: ConnectionRules = {
  idleMs: 55_000,
  idleMax: 1024,
  connectionsMax: Number.POSITIVE_INFINITY,
  localAddress: undefined,
  proxyProtocol: undefined,
  readTimeoutMs: undefined,
  writeTimeoutMs: undefined,
  headLimitBytes: 64 * 1024,
};

export type Candidate = Omit<Upstream, "id">;

/** Keys of an upstream that later versions bring. */
const LATER = ["tls", "weight", "wake", "models"];

const ADDRESS_SHAPE = {
  type: "string",
  examples: ["http://192.168.1.5:11434", "https://ollama.example.com", "unix//run/ollama.sock"],
};

const Url = leaf(
  ADDRESS_SHAPE,
  (written): Reading<{ text: string; places: readonly UpstreamPlace[] }> => {
    const reading = readUpstream(written);
    return reading.kind === "read"
      ? read({ text: String(written), places: reading.value })
      : reading;
  },
);

export function readName(written: unknown): Reading<string> {
  const fits = typeof written === "string" && /^[\x21-\x7e]{1,64}$/.test(written);
  return fits ? read(written) : refuse("a name of 1 to 64 visible characters");
}

function readHostHeader(written: unknown): Reading<HostHeader> {
  if (written === "{client}") return read({ kind: "client" });
  if (written === "{upstream}") return read({ kind: "upstream" });
  const literal = /^(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;
  return typeof written === "string" && literal.test(written)
    ? read({ kind: "literal", value: written })
    : refuse('"{client}", "{upstream}" or a host such as "ollama.example.com"');
}

const Detailed = v.pipe(
  keyed({
    url: about("Its address.", required(Url)),
    name: about(
      "What logs call it, unique in its route; host and port when not set.",
      v.optional(leaf({ type: "string" }, readName)),
    ),
    host_header: about(
      "Host it is sent: {client}, {upstream} or a literal; {client} for http, {upstream} for https when not set.",
      v.optional(leaf({ type: "string", examples: ["{upstream}", "{client}"] }, readHostHeader)),
    ),
    headers: about("Header fields set on requests to it.", v.optional(UpstreamFields, {})),
  }, LATER),
  v.rawTransform(({ dataset, addIssue, NEVER }): Candidate[] => {
    const { url, name, host_header, headers } = dataset.value;
    if (name !== undefined && isRange(url.text)) {
      const path = pathTo(dataset.value, "name");
      addIssue({ expected: "no name for a range of ports", received: "one", path: [path] });
      return NEVER;
    }
    return url.places.map((place) => ({
      ...candidate(place),
      ...(name !== undefined && { name }),
      ...(host_header !== undefined && { hostHeader: host_header }),
      headers,
    }));
  }),
);

const Plain = v.pipe(Url, v.transform(({ places }) => places.map(candidate)));

export const Upstreams: Schema<Candidate[]> = v.pipe(
  list(either((written) => typeof written !== "object" || written === null, Plain, Detailed), 1),
  v.transform((groups) => groups.flat()),
);

function candidate(place: UpstreamPlace): Candidate {
  // A TLS upstream is reached by a name its certificate knows; a plain one takes any (as Caddy does).
  const kind = place.scheme === "https" ? "upstream" : "client";
  return {
    ...place,
    hostHeader: { kind },
    headers: [],
    tls: { name: undefined, authorities: [], certificate: undefined, insecure: false },
    requestsMax: Number.POSITIVE_INFINITY,
    connections: CONNECTIONS,
  };
}
