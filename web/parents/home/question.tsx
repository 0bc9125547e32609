// At most one question a day. "Not now" stands beside "read" with the same weight: not now is no answer, and no reproach.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Question } from "../../shared/api-types.ts";
import { ask, Refused, Unreachable } from "../../shared/api.ts";
import { go } from "../../shared/navigation.ts";
import { Button } from "../../shared/ui/parts.tsx";
import { Icon } from "../../shared/ui/icon.tsx";
import { t } from "../../shared/words.ts";
import { childOf } from "./state.ts";

const ASK_EVERY_MS = 3_600_000;

export const question = signal<{ family_id: string; question: Question } | null>(null);
let askedAt = 0;

/** Reads what to ask now, at most once an hour; a family that is asked nothing costs one small answer. */
export async function readQuestion(families: readonly string[], now = Date.now()): Promise<void> {
  if (now - askedAt < ASK_EVERY_MS) return;
  askedAt = now;
  try {
    for (const family_id of families) {
      const found = (await ask("GET /v1/families/{family_id}/question", { path: { family_id } })).question;
      if (found && found.subject !== "messages") {
        question.value = { family_id, question: found };
        return;
      }
    }
  } catch (error) {
    // Asked at another opening.
    askedAt = 0;
    if (!(error instanceof Refused) && !(error instanceof Unreachable)) throw error;
  }
}

export function forgetQuestion(): void {
  question.value = null;
  askedAt = 0;
}

export async function notNow(): Promise<void> {
  const asked = question.value;
  if (!asked) return;
  const { subject, child_id } = asked.question;
  await ask("POST /v1/families/{family_id}/question/not-now", { path: { family_id: asked.family_id }, body: { subject, child_id } });
  question.value = null;
}

/** What the question is about, in a few words. */
export function titleOf(asked: Question): string {
  if (asked.subject !== "childs_word") return t(`part.${asked.subject}`);
  return t("word.title", { name: childOf(asked.child_id ?? "")?.child.name ?? "" });
}

export function QuestionCard({ families }: { families: string[] }) {
  useEffect(() => void readQuestion(families), [families.join()]);
  const asked = question.value;
  if (!asked) return null;
  return (
    <section class="card stack" data-testid="question">
      <h2><Icon name="paper" />{t("question.title")}</h2>
      <p>{titleOf(asked.question)}</p>
      {asked.question.is_newer && <p class="soft">{t("question.newer")}</p>}
      <div class="choices even">
        <Button testId="not-now" onClick={() => void notNow().catch(() => undefined)}>{t("consent.not_now")}</Button>
        <Button onClick={() => go({ name: "question" })}>{t("question.read")}</Button>
      </div>
    </section>
  );
}
