// The field that takes every scan, and the big yes or no under it. The field never loses the focus to nothing.
import { useEffect, useRef, useState } from "preact/hooks";
import { Button, Icon, t } from "../kit.ts";
import { Camera, hasCamera } from "./camera.tsx";
import { clearHalf, half, take, undo, verdict } from "./pairs.ts";

const TYPES_ELSEWHERE = "input, select, textarea, [role=dialog]";

export function Scanner({ onSlip }: { onSlip: (family: string) => void }) {
  const field = useRef<HTMLInputElement>(null);
  const [isCamera, setCamera] = useState(false);
  const focus = (): void => field.current?.focus({ preventScroll: true });
  useEffect(() => {
    focus();
    // A scanner types wherever the focus is: a letter that no field wants goes into this one.
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape") return clearHalf();
      const isLetter = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.altKey && !event.metaKey;
      if (isLetter && !document.activeElement?.closest(TYPES_ELSEWHERE)) focus();
    };
    const onReturn = (): void => {
      if (document.activeElement === document.body) focus();
    };
    addEventListener("keydown", onKey);
    addEventListener("focus", onReturn);
    document.addEventListener("visibilitychange", onReturn);
    return () => {
      removeEventListener("keydown", onKey);
      removeEventListener("focus", onReturn);
      document.removeEventListener("visibilitychange", onReturn);
    };
  }, []);
  const { serial, family } = half.value;
  const enter = (): void => {
    // The field is read when it is entered: a scanner types 20 letters a watch, and none of them needs a drawing.
    const typed = field.current?.value ?? "";
    if (field.current) field.current.value = "";
    take(typed);
  };
  return (
    <section class="scanner" aria-label={t("handout.scan")}>
      <form onSubmit={(event) => { event.preventDefault(); enter(); }}>
        <label for="scan">{serial ? t("handout.want_family") : family ? t("handout.want_watch") : t("handout.want_both")}</label>
        <input
          id="scan" class="scan" ref={field} autoComplete="off" autoCapitalize="characters" spellcheck={false} enterkeyhint="done" data-testid="scan"
          onBlur={() => setTimeout(() => document.activeElement === document.body && focus(), 0)}
        />
      </form>
      <p class="halves" aria-live="polite">
        <span class={serial ? "half has" : "half"}><Icon name="watch" /> {serial || t("handout.watch")}</span>
        <Icon name="way" />
        <span class={family ? "half has" : "half"}><Icon name="family" /> {family || t("handout.family")}</span>
      </p>
      {isCamera && <Camera onRead={take} onClose={() => { setCamera(false); focus(); }} />}
      <Judged onSlip={onSlip} />
      <div class="choices">
        <Button icon="back" onClick={() => void undo().then(focus)} testId="undo">{t("handout.undo")}</Button>
        {(serial || family) && <Button onClick={() => { clearHalf(); focus(); }}>{t("handout.clear")}</Button>}
        {hasCamera() && !isCamera && <Button icon="eye" onClick={() => setCamera(true)}>{t("handout.camera")}</Button>}
      </div>
    </section>
  );
}

function Judged({ onSlip }: { onSlip: (family: string) => void }) {
  const judged = verdict.value;
  if (!judged) return <div class="verdict" role="status" data-testid="verdict">{t("handout.begin")}</div>;
  const word = judged.kind === "yes" ? t("handout.word_yes") : judged.kind === "no" ? t("handout.word_no") : t("handout.word_paper");
  return (
    <div class={`verdict ${judged.kind}`} role="status" data-testid="verdict" data-kind={judged.kind} data-at={judged.at}>
      <strong class="word"><Icon name={judged.kind === "yes" ? "good" : judged.kind === "no" ? "cross" : "paper"} /> {word}</strong>
      <span class="pair">{judged.title()}</span>
      <span>{judged.about()}</span>
      {judged.unreached && <Button icon="paper" onClick={() => onSlip(judged.unreached ?? "")}>{t("handout.slip", { family: judged.unreached })}</Button>}
    </div>
  );
}
