// Families that asked for help: the oldest first, and no word of why beyond its kind.
import { ago, ask, go, type Key, Loaded, Problem, site, t, Table, useActing, useAsked } from "../kit.ts";

export function Help() {
  const path = { site_id: site.value?.site_id ?? "" };
  const asked = useAsked("GET /v1/staff/sites/{site_id}/help", { path, query: { limit: 200 } });
  const { isBusy, problem, act } = useActing(asked.reload);
  const close = (help_id: string): Promise<boolean> => act(() => ask("POST /v1/staff/sites/{site_id}/help/{help_id}/done", { path: { ...path, help_id } }));
  const contact = (family_code: string): Promise<boolean> => act(() => ask("POST /v1/staff/sites/{site_id}/contact-requests", { path, body: { family_code } }));
  return (
    <section class="stack">
      <h2>{t("care.help")}</h2>
      {problem && <Problem>{problem}</Problem>}
      <Loaded asked={asked} isEmpty={(answer) => answer.calls.length === 0} empty={t("care.help_empty")}>
        {(answer) => (
          <Table
            caption={t("care.help")} rows={answer.calls} keyOf={(one) => one.help_id} testId="help" onOpen={(one) => go("families", one.family_code)}
            columns={[
              { title: t("families.code"), cell: (one) => one.family_code },
              { title: t("care.what"), cell: (one) => t(`help_kind.${one.kind}` as Key) },
              { title: t("care.asked_at"), cell: (one) => ago(one.asked_at) },
              {
                title: t("care.state"),
                cell: (one) => (
                  <span class="choices start">
                    <button type="button" class="small" aria-busy={isBusy} onClick={() => void contact(one.family_code)}>{t("care.contact")}<span class="unseen"> {one.family_code}</span></button>
                    <button type="button" class="small" aria-busy={isBusy} onClick={() => void close(one.help_id)}>{t("care.close")}<span class="unseen"> {one.family_code}</span></button>
                  </span>
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </section>
  );
}
