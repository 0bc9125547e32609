// Surveys of the programme: what was asked, and what changed between both times.
import { useState } from "preact/hooks";
import { about, Button, dateName, Head, Loaded, may, me, site, t, Table, useAsked } from "../kit.ts";
import { NewSurvey } from "./new-survey.tsx";
import { OneSurvey } from "./one-survey.tsx";

/** The programme that the caller serves as a whole, at whose sites this screen is. */
export function programmeServed(): string | null {
  const scope = (me.value?.scopes ?? []).find((one) => one.programme_id && one.programme === site.value?.programme);
  return (may("manage structure") && scope?.programme_id) || null;
}

export function Screen() {
  const [survey_id, setSurvey] = useState(about.value);
  const [isNew, setNew] = useState(false);
  const asked = useAsked("GET /v1/staff/sites/{site_id}/surveys", { path: { site_id: site.value?.site_id ?? "" } });
  const survey = asked.answer?.surveys.find((one) => one.survey_id === survey_id);
  if (survey) return <OneSurvey survey={survey} onClose={() => { setSurvey(""); void asked.reload(); }} />;
  return (
    <>
      <Head title={t("surveys.title")}>
        {programmeServed() && <Button onClick={() => setNew(!isNew)}>{t("surveys.new")}</Button>}
      </Head>
      {isNew && <NewSurvey onMade={async () => { setNew(false); await asked.reload(); }} />}
      <Loaded asked={asked} isEmpty={(answer) => answer.surveys.length === 0} empty={t("surveys.empty")}>
        {(answer) => (
          <Table
            caption={t("surveys.title")} rows={answer.surveys} keyOf={(one) => one.survey_id} onOpen={(one) => setSurvey(one.survey_id)} testId="surveys"
            columns={[
              { title: t("surveys.called"), cell: (one) => one.name },
              { title: t("files.state"), cell: (one) => (one.published_at ? t("surveys.published", { at: dateName(one.published_at) }) : t("surveys.unpublished")) },
            ]}
          />
        )}
      </Loaded>
    </>
  );
}
