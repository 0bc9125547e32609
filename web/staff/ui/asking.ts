// Reading and sending for a screen, with one sentence for what failed.
import { useEffect, useState } from "preact/hooks";
import { problemSentence, t } from "../../shared/words.ts";
import { ask, type Ask, type Name, Refused, Unreachable } from "../api.ts";
import type { Operations } from "../api-types.ts";

/** The sentence of a failure; anything but an answer or a missing network is a fault of ours and is raised. */
export function sentenceOf(error: unknown): string {
  if (error instanceof Unreachable) return t("problem.offline");
  if (!(error instanceof Refused)) throw error;
  const waitMs = error.retryAfterMs;
  if (error.status === 429 && waitMs !== null) return t("desk.wait", { n: Math.max(1, Math.ceil(waitMs / 60_000)) });
  return problemSentence(error.code, words(error.fields));
}

function words(fields: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => typeof value === "string" || typeof value === "number").map(([name, value]) => [name, String(value)]));
}

/** Reads an operation when the screen opens and when `again` changes; `reload` reads it once more. */
export function useAsked<N extends Name>(name: N, asked: Ask<N>, again: readonly unknown[] = []): { answer: Operations[N]["answer"] | null; problem: string; reload: () => Promise<void> } {
  const [answer, setAnswer] = useState<Operations[N]["answer"] | null>(null);
  const [problem, setProblem] = useState("");
  const read = async (isWanted: () => boolean): Promise<void> => {
    try {
      const got = await ask(name, asked);
      if (!isWanted()) return;
      setAnswer(got);
      setProblem("");
    } catch (error) {
      if (isWanted()) setProblem(sentenceOf(error));
    }
  };
  useEffect(() => {
    let isWanted = true;
    void read(() => isWanted);
    return () => { isWanted = false; };
  }, [name, JSON.stringify(asked.path), JSON.stringify(asked.query), ...again]);
  return { answer, problem, reload: () => read(() => true) };
}

/** Runs what a button does, once at a time; `problem` is the sentence of its failure. */
export function useBusy(): { isBusy: boolean; problem: string; run: (work: () => Promise<void>) => Promise<void> } {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const run = async (work: () => Promise<void>): Promise<void> => {
    if (isBusy) return;
    setBusy(true);
    setProblem("");
    try {
      await work();
    } catch (error) {
      setProblem(sentenceOf(error));
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, problem, run };
}
