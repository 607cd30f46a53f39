/** Where certificates are kept when all is as usual. Pure. */

export interface PlaceAsked {
  /** `tls.storage` of the configuration. */
  readonly configured: string | undefined;
  /** Number of the user we act for. */
  readonly userId: number | undefined;
  readonly env: (name: string) => string | undefined;
}

/** Undefined where nothing says whose home this is. */
export function storagePlace({ configured, userId, env }: PlaceAsked): string | undefined {
  if (configured !== undefined) return configured;
  // systemd names the folders of a service, its first one first (systemd.exec(5)).
  const ofService = env("STATE_DIRECTORY")?.split(":")[0];
  if (ofService) return ofService;
  if (userId === 0) return SYSTEM_PLACE;
  const data = env("XDG_DATA_HOME");
  // The XDG specification has relative paths ignored.
  if (data?.startsWith("/")) return `${data}/understudy`;
  const home = env("HOME");
  return home ? `${home}/.local/share/understudy` : undefined;
}

/** Of root's, and of the service's that `service install` makes. */
export const SYSTEM_PLACE = "/var/lib/understudy";
