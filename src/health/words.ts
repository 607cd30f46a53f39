/** Puts failures into words that complete the sentence "the upstream …". */
import type { FailureReason } from "../model.ts";

export function failureInWords(reason: FailureReason): string {
  switch (reason) {
    case "refused":
      return "refused the connection";
    case "unreachable":
      return "cannot be reached";
    case "unknown_host":
      return "has a name that does not resolve";
    case "dial_timeout":
      return "did not accept a connection in time";
    case "tls":
      return "failed the TLS handshake";
    case "closed":
      return "closed the connection before answering";
    case "protocol":
      return "answered something that is not HTTP";
    case "headers_timeout":
      return "did not answer in time";
    case "went_down":
      return "was found down while a request waited";
  }
}
