// What a list shows while it is read, when it cannot be read, and when it has nothing.
import type { ComponentChildren } from "preact";
import { Button, Empty, Problem, Skeleton } from "../../shared/ui/parts.tsx";
import { t } from "../../shared/words.ts";

type Props<A> = { asked: { answer: A | null; problem: string; reload: () => Promise<void> }; isEmpty?: (answer: A) => boolean; empty?: string; children: (answer: A) => ComponentChildren };

export function Loaded<A>({ asked, isEmpty, empty, children }: Props<A>) {
  const { answer, problem, reload } = asked;
  return (
    <>
      {problem && (
        <div class="stack">
          <Problem>{problem}</Problem>
          <div class="choices start"><Button onClick={() => void reload()}>{t("action.again")}</Button></div>
        </div>
      )}
      {answer === null && !problem && <Skeleton lines={4} />}
      {answer !== null && (isEmpty?.(answer) ? <Empty>{empty ?? t("desk.nothing_found")}</Empty> : children(answer))}
    </>
  );
}

/** Facts about one thing, a name and a value each. */
export function Facts({ of }: { of: ReadonlyArray<readonly [string, ComponentChildren]> }) {
  return <dl class="facts">{of.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value ?? t("desk.unknown")}</dd></div>)}</dl>;
}
