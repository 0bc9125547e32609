// Reads an answer for a screen: the answer, a sentence where there is none, and a way to read it again.
import { useEffect, useState } from "preact/hooks";
import { Refused, Unreachable } from "../shared/http.ts";
import { sentenceOf } from "./door/door.tsx";
import { later } from "./talk/queue.ts";

export interface Read<T> {
  value: T | null;
  problem: string;
  again: () => Promise<void>;
  /** Runs a change, says why it failed, and reads again when it did not. */
  change: (work: () => Promise<unknown>) => Promise<boolean>;
}

/** Reads when the screen opens and when `of` changes; without a network again and again, until there is an answer. */
export function useRead<T>(read: () => Promise<T>, of: unknown[]): Read<T> {
  const [value, setValue] = useState<T | null>(null);
  const [problem, setProblem] = useState("");
  // Failed reads in a row that another read may mend.
  const [failed, setFailed] = useState(0);
  const again = async (): Promise<void> => {
    try {
      setValue(await read());
      setProblem("");
      setFailed(0);
    } catch (error) {
      setProblem(sentenceOf(error));
      const mayPass = error instanceof Unreachable || (error instanceof Refused && error.isTransient);
      setFailed((before) => (mayPass ? before + 1 : 0));
    }
  };
  useEffect(() => void again(), of);
  useEffect(() => {
    if (!failed) return;
    return later(failed, () => void again());
  }, [...of, failed]);
  const change = async (work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
    } catch (error) {
      setProblem(sentenceOf(error));
      return false;
    }
    await again();
    return true;
  };
  return { value, problem, again, change };
}
