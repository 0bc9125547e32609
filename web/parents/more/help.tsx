// Ask the office for help: three words and no text, so that nothing of the family reaches it by accident.
import { useState } from "preact/hooks";
import type { HelpResponse, HomeChild } from "../../shared/api-types.ts";
import { ask } from "../../shared/api.ts";
import { Button, Problem, Skeleton, Top } from "../../shared/ui/parts.tsx";
import { Icon } from "../../shared/ui/icon.tsx";
import { ago, t } from "../../shared/words.ts";
import { useRead } from "../read.ts";

const KINDS = ["broken", "lost", "worried"] as const;

export function Help({ child }: { child: HomeChild }) {
  const path = { child_id: child.child.child_id };
  const { value, problem, change } = useRead(() => ask("GET /v1/children/{child_id}/help", { path }), [path.child_id]);
  const [advice, setAdvice] = useState<HelpResponse | null>(null);
  const request = (kind: (typeof KINDS)[number]): void => {
    void change(async () => setAdvice(await ask("POST /v1/children/{child_id}/help", { path, body: { kind } })));
  };
  return (
    <main class="screen">
      <Top title={t("help.title")} />
      <p>{t("help.about")}</p>
      {problem && <Problem>{problem}</Problem>}
      {advice && <p class="card" role="status">{advice.text}</p>}
      {!value && !problem && <Skeleton />}
      <div class="stack">
        {value && KINDS.map((kind) => {
          const open = value.open.find((one) => one.kind === kind);
          return open ? (
            <p class="card" key={kind}><Icon name="wait" /> {t(`help.${kind}`)} <small>{t("help.open", { ago: ago(open.asked_at) })}</small></p>
          ) : (
            <Button key={kind} onClick={() => request(kind)} testId={`help-${kind}`}>{t(`help.${kind}`)}</Button>
          );
        })}
      </div>
      {value && (
        <a class="button" href={`tel:${value.helpline.number}`}>
          <Icon name="phone" />
          <span>{t("help.helpline", { name: value.helpline.name, number: value.helpline.number })}</span>
        </a>
      )}
    </main>
  );
}
