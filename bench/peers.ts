/// <reference types="bun" />
/**
 * The proxies side by side, each set to do the same: one worker, connections to the upstream kept,
 * X-Forwarded-For added, no access log unless the row is about it, nothing buffered or limited.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { CertificateFiles } from "./certificate.ts";
import type { Door } from "./door.ts";
import { untilAnswered, untilListening } from "./load.ts";
import { CORE, start } from "./processes.ts";

const ROOT = `${import.meta.dir}/..`;
const START_LIMIT_MS = 10_000;

/** `direct` is no proxy at all: the upstream itself, for what a row takes off. */
export type ProxyName =
  | "understudy"
  | "Caddy"
  | "nginx"
  | "HAProxy"
  | "web engine"
  | "admin off"
  | "floor";
export type Subject = ProxyName | "direct";

/** Those that every row compares. */
export const PEERS = ["understudy", "Caddy", "nginx", "HAProxy"] as const;

export interface Place {
  /** Folder for logs, removed after the run; configurations have one in it. */
  readonly folder: string;
  readonly upstreamPort: number;
  readonly certificate: CertificateFiles;
}

/** What a row asks of its proxies beside forwarding. */
export interface Manner {
  readonly accessLog: boolean;
  readonly door: Door;
}

export interface Proxy {
  readonly port: number;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

interface Setting extends Place, Manner {
  readonly port: number;
}

/** How to start a proxy: its configuration, the file that holds it, and the command. */
interface Recipe {
  readonly config?: (setting: Setting) => string;
  readonly command: (file: string, setting: Setting) => readonly string[];
}

/** With an admin listener as by default, so that status, journal and metrics are kept. */
const understudy = (engine: "wire" | "web", admin = "127.0.0.1:0"): Recipe => ({
  config: ({ port, upstreamPort, accessLog, door, certificate }) => `
listen: { address: "127.0.0.1:${port}", protocols: [${protocolsOf(door).join(", ")}] }
${door.tls ? `tls: { cert: ${certificate.cert}, key: ${certificate.key}, min_version: "1.3" }` : ""}
admin: "${admin}"
log: { format: ${accessLog ? "json" : "off"} }
routes:
  - upstreams: [http://127.0.0.1:${upstreamPort}]
`,
  command: (file) => [`${ROOT}/dist/understudy`, "run", "--engine", engine, "-c", file],
});

/** With TLS clients choose, as they do everywhere. */
const protocolsOf = ({ tls, protocol }: Door): readonly string[] => {
  if (tls) return ["h1", "h2"];
  return protocol === "h1" ? ["h1"] : ["h1", "h2c"];
};

const RECIPES: Record<ProxyName, Recipe> = {
  understudy: understudy("wire"),
  "web engine": understudy("web"),
  "admin off": understudy("wire", "off"),
  floor: {
    command: (_, { port, upstreamPort }) => [
      `${ROOT}/node_modules/.bin/bun`,
      `${ROOT}/bench/floor.ts`,
      String(port),
      String(upstreamPort),
    ],
  },
  Caddy: {
    config: ({ port, upstreamPort, accessLog, folder, door, certificate }) => `
{
  admin off
  auto_https off
  servers {
    protocols ${protocolsOf(door).join(" ")}
  }
}
${door.tls ? "https" : "http"}://:${port} {
  bind 127.0.0.1
  ${door.tls ? `tls ${certificate.cert} ${certificate.key} {\n    protocols tls1.3\n  }` : ""}
  ${accessLog ? `log {\n    output file ${folder}/caddy.access\n  }` : ""}
  reverse_proxy 127.0.0.1:${upstreamPort} {
    transport http {
      keepalive_idle_conns 4096
      keepalive_idle_conns_per_host 4096
    }
  }
}
`,
    command: (file) => ["caddy", "run", "--adapter", "caddyfile", "--config", file],
  },
  nginx: {
    config: ({ port, upstreamPort, folder, door, certificate }) => `
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${folder}/nginx.pid;
${process.getuid?.() === 0 ? "user root;" : ""}
events { worker_connections 16384; }
http {
  access_log off;
  client_body_temp_path ${folder}/bodies;
  proxy_temp_path ${folder}/proxied;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  upstream up {
    server 127.0.0.1:${upstreamPort};
    keepalive 4096;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port}${door.tls ? " ssl" : ""}${
      door.tls || door.protocol === "h2" ? " http2" : ""
    } backlog=4096;
    ${
      door.tls
        ? `ssl_certificate ${certificate.cert};
    ssl_certificate_key ${certificate.key};
    ssl_protocols TLSv1.3;`
        : ""
    }
    location / {
      proxy_pass http://up;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_buffering off;
      proxy_buffer_size 64k;
      proxy_buffers 4 64k;
      proxy_busy_buffers_size 128k;
      proxy_request_buffering off;
      proxy_read_timeout 1h;
    }
  }
}
`,
    command: (file, { folder }) => ["nginx", "-c", file, "-p", folder, "-e", `${folder}/nginx.log`],
  },
  HAProxy: {
    config: ({ port, upstreamPort, door, certificate }) => `
global
  nbthread 1
  maxconn 8000
defaults
  mode http
  option forwardfor
  # Without it HAProxy waits for more before it passes a chunk on, up to 200 ms.
  option http-no-delay
  http-reuse always
  timeout connect 3s
  timeout client 1h
  timeout server 1h
frontend front
  bind 127.0.0.1:${port} backlog 4096${
      door.tls ? ` ssl crt ${certificate.both} alpn h2,http/1.1 ssl-min-ver TLSv1.3` : ""
    }${!door.tls && door.protocol === "h2" ? " proto h2" : ""}
  default_backend back
backend back
  server up 127.0.0.1:${upstreamPort}
`,
    command: (file) => ["haproxy", "-db", "-f", file],
  },
};

/** Starts a proxy; it answers when this settles, or listens where that is enough. */
export async function startProxy(name: ProxyName, place: Place, manner: Manner): Promise<Proxy> {
  const port = freePort();
  const { config, command } = RECIPES[name];
  // Apart from all logs: understudy is woken by whatever happens in the folder of its configuration.
  const settings = `${place.folder}/settings`;
  mkdirSync(settings, { recursive: true });
  const file = `${settings}/${name.replace(" ", "-")}.conf`;
  const log = `${place.folder}/${name.replace(" ", "-")}`;
  const setting = { ...place, ...manner, port };
  if (config !== undefined) writeFileSync(file, config(setting));
  const proxy = start({
    command: command(file, setting),
    core: CORE.proxy,
    env: {
      GOMAXPROCS: "1",
      HOME: place.folder,
      // Bun's own cap on requests under way would otherwise queue the floor's.
      BUN_CONFIG_MAX_HTTP_REQUESTS: "65000",
    },
    output: `${log}.out`,
    complaints: `${log}.err`,
  });
  const over = new AbortController();
  void proxy.exited.then(() => over.abort());
  const limit = AbortSignal.any([over.signal, AbortSignal.timeout(START_LIMIT_MS)]);
  // The bench's own client speaks nothing else; the load that follows sees for itself.
  const { tls, protocol } = manner.door;
  const until = tls || protocol === "h2" ? untilListening : untilAnswered;
  if (await until(port, limit)) {
    return { port, pid: proxy.pid, stop: () => proxy.stop() };
  }
  await proxy.stop();
  const complaint = readFileSync(`${log}.err`, "utf8").trim().split("\n").at(-1) ?? "";
  throw new Error(`${name} does not answer: ${complaint}`);
}

/** A port nobody has right now. */
function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
