// Reads an answer for a screen: the answer, a sentence where there is none, and a way to read it again.
import { useEffect, useState } from "preact/hooks";
import { sentenceOf } from "../door/door.tsx";

export interface Read<T> {
  value: T | null;
  problem: string;
  again: () => Promise<void>;
  /** Runs a change, says why it failed, and reads again when it did not. */
  change: (work: () => Promise<unknown>) => Promise<boolean>;
}

export function useRead<T>(read: () => Promise<T>, of: unknown[]): Read<T> {
  const [value, setValue] = useState<T | null>(null);
  const [problem, setProblem] = useState("");
  const again = async (): Promise<void> => {
    try {
      setValue(await read());
      setProblem("");
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  useEffect(() => void again(), of);
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
