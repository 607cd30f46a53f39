/**
 * The upstreams of a pool, in order of preference: an address, or a map with more to say about it.
 */
import * as v from "valibot";
import type { HostHeader, Upstream } from "../rules.ts";
import { isRange, readUpstream, type UpstreamPlace } from "./address.ts";
import { UpstreamFields } from "./edits.ts";
import * as leaves from "./leaves.ts";
import { read, type Reading, refuse } from "./reading.ts";
import { about, either, keyed, leaf, list, pathTo, required, type Schema } from "./shape.ts";
import { Tls, type TlsDraft } from "./transport.ts";

/** An upstream that knows neither its pool nor what that says about connections. */
export interface Candidate extends Omit<Upstream, "id" | "tls" | "connections"> {
  readonly tls: TlsDraft;
}

/** Keys of an upstream that later versions bring. */
const LATER = ["wake", "models"];

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
    max_requests: about(
      "Requests there at a time; at the cap the next upstream is used.",
      v.optional(leaves.CountLimit, "unlimited"),
    ),
    tls: about("How TLS is spoken with it, before what transport says.", v.optional(Tls)),
  }, LATER),
  v.rawTransform(({ dataset, addIssue, NEVER }): Candidate[] => {
    const { url, name, host_header, headers, max_requests, tls } = dataset.value;
    if (name !== undefined && isRange(url.text)) {
      const path = pathTo(dataset.value, "name");
      addIssue({ expected: "no name for a range of ports", received: "one", path: [path] });
      return NEVER;
    }
    if (tls !== undefined && url.places.some(({ scheme }) => scheme !== "https")) {
      const path = pathTo(dataset.value, "tls");
      addIssue({
        expected: 'an address with "https://" for this',
        received: "another",
        path: [path],
      });
      return NEVER;
    }
    return url.places.map((place) => ({
      ...candidate(place),
      ...(name !== undefined && { name }),
      ...(host_header !== undefined && { hostHeader: host_header }),
      headers,
      requestsMax: max_requests,
      tls: tls ?? {},
    }));
  }),
);

const Plain = v.pipe(Url, v.transform(({ places }) => places.map(candidate)));

export const Upstreams: Schema<Candidate[]> = v.pipe(
  list(either((written) => typeof written !== "object" || written === null, Plain, Detailed), 1),
  v.transform((groups) => groups.flat()),
);

/** A TLS upstream is reached by a name its certificate knows; a plain one takes any (as Caddy does). */
export function ownHostHeader(scheme: Upstream["scheme"]): HostHeader {
  return { kind: scheme === "https" ? "upstream" : "client" };
}

function candidate(place: UpstreamPlace): Candidate {
  return {
    ...place,
    hostHeader: ownHostHeader(place.scheme),
    headers: [],
    tls: {},
    requestsMax: Number.POSITIVE_INFINITY,
  };
}
