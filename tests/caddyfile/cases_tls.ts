/** Addresses of sites that Caddy serves with TLS: where to listen then, and what stands at each route. */

/** A Caddyfile, and the part of its configuration that is about TLS, or what is said against it. */
export type TlsCase =
  & { readonly title: string; readonly text: string }
  & (
    | {
      readonly listen: unknown;
      /** The section at the top; undefined for none. */
      readonly tls?: unknown;
      /** `host`, `path`, `port` and `tls` of each. */
      readonly routes: readonly Readonly<Record<string, unknown>>[];
    }
    /** `line:column where: message`, in order. */
    | { readonly problems: readonly string[] }
  );

const OFF = "{\n auto_https off\n}\n";
const NO_REDIRECTS = "{\n auto_https disable_redirects\n}\n";
const NO_CERTS = "{\n auto_https disable_certs\n}\n";
const OTHER_PORTS = "{\n http_port 8080\n https_port 8443\n}\n";
const BOTH = [":443", ":80"];
const A = { host: "a.example.com" };

export const SITE_CASES: readonly TlsCase[] = [
  { title: "a host", text: "a.example.com {\n}", listen: ":443", routes: [A] },
  {
    title: "a host with its scheme",
    text: "https://a.example.com {\n}",
    listen: ":443",
    routes: [A],
  },
  { title: "the usual port", text: "a.example.com:443 {\n}", listen: ":443", routes: [A] },
  {
    title: "several hosts, public and private",
    text: "a.example.com, localhost, 127.0.0.1, [::1], *.lan {\n}",
    listen: ":443",
    routes: [{ host: ["a.example.com", "localhost", "127.0.0.1", "[::1]", "*.lan"] }],
  },
  {
    title: "another port, from whose requests in the clear the usual one sends on",
    text: "a.example.com:8443 {\n}",
    listen: [":8443", ":80"],
    tls: "auto",
    routes: [A],
  },
  {
    title: "another port, with its scheme",
    text: "https://a.example.com:8443 {\n}",
    listen: [":8443", ":80"],
    tls: "auto",
    routes: [A],
  },
  { title: "any host", text: "https:// {\n}", listen: ":443", routes: [{}] },
  { title: "the port for HTTPS alone", text: ":443 {\n}", listen: ":443", routes: [{}] },
  { title: "another port alone, in the clear", text: ":8443 {\n}", listen: ":8443", routes: [{}] },
  {
    title: "another port alone, where others speak TLS",
    text: ":8443 {\n}\na.example.com:8443 {\n}",
    listen: [":8443", ":80"],
    tls: "auto",
    routes: [{ port: 8443 }, A],
  },
  {
    title: "another port alone, with tls",
    text: ":8443 {\n tls internal\n}",
    listen: [":8443", ":80"],
    tls: "auto",
    routes: [{ tls: "internal" }],
  },
  {
    title: "the port for HTTP, in the clear",
    text: "a.example.com:80 {\n}",
    listen: ":80",
    routes: [A],
  },
  {
    title: "a host with TLS beside one in the clear",
    text: "a.example.com {\n}\nhttp://b.example.com {\n}",
    listen: BOTH,
    routes: [A, { host: "b.example.com", port: 80 }],
  },
  {
    title: "a host with both schemes in one site",
    text: "http://a.example.com, https://a.example.com {\n}",
    listen: BOTH,
    routes: [{ ...A, tls: { redirect: false } }],
  },
  {
    title: "a host with both schemes in two sites",
    text: "http://a.example.com {\n}\na.example.com {\n}",
    listen: BOTH,
    routes: [{ ...A, port: 80 }, { ...A, port: 443 }],
  },
  {
    title: "some paths of a host in the clear",
    text: "http://a.example.com/x/* {\n}\na.example.com {\n}",
    listen: BOTH,
    routes: [{ ...A, path: "/x", port: 80 }, A],
  },
  {
    title: "hosts in the clear under a wildcard that has TLS for one",
    text: "http://*.example.com {\n}\na.example.com {\n}",
    listen: BOTH,
    routes: [{ host: "*.example.com", port: 80 }, { ...A, port: 443 }],
  },
  {
    title: "hosts of one site with different schemes",
    text: "http://b.example.com, a.example.com {\n}",
    listen: BOTH,
    routes: [{ host: "b.example.com", port: 80 }, A],
  },
  {
    title: "all others in the clear",
    text: ":80 {\n}\na.example.com {\n}",
    listen: BOTH,
    routes: [{ port: 80 }, A],
  },
  {
    title: "everything in the clear, where certificates are there already",
    text: ":80 {\n}\na.example.com {\n tls c.pem c.key\n}",
    listen: BOTH,
    routes: [{ port: 80 }, { ...A, port: 443, tls: { cert: "c.pem", key: "c.key" } }],
  },
  {
    title: "all others with TLS, where no certificate is for them",
    text: "a.example.com {\n}\n:443 {\n}",
    listen: ":443",
    routes: [A, { port: 443 }],
  },
  {
    title: "all others with TLS, where there is one for all",
    text: "a.example.com {\n}\n:443 {\n tls c.pem c.key\n}\nhttp://b.example.com {\n}",
    listen: BOTH,
    tls: { certificates: [{ cert: "c.pem", key: "c.key" }] },
    routes: [A, { tls: { cert: "c.pem", key: "c.key" } }, { host: "b.example.com", port: 80 }],
  },
  {
    title: "a port in the clear that does not send on",
    text: ":8080 {\n}\na.example.com {\n}",
    listen: [":443", ":8080", ":80"],
    routes: [{ port: 8080 }, { ...A, port: [443, 80] }],
  },
  {
    title: "a host on another port in the clear",
    text: "a.example.com, http://a.example.com:8080 {\n}",
    listen: [":443", ":8080", ":80"],
    routes: [{ ...A, port: [443, 80] }, { ...A, port: 8080 }],
  },
  {
    title: "a host on two ports with TLS, beside one in the clear",
    text: "a.example.com, a.example.com:8443 {\n}\n:8080 {\n}",
    listen: [":443", ":8443", { address: ":8080", tls: "off" }, ":80"],
    tls: "auto",
    routes: [{ ...A, port: [443, 8443, 80] }, { port: 8080 }],
  },
  {
    title: "the usual port first, wherever it stands",
    text: "b.example.com:8443 {\n}\na.example.com {\n}",
    listen: [":443", ":8443", ":80"],
    tls: "auto",
    routes: [{ host: "b.example.com", port: [8443, 80] }, { ...A, port: [443, 80] }],
  },
  {
    title: "other ports than the usual ones, which they are outside",
    text: `${OTHER_PORTS}a.example.com {\n}`,
    listen: [":8443", { address: ":8080", tls: "off" }],
    tls: { redirect: 443 },
    routes: [A],
  },
  {
    title: "another port beside these",
    text: `${OTHER_PORTS}a.example.com {\n}\nb.example.com:9443 {\n}`,
    listen: [":8443", ":9443", { address: ":8080", tls: "off" }],
    tls: { redirect: 443 },
    routes: [{ ...A, port: [8443, 8080] }, { host: "b.example.com", port: [9443, 8080] }],
  },
  {
    title: "TLS on the port that is another one's usually",
    text: "{\n http_port 8080\n}\na.example.com:80 {\n}",
    listen: [{ address: ":80", tls: "auto" }, { address: ":8080", tls: "off" }],
    tls: "auto",
    routes: [A],
  },
  {
    title: "an address of ours",
    text: "a.example.com {\n bind 127.0.0.1\n}",
    listen: "127.0.0.1:443",
    routes: [A],
  },
  {
    title: "addresses of ours, each of which sends on",
    text: "a.example.com {\n bind 127.0.0.1 ::1\n}",
    listen: ["127.0.0.1:443", "[::1]:443", "127.0.0.1:80", "[::1]:80"],
    routes: [A],
  },
  {
    title: "an address of ours for all",
    text: "{\n default_bind 127.0.0.1\n}\na.example.com {\n}\nhttp://b.example.com {\n}",
    listen: ["127.0.0.1:443", "127.0.0.1:80"],
    routes: [A, { host: "b.example.com", port: 80 }],
  },
  {
    title: "disable_redirects",
    text: `${NO_REDIRECTS}a.example.com {\n}`,
    listen: ":443",
    tls: { redirect: false },
    routes: [A],
  },
  {
    title: "disable_redirects beside a host in the clear",
    text: `${NO_REDIRECTS}a.example.com {\n}\nhttp://b.example.com {\n}`,
    listen: BOTH,
    tls: { redirect: false },
    routes: [{ ...A, port: 443 }, { host: "b.example.com", port: 80 }],
  },
  {
    title: "disable_redirects for a host with both schemes",
    text: `${NO_REDIRECTS}http://a.example.com, https://a.example.com {\n}`,
    listen: BOTH,
    tls: { redirect: false },
    routes: [A],
  },
  {
    title: "auto_https off, with files",
    text: `${OFF}a.example.com {\n tls c.pem c.key\n}`,
    listen: ":443",
    tls: { redirect: false },
    routes: [{ ...A, tls: { cert: "c.pem", key: "c.key" } }],
  },
  {
    title: "auto_https off, which leaves the port for HTTPS in the clear",
    text: `${OFF}:443 {\n}`,
    listen: { address: ":443", tls: "off" },
    routes: [{}],
  },
  {
    title: "disable_certs, with files",
    text: `${NO_CERTS}a.example.com {\n tls c.pem c.key\n}`,
    listen: ":443",
    routes: [{ ...A, tls: { cert: "c.pem", key: "c.key" } }],
  },
  {
    title: "protocols, as each listener takes them",
    text:
      "{\n servers {\n  protocols h1 h2 h3 h2c\n }\n}\na.example.com {\n}\nhttp://b.example.com {\n}",
    listen: [
      { address: ":443", protocols: ["h1", "h2", "h3"] },
      { address: ":80", protocols: ["h1", "h2c"] },
    ],
    routes: [A, { host: "b.example.com", port: 80 }],
  },
  {
    title: "protocols as they are anyway",
    text: "{\n servers {\n  protocols h2 h1\n }\n}\na.example.com {\n}",
    listen: ":443",
    routes: [A],
  },
  {
    title: "a site that auto_https off leaves without a certificate",
    text: `${OFF}a.example.com/x {\n tls internal\n}`,
    problems: [
      '4:1 : Cannot serve this site with TLS as auto_https off leaves it without a certificate; use "tls CERT KEY" within it, or "http://a.example.com/x"',
    ],
  },
  {
    title: "a port that disable_certs leaves without a certificate",
    text: `${NO_CERTS}:443 {\n}`,
    problems: [
      '4:1 : Cannot serve this site with TLS as auto_https disable_certs leaves it without a certificate; use "tls CERT KEY" within it',
    ],
  },
  {
    title: "a name of Tailscale's",
    text: "a.example.com {\n}\nbox.tail1234.ts.net {\n}",
    problems: [
      '3:1 : Cannot serve this site as Caddy does, which has Tailscale give it a certificate; use the files that "tailscale cert" writes, with "tls CERT KEY" within it',
    ],
  },
  {
    title: "both schemes on one port",
    text: "http://a.example.com:8443 {\n}\nb.example.com:8443 {\n}",
    problems: [
      "1:1 : Cannot take this over as other sites speak TLS on port 8443; use a port of its own, or the same scheme for all of them",
    ],
  },
  {
    title: "a scheme on the other one's port",
    text: "https://a.example.com:80 {\n}",
    problems: ["1:1 : Expected a port that goes with https:// but received 80"],
  },
  {
    title: "requests that would be sent on from addresses where nobody listens",
    text: "a.example.com {\n bind 127.0.0.1\n}\nhttp://b.example.com {\n bind 127.0.0.2\n}",
    problems: [
      '2:7 bind: Cannot take this over as requests are sent on from port 80, where sites listen on different addresses; use one "bind" for all of them, or auto_https disable_redirects',
    ],
  },
  {
    title: "a wildcard that nobody writes records for",
    text: "*.example.com {\n}",
    problems: ['1:1 : Expected "dns" in "acme" for a wildcard but received "*.example.com"'],
  },
  {
    title: "a host twice with TLS",
    text: "a.example.com {\n}\nhttps://a.example.com {\n}",
    problems: [
      '3:1 : Expected a host and path of its own but received "a.example.com/", which routes[0] answers already',
    ],
  },
];
