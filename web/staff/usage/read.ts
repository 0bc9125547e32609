// Reading that takes several requests, in the form that `Loaded` shows.
import { useEffect, useState } from "preact/hooks";
import { sentenceOf } from "../kit.ts";

export function useRead<A>(read: () => Promise<A>, again: readonly unknown[]): { answer: A | null; problem: string; reload: () => Promise<void> } {
  const [answer, setAnswer] = useState<A | null>(null);
  const [problem, setProblem] = useState("");
  const begin = async (isWanted: () => boolean): Promise<void> => {
    try {
      const got = await read();
      if (!isWanted()) return;
      setAnswer(() => got);
      setProblem("");
    } catch (error) {
      if (isWanted()) setProblem(sentenceOf(error));
    }
  };
  useEffect(() => {
    let isWanted = true;
    setAnswer(null);
    void begin(() => isWanted);
    return () => { isWanted = false; };
  }, again);
  return { answer, problem, reload: () => begin(() => true) };
}
