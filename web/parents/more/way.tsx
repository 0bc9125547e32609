// The watch travels to the child: four steps to read to the person there, and the tap that ends the journey.
import { useState } from "preact/hooks";
import type { HomeChild } from "../../shared/api-types.ts";
import { ask } from "../../shared/api.ts";
import { back } from "../../shared/navigation.ts";
import { Banner, Button, Problem, Top } from "../../shared/ui/parts.tsx";
import { ago, t } from "../../shared/words.ts";
import { sentenceOf } from "../door/door.tsx";
import { reload } from "../home/state.ts";

const STEPS = ["charge", "on", "wear", "talk"] as const;

export function OnItsWay({ child }: { child: HomeChild }) {
  const { child_id, name, watch } = child.child;
  const [problem, setProblem] = useState("");
  const since = watch?.on_its_way_since_at;
  const arrived = async (): Promise<void> => {
    try {
      await ask("POST /v1/children/{child_id}/pairing/arrived", { path: { child_id } });
      await reload();
      back();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <main class="screen">
      <Top title={t("way.title")} />
      {since && <Banner icon="way">{t("way.since", { ago: ago(since) })}</Banner>}
      <p>{t("way.about", { name })}</p>
      <ol class="steps big">
        {STEPS.map((step) => <li key={step}>{t(`way.${step}`)}</li>)}
      </ol>
      {problem && <Problem>{problem}</Problem>}
      <Button kind="act" icon="good" testId="arrived" onClick={() => void arrived()}>{t("way.arrived", { name })}</Button>
      <p class="soft">{t("way.arrived_about")}</p>
    </main>
  );
}
