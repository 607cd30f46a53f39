import { platform } from "#platform";
import { ask, serving } from "./support.ts";
const log = (...a: unknown[]) => console.log(Math.round(performance.now()), ...a);
const encoder = new TextEncoder();
setTimeout(() => {
  log("giveup");
  platform.exit(1);
}, 4000);
await using host = await serving((request) => {
  log("h");
  return Promise.resolve(new Response(request.body));
});
const upload = new TransformStream<Uint8Array, Uint8Array>();
const writer = upload.writable.getWriter();
const answer = ask(`http://127.0.0.1:${host.port}/`, { method: "POST", body: upload.readable });
log("w");
await writer.write(encoder.encode("one"));
log("wrote1");
const reader = (await answer).body!.getReader();
log("head");
log(await reader.read());
await writer.write(encoder.encode("two"));
log("wrote2");
log(await reader.read());
await writer.close();
log(await reader.read());
