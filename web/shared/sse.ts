// Blocks of a stream of server-sent events.
import type { Event as FamilyEvent } from "./api-types.ts";

export interface Parsed {
  id: string;
  kind: string;
  data: FamilyEvent;
}

/** One block of the stream; null for a comment. */
export function parse(block: string): Parsed | null {
  const fields: Record<string, string> = {};
  for (const line of block.split(/\r?\n/)) {
    const at = line.indexOf(":");
    if (at > 0) fields[line.slice(0, at)] = (fields[line.slice(0, at)] ?? "") + line.slice(at + 1).replace(/^ /, "");
  }
  if (!fields["event"] && !fields["data"]) return null;
  return { id: fields["id"] ?? "", kind: fields["event"] ?? "message", data: JSON.parse(fields["data"] || "{}") as FamilyEvent };
}
