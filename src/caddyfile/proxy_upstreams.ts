/**
 * Reads the addresses of upstreams as Caddy spells them and writes them as URLs. What a URL may hold is
 * the schema's to say; here is only what Caddy spells otherwise, or knows and this proxy does not.
 */
import { type Context, placeOf, shown, type Token } from "./directive.ts";
import { type Place, type Plain, WrittenList, WrittenMap } from "./written.ts";
import { expected } from "./proxy_options.ts";

const WHERE = "reverse_proxy.to";

export type Scheme = "http" | "https" | "h2c";

/** One upstream as it was written. */
export interface Spelled {
  readonly token: Token;
  /** Undefined when none was written, so that the transport decides. */
  readonly scheme: Scheme | undefined;
  readonly kind: "tcp" | "unix" | "env";
  /** Host and port, a path, or a reference to the environment. */
  readonly rest: string;
}

/** What the transport and `header_up Host` say of all upstreams. */
export interface Manners {
  /** For upstreams that have no scheme of their own. */
  readonly scheme: Scheme;
  /** Ports on which no TLS is spoken, whatever `scheme` says. */
  readonly plainPorts: ReadonlySet<string>;
  /** `host_header`, with where it was said; `{upstream_host}` stands for each one's own host. */
  readonly host: { readonly value: string; readonly token: Token } | undefined;
}

/** `host_header` that each upstream gets with its own name. */
export const OWN_HOST = "{upstream_host}";

/** Reads one address; undefined when it was told of as wrong. */
export function spellUpstream(token: Token, context: Context): Spelled | undefined {
  const { text } = token;
  const [, prefix, rest = ""] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(text) ?? [];
  if (text.includes("{")) return inEnvironment(token, prefix !== undefined, context);
  if (prefix !== undefined) return withScheme(token, prefix.toLowerCase(), { rest, context });

  const [, network, path = ""] =
    /^(tcp[46]?|udp[46]?|ip[46]?|unix(?:\+h2c|gram|packet)?|fd|fdgram)\/(.*)$/s
      .exec(text) ?? [];
  if (network === "unix" || network === "unix+h2c") {
    const scheme = network === "unix" ? undefined : "h2c";
    context.took(token, `${WHERE}.unix`);
    return { token, scheme, kind: "unix", rest: path };
  }
  if (network !== undefined && network !== "tcp") return refuse(token, "network", context);
  return tcp(token, undefined, { rest: network === "tcp" ? path : text, context });
}

function refuse(token: Token, what: string, context: Context): undefined {
  context.refuse(token, `${WHERE}.${what}`);
}

/** Caddy takes placeholders where no scheme is written; only the environment is known before requests. */
function inEnvironment(token: Token, hasScheme: boolean, context: Context): Spelled | undefined {
  const rest = token.text.replaceAll(/\{env\.[^{}]+\}/g, "");
  if (hasScheme || rest.includes("{")) return refuse(token, "placeholder", context);
  context.took(token, `${WHERE}.{env.X}`);
  return { token, scheme: undefined, kind: "env", rest: context.plain(token, WHERE) };
}

interface Written {
  readonly rest: string;
  readonly context: Context;
}

function withScheme(token: Token, prefix: string, written: Written): Spelled | undefined {
  const { context } = written;
  switch (prefix) {
    case "http":
      return tcp(token, "http", written);
    case "https":
    case "h2c":
      context.took(token, `${WHERE}.${prefix}`);
      return tcp(token, prefix, written);
    case "ws":
    case "wss": {
      const scheme = prefix === "ws" ? "http" : "https";
      return expected(token, `${scheme}://, which carries WebSockets too,`, {
        context,
        where: WHERE,
      });
    }
    default:
      if (prefix.startsWith("srv")) return refuse(token, "srv", context);
      return expected(token, "http://, https:// or h2c://", { context, where: WHERE });
  }
}

function tcp(
  token: Token,
  scheme: Scheme | undefined,
  { rest, context }: Written,
): Spelled | undefined {
  if (/^\[?[0-9a-f:.]*%/i.test(rest)) return refuse(token, "zone", context);
  const isPort = /^:[^:]*$/.test(rest);
  // Go dials an address without host at the loopback address of IPv4.
  const host = isPort ? `127.0.0.1${rest}` : bracketed(rest);
  if (/:\d+-\d+$/.test(host)) context.took(token, `${WHERE}.range`);
  else if (isPort) context.took(token, `${WHERE}.:port`);
  else if (scheme === undefined || scheme === "http") context.took(token, `${WHERE}.host`);
  return { token, scheme, kind: "tcp", rest: host };
}

/** Caddy takes a bare IPv6 address as a host without port. */
function bracketed(text: string): string {
  return /^[0-9a-f:]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text) ? `[${text}]` : text;
}

/** How many upstreams these are at least: ranges count each port. */
export function countUpstreams(upstreams: readonly Spelled[]): number {
  return upstreams.reduce((sum, { rest }) => {
    const [, from, to] = /:(\d+)-(\d+)$/.exec(rest) ?? [];
    return sum + (from === undefined ? 1 : Math.max(1, Number(to) - Number(from) + 1));
  }, 0);
}

/** Writes the list `upstreams`. */
export function writeUpstreams(
  upstreams: readonly Spelled[],
  manners: Manners,
  { context, at }: { readonly context: Context; readonly at: Place },
): WrittenList {
  const list = new WrittenList(at);
  const schemes = new Set(upstreams.map((one) => one.scheme));
  for (const one of upstreams) {
    const place = placeOf(one.token, WHERE);
    if (schemes.size > 1 && one.scheme !== undefined) context.took(one.token, `${WHERE}.mixed`);
    const url = urlOf(one, manners, context);
    if (url === undefined) continue;
    list.add(withHost(url, one, { manners, context, place }), place);
  }
  return list;
}

function urlOf(one: Spelled, manners: Manners, context: Context): string | undefined {
  const { kind, rest, token } = one;
  const port = /:(\d+)$/.exec(rest)?.[1] ?? "80";
  const common = manners.scheme === "https" && manners.plainPorts.has(port)
    ? "http"
    : manners.scheme;
  const scheme = one.scheme ?? common;

  if (kind === "unix") {
    if (scheme !== "https") return scheme === "h2c" ? `unix+h2c/${rest}` : `unix/${rest}`;
    context.refuse(token, "reverse_proxy.transport.http.tls.unix");
    return undefined;
  }
  if (one.scheme === "http" && manners.scheme === "https") {
    return expected(token, "https:// or no scheme beside tls of transport http", {
      context,
      where: WHERE,
    });
  }
  // A reference may hold a whole address, so a plain one stands alone.
  return kind === "env" && scheme === "http" ? rest : `${scheme}://${rest}`;
}

function withHost(
  url: string,
  one: Spelled,
  { manners, context, place }: {
    readonly manners: Manners;
    readonly context: Context;
    readonly place: Place;
  },
): Plain {
  const { host } = manners;
  if (host === undefined) return url;
  const value = host.value === OWN_HOST ? ownHost(one) : host.value;
  const at = placeOf(host.token, "reverse_proxy.header_up");
  if (value === undefined) {
    const received = `"${shown(one.token.text)}"`;
    const message = `Expected upstreams with a host for {upstream_host} but received ${received}`;
    context.problem(host.token, "reverse_proxy.header_up", message);
    return url;
  }
  return new WrittenMap(place).set("url", url, place).set("host_header", value, at);
}

function ownHost({ kind, rest }: Spelled): string | undefined {
  return kind === "tcp" ? rest.replace(/:[^:\]]*$/, "") : undefined;
}
