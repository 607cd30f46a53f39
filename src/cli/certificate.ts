/** `understudy certificate`: has a certificate issued anew before its time, or called back. */
import { REVOCATIONS } from "../model.ts";
import type { CertificateResult } from "../ops/status.ts";
import { ADMIN_FLAGS, ADMIN_HELP, withAdmin } from "./admin_client.ts";
import { type Command, EXIT, UsageError } from "./command.ts";
import { spelledSpan } from "./moments.ts";

const DEEDS = ["renew", "revoke"] as const;

export const certificate: Command = {
  name: "certificate",
  summary: "Have a certificate issued anew, or called back",
  help: `Usage: understudy certificate renew NAME
       understudy certificate revoke NAME [--reason REASON]

Asks the running understudy for another certificate for NAME at once, whatever
its plan, and waits for it: after a mended record or firewall, say. "revoke"
calls the old one back once the new one, with a new key, is in its place: when
its key may have been seen by others. The old one is shown on where none comes.

"understudy status" lists all certificates. Those from files are renewed by
whoever writes the files.

      --reason REASON    ${REVOCATIONS.join(", ")}
      --json             The answer of the API, for programs
${ADMIN_HELP}

Exit codes: 0 done, 1 failed, 2 usage.
`,
  flags: {
    ...ADMIN_FLAGS,
    reason: { type: "string", values: [...REVOCATIONS] },
    json: { type: "boolean" },
  },
  positionalsMax: 2,

  async run(platform, args) {
    const [word, name] = args.positionals;
    const deed = DEEDS.find((one) => one === word);
    if (deed === undefined || name === undefined) {
      throw new UsageError("Expected renew NAME or revoke NAME");
    }
    const reason = args.text("reason");
    if (reason !== undefined && deed !== "revoke") {
      throw new UsageError("--reason goes with revoke");
    }
    const query = reason === undefined ? "" : `?reason=${encodeURIComponent(reason)}`;
    return await withAdmin(platform, args, async (client) => {
      const path = `/api/certificates/${encodeURIComponent(name)}/${deed}${query}`;
      const result = await client.post<CertificateResult>(path, ORDER_LIMIT_MS);
      const { issuer, validTo = 0 } = result.certificate;
      const goodFor = spelledSpan(Math.max(0, validTo - platform.clock.now()));
      const words = `${name} has a new certificate from ${issuer}, good for ${goodFor}${
        deed === "revoke" ? "; the old one is called back" : ""
      }`;
      platform.stdout.write(`${args.has("json") ? JSON.stringify(result) : words}\n`);
      return EXIT.fine;
    });
  },
};

/** An authority may wait long for a record to be seen, in milliseconds. */
const ORDER_LIMIT_MS = 30 * 60_000;
