// Earlier work: trainings that were noted, and families that have left.
import { type Key, Loaded, Pager, PAGE_ROWS, shortDate, site, t, Table, useAsked, usePages } from "../kit.ts";

export function Ended() {
  const pages = usePages<string>();
  const asked = useAsked("GET /v1/staff/sites/{site_id}/enrolments/ended", {
    path: { site_id: site.value?.site_id ?? "" }, query: { limit: PAGE_ROWS, ...(pages.after ? { after: pages.after } : {}) },
  });
  return (
    <section class="card stack">
      <h2>{t("families.ended")}</h2>
      <Loaded asked={asked} isEmpty={(answer) => answer.enrolments.length === 0}>
        {(answer) => (
          <>
            <Table
              caption={t("families.ended")} rows={answer.enrolments} keyOf={(one) => one.enrolment_id}
              columns={[
                { title: t("families.code"), cell: (one) => one.family_code },
                { title: t("families.cohort"), cell: (one) => one.cohort },
                { title: t("families.ended_at"), cell: (one) => shortDate(one.ended_at) },
                { title: t("families.reason"), cell: (one) => t(`end_reason.${one.reason}` as Key) },
              ]}
            />
            <Pager pages={pages} next={answer.next} />
          </>
        )}
      </Loaded>
    </section>
  );
}

export function Trained() {
  const pages = usePages<string>();
  const asked = useAsked("GET /v1/staff/sites/{site_id}/trainings", {
    path: { site_id: site.value?.site_id ?? "" }, query: { limit: PAGE_ROWS, ...(pages.after ? { after: pages.after } : {}) },
  });
  return (
    <section class="card stack">
      <h2>{t("families.trained")}</h2>
      <Loaded asked={asked} isEmpty={(answer) => answer.trainings.length === 0}>
        {(answer) => (
          <>
            <Table
              caption={t("families.trained")} rows={answer.trainings} keyOf={(one) => `${one.family_code} ${one.training}`}
              columns={[
                { title: t("families.code"), cell: (one) => one.family_code },
                { title: t("families.training"), cell: (one) => t(`training.${one.training}` as Key) },
                { title: t("families.on"), cell: (one) => shortDate(one.attended_on) },
              ]}
            />
            <Pager pages={pages} next={answer.next} />
          </>
        )}
      </Loaded>
    </section>
  );
}
