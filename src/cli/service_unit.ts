/** Writes the systemd unit: who it runs as, how systemd hears of it, and all that it must not do. Pure. */

export interface UnitWishes {
  /** Absolute path of the program. */
  readonly binary: string;
  /** Absolute path of the configuration. */
  readonly config: string;
  readonly user: string;
  /** Exchanges may take so long to end, in milliseconds. */
  readonly graceMs: number;
  /** Whether it can be asked to reload, which tells what is wrong with a configuration. */
  readonly answers: boolean;
}

export const UNIT_NAME = "understudy.service";
export const UNIT_PATH = `/etc/systemd/system/${UNIT_NAME}`;
/** What systemd waits for beyond the grace of running exchanges, in seconds. */
const MARGIN_S = 30;

export function unitText({ binary, config, user, graceMs, answers }: UnitWishes): string {
  const program = quoted(binary);
  const file = quoted(config);
  const stopS = Math.ceil(graceMs / 1000) + MARGIN_S;
  const reload = answers ? `${program} reload --config ${file}` : "/bin/kill -HUP $MAINPID";
  return `# Written by "understudy service install". Changes are better kept in a drop-in:
# systemctl edit understudy

[Unit]
Description=understudy, an edge proxy that goes to the preferred machine whenever it is up
Wants=network-online.target
After=network-online.target

[Service]
# It tells when its listeners are open, and goes on telling that it lives.
Type=notify
NotifyAccess=main
WatchdogSec=30s
ExecStart=${program} run --config ${file}
ExecReload=${reload}
Restart=on-failure
RestartSec=1s
# grace_period, and some
TimeoutStopSec=${stopS}s

User=${user}
Group=${user}
# Values for \${NAME} in the configuration, NAME=value a line
EnvironmentFile=-/etc/understudy/environment
# By these the runtime inside would load other people's code.
UnsetEnvironment=BUN_OPTIONS BUN_BE_BUN
WorkingDirectory=/
# Keys of certificates
StateDirectory=understudy
StateDirectoryMode=0700
UMask=0077
LimitNOFILE=524288

# Ports below 1024, and nothing else that root may do
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes

ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
# Not MemoryDenyWriteExecute: the runtime compiles code while it runs.

[Install]
WantedBy=multi-user.target
`;
}

/** A word of a command line as systemd reads it (systemd.service(5), "Command lines"). */
function quoted(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w@%+=:,./$-]+$/.test(escaped) ? escaped : `"${escaped.replace(/["\\]/g, "\\$&")}"`;
}
