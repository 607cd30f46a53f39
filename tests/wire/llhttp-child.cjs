// Runs under Node alone: reads inputs from stdin, has Node's own parser (llhttp, strict) read them, and
// prints what it made of each as one line of JSON. `llhttp.ts` is the other half.
"use strict";
const { HTTPParser, methods } = require("_http_common");
const { readFileSync } = require("node:fs");

const HEAD_LIMIT = 1 << 20;

function read(kind, bytes) {
  const messages = [];
  let message;
  const parser = new HTTPParser();
  parser.initialize(kind === 0 ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {}, HEAD_LIMIT, 0);
  parser[HTTPParser.kOnMessageBegin | 0] = () => {
    message = { target: "", fields: [], trailers: [], body: "", headed: false, whole: false };
  };
  // Called when fields overflow a batch of 32, and again with the trailers.
  parser[HTTPParser.kOnHeaders | 0] = (fields, url) => {
    if (message.headed) message.trailers.push(...fields);
    else {
      message.fields.push(...fields);
      message.target += url;
    }
  };
  // Arguments: major, minor, fields, method, url, status, reason, upgrade, keepAlive.
  parser[HTTPParser.kOnHeadersComplete | 0] = (...head) => {
    const [, minorVersion, fields, method, url, status, reason, upgrade, keepAlive] = head;
    if (fields) message.fields.push(...fields);
    if (url) message.target += url;
    Object.assign(message, { minorVersion, keepAlive, upgrade, headed: true });
    message.method = methods[method] ?? "";
    message.status = status ?? 0;
    message.reason = reason ?? "";
    messages.push(message);
    return kind === 2 ? 1 : 0;
  };
  parser[HTTPParser.kOnBody | 0] = (piece, offset, length) => {
    const part = offset === undefined ? piece : piece.subarray(offset, offset + length);
    message.body += part.latin1Slice();
  };
  parser[HTTPParser.kOnMessageComplete | 0] = () => {
    message.whole = true;
  };

  let error = null;
  // An upgrade makes the parser return before the end; what follows is read on, to see all it would see.
  for (let rest = bytes; rest.length > 0;) {
    const done = parser.execute(rest);
    if (typeof done !== "number") {
      error = done.code ?? String(done);
      break;
    }
    if (done <= 0) break;
    rest = rest.subarray(done);
  }
  // The end of the connection completes a response that lasts until then.
  if (error === null && kind !== 0) parser.finish();
  parser.close();
  return { messages, error };
}

const input = readFileSync(0);
const lines = [];
for (let at = 0; at < input.length;) {
  const kind = input[at];
  const length = input.readUInt32BE(at + 1);
  lines.push(JSON.stringify(read(kind, input.subarray(at + 5, at + 5 + length))));
  at += 5 + length;
}
process.stdout.write(lines.join("\n") + "\n");
