/** Errands on Deno, where a client of their own brings authorities along and is closed with its errand. */
import type { Sender } from "./errand.ts";

export const send: Sender = async (url, init, authorities, read) => {
  if (authorities.length === 0) return await read(await fetch(url, init));
  const client = Deno.createHttpClient({ caCerts: [...authorities] });
  try {
    return await read(await fetch(url, { ...init, client }));
  } finally {
    client.close();
  }
};
