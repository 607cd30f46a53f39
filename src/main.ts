/** Where the program starts: the runtime's platform, the arguments, an exit code. */
import { reexec } from "#reexec";

reexec();
// Only now, as it takes most of the time of a start, and a process that begins anew has no use for it.
const { platform } = await import("#platform");
const { frontDoor } = await import("./cli/front_door.ts");

platform.followParent();
platform.exit(await frontDoor(platform, platform.args));
