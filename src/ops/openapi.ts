/** The OpenAPI 3.1 description of the admin API. The shapes are next door; a test holds real answers against both. */
import { REVOCATIONS } from "../model.ts";
import { SCHEMAS } from "./openapi_schemas.ts";

const NAME = {
  name: "name",
  in: "path",
  required: true,
  description:
    "Name of an upstream; where pools share it, pool and name joined by a bar: `POOL|NAME`.",
  schema: { type: "string" },
} as const;

function json(description: string, schema: object) {
  return { description, content: { "application/json": { schema } } };
}

function ref(name: keyof typeof SCHEMAS) {
  return { $ref: `#/components/schemas/${name}` };
}

function text(description: string, type = "text/plain") {
  return { description, content: { [type]: { schema: { type: "string" } } } };
}

function failed(description: string) {
  return json(description, ref("Error"));
}

/** What every path that is not open answers besides. */
const GUARDED = {
  400: failed("`Host` is missing or malformed."),
  401: failed("The bearer token is missing or wrong."),
  403: failed("`Host` is not ours, or a page of another origin asks."),
};

function read(summary: string, answer: object, more: object = {}) {
  return { get: { summary, responses: { 200: answer, ...GUARDED, ...more } } };
}

function action(summary: string, more: object = {}) {
  return {
    post: {
      summary,
      parameters: [NAME],
      responses: {
        200: json("How it stands now.", ref("ActionResult")),
        404: failed("There is no such upstream."),
        409: failed("Several upstreams bear the name, or it cannot be done now."),
        ...GUARDED,
        ...more,
      },
    },
  };
}

const REASON = {
  name: "reason",
  in: "query",
  description: "Why it is called back (RFC 5280 section 5.3.1).",
  schema: { enum: [...REVOCATIONS], default: "unspecified" },
};

function renewal(summary: string, more: readonly object[]) {
  const name = { ...NAME, description: "One of its names; it is waited for." };
  return {
    post: {
      summary,
      parameters: [name, ...more],
      responses: {
        200: json("The new one.", ref("CertificateResult")),
        404: failed("None is for that name."),
        409: failed("It comes from files, or the authority gave none: the old one is shown on."),
        ...GUARDED,
      },
    },
  };
}

/** The description, as it is served. */
export function openApi(version: string) {
  return {
    openapi: "3.1.0",
    info: {
      title: "understudy admin API",
      version,
      description:
        "Moments are milliseconds since 1970, durations are milliseconds. Where a token is configured, " +
        "every path but `/`, `/healthz` and `/readyz` wants `Authorization: Bearer TOKEN`.",
    },
    security: [{}, { token: [] }],
    paths: {
      "/api/status": read("All there is to see.", json("The status.", ref("Status"))),
      "/api/events": read(
        "Changes as they happen, as server-sent events.",
        text(
          "Events named `transition`, `summary` (each second, and at once), `notable`, `certificates`, " +
            "`config` and `dropped`; data is JSON of the schemas Transition, Summary, Notable, " +
            "an array of CertificateStatus, ConfigStatus and Dropped.",
          "text/event-stream",
        ),
        { 503: failed("There are too many readers.") },
      ),
      "/api/requests": read(
        "Requests as they end, as server-sent events.",
        text(
          "Events named `request` whose data is the line of the access log, and `dropped`.",
          "text/event-stream",
        ),
        { 503: failed("There are too many readers.") },
      ),
      "/api/upstreams/{name}/drain": action(
        "Sends it nothing new; what runs there ends by itself.",
      ),
      "/api/upstreams/{name}/undrain": action("Lets requests come again."),
      "/api/upstreams/{name}/probe": action("Probes it now and tells the verdict."),
      "/api/upstreams/{name}/failback": action("Lets its pool go back to whom it prefers."),
      "/api/certificates/{name}/renew": renewal("Has the certificate for a name issued anew.", []),
      "/api/certificates/{name}/revoke": renewal(
        "Has another one issued in its place and calls the old one back, in this order.",
        [REASON],
      ),
      "/api/reload": {
        post: {
          summary: "Reads the configuration again.",
          responses: {
            200: json("It is in force.", ref("ReloadResult")),
            409: failed("There is no file to read, or the process is ending."),
            422: failed("It is no good: `problems` tells why, and nothing has changed."),
            ...GUARDED,
          },
        },
      },
      "/api/config": read(
        "The configuration at work, defaults filled in and secrets taken out.",
        json("Its form follows the version of the program.", { type: "object" }),
      ),
      "/api/root.pem": read(
        "The root of the authority that signs the certificates of `tls: internal`.",
        text("PEM.", "application/x-pem-file"),
        { 404: failed("There is none."), 503: failed("It cannot be read.") },
      ),
      "/api/openapi.json": read("This description.", json("OpenAPI 3.1.", { type: "object" })),
      "/reverse_proxy/upstreams": read(
        "Upstreams in the shape of Caddy's admin API, and a little more.",
        json("An entry an address.", { type: "array", items: ref("CaddyUpstream") }),
      ),
      "/metrics": read("Metrics for Prometheus.", text("Its text format."), {
        404: failed("Nobody counts."),
      }),
      "/healthz": {
        get: { summary: "Whether the process lives.", responses: { 200: text("It does.") } },
      },
      "/readyz": {
        get: {
          summary: "Whether it takes requests.",
          responses: { 200: text("It does."), 503: text("It does not yet, or is ending.") },
        },
      },
      "/": {
        get: { summary: "The status page.", responses: { 200: text("For people.", "text/html") } },
      },
    },
    components: {
      schemas: SCHEMAS,
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}
