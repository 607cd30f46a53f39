/** Writes docs/from-caddy.md from the table of support, so that the page and the importer never differ. Pure. */
import type { Support } from "./directive.ts";
import { SUPPORT } from "./support_table.ts";

interface Section {
  readonly title: string;
  /** What names of its rows begin with, which is left out of them. */
  readonly prefix: string;
}

/** A row belongs to the first one that fits. */
const SECTIONS: readonly Section[] = [
  { title: "`transport` of `reverse_proxy`", prefix: "reverse_proxy.transport." },
  { title: "Upstreams of `reverse_proxy`", prefix: "reverse_proxy.to." },
  { title: "`dynamic` of `reverse_proxy`", prefix: "reverse_proxy.dynamic." },
  { title: "`lb_policy` of `reverse_proxy`", prefix: "reverse_proxy.lb_policy." },
  { title: "Options of `reverse_proxy`", prefix: "reverse_proxy." },
  { title: "Matchers", prefix: "matcher." },
  { title: "Placeholders", prefix: "placeholder." },
  { title: "`servers` of the global options", prefix: "global.servers." },
  { title: "Global options", prefix: "global." },
  { title: "Addresses of sites", prefix: "site " },
  { title: "Options of `tls`", prefix: "tls." },
  { title: "Directives", prefix: "" },
];

/** From the whole to the small, which is not the order in which rows are told apart. */
const ORDER = [9, 11, 10, 5, 4, 1, 3, 2, 0, 6, 8, 7];

const HEAD = `# From Caddy

A Caddyfile runs as it stands: \`understudy run --config Caddyfile\`. \`understudy adapt Caddyfile\`
writes it as YAML, and \`understudy validate Caddyfile\` tells what becomes of each of its lines. What
cannot be taken over is refused with its place, the reason and the nearest thing on offer; nothing
is passed over in silence.

- **same**: as in Caddy.
- **better**: as in Caddy, less something that hurts there.
- **different**: taken over, with the difference that is named.
- **refused**: not taken over; the note says what to use.

Where Caddy's default is another than that of YAML here, the imported configuration has Caddy's:
\`policy: random\`, \`transport.keepalive: 2m\`, \`transport.keepalive_idle_conns: 32\`,
\`transport.max_response_header: 10MiB\`.

A site that Caddy serves with TLS is served with TLS here. Whatever the file says of it:

- Accounts and certificates that Caddy keeps stay where they are. Public names get others at the
  first start, and the authority for private names is another one: \`understudy trust\` installs it.
- Let's Encrypt is asked, and nobody in its stead unless an \`issuer acme\` names one.
- A host that no site has is answered with 404, in the clear as well, where Caddy sends it on.
- Who speaks no TLS where it is spoken is sent on, where Caddy answers with 400.
- Port 80 opens beside port 443 with \`disable_redirects\` or another \`http_port\`, too, where proofs
  or redirects have use for it; it does no harm if it cannot.

This page is written from the table that the importer itself goes by.
`;

export function supportPage(rows: readonly Support[] = SUPPORT): string {
  const bySection = Map.groupBy(rows, sectionOf);
  const parts = ORDER.flatMap((index) => {
    const section = SECTIONS[index];
    const own = section === undefined ? undefined : bySection.get(section);
    return section === undefined || own === undefined ? [] : [tableOf(section, own)];
  });
  return [HEAD, ...parts].join("\n");
}

function sectionOf({ name }: Support): Section | undefined {
  return SECTIONS.find(({ prefix }) => name.startsWith(prefix));
}

function tableOf({ title, prefix }: Section, rows: readonly Support[]): string {
  const cells = rows.map(({ name, verdict, setting, note, nearest }) => [
    code(spelled(name.slice(prefix.length))),
    verdict,
    setting === "" ? "" : code(setting),
    nearest === undefined ? note : `${note}; use ${nearest}`,
  ]);
  const table = [["Caddy", "is", "YAML", "note"], ...cells];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(3, ...table.map((row) => escaped(row[column] ?? "").length))
  );
  const lines = table.map((row) => lineOf(row, widths));
  lines.splice(1, 0, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`);
  return `## ${title}\n\n${lines.join("\n")}\n`;
}

/** Dots lead into blocks, but not those within the braces of a placeholder or of an address. */
function spelled(name: string): string {
  return /[{*]/.test(name) ? name : name.replaceAll(".", " ");
}

function lineOf(row: readonly string[], widths: readonly number[]): string {
  return `| ${row.map((cell, at) => escaped(cell).padEnd(widths[at] ?? 0)).join(" | ")} |`;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A bar would end the cell, also within code. */
function escaped(cell: string): string {
  return cell.replaceAll("|", "\\|");
}
