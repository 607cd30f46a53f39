/** Requests about TLS: with it, in the clear, where one was meant for the other, with and without certificates. */
import type { Ask } from "../../support/raw_client.ts";
import type { TlsQuestion } from "../../support/beside_tls_stage.ts";

const secure = (title: string, host: string, more: Partial<TlsQuestion> = {}): TlsQuestion => ({
  title,
  host,
  to: "PORT",
  ...more,
});

const clear = (title: string, host: string, more: Ask = {}): TlsQuestion => ({
  title,
  host,
  to: "HTTP",
  ...more,
});

const ANSWERS: readonly TlsQuestion[] = [
  secure("GET with TLS", "named.test"),
  secure("POST with TLS", "named.test", { method: "POST", body: "kept" }),
  secure("a host with its port", "named.test:PORT"),
  secure("a host of a wildcard", "a.wild.test"),
  secure("protocol https", "named.test", { target: "/protocol" }),
  secure("placeholders of the handshake", "named.test", { target: "/handshake" }),
  secure("redir of a site with TLS", "named.test", { target: "/away?x" }),
  secure("a certificate for other names than the site's", "else.test"),
  secure("another port with TLS", "other.test", { to: "OTHER" }),
  secure("both schemes in one site, with TLS", "both.test"),
  secure("both schemes in two sites, with TLS", "twice.test"),
  secure("a path that is in the clear alone, with TLS", "some.test", { target: "/clear/x" }),
];

const SENT_ON: readonly TlsQuestion[] = [
  clear("GET in the clear", "named.test"),
  clear("GET in the clear, with path and query", "named.test", { target: "/a//b?c=%20&d" }),
  clear("HEAD in the clear", "named.test", { method: "HEAD" }),
  clear("POST in the clear", "named.test", { method: "POST", body: "lost" }),
  clear("a host with its port, in the clear", "named.test:HTTP"),
  clear("a host in capitals, in the clear", "Named.Test"),
  clear("a host of a wildcard, in the clear", "a.wild.test"),
  clear("a host of another port, in the clear", "other.test"),
  clear("a host that is in the clear alone", "clear.test"),
  clear("both schemes in one site, in the clear", "both.test"),
  clear("both schemes in two sites, in the clear", "twice.test"),
  clear("a path that is in the clear alone", "some.test", { target: "/clear/x" }),
  clear("another path of that host, in the clear", "some.test", { target: "/x" }),
  clear("a host that nobody serves, in the clear", "nobody.test"),
];

const STRANGE: readonly TlsQuestion[] = [
  secure("a name that nobody has", "nobody.test"),
  secure("two labels where a wildcard has one, with TLS", "a.b.wild.test"),
  secure("no name", "named.test", { name: null }),
  secure("a host of another site than the name", "both.test", { name: "named.test" }),
  secure("a host that nobody serves, with TLS", "nobody.test", { name: "named.test" }),
  secure("a host that is in the clear alone, with TLS", "clear.test", { name: "named.test" }),
  secure("a host of another port, with TLS", "other.test", { name: "named.test" }),
  secure("in the clear where TLS is spoken", "named.test", { isClear: true }),
];

const CLIENTS: readonly TlsQuestion[] = [
  secure("a client without a certificate", "guarded.test"),
  secure("a client with one", "guarded.test", { shows: "own" }),
  secure("a client with another authority's", "guarded.test", { shows: "foreign" }),
  secure("a guarded host under another name", "guarded.test", { name: "named.test" }),
  secure("a guarded host under another name, with a certificate", "guarded.test", {
    name: "named.test",
    shows: "own",
  }),
  secure("a client who need not show one", "asked.test"),
  secure("a client who shows one all the same", "asked.test", { shows: "own" }),
  secure("a client who shows another authority's", "asked.test", { shows: "foreign" }),
];

export const TLS_QUESTIONS: readonly TlsQuestion[] = [
  ...ANSWERS,
  ...SENT_ON,
  ...STRANGE,
  ...CLIENTS,
];
