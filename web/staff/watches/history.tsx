// What has happened to a watch so far: hand-outs, returns, losses, defects and its ways back into stock.
import { dayAndTime, go, type Key, t, Table } from "../kit.ts";
import type { WatchDetailsResponse } from "../api-types.ts";

interface Happened {
  at: string;
  what: "given" | "undone" | WatchDetailsResponse["withdrawals"][number]["what"];
  family: string | null;
  by: string | null;
  next: string | null;
}

/** Newest first. */
export function historyOf({ hand_outs, withdrawals }: Pick<WatchDetailsResponse, "hand_outs" | "withdrawals">): Happened[] {
  const given = hand_outs.map((one): Happened => ({ at: one.given_at, what: "given", family: one.family_code, by: one.given_by_name, next: null }));
  const undone = hand_outs.flatMap((one): Happened[] => (one.undone_at ? [{ at: one.undone_at, what: "undone", family: one.family_code, by: null, next: null }] : []));
  const ended = withdrawals.map((one): Happened => ({ at: one.at, what: one.what, family: one.family_code, by: one.by_name, next: one.replaced_by }));
  return [...given, ...undone, ...ended].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

export function History({ watch, onOpen }: { watch: WatchDetailsResponse; onOpen: (serial: string) => void }) {
  const happened = historyOf(watch);
  if (happened.length === 0) return null;
  return (
    <section class="stack">
      <h2>{t("watches.history")}</h2>
      <Table
        caption={t("watches.history")} rows={happened} keyOf={(one) => `${one.what} ${one.at}`} testId="history"
        columns={[
          { title: t("watches.when"), cell: (one) => dayAndTime(one.at) },
          { title: t("watches.what"), cell: (one) => t(`watch_event.${one.what}` as Key) },
          { title: t("watches.family"), cell: ({ family }) => family && <button type="button" class="small" onClick={() => go("families", family)}>{family}</button> },
          { title: t("watches.replaced_by"), cell: ({ next }) => next && <button type="button" class="small" onClick={() => onOpen(next)}>{next}</button> },
          { title: t("watches.by"), cell: (one) => one.by ?? "" },
        ]}
      />
    </section>
  );
}
