/**
 * The schema of a whole configuration: every setting's shape, default, bound and meaning, and the way
 * from the snake_case a person writes to the nouns of the model. Each section below has its own file.
 */
import * as v from "valibot";
import type { LogRules } from "../rules.ts";
import { Admin } from "./admin.ts";
import { Limits } from "./guard.ts";
import * as leaves from "./leaves.ts";
import { Listen } from "./listen.ts";
import { Addresses } from "./matcher.ts";
import { Notify } from "./notify.ts";
import { OneRoute } from "./route.ts";
import type { ConfigDraft, RouteSketch } from "./settle.ts";
import { about, keyed, list, oneOrMore, required, type Schema } from "./shape.ts";
import { Tls } from "./tls.ts";

/** Keys that later versions bring; they are named so that nobody takes them for typing errors. */
const LATER = ["import"];
const Log: Schema<LogRules> = keyed({
  format: about("Form of log lines.", v.optional(leaves.word("json", "text", "off"), "json")),
  level: about(
    "Least important lines to write.",
    v.optional(leaves.word("debug", "info", "warn", "error"), "info"),
  ),
});

export const ConfigSchema: Schema<ConfigDraft> = v.pipe(
  keyed({
    listen: about(
      'Where to listen: ":8080" on all interfaces, "127.0.0.1:8080", "[::1]:8080"; or a map that says more.',
      v.optional(oneOrMore(Listen), ":8080"),
    ),
    tls: about(
      "How TLS is spoken, and where certificates come from: an issuer, or a map with more.",
      v.optional(Tls),
    ),
    trusted_proxies: about(
      "Peers whose X-Forwarded fields are believed: blocks of addresses, or private_ranges.",
      v.optional(oneOrMore(Addresses)),
    ),
    grace_period: about(
      "How long running exchanges may take to end after SIGTERM.",
      v.optional(leaves.duration(), "10m"),
    ),
    log: about("Log on standard output.", v.optional(Log, {})),
    admin: about(
      "Status page, API and metrics: an address such as 127.0.0.1:2020, which is the default, or off.",
      v.optional(Admin, {}),
    ),
    limits: about("Limits of all routes.", v.optional(Limits, {})),
    notify: about("Who is told when an upstream goes or returns.", v.optional(Notify)),
    routes: about("Routes, by host and path.", required(list(OneRoute, 1))),
  }, LATER),
  v.transform((written): ConfigDraft => ({
    listen: written.listen,
    tls: written.tls,
    trustedProxies: (written.trusted_proxies ?? []).flat(),
    graceMs: written.grace_period,
    log: written.log,
    admin: written.admin,
    notify: written.notify ?? [],
    routes: written.routes.map(({ limited, ...route }): RouteSketch => ({
      ...route,
      ...limited(written.limits),
    })),
  })),
);
