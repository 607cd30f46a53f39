/** Writes a first configuration with comments that tell what else there is. Pure. */
import { stringify } from "yaml";

export interface Wishes {
  /** "*" for any. */
  readonly host: string;
  readonly listen: string;
  readonly upstreams: readonly Machine[];
  /** Undefined probes nothing. */
  readonly health: { readonly uri: string; readonly status: readonly string[] } | undefined;
}

export interface Machine {
  readonly url: string;
  /** What is known of it, for a comment. */
  readonly remark: string | undefined;
}

/** The text of the file. What the wishes hold is quoted where it needs to be, and not checked. */
export function configText({ host, listen, upstreams, health }: Wishes): string {
  const machines = upstreams.map(({ url, remark }) => `      - ${commented(scalar(url), remark)}`);
  return `# understudy sends every request to the first upstream that is up, moves on when it fails
# and returns when it is back. After a change: understudy validate

listen: ${scalar(listen)} # ${aboutListen(listen)}

# Status page, API and metrics; "understudy status" asks there. "off" turns them off; anywhere but on
# this machine they need a token.
admin: 127.0.0.1:2020

# log:
#   format: text # json, text or off

routes:
  - host: ${scalar(host)} # ${
    host === "*" ? "any; or a name, or a list of names" : 'or a list; "*" is any'
  }

    # The order is the order of preference.
    upstreams:
${machines.join("\n")}

${healthText(health)}
    # Passes by an upstream for 30 seconds after a request has failed there.
    passive:
      fail_duration: 30s

    # Waits for an upstream instead of answering 503 at once.
    # retry:
    #   for: 30s

    # Returns only after a minute of health, so that a flapping machine does not flap the traffic.
    # failback:
    #   after: 60s
`;
}

function healthText(health: Wishes["health"]): string {
  if (health === undefined) {
    return `    # Asks each upstream whether it is there. Without it, only failing requests tell.
    # health:
    #   uri: /
    #   interval: 10s
`;
  }
  const { uri, status } = health;
  const [only] = status;
  const codes = status.length === 1 && only !== undefined ? scalar(only) : `[${status.join(", ")}]`;
  return `    # Asks each upstream every 10 seconds whether it is there.
    health:
      uri: ${scalar(uri)}
      interval: 10s
      timeout: 2s
      status: ${codes}
      # idle_interval: 5m # lets a machine sleep while nobody asks for it
`;
}

function aboutListen(listen: string): string {
  return listen.startsWith(":")
    ? `all interfaces; "127.0.0.1${listen}" for this machine only`
    : `":8080" for port 8080 on all interfaces`;
}

function commented(text: string, remark: string | undefined): string {
  return remark === undefined ? text : `${text} # ${remark.replace(/\s+/g, " ")}`;
}

/** A value as YAML writes it, in quotes only where it would be taken for something else. */
function scalar(value: string): string {
  // Quoted as people quote addresses, though YAML could do without.
  if (value.startsWith(":") || value === "*") return JSON.stringify(value);
  if (/^[1-5]\d\d$/.test(value)) return value;
  return stringify(value, { lineWidth: 0 }).trimEnd();
}
