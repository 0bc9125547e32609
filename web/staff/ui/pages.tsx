// One page of a long list at a time, and the way to the next.
import { useState } from "preact/hooks";
import { Button } from "../../shared/ui/parts.tsx";
import { t } from "../../shared/words.ts";

export const PAGE_ROWS = 200;

/** The `after` of the page that is shown; a changed filter begins again. */
export function usePages<A>(): { after: A | undefined; isFirst: boolean; next: (after: A) => void; first: () => void } {
  const [after, setAfter] = useState<A | undefined>(undefined);
  return { after, isFirst: after === undefined, next: (to) => setAfter(() => to), first: () => setAfter(undefined) };
}

export function Pager<A>({ pages, next }: { pages: { isFirst: boolean; next: (after: A) => void; first: () => void }; next: A | null }) {
  if (pages.isFirst && next === null) return null;
  return (
    <div class="choices start">
      {!pages.isFirst && <Button onClick={pages.first}>{t("desk.first_page")}</Button>}
      {next !== null && <Button icon="next" onClick={() => pages.next(next)}>{t("desk.next_page")}</Button>}
    </div>
  );
}
