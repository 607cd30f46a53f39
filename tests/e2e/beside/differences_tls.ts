/** Where understudy answers otherwise than Debian's Caddy 2.6.2 where TLS is concerned, facet by facet, and why. */
import type { Listed } from "./differences.ts";

export const TLS_REASONS = {
  version: "docs/from-caddy.md, {tls_version}: versions are called what OpenSSL calls them",
  port: "section 1: {port} is our own where the Host names none",
  host: "section 1: hosts are compared, and known to {host}, in lower case",
  unrouted: "section 1: no route is 404 with an empty body",
  unknown: "docs/config.md: a placeholder of which nothing is known is empty",
  head: "RFC 9110 section 9.3.2: HEAD may have the Content-Length that GET has",
  misdirected:
    "docs/from-caddy.md, strict_sni_host: name and host must agree where clients show certificates alone",
  misplaced: "RFC 9110 section 15.4.9: who speaks no TLS where it is spoken is told the way",
  guarded: "docs/from-caddy.md, client_auth: who shows nothing good is answered, with 403",
  asked: "docs/from-caddy.md, client_auth: what nobody signed is as good as nothing",
} as const;

export interface TlsKnown {
  readonly why: keyof typeof TLS_REASONS;
  readonly facets: readonly Listed[];
}

const of = (why: TlsKnown["why"], facets: readonly Listed[]): TlsKnown => ({ why, facets });

const TURNED_AWAY: readonly Listed[] = [
  ["client content-length", "–", "0"],
  ["client end", "nothing", "whole"],
  ["client status", "0", "403"],
];

/** By the title of the request. */
export const TLS_DIFFERENCES: Readonly<Record<string, TlsKnown>> = {
  "placeholders of the handshake": of("version", [
    ["client body", "tls1.3 named.test http/1.1", "TLSv1.3 named.test http/1.1"],
    ["client content-length", "26", "27"],
  ]),
  "another port with TLS": of("port", [
    ["client body", "other ", "other OTHER"],
    ["client content-length", "6", "11"],
  ]),
  "HEAD in the clear": of("head", [["client content-length", "–", "0"]]),
  "a host in capitals, in the clear": of("host", [
    ["client location", "https://Named.Test/", "https://named.test/"],
  ]),
  "a host that nobody serves, in the clear": of("unrouted", [
    ["client connection", "close", "–"],
    ["client location", "https://nobody.test/", "–"],
    ["client status", "308", "404"],
  ]),
  "no name": of("misdirected", [
    ["asked", "", "A"],
    ["client body", "", "a"],
    ["client content-length", "0", "1"],
    ["client content-type", "–", "text/plain"],
    ["client status", "421", "200"],
    ["client strict-transport-security", "–", "max-age=60"],
  ]),
  "a host of another site than the name": of("misdirected", [
    ["client body", "", "both https"],
    ["client content-length", "0", "10"],
    ["client content-type", "–", "text/plain; charset=utf-8"],
    ["client status", "421", "200"],
  ]),
  "a host that nobody serves, with TLS": of("unrouted", [["client status", "421", "404"]]),
  "a host that is in the clear alone, with TLS": of("unrouted", [["client status", "421", "404"]]),
  "a host of another port, with TLS": of("unrouted", [["client status", "421", "404"]]),
  "in the clear where TLS is spoken": of("misplaced", [
    ["client body", "Client sent an HTTP request to an HTTPS server.\n", ""],
    ["client connection", "–", "close"],
    ["client content-length", "–", "0"],
    ["client location", "–", "https://named.test:PORT/"],
    ["client status", "400", "308"],
  ]),
  "a client without a certificate": of("guarded", TURNED_AWAY),
  "a client with another authority's": of("guarded", TURNED_AWAY),
  "a client who need not show one": of("unknown", [
    ["client body", "asked {http.request.tls.client.subject}", "asked "],
    ["client content-length", "39", "6"],
  ]),
  "a client who shows another authority's": of("asked", [
    ["client body", "", "asked "],
    ["client content-length", "–", "6"],
    ["client content-type", "–", "text/plain; charset=utf-8"],
    ["client end", "nothing", "whole"],
    ["client status", "0", "200"],
  ]),
};
