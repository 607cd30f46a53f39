/** Where the program starts: the runtime's platform, the arguments, an exit code. */
import { platform } from "#platform";
import { frontDoor } from "./cli/front_door.ts";

platform.prepare();
platform.exit(await frontDoor(platform, platform.args));
