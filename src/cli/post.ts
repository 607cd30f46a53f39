/** Sends news by the platform's `fetch`: one request each, whose answer nobody reads. */
import type { Letter } from "../ops/letter.ts";
import type { Platform } from "../platform/platform.ts";

type Fetching = Pick<Platform, "fetch" | "explain">;

/** Makes the function that posts a letter and resolves with the status of the answer. */
export function poster(
  platform: Fetching,
): (letter: Letter, signal: AbortSignal) => Promise<number> {
  return async ({ url, headers, body }, signal) => {
    let response: Response;
    try {
      response = await platform.fetch(url, {
        method: "POST",
        headers: new Headers(headers.map(([name, value]): [string, string] => [name, value])),
        body: new Blob([body]).stream(),
        signal,
        // One that went stale since the last news would cost a try.
        fresh: true,
        unixPath: undefined,
      });
    } catch (error) {
      const { code, detail } = platform.explain(error);
      throw new Error(detail === "" ? code : `${code}: ${detail}`, { cause: error });
    }
    // An unread body pins its connection.
    await response.body?.cancel();
    return response.status;
  };
}
