// The conversation prompts that parents of a cohort read this week and the next, for questions at a family day.
import { Loaded, locale, shortDate, site, t, Table, useAsked } from "../kit.ts";

export function Prompts({ cohort_id }: { cohort_id: string }) {
  const asked = useAsked("GET /v1/staff/sites/{site_id}/cohorts/{cohort_id}/prompts", { path: { site_id: site.value?.site_id ?? "", cohort_id }, query: { locale: locale.value } });
  return (
    <section class="stack">
      <h2>{t("care.prompts")}</h2>
      <p class="soft">{t("care.prompts_about")}</p>
      <Loaded asked={asked}>
        {(answer) => (
          <Table
            caption={t("care.prompts")} testId="prompts"
            rows={answer.weeks.flatMap(({ week_starts_on, prompts }) => prompts.map((one) => ({ ...one, week_starts_on })))} keyOf={(one) => `${one.week_starts_on} ${one.ages} ${one.starter}`}
            columns={[
              { title: t("care.week"), cell: (one) => shortDate(one.week_starts_on) },
              { title: t("care.ages"), cell: (one) => one.ages },
              { title: t("care.prompt"), cell: (one) => one.text },
            ]}
          />
        )}
      </Loaded>
    </section>
  );
}
