/** The status page at the root of the admin listener: one document, nothing fetched from elsewhere. */

/** The whole document, its styles and its script within. */
export function page(): string {
  return PAGE;
}

const PAGE = "<!doctype html><html lang=en><title>understudy</title><h1>understudy</h1></html>";
