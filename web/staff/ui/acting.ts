// Steps on a list that others work on too: a colleague who was faster is named, and the list is read again.
import { useState } from "preact/hooks";
import { t } from "../../shared/words.ts";
import { Refused } from "../api.ts";
import { sentenceOf } from "./asking.ts";

// What the server says about a case that somebody else has changed meanwhile.
const TAKEN = ["recovery_ended", "contest_decision_ended", "staff_request_ended", "break_glass_closed", "not_found"];

export function useActing(reload: () => Promise<void>): { isBusy: boolean; problem: string; act: (work: () => Promise<unknown>) => Promise<boolean> } {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const act = async (work: () => Promise<unknown>): Promise<boolean> => {
    if (isBusy) return false;
    setBusy(true);
    setProblem("");
    try {
      await work();
      await reload();
      return true;
    } catch (error) {
      const isTaken = error instanceof Refused && TAKEN.includes(error.code);
      setProblem(isTaken ? `${t("care.taken")} ${sentenceOf(error)}` : sentenceOf(error));
      if (isTaken) await reload();
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, problem, act };
}
