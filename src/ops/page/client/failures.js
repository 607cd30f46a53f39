/** Puts the log's terse words for a failed attempt into a sentence. Pure. */

/** @type {Readonly<Record<string, string>>} */
const REASONS = {
  refused: "refused the connection",
  unreachable: "cannot be reached",
  unknown_host: "has a name that does not resolve",
  dial_timeout: "did not accept a connection in time",
  tls: "failed the TLS handshake",
  closed: "closed the connection before answering",
  protocol: "answered something that is not HTTP",
  headers_timeout: "did not answer in time",
  went_down: "was found down while the request waited",
};

/**
 * "gpu: refused (not sent): ECONNREFUSED" → "gpu refused the connection". What is not understood
 * stays as it is.
 * @param {string} failure
 */
export function failureInWords(failure) {
  const [, name, what = "", status] =
    /^(.*?): (?:(\w+) \((?:not )?sent\)|status (\d+))/.exec(failure) ?? [];
  if (status !== undefined) return `${name} answered ${status}`;
  const words = REASONS[what];
  return words === undefined ? failure : `${name} ${words}`;
}
