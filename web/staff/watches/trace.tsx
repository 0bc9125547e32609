// What the backend saw of a watch with a fault: asked for by a colleague, for a day, and written to the family's log.
import { useState } from "preact/hooks";
import { ask, Button, dayAndTime, Empty, type Key, Problem, site, t, Table, useBusy } from "../kit.ts";
import type { TraceLinesResponse } from "../api-types.ts";

export function Trace({ serial }: { serial: string }) {
  const [trace, setTrace] = useState<TraceLinesResponse | null>(null);
  const { isBusy, problem, run } = useBusy();
  const look = (): Promise<void> => run(async () => {
    const path = { site_id: site.value?.site_id ?? "" };
    // While one is open, asking again returns it.
    const trace_id = trace?.trace_id ?? (await ask("POST /v1/staff/sites/{site_id}/watch-traces", { path, body: { scan: serial } })).trace_id;
    setTrace(await ask("GET /v1/staff/sites/{site_id}/watch-traces/{trace_id}", { path: { ...path, trace_id } }));
  });
  return (
    <section class="stack" data-testid="trace">
      <h2>{t("watches.trace")}</h2>
      <p class="soft">{t("watches.trace_about")}</p>
      {trace && <p>{t("watches.trace_until", { at: dayAndTime(trace.closes_at) })}</p>}
      {problem && <Problem>{problem}</Problem>}
      <div class="choices start"><Button icon="eye" busy={isBusy} onClick={() => void look()} testId="trace-look">{t(trace ? "watches.trace_again" : "watches.trace_open")}</Button></div>
      {trace && (trace.lines.length === 0 ? <Empty>{t("watches.trace_empty")}</Empty> : (
        <Table
          caption={t("watches.trace")} rows={trace.lines.map((line, place) => ({ ...line, place })).reverse()} keyOf={(line) => String(line.place)} testId="trace-lines"
          columns={[
            { title: t("watches.when"), cell: (line) => dayAndTime(line.at) },
            { title: t("watches.what"), cell: (line) => t(`trace.${line.what}` as Key) },
            { title: t("watches.trace_detail"), cell: (line) => <code>{line.detail}</code> },
            { title: t("watches.trace_identity"), cell: (line) => t(`trace_identity.${line.identity}` as Key) },
          ]}
        />
      ))}
    </section>
  );
}
