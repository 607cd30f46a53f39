/** Upstreams that a name service knows. */
import { type Case, refusal } from "./cases.ts";

export const DYNAMIC_CASES: readonly Case[] = [
  {
    title: "dynamic a in short",
    text: ["reverse_proxy {", "  dynamic a gpu.lan 9000", "}"],
    route: { dynamic: { a: { name: "gpu.lan", port: 9000 } }, policy: "random" },
  },
  {
    title: "dynamic a with every option",
    text: [
      "reverse_proxy {",
      "  dynamic a {",
      "    name gpu.lan",
      "    port 9000",
      "    refresh 30s",
      "    resolvers 10.0.0.1 udp/10.0.0.2:5353 [::1] fe80::1",
      "    versions ipv4",
      "    dial_timeout 2s",
      "    dial_fallback_delay 300ms",
      "  }",
      "}",
    ],
    route: {
      dynamic: {
        a: {
          name: "gpu.lan",
          port: 9000,
          refresh: "30s",
          resolvers: ["10.0.0.1:53", "10.0.0.2:5353", "[::1]:53", "[fe80::1]:53"],
          versions: ["ipv4"],
        },
      },
      policy: "random",
    },
  },
  {
    title: "dynamic srv in short",
    text: ["reverse_proxy {", "  dynamic srv _http._tcp.gpu.lan", "}"],
    route: { dynamic: { srv: { name: "_http._tcp.gpu.lan" } }, policy: "random" },
  },
  {
    title: "dynamic srv with every option",
    text: [
      "reverse_proxy {",
      "  dynamic srv {",
      "    service http",
      "    proto tcp",
      "    name gpu.lan",
      "    refresh 30s",
      "    grace_period 5m",
      "    resolvers 10.0.0.1",
      "    dial_timeout 2s",
      "    dial_fallback_delay 300ms",
      "  }",
      "}",
    ],
    route: {
      dynamic: {
        srv: {
          name: "_http._tcp.gpu.lan",
          refresh: "30s",
          grace_period: "5m",
          resolvers: ["10.0.0.1:53"],
        },
      },
      policy: "random",
    },
  },
  {
    title: "dynamic multi is a list of sources",
    text: [
      "reverse_proxy {",
      "  dynamic multi {",
      "    a gpu.lan 80",
      "    srv _http._tcp.x.lan {",
      "      refresh 5s",
      "    }",
      "  }",
      "}",
    ],
    route: {
      dynamic: [{ a: { name: "gpu.lan", port: 80 } }, {
        srv: { name: "_http._tcp.x.lan", refresh: "5s" },
      }],
      policy: "random",
    },
  },
  {
    title: "the scheme comes from the transport",
    text: [
      "reverse_proxy {",
      "  dynamic a gpu.lan 443",
      "  transport http {",
      "    tls",
      "  }",
      "}",
    ],
    route: { dynamic: { a: { name: "gpu.lan", port: 443, scheme: "https" } }, policy: "random" },
  },
  {
    title: "h2c comes from the transport",
    text: [
      "reverse_proxy {",
      "  dynamic a gpu.lan 50051",
      "  transport http {",
      "    versions h2c",
      "  }",
      "}",
    ],
    route: { dynamic: { a: { name: "gpu.lan", port: 50051, scheme: "h2c" } }, policy: "random" },
  },
  {
    title: "both versions",
    text: ["reverse_proxy {", "  dynamic a gpu.lan {", "    versions ipv4 ipv6", "  }", "}"],
    route: { dynamic: { a: { name: "gpu.lan", versions: ["ipv4", "ipv6"] } }, policy: "random" },
  },
  {
    title: "dynamic without a source",
    text: ["reverse_proxy {", "  dynamic", "}"],
    problems: ["2:3 reverse_proxy.dynamic: Expected at least one argument but received none"],
  },
  {
    title: "dynamic without a name",
    text: ["reverse_proxy {", "  dynamic a {", "    port 80", "  }", "}"],
    problems: ["2:11 reverse_proxy.dynamic.a: Expected a name to ask for but received none"],
  },
  {
    title: "another source",
    text: ["reverse_proxy {", "  dynamic docker", "}"],
    problems: [refusal("2:11", "reverse_proxy.dynamic.module")],
  },
  {
    title: "addresses beside a name service",
    text: ["reverse_proxy a {", "  dynamic srv x.lan", "}"],
    problems: [refusal("1:15", "reverse_proxy.to.beside dynamic")],
  },
  {
    title: "multi within multi",
    text: ["reverse_proxy {", "  dynamic multi {", "    multi", "  }", "}"],
    problems: [
      '3:5 reverse_proxy.dynamic.multi: Expected "a" or "srv" in multi but received "multi"',
    ],
  },
  {
    title: "a port with a placeholder",
    text: ["reverse_proxy {", "  dynamic a gpu.lan {http.request.port}", "}"],
    problems: [
      '2:21 reverse_proxy.dynamic.a.port: Expected a whole number but received "{http.request.port}"',
    ],
  },
  {
    title: "another version",
    text: ["reverse_proxy {", "  dynamic a gpu.lan {", "    versions ipv5", "  }", "}"],
    problems: [
      '3:14 reverse_proxy.dynamic.a.versions: Expected "ipv4" or "ipv6" but received "ipv5"',
    ],
  },
  {
    title: "an unknown option",
    text: ["reverse_proxy {", "  dynamic srv x.lan {", "    port 80", "  }", "}"],
    problems: [
      '3:5 reverse_proxy.dynamic.srv: Expected an option of reverse_proxy.dynamic.srv but received "port"',
    ],
  },
  {
    title: "an option twice",
    text: ["reverse_proxy {", "  dynamic a gpu.lan {", "    name b.lan", "  }", "}"],
    problems: ["3:5 reverse_proxy.dynamic.a.name: Expected name once but received it again"],
  },
  {
    title: "header_up Host of what is found",
    text: ["reverse_proxy {", "  dynamic a gpu.lan", "  header_up Host a.com", "}"],
    problems: [refusal("3:18", "reverse_proxy.header_up.Host of dynamic")],
  },
];
