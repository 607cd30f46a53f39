/**
 * Writes the scripts by which shells complete understudy's words. Made of the commands as they are
 * declared, and of their help texts, so that nothing is said twice. Pure.
 */
import type { Command, Words } from "./command.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = typeof SHELLS[number];

/** One flag, with all that is known of it. */
interface FlagTold {
  readonly name: string;
  readonly short: string | undefined;
  /** It takes a value; undefined where it does not. */
  readonly values: Words | "any" | undefined;
  readonly about: string;
}

interface CommandTold {
  readonly name: string;
  readonly about: string;
  readonly flags: readonly FlagTold[];
  readonly positionals: Words | undefined;
}

export function completionScript(shell: Shell, commands: readonly Command[]): string {
  const told = commands.filter(({ summary }) => summary !== undefined).map(tell);
  const all = [...told, HELP];
  return { bash, zsh, fish }[shell](all);
}

const HELP: CommandTold = {
  name: "help",
  about: "Explain a command",
  flags: [],
  positionals: "command",
};

function tell({ name, summary = "", help, flags, positionals }: Command): CommandTold {
  const known = Object.entries(flags).map(([flag, { short, type, values }]): FlagTold => ({
    name: flag,
    short,
    values: type === "boolean" ? undefined : values ?? "any",
    about: aboutFlag(flag, help),
  }));
  const own = { name: "help", short: "h", values: undefined, about: "Explain this command" };
  return { name, about: summary, flags: [...known, own], positionals };
}

/** The beginning of what the help text says of a flag. */
function aboutFlag(flag: string, help: string): string {
  const line = new RegExp(`^ {2}.{0,4}--${flag}(?: \\S+| '[^']*')? {2,}(.*)$`, "m").exec(help)?.[1];
  return (line ?? "").split(/[.;:,(]/)[0]?.trim() ?? "";
}

/** Asks the one that runs for the names of its upstreams. */
const ASK_UPSTREAMS = "understudy completion upstreams 2>/dev/null";

function bash(commands: readonly CommandTold[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const cases = commands.map(({ name, flags, positionals }) => {
    const values = flags.filter((flag) => flag.values !== undefined).map((flag) =>
      `        ${spellings(flag).join("|")}) ${bashWords(flag.values, names)}; return ;;`
    );
    const dashes = flags.flatMap(spellings).join(" ");
    return `    ${name})
      case $previous in
${values.length === 0 ? "        *) ;;" : values.join("\n")}
      esac
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W '${dashes}' -- "$current"))
      else
        ${bashWords(positionals, names)}
      fi ;;`;
  });
  return `# Completion of understudy's words for bash. Take it over with:
#   source <(understudy completion bash)
_understudy() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${names}' -- "$current"))
    return
  fi
  local IFS=$' \\t\\n'
  case $command in
${cases.join("\n")}
  esac
}
complete -F _understudy understudy
`;
}

function bashWords(words: FlagTold["values"], commands: string): string {
  const from = (source: string) => `COMPREPLY=($(compgen ${source} -- "$current"))`;
  if (words === undefined || words === "any") return ":";
  if (words === "file") return `compopt -o filenames; ${from("-f")}`;
  if (words === "upstream") return from(`-W "$(${ASK_UPSTREAMS})"`);
  return from(`-W '${words === "command" ? commands : words.join(" ")}'`);
}

function spellings({ name, short }: FlagTold): readonly string[] {
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
}

function zsh(commands: readonly CommandTold[]): string {
  const list = commands.map(({ name, about }) => `    ${zshWord(`${name}:${about}`)}`);
  const cases = commands.map(({ name, flags, positionals }) => {
    const args = [
      ...flags.flatMap((flag) => spellings(flag).map((dash) => zshFlag(dash, flag, commands))),
      ...(positionals === undefined ? [] : [zshWord(`*:: :${zshWords(positionals, commands)}`)]),
    ];
    return `    ${name}) _arguments ${args.map((arg) => `\\\n      ${arg}`).join(" ")} ;;`;
  });
  return `#compdef understudy
# Completion of understudy's words for zsh. Take it over with:
#   understudy completion zsh > "\${fpath[1]}/_understudy"
_understudy_upstreams() {
  local -a names
  names=(\${(f)"$(${ASK_UPSTREAMS})"})
  compadd -a names
}
_understudy() {
  local -a commands
  commands=(
${list.join("\n")}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = _understudy ]; then _understudy "$@"; else compdef _understudy understudy; fi
`;
}

function zshFlag(dash: string, { values, about }: FlagTold, commands: readonly CommandTold[]) {
  const value = values === undefined ? "" : `: :${zshWords(values, commands)}`;
  return zshWord(`${dash}[${about.replace(/[[\]]/g, "")}]${value}`);
}

function zshWords(words: Words | "any", commands: readonly CommandTold[]): string {
  if (words === "any") return "";
  if (words === "file") return "_files";
  if (words === "upstream") return "_understudy_upstreams";
  const list = words === "command" ? commands.map(({ name }) => name) : words;
  return `(${list.join(" ")})`;
}

/** In single quotes, as each shell here reads them. */
function zshWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fish(commands: readonly CommandTold[]): string {
  const first = commands.map(({ name, about }) =>
    `complete -c understudy -n __fish_use_subcommand -a ${name} -d ${fishWord(about)}`
  );
  const rest = commands.flatMap(({ name, flags, positionals }) => {
    const seen = `complete -c understudy -n '__fish_seen_subcommand_from ${name}'`;
    return [
      ...flags.map((flag) => {
        const short = flag.short === undefined ? "" : ` -s ${flag.short}`;
        const value = flag.values === undefined ? "" : ` -r${fishWords(flag.values, commands)}`;
        const about = flag.about === "" ? "" : ` -d ${fishWord(flag.about)}`;
        return `${seen} -l ${flag.name}${short}${value}${about}`;
      }),
      ...(positionals === undefined ? [] : [`${seen}${fishWords(positionals, commands)}`]),
    ];
  });
  return `# Completion of understudy's words for fish. Take it over with:
#   understudy completion fish > ~/.config/fish/completions/understudy.fish
complete -c understudy -f
${[...first, ...rest].join("\n")}
`;
}

function fishWords(words: Words | "any", commands: readonly CommandTold[]): string {
  if (words === "any") return "";
  if (words === "file") return " -F";
  if (words === "upstream") return ` -a '(${ASK_UPSTREAMS})'`;
  const list = words === "command" ? commands.map(({ name }) => name) : words;
  return ` -a '${list.join(" ")}'`;
}

function fishWord(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}
